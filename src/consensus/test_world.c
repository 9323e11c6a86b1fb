#include "consensus/test_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define BROKEN(...)                              \
  do {                                           \
    fprintf(stderr, "# VIOLATION " __VA_ARGS__); \
    fputc('\n', stderr);                         \
    fail();                                      \
  } while (0)

static void trace(const struct world *w, const char *format, ...) PRINTF(2, 3);
static void trace(const struct world *w, const char *format, ...) {
  if (w->quiet) return;
  va_list args;
  va_start(args, format);
  fprintf(stderr, "# %6" PRIu64 "  ", w->now_ms);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
}

// ---- memory: blocks that live as long as the world ----

struct block {
  struct block *next;
  max_align_t bytes[];
};

static void *keep(struct world *w, const void *from, size_t bytes) {
  struct block *b = mem_alloc(sizeof *b + MAX(bytes, 1u));
  assert_non_null(b);
  b->next = w->memory;
  w->memory = b;
  if (bytes > 0) memcpy(b->bytes, from, bytes);
  return b->bytes;
}

static struct consensus_membership *keep_membership(struct world *w, const struct consensus_membership *m) {
  return m == NULL ? NULL : keep(w, m, sizeof *m);
}

// ---- logs ----

static void log_cut(struct world_log *l, uint64_t from) {
  l->last = from - 1;
}

static void log_append(struct world_log *l, const struct world_entry *e) {
  assert_true(l->last + 1 < WORLD_LOG);
  l->at[++l->last] = *e;
}

static void log_install(struct world_log *l, uint64_t index, uint64_t term, const struct consensus_membership *m) {
  l->snapshot_index = index;
  l->snapshot_term = term;
  l->snapshot_membership = m;
  l->first = index + 1;
  l->last = index;
}

static const struct consensus_membership *log_membership_at(const struct world_log *l, uint64_t index) {
  for (uint64_t i = index; i >= l->first && i > 0; i--) {
    if (l->at[i].membership != NULL) return l->at[i].membership;
  }
  return l->snapshot_membership;
}

// ---- making ----

static struct consensus_membership founders(uint32_t voters, uint32_t learners) {
  struct consensus_membership m = {.index = 1, .count = voters + learners};
  for (uint32_t i = 0; i < m.count; i++) {
    m.members[i].id = i + 1;
    m.members[i].role = i < voters ? CONSENSUS_VOTER : CONSENSUS_LEARNER;
    snprintf(m.members[i].address, CONSENSUS_ADDRESS_BYTES, "member-%u:7000", i + 1);
  }
  return m;
}

struct world *world_new(uint32_t voters, uint32_t learners) {
  struct world *w = mem_zalloc(sizeof *w);
  assert_non_null(w);
  w->now_ms = 1000;
  w->options = (struct consensus_options){
      .election_timeout_ms = 1000, .heartbeat_ms = 100, .install_timeout_ms = 3000, .inflight_entries_max = 8};
  struct consensus_membership first = founders(voters, learners);
  struct consensus_membership *m = keep_membership(w, &first);
  w->committed[1] = (struct world_entry){.term = 1, .kind = CONSENSUS_MEMBERSHIP, .membership = m};
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    struct world_member *x = &w->members[id];
    x->id = id;
    x->disk.first = x->memory.first = 1;
    if (id > voters) continue;
    x->term = 1;
    log_append(&x->disk, &w->committed[1]);
    x->durable_applied = 1;
  }
  return w;
}

void world_free(struct world *w) {
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) consensus_free(w->members[id].group);
  for (struct block *b = w->memory, *next; b != NULL; b = next) {
    next = b->next;
    mem_free(b);
  }
  mem_free(w);
}

void world_write_disk(struct world *w, uint64_t id, uint64_t term, const uint64_t *terms) {
  struct world_member *x = &w->members[id];
  assert_true(x->group == NULL && x->disk.first == 1 && x->disk.last == 1);
  x->term = term;
  for (; *terms != 0; terms++) {
    log_append(&x->disk, &(struct world_entry){
                             .term = *terms, .kind = CONSENSUS_DATA, .value = 1000 * (x->disk.last + 1) + (uintptr_t) *terms});
  }
}

struct consensus *world_group(struct world *w, uint64_t id) {
  assert_non_null(w->members[id].group);
  return w->members[id].group;
}

