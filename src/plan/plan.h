// Physical plans: what `plan_build` makes of a checked statement and `exec` runs.
//
// A plan is immutable once built and shared between threads by reference count; it owns one arena, in which the statement's
// syntax tree lies as well. A run keeps all of its state elsewhere. The operators are a tree of `struct plan_op` (plan/ops.h says
// which there are and what each does).
//
//   plan_new -> cypher_parse and cypher_check into plan_arena(p) -> plan_build -> plan_ref / plan_unref
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cypher/ast.h"
#include "graph/types.h"
#include "plan/catalog.h"
#include "plan/notice.h"
#include "plan/ops.h"

/// A label, relationship type or property key that operators name by its number in `plan.names`. Names in expressions
/// are not in this table: they are looked up by text.
struct plan_name {
  enum graph_token_kind kind;
  struct str name;
  graph_token token; // GRAPH_ANY: nothing in the database had that name when the plan was built
  double count;      // nodes or relationships with it at that time; 0 for keys
};

/// A column of the batches. The first ones are the statement's own (ast_statement.slots), the planner's follow.
struct plan_slot {
  struct str name; // as EXPLAIN shows it: "n", "anon_3", "cache[n.name]"
  uint8_t kind;    // enum ast_variable_kind
};

enum plan_kind_of {
  PLAN_QUERY,   // `root` is to be run
  PLAN_COMMAND, // schema and administration: `root` is NULL, dbms carries out `statement->root`
};

struct plan {
  _Atomic uint32_t references;
  enum plan_kind_of kind;
  struct arena arena;
  const struct ast_statement *statement; // columns, parameters, query type, EXPLAIN and PROFILE
  const struct plan_op *root;            // PRODUCE_RESULTS, or EMPTY_RESULT where the statement returns nothing
  uint32_t op_count;                     // ids of operators are 0 (the root) up to op_count - 1, parents first
  const struct plan_op *const *ops;      // by id
  const struct plan_slot *slots;
  uint32_t slot_count;
  const struct plan_name *names;
  uint32_t name_count;
  const struct plan_notice *notices; // what to tell of the statement
  uint32_t notice_count;
  bool has_unknown_names; // then look them up again where graph_token_version differs from `token_version`
  uint64_t token_version;
  uint64_t schema_version; // graph_stats_schema_version when it was built: indexes are named by their id
  double all_nodes;        // in the database at that time
  double cost;             // estimated rows of all operators together: tells a cheap plan from a heavy one
  bool cheap;              // set by who has it built, before it is shared (dbms/cheap.h)
};

/// An empty plan with its arena, whose memory is charged to `budget` (may be NULL). One reference.
enum err plan_new(struct mem_budget *budget, struct plan **ret, struct error *e) NODISCARD;

/// Where to parse and check the statement before plan_build.
struct arena *plan_arena(struct plan *p);

struct plan *plan_ref(struct plan *p);
/// Frees with the last reference. Any thread. NULL is fine.
void plan_unref(struct plan *p);

/// What a constant expression is worth: `exec` knows. ERR_* leaves the expression as it is, to fail when it is run.
/// A value that has no literal form (a date, a node) is left as well.
struct plan_folding {
  enum err (*evaluate)(void *context, const struct ast *expression, struct arena *a, struct value *ret, struct error *e);
  void *context;
};

/// Rewrites of a finished plan that only make it faster.
enum plan_rewrites { PLAN_REWRITES_BY_COST, PLAN_REWRITES_NONE, PLAN_REWRITES_ALL };

struct plan_options {
  const struct plan_catalog *catalog; // tokens, statistics, indexes; NULL: of an empty database
  const struct plan_folding *folding; // NULL: constants are folded only where the planner can do so itself
  bool eager_everywhere;              // a barrier after every write: slower, for comparing results
  enum plan_rewrites rewrites;        // other than by cost: for comparing results
};

/// Plans a checked statement that lies in plan_arena(p), once. Pure but for `options`; deterministic. ERR_UNSUPPORTED names the
/// feature and its position, or says that more than PLAN_DEPTH_MAX operators would stand upon each other. After an error only plan_unref may follow.
enum err plan_build(struct plan *p, const struct ast_statement *statement, const struct plan_options *options, struct error *e) NODISCARD;

/// Bound of the tree's height, so that walks over it may recurse.
enum { PLAN_DEPTH_MAX = 4000 };

/// Counts may differ by so much, after adding so many rows, before a plan is made anew.
enum { PLAN_STALE_FACTOR = 4, PLAN_STALE_ROWS = 250 };

/// True if a cached plan should be made anew: the schema has changed, a name that it did not find is there now, or the counts that it was
/// chosen by are no longer near. Cheap: ask every few seconds, not for each run. (Plans do not depend on the parameters' values or
/// types; with the statement's text, this and the signatures' version are all that a cache needs to look at.)
bool plan_is_stale(const struct plan *p, const struct plan_catalog *catalog);
