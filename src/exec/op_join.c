// Joins: one side is held in a rowbuf with a hash table, the other probes it row by row. NodeHashJoin and ValueHashJoin hold the
// left side, CartesianProduct the right one (a product is a join without keys).
#include "exec/op.h"
#include "exec/rowbuf.h"
#include "value/compare.h"

struct join {
  struct op op;
  uint32_t held_child; // which side is held
  uint32_t key_width;
  struct rowbuf rows;  // keys first, then the held side's columns
  struct rowset table;
  struct value *cells; // one row being made
  bool built;
  const struct batch *building; // of the held side, not in `rows` yet
  uint32_t linked;     // rows from the end that are in the table
  const struct batch *in; // of the probing side
  uint32_t row;
  uint32_t match;      // next held row for `row`; UINT32_MAX: none left
  bool looking;        // `match` is valid
  struct vec *keys;    // of `in`, held
};

static struct plan_list held_slots(const struct op *op) {
  return op->children[((const struct join *) op)->held_child]->plan->out;
}

static enum err join_open(struct op *op, struct error *e) {
  struct join *s = (struct join *) op;
  s->held_child = op->plan->kind == PLAN_CARTESIAN_PRODUCT;
  s->key_width = op->plan->kind == PLAN_CARTESIAN_PRODUCT ? 0 : op->plan->kind == PLAN_VALUE_HASH_JOIN ? 1 : op->plan->node_join.slots.count;
  uint32_t width = s->key_width + held_slots(op).count;
  rowbuf_init(&s->rows, &op->x->budget, width);
  rowset_init(&s->table, &s->rows, s->key_width, true, &op->x->budget);
  s->cells = ARENA_ARRAY(&op->x->arena, struct value, width);
  return s->cells != NULL ? ERR_OK : arena_err(&op->x->arena, e);
}

/// Key columns of a batch of one side, dense.
static enum err key_columns(struct op *op, uint32_t child, const struct batch *in, struct arena *a, struct vec **ret, struct error *e) {
  struct join *s = (struct join *) op;
  struct vec *keys = ARENA_ARRAY(a, struct vec, s->key_width);
  if (keys == NULL) return arena_err(a, e);
  struct eval c = op_eval(op, a, e);
  struct frame root = frame_of(&c, in);
  if (op->plan->kind == PLAN_VALUE_HASH_JOIN) {
    TRY(eval_expression(&c, child == 0 ? op->plan->value_join.left : op->plan->value_join.right, &root, &keys[0]));
  } else {
    for (uint32_t i = 0; i < s->key_width; i++) TRY(frame_get(&c, &root, op->plan->node_join.slots.items[i], &keys[i]));
  }
  *ret = keys;
  return ERR_OK;
}

/// A null or NaN in the key fits nothing.
static bool key_of(const struct join *s, const struct vec *keys, uint32_t row, struct value *ret) {
  for (uint32_t i = 0; i < s->key_width; i++) {
    ret[i] = vec_get(&keys[i], row);
    if (value_equals(ret[i], ret[i]) != TERNARY_TRUE) return false;
  }
  return true;
}

static enum err hold_batch(struct op *op, const struct batch *in, struct error *e) {
  struct join *s = (struct join *) op;
  struct plan_list slots = held_slots(op);
  struct vec *keys;
  arena_reset(&op->out);
  TRY(key_columns(op, s->held_child, in, &op->out, &keys, e));
  for (uint32_t i = 0; i < in->n; i++) {
    if (!key_of(s, keys, i, s->cells)) continue;
    for (uint32_t k = 0; k < slots.count; k++) s->cells[s->key_width + k] = batch_get(in, slots.items[k], i);
    TRY(rowbuf_add(&s->rows, batch_arg(in, i), s->cells, e));
  }
  return ERR_OK;
}

static enum err next_probe(struct op *op, uint32_t want, struct error *e) {
  struct join *s = (struct join *) op;
  TRY(op_pull(op, 1 - s->held_child, want, &s->in, e));
  s->keys = NULL;
  s->row = 0;
  s->looking = false;
  return ERR_OK;
}