struct consensus_status world_status(struct world *w, uint64_t id) {
  struct consensus_status s;
  consensus_status(world_group(w, id), &s);
  return s;
}

uintptr_t world_value(struct world *w, uint64_t id, uint64_t index) {
  const struct world_log *l = &w->members[id].memory;
  return index >= l->first && index <= l->last ? l->at[index].value : 0;
}

// ---- what must hold ----

static bool same_entry(const struct world_entry *a, const struct world_entry *b) {
  if (a->term != b->term || a->kind != b->kind || a->value != b->value) return false;
  return (a->membership == NULL) == (b->membership == NULL);
}

/// Log matching (figure 3.2), against all other members.
static void check_matching(struct world *w, const struct world_member *x, uint64_t index) {
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    const struct world_log *l = &w->members[id].memory;
    if (w->members[id].group == NULL || index < l->first || index > l->last) continue;
    if (l->at[index].term == x->memory.at[index].term && !same_entry(&l->at[index], &x->memory.at[index])) {
      BROKEN("log matching: members %" PRIu64 " and %" PRIu64 " have different entries at %" PRIu64 ", term %" PRIu64, id, x->id,
             index, l->at[index].term);
    }
  }
}

/// State machine safety (figure 3.2).
static void check_committed(struct world *w, const struct world_member *x, uint64_t index) {
  const struct world_entry *e = &x->memory.at[index];
  if (index < x->memory.first) return;
  if (index > x->memory.last) BROKEN("member %" PRIu64 " has committed %" PRIu64 ", which it has not", x->id, index);
  if (w->committed[index].term == 0) {
    w->committed[index] = *e;
    trace(w, "%" PRIu64 ": committed %" PRIu64 "^%" PRIu64 " = %" PRIuPTR, x->id, index, e->term, e->value);
  } else if (!same_entry(&w->committed[index], e)) {
    BROKEN("state machine safety: %" PRIu64 " is committed as %" PRIu64 "^%" PRIu64 " and by member %" PRIu64 " as %" PRIu64
           "^%" PRIu64,
           index, index, w->committed[index].term, x->id, index, e->term);
  }
}

/// Election safety and leader completeness (figure 3.2).
static void check_leader(struct world *w, const struct world_member *x, uint64_t term) {
  if (term >= WORLD_LOG) return;
  if (w->leader_of[term] == x->id && w->life_of[term] == x->lives) return;
  if (w->leader_of[term] == x->id) BROKEN("election safety: member %" PRIu64 " leads term %" PRIu64 " in two lives", x->id, term);
  if (w->leader_of[term] != 0) {
    BROKEN("election safety: members %" PRIu64 " and %" PRIu64 " lead term %" PRIu64, w->leader_of[term], x->id, term);
  }
  w->leader_of[term] = x->id;
  w->life_of[term] = x->lives;
  trace(w, "%" PRIu64 ": leader of term %" PRIu64, x->id, term);
  for (uint64_t t = term + 1; t < WORLD_LOG; t++) {
    if (w->leader_of[t] != 0) return; // an old election that is only now being seen
  }
  for (uint64_t i = x->memory.first; i < WORLD_LOG && w->committed[i].term != 0; i++) {
    if (w->committed[i].term > term) continue;
    if (i > x->memory.last || !same_entry(&x->memory.at[i], &w->committed[i])) {
      BROKEN("leader completeness: the leader of term %" PRIu64 " lacks the committed entry %" PRIu64 "^%" PRIu64, term, i,
             w->committed[i].term);
    }
  }
}

/// What is acknowledged is on the disk as it is in memory, and is what the leader has (3.8, 3.5).
static void check_acknowledged(const struct world *w, const struct world_member *x, uint64_t leader, uint64_t term,
                               uint64_t index) {
  if (index > x->disk.last || (index >= x->disk.first && index >= x->memory.first && index <= x->memory.last &&
                               !same_entry(&x->disk.at[index], &x->memory.at[index]))) {
    BROKEN("member %" PRIu64 " acknowledges %" PRIu64 " and has not written it", x->id, index);
  }
  const struct world_member *l = &w->members[leader];
  if (l->group == NULL || l->term != term || consensus_update(l->group)->state != CONSENSUS_LEADER) return;
  if (index < l->memory.first || index < x->disk.first) return;
  if (index > l->memory.last || !same_entry(&l->memory.at[index], &x->disk.at[index])) {
    BROKEN("member %" PRIu64 " acknowledges %" PRIu64 ", which is not what leader %" PRIu64 " has there", x->id, index, leader);
  }
}

