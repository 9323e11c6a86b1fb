// What a plan is built with; private to the module.
//
// A statement is planned clause by clause over a *chain*: the operator built so far and the slots that are filled in its
// rows. Consecutive MATCH clauses form one query graph (plan/query_graph.h), for which the join order is searched. Memory: what the
// plan keeps is in its arena, everything else in `scratch`, which ends with plan_build.
#pragma once

#include "cypher/signatures.h"
#include "plan/bits.h"
#include "plan/plan.h"

/// Columns of a query's result, in order; none without RETURN.
struct plan_columns {
  struct ast_column *items;
  uint32_t count;
};

struct planner {
  struct plan *plan;
  struct arena *arena;   // the plan's
  struct arena scratch;
  const struct ast_statement *statement;
  const struct plan_catalog *catalog;
  const struct plan_options *options;
  struct error *error;
  struct plan_slot *slots; // growing copy of the statement's
  uint32_t slot_count, slot_room;
  struct plan_name *names;
  uint32_t name_count, name_room;
  struct graph_index *indexes; // that are online
  uint32_t index_count;
  struct plan_columns yielded; // by a CALL or SHOW that ends the statement without YIELD
  uint32_t nesting; // of subqueries, against deep recursion
};

struct chain {
  struct plan_op *op;
  struct bits bound; // slots that its rows have (in a right side: those of the left, too)
  uint32_t depth;    // of right sides
  bool current;      // reads the current state: inside MERGE
};

enum { PLAN_NESTING_MAX = 200 };

/// The arena's error, for an allocation of either arena that failed.
enum err planner_nomem(struct planner *p);
#define PLAN_ALLOC(p, pointer)                         \
  do {                                                 \
    if (UNLIKELY((pointer) == NULL)) return planner_nomem(p); \
  } while (0)
#define PLAN_ADD(p, bits, i)                                                                  \
  do {                                                                                        \
    if (UNLIKELY(!bits_add(&(p)->scratch, (bits), (i)))) return planner_nomem(p);             \
  } while (0)

/// ERR_UNSUPPORTED: "<feature> is not supported" with the position of `at` (may be NULL).
enum err planner_unsupported(struct planner *p, const struct ast *at, const char *feature) NODISCARD;

/// A slot of the planner's own.
enum err planner_slot(struct planner *p, struct str name, enum ast_variable_kind kind, uint32_t *ret) NODISCARD;
/// The number of a name, entered where it is new.
enum err planner_name(struct planner *p, enum graph_token_kind kind, struct str name, plan_name_id *ret) NODISCARD;
/// Its token; GRAPH_ANY where the database has none of that name.
graph_token planner_token(const struct planner *p, plan_name_id name);

/// An operator on top of `c`, at its depth; the caller fills its fields. `c` goes on from it.
enum err chain_push(struct planner *p, struct chain *c, enum plan_op_kind kind, struct plan_op **ret) NODISCARD;
/// An operator over `c` and a right side; see chain_right.
enum err chain_push2(struct planner *p, struct chain *c, enum plan_op_kind kind, struct plan_op *right, struct plan_op **ret) NODISCARD;
/// The start of a right side of `c`: an ARGUMENT, one deeper, with all slots of `c` bound.
enum err chain_right(struct planner *p, const struct chain *c, struct chain *ret) NODISCARD;
/// An ARGUMENT at the depth of `c` to start the other side of a join with: binds what the outer rows bind if `c` itself starts so.
enum err chain_fresh(struct planner *p, const struct chain *c, struct chain *ret) NODISCARD;
/// True if `c` is still just an ARGUMENT, so that starting again from one means the same.
bool chain_at_start(const struct chain *c);
/// Marks a slot as filled.
enum err chain_bind(struct planner *p, struct chain *c, uint32_t slot) NODISCARD;
enum err planner_op(struct planner *p, enum plan_op_kind kind, uint32_t depth, uint32_t children, struct plan_op **ret) NODISCARD;

// Growing arrays in the plan's arena.

struct list_builder {
  uint32_t *items;
  uint32_t count, room;
};
enum err list_add(struct planner *p, struct list_builder *l, uint32_t item) NODISCARD;
struct plan_list list_of(const struct list_builder *l);

struct exprs_builder {
  const struct ast **items;
  uint32_t count, room;
};
enum err exprs_add(struct planner *p, struct exprs_builder *l, const struct ast *item) NODISCARD;
struct plan_exprs exprs_of(const struct exprs_builder *l);

struct items_builder {
  struct plan_item *items;
  uint32_t count, room;
};
enum err items_add(struct planner *p, struct items_builder *l, uint32_t slot, const struct ast *expression) NODISCARD;
struct plan_items items_of(const struct items_builder *l);

/// Room for one more element of `size` bytes in an array of the plan's arena.
enum err array_room(struct planner *p, void *items_pointer, uint32_t count, uint32_t *room, size_t size) NODISCARD;

/// One name as a list.
enum err list_one(struct planner *p, uint32_t item, struct plan_list *ret) NODISCARD;

// Parts of the planner, each in the file of its name.

