// What clients and operators do: proposals, reads, changes of membership, transfers, checkpoints. And after healing, what must
// work.
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "raft_world.h"

#define INDEX_STOP (RAFT_INDEX_MAX - 600u)

static struct raft_member *pick_leader(struct raft_world *w, struct rng *rng) {
  unsigned start = (unsigned) rng_below(rng, w->count);
  for (unsigned i = 0; i < w->count; i++) {
    struct raft_member *m = &w->members[1 + (start + i) % w->count];
    if (raft_member_is_leader(m)) return m;
  }
  return NULL;
}

static void cut_off(struct raft_member *m, enum raft_fault f) {
  struct rng *rng = &m->world->rngs[f];
  uint64_t ways = 1 + rng_below(rng, 3);
  raft_isolate(m->world, m->id, ways & 1, ways & 2, 150000 + rng_below(rng, 1200000));
}

// ---- proposals ----

static uint32_t payload_bytes(struct rng *rng) {
  if (rng_chance(rng, 1, 40)) return 8 + (uint32_t) rng_below(rng, 3000);
  return 8 + (uint32_t) rng_below(rng, 60);
}

static unsigned make_entries(struct raft_world *w, const struct raft_member *m, struct log_entry *entries, uint8_t *bytes) {
  unsigned count = rng_chance(&w->rng, 1, 3) ? 1 + (unsigned) rng_below(&w->rng, 4) : 1;
  for (unsigned i = 0; i < count; i++, bytes += 4096) {
    uint32_t n = payload_bytes(&w->rng);
    put_u64_le(bytes, ++w->proposals);
    memset(bytes + 8, (int) w->proposals, n - 8);
    entries[i] = (struct log_entry){.kind = rng_chance(&w->rng, 1, 8) ? LOG_TOKEN : LOG_TRANSACTION,
                                    .parts = i + 1 < count ? LOG_PART : LOG_END,
                                    .origin_member = m->id,
                                    .origin_sequence = w->proposals,
                                    .payload = {(const char *) bytes, n}};
  }
  return count;
}

static void remember(struct raft_member *m, const struct log_entry *last) {
  if (m->outstanding_count < RAFT_OUTSTANDING_MAX)
    m->outstanding[m->outstanding_count++] = (struct raft_outstanding){last->index, last->term};
}

static bool propose(struct raft_member *m) {
  static uint8_t bytes[4 * 4096];
  struct raft_world *w = m->world;
  struct log_entry entries[4];
  struct error e = ERROR_INIT;
  unsigned count = make_entries(w, m, entries, bytes);
  bool stale = rng_chance(&w->rng, 1, 50);
  raft_member_begin(m);
  enum err err = group_propose(m->group, raft_member_ms(m), m->last.term - stale, entries, count, &e);
  if (err == ERR_OK) {
    TRACE(w, m->id, "is given %u entries: %" PRIu64 "..%" PRIu64, count, entries[0].index, entries[count - 1].index);
    if (m->app.state.term != m->last.term)
      raft_fail(w, "member %" PRIu64 " takes a proposal before an entry of its own is applied", m->id);
    if (stale) raft_fail(w, "member %" PRIu64 " takes a proposal of an earlier term", m->id);
    remember(m, &entries[count - 1]);
    if (raft_fault_chance(w, RAFT_crash_proposer, 60)) {
      m->crash_now = true;
      m->crash_why = "power goes right after a proposal";
    }
  }
  raft_member_end(m);
  if (err == ERR_OK && m->up && raft_fault_chance(w, RAFT_cut_proposer, 10)) cut_off(m, RAFT_cut_proposer);
  return err == ERR_OK;
}

// ---- memberships ----

static uint32_t place_of(const struct consensus_membership *m, uint64_t id) {
  uint32_t i = 0;
  while (i < m->count && m->members[i].id < id) i++;
  return i;
}

