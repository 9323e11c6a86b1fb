// Typed kernels against boxed evaluation on random columns, and the table of functions against cypher's.
#include "base/test.h"

#include <math.h>

#include "base/rng.h"
#include "exec/agg.h"
#include "exec/exec_int.h"
#include "exec/fn.h"
#include "exec/idset.h"
#include "exec/rowbuf.h"
#include "value/compare.h"

enum { ROWS = 300, ROUNDS = 400 };

static struct value random_number(struct rng *r, bool whole) {
  if (rng_chance(r, 1, 8)) return V_NULL;
  int64_t i = (int64_t) rng_below(r, 21) - 10;
  if (whole) return v_int(rng_chance(r, 1, 50) ? INT64_MAX - 10 + i : i);
  return v_float(rng_chance(r, 1, 20) ? NAN : (double) i / 2);
}

/// A column of one type, constant now and then, and its values.
static struct vec random_column(struct rng *r, struct arena *a, struct value *values) {
  struct vec v;
  bool whole = rng_chance(r, 1, 2);
  for (uint32_t i = 0; i < ROWS; i++) values[i] = random_number(r, whole);
  if (rng_chance(r, 1, 4)) {
    for (uint32_t i = 0; i < ROWS; i++) values[i] = values[0];
    assert_ok(vec_const(a, values[0], &v, NULL));
  } else {
    assert_ok(vec_from_values(a, values, ROWS, &v, NULL));
  }
  return v;
}

static void same(struct value a, struct value b) {
  assert_int_equal(a.type, b.type);
  assert_true(value_equivalent(a, b));
}

TEST(typed_arithmetic_is_boxed_arithmetic) {
  static const enum ast_op ops[] = {AST_ADD_OP, AST_SUBTRACT_OP, AST_MULTIPLY_OP, AST_DIVIDE_OP, AST_MODULO_OP, AST_POWER_OP};
  struct exec x = {0};
  struct rng r;
  rng_seed(&r, 11);
  for (int round = 0; round < ROUNDS; round++) {
    struct arena a;
    struct value left[ROWS], right[ROWS], wanted;
    struct vec got;
    arena_init(&a, NULL);
    struct eval c = {.x = &x, .arena = &a};
    struct vec l = random_column(&r, &a, left), s = random_column(&r, &a, right);
    enum ast_op op = ops[rng_below(&r, ARRAY_SIZE(ops))];
    bool constant = l.constant && s.constant;
    enum err err = eval_arithmetic(&c, op, &l, &s, constant ? 1 : ROWS, &got), first = ERR_OK;
    for (uint32_t i = 0; i < (constant ? 1 : ROWS) && first == ERR_OK; i++) {
      first = value_arithmetic(&c, op, left[i], right[i], &wanted);
      if (err == ERR_OK) same(vec_get(&got, i), wanted);
    }
    assert_int_equal(err, first);
    arena_done(&a);
  }
}

TEST(typed_comparison_is_boxed_comparison) {
  static const enum ast_op ops[] = {AST_EQ_OP, AST_NE_OP, AST_LT_OP, AST_LE_OP, AST_GT_OP, AST_GE_OP};
  struct exec x = {0};
  struct rng r;
  rng_seed(&r, 12);
  for (int round = 0; round < ROUNDS; round++) {
    struct arena a;
    struct value left[ROWS], right[ROWS];
    struct vec got;
    arena_init(&a, NULL);
    struct eval c = {.x = &x, .arena = &a};
    struct vec l = random_column(&r, &a, left), s = random_column(&r, &a, right);
    enum ast_op op = ops[rng_below(&r, ARRAY_SIZE(ops))];
    if (l.constant && s.constant) {
      arena_done(&a);
      continue;
    }
    assert_ok(eval_comparison(&c, op, &l, &s, ROWS, &got));
    for (uint32_t i = 0; i < ROWS; i++) {
      enum ternary t = op <= AST_NE_OP ? value_equals(left[i], right[i]) : value_compare((enum value_comparison) (op - AST_LT_OP), left[i], right[i]);
      if (op == AST_NE_OP) t = ternary_not(t);
      same(vec_get(&got, i), ternary_value(t));
    }
    arena_done(&a);
  }
}

