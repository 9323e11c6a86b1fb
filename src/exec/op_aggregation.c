// Aggregation: groups in a hash table of their keys, a state of each aggregate for each group. In a right side the number of the
// outer row is part of the key; without keys there is one group for each number, also where no row came.
#include <string.h>

#include "exec/agg.h"
#include "exec/rowbuf.h"
#include "exec/tail.h"

enum { STATES_BLOCK_GROUPS = 64 };

struct aggregation {
  struct op op;
  uint32_t key_count, function_count;
  struct agg_function *functions;
  struct rowbuf keys;
  struct rowset table;
  struct value *cells;
  struct arena states;
  struct agg **blocks; // of STATES_BLOCK_GROUPS groups, function_count states each
  uint32_t block_count, block_capacity;
  uint32_t groups, at;
  const struct batch *in; // being added
  bool read;
};

/// Counts of what a tail has, or of its rows; keys are other columns, which need no call that may wait.
static bool takes_tails(struct op *op) {
  struct aggregation *s = (struct aggregation *) op;
  const struct plan_items keys = op->plan->aggregation.keys;
  uint32_t node, rel;
  if (!tail_slots(op->plan, &node, &rel)) return false;
  for (uint32_t i = 0; i < keys.count; i++) {
    const struct ast *key = keys.items[i].expression;
    if (key->kind != AST_VARIABLE || key->variable.slot == node || key->variable.slot == rel) return false;
  }
  for (uint32_t i = 0; i < s->function_count; i++) {
    const struct agg_function *f = &s->functions[i];
    if (f->kind == AGG_COUNT_STAR) continue;
    bool ends = f->argument != NULL && f->argument->kind == AST_VARIABLE &&
                (f->argument->variable.slot == node || f->argument->variable.slot == rel);
    if (f->kind != AGG_COUNT || !ends) return false;
  }
  return true;
}

static enum err aggregation_open(struct op *op, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  const struct plan_aggregation *plan = &op->plan->aggregation;
  s->key_count = plan->keys.count;
  s->function_count = plan->aggregates.count;
  rowbuf_init(&s->keys, &op->x->budget, s->key_count);
  rowset_init(&s->table, &s->keys, s->key_count, false, &op->x->budget);
  arena_init(&s->states, &op->x->budget);
  s->cells = ARENA_ARRAY(&op->x->arena, struct value, s->key_count);
  s->functions = ARENA_ARRAY(&op->x->arena, struct agg_function, s->function_count);
  if (s->cells == NULL || s->functions == NULL) return arena_err(&op->x->arena, e);
  for (uint32_t i = 0; i < s->function_count; i++)
    TRY(agg_function_of(plan->aggregates.items[i].expression, &s->functions[i], e));
  if (takes_tails(op)) tail_ask(op);
  return ERR_OK;
}

static struct agg *states_of(const struct aggregation *s, uint32_t group) {
  return s->blocks[group / STATES_BLOCK_GROUPS] + (size_t) (group % STATES_BLOCK_GROUPS) * s->function_count;
}

/// Empty states for groups up to `groups`.
static enum err make_states(struct aggregation *s, uint32_t groups, struct error *e) {
  while (s->block_count * (uint64_t) STATES_BLOCK_GROUPS < groups) {
    if (s->block_count == s->block_capacity) {
      uint32_t capacity = MAX(16, s->block_capacity * 2);
      struct agg **blocks = arena_grow(&s->states, s->blocks, s->block_capacity * sizeof *blocks, capacity * sizeof *blocks);
      if (blocks == NULL) return arena_err(&s->states, e);
      s->blocks = blocks;
      s->block_capacity = capacity;
    }
    // Without keys the number of groups is known, and mostly one.
    size_t room = s->key_count == 0 ? MIN(groups - s->block_count * STATES_BLOCK_GROUPS, STATES_BLOCK_GROUPS) : STATES_BLOCK_GROUPS;
    struct agg *block = arena_zalloc(&s->states, room * s->function_count * sizeof *block);
    if (block == NULL) return arena_err(&s->states, e);
    s->blocks[s->block_count++] = block;
  }
  return ERR_OK;
}

