// A database's pages: opening, closing, leaves of the map, finding a version, what the map to come says.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/pages_int.h"
#include "store/superblock_int.h"

enum err page_space_open(struct page_pool *pool, struct disk *disk, struct disk_file *file, const struct superblock *sb,
                         struct event_sink *events, struct page_space **ret, struct error *e) {
  struct page_space *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->pool = pool;
  s->file = file;
  s->events = events;
  memcpy(s->uuid, sb->uuid, 16);
  atomic_init(&s->published, sb->epoch);
  s->pinned_epoch = sb->epoch;
  s->sequence = sb->sequence;
  s->id_high = sb->id_high;
  s->pages_logical = sb->pages_logical;
  // With many free ids looking from the start pays; otherwise new ones come from the end.
  s->freed_group = sb->id_high > sb->pages_logical + sb->id_high / 16 ? 0 : UINT64_MAX;
  s->alloc_group = sb->id_high / ID_GROUP;
  mutex_init(&s->mutex);
  prefetch_init(s, disk);
  map_tree_init(&s->map, s, MAP_PAGES, MAP_LEVELS, sizeof(struct page_leaf));
  map_tree_init(&s->physical.tree, s, MAP_SPACE, SPACE_LEVELS, sizeof(struct map_node));
  s->physical.pages = sb->physical_pages;
  s->map.root_physical = sb->map_physical;
  s->map.root_checksum = sb->map_checksum;
  s->physical.tree.root_physical = sb->space_physical;
  s->physical.tree.root_checksum = sb->space_checksum;
  enum err err = physical_open(s, sb->physical_pages, e);
  if (err != ERR_OK) {
    page_space_close(s);
    return err;
  }
  *ret = s;
  return ERR_OK;
}

// Nobody is inside any more: frames go back at once.
static void give_frames_back(struct page_space *s) {
  mutex_lock(&s->pool->evict_mutex);
  for (uint32_t i = 1; i <= s->pool->frame_count; i++)
    if (atomic_load(&s->pool->frames[i].space) == s) pool_retire_frame(s->pool, i);
  mutex_unlock(&s->pool->evict_mutex);
}

void page_space_close(struct page_space *s) {
  if (s == NULL) return;
  assert(!s->batch.open);
  give_frames_back(s);
  prefetch_done(s);
  for (size_t i = 0; i < NODE_CHUNKS; i++) mem_free(atomic_load(&s->node_chunks[i]));
  for (size_t i = 0; i < ARRAY_SIZE(s->snapshot_chunks); i++) mem_free((void *) atomic_load(&s->snapshot_chunks[i]));
  physical_done(s);
  map_tree_done(&s->map);
  mem_free(atomic_load(&s->leaves));
  mem_free(s->retired);
  mem_free(s->live.epochs);
  id_list_done(&s->dirty);
  id_list_done(&s->chained);
  id_list_done(&s->batch.touched);
  mutex_done(&s->mutex);
  mem_free(s);
}

uint64_t pages_epoch(struct page_space *s) {
  return atomic_load(&s->published);
}

void page_space_stats(struct page_space *s, struct page_space_stats *ret) {
  mutex_lock(&s->mutex);
  snapshots_collect(s);
  *ret = (struct page_space_stats){
      .epoch = atomic_load(&s->published),
      .oldest_snapshot_epoch = s->live_lowest,
      .snapshots = s->live.count > 0 ? s->live.count - 1 : 0,
      .pages_logical = s->pages_logical,
      .pages_dirty = s->dirty.count,
      .versions = s->nodes_alive,
      .physical_pages = s->physical.pages,
      .physical_free = s->physical.free,
      .cuts = s->physical.cuts,
      .map_leaves = s->leaves_loaded,
  };
  mutex_unlock(&s->mutex);
}

// ---- leaves ----

static enum err grow_leaves(struct page_space *s, uint64_t number) {
  uint64_t capacity = atomic_load(&s->leaf_capacity);
  if (number < capacity) return ERR_OK;
  uint64_t larger = MAX(number + 1, MAX(capacity * 2, UINT64_C(64)));
  struct page_leaf **old = atomic_load(&s->leaves), **grown = mem_zalloc(larger * sizeof(struct page_leaf *));
  if (grown == NULL) return ERR_NOMEM;
  if (old != NULL) memcpy(grown, old, capacity * sizeof(struct page_leaf *));
  // A reader takes the capacity first: with the old capacity the new array is good as well.
  atomic_store(&s->leaves, grown);
  atomic_store(&s->leaf_capacity, larger);
  if (old != NULL) pool_retire_memory(s->pool, old);
  return ERR_OK;
}

