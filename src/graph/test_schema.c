// Indexes and constraints: made, filled, used, refused, dropped.
#include <math.h>

#include "graph/schema_int.h"
#include "graph/test_bench_int.h"
#include "graph/tx_int.h"

struct shop {
  struct bench b;
  graph_token person, knows, name, age;
};

static void shop_start(struct shop *s) {
  bench_start(&s->b);
  s->person = bench_token(&s->b, GRAPH_LABEL, "Person");
  s->knows = bench_token(&s->b, GRAPH_TYPE, "KNOWS");
  s->name = bench_token(&s->b, GRAPH_KEY, "name");
  s->age = bench_token(&s->b, GRAPH_KEY, "age");
}

static void shop_stop(struct shop *s) {
  uint64_t found;
  must(&s->b, graph_check(s->b.g, NULL, NULL, &found, &s->b.e));
  assert_int_equal(found, 0);
  bench_stop(&s->b);
}

static enum err create_in(struct shop *s, struct graph_tx *tx, struct value name, struct value age, graph_id *ret) {
  struct graph_property p[2] = {{s->name, name}, {s->age, age}};
  return graph_create_node(tx, &s->person, 1, p, 2, ret, &s->b.e);
}

static graph_id create(struct shop *s, struct value name, struct value age) {
  struct graph_tx *tx = bench_begin(&s->b);
  graph_id id;
  must(&s->b, create_in(s, tx, name, age, &id));
  bench_commit(&s->b, tx);
  return id;
}

static enum err index_try(struct shop *s, struct graph_index x, uint32_t *ret) {
  struct graph_tx *tx = bench_begin(&s->b);
  enum err err;
  for (int i = 0; (err = graph_index_create(tx, &x, ret, &s->b.e)) == ERR_WAIT && i < 20; i++)
    assert_ok(graph_settle(s->b.g, &s->b.e));
  graph_tx_free(tx);
  return err;
}

static struct graph_index on_name(struct shop *s, bool unique) {
  return (struct graph_index){.index_kind = GRAPH_INDEX_RANGE,
                              .entity = GRAPH_NODE,
                              .label_or_type = s->person,
                              .keys = {s->name},
                              .key_count = 1,
                              .constraint = unique ? GRAPH_CONSTRAINT_UNIQUE : GRAPH_CONSTRAINT_NONE};
}

static uint32_t seek(struct shop *s, struct graph_tx *tx, uint32_t index, struct graph_seek q, graph_id *ids) {
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct graph_scan scan = {0};
  uint32_t n, total = 0;
  graph_view_enter(v);
  while (!scan.done) {
    must(&s->b, graph_index_seek(v, index, &q, &scan, &s->b.arena, ids + total, 2, &n, &s->b.e));
    total += n;
  }
  graph_view_leave(v);
  return total;
}

/// How many of the names 0, 1, 2... the index finds, up to the first that it does not.
static int count_equal(struct shop *s, uint32_t index) {
  struct graph_tx *tx = bench_begin(&s->b);
  graph_id ids[2];
  int n = 0;
  for (uint32_t found = 1; found == 1; n += found == 1) {
    struct value name = v_int(n);
    found = seek(s, tx, index, (struct graph_seek){.equal = &name, .equal_count = 1}, ids);
  }
  graph_tx_free(tx);
  return n;
}

