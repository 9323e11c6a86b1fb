#include "graph/blocks_int.h"

/// At the start of each page of slots. Free slots that were used hold the offset of the next one.
struct blocks_page {
  uint32_t magic;
  uint16_t class_index;
  uint16_t used;      // slots that are taken
  uint16_t free_head; // offset of a freed slot, 0 none
  uint16_t fresh;     // offset of the first slot that was never used
  uint8_t reserved[20];
};

_Static_assert(sizeof(struct blocks_page) == 32, "slots begin at 32");

static const uint16_t class_bytes[BLOCK_CLASSES] = {16,  24,  32,  40,  48,  56,  64,  80,   96,   112,  136,
                                                    168, 200, 264, 336, 448, 576, 800, 1016, 1352, 2032, BLOCK_BYTES_MAX};

static unsigned class_of(unsigned bytes) {
  unsigned c = 0;
  while (class_bytes[c] < bytes) c++;
  return c;
}

unsigned blocks_class_bytes(unsigned bytes) {
  return class_bytes[class_of(bytes)];
}

static bool page_is_full(const struct blocks_page *h) {
  return h->free_head == 0 && h->fresh + class_bytes[h->class_index] > PAGE_BYTES;
}

static struct bytes room_key(uint8_t key[7], unsigned class_index, page_id page) {
  key[0] = (uint8_t) class_index;
  put_u16_be(key + 1, (uint16_t) (page >> 32));
  put_u32_be(key + 3, (uint32_t) page);
  return (struct bytes){key, 7};
}

static enum err room_add(struct blocks *k, struct page_batch *b, unsigned class_index, page_id page, struct error *e) {
  uint8_t key[7];
  return btree_put(b, k->root, room_key(key, class_index, page), (struct bytes){"", 1}, NULL, e);
}

static enum err room_remove(struct blocks *k, struct page_batch *b, unsigned class_index, page_id page, struct error *e) {
  uint8_t key[7];
  if (k->current[class_index] == page) k->current[class_index] = PAGE_NONE;
  return btree_delete(b, k->root, room_key(key, class_index, page), NULL, e);
}

static enum err check_page(const struct blocks_page *h, page_id page, struct error *e) {
  if (h->magic == BLOCKS_PAGE_MAGIC && h->class_index < BLOCK_CLASSES && h->fresh <= PAGE_BYTES &&
      h->free_head <= PAGE_BYTES - 16 && h->fresh >= sizeof *h)
    return ERR_OK;
  return error_set(e, ERR_CORRUPT, "page %llu is not a page of blocks", (unsigned long long) page);
}

/// A page with room, from the tree or new.
static enum err find_page(struct blocks *k, struct page_batch *b, unsigned class_index, page_id *ret, struct error *e) {
  uint8_t from[7];
  struct btree_cursor c;
  struct page_view v = page_batch_view(b);
  btree_cursor_init(&c, k->root);
  TRY(btree_cursor_seek(&v, &c, room_key(from, class_index, 0), BTREE_SEEK_GE, e));
  if (c.valid) {
    struct bytes key;
    TRY(btree_cursor_get(&v, &c, &key, NULL, e));
    const uint8_t *at = key.ptr;
    if (key.len == 7 && at[0] == class_index) {
      *ret = (page_id) get_u16_be(at + 1) << 32 | get_u32_be(at + 3);
      return ERR_OK;
    }
  }
  void *page;
  TRY(page_batch_allocate(b, ret, &page, e));
  *(struct blocks_page *) page = (struct blocks_page){
      .magic = BLOCKS_PAGE_MAGIC, .class_index = (uint16_t) class_index, .fresh = sizeof(struct blocks_page)};
  return room_add(k, b, class_index, *ret, e);
}

