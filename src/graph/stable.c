#include "graph/stable_int.h"

#include <assert.h>

#include "base/mem.h"

static_assert(STABLE_ENTRIES_MAX <= STABLE_FIRST * ((UINT64_C(1) << STABLE_CHUNKS) - 1), "every entry has a chunk");

void stable_done(struct stable *s) {
  for (size_t i = 0; i < STABLE_CHUNKS; i++) mem_free(s->chunks[i]);
  *s = (struct stable){.chunks = {NULL}};
}

enum err stable_set(struct stable *s, uint64_t at, uint64_t word) {
  if (at >= STABLE_ENTRIES_MAX) return ERR_LIMIT;
  unsigned number = doubling_chunk(at, STABLE_FIRST);
  _Atomic(uint64_t) *chunk = s->chunks[number];
  if (chunk == NULL) {
    chunk = mem_zalloc(doubling_size(number, STABLE_FIRST) * sizeof *chunk);
    if (chunk == NULL) return ERR_NOMEM;
    atomic_store_explicit(&s->chunks[number], chunk, memory_order_release);
  }
  atomic_store_explicit(&chunk[at - doubling_begin(number, STABLE_FIRST)], word, memory_order_release);
  return ERR_OK;
}

uint64_t stable_next(const struct stable *s, uint64_t at) {
  while (at < STABLE_ENTRIES_MAX) {
    unsigned chunk = doubling_chunk(at, STABLE_FIRST);
    if (s->chunks[chunk] == NULL)
      at = doubling_begin(chunk + 1, STABLE_FIRST);
    else if (stable_get(s, at) != 0)
      return at;
    else
      at++;
  }
  return UINT64_MAX;
}
