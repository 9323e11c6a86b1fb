// Operators: what they share. Each is one file, op_*.c.
//
// op_next gives the next batch, valid until the next op_next or op_reset of the same operator; NULL at the end. ERR_WAIT may come from
// any graph call: the operator then keeps its place (its input batch and row), and calling again goes on from there. So an
// operator changes its state only after the calls that may wait have succeeded, or remembers how far it came.
//
// op_reset starts over: the right side of an Apply is reset for each outer batch.
#pragma once

#include "exec/batch.h"
#include "exec/eval.h"
#include "exec/exec_int.h"
#include "plan/plan.h"

struct op_class {
  size_t bytes; // of the operator's struct, which begins with `struct op`
  enum err (*open)(struct op *op, struct error *e); // may be NULL
  enum err (*next)(struct op *op, uint32_t want, const struct batch **ret, struct error *e);
  void (*reset)(struct op *op); // its own state alone; may be NULL
  void (*close)(struct op *op); // may be NULL
};

/// The outer batch of a right side: what its ARGUMENT gives. Held by the operator to whose right side it belongs.
struct op_outer {
  const struct batch *batch; // NULL: one row without columns (depth 0)
};

struct op {
  const struct op_class *class;
  const struct plan_op *plan;
  struct exec *x;
  struct op **children;
  struct op_outer *outer;  // of the right side that this operator is part of
  struct arena out;        // of the batch handed out last
  struct arena held;       // lives as long as the input batch that is being worked on
  uint64_t rows, db_hits, time_ns;
  bool tail_wanted; // what is above can take batches with a tail (tail.h)
};

/// Makes the operator for `plan` and all below it, in x->arena.
enum err op_open(struct exec *x, const struct plan_op *plan, struct op_outer *outer, struct op **ret, struct error *e) NODISCARD;
void op_close(struct op *op);
/// At most `want` rows where the operator can help it; `want` > 0.
enum err op_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) NODISCARD;
/// The next batch of a child; forgets what was held for the last one. `*ret` is NULL where it fails or has to wait: the last
/// batch is gone.
enum err op_pull(struct op *op, uint32_t child, uint32_t want, const struct batch **ret, struct error *e) NODISCARD;
/// The operator and all below it.
void op_reset(struct op *op);

/// The ArgumentError for a SKIP or LIMIT whose value is no non-negative integer; `a` is scratch for the message.
enum err op_bad_count(struct arena *a, struct value v, struct error *e) NODISCARD;

/// How many rows a TOP keeps: its skip and limit.
enum err op_top_limit(struct op *op, uint64_t *ret, struct error *e) NODISCARD;

/// Number of rows of the outer batch: numbers in `arg` are below it.
static inline uint32_t op_outer_rows(const struct op *op) {
  return op->outer->batch != NULL ? op->outer->batch->n : 1;
}
static inline struct graph_view *op_view(const struct op *op) {
  return op->plan->current ? op->x->current : op->x->snapshot;
}
static inline struct eval op_eval(struct op *op, struct arena *arena, struct error *e) {
  return (struct eval){.x = op->x, .arena = arena, .error = e, .view = op_view(op)};
}
/// For write operators: their expressions see the current state.
static inline struct eval op_eval_current(struct op *op, struct arena *arena, struct error *e) {
  return (struct eval){.x = op->x, .arena = arena, .error = e, .view = op->x->current};
}
bool plan_list_has(struct plan_list list, uint32_t item);

/// A dense batch in `a` of the rows `rows[0..n)` of `in`, with those of its columns that the plan reads above.
enum err op_spread(struct op *op, struct arena *a, const struct batch *in, const uint32_t *rows, uint32_t n, struct batch **ret,
                   struct error *e) NODISCARD;
/// A copy of the batch's struct and columns array in `a`, so that columns can be added. Columns themselves are shared.
enum err op_extend(struct op *op, struct arena *a, const struct batch *in, struct batch **ret, struct error *e) NODISCARD;
/// Puts a column that has one value for each row (not element) of `b`, spreading it where `b` has a selection.
enum err op_put(struct arena *a, struct batch *b, uint32_t slot, struct vec column, struct error *e) NODISCARD;
/// Typed columns of ids, in `a`.
struct vec vec_of_ids(enum vec_kind kind, uint64_t *ids);

/// Tokens of names of the plan, in `a`. Unknown ones are left out: with names but without tokens, nothing can fit.
enum err op_tokens(struct op *op, struct arena *a, struct plan_list names, graph_token **ret, uint32_t *ret_n, struct error *e) NODISCARD;
/// The token of one name; false where nothing in the database has it.
bool op_token(struct op *op, plan_name_id name, graph_token *ret);
/// Made where new (write operators). May wait.
enum err op_token_make(struct op *op, plan_name_id name, graph_token *ret, struct error *e) NODISCARD;

/// Relationship `rel` is none of those in the slots `differ` of row `row`.
bool op_differs(const struct batch *b, uint32_t row, struct plan_list differ, uint64_t rel);

#define OP_CLASSES(X)                                                                                                             \
  X(argument) X(node_scan) X(by_id) X(rel_scan) X(index_seek) X(node_count) X(rel_count) X(degree) X(unwind) X(procedure_call)    \
  X(load_csv) X(show) X(filter) X(projection) X(cache) X(project_path) X(project_ends) X(expand) X(var_expand) X(pruning_expand)  \
  X(shortest_path) X(intersect) X(repeat) X(apply) X(semi_apply) X(let_semi) X(roll_up) X(subquery_foreach) X(optional)           \
  X(hash_join) X(union) X(aggregation) X(distinct) X(sort) X(top) X(partial_sort) X(skip) X(limit) X(create) X(merge) X(set) X(delete)      \
  X(foreach) X(transactions) X(eager) X(drain)
#define OP_CLASS_DECLARE(name) extern const struct op_class op_##name##_class;
OP_CLASSES(OP_CLASS_DECLARE)
#undef OP_CLASS_DECLARE
