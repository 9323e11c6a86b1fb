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

// ---- pins: a durable checkpoint for a backup or a copy of the store (docs/formats/copy.md) ----

#define CHECKPOINT_HEAD_BYTES PAGE_BYTES
#define CHECKPOINT_PIECE_PAGES_MAX 412u // 4 map pages, and 408 pages that the last of them names
#define CHECKPOINT_PIECE_BYTES_MAX (CHECKPOINT_PIECE_PAGES_MAX * PAGE_BYTES)
#define CHECKPOINT_FIRST UINT64_C(0) // positions of pieces
#define CHECKPOINT_END UINT64_MAX
#define CHECKPOINT_PINS_MAX 64u

/// Of what a checkpoint is the state. Value type.
struct checkpoint_identity {
  uint8_t uuid[16]; // of the database
  uint64_t generation;
  struct store_applied applied;
  uint64_t checksum;       // of its head: checkpoints with the same one are the same bytes
  uint64_t pages;          // logical ones: about as many as a copy brings
  uint64_t physical_pages; // of its file
};

/// Holds the durable checkpoint's physical pages as they are until it is unpinned or expires. In memory only: pins end with the
/// process. Commits and checkpoints go on; what they supersede meanwhile is not free again before the pin has gone.
/// Of the struct only `identity` and `store` are the caller's to look at.
struct checkpoint_pin {
  struct store *store;
  struct checkpoint_identity identity;
  uint32_t slot, id;
  struct pinned *pinned;
};

/// `expires_ns` by the monotonic clock. ERR_LIMIT above CHECKPOINT_PINS_MAX, ERR_NOMEM.
enum err checkpoint_pin(struct store *s, int64_t expires_ns, struct checkpoint_pin *ret, struct error *e) NODISCARD;
/// ERR_NOTFOUND if it has expired.
enum err checkpoint_pin_renew(const struct checkpoint_pin *p, int64_t expires_ns, struct error *e) NODISCARD;
/// Expired or not. One that is not pinned is fine.
void checkpoint_unpin(struct checkpoint_pin *p);

/// What a copy begins with: the checkpoint's superblock.
void checkpoint_head(const struct checkpoint_pin *p, uint8_t to[CHECKPOINT_HEAD_BYTES]);
/// What these bytes from outside are the head of. ERR_CORRUPT, ERR_UNSUPPORTED (of a format that this server does not read).
enum err checkpoint_head_read(const uint8_t from[CHECKPOINT_HEAD_BYTES], struct checkpoint_identity *ret,
                              struct error *e) NODISCARD;

/// Reads the piece at `*position` into `to` (CHECKPOINT_PIECE_BYTES_MAX bytes, 4096-aligned), each page checked, and moves the
/// position behind it. At CHECKPOINT_END there is nothing more: 0 bytes. Reads from disk and takes no lock: any thread, of one
/// pin one at a time, beside whatever goes on. ERR_NOTFOUND: the pin has expired. ERR_CORRUPT: damaged on disk, or not a
/// position.
enum err checkpoint_read(const struct checkpoint_pin *p, uint64_t *position, uint8_t *to, size_t *ret_bytes,
                         struct error *e) NODISCARD;

/// Walks the pinned checkpoint's logical pages (those that hold free ids, 0, 32768, ..., included) in order of id; `page` is
/// valid during the call only. Errors as checkpoint_read.
enum err checkpoint_pin_each(const struct checkpoint_pin *p, enum err (*fn)(void *argument, page_id id, const void *page), void *argument,
                             struct error *e) NODISCARD;
