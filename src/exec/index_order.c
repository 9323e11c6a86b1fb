#include "exec/index_order.h"

#include <stdlib.h>
#include <string.h>

#include "value/compare.h"

static enum err make_room(struct op *op, struct index_order *queue, uint32_t more, struct error *e) {
  uint32_t left = queue->n - queue->at;
  if (left + more > queue->room) {
    uint32_t room = MAX(2 * queue->room, left + more);
    graph_id *ids = ARENA_ARRAY(&op->held, graph_id, room);
    uint8_t *ties = arena_alloc(&op->held, room);
    if (ids == NULL || ties == NULL) return arena_err(&op->held, e);
    if (left > 0) memcpy(ids, queue->ids + queue->at, left * sizeof *ids);
    if (left > 0) memcpy(ties, queue->ties + queue->at, left);
    *queue = (struct index_order){ids, ties, 0, left, room};
    return ERR_OK;
  }
  if (queue->n + more <= queue->room) return ERR_OK;
  memmove(queue->ids, queue->ids + queue->at, left * sizeof *queue->ids);
  memmove(queue->ties, queue->ties + queue->at, left);
  queue->at = 0;
  queue->n = left;
  return ERR_OK;
}

static enum err read_more(struct op *op, const struct graph_seek *seek, struct graph_scan *scan, struct index_order *queue,
                          uint32_t cap, struct error *e) {
  uint32_t got = 0;
  TRY(make_room(op, queue, cap, e));
  TRY(graph_index_seek_ordered(op_view(op), op->plan->index_seek.index, seek, scan, &op->held, queue->ids + queue->n,
                               queue->ties + queue->n, cap, &got, e));
  queue->n += got;
  return ERR_OK;
}

/// The entity in front and all that may have to come before it end here.
static uint32_t run_end(const struct index_order *queue) {
  uint32_t end = queue->at + 1;
  while (end < queue->n && queue->ties[end] == GRAPH_TIE_JOINS) end++;
  return end;
}

struct tied {
  graph_id id;
  uint32_t place;
  const struct value *values; // of the keys that order
};

struct tied_order {
  uint32_t width;
  bool descending;
};

static int compare_tied(const void *a, const void *b, void *context) {
  const struct tied *x = a, *y = b;
  const struct tied_order *order = context;
  for (uint32_t k = 0; k < order->width; k++) {
    int c = value_order(x->values[k], y->values[k]);
    if (c != 0) return order->descending ? -c : c;
  }
  return x->place < y->place ? -1 : x->place > y->place;
}

/// Sorts the run in front, after which nothing in it is tied any more.
static enum err sort_run(struct op *op, struct index_order *queue, uint32_t end, struct error *e) {
  const struct plan_index_seek *plan = &op->plan->index_seek;
  struct plan_list keys = {plan->keys.items + plan->equal.count, plan->keys.count - plan->equal.count};
  uint32_t n = end - queue->at;
  struct tied_order order = {keys.count, plan->descending};
  CLEANUP(arena_done) struct arena scratch;
  arena_init(&scratch, &op->x->budget);
  graph_token *tokens;
  struct vec *columns = ARENA_ARRAY(&scratch, struct vec, keys.count);
  struct tied *run = ARENA_ARRAY(&scratch, struct tied, n);
  struct value *values = arena_array(&scratch, (size_t) n * keys.count, sizeof *values);
  if (columns == NULL || run == NULL || values == NULL) return arena_err(&scratch, e);
  TRY(op_tokens(op, &scratch, keys, &tokens, &order.width, e));
  enum graph_kind kind = op->plan->kind == PLAN_NODE_INDEX_SEEK ? GRAPH_NODE : GRAPH_REL;
  TRY(graph_get_properties(op_view(op), kind, queue->ids + queue->at, n, tokens, order.width, &scratch, columns, e));
  for (uint32_t i = 0; i < n; i++) {
    struct value *mine = values + (size_t) i * order.width;
    for (uint32_t k = 0; k < order.width; k++) mine[k] = vec_get(&columns[k], i);
    run[i] = (struct tied){queue->ids[queue->at + i], i, mine};
  }
  TRY(exec_check(op->x, e));
  qsort_r(run, n, sizeof *run, compare_tied, &order);
  for (uint32_t i = 0; i < n; i++) queue->ids[queue->at + i] = run[i].id;
  memset(queue->ties + queue->at, GRAPH_TIE_NONE, n);
  return ERR_OK;
}

enum err index_order_take(struct op *op, const struct graph_seek *seek, struct graph_scan *scan, struct index_order *queue,
                          graph_id *ids, uint32_t cap, uint32_t *ret_n, struct error *e) {
  uint32_t n = 0;
  for (;;) {
    while (n < cap && !index_order_is_empty(queue)) {
      if (queue->ties[queue->at] != GRAPH_TIE_NONE) {
        uint32_t end = run_end(queue);
        if (end == queue->n && !scan->done) break;
        if (n > 0 && end > queue->at + 1) break; // what has been taken goes out before anything that may wait
        if (end > queue->at + 1) TRY(sort_run(op, queue, end, e));
      }
      ids[n++] = queue->ids[queue->at++];
    }
    if (n > 0 || scan->done) break;
    TRY(read_more(op, seek, scan, queue, MAX(cap, EXEC_BATCH_FIRST), e));
  }
  *ret_n = n;
  return ERR_OK;
}
