// Digests of the state: equal where members hold the same, however it lies in pages, and different as soon as anything differs.
#include <string.h>

#include "graph/digest.h"
#include "graph/graph_int.h"
#include "graph/test_bench_int.h"
#include "graph/test_damage.h"
#include "value/temporal.h"

struct town {
  struct bench b;
  graph_token person, friendly, knows, name, age;
  graph_id ann, bob, rel;
};

/// The next range, digested.
static struct digest_result next(struct bench *b) {
  struct digest_result r;
  must(b, graph_digest_ask(b->g, 1, &b->e));
  assert_ok(graph_settle(b->g, &b->e));
  graph_digest_last(b->g, &r);
  return r;
}

/// Of everything: a range of nodes, one of relationships, the names.
static uint64_t digest(struct bench *b) {
  uint64_t sum = 0;
  for (int of = DIGEST_NODES; of <= DIGEST_NAMES; of++) {
    struct digest_result r = next(b);
    assert_int_equal(r.range.of, of);
    assert_true(r.digest != 0);
    sum = sum * 31 + r.digest;
  }
  return sum;
}

static void town_begin(struct town *t) {
  bench_start(&t->b);
  t->person = bench_token(&t->b, GRAPH_LABEL, "Person");
  t->friendly = bench_token(&t->b, GRAPH_LABEL, "Friendly");
  t->knows = bench_token(&t->b, GRAPH_TYPE, "KNOWS");
  t->name = bench_token(&t->b, GRAPH_KEY, "name");
  t->age = bench_token(&t->b, GRAPH_KEY, "age");
}

static void found(struct town *t, struct value name, int64_t age) {
  struct graph_property p[] = {{t->name, name}, {t->age, v_int(age)}};
  struct graph_tx *tx = bench_begin(&t->b);
  must(&t->b, graph_create_node(tx, &t->person, 1, p, 2, &t->ann, &t->b.e));
  must(&t->b, graph_create_node(tx, &t->person, 1, NULL, 0, &t->bob, &t->b.e));
  must(&t->b, graph_create_rel(tx, t->ann, t->bob, t->knows, &p[1], 1, &t->rel, &t->b.e));
  bench_commit(&t->b, tx);
}

static void town_start(struct town *t) {
  town_begin(t);
  found(t, v_str(STR("Ann")), 40);
}

static void set(struct town *t, enum graph_kind kind, graph_id id, graph_token key, struct value v) {
  bool changed;
  struct graph_tx *tx = bench_begin(&t->b);
  must(&t->b, graph_set_property(tx, kind, id, key, v, &changed, &t->b.e));
  bench_commit(&t->b, tx);
}

static struct value text_of(struct town *t, size_t bytes, char last) {
  char *text = arena_alloc(&t->b.arena, bytes);
  assert_non_null(text);
  memset(text, 'x', bytes);
  text[bytes - 1] = last;
  return v_str((struct str){text, bytes});
}

TEST(equal_states_have_equal_digests_wherever_in_pages_they_lie) {
  struct town straight, winding;
  town_start(&straight);
  town_begin(&winding);
  found(&winding, text_of(&winding, 5000, 'y'), 1);
  assert_ok(graph_checkpoint(winding.b.g, &winding.b.e));
  set(&winding, GRAPH_NODE, winding.ann, winding.name, V_NULL);
  bench_reopen(&winding.b);
  set(&winding, GRAPH_REL, winding.rel, winding.name, text_of(&winding, 100, 'z')); // no more in its record
  set(&winding, GRAPH_NODE, winding.ann, winding.age, v_int(40));
  set(&winding, GRAPH_NODE, winding.ann, winding.name, v_str(STR("Ann")));
  set(&winding, GRAPH_REL, winding.rel, winding.age, v_int(40));
  set(&winding, GRAPH_REL, winding.rel, winding.name, V_NULL);
  assert_true(digest(&straight.b) == digest(&winding.b));
  bench_stop(&straight.b);
  bench_stop(&winding.b);
}

