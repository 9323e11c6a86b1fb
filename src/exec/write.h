// What write operators share: making entities and assigning, row by row, each able to wait and go on (contracts 1 and 3).
//
// A place says how far a batch has been worked through. Expressions see the current state, so a later row reads what an earlier one has
// written; where an expression does not read the graph it is evaluated for the whole batch ahead.
#pragma once

#include "exec/op.h"

struct write_place {
  uint32_t row, item, step; // step: within an item
  bool locked;
  struct arena *arena;      // of the batch: what must survive waiting
  struct vec *columns;      // by item: values evaluated ahead; unset: by row
  void *current;            // properties of the item under way
};

/// True if the value of the expression depends on the graph's state.
bool write_reads_graph(const struct ast *n);

/// Makes plan->items for each row of `b` from the place on; ids go to the columns of their slots, which `ids` holds: ids[item][row].
/// `merge`: a null property is an error.
enum err write_create(struct op *op, const struct plan_create *plan, const struct batch *b, uint64_t **ids, struct write_place *place, bool merge,
                      struct error *e) NODISCARD;
/// Room for the ids of a batch, and its columns put into `b`, in `a`.
enum err write_create_prepare(struct arena *a, const struct plan_create *plan, struct batch *b, uint64_t ***ret, struct error *e) NODISCARD;

/// Does the assignments for each row of `b` from the place on.
enum err write_set(struct op *op, const struct plan_set *plan, const struct batch *b, struct write_place *place, struct error *e) NODISCARD;
