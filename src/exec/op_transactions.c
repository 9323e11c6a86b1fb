// CALL { } IN TRANSACTIONS: the right side runs for groups of input rows, each group in a transaction of its own, which is committed before
// its rows go on. While the right side runs, the run's transaction and views are those of the inner transaction.
#include <stdlib.h>

#include "exec/op.h"
#include "exec/rowbuf.h"
#include "graph/tx.h"

enum { TRANSACTION_DEFAULT_ROWS = 1000 };

enum phase { PHASE_READ, PHASE_BEGIN, PHASE_RUN, PHASE_COMMIT, PHASE_GIVE };

struct transactions {
  struct op op;
  enum phase phase;
  struct rowbuf group;   // input rows of the group
  struct rowbuf results; // their result rows: the columns of both sides
  struct plan_list result_slots;
  struct value *cells;
  const struct batch *in; // not taken into a group yet, from in_row on
  uint32_t in_row;
  uint64_t group_rows;
  bool sized, ended, stopped, started; // stopped: ON ERROR BREAK after a failure
  struct graph_tx *inner;
  uint64_t transaction_id;
  struct error failure; // of the group
  bool failed, committed;
  struct batch *outer;  // the group as the right side's outer batch; held
  uint32_t at;          // rows given
};

static bool gives_right_rows(const struct op *op) {
  return op->plan->kind == PLAN_TRANSACTION_APPLY;
}

static enum err transactions_open(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct plan_list left = op->children[0]->plan->out, right = op->children[1]->plan->out;
  uint32_t *slots = ARENA_ARRAY(&op->x->arena, uint32_t, left.count + right.count), n = left.count;
  if (slots == NULL) return arena_err(&op->x->arena, e);
  for (uint32_t i = 0; i < left.count; i++) slots[i] = left.items[i];
  for (uint32_t i = 0; gives_right_rows(op) && i < right.count; i++)
    if (!plan_list_has(left, right.items[i])) slots[n++] = right.items[i];
  s->result_slots = (struct plan_list){slots, n};
  s->cells = ARENA_ARRAY(&op->x->arena, struct value, n);
  if (s->cells == NULL) return arena_err(&op->x->arena, e);
  rowbuf_init(&s->group, &op->x->budget, left.count);
  rowbuf_init(&s->results, &op->x->budget, n);
  return ERR_OK;
}

static enum err read_size(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct value v = v_int(TRANSACTION_DEFAULT_ROWS);
  if (op->plan->transactions.rows != NULL) {
    struct eval c = op_eval(op, &op->out, e);
    struct batch *nothing;
    TRY(batch_new(&op->out, 0, &nothing, e));
    nothing->n = 1;
    TRY(eval_value(&c, op->plan->transactions.rows, nothing, 0, &v));
  }
  if (v.type != VALUE_INT || v.i <= 0)
    return error_set(e, ERR_SYNTAX, "Invalid input. The number of rows of a transaction must be a positive integer.");
  s->group_rows = (uint64_t) v.i;
  s->sized = true;
  return ERR_OK;
}

/// Takes input rows until the group is full or the input ends.
static enum err read_group(struct op *op, uint32_t want, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct plan_list slots = op->children[0]->plan->out;
  if (!s->sized) TRY(read_size(op, e));
  while (!s->ended && s->group.n < s->group_rows) {
    if (s->in == NULL || s->in_row >= s->in->n) {
      TRY(op_next(op->children[0], MAX(want, EXEC_BATCH_FIRST), &s->in, e));
      s->in_row = 0;
      s->ended = s->in == NULL;
      continue;
    }
    for (uint32_t k = 0; k < slots.count; k++) s->cells[k] = batch_get(s->in, slots.items[k], s->in_row);
    TRY(rowbuf_add(&s->group, batch_arg(s->in, s->in_row), s->cells, e));
    s->in_row++;
  }
  return ERR_OK;
}

/// The run's transaction for the time in which the right side works.
struct outer_state {
  struct graph_tx *tx;
  struct graph_view *snapshot, *current;
};

