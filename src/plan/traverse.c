// Relationships of a query graph to operators.
#include "plan/part.h"

static enum graph_direction flipped(enum graph_direction d) {
  return d == GRAPH_BOTH ? d : d == GRAPH_OUT ? GRAPH_IN : GRAPH_OUT;
}

static uint32_t other_end(const struct qg_rel *rel, uint32_t from) {
  return rel->left == from ? rel->right : rel->left;
}

static enum err reach(struct part *w, uint32_t number, uint32_t to) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  w->rels[number] = 1;
  w->nodes[to] = 1;
  TRY(chain_bind(p, &w->c, w->g->nodes[to].slot));
  TRY(chain_bind(p, &w->c, rel->slot));
  return part_filter(w, false);
}

static double expected(const struct part *w, const struct qg_rel *rel, uint32_t to, bool into) {
  return w->c.op->children[0]->rows * rel->selectivity * (into ? 1 : MAX(1.0, w->g->nodes[to].base));
}

static enum err traverse_one(struct part *w, uint32_t number, uint32_t from, uint32_t to, bool into) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  struct list_builder differ = {0};
  struct plan_op *op;
  TRY(part_differ(w, number, &differ));
  TRY(chain_push(p, &w->c, into ? PLAN_EXPAND_INTO : PLAN_EXPAND, &op));
  op->expand = (struct plan_expand){.from = w->g->nodes[from].slot,
                                    .rel = rel->slot,
                                    .to = w->g->nodes[to].slot,
                                    .direction = from == rel->left ? rel->direction : flipped(rel->direction),
                                    .types = rel->types,
                                    .differ = list_of(&differ)};
  op->rows = expected(w, rel, to, into);
  return ERR_OK;
}

static enum err traverse_variable(struct part *w, uint32_t number, uint32_t from, uint32_t to, bool into) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  struct list_builder differ = {0};
  struct plan_op *op;
  TRY(part_differ(w, number, &differ));
  TRY(chain_push(p, &w->c, into ? PLAN_VAR_EXPAND_INTO : PLAN_VAR_EXPAND, &op));
  op->var_expand = (struct plan_var_expand){.from = w->g->nodes[from].slot,
                                            .rels = rel->slot,
                                            .to = w->g->nodes[to].slot,
                                            .direction = from == rel->left ? rel->direction : flipped(rel->direction),
                                            .reverse = from != rel->left,
                                            .types = rel->types,
                                            .min = rel->min,
                                            .max = rel->max,
                                            .differ = list_of(&differ),
                                            .step_rel = rel->step_rel,
                                            .step_node = rel->step_node,
                                            .rel_predicates = exprs_of(&rel->rel_predicates),
                                            .node_predicates = exprs_of(&rel->node_predicates)};
  op->rows = expected(w, rel, to, into);
  return ERR_OK;
}

/// The inside of a quantified path pattern, from its first node (or, `reverse`, its last) on.
static enum err plan_group(struct part *w, const struct qg_rel *rel, struct plan_repeat *repeat, struct plan_op **ret_right) {
  struct planner *p = w->g->p;
  struct query_graph inside = {.p = p};
  struct chain right;
  TRY(chain_right(p, &w->c, &right));
  TRY(qg_add_path(&inside, rel->group->group.path, &right.bound, 0));
  TRY(qg_add_predicate(&inside, rel->group->group.where));
  if (inside.rel_count == 0) return planner_unsupported(p, rel->group, "A quantified path pattern without a relationship");
  uint32_t first = inside.rels[0].left, last = inside.rels[inside.rel_count - 1].right;
  uint32_t start = repeat->reverse ? last : first, end = repeat->reverse ? first : last;
  inside.nodes[start].bound = true;
  TRY(chain_bind(p, &right, inside.nodes[start].slot));
  repeat->inner_start = inside.nodes[start].slot;
  repeat->inner_end = inside.nodes[end].slot;
  struct list_builder inner = {0};
  for (uint32_t i = 0; i < inside.rel_count; i++) TRY(list_add(p, &inner, inside.rels[i].slot));
  repeat->inner_rels = list_of(&inner);
  TRY(qg_plan(&inside, &right));
  *ret_right = right.op;
  return ERR_OK;
}