/// The group of a row, made if new.
static enum err group_of(struct aggregation *s, uint32_t arg, const struct vec *keys, uint32_t row, uint32_t *ret,
                         struct error *e) {
  for (uint32_t k = 0; k < s->key_count; k++) s->cells[k] = vec_get(&keys[k], row);
  uint64_t hash = rowset_hash(arg, s->cells, s->key_count);
  *ret = rowset_find(&s->table, hash, arg, s->cells);
  if (*ret != UINT32_MAX) return ERR_OK;
  TRY(make_states(s, s->groups + 1, e));
  TRY(rowbuf_add(&s->keys, arg, s->cells, e));
  TRY(rowset_put(&s->table, hash, s->groups, e));
  *ret = s->groups++;
  return ERR_OK;
}

static enum err groups_of(struct op *op, const struct batch *in, struct frame *root, struct eval *c, uint32_t **ret,
                          struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  uint32_t *groups = ARENA_ARRAY(&op->out, uint32_t, in->n);
  struct vec *keys = ARENA_ARRAY(&op->out, struct vec, s->key_count);
  if (groups == NULL || keys == NULL) return arena_err(&op->out, e);
  for (uint32_t k = 0; k < s->key_count; k++)
    TRY(eval_expression(c, op->plan->aggregation.keys.items[k].expression, root, &keys[k]));
  for (uint32_t i = 0; i < in->n; i++) {
    groups[i] = batch_arg(in, i);
    bool is_none = batch_has_tail(in) && in->tail.first[i] == in->tail.first[i + 1]; // it stands for no row
    if (s->key_count > 0 && !is_none) TRY(group_of(s, groups[i], keys, i, &groups[i], e));
  }
  *ret = groups;
  return ERR_OK;
}

/// Columns of the arguments: all are evaluated before any state changes, because evaluating may wait.
static enum err arguments_of(struct op *op, struct eval *c, struct frame *root, struct vec **ret) {
  struct aggregation *s = (struct aggregation *) op;
  struct vec *arguments = arena_zalloc(&op->out, 2 * s->function_count * sizeof *arguments);
  if (arguments == NULL) return arena_err(&op->out, c->error);
  for (uint32_t i = 0; i < s->function_count; i++) {
    if (s->functions[i].argument != NULL) TRY(eval_expression(c, s->functions[i].argument, root, &arguments[2 * i]));
    if (s->functions[i].percentile != NULL) TRY(eval_expression(c, s->functions[i].percentile, root, &arguments[2 * i + 1]));
  }
  *ret = arguments;
  return ERR_OK;
}

static enum err add_batch(struct op *op, const struct batch *in, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  struct eval c = op_eval(op, &op->out, e);
  struct frame root = frame_of(&c, in);
  struct vec *arguments = NULL;
  uint32_t *groups = NULL;
  arena_reset(&op->out);
  TRY(arguments_of(op, &c, &root, &arguments));
  TRY(groups_of(op, in, &root, &c, &groups, e));
  bool one_group = s->key_count == 0 && in->arg == NULL;
  for (uint32_t k = 0; k < s->function_count; k++) {
    const struct vec *v = &arguments[2 * k], *percentile = &arguments[2 * k + 1];
    if (one_group) {
      TRY(agg_add_column(&c, &s->functions[k], &states_of(s, 0)[k], &s->states, v, percentile, in->n));
      continue;
    }
    for (uint32_t i = 0; i < in->n; i++)
      TRY(agg_add(&c, &s->functions[k], &states_of(s, groups[i])[k], &s->states, vec_is_set(v) ? vec_get(v, i) : V_NULL,
                  vec_is_set(percentile) ? vec_get(percentile, i) : V_NULL));
  }
  return ERR_OK;
}