TEST(an_index_on_what_is_there_and_on_what_comes_answers_ranges_in_order) {
  struct shop s;
  shop_start(&s);
  graph_id ids[20];
  for (int i = 0; i < 5; i++) create(&s, v_str(STR("x")), i % 2 ? v_int(10 - i) : v_float(10.5 - i));
  struct graph_index x = on_name(&s, false);
  uint32_t index;
  x.keys[0] = s.age;
  assert_ok(index_try(&s, x, &index));
  create(&s, v_str(STR("x")), v_int(7));
  create(&s, v_str(STR("x")), v_str(STR("no number")));
  create(&s, v_str(STR("x")), v_float(NAN));
  struct graph_tx *tx = bench_begin(&s.b);
  struct graph_seek q = {.last = GRAPH_SEEK_RANGE, .low = v_int(7), .low_inclusive = true};
  assert_int_equal(seek(&s, tx, index, q, ids), 5); // 7, 7, 8.5, 9, 10.5
  assert_int_equal(ids[0], 3);
  assert_int_equal(ids[4], 0);
  q.low_inclusive = false;
  assert_int_equal(seek(&s, tx, index, q, ids), 3);
  q = (struct graph_seek){.last = GRAPH_SEEK_RANGE, .high = v_int(7), .high_inclusive = true, .descending = true};
  assert_int_equal(seek(&s, tx, index, q, ids), 3);
  q = (struct graph_seek){.last = GRAPH_SEEK_PREFIX, .low = v_str(STR("no "))};
  assert_int_equal(seek(&s, tx, index, q, ids), 1);
  struct value seven = v_float(7), nan = v_float(NAN);
  q = (struct graph_seek){.equal = &seven, .equal_count = 1};
  assert_int_equal(seek(&s, tx, index, q, ids), 2);
  q.equal = &nan;
  assert_int_equal(seek(&s, tx, index, q, ids), 0);
  graph_tx_free(tx);
  struct graph_index_stats stats = graph_stats_index(s.b.g, index);
  assert_true(stats.entries == 8 && stats.distinct == 7);
  shop_stop(&s);
}

/// A value of key `age` for each node, in the order in which they are made.
static void create_all(struct shop *s, const struct value *values, size_t n) {
  for (size_t i = 0; i < n; i++) create(s, v_str(STR("x")), values[i]);
}

TEST(texts_too_long_for_a_key_are_found_by_a_range) {
  struct shop s;
  shop_start(&s);
  graph_id ids[20];
  static char text[3][1000];
  struct value values[3];
  const int lengths[] = {884, 890, 990}; // kept whole, kept whole though longer ones are cut there, cut
  for (int i = 0; i < 3; i++) {
    memset(text[i], 'a', sizeof text[i]);
    values[i] = v_str((struct str){text[i], (size_t) lengths[i]});
  }
  create_all(&s, values, 3);
  struct graph_index x = on_name(&s, false);
  uint32_t index;
  x.keys[0] = s.age;
  assert_ok(index_try(&s, x, &index));
  struct graph_tx *tx = bench_begin(&s.b);
  for (int i = 0; i < 3; i++) {
    struct graph_seek q = {.last = GRAPH_SEEK_RANGE, .low = values[i]};
    assert_int_equal(seek(&s, tx, index, q, ids), 2 - i);
    q = (struct graph_seek){.last = GRAPH_SEEK_RANGE, .high = values[i], .high_inclusive = true};
    assert_int_equal(seek(&s, tx, index, q, ids), i + 1);
  }
  graph_tx_free(tx);
  shop_stop(&s);
}

TEST(one_instant_in_several_zones_is_in_order_for_ranges_and_tied_for_who_wants_the_order) {
  struct shop s;
  shop_start(&s);
  graph_id ids[20];
  uint8_t ties[20];
  const int32_t offsets[] = {7200, 0, 3600};
  struct value values[4];
  for (int i = 0; i < 4; i++) values[i] = (struct value){.type = VALUE_DATETIME, .i = 1000, .aux = offsets[i % 3]};
  values[3].i = 2000;
  create_all(&s, values, 4);
  struct graph_index x = on_name(&s, false);
  uint32_t index, n;
  x.keys[0] = s.age;
  assert_ok(index_try(&s, x, &index));
  struct graph_tx *tx = bench_begin(&s.b);
  struct graph_seek q = {.last = GRAPH_SEEK_RANGE, .low = values[2]};
  assert_int_equal(seek(&s, tx, index, q, ids), 2); // +02:00 is behind +01:00, and so is the later one
  q = (struct graph_seek){.last = GRAPH_SEEK_RANGE, .high = values[2]};
  assert_int_equal(seek(&s, tx, index, q, ids), 1);
  for (int descending = 0; descending < 2; descending++) {
    struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
    struct graph_scan scan = {0};
    uint32_t total = 0;
    q = (struct graph_seek){.last = GRAPH_SEEK_EXISTS, .descending = descending};
    graph_view_enter(v);
    while (!scan.done) { // one by one: what came before is remembered
      must(&s.b, graph_index_seek_ordered(v, index, &q, &scan, &s.b.arena, ids + total, ties + total, 1, &n, &s.b.e));
      total += n;
    }
    graph_view_leave(v);
    assert_int_equal(total, 4);
    static const uint8_t expected[2][4] = {{GRAPH_TIE_BEGINS, GRAPH_TIE_JOINS, GRAPH_TIE_JOINS, GRAPH_TIE_BEGINS},
                                           {GRAPH_TIE_BEGINS, GRAPH_TIE_BEGINS, GRAPH_TIE_JOINS, GRAPH_TIE_JOINS}};
    assert_memory_equal(ties, expected[descending], 4);
  }
  graph_tx_free(tx);
  shop_stop(&s);
}