enum err space_leaf(struct page_space *s, page_id id, struct page_leaf **ret, struct error *e) {
  struct page_leaf *leaf = space_leaf_loaded(s, id);
  if (leaf == NULL) {
    uint64_t number = id / MAP_FANOUT;
    struct map_node *n = NULL;
    if (grow_leaves(s, number) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    TRY(map_tree_node(&s->map, 0, number, &n, e));
    leaf = CONTAINER_OF(n, struct page_leaf, node);
    __atomic_store_n(&atomic_load(&s->leaves)[number], leaf, __ATOMIC_RELEASE);
    s->leaves_loaded++;
  }
  *ret = leaf;
  return ERR_OK;
}

// ---- finding ----

static void found_in_node(struct page_space *s, uint32_t node, struct page_found *ret) {
  const struct page_node *n = space_node(s, node);
  ret->node = node;
  ret->frame = atomic_load(&n->frame);
  ret->physical = n->physical;
  ret->checksum = n->checksum;
  ret->exists = !n->gone;
}

enum err page_find(struct page_space *s, page_id id, uint64_t epoch, struct page_found *ret, struct error *e) {
  struct page_leaf *leaf = NULL;
  *ret = (struct page_found){0};
  if (id >= s->id_high) return ERR_OK;
  TRY(space_leaf(s, id, &leaf, e));
  ret->leaf = leaf;
  ret->slot = (uint32_t) (id % MAP_FANOUT);
  uint64_t entry = atomic_load(&leaf->entries[ret->slot]);
  if ((entry & ENTRY_TAG) == ENTRY_NODE) {
    uint32_t node = node_at(s, entry_index(entry), epoch);
    if (node != 0) found_in_node(s, node, ret);
    return ERR_OK;
  }
  if ((entry & ENTRY_TAG) == ENTRY_FRAME) {
    ret->frame = entry_index(entry);
    ret->physical = s->pool->frames[ret->frame].physical;
    ret->checksum = s->pool->frames[ret->frame].checksum;
    ret->exists = true;
    return ERR_OK;
  }
  ret->physical = leaf->node.physical[ret->slot];
  ret->checksum = leaf->node.checksum[ret->slot];
  ret->exists = ret->physical != 0;
  return ERR_OK;
}

// ---- the map to come ----

// The old place stays for as long as some version is only there.
static void leave_place(struct page_space *s, struct page_leaf *leaf, uint32_t slot, uint64_t old) {
  uint64_t entry = atomic_load(&leaf->entries[slot]);
  uint32_t at = (entry & ENTRY_TAG) == ENTRY_NODE ? entry_index(entry) : 0;
  for (; at != 0; at = atomic_load(&space_node(s, at)->prev)) {
    struct page_node *n = space_node(s, at);
    if (n->physical != old || n->owns) continue;
    n->owns = true;
    n->owned_until = s->sequence + 1;
    return;
  }
  physical_release(s, old, s->sequence + 1);
}

// The version's own note of where it is: from now on the map has the place.
static void note_place(struct page_space *s, const struct page_found *found, uint64_t physical, uint32_t checksum) {
  if (found->node != 0) {
    struct page_node *n = space_node(s, found->node);
    n->physical = physical;
    n->checksum = checksum;
    n->owns = false;
  }
  if (found->frame != 0) {
    s->pool->frames[found->frame].physical = physical;
    s->pool->frames[found->frame].checksum = checksum;
  }
}

enum err page_map_to(struct page_space *s, page_id id, uint64_t epoch, uint64_t physical, uint32_t checksum, struct error *e) {
  struct page_found found;
  TRY(page_find(s, id, epoch, &found, e));
  uint64_t old = found.leaf->node.physical[found.slot];
  if (old == physical) return ERR_OK;
  enum err err = physical_reserve_limbo(s, 1);
  if (err == ERR_OK) err = map_tree_touch(&s->map, &found.leaf->node);
  if (err == ERR_OK) err = physical_move_reach(s, old, physical);
  if (err != ERR_OK) return error_ensure(e, err);
  if (physical != 0) note_place(s, &found, physical, checksum);
  found.leaf->node.physical[found.slot] = physical;
  found.leaf->node.checksum[found.slot] = checksum;
  if (old != 0) leave_place(s, found.leaf, found.slot, old);
  return ERR_OK;
}
