// Which entities have a token: label -> nodes, type -> relationships. Keys are (token, id / 2048); a value is a sorted array of
// 16-bit low parts, or from 128 of them on a bitmap of 2048 bits.
#pragma once

#include "graph/layout_int.h"
#include "store/btree.h"

enum { MEMBERS_SPAN = 2048 };

enum err members_add(struct page_batch *b, page_id root, graph_token token, graph_id id, struct error *e) NODISCARD;
enum err members_remove(struct page_batch *b, page_id root, graph_token token, graph_id id, struct error *e) NODISCARD;
enum err members_has(const struct page_view *v, page_id root, graph_token token, graph_id id, bool *ret,
                     struct error *e) NODISCARD;

/// Up to `cap` ids from `from` on, ascending. `*ret_next` is where to go on, UINT64_MAX at the end.
enum err members_scan(const struct page_view *v, page_id root, graph_token token, graph_id from, graph_id *ids, uint32_t cap,
                      uint32_t *ret_n, graph_id *ret_next, struct error *e) NODISCARD;
