// What a transaction does, as it stands in the log: logical commands with ids already given. The one codec for them.
// Layout: docs/formats/graph.md. Decoding is for hostile bytes and fuzzed.
#pragma once

#include "base/arena.h"
#include "graph/schema_int.h"
#include "graph/stored_int.h"

enum { COMMAND_VERSION = 1, COMMAND_ITEMS_MAX = 1 << 20 };

enum command_kind {
  COMMAND_CREATE_NODE = 1,
  COMMAND_CREATE_REL = 2,
  COMMAND_UPDATE_NODE = 3,
  COMMAND_UPDATE_REL = 4,
  COMMAND_DELETE_REL = 5,
  COMMAND_DELETE_NODE = 6,
  COMMAND_DETACH_DELETE_NODE = 7,
  COMMAND_TOKEN = 8,          // in entries of kind LOG_TOKEN
  COMMAND_INDEX_CREATE = 9,   // LOG_SCHEMA
  COMMAND_INDEX_DROP = 10,    // LOG_SCHEMA
  COMMAND_INDEX_VERDICT = 11, // LOG_SCHEMA_VERDICT
  COMMAND_KIND_MAX
};

/// One command; which members count is said by its kind. Arrays and texts belong to whoever made them.
struct command {
  enum command_kind kind;
  graph_id id;               // of the node or relationship
  graph_id start, end;       // CREATE_REL
  graph_token type;          // CREATE_REL
  const graph_token *labels; // CREATE_NODE: all; UPDATE_NODE: added. Ascending
  uint32_t label_count;
  const graph_token *removed; // UPDATE_NODE. Ascending
  uint32_t removed_count;
  const struct stored *properties; // sorted by key; STORED_NONE in an update removes
  uint32_t property_count;
  enum graph_token_kind token_kind; // TOKEN
  graph_token token;                // TOKEN
  struct str name;                  // TOKEN
  struct schema_index index;        // INDEX_CREATE
  uint32_t index_id;                // INDEX_DROP, INDEX_VERDICT
  struct str failure;               // INDEX_VERDICT: empty means online
};

/// The version byte that a transaction's bytes begin with.
enum err command_begin(struct buf *b) NODISCARD;
enum err command_put(struct buf *b, const struct command *c) NODISCARD;

/// Reads the version; ERR_CORRUPT for one that this build does not know.
enum err command_open(struct bytes_in *in, struct error *e) NODISCARD;
/// The next command; texts are shared with the bytes, arrays are made in `a`. At the end of the bytes do not call it.
enum err command_take(struct bytes_in *in, struct arena *a, struct command *ret, struct error *e) NODISCARD;
