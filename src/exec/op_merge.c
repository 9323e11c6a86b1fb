// Merge: for each input row the matches of its pattern, else the pattern made. One row at a time, because a row sees what earlier ones
// have made; locks on what the pattern names come first, so that two transactions take turns.
#include <string.h>

#include "exec/op.h"
#include "exec/write.h"
#include "graph/write.h"

enum merge_phase { MERGE_LOCK, MERGE_MATCH, MERGE_ON_MATCH, MERGE_CREATE, MERGE_ON_CREATE, MERGE_NEXT };

struct merge {
  struct op op;
  const struct batch *in;
  uint32_t row;
  enum merge_phase phase;
  bool matched;
  uint32_t lock;
  struct arena row_arena;   // of the current row
  struct batch *one;        // the row by itself
  struct batch *found;      // a batch of matches, or the row with what was made
  uint64_t **ids;
  struct write_place place;
};

static enum err merge_open(struct op *op, struct error *e UNUSED) {
  arena_init(&((struct merge *) op)->row_arena, &op->x->budget);
  return ERR_OK;
}

static enum err start_row(struct op *op, struct error *e) {
  struct merge *s = (struct merge *) op;
  arena_reset(&s->row_arena);
  uint32_t *rows = ARENA_ARRAY(&s->row_arena, uint32_t, 1);
  if (rows == NULL) return arena_err(&s->row_arena, e);
  rows[0] = s->row;
  TRY(batch_gather(&s->row_arena, s->in, rows, 1, &s->one, e));
  s->lock = 0;
  s->matched = false;
  op->children[1]->outer->batch = s->one;
  op_reset(op->children[1]);
  return ERR_OK;
}

/// Locks the key of one node of the pattern.
static enum err take_lock(struct op *op, const struct plan_merge_lock *lock, struct error *e) {
  struct merge *s = (struct merge *) op;
  struct eval c = op_eval_current(op, &s->row_arena, e);
  graph_token label = GRAPH_ANY, *keys = ARENA_ARRAY(&s->row_arena, graph_token, lock->keys.count);
  struct value *values = ARENA_ARRAY(&s->row_arena, struct value, lock->values.count);
  if (keys == NULL || values == NULL) return arena_err(&s->row_arena, e);
  if (lock->label_or_type != PLAN_NONE) TRY(op_token_make(op, lock->label_or_type, &label, e));
  for (uint32_t i = 0; i < lock->keys.count; i++) {
    TRY(op_token_make(op, lock->keys.items[i], &keys[i], e));
    TRY(eval_value(&c, lock->values.items[i], s->one, 0, &values[i]));
  }
  return graph_lock_key(op->x->tx, lock->kind, label, keys, values, lock->keys.count, e);
}

/// Nodes that the pattern is tied to: two transactions that merge a relationship between the same nodes take turns.
static enum err lock_ends(struct op *op, struct error *e) {
  struct merge *s = (struct merge *) op;
  const struct plan_create *create = &op->plan->merge.create;
  for (uint32_t i = 0; i < create->count; i++) {
    if (create->items[i].kind != GRAPH_REL) continue;
    struct value ends[2] = {batch_get(s->one, create->items[i].start, 0), batch_get(s->one, create->items[i].end, 0)};
    graph_id ids[2];
    uint32_t n = 0;
    for (int k = 0; k < 2; k++)
      if (ends[k].type == VALUE_NODE) ids[n++] = v_id(ends[k]);
    if (n == 2 && ids[0] > ids[1]) {
      graph_id first = ids[1];
      ids[1] = ids[0];
      ids[0] = first;
    }
    if (n == 2 && ids[0] == ids[1]) n = 1;
    if (n > 0) TRY(graph_lock(op->x->tx, GRAPH_NODE, ids, n, GRAPH_LOCK_EXCLUSIVE, e));
  }
  return ERR_OK;
}

/// A null in the pattern can neither match nor be made.
static enum err check_nulls(struct op *op, struct error *e) {
  struct merge *s = (struct merge *) op;
  const struct plan_create *create = &op->plan->merge.create;
  struct eval c = op_eval_current(op, &s->row_arena, e);
  for (uint32_t i = 0; i < create->count; i++) {
    struct value map;
    if (create->items[i].properties == NULL || write_reads_graph(create->items[i].properties)) continue;
    TRY(eval_value(&c, create->items[i].properties, s->one, 0, &map));
    for (uint32_t k = 0; map.type == VALUE_MAP && k < map.len; k++) {
      if (!v_is_null(map.entries[k].value)) continue;
      return error_set(e, ERR_SEMANTIC, "Cannot merge the following %s because of null property value for '%.*s'",
                       create->items[i].kind == GRAPH_NODE ? "node" : "relationship", STR_ARG(map.entries[k].key));
    }
  }
  return ERR_OK;
}

