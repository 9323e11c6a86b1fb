// A query graph: the nodes, relationships, predicates and paths of consecutive MATCH clauses, without an order. Scratch memory.
#pragma once

#include "plan/order.h"
#include "plan/plan_int.h"

enum qg_rel_kind {
  QG_ONE,      // one relationship
  QG_VARIABLE, // -[*1..3]- and quantified relationships: one VAR_EXPAND
  QG_GROUP,    // a quantified path pattern: REPEAT
  QG_SHORTEST, // between two bound nodes
};

struct qg_node {
  uint32_t slot;
  bool bound;    // by what comes before
  double base;   // estimated nodes with its labels
  double rows;   // ... that pass its own predicates, too
};

struct qg_rel {
  enum qg_rel_kind kind;
  uint32_t slot;         // PLAN_NONE where nobody can ask
  bool bound;
  uint32_t left, right;  // numbers of nodes
  enum graph_direction direction; // as seen from `left`
  struct plan_list types;
  uint32_t min, max;     // max PLAN_NONE: no bound
  uint32_t clause;       // relationships of one clause differ; PLAN_NONE: from nothing
  uint32_t step_rel, step_node;
  struct exprs_builder rel_predicates, node_predicates, path_predicates;
  const struct ast *group; // QG_GROUP
  struct plan_list inner_rels, outer_rels; // QG_GROUP: relationships inside, and the lists of them outside
  enum plan_shortest shortest;
  enum plan_same_node same_node;
  bool selects_before_where; // QG_SHORTEST: WHERE is for what was found
  double count;          // relationships of its types in the whole graph
  double selectivity;    // rows / (left.base * right.base)
};

enum qg_predicate_kind { QG_OTHER, QG_LABEL, QG_ANY_LABEL, QG_EQUAL, QG_IN, QG_LESS, QG_GREATER, QG_PREFIX, QG_EXISTS, QG_ID, QG_ID_IN, QG_ELEMENT_ID, QG_ELEMENT_ID_IN };

/// One conjunct. For all kinds but OTHER it is about the entity in `subject`: has label `name`, has one of `labels`, property `name` = `value`, ...
struct qg_predicate {
  const struct ast *expression;
  struct bits reads;   // slots, those of paths replaced by what they are made of
  struct bits paths;   // numbers of the paths that it reads
  enum qg_predicate_kind kind;
  uint32_t subject;
  plan_name_id name;
  struct plan_list labels;
  const struct ast *value;
  struct bits value_reads;
  bool inclusive;      // LESS, GREATER
  bool late;           // volatile: only when all else is done
  bool subquery;
  double selectivity;
};

struct qg_path {
  uint32_t slot, start;
  struct plan_path_step *steps;
  uint32_t step_count;
  struct bits reads;
};

struct query_graph {
  struct planner *p;
  struct qg_node *nodes;
  uint32_t node_count, node_room;
  struct qg_rel *rels;
  uint32_t rel_count, rel_room;
  struct qg_predicate *predicates;
  uint32_t predicate_count, predicate_room;
  struct qg_path *paths;
  uint32_t path_count, path_room;
  uint32_t clause_count;
  struct order_wish wish; // of what comes behind
  struct bits slots; // of nodes, relationships and paths
};

/// Adds a path of a pattern; `bound` are the slots that are filled already. `clause`: see qg_rel.
enum err qg_add_path(struct query_graph *g, const struct ast *path, const struct bits *bound, uint32_t clause) NODISCARD;
/// Adds the conjuncts of a predicate (may be NULL).
enum err qg_add_predicate(struct query_graph *g, const struct ast *predicate) NODISCARD;
/// Classifies what was added, once all of it is there.
enum err qg_classify(struct query_graph *g) NODISCARD;
/// Fills the estimates (plan/cardinality.c).
void qg_estimate(struct query_graph *g);

/// A predicate that types are as the pattern says, or the list of types where that suffices (plan/query_graph.c).
enum err qg_types(struct planner *p, const struct ast *types, struct plan_list *ret, bool *ret_all) NODISCARD;
/// A predicate that gives the relationship by its id, computable from `available`; PLAN_NONE.
uint32_t qg_rel_seek(const struct query_graph *g, const struct qg_rel *rel, const struct bits *available);
uint32_t qg_node_of(const struct query_graph *g, uint32_t slot);

/// Plans `g` on top of `c` (plan/assemble.c).
enum err qg_plan(struct query_graph *g, struct chain *c) NODISCARD;
