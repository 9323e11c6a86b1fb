// Graphs whose log belongs to a group: what the leader may, what followers do, and what becomes of transactions when another
// member leads. The group is played by a list of entries that the test cuts, extends and commits.
#include "graph/graph_int.h"
#include "graph/replica.h"
#include "graph/test_bench_int.h"
#include "graph/test_damage.h"

enum { ENTRIES_MAX = 64 };

/// The log on which the members agree, as far as it is committed.
struct group {
  struct log_entry entries[ENTRIES_MAX]; // entries[i] has index i + 1; owns its payload
  uint64_t count;
  uint64_t term;
  enum err refusal; // of proposals
};

struct member {
  struct bench b;
  struct group *group;
  uint64_t received;
};

static void put(struct group *group, uint64_t term, struct log_entry entry) {
  assert_true(group->count < ENTRIES_MAX);
  char *copy = mem_alloc(entry.payload.len + 1);
  assert_non_null(copy);
  memcpy(copy, entry.payload.ptr != NULL ? entry.payload.ptr : "", entry.payload.len);
  entry.payload.ptr = copy;
  entry.metadata = STR_NONE;
  entry.term = term;
  entry.index = ++group->count;
  group->entries[entry.index - 1] = entry;
}

/// Another leader has entries of its own in the place of those above `last`.
static void cut(struct group *group, uint64_t last) {
  for (; group->count > last; group->count--) mem_free((char *) group->entries[group->count - 1].payload.ptr);
}

static enum err propose(void *context, uint64_t term, struct log_entry *entries, size_t count, struct error *e) {
  struct group *group = context;
  if (group->refusal != ERR_OK) return error_ensure(e, group->refusal);
  if (term != group->term) return error_ensure(e, ERR_NOT_LEADER);
  for (size_t i = 0; i < count; i++) {
    put(group, term, entries[i]);
    entries[i].index = group->count;
    entries[i].term = term;
  }
  return ERR_OK;
}

static void member_start(struct member *m, struct group *group) {
  *m = (struct member){.group = group, .b.replicated = true};
  bench_make(&m->b);
}

/// Until the applier rests, as it must.
static void step(struct member *m) {
  bool more = true;
  for (int turns = 0; more && turns < 10000; turns++) assert_ok(graph_step(m->b.g, GRAPH_APPLIER, &more, &m->b.e));
  assert_false(more);
}

/// All that is proposed is in the group's log.
static void send(struct member *m) {
  assert_ok(graph_propose(m->b.g, propose, m->group, &m->b.e));
}

/// The member learns that everything up to `index` is committed, and applies it.
static void receive(struct member *m, uint64_t index) {
  for (; m->received < index; m->received++) assert_ok(graph_receive(m->b.g, &m->group->entries[m->received], &m->b.e));
  step(m);
}

static void receive_all(struct member *m) {
  receive(m, m->group->count);
}

/// The member becomes the leader of a new term and commits its no-op.
static void lead(struct member *m) {
  m->group->term++;
  put(m->group, m->group->term, (struct log_entry){.kind = LOG_NOOP, .parts = LOG_END});
  graph_lead(m->b.g, m->group->term);
  receive_all(m);
}

static void depose(struct member *m) {
  graph_lead(m->b.g, 0);
  step(m);
}

static void two_members(struct group *group, struct member *one, struct member *other) {
  *group = (struct group){0};
  member_start(one, group);
  member_start(other, group);
}

static void check(struct member *m) {
  uint64_t found;
  assert_ok(graph_check(m->b.g, NULL, NULL, &found, &m->b.e));
  assert_int_equal(found, 0);
}

static void stop(struct member *one, struct member *other) {
  check(one);
  check(other);
  bench_stop(&one->b);
  bench_stop(&other->b);
  cut(one->group, 0);
}