/// Backwards, so that the chains come out in the order of the rows.
static enum err build(struct op *op, struct error *e) {
  struct join *s = (struct join *) op;
  // The right side may read what the left one has written: the left one starts first, and its barrier drains it.
  if (s->held_child == 1 && op->children[0]->plan->writes && s->in == NULL) {
    TRY(next_probe(op, EXEC_BATCH_ROWS, e));
    if (s->in == NULL) {
      s->built = true;
      return ERR_OK;
    }
  }
  for (;;) {
    if (s->building == NULL) TRY(op_next(op->children[s->held_child], EXEC_BATCH_ROWS, &s->building, e));
    if (s->building == NULL) break;
    TRY(hold_batch(op, s->building, e));
    s->building = NULL;
  }
  for (; s->linked < s->rows.n; s->linked++) {
    uint32_t row = s->rows.n - 1 - s->linked;
    if (s->linked % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    TRY(rowset_put(&s->table, rowset_hash(s->rows.arg[row], rowbuf_row(&s->rows, row), s->key_width), row, e));
  }
  s->built = true;
  return ERR_OK;
}

/// Equivalent keys need not be equal: lists with nulls.
static bool fits(const struct join *s, uint32_t held, const struct value *key) {
  const struct value *cells = rowbuf_row(&s->rows, held);
  for (uint32_t i = 0; i < s->key_width; i++)
    if (value_equals(cells[i], key[i]) != TERNARY_TRUE) return false;
  return true;
}

struct pairs {
  uint32_t *probe, *held;
  uint32_t n, cap;
};

static void find_row(struct join *s) {
  s->looking = true;
  s->match = UINT32_MAX;
  if (!key_of(s, s->keys, s->row, s->cells)) return;
  uint32_t arg = batch_arg(s->in, s->row);
  s->match = rowset_find(&s->table, rowset_hash(arg, s->cells, s->key_width), arg, s->cells);
  if (s->match != UINT32_MAX && !fits(s, s->match, s->cells)) s->match = UINT32_MAX;
}

static void take(struct join *s, struct pairs *p) {
  while (s->row < s->in->n) {
    if (!s->looking) find_row(s);
    for (; s->match != UINT32_MAX; s->match = rowset_next(&s->table, s->match)) {
      if (p->n == p->cap) return;
      p->probe[p->n] = s->row;
      p->held[p->n++] = s->match;
    }
    s->row++;
    s->looking = false;
  }
}

static enum err put_pairs(struct op *op, const struct pairs *p, const struct batch **ret, struct error *e) {
  struct join *s = (struct join *) op;
  struct plan_list slots = held_slots(op);
  struct batch *out = NULL;
  struct value *values = ARENA_ARRAY(&op->out, struct value, p->n);
  if (values == NULL) return arena_err(&op->out, e);
  TRY(op_spread(op, &op->out, s->in, p->probe, p->n, &out, e));
  for (uint32_t k = 0; k < slots.count; k++) {
    uint32_t slot = slots.items[k];
    if (!plan_list_has(op->plan->out, slot) || vec_is_set(&out->columns[slot])) continue;
    for (uint32_t i = 0; i < p->n; i++)
      values[i] = rowbuf_row(&s->rows, p->held[i])[s->key_width + k];
    TRY(vec_from_values(&op->out, values, p->n, &out->columns[slot], e));
  }
  *ret = out;
  return ERR_OK;
}

static enum err join_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct join *s = (struct join *) op;
  if (!s->built) TRY(build(op, e));
  if (s->rows.n == 0 && !op->children[1 - s->held_child]->plan->writes) return ERR_OK;
  arena_reset(&op->out);
  struct pairs p = {.cap = MIN(want, EXEC_BATCH_ROWS)};
  p.probe = ARENA_ARRAY(&op->out, uint32_t, p.cap);
  p.held = ARENA_ARRAY(&op->out, uint32_t, p.cap);
  if (p.probe == NULL || p.held == NULL) return arena_err(&op->out, e);
  while (p.n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(next_probe(op, want, e));
      if (s->in == NULL) return ERR_OK;
    }
    if (s->keys == NULL) TRY(key_columns(op, 1 - s->held_child, s->in, &op->held, &s->keys, e));
    take(s, &p);
  }
  return put_pairs(op, &p, ret, e);
}

static void join_reset(struct op *op) {
  struct join *s = (struct join *) op;
  rowbuf_clear(&s->rows);
  rowset_clear(&s->table);
  s->built = false;
  s->linked = 0;
  s->in = s->building = NULL;
}

static void join_close(struct op *op) {
  struct join *s = (struct join *) op;
  rowbuf_done(&s->rows);
  rowset_done(&s->table);
}

const struct op_class op_hash_join_class = {
    .bytes = sizeof(struct join), .open = join_open, .next = join_next, .reset = join_reset, .close = join_close};
