// PackStream as a client meets it: every value that a server may send, entities included, as a tree in an arena. Pure. (wire/packstream.h
// is the server's side: it refuses what no client may send.)
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum packed_kind { PACKED_NULL, PACKED_BOOL, PACKED_INT, PACKED_FLOAT, PACKED_STRING, PACKED_BYTES, PACKED_LIST, PACKED_MAP, PACKED_STRUCT };

struct packed {
  enum packed_kind kind;
  uint8_t tag;  // STRUCT
  uint32_t len; // LIST, STRUCT: items; MAP: entries, each a key and a value in `items`
  union {
    bool b;
    int64_t i;
    double f;
    struct str s; // STRING, BYTES: in the message
    struct packed *items;
  };
  struct str bytes; // as it came: to be sent back as a parameter
};

/// Reads one value off the front of `*rest`, which outlives it. ERR_PROTOCOL for what is no PackStream.
enum err packed_read(struct arena *a, struct str *rest, struct packed *ret, struct error *e) NODISCARD;

/// The entry's value, or NULL; NULL also where `map` is NULL or no map.
const struct packed *packed_get(const struct packed *map, const char *key);
/// Its text or number; an empty text, or `otherwise`, where it is not there.
struct str packed_get_str(const struct packed *map, const char *key);
int64_t packed_get_int(const struct packed *map, const char *key, int64_t otherwise);
