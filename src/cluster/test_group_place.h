// Members of one group on simulated disks, each with an application that is a table of what it did; the test carries messages and
// time.
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test.h"
#include "cluster/frame.h"
#include "cluster/group.h"
#include "store/sim_disk.h"

#define MEMBERS 3u
#define QUEUE_MAX 4096u
#define APPLIED_MAX 256u

struct place;

struct member {
  struct place *place;
  uint64_t id;
  struct sim_disk *disk;
  struct log *log;
  struct group *group;
  struct group_network network;
  struct group_application application;
  struct group_applied applied, durable;
  uint64_t applied_terms[APPLIED_MAX];
  unsigned busy;          // times that the application says so
  unsigned refusals;      // times that the network has no room
  uint64_t install_index; // asked for
  uint64_t memberships;   // told
  uint64_t read_id, read_index;
  bool deaf, slow_log;
  uint64_t saved_ms; // when a term or vote will be; 0: none is on its way
};

struct queued {
  uint64_t to;
  struct buf bytes;
};

struct place {
  struct member members[MEMBERS + 1];
  struct clock_manual clock;
  struct group_options options;
  struct log_options log_options;
  uint64_t now_ms;
  uint64_t saves_take_ms; // with options.saves_elsewhere
  struct queued queue[QUEUE_MAX];
  size_t queue_count;
  size_t entries_in_largest, largest_bytes, appends;
};

// ---- network ----

static inline bool net_send(struct group_network *n, const struct message *m) {
  struct member *from = CONTAINER_OF(n, struct member, network);
  struct place *p = from->place;
  if (from->refusals > 0 && m->body.type == CONSENSUS_APPEND && m->body.append.count > 0) {
    from->refusals--;
    return false;
  }
  if (p->queue_count == QUEUE_MAX) return false;
  struct queued *q = &p->queue[p->queue_count];
  *q = (struct queued){.to = m->to};
  if (message_put(&q->bytes, m) != ERR_OK) {
    buf_done(&q->bytes);
    return false;
  }
  p->queue_count++;
  if (m->body.type == CONSENSUS_APPEND && m->body.append.count > 0) {
    p->appends++;
    p->largest_bytes = MAX(p->largest_bytes, q->bytes.len);
    p->entries_in_largest = MAX(p->entries_in_largest, m->body.append.count);
  }
  return true;
}

static inline struct queued take_at(struct place *p, size_t at) {
  struct queued q = p->queue[at];
  memmove(p->queue + at, p->queue + at + 1, (--p->queue_count - at) * sizeof p->queue[0]);
  return q;
}

static inline void drop_first(struct place *p) {
  struct queued q = take_at(p, 0);
  buf_done(&q.bytes);
}

static inline void deliver_at(struct place *p, size_t which) {
  struct queued q = take_at(p, which);
  struct member *to = &p->members[q.to];
  struct arena a;
  struct message m;
  struct error e = ERROR_INIT;
  size_t at = 0;
  arena_init(&a, NULL);
  assert_ok(message_get((const uint8_t *) q.bytes.data, q.bytes.len, &at, &a, &m, &e));
  if (to->group != NULL && !to->deaf) assert_ok(group_receive(to->group, p->now_ms, &m, &e));
  arena_done(&a);
  buf_done(&q.bytes);
}

// ---- application ----

static inline struct member *member_of(struct group_application *a) {
  return CONTAINER_OF(a, struct member, application);
}

static inline enum err app_apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
  struct member *m = member_of(a);
  if (m->busy > 0) {
    m->busy--;
    return error_set(e, ERR_BUSY, "not now");
  }
  assert_int_equal(entry->index, m->applied.index + 1);
  assert_true(entry->index <= log_durable_index(m->log));
  m->applied = (struct group_applied){entry->index, entry->term, entry->commit_time_ns};
  if (entry->index < APPLIED_MAX) m->applied_terms[entry->index] = entry->term;
  return ERR_OK;
}

static inline struct group_applied app_applied(struct group_application *a) {
  return member_of(a)->applied;
}

static inline void app_install(struct group_application *a, uint64_t index, uint64_t term UNUSED) {
  member_of(a)->install_index = index;
}

static inline void app_membership(struct group_application *a, const struct consensus_membership *m) {
  member_of(a)->memberships = m->index;
}

static inline void app_read(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  struct member *m = member_of(a);
  m->read_id = failed ? 0 : read_id;
  m->read_index = index;
}

// ---- place ----

static const uint8_t uuid[16] = "a test database";

static inline void first_membership(struct consensus_membership *m) {
  *m = (struct consensus_membership){.index = 1, .count = MEMBERS};
  for (uint32_t i = 0; i < MEMBERS; i++) {
    m->members[i] = (struct consensus_member){.id = i + 1, .role = CONSENSUS_VOTER};
    snprintf(m->members[i].address, sizeof m->members[i].address, "member-%u", i + 1);
  }
}

static inline enum err member_open(struct member *m, struct error *e) {
  struct place *p = m->place;
  m->applied = m->durable;
  TRY(log_open(sim_disk_table(m->disk), "db", uuid, false, &p->log_options, &p->clock.clock, NULL, &m->log, e));
  struct group_options o = p->options;
  o.network = &m->network;
  o.application = &m->application;
  o.clock = &p->clock.clock;
  o.seed = m->id;
  return group_open(m->log, &o, p->now_ms, &m->group, e);
}

