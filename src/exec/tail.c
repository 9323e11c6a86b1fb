#include "exec/tail.h"

#include "exec/implied.h"

/// Where the graph guarantees all that a filter asks, it lets tails through.
static bool may_be_transparent(const struct plan_op *filter) {
  const struct plan_expand *by = NULL;
  for (uint32_t i = 0; i < filter->filter.predicates.count; i++) {
    by = implied_by(filter, filter->filter.predicates.items[i]);
    if (by == NULL) return false;
  }
  return filter->filter.differ_count == 0;
}

static const struct plan_op *expand_below(const struct plan_op *op) {
  op = op->children[0];
  while (op->kind == PLAN_FILTER && may_be_transparent(op)) op = op->children[0];
  return op->kind == PLAN_EXPAND ? op : NULL;
}

void tail_ask(struct op *op) {
  if (!op->x->options.flat && expand_below(op->plan) != NULL) op->children[0]->tail_wanted = true;
}

bool tail_slots(const struct plan_op *op, uint32_t *ret_node, uint32_t *ret_rel) {
  const struct plan_op *expand = expand_below(op);
  if (expand == NULL) return false;
  *ret_node = expand->expand.to;
  *ret_rel = expand->expand.rel;
  return true;
}

enum err tail_begin(struct tail_builder *t, struct arena *a, uint32_t rows, struct error *e) {
  *t = (struct tail_builder){.arena = a, .rows_capacity = rows, .slice_capacity = rows + 16};
  t->rows = ARENA_ARRAY(a, uint32_t, rows);
  t->first = ARENA_ARRAY(a, uint32_t, rows + 1);
  t->slices = ARENA_ARRAY(a, struct graph_slice, t->slice_capacity);
  return t->rows != NULL && t->first != NULL && t->slices != NULL ? ERR_OK : arena_err(a, e);
}

void tail_row(struct tail_builder *t, uint32_t row) {
  t->rows[t->n] = row;
  t->first[t->n++] = t->slice_count;
}

static struct graph_slice part_of(const struct graph_slice *s, uint32_t from, uint32_t to) {
  struct graph_slice part = *s;
  part.neighbours += from;
  part.rels += from;
  if (part.neighbours_high != NULL) part.neighbours_high += from;
  if (part.rels_high != NULL) part.rels_high += from;
  part.count = to - from;
  return part;
}

enum err tail_add(struct tail_builder *t, const struct graph_slice *slice, uint32_t from, uint32_t to, struct error *e) {
  if (from == to) return ERR_OK;
  if (t->slice_count == t->slice_capacity) {
    uint32_t capacity = t->slice_capacity * 2;
    struct graph_slice *more = arena_grow(t->arena, t->slices, t->slice_capacity * sizeof *more, capacity * sizeof *more);
    if (more == NULL) return arena_err(t->arena, e);
    t->slices = more;
    t->slice_capacity = capacity;
  }
  t->slices[t->slice_count++] = part_of(slice, from, to);
  t->elements += to - from;
  return ERR_OK;
}

void tail_put(struct tail_builder *t, uint32_t slot_node, uint32_t slot_rel, struct batch *b) {
  t->first[t->n] = t->slice_count;
  b->tail = (struct batch_tail){slot_node, slot_rel, t->elements, t->first, t->slices};
}
