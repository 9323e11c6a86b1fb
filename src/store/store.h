// One database's bytes on disk: its page space and its log, opened, recovered and closed together.
//
// A directory holds `store.pages` (superblocks, pages), `store.log.NNNNNNNN` (segments), `store.group` (group state) and
// `store.lock`. Formats: docs/formats/pages.md, map.md, log.md.
//
// Life: store_open -> store_recover (replays the log above the last checkpoint into the caller, who applies) -> the caller
// runs three machines over it: log_writer_step (store/log.h), the applier (batches of store/pages.h, closed by
// store_publish), checkpoint_step (store/checkpoint.h) -> store_close. The store has no threads.
//
// A store that hits an error after which memory and disk may differ (a failed sync or log write) is *poisoned*: writes and
// checkpoints return the first cause from then on, reads go on, and only opening it again helps.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/random.h"
#include "store/log.h"
#include "store/pages.h"

#define STORE_META_BYTES 2048u // the caller's area in the superblock: id high waters, cursors
#define STORE_ROOTS_MAX 32u
#define STORE_ROOT_NAME_MAX 15u

struct store;

/// The last log entry whose effects pages hold. All zeros: nothing was applied yet.
struct store_applied {
  uint64_t index, term;
  int64_t commit_time_ns; // of the entry
};

static inline struct store_applied store_applied_of(const struct log_entry *entry) {
  return (struct store_applied){entry->index, entry->term, entry->commit_time_ns};
}

struct store_options {
  struct disk *disk;
  struct clock *clock;
  struct random_source *random; // for the uuid of a new store
  const uint8_t *uuid;          // of a new store: 16 bytes that are settled already; NULL: a random one
  struct page_pool *pool;
  struct event_sink *events; // may be NULL
  struct log_options log;
  bool create;               // make the directory's files if there are none; otherwise ERR_NOTFOUND
  bool direct;               // page file past the page cache
};

/// Opens `directory` (which must exist) under an exclusive lock; ERR_BUSY names host and process that hold it. Reads the best
/// superblock and the log's end; ERR_CORRUPT says where the damage is.
/// Pages that are ahead of the log are damage too, but while the group state says `installing` (store/copy.h): of a member of a
/// group the log is then begun anew by the group, of any other store here, behind the last entry applied.
enum err store_open(const char *directory, const struct store_options *options, struct store **ret, struct error *e) NODISCARD;

/// Which database the store in `directory` is, and whose group it belongs to, while nobody has it open. ERR_NOTFOUND: there is none; errors of
/// log_group_look.
enum err store_look(struct disk *d, const char *directory, uint8_t ret_uuid[16], struct log_group_state *ret, struct error *e) NODISCARD;

/// Does not checkpoint: what is in the log will be replayed. NULL is fine. All snapshots, pins and cursors must be closed.
void store_close(struct store *s);

struct store_progress {
  uint64_t first, index, last; // of the log: what is replayed, and how far that is; first - 1 at the beginning
};

/// Hands every entry from the superblock's applied index + 1 up to the log's commit mark to `apply`, in order; `apply` makes
/// batches and publishes as it likes. `progress` may be NULL; called at the beginning, with every tenth and at the end.
enum err store_recover(struct store *s, enum err (*apply)(void *argument, const struct log_entry *entry, struct error *e), void *argument,
                       void (*progress)(void *argument, const struct store_progress *p), struct error *e) NODISCARD;

struct page_space *store_space(struct store *s);
struct log *store_log(struct store *s);
const uint8_t *store_uuid(const struct store *s); // 16 bytes; any thread

/// ERR_OK, or why the store was poisoned.
enum err store_failure(struct store *s, struct error *e);

// ---- the applier's view ----

/// The last entry whose effects the newest epoch holds. Any thread.
struct store_applied store_applied(struct store *s);
uint64_t store_applied_index(struct store *s);

/// Publishes the batch as the effect of all entries up to `applied`. Roots and metadata staged since the last publication go
/// with it. Returns the epoch.
uint64_t store_publish(struct store *s, struct page_batch *b, struct store_applied applied);

/// Throws the batch away and what was staged with it.
void store_abort(struct store *s, struct page_batch *b);

/// Stages a named root (a page id that higher modules start from), to be published with the open batch; PAGE_NONE removes
/// it. ERR_LIMIT above STORE_ROOTS_MAX, ERR_INVALID for a name that is empty or too long.
enum err store_root_set(struct store *s, const char *name, page_id id, struct error *e) NODISCARD;

/// The published (with `staged`: the applier's own) root, or PAGE_NONE. Any thread.
page_id store_root_get(struct store *s, const char *name, bool staged);

/// The caller's area as last staged: change it between page_batch_begin and store_publish. The applier only.
uint8_t *store_meta(struct store *s);

/// How far commits should be slowed because dirty pages outrun the checkpointer: 0 (not at all) to 1000 (stand still). Grows
/// smoothly from half of the pool being dirty.
unsigned store_pressure(struct store *s);

/// Log and pages against each other, and each by itself (pages_check). No batch or checkpoint may be open.
enum err store_check(struct store *s, bool read_all, struct error *e) NODISCARD;