// ---- every change shows ----

typedef void change_fn(struct town *t, struct graph_tx *tx);

static void change_property(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_set_property(tx, GRAPH_NODE, t->ann, t->age, v_int(41), &(bool){0}, &t->b.e));
}
static void remove_property(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_set_property(tx, GRAPH_NODE, t->ann, t->age, V_NULL, &(bool){0}, &t->b.e));
}
static void move_property(struct town *t, struct graph_tx *tx) {
  remove_property(t, tx);
  must(&t->b, graph_set_property(tx, GRAPH_NODE, t->bob, t->age, v_int(40), &(bool){0}, &t->b.e));
}
static void add_label(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_add_label(tx, t->bob, t->friendly, &(bool){0}, &t->b.e));
}
static void remove_label(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_remove_label(tx, t->bob, t->person, &(bool){0}, &t->b.e));
}
static void add_node(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_create_node(tx, NULL, 0, NULL, 0, &(graph_id){0}, &t->b.e));
}
static void remove_node(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_detach_delete_node(tx, t->bob, &(bool){0}, &(uint64_t){0}, &t->b.e));
}
static void change_rel(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_set_property(tx, GRAPH_REL, t->rel, t->age, v_int(41), &(bool){0}, &t->b.e));
}
static void add_rel(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_create_rel(tx, t->bob, t->ann, t->knows, NULL, 0, &(graph_id){0}, &t->b.e));
}
static void remove_rel(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_delete_rel(tx, t->rel, &(bool){0}, &t->b.e));
}
static void add_name(struct town *t, struct graph_tx *tx) {
  must(&t->b, graph_token_make(tx, GRAPH_KEY, STR("new"), &(graph_token){0}, &t->b.e));
}
static void add_index(struct town *t, struct graph_tx *tx) {
  struct graph_index x = {.name = STR("ages"), .label_or_type = t->person, .keys = {t->age}, .key_count = 1};
  must(&t->b, graph_index_create(tx, &x, &(uint32_t){0}, &t->b.e));
}

TEST(whatever_differs_shows) {
  static change_fn *const changes[] = {change_property, remove_property, move_property, add_label,  remove_label, add_node,
                                       remove_node,     change_rel,      add_rel,       remove_rel, add_name,     add_index};
  uint64_t seen[ARRAY_SIZE(changes) + 1];
  for (size_t i = 0; i <= ARRAY_SIZE(changes); i++) {
    struct town t;
    town_start(&t);
    if (i > 0) {
      struct graph_tx *tx = bench_begin(&t.b);
      changes[i - 1](&t, tx);
      bench_commit(&t.b, tx);
    }
    seen[i] = digest(&t.b);
    for (size_t k = 0; k < i; k++)
      if (seen[k] == seen[i]) fail_msg("changes %zu and %zu look the same", k, i);
    bench_stop(&t.b);
  }
}

TEST(values_of_every_type_show) {
  struct town t;
  town_start(&t);
  struct value duration, items[] = {v_int(1), v_int(2)}, swapped[] = {v_int(2), v_int(1)};
  assert_ok(v_duration(&t.b.arena, (struct value_duration){.days = 3}, &duration, &t.b.e));
  struct value_point flat = {.srid = 7203, .x = 1, .y = 2}, deep = {.srid = 9157, .x = 1, .y = 2, .z = 3};
  struct value values[] = {v_bool(false),
                           v_bool(true),
                           v_int(1),
                           v_float(1),
                           v_float(-0.0),
                           v_float(0.0),
                           v_str(STR("")),
                           v_str(STR("1")),
                           v_bytes("1", 1),
                           v_list(items, 2),
                           v_list(swapped, 2),
                           v_date(1),
                           v_local_time(1),
                           v_time(1, 0),
                           v_time(1, 3600),
                           v_local_datetime(1, 0),
                           v_datetime(1, 0, ZONE_UTC),
                           duration,
                           {.type = VALUE_POINT, .point = &flat},
                           {.type = VALUE_POINT, .point = &deep},
                           text_of(&t, 5000, 'a'),
                           text_of(&t, 5000, 'b'),
                           text_of(&t, 5001, 'b')};
  uint64_t seen[ARRAY_SIZE(values)];
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    set(&t, GRAPH_NODE, t.bob, t.name, values[i]);
    seen[i] = digest(&t.b);
    for (size_t k = 0; k < i; k++)
      if (seen[k] == seen[i]) fail_msg("values %zu and %zu look the same", k, i);
  }
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    set(&t, GRAPH_NODE, t.bob, t.name, values[i]);
    assert_true(digest(&t.b) == seen[i]);
  }
  bench_stop(&t.b);
}

