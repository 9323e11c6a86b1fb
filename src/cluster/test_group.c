// One member and a table of what it did: the order in which an update is carried out, what is cut, what closes a group. Whole
// clusters are played by tests/sim/sim_raft.
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
  struct queued queue[QUEUE_MAX];
  size_t queue_count;
  size_t entries_in_largest, largest_bytes, appends;
};

// ---- network ----

static bool net_send(struct group_network *n, const struct message *m) {
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

static struct queued take_at(struct place *p, size_t at) {
  struct queued q = p->queue[at];
  memmove(p->queue + at, p->queue + at + 1, (--p->queue_count - at) * sizeof p->queue[0]);
  return q;
}

static void drop_first(struct place *p) {
  struct queued q = take_at(p, 0);
  buf_done(&q.bytes);
}

static void deliver_at(struct place *p, size_t which) {
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

static struct member *member_of(struct group_application *a) {
  return CONTAINER_OF(a, struct member, application);
}

static enum err app_apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
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

static struct group_applied app_applied(struct group_application *a) {
  return member_of(a)->applied;
}

static void app_install(struct group_application *a, uint64_t index, uint64_t term UNUSED) {
  member_of(a)->install_index = index;
}

static void app_membership(struct group_application *a, const struct consensus_membership *m) {
  member_of(a)->memberships = m->index;
}

static void app_read(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  struct member *m = member_of(a);
  m->read_id = failed ? 0 : read_id;
  m->read_index = index;
}

// ---- place ----

static const uint8_t uuid[16] = "a test database";

static void first_membership(struct consensus_membership *m) {
  *m = (struct consensus_membership){.index = 1, .count = MEMBERS};
  for (uint32_t i = 0; i < MEMBERS; i++) {
    m->members[i] = (struct consensus_member){.id = i + 1, .role = CONSENSUS_VOTER};
    snprintf(m->members[i].address, sizeof m->members[i].address, "member-%u", i + 1);
  }
}

static enum err member_open(struct member *m, struct error *e) {
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

static void member_close(struct member *m) {
  group_close(m->group);
  log_close(m->log);
  m->group = NULL;
  m->log = NULL;
}

static void member_power_cut(struct member *m) {
  sim_disk_cut(m->disk);
  member_close(m);
  sim_disk_power_on(m->disk);
}

static void member_make(struct member *m) {
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

static struct place *place_new(void) {
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

static void place_open(struct place *p) {
  struct error e = ERROR_INIT;
  for (uint64_t id = 1; id <= MEMBERS; id++) assert_ok(member_open(&p->members[id], &e));
}

static void place_free(struct place *p) {
  while (p->queue_count > 0) drop_first(p);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    member_close(&p->members[id]);
    sim_disk_free(p->members[id].disk);
  }
  mem_free(p);
}

static void member_run(struct member *m) {
  struct error e = ERROR_INIT;
  bool more = true, worked = true;
  while (more) {
    assert_ok(group_step(m->group, m->place->now_ms, &more, &e));
    if (!m->slow_log) assert_ok(log_writer_step(m->log, &worked, &e));
  }
}

// Time goes on for so long; everybody does what is due.
static void place_run(struct place *p, uint64_t ms) {
  for (uint64_t end = p->now_ms + ms; p->now_ms < end; p->now_ms++) {
    p->clock.now_ns += NS_PER_MS;
    for (uint64_t id = 1; id <= MEMBERS; id++)
      if (p->members[id].group != NULL) member_run(&p->members[id]);
    while (p->queue_count > 0) deliver_at(p, 0);
  }
}

// The same, but for one member time stands still, and what is sent to it stays on its way.
static void place_run_far(struct place *p, uint64_t ms, const struct member *far) {
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

static struct member *leader_of(struct place *p) {
  struct consensus_status s;
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    if (p->members[id].group == NULL) continue;
    group_status(p->members[id].group, &s);
    if (s.state == CONSENSUS_LEADER && s.open) return &p->members[id];
  }
  return NULL;
}

static struct member *elect(struct place *p) {
  for (int i = 0; i < 100 && leader_of(p) == NULL; i++) place_run(p, 20);
  struct member *leader = leader_of(p);
  assert_non_null(leader);
  return leader;
}

static uint64_t term_of(const struct member *m) {
  struct group_stats s;
  group_stats(m->group, &s);
  return s.term;
}

static enum err propose(struct member *m, size_t bytes, struct error *e) {
  char *payload = mem_zalloc(bytes);
  assert_non_null(payload);
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, bytes}};
  enum err err = group_propose(m->group, m->place->now_ms, term_of(m), &entry, 1, e);
  mem_free(payload); // copied
  return err;
}

static struct member *follower_of(struct place *p, const struct member *leader) {
  return &p->members[leader->id % MEMBERS + 1];
}

// ---- the tests ----

TEST(a_proposal_is_applied_by_all_and_again_after_a_power_cut) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  assert_ok(propose(leader, 100, &e));
  uint64_t last = log_last_index(leader->log);
  place_run(p, 100);
  for (uint64_t id = 1; id <= MEMBERS; id++) assert_int_equal(p->members[id].applied.index, last);
  for (uint64_t id = 1; id <= MEMBERS; id++) member_power_cut(&p->members[id]);
  place_open(p);
  elect(p);
  place_run(p, 100);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    assert_true(p->members[id].applied.index > last); // and the new leader's own
    assert_int_equal(p->members[id].applied_terms[last], leader->applied_terms[last]);
  }
  place_free(p);
}

