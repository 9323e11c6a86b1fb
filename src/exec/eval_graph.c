// Label and type predicates: n:A|!B, r:KNOWS.
#include <string.h>

#include "exec/eval.h"
#include "exec/exec_int.h"
#include "graph/tx.h"

/// The entities of one kind that a label expression is asked about.
struct labelled {
  enum graph_kind kind;
  const uint64_t *ids;
  uint32_t n;
  struct frame *frame;     // of dynamic labels; its rows are the entities'
  graph_token *types;      // of relationships
};

static enum err has_name(struct eval *c, const struct labelled *of, struct str name, uint8_t *ret) {
  graph_token token;
  memset(ret, 0, of->n);
  if (!graph_token_find(c->x->graph, of->kind == GRAPH_NODE ? GRAPH_LABEL : GRAPH_TYPE, name, &token)) return ERR_OK;
  if (of->kind == GRAPH_NODE) return graph_have_label(c->view, of->ids, of->n, token, ret, c->error);
  for (uint32_t i = 0; i < of->n; i++) ret[i] = of->types[i] == token;
  return ERR_OK;
}

static enum err has_any(struct eval *c, const struct labelled *of, uint8_t *ret) {
  for (uint32_t i = 0; i < of->n; i++) {
    ret[i] = 1;
    if (of->kind == GRAPH_REL) continue;
    graph_token *labels;
    uint32_t n;
    TRY(graph_node_labels(c->view, of->ids[i], c->arena, &labels, &n, c->error));
    ret[i] = n > 0;
  }
  return ERR_OK;
}

static enum err evaluate_labels(struct eval *c, const struct labelled *of, const struct ast *labels, uint8_t *ret);

static enum err has_dynamic_one(struct eval *c, const struct labelled *of, uint32_t row, struct value names, bool any, uint8_t *ret) {
  struct labelled one = {of->kind, of->ids + row, 1, NULL, of->types != NULL ? of->types + row : NULL};
  struct value self = names;
  if (names.type == VALUE_STRING) names = v_list(&self, 1);
  if (names.type != VALUE_LIST)
    return error_set(c->error, ERR_TYPE, "Expected a String or a List<String> for a dynamic label, but got %s", value_class_name(names));
  *ret = !any;
  for (uint32_t i = 0; i < names.len; i++) {
    uint8_t has = 0;
    if (names.items[i].type != VALUE_STRING)
      return error_set(c->error, ERR_TYPE, "Expected a String for a dynamic label, but got %s", value_class_name(names.items[i]));
    TRY(has_name(c, &one, v_text(names.items[i]), &has));
    *ret = any ? *ret | has : *ret & has;
  }
  return ERR_OK;
}

static enum err has_dynamic(struct eval *c, const struct labelled *of, const struct ast *n, uint8_t *ret) {
  struct vec names;
  TRY(eval_expression(c, n->label_dynamic.expression, of->frame, &names));
  for (uint32_t i = 0; i < of->n; i++) TRY(has_dynamic_one(c, of, i, vec_get(&names, i), n->label_dynamic.any, &ret[i]));
  return ERR_OK;
}

static enum err has_combination(struct eval *c, const struct labelled *of, struct ast_list operands, bool all, uint8_t *ret) {
  uint8_t *one = arena_alloc(c->arena, of->n);
  if (one == NULL) return arena_err(c->arena, c->error);
  memset(ret, all, of->n);
  AST_EACH(operand, operands) {
    TRY(evaluate_labels(c, of, operand, one));
    for (uint32_t i = 0; i < of->n; i++) ret[i] = all ? ret[i] & one[i] : ret[i] | one[i];
  }
  return ERR_OK;
}