/// What an answer says of this member is durable (3.8).
static void check_sent(const struct world *w, const struct world_member *x, const struct consensus_message *m) {
  if (m->type == CONSENSUS_VOTE_RESULT && m->vote_result.granted && !m->vote_result.pre_vote &&
      (x->term != m->term || x->vote != m->peer) && x->term <= m->term) {
    BROKEN("member %" PRIu64 " says it votes for %" PRIu64 " in term %" PRIu64 " and has not written it", x->id, m->peer,
           m->term);
  }
  if (m->type == CONSENSUS_APPEND_RESULT && m->append_result.rejected == 0 && m->append_result.last_index > 0) {
    check_acknowledged(w, x, m->peer, m->term, m->append_result.last_index);
  }
  if (m->term > x->term && !(m->type == CONSENSUS_VOTE && m->vote.pre_vote) &&
      !(m->type == CONSENSUS_VOTE_RESULT && m->vote_result.pre_vote)) {
    BROKEN("member %" PRIu64 " speaks in term %" PRIu64 " and has written term %" PRIu64, x->id, m->term, x->term);
  }
}

// ---- carrying out an update, in the order of consensus.h ----

static void take_write(struct world *w, struct world_member *x, const struct consensus_write *from) {
  assert_true(x->write_count < WORLD_WRITES);
  struct world_write *to = &x->writes[x->write_count++];
  *to = (struct world_write){.id = from->id, .kind = from->kind, .first = from->first_index, .count = from->count};
  if (from->kind == CONSENSUS_WRITE_INSTALL) {
    to->snapshot_index = from->snapshot_index;
    to->snapshot_term = from->snapshot_term;
    to->membership = keep_membership(w, from->membership);
    log_install(&x->memory, to->snapshot_index, to->snapshot_term, to->membership);
    return;
  }
  to->entries = keep(w, NULL, 0);
  struct world_entry *entries = mem_alloc(from->count * sizeof *entries);
  for (size_t i = 0; i < from->count; i++) {
    const struct consensus_entry *e = &from->entries[i];
    assert_int_equal(e->index, from->first_index + i);
    entries[i] = (struct world_entry){
        .term = e->term, .kind = e->kind, .value = (uintptr_t) e->user, .membership = keep_membership(w, e->membership)};
  }
  to->entries = keep(w, entries, from->count * sizeof *entries);
  mem_free(entries);
  if (from->first_index <= x->applied) BROKEN("member %" PRIu64 " cuts the applied entry %" PRIu64, x->id, from->first_index);
  log_cut(&x->memory, from->first_index);
  for (size_t i = 0; i < from->count; i++) {
    log_append(&x->memory, &to->entries[i]);
    check_matching(w, x, x->memory.last);
  }
  trace(w, "%" PRIu64 ": writes %" PRIu64 "..%" PRIu64 " term %" PRIu64, x->id, from->first_index, x->memory.last,
        x->memory.at[x->memory.last].term);
}

static const char *type_name(enum consensus_message_type type) {
  static const char *const names[] = {"?",           "append",     "append result",    "vote", "vote result", "install",
                                      "timeout now", "read probe", "read probe result", "acknowledged"};
  return names[type < ARRAY_SIZE(names) ? type : 0];
}

