// Bookmarks: which transaction a client has seen, as text. Private to dbms. Pure.
//
// Ours is "Q1:<database uuid>:<transaction id>"; Bolt up to 3 gets "neo4j:bookmark:v1:tx<id>", whose number drivers of that time
// compare. Both are understood everywhere.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define BOOKMARK_BYTES_MAX 64u

/// Writes it into `to`, which the result points to. Needs no memory: a durable commit is answered whatever happens.
struct str bookmark_write(char to[BOOKMARK_BYTES_MAX], const char *uuid, uint64_t id, bool legacy);

enum bookmark_kind { BOOKMARK_NONE, BOOKMARK_DATABASE, BOOKMARK_LEGACY };

/// An empty text is BOOKMARK_NONE. ERR_BOOKMARK_INVALID with Neo4j's message. `*ret_uuid` points into `text`.
enum err bookmark_read(struct str text, enum bookmark_kind *ret_kind, struct str *ret_uuid, uint64_t *ret_id, struct error *e) NODISCARD;
