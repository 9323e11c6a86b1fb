// The few plain types that all of graph's headers share.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"
#include "value/vec.h"

/// Node and relationship ids are below 2^40 and never used again (contract 16).
typedef uint64_t graph_id;
#define GRAPH_ID_MAX ((UINT64_C(1) << 40) - 1)

/// Labels, relationship types and property keys are numbered, each kind from 0.
typedef uint32_t graph_token;
#define GRAPH_ANY UINT32_MAX // in place of a token: no restriction

enum graph_kind { GRAPH_NODE, GRAPH_REL };
enum graph_token_kind { GRAPH_LABEL, GRAPH_TYPE, GRAPH_KEY, GRAPH_TOKEN_KIND_MAX };
enum graph_direction { GRAPH_OUT = 1, GRAPH_IN = 2, GRAPH_BOTH = 3 };

enum {
  GRAPH_TOKEN_BYTES_MAX = 16383, // of a name
  GRAPH_INDEX_KEYS_MAX = 16,     // properties of one index
};

struct graph_property {
  graph_token key;
  struct value value;
};

/// Who asked for a transaction, and its number there: in the log with it, so that what became of the commit can be read there
/// (contract 12). Member 0: nobody in particular.
struct graph_origin {
  uint64_t member, sequence;
};

struct graph;      // one database
struct graph_tx;   // one transaction; one owner at a time
struct graph_view; // what a statement sees: snapshot, overlay, access filter

/// What a user may see (privileges). NULL means everything. Opaque until roles exist; every view carries one.
struct graph_access;
