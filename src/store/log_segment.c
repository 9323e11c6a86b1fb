// One file of the log: made, opened, grown, removed.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/log_int.h"

#define RESERVE_BYTES_MIN (UINT64_C(1) << 20)

void log_segment_path(const struct log *l, uint64_t number, char to[DISK_PATH_MAX]) {
  snprintf(to, DISK_PATH_MAX, "%s/store.log.%08llu", l->directory, (unsigned long long) number);
}

static struct log_segment *new_segment(uint64_t number, struct disk_file *file) {
  struct log_segment *s = mem_zalloc(sizeof *s);
  if (s != NULL) *s = (struct log_segment){.number = number, .file = file, .end = LOG_SECTOR, .refs = 1};
  return s;
}

void log_segment_unref(struct log_segment *s) {
  if (atomic_fetch_sub(&s->refs, 1) > 1) return;
  disk_close(s->file);
  mem_free(s);
}

// In steps that double, so that a small database stays small and the size of a big one's file changes rarely; where there is no
// room for that, what is needed now.
enum err log_segment_reserve(struct log *l, struct log_segment *s, uint64_t end, struct error *e) {
  if (end <= s->allocated) return ERR_OK;
  uint64_t step = MIN(MAX(s->allocated, RESERVE_BYTES_MIN), l->options.segment_bytes);
  uint64_t to = MAX(end, MIN(s->allocated + step, MAX(l->options.segment_bytes, end)));
  enum err err = disk_allocate(s->file, s->allocated, to - s->allocated, e);
  if (err == ERR_NOSPC && end < to) {
    to = end;
    err = disk_allocate(s->file, s->allocated, to - s->allocated, e);
  }
  TRY(err);
  s->allocated = to;
  return ERR_OK;
}

static enum err write_header(struct log *l, struct log_segment *s, uint64_t previous_end, uint64_t chain, struct error *e) {
  uint8_t sector[LOG_SECTOR];
  struct log_segment_header h = {s->number, l->durable_index + 1, l->durable_term, chain, previous_end, l->durable_time_ns};
  s->next_index = h.next_index;
  log_put_segment_header(sector, l->uuid, &h);
  TRY(log_segment_reserve(l, s, LOG_SECTOR, e));
  TRY(disk_write(s->file, 0, sector, sizeof sector, e));
  TRY(disk_sync(s->file, e));
  return disk_sync_directory(l->disk, l->directory, e);
}

// Of a segment that could not be made, no header may come back: it would say where the one before it ends, or that the log begins
// anew, and the log may yet go on in the one before it.
static enum err take_back(struct log *l, uint64_t number, enum err err, struct error *e) {
  struct error cause = e != NULL ? *e : ERROR_INIT, why = ERROR_INIT;
  if (log_segment_remove(l, number, &why) == ERR_OK) return err;
  return error_set(e, ERR_IO, "Segment %08llu of the log is half made: %s It stays, which it must not: %s",
                   (unsigned long long) number, cause.message, why.message);
}

// The file is durable, name and all, before the first batch goes into it. One of that name was left by an attempt that failed.
enum err log_segment_create(struct log *l, uint64_t number, uint64_t previous_end, uint64_t chain, struct log_segment **ret,
                            struct error *e) {
  char path[DISK_PATH_MAX];
  log_segment_path(l, number, path);
  struct disk_file *file = NULL;
  TRY(disk_open(l->disk, path, DISK_WRITE | DISK_CREATE, &file, e));
  struct log_segment *s = new_segment(number, file);
  enum err err = s != NULL ? disk_truncate(file, 0, e) : error_ensure(e, ERR_NOMEM);
  if (err == ERR_OK) err = write_header(l, s, previous_end, chain, e);
  if (err == ERR_OK) {
    *ret = s;
    return ERR_OK;
  }
  disk_close(file);
  mem_free(s);
  return take_back(l, number, err, e);
}

enum err log_segment_open(struct log *l, uint64_t number, struct log_segment **ret, struct error *e) {
  char path[DISK_PATH_MAX];
  log_segment_path(l, number, path);
  struct disk_file *file = NULL;
  TRY(disk_open(l->disk, path, DISK_WRITE, &file, e));
  struct log_segment *s = new_segment(number, file);
  enum err err = s != NULL ? disk_size(file, &s->allocated, e) : error_ensure(e, ERR_NOMEM);
  if (err != ERR_OK) {
    disk_close(file);
    mem_free(s);
    return err;
  }
  *ret = s;
  return ERR_OK;
}

enum err log_segment_remove(struct log *l, uint64_t number, struct error *e) {
  char path[DISK_PATH_MAX];
  log_segment_path(l, number, path);
  enum err err = disk_unlink(l->disk, path, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  return disk_sync_directory(l->disk, l->directory, e);
}
