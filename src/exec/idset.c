#include "exec/idset.h"

#include <string.h>

void idset_init(struct idset *s, struct mem_budget *budget) {
  *s = (struct idset){0};
  arena_init(&s->arena, budget);
}

void idset_done(struct idset *s) {
  arena_done(&s->arena);
}

void idset_clear(struct idset *s) {
  arena_reset(&s->arena);
  s->directories = NULL;
  s->directory_count = 0;
  s->n = 0;
}

static enum err grow(struct idset *s, uint64_t directory, struct error *e) {
  uint32_t count = MAX(s->directory_count, 1);
  while (count <= directory) count *= 2;
  struct idset_directory **directories = arena_zalloc(&s->arena, count * sizeof *directories);
  if (directories == NULL) return arena_err(&s->arena, e);
  if (s->directory_count > 0) memcpy(directories, s->directories, s->directory_count * sizeof *directories);
  s->directories = directories;
  s->directory_count = count;
  return ERR_OK;
}

enum err idset_make_page(struct idset *s, uint64_t id, struct error *e) {
  uint64_t page = id / IDSET_PAGE_BITS, directory = page / IDSET_DIRECTORY_PAGES;
  if (directory >= s->directory_count) TRY(grow(s, directory, e));
  if (s->directories[directory] == NULL) {
    s->directories[directory] = ARENA_NEW(&s->arena, struct idset_directory);
    if (s->directories[directory] == NULL) return arena_err(&s->arena, e);
  }
  uint64_t *words = arena_zalloc(&s->arena, IDSET_PAGE_WORDS * sizeof *words);
  if (words == NULL) return arena_err(&s->arena, e);
  s->directories[directory]->pages[page % IDSET_DIRECTORY_PAGES] = words;
  return ERR_OK;
}

static inline uint64_t id_of(const uint32_t *ids, const uint8_t *high, uint32_t i) {
  return ids[i] | (high != NULL ? (uint64_t) high[i] << 32 : 0);
}

/// The page, made where there is none yet; NULL without memory.
static uint64_t *force_page(struct idset *s, uint64_t id, struct error *e) {
  uint64_t *page = idset_page(s, id);
  return page == NULL && idset_make_page(s, id, e) == ERR_OK ? idset_page(s, id) : page;
}

/// True if the bit was not set.
static inline bool set_bit(uint64_t *page, uint64_t id) {
  uint64_t *word = &page[id / 64 % IDSET_PAGE_WORDS], old = *word, bit = UINT64_C(1) << (id % 64);
  *word = old | bit;
  return (old & bit) == 0;
}

#define DIRECTORY_SPAN ((uint32_t) IDSET_PAGE_BITS * IDSET_DIRECTORY_PAGES)

/// Ids from `at` on, up to one of another directory than number `directory`, or whose page is not there.
static uint32_t add_in_directory(struct idset *s, uint32_t directory, const uint32_t *ids, uint32_t at, uint32_t n) {
  const struct idset_directory *d = s->directories[directory];
  uint64_t added = 0;
  for (; at < n; at++) {
    uint64_t *page = d->pages[ids[at] / IDSET_PAGE_BITS % IDSET_DIRECTORY_PAGES];
    if (UNLIKELY(page == NULL || ids[at] / DIRECTORY_SPAN != directory)) break;
    added += set_bit(page, ids[at]);
  }
  s->n += added;
  return at;
}

enum err idset_add_all(struct idset *s, const uint32_t *ids, const uint8_t *high, uint32_t n, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    uint64_t id = id_of(ids, high, i), *page = force_page(s, id, e);
    if (page == NULL) return arena_err(&s->arena, e);
    s->n += set_bit(page, id);
    if (high == NULL) i = add_in_directory(s, ids[i] / DIRECTORY_SPAN, ids, i + 1, n) - 1;
  }
  return ERR_OK;
}

void idset_remove_all(struct idset *s, const uint32_t *ids, const uint8_t *high, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint64_t id = ids[i] | (high != NULL ? (uint64_t) high[i] << 32 : 0);
    uint64_t *page = idset_page(s, id);
    if (page == NULL) continue;
    uint64_t *word = &page[id / 64 % IDSET_PAGE_WORDS], bit = UINT64_C(1) << (id % 64);
    s->n -= (*word & bit) != 0;
    *word &= ~bit;
  }
}
