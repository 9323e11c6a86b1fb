// Reads a segment front to back through a buffer of about a megabyte.
#include "base/bytes.h"
#include "store/log_int.h"

#define WINDOW_BYTES (1u << 20)

void log_window_init(struct log_window *w, struct disk_file *file, uint64_t size) {
  *w = (struct log_window){.file = file, .size = size};
}

void log_window_done(struct log_window *w) {
  buf_done(&w->data);
}

enum err log_window_get(struct log_window *w, uint64_t offset, size_t bytes, const uint8_t **ret, struct error *e) {
  if (offset > w->size || bytes > w->size - offset) {
    *ret = NULL;
    return ERR_OK;
  }
  if (offset < w->start || offset + bytes > w->start + w->len) {
    disk_forget(w->file, w->start, w->len); // read once, front to back
    size_t want = MIN(MAX(bytes, (size_t) WINDOW_BYTES), w->size - offset);
    w->len = 0;
    buf_clear(&w->data);
    if (buf_reserve(&w->data, want) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    size_t got = 0;
    TRY(disk_read_some(w->file, offset, w->data.data, want, &got, e));
    w->start = offset;
    w->len = got;
  }
  if (offset + bytes > w->start + w->len) { // the file is shorter than it was said to be
    *ret = NULL;
    return ERR_OK;
  }
  *ret = (const uint8_t *) w->data.data + (offset - w->start);
  return ERR_OK;
}

enum err log_window_batch(struct log_window *w, const uint8_t uuid[16], uint64_t offset, struct log_batch_header *h, const uint8_t **ret,
                          struct error *e) {
  const uint8_t *at = NULL;
  *ret = NULL;
  TRY(log_window_get(w, offset, LOG_BATCH_HEADER_BYTES, &at, e));
  if (at == NULL || !log_get_batch_header(at, uuid, offset, h)) return ERR_OK;
  TRY(log_window_get(w, offset, h->bytes, &at, e));
  if (at != NULL && (MUTANT(log_checksum) || log_batch_checksum(at, h->bytes) == h->checksum)) *ret = at;
  return ERR_OK;
}
