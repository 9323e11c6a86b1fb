#include "exec/unique.h"

/// The id in a column of ids; false where it is null, or where another kind of column may hold lists.
static bool id_at(const struct batch *in, uint32_t slot, enum vec_kind kind, uint32_t row, uint64_t *ret, bool *ret_other) {
  const struct vec *column = &in->columns[slot];
  *ret_other = false;
  if (!vec_is_set(column)) return false;
  *ret_other = column->kind != kind;
  if (*ret_other) return false;
  uint32_t at = column->constant ? 0 : batch_index(in, row);
  *ret = column->id[at];
  return !(column->has_nulls && column->nulls[at]);
}

/// The row's node at which the relationship would have to be found again is another one.
static bool is_elsewhere(const struct plan_expand *plan, uint32_t i, const struct batch *in, uint32_t row, uint64_t from) {
  uint64_t witness;
  bool other;
  if (i >= plan->witnesses.count || plan->witnesses.items[i] == PLAN_NONE) return false;
  return id_at(in, plan->witnesses.items[i], VEC_NODE, row, &witness, &other) && witness != from;
}

void unique_of_row(struct unique *u, const struct plan_expand *plan, const struct batch *in, uint32_t row, uint64_t from) {
  u->n = 0;
  u->by_element = false;
  for (uint32_t i = 0; i < plan->differ.count; i++) {
    uint64_t rel;
    bool other;
    if (is_elsewhere(plan, i, in, row, from)) continue;
    bool has = id_at(in, plan->differ.items[i], VEC_REL, row, &rel, &other);
    u->by_element |= other || (has && u->n == UNIQUE_MAX);
    if (has && u->n < UNIQUE_MAX) u->rels[u->n++] = rel;
  }
}

bool unique_of_all(const struct plan_expand *plan, const struct batch *in, const uint32_t *rows, const uint64_t *from, uint32_t n) {
  for (uint32_t i = 0; i < plan->differ.count; i++) {
    if (i >= plan->witnesses.count || plan->witnesses.items[i] == PLAN_NONE || in->sel != NULL) return false;
    const struct vec *w = &in->columns[plan->witnesses.items[i]];
    if (!vec_is_set(w) || w->kind != VEC_NODE || w->has_nulls) return false;
    uint32_t hits = 0;
    if (w->constant) {
      for (uint32_t k = 0; k < n; k++) hits += w->id[0] == from[k];
    } else {
      for (uint32_t k = 0; k < n; k++) hits += w->id[rows[k]] == from[k];
    }
    if (hits > 0) return false;
  }
  return true;
}