TEST(nothing_is_sent_under_a_term_that_is_not_saved) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  bool more = false;
  place_open(p);
  struct member *leader = elect(p);
  struct member *m = follower_of(p, leader);
  struct message vote = {
      .from = 6 - leader->id - m->id, .to = m->id, .body = {.type = CONSENSUS_VOTE, .peer = 6 - leader->id - m->id, .term = 99}};
  memcpy(vote.group, uuid, sizeof uuid);
  vote.body.vote.last_index = vote.body.vote.last_term = 90;
  vote.body.vote.disrupt_leader = true;
  sim_disk_fail(m->disk, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(group_receive(m->group, p->now_ms, &vote, &e), ERR_IO);
  assert_int_equal(p->queue_count, 0); // no vote left
  assert_int_equal(group_failure(m->group, &e), ERR_IO);
  assert_int_equal(group_step(m->group, p->now_ms, &more, &e), ERR_IO); // closed for good
  assert_int_equal(propose(m, 8, &e), ERR_IO);
  member_power_cut(m);
  assert_ok(member_open(m, &e)); // and open again from what is on disk
  place_run(p, 200);
  place_free(p);
}

TEST(an_append_is_cut_by_bytes_and_the_rest_follows) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  p->options.message_bytes_max = 1000;
  place_open(p);
  struct member *leader = elect(p);
  struct member *behind = follower_of(p, leader);
  behind->deaf = true;
  for (int i = 0; i < 8; i++) assert_ok(propose(leader, 400, &e));
  assert_ok(propose(leader, 5000, &e)); // more than a message may have, and yet it goes
  place_run(p, 60);
  p->appends = p->largest_bytes = p->entries_in_largest = 0;
  behind->deaf = false;
  place_run(p, 400);
  assert_int_equal(behind->applied.index, leader->applied.index);
  assert_true(p->appends >= 5);
  assert_int_equal(p->entries_in_largest, 2);
  assert_in_range(p->largest_bytes, 5000, 5200);
  place_free(p);
}

TEST(what_the_network_refuses_follows_later_and_in_order) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  p->options.message_bytes_max = 300;
  place_open(p);
  struct member *leader = elect(p);
  leader->refusals = 7;
  for (int i = 0; i < 6; i++) assert_ok(propose(leader, 200, &e));
  place_run(p, 200);
  assert_int_equal(leader->refusals, 0);
  for (uint64_t id = 1; id <= MEMBERS; id++) assert_int_equal(p->members[id].applied.index, log_last_index(leader->log));
  place_free(p);
}

// Six entries for a member that has not been heard of for so long that the leader probes: `entries_sent` of them, to both others.
static struct member *send_far(struct place *p, struct member *leader, uint64_t *ret_entries) {
  struct error e = ERROR_INIT;
  struct group_stats before, after;
  struct member *far = follower_of(p, leader);
  place_run_far(p, 400, far);
  group_stats(leader->group, &before);
  for (int i = 0; i < 6; i++) assert_ok(propose(leader, 100, &e));
  place_run_far(p, 400, far);
  group_stats(leader->group, &after);
  *ret_entries = after.entries_sent - before.entries_sent;
  return far;
}