// ---- as of which entry ----

TEST(a_digest_is_of_what_its_entry_follows_whatever_is_applied_with_it) {
  struct town t;
  town_start(&t);
  uint64_t before = next(&t.b).digest;
  (void) next(&t.b), (void) next(&t.b);
  must(&t.b, graph_digest_ask(t.b.g, 1, &t.b.e));
  uint64_t id;
  struct graph_tx *tx = bench_begin(&t.b);
  change_property(&t, tx);
  assert_int_equal(graph_tx_commit(tx, &id, &t.b.e), ERR_WAIT);
  bench_commit(&t.b, tx);
  struct digest_result r;
  graph_digest_last(t.b.g, &r);
  assert_int_equal(r.range.of, DIGEST_NODES);
  assert_true(r.digest == before);
  bench_stop(&t.b);
}

TEST(what_changes_while_a_digest_is_added_up_is_not_in_it) {
  struct town t;
  town_start(&t);
  uint64_t before = next(&t.b).digest;
  (void) next(&t.b), (void) next(&t.b);
  bool more = true;
  must(&t.b, graph_digest_ask(t.b.g, 1, &t.b.e));
  assert_ok(graph_step(t.b.g, GRAPH_LOG_WRITER, &more, &t.b.e));
  assert_ok(graph_step(t.b.g, GRAPH_APPLIER, &more, &t.b.e));
  damage_property(t.b.g, t.ann, t.age, 77);
  assert_ok(graph_settle(t.b.g, &t.b.e));
  struct digest_result r;
  graph_digest_last(t.b.g, &r);
  assert_true(r.digest == before);
  bench_stop(&t.b);
}

// ---- one range after the other ----

TEST(all_ids_are_gone_through_in_ranges_and_then_nothing_is_asked_until_something_changes) {
  static const struct digest_range expected[] = {{DIGEST_NODES, 0, 4}, {DIGEST_NODES, 4, 8}, {DIGEST_NODES, 8, 10},
                                                 {DIGEST_RELS, 0, 1},  {DIGEST_NAMES, 0, 0}, {DIGEST_NODES, 0, 4}};
  struct town t = {.b.digest_range_ids = 4};
  uint64_t entities = 0;
  bench_make(&t.b);
  t.knows = bench_token(&t.b, GRAPH_TYPE, "KNOWS");
  struct graph_tx *tx = bench_begin(&t.b);
  for (int i = 0; i < 10; i++) must(&t.b, graph_create_node(tx, NULL, 0, NULL, 0, &t.ann, &t.b.e));
  must(&t.b, graph_create_rel(tx, t.ann, t.ann, t.knows, NULL, 0, &t.rel, &t.b.e));
  bench_commit(&t.b, tx);
  for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
    if (i == 5) {
      assert_false(graph_digest_is_due(t.b.g));
      t.age = bench_token(&t.b, GRAPH_KEY, "age");
    }
    assert_true(graph_digest_is_due(t.b.g));
    struct digest_result r = next(&t.b);
    assert_int_equal(r.range.of, expected[i].of);
    assert_int_equal(r.range.from, expected[i].from);
    assert_int_equal(r.range.to, expected[i].to);
    if (i < 4) entities += r.entities;
  }
  while (graph_digest_is_due(t.b.g)) (void) next(&t.b);
  graph_digest_again(t.b.g); // nothing has changed, but somebody is new
  assert_true(graph_digest_is_due(t.b.g));
  assert_int_equal(next(&t.b).range.from, 0);
  assert_int_equal(entities, 11);
  struct graph_counters c;
  graph_counters(t.b.g, &c);
  assert_int_equal(c.digests, 2 * ARRAY_SIZE(expected) - 1);
  bench_stop(&t.b);
}

