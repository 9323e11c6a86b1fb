// A graph whose log belongs to a group of members: graph_options.replicated. Whoever drives the group calls these, all from one
// thread at a time; the log's writer and its pruning are the group's, the other machines run as ever.
//
//   transactions -> (GRAPH_LOG_WRITER has work) -> graph_propose -> the group -> graph_receive -> the applier
//
// The fate of a commit is whether its entry, by index and term, is among the committed ones (contract 14): nothing is proposed
// twice, and a transaction whose place goes to another leader's entry is told that it was not committed.
#pragma once

#include "graph/graph.h"
#include "store/store.h"

/// Gives `entries`, which belong together, their places at the end of the group's log: fills in index and term. ERR_NOT_LEADER:
/// the term is over; ERR_LIMIT, ERR_NOMEM: later. Otherwise the group has failed, and nobody here knows whether the entries were
/// taken. The bytes are copied before it returns.
typedef enum err graph_proposer(void *context, uint64_t term, struct log_entry *entries, size_t count, struct error *e);

/// Hands over what waits to be proposed. ERR_LIMIT: the rest waits for a later call. What was refused for its term is told to its
/// owners. Errors: those of the proposer; ERR_NOMEM.
enum err graph_propose(struct graph *g, graph_proposer *propose, void *context, struct error *e) NODISCARD;

/// The next committed entry of the group, of whatever kind; its bytes are copied. Every one above graph_applied at opening comes,
/// in order. ERR_BUSY: the applier has enough to do, or the group was left; the same entry later. ERR_NOMEM. The cause, once the
/// graph has failed.
enum err graph_receive(struct graph *g, const struct log_entry *entry, struct error *e) NODISCARD;

/// This member leads in `term` (0: another does, or none). Transactions may write in it when its first entry is applied here;
/// what was begun in an earlier term is refused from now on, and what was not yet proposed is told so.
void graph_lead(struct graph *g, uint64_t term);

/// The term in which transactions may write here, 0: none; of a database in no group always the same. Any thread.
uint64_t graph_leading_term(struct graph *g);

/// The last entry that readers see. Any thread.
struct store_applied graph_applied(struct graph *g);

struct graph_found {
  uint64_t index;      // the transaction's id; 0: it is not there
  bool schema;         // it has changed the schema: by this entry, and maybe by later ones
  uint32_t constraint; // that it asks for: whether it is made is said by a later entry (graph_constraint_state); 0: none
};

/// What became of a commit, after whoever carried it out is gone: looks for the last entry of the transaction with that origin, or
/// of the first of its changes of the schema, among those from `*from` to `last`, all of which are applied here. Reads the disk: a
/// few hundred entries in one call, and moves `*from` on behind them. ERR_OK: it is found, or is not among them. ERR_WAIT: call
/// again. ERR_NOTFOUND: the log here does not go back so far. ERR_CORRUPT, ERR_NOMEM. Any thread.
enum err graph_find_origin(struct graph *g, struct graph_origin origin, uint64_t *from, uint64_t last, struct graph_found *ret,
                           struct error *e) NODISCARD;

/// Whether a change of the schema with that origin (not {0}) was sent on its way and has not landed, though its transaction may
/// have been given up meanwhile. What this says no to is applied, or never will be. Any thread.
bool graph_schema_is_on_its_way(struct graph *g, struct graph_origin origin);

/// As of what is applied here, the entry that asks for the constraint among it. POPULATING: whether the data allow it is not said
/// yet. FAILED: it is not there, because they do not, or was dropped since. Any thread.
enum graph_index_state graph_constraint_state(struct graph *g, uint32_t constraint);

/// This server stops, and will not wait for the group any longer: nothing is written or received any more, and whoever waits is
/// told that nobody here knows what becomes of it. What is committed meanwhile is in the log, and is applied at the next start.
/// Any thread.
void graph_group_left(struct graph *g);

/// The group is closed for good: nothing is written any more, and whoever waits is told. The log is not: the caller knows whether
/// it is a failure, or the database is dropped.
void graph_group_failed(struct graph *g, const struct error *cause);