/// The variables inside, each with its list outside; relationships that nobody named have a list, too, if they need to differ.
static enum err group_slots(struct part *w, const struct qg_rel *rel, struct plan_op *op) {
  struct planner *p = w->g->p;
  const struct ast_slots *given = &rel->group->group.slots;
  struct ast_slot_pair *pairs = ARENA_ARRAY(p->arena, struct ast_slot_pair, given->count + rel->inner_rels.count);
  PLAN_ALLOC(p, pairs);
  uint32_t count = 0;
  for (uint32_t i = 0; i < given->count; i++) pairs[count++] = given->items[i];
  for (uint32_t i = 0; i < rel->inner_rels.count; i++) {
    bool listed = false;
    for (uint32_t k = 0; k < given->count; k++) listed = listed || given->items[k].outer == rel->outer_rels.items[i];
    if (!listed) pairs[count++] = (struct ast_slot_pair){STR(""), rel->inner_rels.items[i], rel->outer_rels.items[i]};
  }
  op->repeat.groups = pairs;
  op->repeat.group_count = count;
  for (uint32_t i = 0; i < count; i++) TRY(chain_bind(p, &w->c, pairs[i].outer));
  return ERR_OK;
}

static enum err traverse_group(struct part *w, uint32_t number, uint32_t from, uint32_t to, bool into) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  struct list_builder differ = {0};
  struct plan_op *op, *right = NULL;
  struct plan_repeat repeat = {.from = w->g->nodes[from].slot,
                                    .to = w->g->nodes[to].slot,
                                    .into = into,
                                    .reverse = from != rel->left,
                                    .min = rel->min,
                               .max = rel->max};
  TRY(part_differ(w, number, &differ));
  repeat.differ = list_of(&differ);
  TRY(plan_group(w, rel, &repeat, &right));
  TRY(chain_push2(p, &w->c, PLAN_REPEAT, right, &op));
  op->repeat = repeat;
  op->rows *= 10;
  return group_slots(w, rel, op);
}

enum err part_traverse(struct part *w, uint32_t number, uint32_t from) {
  const struct qg_rel *rel = &w->g->rels[number];
  uint32_t to = other_end(rel, from);
  bool into = w->nodes[to];
  switch (rel->kind) {
  case QG_VARIABLE: TRY(traverse_variable(w, number, from, to, into)); break;
  case QG_GROUP: TRY(traverse_group(w, number, from, to, into)); break;
  default: TRY(traverse_one(w, number, from, to, into)); break;
  }
  return reach(w, number, to);
}

/// Uniqueness needs no `differ`: it is the first relationship of its part.
enum err part_rel_scan(struct part *w, uint32_t number) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  struct plan_op *op;
  bool reversed = rel->direction == GRAPH_IN;
  uint32_t left = w->g->nodes[rel->left].slot, right = w->g->nodes[rel->right].slot;
  TRY(chain_push(p, &w->c, PLAN_REL_SCAN, &op));
  op->rel_scan = (struct plan_rel_scan){rel->slot, reversed ? right : left, reversed ? left : right, rel->direction == GRAPH_BOTH, rel->types};
  op->rows *= rel->count * (rel->direction == GRAPH_BOTH ? 2 : 1);
  w->nodes[rel->left] = 1;
  TRY(chain_bind(p, &w->c, left));
  return reach(w, number, rel->right);
}

enum err part_intersect(struct part *w, uint32_t to, const uint32_t *rels, uint32_t count) {
  struct planner *p = w->g->p;
  struct plan_arm *arms = ARENA_ARRAY(p->arena, struct plan_arm, count);
  struct plan_op *op;
  PLAN_ALLOC(p, arms);
  TRY(chain_push(p, &w->c, PLAN_INTERSECT, &op));
  op->intersect = (struct plan_intersect){w->g->nodes[to].slot, arms, count};
  op->rows *= MAX(1.0, w->g->nodes[to].base);
  for (uint32_t i = 0; i < count; i++) {
    const struct qg_rel *rel = &w->g->rels[rels[i]];
    uint32_t from = other_end(rel, to);
    struct list_builder differ = {0};
    TRY(part_differ(w, rels[i], &differ));
    arms[i] = (struct plan_arm){w->g->nodes[from].slot, rel->slot, from == rel->left ? rel->direction : flipped(rel->direction), rel->types,
                                list_of(&differ)};
    w->rels[rels[i]] = 1;
    op->rows *= rel->selectivity;
    TRY(chain_bind(p, &w->c, rel->slot));
  }
  return reach(w, rels[0], to);
}