static void send_message(struct world *w, struct world_member *x, const struct consensus_message *m) {
  check_sent(w, x, m);
  assert_true(m->peer != x->id);
  if (m->peer >= WORLD_MEMBERS || w->cut[x->id][m->peer]) return;
  assert_true(w->message_count < WORLD_MESSAGES);
  struct world_message *to = &w->messages[w->message_count++];
  *to = (struct world_message){.from = x->id, .m = *m};
  to->m.peer = x->id;
  struct consensus_entry *entries = NULL;
  if (m->type == CONSENSUS_APPEND && m->append.count > 0) {
    entries = mem_zalloc(m->append.count * sizeof *entries);
    for (uint32_t i = 0; i < m->append.count; i++) {
      uint64_t index = m->append.previous_index + 1 + i;
      if (index < x->memory.first || index > x->memory.last) BROKEN("member %" PRIu64 " is to send %" PRIu64, x->id, index);
      const struct world_entry *e = &x->memory.at[index];
      entries[i] = (struct consensus_entry){
          .index = index, .term = e->term, .kind = e->kind, .membership = e->membership, .user = (void *) e->value};
    }
    to->m.append.entries = keep(w, entries, m->append.count * sizeof *entries);
    mem_free(entries);
  }
  if (m->type == CONSENSUS_INSTALL) {
    assert_non_null(m->install.membership);
    to->m.install.membership = keep_membership(w, m->install.membership);
  }
  // The addressee goes where the sender was, so keep it beside.
  to->from = x->id;
  to->m.peer = m->peer;
  trace(w, "%" PRIu64 " -> %" PRIu64 ": %s, term %" PRIu64, x->id, m->peer, type_name(m->type), m->term);
}

static void carry_out(struct world *w, struct world_member *x);

static void done(struct world *w, struct world_member *x, enum err err, const struct error *e) {
  if (err != ERR_OK) BROKEN("member %" PRIu64 " failed: %s", x->id, e->message);
  carry_out(w, x);
}

static void apply_some(struct world *w, struct world_member *x) {
  uint64_t to = x->apply_index;
  if (x->group == NULL || to <= x->applied) return;
  for (uint64_t i = x->applied + 1; i <= to; i++) {
    if (i > x->disk.last) BROKEN("member %" PRIu64 " may apply %" PRIu64 " and has written %" PRIu64, x->id, i, x->disk.last);
  }
  x->applied = to;
  struct error e = ERROR_INIT;
  enum err err = consensus_applied(x->group, w->now_ms, to, &e);
  done(w, x, err, &e);
}

void world_apply(struct world *w, uint64_t id) {
  apply_some(w, &w->members[id]);
}

static void disk_write(struct world_member *x, const struct world_write *op) {
  if (op->kind == CONSENSUS_WRITE_INSTALL) {
    log_install(&x->disk, op->snapshot_index, op->snapshot_term, op->membership);
    x->durable_applied = x->applied = op->snapshot_index;
    return;
  }
  assert_true(op->first >= x->disk.first && op->first <= x->disk.last + 1);
  log_cut(&x->disk, op->first);
  for (uint64_t i = 0; i < op->count; i++) log_append(&x->disk, &op->entries[i]);
}

void world_persist(struct world *w, uint64_t id, size_t count) {
  struct world_member *x = &w->members[id];
  if (count == 0 || x->group == NULL) return;
  assert_true(count <= x->write_count);
  for (size_t i = 0; i < count; i++) disk_write(x, &x->writes[i]);
  uint64_t last = x->writes[count - 1].id;
  x->write_count -= count;
  memmove(x->writes, x->writes + count, x->write_count * sizeof x->writes[0]);
  struct error e = ERROR_INIT;
  enum err err = consensus_persisted(x->group, w->now_ms, last, &e);
  done(w, x, err, &e);
}

static void carry_out(struct world *w, struct world_member *x) {
  const struct consensus_update *u = consensus_update(x->group);
  if (u->hard_state_changed) {
    if (u->term < x->term) BROKEN("the term of member %" PRIu64 " fell from %" PRIu64 " to %" PRIu64, x->id, x->term, u->term);
    if (u->term == x->term && x->vote != 0 && u->vote != x->vote) {
      BROKEN("member %" PRIu64 " takes its vote of term %" PRIu64 " back", x->id, x->term);
    }
    x->term = u->term;
    x->vote = u->vote;
  }
  for (size_t i = 0; i < u->write_count; i++) take_write(w, x, &u->writes[i]);
  for (size_t i = 0; i < u->message_count; i++) send_message(w, x, &u->messages[i]);
  for (size_t i = 0; i < u->read_count; i++) {
    x->last_read = u->reads[i].read_id;
    x->last_read_index = u->reads[i].index;
    x->reads_failed += u->reads[i].failed;
    x->reads_answered += !u->reads[i].failed;
  }
  if (u->commit_index < x->commit) BROKEN("the commit index of member %" PRIu64 " fell to %" PRIu64, x->id, u->commit_index);
  for (uint64_t i = x->commit + 1; i <= u->commit_index; i++) check_committed(w, x, i);
  x->commit = u->commit_index;
  x->apply_index = u->apply_index;
  if (u->copy_index != 0) x->wanted_index = u->copy_index;
  if (u->state == CONSENSUS_LEADER) check_leader(w, x, u->term);
  if (!x->slow_apply) apply_some(w, x);
  if (!x->slow_disk && x->group != NULL && x->write_count > 0) world_persist(w, x->id, x->write_count);
}

