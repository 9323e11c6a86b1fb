#include "exec/walk.h"

void neighbours_init(struct neighbours *n, struct mem_budget *budget) {
  *n = (struct neighbours){0};
  arena_init(&n->arena, budget);
}

void neighbours_done(struct neighbours *n) {
  arena_done(&n->arena);
}

/// Everything that the store has, less the relationships of `differ`.
static enum err read_slices(struct walk *w, const struct batch *in, uint32_t row, uint64_t node, struct neighbours *ret, struct error *e) {
  struct graph_expansion expansion;
  graph_token *types;
  uint32_t type_count, total = 0;
  TRY(op_tokens(w->op, &ret->arena, w->types, &types, &type_count, e));
  if (w->types.count > 0 && type_count == 0) return ERR_OK;
  TRY(graph_expand(op_view(w->op), &node, 1, w->direction, types, type_count, &ret->arena, &expansion, e));
  uint32_t first = expansion.first[0], end = expansion.done > 0 ? expansion.first[1] : first;
  for (uint32_t i = first; i < end; i++) total += expansion.slices[i].count;
  uint64_t *nodes = ARENA_ARRAY(&ret->arena, uint64_t, total), *rels = ARENA_ARRAY(&ret->arena, uint64_t, total);
  if (nodes == NULL || rels == NULL) return arena_err(&ret->arena, e);
  uint32_t n = 0;
  for (uint32_t i = first; i < end; i++) {
    const struct graph_slice *slice = &expansion.slices[i];
    for (uint32_t k = 0; k < slice->count; k++) {
      nodes[n] = graph_slice_neighbour(slice, k);
      rels[n] = graph_slice_rel(slice, k);
      n += w->differ.count == 0 || op_differs(in, row, w->differ, rels[n]);
    }
  }
  w->op->db_hits += total + 1;
  ret->nodes = nodes;
  ret->rels = rels;
  ret->n = n;
  return ERR_OK;
}

static enum err keep_true(struct eval *c, const struct ast *predicate, struct frame *f, struct neighbours *n, uint8_t *keep) {
  struct vec holds;
  TRY(eval_predicate(c, predicate, f, &holds));
  for (uint32_t i = 0; i < n->n; i++) keep[i] &= !vec_is_null(&holds, i) && holds.b[holds.constant ? 0 : i];
  return ERR_OK;
}

/// Predicates are asked about all neighbours at once.
static enum err filter(struct walk *w, const struct batch *in, uint32_t row, struct neighbours *n, struct error *e) {
  struct eval c = op_eval(w->op, &n->arena, e);
  uint32_t *rows = ARENA_ARRAY(&n->arena, uint32_t, n->n), kept = 0;
  uint8_t *keep = arena_alloc(&n->arena, n->n);
  if (rows == NULL || keep == NULL) return arena_err(&n->arena, e);
  for (uint32_t i = 0; i < n->n; i++) {
    rows[i] = row;
    keep[i] = 1;
  }
  struct frame root = frame_of(&c, in), all = frame_below(&c, &root, rows, n->n);
  if (w->step_rel != PLAN_NONE) TRY(frame_set(&c, &all, w->step_rel, vec_of_ids(VEC_REL, n->rels)));
  if (w->step_node != PLAN_NONE) TRY(frame_set(&c, &all, w->step_node, vec_of_ids(VEC_NODE, n->nodes)));
  for (uint32_t i = 0; i < w->rel_predicates.count; i++) TRY(keep_true(&c, w->rel_predicates.items[i], &all, n, keep));
  for (uint32_t i = 0; i < w->node_predicates.count; i++) TRY(keep_true(&c, w->node_predicates.items[i], &all, n, keep));
  for (uint32_t i = 0; i < n->n; i++) {
    n->nodes[kept] = n->nodes[i];
    n->rels[kept] = n->rels[i];
    kept += keep[i];
  }
  n->n = kept;
  return ERR_OK;
}

enum err walk_neighbours(struct walk *w, const struct batch *in, uint32_t row, uint64_t node, struct neighbours *ret, struct error *e) {
  arena_reset(&ret->arena);
  ret->n = 0;
  enum err err = read_slices(w, in, row, node, ret, e);
  bool predicates = w->rel_predicates.count > 0 || w->node_predicates.count > 0;
  if (err == ERR_OK && predicates && ret->n > 0) err = filter(w, in, row, ret, e);
  if (err != ERR_OK) ret->n = 0;
  return err;
}

enum err walk_node_passes(struct walk *w, const struct batch *in, uint32_t row, uint64_t node, struct arena *a, bool *ret, struct error *e) {
  struct eval c = op_eval(w->op, a, e);
  uint64_t *ids = ARENA_ARRAY(a, uint64_t, 1);
  if (ids == NULL) return arena_err(a, e);
  ids[0] = node;
  struct frame root = frame_of(&c, in), one = frame_below(&c, &root, &row, 1);
  if (w->step_node != PLAN_NONE) TRY(frame_set(&c, &one, w->step_node, vec_of_ids(VEC_NODE, ids)));
  *ret = true;
  for (uint32_t i = 0; i < w->node_predicates.count && *ret; i++) {
    struct vec holds;
    TRY(eval_predicate(&c, w->node_predicates.items[i], &one, &holds));
    *ret = !vec_is_null(&holds, 0) && holds.b[0];
  }
  return ERR_OK;
}
