// Every structure of a space against every other. The mutex is held throughout: for tests, and for a store that nobody uses.
#include <string.h>

#include "base/mem.h"
#include "store/pages_int.h"

struct check {
  struct page_space *s;
  uint64_t *seen; // physical pages named so far
  uint64_t frames, nodes, listed;
  uint8_t *page; // to read into; NULL: do not read
};

static enum err wrong(struct error *e, const char *what, uint64_t number) {
  return error_set(e, ERR_CORRUPT, "The page store contradicts itself at %llu: %s.", (unsigned long long) number, what);
}

static enum err name_physical(struct check *c, uint64_t physical, bool reached, struct error *e) {
  struct physical *f = &c->s->physical;
  if (physical < SUPERBLOCKS || physical >= f->pages) return wrong(e, "a physical page is outside the file", physical);
  if (bit_get(c->seen, physical)) return wrong(e, "a physical page is named twice", physical);
  bit_set(c->seen, physical, true);
  if (!bit_get(f->used, physical)) return wrong(e, "a named physical page counts as free", physical);
  if (bit_get(f->reach, physical) != reached) return wrong(e, reached ? "the space map lacks a page" : "the space map has a spilled page", physical);
  return ERR_OK;
}

static enum err check_frame(struct check *c, uint32_t frame, page_id id, uint32_t node, uint64_t physical, struct error *e) {
  const struct frame *f = &c->s->pool->frames[frame];
  c->frames++;
  if (atomic_load(&f->space) != c->s || atomic_load(&f->state) != FRAME_IN_MAP || f->id != id || f->node != node)
    return wrong(e, "a frame does not know its page", id);
  if (f->physical != physical) return wrong(e, "a frame does not know where its page is on disk", id);
  return ERR_OK;
}

static enum err check_chain(struct check *c, page_id id, uint32_t head, uint64_t mapped, struct error *e) {
  struct page_space *s = c->s;
  c->listed += space_node(s, head)->listed;
  uint64_t above = UINT64_MAX;
  for (uint32_t at = head; at != 0; at = atomic_load(&space_node(s, at)->prev)) {
    struct page_node *n = space_node(s, at);
    uint32_t frame = atomic_load(&n->frame);
    c->nodes++;
    if (n->id != id || n->epoch >= above) return wrong(e, "a chain of versions is out of order", id);
    if (at != head && n->listed) return wrong(e, "an older version is listed", id);
    if (n->gone && frame != 0) return wrong(e, "a page that is gone has a frame", id);
    if (!n->gone && frame == 0 && n->physical == 0) return wrong(e, "a version is nowhere", id);
    if (n->owns) TRY(name_physical(c, n->physical, false, e));
    if (!n->owns && n->physical != 0 && n->physical != mapped) return wrong(e, "nobody owns a version's physical page", id);
    if (frame != 0) TRY(check_frame(c, frame, id, at, n->physical, e));
    above = n->epoch;
  }
  return ERR_OK;
}

static enum err check_on_disk(struct check *c, page_id id, uint64_t physical, uint32_t checksum, struct error *e) {
  return c->page != NULL ? page_read_physical(c->s, id, physical, checksum, c->page, e) : ERR_OK;
}

static enum err check_page(struct check *c, struct page_leaf *leaf, uint32_t slot, struct error *e) {
  page_id id = leaf->node.number * MAP_FANOUT + slot;
  uint64_t entry = atomic_load(&leaf->entries[slot]), mapped = leaf->node.physical[slot];
  if (mapped != 0) TRY(name_physical(c, mapped, true, e));
  if (mapped != 0) TRY(check_on_disk(c, id, mapped, leaf->node.checksum[slot], e));
  if ((entry & ENTRY_TAG) == ENTRY_NODE) return check_chain(c, id, entry_index(entry), mapped, e);
  if ((entry & ENTRY_TAG) != ENTRY_FRAME) return ERR_OK;
  uint64_t physical = c->s->pool->frames[entry_index(entry)].physical;
  if (physical != 0 && physical != mapped) return wrong(e, "a plain entry's page is not where the map says", id);
  return check_frame(c, entry_index(entry), id, 0, physical, e);
}

