#include "store/piece_int.h"

#include <assert.h>

#include "base/bytes.h"

#define SPACE_BIT (UINT64_C(1) << 62)

uint64_t piece_settle(const struct superblock *sb, uint64_t position) {
  if (position < SPACE_BIT && sb->map_physical == 0) position = SPACE_BIT;
  if (position >= SPACE_BIT && sb->space_physical == 0) position = CHECKPOINT_END;
  return position;
}

bool piece_is_of_pages(const struct superblock *sb, uint64_t position) {
  return piece_settle(sb, position) < SPACE_BIT;
}

void piece_begin(struct piece *p, const struct superblock *sb, uint64_t position) {
  assert(position != CHECKPOINT_END && piece_settle(sb, position) == position);
  bool space = position >= SPACE_BIT;
  p->places[0] =
      space ? (struct map_place){sb->space_physical, sb->space_checksum} : (struct map_place){sb->map_physical, sb->map_checksum};
  p->known = 1;
  p->taken = 0;
  p->kind = space ? MAP_SPACE : MAP_PAGES;
  p->levels = space ? SPACE_LEVELS : MAP_LEVELS;
  p->next = space ? CHECKPOINT_END : piece_settle(sb, SPACE_BIT);
  p->limit = sb->physical_pages;
  p->wanted = space ? position - SPACE_BIT : position;
  p->number = 0;
  p->on_path = true;
}

static enum err wrong(const struct piece *p, const char *what, struct error *e) {
  return error_set(e, ERR_CORRUPT, "A piece of a copied store is damaged: physical page %llu %s.",
                   (unsigned long long) p->places[p->taken].physical, what);
}

// Map pages of level 0 that one of `level` stands for.
static uint64_t span(unsigned level) {
  uint64_t leaves = 1;
  while (level-- > 0) leaves *= MAP_FANOUT;
  return leaves;
}

static enum err add_place(struct piece *p, const uint8_t *node, uint64_t slot, struct error *e) {
  struct map_place at = map_page_entry(node, slot);
  if (at.physical < SUPERBLOCKS || at.physical >= p->limit) return wrong(p, "names a page outside of the file", e);
  p->places[p->known++] = at;
  return ERR_OK;
}

static uint64_t next_entry(const uint8_t *node, uint64_t slot) {
  while (slot < MAP_FANOUT && map_page_entry(node, slot).physical == 0) slot++;
  return slot;
}

// The way down: to the wanted page, or to the first one where nobody says which. Behind it is where the next piece begins.
static enum err go_down(struct piece *p, unsigned level, const uint8_t *node, struct error *e) {
  uint64_t below = span(level - 1), first = p->on_path ? p->wanted / below % MAP_FANOUT : 0;
  uint64_t slot = next_entry(node, first), behind = next_entry(node, slot + 1);
  if (slot >= MAP_FANOUT) return wrong(p, "is a map page with nothing below it", e);
  TRY(add_place(p, node, slot, e));
  p->on_path = p->on_path && slot == first;
  if (behind < MAP_FANOUT) p->next = (p->kind == MAP_SPACE ? SPACE_BIT : 0) + (p->number * MAP_FANOUT + behind) * below;
  p->number = p->number * MAP_FANOUT + slot;
  return ERR_OK;
}

static enum err take_node(struct piece *p, unsigned level, const uint8_t *node, struct error *e) {
  if (!map_page_is(node, p->kind, level, p->number)) return wrong(p, "is another map page than the one in its place", e);
  if (level > 0) return go_down(p, level, node, e);
  for (uint64_t slot = next_entry(node, 0); slot < MAP_FANOUT; slot = next_entry(node, slot + 1))
    TRY(add_place(p, node, slot, e));
  return ERR_OK;
}

enum err piece_take(struct piece *p, const uint8_t *page, struct error *e) {
  assert(p->taken < p->known);
  if (page_checksum(page) != p->places[p->taken].checksum) return wrong(p, "fails its checksum", e);
  if (p->taken < p->levels) TRY(take_node(p, p->levels - 1 - p->taken, page, e));
  p->taken++;
  return ERR_OK;
}