/// A query, all its branches (plan/query.c).
enum err plan_query(struct planner *p, struct chain *c, const struct ast *query, struct plan_columns *ret) NODISCARD;
/// Clauses one after another, from `first` on (plan/query.c).
enum err plan_clauses(struct planner *p, struct chain *c, const struct ast_list *clauses) NODISCARD;

/// WITH and RETURN (plan/projection.c).
enum err plan_projection(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;

/// MATCH and the MATCH clauses that follow it; returns the first clause that is none (plan/match.c).
enum err plan_match(struct planner *p, struct chain *c, const struct ast *clause, const struct ast **ret_next) NODISCARD;
enum err plan_optional_match(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
/// A pattern by itself with a predicate (may be NULL): of expressions and MERGE.
enum err plan_pattern(struct planner *p, struct chain *c, const struct ast *path, const struct ast *where) NODISCARD;

/// Updating clauses (plan/write.c, plan/merge.c).
enum err plan_create(struct planner *p, struct chain *c, const struct ast *first, const struct ast **ret_next) NODISCARD;
/// The elements of paths that are new, in the order in which to make them.
enum err plan_create_paths(struct planner *p, struct chain *c, const struct ast *const *paths, uint32_t count, struct plan_create *ret) NODISCARD;
/// Labels of a pattern or of SET: names, and expressions that give names.
enum err plan_label_names(struct planner *p, struct chain *c, const struct ast *labels, enum graph_token_kind kind, struct list_builder *names,
                          struct exprs_builder *dynamic) NODISCARD;
/// `p = (a)-[r]->(b)` of CREATE or MERGE, whose elements are filled.
enum err plan_written_path(struct planner *p, struct chain *c, const struct ast *path) NODISCARD;
enum err plan_set_items(struct planner *p, struct chain *c, const struct ast_list *items, struct plan_set *ret) NODISCARD;
enum err plan_set(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_remove(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_delete(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_foreach(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_merge(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;

/// Subqueries and calls (plan/call.c).
enum err plan_call(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_call_query(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_load_csv(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;
enum err plan_show(struct planner *p, struct chain *c, const struct ast *clause) NODISCARD;

/// Makes `from` ready for exec: subqueries and patterns inside become operators of `c` (plan/lift.c). Returns `from` itself
/// where there is nothing to do.
enum err plan_expression(struct planner *p, struct chain *c, const struct ast *from, const struct ast **ret) NODISCARD;
/// The same for a predicate all of whose rows that are not true are to go; splits ANDs and puts FILTER, SEMI_APPLY ... on `c`.
enum err plan_where(struct planner *p, struct chain *c, const struct ast *predicate) NODISCARD;
/// One conjunct.
enum err plan_conjunct(struct planner *p, struct chain *c, const struct ast *predicate) NODISCARD;
/// A FILTER on `c`; merged into the one that is on top.
enum err chain_filter(struct planner *p, struct chain *c, const struct ast *predicate) NODISCARD;

/// Adds the slots that `n` (may be NULL) reads from its row: variables but those that it declares itself.
enum err expression_slots(struct planner *p, const struct ast *n, struct bits *ret) NODISCARD;
bool expression_has_subquery(const struct ast *n);
bool expression_is_volatile(const struct ast *n);
enum err expression_variable(struct planner *p, uint32_t slot, const struct ast **ret) NODISCARD;
enum err expression_integer(struct planner *p, int64_t i, const struct ast **ret) NODISCARD;
enum err expression_binary(struct planner *p, enum ast_op op, const struct ast *left, const struct ast *right, const struct ast **ret) NODISCARD;
enum err expression_property(struct planner *p, uint32_t slot, struct str key, const struct ast **ret) NODISCARD;
/// The conjuncts of a predicate: ANDs split, chains of comparisons taken apart.
enum err expression_conjuncts(struct planner *p, const struct ast *n, struct exprs_builder *ret) NODISCARD;

/// Slots that an operator itself reads, and those that it fills (plan/op_slots.c). Right sides are not looked into.
enum err op_reads(struct planner *p, const struct plan_op *op, struct bits *ret) NODISCARD;
enum err op_fills(struct planner *p, const struct plan_op *op, struct bits *ret) NODISCARD;

// Passes over the finished tree.

/// Barriers (plan/eager.c).
enum err pass_eager(struct planner *p, struct plan_op **root) NODISCARD;
/// The witnesses of expands (plan/witness.c).
enum err pass_witness(struct planner *p, struct plan_op *root) NODISCARD;
/// `out` of every operator and the slots of arguments; takes away what computes only what nobody reads (plan/live.c).
enum err pass_live(struct planner *p, struct plan_op **root) NODISCARD;
/// Ids and `ops` (plan/number.c).
enum err pass_number(struct planner *p, struct plan_op *root) NODISCARD;
/// The post-condition of all that (plan/verify.c): ERR_INTERNAL for a plan that would read what nothing fills.
enum err pass_verify(struct planner *p, const struct plan_op *root) NODISCARD;

/// Keeps the counts that plan_is_stale compares (plan/stale.c).
void plan_note_counts(struct plan *p, const struct plan_catalog *catalog);
