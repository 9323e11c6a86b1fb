// Transactions: the third of the four headers that a query may use (contract 9).
//
// Life: begin; for each statement: graph_tx_statement, reads and writes with graph_tx_seal between clauses where a later read can
// touch what was written (contract 2), graph_tx_seal at the end; then commit (which may return ERR_WAIT) or rollback.
// One owner thread at a time; graph_tx_kill may be called from any.
#pragma once

#include "graph/types.h"

struct graph_tx_options {
  bool read_only;                    // writes give ERR_ACCESS_MODE
  bool repeatable;                   // keep the first statement's snapshot instead of a fresh one each
  struct mem_budget *budget;         // what the overlay is charged to; may be NULL
  const struct graph_access *access; // NULL: everything
  int64_t lock_timeout_ns;           // 0: wait for ever
  struct str metadata;               // encoded transaction metadata for the log; may be empty
  struct graph_origin origin;        // into every entry of the transaction
  uint64_t term;                     // in a group: it writes in this term or not at all; 0: in that of its first write
};

enum err graph_tx_begin(struct graph *g, const struct graph_tx_options *options, struct graph_tx **ret,
                        struct error *e) NODISCARD;

/// Starts a statement: takes a fresh snapshot unless repeatable, and seals what earlier statements wrote.
enum err graph_tx_statement(struct graph_tx *tx, struct error *e) NODISCARD;

/// A barrier: pending writes become visible to GRAPH_READ_SNAPSHOT. Cheap when there are none. `end_of_statement`: also checks
/// that no deleted node has relationships left (ERR_CONSTRAINT: "Cannot delete node<5>, because it still has relationships...").
enum err graph_tx_seal(struct graph_tx *tx, bool end_of_statement, struct error *e) NODISCARD;

/// Commits. ERR_WAIT: not yet durable and published; call again after graph_tx_on_ready has fired. ERR_OK: done, locks released,
/// `*ret_id` is the transaction id for a bookmark (the last one known for a read-only transaction). ERR_TX_LOG: the log has no
/// room, and the transaction is not committed; or it failed, and whether the transaction is committed shows after a restart. The
/// transaction is over after ERR_OK and after any other error (rolled back); free it in both cases.
enum err graph_tx_commit(struct graph_tx *tx, uint64_t *ret_id, struct error *e) NODISCARD;
void graph_tx_rollback(struct graph_tx *tx);
/// Rolls back if still open. NULL is fine.
void graph_tx_free(struct graph_tx *tx);

/// After ERR_WAIT: arranges that `ready(context)` is called once, from any thread, when trying again makes sense (lock granted or
/// refused, commit published, page to be read). It may be called before this returns. It runs under the graph's mutexes: it may
/// post a message or set a flag, but must not call into the graph.
void graph_tx_on_ready(struct graph_tx *tx, void (*ready)(void *context), void *context);

/// True: this thread may block for a cold page (a worker). False: ERR_WAIT instead (a connection's thread); `ready` comes at
/// once, and the next attempt reads the page even if that blocks: make it on a worker.
void graph_tx_set_blocking(struct graph_tx *tx, bool may_block);

/// Makes what runs or waits in this transaction fail with `reason` soon. Any thread. A commit past its point of no return goes
/// on.
void graph_tx_kill(struct graph_tx *tx, enum err reason);
/// The reason, or ERR_OK. Cheap: operators ask once a batch.
enum err graph_tx_killed(const struct graph_tx *tx);

bool graph_tx_has_writes(const struct graph_tx *tx);
/// It has begun to write, or to change the schema. Any thread.
bool graph_tx_is_writing(const struct graph_tx *tx);
/// It has sent a change of the schema on its way, which comes or not whatever becomes of the transaction. Any thread.
bool graph_tx_changes_schema(const struct graph_tx *tx);
/// How many changes the transaction has made so far: a measure of what its commit will cost.
uint64_t graph_tx_changes(const struct graph_tx *tx);
/// The commit is past its point of no return, and what ERR_WAIT waits for is the log alone: no page, no lock.
bool graph_tx_is_committing(const struct graph_tx *tx);
uint64_t graph_tx_last_committed(const struct graph *g);
/// ERR_OK when the transaction `id` is applied here; ERR_WAIT and a call of `ready` (as in graph_tx_on_ready) when it is; used by
/// bookmarks. Also called when the graph has failed: asking again then gives the failure.
enum err graph_await(struct graph *g, uint64_t id, void (*ready)(void *context), void *context, struct error *e) NODISCARD;
/// Forgets the waits with that context: when it returns, their `ready` has been called or never will be.
void graph_await_cancel(struct graph *g, const void *context);
