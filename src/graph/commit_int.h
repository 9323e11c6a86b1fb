// The way of a commit: a flight is a transaction's (or a token's, or a schema change's) entries on their way from the writer to
// the log and from there, in log order, to the applier.
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "graph/types.h"
#include "os/thread.h"
#include "store/log.h"

/// Where entries go and how far they are committed. Standalone: the database's own log, whose durable end is the mark; in a
/// cluster they are proposed, and the mark is the group's. `submit` gives indexes to the entries and keeps no copy of what they
/// point to: it stays until the flight has landed.
struct commit_table {
  enum err (*submit)(void *context, struct log_entry *entries, size_t count, struct error *e);
  uint64_t (*committed)(void *context);
  void *context;
};

struct flight {
  struct flight *next;
  struct buf bytes;          // the commands
  struct buf metadata;       // of the transaction, encoded; may be empty
  struct log_entry *entries; // `only`, or as many as the bytes need
  struct log_entry only;
  size_t entry_count;
  uint64_t end_index;
  /// Published (ERR_OK), or never will be: the log had no room (ERR_NOSPC), or the graph has failed. Called once, by the
  /// applier's thread, and frees the flight.
  void (*landed)(struct flight *f, enum err err);
  void *context; // of landed
};

/// Somebody who waits until an index is applied.
struct commit_waiter {
  uint64_t index;
  uint32_t verdict; // or a verdict on this index; 0: none
  void (*ready)(void *context);
  void *context;
};

/// What became of an index that was filled: kept for whoever asked for it when it failed.
struct verdict {
  struct verdict *next;
  struct graph *g;
  uint32_t index;
  struct buf failure; // empty: online
};

struct commits {
  struct commit_table table;
  struct mutex mutex;            // submitting and queueing are one step
  struct flight *first, *last;   // submitted, in log order, not yet taken by the applier
  struct commit_waiter *waiters; // under the mutex
  size_t waiter_count, waiter_capacity;
  struct mutex token_mutex;
  struct strmap tokens_asked; // kind byte + name -> log index: submitted, not yet applied; keys belong to their requests
  uint32_t token_next[GRAPH_TOKEN_KIND_MAX]; // numbers given out
  struct verdict *failures;                  // under the mutex
  struct flight *taken;                      // by the applier, not yet published; its own
  // The disk has no room for the log. Under the mutex: nothing is submitted until there is room again and those that were taken
  // back from the log have landed.
  bool full;
  struct error full_cause;
  struct flight *refused; // taken back; the applier lands them
};

/// Cuts the bytes into entries of at most LOG_ENTRY_BYTES_MAX, submits and queues them; `ret_index` (may be NULL) is the index of
/// the last. From then on the flight belongs to the applier; on failure it is the caller's still.
enum err commits_submit(struct graph *g, struct flight *f, enum log_kind kind, uint64_t *ret_index, struct error *e) NODISCARD;

/// The disk has no room for what is queued in the log: takes back every flight of which nothing is on disk. They land with
/// ERR_NOSPC, as if they had not been submitted, and further ones are refused until commits_find_room. The log writer only.
void commits_refuse(struct graph *g, const struct error *cause);
/// ERR_OK if the log may be written: there always was room, or is again. ERR_NOSPC, also as long as not all that was refused has
/// landed. The log writer only.
enum err commits_find_room(struct graph *g, struct error *e) NODISCARD;
/// What whoever wanted to write is told: a log without room, or one that failed, is ERR_TX_LOG.
enum err commits_error(enum err err, struct error *e) NODISCARD;

/// A flight on its own; NULL without memory.
struct flight *flight_make(void);
void flight_free(struct flight *f);
/// Ready for the next use; keeps a little memory for it.
void flight_clear(struct flight *f);
/// Gives back what a flight holds that is part of another struct.
void flight_done(struct flight *f);
/// Before closing: commits whose owners did not stay to see them end are told that the graph is closed, all waits are ended.
void commits_close(struct graph *g);
void commits_done(struct graph *g);

/// ERR_WAIT, and a call of `ready` later, while the index is being filled; ERR_OK once there is a verdict.
enum err commits_await_verdict(struct graph *g, uint32_t index, void (*ready)(void *context), void *context,
                               struct error *e) NODISCARD;
/// ERR_CONSTRAINT_CREATION with the reason.
enum err commits_verdict_error(struct graph *g, uint32_t index, struct error *e) NODISCARD;
/// After a verdict was published: keeps its reason, wakes those who wait for it. Takes the verdict over.
void commits_judged(struct graph *g, struct verdict *v);
