// The superblock's bytes: docs/formats/pages.md. Private to the module.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/pages.h"
#include "store/store.h"

struct store_root {
  char name[STORE_ROOT_NAME_MAX + 1];
  page_id id;
};

struct superblock {
  uint64_t sequence;
  uint8_t uuid[16];
  struct store_applied applied; // without the feature in the file, the commit time is 0
  uint64_t generation;          // and so is this
  uint64_t epoch;
  uint64_t map_physical, space_physical;
  uint32_t map_checksum, space_checksum;
  uint64_t physical_pages, id_high, pages_logical;
  uint32_t root_count;
  struct store_root roots[STORE_ROOTS_MAX];
  uint8_t meta[STORE_META_BYTES];
};

void superblock_encode(const struct superblock *sb, uint8_t to[PAGE_BYTES]);
/// ERR_CORRUPT without a message if it is none; ERR_UNSUPPORTED for a version that is not known.
enum err superblock_decode(const uint8_t from[PAGE_BYTES], struct superblock *ret, struct error *e);
