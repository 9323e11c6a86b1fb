// What each predicate of a query graph is about, so that seeks and estimates can use it.
#include "plan/query_graph.h"

static const struct ast *variable_of(const struct ast *n) {
  return n->kind == AST_VARIABLE ? n : NULL;
}

/// The slot of `v.key`; `*ret_key` is the key. PLAN_NONE for anything else.
static uint32_t property_of(const struct ast *n, struct str *ret_key) {
  if (n->kind != AST_PROPERTY || variable_of(n->property.subject) == NULL) return PLAN_NONE;
  *ret_key = n->property.key;
  return n->property.subject->variable.slot;
}

/// The slot of `id(v)` or `elementId(v)`.
static uint32_t id_of(const struct ast *n, bool *ret_element_id) {
  if (n->kind != AST_FUNCTION || n->function.signature == NULL || n->function.arguments.count != 1) return PLAN_NONE;
  uint16_t id = n->function.signature->id;
  if ((id != CYPHER_FN_ID && id != CYPHER_FN_ELEMENT_ID) || variable_of(n->function.arguments.first) == NULL) return PLAN_NONE;
  *ret_element_id = id == CYPHER_FN_ELEMENT_ID;
  return n->function.arguments.first->variable.slot;
}

static enum qg_predicate_kind kind_of(enum ast_op op, bool flipped) {
  switch (op) {
  case AST_EQ_OP: return QG_EQUAL;
  case AST_IN_OP: return flipped ? QG_OTHER : QG_IN;
  case AST_STARTS_WITH_OP: return flipped ? QG_OTHER : QG_PREFIX;
  case AST_LT_OP:
  case AST_LE_OP: return flipped ? QG_GREATER : QG_LESS;
  case AST_GT_OP:
  case AST_GE_OP: return flipped ? QG_LESS : QG_GREATER;
  default: return QG_OTHER;
  }
}

/// `side op other`, with the subject in `side`.
static enum err classify_side(struct query_graph *g, struct qg_predicate *q, const struct ast *side, const struct ast *other, bool flipped) {
  struct planner *p = g->p;
  struct str key;
  bool element_id = false;
  struct bits reads = {0};
  enum qg_predicate_kind kind = kind_of(q->expression->binary.op, flipped);
  uint32_t property = property_of(side, &key), entity = id_of(side, &element_id);
  uint32_t subject = property != PLAN_NONE ? property : entity;
  if (kind == QG_OTHER || q->kind != QG_OTHER || subject == PLAN_NONE || !bits_has(&g->slots, subject)) return ERR_OK;
  TRY(expression_slots(p, other, &reads));
  if (bits_has(&reads, subject) || expression_has_subquery(other)) return ERR_OK;
  if (property == PLAN_NONE) {
    if (kind != QG_EQUAL && kind != QG_IN) return ERR_OK;
    kind = kind == QG_EQUAL ? (element_id ? QG_ELEMENT_ID : QG_ID) : element_id ? QG_ELEMENT_ID_IN : QG_ID_IN;
  } else {
    TRY(planner_name(p, GRAPH_KEY, key, &q->name));
  }
  q->kind = kind;
  q->subject = subject;
  q->value = other;
  q->value_reads = reads;
  q->inclusive = q->expression->binary.op == AST_LE_OP || q->expression->binary.op == AST_GE_OP;
  return ERR_OK;
}

static enum err classify_binary(struct query_graph *g, struct qg_predicate *q) {
  const struct ast *n = q->expression;
  TRY(classify_side(g, q, n->binary.left, n->binary.right, false));
  return classify_side(g, q, n->binary.right, n->binary.left, true);
}

/// `n:A|B` of plain names.
static enum err classify_any_label(struct query_graph *g, struct qg_predicate *q, uint32_t slot) {
  struct list_builder labels = {0};
  AST_EACH(label, q->expression->has_labels.labels->label_or.operands) {
    plan_name_id name;
    if (label->kind != AST_LABEL) return ERR_OK;
    TRY(planner_name(g->p, GRAPH_LABEL, label->label.name, &name));
    TRY(list_add(g->p, &labels, name));
  }
  q->kind = QG_ANY_LABEL;
  q->subject = slot;
  q->labels = list_of(&labels);
  return ERR_OK;
}

static enum err classify_label(struct query_graph *g, struct qg_predicate *q) {
  const struct ast *n = q->expression;
  const struct ast *subject = variable_of(n->has_labels.subject);
  if (subject == NULL || qg_node_of(g, subject->variable.slot) == PLAN_NONE) return ERR_OK;
  if (n->has_labels.labels->kind == AST_LABEL_OR) return classify_any_label(g, q, subject->variable.slot);
  if (n->has_labels.labels->kind != AST_LABEL) return ERR_OK;
  TRY(planner_name(g->p, GRAPH_LABEL, n->has_labels.labels->label.name, &q->name));
  q->kind = QG_LABEL;
  q->subject = subject->variable.slot;
  return ERR_OK;
}

static enum err classify_exists(struct query_graph *g, struct qg_predicate *q) {
  struct str key;
  uint32_t subject = q->expression->is_null.negated ? property_of(q->expression->is_null.operand, &key) : PLAN_NONE;
  if (subject == PLAN_NONE || !bits_has(&g->slots, subject)) return ERR_OK;
  TRY(planner_name(g->p, GRAPH_KEY, key, &q->name));
  q->kind = QG_EXISTS;
  q->subject = subject;
  return ERR_OK;
}

/// Reading a path means reading all that it is made of.
static enum err resolve_paths(struct query_graph *g, struct qg_predicate *q) {
  for (uint32_t i = 0; i < g->path_count; i++) {
    if (!bits_has(&q->reads, g->paths[i].slot)) continue;
    bits_remove(&q->reads, g->paths[i].slot);
    PLAN_ADD(g->p, &q->paths, i);
    if (!bits_add_all(&g->p->scratch, &q->reads, &g->paths[i].reads)) return planner_nomem(g->p);
  }
  return ERR_OK;
}

static enum err classify(struct query_graph *g, struct qg_predicate *q) {
  q->kind = QG_OTHER;
  q->subquery = expression_has_subquery(q->expression);
  q->late = expression_is_volatile(q->expression);
  TRY(expression_slots(g->p, q->expression, &q->reads));
  TRY(resolve_paths(g, q));
  if (q->late) return ERR_OK;
  switch (q->expression->kind) {
  case AST_BINARY: return classify_binary(g, q);
  case AST_HAS_LABELS: return classify_label(g, q);
  case AST_IS_NULL: return classify_exists(g, q);
  default: return ERR_OK;
  }
}

enum err qg_classify(struct query_graph *g) {
  for (uint32_t i = 0; i < g->predicate_count; i++) TRY(classify(g, &g->predicates[i]));
  return ERR_OK;
}

uint32_t qg_rel_seek(const struct query_graph *g, const struct qg_rel *rel, const struct bits *available) {
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->kind >= QG_ID && q->subject == rel->slot && bits_within(&q->value_reads, available)) return i;
  }
  return PLAN_NONE;
}
