// Steps to operators, and the connected parts of a query graph to one chain.
#include "plan/cost.h"
#include "plan/part.h"

static enum err run_step(struct part *w, const struct component *k, const struct step *step);

static enum err run_below(struct part *w, const struct component *k, const struct step *step) {
  return step != NULL ? run_step(w, k, step) : ERR_OK;
}

/// A right side of a join: a part of its own that starts afresh.
static enum err run_right(struct part *w, const struct component *k, const struct step *step, const struct chain *input, struct part *ret) {
  struct chain fresh;
  TRY(chain_fresh(w->g->p, input, &fresh));
  TRY(part_new(w->g, &fresh, ret));
  for (uint32_t i = 0; i < w->g->predicate_count; i++) // what was decided on the input alone stays decided
    ret->predicates[i] = w->predicates[i] && bits_within(&w->g->predicates[i].reads, &input->bound);
  return run_step(ret, k, step);
}

/// What is solved on either side is solved; the slots of both are filled.
static enum err merge_parts(struct part *w, const struct part *right) {
  const struct query_graph *g = w->g;
  for (uint32_t i = 0; i < g->predicate_count; i++) w->predicates[i] |= right->predicates[i];
  for (uint32_t i = 0; i < g->node_count; i++) w->nodes[i] |= right->nodes[i];
  for (uint32_t i = 0; i < g->rel_count; i++) w->rels[i] |= right->rels[i];
  for (uint32_t i = 0; i < g->path_count; i++) w->paths[i] |= right->paths[i];
  return bits_add_all(&g->p->scratch, &w->c.bound, &right->c.bound) ? ERR_OK : planner_nomem(g->p);
}

/// Relationships of the two sides that must differ, as pairs for a FILTER.
static enum err differ_across(struct part *w, const struct part *right) {
  struct planner *p = w->g->p;
  struct plan_pair *pairs = NULL;
  uint32_t count = 0, room = 0;
  for (uint32_t a = 0; a < w->g->rel_count; a++)
    for (uint32_t b = 0; b < w->g->rel_count; b++) {
      if (!w->rels[a] || !right->rels[b] || w->rels[b] || right->rels[a] || !part_rels_may_meet(w->g, a, b)) continue;
      struct list_builder left_slots = {0}, right_slots = {0};
      TRY(part_rel_slots(w, a, &left_slots));
      TRY(part_rel_slots(w, b, &right_slots));
      for (uint32_t i = 0; i < left_slots.count; i++)
        for (uint32_t j = 0; j < right_slots.count; j++) {
          TRY(array_room(p, &pairs, count, &room, sizeof *pairs));
          pairs[count++] = (struct plan_pair){left_slots.items[i], right_slots.items[j]};
        }
    }
  if (count == 0) return ERR_OK;
  struct plan_op *op;
  TRY(chain_push(p, &w->c, PLAN_FILTER, &op));
  op->filter.differ = pairs;
  op->filter.differ_count = count;
  return ERR_OK;
}

static enum err finish_join(struct part *w, const struct part *right, const struct plan_op *join) {
  double rows = join->rows;
  TRY(differ_across(w, right));
  TRY(merge_parts(w, right));
  w->c.op->rows = rows;
  return part_filter(w, false);
}

static enum err run_join(struct part *w, const struct component *k, const struct step *step) {
  struct planner *p = w->g->p;
  struct chain start = w->c;
  struct part right;
  struct plan_op *op;
  struct list_builder slots = {0};
  TRY(run_below(w, k, step->left));
  TRY(run_right(w, k, step->right, &start, &right));
  for (uint32_t i = 0; i < w->g->node_count; i++)
    if (w->nodes[i] && right.nodes[i]) TRY(list_add(p, &slots, w->g->nodes[i].slot));
  TRY(chain_push2(p, &w->c, PLAN_NODE_HASH_JOIN, right.c.op, &op));
  op->node_join.slots = list_of(&slots);
  op->rows = step->rows;
  return finish_join(w, &right, op);
}

