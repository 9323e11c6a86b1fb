// What must hold after every step. Knows nothing of how consensus works: it compares what members say, write, send and apply.
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "raft_world.h"

bool raft_fail(struct raft_world *w, const char *fmt, ...) {
  if (w->failed) return false;
  va_list args;
  va_start(args, fmt);
  vsnprintf(w->why, sizeof w->why, fmt, args);
  va_end(args);
  w->failed = true;
  TRACE(w, 0, "VIOLATION: %s", w->why);
  return false;
}

// All of the entry's bytes, so that commit time and origin count too.
static uint64_t hash_entry(struct raft_world *w, const struct log_entry *entry) {
  buf_clear(&w->scratch);
  if (log_put_entry(&w->scratch, entry) != ERR_OK) abort();
  return hash64(w->scratch.data, w->scratch.len, 0);
}

// ---- log matching (dissertation 3.5): same index and term, same entry and same entry before ----

static struct raft_entry_seen *seen_slot(struct raft_world *w, uint64_t index, uint64_t term) {
  for (uint64_t at = hash_u64(index << 20 ^ term);; at++) {
    struct raft_entry_seen *s = &w->seen[at % RAFT_SEEN_MAX];
    if (s->index == 0 || (s->index == index && s->term == term)) return s;
  }
}

void raft_check_entry(struct raft_world *w, uint64_t member, const struct log_entry *entry, uint64_t previous_term) {
  struct raft_entry_seen *s = seen_slot(w, entry->index, entry->term);
  uint64_t hash = hash_entry(w, entry);
  if (s->index == 0) {
    *s = (struct raft_entry_seen){entry->index, entry->term, hash, previous_term};
    return;
  }
  if (s->hash != hash)
    raft_fail(w, "log matching: member %" PRIu64 " has another entry at %" PRIu64 "^%" PRIu64, member, entry->index, entry->term);
  if (s->previous_term != previous_term)
    raft_fail(w, "log matching: member %" PRIu64 " has term %" PRIu64 " before %" PRIu64 "^%" PRIu64 ", another has %" PRIu64,
              member, previous_term, entry->index, entry->term, s->previous_term);
}

// The whole log on a member's disk, as it is after a restart.
void raft_check_log(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  uint64_t mark = log_commit_index(m->log), previous = 0, next = log_first_index(m->log);
  if (next > log_durable_index(m->log)) return;
  if (log_term_at(m->log, next - 1, &previous, NULL) != ERR_OK || log_cursor_open(m->log, next, &c, NULL) != ERR_OK)
    return; // a fault struck
  while (log_cursor_next(c, &entry, NULL) == ERR_OK && entry != NULL) {
    raft_check_entry(w, m->id, entry, previous);
    if (entry->index <= mark && entry->index <= w->committed_last && w->committed[entry->index].term != entry->term)
      raft_fail(
          w, "member %" PRIu64 " has entry %" PRIu64 " of term %" PRIu64 " below its commit mark; term %" PRIu64 " was committed",
          m->id, entry->index, entry->term, w->committed[entry->index].term);
    previous = entry->term;
  }
  log_cursor_close(c);
}

// ---- state machine safety (3.2): the same entries everywhere ----

static void note_committed(struct raft_member *m, const struct log_entry *entry, uint64_t hash) {
  struct raft_world *w = m->world;
  struct raft_committed *c = &w->committed[entry->index];
  if (entry->index != w->committed_last + 1) {
    raft_fail(w, "member %" PRIu64 " applies entry %" PRIu64 "; nobody applied more than %" PRIu64, m->id, entry->index,
              w->committed_last);
    return;
  }
  *c = (struct raft_committed){entry->term, hash, hash64(&hash, sizeof hash, m->app.state.digest), m->last.term};
  w->committed_last = entry->index;
  w->counts.entries++;
}

static void note_acknowledged(struct raft_member *m, const struct log_entry *entry) {
  for (unsigned i = 0; i < m->outstanding_count; i++) {
    if (m->outstanding[i].index > entry->index) continue;
    if (m->outstanding[i].index == entry->index && m->outstanding[i].term == entry->term)
      m->world->acknowledged = MAX(m->world->acknowledged, entry->index);
    m->outstanding[i--] = m->outstanding[--m->outstanding_count];
  }
}