static struct outer_state enter_inner(struct op *op) {
  struct exec *x = op->x;
  struct outer_state before = {x->tx, x->snapshot, x->current};
  x->tx = ((struct transactions *) op)->inner;
  x->snapshot = graph_tx_view(x->tx, GRAPH_READ_SNAPSHOT);
  x->current = graph_tx_view(x->tx, GRAPH_READ_CURRENT);
  graph_view_enter(x->snapshot);
  graph_view_enter(x->current);
  return before;
}

static void leave_inner(struct op *op, struct outer_state before) {
  struct exec *x = op->x;
  graph_view_leave(x->current);
  graph_view_leave(x->snapshot);
  x->tx = before.tx;
  x->snapshot = before.snapshot;
  x->current = before.current;
}

static enum err begin(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct graph_tx_options options = {.budget = &op->x->budget};
  op_reset(op->children[1]);
  arena_reset(&op->held);
  TRY(rowbuf_batch(&s->group, NULL, 0, s->group.n, op->children[0]->plan->out, op->x->plan->slot_count, false, &op->held, &s->outer, e));
  op->children[1]->outer->batch = s->outer;
  rowbuf_clear(&s->results);
  s->failed = s->committed = s->started = false;
  return graph_tx_begin(op->x->graph, &options, &s->inner, e);
}

static enum err keep_rows(struct op *op, const struct batch *right, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  for (uint32_t i = 0; gives_right_rows(op) && i < right->n; i++) {
    uint32_t number = batch_arg(right, i);
    for (uint32_t k = 0; k < s->result_slots.count; k++) {
      uint32_t slot = s->result_slots.items[k];
      bool own = vec_is_set(&right->columns[slot]);
      s->cells[k] = own ? batch_get(right, slot, i) : batch_get(s->outer, slot, number);
    }
    TRY(rowbuf_add(&s->results, s->group.arg[number], s->cells, e));
  }
  return ERR_OK;
}

static enum err run_right(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  if (!s->started) TRY(graph_tx_statement(s->inner, e));
  s->started = true;
  for (;;) {
    const struct batch *right;
    TRY(op_next(op->children[1], EXEC_BATCH_ROWS, &right, e));
    if (right == NULL) break;
    TRY(keep_rows(op, right, e));
  }
  return graph_tx_seal(s->inner, true, e);
}

/// ON ERROR CONTINUE and BREAK turn a failure into rows of nulls; a cancelled query fails in any case.
static enum err group_failed(struct op *op, enum err err, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  enum ast_on_error how = op->plan->transactions.on_error;
  struct error why = ERROR_INIT;
  bool goes_on = how == AST_ON_ERROR_CONTINUE || how == AST_ON_ERROR_BREAK || how == AST_ON_ERROR_RETRY_CONTINUE || how == AST_ON_ERROR_RETRY_BREAK;
  if (s->inner != NULL) graph_tx_free(s->inner);
  s->inner = NULL;
  op_reset(op->children[1]);
  if (!goes_on || exec_check(op->x, &why) != ERR_OK) return err;
  s->failed = true;
  s->failure = *e;
  *e = ERROR_INIT;
  s->stopped |= how == AST_ON_ERROR_BREAK || how == AST_ON_ERROR_RETRY_BREAK;
  s->phase = PHASE_GIVE;
  rowbuf_clear(&s->results);
  return ERR_OK;
}

static enum err run(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct error why = ERROR_INIT;
  struct outer_state before = enter_inner(op);
  enum err err = run_right(op, &why);
  leave_inner(op, before);
  if (err == ERR_WAIT) {
    op->x->waiting = s->inner;
    return err;
  }
  if (err == ERR_OK) {
    s->phase = PHASE_COMMIT;
    return ERR_OK;
  }
  if (e != NULL) *e = why;
  return group_failed(op, err, e != NULL ? e : &why);
}

