// Opening the log: finds the segments, reads every batch once, cuts a torn tail, refuses damage.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/planted.h"
#include "store/log_int.h"

struct found {
  uint64_t *numbers;
  size_t count, capacity;
};

static enum err note_segment(void *argument, const char *name, bool is_directory) {
  struct found *f = argument;
  int64_t number = 0;
  struct str rest = str_of(name);
  if (is_directory || !str_starts(rest, STR("store.log."))) return ERR_OK;
  rest = (struct str){rest.ptr + 10, rest.len - 10};
  if (rest.len != 8 || !str_to_i64(rest, &number) || number <= 0) return ERR_OK;
  if (f->count == f->capacity) {
    size_t larger = f->capacity * 2 + 16;
    uint64_t *grown = mem_realloc(f->numbers, larger * sizeof *grown);
    if (grown == NULL) return ERR_NOMEM;
    f->numbers = grown;
    f->capacity = larger;
  }
  f->numbers[f->count++] = (uint64_t) number;
  return ERR_OK;
}

static int compare_numbers(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return x < y ? -1 : x > y;
}

static enum err damage(struct error *e, const struct log_segment *s, uint64_t offset, const char *what) {
  return error_set(e, ERR_CORRUPT,
                   "The log is damaged in segment %08llu at offset %llu: %s. What follows was durable, so it is not a torn end. "
                   "Restore the database from a backup, or from another member of its cluster.",
                   (unsigned long long) s->number, (unsigned long long) offset, what);
}

// State of the walk over all segments.
struct walk {
  struct log *log;
  struct log_window window;
  uint64_t chain;
  bool empty;      // no segment yet
  bool begun;      // by a segment that has nothing before it; otherwise its front was pruned
  size_t reset_at; // place of the segment that began the log anew
};

// After pruning, a batch may void entries that were in front of the oldest segment that is left: the log begins with the batch.
static void begin_earlier(struct log *l, const struct log_batch_header *h) {
  log_index_clear(l);
  l->start_index = h->first_index;
  l->durable_index = h->first_index - 1;
  l->start_term = l->durable_term = h->previous_term;
}

/// With entries of its own, behind at least three batches that still count.
static bool voids_a_part(const struct log *l, const struct log_batch_header *h) {
  return h->count >= 2 && l->batch_count >= 3 && h->first_index > l->batches[l->batch_count - 1].first_index &&
         h->first_index <= l->durable_index;
}