// ---- starting ----

void world_start_empty(struct world *w, uint64_t id) {
  assert_int_equal(w->members[id].disk.last, 0);
  world_start(w, id);
}

void world_start(struct world *w, uint64_t id) {
  struct world_member *x = &w->members[id];
  const struct world_log *l = &x->disk;
  struct consensus_term_run runs[WORLD_LOG];
  struct consensus_membership memberships[64];
  struct consensus_persisted s = {.member_id = id,
                                  .term = x->term,
                                  .vote = x->vote,
                                  .snapshot_index = l->snapshot_index,
                                  .snapshot_term = l->snapshot_term,
                                  .snapshot_membership = l->snapshot_membership,
                                  .first_index = l->first,
                                  .last_index = l->last,
                                  .runs = runs,
                                  .memberships = memberships,
                                  .applied_index = MAX(x->durable_applied, l->snapshot_index)};
  for (uint64_t i = l->first; i <= l->last; i++) {
    if (s.run_count == 0 || runs[s.run_count - 1].term != l->at[i].term) {
      runs[s.run_count++] = (struct consensus_term_run){i, l->at[i].term};
    }
    if (l->at[i].membership != NULL) memberships[s.membership_count++] = *l->at[i].membership;
  }
  x->memory = x->disk;
  x->lives++;
  x->write_count = 0;
  x->applied = x->commit = s.applied_index;
  struct error e = ERROR_INIT;
  enum err err = consensus_start(&s, &w->options, w->now_ms, id * 7919 + x->lives, &x->group, &e);
  trace(w, "%" PRIu64 ": starts at term %" PRIu64 ", log %" PRIu64 "..%" PRIu64, id, x->term, l->first, l->last);
  done(w, x, err, &e);
}

void world_start_all(struct world *w) {
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    if (w->members[id].disk.last > 0) world_start(w, id);
  }
  const struct consensus_membership *m = w->committed[1].membership;
  for (uint32_t i = 0; i < m->count; i++) {
    if (m->members[i].role == CONSENSUS_LEARNER) world_start_empty(w, m->members[i].id);
  }
}

void world_crash(struct world *w, uint64_t id) {
  struct world_member *x = &w->members[id];
  trace(w, "%" PRIu64 ": crashes", id);
  consensus_free(x->group);
  x->group = NULL;
  x->write_count = 0;
}

// ---- scripts ----

void world_receive(struct world *w, uint64_t to, const struct consensus_message *m) {
  struct world_member *x = &w->members[to];
  if (x->group == NULL) return;
  struct error e = ERROR_INIT;
  enum err err = consensus_receive(x->group, w->now_ms, m, &e);
  done(w, x, err, &e);
}

static void take_at(struct world *w, size_t at, struct consensus_message *ret) {
  *ret = w->messages[at].m;
  if (ret->type == CONSENSUS_INSTALL) {
    const struct world_member *x = &w->members[ret->peer];
    ret->install.copied_index = x->no_copy ? x->copied_index : ret->install.last_index;
    ret->install.copied_term = x->no_copy ? x->copied_term : ret->install.last_term;
  }
  ret->peer = w->messages[at].from;
  w->message_count--;
  memmove(&w->messages[at], &w->messages[at + 1], (w->message_count - at) * sizeof w->messages[0]);
}

bool world_take(struct world *w, uint64_t from, uint64_t to, enum consensus_message_type type, struct consensus_message *ret) {
  for (size_t i = 0; i < w->message_count; i++) {
    if (w->messages[i].from == from && w->messages[i].m.peer == to && w->messages[i].m.type == type) {
      take_at(w, i, ret);
      return true;
    }
  }
  return false;
}