/// The token, made by way of the group.
static graph_token token(struct member *m, enum graph_token_kind kind, const char *name) {
  struct graph_tx *tx = bench_begin(&m->b);
  graph_token t;
  enum err err;
  while ((err = graph_token_make(tx, kind, str_of(name), &t, &m->b.e)) == ERR_WAIT) {
    send(m);
    receive_all(m);
  }
  assert_ok(err);
  graph_tx_free(tx);
  return t;
}

static enum err write_in(struct member *m, struct graph_tx *tx, graph_token key, size_t bytes) {
  graph_id id;
  char *text = mem_alloc(bytes + 1);
  assert_non_null(text);
  memset(text, 'x', bytes);
  struct graph_property p = {.key = key, .value = v_str((struct str){text, bytes})};
  enum err err = graph_create_node(tx, NULL, 0, &p, 1, &id, &m->b.e);
  mem_free(text);
  return err;
}

static enum err commit(struct member *m, struct graph_tx *tx) {
  uint64_t id;
  return graph_tx_commit(tx, &id, &m->b.e);
}

/// A transaction that has created a node and whose commit was asked for.
static struct graph_tx *submit(struct member *m, graph_token key, size_t bytes) {
  struct graph_tx *tx = bench_begin(&m->b);
  assert_ok(write_in(m, tx, key, bytes));
  assert_int_equal(commit(m, tx), ERR_WAIT);
  return tx;
}

static void finish(struct member *m, struct graph_tx *tx, enum err expected) {
  assert_int_equal(commit(m, tx), expected);
  graph_tx_free(tx);
}

static uint64_t nodes(struct member *m) {
  struct graph_counters c;
  graph_counters(m->b.g, &c);
  return c.nodes;
}

TEST(a_commit_is_acknowledged_when_the_group_has_committed_it_and_followers_have_it_then) {
  struct group group;
  struct member leader, follower;
  two_members(&group, &leader, &follower);
  lead(&leader);
  graph_token key = token(&leader, GRAPH_KEY, "text");
  struct graph_tx *tx = submit(&leader, key, 10);
  send(&leader);
  step(&leader);
  assert_int_equal(commit(&leader, tx), ERR_WAIT); // in the log of this member alone
  receive_all(&leader);
  finish(&leader, tx, ERR_OK);
  receive_all(&follower);
  assert_int_equal(nodes(&leader), 1);
  assert_int_equal(nodes(&follower), 1);
  graph_token there;
  assert_true(tokens_find(&follower.b.g->tokens, GRAPH_KEY, STR("text"), &there));
  assert_int_equal(there, key);
  assert_int_equal(graph_applied(follower.b.g).index, group.count);
  assert_int_equal(graph_applied(follower.b.g).term, 1);
  stop(&leader, &follower);
}

TEST(a_follower_answers_reads_and_refuses_writes_as_neo4j_does) {
  struct group group;
  struct member leader, follower;
  two_members(&group, &leader, &follower);
  lead(&leader);
  graph_token key = token(&leader, GRAPH_KEY, "text"), none;
  receive_all(&follower);
  struct graph_tx *tx = bench_begin(&follower.b);
  assert_int_equal(write_in(&follower, tx, key, 10), ERR_NOT_LEADER);
  assert_non_null(strstr(follower.b.e.message, "Writes must pass through the leader"));
  assert_int_equal(graph_token_make(tx, GRAPH_KEY, STR("new"), &none, &follower.b.e), ERR_NOT_LEADER);
  assert_int_equal(commit(&follower, tx), ERR_OK); // it has only read
  graph_tx_free(tx);
  stop(&leader, &follower);
}

