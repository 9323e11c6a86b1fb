// Backup pins: the durable checkpoint's pages stay as they are and are walked from disk, beside whatever goes on in memory.
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/store_int.h"

enum err checkpoint_pin(struct store *s, struct checkpoint_pin *ret, struct error *e) {
  struct checkpoint_pins *pins = &s->space->physical.pins;
  enum err err = error_set(e, ERR_LIMIT, "%zu checkpoints are pinned already.", ARRAY_SIZE(pins->sequences));
  mutex_lock(&s->mutex);
  mutex_lock(&s->space->mutex);
  for (uint32_t slot = 0; slot < ARRAY_SIZE(pins->sequences) && err != ERR_OK; slot++) {
    if (pins->sequences[slot] != 0) continue;
    pins->sequences[slot] = s->durable.sequence;
    *ret = (struct checkpoint_pin){s,    s->durable.sequence,     s->durable.applied.index,
                                   slot, s->durable.map_physical, s->durable.map_checksum};
    err = ERR_OK;
  }
  mutex_unlock(&s->space->mutex);
  mutex_unlock(&s->mutex);
  return err;
}

void checkpoint_unpin(struct checkpoint_pin *p) {
  if (p->store == NULL) return;
  struct page_space *s = p->store->space;
  mutex_lock(&s->mutex);
  s->physical.pins.sequences[p->slot] = 0;
  physical_sweep(s);
  mutex_unlock(&s->mutex);
  *p = (struct checkpoint_pin){0};
}

struct walk {
  const struct checkpoint_pin *pin;
  enum err (*fn)(void *argument, page_id id, const void *page);
  void *argument;
  uint8_t *pages; // one for each level, and one for the page itself
};

#define MAP_HEADER_BYTES 16u
#define MAP_ENTRY_BYTES 10u

// Recursion is bounded by the number of levels.
static enum err walk_node(struct walk *w, unsigned level, uint64_t number, uint64_t physical, uint32_t checksum, struct error *e) {
  struct page_space *s = w->pin->store->space;
  uint8_t *node = w->pages + (level + 1) * PAGE_BYTES;
  TRY(page_read_physical(s, number, physical, checksum, node, e));
  for (uint64_t i = 0; i < MAP_FANOUT; i++) {
    const uint8_t *entry = node + MAP_HEADER_BYTES + i * MAP_ENTRY_BYTES;
    uint64_t below = get_u32_le(entry) | (uint64_t) get_u16_le(entry + 4) << 32, id = number * MAP_FANOUT + i;
    if (below == 0) continue;
    if (level > 0) {
      TRY(walk_node(w, level - 1, id, below, get_u32_le(entry + 6), e));
    } else {
      TRY(page_read_physical(s, id, below, get_u32_le(entry + 6), w->pages, e));
      TRY(w->fn(w->argument, id, w->pages));
    }
  }
  return ERR_OK;
}

enum err checkpoint_pin_each(const struct checkpoint_pin *p, enum err (*fn)(void *argument, page_id id, const void *page), void *argument,
                             struct error *e) {
  if (p->map_physical == 0) return ERR_OK;
  uint8_t *buffer = mem_alloc((MAP_LEVELS + 2) * PAGE_BYTES);
  if (buffer == NULL) return error_ensure(e, ERR_NOMEM);
  struct walk w = {p, fn, argument, (uint8_t *) (((uintptr_t) buffer + PAGE_BYTES - 1) & ~(uintptr_t) (PAGE_BYTES - 1))};
  enum err err = walk_node(&w, MAP_LEVELS - 1, 0, p->map_physical, p->map_checksum, e);
  mem_free(buffer);
  return err;
}