bool world_deliver_one(struct world *w, uint64_t from, uint64_t to, enum consensus_message_type type) {
  struct consensus_message m;
  if (!world_take(w, from, to, type, &m)) return false;
  world_receive(w, to, &m);
  return true;
}

void world_deliver(struct world *w) {
  for (int guard = 0; w->message_count > 0; guard++) {
    assert_true(guard < 20000);
    uint64_t to = w->messages[0].m.peer, from = w->messages[0].from;
    struct consensus_message m;
    take_at(w, 0, &m);
    if (!w->cut[from][to]) world_receive(w, to, &m);
  }
}

void world_lose_all(struct world *w) {
  w->message_count = 0;
}

static void tick(struct world *w, struct world_member *x) {
  struct error e = ERROR_INIT;
  enum err err = consensus_tick(x->group, w->now_ms, &e);
  done(w, x, err, &e);
}

void world_timeout(struct world *w, uint64_t id) {
  struct world_member *x = &w->members[id];
  world_group(w, id);
  w->now_ms = MAX(w->now_ms, consensus_update(x->group)->wake_ms);
  tick(w, x);
}

void world_pass(struct world *w, uint64_t ms) {
  for (uint64_t end = w->now_ms + ms; w->now_ms < end;) {
    uint64_t next = end;
    for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
      if (w->members[id].group != NULL) next = MIN(next, consensus_update(w->members[id].group)->wake_ms);
    }
    w->now_ms = MAX(next, w->now_ms);
    for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
      struct world_member *x = &w->members[id];
      if (x->group != NULL && consensus_update(x->group)->wake_ms <= w->now_ms) tick(w, x);
    }
    world_deliver(w);
  }
}

/// The others no longer hear of a leader, and what they ask for is lost.
static void forget_leader(struct world *w, uint64_t but) {
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    if (id == but || w->members[id].group == NULL || consensus_update(w->members[id].group)->state == CONSENSUS_LEADER) continue;
    world_timeout(w, id);
  }
  world_lose_all(w);
}

void world_elect(struct world *w, uint64_t id) {
  for (int i = 0; i < 20; i++) {
    if (consensus_update(world_group(w, id))->state == CONSENSUS_LEADER) return;
    if (i > 0) forget_leader(w, id);
    world_timeout(w, id);
    world_deliver(w);
  }
  BROKEN("member %" PRIu64 " was not elected", id);
}

void world_elect_quietly(struct world *w, uint64_t id) {
  for (int i = 0; i < 20 && consensus_update(world_group(w, id))->state != CONSENSUS_LEADER; i++) {
    forget_leader(w, id);
    world_timeout(w, id);
    for (size_t at = 0; at < w->message_count;) {
      enum consensus_message_type type = w->messages[at].m.type;
      if (type != CONSENSUS_VOTE && type != CONSENSUS_VOTE_RESULT) {
        at++;
        continue;
      }
      struct consensus_message m;
      uint64_t to = w->messages[at].m.peer;
      take_at(w, at, &m);
      world_receive(w, to, &m);
      at = 0;
    }
  }
  if (consensus_update(w->members[id].group)->state != CONSENSUS_LEADER) BROKEN("member %" PRIu64 " was not elected", id);
  world_lose_all(w);
}

void world_isolate(struct world *w, uint64_t id, bool cut) {
  for (uint64_t i = 1; i < WORLD_MEMBERS; i++) w->cut[id][i] = w->cut[i][id] = cut;
}

void world_link_only(struct world *w, const uint64_t *pairs) {
  memset(w->cut, 1, sizeof w->cut);
  for (; pairs[0] != 0; pairs += 2) w->cut[pairs[0]][pairs[1]] = w->cut[pairs[1]][pairs[0]] = false;
}

void world_link_all(struct world *w) {
  memset(w->cut, 0, sizeof w->cut);
}

void world_lose_connection(struct world *w, uint64_t id, uint64_t other) {
  struct world_member *x = &w->members[id];
  trace(w, "%" PRIu64 ": loses the connection with %" PRIu64, id, other);
  struct error e = ERROR_INIT;
  enum err err = consensus_lost(world_group(w, id), w->now_ms, other, &e);
  done(w, x, err, &e);
}

