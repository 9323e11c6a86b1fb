// Queueing entries and making them durable, one batch a round.
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/log_int.h"

enum { ROOM_BYTES = 64 << 10 }; // of a round of small commits

enum err log_poison(struct log *l, enum err err, const struct error *cause, struct error *e) {
  mutex_lock(&l->mutex);
  if (l->failed == ERR_OK) {
    l->failed = err;
    error_set(&l->failure, err, "The log stopped, because it no longer knows what is on the disk: %s Restart the database.", cause->message);
    event_raise(l->events, EVENT_ERROR, "store.log.failed", "%s", l->failure.message);
  }
  mutex_unlock(&l->mutex);
  return log_failure(l, e);
}

enum err log_failure(struct log *l, struct error *e) {
  mutex_lock(&l->mutex);
  enum err err = l->failed;
  if (err != ERR_OK) error_set(e, err, "%s", l->failure.message);
  mutex_unlock(&l->mutex);
  return err;
}

// ---- queueing; the mutex is held ----

static enum err failed_locked(const struct log *l, struct error *e) {
  return l->failed == ERR_OK ? ERR_OK : error_set(e, l->failed, "%s", l->failure.message);
}

static enum err check_entry(const struct log_entry *entry, struct error *e) {
  uint64_t bytes = (uint64_t) entry->metadata.len + entry->sections.len + entry->payload.len;
  if (bytes > LOG_ENTRY_BYTES_MAX)
    return error_set(e, ERR_LIMIT, "A log entry of %llu bytes is over the limit of %u.", (unsigned long long) bytes, LOG_ENTRY_BYTES_MAX);
  if (entry->kind <= 0 || entry->kind >= LOG_KIND_MAX || (entry->parts != LOG_PART && entry->parts != LOG_END))
    return error_set(e, ERR_INVALID, "A log entry has kind %d and parts %u.", (int) entry->kind, entry->parts);
  return ERR_OK;
}

// The term of the last entry at or below `index`, in the queue or on disk.
static uint64_t term_before(const struct log *l, uint64_t index) {
  for (size_t i = l->queue_count; i > 0; i--)
    if (!l->queue[i - 1].truncate && l->queue[i - 1].entry.index <= index) return l->queue[i - 1].entry.term;
  return log_index_term_of(l, index);
}

// Consensus gives index and term: an index may go back to above what is committed, a term may not.
static enum err check_place(const struct log *l, const struct log_entry *first, size_t count, struct error *e) {
  uint64_t floor = MAX(l->commit_index, l->start_index - 1);
  if (first->index <= floor || first->index > l->last_index + 1)
    return error_set(e, ERR_INVALID, "Entry %llu does not fit a log that ends at %llu and is committed to %llu.",
                     (unsigned long long) first->index, (unsigned long long) l->last_index, (unsigned long long) floor);
  if (first->term < term_before(l, first->index - 1))
    return error_set(e, ERR_INVALID, "Entry %llu has term %llu, lower than that of the entry before it.", (unsigned long long) first->index,
                     (unsigned long long) first->term);
  for (size_t i = 1; i < count; i++)
    if (first[i].index != first[i - 1].index + 1 || first[i].term < first[i - 1].term)
      return error_set(e, ERR_INVALID, "The entries behind %llu do not follow each other.", (unsigned long long) first->index);
  return ERR_OK;
}

static enum err queue_reserve(struct log *l, size_t count, struct error *e) {
  if (l->queue_count + count <= l->queue_capacity) return ERR_OK;
  size_t larger = MAX(l->queue_count + count, l->queue_capacity * 2 + 16);
  struct log_queued *grown = mem_realloc(l->queue, larger * sizeof *grown);
  if (grown == NULL) return error_ensure(e, ERR_NOMEM);
  l->queue = grown;
  l->queue_capacity = larger;
  return ERR_OK;
}

static void number_entry(struct log *l, struct log_entry *entry) {
  entry->index = l->last_index + 1;
  entry->term = l->group.term;
  entry->commit_time_ns = MAX(clock_wall_ns(l->clock), l->last_time_ns);
}

static void enqueue(struct log *l, struct log_entry *entry) {
  if (!l->options.clustered) number_entry(l, entry);
  size_t bytes = log_entry_bytes(entry);
  l->queue[l->queue_count++] = (struct log_queued){.entry = *entry, .bytes = bytes};
  l->queue_bytes += bytes;
  l->last_index = entry->index;
  l->last_term = entry->term;
  l->last_time_ns = MAX(entry->commit_time_ns, l->last_time_ns);
  l->ticket++;
}

