#include "exec/exec.h"

#include <stdio.h>
#include <string.h>

#include "exec/exec_int.h"
#include "exec/op.h"
#include "graph/tx.h"

static enum err check_parameters(const struct exec *x, struct error *e) {
  const struct ast_statement *s = x->plan->statement;
  char missing[400];
  size_t len = 0;
  for (uint32_t i = 0; i < s->parameter_count; i++) {
    struct value ignored;
    if (exec_parameter(x, s->parameters[i], &ignored) || len + s->parameters[i].len + 3 > sizeof missing) continue;
    len += (size_t) snprintf(missing + len, sizeof missing - len, "%s%.*s", len > 0 ? ", " : "", STR_ARG(s->parameters[i]));
  }
  if (len == 0) return ERR_OK;
  return error_set(e, ERR_PARAMETER_MISSING, "Expected parameter(s): %.*s", (int) len, missing);
}

static enum err open_operators(struct exec *x, struct error *e) {
  struct op_outer *outer = ARENA_NEW(&x->arena, struct op_outer);
  x->op_count = x->plan->op_count;
  x->ops = arena_zalloc(&x->arena, x->op_count * sizeof(struct op *));
  if (outer == NULL || x->ops == NULL) return arena_err(&x->arena, e);
  return op_open(x, x->plan->root, outer, &x->root, e);
}

static enum err start(struct exec *x, struct error *e) {
  TRY(check_parameters(x, e));
  if (x->tx != NULL) {
    x->snapshot = graph_tx_view(x->tx, GRAPH_READ_SNAPSHOT);
    x->current = graph_tx_view(x->tx, GRAPH_READ_CURRENT);
    x->graph = graph_view_graph(x->snapshot);
  }
  return open_operators(x, e);
}

enum err exec_open(const struct plan *plan, const struct exec_options *options, struct exec **ret, struct error *e) {
  struct exec *x = mem_zalloc(sizeof *x);
  if (x == NULL) return error_set(e, ERR_NOMEM, "no memory for a query");
  x->plan = plan;
  x->options = *options;
  x->tx = options->tx;
  x->patience = EXEC_ENDLESS;
  mem_budget_init(&x->budget, options->budget, 0, ERR_TX_MEMORY, NULL);
  arena_init(&x->arena, &x->budget);
  arena_init(&x->out, &x->budget);
  enum err err = start(x, e);
  if (err != ERR_OK) {
    exec_close(x);
    return err;
  }
  *ret = x;
  return ERR_OK;
}

void exec_close(struct exec *x) {
  if (x == NULL) return;
  op_close(x->root);
  regex_cache_free(x->regexes);
  arena_done(&x->out);
  arena_done(&x->arena);
  mem_free(x);
}

/// The outer transaction of CALL IN TRANSACTIONS is inside too, and keeps nothing that it needs while the inner one runs.
static void rest(struct exec *x) {
  if (x->snapshot != NULL) graph_view_rest(x->snapshot);
  if (x->options.tx != NULL && x->options.tx != x->tx) graph_view_rest(graph_tx_view(x->options.tx, GRAPH_READ_SNAPSHOT));
}

enum err exec_check(struct exec *x, struct error *e) {
  rest(x);
  enum err err = (enum err) atomic_load_explicit(&x->cancelled, memory_order_relaxed);
  if (err == ERR_OK && x->options.tx != NULL) err = graph_tx_killed(x->options.tx);
  if (LIKELY(err == ERR_OK)) return ERR_OK;
  return error_set(e, err, "%s",
                   err == ERR_TX_TERMINATED ? "The transaction has been terminated. Retry your operation in a new transaction, "
                                              "and you should see a successful result."
                                            : err_text(err));
}

void exec_set_patience(struct exec *x, uint32_t batches) {
  x->patience = batches;
}

enum err exec_spend_patience(struct exec *x) {
  if (x->patience == EXEC_ENDLESS) return ERR_OK;
  if (x->patience == 0) {
    x->waiting = NULL;
    return ERR_WAIT;
  }
  x->patience--;
  return ERR_OK;
}

void exec_cancel(struct exec *x, enum err reason) {
  int none = ERR_OK;
  atomic_compare_exchange_strong(&x->cancelled, &none, (int) reason);
}

bool exec_parameter(const struct exec *x, struct str name, struct value *ret) {
  if (x->options.parameters.type != VALUE_MAP) return false;
  const struct value *v = value_map_get(x->options.parameters, name);
  if (v != NULL) *ret = *v;
  return v != NULL;
}

/// Rows [left_row, left_row + n) of the current batch to the sink.
static enum err push_rows(struct exec *x, uint32_t n, struct row_sink *sink, struct error *e) {
  const struct plan_produce *p = &x->plan->root->produce;
  arena_reset(&x->out);
  struct vec *columns = ARENA_ARRAY(&x->out, struct vec, p->column_count);
  uint32_t *sel = ARENA_ARRAY(&x->out, uint32_t, n);
  if (columns == NULL || sel == NULL) return arena_err(&x->out, e);
  for (uint32_t i = 0; i < n; i++) sel[i] = batch_index(x->left, x->left_row + i);
  for (uint32_t k = 0; k < p->column_count; k++) {
    const struct vec *from = &x->left->columns[p->columns[k].slot];
    if (vec_is_set(from)) {
      TRY(exec_hydrate_column(x, &x->out, from, sel, n, &columns[k], e));
    } else {
      TRY(vec_const(&x->out, V_NULL, &columns[k], e));
    }
  }
  return sink->push(sink, columns, p->column_count, NULL, n, e);
}

