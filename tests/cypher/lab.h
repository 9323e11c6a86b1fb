// A database on a simulated disk and a way to run statements on it: for this module's tests and tools. Single-threaded; whatever
// waits is settled by stepping the graph's machines.
#pragma once

#include "base/arena.h"
#include "exec/exec.h"
#include "graph/graph.h"
#include "os/random.h"
#include "plan/plan.h"
#include "store/sim_disk.h"
#include "value/row_sink.h"

struct lab {
  struct sim_disk *sim;
  struct clock_manual clock;
  struct random_seeded random;
  struct page_pool *pool;
  struct graph *graph;
  struct arena arena;       // of `parameters`
  struct value parameters;  // for the statements that follow
  struct mem_budget budget; // of a run; limit 0
  bool eager_everywhere; // options of the planner
  enum plan_rewrites rewrites;
  bool cold;      // each run starts with no page in memory and may not block: it waits for every page
  bool impatient; // runs give up their thread after a few batches, now a few more, now less
  bool flat;      // exec_options.flat
  uint64_t waits; // of all runs
  const struct cypher_signatures *signatures;
};

/// What a run left behind.
struct lab_result {
  enum err err;
  struct error error;
  struct exec_counters counters;
  uint64_t rows, peak_bytes;
};

enum err lab_open(struct lab *l, struct error *e) NODISCARD;
void lab_close(struct lab *l);

/// Parses, checks, plans.
enum err lab_plan(struct lab *l, struct str query, struct plan **ret, struct error *e) NODISCARD;
/// Runs a plan (or creates an index) in a transaction of its own and commits; rows go to `sink` (may be NULL).
void lab_run_plan(struct lab *l, const struct plan *plan, struct row_sink *sink, struct lab_result *ret);
/// Both.
void lab_run(struct lab *l, struct str query, struct row_sink *sink, struct lab_result *ret);
