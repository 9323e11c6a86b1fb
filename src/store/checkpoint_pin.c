// Pins: the durable checkpoint's pages stay as they are and are read from disk, beside whatever goes on in memory.
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/piece_int.h"
#include "store/store_int.h"

// The superblock, and map pages that the last piece was found by: the next one mostly goes by the same.
struct pinned {
  struct superblock superblock;
  uint64_t upper_physical[MAP_LEVELS - 1]; // 0: not known
  uint8_t upper[MAP_LEVELS - 1][PAGE_BYTES];
};

// The space's mutex is held.
void checkpoint_pins_expire(struct store *s) {
  struct checkpoint_pin_slot *slots = s->space->physical.pins;
  int64_t now_ns = clock_monotonic_ns(s->options.clock);
  for (size_t i = 0; i < CHECKPOINT_PINS_MAX; i++)
    if (slots[i].sequence != 0 && slots[i].expires_ns <= now_ns) slots[i].sequence = 0;
}

static struct checkpoint_identity identity_of(const struct superblock *sb, const uint8_t *head) {
  struct checkpoint_identity i = {.generation = sb->generation,
                                  .applied = sb->applied,
                                  .checksum = get_u64_le(head + CHECKPOINT_HEAD_BYTES - 8),
                                  .pages = sb->pages_logical,
                                  .physical_pages = sb->physical_pages};
  memcpy(i.uuid, sb->uuid, sizeof i.uuid);
  return i;
}

void checkpoint_head(const struct checkpoint_pin *p, uint8_t to[CHECKPOINT_HEAD_BYTES]) {
  superblock_encode(&p->pinned->superblock, to);
}

enum err checkpoint_head_read(const uint8_t from[CHECKPOINT_HEAD_BYTES], struct checkpoint_identity *ret, struct error *e) {
  struct superblock sb;
  enum err err = superblock_decode(from, &sb, e);
  if (err == ERR_CORRUPT) return error_set(e, ERR_CORRUPT, "The head of a copied store fails its check.");
  if (err == ERR_OK) *ret = identity_of(&sb, from);
  return err;
}

// Both mutexes are held: the superblock is the durable one, and none of its pages has been given back.
static enum err take_slot(struct store *s, int64_t expires_ns, struct checkpoint_pin *pin, struct error *e) {
  struct physical *f = &s->space->physical;
  checkpoint_pins_expire(s);
  for (uint32_t slot = 0; slot < CHECKPOINT_PINS_MAX; slot++) {
    if (f->pins[slot].sequence != 0) continue;
    f->pins[slot] = (struct checkpoint_pin_slot){s->durable.sequence, expires_ns, ++f->pin_ids};
    pin->pinned->superblock = s->durable;
    pin->slot = slot;
    pin->id = f->pins[slot].id;
    return ERR_OK;
  }
  return error_set(e, ERR_LIMIT, "%u checkpoints are pinned already.", CHECKPOINT_PINS_MAX);
}

enum err checkpoint_pin(struct store *s, int64_t expires_ns, struct checkpoint_pin *ret, struct error *e) {
  struct checkpoint_pin pin = {.store = s, .pinned = mem_zalloc(sizeof *pin.pinned)};
  if (pin.pinned == NULL) return error_ensure(e, ERR_NOMEM);
  mutex_lock(&s->mutex);
  mutex_lock(&s->space->mutex);
  enum err err = take_slot(s, expires_ns, &pin, e);
  mutex_unlock(&s->space->mutex);
  mutex_unlock(&s->mutex);
  if (err != ERR_OK) {
    mem_free(pin.pinned);
    return err;
  }
  uint8_t head[CHECKPOINT_HEAD_BYTES];
  pin.pinned->superblock.generation = log_generation(s->log); // one that was made before the present generation is its beginning
  checkpoint_head(&pin, head);
  pin.identity = identity_of(&pin.pinned->superblock, head);
  *ret = pin;
  return ERR_OK;
}

static bool is_live(const struct checkpoint_pin *p) {
  struct checkpoint_pin_slot *slot = &p->store->space->physical.pins[p->slot];
  return slot->sequence != 0 && slot->id == p->id;
}

static enum err expired(struct error *e) {
  return error_set(e, ERR_NOTFOUND, "The pin on the checkpoint has expired.");
}

enum err checkpoint_pin_renew(const struct checkpoint_pin *p, int64_t expires_ns, struct error *e) {
  struct page_space *s = p->store->space;
  mutex_lock(&s->mutex);
  checkpoint_pins_expire(p->store);
  bool live = is_live(p);
  if (live) s->physical.pins[p->slot].expires_ns = expires_ns;
  mutex_unlock(&s->mutex);
  return live ? ERR_OK : expired(e);
}

void checkpoint_unpin(struct checkpoint_pin *p) {
  if (p->store == NULL) return;
  struct page_space *s = p->store->space;
  mutex_lock(&s->mutex);
  if (is_live(p)) s->physical.pins[p->slot].sequence = 0;
  physical_sweep(s);
  mutex_unlock(&s->mutex);
  mem_free(p->pinned);
  *p = (struct checkpoint_pin){0};
}

