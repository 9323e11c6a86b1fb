#include "graph/tokens_int.h"

#include "base/mem.h"
#include "graph/chunked_int.h"
#include "graph/layout_int.h"

void tokens_init(struct tokens *t) {
  *t = (struct tokens){0};
  mutex_init(&t->mutex);
}

void tokens_done(struct tokens *t) {
  for (int kind = 0; kind < GRAPH_TOKEN_KIND_MAX; kind++) {
    struct token_table *table = &t->kinds[kind];
    for (uint32_t i = 0; i < table->count; i++) mem_free((void *) (uintptr_t) stable_get(&table->names, i));
    stable_done(&table->names);
    strmap_done(&table->by_name);
  }
  mutex_done(&t->mutex);
}

bool tokens_find(struct tokens *t, enum graph_token_kind kind, struct str name, graph_token *ret) {
  mutex_lock(&t->mutex);
  uint64_t *at = strmap_get(&t->kinds[kind].by_name, name);
  if (at != NULL) *ret = (graph_token) *at;
  mutex_unlock(&t->mutex);
  return at != NULL;
}

struct str tokens_name(const struct tokens *t, enum graph_token_kind kind, graph_token token) {
  const struct str *name = (const struct str *) (uintptr_t) stable_get(&t->kinds[kind].names, token);
  return name != NULL ? *name : STR_NONE;
}

/// Number and name for readers; the mutex is held.
static enum err table_add(struct token_table *table, graph_token token, struct str name) {
  struct str *kept = mem_alloc(sizeof *kept + name.len + 1);
  if (kept == NULL) return ERR_NOMEM;
  char *bytes = (char *) (kept + 1);
  memcpy(bytes, name.ptr, name.len);
  bytes[name.len] = 0;
  *kept = (struct str){bytes, name.len};
  enum err err = strmap_put(&table->by_name, *kept, token);
  if (err == ERR_OK) {
    err = stable_set(&table->names, token, (uintptr_t) kept);
    if (err != ERR_OK) strmap_remove(&table->by_name, *kept);
  }
  if (err != ERR_OK)
    mem_free(kept);
  else
    table->count++;
  return err;
}

static enum err tokens_add(struct tokens *t, enum graph_token_kind kind, graph_token token, struct str name, struct error *e) {
  struct token_table *table = &t->kinds[kind];
  enum err err = ERR_OK;
  mutex_lock(&t->mutex);
  uint64_t *known = strmap_get(&table->by_name, name);
  bool repeated = known != NULL && *known == token;
  if (!repeated && (known != NULL || token != table->count || token > TOKEN_MAX))
    err = error_set(e, ERR_CORRUPT, "token %u cannot be added under the name '%.*s'", token, (int) MIN(name.len, 100u), name.ptr);
  else if (!repeated)
    err = table_add(table, token, name);
  mutex_unlock(&t->mutex);
  if (err == ERR_OK && !repeated) t->version++;
  return err == ERR_OK ? err : error_ensure(e, err);
}

static enum err load_one(void *context, const uint8_t *key, struct str value, struct error *e) {
  if (key[0] >= GRAPH_TOKEN_KIND_MAX) return error_set(e, ERR_CORRUPT, "there is no kind %u of tokens", key[0]);
  return tokens_add(context, (enum graph_token_kind) key[0], get_u32_be(key + 1), value, e);
}

enum err tokens_load(struct tokens *t, const struct page_view *v, struct error *e) {
  return chunked_each(v, t->root, 5, load_one, t, e);
}

enum err tokens_apply(struct tokens *t, struct page_batch *b, enum graph_token_kind kind, graph_token token, struct str name,
                      struct error *e) {
  uint8_t key[5] = {(uint8_t) kind};
  put_u32_be(key + 1, token);
  if (name.len == 0 || name.len > GRAPH_TOKEN_BYTES_MAX)
    return error_set(e, ERR_CORRUPT, "a token's name has %zu bytes", name.len);
  TRY(tokens_add(t, kind, token, name, e));
  return chunked_put(b, t->root, (struct bytes){key, sizeof key}, name, e);
}
