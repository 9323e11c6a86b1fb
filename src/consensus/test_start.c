// What a member may start from, and that a group without memory closes itself and can be freed.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "consensus/consensus.h"

static struct consensus_membership voters(uint32_t count, uint64_t index) {
  struct consensus_membership m = {.index = index, .count = count};
  for (uint32_t i = 0; i < count; i++) {
    m.members[i] = (struct consensus_member){.id = i + 1, .role = CONSENSUS_VOTER};
    snprintf(m.members[i].address, sizeof m.members[i].address, "m%u:1", i + 1);
  }
  return m;
}

/// A disk that makes sense, for a test to spoil: snapshot at 20, log 11..30 of terms 3, 4 (from 21) and 6 (from 25), memberships
/// of entries 5 (before the log), 15 and 28.
struct disk {
  struct consensus_persisted s;
  struct consensus_term_run runs[3];
  struct consensus_membership snapshot, memberships[2];
};

static void disk_init(struct disk *d) {
  *d = (struct disk){
      .runs = {{11, 3}, {21, 4}, {25, 6}}, .snapshot = voters(3, 15), .memberships = {voters(3, 15), voters(4, 28)}};
  d->s = (struct consensus_persisted){.member_id = 2,
                                      .term = 7,
                                      .vote = 1,
                                      .snapshot_index = 20,
                                      .snapshot_term = 3,
                                      .snapshot_membership = &d->snapshot,
                                      .first_index = 11,
                                      .last_index = 30,
                                      .runs = d->runs,
                                      .run_count = 3,
                                      .memberships = d->memberships,
                                      .membership_count = 2,
                                      .applied_index = 22};
}

static enum err start(const struct disk *d, struct error *e) {
  struct consensus *c = NULL;
  enum err err = consensus_start(&d->s, NULL, 1, 1, &c, e);
  if (err != ERR_OK) assert_null(c);
  consensus_free(c);
  return err;
}

#define REFUSES(change)                           \
  do {                                            \
    disk_init(&d);                                \
    change;                                       \
    struct error e = ERROR_INIT;                  \
    assert_int_equal(start(&d, &e), ERR_INVALID); \
    assert_true(strlen(e.message) > 0);           \
  } while (0)

TEST(a_state_that_contradicts_itself_is_refused) {
  struct disk d;
  disk_init(&d);
  assert_ok(start(&d, NULL));
  REFUSES(d.s.member_id = 0);
  REFUSES(d.s.term = UINT64_MAX);
  REFUSES(d.s.term = 5); // below the log's
  REFUSES(d.s.snapshot_term = 0);
  REFUSES(d.s.snapshot_membership = NULL);
  REFUSES(d.s.snapshot_term = 9);
  REFUSES(d.s.snapshot_term = 4); // not what the log says
  REFUSES(d.snapshot.index = 0);
  REFUSES(d.snapshot.index = 21);
  REFUSES(d.snapshot.index = 12); // the log has another one before the snapshot
  REFUSES(d.snapshot.count = 0);
  REFUSES(d.s.first_index = 0);
  REFUSES(d.s.first_index = 22); // a gap
  REFUSES(d.s.last_index = 19);
  REFUSES(d.s.last_index = UINT64_MAX);
  REFUSES(d.s.snapshot_index = UINT64_MAX);
  REFUSES((d.s.last_index = UINT32_MAX + (uint64_t) 90));
  REFUSES((d.s.first_index = 21, d.s.last_index = 19));
  REFUSES(d.s.applied_index = 19);
  REFUSES(d.s.applied_index = 31);
  REFUSES(d.s.run_count = 0);
  REFUSES(d.runs[0].first_index = 12);
  REFUSES(d.runs[0].term = 0);
  REFUSES(d.runs[1].first_index = 11);
  REFUSES(d.runs[1].term = 3);
  REFUSES(d.runs[2].first_index = 31);
  REFUSES(d.runs[1].first_index = 20);
  REFUSES(d.memberships[0].index = 10);
  REFUSES(d.memberships[0].index = 28);
  REFUSES(d.memberships[1].index = 31);
  REFUSES(d.memberships[1].count = 0);
  disk_init(&d);
  d.s.term = 0;
  d.s.vote = 1;
  d.s.snapshot_index = d.s.snapshot_term = d.s.run_count = d.s.membership_count = d.s.applied_index = 0;
  d.s.snapshot_membership = NULL;
  d.s.first_index = 1;
  d.s.last_index = 0;
  assert_int_equal(start(&d, NULL), ERR_INVALID); // a vote without a term
  d.s.vote = 0;
  assert_ok(start(&d, NULL));
  d.s.run_count = 1;
  assert_int_equal(start(&d, NULL), ERR_INVALID);
}

