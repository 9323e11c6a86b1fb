// Cursors over the durable log. They read whole batches from disk, each checked again.
#include <string.h>

#include "base/mem.h"
#include "store/log_int.h"

struct log_cursor {
  struct log *log;
  uint64_t next_index, voids;
  uint64_t behind;             // offset in the segment behind the last batch that was read
  struct log_segment *segment; // a reference; NULL before the first batch
  struct log_window window;
  const uint8_t *batch;        // in the window; NULL: find the next one
  size_t at, bytes;
  uint32_t left;               // entries of this batch that still count
  struct log_entry entry;
};

static enum err pruned(uint64_t index, uint64_t first, struct error *e) {
  return error_set(e, ERR_NOTFOUND, "Log entry %llu was pruned; the log begins at %llu.", (unsigned long long) index, (unsigned long long) first);
}

enum err log_cursor_open(struct log *l, uint64_t index, struct log_cursor **ret, struct error *e) {
  uint64_t first = log_first_index(l);
  if (index < first) return pruned(index, first, e);
  struct log_cursor *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  c->log = l;
  c->next_index = index;
  *ret = c;
  return ERR_OK;
}

void log_cursor_close(struct log_cursor *c) {
  if (c == NULL) return;
  log_window_done(&c->window);
  if (c->segment != NULL) log_segment_unref(c->segment);
  mem_free(c);
}

// Where the next entry is, with a reference to its segment, and how many of the batch's entries from it on count.
static enum err locate(struct log_cursor *c, struct log_batch_ref *ret, uint64_t *ret_end, struct error *e) {
  struct log *l = c->log;
  mutex_lock(&l->mutex);
  enum err err = ERR_OK;
  ret->segment = NULL;
  c->voids = atomic_load(&l->voids);
  if (c->next_index < l->start_index) {
    err = pruned(c->next_index, l->start_index, e);
  } else if (c->next_index <= l->durable_index) {
    *ret = l->batches[log_index_find(l, c->next_index)];
    *ret_end = ret->segment->end;
    atomic_fetch_add(&ret->segment->refs, 1);
  } else if (c->next_index > l->durable_index + 1) {
    err = error_set(e, ERR_NOTFOUND, "Log entry %llu was cut.", (unsigned long long) c->next_index - 1);
  }
  mutex_unlock(&l->mutex);
  return err;
}

static void use_segment(struct log_cursor *c, struct log_segment *s, uint64_t end) {
  if (c->segment == s) {
    c->window.size = end;
    log_segment_unref(s);
    return;
  }
  if (c->segment != NULL) log_segment_unref(c->segment);
  log_window_done(&c->window);
  c->segment = s;
  log_window_init(&c->window, s->file, end);
}

static enum err bad_batch(const struct log_batch_ref *b, struct error *e) {
  return error_set(e, ERR_CORRUPT, "The log is damaged in segment %08llu at offset %llu.", (unsigned long long) b->segment->number,
                   (unsigned long long) b->offset);
}

// The batch of the span that holds the next entry. Who reads on begins where the last batch ended.
static enum err find_batch(struct log_cursor *c, const struct log_batch_ref *span, bool same_segment, struct log_batch_header *h,
                           struct error *e) {
  uint64_t offset = span->offset, end = span->offset + span->bytes;
  if (same_segment && c->behind > offset && c->behind < end) offset = c->behind;
  for (bool again = offset > span->offset;; again = false) {
    for (; offset < end; offset += log_align(h->bytes)) {
      TRY(log_window_batch(&c->window, c->log->uuid, offset, h, &c->batch, e));
      if (c->batch == NULL) return bad_batch(span, e);
      if (h->first_index > c->next_index) break;
      if (c->next_index - h->first_index >= h->count) continue;
      c->behind = offset + log_align(h->bytes);
      return ERR_OK;
    }
    if (!again) return bad_batch(span, e);
    offset = span->offset;
  }
}

static enum err skip_entries(struct log_cursor *c, const struct log_batch_ref *b, const struct log_batch_header *h,
                             struct error *e) {
  c->at = LOG_BATCH_HEADER_BYTES;
  c->left = (uint32_t) (MIN(b->first_index + b->count, h->first_index + h->count) - h->first_index);
  for (uint64_t index = h->first_index; index < c->next_index; index++, c->left--)
    if (!log_get_entry(c->batch, c->bytes, &c->at, &c->entry)) return bad_batch(b, e);
  return ERR_OK;
}

static enum err load_batch(struct log_cursor *c, bool *ret_any, struct error *e) {
  struct log_batch_ref b;
  uint64_t end = 0;
  *ret_any = false;
  c->left = 0;
  TRY(locate(c, &b, &end, e));
  if (b.segment == NULL) return ERR_OK;
  bool same_segment = c->segment == b.segment;
  use_segment(c, b.segment, end);
  struct log_batch_header h = {0};
  TRY(find_batch(c, &b, same_segment, &h, e));
  c->bytes = h.bytes;
  TRY(skip_entries(c, &b, &h, e));
  *ret_any = true;
  return ERR_OK;
}

enum err log_cursor_next(struct log_cursor *c, const struct log_entry **ret, struct error *e) {
  bool any = true;
  if (c->left == 0 || c->voids != atomic_load(&c->log->voids)) {
    c->batch = NULL;
    enum err err = load_batch(c, &any, e);
    if (err != ERR_OK) {
      c->left = 0;
      return err;
    }
  }
  if (!any) {
    *ret = NULL;
    return ERR_OK;
  }
  if (!log_get_entry(c->batch, c->bytes, &c->at, &c->entry) || c->entry.index != c->next_index)
    return error_set(e, ERR_CORRUPT, "Log entry %llu does not fit its batch.", (unsigned long long) c->next_index);
  c->left--;
  c->next_index++;
  *ret = &c->entry;
  return ERR_OK;
}

enum err log_term_at(struct log *l, uint64_t index, uint64_t *ret, struct error *e) {
  mutex_lock(&l->mutex);
  bool known = index + 1 >= l->start_index && index <= l->durable_index;
  if (known) *ret = log_index_term_of(l, index);
  uint64_t first = l->start_index, last = l->durable_index;
  mutex_unlock(&l->mutex);
  if (known) return ERR_OK;
  return error_set(e, ERR_NOTFOUND, "Log entry %llu is not in the log, which holds %llu to %llu.", (unsigned long long) index,
                   (unsigned long long) first, (unsigned long long) last);
}
