// The physical operators, one row each: kind, member of `struct plan_op`, number of children, name as EXPLAIN shows it (where
// the fields decide, plan_op_name does). Exact fields and semantics: the structs below.
//
// Rows. An operator turns batches of rows into batches of rows; a row has one column for each slot. It hands on every column of its
// input that is in its `out` (columns that something above may read) and adds those that its fields name. Columns outside of `out` may
// be dropped and must not be read.
//
// Sources take rows, too: AllNodesScan and its kin give, for each input row, that row with each of the nodes. Where
// nothing comes before, the input is an ARGUMENT of depth 0, which gives one row without columns. So an index seek
// whose key comes from UNWIND is one operator that gets a whole batch of keys. (EXPLAIN shows it as Neo4j's Apply.)
//
// Apply. The right side of APPLY and its kin gets the whole batch of the left: its ARGUMENT gives one row for each row of the left,
// with the slots of `argument` and a hidden column, the row's number, which every operator hands on. Inside, that number is an
// implicit leading key: aggregation, DISTINCT, SORT, TOP, SKIP, LIMIT and OPTIONAL work for each number by itself (an aggregation
// without keys gives one row for each number, also where no row came), joins and products join only rows of one
// number, order is kept within a number. `depth` says of how many such right sides an operator is part.
//
// Reading and writing. Reads see the snapshot and what is sealed. Operators inside a MERGE's right side have `current` set and read the
// current state; so do all expressions of write operators. EAGER drains its input, then seals. The end of the statement seals.
//
// Relationship uniqueness. A traversal's `differ` are slots of relationships, or of lists of them, of the same MATCH: no relationship
// that it finds may be, or be in, one of these. What can never be equal (types apart) is not listed. Where two sides are joined, FILTER's `differ` has pairs.
//
// Names. A plan_name_id is a number into plan.names; PLAN_NONE stands for no restriction. In a list of types, unknown ones match nothing,
// but an empty list is no restriction.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cypher/ast.h"
#include "graph/types.h"

