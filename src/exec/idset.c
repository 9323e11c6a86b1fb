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

/// Which directory and page the last id was in: most of the next ids need no other directory.
struct cursor {
  struct idset_directory *directory;
  uint64_t number;
};

static inline uint64_t *page_of(struct idset *s, struct cursor *c, uint64_t id, struct error *e) {
  uint64_t page = id / IDSET_PAGE_BITS;
  if (LIKELY(page / IDSET_DIRECTORY_PAGES == c->number && c->directory->pages[page % IDSET_DIRECTORY_PAGES] != NULL))
    return c->directory->pages[page % IDSET_DIRECTORY_PAGES];
  if (idset_page(s, id) == NULL && idset_make_page(s, id, e) != ERR_OK) return NULL;
  c->number = page / IDSET_DIRECTORY_PAGES;
  c->directory = s->directories[c->number];
  return c->directory->pages[page % IDSET_DIRECTORY_PAGES];
}

/// True if the bit was not set.
static inline bool set_bit(uint64_t *page, uint64_t id) {
  uint64_t *word = &page[id / 64 % IDSET_PAGE_WORDS], old = *word, bit = UINT64_C(1) << (id % 64);
  *word = old | bit;
  return (old & bit) == 0;
}

enum err idset_add_all(struct idset *s, const uint32_t *ids, const uint8_t *high, uint32_t n, struct error *e) {
  struct cursor c = {NULL, UINT64_MAX};
  uint64_t added = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t id = UNLIKELY(high != NULL) ? ids[i] | (uint64_t) high[i] << 32 : ids[i], *page = page_of(s, &c, id, e);
    if (UNLIKELY(page == NULL)) {
      s->n += added;
      return arena_err(&s->arena, e);
    }
    added += set_bit(page, id);
  }
  s->n += added;
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
