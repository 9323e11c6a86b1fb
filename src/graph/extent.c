#include "graph/extent_int.h"

#include <string.h>

enum { EXTENT_MAGIC = 0x31545845 };

struct extent_page {
  uint32_t magic;
  uint32_t reserved;
  uint64_t left; // bytes from this page to the end of the chain
  uint64_t next; // page id, PAGE_NONE at the end
  uint8_t bytes[PAGE_BYTES - 24];
};

_Static_assert(sizeof(struct extent_page) == PAGE_BYTES, "an extent's page is a page");

/// From the last page to the first, so that each knows its next one without being touched twice.
enum err extent_write(struct page_batch *b, struct str bytes, block_ptr *ret, struct error *e) {
  const size_t room = sizeof((struct extent_page *) 0)->bytes;
  uint64_t pages = bytes.len == 0 ? 1 : (bytes.len + room - 1) / room;
  page_id next = PAGE_NONE;
  for (uint64_t i = pages; i-- > 0;) {
    void *at;
    page_id id;
    TRY(page_batch_allocate(b, &id, &at, e));
    struct extent_page *page = at;
    size_t from = i * room;
    *page = (struct extent_page){.magic = EXTENT_MAGIC, .left = bytes.len - from, .next = next};
    memcpy(page->bytes, bytes.ptr + from, MIN(bytes.len - from, room));
    next = id;
  }
  *ret = block_at(next, 0, BLOCK_EXTENT);
  return ERR_OK;
}

static enum err extent_page_at(const struct page_view *v, page_id id, const struct extent_page **ret, struct error *e) {
  const void *at;
  TRY(pages_read(v, id, &at, e));
  const struct extent_page *page = at;
  if (page->magic != EXTENT_MAGIC)
    return error_set(e, ERR_CORRUPT, "page %llu is not part of an extent", (unsigned long long) id);
  *ret = page;
  return ERR_OK;
}

enum err extent_free(struct page_batch *b, block_ptr p, struct error *e) {
  struct page_view v = page_batch_view(b);
  for (page_id id = block_page(p), next; id != PAGE_NONE; id = next) {
    const struct extent_page *page;
    TRY(extent_page_at(&v, id, &page, e));
    next = page->next;
    TRY(page_batch_free(b, id, e));
  }
  return ERR_OK;
}

enum err extent_length(const struct page_view *v, block_ptr p, uint64_t *ret, struct error *e) {
  const struct extent_page *page;
  TRY(extent_page_at(v, block_page(p), &page, e));
  *ret = page->left;
  return ERR_OK;
}

enum err extent_read(const struct page_view *v, block_ptr p, uint64_t bytes, struct arena *a, struct str *ret, struct error *e) {
  char *to = arena_alloc(a, bytes);
  if (to == NULL) return arena_err(a, e);
  uint64_t at = 0;
  for (page_id id = block_page(p); id != PAGE_NONE;) {
    const struct extent_page *page;
    TRY(extent_page_at(v, id, &page, e));
    if (page->left != bytes - at)
      return error_set(e, ERR_CORRUPT, "page %llu is not the next of its extent", (unsigned long long) id);
    uint64_t n = MIN(page->left, sizeof page->bytes);
    memcpy(to + at, page->bytes, n);
    at += n;
    id = at < bytes ? page->next : PAGE_NONE;
  }
  if (at != bytes) return error_set(e, ERR_CORRUPT, "an extent ends early");
  *ret = (struct str){to, bytes};
  return ERR_OK;
}
