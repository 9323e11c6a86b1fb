#include "os/memory.h"

#include <sys/mman.h>

#include "base/fault.h"

void *memory_reserve(size_t bytes) {
  if (fault_hit(&fault_alloc)) return NULL;
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p != MAP_FAILED ? p : NULL;
}

void memory_release(void *p, size_t bytes) {
  if (p != NULL) munmap(p, bytes);
}