static inline void member_close(struct member *m) {
  m->saved_ms = 0;
  group_close(m->group);
  log_close(m->log);
  m->group = NULL;
  m->log = NULL;
}

static inline void member_power_cut(struct member *m) {
  sim_disk_cut(m->disk);
  member_close(m);
  sim_disk_power_on(m->disk);
}

static inline void member_make(struct member *m) {
  struct place *p = m->place;
  struct error e = ERROR_INIT;
  struct consensus_membership first;
  first_membership(&first);
  m->disk = sim_disk_new(m->id);
  m->network.send = net_send;
  m->application = (struct group_application){app_apply, app_applied, app_install, app_membership, app_read};
  assert_ok(log_open(sim_disk_table(m->disk), "db", uuid, true, &p->log_options, &p->clock.clock, NULL, &m->log, &e));
  assert_ok(group_begin(m->log, m->id, &first, &e));
  log_close(m->log);
  m->log = NULL;
}

static inline struct place *place_new(void) {
  struct place *p = mem_zalloc(sizeof *p);
  assert_non_null(p);
  p->now_ms = 1000;
  clock_manual_init(&p->clock, 5000);
  p->log_options = (struct log_options){.segment_bytes = 4096, .clustered = true};
  p->options.consensus = (struct consensus_options){.election_timeout_ms = 150, .heartbeat_ms = 30, .inflight_entries_max = 8};
  memcpy(p->options.uuid, uuid, sizeof uuid);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    p->members[id].place = p;
    p->members[id].id = id;
    member_make(&p->members[id]);
  }
  return p;
}

static inline void place_open(struct place *p) {
  struct error e = ERROR_INIT;
  for (uint64_t id = 1; id <= MEMBERS; id++) assert_ok(member_open(&p->members[id], &e));
}

static inline void place_free(struct place *p) {
  while (p->queue_count > 0) drop_first(p);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    member_close(&p->members[id]);
    sim_disk_free(p->members[id].disk);
  }
  mem_free(p);
}

/// The other thread, of which nothing is seen until it is done.
static inline void member_save(struct member *m) {
  struct place *p = m->place;
  if (!group_wants_save(m->group)) return;
  if (m->saved_ms == 0) m->saved_ms = p->now_ms + p->saves_take_ms;
  if (p->now_ms < m->saved_ms) return;
  m->saved_ms = 0;
  group_save(m->group);
}

static inline void member_run(struct member *m) {
  struct error e = ERROR_INIT;
  member_save(m);
  bool more = true, worked = true;
  while (more) {
    assert_ok(group_step(m->group, m->place->now_ms, &more, &e));
    if (!m->slow_log) assert_ok(log_writer_step(m->log, &worked, &e));
  }
}

// Time goes on for so long; everybody does what is due.
static inline void place_run(struct place *p, uint64_t ms) {
  for (uint64_t end = p->now_ms + ms; p->now_ms < end; p->now_ms++) {
    p->clock.now_ns += NS_PER_MS;
    for (uint64_t id = 1; id <= MEMBERS; id++)
      if (p->members[id].group != NULL) member_run(&p->members[id]);
    while (p->queue_count > 0) deliver_at(p, 0);
  }
}

// The same, but for one member time stands still, and what is sent to it stays on its way.
static inline void place_run_far(struct place *p, uint64_t ms, const struct member *far) {
  for (uint64_t end = p->now_ms + ms; p->now_ms < end; p->now_ms++) {
    p->clock.now_ns += NS_PER_MS;
    for (uint64_t id = 1; id <= MEMBERS; id++)
      if (id != far->id) member_run(&p->members[id]);
    for (size_t i = 0; i < p->queue_count;) {
      if (p->queue[i].to == far->id)
        i++;
      else
        deliver_at(p, i);
    }
  }
}

static inline struct member *leader_of(struct place *p) {
  struct consensus_status s;
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    if (p->members[id].group == NULL) continue;
    group_status(p->members[id].group, &s);
    if (s.state == CONSENSUS_LEADER && s.open) return &p->members[id];
  }
  return NULL;
}

static inline struct member *elect(struct place *p) {
  for (int i = 0; i < 100 && leader_of(p) == NULL; i++) place_run(p, 20);
  struct member *leader = leader_of(p);
  assert_non_null(leader);
  return leader;
}

static inline uint64_t term_of(const struct member *m) {
  struct group_stats s;
  group_stats(m->group, &s);
  return s.term;
}

static inline enum err propose(struct member *m, size_t bytes, struct error *e) {
  char *payload = mem_zalloc(bytes);
  assert_non_null(payload);
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, bytes}};
  enum err err = group_propose(m->group, m->place->now_ms, term_of(m), &entry, 1, e);
  mem_free(payload); // copied
  return err;
}

static inline struct member *follower_of(struct place *p, const struct member *leader) {
  return &p->members[leader->id % MEMBERS + 1];
}

/// With an argument only that test: each of the rules that can be off has one that must fail without it.
#define GROUP_TESTS(...)                                 \
  int main(int count, char **arguments) {                \
    const struct CMUnitTest tests[] = {__VA_ARGS__};     \
    cmocka_set_message_output(CM_OUTPUT_TAP);            \
    if (count > 1) cmocka_set_test_filter(arguments[1]); \
    return cmocka_run_group_tests(tests, NULL, NULL);    \
  }