// What a member acknowledges or applies is on its disk, and is the entry that consensus means, not an older one of that index.
void raft_check_durable(struct raft_member *m, uint64_t index, const char *what) {
  uint64_t means = 0, has = 0;
  if (m->group == NULL || group_term_at(m->group, index, &means, NULL) != ERR_OK) return; // forgotten, so committed
  if (log_term_at(m->log, index, &has, NULL) == ERR_OK && has == means) return;
  raft_fail(m->world,
            "member %" PRIu64 " %s entry %" PRIu64 "^%" PRIu64 ", which is not durable: its log ends at %" PRIu64
            ", with term %" PRIu64 " there",
            m->id, what, index, means, log_durable_index(m->log), has);
}

void raft_check_applied(struct raft_member *m, const struct log_entry *entry) {
  struct raft_world *w = m->world;
  if (entry->index != m->app.state.index + 1) {
    raft_fail(w, "member %" PRIu64 " applies entry %" PRIu64 " after %" PRIu64, m->id, entry->index, m->app.state.index);
    return;
  }
  raft_check_durable(m, entry->index, "applies");
  if (entry->index >= RAFT_INDEX_MAX) abort(); // raft_load stops before
  if (entry->commit_time_ns < m->app.state.commit_time_ns)
    raft_fail(w, "member %" PRIu64 ": the commit time of entry %" PRIu64 " goes back", m->id, entry->index);
  uint64_t hash = hash_entry(w, entry);
  const struct raft_committed *c = &w->committed[entry->index];
  if (c->term == 0) note_committed(m, entry, hash);
  if (c->term != entry->term || c->hash != hash)
    raft_fail(w,
              "state machine safety: member %" PRIu64 " applies entry %" PRIu64 " of term %" PRIu64
              ", another applied one of term %" PRIu64,
              m->id, entry->index, entry->term, c->term);
  m->app.state =
      (struct raft_state){entry->index, entry->term, hash64(&hash, sizeof hash, m->app.state.digest), entry->commit_time_ns};
  if (m->app.state.digest != c->digest)
    raft_fail(w, "member %" PRIu64 " has another state after entry %" PRIu64, m->id, entry->index);
  note_acknowledged(m, entry);
}

void raft_check_copied(struct raft_member *m) {
  const struct raft_committed *c = &m->world->committed[m->copy_index];
  if (c->term != m->copy_term)
    raft_fail(m->world, "member %" PRIu64 " is to install %" PRIu64 "^%" PRIu64 "; term %" PRIu64 " was committed there", m->id,
              m->copy_index, m->copy_term, c->term);
}

// ---- terms and votes ----

// Whom a message says that its sender has voted for; 0: nobody.
static uint64_t vote_told(const struct message *msg) {
  const struct consensus_message *b = &msg->body;
  if (b->type == CONSENSUS_VOTE) return msg->from;
  return b->type == CONSENSUS_VOTE_RESULT && b->vote_result.granted ? msg->to : 0;
}

// A message is in a term that is saved, and a vote is what was saved (figure 3.1). A pre-vote promises nothing.
void raft_check_promise(struct raft_member *m, const struct message *msg) {
  const struct consensus_message *b = &msg->body;
  struct log_group_state saved;
  if ((b->type == CONSENSUS_VOTE && b->vote.pre_vote) || (b->type == CONSENSUS_VOTE_RESULT && b->vote_result.pre_vote)) return;
  log_group_state(m->log, &saved);
  uint64_t vote = vote_told(msg);
  if (saved.term < b->term)
    raft_fail(m->world, "member %" PRIu64 " speaks in term %" PRIu64 "; what it has saved is term %" PRIu64, m->id, b->term,
              saved.term);
  if (vote != 0 && saved.term == b->term && saved.vote != vote)
    raft_fail(m->world, "member %" PRIu64 " votes for %" PRIu64 " in term %" PRIu64 "; what it has saved is a vote for %" PRIu64,
              m->id, vote, b->term, saved.vote);
  if (b->term > m->promised.term) m->promised = (struct raft_vote){b->term, 0};
  if (b->term == m->promised.term && vote != 0) m->promised.vote = vote;
}