TEST(a_log_from_the_beginning_begins_with_a_membership) {
  struct disk d;
  disk_init(&d);
  d.s.snapshot_index = d.s.snapshot_term = 0;
  d.s.snapshot_membership = NULL;
  d.s.first_index = 1;
  d.s.last_index = 5;
  d.s.applied_index = 1;
  d.s.run_count = 1;
  d.runs[0] = (struct consensus_term_run){1, 1};
  d.s.membership_count = 1;
  d.memberships[0].index = 1;
  assert_ok(start(&d, NULL));
  d.memberships[0].index = 2;
  assert_int_equal(start(&d, NULL), ERR_INVALID);
  d.s.membership_count = 0;
  assert_int_equal(start(&d, NULL), ERR_INVALID);
}

TEST(options_that_do_not_go_together_are_refused) {
  struct disk d;
  disk_init(&d);
  struct consensus *c = NULL;
  struct consensus_options o = {.election_timeout_ms = 100, .heartbeat_ms = 100};
  assert_int_equal(consensus_start(&d.s, &o, 1, 1, &c, NULL), ERR_INVALID);
  o = (struct consensus_options){.inflight_entries_max = UINT32_MAX};
  assert_int_equal(consensus_start(&d.s, &o, 1, 1, &c, NULL), ERR_INVALID);
  o = (struct consensus_options){.election_timeout_ms = UINT32_MAX};
  assert_int_equal(consensus_start(&d.s, &o, 1, 1, &c, NULL), ERR_INVALID);
}

TEST(a_member_comes_back_as_it_was) {
  struct disk d;
  disk_init(&d);
  struct consensus *c = NULL;
  assert_ok(consensus_start(&d.s, NULL, 50, 1, &c, NULL));
  struct consensus_status s;
  consensus_status(c, &s);
  assert_int_equal(s.term, 7);
  assert_int_equal(s.vote, 1);
  assert_int_equal(s.state, CONSENSUS_FOLLOWER);
  assert_int_equal(s.role, CONSENSUS_VOTER);
  assert_int_equal(s.first_index, 11);
  assert_int_equal(s.last_index, 30);
  assert_int_equal(s.durable_index, 30);
  assert_int_equal(s.commit_index, 22);
  assert_int_equal(s.applied_index, 22);
  assert_int_equal(s.snapshot_index, 20);
  assert_true(s.change_under_way); // entry 28
  assert_int_equal(s.progress_count, 4);
  struct consensus_membership m;
  consensus_membership(c, &m);
  assert_int_equal(m.index, 28);
  uint64_t term;
  assert_ok(consensus_term_at(c, 24, &term, NULL));
  assert_int_equal(term, 4);
  assert_ok(consensus_term_at(c, 20, &term, NULL));
  assert_int_equal(consensus_term_at(c, 10, &term, NULL), ERR_NOTFOUND);
  assert_int_equal(consensus_term_at(c, 31, &term, NULL), ERR_NOTFOUND);
  const struct consensus_update *u = consensus_update(c);
  assert_false(u->hard_state_changed);
  assert_int_equal(u->apply_index, 22);
  assert_int_equal(u->message_count + u->write_count, 0);
  assert_in_range(u->wake_ms, 1050, 2050);
  consensus_free(c);
}