/// The next matches, with the columns of the row.
static enum err read_matches(struct op *op, struct error *e) {
  struct merge *s = (struct merge *) op;
  const struct batch *right;
  s->found = NULL;
  TRY(op_next(op->children[1], EXEC_BATCH_ROWS, &right, e));
  if (right == NULL || right->n == 0) {
    s->phase = right != NULL ? MERGE_MATCH : s->matched ? MERGE_NEXT : MERGE_CREATE;
    return ERR_OK;
  }
  struct batch *b;
  uint32_t *rows = arena_zalloc(&s->row_arena, right->n * sizeof *rows);
  const struct batch *dense;
  if (rows == NULL) return arena_err(&s->row_arena, e);
  TRY(batch_dense(&s->row_arena, right, &dense, e));
  TRY(batch_gather(&s->row_arena, s->one, rows, right->n, &b, e));
  for (uint32_t slot = 0; slot < b->column_count; slot++)
    if (vec_is_set(&dense->columns[slot])) b->columns[slot] = dense->columns[slot];
  s->found = b;
  s->matched = true;
  s->place = (struct write_place){.arena = &s->row_arena};
  s->phase = MERGE_ON_MATCH;
  return ERR_OK;
}

static enum err make(struct op *op, struct error *e) {
  struct merge *s = (struct merge *) op;
  if (s->found == NULL) {
    struct batch *b;
    TRY(op_extend(op, &s->row_arena, s->one, &b, e));
    TRY(write_create_prepare(&s->row_arena, &op->plan->merge.create, b, &s->ids, e));
    s->place = (struct write_place){.arena = &s->row_arena};
    s->found = b;
  }
  TRY(write_create(op, &op->plan->merge.create, s->found, s->ids, &s->place, true, e));
  s->place = (struct write_place){.arena = &s->row_arena};
  s->phase = MERGE_ON_CREATE;
  return ERR_OK;
}

/// One step of the current row; `*ret` is set when rows are ready.
static enum err step(struct op *op, const struct batch **ret, struct error *e) {
  struct merge *s = (struct merge *) op;
  const struct plan_merge *p = &op->plan->merge;
  switch (s->phase) {
  case MERGE_LOCK:
    if (s->lock == 0) TRY(check_nulls(op, e));
    TRY(lock_ends(op, e));
    for (; s->lock < p->lock_count; s->lock++) TRY(take_lock(op, &p->locks[s->lock], e));
    s->phase = MERGE_MATCH;
    return ERR_OK;
  case MERGE_MATCH: return read_matches(op, e);
  case MERGE_ON_MATCH:
    TRY(write_set(op, &p->on_match, s->found, &s->place, e));
    *ret = s->found;
    s->phase = MERGE_MATCH;
    return ERR_OK;
  case MERGE_CREATE: return make(op, e);
  case MERGE_ON_CREATE:
    TRY(write_set(op, &p->on_create, s->found, &s->place, e));
    *ret = s->found;
    s->phase = MERGE_NEXT;
    return ERR_OK;
  case MERGE_NEXT: break;
  }
  return ERR_OK;
}

static enum err merge_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct merge *s = (struct merge *) op;
  while (*ret == NULL) {
    if (s->in == NULL || (s->phase == MERGE_NEXT && s->row + 1 >= s->in->n)) {
      s->in = NULL;
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      if (s->in->n == 0) {
        s->in = NULL;
        continue;
      }
      s->row = UINT32_MAX;
      s->phase = MERGE_NEXT;
    }
    if (s->phase == MERGE_NEXT) {
      s->row++;
      enum err err = start_row(op, e);
      if (err != ERR_OK) {
        s->row--;
        return err;
      }
      TRY(exec_check(op->x, e));
      s->phase = MERGE_LOCK;
    }
    TRY(step(op, ret, e));
  }
  return ERR_OK;
}

static void merge_reset(struct op *op) {
  struct merge *s = (struct merge *) op;
  s->in = NULL;
  s->phase = MERGE_NEXT;
}

static void merge_close(struct op *op) {
  arena_done(&((struct merge *) op)->row_arena);
}

const struct op_class op_merge_class = {
    .bytes = sizeof(struct merge), .open = merge_open, .next = merge_next, .reset = merge_reset, .close = merge_close};
