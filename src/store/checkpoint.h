// The checkpoint: makes an epoch of the page store durable, step by step, while commits go on.
//
//   pin epoch E -> write its dirty pages to free space, sorted, direct -> map pages, bottom up -> free-page bitmap (copied
//   on write as well) -> sync -> superblock slot seq & 1 -> sync -> give back what E superseded, once no reader needs it, and the
//   free end of the file to the system
//
// Nothing that the durable superblock names is ever overwritten, so a crash at any step leaves the old checkpoint whole.
// Threads: begin from the applier (between batches); steps from any one thread at a time, also beside a running batch.
// A failed sync stops the store for good (`store_failure`); ERR_NOSPC gives the checkpoint up and leaves the store running:
// a later one carries on with what this one had written.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "os/disk.h"
#include "store/store.h"

/// Pins the newest epoch and the store's applied index, term and metadata. ERR_BUSY if one is under way.
enum err checkpoint_begin(struct store *s, struct error *e) NODISCARD;

/// Does a bounded amount of work: at most `pages` page writes, or one sync. `*ret_done` once the checkpoint is durable.
enum err checkpoint_step(struct store *s, unsigned pages, bool *ret_done, struct error *e) NODISCARD;

/// Begin and all steps.
enum err checkpoint_run(struct store *s, struct error *e) NODISCARD;

bool checkpoint_active(const struct store *s);

struct checkpoint_status {
  uint64_t durable_index; // applied index of the durable superblock: the log is needed from the next entry on
  uint64_t durable_term;
  uint64_t sequence;      // of the durable superblock
  uint64_t dirty_bytes;   // what a checkpoint would write now
  uint64_t pages_written; // by the one under way
};
void checkpoint_status(struct store *s, struct checkpoint_status *ret);

/// Holds the durable checkpoint's physical pages as they are, for a backup or a store copy, until unpinned. In memory only:
/// pins end with the process. ERR_LIMIT above 64.
struct checkpoint_pin {
  struct store *store;
  uint64_t sequence;
  uint64_t applied_index;
  uint32_t slot;
  uint64_t map_physical; // where the pinned checkpoint's page map is
  uint32_t map_checksum;
};
enum err checkpoint_pin(struct store *s, struct checkpoint_pin *ret, struct error *e) NODISCARD;
void checkpoint_unpin(struct checkpoint_pin *p);

/// Walks the pinned checkpoint's logical pages (those that hold free ids, 0, 32768, ..., included) in order of id, reading and
/// checking each from disk; `page` is valid during the call only.
enum err checkpoint_pin_each(const struct checkpoint_pin *p, enum err (*fn)(void *argument, page_id id, const void *page), void *argument,
                             struct error *e) NODISCARD;