// clang-format off
#define PLAN_OPS(X) \
  /* sources, all of them with one input */ \
  X(ARGUMENT,              argument,        0, "Argument") \
  X(ALL_NODES_SCAN,        node_scan,       1, "AllNodesScan") \
  X(LABEL_SCAN,            node_scan,       1, "NodeByLabelScan") \
  X(UNION_LABEL_SCAN,      node_scan,       1, "UnionNodeByLabelsScan") \
  X(NODE_BY_ID,            by_id,           1, "NodeByIdSeek") \
  X(NODE_BY_ELEMENT_ID,    by_id,           1, "NodeByElementIdSeek") \
  X(NODE_INDEX_SEEK,       index_seek,      1, "NodeIndexSeek") \
  X(REL_SCAN,              rel_scan,        1, "DirectedAllRelationshipsScan") \
  X(REL_BY_ID,             by_id,           1, "DirectedRelationshipByIdSeek") \
  X(REL_BY_ELEMENT_ID,     by_id,           1, "DirectedRelationshipByElementIdSeek") \
  X(REL_INDEX_SEEK,        index_seek,      1, "DirectedRelationshipIndexSeek") \
  X(NODE_COUNT,            node_count,      1, "NodeCountFromCountStore") \
  X(REL_COUNT,             rel_count,       1, "RelationshipCountFromCountStore") \
  X(UNWIND,                unwind,          1, "Unwind") \
  X(PROCEDURE_CALL,        procedure_call,  1, "ProcedureCall") \
  X(LOAD_CSV,              load_csv,        1, "LoadCSV") \
  X(SHOW,                  show,            1, "Show") \
  /* rows */ \
  X(FILTER,                filter,          1, "Filter") \
  X(PROJECTION,            projection,      1, "Projection") \
  X(PROJECT_PATH,          project_path,    1, "Projection") \
  X(PROJECT_ENDPOINTS,     project_ends,    1, "ProjectEndpoints") \
  X(CACHE_PROPERTIES,      cache,           1, "CacheProperties") \
  X(DEGREE,                degree,          1, "Projection") \
  /* traversals */ \
  X(EXPAND,                expand,          1, "Expand(All)") \
  X(EXPAND_INTO,           expand,          1, "Expand(Into)") \
  X(OPTIONAL_EXPAND,       expand,          1, "OptionalExpand(All)") \
  X(OPTIONAL_EXPAND_INTO,  expand,          1, "OptionalExpand(Into)") \
  X(VAR_EXPAND,            var_expand,      1, "VarLengthExpand(All)") \
  X(VAR_EXPAND_INTO,       var_expand,      1, "VarLengthExpand(Into)") \
  X(PRUNING_VAR_EXPAND,    var_expand,      1, "VarLengthExpand(Pruning,BFS)") \
  X(SHORTEST_PATH,         shortest_path,   1, "ShortestPath") \
  X(INTERSECT,             intersect,       1, "Intersect") \
  X(REPEAT,                repeat,          2, "Repeat(Trail)") \
  /* subqueries: left input, right side run for it */ \
  X(APPLY,                 apply,           2, "Apply") \
  X(SEMI_APPLY,            apply,           2, "SemiApply") \
  X(ANTI_SEMI_APPLY,       apply,           2, "AntiSemiApply") \
  X(LET_SEMI_APPLY,        let,             2, "LetSemiApply") \
  X(ROLL_UP_APPLY,         let,             2, "RollUpApply") \
  X(SUBQUERY_FOREACH,      apply,           2, "SubqueryForeach") \
  X(OPTIONAL,              optional,        1, "Optional") \
  /* joins */ \
  X(CARTESIAN_PRODUCT,     nothing,         2, "CartesianProduct") \
  X(NODE_HASH_JOIN,        node_join,       2, "NodeHashJoin") \
  X(VALUE_HASH_JOIN,       value_join,      2, "ValueHashJoin") \
  X(UNION,                 nothing,         PLAN_MANY, "Union") \
  /* sinks of many rows */ \
  X(AGGREGATION,           aggregation,     1, "EagerAggregation") \
  X(DISTINCT,              distinct,        1, "Distinct") \
  X(SORT,                  sort,            1, "Sort") \
  X(TOP,                   sort,            1, "Top") \
  X(PARTIAL_SORT,          sort,            1, "PartialSort") \
  X(PARTIAL_TOP,           sort,            1, "PartialTop") \
  X(SKIP,                  limit,           1, "Skip") \
  X(LIMIT,                 limit,           1, "Limit") \
  /* writes */ \
  X(CREATE,                create,          1, "Create") \
  X(MERGE,                 merge,           2, "Merge") \
  X(SET,                   set,             1, "SetProperty") \
  X(DELETE,                delete_,         1, "Delete") \
  X(FOREACH,               foreach,         2, "Foreach") \
  X(TRANSACTION_FOREACH,   transactions,    2, "TransactionForeach") \
  X(TRANSACTION_APPLY,     transactions,    2, "TransactionApply") \
  X(EAGER,                 eager,           1, "Eager") \
  /* the end */ \
  X(EMPTY_RESULT,          nothing,         1, "EmptyResult") \
  X(PRODUCE_RESULTS,       produce,         1, "ProduceResults")
// clang-format on

enum { PLAN_MANY = 255 };

enum plan_op_kind {
#define PLAN_OP_ENUM(name, member, children, text) PLAN_##name,
  PLAN_OPS(PLAN_OP_ENUM)
#undef PLAN_OP_ENUM
      PLAN_OP_MAX,
};

#define PLAN_NONE UINT32_MAX // no slot, no name, no bound

typedef uint32_t plan_name_id; // number in plan.names

/// Numbers of slots, or of names.
struct plan_list {
  const uint32_t *items;
  uint32_t count;
};

/// Expressions: resolved trees of cypher without aggregating FUNCTION, COUNT_STAR, SUBQUERY, PATTERN_EXPRESSION and
/// PATTERN_COMPREHENSION, which have become operators. They read slots through VARIABLE nodes only.
struct plan_exprs {
  const struct ast *const *items;
  uint32_t count;
};

/// `slot` becomes the value of `expression`.
struct plan_item {
  uint32_t slot;
  const struct ast *expression;
};
struct plan_items {
  const struct plan_item *items;
  uint32_t count;
};

/// One row for each row of the left side of the operator to whose right side it belongs, with these slots; at depth 0 one row.
struct plan_argument {
  struct plan_list slots;
};

/// ALL_NODES_SCAN: no labels. LABEL_SCAN: one. UNION_LABEL_SCAN: nodes that have at least one of them, each once. Ascending ids.
struct plan_node_scan {
  uint32_t node;
  struct plan_list labels;
};

/// `ids`: an integer (NODE_BY_ID, REL_BY_ID) or an element id as text; with `many` a list of them, each entity once. Null, values of
/// another type, and ids of nothing give no row. Relationships: see plan_rel_scan for `start`, `end` and `undirected`.
struct plan_by_id {
  uint32_t entity;
  const struct ast *ids;
  bool many;
  bool undirected;
  uint32_t start, end; // REL_*: slots that are filled
};

