// Running a plan: what `dbms` builds the query pipeline on.
//
// A plan is immutable and shared; `struct exec` is one run of it and owns all of its state. Rows are pulled: exec_next runs until
// the wanted number of rows has gone to the sink, the plan is at its end, it failed, or it must wait. Nothing here blocks.
//
// One owner thread at a time; only exec_cancel may be called from any. Between two calls nothing is held but the transaction's
// snapshot: no page, no lock of this module. All memory is charged to the budget; passing its limit is an error of the query.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "cypher/signatures.h"
#include "value/row_sink.h"
#include "value/value.h"

struct exec;
struct graph;
struct graph_tx;
struct plan;

/// A moment: seconds since the epoch in UTC, 0 <= nanos < 1e9.
struct exec_instant {
  int64_t seconds;
  int32_t nanos;
};

/// What the temporal functions read. `now` is the clock of datetime.realtime() and its like, and of PROFILE.
struct exec_clock {
  struct exec_instant transaction, statement;
  struct exec_instant (*now)(void *context);
  int32_t zone; // db.temporal.timezone, as in value/zone.h; 0: UTC
  void *context;
};

/// Fills `bytes` random bytes: rand(), randomUUID(). Tests pass a seeded one.
struct exec_random {
  void (*fill)(void *context, void *ret, size_t bytes);
  void *context;
};

/// Effects of a query, named as drivers show them.
struct exec_counters {
  int64_t nodes_created, nodes_deleted, relationships_created, relationships_deleted, properties_set;
  int64_t labels_added, labels_removed, indexes_added, indexes_removed, constraints_added, constraints_removed, system_updates;
};

/// What a procedure or a user-defined function gets beside its arguments.
struct exec_call {
  const struct cypher_procedure *procedure; // NULL for a function
  const struct cypher_function *function;   // NULL for a procedure
  struct graph_tx *tx;
  const struct exec_clock *clock;
  struct arena *arena; // for what is returned: open's and next's values live until the next call of next
  struct exec_counters *counters;
  void *context; // exec_options.call_context: the session, for procedures about it
};

/// An implementation of a procedure: what cypher_procedure.handle points to. A call runs open, next until it returns no row,
/// close. All may return ERR_WAIT with no effect and are called again.
struct exec_procedure {
  enum err (*open)(const struct exec_call *call, const struct value *arguments, uint32_t argument_count, void **ret_state,
                   struct error *e);
  /// Up to `cap` rows of procedure->result_count values each, one after another in `ret`. `*ret_rows` of 0 is the end.
  enum err (*next)(const struct exec_call *call, void *state, uint32_t cap, struct value *ret, uint32_t *ret_rows,
                   struct error *e);
  void (*close)(void *state); // NULL: nothing to free
};

/// An implementation of a user-defined function: what cypher_function.handle points to. Called for each row.
struct exec_function {
  enum err (*call)(const struct exec_call *call, const struct value *arguments, uint32_t argument_count, struct value *ret,
                   struct error *e);
};

struct ast;

/// Rows of SHOW and TERMINATE. `command` is the SHOW node; names in it that are parameters have been given in the statement's
/// parameters. A call runs open, next until it returns no row, close. ERR_WAIT as with procedures.
struct exec_show {
  enum err (*open)(const struct exec_call *call, const struct ast *command, struct value parameters, void **ret_state,
                   struct error *e);
  /// Up to `cap` rows: column c of row i goes to ret[i * column_count + c]. `*ret_rows` of 0 is the end.
  enum err (*next)(const struct exec_call *call, void *state, const struct str *columns, uint32_t column_count, uint32_t cap,
                   struct value *ret, uint32_t *ret_rows, struct error *e);
  void (*close)(void *state); // NULL: nothing to free
};

/// Where LOAD CSV reads from. `read` gives up to `cap` bytes, 0 at the end; it may block (contract 3).
struct exec_files {
  enum err (*open)(void *context, struct str url, void **ret_file, struct error *e);
  enum err (*read)(void *file, void *ret, size_t cap, size_t *ret_bytes, struct error *e);
  void (*close)(void *file);
  bool backslash_escapes; // in quoted fields
  void *context;
};

struct exec_options {
  struct graph_tx *tx;       // NULL: the plan may not touch a graph
  struct value parameters;   // a MAP or null; outlives the run
  struct mem_budget *budget; // may be NULL
  struct exec_clock clock;
  struct exec_random random;
  const struct exec_files *files; // NULL: LOAD CSV is refused
  const struct exec_show *show;   // NULL: SHOW and TERMINATE are refused
  void *call_context;
  bool profile; // counts database hits and time of each operator; rows are counted always
  bool flat;    // no shortcuts: every relationship found becomes a row, every predicate is evaluated. To compare with, in tests
};

/// Starts a run. `plan`, `options->parameters` and all that the options point to must outlive it. Missing parameters give
/// ERR_PARAMETER_MISSING ("Expected parameter(s): a, b"). Does not touch the graph.
enum err exec_open(const struct plan *plan, const struct exec_options *options, struct exec **ret, struct error *e) NODISCARD;
/// Frees the run, at any point of it. What it has written stays in the transaction. NULL is fine.
void exec_close(struct exec *x);

enum exec_result {
  EXEC_ROWS,  // as many rows as wanted were pushed; at least one more follows
  EXEC_DONE,  // no more rows; counters and profile are final, the statement's writes are sealed
  EXEC_ERROR, // the run is over; close it
  EXEC_WAIT,  // call again after graph_tx_on_ready of exec_waiting() has fired. Rows may have been pushed already: see exec_rows
};

/// Runs on. `want_rows` counts from this call; after EXEC_WAIT pass what is left of it. A NULL sink drops the rows (DISCARD).
/// `want_rows` of 0 runs what must run before the first row (writes of a query without rows included) and pushes none.
enum exec_result exec_next(struct exec *x, uint64_t want_rows, struct row_sink *sink, struct error *e);

/// The next call of exec_next gives up its thread after so many batches (of any operators) by EXEC_WAIT with nothing to wait on:
/// it is to be called again, where it may take longer. EXEC_ENDLESS, as at the start: never.
void exec_set_patience(struct exec *x, uint32_t batches);
#define EXEC_ENDLESS UINT32_MAX

/// After EXEC_WAIT: the transaction to wait on; an inner one where CALL { } IN TRANSACTIONS waits for its commit. NULL: patience
/// is at its end.
struct graph_tx *exec_waiting(const struct exec *x);

/// Rows pushed (or dropped) since exec_open.
uint64_t exec_rows(const struct exec *x);

/// Makes the run end with `reason` soon. Any thread; the first reason stays. Killing the transaction has the same effect.
void exec_cancel(struct exec *x, enum err reason);

const struct exec_counters *exec_counters(const struct exec *x);

/// What an operator did so far; `operator_id` as in the plan. Hits and time only with `profile`.
struct exec_profile {
  uint64_t rows, db_hits, time_ns, memory_bytes;
};
struct exec_profile exec_profile(const struct exec *x, uint32_t operator_id);
/// Highest amount of memory that the run held at one time.
uint64_t exec_peak_bytes(const struct exec *x);

struct arena;

/// Evaluates an expression without variables, parameters and clocks: plan_folding.evaluate. `context` is not looked at.
enum err exec_evaluate(void *context, const struct ast *expression, struct arena *a, struct value *ret,
                       struct error *e) NODISCARD;
