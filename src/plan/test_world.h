// An invented database for the planner's tests: what is in it is said in the table of `world_*`.
//
//   10,000 nodes: 5,000 :Person (unique id; index on name; index on (city, age)), 50 :City (index on name), 4,000 :Post
//   indexes of relationships: LIKES on name; KNOWS unique on id
//   KNOWS 50,000 (:Person)-[:KNOWS]->(:Person)      LIVES_IN 5,000 (:Person)-[:LIVES_IN]->(:City)
//   LIKES 20,000 (:Person)-[:LIKES]->(:Post)        OWNS 10 (:Person)-[:OWNS]->(:City)
#pragma once

#include "base/buf.h"
#include "base/test.h"
#include "cypher/check.h"
#include "cypher/parse.h"
#include "cypher/rewrite.h"
#include "plan/explain.h"
#include "plan/plan.h"

enum { PERSON, CITY, POST };
enum { KNOWS, LIVES_IN, LIKES, OWNS };
enum { KEY_ID, KEY_NAME, KEY_CITY, KEY_AGE };

static inline bool world_find_token(void *context, enum graph_token_kind kind, struct str name, graph_token *ret) {
  static const char *const labels[] = {"Person", "City", "Post"}, *const types[] = {"KNOWS", "LIVES_IN", "LIKES", "OWNS"},
                           *const keys[] = {"id", "name", "city", "age"};
  const char *const *names = kind == GRAPH_LABEL ? labels : kind == GRAPH_TYPE ? types : keys;
  for (graph_token i = 0; i < (kind == GRAPH_LABEL ? 3u : 4u); i++)
    if (str_eqz(name, names[i])) {
      *ret = i;
      return true;
    }
  return false;
}
static inline uint64_t world_version(void *context) {
  return 1;
}
static inline double world_nodes(void *context, graph_token label) {
  return label == GRAPH_ANY ? 10000 : label == PERSON ? 5000 : label == CITY ? 50 : label == POST ? 4000 : 0;
}
static inline double world_rels(void *context, graph_token start, graph_token type, graph_token end) {
  static const struct {
    graph_token start, end;
    double count;
  } all[] = {[KNOWS] = {PERSON, PERSON, 50000}, [LIVES_IN] = {PERSON, CITY, 5000}, [LIKES] = {PERSON, POST, 20000}, [OWNS] = {PERSON, CITY, 10}};
  double sum = 0;
  for (graph_token t = 0; t < ARRAY_SIZE(all); t++)
    if ((type == GRAPH_ANY || type == t) && (start == GRAPH_ANY || start == all[t].start) && (end == GRAPH_ANY || end == all[t].end))
      sum += all[t].count;
  return sum;
}
static inline double world_by_type(void *context, graph_token type, enum graph_direction direction) {
  return 1000;
}
static inline bool world_indexes(void *context, struct arena *a, struct graph_index **ret, uint32_t *ret_n) {
  static const struct graph_index all[] = {
      {.id = 1, .index_kind = GRAPH_INDEX_RANGE, .constraint = GRAPH_CONSTRAINT_UNIQUE, .entity = GRAPH_NODE, .label_or_type = PERSON,
       .keys = {KEY_ID}, .key_count = 1, .state = GRAPH_INDEX_ONLINE},
      {.id = 2, .index_kind = GRAPH_INDEX_RANGE, .entity = GRAPH_NODE, .label_or_type = PERSON, .keys = {KEY_NAME}, .key_count = 1,
       .state = GRAPH_INDEX_ONLINE},
      {.id = 3, .index_kind = GRAPH_INDEX_RANGE, .entity = GRAPH_NODE, .label_or_type = PERSON, .keys = {KEY_CITY, KEY_AGE}, .key_count = 2,
       .state = GRAPH_INDEX_ONLINE},
      {.id = 4, .index_kind = GRAPH_INDEX_RANGE, .entity = GRAPH_NODE, .label_or_type = CITY, .keys = {KEY_NAME}, .key_count = 1,
       .state = GRAPH_INDEX_ONLINE},
      {.id = 5, .index_kind = GRAPH_INDEX_RANGE, .entity = GRAPH_NODE, .label_or_type = CITY, .keys = {KEY_ID}, .key_count = 1,
       .state = GRAPH_INDEX_POPULATING},
      {.id = 6, .index_kind = GRAPH_INDEX_RANGE, .entity = GRAPH_REL, .label_or_type = LIKES, .keys = {KEY_NAME}, .key_count = 1,
       .state = GRAPH_INDEX_ONLINE},
      {.id = 7, .index_kind = GRAPH_INDEX_RANGE, .constraint = GRAPH_CONSTRAINT_UNIQUE, .entity = GRAPH_REL, .label_or_type = KNOWS,
       .keys = {KEY_ID}, .key_count = 1, .state = GRAPH_INDEX_ONLINE},
  };
  *ret = arena_copy(a, all, sizeof all);
  *ret_n = ARRAY_SIZE(all);
  return *ret != NULL;
}
static inline struct graph_index_stats world_index(void *context, uint32_t index) {
  static const struct graph_index_stats all[] = {[1] = {5000, 5000}, [2] = {5000, 1000}, [3] = {5000, 4000}, [4] = {50, 50}, [5] = {0, 0}, [6] = {20000, 500}, [7] = {50000, 50000}};
  return all[index];
}

static const struct plan_catalog world = {world_find_token, world_version, world_version, world_nodes, world_rels,
                                          world_by_type,    world_by_type, world_indexes, world_index, NULL};

/// Plans `text`; `*ret` is the plan also where it fails.
static inline enum err world_plan(struct str text, const struct plan_options *options, struct plan **ret, struct error *e) {
  struct ast_statement *s;
  TRY(plan_new(NULL, ret, e));
  TRY(cypher_parse(plan_arena(*ret), text, NULL, &s, e));
  TRY(cypher_check(s, NULL, e));
  TRY(cypher_rewrite(s, e));
  return plan_build(*ret, s, options, e);
}

static inline struct plan *world_plan_ok(const char *text) {
  struct plan_options options = {.catalog = &world};
  struct error e = ERROR_INIT;
  struct plan *p = NULL;
  enum err err = world_plan(str_of(text), &options, &p, &e);
  if (err != ERR_OK) print_message("%s\n%s\n", text, e.message);
  assert_ok(err);
  return p;
}

/// Compares the short text of a plan; prints both where they differ.
static inline void assert_plan_text(struct plan *p, const char *text, const char *expected) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_ok(plan_print(p, &out));
  bool same = str_eq((struct str){out.data, out.len}, str_of(expected));
  if (!same) print_message("%s\nplanned:\n%.*sexpected:\n%s", text, (int) out.len, out.data, expected);
  assert_true(same);
}

static inline void assert_plan(const char *text, const char *expected) {
  struct plan *p = world_plan_ok(text);
  assert_plan_text(p, text, expected);
  plan_unref(p);
}
