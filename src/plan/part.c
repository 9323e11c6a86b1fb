#include "plan/part.h"

#include "plan/cost.h"

enum err part_new(struct query_graph *g, const struct chain *c, struct part *ret) {
  struct planner *p = g->p;
  uint8_t *all = arena_zalloc(&p->scratch, g->predicate_count + g->node_count + g->rel_count + g->path_count + 1);
  PLAN_ALLOC(p, all);
  *ret = (struct part){.g = g, .c = *c, .predicates = all};
  ret->nodes = all + g->predicate_count;
  ret->rels = ret->nodes + g->node_count;
  ret->paths = ret->rels + g->rel_count;
  return bits_copy(&p->scratch, &c->bound, &ret->c.bound) ? ERR_OK : planner_nomem(p);
}

enum err part_path(struct part *w, uint32_t path) {
  struct planner *p = w->g->p;
  const struct qg_path *from = &w->g->paths[path];
  if (w->paths[path]) return ERR_OK;
  struct plan_op *op;
  TRY(chain_push(p, &w->c, PLAN_PROJECT_PATH, &op));
  op->project_path = (struct plan_project_path){from->slot, from->start, from->steps, from->step_count};
  w->paths[path] = 1;
  return chain_bind(p, &w->c, from->slot);
}

static enum err apply(struct part *w, uint32_t number) {
  const struct qg_predicate *q = &w->g->predicates[number];
  for (uint32_t i = 0; bits_next(&q->paths, &i); i++) TRY(part_path(w, i));
  w->predicates[number] = 1;
  double rows = w->c.op->rows;
  TRY(plan_conjunct(w->g->p, &w->c, q->expression));
  w->c.op->rows = rows * q->selectivity;
  return ERR_OK;
}

/// Cheap ones first: labels, then properties, then what is left, subqueries at the end.
static int expense(const struct qg_predicate *q) {
  if (q->subquery) return 3;
  return q->kind == QG_LABEL || q->kind == QG_ANY_LABEL ? 0 : q->kind == QG_OTHER ? 2 : 1;
}

enum err part_filter(struct part *w, bool last) {
  for (int round = 0; round < 4; round++)
    for (uint32_t i = 0; i < w->g->predicate_count; i++) {
      const struct qg_predicate *q = &w->g->predicates[i];
      if (w->predicates[i] || expense(q) != round || (q->late && !last) || !bits_within(&q->reads, &w->c.bound)) continue;
      TRY(apply(w, i));
    }
  return ERR_OK;
}

enum err part_leaf(struct part *w, const struct leaf *leaf) {
  TRY(leaf_push(w->g, &w->c, leaf, PLAN_NONE, PLAN_NONE));
  w->nodes[leaf->node] = 1;
  for (uint32_t i = 0; i < leaf->solved_count; i++) w->predicates[leaf->solved[i]] = 1;
  return part_filter(w, false);
}

bool part_rels_may_meet(const struct query_graph *g, uint32_t a, uint32_t b) {
  const struct qg_rel *x = &g->rels[a], *y = &g->rels[b];
  if (x->clause != y->clause || x->clause == PLAN_NONE) return false;
  if (x->kind == QG_GROUP || y->kind == QG_GROUP || x->types.count == 0 || y->types.count == 0) return true;
  for (uint32_t i = 0; i < x->types.count; i++)
    for (uint32_t k = 0; k < y->types.count; k++)
      if (x->types.items[i] == y->types.items[k]) return true;
  return false;
}

enum err part_rel_slots(const struct part *w, uint32_t rel, struct list_builder *ret) {
  const struct qg_rel *from = &w->g->rels[rel];
  if (from->kind != QG_GROUP) return list_add(w->g->p, ret, from->slot);
  for (uint32_t i = 0; i < from->outer_rels.count; i++) TRY(list_add(w->g->p, ret, from->outer_rels.items[i]));
  return ERR_OK;
}

enum err part_differ(const struct part *w, uint32_t rel, struct list_builder *ret) {
  for (uint32_t i = 0; i < w->g->rel_count; i++)
    if (i != rel && w->rels[i] && part_rels_may_meet(w->g, i, rel)) TRY(part_rel_slots(w, i, ret));
  return ERR_OK;
}