enum err part_endpoints(struct part *w, uint32_t number) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  struct list_builder differ = {0};
  struct plan_op *op;
  if (rel->kind == QG_GROUP || rel->kind == QG_SHORTEST) return planner_unsupported(p, rel->group, "A path pattern over a variable that is bound already");
  TRY(part_differ(w, number, &differ));
  TRY(chain_push(p, &w->c, PLAN_PROJECT_ENDPOINTS, &op));
  op->project_ends = (struct plan_project_ends){.rel = rel->slot,
                                                .start = w->g->nodes[rel->left].slot,
                                                .end = w->g->nodes[rel->right].slot,
                                                .start_bound = w->nodes[rel->left],
                                                .end_bound = w->nodes[rel->right] || rel->left == rel->right,
                                                .list = rel->kind == QG_VARIABLE,
                                                .direction = rel->direction,
                                                .types = rel->types,
                                                .min = rel->min,
                                                .max = rel->max,
                                                .differ = list_of(&differ)};
  w->nodes[rel->left] = 1;
  TRY(chain_bind(p, &w->c, w->g->nodes[rel->left].slot));
  return reach(w, number, rel->right);
}

/// Predicates on the whole of a shortestPath() say which is the shortest; they belong to the search.
static enum err path_predicates(struct part *w, uint32_t number, uint32_t path, struct exprs_builder *ret) {
  const struct qg_rel *rel = &w->g->rels[number];
  struct planner *p = w->g->p;
  struct bits known = {0};
  if (rel->selects_before_where) return ERR_OK;
  if (!bits_add_all(&p->scratch, &known, &w->c.bound)) return planner_nomem(p);
  PLAN_ADD(p, &known, rel->slot);
  for (uint32_t i = 0; i < w->g->predicate_count; i++) {
    const struct qg_predicate *q = &w->g->predicates[i];
    bool about = bits_has(&q->reads, rel->slot) || (path != PLAN_NONE && bits_has(&q->paths, path));
    if (w->predicates[i] || !about || !bits_within(&q->reads, &known)) continue;
    if (q->subquery) return planner_unsupported(p, q->expression, "A subquery over a shortest path");
    w->predicates[i] = 1;
    TRY(exprs_add(p, ret, q->expression));
  }
  return ERR_OK;
}

/// The named path that consists of just this relationship.
static uint32_t path_of(const struct query_graph *g, uint32_t slot) {
  for (uint32_t i = 0; i < g->path_count; i++)
    if (g->paths[i].step_count == 1 && g->paths[i].steps[0].rels.items[0] == slot) return i;
  return PLAN_NONE;
}

enum err part_shortest(struct part *w, uint32_t number) {
  struct planner *p = w->g->p;
  const struct qg_rel *rel = &w->g->rels[number];
  uint32_t path = path_of(w->g, rel->slot);
  struct exprs_builder predicates = {0};
  struct plan_op *op;
  TRY(path_predicates(w, number, path, &predicates));
  TRY(chain_push(p, &w->c, PLAN_SHORTEST_PATH, &op));
  op->shortest_path = (struct plan_shortest_path){.from = w->g->nodes[rel->left].slot,
                                                  .to = w->g->nodes[rel->right].slot,
                                                  .rels = rel->slot,
                                                  .path = path != PLAN_NONE ? w->g->paths[path].slot : PLAN_NONE,
                                                  .mode = rel->shortest,
                                                  .direction = rel->direction,
                                                  .types = rel->types,
                                                  .min = rel->min,
                                                  .max = rel->max,
                                                  .same_node = rel->same_node,
                                                  .step_rel = rel->step_rel,
                                                  .step_node = rel->step_node,
                                                  .rel_predicates = exprs_of(&rel->rel_predicates),
                                                  .node_predicates = exprs_of(&rel->node_predicates),
                                                  .path_predicates = exprs_of(&predicates)};
  if (path != PLAN_NONE) {
    w->paths[path] = 1;
    TRY(chain_bind(p, &w->c, w->g->paths[path].slot));
  }
  return reach(w, number, rel->right);
}
