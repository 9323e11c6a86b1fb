// Relationships of a query graph to operators.
#include "plan/part.h"

#include "plan/cost.h"

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

/// What is inside of a repetition can only read what is known where it stands.
static enum err expect_known(struct part *w, const struct qg_rel *rel) {
  struct planner *p = w->g->p;
  struct bits reads = {0};
  if (rel->kind == QG_GROUP) TRY(expression_slots(p, rel->group, &reads));
  for (uint32_t i = 0; i < rel->rel_predicates.count; i++) TRY(expression_slots(p, rel->rel_predicates.items[i], &reads));
  bits_keep(&reads, &w->g->slots);
  if (bits_within(&reads, &w->c.bound)) return ERR_OK;
  return planner_unsupported(p, rel->group, "A repeated pattern whose predicate reads a variable of another pattern");
}

enum err part_traverse(struct part *w, uint32_t number, uint32_t from) {
  const struct qg_rel *rel = &w->g->rels[number];
  if (rel->kind != QG_ONE) TRY(expect_known(w, rel));
  uint32_t to = other_end(rel, from);
  bool into = w->nodes[to];
  switch (rel->kind) {
  case QG_VARIABLE: TRY(traverse_variable(w, number, from, to, into)); break;
  case QG_GROUP: TRY(traverse_group(w, number, from, to, into)); break;
  default: TRY(traverse_one(w, number, from, to, into)); break;
  }
  return reach(w, number, to);
}

/// `r:A|B`, for a relationship that was found without looking at its type.
static enum err filter_types(struct part *w, const struct qg_rel *rel) {
  struct planner *p = w->g->p;
  const struct ast *subject;
  if (rel->types.count == 0) return ERR_OK;
  struct ast *test = ast_new(p->arena, AST_HAS_LABELS, 0), *any = ast_new(p->arena, AST_LABEL_OR, 0);
  if (test == NULL || any == NULL) return planner_nomem(p);
  for (uint32_t i = 0; i < rel->types.count; i++) {
    struct ast *label = ast_new(p->arena, AST_LABEL, 0);
    PLAN_ALLOC(p, label);
    label->label.name = p->names[rel->types.items[i]].name;
    label->height = 1;
    ast_append(&any->label_or.operands, label);
  }
  TRY(expression_variable(p, rel->slot, &subject));
  any->height = 2;
  test->has_labels.subject = (struct ast *) (uintptr_t) subject;
  test->has_labels.labels = rel->types.count == 1 ? any->label_or.operands.first : any;
  test->height = 3;
  test->types = CYPHER_BOOLEAN;
  return chain_filter(p, &w->c, test);
}

static enum err seek_rel(struct part *w, const struct qg_rel *rel, uint32_t predicate, uint32_t start, uint32_t end) {
  const struct qg_predicate *q = &w->g->predicates[predicate];
  struct plan_op *op;
  bool many = q->kind == QG_ID_IN || q->kind == QG_ELEMENT_ID_IN;
  TRY(chain_push(w->g->p, &w->c, q->kind == QG_ID || q->kind == QG_ID_IN ? PLAN_REL_BY_ID : PLAN_REL_BY_ELEMENT_ID, &op));
  op->by_id = (struct plan_by_id){rel->slot, q->value, many, rel->direction == GRAPH_BOTH, start, end};
  if (many) op->rows *= LIST_ROWS;
  w->predicates[predicate] = 1;
  return filter_types(w, rel);
}

static enum err scan_rels(struct part *w, const struct qg_rel *rel, uint32_t start, uint32_t end) {
  struct plan_op *op;
  TRY(chain_push(w->g->p, &w->c, PLAN_REL_SCAN, &op));
  op->rel_scan = (struct plan_rel_scan){rel->slot, start, end, rel->direction == GRAPH_BOTH, rel->types};
  op->rows *= rel->count * (rel->direction == GRAPH_BOTH ? 2 : 1);
  return ERR_OK;
}

/// A scan has no `differ` of its own.
static enum err filter_differ(struct part *w, uint32_t number) {
  struct planner *p = w->g->p;
  struct list_builder others = {0};
  struct plan_op *op;
  TRY(part_differ(w, number, &others));
  if (others.count == 0) return ERR_OK;
  struct plan_pair *pairs = ARENA_ARRAY(p->arena, struct plan_pair, others.count);
  PLAN_ALLOC(p, pairs);
  for (uint32_t i = 0; i < others.count; i++) pairs[i] = (struct plan_pair){w->g->rels[number].slot, others.items[i]};
  TRY(chain_push(p, &w->c, PLAN_FILTER, &op));
  op->filter.differ = pairs;
  op->filter.differ_count = others.count;
  return ERR_OK;
}

static enum err seek_rel_index(struct part *w, const struct leaf *leaf, uint32_t start, uint32_t end) {
  TRY(leaf_push(w->g, &w->c, leaf, start, end));
  for (uint32_t i = 0; i < leaf->solved_count; i++) w->predicates[leaf->solved[i]] = 1;
  return ERR_OK;
}

enum err part_rel_scan(struct part *w, uint32_t number, const struct leaf *leaf) {
  const struct qg_rel *rel = &w->g->rels[number];
  bool reversed = rel->direction == GRAPH_IN;
  uint32_t left = w->g->nodes[rel->left].slot, right = w->g->nodes[rel->right].slot;
  uint32_t start = reversed ? right : left, end = reversed ? left : right;
  uint32_t seek = qg_rel_seek(w->g, rel, &w->c.bound);
  if (leaf->index != NULL) {
    TRY(seek_rel_index(w, leaf, start, end));
  } else {
    TRY(seek != PLAN_NONE ? seek_rel(w, rel, seek, start, end) : scan_rels(w, rel, start, end));
  }
  TRY(filter_differ(w, number));
  w->nodes[rel->left] = 1;
  TRY(chain_bind(w->g->p, &w->c, left));
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
