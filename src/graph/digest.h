// Digests of the state, by which the members of a group find out whether they hold the same (contract 12, docs/adr/0014).
//
// Whoever leads puts an entry into the log that names a range: "digest nodes a to b as of here". Every server that applies it,
// member or read replica, holds on to what is published just then, and adds up what is in the range in small steps beside
// everything else (GRAPH_SCRUBBER). Equal states have equal digests, wherever in pages they lie. One range follows the other,
// until all have been compared; then it begins anew once something has changed. Nothing of it is on the way of a commit.
// Comparing is up to `dbms`.
#pragma once

#include "graph/graph.h"

/// What a range is of. On disk: docs/formats/log.md.
enum digest_of {
  DIGEST_NODES = 1, // labels, properties, how many relationships of which type
  DIGEST_RELS = 2,  // type, ends, properties
  DIGEST_NAMES = 3, // of labels, types and keys; indexes and constraints. All of them at once
  DIGEST_OF_MAX
};

struct digest_range {
  enum digest_of of;
  graph_id from, to; // ids from `from` to below `to`
};

struct digest_result {
  struct digest_range range;
  uint64_t index;    // of the entry, as of which it is; 0: there is none yet
  uint64_t digest;   // 0: not all of it can be read here, because the disk or what it holds is damaged
  uint64_t entities; // in the range
  uint32_t voters;   // of the group, as whoever asked says; 0: it does not say, being of a version before that
};

/// "nodes", "relationships", "names".
const char *digest_of_text(enum digest_of of);

/// Whether this member leads, and something has changed since the last time that everything was compared. Any thread.
bool graph_digest_is_due(struct graph *g);

/// Everything is to be compared again, if it was: somebody has started anew and nobody knows with what. Any thread.
void graph_digest_again(struct graph *g);

/// Sends the entry for the next range on its way, which tells whoever takes no part in the group how many members vote (at most
/// 255). ERR_BUSY: the last one still is; ERR_NOT_LEADER; errors of a commit. Any thread.
enum err graph_digest_ask(struct graph *g, uint32_t voters, struct error *e) NODISCARD;

/// The last range that was digested here. Any thread.
void graph_digest_last(struct graph *g, struct digest_result *ret);