TEST(what_is_on_its_way_is_not_sent_again) {
  struct place *p = place_new();
  uint64_t entries;
  place_open(p);
  struct member *leader = elect(p), *far = send_far(p, leader, &entries);
  assert_int_equal(entries, 12);
  assert_true(p->queue_count > 10); // and yet it is told that its leader lives
  while (p->queue_count > 0) deliver_at(p, 0);
  place_run(p, 50);
  assert_int_equal(far->applied.index, log_last_index(leader->log));
  place_free(p);
}

TEST(what_was_lost_on_its_way_is_sent_again) { // group_sent_refused
  struct place *p = place_new();
  uint64_t entries;
  place_open(p);
  struct member *leader = elect(p), *far = send_far(p, leader, &entries);
  while (p->queue_count > 0) drop_first(p);
  place_run(p, 300);
  assert_ptr_equal(leader_of(p), leader);
  assert_int_equal(far->applied.index, log_last_index(leader->log));
  place_free(p);
}

TEST(a_follower_that_is_behind_is_served_from_the_log_with_little_memory) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_stats s;
  p->options.tail_bytes_max = 2000;
  place_open(p);
  struct member *leader = elect(p);
  struct member *behind = follower_of(p, leader);
  behind->deaf = true;
  for (int i = 0; i < 60; i++) {
    assert_ok(propose(leader, 200, &e));
    place_run(p, 5);
  }
  group_stats(leader->group, &s);
  assert_true(s.tail_bytes <= 2000);
  assert_int_equal(s.queued_bytes, 0);
  behind->deaf = false;
  place_run(p, 1000);
  group_stats(leader->group, &s);
  assert_int_equal(behind->applied.index, leader->applied.index);
  assert_true(s.entries_read >= 40);
  place_free(p);
}

TEST(a_disk_that_does_not_keep_up_turns_proposals_away) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_stats s;
  p->options.queue_bytes_max = 4000;
  place_open(p);
  struct member *leader = elect(p);
  leader->slow_log = true;
  enum err err = ERR_OK;
  for (int i = 0; i < 100 && err == ERR_OK; i++) err = propose(leader, 300, &e);
  assert_int_equal(err, ERR_LIMIT);
  group_stats(leader->group, &s);
  assert_in_range(s.queued_bytes, 4000, 5000);
  assert_ok(group_failure(leader->group, &e));
  leader->slow_log = false;
  place_run(p, 50);
  assert_ok(propose(leader, 300, &e));
  place_run(p, 50);
  assert_int_equal(leader->applied.index, log_last_index(leader->log));
  place_free(p);
}

TEST(writes_are_reported_durable_in_the_order_of_the_logs_queue) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_stats s;
  bool more = false, worked = false;
  p->log_options.batch_bytes_max = 600; // about one entry a round
  place_open(p);
  struct member *leader = elect(p);
  leader->slow_log = true;
  for (int i = 0; i < 3; i++) assert_ok(propose(leader, 400, &e));
  for (uint64_t left = 3; left > 0; left--) {
    assert_ok(group_step(leader->group, p->now_ms, &more, &e));
    group_stats(leader->group, &s);
    assert_int_equal(s.writes_pending, left);
    assert_ok(log_writer_step(leader->log, &worked, &e));
  }
  assert_ok(group_step(leader->group, p->now_ms, &more, &e));
  group_stats(leader->group, &s);
  assert_int_equal(s.writes_pending, 0);
  place_free(p);
}

TEST(an_application_that_is_busy_gets_the_entry_again) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  follower_of(p, leader)->busy = 3;
  assert_ok(propose(leader, 10, &e));
  place_run(p, 200);
  assert_int_equal(follower_of(p, leader)->busy, 0);
  assert_int_equal(follower_of(p, leader)->applied.index, leader->applied.index);
  place_free(p);
}