/// A refusal changes nothing and is the caller's to see; anything else is carried out.
static enum err refused_or_done(struct world *w, struct world_member *x, enum err err, const struct error *e) {
  if (err == ERR_OK) {
    carry_out(w, x);
  } else if (consensus_failure(x->group, NULL) != ERR_OK) {
    BROKEN("member %" PRIu64 " failed: %s", x->id, e->message);
  }
  return err;
}

enum err world_propose(struct world *w, uint64_t id, uintptr_t value) {
  struct consensus_entry entry = {.kind = CONSENSUS_DATA, .user = (void *) value};
  struct error e = ERROR_INIT;
  enum err err = consensus_propose(world_group(w, id), w->now_ms, w->members[id].term, &entry, 1, &e);
  return refused_or_done(w, &w->members[id], err, &e);
}

enum err world_change(struct world *w, uint64_t id, const struct consensus_membership *to) {
  struct error e = ERROR_INIT;
  return refused_or_done(w, &w->members[id], consensus_change(world_group(w, id), w->now_ms, to, &e), &e);
}

enum err world_catch_up(struct world *w, uint64_t id, uint64_t learner) {
  struct error e = ERROR_INIT;
  return refused_or_done(w, &w->members[id], consensus_catch_up(world_group(w, id), w->now_ms, learner, &e), &e);
}

enum err world_transfer(struct world *w, uint64_t id, uint64_t to) {
  struct error e = ERROR_INIT;
  return refused_or_done(w, &w->members[id], consensus_transfer(world_group(w, id), w->now_ms, to, &e), &e);
}

enum err world_read(struct world *w, uint64_t id, uint64_t read_id) {
  struct error e = ERROR_INIT;
  return refused_or_done(w, &w->members[id], consensus_read(world_group(w, id), w->now_ms, read_id, &e), &e);
}

enum err world_compact(struct world *w, uint64_t id, uint64_t index, uint64_t trailing) {
  struct world_member *x = &w->members[id];
  struct error e = ERROR_INIT;
  uint64_t first = 0;
  enum err err = consensus_compact(world_group(w, id), w->now_ms, index, trailing, &first, &e);
  if (err == ERR_OK && index > x->disk.snapshot_index) {
    const struct consensus_membership *m = log_membership_at(&x->disk, index);
    uint64_t term = x->disk.at[index].term;
    struct world_log *logs[] = {&x->disk, &x->memory};
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
      logs[i]->snapshot_membership = m;
      logs[i]->snapshot_index = index;
      logs[i]->snapshot_term = term;
      logs[i]->first = first;
    }
    x->durable_applied = MAX(x->durable_applied, index);
  }
  return refused_or_done(w, x, err, &e);
}

struct consensus_membership world_membership(struct world *w, uint64_t id, uint64_t member, uint8_t role) {
  struct consensus_membership m;
  consensus_membership(world_group(w, id), &m);
  uint32_t at = 0;
  while (at < m.count && m.members[at].id < member) at++;
  bool there = at < m.count && m.members[at].id == member;
  if (role == 0) {
    assert_true(there);
    memmove(&m.members[at], &m.members[at + 1], (m.count - at - 1) * sizeof m.members[0]);
    m.count--;
  } else if (there) {
    m.members[at].role = role;
  } else {
    memmove(&m.members[at + 1], &m.members[at], (m.count - at) * sizeof m.members[0]);
    m.count++;
    m.members[at] = (struct consensus_member){.id = member, .role = role};
    snprintf(m.members[at].address, CONSENSUS_ADDRESS_BYTES, "member-%u:7000", (unsigned) member);
  }
  return m;
}

void world_add_learner(struct world *w, uint64_t leader, uint64_t id) {
  struct consensus_membership with = world_membership(w, leader, id, CONSENSUS_LEARNER);
  assert_ok(world_change(w, leader, &with));
  world_start_empty(w, id);
  world_pass(w, 500);
  assert_ok(world_catch_up(w, leader, id));
  world_pass(w, 500);
}

uint64_t world_leader(struct world *w) {
  uint64_t leader = 0, term = 0;
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    if (w->members[id].group == NULL) continue;
    const struct consensus_update *u = consensus_update(w->members[id].group);
    if (u->state == CONSENSUS_LEADER && u->term > term) {
      leader = id;
      term = u->term;
    }
  }
  return leader;
}
