#include "exec/eval.h"

#include <string.h>

#include "exec/exec_int.h"

/// Deeper expressions are refused: the walk recurses. The parser's limit is lower, a plan's rewrites may add a little.
enum { EVAL_DEPTH_MAX = 4000 };

enum err eval_values(struct eval *c, uint32_t n, struct value **ret) {
  *ret = ARENA_ARRAY(c->arena, struct value, n);
  return *ret != NULL ? ERR_OK : arena_err(c->arena, c->error);
}

enum err eval_narrow(struct eval *c, const struct value *values, uint32_t n, struct vec *ret) {
  return vec_from_values(c->arena, values, n, ret, c->error);
}

enum err eval_constant(struct eval *c, struct value v, struct vec *ret) {
  return vec_const(c->arena, v, ret, c->error);
}

enum err eval_nulls(struct eval *c, struct vec *ret) {
  return eval_constant(c, V_NULL, ret);
}

enum err frame_set(struct eval *c, struct frame *f, uint32_t slot, struct vec vec) {
  struct frame_column *column = ARENA_NEW(f->arena, struct frame_column);
  if (column == NULL) return arena_err(f->arena, c->error);
  *column = (struct frame_column){slot, vec, f->own};
  f->own = column;
  return ERR_OK;
}

static enum err root_column(struct eval *c, struct frame *f, uint32_t slot, struct vec *ret) {
  if (slot >= f->batch->column_count || !vec_is_set(&f->batch->columns[slot])) return eval_nulls(c, ret);
  const struct vec *column = &f->batch->columns[slot];
  if (f->batch->sel == NULL || column->constant) {
    *ret = *column;
    return ERR_OK;
  }
  TRY(vec_gather(f->arena, column, f->batch->sel, f->n, ret, c->error));
  return frame_set(c, f, slot, *ret);
}

enum err frame_get(struct eval *c, struct frame *f, uint32_t slot, struct vec *ret) {
  for (const struct frame_column *column = f->own; column != NULL; column = column->next) {
    if (column->slot != slot) continue;
    *ret = column->vec;
    return ERR_OK;
  }
  if (f->parent == NULL) return root_column(c, f, slot, ret);
  struct vec above;
  TRY(frame_get(c, f->parent, slot, &above));
  if (f->rows == NULL || above.constant) {
    *ret = above;
    return ERR_OK;
  }
  TRY(vec_gather(f->arena, &above, f->rows, f->n, ret, c->error));
  return frame_set(c, f, slot, *ret);
}

uint32_t frame_root_row(const struct frame *f, uint32_t i) {
  for (; f->parent != NULL; f = f->parent)
    if (f->rows != NULL) i = f->rows[i];
  return i;
}

static enum err eval_literal(struct eval *c, const struct ast *n, struct vec *ret) {
  switch ((enum ast_literal) n->literal.type) {
  case AST_NULL: return eval_nulls(c, ret);
  case AST_BOOLEAN: return eval_constant(c, v_bool(n->literal.boolean), ret);
  case AST_INTEGER: return eval_constant(c, v_int(n->literal.integer), ret);
  case AST_FLOAT: return eval_constant(c, v_float(n->literal.number), ret);
  case AST_STRING: return eval_constant(c, v_str(n->literal.string), ret);
  }
  return eval_nulls(c, ret);
}

static enum err eval_parameter(struct eval *c, const struct ast *n, struct vec *ret) {
  struct value v;
  if (!exec_parameter(c->x, n->parameter.name, &v))
    return error_set(c->error, ERR_PARAMETER_MISSING, "Expected parameter(s): %.*s", STR_ARG(n->parameter.name));
  return eval_constant(c, v, ret);
}