static unsigned take_slot(struct blocks_page *h) {
  unsigned offset = h->free_head;
  if (offset != 0) {
    h->free_head = get_u16_le((const uint8_t *) h + offset) & 0xFF8;
  } else {
    offset = h->fresh;
    h->fresh = (uint16_t) (offset + class_bytes[h->class_index]);
  }
  h->used++;
  return offset;
}

enum err blocks_alloc(struct blocks *k, struct page_batch *b, unsigned bytes, enum block_kind kind, block_ptr *ret, void **ret_at,
                      struct error *e) {
  unsigned c = class_of(bytes);
  page_id page = k->current[c];
  if (page == PAGE_NONE) TRY(find_page(k, b, c, &page, e));
  void *bytes_at;
  TRY(page_batch_write(b, page, &bytes_at, e));
  struct blocks_page *h = bytes_at;
  TRY(check_page(h, page, e));
  if (page_is_full(h)) return error_set(e, ERR_CORRUPT, "page %llu has no room although it is listed", (unsigned long long) page);
  unsigned offset = take_slot(h);
  k->current[c] = page;
  if (page_is_full(h)) TRY(room_remove(k, b, c, page, e));
  *ret = block_at(page, offset, kind);
  *ret_at = (uint8_t *) h + offset;
  return ERR_OK;
}

enum err blocks_free(struct blocks *k, struct page_batch *b, block_ptr p, struct error *e) {
  void *bytes_at;
  TRY(page_batch_write(b, block_page(p), &bytes_at, e));
  struct blocks_page *h = bytes_at;
  TRY(check_page(h, block_page(p), e));
  unsigned offset = block_offset(p), c = h->class_index;
  if (h->used == 0 || offset < sizeof *h || offset >= h->fresh)
    return error_set(e, ERR_CORRUPT, "block %llx is freed but was never given out", (unsigned long long) p);
  bool was_full = page_is_full(h);
  put_u16_le((uint8_t *) h + offset, h->free_head);
  h->free_head = (uint16_t) offset;
  h->used--;
  if (h->used > 0) return was_full ? room_add(k, b, c, block_page(p), e) : ERR_OK;
  if (!was_full) TRY(room_remove(k, b, c, block_page(p), e));
  return page_batch_free(b, block_page(p), e);
}

enum err blocks_reuse(struct page_batch *b, block_ptr p, unsigned bytes, void **ret_at, struct error *e) {
  struct page_view v = page_batch_view(b);
  const void *page;
  void *at;
  *ret_at = NULL;
  TRY(pages_read(&v, block_page(p), &page, e));
  const struct blocks_page *h = page;
  TRY(check_page(h, block_page(p), e));
  if (h->class_index != class_of(bytes) || block_offset(p) < sizeof *h) return ERR_OK;
  TRY(page_batch_write(b, block_page(p), &at, e));
  *ret_at = (uint8_t *) at + block_offset(p);
  return ERR_OK;
}

void blocks_forget(struct blocks *k) {
  for (unsigned c = 0; c < BLOCK_CLASSES; c++) k->current[c] = PAGE_NONE;
}

enum err block_read(const struct page_view *v, block_ptr p, const uint8_t **ret, unsigned *ret_room, struct error *e) {
  const void *page;
  TRY(pages_read(v, block_page(p), &page, e));
  if (block_offset(p) < sizeof(struct blocks_page))
    return error_set(e, ERR_CORRUPT, "block pointer %llx points into a page's head", (unsigned long long) p);
  *ret = (const uint8_t *) page + block_offset(p);
  *ret_room = PAGE_BYTES - block_offset(p);
  return ERR_OK;
}

enum err block_write(struct page_batch *b, block_ptr p, uint8_t **ret, struct error *e) {
  void *page;
  TRY(page_batch_write(b, block_page(p), &page, e));
  if (block_offset(p) < sizeof(struct blocks_page))
    return error_set(e, ERR_CORRUPT, "block pointer %llx points into a page's head", (unsigned long long) p);
  *ret = (uint8_t *) page + block_offset(p);
  return ERR_OK;
}
