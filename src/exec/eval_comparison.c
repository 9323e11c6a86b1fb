// = <> < <= > >=, IN, STARTS WITH, ENDS WITH, CONTAINS over columns.
#include "exec/eval.h"
#include "exec/exec_int.h"
#include "exec/kernel_int.h"
#include "value/compare.h"

#define COMPARE_KERNELS(suffix, type, member)                                                                              \
  static void compare_##suffix(enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, uint8_t *out) {       \
    switch (op) {                                                                                                          \
    case AST_EQ_OP: KERNEL_LOOP(type, member, type, member, out[i] = x == y); break;                                       \
    case AST_NE_OP: KERNEL_LOOP(type, member, type, member, out[i] = x != y); break;                                       \
    case AST_LT_OP: KERNEL_LOOP(type, member, type, member, out[i] = x < y); break;                                        \
    case AST_LE_OP: KERNEL_LOOP(type, member, type, member, out[i] = x <= y); break;                                       \
    case AST_GT_OP: KERNEL_LOOP(type, member, type, member, out[i] = x > y); break;                                        \
    default: KERNEL_LOOP(type, member, type, member, out[i] = x >= y); break;                                              \
    }                                                                                                                      \
  }
COMPARE_KERNELS(ints, int64_t, i)
COMPARE_KERNELS(floats, double, f)
COMPARE_KERNELS(bools, uint8_t, b)

static void compare_ids(enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, uint8_t *out) {
  uint8_t differs = op == AST_NE_OP;
  KERNEL_LOOP(uint64_t, id, uint64_t, id, out[i] = (x == y) ^ differs);
}

static void compare_texts(enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, uint8_t *out) {
  switch (op) {
  case AST_EQ_OP: KERNEL_LOOP(struct str, s, struct str, s, out[i] = str_eq(x, y)); break;
  case AST_NE_OP: KERNEL_LOOP(struct str, s, struct str, s, out[i] = !str_eq(x, y)); break;
  case AST_LT_OP: KERNEL_LOOP(struct str, s, struct str, s, out[i] = str_cmp(x, y) < 0); break;
  case AST_LE_OP: KERNEL_LOOP(struct str, s, struct str, s, out[i] = str_cmp(x, y) <= 0); break;
  case AST_GT_OP: KERNEL_LOOP(struct str, s, struct str, s, out[i] = str_cmp(x, y) > 0); break;
  default: KERNEL_LOOP(struct str, s, struct str, s, out[i] = str_cmp(x, y) >= 0); break;
  }
}

static enum ternary compare_one(enum ast_op op, struct value l, struct value r) {
  switch (op) {
  case AST_EQ_OP: return value_equals(l, r);
  case AST_NE_OP: return ternary_not(value_equals(l, r));
  case AST_LT_OP: return value_compare(VALUE_LESS, l, r);
  case AST_LE_OP: return value_compare(VALUE_LESS_OR_EQUAL, l, r);
  case AST_GT_OP: return value_compare(VALUE_GREATER, l, r);
  default: return value_compare(VALUE_GREATER_OR_EQUAL, l, r);
  }
}

static void put_ternary(struct vec *ret, uint32_t i, enum ternary t) {
  ret->b[i] = t == TERNARY_TRUE;
  ret->nulls[i] = t == TERNARY_NULL;
  ret->has_nulls |= t == TERNARY_NULL;
}

static void compare_any(enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  for (uint32_t i = 0; i < n; i++) put_ternary(ret, i, compare_one(op, vec_get(l, i), vec_get(r, i)));
}

enum err eval_comparison(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  TRY(vec_alloc(c->arena, VEC_BOOL, n, ret, c->error));
  bool is_equality = op == AST_EQ_OP || op == AST_NE_OP;
  bool typed = l->kind == r->kind && l->kind != VEC_ANY && (is_equality || (l->kind != VEC_NODE && l->kind != VEC_REL));
  if (!typed) {
    compare_any(op, l, r, n, ret);
    return ERR_OK;
  }
  switch (l->kind) {
  case VEC_BOOL: compare_bools(op, l, r, n, ret->b); break;
  case VEC_I64: compare_ints(op, l, r, n, ret->b); break;
  case VEC_F64: compare_floats(op, l, r, n, ret->b); break;
  case VEC_STR: compare_texts(op, l, r, n, ret->b); break;
  default: compare_ids(op, l, r, n, ret->b); break;
  }
  kernel_nulls(l, r, n, ret);
  if (ret->has_nulls)
    for (uint32_t i = 0; i < n; i++) ret->b[i] &= ret->nulls[i] ^ 1;
  return ERR_OK;
}

