#include "graph/statistics_int.h"

#include "base/bytes.h"

enum { TOKEN_BITS = 26 };
#define TOKEN_MASK ((UINT64_C(1) << TOKEN_BITS) - 1) // GRAPH_ANY becomes all ones, above every token

statistic_key statistic_key_of(enum statistic s, uint32_t a, uint32_t b) {
  return (uint64_t) s << (2 * TOKEN_BITS) | (a & TOKEN_MASK) << TOKEN_BITS | (b & TOKEN_MASK);
}

void statistics_init(struct statistics *s) {
  *s = (struct statistics){0};
  mutex_init(&s->mutex);
}

void statistics_done(struct statistics *s) {
  map_done(&s->published);
  map_done(&s->deltas);
  mutex_done(&s->mutex);
}

enum err statistics_load(struct statistics *s, const struct page_view *v, struct error *e) {
  struct btree_cursor c;
  btree_cursor_init(&c, s->root);
  TRY(btree_cursor_first(v, &c, e));
  while (c.valid) {
    struct bytes key, value;
    TRY(btree_cursor_get(v, &c, &key, &value, e));
    if (key.len != 8 || value.len != 8) return error_set(e, ERR_CORRUPT, "the statistics make no sense");
    if (map_put(&s->published, get_u64_be(key.ptr), get_u64_le(value.ptr)) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    TRY(btree_cursor_next(v, &c, e));
  }
  return ERR_OK;
}

enum err statistics_add(struct statistics *s, enum statistic which, uint32_t a, uint32_t b, int64_t by) {
  statistic_key key = statistic_key_of(which, a, b);
  uint64_t *at = map_get(&s->deltas, key);
  if (at == NULL) return map_put(&s->deltas, key, (uint64_t) by);
  *at += (uint64_t) by;
  return ERR_OK;
}

/// Only the applier changes `published`, so it may look without the mutex; adding an entry moves others and needs it.
static enum err flush_one(struct statistics *s, struct page_batch *b, const struct map_entry *delta, struct error *e) {
  const uint64_t *old = map_get(&s->published, delta->key);
  uint64_t now = (old != NULL ? *old : 0) + delta->value;
  if (old == NULL) {
    mutex_lock(&s->mutex);
    enum err err = map_put(&s->published, delta->key, 0);
    mutex_unlock(&s->mutex);
    if (err != ERR_OK) return error_ensure(e, err);
  }
  uint8_t key[8], value[8];
  put_u64_be(key, delta->key);
  put_u64_le(value, now);
  struct bytes at = {key, sizeof key};
  if (now == 0) return btree_delete(b, s->root, at, NULL, e);
  return btree_put(b, s->root, at, (struct bytes){value, sizeof value}, NULL, e);
}

enum err statistics_flush(struct statistics *s, struct page_batch *b, struct error *e) {
  size_t at = 0;
  for (const struct map_entry *delta; (delta = map_next(&s->deltas, &at)) != NULL;)
    if (delta->value != 0) TRY(flush_one(s, b, delta, e));
  return ERR_OK;
}

void statistics_publish(struct statistics *s) {
  size_t at = 0;
  mutex_lock(&s->mutex);
  for (const struct map_entry *delta; (delta = map_next(&s->deltas, &at)) != NULL;)
    if (delta->value != 0) *map_get(&s->published, delta->key) += delta->value;
  mutex_unlock(&s->mutex);
  map_clear(&s->deltas);
}

void statistics_abort(struct statistics *s) {
  map_clear(&s->deltas);
}

uint64_t statistics_get(struct statistics *s, enum statistic which, uint32_t a, uint32_t b) {
  mutex_lock(&s->mutex);
  const uint64_t *at = map_get(&s->published, statistic_key_of(which, a, b));
  uint64_t n = at != NULL ? *at : 0;
  mutex_unlock(&s->mutex);
  return n;
}

enum err statistics_read(const struct statistics *s, const struct page_view *v, enum statistic which, uint32_t a, uint32_t b,
                         uint64_t *ret, struct error *e) {
  uint8_t key[8];
  struct bytes value;
  put_u64_be(key, statistic_key_of(which, a, b));
  enum err err = btree_get(v, s->root, (struct bytes){key, sizeof key}, &value, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  *ret = err == ERR_OK && value.len == 8 ? get_u64_le(value.ptr) : 0;
  return ERR_OK;
}
