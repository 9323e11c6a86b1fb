// Values of any length in a B+tree, whose own values are short: the value under a key is cut into pieces under key + number.
#pragma once

#include "base/buf.h"
#include "store/btree.h"

/// Replaces what is under `key` (at most 32 bytes).
enum err chunked_put(struct page_batch *b, page_id root, struct bytes key, struct str value, struct error *e) NODISCARD;
enum err chunked_delete(struct page_batch *b, page_id root, struct bytes key, struct error *e) NODISCARD;

/// Calls `fn` for each value in order of key; `key_len` is the length of every key in this tree.
enum err chunked_each(const struct page_view *v, page_id root, size_t key_len,
                      enum err (*fn)(void *context, const uint8_t *key, struct str value, struct error *e), void *context,
                      struct error *e) NODISCARD;