TEST(a_new_leader_writes_only_when_its_first_entry_is_applied) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  depose(&one);
  group.term++;
  put(&group, group.term, (struct log_entry){.kind = LOG_NOOP, .parts = LOG_END});
  graph_lead(other.b.g, group.term);
  receive(&other, group.count - 1);
  struct graph_tx *tx = bench_begin(&other.b);
  assert_int_equal(write_in(&other, tx, key, 10), ERR_NOT_LEADER);
  receive_all(&other);
  assert_ok(write_in(&other, tx, key, 10));
  assert_int_equal(commit(&other, tx), ERR_WAIT);
  send(&other);
  receive_all(&other);
  finish(&other, tx, ERR_OK);
  receive_all(&one);
  stop(&one, &other);
}

TEST(what_a_deposed_leader_proposed_is_committed_if_the_next_one_has_it_and_else_refused) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *kept = submit(&one, key, 10), *lost = submit(&one, key, 10);
  send(&one);
  struct graph_tx *unsent = submit(&one, key, 10);
  depose(&one);
  assert_int_equal(commit(&one, kept), ERR_WAIT); // nobody knows yet
  assert_int_equal(commit(&one, lost), ERR_WAIT);
  finish(&one, unsent, ERR_NOT_LEADER);
  cut(&group, group.count - 1); // the next leader has not got the last entry
  lead(&other);
  receive_all(&one);
  finish(&one, kept, ERR_OK);
  assert_int_equal(commit(&one, lost), ERR_NOT_LEADER);
  assert_non_null(strstr(one.b.e.message, "was not committed"));
  graph_tx_free(lost);
  assert_int_equal(nodes(&one), 1);
  assert_int_equal(nodes(&other), 1);
  lead(&one); // its ids and locks are none of before
  struct graph_tx *again = submit(&one, key, 10);
  send(&one);
  receive_all(&one);
  finish(&one, again, ERR_OK);
  receive_all(&other);
  stop(&one, &other);
}

TEST(a_transaction_that_began_to_write_in_one_term_is_not_committed_in_the_next) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *tx = bench_begin(&one.b), *written = bench_begin(&one.b);
  assert_ok(write_in(&one, tx, key, 10));
  assert_ok(write_in(&one, written, key, 10));
  depose(&one);
  lead(&one);
  assert_int_equal(write_in(&one, tx, key, 10), ERR_NOT_LEADER);
  finish(&one, written, ERR_NOT_LEADER);
  graph_tx_free(tx);
  assert_int_equal(nodes(&one), 0);
  receive_all(&other);
  stop(&one, &other);
}

TEST(a_transaction_that_was_begun_for_one_term_does_not_begin_to_write_in_a_later_one) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx_options options = {.term = graph_leading_term(one.b.g)};
  struct graph_tx *late, *early;
  assert_ok(graph_tx_begin(one.b.g, &options, &late, &one.b.e));
  assert_ok(graph_tx_begin(one.b.g, &options, &early, &one.b.e));
  assert_ok(write_in(&one, early, key, 10));
  assert_int_equal(commit(&one, early), ERR_WAIT);
  send(&one);
  receive_all(&one);
  finish(&one, early, ERR_OK);
  depose(&one);
  lead(&one);
  assert_int_equal(write_in(&one, late, key, 10), ERR_NOT_LEADER);
  graph_tx_free(late);
  assert_int_equal(nodes(&one), 1);
  receive_all(&other);
  stop(&one, &other);
}

TEST(who_asked_for_a_transaction_is_in_each_of_its_entries) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  uint64_t before = group.count;
  struct graph_tx_options options = {.origin = {.member = 3, .sequence = 14}};
  struct graph_tx *tx;
  assert_ok(graph_tx_begin(one.b.g, &options, &tx, &one.b.e));
  for (int i = 0; i < 5; i++) assert_ok(write_in(&one, tx, key, 1 << 20));
  assert_int_equal(commit(&one, tx), ERR_WAIT);
  send(&one);
  receive_all(&one);
  finish(&one, tx, ERR_OK);
  struct graph_tx *nobodys = submit(&one, key, 10);
  send(&one);
  receive_all(&one);
  finish(&one, nobodys, ERR_OK);
  assert_int_equal(group.count, before + 3);
  for (uint64_t i = before; i < group.count; i++) {
    assert_int_equal(group.entries[i].origin_member, i + 1 < group.count ? 3 : 0);
    assert_int_equal(group.entries[i].origin_sequence, i + 1 < group.count ? 14 : 0);
  }
  receive_all(&other);
  stop(&one, &other);
}