TEST(a_unique_constraint_names_label_property_and_value_of_who_was_first) {
  struct shop s;
  shop_start(&s);
  uint32_t index;
  graph_id id, first = create(&s, v_str(STR("x")), V_NULL);
  assert_ok(index_try(&s, on_name(&s, true), &index));
  struct graph_tx *tx = bench_begin(&s.b);
  assert_int_equal(create_in(&s, tx, v_str(STR("x")), V_NULL, &id), ERR_CONSTRAINT);
  assert_string_equal(s.b.e.message, "Node(0) already exists with label `Person` and property `name` = 'x'");
  bool changed;
  must(&s.b, graph_set_property(tx, GRAPH_NODE, first, s.name, v_str(STR("y")), &changed, &s.b.e));
  must(&s.b, create_in(&s, tx, v_str(STR("x")), V_NULL, &id));
  bench_commit(&s.b, tx);
  shop_stop(&s);
}

TEST(of_two_merges_under_a_unique_constraint_the_second_waits_and_finds_the_first_ones_node) {
  struct shop s;
  shop_start(&s);
  uint32_t index, n;
  graph_id id, ids[4];
  struct value x = v_str(STR("x"));
  assert_ok(index_try(&s, on_name(&s, true), &index));
  struct graph_tx *one = bench_begin(&s.b), *two = bench_begin(&s.b);
  must(&s.b, graph_lock_key(one, GRAPH_NODE, s.person, &s.name, &x, 1, &s.b.e));
  must(&s.b, create_in(&s, one, x, V_NULL, &id));
  assert_int_equal(graph_lock_key(two, GRAPH_NODE, s.person, &s.name, &x, 1, &s.b.e), ERR_WAIT);
  bench_commit(&s.b, one);
  assert_ok(graph_lock_key(two, GRAPH_NODE, s.person, &s.name, &x, 1, &s.b.e));
  struct graph_view *v = graph_tx_view(two, GRAPH_READ_CURRENT);
  struct graph_scan scan = {0};
  struct graph_seek q = {.equal = &x, .equal_count = 1};
  graph_view_enter(v);
  must(&s.b, graph_index_seek(v, index, &q, &scan, &s.b.arena, ids, 4, &n, &s.b.e));
  graph_view_leave(v);
  assert_int_equal(n, 1);
  graph_tx_free(two);
  shop_stop(&s);
}

TEST(a_constraint_over_doubles_cannot_be_created_and_says_which_two) {
  struct shop s;
  shop_start(&s);
  uint32_t index, n;
  struct graph_index *list;
  create(&s, v_int(1), V_NULL);
  create(&s, v_float(1), V_NULL);
  assert_int_equal(index_try(&s, on_name(&s, true), &index), ERR_CONSTRAINT_CREATION);
  assert_non_null(strstr(s.b.e.message, "Both Node(0) and Node(1) have the label `Person` and property `name` = 1"));
  assert_true(graph_stats_indexes(s.b.g, &s.b.arena, &list, &n));
  assert_int_equal(n, 0);
  shop_stop(&s);
}