static void add_learner(struct consensus_membership *m, uint64_t id) {
  uint32_t at = place_of(m, id);
  memmove(&m->members[at + 1], &m->members[at], (m->count - at) * sizeof m->members[0]);
  m->members[at] = (struct consensus_member){.id = id, .role = CONSENSUS_LEARNER};
  snprintf(m->members[at].address, sizeof m->members[at].address, "member-%u", (unsigned) id);
  m->count++;
}

static void remove_member(struct consensus_membership *m, uint32_t at) {
  memmove(&m->members[at], &m->members[at + 1], (m->count - at - 1) * sizeof m->members[0]);
  m->count--;
}

static enum err catch_up(struct raft_member *m, uint64_t id) {
  struct error e = ERROR_INIT;
  raft_member_begin(m);
  enum err err = group_catch_up(m->group, raft_member_ms(m), id, &e);
  raft_member_end(m);
  return err;
}

static bool change(struct raft_member *m, const struct consensus_membership *to, const char *what, uint64_t id) {
  struct raft_world *w = m->world;
  struct error e = ERROR_INIT;
  raft_member_begin(m);
  enum err err = group_change(m->group, raft_member_ms(m), to, &e);
  if (err == ERR_OK) {
    w->counts.changes++;
    TRACE(w, m->id, "%s member %" PRIu64 ": now %u members, %u voters", what, id, to->count, consensus_membership_voters(to));
  } else {
    TRACE(w, m->id, "%s member %" PRIu64 ": refused, %s", what, id, e.message);
  }
  raft_member_end(m);
  if (err == ERR_OK && m->up && raft_fault_chance(w, RAFT_cut_changer, 4)) cut_off(m, RAFT_cut_changer);
  return err == ERR_OK;
}

// One random thing with one random member. Consensus refuses what must not be.
static void change_random(struct raft_member *m, struct rng *rng) {
  struct consensus_membership to;
  uint64_t id = 1 + rng_below(rng, m->world->count);
  group_membership(m->group, &to);
  uint32_t at = place_of(&to, id);
  bool is_member = at < to.count && to.members[at].id == id;
  if (!is_member) {
    add_learner(&to, id);
    change(m, &to, "adds", id);
  } else if (rng_chance(rng, 1, 4)) {
    remove_member(&to, at);
    change(m, &to, "removes", id);
  } else if (to.members[at].role == CONSENSUS_VOTER) {
    to.members[at].role = CONSENSUS_LEARNER;
    if (rng_chance(rng, 1, 3)) change(m, &to, "demotes", id);
  } else if (rng_chance(rng, 1, 2)) {
    (void) catch_up(m, id);
  } else {
    to.members[at].role = CONSENSUS_VOTER;
    change(m, &to, "promotes", id);
  }
}

void raft_load_change(struct raft_world *w) {
  struct rng *rng = &w->rngs[RAFT_change];
  struct raft_member *m = pick_leader(w, rng);
  if (m != NULL) change_random(m, rng);
}

void raft_load_change_at(struct raft_member *m) {
  m->change_us = 0;
  if (raft_member_is_leader(m)) change_random(m, &m->world->rngs[RAFT_change_at_once]);
}

// ---- the rest ----

void raft_load_transfer(struct raft_world *w) {
  struct rng *rng = &w->rngs[RAFT_transfer];
  struct raft_member *m = pick_leader(w, rng);
  struct error e = ERROR_INIT;
  if (m == NULL) return;
  uint64_t to = rng_chance(rng, 1, 2) ? 0 : 1 + rng_below(rng, w->count);
  raft_member_begin(m);
  if (group_transfer(m->group, raft_member_ms(m), to, &e) == ERR_OK) {
    w->counts.transfers++;
    TRACE(w, m->id, "hands leadership to %" PRIu64, to);
  }
  raft_member_end(m);
}

