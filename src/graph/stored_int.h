// Values as they are stored: a tag, then either a fixed number of bytes or a run of them. The same bytes stand in property
// blocks, in lists and in log entries, so that applying a command copies properties without making values of them.
// Tags and layouts are on disk: docs/formats/graph.md.
#pragma once

#include "graph/coder_int.h"
#include "graph/types.h"

enum stored_tag {
  STORED_NONE = 0, // no property: in a command, its removal
  STORED_BOOL = 1,
  STORED_INT = 2,
  STORED_FLOAT = 3,
  STORED_STRING = 4,
  STORED_BYTES = 5,
  STORED_LIST = 6,
  STORED_DATE = 7,
  STORED_LOCAL_TIME = 8,
  STORED_TIME = 9,
  STORED_LOCAL_DATETIME = 10,
  STORED_DATETIME = 11,
  STORED_DURATION = 12,
  STORED_POINT_2D = 13,
  STORED_POINT_3D = 14,
  STORED_STRING_BIG = 15, // in property blocks only: the bytes are in an extent
  STORED_BYTES_BIG = 16,
  STORED_LIST_BIG = 17,
  STORED_TAG_MAX
};

enum { STORED_FIXED_MAX = 28, STORED_BIG_BYTES = 16 };

/// Width of a tag's fixed part; 0 for runs of bytes.
unsigned stored_width(enum stored_tag tag);
static inline bool stored_is_run(enum stored_tag tag) {
  return tag == STORED_STRING || tag == STORED_BYTES || tag == STORED_LIST;
}
static inline bool stored_is_big(enum stored_tag tag) {
  return tag >= STORED_STRING_BIG && tag <= STORED_LIST_BIG;
}

/// One property in its stored form. `run` is what follows for runs; its bytes belong to whoever made it.
struct stored {
  uint32_t key;
  uint8_t tag;
  uint8_t fixed[STORED_FIXED_MAX];
  struct str run;
};

/// Says whether a value may be a property: ERR_TYPE with Neo4j's text for maps, entities, mixed and nested lists.
enum err stored_check(struct value v, struct error *e) NODISCARD;

/// `v` (storable, not null) in stored form; list bytes are made in `a`, texts are shared.
enum err stored_of(struct value v, struct arena *a, struct stored *ret, struct error *e) NODISCARD;

/// The value of a stored form that is not big; texts are shared, the rest is made in `a`. ERR_CORRUPT for bytes that make no
/// sense.
enum err stored_value(enum stored_tag tag, const uint8_t *fixed, struct str run, struct arena *a, struct value *ret,
                      struct error *e) NODISCARD;

/// Writes tag, then fixed bytes or the length and the run; and back, sharing the run. Reading sets in->bad on nonsense.
enum err stored_put(struct buf *b, const struct stored *s) NODISCARD;
void stored_take(struct bytes_in *in, struct stored *ret);