TEST(a_schema_change_waits_for_those_who_write_and_they_for_it) {
  struct shop s;
  shop_start(&s);
  graph_id id;
  uint32_t index, n;
  struct graph_index x = on_name(&s, false), *list;
  struct graph_tx *writer = bench_begin(&s.b), *ddl = bench_begin(&s.b), *other = bench_begin(&s.b);
  must(&s.b, create_in(&s, writer, v_str(STR("a")), V_NULL, &id));
  assert_int_equal(graph_index_create(ddl, &x, &index, &s.b.e), ERR_WAIT);
  assert_int_equal(create_in(&s, other, v_str(STR("b")), V_NULL, &id), ERR_WAIT);
  bench_commit(&s.b, writer);
  must(&s.b, graph_index_create(ddl, &x, &index, &s.b.e));
  bench_commit(&s.b, ddl);
  must(&s.b, create_in(&s, other, v_str(STR("b")), V_NULL, &id));
  bench_commit(&s.b, other);
  assert_ok(graph_settle(s.b.g, &s.b.e));
  assert_true(graph_stats_index(s.b.g, index).entries == 2);
  assert_true(graph_stats_indexes(s.b.g, &s.b.arena, &list, &n));
  assert_int_equal(list[0].state, GRAPH_INDEX_ONLINE);
  assert_int_equal(index_try(&s, x, &index), ERR_INDEX_EXISTS);
  struct graph_tx *drop = bench_begin(&s.b);
  must(&s.b, graph_index_drop(drop, list[0].id, &s.b.e));
  bench_commit(&s.b, drop);
  assert_true(graph_stats_indexes(s.b.g, &s.b.arena, &list, &n));
  assert_int_equal(n, 0);
  shop_stop(&s);
}

TEST(population_goes_on_after_a_power_cut_in_its_midst) {
  enum { PEOPLE = 2000 };
  struct shop s;
  shop_start(&s);
  struct graph_tx *tx = bench_begin(&s.b);
  graph_id id;
  for (int i = 0; i < PEOPLE; i++) must(&s.b, create_in(&s, tx, v_int(i), V_NULL, &id));
  bench_commit(&s.b, tx);
  struct graph_index x = on_name(&s, true), *list;
  uint32_t index, n;
  bool more;
  tx = bench_begin(&s.b);
  assert_int_equal(graph_index_create(tx, &x, &index, &s.b.e), ERR_WAIT);
  assert_ok(graph_step(s.b.g, GRAPH_LOG_WRITER, &more, &s.b.e));
  for (int i = 0; i < 4; i++) assert_ok(graph_step(s.b.g, GRAPH_APPLIER, &more, &s.b.e));
  graph_tx_free(tx);
  sim_disk_cut(s.b.sim);
  bench_close(&s.b);
  sim_disk_power_on(s.b.sim);
  bench_open(&s.b);
  tx = bench_begin(&s.b);
  assert_int_equal(create_in(&s, tx, v_int(5), V_NULL, &id), ERR_WAIT); // the constraint is not judged yet
  assert_ok(graph_settle(s.b.g, &s.b.e));
  assert_int_equal(create_in(&s, tx, v_int(5), V_NULL, &id), ERR_CONSTRAINT);
  graph_tx_free(tx);
  assert_true(graph_stats_indexes(s.b.g, &s.b.arena, &list, &n));
  assert_int_equal(list[0].state, GRAPH_INDEX_ONLINE);
  assert_true(graph_stats_index(s.b.g, list[0].id).distinct == PEOPLE);
  shop_stop(&s);
}

TEST(an_index_that_was_online_before_a_crash_finds_everything_after_it) {
  for (int unique = 0; unique < 2; unique++) {
    struct shop s;
    shop_start(&s);
    for (int i = 0; i < 700; i++) create(&s, v_int(i), v_int(0));
    uint32_t index;
    assert_ok(index_try(&s, on_name(&s, unique), &index));
    assert_ok(graph_settle(s.b.g, &s.b.e)); // filled and judged, and no checkpoint since
    create(&s, v_int(700), v_int(0));
    bench_reopen(&s.b);
    assert_int_equal(count_equal(&s, index), 701);
    shop_stop(&s);
  }
}

