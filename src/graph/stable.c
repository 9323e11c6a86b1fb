#include "graph/stable_int.h"

#include "base/mem.h"

enum err stable_init(struct stable *s) {
  s->chunks = mem_zalloc(STABLE_CHUNKS * sizeof *s->chunks);
  return s->chunks != NULL ? ERR_OK : ERR_NOMEM;
}

void stable_done(struct stable *s) {
  for (size_t i = 0; s->chunks != NULL && i < STABLE_CHUNKS; i++) mem_free(s->chunks[i]);
  mem_free(s->chunks);
  s->chunks = NULL;
}

enum err stable_set(struct stable *s, uint64_t at, uint64_t word) {
  if (at >= STABLE_ENTRIES_MAX) return ERR_LIMIT;
  _Atomic(uint64_t) *chunk = s->chunks[at / STABLE_CHUNK_ENTRIES];
  if (chunk == NULL) {
    chunk = mem_zalloc(STABLE_CHUNK_ENTRIES * sizeof *chunk);
    if (chunk == NULL) return ERR_NOMEM;
    atomic_store_explicit(&s->chunks[at / STABLE_CHUNK_ENTRIES], chunk, memory_order_release);
  }
  atomic_store_explicit(&chunk[at % STABLE_CHUNK_ENTRIES], word, memory_order_release);
  return ERR_OK;
}

uint64_t stable_next(const struct stable *s, uint64_t at) {
  while (at < STABLE_ENTRIES_MAX) {
    if (s->chunks[at / STABLE_CHUNK_ENTRIES] == NULL) {
      at = (at / STABLE_CHUNK_ENTRIES + 1) * STABLE_CHUNK_ENTRIES;
    } else if (stable_get(s, at) != 0) {
      return at;
    } else {
      at++;
    }
  }
  return UINT64_MAX;
}