/// An equality between something of the left and something of the right side: a join by value in place of a product and a filter.
static uint32_t equality_across(const struct part *w, const struct part *right, const struct ast **ret_left, const struct ast **ret_right,
                                enum err *ret_err) {
  struct planner *p = w->g->p;
  *ret_err = ERR_OK;
  for (uint32_t i = 0; i < w->g->predicate_count; i++) {
    const struct qg_predicate *q = &w->g->predicates[i];
    if (w->predicates[i] || right->predicates[i] || q->late || q->subquery || !bits_empty(&q->paths)) continue;
    if (q->expression->kind != AST_BINARY || q->expression->binary.op != AST_EQ_OP) continue;
    const struct ast *sides[] = {q->expression->binary.left, q->expression->binary.right};
    struct bits reads[2] = {{0}, {0}};
    for (int s = 0; s < 2; s++) {
      *ret_err = expression_slots(p, sides[s], &reads[s]);
      if (*ret_err != ERR_OK) return PLAN_NONE;
      bits_keep(&reads[s], &q->reads);
    }
    if (bits_empty(&reads[0]) || bits_empty(&reads[1])) continue;
    for (int s = 0; s < 2; s++)
      if (bits_within(&reads[s], &w->c.bound) && bits_within(&reads[1 - s], &right->c.bound)) {
        *ret_left = sides[s];
        *ret_right = sides[1 - s];
        return i;
      }
  }
  return PLAN_NONE;
}

static enum err run_product(struct part *w, const struct component *k, const struct step *step) {
  struct planner *p = w->g->p;
  struct part right;
  struct plan_op *op;
  const struct ast *left_value, *right_value;
  enum err err;
  struct chain start = w->c;
  TRY(run_below(w, k, step->left));
  TRY(run_right(w, k, step->right, &start, &right));
  uint32_t equality = equality_across(w, &right, &left_value, &right_value, &err);
  TRY(err);
  double rows = w->c.op->rows * right.c.op->rows;
  if (equality == PLAN_NONE) {
    TRY(chain_push2(p, &w->c, PLAN_CARTESIAN_PRODUCT, right.c.op, &op));
  } else {
    TRY(chain_push2(p, &w->c, PLAN_VALUE_HASH_JOIN, right.c.op, &op));
    op->value_join = (struct plan_value_join){left_value, right_value};
    w->predicates[equality] = 1;
    rows *= w->g->predicates[equality].selectivity;
  }
  op->rows = rows;
  return finish_join(w, &right, op);
}

static enum err run_intersect(struct part *w, const struct component *k, const struct step *step) {
  uint32_t rels[64], count = 0;
  for (uint64_t left = step->rels; left != 0; left &= left - 1) rels[count++] = k->rels[__builtin_ctzll(left)];
  return part_intersect(w, step->from, rels, count);
}

static enum err run_step(struct part *w, const struct component *k, const struct step *step) {
  switch (step->kind) {
  case STEP_INPUT:
  case STEP_FRESH: return ERR_OK;
  case STEP_JOIN: return run_join(w, k, step);
  case STEP_PRODUCT: return run_product(w, k, step);
  case STEP_LEAF: TRY(run_below(w, k, step->left)); return part_leaf(w, &step->leaf);
  case STEP_REL_SCAN: TRY(run_below(w, k, step->left)); return part_rel_scan(w, step->rel, &step->leaf);
  case STEP_EXPAND:
  case STEP_INTO: TRY(run_below(w, k, step->left)); return part_traverse(w, step->rel, step->from);
  case STEP_INTERSECT: TRY(run_below(w, k, step->left)); return run_intersect(w, k, step);
  }
  return ERR_OK;
}

/// A part that is not connected to what is there: on top of it, or beside it and then multiplied.
static enum err add_component(struct part *w, const struct component *k, bool first) {
  const struct step *step, *beside;
  TRY(join_order(w->g, k, &w->c, &step));
  if (first || k->bound || step->kind == STEP_PRODUCT) return run_step(w, k, step);
  struct chain fresh;
  TRY(chain_fresh(w->g->p, &w->c, &fresh));
  TRY(join_order(w->g, k, &fresh, &beside));
  struct step input = {.kind = STEP_INPUT, .rows = w->c.op->rows};
  struct step product = {.kind = STEP_PRODUCT, .left = &input, .right = beside, .rows = input.rows * beside->rows};
  product.cost = beside->cost + product.rows * COST_PRODUCT_ROW;
  return run_step(w, k, product.cost < step->cost ? &product : step);
}

