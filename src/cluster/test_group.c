// The order in which an update is carried out, what is cut, what closes a group. Whole clusters are played by tests/sim/sim_raft.
#include "cluster/test_group_place.h"

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

/// A vote for somebody of whom nobody has heard, in a term far above.
static struct message far_vote(const struct member *to, uint64_t from) {
  struct message vote = {.from = from, .to = to->id, .body = {.type = CONSENSUS_VOTE, .peer = from, .term = 99}};
  memcpy(vote.group, uuid, sizeof uuid);
  vote.body.vote.last_index = vote.body.vote.last_term = 90;
  vote.body.vote.disrupt_leader = true;
  return vote;
}

static uint64_t term_on_disk(struct member *m) {
  struct error e = ERROR_INIT;
  member_power_cut(m);
  assert_ok(member_open(m, &e));
  return term_of(m);
}

/// A follower whose votes another thread saves, and a vote that the third member asks of it.
static struct member *follower_that_is_asked(struct place *p, struct message *ret_vote) {
  p->options.saves_elsewhere = true;
  place_open(p);
  struct member *leader = elect(p), *m = follower_of(p, leader);
  *ret_vote = far_vote(m, 6 - leader->id - m->id);
  return m;
}

TEST(a_vote_that_another_thread_saves_leaves_when_it_is_saved) { // group_save_alone
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct message vote;
  bool more = false;
  struct member *m = follower_that_is_asked(p, &vote);
  uint64_t term = term_of(m);
  for (int i = 0; i < 2; i++) {
    assert_ok(group_receive(m->group, p->now_ms, &vote, &e)); // the second one is as good as lost
    assert_ok(group_step(m->group, p->now_ms, &more, &e));
    assert_true(group_wants_save(m->group));
    assert_int_equal(group_wake_ms(m->group), UINT64_MAX);
    assert_int_equal(propose(m, 8, &e), ERR_LIMIT);
    assert_int_equal(group_transfer(m->group, p->now_ms, 0, &e), ERR_BUSY);
    assert_int_equal(p->queue_count, 0); // nothing was promised
  }
  assert_int_equal(term_on_disk(m), term);
  assert_ok(group_receive(m->group, p->now_ms, &vote, &e));
  group_save(m->group);
  assert_int_equal(p->queue_count, 0);
  assert_ok(group_step(m->group, p->now_ms, &more, &e));
  assert_false(group_wants_save(m->group));
  assert_int_equal(p->queue_count, 1);
  assert_int_equal(term_on_disk(m), 99);
  place_free(p);
}

TEST(a_vote_that_another_thread_cannot_save_closes_the_group) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct message vote;
  bool more = false;
  struct member *m = follower_that_is_asked(p, &vote);
  assert_ok(group_receive(m->group, p->now_ms, &vote, &e));
  sim_disk_fail(m->disk, SIM_SYNC, 0, ERR_IO);
  group_save(m->group);
  assert_int_equal(group_step(m->group, p->now_ms, &more, &e), ERR_IO);
  assert_int_equal(p->queue_count, 0);
  assert_int_equal(group_failure(m->group, &e), ERR_IO);
  place_free(p);
}

TEST(a_thread_that_looks_again_saves_nothing_twice) { // group_save_again
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct message vote;
  bool more = false;
  struct member *m = follower_that_is_asked(p, &vote);
  assert_ok(group_receive(m->group, p->now_ms, &vote, &e));
  for (int i = 0; i < 3; i++) { // it looks twice before the group does, and once after
    group_save(m->group);
    if (i > 0) assert_ok(group_step(m->group, p->now_ms, &more, &e));
  }
  assert_int_equal(p->queue_count, 1); // one answer
  place_free(p);
}

/// The third member leads a term that is new to `m`.
static struct message far_heartbeat(const struct member *m, uint64_t from) {
  struct message append = {.from = from, .to = m->id, .body = {.type = CONSENSUS_APPEND, .peer = from, .term = 99}};
  memcpy(append.group, uuid, sizeof uuid);
  append.body.append.previous_index = log_durable_index(m->log);
  assert_ok(log_term_at(m->log, append.body.append.previous_index, &append.body.append.previous_term, NULL));
  return append;
}

static bool asks_for_votes(struct member *m, uint64_t within_ms) {
  struct place *p = m->place;
  struct group_stats stats;
  for (uint64_t end_ms = p->now_ms + within_ms; p->now_ms < end_ms; p->now_ms++) {
    member_run(m);
    group_stats(m->group, &stats);
    if (stats.state == CONSENSUS_CANDIDATE) return true;
  }
  return false;
}

TEST(a_leader_that_is_lost_while_its_term_is_saved_is_succeeded_at_once) { // group_save_lost
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  p->options.saves_elsewhere = true;
  place_open(p);
  struct member *leader = elect(p), *m = follower_of(p, leader);
  uint64_t next = 6 - leader->id - m->id;
  struct message heartbeat = far_heartbeat(m, next);
  assert_ok(group_receive(m->group, p->now_ms, &heartbeat, &e));
  assert_true(group_wants_save(m->group));
  assert_ok(group_lost(m->group, p->now_ms, next, &e));
  assert_true(asks_for_votes(m, 60)); // the election timeout is 150 ms
  place_free(p);
}

static struct member *elect_slowly(struct place *p) {
  for (int i = 0; i < 500 && leader_of(p) == NULL; i++) place_run(p, 20);
  struct member *leader = leader_of(p);
  assert_non_null(leader);
  return leader;
}

