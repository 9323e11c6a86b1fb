// AND, OR, XOR, NOT, CASE, coalesce: what decides which rows need which operand.
#include <string.h>

#include "exec/eval.h"
#include "exec/exec_int.h"

/// A dense copy that may be written to.
static enum err own_bools(struct eval *c, const struct vec *from, uint32_t n, struct vec *ret) {
  struct vec out;
  TRY(vec_alloc(c->arena, VEC_BOOL, n, &out, c->error));
  for (uint32_t i = 0; i < n; i++) {
    uint32_t at = from->constant ? 0 : i;
    out.nulls[i] = from->has_nulls && from->nulls[at];
    out.b[i] = from->b[at] && !out.nulls[i];
  }
  out.has_nulls = from->has_nulls;
  *ret = out;
  return ERR_OK;
}

/// Rows that the next operand can still change: for AND those that are not false, for OR those that are not true.
static uint32_t undecided(enum ast_op op, const struct vec *so_far, uint32_t n, uint32_t *ret) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < n; i++) {
    bool null = so_far->has_nulls && so_far->nulls[i];
    bool decided = op == AST_XOR_OP ? null : !null && so_far->b[i] == (op == AST_OR_OP);
    ret[count] = i;
    count += !decided;
  }
  return count;
}

static void combine(enum ast_op op, const struct vec *a, const struct vec *b, uint32_t n, struct vec *ret) {
  if (op == AST_AND_OP) return logic_and(a, b, n, ret);
  if (op == AST_OR_OP) return logic_or(a, b, n, ret);
  logic_xor(a, b, n, ret);
}

/// The next operand for the rows `rows[0..count)` alone.
static enum err join_some(struct eval *c, enum ast_op op, const struct ast *operand, struct frame *f, const uint32_t *rows, uint32_t count,
                          struct vec *so_far) {
  struct frame some = frame_below(c, f, rows, count);
  struct vec part, left, joined;
  TRY(eval_predicate(c, operand, &some, &part));
  TRY(vec_gather(c->arena, so_far, rows, count, &left, c->error));
  TRY(vec_alloc(c->arena, VEC_BOOL, count, &joined, c->error));
  combine(op, &left, &part, count, &joined);
  for (uint32_t i = 0; i < count; i++) {
    so_far->b[rows[i]] = joined.b[i];
    so_far->nulls[rows[i]] = joined.has_nulls && joined.nulls[i];
  }
  so_far->has_nulls |= joined.has_nulls;
  return ERR_OK;
}

static enum err join_operand(struct eval *c, enum ast_op op, const struct ast *operand, struct frame *f, struct vec *so_far) {
  struct vec next;
  if (eval_is_harmless(operand)) {
    TRY(eval_predicate(c, operand, f, &next));
    combine(op, so_far, &next, f->n, so_far);
    return ERR_OK;
  }
  uint32_t *rows = ARENA_ARRAY(c->arena, uint32_t, f->n);
  if (rows == NULL) return arena_err(c->arena, c->error);
  uint32_t count = undecided(op, so_far, f->n, rows);
  if (count == 0) return ERR_OK;
  if (count < f->n) return join_some(c, op, operand, f, rows, count, so_far);
  TRY(eval_predicate(c, operand, f, &next));
  combine(op, so_far, &next, f->n, so_far);
  return ERR_OK;
}

enum err eval_logical(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec first, so_far;
  const struct ast *operand = n->logical.operands.first;
  TRY(eval_predicate(c, operand, f, &first));
  TRY(own_bools(c, &first, f->n, &so_far));
  for (operand = operand->next; operand != NULL; operand = operand->next)
    TRY(join_operand(c, n->logical.op, operand, f, &so_far));
  *ret = so_far;
  return ERR_OK;
}

enum err eval_not(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  TRY(eval_predicate(c, n->unary.operand, f, &v));
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  logic_not(&v, f->n, ret);
  return ERR_OK;
}

/// Rows of one CASE or coalesce that have no result yet.
struct pending {
  uint32_t *rows;
  uint32_t n;
  struct value *results; // of all rows of the frame
};