static enum err append_locked(struct log *l, struct log_entry *entries, size_t count, struct error *e) {
  TRY(failed_locked(l, e));
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    TRY(check_entry(&entries[i], e));
    bytes += log_entry_bytes(&entries[i]);
  }
  if (l->options.clustered && count > 0) TRY(check_place(l, entries, count, e));
  if (l->queue_bytes > 0 && l->queue_bytes + bytes > l->options.queue_bytes_max)
    return error_set(e, ERR_LIMIT, "The queue of the log is full: %zu bytes wait for the disk.", l->queue_bytes);
  TRY(queue_reserve(l, count, e));
  for (size_t i = 0; i < count; i++) enqueue(l, &entries[i]);
  return ERR_OK;
}

enum err log_append(struct log *l, struct log_entry *entries, size_t count, struct error *e) {
  mutex_lock(&l->mutex);
  enum err err = append_locked(l, entries, count, e);
  mutex_unlock(&l->mutex);
  return err;
}

static enum err truncate_locked(struct log *l, uint64_t last_index, struct error *e) {
  TRY(failed_locked(l, e));
  if (last_index < MAX(l->commit_index, l->start_index - 1))
    return error_set(e, ERR_INVALID, "Entries up to %llu are committed and cannot be cut at %llu.", (unsigned long long) l->commit_index,
                     (unsigned long long) last_index);
  if (last_index >= l->last_index) return ERR_OK;
  TRY(queue_reserve(l, 1, e));
  l->last_term = term_before(l, last_index);
  l->queue[l->queue_count++] = (struct log_queued){.truncate = true, .entry.index = last_index};
  l->last_index = last_index;
  l->ticket++;
  return ERR_OK;
}

enum err log_truncate(struct log *l, uint64_t last_index, struct error *e) {
  assert(l->options.clustered);
  mutex_lock(&l->mutex);
  enum err err = truncate_locked(l, last_index, e);
  mutex_unlock(&l->mutex);
  return err;
}

// ---- the writer ----

// How many items of the queue the next batch takes: entries that follow each other, or one truncation.
static void choose(const struct log *l, struct log_round *r) {
  const struct log_queued *q = l->queue;
  size_t bytes = LOG_BATCH_HEADER_BYTES;
  r->first_index = q[0].entry.index + (q[0].truncate ? 1 : 0);
  r->last_index = r->first_index - 1;
  r->items = r->count = r->terms = 0;
  if (q[0].truncate) {
    r->items = 1;
    return;
  }
  for (; r->items < l->queue_count; r->items++) {
    const struct log_queued *item = &q[r->items];
    if (item->truncate || item->entry.index != r->last_index + 1) break;
    if (r->items > 0 && bytes + item->bytes > l->options.batch_bytes_max) break;
    if (r->items == 0 || item->entry.term != q[r->items - 1].entry.term) r->terms++;
    bytes += item->bytes;
    r->last_index = item->entry.index;
    r->count++;
  }
}

// The entries are copied to the batch under the mutex: it is short against the sync that follows.
static enum err encode_locked(struct log *l, struct error *e) {
  struct log_round *r = &l->round;
  choose(l, r);
  buf_clear(&l->out);
  static const uint8_t zeros[LOG_BATCH_HEADER_BYTES];
  enum err err = buf_append(&l->out, zeros, sizeof zeros);
  for (uint32_t i = 0; i < r->count && err == ERR_OK; i++) err = log_put_entry(&l->out, &l->queue[i].entry);
  if (err == ERR_OK) r->bytes = (uint32_t) l->out.len;
  size_t padding = log_align(l->out.len) - l->out.len;
  if (err == ERR_OK) err = buf_reserve(&l->out, padding);
  if (err == ERR_OK) err = log_index_reserve(l, r->terms);
  if (err != ERR_OK) return error_ensure(e, err);
  memset(l->out.data + l->out.len, 0, padding);
  l->out.len += padding;
  return ERR_OK;
}

// What is committed of that which the log holds with this round: a mark that names an entry which is not written yet would be taken, after
// a crash, for one about the entry that it is to replace.
static uint64_t mark_of_round(const struct log *l) {
  if (!l->options.clustered) return l->durable_index;
  uint64_t mark = MIN(l->commit_index, l->round.last_index);
  for (size_t i = l->round.items; i < l->queue_count; i++) {
    const struct log_queued *later = &l->queue[i];
    mark = MIN(mark, later->truncate ? later->entry.index : later->entry.index - 1);
  }
  return mark;
}