void raft_check_promises(struct raft_member *m) {
  struct log_group_state saved;
  log_group_state(m->log, &saved);
  if (saved.term < m->promised.term)
    raft_fail(m->world, "member %" PRIu64 " starts in term %" PRIu64 "; it spoke in term %" PRIu64 " before", m->id, saved.term,
              m->promised.term);
  if (saved.term == m->promised.term && m->promised.vote != 0 && saved.vote != m->promised.vote)
    raft_fail(m->world, "member %" PRIu64 " starts with a vote for %" PRIu64 " in term %" PRIu64 "; it told of one for %" PRIu64,
              m->id, saved.vote, saved.term, m->promised.vote);
}

// ---- leaders ----

// Leader completeness (3.6.3): what was committed in an earlier term is in the log of every later leader.
static void check_complete(struct raft_member *m, uint64_t term) {
  struct raft_world *w = m->world;
  struct consensus_status s;
  group_status(m->group, &s);
  for (uint64_t i = MAX(s.snapshot_index + 1, s.first_index); i <= w->committed_last; i++) {
    uint64_t has = 0;
    if (w->committed[i].known_term >= term) continue;
    if (group_term_at(m->group, i, &has, NULL) == ERR_OK && has == w->committed[i].term) continue;
    raft_fail(w, "leader completeness: member %" PRIu64 ", leader of term %" PRIu64 ", lacks entry %" PRIu64 "^%" PRIu64, m->id,
              term, i, w->committed[i].term);
    return;
  }
}

// There is a leader of an older term that does not know: it is kept from hearing the new one and asked for reads.
static void tempt_older_leaders(struct raft_member *newer) {
  struct raft_world *w = newer->world;
  for (unsigned i = 1; i <= w->count; i++) {
    struct raft_member *m = &w->members[i];
    if (m == newer || !m->up || m->last.state != CONSENSUS_LEADER || !raft_fault_chance(w, RAFT_read_old, 2)) continue;
    raft_part(w, newer->id, m->id, 200000);
    m->reads_left = 12;
    m->read_us = w->now_us + 2000;
  }
}

// Election safety (3.2): one leader a term, and in one life of it.
static void check_leader(struct raft_member *m, const struct group_stats *now) {
  struct raft_world *w = m->world;
  if (now->term >= RAFT_TERM_MAX) return;
  if (w->leaders[now->term].member == 0) {
    w->leaders[now->term].member = (uint8_t) m->id;
    w->leaders[now->term].life = m->life;
    w->leader_term_max = MAX(w->leader_term_max, now->term);
    w->counts.elections++;
    TRACE(w, m->id, "LEADS term %" PRIu64, now->term);
    if (raft_fault_chance(w, RAFT_change_at_once, 4)) m->change_us = w->now_us + 1;
    if (raft_fault_chance(w, RAFT_crash_leader, 4)) m->crash_us = w->now_us + rng_below(&w->rngs[RAFT_crash_leader], 25000) + 1;
    if (raft_fault_chance(w, RAFT_cut_leader, 4)) m->cut_us = w->now_us + rng_below(&w->rngs[RAFT_cut_leader], 25000) + 1;
    check_complete(m, now->term);
    tempt_older_leaders(m);
  }
  if (w->leaders[now->term].member != m->id || w->leaders[now->term].life != m->life)
    raft_fail(w, "election safety: members %u and %" PRIu64 " both lead term %" PRIu64 "%s", w->leaders[now->term].member, m->id,
              now->term, w->leaders[now->term].member == m->id ? " (the same after a restart)" : "");
}

// A leader counts replicas of entries of its own term alone (3.6.2): what it finds committed ends in one.
static void check_commit(struct raft_member *m, const struct group_stats *now) {
  uint64_t term = 0;
  bool counted = now->state == CONSENSUS_LEADER && m->last.state == CONSENSUS_LEADER && now->term == m->last.term;
  if (!counted || now->commit_index == m->last.commit_index || group_term_at(m->group, now->commit_index, &term, NULL) != ERR_OK)
    return;
  if (term != now->term)
    raft_fail(m->world, "member %" PRIu64 ", leader of term %" PRIu64 ", takes entry %" PRIu64 "^%" PRIu64 " for committed",
              m->id, now->term, now->commit_index, term);
}

