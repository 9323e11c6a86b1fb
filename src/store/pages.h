// The versioned page store: logical pages of 4 KB, copied on write, read under snapshots without locks.
//
// Three things with three lifetimes:
//   `page_pool`    one for the server: the frames (memory) of all databases, their limit, eviction.
//   `page_space`   one for each database: logical page ids, their versions, where they are on disk. Made by `store_open`.
//   `page_access`  one for each thread that reads: between `page_access_enter` and `page_access_leave` what
//                  `pages_read` returned stays where it is. Nothing that points into a page survives the leave; with
//                  `poison` set in the pool's options a use after it reads 0xDB bytes (and is reported under ASan).
// A `page_snapshot` fixes an epoch for as long as it is open and holds versions, not frames: keep it over a slow client.
//
// One writer: the database's applier. It opens a batch, writes pages (copied on first touch), and publishes: from then on
// new snapshots see all of the batch. Epochs count publications.
//
// Threads: snapshots and reads from any thread, each with its own page_access; batches from one thread at a time.
// Errors: ERR_NOTFOUND (no such page at that epoch), ERR_CORRUPT (checksum; the message names logical and physical page),
// ERR_AGAIN (non-blocking view and the page is not in memory), ERR_MEMORY_POOL (no frame can be freed), ERR_IO, ERR_NOSPC,
// ERR_NOMEM. A page that fails its checksum fails only whoever asked for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "os/disk.h"

#define PAGE_BYTES 4096u

/// The first multiple of a page's size in memory that has room for one page more than is needed: direct reads and writes want
/// that.
static inline uint8_t *page_align(void *memory) {
  return (uint8_t *) (((uintptr_t) memory + PAGE_BYTES - 1) & ~(uintptr_t) (PAGE_BYTES - 1));
}

/// A logical page. Ids are dense from 1, fit 34 bits (four map levels of 408 entries) and stay for the life of the page; freed ones are given out again.
typedef uint64_t page_id;

#define PAGE_NONE UINT64_C(0)

struct page_pool;
struct page_space;
struct page_access;

struct page_pool_options {
  size_t limit_bytes;    // frames together; at least 64 pages. Reserved at once as address space, used as needed
  unsigned accesses_max; // page_access handles at a time; 0: 512
  bool poison;           // reads hand out private copies that are overwritten on leaving: for tests and debug builds
  unsigned wait_ms;      // how long a read waits for others to leave when every frame is in use; 0: not at all
  struct event_sink *events;
};

enum err page_pool_open(const struct page_pool_options *options, struct page_pool **ret, struct error *e) NODISCARD;
/// All spaces and accesses must be closed. NULL is fine.
void page_pool_close(struct page_pool *p);

struct page_pool_stats {
  uint64_t frames, frames_used;
  uint64_t reads, evictions, spills; // cold reads from disk, frames taken back, dirty frames written early
  uint64_t waits;                    // times that somebody waited for others to leave
  uint64_t batches, batched_reads;   // submissions of reads together, and what they read (which `reads` counts too)
};
void page_pool_stats(struct page_pool *p, struct page_pool_stats *ret);

/// A reader's handle; belongs to one thread at a time. ERR_LIMIT when all are taken.
enum err page_access_open(struct page_pool *p, struct page_access **ret, struct error *e) NODISCARD;
/// Must be outside. NULL is fine.
void page_access_close(struct page_access *a);
/// Enters may nest; only the outermost leave counts. Keep the stay short: one `exec_next`.
void page_access_enter(struct page_access *a);
void page_access_leave(struct page_access *a);
/// True if a short leave would do the pool good: much was brought in since the enter, or somebody waits for frames that
/// those who are inside may still look at. Cheap; ask it where no pointer into a page is held.
bool page_access_should_rest(const struct page_access *a);
/// Leaves and enters again, however deep: every pointer into a page is dead.
void page_access_rest(struct page_access *a);

/// A fixed epoch of one space. Value type; zero means closed.
struct page_snapshot {
  struct page_space *space;
  uint64_t epoch;
  uint32_t slot;
};

/// The newest published epoch. ERR_LIMIT when too many are open (65,536).
enum err page_snapshot_open(struct page_space *s, struct page_snapshot *ret, struct error *e) NODISCARD;
/// Opens another one at the same epoch as `from`, which must be open.
enum err page_snapshot_copy(const struct page_snapshot *from, struct page_snapshot *ret, struct error *e) NODISCARD;
/// Closing a closed one does nothing.
void page_snapshot_close(struct page_snapshot *snap);