/// Both sides of a binary operator. Where both are constant one row is enough.
static enum err eval_binary(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec l, r;
  TRY(eval_expression(c, n->binary.left, f, &l));
  TRY(eval_expression(c, n->binary.right, f, &r));
  uint32_t rows = l.constant && r.constant ? 1 : f->n;
  enum ast_op op = n->binary.op;
  switch (op) {
  case AST_EQ_OP:
  case AST_NE_OP:
  case AST_LT_OP:
  case AST_LE_OP:
  case AST_GT_OP:
  case AST_GE_OP: TRY(eval_comparison(c, op, &l, &r, rows, ret)); break;
  case AST_STARTS_WITH_OP:
  case AST_ENDS_WITH_OP:
  case AST_CONTAINS_OP: TRY(eval_text_predicate(c, op, &l, &r, rows, ret)); break;
  case AST_MATCHES_OP: TRY(eval_regex(c, &l, &r, rows, ret)); break;
  case AST_IN_OP: TRY(eval_membership(c, &l, &r, rows, ret)); break;
  default: TRY(eval_arithmetic(c, op, &l, &r, rows, ret)); break;
  }
  ret->constant = l.constant && r.constant;
  return ERR_OK;
}

static enum err eval_unary(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  if (n->unary.op == AST_NOT_OP) return eval_not(c, n, f, ret);
  struct vec v;
  TRY(eval_expression(c, n->unary.operand, f, &v));
  TRY(eval_negate(c, n->unary.op, &v, v.constant ? 1 : f->n, ret));
  ret->constant = v.constant;
  return ERR_OK;
}

static enum err eval_is_null(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  TRY(eval_expression(c, n->is_null.operand, f, &v));
  if (v.constant) return eval_constant(c, v_bool(vec_is_null(&v, 0) != n->is_null.negated), ret);
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  uint8_t negated = n->is_null.negated;
  if (v.kind == VEC_ANY) {
    for (uint32_t i = 0; i < f->n; i++) ret->b[i] = (v.any[i].type == VALUE_NULL) ^ negated;
  } else if (v.has_nulls) {
    for (uint32_t i = 0; i < f->n; i++) ret->b[i] = v.nulls[i] ^ negated;
  } else {
    memset(ret->b, negated, f->n);
  }
  return ERR_OK;
}

static enum err eval_property_node(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec subject;
  TRY(eval_expression(c, n->property.subject, f, &subject));
  TRY(eval_property(c, &subject, n->property.key, subject.constant ? 1 : f->n, ret));
  ret->constant |= subject.constant; // a key that nothing has gives a constant null
  return ERR_OK;
}

static enum err eval_subscript_node(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec subject, index;
  TRY(eval_expression(c, n->subscript.subject, f, &subject));
  TRY(eval_expression(c, n->subscript.index, f, &index));
  bool constant = subject.constant && index.constant;
  TRY(eval_subscript(c, &subject, &index, constant ? 1 : f->n, ret));
  ret->constant = constant;
  return ERR_OK;
}

/// a < b <= c, where no rewrite has made ANDs of it: each operand is evaluated once.
static enum err eval_chain(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec left, all = {0};
  TRY(eval_expression(c, n->comparison_chain.first, f, &left));
  AST_EACH(link, n->comparison_chain.links) {
    struct vec right, one;
    TRY(eval_expression(c, link->comparison_link.operand, f, &right));
    TRY(eval_comparison(c, link->comparison_link.op, &left, &right, f->n, &one));
    TRY(eval_to_bool(c, &one, f->n, &one));
    if (vec_is_set(&all)) {
      logic_and(&all, &one, f->n, &all);
    } else {
      all = one;
    }
    left = right;
  }
  *ret = all;
  return ERR_OK;
}

