#include "os/memory.h"

#include <sys/mman.h>

#include "base/fault.h"

void *memory_reserve(size_t bytes) {
  if (fault_hit(&fault_alloc)) return NULL;
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return NULL;
  // A graph is read all over: with small pages each step would also look up an address. Where the system has no huge ones, so be it.
  (void) madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

void memory_release(void *p, size_t bytes) {
  if (p != NULL) munmap(p, bytes);
}