TEST(a_constraint_whose_creator_went_away_keeps_writers_out_until_it_is_judged) {
  struct shop s;
  shop_start(&s);
  graph_id id;
  struct graph_index x = on_name(&s, true);
  uint32_t index;
  bool more;
  create(&s, v_int(1), V_NULL);
  struct graph_tx *creator = bench_begin(&s.b), *writer = bench_begin(&s.b);
  assert_int_equal(graph_index_create(creator, &x, &index, &s.b.e), ERR_WAIT);
  assert_int_equal(create_in(&s, writer, v_int(1), V_NULL, &id), ERR_WAIT);
  assert_ok(graph_step(s.b.g, GRAPH_LOG_WRITER, &more, &s.b.e));
  assert_ok(graph_step(s.b.g, GRAPH_APPLIER, &more, &s.b.e));
  graph_tx_free(creator);
  assert_int_equal(create_in(&s, writer, v_int(1), V_NULL, &id), ERR_WAIT);
  assert_ok(graph_settle(s.b.g, &s.b.e));
  assert_int_equal(create_in(&s, writer, v_int(1), V_NULL, &id), ERR_CONSTRAINT);
  graph_tx_free(writer);
  shop_stop(&s);
}

TEST(long_texts_are_found_by_their_whole_and_by_their_beginning) {
  struct shop s;
  shop_start(&s);
  char text[3][3000];
  uint32_t index;
  graph_id ids[8];
  for (int i = 0; i < 3; i++) {
    memset(text[i], 'q', sizeof text[i]);
    text[i][2900] = (char) ('a' + i);
    create(&s, v_str((struct str){text[i], sizeof text[i]}), V_NULL);
  }
  assert_ok(index_try(&s, on_name(&s, true), &index));
  struct graph_tx *tx = bench_begin(&s.b);
  struct value one = v_str((struct str){text[1], sizeof text[1]});
  struct graph_seek q = {.equal = &one, .equal_count = 1};
  assert_int_equal(seek(&s, tx, index, q, ids), 1);
  assert_int_equal(ids[0], 1);
  q = (struct graph_seek){.last = GRAPH_SEEK_PREFIX, .low = v_str((struct str){text[2], 2901})};
  assert_int_equal(seek(&s, tx, index, q, ids), 1);
  q = (struct graph_seek){.last = GRAPH_SEEK_RANGE, .low = one};
  assert_int_equal(seek(&s, tx, index, q, ids), 1);
  assert_int_equal(ids[0], 2);
  assert_int_equal(create_in(&s, tx, one, V_NULL, &ids[0]), ERR_CONSTRAINT);
  graph_tx_free(tx);
  shop_stop(&s);
}

TEST(a_composite_index_answers_its_first_keys_and_a_range_on_the_next) {
  struct shop s;
  shop_start(&s);
  struct graph_index x = on_name(&s, false);
  uint32_t index;
  graph_id ids[64];
  x.keys[1] = s.age;
  x.key_count = 2;
  assert_ok(index_try(&s, x, &index));
  for (int i = 0; i < 12; i++) create(&s, v_int(i % 3), v_int(i));
  create(&s, v_int(1), V_NULL);
  struct graph_tx *tx = bench_begin(&s.b);
  struct value one = v_int(1);
  struct graph_seek q = {.equal = &one, .equal_count = 1, .last = GRAPH_SEEK_EXISTS};
  assert_int_equal(seek(&s, tx, index, q, ids), 4);
  q.last = GRAPH_SEEK_RANGE;
  q.low = v_int(4);
  assert_int_equal(seek(&s, tx, index, q, ids), 2); // 7 and 10
  assert_int_equal(ids[0], 7);
  graph_tx_free(tx);
  shop_stop(&s);
}

