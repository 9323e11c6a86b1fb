// Property blocks: shape, fixed part, runs. A relationship's block of at most 16 bytes stands in its record; other blocks are in
// slots, the longest in extents. Runs above PROPERTY_BIG_BYTES have extents of their own.
#pragma once

#include "graph/blocks_int.h"
#include "graph/shape_int.h"

enum {
  PROPERTY_BIG_BYTES = 1000,
  PROPERTY_INLINE_BYTES = 16,
};

/// Where an entity's properties are: in its record, or behind a pointer (BLOCK_NONE: it has none).
struct property_place {
  const uint8_t *in_record; // PROPERTY_INLINE_BYTES of them, or NULL
  block_ptr pointer;
};

/// An open block; dies with page access, or with the arena if it was an extent.
struct property_block {
  const uint8_t *at;
  uint64_t room;
  const struct shape *shape; // NULL: no properties at all
};

/// `a` takes what is in extents and descriptions.
enum err property_open(const struct shapes *s, const struct page_view *v, struct property_place place, struct arena *a,
                       struct property_block *ret, struct error *e) NODISCARD;

/// Bytes of one run in its block. ERR_CORRUPT if they leave it.
enum err property_run(const struct property_block *b, const struct shape_property *p, struct str *ret, struct error *e) NODISCARD;

/// Its value. Texts in the block are shared with it; big ones are read into `a`.
enum err property_value(const struct page_view *v, const struct property_block *b, const struct shape_property *p,
                        struct arena *a, struct value *ret, struct error *e) NODISCARD;

/// The stored forms of all, sorted by key, in `a`; runs are shared with the block.
enum err property_list(const struct property_block *b, struct arena *a, struct stored **ret, uint32_t *ret_n,
                       struct error *e) NODISCARD;

// ---- the applier's side ----

struct property_store {
  struct blocks *blocks;
  struct shapes *shapes;
};

/// The block of `list` (sorted by key, none removed) into `out`; big runs go to extents.
enum err property_encode(const struct property_store *s, struct page_batch *b, struct stored *list, uint32_t n, struct buf *out,
                         struct error *e) NODISCARD;

/// Puts an encoded block into a slot or an extent.
enum err property_place_block(const struct property_store *s, struct page_batch *b, struct str block, block_ptr *ret,
                              struct error *e) NODISCARD;

/// Puts an encoded block in the place of the one behind `*pointer` (BLOCK_NONE: there is none), over it where it has the right
/// size. What big runs the old one had is the caller's to free.
enum err property_replace_block(const struct property_store *s, struct page_batch *b, struct str block, block_ptr *pointer,
                                struct error *e) NODISCARD;

/// Frees the block behind a pointer, without the extents of its big runs.
enum err property_free_block(const struct property_store *s, struct page_batch *b, block_ptr p, struct error *e) NODISCARD;
/// Frees the extent of a big run.
enum err property_free_big(struct page_batch *b, const struct stored *p, struct error *e) NODISCARD;