// ---- failures ----

/// A new member, number 1, whose log is the first entry: a membership of three.
static enum err start_first_of_three(struct consensus **ret) {
  struct consensus_membership three = voters(3, 1);
  struct consensus_term_run run = {1, 1};
  struct consensus_persisted s = {.member_id = 1,
                                  .term = 1,
                                  .first_index = 1,
                                  .last_index = 1,
                                  .runs = &run,
                                  .run_count = 1,
                                  .memberships = &three,
                                  .membership_count = 1,
                                  .applied_index = 1};
  return consensus_start(&s, NULL, 1, 1, ret, NULL);
}

/// A leader's life: election, proposal, change, catch-up, read, compaction, transfer. Every call may fail.
static enum err lead(struct consensus **group) {
  uint64_t now = 10000, first;
  TRY(start_first_of_three(group));
  struct consensus *c = *group;
  TRY(consensus_tick(c, now, NULL));
  struct consensus_message vote = {.type = CONSENSUS_VOTE_RESULT, .peer = 2, .term = 2};
  vote.vote_result.granted = vote.vote_result.pre_vote = true;
  TRY(consensus_receive(c, now, &vote, NULL));
  vote.vote_result.pre_vote = false;
  TRY(consensus_receive(c, now, &vote, NULL));
  assert_int_equal(consensus_update(c)->state, CONSENSUS_LEADER);
  TRY(consensus_persisted(c, now, 1, NULL));
  struct consensus_message ack = {.type = CONSENSUS_APPEND_RESULT, .peer = 2, .term = 2};
  ack.append_result.last_index = 2;
  TRY(consensus_receive(c, now, &ack, NULL));
  ack.peer = 3;
  TRY(consensus_receive(c, now, &ack, NULL));
  TRY(consensus_applied(c, now, 2, NULL));
  struct consensus_entry entries[20] = {0};
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++) entries[i].kind = CONSENSUS_DATA;
  TRY(consensus_propose(c, now, 2, entries, ARRAY_SIZE(entries), NULL));
  struct consensus_membership four = voters(4, 0);
  four.members[3].role = CONSENSUS_LEARNER;
  TRY(consensus_change(c, now, &four, NULL));
  TRY(consensus_persisted(c, now, 3, NULL));
  ack.append_result.last_index = 23;
  TRY(consensus_receive(c, now, &ack, NULL));
  TRY(consensus_applied(c, now, 23, NULL));
  TRY(consensus_catch_up(c, now, 4, NULL));
  for (uint64_t read = 1; read < 20; read++) TRY(consensus_read(c, now, read, NULL));
  struct consensus_message probed = {.type = CONSENSUS_READ_PROBE_RESULT, .peer = 2, .term = 2};
  probed.read_probe_result.confirmed = true;
  probed.read_probe_result.nonce = 1;
  TRY(consensus_receive(c, now, &probed, NULL));
  TRY(consensus_compact(c, now, 20, 0, &first, NULL));
  TRY(consensus_tick(c, now + 100, NULL));
  return consensus_transfer(c, now + 100, 3, NULL);
}