// Proposes, checkpoints and forgets until the log begins above `index`.
static void forget_up_to(struct place *p, struct member *m, uint64_t index) {
  struct error e = ERROR_INIT;
  for (int i = 0; i < 200 && log_first_index(m->log) <= index; i++) {
    assert_ok(propose(m, 200, &e));
    place_run(p, 5);
    m->durable = m->applied;
    enum err err = group_checkpointed(m->group, p->now_ms, m->durable.index, 0, &e);
    assert_true(err == ERR_OK || err == ERR_BUSY);
  }
  assert_true(log_first_index(m->log) > index);
}

/// Until the member's application is asked for a copy of the store.
static void run_until_asked(struct place *p, struct member *m) {
  for (int i = 0; i < 50 && m->install_index == 0; i++) place_run(p, 10);
  assert_true(m->install_index > 0);
}

/// A follower that was away while the leader forgot what it lacks, and is asked for a copy.
static struct member *leave_one_behind(struct place *p, struct member *leader) {
  struct error e = ERROR_INIT;
  struct member *behind = follower_of(p, leader);
  member_power_cut(behind);
  forget_up_to(p, leader, log_last_index(leader->log));
  assert_ok(member_open(behind, &e));
  run_until_asked(p, behind);
  return behind;
}

TEST(a_member_that_was_away_too_long_gets_a_copy_of_the_store) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_stats s;
  place_open(p);
  struct member *leader = elect(p);
  assert_int_equal(group_installed(follower_of(p, leader)->group, p->now_ms, &e), ERR_INVALID); // nobody asked
  struct member *behind = leave_one_behind(p, leader);
  group_stats(behind->group, &s);
  assert_true(s.installing);
  assert_int_equal(group_installed(behind->group, p->now_ms, &e), ERR_INVALID); // the store is still the old one
  behind->applied = behind->durable = leader->applied;                          // copied; newer than asked
  assert_ok(group_installed(behind->group, p->now_ms, &e));
  assert_int_equal(log_first_index(behind->log), behind->install_index + 1);
  assert_ok(propose(leader, 10, &e));
  place_run(p, 300);
  assert_int_equal(behind->applied.index, leader->applied.index);
  assert_int_equal(behind->memberships, 1);
  member_power_cut(behind);
  assert_ok(member_open(behind, &e));
  place_run(p, 100);
  place_free(p);
}

TEST(a_crash_between_the_copy_and_its_report_loses_nothing) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  struct member *behind = leave_one_behind(p, leader);
  behind->applied = behind->durable = leader->applied;
  behind->install_index = 0;
  member_power_cut(behind);
  assert_ok(member_open(behind, &e)); // a store ahead of its log
  run_until_asked(p, behind);
  assert_ok(group_installed(behind->group, p->now_ms, &e));
  assert_ok(propose(leader, 10, &e));
  place_run(p, 300);
  assert_int_equal(behind->applied.index, leader->applied.index);
  place_free(p);
}

// A former leader whose log goes beyond the copy that it got, with entries that were never committed; the power went before it
// could say that it has the copy, and is back.
static struct member *copied_beside_an_older_log(struct place *p) {
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *old = elect(p);
  assert_ok(propose(old, 10, &e));
  place_run(p, 50);
  for (uint64_t id = 1; id <= MEMBERS; id++) p->members[id].deaf = id == old->id;
  for (int i = 0; i < 60; i++) assert_ok(propose(old, 10, &e));
  while (p->queue_count > 0) drop_first(p); // nobody hears it
  bool worked = true;
  while (worked) assert_ok(log_writer_step(old->log, &worked, &e));
  uint64_t tail = log_durable_index(old->log);
  member_close(old);
  struct member *leader = elect(p);
  forget_up_to(p, leader, old->applied.index + 1);
  assert_true(leader->applied.index < tail);
  old->deaf = false;
  assert_ok(member_open(old, &e));
  run_until_asked(p, old);
  assert_in_range(old->install_index, 2, tail - 1);
  old->applied = old->durable = leader->applied;
  old->install_index = 0;
  member_power_cut(old);
  assert_ok(member_open(old, &e));
  return old;
}

static void assert_catches_up(struct place *p, struct member *m) {
  struct error e = ERROR_INIT;
  struct member *leader = leader_of(p);
  for (int i = 0; i < 100 && m->applied.index < leader->applied.index + 1; i++) {
    assert_ok(group_failure(m->group, &e));
    if (m->install_index > 0 && group_installed(m->group, p->now_ms, &e) == ERR_OK) m->install_index = 0;
    if (i == 50) assert_ok(propose(leader_of(p), 10, &e));
    place_run(p, 10);
  }
  assert_int_equal(m->applied.index, leader->applied.index);
}

