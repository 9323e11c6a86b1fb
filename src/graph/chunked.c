#include "graph/chunked_int.h"

#include <string.h>

#include "base/bytes.h"

enum { PIECE_BYTES = 240, KEY_MAX = 32 };

static struct bytes piece_key(uint8_t to[KEY_MAX + 2], struct bytes key, unsigned piece) {
  memcpy(to, key.ptr, key.len);
  put_u16_be(to + key.len, (uint16_t) piece);
  return (struct bytes){to, key.len + 2};
}

enum err chunked_delete(struct page_batch *b, page_id root, struct bytes key, struct error *e) {
  bool more = true;
  for (unsigned piece = 0; more && piece <= UINT16_MAX; piece++) {
    uint8_t at[KEY_MAX + 2];
    TRY(btree_delete(b, root, piece_key(at, key, piece), &more, e));
  }
  return ERR_OK;
}

enum err chunked_put(struct page_batch *b, page_id root, struct bytes key, struct str value, struct error *e) {
  TRY(chunked_delete(b, root, key, e));
  if (value.len > (size_t) PIECE_BYTES * UINT16_MAX)
    return error_set(e, ERR_INVALID, "a value of %zu bytes is too long", value.len);
  unsigned piece = 0;
  do {
    uint8_t at[KEY_MAX + 2];
    size_t n = MIN(value.len, (size_t) PIECE_BYTES);
    uint8_t with_length[PIECE_BYTES + 1];
    with_length[0] = (uint8_t) (n < value.len); // 1: another piece follows
    memcpy(with_length + 1, value.ptr, n);
    TRY(btree_put(b, root, piece_key(at, key, piece++), (struct bytes){with_length, n + 1}, NULL, e));
    value = (struct str){value.ptr + n, value.len - n};
  } while (value.len > 0);
  return ERR_OK;
}

static enum err add_piece(struct buf *whole, struct bytes value, bool *ret_last, struct error *e) {
  if (value.len == 0) return error_set(e, ERR_CORRUPT, "a piece of a value is empty");
  const uint8_t *at = value.ptr;
  *ret_last = at[0] == 0;
  return buf_append(whole, at + 1, value.len - 1) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

enum err chunked_each(const struct page_view *v, page_id root, size_t key_len,
                      enum err (*fn)(void *context, const uint8_t *key, struct str value, struct error *e), void *context,
                      struct error *e) {
  CLEANUP(buf_done) struct buf whole = BUF_INIT;
  struct btree_cursor c;
  btree_cursor_init(&c, root);
  TRY(btree_cursor_first(v, &c, e));
  while (c.valid) {
    struct bytes key, value;
    bool last;
    TRY(btree_cursor_get(v, &c, &key, &value, e));
    if (key.len != key_len + 2) return error_set(e, ERR_CORRUPT, "a key has %zu bytes instead of %zu", key.len, key_len + 2);
    TRY(add_piece(&whole, value, &last, e));
    if (last) {
      TRY(fn(context, key.ptr, buf_str(&whole), e));
      buf_clear(&whole);
    }
    TRY(btree_cursor_next(v, &c, e));
  }
  return ERR_OK;
}
