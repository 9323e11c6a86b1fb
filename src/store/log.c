// The log as a whole: opening, closing, what it knows, its check.
#include "store/log.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "store/log_int.h"

static void set_defaults(struct log_options *o) {
  if (o->segment_bytes == 0) o->segment_bytes = UINT64_C(64) << 20;
  if (o->batch_bytes_max == 0) o->batch_bytes_max = UINT64_C(8) << 20;
  o->batch_bytes_max = MIN(o->batch_bytes_max, LOG_BATCH_BYTES_LIMIT); // what is longer would not be read as a batch again
  if (o->queue_bytes_max == 0) o->queue_bytes_max = UINT64_C(64) << 20;
}

static enum err start_new(struct log *l, struct error *e) {
  l->start_index = 1;
  TRY(log_group_open(l, true, e));
  struct log_segment *s = NULL;
  TRY(log_segment_create(l, 1, 0, 0, &s, e));
  if (log_segment_push(l, s) == ERR_OK) return ERR_OK;
  log_segment_unref(s);
  return error_ensure(e, ERR_NOMEM);
}

// In a cluster only what some batch header called committed is; alone, all that is durable.
static void settle_marks(struct log *l) {
  l->last_index = l->durable_index;
  l->last_term = l->durable_term;
  l->last_time_ns = l->durable_time_ns;
  l->commit_index = l->options.clustered && !MUTANT(product_uncommitted) ? MAX(l->commit_index, l->start_index - 1) : l->durable_index;
  l->recovery.first_index = l->start_index;
  l->recovery.last_index = l->durable_index;
  l->recovery.last_term = l->durable_term;
  l->recovery.last_time_ns = l->durable_time_ns;
  l->recovery.commit_index = l->commit_index;
}

static uint64_t retained_bytes(const struct log *l) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < l->segment_count; i++) bytes += l->segments[i]->end;
  return bytes;
}

static enum err open_files(struct log *l, bool create, struct error *e) {
  if (create) {
    TRY(start_new(l, e));
  } else {
    TRY(log_group_open(l, false, e));
    TRY(log_recover_segments(l, e));
  }
  settle_marks(l);
  l->appended_bytes = retained_bytes(l);
  return ERR_OK;
}

enum err log_open(struct disk *d, const char *directory, const uint8_t uuid[16], bool create, const struct log_options *options,
                  struct clock *clock, struct event_sink *events, struct log **ret, struct error *e) {
  struct log *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_ensure(e, ERR_NOMEM);
  l->disk = d;
  l->clock = clock;
  l->events = events;
  l->options = *options;
  set_defaults(&l->options);
  memcpy(l->uuid, uuid, 16);
  mutex_init(&l->mutex);
  mutex_init(&l->group_mutex);
  mutex_init(&l->prune_mutex);
  int n = snprintf(l->directory, sizeof l->directory, "%s", directory);
  enum err err = (size_t) n < sizeof l->directory ? open_files(l, create, e) : error_set(e, ERR_INVALID, "The path of the store is too long.");
  if (err != ERR_OK) {
    log_close(l);
    return err;
  }
  *ret = l;
  return ERR_OK;
}

void log_close(struct log *l) {
  if (l == NULL) return;
  for (size_t i = 0; i < l->segment_count; i++) log_segment_unref(l->segments[i]);
  disk_close(l->group_file);
  mem_free(l->segments);
  mem_free(l->batches);
  mem_free(l->runs);
  mem_free(l->queue);
  buf_done(&l->out);
  mutex_done(&l->mutex);
  mutex_done(&l->group_mutex);
  mutex_done(&l->prune_mutex);
  mem_free(l);
}

void log_recovery(const struct log *l, struct log_recovery *ret) {
  *ret = l->recovery;
}

#define LOCKED_GETTER(name, field)  \
  uint64_t name(struct log *l) {    \
    mutex_lock(&l->mutex);          \
    uint64_t value = l->field;      \
    mutex_unlock(&l->mutex);        \
    return value;                   \
  }