/// A list without nulls whose items are all integers or all text, sorted: where one list is searched for many rows.
static bool is_simple_list(struct value list, enum value_type *ret_type) {
  if (list.type != VALUE_LIST || list.len == 0) return false;
  *ret_type = list.items[0].type;
  if (*ret_type != VALUE_INT && *ret_type != VALUE_STRING) return false;
  for (uint32_t i = 1; i < list.len; i++)
    if (list.items[i].type != *ret_type) return false;
  return true;
}

/// `item IN [constants]` by a hash table: one look-up a row instead of a walk along the list.
static enum err membership_hashed(struct eval *c, const struct vec *item, struct value list, uint32_t n, struct vec *ret) {
  uint32_t capacity = 16;
  while (capacity < list.len * 2) capacity *= 2;
  uint32_t *slots = arena_zalloc(c->arena, capacity * sizeof *slots);
  if (slots == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < list.len; i++) {
    uint64_t at = value_hash(list.items[i]);
    while (slots[at & (capacity - 1)] != 0) at++;
    slots[at & (capacity - 1)] = i + 1;
  }
  for (uint32_t i = 0; i < n; i++) {
    struct value v = vec_get(item, i);
    enum ternary found = v_is_null(v) ? TERNARY_NULL : TERNARY_FALSE;
    for (uint64_t at = value_hash(v); found == TERNARY_FALSE && slots[at & (capacity - 1)] != 0; at++)
      if (value_equals(list.items[slots[at & (capacity - 1)] - 1], v) == TERNARY_TRUE) found = TERNARY_TRUE;
    put_ternary(ret, i, found);
  }
  return ERR_OK;
}

enum { MEMBERSHIP_HASH_MIN_ITEMS = 16, MEMBERSHIP_HASH_MAX_ITEMS = 1 << 30 };

enum err eval_membership(struct eval *c, const struct vec *item, const struct vec *list, uint32_t n, struct vec *ret) {
  TRY(vec_alloc(c->arena, VEC_BOOL, n, ret, c->error));
  enum value_type type;
  if (list->constant && n > 1) {
    struct value one = vec_get(list, 0);
    if (one.len >= MEMBERSHIP_HASH_MIN_ITEMS && one.len < MEMBERSHIP_HASH_MAX_ITEMS && is_simple_list(one, &type))
      return membership_hashed(c, item, one, n, ret);
  }
  for (uint32_t i = 0; i < n; i++) {
    struct value in = vec_get(list, i);
    if (in.type != VALUE_LIST && in.type != VALUE_BYTES && in.type != VALUE_NULL) {
      struct str text = value_describe(c->arena, in);
      return error_set(c->error, ERR_TYPE, "Type mismatch: expected List<Any> but was %.*s", STR_ARG(text));
    }
    put_ternary(ret, i, v_is_null(in) ? TERNARY_NULL : value_in_list(vec_get(item, i), in));
  }
  return ERR_OK;
}

static bool text_holds(enum ast_op op, struct str l, struct str r) {
  if (op == AST_STARTS_WITH_OP) return str_starts(l, r);
  if (op == AST_ENDS_WITH_OP) return str_ends(l, r);
  return r.len == 0 || str_find(l, r) >= 0;
}

enum err eval_text_predicate(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  TRY(vec_alloc(c->arena, VEC_BOOL, n, ret, c->error));
  if (l->kind == VEC_STR && r->kind == VEC_STR && !l->has_nulls && !r->has_nulls) {
    uint8_t *out = ret->b;
    KERNEL_LOOP(struct str, s, struct str, s, out[i] = text_holds(op, x, y));
    return ERR_OK;
  }
  // What is no text gives null: 1 STARTS WITH 'a' (openCypher).
  for (uint32_t i = 0; i < n; i++) {
    struct value x = vec_get(l, i), y = vec_get(r, i);
    bool texts = x.type == VALUE_STRING && y.type == VALUE_STRING;
    put_ternary(ret, i, texts ? ternary_of(text_holds(op, v_text(x), v_text(y))) : TERNARY_NULL);
  }
  return ERR_OK;
}