TEST(a_large_transaction_of_which_only_the_beginning_was_replicated_leaves_nothing) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *large = submit(&one, key, 9 << 20);
  uint64_t before = group.count;
  send(&one);
  assert_int_equal(group.count, before + 3);
  depose(&one);
  cut(&group, before + 2);
  lead(&other);
  receive_all(&one);
  finish(&one, large, ERR_NOT_LEADER);
  assert_int_equal(nodes(&one), 0);
  assert_int_equal(nodes(&other), 0);
  struct graph_tx *whole = submit(&other, key, 9 << 20);
  send(&other);
  receive_all(&other);
  finish(&other, whole, ERR_OK);
  receive_all(&one);
  assert_int_equal(nodes(&one), 1);
  stop(&one, &other);
}

TEST(the_beginning_of_a_large_transaction_is_no_part_of_what_comes_in_a_later_term) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *large = submit(&one, key, 9 << 20);
  uint64_t before = group.count;
  send(&one);
  depose(&one);
  cut(&group, before + 2);
  receive_all(&other);
  lead(&one);
  finish(&one, large, ERR_NOT_LEADER);
  struct graph_tx *whole = submit(&one, key, 9 << 20);
  send(&one);
  receive_all(&one);
  finish(&one, whole, ERR_OK);
  receive_all(&other);
  assert_int_equal(nodes(&other), 1);
  stop(&one, &other);
}

TEST(names_go_on_behind_those_that_another_leader_gave) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  token(&one, GRAPH_KEY, "a");
  struct graph_tx *tx = bench_begin(&one.b);
  graph_token never;
  assert_int_equal(graph_token_make(tx, GRAPH_KEY, STR("never"), &never, &one.b.e), ERR_WAIT);
  send(&one);
  depose(&one);
  cut(&group, group.count - 1);
  lead(&other);
  graph_token b = token(&other, GRAPH_KEY, "b"), c = token(&other, GRAPH_KEY, "c");
  depose(&other);
  receive_all(&one);
  assert_int_equal(graph_token_make(tx, GRAPH_KEY, STR("never"), &never, &one.b.e), ERR_NOT_LEADER);
  graph_tx_free(tx);
  lead(&one);
  graph_token d = token(&one, GRAPH_KEY, "d");
  assert_true(b < c && c < d);
  receive_all(&other);
  graph_token there;
  assert_true(tokens_find(&other.b.g->tokens, GRAPH_KEY, STR("d"), &there));
  assert_int_equal(there, d);
  stop(&one, &other);
}

static struct graph_index on(graph_token label, graph_token key) {
  return (struct graph_index){.index_kind = GRAPH_INDEX_RANGE,
                              .entity = GRAPH_NODE,
                              .label_or_type = label,
                              .keys = {key},
                              .key_count = 1,
                              .constraint = GRAPH_CONSTRAINT_UNIQUE};
}

static enum graph_index_state state_of_first(struct member *m) {
  struct schema *s = graph_schema(m->b.g);
  enum graph_index_state state = s->count > 0 ? s->indexes[0].index.state : GRAPH_INDEX_FAILED;
  schema_release(s);
  return state;
}

