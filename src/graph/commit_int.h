// The way of a commit: a flight is a transaction's (or a token's, or a schema change's) entries on their way from the writer to
// the log and from there, in log order, to the applier.
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "graph/types.h"
#include "os/thread.h"
#include "store/log.h"

struct flight {
  struct flight *next;
  struct buf bytes;          // the commands; none: an entry that only moves the applied index
  struct buf metadata;       // of the transaction, encoded; may be empty
  struct log_entry *entries; // `only`, or as many as the bytes need
  struct log_entry only;
  size_t entry_count;
  struct graph_origin origin;
  uint64_t term; // in which it is proposed
  uint64_t end_index;
  enum err fate; // of a fallen one
  /// Published (ERR_OK), or never will be: the log had no room (ERR_NOSPC), another leader came before it was committed
  /// (ERR_NOT_LEADER), this server stops before the group has said (ERR_CLOSED), or the graph has failed. Called once, by the
  /// applier's thread, and frees the flight.
  void (*landed)(struct flight *f, enum err err);
  void *context; // of landed
};

struct flight_list {
  struct flight *first, *last;
};

/// A graph in a group (graph/replica.h).
struct replica {
  struct flight_list waiting;  // submitted, not yet proposed
  struct flight_list proposed; // have their place in the log, and nobody knows yet whether it stays theirs
  size_t queued, queued_bytes; // committed flights that the applier has not taken
  struct flight *arriving;     // a transaction of another leader of which not all parts are here; the driver's
  _Atomic uint64_t received;   // the last committed entry that came
  _Atomic uint64_t leading;    // the term that this member leads in, though it may not be ready to write
  _Atomic bool left;           // nothing comes from the group or goes to it any more; set under the mutex
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

#define COMMITS_TERM_ALONE 1u // of a database that is in no group: it may always write

struct commits {
  struct mutex mutex;            // of all lists; submitting and queueing are one step
  struct flight_list queue;      // in log order, not yet taken by the applier; in a group they are committed
  struct flight_list fallen;     // will never be published: the applier lands them
  bool landing;                  // it is at that
  struct commit_waiter *waiters; // under the mutex
  size_t waiter_count, waiter_capacity;
  struct mutex token_mutex;
  struct strmap tokens_asked; // kind byte + name -> its struct token_request, while it is on its way; keys belong to them
  uint32_t token_next[GRAPH_TOKEN_KIND_MAX]; // numbers given out
  struct verdict *failures;                  // under the mutex
  struct flight *taken;                      // by the applier, not yet published; its own
  // The disk has no room for the log. Under the mutex: nothing is submitted until there is room again and those that were taken
  // back from the log have landed.
  bool full;
  struct error full_cause;
  _Atomic uint64_t term;  // in which this member may write; 0: another one leads
  struct graph_origin schema_origin; // of the change of the schema that is on its way, of which there is one at most; under the mutex
  struct replica replica; // in a group
};

/// Cuts the bytes into entries of at most LOG_ENTRY_BYTES_MAX and sends them on their way, in the term of the transaction. From
/// then on the flight belongs to the applier; on failure it is the caller's still. ERR_NOT_LEADER: that term is over.
enum err commits_submit(struct graph *g, struct flight *f, enum log_kind kind, uint64_t term, struct error *e) NODISCARD;
/// The term in which this member may write, which every transaction keeps from its first write on (contract 14). ERR_NOT_LEADER.
enum err commits_term(struct graph *g, uint64_t *ret, struct error *e) NODISCARD;
/// Remembers the origin of a change of the schema until it has landed; {0} then.
void commits_note_schema(struct commits *c, struct graph_origin origin);
enum err commits_check_term(struct graph *g, uint64_t term, struct error *e) NODISCARD;
/// Up to here entries are committed: in the durable log, or by the group.
uint64_t commits_mark(struct graph *g);

/// The disk has no room for what is queued in the log: takes back every flight of which nothing is on disk. They land with
/// ERR_NOSPC, as if they had not been submitted, and further ones are refused until commits_find_room. The log writer only.
void commits_refuse(struct graph *g, const struct error *cause);
/// ERR_OK if the log may be written: there always was room, or is again. ERR_NOSPC, also as long as not all that was refused has
/// landed. The log writer only.
enum err commits_find_room(struct graph *g, struct error *e) NODISCARD;
/// What whoever wanted to write is told: a log without room, or one that failed, is ERR_TX_LOG.
enum err commits_error(enum err err, struct error *e) NODISCARD;
/// What became of what has fallen, in words: "The transaction was not committed: ...".
enum err commits_fallen(enum err fate, const char *what_was_not_done, struct error *e) NODISCARD;
/// These will never be published; the mutex is held. Afterwards the applier has work.
void commits_fell(struct commits *c, struct flight_list *list, enum err fate);

static inline void flight_push(struct flight_list *l, struct flight *f) {
  f->next = NULL;
  if (l->last != NULL)
    l->last->next = f;
  else
    l->first = f;
  l->last = f;
}

static inline struct flight *flight_pop(struct flight_list *l) {
  struct flight *f = l->first;
  if (f == NULL) return NULL;
  l->first = f->next;
  if (l->first == NULL) l->last = NULL;
  f->next = NULL;
  return f;
}

/// The applier has taken flights from the queue; the mutex is held.
void replica_taken(struct replica *r, size_t bytes, size_t flights);
/// Lets transactions write in the term that this member leads in, once what was before it has landed and its first entry is
/// applied: from then on what is published is the newest there is. The applier only.
void replica_open_term(struct graph *g);
/// Whether that is due.
bool replica_opens_term(struct graph *g);

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
/// After another member's verdict was published: whoever waits for one looks again.
void commits_wake_judged(struct graph *g);
