#include "graph/schema_int.h"

#include "base/mem.h"
#include "graph/chunked_int.h"
#include "graph/coder_int.h"
#include "graph/layout_int.h"

enum { SCHEMA_FORMAT = 1, TEXT_MAX = 60000 };

static struct schema *schema_make(uint32_t room) {
  struct schema *s = mem_zalloc(sizeof *s);
  if (s == NULL) return NULL;
  arena_init(&s->arena, NULL);
  s->references = 1;
  s->indexes = ARENA_ARRAY(&s->arena, struct schema_index, room);
  if (s->indexes != NULL) return s;
  schema_release(s);
  return NULL;
}

static bool copy_text(struct arena *a, struct str *s) {
  if (s->len == 0) {
    *s = STR("");
    return true;
  }
  *s = arena_str(a, *s);
  return s->ptr != NULL;
}

static bool copy_index(struct arena *a, struct schema_index *x) {
  return copy_text(a, &x->index.name) && copy_text(a, &x->index.constraint_name) && copy_text(a, &x->index.failure);
}

struct schema *schema_copy(const struct schema *from) {
  struct schema *s = schema_make(from->count + 1);
  if (s == NULL) return NULL;
  s->version = from->version + 1;
  s->next_id = from->next_id;
  s->count = from->count;
  for (uint32_t i = 0; i < from->count; i++) {
    s->indexes[i] = from->indexes[i];
    if (copy_index(&s->arena, &s->indexes[i])) continue;
    schema_release(s);
    return NULL;
  }
  return s;
}

struct schema *schema_hold(struct schema *s) {
  s->references++;
  return s;
}

void schema_release(struct schema *s) {
  if (s == NULL || --s->references > 0) return;
  arena_done(&s->arena);
  mem_free(s);
}

struct schema_index *schema_find(const struct schema *s, uint32_t id) {
  for (uint32_t i = 0; i < s->count; i++)
    if (s->indexes[i].index.id == id) return &s->indexes[i];
  return NULL;
}

const struct schema_index *schema_next(const struct schema *s, uint32_t *at, enum graph_kind kind, graph_token label_or_type) {
  while (*at < s->count) {
    const struct schema_index *x = &s->indexes[(*at)++];
    if (x->index.entity == kind && x->index.label_or_type == label_or_type && x->index.index_kind == GRAPH_INDEX_RANGE) return x;
  }
  return NULL;
}

enum err schema_put_index(struct buf *b, const struct schema_index *x) {
  const struct graph_index *i = &x->index;
  uint64_t numbers[] = {SCHEMA_FORMAT,    i->id,    i->index_kind, i->constraint, i->entity,
                        i->label_or_type, i->state, x->tree,       x->populated,  i->key_count};
  for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) TRY(put_varint(b, numbers[n]));
  for (uint32_t k = 0; k < i->key_count; k++) TRY(put_varint(b, i->keys[k]));
  TRY(put_str(b, i->name));
  TRY(put_str(b, i->constraint_name));
  return put_str(b, i->failure);
}

enum err schema_take_index(struct str bytes, struct arena *a, struct schema_index *ret, struct error *e) {
  struct bytes_in in = bytes_in_of(bytes);
  struct schema_index x = {0};
  struct graph_index *i = &x.index;
  uint64_t format = take_varint(&in, SCHEMA_FORMAT);
  i->id = (uint32_t) take_varint(&in, UINT32_MAX);
  i->index_kind = (enum graph_index_kind) take_varint(&in, GRAPH_INDEX_LOOKUP);
  i->constraint = (enum graph_constraint_kind) take_varint(&in, GRAPH_CONSTRAINT_UNIQUE);
  i->entity = (enum graph_kind) take_varint(&in, GRAPH_REL);
  i->label_or_type = (graph_token) take_varint(&in, UINT32_MAX);
  i->state = (enum graph_index_state) take_varint(&in, GRAPH_INDEX_FAILED);
  x.tree = take_varint(&in, UINT64_MAX);
  x.populated = take_varint(&in, UINT64_MAX);
  i->key_count = (uint32_t) take_varint(&in, GRAPH_INDEX_KEYS_MAX);
  for (uint32_t k = 0; k < i->key_count; k++) i->keys[k] = (graph_token) take_varint(&in, TOKEN_MAX);
  i->name = take_str(&in, TEXT_MAX);
  i->constraint_name = take_str(&in, TEXT_MAX);
  i->failure = take_str(&in, TEXT_MAX);
  i->population_percent = i->state == GRAPH_INDEX_ONLINE ? 100 : 0;
  if (!bytes_in_done(&in) || in.bad || format != SCHEMA_FORMAT)
    return error_set(e, ERR_CORRUPT, "an index's description makes no sense");
  if (!copy_index(a, &x)) return arena_err(a, e);
  *ret = x;
  return ERR_OK;
}

struct loading {
  struct schema *s;
  uint32_t room;
};

static enum err load_one(void *context, const uint8_t *key, struct str value, struct error *e) {
  struct loading *l = context;
  struct schema *s = l->s;
  if (s->count == l->room) {
    uint32_t room = l->room * 2;
    struct schema_index *more = arena_grow(&s->arena, s->indexes, l->room * sizeof *more, room * sizeof *more);
    if (more == NULL) return arena_err(&s->arena, e);
    s->indexes = more;
    l->room = room;
  }
  struct schema_index *x = &s->indexes[s->count];
  TRY(schema_take_index(value, &s->arena, x, e));
  if (x->index.id != get_u32_be(key)) return error_set(e, ERR_CORRUPT, "index %u is under another's key", x->index.id);
  s->count++;
  s->next_id = MAX(s->next_id, x->index.id + 1);
  return ERR_OK;
}

enum err schema_load(const struct page_view *v, page_id root, struct schema **ret, struct error *e) {
  struct loading l = {schema_make(8), 8};
  if (l.s == NULL) return error_ensure(e, ERR_NOMEM);
  l.s->next_id = 1;
  enum err err = chunked_each(v, root, 4, load_one, &l, e);
  if (err == ERR_OK)
    *ret = l.s;
  else
    schema_release(l.s);
  return err;
}

enum err schema_store(struct page_batch *b, page_id root, const struct schema_index *x, struct error *e) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  uint8_t key[4];
  put_u32_be(key, x->index.id);
  enum err err = schema_put_index(&bytes, x);
  if (err != ERR_OK) return error_ensure(e, err);
  return chunked_put(b, root, (struct bytes){key, sizeof key}, buf_str(&bytes), e);
}

enum err schema_erase(struct page_batch *b, page_id root, uint32_t id, struct error *e) {
  uint8_t key[4];
  put_u32_be(key, id);
  return chunked_delete(b, root, (struct bytes){key, sizeof key}, e);
}