/// The connected parts, those with known nodes first, then the one that is expected to give the fewest rows.
static enum err add_components(struct part *w, struct component *all, uint32_t count, bool at_start) {
  uint8_t *done = arena_zalloc(&w->g->p->scratch, count + 1);
  PLAN_ALLOC(w->g->p, done);
  for (uint32_t round = 0; round < count; round++) {
    uint32_t best = PLAN_NONE;
    double best_rows = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (done[i]) continue;
      double rows = 1;
      for (uint32_t n = 0; n < all[i].node_count; n++) rows *= MAX(1.0, w->g->nodes[all[i].nodes[n]].rows);
      for (uint32_t r = 0; r < all[i].rel_count; r++) rows *= w->g->rels[all[i].rels[r]].selectivity;
      if (all[i].bound) rows = -1;
      if (best != PLAN_NONE && rows >= best_rows) continue;
      best = i;
      best_rows = rows;
    }
    done[best] = 1;
    TRY(add_component(w, &all[best], round == 0 && at_start));
  }
  return ERR_OK;
}

/// Slots of list expressions inside of predicates are nobody's business here.
static enum err narrow_reads(struct query_graph *g, const struct chain *c) {
  struct bits universe = {0};
  if (!bits_add_all(&g->p->scratch, &universe, &g->slots) || !bits_add_all(&g->p->scratch, &universe, &c->bound)) return planner_nomem(g->p);
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    bits_keep(&g->predicates[i].reads, &universe);
    bits_keep(&g->predicates[i].value_reads, &universe);
  }
  return ERR_OK;
}

/// A node that may be null and that no relationship leads from: null matches no pattern.
static enum err refuse_null(struct part *w) {
  struct planner *p = w->g->p;
  for (uint32_t i = 0; i < w->g->node_count; i++) {
    uint32_t slot = w->g->nodes[i].slot;
    bool nullable = slot < p->statement->slot_count && p->statement->slots[slot].nullable;
    bool connected = false;
    for (uint32_t r = 0; r < w->g->rel_count; r++)
      connected = connected || w->g->rels[r].left == i || w->g->rels[r].right == i;
    if (!w->g->nodes[i].bound || !nullable || connected) continue;
    const struct ast *variable;
    TRY(expression_variable(p, slot, &variable));
    struct ast *known = ast_new(p->arena, AST_IS_NULL, 0);
    PLAN_ALLOC(p, known);
    known->is_null.operand = (struct ast *) (uintptr_t) variable;
    known->is_null.negated = true;
    known->height = 2;
    known->types = CYPHER_BOOLEAN;
    TRY(chain_filter(p, &w->c, known));
  }
  return ERR_OK;
}

static enum err finish_graph(struct part *w) {
  for (uint32_t r = 0; r < w->g->rel_count; r++)
    if (w->g->rels[r].kind == QG_SHORTEST && !w->rels[r]) TRY(part_shortest(w, r));
  TRY(part_filter(w, true));
  for (uint32_t i = 0; i < w->g->path_count; i++) TRY(part_path(w, i));
  for (uint32_t i = 0; i < w->g->predicate_count; i++)
    if (!w->predicates[i]) return error_set(w->g->p->error, ERR_INTERNAL, "A predicate was not placed");
  return ERR_OK;
}

enum err qg_plan(struct query_graph *g, struct chain *c) {
  struct part w;
  struct component *all;
  uint32_t count;
  bool at_start = chain_at_start(c);
  TRY(qg_classify(g));
  TRY(narrow_reads(g, c));
  qg_estimate(g);
  TRY(part_new(g, c, &w));
  for (uint32_t i = 0; i < g->node_count; i++) w.nodes[i] = g->nodes[i].bound;
  TRY(refuse_null(&w));
  TRY(part_filter(&w, false));
  for (uint32_t r = 0; r < g->rel_count; r++)
    if (g->rels[r].bound) TRY(part_endpoints(&w, r));
  for (uint32_t i = 0; i < g->node_count; i++) g->nodes[i].bound = w.nodes[i];
  TRY(components_find(g, &all, &count));
  TRY(add_components(&w, all, count, at_start && chain_at_start(&w.c)));
  TRY(finish_graph(&w));
  *c = w.c;
  return ERR_OK;
}
