// Shapes: which properties an entity has and of which types. Entities share shapes, so that a property block says its shape in
// four bytes and readers find a property's place once for a whole batch (contract 8).
//
// Shapes are numbered from 1, never change and never go. Number 0 stands for a block that describes itself: for entities with
// very many properties, and when there are too many shapes. Readers look at the table without a lock; the applier adds.
#pragma once

#include "base/map.h"
#include "graph/stable_int.h"
#include "graph/stored_int.h"
#include "store/btree.h"

enum {
  SHAPES_MAX = 65536,
  SHAPE_PROPERTIES_MAX = 255, // of a numbered shape
  DESCRIBED_PROPERTIES_MAX = 65535,
  SHAPE_ID_BYTES = 4,
};

struct shape_property {
  uint32_t key;
  uint8_t tag;
  uint32_t offset;   // of its fixed bytes, or of the 32-bit end of its run, from the block's start
  uint32_t previous; // runs: offset of the end of the run before, 0 for the first
};

struct shape {
  uint32_t id;
  uint32_t count;
  uint32_t runs_at; // where runs begin, from the block's start
  struct shape_property properties[];
};

struct shapes {
  page_id root;        // tree "shapes": id -> key u24, tag u8 each
  struct stable table; // id -> struct shape *
  struct map by_hash;  // applier only: hash of keys and tags -> id
  uint32_t count;      // applier only
};

void shapes_init(struct shapes *s);
void shapes_done(struct shapes *s);
/// Reads the tree: at open, and after an aborted batch.
enum err shapes_load(struct shapes *s, const struct page_view *v, struct error *e) NODISCARD;

static inline const struct shape *shapes_get(const struct shapes *s, uint32_t id) {
  return (const struct shape *) (uintptr_t) stable_get(&s->table, id);
}

/// The shape of properties that are sorted by key; `*ret` NULL when the block must describe itself. The applier only.
enum err shapes_find(struct shapes *s, struct page_batch *b, const struct stored *list, uint32_t n, const struct shape **ret,
                     struct error *e) NODISCARD;

/// Reads the description of a block that has no numbered shape. ERR_CORRUPT if it does not fit `room`.
enum err shape_described(const uint8_t *block, uint64_t room, struct arena *a, const struct shape **ret,
                         struct error *e) NODISCARD;
/// Bytes before the fixed part of a block that describes itself.
static inline uint32_t shape_described_bytes(uint32_t n) {
  return 8 + 4 * n;
}

/// The property with that key, or NULL.
const struct shape_property *shape_find(const struct shape *s, uint32_t key);
