// Bookmarks: which transaction a client has seen, as text. Private to dbms. Pure.
//
// Ours is "Q1:<database uuid>:<transaction id>", of a later generation of its store than the first (store/log.h)
// "Q1:<database uuid>:<generation>:<transaction id>": after a forced recovery the numbers are others'. Bolt up to 3 gets
// "neo4j:bookmark:v1:tx<id>", whose number drivers of that time compare. Both are understood everywhere.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define BOOKMARK_BYTES_MAX 96u

/// Writes it into `to`, which the result points to, with a NUL behind it. Needs no memory: a durable commit is answered whatever
/// happens.
struct str bookmark_write(char to[BOOKMARK_BYTES_MAX], const char *uuid, uint64_t generation, uint64_t id, bool legacy);

enum bookmark_kind { BOOKMARK_NONE, BOOKMARK_DATABASE, BOOKMARK_LEGACY };

/// A value.
struct bookmark {
  enum bookmark_kind kind;
  struct str uuid;         // BOOKMARK_DATABASE; points into the text
  uint64_t generation, id; // generation: BOOKMARK_DATABASE
};

/// An empty text is BOOKMARK_NONE. ERR_BOOKMARK_INVALID with Neo4j's message.
enum err bookmark_read(struct str text, struct bookmark *ret, struct error *e) NODISCARD;