static void put_header(struct log *l, struct log_segment *s) {
  struct log_round *r = &l->round;
  struct log_batch_header h = {
      .feature_level = l->options.feature_level != NULL ? atomic_load(l->options.feature_level) : 0,
      .count = r->count,
      .bytes = r->bytes,
      .sector = (uint32_t) (s->end / LOG_SECTOR),
      .generation = l->group.generation,
      .first_index = r->first_index,
      .commit_index = mark_of_round(l),
      .chain = l->chain,
      .previous_term = log_index_term_of(l, r->first_index - 1),
  };
  log_put_batch_header((uint8_t *) l->out.data, l->uuid, &h);
  r->checksum = h.checksum;
  r->offset = s->end;
}

// The list may get shorter at its front meanwhile; the last one stays, and only the writer puts another behind it.
static struct log_segment *writers_segment(struct log *l) {
  mutex_lock(&l->mutex);
  struct log_segment *s = log_segment_last(l);
  mutex_unlock(&l->mutex);
  return s;
}

// A full segment is closed by opening the next one: all of it is durable by then.
static enum err segment_for(struct log *l, size_t bytes, struct log_segment **ret, struct error *e) {
  struct log_segment *s = writers_segment(l);
  if (s->end > LOG_SECTOR && s->end + bytes > l->options.segment_bytes) {
    struct log_segment *next = NULL;
    TRY(log_segment_create(l, s->number + 1, s->end, l->chain, &next, e));
    mutex_lock(&l->mutex);
    l->segments[l->segment_count++] = next; // log_index_reserve made room
    mutex_unlock(&l->mutex);
    s = next;
  }
  TRY(log_segment_reserve(l, s, s->end + bytes, e));
  *ret = s;
  return ERR_OK;
}

/// Once when room ends, once when there is some again.
static void tell_room(struct log *l, enum err err, const struct error *cause) {
  bool lacks_room = err == ERR_NOSPC;
  if (lacks_room == l->lacks_room) return;
  l->lacks_room = lacks_room;
  if (lacks_room)
    event_raise(l->events, EVENT_ERROR, "store.log.room", "no room for the log in %s: what is to be written waits: %s",
                l->directory, cause->message);
  else
    event_raise(l->events, EVENT_INFO, "store.log.room", "there is room for the log in %s again", l->directory);
}

static enum err find_room(struct log *l, size_t bytes, struct log_segment **ret, struct error *e) {
  struct error cause = ERROR_INIT;
  enum err err = segment_for(l, bytes, ret, &cause);
  tell_room(l, err, &cause);
  if (err == ERR_NOSPC || err == ERR_NOMEM)
    return error_set(e, err, "%s", cause.message); // nothing was written: may be tried again
  return err == ERR_OK ? ERR_OK : log_poison(l, err, &cause, e);
}

enum { AHEAD_BYTES = 256 << 10, AHEAD_BATCH_BYTES_MAX = 64 << 10 };

/// Blocks that are reserved but were never written cost the file system an entry in its own journal at the sync that finds them
/// written. Small batches find theirs written with zeros, a stretch at a time, by the sync of one of them. Where there is no room
/// for that, it is merely slower.
static enum err write_ahead(struct log_segment *s, uint64_t end, size_t batch_bytes, struct error *e) {
  static const uint8_t zeros[16 << 10];
  if (end <= s->written) return ERR_OK;
  s->written = end;
  if (batch_bytes > AHEAD_BATCH_BYTES_MAX) return ERR_OK;
  for (uint64_t to = MIN(end + AHEAD_BYTES, s->allocated); s->written < to;) {
    size_t bytes = (size_t) MIN(to - s->written, (uint64_t) sizeof zeros);
    enum err err = disk_write(s->file, s->written, zeros, bytes, e);
    if (err != ERR_OK) return err == ERR_NOSPC ? ERR_OK : err;
    s->written += bytes;
  }
  return ERR_OK;
}

static enum err write_round(struct log *l, struct log_segment **ret, struct error *e) {
  struct error cause = ERROR_INIT;
  TRY(find_room(l, l->out.len, ret, e));
  mutex_lock(&l->mutex);
  put_header(l, *ret);
  mutex_unlock(&l->mutex);
  enum err err = disk_write((*ret)->file, l->round.offset, l->out.data, l->out.len, &cause);
  if (err == ERR_OK) err = write_ahead(*ret, l->round.offset + l->out.len, l->out.len, &cause);
  return err == ERR_OK ? ERR_OK : log_poison(l, err, &cause, e);
}