/// The same for a batch with a tail.
static enum err add_tail(struct op *op, const struct batch *in, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  const struct batch_tail *t = &in->tail;
  struct eval c = op_eval(op, &op->out, e);
  struct frame root = frame_of(&c, in);
  bool one_group = s->key_count == 0 && in->arg == NULL;
  uint32_t *groups = NULL, rows = one_group ? 1 : in->n;
  arena_reset(&op->out);
  if (!one_group) TRY(groups_of(op, in, &root, &c, &groups, e));
  for (uint32_t k = 0; k < s->function_count; k++) {
    const struct agg_function *f = &s->functions[k];
    bool rels = f->argument != NULL && f->argument->variable.slot == t->slot_rel;
    for (uint32_t i = 0; i < rows; i++) {
      if (!one_group && t->first[i] == t->first[i + 1]) continue;
      struct agg *state = &states_of(s, one_group ? 0 : groups[i])[k];
      uint32_t end = t->first[one_group ? in->n : i + 1];
      TRY(agg_add_slices(&c, f, state, &s->states, t->slices + t->first[i], end - t->first[i], rels));
    }
  }
  return ERR_OK;
}

static enum err read_all(struct op *op, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  if (s->key_count == 0) {
    s->groups = op_outer_rows(op);
    TRY(make_states(s, s->groups, e));
  }
  for (;;) {
    if (s->in == NULL) TRY(op_pull(op, 0, EXEC_BATCH_ROWS, &s->in, e));
    if (s->in == NULL) break;
    TRY(batch_has_tail(s->in) ? add_tail(op, s->in, e) : add_batch(op, s->in, e));
    s->in = NULL;
  }
  s->read = true;
  return ERR_OK;
}

static enum err put_groups(struct op *op, uint32_t n, struct batch **ret, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  const struct plan_aggregation *plan = &op->plan->aggregation;
  struct eval c = op_eval(op, &op->out, e);
  struct batch *b;
  struct value *values;
  uint32_t *arg = ARENA_ARRAY(&op->out, uint32_t, n);
  if (arg == NULL) return arena_err(&op->out, e);
  TRY(batch_new(&op->out, op->x->plan->slot_count, &b, e));
  for (uint32_t k = 0; k < s->key_count; k++)
    TRY(rowbuf_column(&s->keys, NULL, s->at, n, k, &op->out, &b->columns[plan->keys.items[k].slot], e));
  TRY(eval_values(&c, n, &values));
  for (uint32_t k = 0; k < s->function_count; k++) {
    for (uint32_t i = 0; i < n; i++) TRY(agg_result(&c, &s->functions[k], &states_of(s, s->at + i)[k], &values[i]));
    TRY(vec_from_values(&op->out, values, n, &b->columns[plan->aggregates.items[k].slot], e));
  }
  for (uint32_t i = 0; i < n; i++) arg[i] = s->key_count > 0 ? s->keys.arg[s->at + i] : s->at + i;
  if (op->outer->batch != NULL) b->arg = arg;
  b->n = n;
  *ret = b;
  return ERR_OK;
}

static enum err aggregation_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct aggregation *s = (struct aggregation *) op;
  if (!s->read) TRY(read_all(op, e));
  uint32_t n = MIN(s->groups - s->at, MIN(want, EXEC_BATCH_ROWS));
  if (n == 0) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  TRY(put_groups(op, n, &out, e));
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static void aggregation_reset(struct op *op) {
  struct aggregation *s = (struct aggregation *) op;
  rowbuf_clear(&s->keys);
  rowset_clear(&s->table);
  arena_reset(&s->states);
  s->blocks = NULL;
  s->block_count = s->block_capacity = s->groups = s->at = 0;
  s->in = NULL;
  s->read = false;
}

static void aggregation_close(struct op *op) {
  struct aggregation *s = (struct aggregation *) op;
  rowbuf_done(&s->keys);
  rowset_done(&s->table);
  arena_done(&s->states);
}

const struct op_class op_aggregation_class = {.bytes = sizeof(struct aggregation),
                                              .open = aggregation_open,
                                              .next = aggregation_next,
                                              .reset = aggregation_reset,
                                              .close = aggregation_close};
