#include "store/superblock_int.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define SUPERBLOCK_MAGIC 0x53505651u // QVPS
#define SUPERBLOCK_VERSION 1u
#define ROOTS_OFFSET 128u
#define ROOT_BYTES 24u
#define FEATURE_APPLIED 1u // commit time and generation are set
#define GENERATION_OFFSET 896u
#define META_OFFSET 1024u
#define CHECKSUM_OFFSET 4088u

_Static_assert(ROOTS_OFFSET + STORE_ROOTS_MAX * ROOT_BYTES <= GENERATION_OFFSET, "roots end before what follows");
_Static_assert(META_OFFSET + STORE_META_BYTES <= CHECKSUM_OFFSET, "metadata ends before the checksum");

void superblock_encode(const struct superblock *sb, uint8_t to[PAGE_BYTES]) {
  memset(to, 0, PAGE_BYTES);
  put_u32_le(to, SUPERBLOCK_MAGIC);
  put_u16_le(to + 4, SUPERBLOCK_VERSION);
  put_u16_le(to + 6, PAGE_BYTES);
  put_u64_le(to + 8, sb->sequence);
  memcpy(to + 16, sb->uuid, 16);
  put_u64_le(to + 32, sb->applied.index);
  put_u64_le(to + 40, sb->applied.term);
  put_u64_le(to + 48, sb->epoch);
  put_u64_le(to + 56, sb->map_physical);
  put_u32_le(to + 64, sb->map_checksum);
  put_u64_le(to + 72, sb->space_physical);
  put_u32_le(to + 80, sb->space_checksum);
  put_u64_le(to + 88, sb->physical_pages);
  put_u64_le(to + 96, sb->id_high);
  put_u64_le(to + 104, sb->pages_logical);
  put_u32_le(to + 112, sb->root_count);
  put_u32_le(to + 116, FEATURE_APPLIED);
  put_u64_le(to + 120, (uint64_t) sb->applied.commit_time_ns);
  put_u64_le(to + GENERATION_OFFSET, sb->generation);
  for (uint32_t i = 0; i < sb->root_count; i++) {
    memcpy(to + ROOTS_OFFSET + i * ROOT_BYTES, sb->roots[i].name, sizeof sb->roots[i].name);
    put_u64_le(to + ROOTS_OFFSET + i * ROOT_BYTES + 16, sb->roots[i].id);
  }
  memcpy(to + META_OFFSET, sb->meta, STORE_META_BYTES);
  put_u64_le(to + CHECKSUM_OFFSET, hash64(to, CHECKSUM_OFFSET, 0));
}

static bool sane(const struct superblock *sb) {
  return sb->root_count <= STORE_ROOTS_MAX && sb->physical_pages >= 2 && sb->map_physical < sb->physical_pages &&
         sb->space_physical < sb->physical_pages && sb->physical_pages < UINT64_C(1) << 48;
}

enum err superblock_decode(const uint8_t from[PAGE_BYTES], struct superblock *ret, struct error *e) {
  if (get_u32_le(from) != SUPERBLOCK_MAGIC || get_u64_le(from + CHECKSUM_OFFSET) != hash64(from, CHECKSUM_OFFSET, 0)) return ERR_CORRUPT;
  if (get_u16_le(from + 4) != SUPERBLOCK_VERSION || get_u16_le(from + 6) != PAGE_BYTES)
    return error_set(e, ERR_UNSUPPORTED, "The store is of format version %u with pages of %u bytes; this server reads version %u with %u.",
                     get_u16_le(from + 4), get_u16_le(from + 6), SUPERBLOCK_VERSION, PAGE_BYTES);
  ret->sequence = get_u64_le(from + 8);
  memcpy(ret->uuid, from + 16, 16);
  bool has_applied = get_u32_le(from + 116) & FEATURE_APPLIED;
  ret->applied.index = get_u64_le(from + 32);
  ret->applied.term = get_u64_le(from + 40);
  ret->applied.commit_time_ns = has_applied ? (int64_t) get_u64_le(from + 120) : 0;
  ret->generation = has_applied ? get_u64_le(from + GENERATION_OFFSET) : 0;
  ret->epoch = get_u64_le(from + 48);
  ret->map_physical = get_u64_le(from + 56);
  ret->map_checksum = get_u32_le(from + 64);
  ret->space_physical = get_u64_le(from + 72);
  ret->space_checksum = get_u32_le(from + 80);
  ret->physical_pages = get_u64_le(from + 88);
  ret->id_high = get_u64_le(from + 96);
  ret->pages_logical = get_u64_le(from + 104);
  ret->root_count = get_u32_le(from + 112);
  if (!sane(ret)) return ERR_CORRUPT;
  for (uint32_t i = 0; i < ret->root_count; i++) {
    memcpy(ret->roots[i].name, from + ROOTS_OFFSET + i * ROOT_BYTES, sizeof ret->roots[i].name);
    ret->roots[i].name[STORE_ROOT_NAME_MAX] = '\0';
    ret->roots[i].id = get_u64_le(from + ROOTS_OFFSET + i * ROOT_BYTES + 16);
  }
  memcpy(ret->meta, from + META_OFFSET, STORE_META_BYTES);
  return ERR_OK;
}