/// All relationships, with one of `types`. `rel`, and its ends in `start` and `end`. With `undirected` each comes twice, the second time
/// with its ends exchanged; a loop comes once.
struct plan_rel_scan {
  uint32_t rel, start, end;
  bool undirected;
  struct plan_list types;
};

enum plan_bound { PLAN_BOUND_NONE, PLAN_BOUND_RANGE, PLAN_BOUND_PREFIX, PLAN_BOUND_EXISTS };

/// Entities that `index` holds: the first `equal.count` keys equal these expressions (with `in`: the last of them is a list, each
/// element once), then `bound` on the next key. A bound or key that is null or NaN finds nothing. Cypher's `=` and `<`.
/// RANGE: `low` and `high` may be NULL (open). PREFIX: `low` is the text. EXISTS: the key has any value; with no `equal` an index scan.
/// With `ordered` those of one input row come in Cypher's order of the keys behind the equal ones, or, `descending`, backwards; else in any.
struct plan_index_seek {
  uint32_t entity;
  uint32_t index;
  plan_name_id label_or_type;
  struct plan_list keys; // names of all of the index's keys
  struct plan_exprs equal;
  bool in;
  enum plan_bound bound;
  const struct ast *low, *high;
  bool low_inclusive, high_inclusive;
  bool unique; // backs a unique constraint, all keys equal: at most one entity each
  bool ordered, descending;
  bool undirected;     // REL_INDEX_SEEK, as in plan_rel_scan
  uint32_t start, end; // REL_INDEX_SEEK
};

/// Product of the numbers of nodes with each of `labels` (PLAN_NONE: of all nodes), as an integer in `out`.
struct plan_node_count {
  uint32_t out;
  struct plan_list labels;
};

/// Number of relationships with one of `types` (none: of all), as an integer in `out`.
struct plan_rel_count {
  uint32_t out;
  struct plan_list types;
};

/// One row for each element of the list. Null: no row; a value that is no list: one row.
struct plan_unwind {
  uint32_t out;
  const struct ast *list;
};

/// For each input row the rows of the procedure: result i goes to results[i] (PLAN_NONE: not wanted). A procedure without results lets
/// the row through once. `optional`: a row with nulls where it gives none.
struct plan_procedure_call {
  const struct cypher_procedure *procedure;
  struct plan_exprs arguments;
  struct plan_list results;
  bool optional;
};

struct plan_load_csv {
  uint32_t out; // a list of strings, with headers a map
  const struct ast *url;
  const struct ast *terminator; // NULL: comma. A LITERAL or PARAMETER
  bool with_headers;
};

/// Rows of a SHOW or TERMINATE command, which a function of the options of the run supplies: column of that name to each slot.
struct plan_show {
  const struct ast *command;
  const struct ast_column *columns;
  uint32_t column_count;
};

struct plan_pair {
  uint32_t left, right;
};

/// Lets a row through if all predicates are true (in this order: cheapest and most selective first) and no pair of `differ` has a
/// relationship in common (each a relationship or a list of them).
struct plan_filter {
  struct plan_exprs predicates;
  const struct plan_pair *differ;
  uint32_t differ_count;
};

/// Items are independent of each other: none reads what another sets.
struct plan_projection {
  struct plan_items items;
};

/// Relationships of a path, one after another from where the last one ended: a slot with one relationship or, with `list`, a list of them;
/// more than one slot: lists of equal length, of which one of each is taken in turn (quantified path patterns).
struct plan_path_step {
  struct plan_list rels;
  bool list;
};

/// `out` becomes the path that starts at the node `start`. Null if a slot of it is null.
struct plan_project_path {
  uint32_t out;
  uint32_t start;
  const struct plan_path_step *steps;
  uint32_t step_count;
};

/// For a relationship that is bound already: fills or checks its ends. Lets a row through if the relationship fits direction, types
/// and those ends that are bound (`start_bound`, `end_bound`). With `rel` a list (`list`): a walk along all of it, of min to max.
/// GRAPH_BOTH gives two rows where both directions fit, a loop one. A null relationship gives none.
struct plan_project_ends {
  uint32_t rel, start, end;
  bool start_bound, end_bound, list;
  enum graph_direction direction;
  struct plan_list types;
  uint32_t min, max;
  struct plan_list differ;
};