TEST(a_change_of_the_schema_that_is_on_its_way_keeps_others_out_though_nobody_waits_for_it) { // schema_hold
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token label = token(&one, GRAPH_LABEL, "Person"), key = token(&one, GRAPH_KEY, "text");
  struct graph_index wanted = on(label, key), second = on(label, token(&one, GRAPH_KEY, "other"));
  wanted.constraint = second.constraint = GRAPH_CONSTRAINT_NONE;
  struct graph_tx *given_up = bench_begin(&one.b), *next = bench_begin(&one.b);
  uint32_t index;
  assert_int_equal(graph_index_create(given_up, &wanted, &index, &one.b.e), ERR_WAIT);
  graph_tx_free(given_up); // its client has hung up
  assert_int_equal(graph_index_create(next, &second, &index, &one.b.e), ERR_WAIT);
  enum err err;
  for (int turns = 0; (err = graph_index_create(next, &second, &index, &one.b.e)) == ERR_WAIT && turns < 10; turns++) {
    send(&one);
    receive_all(&one);
  }
  assert_ok(err);
  graph_tx_free(next);
  receive_all(&other);
  struct schema *there = graph_schema(other.b.g);
  assert_int_equal(there->count, 2);
  schema_release(there);
  stop(&one, &other);
}

TEST(every_member_fills_an_index_and_whoever_leads_then_gives_the_verdict) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token label = token(&one, GRAPH_LABEL, "Person"), key = token(&one, GRAPH_KEY, "text");
  struct graph_index wanted = on(label, key);
  struct graph_tx *tx = bench_begin(&one.b);
  uint32_t index;
  assert_int_equal(graph_index_create(tx, &wanted, &index, &one.b.e), ERR_WAIT);
  send(&one);
  uint64_t created = group.count;
  depose(&one); // before it could judge
  receive(&one, created);
  receive(&other, created);
  step(&one);
  step(&other);
  send(&other);
  assert_int_equal(group.count, created); // nobody leads, nobody judges
  assert_int_equal(state_of_first(&other), GRAPH_INDEX_POPULATING);
  lead(&other);
  step(&other);
  send(&other);
  assert_int_equal(group.count, created + 2);
  receive_all(&other);
  receive_all(&one);
  assert_int_equal(state_of_first(&other), GRAPH_INDEX_ONLINE);
  assert_int_equal(state_of_first(&one), GRAPH_INDEX_ONLINE);
  assert_ok(graph_index_create(tx, &wanted, &index, &one.b.e)); // who asked for it is told, though its server leads no more
  graph_tx_free(tx);
  stop(&one, &other);
}

TEST(proposals_that_the_group_has_no_room_for_wait) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *first = submit(&one, key, 10), *second = submit(&one, key, 20);
  group.refusal = ERR_LIMIT;
  assert_int_equal(graph_propose(one.b.g, propose, &group, &one.b.e), ERR_LIMIT);
  group.refusal = ERR_OK;
  send(&one);
  receive_all(&one);
  finish(&one, first, ERR_OK);
  finish(&one, second, ERR_OK);
  receive_all(&other);
  stop(&one, &other);
}

TEST(committed_entries_are_turned_away_while_the_applier_is_behind) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  for (int i = 0; i < 7; i++) {
    struct graph_tx *tx = submit(&one, key, 3 << 20);
    send(&one);
    receive_all(&one);
    finish(&one, tx, ERR_OK);
  }
  enum err err = ERR_OK;
  while (err == ERR_OK && other.received < group.count) {
    err = graph_receive(other.b.g, &group.entries[other.received], &other.b.e);
    other.received += err == ERR_OK;
  }
  assert_int_equal(err, ERR_BUSY);
  step(&other);
  receive_all(&other);
  assert_int_equal(nodes(&other), 7);
  stop(&one, &other);
}

TEST(whoever_waits_is_told_when_the_group_has_failed) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *proposed = submit(&one, key, 10);
  send(&one);
  struct graph_tx *waiting = submit(&one, key, 10);
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_IO, "The disk is gone.");
  graph_group_failed(one.b.g, &cause);
  bool more;
  assert_int_equal(graph_step(one.b.g, GRAPH_APPLIER, &more, &one.b.e), ERR_TX_LOG);
  finish(&one, proposed, ERR_TX_LOG);
  finish(&one, waiting, ERR_TX_LOG);
  assert_int_equal(graph_receive(one.b.g, &group.entries[0], &one.b.e), ERR_TX_LOG);
  stop(&one, &other);
}

