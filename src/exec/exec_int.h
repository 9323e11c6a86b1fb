// What a run is made of; private to the module.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "exec/batch.h"
#include "exec/eval.h"
#include "exec/exec.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "value/temporal.h"

struct op;
struct regex_cache;

/// One run of a plan. Belongs to one thread at a time, but for `cancelled`.
struct exec {
  const struct plan *plan;
  struct exec_options options;
  struct mem_budget budget; // of this run; its parent is the caller's
  struct arena arena;       // operators and their lasting state
  struct graph_tx *tx;      // NULL without a graph
  struct graph *graph;
  struct graph_view *snapshot, *current;
  struct op *root;
  struct op **ops; // by operator id, for the profile
  uint32_t op_count;
  _Atomic int cancelled; // enum err
  uint64_t epoch;        // grows at each exec_next: slices of an older one are dead
  uint64_t rows;         // pushed so far
  struct exec_counters counters;
  struct regex_cache *regexes;
  struct graph_tx *waiting; // after ERR_WAIT: whose graph_tx_on_ready to use
  uint32_t patience;        // batches until the thread is given up; EXEC_ENDLESS: never
  // of exec_next
  const struct batch *left; // rows not pushed yet, from `left_row` on
  uint32_t left_row;
  uint32_t batch_rows; // asked for last
  bool ended, sealed;
  enum err failed;
  struct arena out; // hydrated values of one push
};

/// ERR_OK, or why the run must stop. Cheap: asked once a batch and every EXEC_CANCEL_STEPS steps of long loops. Rests
/// page access if others need what it keeps (graph_view_rest).
enum err exec_check(struct exec *x, struct error *e) NODISCARD;
enum { EXEC_CANCEL_STEPS = 1024 };
/// ERR_WAIT when the patience is at its end. Counts one batch, or as much work as one takes.
enum err exec_spend_patience(struct exec *x) NODISCARD;

/// The clock of `date()` and its kin.
static inline struct temporal_clock exec_clock_of(const struct exec *x, struct exec_instant at) {
  return (struct temporal_clock){.seconds = at.seconds, .nanos = at.nanos, .zone = x->options.clock.zone};
}

/// A MAP's value for a parameter; false where it is missing.
bool exec_parameter(const struct exec *x, struct str name, struct value *ret);

/// Full entities in place of ids, in `a`, as `v` sees them. Lists, maps and paths are walked.
enum err exec_hydrate(struct exec *x, struct graph_view *v, struct arena *a, struct value from, struct value *ret, struct error *e)
    NODISCARD;
/// A column for the row sink; shares what needs no change.
enum err exec_hydrate_column(struct exec *x, struct arena *a, const struct vec *from, const uint32_t *sel, uint32_t n, struct vec *ret,
                             struct error *e) NODISCARD;

void regex_cache_free(struct regex_cache *cache);
