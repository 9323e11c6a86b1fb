// Catching up from other servers: a machine that gets a copy of a store into a directory, or committed entries of a log, from the
// first of its upstreams that has them, and goes on elsewhere when one is lost, lags or sends what is damaged
// (docs/formats/catchup.md).
//
//   catchup_client_new -> catchup_client_set_upstreams -> { catchup_client_copy | catchup_client_pull | catchup_client_status }*
//   -> catchup_client_free
//
// One request at a time; exactly one of the functions in `events` ends it, or catchup_client_cancel. A request is tried again,
// with growing pauses, until it has made no progress for `retry_time_ms`. A copy that was broken off goes on where it was with an
// upstream that still has the same checkpoint (the one that it came from, for a while), otherwise it begins anew. A connection
// stays open for the next request.
//
// What waits for the disk is the caller's thread: when `work_ready` is called, it calls catchup_client_work until that has
// nothing to do. No more than a few megabytes wait for it; then the connection waits.
//
// Threads: everything on the loop's, but catchup_client_work (one thread).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "cluster/catchup_message.h"
#include "cluster/hello.h"
#include "os/link_table.h"
#include "os/net.h"
#include "os/tls.h"
#include "store/copy.h"

struct catchup_client;

/// Somebody to ask. Value type.
struct catchup_upstream {
  uint64_t server; // 0: whoever is there
  char address[HELLO_ADDRESS_BYTES];
};

struct catchup_client_events {
  /// The copy is complete and durable beside the store there: the callee's, for store_copy_install and store_copy_close.
  void (*copied)(void *context, struct store_copy *copy);
  /// Entries that follow the one named, possibly none; their bytes are valid during the call (log_get_entry reads them).
  void (*pulled)(void *context, const struct catchup_upstream *from, uint64_t commit_index, uint32_t count, const uint8_t *bytes,
                 size_t size);
  void (*status)(void *context, const struct catchup_upstream *from, const struct catchup_status *status);
  /// It was given up. A pull also when every upstream has been asked and one of them has refused it as CATCHUP_PRUNED,
  /// _GENERATION or _DIVERGED: then `refusal` says so, and a copy is the way out. Otherwise CATCHUP_ACCEPTED.
  void (*failed)(void *context, enum catchup_refusal refusal, const struct error *why);
};

struct catchup_client_options {
  uint64_t server, epoch; // as in cluster/network.h
  uint8_t cluster[16];
  const _Atomic uint32_t *feature_level;
  struct tls_context *tls; // NULL: plain
  bool tls_verify_names;   // the upstream's certificate must be for the host it is reached by
  struct net_resolver *resolver;
  struct disk *disk;
  struct event_sink *events; // may be NULL
  struct link_table *links;  // where the connection is listed; may be NULL
  uint8_t database[16];
  int64_t connect_timeout_ms;         // 0: 3 s; also for the hello
  int64_t answer_timeout_ms;          // 0: 30 s without a byte from an upstream that has been asked
  int64_t retry_min_ms, retry_max_ms; // 0: 100 ms and 10 s between two tries
  int64_t retry_time_ms;              // 0: 20 min without progress (causal_clustering.store_copy_max_retry_time_per_request)
  /// There is something to do. From the loop; must only take note.
  void (*work_ready)(void *context);
};

enum err catchup_client_new(struct loop *loop, const struct catchup_client_options *options,
                            const struct catchup_client_events *events, void *context, struct catchup_client **ret,
                            struct error *e) NODISCARD;
/// Waits for the work that is under way. Also from within an event. NULL is fine.
void catchup_client_free(struct catchup_client *c);

/// Who is asked, in this order; copied. What is under way goes on if its upstream is among them. ERR_NOMEM, ERR_INVALID (none).
enum err catchup_client_set_upstreams(struct catchup_client *c, const struct catchup_upstream *upstreams, size_t count,
                                      struct error *e) NODISCARD;

/// Copies a checkpoint that has applied at least `least_index` into `directory`, which exists; the store there may be in use.
/// ERR_BUSY: a request is under way; ERR_INVALID: no upstreams.
enum err catchup_client_copy(struct catchup_client *c, const char *directory, uint64_t least_index, struct error *e) NODISCARD;
/// Asks for what follows an entry; the answer may wait up to `wait_ms` for one. The same errors.
enum err catchup_client_pull(struct catchup_client *c, const struct catchup_pull *pull, struct error *e) NODISCARD;
enum err catchup_client_status(struct catchup_client *c, struct error *e) NODISCARD;
/// Nothing more is heard of the request. What has come of a copy stays in its directory for another time.
void catchup_client_cancel(struct catchup_client *c);

/// Does one piece of work. `*ret_worked` false: there was none. The work thread.
void catchup_client_work(struct catchup_client *c, bool *ret_worked);

struct catchup_client_stats {
  uint64_t pages, pages_all;                // of the copy under way, about
  uint64_t connections, troubles, restarts; // restarts: copies that began anew though some of another had come
};
void catchup_client_stats(struct catchup_client *c, struct catchup_client_stats *ret);