static enum err propose_and_fail(void *context, uint64_t term, struct log_entry *entries, size_t count, struct error *e) {
  TRY(propose(context, term, entries, count, e));
  return error_set(e, ERR_TX_LOG, "The group is closed on this member.");
}

/// The others may have it.
TEST(a_commit_that_a_group_was_told_of_as_it_failed_is_not_told_as_not_made) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  struct graph_tx *tx = submit(&one, token(&one, GRAPH_KEY, "text"), 10);
  struct error cause = ERROR_INIT;
  assert_int_equal(graph_propose(one.b.g, propose_and_fail, &group, &cause), ERR_TX_LOG);
  graph_lead(one.b.g, 0);
  graph_group_failed(one.b.g, &cause);
  bool more;
  assert_int_equal(graph_step(one.b.g, GRAPH_APPLIER, &more, &one.b.e), ERR_TX_LOG);
  finish(&one, tx, ERR_TX_LOG);
  receive_all(&other);
  assert_int_equal(nodes(&other), 1);
  stop(&one, &other);
}

TEST(a_server_that_stops_waits_no_longer_for_a_group_that_does_not_answer) {
  struct group group;
  struct member one, other;
  two_members(&group, &one, &other);
  lead(&one);
  graph_token key = token(&one, GRAPH_KEY, "text");
  struct graph_tx *proposed = submit(&one, key, 9 << 20);
  send(&one);
  uint64_t first = one.received;
  assert_ok(graph_receive(one.b.g, &group.entries[first], &one.b.e)); // the first of its three parts
  struct graph_tx *waiting = submit(&one, key, 10);
  graph_group_left(one.b.g);
  step(&one);
  finish(&one, proposed, ERR_TX_LOG);
  assert_non_null(strstr(one.b.e.message, "before this server stopped"));
  finish(&one, waiting, ERR_TX_LOG);
  assert_int_equal(graph_receive(one.b.g, &group.entries[first + 1], &one.b.e), ERR_BUSY); // no part of it is taken for a whole
  graph_lead(one.b.g, group.term + 1);
  step(&one);
  assert_int_equal(graph_leading_term(one.b.g), 0);
  receive_all(&other);
  assert_int_equal(nodes(&other), 1); // the others have it, and what was not proposed they do not
  stop(&one, &other);
}

static enum err propose_and_leave(void *context, uint64_t term, struct log_entry *entries, size_t count, struct error *e) {
  struct member *m = context;
  graph_group_left(m->b.g);
  return propose(m->group, term, entries, count, e);
}

TEST(a_commit_that_is_on_its_way_to_the_group_when_its_server_stops_is_told_too) {
  static const enum err refusals[] = {ERR_OK, ERR_LIMIT};
  for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
    struct group group;
    struct member one, other;
    two_members(&group, &one, &other);
    lead(&one);
    struct graph_tx *tx = submit(&one, token(&one, GRAPH_KEY, "text"), 10);
    group.refusal = refusals[i];
    assert_int_equal(graph_propose(one.b.g, propose_and_leave, &one, &one.b.e), refusals[i]);
    step(&one);
    finish(&one, tx, ERR_TX_LOG);
    stop(&one, &other);
  }
}

// ---- digests ----

static struct digest_result digested(struct member *m) {
  struct digest_result r;
  for (bool more = true; more;) assert_ok(graph_step(m->b.g, GRAPH_SCRUBBER, &more, &m->b.e));
  graph_digest_last(m->b.g, &r);
  return r;
}