TEST(a_unique_constraint_on_relationships_works_like_one_on_nodes) {
  struct shop s;
  shop_start(&s);
  graph_id a = create(&s, v_int(1), V_NULL), rel;
  uint32_t index;
  struct graph_index x = {
      .entity = GRAPH_REL, .label_or_type = s.knows, .keys = {s.age}, .key_count = 1, .constraint = GRAPH_CONSTRAINT_UNIQUE};
  struct graph_property p = {s.age, v_int(3)};
  assert_ok(index_try(&s, x, &index));
  struct graph_tx *tx = bench_begin(&s.b);
  must(&s.b, graph_create_rel(tx, a, a, s.knows, &p, 1, &rel, &s.b.e));
  bench_commit(&s.b, tx);
  tx = bench_begin(&s.b);
  assert_int_equal(graph_create_rel(tx, a, a, s.knows, &p, 1, &rel, &s.b.e), ERR_CONSTRAINT);
  assert_string_equal(s.b.e.message, "Relationship(0) already exists with type `KNOWS` and property `age` = 3");
  bool changed;
  uint64_t rels;
  must(&s.b, graph_detach_delete_node(tx, a, &changed, &rels, &s.b.e));
  graph_id b;
  must(&s.b, create_in(&s, tx, v_int(9), V_NULL, &b));
  must(&s.b, graph_create_rel(tx, b, b, s.knows, &p, 1, &rel, &s.b.e)); // the first is gone
  bench_commit(&s.b, tx);
  shop_stop(&s);
}

static void drop(struct shop *s, uint32_t index) {
  struct graph_tx *tx = bench_begin(&s->b);
  enum err err;
  for (int i = 0; (err = graph_index_drop(tx, index, &s->b.e)) == ERR_WAIT && i < 20; i++)
    assert_ok(graph_settle(s->b.g, &s->b.e));
  must(&s->b, err);
  graph_tx_free(tx);
}

/// Its pages go a moment before everybody knows.
TEST(a_statement_that_begins_while_its_index_is_dropped_is_told_so) {
  struct shop s;
  shop_start(&s);
  create(&s, v_int(1), V_NULL);
  uint32_t index, n;
  assert_ok(index_try(&s, on_name(&s, false), &index));
  struct graph_tx *tx = bench_begin(&s.b);
  struct schema *before = schema_hold(tx->schema);
  drop(&s, index);
  must(&s.b, graph_tx_statement(tx, &s.b.e));
  schema_release(tx->schema);
  tx->schema = before;
  struct value one = v_int(1);
  struct graph_seek q = {.equal = &one, .equal_count = 1};
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct graph_scan scan = {0};
  graph_id ids[2];
  graph_view_enter(v);
  assert_int_equal(graph_index_seek(v, index, &q, &scan, &s.b.arena, ids, 2, &n, &s.b.e), ERR_OUTDATED);
  graph_view_leave(v);
  graph_tx_free(tx);
  shop_stop(&s);
}

TESTS(T(an_index_on_what_is_there_and_on_what_comes_answers_ranges_in_order), T(texts_too_long_for_a_key_are_found_by_a_range),
      T(one_instant_in_several_zones_is_in_order_for_ranges_and_tied_for_who_wants_the_order),
      T(a_unique_constraint_names_label_property_and_value_of_who_was_first),
      T(of_two_merges_under_a_unique_constraint_the_second_waits_and_finds_the_first_ones_node),
      T(a_constraint_over_doubles_cannot_be_created_and_says_which_two),
      T(a_schema_change_waits_for_those_who_write_and_they_for_it), T(population_goes_on_after_a_power_cut_in_its_midst),
      T(an_index_that_was_online_before_a_crash_finds_everything_after_it),
      T(a_constraint_whose_creator_went_away_keeps_writers_out_until_it_is_judged),
      T(long_texts_are_found_by_their_whole_and_by_their_beginning),
      T(a_composite_index_answers_its_first_keys_and_a_range_on_the_next),
      T(a_unique_constraint_on_relationships_works_like_one_on_nodes),
      T(a_statement_that_begins_while_its_index_is_dropped_is_told_so))