/// Property keys[i] of `entity` into outs[i]; null entity: nulls.
struct plan_cache_item {
  uint32_t entity;
  enum graph_kind kind;
  struct plan_list keys; // names
  struct plan_list outs; // slots
};
struct plan_cache {
  const struct plan_cache_item *items;
  uint32_t count;
};

/// Number of relationships of `node` with that direction and one of `types`, as an integer; null node: 0. `exists`: as a boolean.
/// A loop counts once in GRAPH_BOTH, as in MATCH.
struct plan_degree {
  uint32_t node, out;
  enum graph_direction direction;
  struct plan_list types;
  bool exists;
};

/// EXPAND: for each relationship of `from` the row with `rel` and the node at its other end in `to`. `direction` as seen from `from`.
/// *_INTO: `to` is bound, relationships between the two. OPTIONAL_*: keeps only what passes `predicates`; a row for which
/// nothing is left comes once with nulls in `rel` and (not INTO) in `to`. Null `from` (INTO: or `to`) finds nothing.
/// `rel` may be PLAN_NONE: nobody asks which (uniqueness still counts by rows: parallel relationships give a row each).
/// `witnesses` (EXPAND, else empty): differ[i] can only be found where `from` is the node in the slot witnesses[i]; PLAN_NONE:
/// anywhere.
struct plan_expand {
  uint32_t from, rel, to;
  enum graph_direction direction;
  struct plan_list types;
  struct plan_list differ;
  struct plan_list witnesses;
  struct plan_exprs predicates; // OPTIONAL_* only
};

/// Trails (no relationship twice) of min to max relationships from `from`. `rels` becomes the list of them, `to` the last node; min of 0
/// gives the node itself. `reverse`: the pattern is written from `to` to `from`, so the list comes in reverse. Predicates are on one
/// relationship or node of the trail at a time, which the slots `step_rel` and `step_node` hold meanwhile; node predicates are for
/// every node but `from`; null is false. INTO: `to` is bound.
/// PRUNING: each `to` once for each input row, in no order; no `rels`; `min` is 0 or 1 (GRAPH_BOTH: 0); `differ` is empty. With
/// `min` 1, `from` itself comes if a walk leads back to it.
struct plan_var_expand {
  uint32_t from, rels, to; // rels: PLAN_NONE where nobody asks
  enum graph_direction direction;
  bool reverse;
  struct plan_list types;
  uint32_t min, max; // max PLAN_NONE: no bound
  struct plan_list differ;
  uint32_t step_rel, step_node;
  struct plan_exprs rel_predicates, node_predicates;
};

enum plan_shortest { PLAN_SHORTEST_SINGLE, PLAN_SHORTEST_ALL };

/// What SHORTEST_PATH does where both ends are one node and `min` is 1.
enum plan_same_node {
  PLAN_SAME_NODE_FAILS,    // ERR_ARGUMENT, as shortestPath() does
  PLAN_SAME_NODE_SEARCHED, // the shortest trail that comes back to it
};

/// The shortest trail between two bound nodes, or all of that length; found from both sides. `rels` is their list, in the order from
/// `from` to `to`, and may be PLAN_NONE. `min` is 0 or 1; with 0 a node reaches itself by the empty path. Predicates: see plan_var_expand.
/// `path_predicates` are on the trail as a whole, of which they read `rels` and `path` (filled meanwhile, and in the row; may be
/// PLAN_NONE): trails are then enumerated by length until one passes.
struct plan_shortest_path {
  uint32_t from, to, rels, path;
  enum plan_shortest mode;
  enum graph_direction direction;
  struct plan_list types;
  uint32_t min, max;
  enum plan_same_node same_node;
  struct plan_list differ;
  uint32_t step_rel, step_node;
  struct plan_exprs rel_predicates, node_predicates, path_predicates;
};

/// One path will do, and nothing but direction, types and length restricts it: what a search from both ends finds at its first meeting.
static inline bool plan_shortest_is_plain(const struct plan_shortest_path *x) {
  return x->mode == PLAN_SHORTEST_SINGLE && x->path_predicates.count == 0 && x->rel_predicates.count == 0 && x->node_predicates.count == 0 &&
         x->differ.count == 0;
}

/// Nodes `to` that are neighbours of all arms' `from` at once, with each combination of relationships. Directions as seen from `from`.
struct plan_arm {
  uint32_t from, rel;
  enum graph_direction direction;
  struct plan_list types;
  struct plan_list differ; // earlier arms' `rel` included where they could be equal
};
struct plan_intersect {
  uint32_t to;
  const struct plan_arm *arms;
  uint32_t arm_count;
};

