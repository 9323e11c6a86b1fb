// Many syncs at once: a few threads for the time of the call. Starting one costs some ten microseconds, a sync ten times that and
// more.
#include <stdatomic.h>

#include "base/compiler.h"
#include "os/disk_int.h"
#include "os/thread.h"

enum { THREADS_MAX = 16 };

struct batch {
  struct disk_sync *syncs;
  size_t count;
  _Atomic size_t next;
};

static void *work(void *argument) {
  struct batch *b = argument;
  for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->count;)
    b->syncs[i].result = disk_sync(b->syncs[i].file, &b->syncs[i].error);
  return NULL;
}

/// The caller works too; where no thread can be had it does all.
void disk_sync_parallel(struct disk_sync *syncs, size_t count) {
  struct batch b = {.syncs = syncs, .count = count};
  struct thread helpers[THREADS_MAX];
  size_t started = 0;
  while (started < MIN(count - 1, THREADS_MAX) && thread_start(&helpers[started], "sync", work, &b, NULL) == ERR_OK) started++;
  work(&b);
  for (size_t i = 0; i < started; i++) thread_join(&helpers[i]);
}
