// Seeks by id or element id: for each input row the entities that its expression names.
#include "base/map.h"
#include "exec/op.h"

struct by_id {
  struct op op;
  const struct batch *in;
  bool found; // the arrays below are filled for `in`; all held
  uint32_t n, at;
  uint32_t *rows;
  uint64_t *ids, *start, *end;
};

static bool is_node_seek(const struct op *op) {
  return op->plan->kind == PLAN_NODE_BY_ID || op->plan->kind == PLAN_NODE_BY_ELEMENT_ID;
}

static bool id_of(struct op *op, struct value v, uint64_t *ret) {
  if (op->plan->kind == PLAN_NODE_BY_ID || op->plan->kind == PLAN_REL_BY_ID) {
    *ret = (uint64_t) v.i;
    return v.type == VALUE_INT && v.i >= 0 && v.i <= (int64_t) GRAPH_ID_MAX;
  }
  return v.type == VALUE_STRING && graph_element_id_parse(op->x->graph, is_node_seek(op) ? GRAPH_NODE : GRAPH_REL, v_text(v), ret);
}

/// Ids named by one row's value, each once, behind those that are there.
static enum err collect(struct op *op, struct value v, uint32_t row, uint32_t *n, uint32_t *rows, uint64_t *ids, struct error *e) {
  struct value one = v;
  if (!op->plan->by_id.many) v = v_list(&one, 1);
  if (v.type != VALUE_LIST) return ERR_OK;
  CLEANUP(map_done) struct map seen = MAP_INIT;
  for (uint32_t i = 0; i < v.len; i++) {
    uint64_t id;
    if (!id_of(op, v.items[i], &id)) continue;
    if (v.len > 1) {
      if (map_get(&seen, id) != NULL) continue;
      if (map_put(&seen, id, 1) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for the ids to look for");
    }
    rows[*n] = row;
    ids[(*n)++] = id;
  }
  return ERR_OK;
}

static enum err candidates(struct op *op, const struct batch *in, uint32_t *ret_n, uint32_t **ret_rows, uint64_t **ret_ids, struct error *e) {
  struct eval c = op_eval(op, &op->held, e);
  struct frame root = frame_of(&c, in);
  struct vec v;
  TRY(eval_expression(&c, op->plan->by_id.ids, &root, &v));
  uint64_t room = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    struct value item = vec_get(&v, i);
    room += op->plan->by_id.many && item.type == VALUE_LIST ? item.len : 1;
  }
  if (room > UINT32_MAX) return error_set(e, ERR_ARGUMENT, "There are too many ids to look for.");
  uint32_t *rows = ARENA_ARRAY(&op->held, uint32_t, room);
  uint64_t *ids = ARENA_ARRAY(&op->held, uint64_t, room);
  if (rows == NULL || ids == NULL) return arena_err(&op->held, e);
  *ret_n = 0;
  for (uint32_t i = 0; i < in->n; i++) TRY(collect(op, vec_get(&v, i), i, ret_n, rows, ids, e));
  *ret_rows = rows;
  *ret_ids = ids;
  return ERR_OK;
}

static enum err find_all(struct op *op, struct error *e) {
  struct by_id *s = (struct by_id *) op;
  uint32_t n = 0, kept = 0, *rows = NULL;
  uint64_t *ids = NULL;
  TRY(candidates(op, s->in, &n, &rows, &ids, e));
  uint8_t *there = arena_alloc(&op->held, n);
  uint64_t *start = ARENA_ARRAY(&op->held, uint64_t, 2 * (size_t) n), *end = ARENA_ARRAY(&op->held, uint64_t, 2 * (size_t) n);
  if (there == NULL || start == NULL || end == NULL) return arena_err(&op->held, e);
  if (n > 0) TRY(graph_exist(op_view(op), is_node_seek(op) ? GRAPH_NODE : GRAPH_REL, ids, n, there, e));
  op->db_hits += n;
  for (uint32_t i = 0; i < n; i++) {
    rows[kept] = rows[i];
    ids[kept] = ids[i];
    kept += there[i];
  }
  if (!is_node_seek(op) && kept > 0) TRY(graph_rel_ends(op_view(op), ids, kept, start, end, NULL, e));
  s->n = kept;
  s->rows = rows;
  s->ids = ids;
  s->start = start;
  s->end = end;
  s->at = 0;
  s->found = true;
  return ERR_OK;
}

static enum err emit(struct op *op, uint32_t n, const struct batch **ret, struct error *e) {
  struct by_id *s = (struct by_id *) op;
  const struct plan_by_id *plan = &op->plan->by_id;
  bool both = plan->undirected && !is_node_seek(op);
  uint32_t room = both ? 2 * n : n, total = 0;
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, room);
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, room);
  uint64_t *start = ARENA_ARRAY(&op->out, uint64_t, room), *end = ARENA_ARRAY(&op->out, uint64_t, room);
  if (rows == NULL || ids == NULL || start == NULL || end == NULL) return arena_err(&op->out, e);
  for (uint32_t i = s->at; i < s->at + n; i++) {
    for (int back = 0; back <= (both && s->start[i] != s->end[i]); back++) {
      rows[total] = s->rows[i];
      ids[total] = s->ids[i];
      start[total] = back ? s->end[i] : s->start[i];
      end[total++] = back ? s->start[i] : s->end[i];
    }
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, total, &out, e));
  out->columns[plan->entity] = vec_of_ids(is_node_seek(op) ? VEC_NODE : VEC_REL, ids);
  if (!is_node_seek(op)) {
    out->columns[plan->start] = vec_of_ids(VEC_NODE, start);
    out->columns[plan->end] = vec_of_ids(VEC_NODE, end);
  }
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static enum err by_id_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct by_id *s = (struct by_id *) op;
  for (;;) {
    if (s->in == NULL) {
      TRY(op_pull(op, 0, want, &s->in, e));
      s->found = false;
    }
    if (s->in == NULL) return ERR_OK;
    if (!s->found) TRY(find_all(op, e));
    if (s->at < s->n) break;
    s->in = NULL;
  }
  arena_reset(&op->out);
  return emit(op, MIN(MIN(want, EXEC_BATCH_ROWS), s->n - s->at), ret, e);
}

static void by_id_reset(struct op *op) {
  ((struct by_id *) op)->in = NULL;
}

const struct op_class op_by_id_class = {.bytes = sizeof(struct by_id), .next = by_id_next, .reset = by_id_reset};