static enum err eval_node(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  switch ((enum ast_kind) n->kind) {
  case AST_LITERAL: return eval_literal(c, n, ret);
  case AST_PARAMETER: return eval_parameter(c, n, ret);
  case AST_VARIABLE: return frame_get(c, f, n->variable.slot, ret);
  case AST_CASE_OPERAND: return frame_get(c, f, FRAME_CASE_OPERAND, ret);
  case AST_PROPERTY: return eval_property_node(c, n, f, ret);
  case AST_SUBSCRIPT: return eval_subscript_node(c, n, f, ret);
  case AST_SLICE: return eval_slice(c, n, f, ret);
  case AST_LIST: return eval_list(c, n, f, ret);
  case AST_MAP: return eval_map(c, n, f, ret);
  case AST_UNARY: return eval_unary(c, n, f, ret);
  case AST_BINARY: return eval_binary(c, n, f, ret);
  case AST_LOGICAL: return eval_logical(c, n, f, ret);
  case AST_COMPARISON_CHAIN: return eval_chain(c, n, f, ret);
  case AST_IS_NULL: return eval_is_null(c, n, f, ret);
  case AST_IS_TYPED: return eval_is_typed(c, n, f, ret);
  case AST_IS_NORMALIZED: return eval_is_normalized(c, n, f, ret);
  case AST_HAS_LABELS: return eval_has_labels(c, n, f, ret);
  case AST_FUNCTION: return eval_function(c, n, f, ret);
  case AST_CASE: return eval_case(c, n, f, ret);
  case AST_LIST_COMPREHENSION: return eval_list_comprehension(c, n, f, ret);
  case AST_QUANTIFIER: return eval_quantifier(c, n, f, ret);
  case AST_REDUCE: return eval_reduce(c, n, f, ret);
  case AST_MAP_PROJECTION: return eval_map_projection(c, n, f, ret);
  default: return error_set(c->error, ERR_INTERNAL, "%s is no expression that can be evaluated", ast_kind_name(n->kind));
  }
}

enum err eval_expression(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  if (f->n == 0) return vec_alloc(c->arena, VEC_ANY, 0, ret, c->error);
  if (c->depth >= EVAL_DEPTH_MAX) return error_set(c->error, ERR_EXECUTION, "The expression is nested too deeply.");
  c->depth++;
  enum err err = eval_node(c, n, f, ret);
  c->depth--;
  return err;
}

enum err eval_value(struct eval *c, const struct ast *n, const struct batch *b, uint32_t row, struct value *ret) {
  struct frame root = frame_of(c, b), one = frame_below(c, &root, &row, 1);
  struct vec v;
  TRY(eval_expression(c, n, &one, &v));
  *ret = vec_get(&v, 0);
  return ERR_OK;
}

static bool binary_is_harmless(enum ast_op op) {
  return op == AST_EQ_OP || op == AST_NE_OP || op == AST_LT_OP || op == AST_LE_OP || op == AST_GT_OP || op == AST_GE_OP;
}

bool eval_is_harmless(const struct ast *n) {
  switch ((enum ast_kind) n->kind) {
  case AST_LITERAL:
  case AST_PARAMETER:
  case AST_VARIABLE:
  case AST_CASE_OPERAND: return true;
  case AST_IS_NULL: return eval_is_harmless(n->is_null.operand);
  case AST_BINARY:
    return binary_is_harmless(n->binary.op) && eval_is_harmless(n->binary.left) && eval_is_harmless(n->binary.right);
  case AST_LOGICAL:
    AST_EACH(operand, n->logical.operands)
    if (!eval_is_harmless(operand) || operand->types != CYPHER_BOOLEAN) return false;
    return true;
  default: return false;
  }
}

static enum err not_a_predicate(struct eval *c, struct value v) {
  struct str text = value_describe(c->arena, v);
  return error_set(c->error, ERR_TYPE, "Don't know how to treat that as a predicate: %.*s", STR_ARG(text));
}

enum err eval_to_bool(struct eval *c, const struct vec *from, uint32_t n, struct vec *ret) {
  if (from->kind == VEC_BOOL) {
    *ret = *from;
    return ERR_OK;
  }
  uint32_t rows = from->constant ? 1 : n;
  struct vec out;
  TRY(vec_alloc(c->arena, VEC_BOOL, rows, &out, c->error));
  for (uint32_t i = 0; i < rows; i++) {
    struct value v = vec_get(from, i);
    if (v.type != VALUE_BOOL && v.type != VALUE_NULL) return not_a_predicate(c, v);
    out.b[i] = v.type == VALUE_BOOL && v.b;
    out.nulls[i] = v.type == VALUE_NULL;
    out.has_nulls |= v.type == VALUE_NULL;
  }
  out.constant = from->constant;
  *ret = out;
  return ERR_OK;
}

enum err eval_predicate(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  TRY(eval_expression(c, n, f, &v));
  return eval_to_bool(c, &v, f->n, ret);
}