static enum err commit(struct op *op, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct error why = ERROR_INIT;
  enum err err = graph_tx_commit(s->inner, &s->transaction_id, &why);
  if (err == ERR_WAIT) {
    op->x->waiting = s->inner;
    return err;
  }
  graph_tx_free(s->inner);
  s->inner = NULL;
  s->committed = err == ERR_OK;
  s->phase = PHASE_GIVE;
  if (err == ERR_OK) return ERR_OK;
  if (e != NULL) *e = why;
  return group_failed(op, err, e != NULL ? e : &why);
}

static enum err put_report(struct op *op, struct batch *b, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  struct arena *a = &op->out;
  struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, 4);
  struct str id = arena_printf(a, "%llu", (unsigned long long) s->transaction_id);
  struct str message = s->failed ? arena_str(a, str_of(s->failure.message)) : STR("");
  if (entries == NULL || id.ptr == NULL || message.ptr == NULL) return arena_err(a, e);
  bool started = s->failed || s->committed;
  entries[0] = (struct value_entry){STR("committed"), v_bool(s->committed)};
  entries[1] = (struct value_entry){STR("errorMessage"), s->failed ? v_str(message) : V_NULL};
  entries[2] = (struct value_entry){STR("started"), v_bool(started)};
  entries[3] = (struct value_entry){STR("transactionId"), s->committed ? v_str(id) : V_NULL};
  return vec_const(a, v_map(entries, 4), &b->columns[op->plan->transactions.report], e);
}

static enum err give(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  bool from_group = s->failed || !gives_right_rows(op) || !s->committed;
  const struct rowbuf *rows = from_group ? &s->group : &s->results;
  struct plan_list slots = from_group ? op->children[0]->plan->out : s->result_slots, nulls = op->plan->transactions.nulls;
  uint32_t n = MIN(rows->n - s->at, MIN(want, EXEC_BATCH_ROWS));
  if (n == 0) {
    rowbuf_clear(&s->group);
    s->at = 0;
    s->phase = PHASE_READ;
    return ERR_OK;
  }
  struct batch *out = NULL;
  arena_reset(&op->out);
  TRY(rowbuf_batch(rows, NULL, s->at, n, slots, op->x->plan->slot_count, op->outer->batch != NULL, &op->out, &out, e));
  for (uint32_t i = 0; from_group && i < nulls.count; i++) TRY(vec_const(&op->out, V_NULL, &out->columns[nulls.items[i]], e));
  if (op->plan->transactions.report != PLAN_NONE) TRY(put_report(op, out, e));
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static enum err transactions_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct transactions *s = (struct transactions *) op;
  while (*ret == NULL) {
    switch (s->phase) {
    case PHASE_READ:
      TRY(read_group(op, want, e));
      if (s->group.n == 0) return ERR_OK;
      s->phase = s->stopped ? PHASE_GIVE : PHASE_BEGIN;
      s->committed = s->failed = false;
      break;
    case PHASE_BEGIN:
      TRY(begin(op, e));
      s->phase = PHASE_RUN;
      break;
    case PHASE_RUN: TRY(run(op, e)); break;
    case PHASE_COMMIT: TRY(commit(op, e)); break;
    case PHASE_GIVE: TRY(give(op, want, ret, e)); break;
    }
  }
  return ERR_OK;
}

static void transactions_reset(struct op *op) {
  struct transactions *s = (struct transactions *) op;
  rowbuf_clear(&s->group);
  rowbuf_clear(&s->results);
  s->phase = PHASE_READ;
  s->in = NULL;
  s->ended = s->stopped = false;
  s->at = 0;
}

static void transactions_close(struct op *op) {
  struct transactions *s = (struct transactions *) op;
  graph_tx_free(s->inner);
  rowbuf_done(&s->group);
  rowbuf_done(&s->results);
}

const struct op_class op_transactions_class = {.bytes = sizeof(struct transactions), .open = transactions_open, .next = transactions_next,
                                               .reset = transactions_reset, .close = transactions_close};
