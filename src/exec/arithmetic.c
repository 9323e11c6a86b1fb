// Arithmetic on single values: numbers, text and list concatenation, temporal values.
#include <math.h>
#include <string.h>

#include "exec/eval.h"
#include "exec/exec_int.h"
#include "value/text.h"
#include "value/weight.h"

const char *value_class_name(struct value v) {
  static const char *const names[VALUE_TYPE_MAX] = {
      [VALUE_NULL] = "NO_VALUE",   [VALUE_BOOL] = "Boolean",   [VALUE_INT] = "Long",       [VALUE_FLOAT] = "Double",
      [VALUE_STRING] = "String",   [VALUE_BYTES] = "ByteArray", [VALUE_LIST] = "List",      [VALUE_MAP] = "Map",
      [VALUE_NODE] = "Node",       [VALUE_REL] = "Relationship", [VALUE_PATH] = "Path",     [VALUE_DATE] = "Date",
      [VALUE_LOCAL_TIME] = "LocalTime", [VALUE_TIME] = "Time", [VALUE_LOCAL_DATETIME] = "LocalDateTime",
      [VALUE_DATETIME] = "DateTime", [VALUE_DURATION] = "Duration", [VALUE_POINT] = "Point",
  };
  return names[v.type];
}

enum { DESCRIBE_TEXT_MAX = 100, DESCRIBE_ITEMS_MAX = 10, DESCRIBE_DEPTH_MAX = 3 };

static struct str describe(struct arena *a, struct value v, int depth);

static struct str describe_items(struct arena *a, struct value v, int depth) {
  struct str text = STR("");
  for (uint32_t i = 0; i < v.len && text.ptr != NULL; i++) {
    if (i == DESCRIBE_ITEMS_MAX) return arena_printf(a, "%.*s, ...", STR_ARG(text));
    struct str item = v.type == VALUE_LIST ? describe(a, v.items[i], depth + 1) : describe(a, v.entries[i].value, depth + 1);
    if (item.ptr == NULL) return item;
    const char *comma = i == 0 ? "" : ", ";
    text = v.type == VALUE_LIST
               ? arena_printf(a, "%.*s%s%.*s", STR_ARG(text), comma, STR_ARG(item))
               : arena_printf(a, "%.*s%s%.*s -> %.*s", STR_ARG(text), comma, STR_ARG(v.entries[i].key), STR_ARG(item));
  }
  return text;
}

static struct str describe(struct arena *a, struct value v, int depth) {
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return STR("NO_VALUE");
  case VALUE_BOOL: return arena_printf(a, "Boolean('%s')", v.b ? "true" : "false");
  case VALUE_INT: return arena_printf(a, "Long(%lld)", (long long) v.i);
  case VALUE_FLOAT: return arena_printf(a, "Double(%e)", v.f);
  case VALUE_STRING: {
    bool cut = v.len > DESCRIBE_TEXT_MAX;
    return arena_printf(a, "String(\"%.*s%s\")", cut ? DESCRIBE_TEXT_MAX : (int) v.len, v.s, cut ? "..." : "");
  }
  case VALUE_NODE: return arena_printf(a, "(%llu)", (unsigned long long) v_id(v));
  case VALUE_REL: return arena_printf(a, "-[%llu]-", (unsigned long long) v_id(v));
  case VALUE_LIST:
  case VALUE_MAP: {
    struct str items = depth < DESCRIBE_DEPTH_MAX ? describe_items(a, v, depth) : STR("...");
    return items.ptr == NULL ? items : arena_printf(a, "%s{%.*s}", value_class_name(v), STR_ARG(items));
  }
  default: return str_of(value_class_name(v));
  }
}

struct str value_describe(struct arena *a, struct value v) {
  struct str text = describe(a, v, 0);
  return text.ptr != NULL ? text : str_of(value_class_name(v));
}

static bool is_number(struct value v) {
  return v.type == VALUE_INT || v.type == VALUE_FLOAT;
}

static double number(struct value v) {
  return v.type == VALUE_INT ? (double) v.i : v.f;
}

static enum err overflow(struct eval *c, const char *sign, struct value l, struct value r) {
  return error_set(c->error, ERR_ARITHMETIC, "result of %lld %s %lld cannot be represented as an integer", (long long) l.i, sign,
                   (long long) r.i);
}

static enum err arithmetic_two_ints(struct eval *c, enum ast_op op, struct value l, struct value r, struct value *ret) {
  int64_t out = 0;
  switch (op) {
  case AST_ADD_OP:
    if (__builtin_add_overflow(l.i, r.i, &out)) return overflow(c, "+", l, r);
    break;
  case AST_SUBTRACT_OP:
    if (__builtin_sub_overflow(l.i, r.i, &out)) return overflow(c, "-", l, r);
    break;
  case AST_MULTIPLY_OP:
    if (__builtin_mul_overflow(l.i, r.i, &out)) return overflow(c, "*", l, r);
    break;
  default:
    if (r.i == 0) return error_set(c->error, ERR_DIVISION_BY_ZERO, "/ by zero");
    if (op == AST_DIVIDE_OP) out = r.i == -1 ? (int64_t) (0 - (uint64_t) l.i) : l.i / r.i;
    if (op == AST_MODULO_OP) out = r.i == -1 ? 0 : l.i % r.i;
  }
  *ret = v_int(out);
  return ERR_OK;
}

static double arithmetic_two_floats(enum ast_op op, double x, double y) {
  switch (op) {
  case AST_ADD_OP: return x + y;
  case AST_SUBTRACT_OP: return x - y;
  case AST_MULTIPLY_OP: return x * y;
  case AST_DIVIDE_OP: return x / y;
  case AST_MODULO_OP: return fmod(x, y);
  default: return pow(x, y);
  }
}