static enum err push(struct exec *x, uint64_t *left, struct row_sink *sink, struct error *e) {
  uint32_t n = (uint32_t) MIN(*left, x->left->n - x->left_row);
  if (n > 0 && sink != NULL) TRY(push_rows(x, n, sink, e));
  x->left_row += n;
  x->rows += n;
  *left -= n;
  if (x->left_row == x->left->n) x->left = NULL;
  return ERR_OK;
}

/// How many rows to ask for: few at first, so that a point query touches little memory, then twice as many each time.
static uint32_t batch_size(struct exec *x, uint64_t left) {
  uint64_t size = x->batch_rows == 0 ? EXEC_BATCH_FIRST : MIN(EXEC_BATCH_ROWS, 2 * x->batch_rows);
  x->batch_rows = (uint32_t) size;
  bool streams = x->plan->root->kind == PLAN_PRODUCE_RESULTS;
  return (uint32_t) (streams ? MAX(1, MIN(size, left)) : EXEC_BATCH_ROWS);
}

/// The next batch with rows, or the end with everything sealed.
static enum err pull(struct exec *x, uint64_t left, struct error *e) {
  while (x->left == NULL && !x->ended) {
    TRY(op_next(x->root, batch_size(x, left), &x->left, e));
    x->left_row = 0;
    x->ended = x->left == NULL;
    if (x->left != NULL && x->left->n == 0) x->left = NULL;
  }
  if (x->ended && !x->sealed && x->tx != NULL) TRY(graph_tx_seal(x->tx, true, e));
  x->sealed |= x->ended;
  return ERR_OK;
}

/// Looks one batch ahead when the wanted rows are out, so that EXEC_ROWS is a promise. A query that writes runs to its first row in any case.
static enum err run(struct exec *x, uint64_t want, struct row_sink *sink, enum exec_result *ret, struct error *e) {
  uint64_t left = want;
  for (;;) {
    TRY(pull(x, MAX(left, 1), e));
    if (x->left == NULL) {
      *ret = EXEC_DONE;
      return ERR_OK;
    }
    if (left == 0) {
      *ret = EXEC_ROWS;
      return ERR_OK;
    }
    TRY(push(x, &left, sink, e));
  }
}

enum exec_result exec_next(struct exec *x, uint64_t want_rows, struct row_sink *sink, struct error *e) {
  struct error local = ERROR_INIT;
  if (e == NULL) e = &local;
  if (x->failed != ERR_OK) {
    error_set(e, x->failed, "the query has failed already");
    return EXEC_ERROR;
  }
  enum exec_result result = EXEC_ERROR;
  x->epoch++;
  x->waiting = x->tx;
  if (x->snapshot != NULL) graph_view_enter(x->snapshot);
  if (x->current != NULL) graph_view_enter(x->current);
  enum err err = run(x, want_rows, sink, &result, e);
  if (x->current != NULL) graph_view_leave(x->current);
  if (x->snapshot != NULL) graph_view_leave(x->snapshot);
  if (err == ERR_OK) return result;
  if (err == ERR_WAIT) {
    *e = ERROR_INIT; // what the graph said about a page on its way is no error
    return EXEC_WAIT;
  }
  error_ensure(e, err);
  x->failed = err;
  return EXEC_ERROR;
}

uint64_t exec_rows(const struct exec *x) {
  return x->rows;
}

struct graph_tx *exec_waiting(const struct exec *x) {
  return x->waiting;
}

const struct exec_counters *exec_counters(const struct exec *x) {
  return &x->counters;
}

struct exec_profile exec_profile(const struct exec *x, uint32_t operator_id) {
  const struct op *op = operator_id < x->op_count ? x->ops[operator_id] : NULL;
  if (op == NULL) return (struct exec_profile){0};
  return (struct exec_profile){op->rows, op->db_hits, op->time_ns, arena_bytes(&op->out) + arena_bytes(&op->held)};
}

uint64_t exec_peak_bytes(const struct exec *x) {
  return (uint64_t) atomic_load(&x->budget.peak_bytes);
}

enum err exec_evaluate(void *context UNUSED, const struct ast *expression, struct arena *a, struct value *ret, struct error *e) {
  struct exec x = {0};
  struct eval c = {.x = &x, .arena = a, .error = e};
  struct batch *nothing;
  mem_budget_init(&x.budget, a->budget, 0, ERR_TX_MEMORY, NULL);
  enum err err = batch_new(a, 0, &nothing, e);
  if (err == ERR_OK) {
    nothing->n = 1;
    err = eval_value(&c, expression, nothing, 0, ret);
  }
  regex_cache_free(x.regexes);
  return err;
}
