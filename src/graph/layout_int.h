// How this module's bytes lie in pages: pointers, small integers, limits. The whole is in docs/formats/graph.md.
#pragma once

#include "base/bytes.h"
#include "graph/types.h"
#include "store/pages.h"

/// Where a block is: page << 12 | offset in the page (a multiple of 8) | kind. 48 bits on disk.
typedef uint64_t block_ptr;
#define BLOCK_NONE UINT64_C(0)

enum block_kind {
  BLOCK_PROPERTIES = 1, // a property block in a slot
  BLOCK_EXTENT = 2,     // bytes in a chain of whole pages
  BLOCK_LABELS = 3,     // the labels of a node with more than three
  BLOCK_ADJACENCY = 4,  // relationships of one type and direction, in a slot
  BLOCK_DIRECTORY = 5,  // one pointer for each type, in a slot
  BLOCK_HUB = 6,        // the root page of a tree of relationships
};

static inline page_id block_page(block_ptr p) {
  return p >> 12;
}
static inline unsigned block_offset(block_ptr p) {
  return p & 0xFF8;
}
static inline enum block_kind block_kind(block_ptr p) {
  return (enum block_kind)(p & 7);
}
static inline block_ptr block_at(page_id page, unsigned offset, enum block_kind kind) {
  return page << 12 | offset | kind;
}

static inline uint32_t get_u24(const uint8_t *p) {
  return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16;
}
static inline void put_u24(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t) v, p[1] = (uint8_t) (v >> 8), p[2] = (uint8_t) (v >> 16);
}
static inline uint64_t get_u40(const uint8_t *p) {
  return get_u32_le(p) | (uint64_t) p[4] << 32;
}
static inline void put_u40(uint8_t *p, uint64_t v) {
  put_u32_le(p, (uint32_t) v);
  p[4] = (uint8_t) (v >> 32);
}
static inline uint64_t get_u48(const uint8_t *p) {
  return get_u32_le(p) | (uint64_t) get_u16_le(p + 4) << 32;
}
static inline void put_u48(uint8_t *p, uint64_t v) {
  put_u32_le(p, (uint32_t) v);
  put_u16_le(p + 4, (uint16_t) (v >> 32));
}
static inline void put_u40_be(uint8_t *p, uint64_t v) {
  p[0] = (uint8_t) (v >> 32);
  put_u32_be(p + 1, (uint32_t) v);
}
static inline uint64_t get_u40_be(const uint8_t *p) {
  return (uint64_t) p[0] << 32 | get_u32_be(p + 1);
}

#define TOKEN_MAX ((1u << 24) - 1) // tokens are 24 bits on disk
