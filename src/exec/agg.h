// Aggregating functions: the state of one function for one group.
//
// agg_add takes one value at a time, agg_add_column a whole column for one group with typed loops where that pays. Nulls are
// ignored, but by count(*). Memory is the arena's that is passed; states are freed with it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "exec/eval.h"
#include "exec/idset.h"
#include "graph/view.h"
#include "value/vec.h"

enum agg_kind {
  AGG_COUNT_STAR,
  AGG_COUNT,
  AGG_SUM,
  AGG_AVG,
  AGG_MIN,
  AGG_MAX,
  AGG_COLLECT,
  AGG_STDEV,
  AGG_STDEVP,
  AGG_PERCENTILE_CONT,
  AGG_PERCENTILE_DISC
};

/// What is to be computed; the same for all groups.
struct agg_function {
  enum agg_kind kind;
  bool distinct;
  const struct ast *argument;   // NULL: count(*)
  const struct ast *percentile; // of percentiles
};

/// Reads an aggregating FUNCTION or a COUNT_STAR.
enum err agg_function_of(const struct ast *n, struct agg_function *ret, struct error *e) NODISCARD;

struct agg_chunk;
struct agg_seen;

struct agg {
  int64_t count;        // values taken
  __int128 whole;       // sum of the integers
  double sum, mean, m2; // floats; running mean and squares (Welford)
  struct value best;    // min, max; sum and avg of durations
  bool has_float, has_duration, has_number;
  double percentile;
  struct agg_chunk *first, *last; // collected values
  struct agg_seen *seen;          // of DISTINCT
};

/// A zeroed state is empty. `arena` and the arena behind `c` differ: the state's lives on.
enum err agg_add(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena, struct value v,
                 struct value percentile) NODISCARD;
/// All of `n` rows into one group. `percentile` may be unset.
enum err agg_add_column(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena,
                        const struct vec *column, const struct vec *percentile, uint32_t n) NODISCARD;
/// count(*), or count of the nodes (`rels`: of the relationships) of slices.
enum err agg_add_slices(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena,
                        const struct graph_slice *slices, uint32_t n, bool rels) NODISCARD;
/// The result, in `c`'s arena or pointing into the state.
enum err agg_result(struct eval *c, const struct agg_function *f, struct agg *a, struct value *ret) NODISCARD;