LOCKED_GETTER(log_durable_index, durable_index)
LOCKED_GETTER(log_last_index, last_index)
LOCKED_GETTER(log_last_term, last_term)
LOCKED_GETTER(log_first_index, start_index)
LOCKED_GETTER(log_commit_index, commit_index)
LOCKED_GETTER(log_generation, group.generation)
LOCKED_GETTER(log_last_ticket, ticket)
LOCKED_GETTER(log_durable_ticket, durable_ticket)

void log_commit_mark(struct log *l, uint64_t index) {
  mutex_lock(&l->mutex);
  if (l->options.clustered) l->commit_index = MAX(l->commit_index, MIN(index, l->last_index));
  mutex_unlock(&l->mutex);
}

void log_time_mark(struct log *l, int64_t time_ns) {
  mutex_lock(&l->mutex);
  l->last_time_ns = MAX(l->last_time_ns, time_ns);
  l->durable_time_ns = MAX(l->durable_time_ns, time_ns);
  mutex_unlock(&l->mutex);
}

void log_stats(struct log *l, struct log_stats *ret) {
  mutex_lock(&l->mutex);
  *ret = (struct log_stats){.segments = l->segment_count,
                            .queued_entries = l->queue_count,
                            .queued_bytes = l->queue_bytes,
                            .rounds = l->rounds,
                            .entries = l->entries,
                            .appended_bytes = l->appended_bytes,
                            .index_bytes = l->batch_count * sizeof *l->batches + l->run_count * sizeof *l->runs};
  ret->bytes = retained_bytes(l);
  mutex_unlock(&l->mutex);
}

// ---- check ----

static enum err wrong(struct error *e, const char *what, uint64_t index) {
  return error_set(e, ERR_CORRUPT, "The log's index in memory is wrong at entry %llu: %s.", (unsigned long long) index, what);
}

static enum err check_index(struct log *l, struct error *e) {
  uint64_t next = l->start_index;
  for (size_t i = 0; i < l->batch_count; i++) {
    const struct log_batch_ref *b = &l->batches[i];
    if (b->first_index != next) return wrong(e, "batches have a gap", next);
    if (b->count == 0) return wrong(e, "a batch is empty", next);
    if (b->offset + b->bytes > b->segment->end) return wrong(e, "a batch is behind the end of its segment", next);
    next += b->count;
  }
  if (next != l->durable_index + 1) return wrong(e, "it ends elsewhere than the durable index", next);
  for (size_t i = 1; i < l->run_count; i++)
    if (l->runs[i].first_index <= l->runs[i - 1].first_index || l->runs[i].term <= l->runs[i - 1].term)
      return wrong(e, "terms are out of order", l->runs[i].first_index);
  return ERR_OK;
}

enum err log_check(struct log *l, struct error *e) {
  mutex_lock(&l->mutex);
  enum err err = check_index(l, e);
  uint64_t first = l->start_index, last = l->durable_index;
  mutex_unlock(&l->mutex);
  if (err != ERR_OK) return err;
  struct log_cursor *c = NULL;
  TRY(log_cursor_open(l, first, &c, e));
  const struct log_entry *entry = NULL;
  int64_t time_ns = INT64_MIN;
  while (first <= last && (err = log_cursor_next(c, &entry, e)) == ERR_OK && entry != NULL) {
    if (entry->commit_time_ns < time_ns) err = wrong(e, "commit time goes back", entry->index);
    uint64_t term = 0;
    if (err == ERR_OK) err = log_term_at(l, entry->index, &term, e);
    if (err == ERR_OK && term != entry->term) err = wrong(e, "the term differs", entry->index);
    if (err != ERR_OK) break;
    time_ns = entry->commit_time_ns;
    first++;
  }
  log_cursor_close(c);
  if (err == ERR_OK && first <= last) err = wrong(e, "the cursor ends early", first);
  return err;
}
