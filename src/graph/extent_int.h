// Long runs of bytes in chains of whole pages: big property values and, rarely, a whole property block.
#pragma once

#include "base/arena.h"
#include "graph/layout_int.h"

/// Writes `bytes` to new pages.
enum err extent_write(struct page_batch *b, struct str bytes, block_ptr *ret, struct error *e) NODISCARD;
enum err extent_free(struct page_batch *b, block_ptr p, struct error *e) NODISCARD;
/// All of it, `bytes` long, into `a`. ERR_CORRUPT if the chain is shorter or longer.
enum err extent_read(const struct page_view *v, block_ptr p, uint64_t bytes, struct arena *a, struct str *ret,
                     struct error *e) NODISCARD;
/// How long it is, from its first page.
enum err extent_length(const struct page_view *v, block_ptr p, uint64_t *ret, struct error *e) NODISCARD;
