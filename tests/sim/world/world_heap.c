// Memory that belongs to a process, so that it can die without tidying up: in the place of mem_alloc and its like (base/mem.h),
// and of memory_reserve (os/memory.h), by the linker's --wrap.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/memory.h"
#include "world_int.h"

void *__wrap_mem_alloc(size_t bytes);
void *__wrap_mem_zalloc(size_t bytes);
void *__wrap_mem_realloc(void *p, size_t bytes);
void __wrap_mem_free(void *p);
void *__wrap_memory_reserve(size_t bytes);
void __wrap_memory_release(void *p, size_t bytes);

/// The process's that runs; before there is a world, and in code that belongs to nobody, one that is nobody's.
static struct heap *current(void) {
  static struct heap outside;
  if (world == NULL) return &outside;
  return world->memory_of != NULL ? &world->memory_of->heap : &world->heap;
}

void *__wrap_mem_alloc(size_t bytes) {
  return heap_take(current(), bytes);
}

void *__wrap_mem_zalloc(size_t bytes) {
  void *p = heap_take(current(), bytes);
  return p != NULL ? memset(p, 0, bytes) : NULL;
}

void *__wrap_mem_realloc(void *p, size_t bytes) {
  return p != NULL ? heap_resize(current(), p, bytes) : heap_take(current(), bytes);
}

void __wrap_mem_free(void *p) {
  if (p != NULL) heap_give(p);
}

// ---- by the page: what is given back is kept, with zeros in it, for who asks for as much ----

struct pages {
  struct pages *next;
  const struct process *process;
  void *at;
  size_t bytes;
};

static struct pages *reserved, *kept;

static struct pages *map_pages(size_t bytes) {
  struct pages *r = malloc(sizeof *r);
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (r == NULL || at == MAP_FAILED) abort();
  *r = (struct pages){.at = at, .bytes = bytes};
  return r;
}

static struct pages *unlink_pages(struct pages **at) {
  struct pages *r = *at;
  *at = r->next;
  return r;
}

static struct pages *take_kept(size_t bytes) {
  struct pages **at = &kept;
  while (*at != NULL && (*at)->bytes != bytes) at = &(*at)->next;
  return *at != NULL ? unlink_pages(at) : map_pages(bytes);
}

void *__wrap_memory_reserve(size_t bytes) {
  struct pages *r = take_kept(bytes);
  r->process = process_current();
  r->next = reserved;
  reserved = r;
  return r->at;
}

/// Those that were never touched have no memory yet, and are left so.
static void clear_touched(const struct pages *r) {
  enum { AT_ONCE = 4096 };
  size_t page = (size_t) sysconf(_SC_PAGESIZE);
  unsigned char touched[AT_ONCE];
  for (size_t from = 0; from < r->bytes; from += AT_ONCE * page) {
    size_t bytes = MIN(r->bytes - from, AT_ONCE * page);
    if (mincore((char *) r->at + from, bytes, touched) != 0) abort();
    for (size_t i = 0; i * page < bytes; i++)
      if (touched[i] & 1) memset((char *) r->at + from + i * page, 0, MIN(page, bytes - i * page));
  }
}

static void give_back(struct pages **at) {
  struct pages *r = unlink_pages(at);
  clear_touched(r);
  r->next = kept;
  kept = r;
}

void __wrap_memory_release(void *p, size_t bytes UNUSED) {
  for (struct pages **at = &reserved; *at != NULL; at = &(*at)->next) {
    if ((*at)->at != p) continue;
    give_back(at);
    return;
  }
}

void heap_pages_free_all(const struct process *p) {
  for (struct pages **at = &reserved; *at != NULL;)
    if ((*at)->process == p)
      give_back(at);
    else
      at = &(*at)->next;
}