static enum err concat_text(struct eval *c, struct str l, struct str r, struct value *ret) {
  if (l.len + r.len > UINT32_MAX) return error_set(c->error, ERR_ARGUMENT, "The text is longer than 4 GiB.");
  char *out = arena_alloc(c->arena, l.len + r.len);
  if (out == NULL) return arena_err(c->arena, c->error);
  if (l.len > 0) memcpy(out, l.ptr, l.len);
  if (r.len > 0) memcpy(out + l.len, r.ptr, r.len);
  *ret = v_str((struct str){out, l.len + r.len});
  return ERR_OK;
}

static struct value as_list(struct value v, struct value *one) {
  if (v.type == VALUE_LIST) return v;
  *one = v;
  return v_list(one, 1);
}

/// Two lists, or a list and one more item at either end.
static enum err concat_lists(struct eval *c, struct value l, struct value r, struct value *ret) {
  struct value one_l, one_r;
  struct value left = as_list(l, &one_l), right = as_list(r, &one_r);
  uint64_t len = (uint64_t) left.len + right.len;
  if (len > UINT32_MAX) return error_set(c->error, ERR_ARGUMENT, "The list has too many items.");
  struct value *items;
  TRY(eval_values(c, (uint32_t) len, &items));
  if (left.len > 0) memcpy(items, left.items, left.len * sizeof *items);
  if (right.len > 0) memcpy(items + left.len, right.items, right.len * sizeof *items);
  *ret = v_list(items, (uint32_t) len);
  return value_weigh(ret, c->error);
}

static enum err cannot(struct eval *c, enum ast_op op, struct value l, struct value r) {
  const char *left = value_class_name(l), *right = value_class_name(r);
  switch (op) {
  case AST_SUBTRACT_OP: return error_set(c->error, ERR_TYPE, "Cannot subtract `%s` from `%s`", right, left);
  case AST_MULTIPLY_OP: return error_set(c->error, ERR_TYPE, "Cannot multiply `%s` and `%s`", left, right);
  case AST_DIVIDE_OP: return error_set(c->error, ERR_TYPE, "Cannot divide `%s` by `%s`", left, right);
  case AST_MODULO_OP: return error_set(c->error, ERR_TYPE, "Cannot calculate modulus of `%s` and `%s`", left, right);
  case AST_POWER_OP: return error_set(c->error, ERR_TYPE, "Cannot raise `%s` to the power of `%s`", left, right);
  case AST_CONCAT_OP: return error_set(c->error, ERR_TYPE, "Cannot concatenate `%s` and `%s`", left, right);
  default: return error_set(c->error, ERR_TYPE, "Cannot add `%s` and `%s`", left, right);
  }
}

static bool is_temporal(struct value v) {
  return v.type == VALUE_DURATION || temporal_is_instant(v);
}

/// Text and a number, a boolean, a temporal value or a point: the other side as toString() writes it.
static enum err add_text(struct eval *c, struct value l, struct value r, struct value *ret) {
  struct str left, right;
  TRY(text_of_value(c->arena, l, &left, c->error));
  TRY(text_of_value(c->arena, r, &right, c->error));
  return concat_text(c, left, right, ret);
}

static bool adds_to_text(struct value v) {
  return v.type == VALUE_STRING || is_number(v) || v.type == VALUE_BOOL || is_temporal(v) || v.type == VALUE_POINT;
}

static enum err add_others(struct eval *c, struct value l, struct value r, struct value *ret) {
  if (l.type == VALUE_LIST || r.type == VALUE_LIST) return concat_lists(c, l, r, ret);
  if ((l.type == VALUE_STRING && adds_to_text(r)) || (r.type == VALUE_STRING && adds_to_text(l))) return add_text(c, l, r, ret);
  if (is_temporal(l) && is_temporal(r)) return temporal_add(l, r, c->arena, ret, c->error);
  return cannot(c, AST_ADD_OP, l, r);
}

static enum err concatenate(struct eval *c, struct value l, struct value r, struct value *ret) {
  if (l.type == VALUE_STRING && r.type == VALUE_STRING) return concat_text(c, v_text(l), v_text(r), ret);
  if (l.type == VALUE_LIST && r.type == VALUE_LIST) return concat_lists(c, l, r, ret);
  return cannot(c, AST_CONCAT_OP, l, r);
}

enum err value_arithmetic(struct eval *c, enum ast_op op, struct value l, struct value r, struct value *ret) {
  if (v_is_null(l) || v_is_null(r)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (op == AST_CONCAT_OP) return concatenate(c, l, r, ret);
  if (is_number(l) && is_number(r)) {
    if (l.type == VALUE_INT && r.type == VALUE_INT && op != AST_POWER_OP) return arithmetic_two_ints(c, op, l, r, ret);
    *ret = v_float(arithmetic_two_floats(op, number(l), number(r)));
    return ERR_OK;
  }
  if (op == AST_ADD_OP) return add_others(c, l, r, ret);
  if (op == AST_SUBTRACT_OP && is_temporal(l) && r.type == VALUE_DURATION)
    return temporal_subtract(l, r, c->arena, ret, c->error);
  if (op == AST_MULTIPLY_OP && ((l.type == VALUE_DURATION && is_number(r)) || (is_number(l) && r.type == VALUE_DURATION)))
    return temporal_multiply(l, r, c->arena, ret, c->error);
  if (op == AST_DIVIDE_OP && l.type == VALUE_DURATION && is_number(r)) return temporal_divide(l, r, c->arena, ret, c->error);
  return cannot(c, op, l, r);
}