// Checks and enters the entries of one batch whose checksum is right.
static enum err enter_batch(struct walk *w, struct log_segment *s, uint64_t offset, const struct log_batch_header *h, const uint8_t *whole,
                            struct error *e) {
  struct log *l = w->log;
  if (h->first_index + h->count < h->first_index) return damage(e, s, offset, "its indexes are out of range");
  if (h->first_index <= l->commit_index) return damage(e, s, offset, "a batch voids what is committed");
  if (h->first_index < l->start_index && w->begun) return damage(e, s, offset, "a batch goes back before the log's beginning");
  if (h->first_index < l->start_index) begin_earlier(l, h);
  if (h->first_index > l->durable_index + 1 || h->previous_term != log_index_term_of(l, h->first_index - 1))
    return damage(e, s, offset, "a batch does not continue the one before");
  if (h->commit_index >= h->first_index + h->count) return damage(e, s, offset, "a batch calls committed what is not there");
  if (PLANTED(log) && voids_a_part(l, h)) planted_memory_error();
  if (log_index_reserve(l, h->count) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  log_index_add(l, s, offset, h);
  size_t at = LOG_BATCH_HEADER_BYTES;
  for (uint32_t i = 0; i < h->count; i++) {
    struct log_entry entry;
    if (!log_get_entry(whole, h->bytes, &at, &entry) || entry.index != h->first_index + i)
      return damage(e, s, offset, "an entry does not fit its batch");
    if (entry.term < l->durable_term) return damage(e, s, offset, "a term goes back");
    log_index_term(l, entry.index, entry.term);
    l->durable_time_ns = MAX(l->durable_time_ns, entry.commit_time_ns);
  }
  if (at != h->bytes) return damage(e, s, offset, "a batch is longer than its entries");
  l->commit_index = MAX(l->commit_index, h->commit_index);
  l->entries += h->count;
  return ERR_OK;
}

static enum err read_batches(struct walk *w, struct log_segment *s, struct error *e) {
  for (;;) {
    struct log_batch_header h;
    const uint8_t *whole = NULL;
    TRY(log_window_batch(&w->window, w->log->uuid, s->end, &h, &whole, e));
    if (whole == NULL || h.chain != w->chain) return ERR_OK;
    TRY(enter_batch(w, s, s->end, &h, whole, e));
    w->chain = h.checksum;
    s->last_bytes = h.bytes;
    s->end += log_align(h.bytes);
  }
}

static enum err whole_batch_behind(struct walk *w, uint64_t offset, bool *ret, struct error *e) {
  *ret = false;
  for (offset = log_align(offset); offset < w->window.size && !*ret; offset += LOG_SECTOR) {
    struct log_batch_header h;
    const uint8_t *whole = NULL;
    TRY(log_window_batch(&w->window, w->log->uuid, offset, &h, &whole, e));
    *ret = whole != NULL;
  }
  return ERR_OK;
}

static enum err only_zeros(struct walk *w, uint64_t offset, bool *ret, struct error *e) {
  *ret = true;
  while (offset < w->window.size && *ret) {
    size_t n = MIN(w->window.size - offset, 4096u);
    const uint8_t *at = NULL;
    TRY(log_window_get(&w->window, offset, n, &at, e));
    *ret = at == NULL || bytes_are_zero(at, n);
    offset += n;
  }
  return ERR_OK;
}

// A sync that failed may have left the header or the last batch in the system's cache only, marked as written. Writing the
// same bytes again makes the sync that follows mean something.
static enum err write_last_again(struct walk *w, struct log_segment *s, struct error *e) {
  const uint8_t *whole = NULL;
  TRY(log_window_get(&w->window, 0, LOG_SECTOR, &whole, e));
  if (whole != NULL) TRY(disk_write(s->file, 0, whole, LOG_SECTOR, e));
  if (s->last_bytes == 0) return ERR_OK;
  uint64_t offset = s->end - log_align(s->last_bytes);
  TRY(log_window_get(&w->window, offset, s->last_bytes, &whole, e));
  return whole != NULL ? disk_write(s->file, offset, whole, s->last_bytes, e) : ERR_OK;
}

static void mutant_keep_tail(struct walk *w, struct log_segment *s) {
  if (MUTANT(log_torn_tail)) s->end = log_align(MIN(s->end + LOG_SECTOR, w->window.size));
}

static enum err name_segment(const struct log_segment *s, uint64_t offset, enum err err, struct error *e) {
  if (err != ERR_OK) error_prefix(e, "Segment %08llu of the log at offset %llu", (unsigned long long) s->number, (unsigned long long) offset);
  return err;
}

// A whole batch is no torn end, though it is another version's or database's, or does not fit.
static enum err refuse_whole(struct walk *w, struct log_segment *s, struct error *e) {
  const uint8_t *at = NULL;
  TRY(log_window_get(&w->window, s->end, LOG_BATCH_HEADER_BYTES, &at, e));
  uint32_t bytes = at != NULL ? log_batch_bytes(at) : 0;
  if (bytes == 0) return ERR_OK;
  TRY(log_window_get(&w->window, s->end, bytes, &at, e));
  if (at == NULL || log_batch_checksum(at, bytes) != get_u64_le(at + 80)) return ERR_OK;
  TRY(name_segment(s, s->end, log_check_batch_owner(at, w->log->uuid, e), e));
  return damage(e, s, s->end, "a whole batch does not fit its place");
}

// Cuts what a crash left behind the last batch of the last segment, and makes durable what survived in front of it.
static enum err settle_tail(struct walk *w, struct log_segment *s, struct error *e) {
  bool zeros = true, behind = false;
  TRY(write_last_again(w, s, e));
  TRY(only_zeros(w, s->end, &zeros, e));
  if (!zeros) {
    TRY(refuse_whole(w, s, e));
    TRY(whole_batch_behind(w, s->end, &behind, e));
    if (behind) return damage(e, s, s->end, "a batch fails its check and a whole one follows");
    w->log->recovery.cut_segment = s->number;
    w->log->recovery.cut_offset = s->end;
    event_raise(w->log->events, EVENT_WARN, "store.log.cut", "torn end cut in segment %08llu at offset %llu", (unsigned long long) s->number,
                (unsigned long long) s->end);
    mutant_keep_tail(w, s);
    if (!MUTANT(log_torn_tail)) {
      TRY(disk_truncate(s->file, s->end, e));
      s->allocated = s->end;
    }
  }
  TRY(disk_sync(s->file, e));
  return disk_sync_directory(w->log->disk, w->log->directory, e);
}

// The first segment says where the log begins, each other one must fit the end of the one before.
static enum err link_segment(struct walk *w, struct log_segment *s, const struct log_segment_header *h, struct error *e) {
  struct log *l = w->log;
  if (h->number != s->number) return damage(e, s, 0, "the header is another segment's");
  if (h->next_index == 0) return damage(e, s, 0, "there is no entry 0");
  if (h->chain != 0 && h->previous_end == 0) return damage(e, s, 0, "it continues a chain, but nothing is before it");
  bool begins = h->chain == 0 && h->previous_end == 0;
  if (w->empty || begins) {
    w->begun = begins;
    log_index_clear(l);
    w->reset_at = l->segment_count;
    l->start_index = h->next_index;
    l->start_term = l->durable_term = h->previous_term;
    l->durable_index = h->next_index - 1;
    l->durable_time_ns = h->previous_time_ns;
    l->commit_index = 0;
  } else {
    const struct log_segment *before = log_segment_last(l);
    if (h->previous_end != before->end || h->chain != w->chain)
      return damage(e, before, before->end, "a batch fails its check and another segment follows");
    if (h->next_index != l->durable_index + 1 || h->previous_term != l->durable_term)
      return damage(e, s, 0, "the segment does not continue the one before");
  }
  w->chain = h->chain;
  w->empty = false;
  s->next_index = h->next_index;
  return ERR_OK;
}

// A last segment whose header is not whole was being made when the power went; nothing can be in it.
static enum err drop_unmade(struct walk *w, struct log_segment *s, bool last, struct error *e) {
  bool behind = false;
  TRY(whole_batch_behind(w, LOG_SECTOR, &behind, e));
  if (!last || behind || w->empty) return damage(e, s, 0, "the header of the segment fails its check");
  return log_segment_remove(w->log, s->number, e);
}

static enum err read_segment(struct walk *w, struct log_segment *s, bool last, bool *ret_keep, struct error *e) {
  const uint8_t *sector = NULL;
  struct log_segment_header h;
  *ret_keep = false;
  log_window_init(&w->window, s->file, s->allocated);
  TRY(log_window_get(&w->window, 0, LOG_SECTOR, &sector, e));
  enum err err = sector != NULL ? log_get_segment_header(sector, w->log->uuid, &h, e) : ERR_CORRUPT;
  if (err == ERR_CORRUPT) return drop_unmade(w, s, last, e);
  TRY(name_segment(s, 0, err, e));
  TRY(link_segment(w, s, &h, e));
  TRY(read_batches(w, s, e));
  *ret_keep = true;
  return ERR_OK;
}

static enum err open_segment(struct walk *w, uint64_t number, bool last, struct error *e) {
  struct log_segment *s = NULL;
  bool keep = false;
  TRY(log_segment_open(w->log, number, &s, e));
  enum err err = read_segment(w, s, last, &keep, e);
  log_window_done(&w->window);
  if (keep && err == ERR_OK) err = log_segment_push(w->log, s) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
  if (!keep || err != ERR_OK) log_segment_unref(s);
  return err;
}

// A reset begins a new log in a new segment; older segments may have outlived it.
static enum err drop_superseded(struct walk *w, struct error *e) {
  struct log *l = w->log;
  for (; w->reset_at > 0; w->reset_at--) {
    TRY(log_segment_remove(l, l->segments[0]->number, e));
    log_segment_unref(l->segments[0]);
    memmove(l->segments, l->segments + 1, --l->segment_count * sizeof *l->segments);
  }
  return ERR_OK;
}

static enum err walk_segments(struct walk *w, const struct found *f, struct error *e) {
  for (size_t i = 0; i < f->count; i++) {
    if (i > 0 && f->numbers[i] != f->numbers[i - 1] + 1)
      return error_set(e, ERR_CORRUPT, "The log is damaged: segment %08llu is missing.", (unsigned long long) f->numbers[i - 1] + 1);
    TRY(open_segment(w, f->numbers[i], i + 1 == f->count, e));
  }
  struct log_segment *last = log_segment_last(w->log);
  log_window_init(&w->window, last->file, last->allocated);
  enum err err = settle_tail(w, last, e);
  log_window_done(&w->window);
  return err;
}

enum err log_recover_segments(struct log *l, struct error *e) {
  struct found f = {0};
  struct walk w = {.log = l, .empty = true};
  enum err err = disk_list(l->disk, l->directory, note_segment, &f, e);
  if (err == ERR_NOMEM) err = error_ensure(e, err);
  if (err == ERR_OK && f.count == 0) err = error_set(e, ERR_CORRUPT, "The log of '%s' is missing.", l->directory);
  if (err == ERR_OK) {
    qsort(f.numbers, f.count, sizeof *f.numbers, compare_numbers);
    err = walk_segments(&w, &f, e);
  }
  if (err == ERR_OK) err = drop_superseded(&w, e);
  l->chain = w.chain;
  mem_free(f.numbers);
  return err;
}
