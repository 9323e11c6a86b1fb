#include "graph/members_int.h"

#include <string.h>

enum { BITMAP_BYTES = MEMBERS_SPAN / 8, ARRAY_MAX = 120, KEY_BYTES = 8 }; // an array of ARRAY_MAX is shorter than a bitmap

/// A container in memory: always a bitmap; stored in the shorter form.
struct container {
  uint8_t bits[BITMAP_BYTES];
};

static struct bytes members_key(uint8_t to[KEY_BYTES], graph_token token, graph_id id) {
  put_u32_be(to, token);
  put_u32_be(to + 4, (uint32_t) (id / MEMBERS_SPAN));
  return (struct bytes){to, KEY_BYTES};
}

static bool bit_get(const uint8_t *bits, unsigned i) {
  return bits[i / 8] >> (i % 8) & 1;
}

static enum err bad_members(struct error *e) {
  return error_set(e, ERR_CORRUPT, "a set of members makes no sense");
}

static enum err container_load(struct bytes value, struct container *c, struct error *e) {
  const uint8_t *at = value.ptr;
  memset(c, 0, sizeof *c);
  if (value.len == BITMAP_BYTES) {
    memcpy(c->bits, at, BITMAP_BYTES);
    return ERR_OK;
  }
  for (size_t i = 0; i + 1 < value.len; i += 2) {
    unsigned low = get_u16_le(at + i);
    if (low >= MEMBERS_SPAN) return bad_members(e);
    c->bits[low / 8] |= (uint8_t) (1 << low % 8);
  }
  return ERR_OK;
}

static enum err container_find(const struct page_view *v, page_id root, struct bytes key, struct container *c, struct error *e) {
  struct bytes value = {"", 0};
  enum err err = btree_get(v, root, key, &value, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  return container_load(value, c, e);
}

// ---- changing ----

static enum err wrong_change(graph_token token, graph_id id, bool in, struct error *e) {
  return error_set(e, ERR_CORRUPT, "entity %llu is %s token %u", (unsigned long long) id, in ? "already under" : "not under",
                   token);
}

/// The bitmap as an array; false if it has more than ARRAY_MAX members.
static bool bitmap_to_array(const uint8_t *bits, uint8_t array[2 * ARRAY_MAX], size_t *ret_bytes) {
  size_t n = 0;
  for (unsigned i = 0; i < MEMBERS_SPAN; i++) {
    if (i % 8 == 0 && bits[i / 8] == 0) {
      i += 7;
      continue;
    }
    if (!bit_get(bits, i)) continue;
    if (n == 2 * ARRAY_MAX) return false;
    put_u16_le(array + n, (uint16_t) i);
    n += 2;
  }
  *ret_bytes = n;
  return true;
}

/// The place of `low` in a sorted array, or where it would be.
static size_t array_place(const uint8_t *array, size_t bytes, unsigned low) {
  size_t from = 0, to = bytes / 2;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (get_u16_le(array + 2 * middle) < low)
      from = middle + 1;
    else
      to = middle;
  }
  return 2 * from;
}

/// A change of a sorted array, in place: it has room for one more. False if it is there already, or not there.
static bool array_change(uint8_t *array, size_t *bytes, unsigned low, bool in) {
  size_t at = array_place(array, *bytes, low);
  bool found = at < *bytes && get_u16_le(array + at) == low;
  if (found == in) return false;
  if (in) {
    memmove(array + at + 2, array + at, *bytes - at);
    put_u16_le(array + at, (uint16_t) low);
    *bytes += 2;
  } else {
    memmove(array + at, array + at + 2, *bytes - at - 2);
    *bytes -= 2;
  }
  return true;
}

static enum err change_bitmap(struct page_batch *b, page_id root, struct bytes key, struct container *c, bool grew,
                              struct error *e) {
  uint8_t array[2 * ARRAY_MAX];
  size_t bytes;
  if (grew || !bitmap_to_array(c->bits, array, &bytes))
    return btree_put(b, root, key, (struct bytes){c->bits, BITMAP_BYTES}, NULL, e);
  return btree_put(b, root, key, (struct bytes){array, bytes}, NULL, e);
}