// Which of the old log's entries the copy stands for, nobody knows.
TEST(a_copied_store_says_nothing_of_an_older_log) {
  struct place *p = place_new();
  assert_catches_up(p, copied_beside_an_older_log(p));
  place_free(p);
}

// Found by the simulator (3 voters, wild, seed 3605): the old log is as long as the copy, which must not pass for having caught
// up.
TEST(a_second_crash_beside_an_older_log_loses_nothing) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct member *old = copied_beside_an_older_log(p);
  old->deaf = true;
  place_run(p, 20);
  member_power_cut(old);
  old->deaf = false;
  assert_ok(member_open(old, &e));
  assert_catches_up(p, old);
  place_free(p);
}

TEST(a_crash_while_the_log_is_begun_anew_loses_nothing) {
  for (int64_t cut = 0, more = 1; more; cut++) {
    struct place *p = place_new();
    struct error e = ERROR_INIT;
    place_open(p);
    struct member *leader = elect(p);
    struct member *behind = leave_one_behind(p, leader);
    behind->applied = behind->durable = leader->applied;
    behind->install_index = 0;
    sim_disk_cut_after(behind->disk, cut);
    more = group_installed(behind->group, p->now_ms, &e) != ERR_OK;
    sim_disk_cut_after(behind->disk, -1);
    member_power_cut(behind);
    assert_ok(member_open(behind, &e));
    for (int i = 0; i < 50; i++) {
      if (behind->install_index > 0) assert_ok(group_installed(behind->group, p->now_ms, &e));
      behind->install_index = 0;
      place_run(p, 10);
    }
    assert_int_equal(behind->applied.index, leader->applied.index);
    place_free(p);
  }
}

// Nothing was being copied: a store that is ahead of its log, or beside it, or older than its beginning, means that something
// durable is missing. A member that went on would have forgotten what it acknowledged.
TEST(a_log_that_lost_its_end_is_refused) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  struct member *m = follower_of(p, leader);
  for (int i = 0; i < 5; i++) assert_ok(propose(leader, 10, &e));
  place_run(p, 100);
  m->durable = m->applied;
  m->durable.index += 3;
  member_power_cut(m);
  assert_int_equal(member_open(m, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "which the store has applied"));
  member_close(m);
  m->durable.index -= 3;
  m->durable.term++; // another entry of that index
  assert_int_equal(member_open(m, &e), ERR_CORRUPT);
  member_close(m);
  m->durable.term--;
  assert_ok(member_open(m, &e));
  leader = elect(p);
  forget_up_to(p, leader, log_last_index(leader->log));
  leader->durable = (struct group_applied){0};
  member_power_cut(leader);
  assert_int_equal(member_open(leader, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "has forgotten"));
  place_free(p);
}

TEST(reads_and_memberships_reach_the_application) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct consensus_membership m;
  place_open(p);
  struct member *leader = elect(p);
  assert_ok(propose(leader, 10, &e));
  place_run(p, 50);
  assert_ok(group_read(leader->group, p->now_ms, 42, &e));
  place_run(p, 50);
  assert_int_equal(leader->read_id, 42);
  assert_true(leader->read_index >= log_last_index(leader->log));
  assert_int_equal(group_read(follower_of(p, leader)->group, p->now_ms, 43, &e), ERR_NOT_LEADER);
  group_membership(leader->group, &m);
  struct member *other = follower_of(p, leader);
  for (uint32_t i = 0; i < m.count; i++)
    if (m.members[i].id == other->id) m.members[i].role = CONSENSUS_LEARNER;
  assert_ok(group_change(leader->group, p->now_ms, &m, &e));
  place_run(p, 100);
  for (uint64_t id = 1; id <= MEMBERS; id++) assert_int_equal(p->members[id].memberships, log_last_index(leader->log));
  place_free(p);
}