TEST(every_function_has_one_implementation) {
  static const enum cypher_function_id missing[] = {CYPHER_FN_DB_NAME_FROM_ELEMENT_ID, CYPHER_FN_GENAI_VECTOR_ENCODE, CYPHER_FN_GRAPH_NAMES,
                                                    CYPHER_FN_GRAPH_PROPERTIES_BY_NAME, CYPHER_FN_GRAPH_BY_ELEMENT_ID, CYPHER_FN_GRAPH_BY_NAME,
                                                    CYPHER_FN_FILE, CYPHER_FN_LINENUMBER};
  for (uint32_t id = 0; id < CYPHER_FUNCTION_COUNT; id++) {
    const struct cypher_function *f = cypher_function_of(id);
    bool refused = id == CYPHER_FN_COALESCE; // done by the engine itself
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++) refused |= missing[i] == id;
    int found = (fn_table[id].scalar != NULL) + (fn_table[id].columns != NULL);
    if (f->flags & CYPHER_AGGREGATING) {
      struct ast call = {.kind = AST_FUNCTION};
      struct ast arguments[2] = {{.kind = AST_LITERAL, .next = &arguments[1]}, {.kind = AST_LITERAL}};
      struct agg_function aggregate;
      call.function.signature = f;
      call.function.arguments = (struct ast_list){&arguments[0], &arguments[1], 2};
      found += agg_function_of(&call, &aggregate, NULL) == ERR_OK;
    }
    if (found != !refused) print_message("%s()\n", f->name);
    assert_int_equal(found, !refused);
  }
}

TEST(an_idset_holds_what_was_added) {
  struct idset s;
  struct rng r;
  bool is_new;
  rng_seed(&r, 5);
  idset_init(&s, NULL);
  for (int i = 0; i < 2000; i++) {
    uint64_t id = rng_below(&r, 3) == 0 ? rng_below(&r, UINT64_C(1) << 40) : rng_below(&r, 100000);
    bool had = idset_has(&s, id);
    assert_ok(idset_add(&s, id, &is_new, NULL));
    assert_int_equal(is_new, !had);
    assert_true(idset_has(&s, id));
  }
  idset_done(&s);
}

TEST(a_rowset_finds_rows_by_equivalence) {
  struct rowbuf rows;
  struct rowset set;
  rowbuf_init(&rows, NULL, 2);
  rowset_init(&set, &rows, 1, true, NULL);
  for (int64_t i = 0; i < 1000; i++) {
    struct value cells[2] = {i % 3 == 0 ? v_float((double) (i % 100)) : v_int(i % 100), v_int(i)};
    assert_ok(rowbuf_add(&rows, 0, cells, NULL));
    assert_ok(rowset_put(&set, rowset_hash(0, cells, 1), (uint32_t) i, NULL));
  }
  struct value key = v_int(42);
  uint32_t n = 0;
  for (uint32_t row = rowset_find(&set, rowset_hash(0, &key, 1), 0, &key); row != UINT32_MAX; row = rowset_next(&set, row)) {
    assert_int_equal(rowbuf_row(&rows, row)[1].i % 100, 42);
    n++;
  }
  assert_int_equal(n, 10);
  assert_int_equal(rowset_find(&set, rowset_hash(1, &key, 1), 1, &key), UINT32_MAX);
  rowset_done(&set);
  rowbuf_done(&rows);
}

TESTS(T(typed_arithmetic_is_boxed_arithmetic), T(typed_comparison_is_boxed_comparison), T(every_function_has_one_implementation),
      T(an_idset_holds_what_was_added), T(a_rowset_finds_rows_by_equivalence))