/// Through which pages are read: a space, an epoch, an access. Value type, cheap to build.
struct page_view {
  struct page_space *space;
  struct page_access *access;
  uint64_t epoch;
  bool nonblocking; // a page that is not in memory gives ERR_AGAIN instead of a read from disk
};

static inline struct page_view page_view_of(const struct page_snapshot *snap, struct page_access *a) {
  return (struct page_view){snap->space, a, snap->epoch, false};
}

/// The page's 4096 bytes at the view's epoch, 4096-aligned, valid until the access is left. Hot: two dependent loads, no lock.
enum err pages_read(const struct page_view *v, page_id id, const void **ret, struct error *e) NODISCARD;

/// Reads those of `ids` that are not in memory together, and returns when they are. A page that does not exist, fails to read or
/// finds no free frame is skipped: whoever reads it gets its error. Needs no page access, and never waits for one to be left.
enum err pages_prefetch(struct page_space *s, const page_id *ids, size_t count, struct error *e) NODISCARD;

/// For a reader within page access that will soon read `ids` (repetitions are fine): those of them that are not in memory are read together,
/// if there are at least two. Nothing happens for a non-blocking view. Whatever goes wrong shows when they are read.
void pages_read_ahead(const struct page_view *v, const page_id *ids, size_t count);

/// True if a read at the newest epoch would find the page in memory.
bool pages_resident(struct page_space *s, page_id id);

/// False if the page, or what the map says of it, would have to be read from disk. No lock; within page access.
bool pages_cached(const struct page_view *v, page_id id);

uint64_t pages_epoch(struct page_space *s); // newest published

// ---- writing: the applier only ----

/// An unpublished epoch. One at a time for a space.
struct page_batch;

enum err page_batch_begin(struct page_space *s, struct page_access *a, struct page_batch **ret, struct error *e) NODISCARD;

/// Reads with the batch's own writes.
struct page_view page_batch_view(struct page_batch *b);

/// The page to change in place; the first call in a batch copies it. Valid until `page_batch_rest`, publish or abort.
enum err page_batch_write(struct page_batch *b, page_id id, void **ret, struct error *e) NODISCARD;

/// A new page of zeros; gives its id and, like page_batch_write, its bytes.
enum err page_batch_allocate(struct page_batch *b, page_id *ret_id, void **ret, struct error *e) NODISCARD;

/// `count` (1 to 1024) pages with ids one after another, zeroed; write them with page_batch_write. May rest in between: no
/// pointer from this batch may be held.
enum err page_batch_allocate_run(struct page_batch *b, unsigned count, page_id *ret_first, struct error *e) NODISCARD;

/// The page is gone from the batch's epoch on; older snapshots still see it. The id may be given out again at once.
enum err page_batch_free(struct page_batch *b, page_id id, struct error *e) NODISCARD;

/// Says that no pointer from this batch (read or written) is held, so that a batch larger than memory can spill its pages
/// to disk. Call it between records. Also leaves and enters the batch's access.
enum err page_batch_rest(struct page_batch *b, struct error *e) NODISCARD;

/// Makes the batch the newest epoch, which it returns, and drops versions that no snapshot can see. Cannot fail.
uint64_t page_batch_publish(struct page_batch *b);

/// As if the batch had never been: after an error in the middle of it.
void page_batch_abort(struct page_batch *b);

// ---- upkeep ----

/// Looks at up to `budget` pages that kept old versions and drops what no snapshot needs any more. True if there is more to
/// look at. Publishing does some of it by itself; call it when snapshots have ended and nothing is written.
bool pages_prune_step(struct page_space *s, size_t budget);

struct page_space_stats {
  uint64_t epoch, oldest_snapshot_epoch, snapshots;
  uint64_t pages_logical;    // allocated ids
  uint64_t pages_dirty;      // changed since the last checkpoint
  uint64_t versions;         // version nodes alive: pages that some snapshot sees differently
  uint64_t physical_pages, physical_free;
  uint64_t cuts;       // times that the page file got shorter
  uint64_t map_leaves; // loaded
};
void page_space_stats(struct page_space *s, struct page_space_stats *ret);

/// Calls `fn` for each logical page that exists at the view's epoch, in order of id. For checks and store copies.
enum err pages_each(const struct page_view *v, enum err (*fn)(void *argument, page_id id), void *argument, struct error *e) NODISCARD;

/// Checks every structure of the space against every other: map against frames and versions, physical pages used once
/// each, counts, and with `read_all` every page's checksum on disk. ERR_CORRUPT names the first that is wrong. For tests and
/// `check`; no batch may be open.
enum err pages_check(struct page_space *s, bool read_all, struct error *e) NODISCARD;
