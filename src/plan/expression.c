// Expressions: what they read, small ones made by the planner, and their conjuncts.
#include <stddef.h>

#include "plan/plan_int.h"

struct slots_walk {
  struct planner *p;
  struct bits used, local;
  bool failed;
};

static void walk_add(struct slots_walk *w, struct bits *to, uint32_t slot) {
  if (slot != AST_NO_SLOT && !bits_add(&w->p->scratch, to, slot)) w->failed = true;
}

/// `WITH a AS b` inside of a subquery makes `b`; `WITH a` makes nothing.
static bool makes_slot(const struct ast *projection) {
  const struct ast *from = projection->projection.expression;
  return from->kind != AST_VARIABLE || from->variable.slot != projection->projection.slot;
}

static bool walk_slots(struct ast *n, void *context) {
  struct slots_walk *w = context;
  switch (n->kind) {
  case AST_VARIABLE: walk_add(w, n->flags & AST_DECLARES ? &w->local : &w->used, n->variable.slot); break;
  case AST_LIST_COMPREHENSION: walk_add(w, &w->local, n->list_comprehension.variable->variable.slot); break;
  case AST_QUANTIFIER: walk_add(w, &w->local, n->quantifier.variable->variable.slot); break;
  case AST_REDUCE:
    walk_add(w, &w->local, n->reduce.variable->variable.slot);
    walk_add(w, &w->local, n->reduce.accumulator->variable.slot);
    break;
  case AST_PROJECTION:
    if (makes_slot(n)) walk_add(w, &w->local, n->projection.slot);
    break;
  default: break;
  }
  return !w->failed;
}

enum err expression_slots(struct planner *p, const struct ast *n, struct bits *ret) {
  struct slots_walk walk = {.p = p};
  if (n == NULL) return ERR_OK;
  ast_visit((struct ast *) (uintptr_t) n, walk_slots, &walk);
  if (walk.failed) return planner_nomem(p);
  bits_remove_all(&walk.used, &walk.local);
  return bits_add_all(&p->scratch, ret, &walk.used) ? ERR_OK : planner_nomem(p);
}

static bool is_subquery(const struct ast *n) {
  return n->kind == AST_SUBQUERY || n->kind == AST_PATTERN_EXPRESSION || n->kind == AST_PATTERN_COMPREHENSION;
}

static bool find_subquery(struct ast *n, void *context) {
  bool *found = context;
  *found = *found || is_subquery(n);
  return !*found;
}

bool expression_has_subquery(const struct ast *n) {
  bool found = false;
  if (n != NULL) ast_visit((struct ast *) (uintptr_t) n, find_subquery, &found);
  return found;
}

static bool find_volatile(struct ast *n, void *context) {
  bool *found = context;
  *found = *found || (n->kind == AST_FUNCTION && n->function.signature != NULL && (n->function.signature->flags & CYPHER_VOLATILE));
  return !*found;
}

bool expression_is_volatile(const struct ast *n) {
  bool found = false;
  if (n != NULL) ast_visit((struct ast *) (uintptr_t) n, find_volatile, &found);
  return found;
}

enum err expression_variable(struct planner *p, uint32_t slot, const struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_VARIABLE, 0);
  PLAN_ALLOC(p, n);
  n->variable.slot = slot;
  n->variable.name = p->slots[slot].name;
  if (slot >= p->statement->slot_count) n->flags |= AST_PLANNED;
  n->types = n->elements = CYPHER_ANY;
  *ret = n;
  return ERR_OK;
}

enum err expression_integer(struct planner *p, int64_t i, const struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_LITERAL, 0);
  PLAN_ALLOC(p, n);
  n->literal.type = AST_INTEGER;
  n->literal.integer = i;
  n->types = CYPHER_INTEGER;
  *ret = n;
  return ERR_OK;
}

enum err expression_binary(struct planner *p, enum ast_op op, const struct ast *left, const struct ast *right, const struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_BINARY, right->offset);
  PLAN_ALLOC(p, n);
  n->binary.op = op;
  n->binary.left = (struct ast *) (uintptr_t) left;
  n->binary.right = (struct ast *) (uintptr_t) right;
  n->height = (uint16_t) (1 + MAX(left->height, right->height));
  n->types = CYPHER_ANY;
  n->at = right->at;
  *ret = n;
  return ERR_OK;
}

enum err expression_property(struct planner *p, uint32_t slot, struct str key, const struct ast **ret) {
  const struct ast *subject = NULL;
  TRY(expression_variable(p, slot, &subject));
  struct ast *n = ast_new(p->arena, AST_PROPERTY, 0);
  PLAN_ALLOC(p, n);
  n->property.subject = (struct ast *) (uintptr_t) subject;
  n->property.key = key;
  n->height = 2;
  n->types = n->elements = CYPHER_ANY;
  *ret = n;
  return ERR_OK;
}

static enum err chain_conjuncts(struct planner *p, const struct ast *n, struct exprs_builder *ret) {
  const struct ast *left = n->comparison_chain.first;
  AST_EACH(link, n->comparison_chain.links) {
    const struct ast *conjunct;
    TRY(expression_binary(p, link->comparison_link.op, left, link->comparison_link.operand, &conjunct));
    TRY(exprs_add(p, ret, conjunct));
    left = link->comparison_link.operand;
  }
  return ERR_OK;
}

/// `n:A&B` asks two things.
static enum err label_conjuncts(struct planner *p, const struct ast *n, const struct ast *labels, struct exprs_builder *ret) {
  if (labels->kind == AST_LABEL_AND) {
    AST_EACH(operand, labels->label_and.operands) TRY(label_conjuncts(p, n, operand, ret));
    return ERR_OK;
  }
  struct ast *one = ast_new(p->arena, AST_HAS_LABELS, n->offset);
  PLAN_ALLOC(p, one);
  one->has_labels.subject = n->has_labels.subject;
  one->has_labels.labels = (struct ast *) (uintptr_t) labels;
  one->height = n->height;
  one->types = n->types;
  return exprs_add(p, ret, one);
}

enum err expression_conjuncts(struct planner *p, const struct ast *n, struct exprs_builder *ret) {
  if (n == NULL) return ERR_OK;
  if (n->kind == AST_COMPARISON_CHAIN) return chain_conjuncts(p, n, ret);
  if (n->kind == AST_HAS_LABELS && n->has_labels.labels->kind == AST_LABEL_AND) return label_conjuncts(p, n, n->has_labels.labels, ret);
  if (n->kind != AST_LOGICAL || n->logical.op != AST_AND_OP) return exprs_add(p, ret, n);
  AST_EACH(operand, n->logical.operands) TRY(expression_conjuncts(p, operand, ret));
  return ERR_OK;
}