static enum err pending_open(struct eval *c, uint32_t n, struct pending *ret) {
  ret->rows = ARENA_ARRAY(c->arena, uint32_t, n);
  if (ret->rows == NULL) return arena_err(c->arena, c->error);
  TRY(eval_values(c, n, &ret->results));
  for (uint32_t i = 0; i < n; i++) {
    ret->rows[i] = i;
    ret->results[i] = V_NULL;
  }
  ret->n = n;
  return ERR_OK;
}

/// A branch: the rows of which one of the tests is true get its result and are no longer pending.
static enum err case_branch(struct eval *c, const struct ast *branch, struct frame *f, struct pending *p) {
  AST_EACH(test, branch->case_branch.tests) {
    if (p->n == 0) return ERR_OK;
    struct frame some = frame_below(c, f, p->rows, p->n);
    struct vec holds;
    TRY(eval_predicate(c, test, &some, &holds));
    uint32_t *hit = ARENA_ARRAY(c->arena, uint32_t, p->n), *miss = ARENA_ARRAY(c->arena, uint32_t, p->n);
    if (hit == NULL || miss == NULL) return arena_err(c->arena, c->error);
    uint32_t hits = 0, misses = 0;
    for (uint32_t i = 0; i < p->n; i++) {
      uint32_t at = holds.constant ? 0 : i;
      bool is_true = holds.b[at] && !(holds.has_nulls && holds.nulls[at]);
      if (is_true) {
        hit[hits++] = p->rows[i];
      } else {
        miss[misses++] = p->rows[i];
      }
    }
    struct frame taken = frame_below(c, f, hit, hits);
    struct vec result;
    TRY(eval_expression(c, branch->case_branch.result, &taken, &result));
    for (uint32_t i = 0; i < hits; i++) p->results[hit[i]] = vec_get(&result, i);
    p->rows = miss;
    p->n = misses;
  }
  return ERR_OK;
}

static enum err case_otherwise(struct eval *c, const struct ast *otherwise, struct frame *f, struct pending *p) {
  if (otherwise == NULL || p->n == 0) return ERR_OK;
  struct frame some = frame_below(c, f, p->rows, p->n);
  struct vec result;
  TRY(eval_expression(c, otherwise, &some, &result));
  for (uint32_t i = 0; i < p->n; i++) p->results[p->rows[i]] = vec_get(&result, i);
  return ERR_OK;
}

enum err eval_case(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct frame inner = frame_below(c, f, NULL, f->n);
  if (n->case_.operand != NULL) {
    struct vec operand;
    TRY(eval_expression(c, n->case_.operand, f, &operand));
    TRY(frame_set(c, &inner, FRAME_CASE_OPERAND, operand));
  }
  struct pending p;
  TRY(pending_open(c, f->n, &p));
  AST_EACH(branch, n->case_.branches) TRY(case_branch(c, branch, &inner, &p));
  TRY(case_otherwise(c, n->case_.otherwise, &inner, &p));
  return eval_narrow(c, p.results, f->n, ret);
}

/// Takes over `v`, which has a value for each pending row, and keeps as pending those that are null.
static enum err coalesce_take(struct eval *c, const struct vec *v, struct pending *p) {
  uint32_t *left = ARENA_ARRAY(c->arena, uint32_t, p->n), lefts = 0;
  if (left == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < p->n; i++) {
    struct value item = vec_get(v, i);
    p->results[p->rows[i]] = item;
    if (v_is_null(item)) left[lefts++] = p->rows[i];
  }
  p->rows = left;
  p->n = lefts;
  return ERR_OK;
}

enum err eval_coalesce(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  const struct ast *argument = n->function.arguments.first;
  TRY(eval_expression(c, argument, f, &v));
  if (v.kind != VEC_ANY && !v.has_nulls) {
    *ret = v;
    return ERR_OK;
  }
  struct pending p;
  TRY(pending_open(c, f->n, &p));
  TRY(coalesce_take(c, &v, &p));
  for (argument = argument->next; argument != NULL && p.n > 0; argument = argument->next) {
    struct frame some = frame_below(c, f, p.rows, p.n);
    TRY(eval_expression(c, argument, &some, &v));
    TRY(coalesce_take(c, &v, &p));
  }
  return eval_narrow(c, p.results, f->n, ret);
}
