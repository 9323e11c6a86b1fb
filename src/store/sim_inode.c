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

// ---- pages ----

static struct sim_page *keep(struct sim_page *p) {
  if (p != NULL) p->refs++;
  return p;
}

static void drop(struct sim_page *p) {
  if (p != NULL && --p->refs == 0) mem_free(p);
}

/// The image's page, with nobody else who has it, of which `bytes` will be written: of one that is written whole nothing stays.
static struct sim_page *own_page(struct sim_image *i, uint64_t number, size_t bytes) {
  struct sim_page **at = &i->pages[number], *old = *at;
  if (old != NULL && old->refs == 1) return old;
  struct sim_page *p = sim_realloc(NULL, sizeof *p);
  p->refs = 1;
  if (old != NULL && bytes < SIM_PAGE)
    memcpy(p->data, old->data, SIM_PAGE);
  else if (bytes < SIM_PAGE)
    memset(p->data, 0, SIM_PAGE);
  drop(old);
  return *at = p;
}

// ---- images ----

static uint64_t pages_of(uint64_t size) {
  return (size + SIM_PAGE - 1) / SIM_PAGE;
}

static void make_room(struct sim_image *i, uint64_t pages) {
  size_t before = i->page_room;
  i->pages = sim_grow(i->pages, &i->page_room, pages, sizeof(struct sim_page *));
  memset(i->pages + before, 0, (i->page_room - before) * sizeof(struct sim_page *));
}

void sim_image_resize(struct sim_image *i, uint64_t size) {
  if (pages_of(size) > i->page_room) make_room(i, pages_of(size));
  for (uint64_t n = pages_of(size); n < pages_of(i->size); n++) {
    drop(i->pages[n]);
    i->pages[n] = NULL;
  }
  size_t rest = size % SIM_PAGE;
  if (size < i->size && rest != 0 && i->pages[size / SIM_PAGE] != NULL)
    memset(own_page(i, size / SIM_PAGE, SIM_PAGE - rest)->data + rest, 0, SIM_PAGE - rest);
  i->size = size;
}

void sim_image_read(const struct sim_image *i, uint64_t offset, void *to, size_t bytes) {
  for (uint8_t *at = to; bytes > 0;) {
    const struct sim_page *p = i->pages[offset / SIM_PAGE];
    size_t within = offset % SIM_PAGE, n = MIN(bytes, SIM_PAGE - within);
    if (p != NULL)
      memcpy(at, p->data + within, n);
    else
      memset(at, 0, n);
    at += n;
    offset += n;
    bytes -= n;
  }
}

void sim_image_write(struct sim_image *i, uint64_t offset, const void *from, size_t bytes) {
  if (offset + bytes > i->size) sim_image_resize(i, offset + bytes);
  for (const uint8_t *at = from; bytes > 0;) {
    size_t within = offset % SIM_PAGE, n = MIN(bytes, SIM_PAGE - within);
    memcpy(own_page(i, offset / SIM_PAGE, n)->data + within, at, n);
    at += n;
    offset += n;
    bytes -= n;
  }
}

static void image_empty(struct sim_image *i) {
  sim_image_resize(i, 0);
  mem_free(i->pages);
  *i = (struct sim_image){0};
}

static void image_copy(struct sim_image *to, const struct sim_image *from) {
  sim_image_resize(to, 0);
  sim_image_resize(to, from->size);
  for (uint64_t n = 0; n < pages_of(from->size); n++) to->pages[n] = keep(from->pages[n]);
}

// ---- what is pending ----

enum { SECTORS_A_PAGE = SIM_PAGE / SIM_SECTOR };

static void apply_sector(struct sim_image *i, const struct sim_pending *p, uint64_t sector) {
  sim_image_write(i, sector * SIM_SECTOR, p->page->data + sector % SECTORS_A_PAGE * SIM_SECTOR,
                  MIN((uint64_t) SIM_SECTOR, p->size - sector * SIM_SECTOR));
}

/// A page that is all there changes hands without its bytes.
static void apply(struct sim_image *i, const struct sim_pending *p) {
  uint64_t number = p->at / SECTORS_A_PAGE;
  if (p->is_size) {
    sim_image_resize(i, p->at);
  } else if (p->end - p->at == SECTORS_A_PAGE && p->end * SIM_SECTOR <= p->size) {
    if (p->end * SIM_SECTOR > i->size) sim_image_resize(i, p->end * SIM_SECTOR);
    drop(i->pages[number]);
    i->pages[number] = keep(p->page);
  } else {
    for (uint64_t sector = p->at; sector < p->end; sector++) apply_sector(i, p, sector);
  }
}

static struct sim_pending *remember(struct sim_inode *n) {
  n->pending = sim_grow(n->pending, &n->pending_capacity, n->pending_count + 1, sizeof *n->pending);
  return &n->pending[n->pending_count++];
}

static void forget_pending(struct sim_inode *n) {
  for (size_t i = 0; i < n->pending_count; i++) drop(n->pending[i].page);
  n->pending_count = 0;
}

// The sectors that [offset, offset + bytes) touches, as they are now.
static void remember_sectors(struct sim_inode *n, uint64_t offset, size_t bytes) {
  uint64_t end = (offset + bytes + SIM_SECTOR - 1) / SIM_SECTOR;
  for (uint64_t sector = offset / SIM_SECTOR, behind; bytes > 0 && sector < end; sector = behind) {
    uint64_t page = sector / SECTORS_A_PAGE;
    behind = MIN(end, (page + 1) * SECTORS_A_PAGE);
    *remember(n) = (struct sim_pending){
        .write = n->writes, .at = sector, .end = behind, .size = n->now.size, .page = keep(n->now.pages[page])};
  }
}

static void remember_size(struct sim_inode *n, uint64_t size) {
  *remember(n) = (struct sim_pending){.is_size = true, .write = n->writes, .at = size};
}

void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *from, size_t bytes) {
  uint64_t size = n->now.size;
  n->writes++;
  sim_image_write(&n->now, offset, from, bytes);
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
  forget_pending(n);
}

/// How a power cut deals with a file.
struct loss {
  struct rng *rng;
  uint64_t chance;
  bool whole; // writes survive, not sectors
  bool survives;
};

static bool decide(struct loss *l, bool same) {
  if (!l->whole || !same) l->survives = rng_chance(l->rng, l->chance, 10);
  return l->survives;
}

// Each remembered change survives with the same chance, which is drawn anew for each file; and so is whether it is sectors that
// survive or whole writes.
void sim_inode_lose_some(struct sim_inode *n, struct rng *rng) {
  struct loss l = {.rng = rng, .chance = (uint64_t[]){0, 1, 5, 9, 10}[rng_below(rng, 5)]};
  l.whole = rng_chance(rng, 1, 3);
  for (size_t i = 0; i < n->pending_count; i++) {
    const struct sim_pending *p = &n->pending[i];
    bool same = i > 0 && p->write == n->pending[i - 1].write;
    if (p->is_size && decide(&l, same)) apply(&n->stable, p);
    for (uint64_t sector = p->at; !p->is_size && sector < p->end; sector++, same = true)
      if (decide(&l, same)) apply_sector(&n->stable, p, sector);
  }
  forget_pending(n);
}

void sim_inode_reread(struct sim_inode *n) {
  image_copy(&n->now, &n->stable);
  n->locked = false;
}

void sim_inode_empty(struct sim_inode *n) {
  forget_pending(n);
  image_empty(&n->now);
  image_empty(&n->stable);
}

void sim_inode_free(struct sim_inode *n) {
  sim_inode_empty(n);
  mem_free(n->pending);
  mem_free(n);
}