// Where another thread saves, it is also another one that forgets.
static enum err forget(struct raft_member *m, uint64_t index, uint64_t trailing, struct error *e) {
  if (!m->world->group_options.saves_elsewhere) return group_checkpointed(m->group, raft_member_ms(m), index, trailing, e);
  TRY(group_forget_begin(m->group, raft_member_ms(m), index, trailing, &m->forgetting, e));
  raft_forget_begin(m);
  return ERR_OK;
}

void raft_load_checkpoint(struct raft_world *w) {
  struct rng *rng = &w->rngs[RAFT_checkpoint];
  struct raft_member *m = &w->members[1 + rng_below(rng, w->count)];
  struct error e = ERROR_INIT;
  if (!m->up || m->paused_us > w->now_us || m->forget_us != 0) return;
  raft_member_begin(m);
  m->app.durable = m->app.state;
  uint64_t index = m->app.durable.index - (rng_chance(rng, 1, 3) ? MIN(m->app.durable.index, rng_below(rng, 20)) : 0);
  enum err err = forget(m, index, rng_below(rng, 40), &e);
  if (err == ERR_OK) {
    w->counts.checkpoints++;
    TRACE(w, m->id, "is durable to %" PRIu64 ", forgets: log begins at %" PRIu64, index, log_first_index(m->log));
  }
  raft_member_end(m);
}

static bool ask_read(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct error e = ERROR_INIT;
  uint64_t id = ++w->read_ids;
  w->reads[id % ARRAY_SIZE(w->reads)] = (struct raft_read){w->acknowledged, (uint8_t) m->id};
  raft_member_begin(m);
  enum err err = group_read(m->group, raft_member_ms(m), id, &e);
  raft_member_end(m);
  return err == ERR_OK;
}

void raft_load_read(struct raft_world *w) {
  for (unsigned i = 1; i <= w->count; i++)
    if (raft_member_is_leader(&w->members[i])) ask_read(&w->members[i]);
}

void raft_load_read_at(struct raft_member *m) {
  struct raft_world *w = m->world;
  bool again = raft_member_is_leader(m) && m->reads_left > 0;
  m->reads_left -= again;
  m->read_us = again ? w->now_us + rng_below(&w->rngs[RAFT_read_old], 10000) + 1 : 0;
  if (raft_member_is_leader(m)) ask_read(m);
}

// ---- after healing ----

static bool settle_propose(struct raft_world *w, struct raft_member *m) {
  if (log_last_index(m->log) >= RAFT_INDEX_MAX - 50) return raft_fail(w, "the world is full");
  if (!propose(m)) return false;
  const struct raft_outstanding *o = &m->outstanding[m->outstanding_count - 1];
  w->probe_index = o->index;
  w->probe_term = o->term;
  return true;
}

static bool is_committed(const struct raft_world *w) {
  return w->committed_last >= w->probe_index && w->committed[w->probe_index].term == w->probe_term;
}

static bool all_have(struct raft_world *w, struct raft_member *leader, uint64_t index) {
  struct consensus_membership in_force;
  group_membership(leader->group, &in_force);
  for (uint32_t i = 0; i < in_force.count; i++) {
    const struct raft_member *m = &w->members[in_force.members[i].id];
    if (m == w->sleeper) continue;
    if (!m->up || m->app.state.index < index) return false;
  }
  return true;
}

// A change that must be possible in any healthy group: a learner more, or (all are members) one less; or a voter less.
static bool settle_change(struct raft_world *w, struct raft_member *m) {
  struct consensus_membership to;
  group_membership(m->group, &to);
  for (uint64_t id = 1; id <= w->count; id++) {
    if (consensus_membership_find(&to, id) != NULL) continue;
    add_learner(&to, id);
    return change(m, &to, "adds", id);
  }
  for (uint32_t i = to.count; i-- > 0;) {
    if (to.members[i].id == m->id || to.members[i].role == CONSENSUS_VOTER) continue;
    uint64_t id = to.members[i].id;
    remove_member(&to, i);
    return change(m, &to, "removes", id);
  }
  uint32_t other = to.members[0].id == m->id;
  uint64_t id = to.members[other].id;
  remove_member(&to, other);
  return change(m, &to, "removes", id);
}

