// + - * / % ^ and || over columns: overflow-checked kernels for integers, plain ones for floats, value_arithmetic for the rest.
#include <math.h>

#include "exec/eval.h"
#include "exec/exec_int.h"
#include "exec/kernel_int.h"

#define INT_KERNEL(name, builtin)                                                                            \
  static bool name(const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {                  \
    bool overflow = false;                                                                                   \
    int64_t *out = ret->i;                                                                                   \
    KERNEL_LOOP(int64_t, i, int64_t, i, overflow |= builtin(x, y, &out[i]));                                 \
    return overflow;                                                                                         \
  }
INT_KERNEL(add_ints, __builtin_add_overflow)
INT_KERNEL(subtract_ints, __builtin_sub_overflow)
INT_KERNEL(multiply_ints, __builtin_mul_overflow)

/// -2^63 / -1 wraps, as in Java.
static bool divide_one(int64_t x, int64_t y, int64_t *out) {
  *out = y == 0 ? 0 : y == -1 ? (int64_t) (0 - (uint64_t) x) : x / y;
  return y == 0;
}
static bool modulo_one(int64_t x, int64_t y, int64_t *out) {
  *out = y == 0 || y == -1 ? 0 : x % y;
  return y == 0;
}
INT_KERNEL(divide_ints, divide_one)
INT_KERNEL(modulo_ints, modulo_one)

#define FLOAT_KERNEL(name, expression)                                                    \
  static void name(const struct vec *l, const struct vec *r, uint32_t n, double *out) {   \
    KERNEL_LOOP(double, f, double, f, out[i] = expression);                               \
  }
FLOAT_KERNEL(add_floats, x + y)
FLOAT_KERNEL(subtract_floats, x - y)
FLOAT_KERNEL(multiply_floats, x * y)
FLOAT_KERNEL(divide_floats, x / y)
FLOAT_KERNEL(modulo_floats, fmod(x, y))
FLOAT_KERNEL(power_floats, pow(x, y))

typedef bool (*int_kernel)(const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret);
typedef void (*float_kernel)(const struct vec *l, const struct vec *r, uint32_t n, double *out);

static int_kernel int_kernel_of(enum ast_op op) {
  switch (op) {
  case AST_ADD_OP: return add_ints;
  case AST_SUBTRACT_OP: return subtract_ints;
  case AST_MULTIPLY_OP: return multiply_ints;
  case AST_DIVIDE_OP: return divide_ints;
  case AST_MODULO_OP: return modulo_ints;
  default: return NULL;
  }
}

static float_kernel float_kernel_of(enum ast_op op) {
  switch (op) {
  case AST_ADD_OP: return add_floats;
  case AST_SUBTRACT_OP: return subtract_floats;
  case AST_MULTIPLY_OP: return multiply_floats;
  case AST_DIVIDE_OP: return divide_floats;
  case AST_MODULO_OP: return modulo_floats;
  case AST_POWER_OP: return power_floats;
  default: return NULL;
  }
}

/// Boxed: every combination of types that Cypher has.
static enum err arithmetic_any(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  struct value *out;
  TRY(eval_values(c, n, &out));
  for (uint32_t i = 0; i < n; i++) TRY(value_arithmetic(c, op, vec_get(l, i), vec_get(r, i), &out[i]));
  return eval_narrow(c, out, n, ret);
}

static enum err arithmetic_ints(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  int_kernel kernel = int_kernel_of(op);
  TRY(vec_alloc(c->arena, VEC_I64, n, ret, c->error));
  // A flagged row may be null on one side: the boxed loop tells, and words the error.
  if (kernel(l, r, n, ret)) return arithmetic_any(c, op, l, r, n, ret);
  kernel_nulls(l, r, n, ret);
  return ERR_OK;
}

static enum err as_floats(struct eval *c, const struct vec *v, uint32_t n, struct vec *ret) {
  *ret = *v;
  if (v->kind == VEC_F64) return ERR_OK;
  if (v->constant) n = 1;
  ret->kind = VEC_F64;
  ret->f = ARENA_ARRAY(c->arena, double, n);
  if (ret->f == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < n; i++) ret->f[i] = (double) v->i[i];
  return ERR_OK;
}

static bool is_numeric(const struct vec *v) {
  return v->kind == VEC_I64 || v->kind == VEC_F64;
}

enum err eval_arithmetic(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  if (!is_numeric(l) || !is_numeric(r) || float_kernel_of(op) == NULL) return arithmetic_any(c, op, l, r, n, ret);
  if (l->kind == VEC_I64 && r->kind == VEC_I64 && op != AST_POWER_OP) return arithmetic_ints(c, op, l, r, n, ret);
  struct vec left, right;
  TRY(as_floats(c, l, n, &left));
  TRY(as_floats(c, r, n, &right));
  TRY(vec_alloc(c->arena, VEC_F64, n, ret, c->error));
  float_kernel_of(op)(&left, &right, n, ret->f);
  kernel_nulls(l, r, n, ret);
  return ERR_OK;
}

enum err eval_negate(struct eval *c, enum ast_op op, const struct vec *v, uint32_t n, struct vec *ret) {
  if (op == AST_PLUS_OP && is_numeric(v)) {
    *ret = *v;
    return ERR_OK;
  }
  int64_t zero = 0;
  double negative_zero = -0.0;
  struct vec none = {.kind = v->kind, .constant = true, .i = &zero};
  if (v->kind == VEC_F64) none.f = &negative_zero;
  if (is_numeric(v)) return eval_arithmetic(c, AST_SUBTRACT_OP, &none, v, n, ret);
  struct value *out;
  TRY(eval_values(c, n, &out));
  for (uint32_t i = 0; i < n; i++) {
    struct value item = vec_get(v, i);
    struct value from = item.type == VALUE_FLOAT ? v_float(-0.0) : v_int(0);
    if (op == AST_PLUS_OP && (item.type == VALUE_INT || item.type == VALUE_FLOAT)) {
      out[i] = item;
    } else {
      TRY(value_arithmetic(c, AST_SUBTRACT_OP, from, item, &out[i]));
    }
  }
  return eval_narrow(c, out, n, ret);
}
