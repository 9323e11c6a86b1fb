// The check's state and what its files share.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "cypher/ast.h"
#include "cypher/check.h"
#include "cypher/errors.h"
#include "cypher/signatures.h"

// Scopes: which names mean which slots. A scope sees what its parents hold.

struct scope_entry {
  struct str name;
  uint32_t slot;
};

struct scope {
  struct scope *parent;
  struct scope_entry *entries; // in order of declaration
  uint32_t count, capacity;
  uint32_t *table; // open addressing over entries, index + 1; NULL while there are few
  uint32_t table_size;
  bool open; // names that are not known are declared where they are used: columns of SHOW
};

enum aggregation {
  AGGREGATION_FORBIDDEN,
  AGGREGATION_ALLOWED,
  AGGREGATION_INSIDE, // in the argument of one
};

/// An expression of a pattern that waits until all of the pattern's variables are declared.
struct deferred {
  struct deferred *next;
  struct ast *expression;
  struct scope *scope;
  bool predicate;
};

struct checker {
  struct arena *arena;
  struct ast_statement *statement;
  const struct cypher_signatures *signatures; // may be NULL
  uint32_t neo4j_major;
  struct error *e;
  struct scope *scope;
  const struct scope *hidden; // what came in before a DISTINCT or an aggregation, for the message; else NULL
  struct scope *imports;      // what the importing WITH of a CALL { } may take; NULL elsewhere
  enum aggregation aggregation;
  struct ast_slot *slots;
  uint32_t slot_count, slot_capacity;
  struct deferred *deferred, *deferred_last;
  uint32_t subquery_depth;  // of CALL { }
  bool in_expression_query; // inside EXISTS, COUNT or COLLECT { }: nothing may be written
  bool in_transactions;     // inside CALL { } IN TRANSACTIONS
};

enum err check_fail(struct checker *c, uint32_t offset, const char *fmt, ...) PRINTF(3, 4);
enum err check_no_memory(struct checker *c);

struct scope *scope_new(struct checker *c, struct scope *parent); // NULL: no memory
uint32_t scope_find(const struct scope *s, struct str name);      // AST_NO_SLOT: not there
uint32_t scope_find_here(const struct scope *s, struct str name); // not in the parents
enum err scope_add(struct checker *c, struct scope *s, struct str name, uint32_t slot) NODISCARD;

/// A new slot with that meaning; not in any scope yet.
enum err slot_new(struct checker *c, struct ast_slot slot, uint32_t *ret) NODISCARD;
/// Declares `variable` in the current scope with a new slot. The name must be free here (see scope_find).
enum err declare(struct checker *c, struct ast *variable, enum ast_variable_kind kind, cypher_types types,
                 cypher_types elements) NODISCARD;
/// "Variable `x` already declared" if the current scope or its parents hold the name.
enum err expect_undeclared(struct checker *c, const struct ast *variable) NODISCARD;

// Expressions (check_expr.c, check_function.c). Sets types, flags, slots and signatures of all that is below.

enum err check_expression(struct checker *c, struct ast *n) NODISCARD;
/// Also accepts a pattern, which then is a test for existence; the type must allow a Boolean.
enum err check_predicate(struct checker *c, struct ast *n) NODISCARD;
enum err check_list_of(struct checker *c, struct ast_list *list) NODISCARD;
enum err check_typed(struct checker *c, struct ast *n, cypher_types wanted) NODISCARD; // check_expression and expect_type
enum err expect_type(struct checker *c, const struct ast *n, cypher_types wanted) NODISCARD;
enum err check_function(struct checker *c, struct ast *n) NODISCARD;
enum err check_binary(struct checker *c, struct ast *n) NODISCARD;
/// With aggregation forbidden, as everywhere but in projections.
enum err check_plain(struct checker *c, struct ast *n) NODISCARD;
enum err check_plain_predicate(struct checker *c, struct ast *n) NODISCARD;
void take_flags(struct ast *n, const struct ast *child); // AGGREGATES and VOLATILE rise
/// The nearest name that the use of an unknown variable is reported for.
enum err resolve(struct checker *c, struct ast *variable) NODISCARD;

// Patterns (check_pattern.c, check_create.c).

enum err check_match_pattern(struct checker *c, struct ast *match) NODISCARD;
enum err check_pattern_expression(struct checker *c, struct ast *n) NODISCARD;
enum err check_pattern_comprehension(struct checker *c, struct ast *n) NODISCARD;
enum err check_labels(struct checker *c, struct ast *labels) NODISCARD;
enum err check_create(struct checker *c, struct ast *create) NODISCARD;
enum err check_merge_path(struct checker *c, struct ast *path) NODISCARD;

// Queries (check_query.c, check_clause.c, check_projection.c, check_call.c).

/// `parent`: what the query sees from outside, or NULL.
enum err check_query(struct checker *c, struct ast *query, struct scope *parent, bool needs_return) NODISCARD;
enum err check_clause(struct checker *c, struct ast *clause) NODISCARD;
enum err check_with(struct checker *c, struct ast *with) NODISCARD;
enum err check_return(struct checker *c, struct ast *n) NODISCARD;
enum err check_skip_limit(struct checker *c, struct ast *skip, struct ast *limit) NODISCARD;
enum err check_call(struct checker *c, struct ast *call, bool standalone) NODISCARD;
enum err check_call_query(struct checker *c, struct ast *call) NODISCARD;
enum err check_show(struct checker *c, struct ast *show) NODISCARD;
/// Before the clauses are checked (check_show.c).
enum err check_show_forms(struct checker *c, struct ast_list *clauses) NODISCARD;
bool clause_writes(const struct ast *clause);