TEST(an_election_is_not_over_because_the_disks_are_slow) {
  struct place *p = place_new();
  p->options.saves_elsewhere = true;
  p->saves_take_ms = 400; // longer than an election timeout at its longest
  place_open(p);
  struct member *leader = elect_slowly(p);
  uint64_t term = term_of(leader);
  for (int i = 0; i < 5; i++) {
    member_power_cut(leader);
    struct member *next = elect_slowly(p);
    assert_true(term_of(next) <= term + 3);
    term = term_of(next);
    struct error e = ERROR_INIT;
    assert_ok(member_open(leader, &e));
    place_run(p, 1500);
    leader = leader_of(p);
    assert_ptr_equal(leader, next); // who comes back disturbs nobody
    assert_int_equal(term_of(leader), term);
  }
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

TEST(that_the_last_entry_is_committed_is_told_at_once_and_not_with_the_next_heartbeat) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  p->options.consensus.heartbeat_ms = 100;
  place_open(p);
  struct member *leader = elect(p);
  place_run(p, 200);
  for (int i = 0; i < 5; i++) { // 75 ms: one of them may meet a heartbeat
    assert_ok(propose(leader, 100, &e));
    place_run(p, 15);
    for (uint64_t id = 1; id <= MEMBERS; id++) assert_int_equal(p->members[id].applied.index, log_last_index(leader->log));
  }
  place_free(p);
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

TEST(a_leader_whose_disk_takes_nothing_leaves_the_lead_to_another) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  leader->slow_log = true;
  place_run(p, 5000); // nothing to write, nothing to leave for
  assert_ptr_equal(leader_of(p), leader);
  assert_ok(propose(leader, 300, &e));
  place_run(p, 2000);
  assert_ptr_equal(leader_of(p), leader);
  place_run(p, 2000);
  struct member *next = elect(p);
  assert_ptr_not_equal(next, leader);
  assert_ok(propose(next, 300, &e));
  place_run(p, 50);
  assert_int_equal(next->applied.index, log_last_index(next->log));
  assert_true(leader->applied.index < next->applied.index);
  leader->slow_log = false;
  place_run(p, 500);
  assert_int_equal(leader->applied.index, next->applied.index); // with what waited for its disk
  place_free(p);
}

/// What is written takes so long.
static void write_slowly(struct place *p, struct member *m, uint64_t ms) {
  struct error e = ERROR_INIT;
  m->slow_log = true;
  assert_ok(propose(m, 300, &e));
  place_run(p, ms);
  m->slow_log = false;
  place_run(p, 100);
  assert_int_equal(m->applied.index, log_last_index(m->log));
}

TEST(a_disk_that_is_slow_keeps_the_lead) {
  struct place *p = place_new();
  place_open(p);
  struct member *leader = elect(p);
  for (int i = 0; i < 20; i++) write_slowly(p, leader, 1500);
  write_slowly(p, leader, 5500); // some syncs more than usual
  assert_ptr_equal(leader_of(p), leader);
  leader->slow_log = true;
  struct error e = ERROR_INIT;
  assert_ok(propose(leader, 300, &e));
  place_run(p, 30000); // it stands still
  assert_ptr_not_equal(elect(p), leader);
  place_free(p);
}

TEST(what_may_be_forgotten_is_found_without_the_disk) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_forgetting first, f;
  bool more = true;
  place_open(p);
  struct member *leader = elect(p);
  for (int i = 0; i < 40; i++) {
    assert_ok(propose(leader, 1000, &e));
    place_run(p, 50);
  }
  leader->durable = leader->applied;
  uint64_t begin = log_first_index(leader->log);
  sim_disk_fail(leader->disk, SIM_SYNC, 0, ERR_IO); // the next one, which must not come
  assert_ok(group_forget_begin(leader->group, p->now_ms, leader->durable.index, 4, &first, &e));
  assert_ok(group_forget_begin(leader->group, p->now_ms, leader->durable.index, 4, &f, &e)); // the first one was not carried out
  sim_disk_fail(leader->disk, SIM_SYNC, UINT64_MAX, ERR_OK);
  assert_int_equal(log_first_index(leader->log), begin);
  while (more) assert_ok(group_forget(leader->log, &f, &more, &e));
  assert_true(log_first_index(leader->log) > begin);
  member_power_cut(leader);
  assert_ok(member_open(leader, &e)); // the group state knows where the log begins
  place_run(p, 500);
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

GROUP_TESTS(T(a_proposal_is_applied_by_all_and_again_after_a_power_cut), T(nothing_is_sent_under_a_term_that_is_not_saved),
            T(an_append_is_cut_by_bytes_and_the_rest_follows), T(what_the_network_refuses_follows_later_and_in_order),
            T(that_the_last_entry_is_committed_is_told_at_once_and_not_with_the_next_heartbeat),
            T(what_is_on_its_way_is_not_sent_again), T(what_was_lost_on_its_way_is_sent_again),
            T(a_follower_that_is_behind_is_served_from_the_log_with_little_memory),
            T(a_disk_that_does_not_keep_up_turns_proposals_away), T(a_leader_whose_disk_takes_nothing_leaves_the_lead_to_another),
            T(a_vote_that_another_thread_saves_leaves_when_it_is_saved),
            T(a_vote_that_another_thread_cannot_save_closes_the_group), T(a_thread_that_looks_again_saves_nothing_twice),
            T(a_leader_that_is_lost_while_its_term_is_saved_is_succeeded_at_once),
            T(an_election_is_not_over_because_the_disks_are_slow), T(a_disk_that_is_slow_keeps_the_lead),
            T(what_may_be_forgotten_is_found_without_the_disk), T(writes_are_reported_durable_in_the_order_of_the_logs_queue),
            T(an_application_that_is_busy_gets_the_entry_again), T(reads_and_memberships_reach_the_application),
            T(what_is_not_for_this_member_is_ignored), T(a_log_without_a_beginning_is_refused),
            T(no_memory_closes_a_group_and_nothing_else))
