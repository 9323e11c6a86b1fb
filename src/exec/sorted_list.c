#include "exec/sorted_list.h"

#include <stdlib.h>

struct hop {
  uint64_t node, rel;
};

static int order_hops(const void *a, const void *b) {
  const struct hop *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  return (x->rel > y->rel) - (x->rel < y->rel);
}

/// One slice of all, in order.
static enum err sort_slices(const struct graph_slice *slices, uint32_t n, uint32_t total, struct arena *a, struct graph_slice **ret,
                            struct error *e) {
  struct hop *hops = ARENA_ARRAY(a, struct hop, total);
  uint32_t *words = ARENA_ARRAY(a, uint32_t, (size_t) total * 2), at = 0;
  uint8_t *high = arena_alloc(a, (size_t) total * 2), any_node = 0, any_rel = 0;
  struct graph_slice *out = arena_copy(a, slices, sizeof *slices);
  if (hops == NULL || words == NULL || high == NULL || out == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t k = 0; k < slices[i].count; k++) hops[at++] = (struct hop){graph_slice_neighbour(&slices[i], k), graph_slice_rel(&slices[i], k)};
  qsort(hops, total, sizeof *hops, order_hops);
  for (uint32_t i = 0; i < total; i++) {
    words[i] = (uint32_t) hops[i].node;
    words[total + i] = (uint32_t) hops[i].rel;
    any_node |= high[i] = (uint8_t) (hops[i].node >> 32);
    any_rel |= high[total + i] = (uint8_t) (hops[i].rel >> 32);
  }
  out->neighbours = words;
  out->rels = words + total;
  out->neighbours_high = any_node ? high : NULL;
  out->rels_high = any_rel ? high + total : NULL;
  out->count = total;
  *ret = out;
  return ERR_OK;
}

static bool follow_one_another(const struct graph_slice *slices, uint32_t n, bool ordered) {
  for (uint32_t i = 1; i < n; i++) {
    const struct graph_slice *a = &slices[i - 1], *b = &slices[i];
    if (ordered && a->type == b->type && a->direction == b->direction) continue;
    if (graph_slice_neighbour(a, a->count - 1) > graph_slice_neighbour(b, 0)) return false;
  }
  return true;
}

enum err sorted_list_of(const struct graph_slice *slices, uint32_t n, bool ordered, struct arena *a, struct sorted_list *ret, struct error *e) {
  struct sorted_list list = {slices, n, 0};
  for (uint32_t i = 0; i < n; i++) list.count += slices[i].count;
  if (list.count > UINT32_MAX) return error_set(e, ERR_TX_MEMORY, "A node has more than 2^32 relationships.");
  if (!follow_one_another(slices, n, ordered)) {
    struct graph_slice *one = NULL;
    TRY(sort_slices(slices, n, (uint32_t) list.count, a, &one, e));
    list.slices = one;
    list.slice_count = 1;
  }
  *ret = list;
  return ERR_OK;
}

/// First place in [at, s->count) whose node is not below `node`: doubling steps, then halves.
static uint32_t gallop(const struct graph_slice *s, uint32_t at, uint64_t node) {
  uint32_t step = 1, low = at;
  while (low + step < s->count && graph_slice_neighbour(s, low + step) < node) {
    low += step;
    step *= 2;
  }
  uint32_t high = MIN(low + step, s->count);
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (graph_slice_neighbour(s, middle) < node) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// The slice at or behind `from` that holds the first place not below `node`.
static uint32_t slice_for(const struct sorted_list *l, uint32_t from, uint64_t node) {
  uint32_t low = from, high = l->slice_count;
  while (low < high) {
    uint32_t middle = low == from ? from : low + (high - low) / 2; // mostly the one at hand
    const struct graph_slice *s = &l->slices[middle];
    if (graph_slice_neighbour(s, s->count - 1) < node) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

struct list_place list_seek(const struct sorted_list *l, struct list_place at, uint64_t node) {
  if (list_at_end(l, at)) return at;
  uint32_t slice = slice_for(l, at.slice, node);
  if (slice == l->slice_count) return (struct list_place){slice, 0};
  return (struct list_place){slice, gallop(&l->slices[slice], slice == at.slice ? at.item : 0, node)};
}

struct list_place list_run_end(const struct sorted_list *l, struct list_place at) {
  uint64_t node = list_node(l, at);
  while (!list_at_end(l, at) && list_node(l, at) == node) at = list_next(l, at);
  return at;
}