TEST(members_digest_the_same_range_as_of_the_same_entry_and_a_change_behind_the_back_of_one_shows) {
  struct group group;
  struct member leader, follower;
  two_members(&group, &leader, &follower);
  lead(&leader);
  graph_token key = token(&leader, GRAPH_KEY, "text");
  struct graph_tx *tx = submit(&leader, key, 10);
  send(&leader);
  receive_all(&leader);
  finish(&leader, tx, ERR_OK);
  assert_false(graph_digest_is_due(follower.b.g));
  assert_int_equal(graph_digest_ask(follower.b.g, 2, &follower.b.e), ERR_NOT_LEADER);
  for (int i = 0; i < 4; i++) { // nodes, relationships, names, and nodes again
    assert_ok(graph_digest_ask(leader.b.g, 2, &leader.b.e));
    send(&leader);
    receive_all(&leader);
    receive_all(&follower);
    struct digest_result here = digested(&leader), there = digested(&follower);
    assert_int_equal(here.index, group.count);
    assert_int_equal(there.index, group.count);
    assert_int_equal(here.range.of, there.range.of);
    assert_int_equal(here.entities, there.entities);
    assert_true((here.digest == there.digest) == (i < 3));
    if (i == 2) damage_property(follower.b.g, 0, key, 7);
  }
  stop(&leader, &follower);
}

TEST(a_read_replica_digests_what_members_do_and_is_told_how_many_of_them_vote) {
  struct group group = {0};
  struct member leader, reader = {.group = &group, .b = {.replicated = true, .read_only = true}};
  member_start(&leader, &group);
  bench_make(&reader.b);
  lead(&leader);
  struct graph_tx *tx = submit(&leader, token(&leader, GRAPH_KEY, "text"), 10);
  send(&leader);
  receive_all(&leader);
  finish(&leader, tx, ERR_OK);
  assert_ok(graph_digest_ask(leader.b.g, 5, &leader.b.e));
  send(&leader);
  receive_all(&leader);
  receive_all(&reader);
  struct digest_result here = digested(&leader), there = digested(&reader);
  assert_int_equal(there.index, group.count);
  assert_int_equal(there.entities, 1);
  assert_true(here.digest == there.digest);
  assert_int_equal(there.voters, 5);
  stop(&leader, &reader);
}

TESTS(T(a_commit_is_acknowledged_when_the_group_has_committed_it_and_followers_have_it_then),
      T(a_follower_answers_reads_and_refuses_writes_as_neo4j_does), T(a_new_leader_writes_only_when_its_first_entry_is_applied),
      T(what_a_deposed_leader_proposed_is_committed_if_the_next_one_has_it_and_else_refused),
      T(a_transaction_that_began_to_write_in_one_term_is_not_committed_in_the_next),
      T(a_transaction_that_was_begun_for_one_term_does_not_begin_to_write_in_a_later_one),
      T(who_asked_for_a_transaction_is_in_each_of_its_entries),
      T(a_large_transaction_of_which_only_the_beginning_was_replicated_leaves_nothing),
      T(the_beginning_of_a_large_transaction_is_no_part_of_what_comes_in_a_later_term),
      T(names_go_on_behind_those_that_another_leader_gave),
      T(a_change_of_the_schema_that_is_on_its_way_keeps_others_out_though_nobody_waits_for_it),
      T(every_member_fills_an_index_and_whoever_leads_then_gives_the_verdict), T(proposals_that_the_group_has_no_room_for_wait),
      T(committed_entries_are_turned_away_while_the_applier_is_behind), T(whoever_waits_is_told_when_the_group_has_failed),
      T(a_commit_that_a_group_was_told_of_as_it_failed_is_not_told_as_not_made),
      T(a_server_that_stops_waits_no_longer_for_a_group_that_does_not_answer),
      T(a_commit_that_is_on_its_way_to_the_group_when_its_server_stops_is_told_too),
      T(members_digest_the_same_range_as_of_the_same_entry_and_a_change_behind_the_back_of_one_shows),
      T(a_read_replica_digests_what_members_do_and_is_told_how_many_of_them_vote))
