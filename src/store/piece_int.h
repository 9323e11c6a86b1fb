// A piece of a checkpoint: the map pages from a root down to one of level 0, and the pages that it names. Bytes and rules:
// docs/formats/copy.md. Pure: who reads a piece and who gets one check it with the same functions.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/checkpoint.h"
#include "store/pages_int.h"
#include "store/superblock_int.h"

struct piece {
  struct map_place places[CHECKPOINT_PIECE_PAGES_MAX]; // in order, as far as they are known
  uint32_t known, taken;
  uint64_t next;   // position behind it; known when it is whole
  uint64_t limit;  // physical pages of the file
  uint64_t wanted; // map page of level 0
  uint64_t number; // of the map page that is taken next
  uint8_t kind, levels;
  bool on_path; // it is the one wanted, or above it
};

/// The position itself, or that of the first piece behind it where its tree is empty.
uint64_t piece_settle(const struct superblock *sb, uint64_t position);

/// Whether the piece there is one of the page map; its position is then the number of its map page of level 0.
bool piece_is_of_pages(const struct superblock *sb, uint64_t position);

/// `position` is settled and not CHECKPOINT_END.
void piece_begin(struct piece *p, const struct superblock *sb, uint64_t position);

/// The page of 4096 bytes that belongs to places[taken]: checks it, and from a map page learns what follows. ERR_CORRUPT says
/// what is wrong.
enum err piece_take(struct piece *p, const uint8_t *page, struct error *e) NODISCARD;

static inline bool piece_is_whole(const struct piece *p) {
  return p->taken >= p->levels && p->taken == p->known;
}
