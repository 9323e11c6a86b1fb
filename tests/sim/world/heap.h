// Memory that goes all at once. Blocks are aligned to 16 bytes, and go one by one too. Under the address sanitizer each is the
// system's, with what it watches over; otherwise they come from regions that the next heap uses again while they are warm.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORLD_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WORLD_SANITIZED
#endif

enum { HEAP_SIZES = 64 };

/// All zeros: empty.
struct heap {
  struct heap_large *large;           // blocks that are the system's
  struct heap_free *free[HEAP_SIZES]; // by size
  struct heap_region *regions;
  char *at, *end; // what is left of the first region
};

/// NULL: the system has no memory.
void *heap_take(struct heap *heap, size_t bytes);
void heap_give(void *p);
/// Moves it to this heap, if it moves. NULL: it is as it was.
void *heap_resize(struct heap *heap, void *p, size_t bytes);
void heap_free_all(struct heap *heap);
