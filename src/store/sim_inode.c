// A file of the simulated disk: what is seen, what is on the disk, and what lies between.
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "store/sim_disk_int.h"

void *sim_realloc(void *p, size_t bytes) {
  int64_t armed = atomic_exchange(&fault_alloc.countdown, -1);
  void *grown = mem_realloc(p, bytes);
  atomic_store(&fault_alloc.countdown, armed);
  assert(grown != NULL);
  return grown;
}

void *sim_zalloc(size_t bytes) {
  return memset(sim_realloc(NULL, bytes), 0, bytes);
}

void *sim_grow(void *p, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity) return p;
  *capacity = MAX(needed, *capacity * 2 + 16);
  return sim_realloc(p, *capacity * size);
}

// ---- images ----

void sim_image_resize(struct sim_image *i, uint64_t size) {
  if (size > i->capacity) {
    uint64_t larger = MAX(size, i->capacity * 2);
    i->data = sim_realloc(i->data, larger);
    memset(i->data + i->capacity, 0, larger - i->capacity);
    i->capacity = larger;
  }
  if (size < i->size) memset(i->data + size, 0, i->size - size);
  i->size = size;
}

static void image_write(struct sim_image *i, uint64_t offset, const void *from, size_t bytes) {
  if (offset + bytes > i->size) sim_image_resize(i, offset + bytes);
  memcpy(i->data + offset, from, bytes);
}

static void image_copy(struct sim_image *to, const struct sim_image *from) {
  sim_image_resize(to, 0);
  sim_image_resize(to, from->size);
  if (from->size > 0) memcpy(to->data, from->data, from->size);
}

// ---- what is pending ----

static void apply(struct sim_image *i, const struct sim_pending *p) {
  if (p->is_size)
    sim_image_resize(i, p->at);
  else
    image_write(i, p->at * SIM_SECTOR, p->data, p->bytes);
}

static struct sim_pending *remember(struct sim_inode *n) {
  n->pending = sim_grow(n->pending, &n->pending_capacity, n->pending_count + 1, sizeof *n->pending);
  return &n->pending[n->pending_count++];
}

// The sectors that [offset, offset + bytes) touches, as they are now.
static void remember_sectors(struct sim_inode *n, uint64_t offset, size_t bytes) {
  if (bytes == 0) return;
  for (uint64_t sector = offset / SIM_SECTOR; sector * SIM_SECTOR < offset + bytes; sector++) {
    struct sim_pending *p = remember(n);
    *p = (struct sim_pending){.write = n->writes, .at = sector, .bytes = MIN(SIM_SECTOR, n->now.size - sector * SIM_SECTOR)};
    memcpy(p->data, n->now.data + sector * SIM_SECTOR, p->bytes);
  }
}

static void remember_size(struct sim_inode *n, uint64_t size) {
  struct sim_pending *p = remember(n);
  *p = (struct sim_pending){.is_size = true, .write = n->writes, .at = size};
}

void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *from, size_t bytes) {
  uint64_t size = n->now.size;
  n->writes++;
  image_write(&n->now, offset, from, bytes);
  if (n->now.size != size) remember_size(n, n->now.size);
  remember_sectors(n, offset, bytes);
}

void sim_inode_resize(struct sim_inode *n, uint64_t size) {
  n->writes++;
  sim_image_resize(&n->now, size);
  remember_size(n, size);
}

void sim_inode_settle(struct sim_inode *n) {
  for (size_t i = 0; i < n->pending_count; i++) apply(&n->stable, &n->pending[i]);
  n->pending_count = 0;
}

// Each remembered change survives with the same chance, which is drawn anew for each file; and so is whether it is sectors that
// survive or whole writes.
void sim_inode_lose_some(struct sim_inode *n, struct rng *rng) {
  uint64_t chance = (uint64_t[]){0, 1, 5, 9, 10}[rng_below(rng, 5)];
  bool whole = rng_chance(rng, 1, 3), survives = false;
  for (size_t i = 0; i < n->pending_count; i++) {
    bool same = whole && i > 0 && n->pending[i].write == n->pending[i - 1].write;
    if (!same) survives = rng_chance(rng, chance, 10);
    if (survives) apply(&n->stable, &n->pending[i]);
  }
  n->pending_count = 0;
}

void sim_inode_reread(struct sim_inode *n) {
  image_copy(&n->now, &n->stable);
  n->locked = false;
}

void sim_inode_free(struct sim_inode *n) {
  mem_free(n->now.data);
  mem_free(n->stable.data);
  mem_free(n->pending);
  mem_free(n);
}
