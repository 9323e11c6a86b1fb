#include "consensus/terms.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void terms_init(struct terms *t, uint64_t first_index, uint64_t snapshot_index, uint64_t snapshot_term) {
  *t = (struct terms){.first_index = first_index,
                      .last_index = first_index - 1,
                      .snapshot_index = snapshot_index,
                      .snapshot_term = snapshot_term};
}

void terms_done(struct terms *t) {
  mem_free(t->runs);
  *t = (struct terms){0};
}

/// The position of the run that holds `index`, which is in the log.
static size_t run_of(const struct terms *t, uint64_t index) {
  size_t low = 0, high = t->count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (t->runs[middle].first_index <= index) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

uint64_t terms_at(const struct terms *t, uint64_t index) {
  if (index >= t->first_index && index <= t->last_index) return t->runs[run_of(t, index)].term;
  return index != 0 && index == t->snapshot_index ? t->snapshot_term : 0;
}

uint64_t terms_run_start(const struct terms *t, uint64_t index) {
  assert(index >= t->first_index && index <= t->last_index);
  return t->runs[run_of(t, index)].first_index;
}

uint64_t terms_last(const struct terms *t) {
  return terms_at(t, t->last_index);
}

enum err terms_append(struct terms *t, uint64_t term) {
  uint64_t index = t->last_index + 1;
  if (t->count == 0 || t->runs[t->count - 1].term != term) {
    if (t->count == t->capacity) {
      size_t capacity = t->capacity == 0 ? 8 : 2 * t->capacity;
      struct consensus_term_run *runs = mem_realloc(t->runs, capacity * sizeof *runs);
      if (runs == NULL) return ERR_NOMEM;
      t->runs = runs;
      t->capacity = capacity;
    }
    t->runs[t->count++] = (struct consensus_term_run){index, term};
  }
  t->last_index = index;
  return ERR_OK;
}

void terms_truncate(struct terms *t, uint64_t from) {
  assert(from >= t->first_index && from <= t->last_index + 1);
  while (t->count > 0 && t->runs[t->count - 1].first_index >= from) t->count--;
  t->last_index = from - 1;
}

void terms_forget(struct terms *t, uint64_t to) {
  if (to < t->first_index) return;
  assert(to <= t->last_index);
  size_t gone = to == t->last_index ? t->count : run_of(t, to + 1);
  t->count -= gone;
  if (t->count > 0) memmove(t->runs, t->runs + gone, t->count * sizeof *t->runs);
  t->first_index = to + 1;
  if (t->count > 0) t->runs[0].first_index = t->first_index;
}

void terms_restart(struct terms *t, uint64_t snapshot_index, uint64_t snapshot_term) {
  t->count = 0;
  t->first_index = snapshot_index + 1;
  t->last_index = snapshot_index;
  t->snapshot_index = snapshot_index;
  t->snapshot_term = snapshot_term;
}