static bool settle_read(struct raft_world *w, struct raft_member *m) {
  w->settle_read_done = false;
  w->settle_read = w->read_ids + 1;
  return ask_read(m);
}

// One member may stay down while there are three voters, whichever membership counts in the end: the others must do without it.
static bool all_know_three_voters(struct raft_world *w) {
  struct consensus_membership in_force;
  for (unsigned i = 1; i <= w->count; i++) {
    if (!w->members[i].up) return false;
    group_membership(w->members[i].group, &in_force);
    if (in_force.count > 0 && consensus_membership_voters(&in_force) < 3) return false;
  }
  return true;
}

// Where memberships change, it is first seen what they are; elsewhere it happens at once, before anybody has learnt anything.
static void put_to_sleep(struct raft_world *w) {
  struct rng *rng = &w->rngs[RAFT_sleep];
  uint64_t off = w->options.off | w->off;
  bool changes = !(off >> RAFT_change & 1) || !(off >> RAFT_change_at_once & 1);
  if (w->slept || (changes && w->now_us < w->faults_end_us + 600000)) return;
  w->slept = true;
  if ((off >> RAFT_sleep & 1) || rng_chance(rng, 1, 2)) return;
  if (w->options.voters < 3 || (changes && !all_know_three_voters(w))) return;
  w->sleeper = &w->members[1 + rng_below(rng, changes ? w->count : w->options.voters)];
  if (w->sleeper->up)
    raft_member_crash(w->sleeper, rng_chance(rng, 1, 2), "goes down and stays down: the others must do without it");
  w->sleeper->restart_us = UINT64_MAX;
}

static void wake_up(struct raft_world *w) {
  if (w->sleeper != NULL) w->sleeper->restart_us = w->now_us + 1;
  w->sleeper = NULL;
}

// Asks for what must be possible, one thing after another; true when all of it has happened.
static bool settle(struct raft_world *w) {
  put_to_sleep(w);
  struct raft_member *m = pick_leader(w, &w->rng);
  struct consensus_status s;
  if (!w->slept || m == NULL || m->last.term < w->leader_term_max) return false;
  switch (w->stage) {
  case 0: w->stage += settle_propose(w, m); break;
  case 1:
    if (is_committed(w)) {
      w->stage = all_have(w, m, w->probe_index) ? 2 : 1;
    } else if (m->last.term != w->probe_term) {
      w->stage = 0; // its leader is gone, and the entry perhaps too
    }
    break;
  case 2:
    wake_up(w);
    w->stage += settle_change(w, m);
    break;
  case 3:
    group_status(m->group, &s);
    if (!s.change_under_way && s.open && all_have(w, m, w->committed_last)) w->stage += settle_read(w, m);
    break;
  case 4: w->stage = w->settle_read_done ? 5 : w->read_ids > w->settle_read + 1 ? 3 : 4; break;
  default: break;
  }
  if (w->stage == 4 && m->id != w->reads[w->settle_read % ARRAY_SIZE(w->reads)].member) w->stage = 3;
  return w->stage == 5;
}

void raft_load(struct raft_world *w) {
  w->load_us = w->now_us + (w->healed ? 10000 : rng_below(&w->rng, 2 * w->load_mean_us));
  if (w->healed) {
    w->settled = settle(w);
    return;
  }
  for (unsigned i = 1; i <= w->count; i++) { // two may believe that they lead
    struct raft_member *m = &w->members[i];
    if (raft_member_is_leader(m) && w->committed_last < INDEX_STOP && log_last_index(m->log) < INDEX_STOP) propose(m);
  }
}
