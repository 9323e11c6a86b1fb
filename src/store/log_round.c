// A round of durability over many logs.
#include "base/mem.h"
#include "store/log_int.h"

// The logs that take part, and the sync that each waits for.
struct parts {
  struct log **logs;
  struct disk_sync *syncs;
  size_t count;
};

static void parts_done(struct parts *p) {
  mem_free(p->logs);
  mem_free(p->syncs);
}

/// What fails here is the log's own affair: it is poisoned, or tries again in the next round.
static void write_each(struct log **logs, size_t count, struct parts *to) {
  for (size_t i = 0; i < count; i++) {
    struct disk_file *file = NULL;
    if (log_writer_write(logs[i], &file, NULL) != ERR_OK || file == NULL) continue;
    to->logs[to->count] = logs[i];
    to->syncs[to->count] = (struct disk_sync){.file = file, .error = ERROR_INIT};
    to->count++;
  }
}

static void finish_each(struct parts *p) {
  for (size_t i = 0; i < p->count; i++) {
    enum err poisoned = log_writer_finish(p->logs[i], p->syncs[i].result, &p->syncs[i].error);
    (void) poisoned; // log_failure tells whoever asks
  }
}

enum err log_round_all(struct log **logs, size_t count, size_t *ret_worked, struct error *e) {
  CLEANUP(parts_done) struct parts p = {mem_alloc(count * sizeof *p.logs), mem_alloc(count * sizeof *p.syncs), 0};
  if (p.logs == NULL || p.syncs == NULL) return error_ensure(e, ERR_NOMEM);
  write_each(logs, count, &p);
  if (!MUTANT(log_sync)) disk_sync_all(p.syncs, p.count);
  finish_each(&p);
  *ret_worked = p.count;
  return ERR_OK;
}