/// A quantified path pattern: runs its right side again and again, each time with the last iteration's `inner_end` as `inner_start`,
/// min to max times, no relationship of `inner_rels` twice over all iterations, none of `differ`. The right side's ARGUMENT gives
/// `inner_start` and outer slots. Of each iteration the inner slots of `groups` are added to the list in the outer slot (in front
/// with `reverse`). `into`: `to` is bound; else it becomes the last node.
struct plan_repeat {
  uint32_t from, to, inner_start, inner_end;
  bool into, reverse;
  uint32_t min, max;
  struct plan_list inner_rels; // slots of one relationship or (nested variable length) of a list
  struct plan_list differ;
  const struct ast_slot_pair *groups;
  uint32_t group_count;
};

/// APPLY: each left row with each right row of its number. SEMI_APPLY: left rows that have a right row; ANTI_SEMI_APPLY: that have none.
/// SUBQUERY_FOREACH: left rows, after the right side has been run to its end. `serial`: the right side writes what it may
/// read itself, so it is run for one left row at a time, and sealed in between.
struct plan_apply {
  bool serial;
};

/// LET_SEMI_APPLY: every left row, `out` says if it has a right row. ROLL_UP_APPLY: every left row, `out` is the list of the right
/// rows' `collect`, nulls included, in order.
struct plan_let {
  uint32_t out, collect;
};

/// Its input; where there is none (in a right side: none of a number) one row with nulls in `slots` and, in a right side, the argument.
struct plan_optional {
  struct plan_list slots;
};

/// Rows with the same nodes in `slots`. The left side is held in memory; as in all joins, the right side is opened only when the left
/// one is at its end (it may have written). Null nodes fit nothing.
struct plan_node_join {
  struct plan_list slots;
};

/// Rows where `left` = `right` is true, each evaluated on its own side; the left side is held in memory.
struct plan_value_join {
  const struct ast *left, *right;
};

/// One row for each distinct combination of keys (equivalence), with the aggregates over its rows. Without keys one row in any case.
/// Aggregates' expressions are aggregating FUNCTION nodes (with their DISTINCT) or COUNT_STAR.
struct plan_aggregation {
  struct plan_items keys, aggregates;
};

/// The first row of each distinct combination of `slots`; other columns are gone.
struct plan_distinct {
  struct plan_list slots;
};

struct plan_sort_key {
  uint32_t slot;
  bool descending;
};

/// Stable. TOP: only the first skip + limit rows (the sum saturates); takes its whole input. PARTIAL_*: rows come in order of the first
/// `ordered` keys already, so that only those equal in them are sorted; PARTIAL_TOP reads no further than it must.
struct plan_sort {
  const struct plan_sort_key *keys;
  uint32_t key_count;
  uint32_t ordered;
  const struct ast *limit, *skip; // TOP; skip may be NULL. SKIP itself is done by an operator above
};

/// `count` reads no row; it must be an integer of at least 0 (ERR_SYNTAX or ERR_ARGUMENT as Neo4j has it). `exhaustive`: takes its whole
/// input all the same, because that writes.
struct plan_limit {
  const struct ast *count;
  bool exhaustive;
};

/// A node or relationship to make. `properties`: an expression that gives a map (or a map's kin, see SET), or NULL.
struct plan_create_item {
  enum graph_kind kind;
  uint32_t slot;
  struct plan_list labels; // nodes: names, made where new. Relationships: exactly one, unless dynamic
  struct plan_exprs dynamic_labels; // each gives a text or a list of texts
  uint32_t start, end;     // relationships
  const struct ast *properties;
};

/// Makes the items in order, row by row.
struct plan_create {
  const struct plan_create_item *items;
  uint32_t count;
};

enum plan_set_kind {
  PLAN_SET_PROPERTY,      // target.key = value; a NULL value removes
  PLAN_SET_PROPERTY_DYNAMIC, // target[key_expression] = value
  PLAN_SET_PROPERTIES,    // target = map
  PLAN_ADD_PROPERTIES,    // target += map
  PLAN_SET_LABELS,
  PLAN_REMOVE_LABELS,
};

/// One assignment. `target` gives a node, a relationship or null (then nothing happens). A map may be a node's or relationship's too.
struct plan_set_item {
  enum plan_set_kind kind;
  const struct ast *target;
  plan_name_id key;
  const struct ast *key_expression;
  const struct ast *value;
  struct plan_list labels; // names
  struct plan_exprs dynamic_labels;
};