/// A follower's: entries, a membership among them, a cut, a vote, a snapshot.
static enum err follow(struct consensus **group) {
  struct consensus_membership four = voters(4, 4), four_again = voters(4, 3), snapshot = voters(3, 40);
  TRY(start_first_of_three(group));
  struct consensus *c = *group;
  struct consensus_entry entries[] = {{.index = 2, .term = 2, .kind = CONSENSUS_NOOP},
                                      {.index = 3, .term = 2, .kind = CONSENSUS_DATA},
                                      {.index = 4, .term = 2, .kind = CONSENSUS_MEMBERSHIP, .membership = &four},
                                      {.index = 5, .term = 2, .kind = CONSENSUS_DATA}};
  struct consensus_message append = {.type = CONSENSUS_APPEND, .peer = 2, .term = 2};
  append.append.previous_index = append.append.previous_term = 1;
  append.append.count = ARRAY_SIZE(entries);
  append.append.entries = entries;
  TRY(consensus_receive(c, 10, &append, NULL));
  assert_int_equal(consensus_update(c)->write_count, 2);
  TRY(consensus_persisted(c, 10, 2, NULL));
  struct consensus_entry others[] = {{.index = 3, .term = 3, .kind = CONSENSUS_MEMBERSHIP, .membership = &four_again}};
  append.term = 3;
  append.peer = 3;
  append.append.previous_index = 2;
  append.append.previous_term = 2;
  append.append.count = 1;
  append.append.entries = others;
  TRY(consensus_receive(c, 20, &append, NULL));
  TRY(consensus_persisted(c, 20, 3, NULL));
  struct consensus_message vote = {.type = CONSENSUS_VOTE, .peer = 4, .term = 4};
  vote.vote.last_index = 9;
  vote.vote.last_term = 3;
  vote.vote.disrupt_leader = true;
  TRY(consensus_receive(c, 30, &vote, NULL));
  struct consensus_message install = {.type = CONSENSUS_INSTALL, .peer = 4, .term = 4};
  install.install.last_index = 50;
  install.install.last_term = 4;
  install.install.membership = &snapshot;
  install.install.copied_index = 50;
  TRY(consensus_receive(c, 40, &install, NULL));
  TRY(consensus_persisted(c, 50, 4, NULL));
  struct consensus_message probe = {.type = CONSENSUS_READ_PROBE, .peer = 4, .term = 4};
  return consensus_receive(c, 60, &probe, NULL);
}

/// A sole voter's: leads at once, with a snapshot behind it, is deposed, and votes for itself.
static enum err alone(struct consensus **group) {
  struct consensus_membership one = voters(2, 15);
  one.members[1].role = CONSENSUS_LEARNER;
  struct consensus_term_run run = {11, 3};
  struct consensus_persisted s = {.member_id = 1,
                                  .term = 3,
                                  .snapshot_index = 20,
                                  .snapshot_term = 3,
                                  .snapshot_membership = &one,
                                  .first_index = 11,
                                  .last_index = 20,
                                  .runs = &run,
                                  .run_count = 1,
                                  .memberships = &one,
                                  .membership_count = 1,
                                  .applied_index = 20};
  TRY(consensus_start(&s, NULL, 1, 1, group, NULL));
  struct consensus *c = *group;
  assert_int_equal(consensus_update(c)->state, CONSENSUS_LEADER);
  assert_true(consensus_update(c)->hard_state_changed);
  TRY(consensus_persisted(c, 10, 1, NULL));
  TRY(consensus_applied(c, 10, 21, NULL));
  struct consensus_message ack = {.type = CONSENSUS_APPEND_RESULT, .peer = 2, .term = 4};
  ack.append_result.last_index = 21;
  TRY(consensus_receive(c, 20, &ack, NULL));
  TRY(consensus_catch_up(c, 20, 2, NULL)); // it has all: a no-op for it to acknowledge
  TRY(consensus_read(c, 20, 1, NULL));
  struct consensus_message vote = {.type = CONSENSUS_VOTE, .peer = 2, .term = 9};
  vote.vote.disrupt_leader = true;
  TRY(consensus_receive(c, 30, &vote, NULL));
  TRY(consensus_tick(c, 31, NULL));    // nothing is due
  TRY(consensus_tick(c, 20000, NULL)); // not all is durable: waits
  assert_int_equal(consensus_update(c)->term, 9);
  TRY(consensus_persisted(c, 20000, 2, NULL));
  TRY(consensus_tick(c, 40000, NULL));
  assert_int_equal(consensus_update(c)->term, 10);
  TRY(consensus_tick(c, 60000, NULL));
  assert_int_equal(consensus_update(c)->state, CONSENSUS_LEADER);
  struct consensus_message now = {.type = CONSENSUS_TIMEOUT_NOW, .peer = 2, .term = 10};
  return consensus_receive(c, 60000, &now, NULL);
}

