// Where each entry of the durable log is: a list of batches and runs of terms, both sorted by index.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/log_int.h"

static enum err reserve(void **data, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity) return ERR_OK;
  size_t larger = MAX(needed, *capacity * 2);
  void *grown = mem_realloc(*data, larger * size);
  if (grown == NULL) return ERR_NOMEM;
  *data = grown;
  *capacity = larger;
  return ERR_OK;
}

enum err log_index_reserve(struct log *l, size_t runs) {
  TRY(reserve((void **) &l->runs, &l->run_capacity, l->run_count + runs, sizeof *l->runs));
  TRY(reserve((void **) &l->batches, &l->batch_capacity, l->batch_count + 1, sizeof *l->batches));
  return reserve((void **) &l->segments, &l->segment_capacity, l->segment_count + 1, sizeof *l->segments);
}

enum err log_segment_push(struct log *l, struct log_segment *s) {
  TRY(log_index_reserve(l, 0));
  l->segments[l->segment_count++] = s;
  return ERR_OK;
}

static void void_from(struct log *l, uint64_t index) {
  atomic_fetch_add(&l->voids, 1);
  while (l->batch_count > 0 && l->batches[l->batch_count - 1].first_index >= index) l->batch_count--;
  if (l->batch_count > 0) {
    struct log_batch_ref *last = &l->batches[l->batch_count - 1];
    if (last->first_index + last->count > index) last->closed = true;
    last->count = (uint32_t) MIN(last->count, index - last->first_index);
  }
  while (l->run_count > 0 && l->runs[l->run_count - 1].first_index >= index) l->run_count--;
  l->durable_index = MIN(l->durable_index, index - 1);
  l->durable_term = log_index_term_of(l, l->durable_index);
}

static bool continues(const struct log_batch_ref *span, const struct log_segment *s, uint64_t offset, uint64_t index) {
  return !span->closed && span->segment == s && span->offset + span->bytes == offset &&
         span->first_index + span->count == index && span->bytes < LOG_SPAN_BYTES;
}

void log_index_add(struct log *l, struct log_segment *s, uint64_t offset, const struct log_batch_header *h) {
  assert(l->batch_count < l->batch_capacity);
  if (h->first_index <= l->durable_index) void_from(l, h->first_index);
  if (h->count == 0) return;
  uint32_t bytes = (uint32_t) log_align(h->bytes);
  struct log_batch_ref *last = l->batch_count > 0 ? &l->batches[l->batch_count - 1] : NULL;
  if (last != NULL && continues(last, s, offset, h->first_index)) {
    last->bytes += bytes;
    last->count += h->count;
  } else {
    l->batches[l->batch_count++] = (struct log_batch_ref){h->first_index, s, offset, bytes, h->count, false};
  }
  l->durable_index = h->first_index + h->count - 1;
}

void log_index_term(struct log *l, uint64_t index, uint64_t term) {
  l->durable_term = term;
  if (l->run_count > 0 && l->runs[l->run_count - 1].term == term) return;
  assert(l->run_count < l->run_capacity);
  l->runs[l->run_count++] = (struct log_term_run){index, term};
}

size_t log_index_find(const struct log *l, uint64_t index) {
  size_t low = 0, high = l->batch_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (l->batches[middle].first_index <= index)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || index - l->batches[low - 1].first_index >= l->batches[low - 1].count) return l->batch_count;
  return low - 1;
}

uint64_t log_index_term_of(const struct log *l, uint64_t index) {
  size_t low = 0, high = l->run_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (l->runs[middle].first_index <= index)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? l->runs[low - 1].term : l->start_term;
}

void log_index_cut_front(struct log *l, size_t batches) {
  if (batches == 0) return;
  memmove(l->batches, l->batches + batches, (l->batch_count - batches) * sizeof *l->batches);
  l->batch_count -= batches;
  uint64_t index = l->batch_count > 0 ? l->batches[0].first_index : l->durable_index + 1;
  l->start_term = log_index_term_of(l, index - 1);
  l->start_index = index;
  size_t runs = 0;
  while (runs + 1 < l->run_count && l->runs[runs + 1].first_index <= index) runs++;
  memmove(l->runs, l->runs + runs, (l->run_count - runs) * sizeof *l->runs);
  l->run_count -= runs;
}

void log_index_clear(struct log *l) {
  l->batch_count = l->run_count = 0;
}