TEST(a_request_that_makes_no_sense_is_passed_by) {
  uint8_t good[DIGEST_REQUEST_BYTES], bad[DIGEST_REQUEST_BYTES];
  struct digest_request request = {{DIGEST_RELS, 7, 9}, 5}, back;
  digest_request_put(good, &request);
  assert_true(digest_request_get((struct str){(char *) good, sizeof good}, &back));
  assert_int_equal(back.range.of, DIGEST_RELS);
  assert_int_equal(back.range.from, 7);
  assert_int_equal(back.range.to, 9);
  assert_int_equal(back.voters, 5);
  assert_false(digest_request_get((struct str){(char *) good, sizeof good - 1}, &back));
  static const struct {
    size_t at;
    uint8_t byte;
  } cases[] = {{0, 2}, {2, 0}, {2, DIGEST_OF_MAX}, {8, 10}, {22, 1}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    memcpy(bad, good, sizeof bad);
    bad[cases[i].at] = cases[i].byte;
    assert_false(digest_request_get((struct str){(char *) bad, sizeof bad}, &back));
  }
}

// ---- damage ----

TEST(what_was_changed_behind_the_back_shows) {
  struct town t;
  town_start(&t);
  uint64_t before = digest(&t.b);
  damage_property(t.b.g, t.ann, t.age, 41);
  assert_true(digest(&t.b) != before);
  damage_property(t.b.g, t.ann, t.age, 40);
  assert_true(digest(&t.b) == before);
  bench_stop(&t.b);
}

/// Every page of the file but the superblocks has a wrong byte.
static void spoil(struct bench *b) {
  for (uint64_t at = 64 << 10; sim_disk_flip(b->sim, "db/store.pages", at + 100, 1); at += PAGE_BYTES) {
  }
}

TEST(what_cannot_be_read_any_more_has_no_digest) {
  struct town t;
  town_start(&t);
  graph_id id = 0;
  for (int i = 0; i < 20; i++) { // as much as does not stay in memory
    struct graph_tx *tx = bench_begin(&t.b);
    for (int k = 0; k < 100; k++) {
      struct graph_property p = {t.name, text_of(&t, 900, 'a')};
      must(&t.b, graph_create_node(tx, &t.person, 1, &p, 1, &id, &t.b.e));
    }
    bench_commit(&t.b, tx);
  }
  assert_ok(graph_checkpoint(t.b.g, &t.b.e));
  bench_reopen(&t.b);
  spoil(&t.b);
  struct digest_result r;
  must(&t.b, graph_digest_ask(t.b.g, 1, &t.b.e));
  assert_ok(graph_settle(t.b.g, &t.b.e));
  graph_digest_last(t.b.g, &r);
  assert_true(r.index > 0);
  assert_int_equal(r.digest, 0);
  bench_stop(&t.b);
}

TESTS(T(equal_states_have_equal_digests_wherever_in_pages_they_lie), T(whatever_differs_shows), T(values_of_every_type_show),
      T(a_digest_is_of_what_its_entry_follows_whatever_is_applied_with_it),
      T(what_changes_while_a_digest_is_added_up_is_not_in_it),
      T(all_ids_are_gone_through_in_ranges_and_then_nothing_is_asked_until_something_changes),
      T(a_request_that_makes_no_sense_is_passed_by), T(what_was_changed_behind_the_back_shows),
      T(what_cannot_be_read_any_more_has_no_digest))