static enum err evaluate_labels(struct eval *c, const struct labelled *of, const struct ast *labels, uint8_t *ret) {
  switch ((enum ast_kind) labels->kind) {
  case AST_LABEL: return has_name(c, of, labels->label.name, ret);
  case AST_LABEL_ANY: return has_any(c, of, ret);
  case AST_LABEL_DYNAMIC: return has_dynamic(c, of, labels, ret);
  case AST_LABEL_AND: return has_combination(c, of, labels->label_and.operands, true, ret);
  case AST_LABEL_OR: return has_combination(c, of, labels->label_or.operands, false, ret);
  case AST_LABEL_NOT:
    TRY(evaluate_labels(c, of, labels->label_not.operand, ret));
    for (uint32_t i = 0; i < of->n; i++) ret[i] ^= 1;
    return ERR_OK;
  default: return error_set(c->error, ERR_INTERNAL, "%s is no label expression", ast_kind_name(labels->kind));
  }
}

/// Answers for the rows whose subject is of `type`.
static enum err labels_of_kind(struct eval *c, enum value_type type, const struct vec *subject, const struct ast *labels, struct frame *f,
                               struct vec *ret) {
  uint64_t *ids = ARENA_ARRAY(c->arena, uint64_t, f->n);
  uint32_t *rows = ARENA_ARRAY(c->arena, uint32_t, f->n), count = 0;
  uint8_t *has = arena_alloc(c->arena, f->n);
  graph_token *types = ARENA_ARRAY(c->arena, graph_token, f->n);
  if (ids == NULL || rows == NULL || has == NULL || types == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < f->n; i++) {
    struct value v = vec_get(subject, i);
    if (v.type != type) continue;
    ids[count] = v_id(v);
    rows[count++] = i;
  }
  if (count == 0) return ERR_OK;
  struct frame some = frame_below(c, f, rows, count);
  struct labelled of = {type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, ids, count, &some, types};
  if (type == VALUE_REL) TRY(graph_rel_ends(c->view, ids, count, NULL, NULL, types, c->error));
  TRY(evaluate_labels(c, &of, labels, has));
  for (uint32_t i = 0; i < count; i++) ret->b[rows[i]] = has[i];
  return ERR_OK;
}

enum err eval_has_labels(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec subject;
  TRY(eval_expression(c, n->has_labels.subject, f, &subject));
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  for (uint32_t i = 0; i < f->n; i++) {
    struct value v = vec_get(&subject, i);
    ret->b[i] = 0;
    if (v_is_null(v)) {
      ret->nulls[i] = 1;
      ret->has_nulls = true;
    }
    if (v_is_null(v) || v.type == VALUE_NODE || v.type == VALUE_REL) continue;
    struct str text = value_describe(c->arena, v);
    return error_set(c->error, ERR_TYPE, "Type mismatch: expected Node or Relationship but was %.*s", STR_ARG(text));
  }
  TRY(labels_of_kind(c, VALUE_NODE, &subject, n->has_labels.labels, f, ret));
  return labels_of_kind(c, VALUE_REL, &subject, n->has_labels.labels, f, ret);
}

/// Entities that neither the view nor the current state has: what this transaction has made is in the latter, what another has deleted
/// meanwhile still in the former.
enum err eval_check_not_deleted(struct eval *c, enum graph_kind kind, const uint64_t *ids, uint32_t n) {
  if (n == 0 || !graph_tx_has_writes(c->x->tx)) return ERR_OK;
  uint8_t *seen = arena_alloc(c->arena, n), *there = arena_alloc(c->arena, n);
  if (seen == NULL || there == NULL) return arena_err(c->arena, c->error);
  TRY(graph_exist(c->view, kind, ids, n, seen, c->error));
  TRY(graph_exist(c->x->current, kind, ids, n, there, c->error));
  for (uint32_t i = 0; i < n; i++) {
    if (seen[i] || there[i]) continue;
    return error_set(c->error, ERR_ENTITY_NOT_FOUND, "%s with id %llu has been deleted in this transaction",
                     kind == GRAPH_NODE ? "Node" : "Relationship", (unsigned long long) ids[i]);
  }
  return ERR_OK;
}
