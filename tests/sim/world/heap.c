#include "heap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/// Before each block.
struct heap_block {
  struct heap *heap;
  size_t bytes; // room
};

/// One that is the system's.
struct heap_large {
  struct heap_large *before, *next; // of the heap
#if defined(WORLD_SANITIZED)
  char as_aligned_as_the_sanitizer_does[32];
#endif
  struct heap_block block;
};

/// What lies in a block from a region that nobody has.
struct heap_free {
  struct heap_free *next;
};

struct heap_region {
  struct heap_region *next;
  size_t unused; // so that blocks are aligned
};

enum { REGION_BYTES = 512 << 10, BLOCK_BYTES_MAX = 64 << 10 };

static_assert(sizeof(struct heap_block) == 16 && sizeof(struct heap_large) % 16 == 0 && sizeof(struct heap_region) == 16,
              "blocks are aligned");

// ---- blocks that are the system's ----

static void *take_from_system(struct heap *heap, size_t bytes) {
  struct heap_large *l = malloc(sizeof *l + bytes);
  if (l == NULL) return NULL;
  l->block = (struct heap_block){heap, bytes};
  l->before = NULL;
  l->next = heap->large;
  if (l->next != NULL) l->next->before = l;
  heap->large = l;
  return l + 1;
}

static void give_to_system(void *p) {
  struct heap_large *l = (struct heap_large *) p - 1;
  *(l->before != NULL ? &l->before->next : &l->block.heap->large) = l->next;
  if (l->next != NULL) l->next->before = l->before;
  free(l);
}

// ---- blocks from regions: their sizes are four to each doubling ----

static struct heap_region *spare; // regions that no heap has

static bool comes_from_region(size_t bytes) {
#if defined(WORLD_SANITIZED)
  return false;
#endif
  return bytes <= BLOCK_BYTES_MAX;
}

static unsigned size_of(size_t bytes) {
  if (bytes <= 64) return bytes == 0 ? 0 : (unsigned) (bytes - 1) / 16;
  unsigned doubling = 63 - (unsigned) __builtin_clzll(bytes - 1); // from 6 on
  return 4 * (doubling - 5) + (unsigned) ((bytes - 1) >> (doubling - 2) & 3);
}

static size_t bytes_of(unsigned size) {
  if (size < 4) return 16 * ((size_t) size + 1);
  unsigned doubling = size / 4 + 5;
  return ((size_t) 4 + size % 4 + 1) << (doubling - 2);
}

static bool add_region(struct heap *heap) {
  struct heap_region *r = spare;
  if (r != NULL)
    spare = r->next;
  else if ((r = malloc(REGION_BYTES)) == NULL)
    return false;
  r->next = heap->regions;
  heap->regions = r;
  heap->at = (char *) (r + 1);
  heap->end = (char *) r + REGION_BYTES;
  return true;
}

static void *cut_from_region(struct heap *heap, size_t bytes) {
  if (heap->at == NULL || (size_t) (heap->end - heap->at) < sizeof(struct heap_block) + bytes)
    if (!add_region(heap)) return NULL;
  struct heap_block *b = (struct heap_block *) heap->at;
  *b = (struct heap_block){heap, bytes};
  heap->at += sizeof *b + bytes;
  return b + 1;
}

static void *take_from_region(struct heap *heap, size_t bytes) {
  unsigned size = size_of(bytes);
  struct heap_free *f = heap->free[size];
  if (f == NULL) return cut_from_region(heap, bytes_of(size));
  heap->free[size] = f->next;
  return f;
}

static void give_to_region(void *p) {
  const struct heap_block *b = (struct heap_block *) p - 1;
  struct heap_free *f = p, **list = &b->heap->free[size_of(b->bytes)];
  f->next = *list;
  *list = f;
}

// ---- both ----

void *heap_take(struct heap *heap, size_t bytes) {
  return comes_from_region(bytes) ? take_from_region(heap, bytes) : take_from_system(heap, bytes);
}

void heap_give(void *p) {
  const struct heap_block *b = (struct heap_block *) p - 1;
  if (comes_from_region(b->bytes))
    give_to_region(p);
  else
    give_to_system(p);
}

void *heap_resize(struct heap *heap, void *p, size_t bytes) {
  const struct heap_block *b = (struct heap_block *) p - 1;
  if (comes_from_region(b->bytes) && bytes <= b->bytes) return p;
  void *moved = heap_take(heap, bytes);
  if (moved == NULL) return NULL;
  memcpy(moved, p, MIN(bytes, b->bytes));
  heap_give(p);
  return moved;
}

void heap_free_all(struct heap *heap) {
  while (heap->large != NULL) give_to_system(heap->large + 1);
  for (struct heap_region *r = heap->regions, *next; r != NULL; r = next) {
    next = r->next;
    r->next = spare;
    spare = r;
  }
  *heap = (struct heap){0};
}