// A leader alone knows yet that this is committed.
static void strike_at_commit(struct raft_member *m, const struct group_stats *now) {
  struct raft_world *w = m->world;
  if (now->state != CONSENSUS_LEADER || now->commit_index == m->last.commit_index) return;
  if (raft_fault_chance(w, RAFT_crash_commit, 100)) {
    m->crash_now = true;
    m->crash_why = "power goes where it finds something committed";
  } else if (raft_fault_chance(w, RAFT_cut_commit, 100)) {
    m->cut_us = w->now_us + 1;
  }
}

static const char *const state_names[] = {"follower", "candidate", "leader"};

static void trace_changes(struct raft_member *m, const struct group_stats *now) {
  struct raft_world *w = m->world;
  const struct group_stats *last = &m->last;
  if (now->state != last->state || now->term != last->term)
    TRACE(w, m->id, "%s of term %" PRIu64 " (was %s of %" PRIu64 ")", state_names[now->state], now->term,
          state_names[last->state], last->term);
  if (now->commit_index != last->commit_index)
    TRACE(w, m->id, "committed %" PRIu64 ", may apply %" PRIu64 ", applied %" PRIu64, now->commit_index, now->apply_index,
          m->app.state.index);
}

void raft_check_member(struct raft_member *m, const struct group_stats *now) {
  struct raft_world *w = m->world;
  const struct group_stats *last = &m->last;
  if (w->options.trace != NULL) trace_changes(m, now);
  if (now->term < last->term)
    raft_fail(w, "member %" PRIu64 "'s term goes back from %" PRIu64 " to %" PRIu64, m->id, last->term, now->term);
  if (now->commit_index < last->commit_index || now->apply_index < last->apply_index)
    raft_fail(w, "member %" PRIu64 "'s commit index goes back: %" PRIu64 ", %" PRIu64 " after %" PRIu64 ", %" PRIu64, m->id,
              now->commit_index, now->apply_index, last->commit_index, last->apply_index);
  if (now->apply_index > now->commit_index) raft_fail(w, "member %" PRIu64 " may apply more than is committed", m->id);
  w->counts.truncations += now->truncations - last->truncations;
  w->counts.installs += now->installs - last->installs;
  w->counts.members_behind += now->entries_read - last->entries_read;
  check_commit(m, now);
  strike_at_commit(m, now);
  if (now->state == CONSENSUS_LEADER && (last->state != CONSENSUS_LEADER || last->term != now->term)) check_leader(m, now);
}

// ---- reads (6.4): never older than what was acknowledged before they were asked ----

void raft_check_read(struct raft_member *m, uint64_t read_id, uint64_t index, bool failed) {
  struct raft_world *w = m->world;
  const struct raft_read *r = &w->reads[read_id % ARRAY_SIZE(w->reads)];
  if (failed || read_id + ARRAY_SIZE(w->reads) <= w->read_ids) return;
  if (r->member != m->id) raft_fail(w, "member %" PRIu64 " answers a read that was asked of member %u", m->id, r->member);
  if (index < r->least_index)
    raft_fail(w, "a stale read: member %" PRIu64 " reads at %" PRIu64 "; %" PRIu64 " was acknowledged before it was asked", m->id,
              index, r->least_index);
  w->counts.reads++;
  if (read_id == w->settle_read) w->settle_read_done = true;
}

// ---- the end ----

void raft_check_end(struct raft_world *w) {
  for (unsigned i = 1; i <= w->count; i++) {
    struct raft_member *m = &w->members[i];
    if (!m->up) continue;
    raft_check_log(m);
    struct error e = ERROR_INIT;
    enum err err = log_check(m->log, &e);
    if (err != ERR_OK) raft_fail(w, "member %" PRIu64 "'s log fails its check: %s", m->id, e.message);
  }
}