/// Items in order, row by row: a later row sees what an earlier one has set (contract 1).
struct plan_set {
  const struct plan_set_item *items;
  uint32_t count;
};

/// Entities, paths or null. A node that keeps relationships fails when the statement ends, unless `detach`.
struct plan_delete {
  struct plan_exprs expressions;
  bool detach;
};

/// For each input row, in order: its rows of the right side (which reads the current state), with on_match done for each; where there are
/// none, `create`, then on_create. A property that is null is an error in `create`. End nodes of its relationships that are
/// bound are locked, too, before looking. `locks`: nodes of the pattern whose label and properties are locked before looking.
struct plan_merge {
  struct plan_create create;
  struct plan_set on_create, on_match;
  const struct plan_merge_lock *locks;
  uint32_t lock_count;
};
struct plan_merge_lock {
  enum graph_kind kind;
  plan_name_id label_or_type;
  struct plan_list keys;
  struct plan_exprs values;
};

/// For each input row and each element of the list, in order, runs the right side (its ARGUMENT has `variable` too); hands on the input row.
/// `serial`: a later clause of the body may touch what an earlier one reads, so the body is run to its end for one element at a time.
struct plan_foreach {
  uint32_t variable;
  const struct ast *list;
  bool serial;
};

/// CALL {} IN TRANSACTIONS: takes the left side in groups of `rows` rows (NULL: 1000); runs the right side for each group in an inner
/// transaction. APPLY gives the right rows; FOREACH the left rows. `report`: slot of a map
/// {started, committed, transactionId, errorMessage}, or PLAN_NONE.
struct plan_transactions {
  const struct ast *rows;
  const struct ast *concurrency; // NULL: one after another
  enum ast_on_error on_error;
  uint32_t report;
  struct plan_list nulls; // slots that are null for the rows of a group that failed
};

/// Takes its whole input, then seals what was written below it, so that what is above may read it.
struct plan_eager {
  const char *reason; // for EXPLAIN; static
};

/// Column i is columns[i].slot.
struct plan_produce {
  const struct ast_column *columns;
  uint32_t column_count;
};

struct plan_nothing {
  char unused;
};

struct plan_op {
  enum plan_op_kind kind;
  uint32_t id;
  uint32_t height; // 1 for an ARGUMENT; at most PLAN_DEPTH_MAX
  uint32_t depth; // of how many right sides of Apply, MERGE, FOREACH, ... it is part
  bool current;   // reads the current state, not the snapshot
  bool writes;    // it or something below it writes
  uint32_t child_count;
  struct plan_op **children; // left (or the only input) first
  double rows;               // estimated, in all
  struct plan_list out;      // slots that are read above, ascending
  union {
    struct plan_argument argument;
    struct plan_node_scan node_scan;
    struct plan_by_id by_id;
    struct plan_index_seek index_seek;
    struct plan_rel_scan rel_scan;
    struct plan_node_count node_count;
    struct plan_rel_count rel_count;
    struct plan_unwind unwind;
    struct plan_procedure_call procedure_call;
    struct plan_load_csv load_csv;
    struct plan_show show;
    struct plan_filter filter;
    struct plan_projection projection;
    struct plan_project_path project_path;
    struct plan_project_ends project_ends;
    struct plan_cache cache;
    struct plan_degree degree;
    struct plan_expand expand;
    struct plan_var_expand var_expand;
    struct plan_shortest_path shortest_path;
    struct plan_intersect intersect;
    struct plan_repeat repeat;
    struct plan_apply apply;
    struct plan_let let;
    struct plan_optional optional;
    struct plan_node_join node_join;
    struct plan_value_join value_join;
    struct plan_aggregation aggregation;
    struct plan_distinct distinct;
    struct plan_sort sort;
    struct plan_limit limit;
    struct plan_create create;
    struct plan_merge merge;
    struct plan_set set;
    struct plan_delete delete_;
    struct plan_foreach foreach;
    struct plan_transactions transactions;
    struct plan_eager eager;
    struct plan_produce produce;
    struct plan_nothing nothing;
  };
};

/// The operator's name as Neo4j shows it: "NodeUniqueIndexSeek", "DetachDelete". Static.
const char *plan_op_name(const struct plan_op *op);
/// "ALL_NODES_SCAN", for messages and tests. Static.
const char *plan_op_kind_name(enum plan_op_kind kind);