/// A closed group says why, at every call, and does nothing more.
static void check_closed(struct consensus *c, enum err why) {
  struct error e = ERROR_INIT;
  assert_int_equal(consensus_failure(c, &e), why);
  assert_true(strlen(e.message) > 0);
  struct consensus_message m = {.type = CONSENSUS_VOTE, .peer = 2, .term = 9};
  struct consensus_membership to = voters(3, 0);
  struct consensus_entry entry = {.kind = CONSENSUS_DATA};
  uint64_t first;
  assert_int_equal(consensus_tick(c, 99999, NULL), why);
  assert_int_equal(consensus_receive(c, 99999, &m, NULL), why);
  assert_int_equal(consensus_persisted(c, 99999, 1, NULL), why);
  assert_int_equal(consensus_applied(c, 99999, 1, NULL), why);
  assert_int_equal(consensus_propose(c, 99999, 2, &entry, 1, NULL), why);
  assert_int_equal(consensus_change(c, 99999, &to, NULL), why);
  assert_int_equal(consensus_catch_up(c, 99999, 2, NULL), why);
  assert_int_equal(consensus_transfer(c, 99999, 2, NULL), why);
  assert_int_equal(consensus_read(c, 99999, 1, NULL), why);
  assert_int_equal(consensus_compact(c, 99999, 1, 1, &first, NULL), why);
  const struct consensus_update *u = consensus_update(c);
  assert_false(u->hard_state_changed);
  assert_int_equal(u->write_count + u->message_count + u->read_count + u->apply_index, 0);
  struct consensus_status s;
  consensus_status(c, &s);
  assert_false(s.open);
}

static void without_memory(enum err (*life)(struct consensus **)) {
  int failures = 0;
  EACH_ALLOC_FAILS(n) {
    struct consensus *c = NULL;
    enum err err = life(&c);
    bool fired = fault_fired(&fault_alloc);
    assert_int_equal(err, fired ? ERR_NOMEM : ERR_OK); // no failure is shrugged off
    if (fired && c != NULL) check_closed(c, ERR_NOMEM);
    failures += fired;
    consensus_free(c);
  }
  assert_true(failures > 20);
}

TEST(a_leader_without_memory_closes) {
  without_memory(lead);
}

TEST(a_follower_without_memory_closes) {
  without_memory(follow);
}

TEST(a_sole_voter_without_memory_closes) {
  without_memory(alone);
}

TEST(a_host_that_breaks_the_rules_closes_the_group) {
  struct consensus *c = NULL;
  assert_ok(follow(&c));
  assert_int_equal(consensus_persisted(c, 100, 77, NULL), ERR_INVALID);
  check_closed(c, ERR_INVALID);
  consensus_free(c);
  assert_ok(start_first_of_three(&c));
  struct consensus_entry entry = {.index = 2, .term = 2, .kind = CONSENSUS_DATA};
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 2, .term = 2};
  m.append.previous_index = m.append.previous_term = m.append.count = 1;
  m.append.entries = &entry;
  assert_ok(consensus_receive(c, 10, &m, NULL));
  assert_ok(consensus_persisted(c, 10, 1, NULL));
  assert_int_equal(consensus_persisted(c, 10, 1, NULL), ERR_INVALID); // twice
  consensus_free(c);
  c = NULL;
  assert_ok(follow(&c));
  assert_int_equal(consensus_applied(c, 100, 51, NULL), ERR_INVALID);
  check_closed(c, ERR_INVALID);
  consensus_free(c);
  consensus_free(NULL);
}

TESTS(T(a_state_that_contradicts_itself_is_refused), T(a_log_from_the_beginning_begins_with_a_membership),
      T(options_that_do_not_go_together_are_refused), T(a_member_comes_back_as_it_was), T(a_leader_without_memory_closes),
      T(a_follower_without_memory_closes), T(a_sole_voter_without_memory_closes),
      T(a_host_that_breaks_the_rules_closes_the_group))