TEST(what_is_not_for_this_member_is_ignored) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *m = &p->members[1];
  struct message vote = {.from = 2, .to = 1, .body = {.type = CONSENSUS_VOTE, .peer = 2, .term = 50}};
  memcpy(vote.group, uuid, sizeof uuid);
  vote.to = 9; // a former life of this server's data
  assert_ok(group_receive(m->group, p->now_ms, &vote, &e));
  vote.to = 1;
  vote.group[0] ^= 1; // another database
  assert_ok(group_receive(m->group, p->now_ms, &vote, &e));
  assert_int_equal(term_of(m), 1);
  struct log_entry entry = {.kind = LOG_MEMBERSHIP, .parts = LOG_END};
  assert_int_equal(group_propose(m->group, p->now_ms, 1, &entry, 1, &e), ERR_INVALID);
  assert_int_equal(group_propose(m->group, p->now_ms, 1, &entry, 0, &e), ERR_INVALID);
  place_free(p);
}

TEST(a_log_without_a_beginning_is_refused) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct member *m = &p->members[1];
  struct sim_disk *disk = sim_disk_new(7);
  struct group_options o = p->options;
  struct group *g = NULL;
  o.network = &m->network;
  o.application = &m->application;
  o.clock = &p->clock.clock;
  assert_ok(log_open(sim_disk_table(disk), "db", uuid, true, &p->log_options, &p->clock.clock, NULL, &m->log, &e));
  assert_int_equal(group_open(m->log, &o, p->now_ms, &g, &e), ERR_INVALID);
  assert_ok(group_begin_empty(m->log, 1, &e));
  assert_ok(group_open(m->log, &o, p->now_ms, &g, &e)); // one that will be invited
  group_close(g);
  log_close(m->log);
  m->log = NULL;
  sim_disk_free(disk);
  place_free(p);
}

TEST(no_memory_closes_a_group_and_nothing_else) {
  struct error e = ERROR_INIT;
  EACH_ALLOC_FAILS(n) {
    fault_disarm(&fault_alloc);
    struct place *p = place_new();
    place_open(p);
    struct member *leader = elect(p);
    fault_arm(&fault_alloc, n, 1);
    struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = str_of("a transaction")};
    enum err err = group_propose(leader->group, p->now_ms, term_of(leader), &entry, 1, &e);
    bool fired = fault_fired(&fault_alloc);
    fault_disarm(&fault_alloc);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (err == ERR_NOMEM && group_failure(leader->group, &e) == ERR_NOMEM) {
      member_power_cut(leader);
      assert_ok(member_open(leader, &e));
    }
    elect(p);
    place_run(p, 100);
    place_free(p);
    fault_arm(&fault_alloc, 0, 0);
    atomic_store(&fault_alloc.fired, fired);
  }
}

// With an argument only that test: each of the rules that can be off has one that must fail without it.
int main(int count, char **arguments) {
  const struct CMUnitTest tests[] = {T(a_proposal_is_applied_by_all_and_again_after_a_power_cut),
                                     T(nothing_is_sent_under_a_term_that_is_not_saved),
                                     T(an_append_is_cut_by_bytes_and_the_rest_follows),
                                     T(what_the_network_refuses_follows_later_and_in_order),
                                     T(what_is_on_its_way_is_not_sent_again),
                                     T(what_was_lost_on_its_way_is_sent_again),
                                     T(a_follower_that_is_behind_is_served_from_the_log_with_little_memory),
                                     T(a_disk_that_does_not_keep_up_turns_proposals_away),
                                     T(writes_are_reported_durable_in_the_order_of_the_logs_queue),
                                     T(an_application_that_is_busy_gets_the_entry_again),
                                     T(a_member_that_was_away_too_long_gets_a_copy_of_the_store),
                                     T(a_crash_between_the_copy_and_its_report_loses_nothing),
                                     T(a_copied_store_says_nothing_of_an_older_log),
                                     T(a_second_crash_beside_an_older_log_loses_nothing),
                                     T(a_crash_while_the_log_is_begun_anew_loses_nothing),
                                     T(a_log_that_lost_its_end_is_refused),
                                     T(reads_and_memberships_reach_the_application),
                                     T(what_is_not_for_this_member_is_ignored),
                                     T(a_log_without_a_beginning_is_refused),
                                     T(no_memory_closes_a_group_and_nothing_else)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (count > 1) cmocka_set_test_filter(arguments[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
