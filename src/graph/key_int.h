// Keys of range indexes: values as bytes whose memcmp order is Cypher's order within a type, and the order of types across them.
// Integers and floats are one number line: 2^53 + 1 is between its neighbouring floats. Text ends in 00 00 with inner 00 written
// as 00 FF; composite keys stand one behind the other; the entity id, 5 bytes, comes last. A key that would be too long is cut
// and ends in a hash of the whole: equal values still have equal keys, and whoever reads one looks at the record again.
#pragma once

#include "base/buf.h"
#include "graph/types.h"
#include "store/btree.h"

enum {
  KEY_ID_BYTES = 5,
  KEY_VALUES_MAX = 900, // bytes of the values' part; what is longer is cut to KEY_CUT_BYTES and hashed
  KEY_CUT_BYTES = KEY_VALUES_MAX - 16,
};

/// Appends one value. ERR_INVALID for what cannot be a key (null, map, entity).
enum err key_put_value(struct buf *b, struct value v) NODISCARD;

/// Appends the beginning of every text that starts with `prefix`.
enum err key_put_prefix(struct buf *b, struct str prefix) NODISCARD;

/// The first byte of every key of that value's type: keys of the type are in [class, class + 1).
uint8_t key_class(struct value v);

/// Appends the first key above all comparable numbers (where NaN stands).
enum err key_put_nan(struct buf *b) NODISCARD;

/// Cuts a values' part that is too long. True if it did.
bool key_cut(struct buf *b);

/// The whole key: values, cut if need be, and id. `*ret_cut` (may be NULL) says so.
enum err key_make(struct buf *b, const struct value *values, uint32_t n, graph_id id, bool *ret_cut) NODISCARD;

/// How many bytes of the values' part stand in Cypher's order (value_order). Fewer than all of them where what follows is a list,
/// a time zone, or has been cut; then keys that share them are in no order.
size_t key_ordered_bytes(struct str values);

/// The id at the end, or UINT64_MAX for a key that is too short.
graph_id key_id(struct str key);
static inline struct str key_values(struct str key) {
  return (struct str){key.ptr, key.len >= KEY_ID_BYTES ? key.len - KEY_ID_BYTES : 0};
}
static inline bool key_is_cut(struct str key) {
  return key_values(key).len == KEY_VALUES_MAX;
}