enum err log_writer_make_room(struct log *l, struct error *e) {
  struct log_segment *s;
  assert(!l->round.open);
  TRY(log_failure(l, e));
  mutex_lock(&l->mutex);
  enum err err = log_index_reserve(l, 0); // a new segment may be needed
  mutex_unlock(&l->mutex);
  if (err != ERR_OK) return error_ensure(e, err);
  return find_room(l, ROOM_BYTES, &s, e);
}

void log_writer_withdraw(struct log *l, uint64_t last_index) {
  assert(!l->options.clustered && !l->round.open);
  mutex_lock(&l->mutex);
  for (; l->queue_count > 0 && l->queue[l->queue_count - 1].entry.index > last_index; l->queue_count--, l->ticket--)
    l->queue_bytes -= l->queue[l->queue_count - 1].bytes;
  const struct log_entry *last = l->queue_count > 0 ? &l->queue[l->queue_count - 1].entry : NULL;
  l->last_index = last != NULL ? last->index : l->durable_index;
  l->last_term = last != NULL ? last->term : l->durable_term;
  mutex_unlock(&l->mutex);
}

enum err log_writer_write(struct log *l, struct disk_file **ret_file, struct error *e) {
  assert(!l->round.open);
  mutex_lock(&l->mutex);
  enum err err = failed_locked(l, e);
  bool any = l->queue_count > 0;
  if (err == ERR_OK && any) err = encode_locked(l, e);
  mutex_unlock(&l->mutex);
  if (err != ERR_OK) return err;
  struct log_segment *s = NULL;
  if (any) TRY(write_round(l, &s, e));
  l->round.open = any;
  *ret_file = any ? s->file : NULL;
  return ERR_OK;
}

static void enter_round(struct log *l) {
  struct log_round *r = &l->round;
  struct log_segment *s = log_segment_last(l);
  struct log_batch_header h = {.count = r->count, .bytes = r->bytes, .first_index = r->first_index};
  log_index_add(l, s, r->offset, &h);
  for (uint32_t i = 0; i < r->count; i++) log_index_term(l, l->queue[i].entry.index, l->queue[i].entry.term);
  if (r->count > 0) l->durable_time_ns = l->queue[r->count - 1].entry.commit_time_ns;
  s->end += log_align(r->bytes);
  l->appended_bytes += log_align(r->bytes);
  l->chain = r->checksum;
  if (!l->options.clustered) l->commit_index = l->durable_index;
  for (size_t i = 0; i < r->items; i++) l->queue_bytes -= l->queue[i].bytes;
  l->queue_count -= r->items;
  l->durable_ticket += r->items;
  memmove(l->queue, l->queue + r->items, l->queue_count * sizeof *l->queue);
  l->rounds++;
  l->entries += r->count;
}

#define FORGET_BYTES (UINT64_C(1) << 20)

// What is durable is read again only by recovery and by whoever lags behind: it should not push pages out of memory.
static void forget_written(struct log_segment *s) {
  if (s->end - s->forgotten < FORGET_BYTES) return;
  disk_forget(s->file, s->forgotten, s->end - s->forgotten);
  s->forgotten = s->end / FORGET_BYTES * FORGET_BYTES;
}

enum err log_writer_finish(struct log *l, enum err synced, struct error *e) {
  if (!l->round.open) return ERR_OK;
  l->round.open = false;
  if (synced != ERR_OK && !MUTANT(log_sync_retry)) {
    struct error cause = ERROR_INIT;
    error_set(&cause, synced, "%s", e != NULL && e->message[0] != '\0' ? e->message : "A sync failed.");
    return log_poison(l, synced, &cause, e);
  }
  mutex_lock(&l->mutex);
  enter_round(l);
  mutex_unlock(&l->mutex);
  forget_written(writers_segment(l));
  return ERR_OK;
}

enum err log_writer_step(struct log *l, bool *ret_worked, struct error *e) {
  struct disk_file *file = NULL;
  TRY(log_writer_write(l, &file, e));
  if (file != NULL) {
    enum err synced = MUTANT(log_sync) ? ERR_OK : disk_sync(file, e);
    TRY(log_writer_finish(l, synced, e));
  }
  *ret_worked = file != NULL;
  return ERR_OK;
}
