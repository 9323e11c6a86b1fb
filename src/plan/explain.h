// EXPLAIN and PROFILE: a plan as Bolt's `plan` and `profile` maps, as the table that shells show, and as short text for tests.
#pragma once

#include "base/buf.h"
#include "plan/plan.h"
#include "value/value.h"

/// What PROFILE knows of an operator. Times and hits that were not measured are 0.
struct plan_measured {
  uint64_t rows, db_hits, time_ns, memory_bytes;
};

/// Where the measures come from; NULL in its place: EXPLAIN.
struct plan_measures {
  struct plan_measured (*of)(void *context, uint32_t op_id);
  void *context;
};

struct plan_explain_options {
  const struct plan_measures *measures; // NULL: EXPLAIN
  struct str database;                  // "neo4j": operator types end in "@neo4j"; empty: they do not
  struct str version;                   // of the server, as clients see it: "5.26.0"
};

/// The map {operatorType, args, identifiers, children} with, under PROFILE, {rows, dbHits, time, ...}. In `a`.
enum err plan_explain(const struct plan *p, const struct plan_explain_options *options, struct arena *a, struct value *ret, struct error *e)
    NODISCARD;

/// The table with Planner, Runtime, one line an operator, and the sum of database accesses.
enum err plan_explain_table(const struct plan *p, const struct plan_explain_options *options, struct buf *out) NODISCARD;

/// One line an operator, indented by two blanks a level of right sides: "NodeByLabelScan n:Person". For golden tests.
enum err plan_print(const struct plan *p, struct buf *out) NODISCARD;

/// What the operator is about: "(a)-[r:KNOWS]->(b)", "n.age > 30".
enum err plan_op_details(const struct plan *p, const struct plan_op *op, struct buf *out) NODISCARD;