// ---- reading ----

static enum err read_run(const struct checkpoint_pin *pin, uint64_t physical, uint8_t *to, uint32_t count, struct error *e) {
  enum err err = disk_read_all(pin->store->file, physical * PAGE_BYTES, to, count * (size_t) PAGE_BYTES, e);
  if (err != ERR_SHORT) return err;
  return error_set(e, ERR_CORRUPT, "The page file ends before physical page %llu.", (unsigned long long) physical);
}

static enum err read_upper(const struct checkpoint_pin *pin, struct piece *p, uint8_t *page, struct error *e) {
  uint64_t physical = p->places[p->taken].physical, *kept = &pin->pinned->upper_physical[p->taken];
  uint8_t *copy = pin->pinned->upper[p->taken];
  if (*kept == physical) {
    memcpy(page, copy, PAGE_BYTES);
    return piece_take(p, page, e);
  }
  TRY(read_run(pin, physical, page, 1, e));
  TRY(piece_take(p, page, e));
  memcpy(copy, page, PAGE_BYTES);
  *kept = physical;
  return ERR_OK;
}

// Pages that lie together on disk are read together: from `taken` on, as far as places are known.
static enum err read_known(const struct checkpoint_pin *pin, struct piece *p, uint8_t *to, struct error *e) {
  while (p->taken < p->known) {
    uint32_t from = p->taken, count = 1;
    const struct map_place *at = p->places + from;
    while (from + count < p->known && at[count].physical == at[0].physical + count) count++;
    uint8_t *run = to + from * (size_t) PAGE_BYTES;
    TRY(read_run(pin, at[0].physical, run, count, e));
    for (uint32_t i = 0; i < count; i++) TRY(piece_take(p, run + i * (size_t) PAGE_BYTES, e));
  }
  return ERR_OK;
}

static enum err read_piece(const struct checkpoint_pin *pin, uint64_t position, struct piece *p, uint8_t *to, struct error *e) {
  piece_begin(p, &pin->pinned->superblock, position);
  while (p->taken + 1 < p->levels) TRY(read_upper(pin, p, to + p->taken * (size_t) PAGE_BYTES, e));
  while (!piece_is_whole(p)) TRY(read_known(pin, p, to, e));
  return ERR_OK;
}

// What was reused under a pin that has expired looks like damage.
static enum err read_error(const struct checkpoint_pin *pin, enum err err, struct error *e) {
  if (err != ERR_CORRUPT) return err;
  mutex_lock(&pin->store->space->mutex);
  bool live = is_live(pin);
  mutex_unlock(&pin->store->space->mutex);
  return live ? err : expired(e);
}

enum err checkpoint_read(const struct checkpoint_pin *pin, uint64_t *position, uint8_t *to, size_t *ret_bytes, struct error *e) {
  struct piece p;
  uint64_t at = piece_settle(&pin->pinned->superblock, *position);
  if (at == CHECKPOINT_END) {
    *position = CHECKPOINT_END;
    *ret_bytes = 0;
    return ERR_OK;
  }
  enum err err = read_piece(pin, at, &p, to, e);
  if (err != ERR_OK) return read_error(pin, err, e);
  *position = p.next;
  *ret_bytes = p.taken * (size_t) PAGE_BYTES;
  return ERR_OK;
}

static enum err each_page(const uint8_t *pages, enum err (*fn)(void *argument, page_id id, const void *page), void *argument) {
  const uint8_t *node = pages + (MAP_LEVELS - 1) * PAGE_BYTES, *page = pages + MAP_LEVELS * PAGE_BYTES;
  uint64_t first = map_page_number(node) * MAP_FANOUT;
  for (uint64_t slot = 0; slot < MAP_FANOUT; slot++) {
    if (map_page_entry(node, slot).physical == 0) continue;
    TRY(fn(argument, first + slot, page));
    page += PAGE_BYTES;
  }
  return ERR_OK;
}

enum err checkpoint_pin_each(const struct checkpoint_pin *p, enum err (*fn)(void *argument, page_id id, const void *page),
                             void *argument, struct error *e) {
  uint8_t *buffer = mem_alloc(CHECKPOINT_PIECE_BYTES_MAX + PAGE_BYTES);
  if (buffer == NULL) return error_ensure(e, ERR_NOMEM);
  uint8_t *pages = page_align(buffer);
  enum err err = ERR_OK;
  for (uint64_t at = CHECKPOINT_FIRST; err == ERR_OK && piece_is_of_pages(&p->pinned->superblock, at);) {
    size_t bytes = 0;
    err = checkpoint_read(p, &at, pages, &bytes, e);
    if (err == ERR_OK) err = each_page(pages, fn, argument);
  }
  mem_free(buffer);
  return err;
}