static enum err check_leaves(struct check *c, struct error *e) {
  for (page_id id = 0; id < c->s->id_high; id += MAP_FANOUT) {
    struct page_leaf *leaf = NULL;
    TRY(space_leaf(c->s, id, &leaf, e));
    for (uint32_t slot = 0; slot < MAP_FANOUT; slot++) TRY(check_page(c, leaf, slot, e));
  }
  return ERR_OK;
}

// Every map page below (level, number), itself included, that is on disk or has a place below it that no parent on disk names yet.
static enum err check_nodes(struct check *c, struct map_tree *t, unsigned level, uint64_t number, struct error *e) {
  uint64_t physical = 0;
  uint32_t checksum = 0;
  TRY(map_tree_place(t, level, number, &physical, &checksum, e));
  struct map_node *n = map_tree_loaded(t, level, number);
  if (physical == 0 && n == NULL) return ERR_OK;
  if (physical != 0) TRY(name_physical(c, physical, true, e));
  if (physical != 0 && (n == NULL || !n->dirty)) TRY(check_on_disk(c, number, physical, checksum, e)); // a dirty one may have a place but no bytes yet
  TRY(map_tree_node(t, level, number, &n, e));
  for (uint64_t i = 0; i < MAP_FANOUT; i++) {
    if (level > 0) TRY(check_nodes(c, t, level - 1, number * MAP_FANOUT + i, e)); // bounded by the number of levels
    if (n->physical[i] != 0 && level == 0 && t->kind == MAP_SPACE) TRY(name_physical(c, n->physical[i], true, e));
  }
  return ERR_OK;
}

static enum err check_counts(struct check *c, struct error *e) {
  struct page_space *s = c->s;
  uint64_t free = s->physical.pages;
  for (uint64_t i = 0; i < s->physical.capacity / 64; i++) free -= (uint64_t) __builtin_popcountll(s->physical.used[i]);
  if (free != s->physical.free) return wrong(e, "free physical pages are miscounted", s->physical.free);
  for (uint64_t i = SUPERBLOCKS; i < s->physical.pages; i++)
    if (bit_get(s->physical.reach, i) && !bit_get(c->seen, i)) return wrong(e, "the space map has a page that nobody names", i);
  uint64_t frames = 0;
  for (uint32_t i = 1; i <= s->pool->frame_count; i++) frames += atomic_load(&s->pool->frames[i].space) == s;
  if (frames != c->frames) return wrong(e, "frames are lost", frames - c->frames);
  if (c->nodes != s->nodes_alive) return wrong(e, "version nodes are lost", s->nodes_alive);
  return c->listed == s->chained.count ? ERR_OK : wrong(e, "the list of chains is wrong", s->chained.count);
}

static enum err check_all(struct check *c, struct error *e) {
  struct page_space *s = c->s;
  TRY(check_leaves(c, e));
  TRY(check_nodes(c, &s->map, MAP_LEVELS - 1, 0, e));
  TRY(check_nodes(c, &s->physical.tree, SPACE_LEVELS - 1, 0, e));
  return check_counts(c, e);
}

enum err pages_check(struct page_space *s, bool read_all, struct error *e) {
  struct check c = {.s = s};
  mutex_lock(&s->mutex);
  c.seen = mem_zalloc(s->physical.capacity / 8);
  void *buffer = mem_alloc(2 * PAGE_BYTES);
  if (read_all && buffer != NULL) c.page = page_align(buffer);
  enum err err = c.seen != NULL && buffer != NULL ? check_all(&c, e) : error_ensure(e, ERR_NOMEM);
  mutex_unlock(&s->mutex);
  mem_free(buffer);
  mem_free(c.seen);
  return err;
}
