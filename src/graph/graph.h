// One database: opening and closing it, and the machines that somebody must step. For `dbms`, `admin` and `server`; a query
// uses view.h, write.h, tx.h and stats.h alone.
//
// A graph has no threads. What waits is done by machines (contract 21): whoever opens the graph is told through `work_ready`
// that a machine has something to do, and calls graph_step for it, from one thread at a time for each machine:
//   GRAPH_LOG_WRITER     makes queued transactions durable, one sync for all that wait; in a group: something waits to be proposed
//   GRAPH_APPLIER        changes pages, publishes, releases locks, tells the waiting; also fills new indexes, in small steps
//   GRAPH_CHECKPOINTER   writes dirty pages beside the applier and prunes the log
//   GRAPH_READER         reads cold pages for transactions that may not block
//   GRAPH_SCRUBBER       adds up digests of the state (graph/digest.h)
// A test steps them itself (graph_settle) and is then a single-threaded, repeatable program.
#pragma once

#include "base/event.h"
#include "graph/types.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/random.h"
#include "store/log.h"
#include "store/pages.h"

enum graph_machine { GRAPH_LOG_WRITER, GRAPH_APPLIER, GRAPH_CHECKPOINTER, GRAPH_READER, GRAPH_SCRUBBER, GRAPH_MACHINE_MAX };

struct store_progress;

struct graph_options {
  struct disk *disk;
  struct clock *clock;
  struct random_source *random;
  const uint8_t *uuid;       // of a new database, 16 bytes; NULL: a random one
  struct page_pool *pool;    // shared by all databases; outlives them
  struct event_sink *events; // may be NULL
  struct log_options log;
  bool create;               // make the files if there are none
  bool replicated;           // the log belongs to a group: graph/replica.h
  bool accept_tail;          // replicated: what the log holds counts as committed, for whoever has lost the rest of the group
  bool read_only;            // of a read replica: nobody writes here, whoever leads
  bool direct;               // page file past the page cache
  uint64_t checkpoint_bytes; // log, or changed pages, after which a checkpoint starts; 0: 256 MB. Half of the pool is enough too
  uint64_t checkpoint_entries; // of the log, after which one starts too; 0: their number does not matter
  int64_t checkpoint_ns;       // after which whatever has changed is written; 0: time does not matter
  uint32_t index_sample_max; // unused entities a population step looks at; 0: 256
  uint32_t digest_range_ids; // ids that one digest covers (graph/digest.h); 0: 65,536
  /// From any thread, any time between open and close, also from within calls into the graph; must not call back into it.
  void (*work_ready)(void *context, enum graph_machine machine);
  /// Transactions may write in this term from now on. From within a step of the applier; must only take note. May be NULL.
  void (*leads)(void *context, uint64_t term);
  /// In a group: the pages are durable up to this entry, and the log may forget what is older. From within a step of the
  /// checkpointer, which may wait for the disk. True: to be called again, there is more to forget. May be NULL.
  bool (*checkpointed)(void *context, uint64_t index);
  void *context;
  /// How far recovery is, while graph_open replays the log: store_recover. May be NULL.
  void (*progress)(void *context, const struct store_progress *p);
};

/// Opens the database in `directory` (which exists) and replays its log. Errors: those of store_open; ERR_CORRUPT.
enum err graph_open(const char *directory, const struct graph_options *options, struct graph **ret, struct error *e) NODISCARD;

/// All transactions must be freed and no machine may be stepped any more. What was acknowledged is in the log. NULL is fine.
void graph_close(struct graph *g);

/// Does a bounded amount of the machine's work. `*ret_more`: there is more to do now. ERR_OK also when there was none. After an
/// error of the log writer or the applier the graph refuses commits (graph_failure); ERR_NOSPC and ERR_NOMEM may be tried again.
/// A log writer without room refuses the commits that wait for it with ERR_TX_LOG, and those that come, until an attempt finds
/// room.
enum err graph_step(struct graph *g, enum graph_machine machine, bool *ret_more, struct error *e) NODISCARD;

/// How long the last round of the log took, write and sync; 0: there was none yet. Any thread.
int64_t graph_round_ns(const struct graph *g);

/// Steps log writer, applier, reader and scrubber until none has work left. For tests and tools that own the whole graph.
enum err graph_settle(struct graph *g, struct error *e) NODISCARD;

/// Runs a whole checkpoint now. For tools and an orderly stop; nobody may step the checkpointer meanwhile.
enum err graph_checkpoint(struct graph *g, struct error *e) NODISCARD;

/// Refuses lock waits whose time is over. Call it about every 10 ms while transactions wait; returns the monotonic time of the
/// next one that will be refused, or INT64_MAX.
int64_t graph_expire_waits(struct graph *g);

/// Has a checkpoint begun whose time has come. Any thread, now and then; cheap.
void graph_look_at_clock(struct graph *g);

/// Has one begun soon: somebody wants a copy of the store that is about as new as it is now. Any thread.
void graph_checkpoint_soon(struct graph *g);

/// Ends all waits for an index or a verdict (graph_await): their `ready` is called now. Nobody may begin another one. Before closing.
void graph_end_waits(struct graph *g);

/// ERR_OK, or why this graph refuses to write.
enum err graph_failure(struct graph *g, struct error *e);

/// Walks everything and compares: adjacency from both ends with relationship records, indexes with records, counts with the
/// truth, blocks with who points to them. Calls `found` for each inconsistency; `*ret_found` is how many there were. No
/// transaction may commit meanwhile.
enum err graph_check(struct graph *g, void (*found)(void *context, struct str what), void *context, uint64_t *ret_found,
                     struct error *e) NODISCARD;

const uint8_t *graph_uuid(const struct graph *g); // 16 bytes
struct store *graph_store(struct graph *g);       // for backup and copy

/// Counters for metrics and SHOW; approximate while others work.
struct graph_counters {
  uint64_t transactions_open, transactions_committed, transactions_rolled_back;
  uint64_t locks_held, lock_waits, deadlocks;
  uint64_t batches_published, commands_applied;
  uint64_t digests; // ranges: graph/digest.h
  uint64_t nodes, relationships;       // committed
  uint64_t node_ids, relationship_ids; // given out
};
void graph_counters(struct graph *g, struct graph_counters *ret);