static enum err members_change(struct page_batch *b, page_id root, graph_token token, graph_id id, bool in, struct error *e) {
  uint8_t at[KEY_BYTES], array[2 * (ARRAY_MAX + 1)];
  struct bytes key = members_key(at, token, id), value = {"", 0};
  struct container c;
  struct page_view v = page_batch_view(b);
  unsigned low = (unsigned) (id % MEMBERS_SPAN);
  enum err err = btree_get(&v, root, key, &value, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  bool is_array = value.len <= 2 * ARRAY_MAX;
  if (is_array) {
    size_t bytes = value.len;
    memcpy(array, value.ptr, bytes);
    if (bytes % 2 != 0 || (bytes > 0 && get_u16_le(array + bytes - 2) >= MEMBERS_SPAN)) return bad_members(e);
    if (!array_change(array, &bytes, low, in)) return wrong_change(token, id, in, e);
    if (bytes == 0) return btree_delete(b, root, key, NULL, e);
    if (bytes <= 2 * ARRAY_MAX) return btree_put(b, root, key, (struct bytes){array, bytes}, NULL, e);
    value = (struct bytes){array, bytes};
  }
  TRY(container_load(value, &c, e));
  if (!is_array) {
    if (bit_get(c.bits, low) == in) return wrong_change(token, id, in, e);
    c.bits[low / 8] ^= (uint8_t) (1 << low % 8);
  }
  return change_bitmap(b, root, key, &c, in, e);
}

enum err members_add(struct page_batch *b, page_id root, graph_token token, graph_id id, struct error *e) {
  return members_change(b, root, token, id, true, e);
}

enum err members_remove(struct page_batch *b, page_id root, graph_token token, graph_id id, struct error *e) {
  return members_change(b, root, token, id, false, e);
}

enum err members_has(const struct page_view *v, page_id root, graph_token token, graph_id id, bool *ret, struct error *e) {
  uint8_t at[KEY_BYTES];
  struct container c;
  TRY(container_find(v, root, members_key(at, token, id), &c, e));
  *ret = bit_get(c.bits, (unsigned) (id % MEMBERS_SPAN));
  return ERR_OK;
}

/// Appends the container's ids from `from` on. True if `cap` was reached before its end; then `*ret_next` is the next one.
static bool container_emit(const struct container *c, graph_id base, graph_id from, graph_id *ids, uint32_t cap, uint32_t *n,
                           graph_id *ret_next) {
  for (unsigned i = from > base ? (unsigned) (from - base) : 0; i < MEMBERS_SPAN; i++) {
    if (i % 8 == 0 && c->bits[i / 8] == 0) {
      i += 7;
      continue;
    }
    if (!bit_get(c->bits, i)) continue;
    if (*n == cap) {
      *ret_next = base + i;
      return true;
    }
    ids[(*n)++] = base + i;
  }
  return false;
}

enum err members_scan(const struct page_view *v, page_id root, graph_token token, graph_id from, graph_id *ids, uint32_t cap,
                      uint32_t *ret_n, graph_id *ret_next, struct error *e) {
  uint8_t at[KEY_BYTES];
  struct btree_cursor cursor;
  uint32_t n = 0;
  btree_cursor_init(&cursor, root);
  TRY(btree_cursor_seek(v, &cursor, members_key(at, token, from), BTREE_SEEK_GE, e));
  graph_id next = UINT64_MAX;
  while (cursor.valid) {
    struct bytes key, value;
    struct container c;
    TRY(btree_cursor_get(v, &cursor, &key, &value, e));
    if (key.len != KEY_BYTES || get_u32_be(key.ptr) != token) break;
    TRY(container_load(value, &c, e));
    graph_id base = (graph_id) get_u32_be((const uint8_t *) key.ptr + 4) * MEMBERS_SPAN;
    if (container_emit(&c, base, from, ids, cap, &n, &next)) break;
    TRY(btree_cursor_next(v, &cursor, e));
  }
  *ret_n = n;
  *ret_next = next;
  return ERR_OK;
}
