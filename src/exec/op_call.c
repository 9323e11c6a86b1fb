// ProcedureCall and SHOW: rows that functions of higher modules supply, for each input row.
#include "exec/op.h"

struct supplied {
  struct op op;
  const struct batch *in;
  uint32_t row;
  bool open, gave;   // gave: the current row's call has given a row
  void *state;
  struct exec_call call;
  struct arena values; // what the function returns
  struct vec *arguments; // held
};

static enum err supplied_open(struct op *op, struct error *e UNUSED) {
  struct supplied *s = (struct supplied *) op;
  struct exec *x = op->x;
  arena_init(&s->values, &x->budget);
  s->call = (struct exec_call){.tx = x->tx, .clock = &x->options.clock, .arena = &s->values, .counters = &x->counters,
                               .context = x->options.call_context};
  if (op->plan->kind == PLAN_PROCEDURE_CALL) s->call.procedure = op->plan->procedure_call.procedure;
  return ERR_OK;
}

static const struct exec_procedure *procedure_of(const struct op *op) {
  return op->plan->procedure_call.procedure->handle;
}

static uint32_t width_of(const struct op *op) {
  return op->plan->kind == PLAN_SHOW ? op->plan->show.column_count : op->plan->procedure_call.procedure->result_count;
}

static void close_call(struct op *op) {
  struct supplied *s = (struct supplied *) op;
  if (!s->open) return;
  void (*close)(void *) = op->plan->kind == PLAN_SHOW ? op->x->options.show->close : procedure_of(op)->close;
  if (close != NULL) close(s->state);
  s->open = false;
}

static enum err evaluate_arguments(struct op *op, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  struct plan_exprs arguments = op->plan->procedure_call.arguments;
  struct eval c = op_eval(op, &op->held, e);
  struct frame root = frame_of(&c, s->in);
  struct vec *columns = ARENA_ARRAY(&op->held, struct vec, arguments.count + 1);
  if (columns == NULL) return arena_err(&op->held, e);
  for (uint32_t i = 0; i < arguments.count; i++) TRY(eval_expression(&c, arguments.items[i], &root, &columns[i]));
  s->arguments = columns;
  return ERR_OK;
}

static enum err open_procedure(struct op *op, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  const struct exec_procedure *procedure = procedure_of(op);
  if (procedure == NULL)
    return error_set(e, ERR_PROCEDURE_NOT_FOUND, "There is no procedure with the name `%s` registered for this database instance.",
                     op->plan->procedure_call.procedure->name);
  if (s->arguments == NULL) TRY(evaluate_arguments(op, e));
  uint32_t n = op->plan->procedure_call.arguments.count;
  struct value *values = ARENA_ARRAY(&op->held, struct value, n);
  if (values == NULL) return arena_err(&op->held, e);
  for (uint32_t i = 0; i < n; i++) values[i] = vec_get(&s->arguments[i], s->row);
  return procedure->open(&s->call, values, n, &s->state, e);
}

static enum err open_call(struct op *op, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  arena_reset(&s->values);
  if (op->plan->kind == PLAN_SHOW) {
    if (op->x->options.show == NULL) return error_set(e, ERR_UNSUPPORTED, "SHOW commands are not available here.");
    TRY(op->x->options.show->open(&s->call, op->plan->show.command, op->x->options.parameters, &s->state, e));
  } else {
    TRY(open_procedure(op, e));
  }
  s->open = true;
  s->gave = false;
  return ERR_OK;
}

static enum err read_rows(struct op *op, uint32_t cap, struct value *values, uint32_t *ret_n, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  if (op->plan->kind != PLAN_SHOW) return procedure_of(op)->next(&s->call, s->state, cap, values, ret_n, e);
  uint32_t width = width_of(op);
  struct str *names = ARENA_ARRAY(&op->out, struct str, width);
  if (names == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < width; i++) names[i] = op->plan->show.columns[i].name;
  return op->x->options.show->next(&s->call, s->state, names, width, cap, values, ret_n, e);
}

static uint32_t slot_of(const struct op *op, uint32_t column) {
  return op->plan->kind == PLAN_SHOW ? op->plan->show.columns[column].slot : op->plan->procedure_call.results.items[column];
}

/// `n` rows of results for the current input row; NULL values: a row of nulls, or of no columns.
static enum err put_rows(struct op *op, const struct value *values, uint32_t n, const struct batch **ret, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  uint32_t width = width_of(op), *rows = ARENA_ARRAY(&op->out, uint32_t, n);
  struct value *column = ARENA_ARRAY(&op->out, struct value, n);
  struct batch *out = NULL;
  if (rows == NULL || column == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) rows[i] = s->row;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  uint32_t wanted = op->plan->kind == PLAN_SHOW ? width : MIN(width, op->plan->procedure_call.results.count);
  for (uint32_t k = 0; k < wanted; k++) {
    uint32_t slot = slot_of(op, k);
    if (slot == PLAN_NONE) continue;
    for (uint32_t i = 0; i < n; i++) column[i] = values != NULL ? values[(size_t) i * width + k] : V_NULL;
    TRY(vec_from_values(&op->out, column, n, &out->columns[slot], e));
  }
  *ret = out;
  return ERR_OK;
}

static bool gives_one_row_itself(const struct op *op) {
  return op->plan->kind == PLAN_PROCEDURE_CALL && width_of(op) == 0;
}

/// The next batch of the current row's call, or none at its end.
static enum err call_rows(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), width = width_of(op), n = 0;
  struct value *values = arena_array(&op->out, (size_t) cap * MAX(width, 1), sizeof *values);
  if (values == NULL) return arena_err(&op->out, e);
  if (!s->open) TRY(open_call(op, e));
  TRY(read_rows(op, cap, values, &n, e));
  op->db_hits++;
  if (n > 0 && width > 0) {
    s->gave = true;
    return put_rows(op, values, n, ret, e);
  }
  if (n > 0) return ERR_OK; // of no columns: only its end counts
  bool one = gives_one_row_itself(op) || (op->plan->kind == PLAN_PROCEDURE_CALL && op->plan->procedure_call.optional && !s->gave);
  close_call(op);
  if (one) TRY(put_rows(op, NULL, 1, ret, e));
  s->row++;
  return ERR_OK;
}

static enum err supplied_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct supplied *s = (struct supplied *) op;
  arena_reset(&op->out);
  while (*ret == NULL) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      s->arguments = NULL;
    }
    TRY(exec_check(op->x, e));
    if (s->in->n > 0) TRY(call_rows(op, want, ret, e));
  }
  return ERR_OK;
}

static void supplied_reset(struct op *op) {
  close_call(op);
  ((struct supplied *) op)->in = NULL;
}

static void supplied_close(struct op *op) {
  close_call(op);
  arena_done(&((struct supplied *) op)->values);
}

const struct op_class op_procedure_call_class = {
    .bytes = sizeof(struct supplied), .open = supplied_open, .next = supplied_next, .reset = supplied_reset, .close = supplied_close};
const struct op_class op_show_class = {
    .bytes = sizeof(struct supplied), .open = supplied_open, .next = supplied_next, .reset = supplied_reset, .close = supplied_close};
