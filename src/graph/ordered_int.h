// An ordered map in memory: byte-string keys in memcmp order, each with a word that belongs to the caller. A treap whose
// priorities are hashes of the keys, so that its shape does not depend on the order of insertion. Nodes live in an arena and are
// never removed: a transaction's overlay only grows. Not thread-safe.
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct ordered_node {
  struct ordered_node *left, *right;
  struct str key;
  uint64_t priority;
  uint64_t word[2];
};

struct ordered {
  struct arena *arena;
  struct ordered_node *root;
  size_t len;
};

/// The node with that key, made with zero words if it is new. ERR_NOMEM or the arena's budget error.
enum err ordered_put(struct ordered *o, struct str key, struct ordered_node **ret, struct error *e) NODISCARD;
/// The first node whose key is not below `key` (or, with `after`, above it); NULL at the end.
struct ordered_node *ordered_seek(const struct ordered *o, struct str key, bool after);
/// The last node whose key is not above `key` (or, with `before`, below it); NULL at the start.
struct ordered_node *ordered_seek_back(const struct ordered *o, struct str key, bool before);
