// The upstream's end of catching up: copies of durable checkpoints and the committed log, for whoever of this cluster asks on the
// transaction port (docs/formats/catchup.md).
//
//   catchup_server_open -> { catchup_server_add ... catchup_server_remove } -> catchup_server_close
//
// What waits for the disk is the caller's thread: when `work_ready` is called, it calls catchup_server_work until that has
// nothing to do. Requests take turns there piece by piece, so that a large copy keeps nobody waiting; one that its client takes
// too slowly waits in the connection, not in memory.
//
// A checkpoint that is copied stays pinned, with the log behind it, until its client says that it is done, or for `pin_ms` after
// it was last heard.
//
// Threads: everything on the loop's, but catchup_server_work (one thread) and catchup_server_touch (any).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "cluster/catchup_message.h"
#include "os/clock.h"
#include "os/link_table.h"
#include "os/loop.h"
#include "os/tls.h"

struct catchup_server;

/// A checkpoint that stays as it is, and the log behind it.
struct catchup_pin {
  struct checkpoint_pin checkpoint;
  uint32_t log_pin;
};

/// A database that is given away. Its functions are called by the work thread, one at a time, and may wait for the disk (`unpin`
/// is also called within catchup_server_remove). cluster/catchup_store.h is one for a store.
struct catchup_source {
  enum err (*status)(struct catchup_source *s, struct catchup_status *ret, struct error *e);
  enum err (*pin)(struct catchup_source *s, int64_t expires_ns, struct catchup_pin *ret, struct error *e);
  /// ERR_NOTFOUND: it has expired.
  enum err (*renew)(struct catchup_source *s, const struct catchup_pin *p, int64_t expires_ns, struct error *e);
  void (*unpin)(struct catchup_source *s, struct catchup_pin *p);
  /// As checkpoint_read.
  enum err (*read)(struct catchup_source *s, const struct catchup_pin *p, uint64_t *position, uint8_t *to, size_t *ret_bytes,
                   struct error *e);
  /// Appends committed entries behind `index` to `to`, in the log's format: about `bytes_max`, at least one if there is any, at
  /// most CATCHUP_ENTRIES_MAX; none is fine. ERR_NOTFOUND: pruned.
  enum err (*read_log)(struct catchup_source *s, uint64_t index, uint32_t bytes_max, struct buf *to, uint32_t *ret_count,
                       struct error *e);
  /// Term of an entry of the log, or of the one before its first. ERR_NOTFOUND.
  enum err (*term_at)(struct catchup_source *s, uint64_t index, uint64_t *ret, struct error *e);
};

struct catchup_server_options {
  uint64_t server, epoch; // as in cluster/network.h
  uint8_t cluster[16];
  const _Atomic uint32_t *feature_level;
  struct str listen;       // "host:port"
  const char *advertised;  // NULL: what is listened on
  struct tls_context *tls; // NULL: plain
  struct clock *clock;
  struct event_sink *events; // may be NULL
  struct link_table *links;  // where connections are listed; may be NULL
  unsigned clients_max;      // 0: 64 connections
  unsigned copies_max;       // 0: 4 checkpoints that are being copied; who comes then is told to come later
  int64_t pin_ms;            // 0: 60 s
  int64_t idle_ms;           // 0: 60 s without a byte either way, and a connection is closed
  uint32_t pull_bytes_max;   // 0: 1 MB of entries in an answer, at most 4 MB; a single entry may be larger
  /// There is something to do. From the loop; must only take note.
  void (*work_ready)(void *context);
  /// Whether a server that says hello may ask. NULL: whoever belongs to the cluster.
  bool (*known)(void *context, uint64_t server, const char *address);
  void *context;
};

/// Listens. ERR_IO: the address cannot be had. Strings are copied.
enum err catchup_server_open(struct loop *loop, const struct catchup_server_options *options, struct catchup_server **ret,
                             struct error *e) NODISCARD;
/// All databases are removed and the work thread has stopped. Not from within a callback. NULL is fine.
void catchup_server_close(struct catchup_server *s);
/// "127.0.0.1:6000", with the port that the system chose.
const char *catchup_server_address(const struct catchup_server *s);

/// The source stays the caller's until it is removed. ERR_EXISTS, ERR_NOMEM.
enum err catchup_server_add(struct catchup_server *s, const uint8_t database[16], struct catchup_source *source,
                            struct error *e) NODISCARD;
/// Waits for the work on it that is under way; afterwards nothing of the source is used. Nobody's pins stay.
void catchup_server_remove(struct catchup_server *s, const uint8_t database[16]);

/// Something was committed: whoever waits for it is answered. Any thread.
void catchup_server_touch(struct catchup_server *s, const uint8_t database[16]);

/// Does one piece of work. `*ret_worked` false: there was none. The work thread.
void catchup_server_work(struct catchup_server *s, bool *ret_worked);

struct catchup_server_stats {
  unsigned clients, pins;
  uint64_t pieces, piece_bytes, entries, refused;
  uint64_t pulls; // requests for the log
};
/// Any thread.
void catchup_server_stats(struct catchup_server *s, struct catchup_server_stats *ret);
