// The expression engine: a tree walk for each batch, typed kernels at the nodes.
//
// eval_expression computes a column of frame->n values. Kernels switch on the kinds of their inputs once a batch; VEC_ANY falls back to
// a loop over boxed values. Errors arise only for rows that Cypher evaluates: AND, OR, CASE and coalesce narrow the frame to the rows
// that still need their next operand. Results live in eval->arena or are views of the frame's columns.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cypher/ast.h"
#include "cypher/signatures.h"
#include "exec/batch.h"
#include "value/logic.h"
#include "value/vec.h"

struct exec;

/// What an evaluation may use. Cheap to make; one for each operator and batch.
struct eval {
  struct exec *x;
  struct arena *arena;
  struct error *error;
  struct graph_view *view; // snapshot, or current for write operators; NULL without a graph
  uint32_t depth;
};

/// In place of a slot: the value of the nearest CASE's operand.
#define FRAME_CASE_OPERAND (UINT32_MAX - 1)

/// A column that a frame has of its own: a local variable, or one gathered from the parent.
struct frame_column {
  uint32_t slot;
  struct vec vec;
  struct frame_column *next;
};

/// The rows that an expression is evaluated for. The root stands for a batch; below it, each row is a row of the parent
/// (`rows[i]`; NULL: the same row), several times where a list is unrolled, with local variables on top.
struct frame {
  struct frame *parent;
  const uint32_t *rows;
  uint32_t n;
  const struct batch *batch; // of the root
  struct frame_column *own;
  struct arena *arena; // of gathered columns: lives as long as the frame
};

static inline struct frame frame_of(struct eval *c, const struct batch *b) {
  return (struct frame){.n = b->n, .batch = b, .arena = c->arena};
}
/// The rows `rows[0..n)` of `parent`; `rows` must stay.
static inline struct frame frame_below(struct eval *c, struct frame *parent, const uint32_t *rows, uint32_t n) {
  return (struct frame){.parent = parent, .rows = rows, .n = n, .arena = c->arena};
}
/// Sets a local variable.
enum err frame_set(struct eval *c, struct frame *f, uint32_t slot, struct vec vec) NODISCARD;
/// The column of a slot, gathered on first use. All null where nothing has set it.
enum err frame_get(struct eval *c, struct frame *f, uint32_t slot, struct vec *ret) NODISCARD;
/// The row of the root's batch that row `i` comes from.
uint32_t frame_root_row(const struct frame *f, uint32_t i);

/// The column of `n` for all rows of `f`.
enum err eval_expression(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
/// The same as VEC_BOOL; ERR_TYPE for values that are neither boolean nor null.
enum err eval_predicate(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
/// One value for row `row` of a batch.
enum err eval_value(struct eval *c, const struct ast *n, const struct batch *b, uint32_t row, struct value *ret) NODISCARD;

/// True if evaluating it for a row that is not needed does no harm: it cannot fail and costs little.
bool eval_is_harmless(const struct ast *n);

/// BOOL column out of any column; see eval_predicate.
enum err eval_to_bool(struct eval *c, const struct vec *from, uint32_t n, struct vec *ret) NODISCARD;
/// A column of `n` values in the arena.
enum err eval_values(struct eval *c, uint32_t n, struct value **ret) NODISCARD;
enum err eval_narrow(struct eval *c, const struct value *values, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_nulls(struct eval *c, struct vec *ret) NODISCARD;
enum err eval_constant(struct eval *c, struct value v, struct vec *ret) NODISCARD;

// Families of nodes; each in the file of its name.

enum err eval_logical(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_not(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_case(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_coalesce(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;

/// `l op r` for arithmetic, comparison and text operators; both sides have `n` rows.
enum err eval_arithmetic(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_negate(struct eval *c, enum ast_op op, const struct vec *v, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_comparison(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_membership(struct eval *c, const struct vec *item, const struct vec *list, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_text_predicate(struct eval *c, enum ast_op op, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_regex(struct eval *c, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) NODISCARD;

enum err eval_property(struct eval *c, const struct vec *subject, struct str key, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_subscript(struct eval *c, const struct vec *subject, const struct vec *index, uint32_t n, struct vec *ret) NODISCARD;
enum err eval_slice(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;

enum err eval_list(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_map(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_map_projection(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_list_comprehension(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_quantifier(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_reduce(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;

enum err eval_has_labels(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_is_typed(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_is_normalized(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;
enum err eval_function(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) NODISCARD;

/// ERR_ENTITY_NOT_FOUND for an entity that this transaction has deleted.
enum err eval_check_not_deleted(struct eval *c, enum graph_kind kind, const uint64_t *ids, uint32_t n) NODISCARD;

// Single values; used by the boxed fall-backs and by functions.

enum err value_arithmetic(struct eval *c, enum ast_op op, struct value l, struct value r, struct value *ret) NODISCARD;
enum err value_subscript(struct eval *c, struct value subject, struct value index, struct value *ret) NODISCARD;
/// True if `v` is of the type (a TYPE node).
bool value_is_of_type(const struct ast *type, struct value v);
/// "Long(1)", "String(\"a\")": how messages show a value. Cut where it is long.
struct str value_describe(struct arena *a, struct value v);
/// "Long", "String": how messages name the type of a value.
const char *value_class_name(struct value v);
