#include "exec/implied.h"

/// A label, or all of several.
static bool is_plain(const struct ast *labels) {
  if (labels->kind == AST_LABEL) return true;
  if (labels->kind != AST_LABEL_AND) return false;
  AST_EACH(operand, labels->label_and.operands)
    if (!is_plain(operand)) return false;
  return true;
}

/// Rows go through it as they are, but for some that are left out or come more than once.
static bool keeps_nodes(const struct plan_op *op) {
  return op->kind == PLAN_FILTER || op->kind == PLAN_EXPAND || op->kind == PLAN_EXPAND_INTO;
}

const struct plan_expand *implied_by(const struct plan_op *op, const struct ast *predicate) {
  if (predicate->kind != AST_HAS_LABELS || predicate->has_labels.subject->kind != AST_VARIABLE ||
      !is_plain(predicate->has_labels.labels))
    return NULL;
  uint32_t slot = predicate->has_labels.subject->variable.slot;
  // The current state moves on from call to call: what was found may be older than what is counted.
  if (op->current || op->child_count != 1) return NULL;
  for (op = op->children[0]; keeps_nodes(op); op = op->children[0])
    if (op->kind == PLAN_EXPAND && op->expand.to == slot) return &op->expand;
  return NULL;
}

static enum err ends_have(struct op *op, const struct plan_expand *by, const struct ast *label, bool *ret, struct error *e) {
  graph_token token, type;
  *ret = graph_token_find(op->x->graph, GRAPH_LABEL, label->label.name, &token);
  if (*ret && by->types.count == 0) return graph_ends_have_label(op_view(op), GRAPH_ANY, by->direction, token, ret, e);
  for (uint32_t i = 0; i < by->types.count && *ret; i++)
    if (op_token(op, by->types.items[i], &type)) TRY(graph_ends_have_label(op_view(op), type, by->direction, token, ret, e));
  return ERR_OK;
}

static enum err labels_hold(struct op *op, const struct plan_expand *by, const struct ast *labels, bool *ret, struct error *e) {
  if (labels->kind == AST_LABEL) return ends_have(op, by, labels, ret, e);
  *ret = true;
  AST_EACH(operand, labels->label_and.operands)
    if (*ret) TRY(labels_hold(op, by, operand, ret, e));
  return ERR_OK;
}

enum err implied_holds(struct op *op, const struct plan_expand *by, const struct ast *predicate, bool *ret, struct error *e) {
  return labels_hold(op, by, predicate->has_labels.labels, ret, e);
}
