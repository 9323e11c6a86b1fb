// Small blocks of bytes in pages: each page holds slots of one size class. A block's address is a block_ptr and never moves.
// The tree named "blocks" lists the pages that have a free slot, by class; nothing else needs to be known to allocate.
// Only the applier calls these.
#pragma once

#include "graph/layout_int.h"
#include "store/btree.h"

enum { BLOCK_CLASSES = 22, BLOCK_BYTES_MAX = 4064 };

struct blocks {
  page_id root;                   // of the tree of pages with room: class u8, page u48 big-endian
  page_id current[BLOCK_CLASSES]; // where the last block of a class was put: tried first
};

/// Usable bytes of the class that a block of `bytes` gets.
unsigned blocks_class_bytes(unsigned bytes);

/// A block of at least `bytes` (at most BLOCK_BYTES_MAX), not zeroed; `*ret_at` is its place until the batch rests.
enum err blocks_alloc(struct blocks *k, struct page_batch *b, unsigned bytes, enum block_kind kind, block_ptr *ret, void **ret_at,
                      struct error *e) NODISCARD;
enum err blocks_free(struct blocks *k, struct page_batch *b, block_ptr p, struct error *e) NODISCARD;

/// Where a block of `bytes` may be written over the one at `p`, which has the class that such a block gets; `*ret_at` NULL: not
/// there.
enum err blocks_reuse(struct page_batch *b, block_ptr p, unsigned bytes, void **ret_at, struct error *e) NODISCARD;

/// Forgets where it put things: after an aborted batch.
void blocks_forget(struct blocks *k);

/// The bytes of a block through a view, with how many there are up to the end of its page; ERR_CORRUPT for a wild pointer.
enum err block_read(const struct page_view *v, block_ptr p, const uint8_t **ret, unsigned *ret_room, struct error *e) NODISCARD;
/// The same to be changed.
enum err block_write(struct page_batch *b, block_ptr p, uint8_t **ret, struct error *e) NODISCARD;

enum { BLOCKS_PAGE_MAGIC = 0x314B4C42 };
