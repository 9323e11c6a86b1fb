#include "graph/command_int.h"

#include "base/planted.h"
#include "graph/layout_int.h"

enum { SCHEMA_TEXT_MAX = 400000 };

enum err command_begin(struct buf *b) {
  return buf_append_byte(b, COMMAND_VERSION);
}

// ---- writing ----

static enum err put_tokens(struct buf *b, const graph_token *list, uint32_t n) {
  TRY(put_varint(b, n));
  for (uint32_t i = 0; i < n; i++) TRY(put_varint(b, list[i]));
  return ERR_OK;
}

static enum err put_properties(struct buf *b, const struct stored *list, uint32_t n) {
  TRY(put_varint(b, n));
  for (uint32_t i = 0; i < n; i++) {
    TRY(put_varint(b, list[i].key));
    TRY(stored_put(b, &list[i]));
  }
  return ERR_OK;
}

static enum err put_rel(struct buf *b, const struct command *c) {
  TRY(put_varint(b, c->start));
  TRY(put_varint(b, c->end));
  return put_varint(b, c->type);
}

static enum err put_token(struct buf *b, const struct command *c) {
  TRY(put_varint(b, c->token_kind));
  TRY(put_varint(b, c->token));
  return put_str(b, c->name);
}

static enum err put_index(struct buf *b, const struct command *c) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  TRY(schema_put_index(&bytes, &c->index));
  return put_str(b, buf_str(&bytes));
}

enum err command_put(struct buf *b, const struct command *c) {
  TRY(buf_append_byte(b, (uint8_t) c->kind));
  if (c->kind <= COMMAND_DETACH_DELETE_NODE) TRY(put_varint(b, c->id));
  switch (c->kind) {
  case COMMAND_CREATE_NODE:
    TRY(put_tokens(b, c->labels, c->label_count));
    return put_properties(b, c->properties, c->property_count);
  case COMMAND_CREATE_REL: TRY(put_rel(b, c)); return put_properties(b, c->properties, c->property_count);
  case COMMAND_UPDATE_NODE:
    TRY(put_tokens(b, c->labels, c->label_count));
    TRY(put_tokens(b, c->removed, c->removed_count));
    return put_properties(b, c->properties, c->property_count);
  case COMMAND_UPDATE_REL: return put_properties(b, c->properties, c->property_count);
  case COMMAND_TOKEN: return put_token(b, c);
  case COMMAND_INDEX_CREATE: return put_index(b, c);
  case COMMAND_INDEX_DROP: return put_varint(b, c->index_id);
  case COMMAND_INDEX_VERDICT: TRY(put_varint(b, c->index_id)); return put_str(b, c->failure);
  default: return ERR_OK;
  }
}

// ---- reading ----

enum err command_open(struct bytes_in *in, struct error *e) {
  uint8_t version = take_byte(in);
  if (!in->bad && version == COMMAND_VERSION) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "a transaction has command version %u; this build knows version %d", version, COMMAND_VERSION);
}

static enum err take_tokens(struct bytes_in *in, struct arena *a, const graph_token **ret, uint32_t *ret_n, struct error *e) {
  uint64_t n = take_varint(in, COMMAND_ITEMS_MAX);
  if (n > (uint64_t) (in->end - in->at)) in->bad = true;
  graph_token *list = ARENA_ARRAY(a, graph_token, in->bad ? 0 : n);
  if (list == NULL) return arena_err(a, e);
  for (uint64_t i = 0; i < n && !in->bad; i++) {
    list[i] = (graph_token) take_varint(in, TOKEN_MAX);
    if (i > 0 && list[i] <= list[i - 1]) in->bad = true;
  }
  *ret = list;
  *ret_n = (uint32_t) n;
  return ERR_OK;
}

static enum err take_properties(struct bytes_in *in, bool update, struct arena *a, struct command *c, struct error *e) {
  uint64_t n = take_varint(in, COMMAND_ITEMS_MAX);
  if (n > (uint64_t) (in->end - in->at)) in->bad = true;
  struct stored *list = ARENA_ARRAY(a, struct stored, in->bad ? 0 : n);
  if (list == NULL) return arena_err(a, e);
  for (uint64_t i = 0; i < n && !in->bad; i++) {
    list[i].key = (uint32_t) take_varint(in, TOKEN_MAX);
    stored_take(in, &list[i]);
    if ((list[i].tag == STORED_NONE && !update) || (i > 0 && list[i].key <= list[i - 1].key)) in->bad = true;
  }
  c->properties = list;
  c->property_count = (uint32_t) n;
  return ERR_OK;
}

static void take_rel(struct bytes_in *in, struct command *c) {
  c->start = take_varint(in, GRAPH_ID_MAX);
  c->end = take_varint(in, GRAPH_ID_MAX);
  c->type = (graph_token) take_varint(in, TOKEN_MAX);
}

static void take_token(struct bytes_in *in, struct command *c) {
  c->token_kind = (enum graph_token_kind) take_varint(in, GRAPH_TOKEN_KIND_MAX - 1);
  c->token = (graph_token) take_varint(in, TOKEN_MAX);
  c->name = take_str(in, GRAPH_TOKEN_BYTES_MAX);
}

static enum err take_body(struct bytes_in *in, struct arena *a, struct command *c, struct error *e) {
  switch (c->kind) {
  case COMMAND_CREATE_NODE: TRY(take_tokens(in, a, &c->labels, &c->label_count, e)); return take_properties(in, false, a, c, e);
  case COMMAND_CREATE_REL: take_rel(in, c); return take_properties(in, false, a, c, e);
  case COMMAND_UPDATE_NODE:
    TRY(take_tokens(in, a, &c->labels, &c->label_count, e));
    TRY(take_tokens(in, a, &c->removed, &c->removed_count, e));
    return take_properties(in, true, a, c, e);
  case COMMAND_UPDATE_REL: return take_properties(in, true, a, c, e);
  case COMMAND_TOKEN: take_token(in, c); return ERR_OK;
  case COMMAND_INDEX_CREATE: {
    struct str bytes = take_str(in, SCHEMA_TEXT_MAX);
    return in->bad ? ERR_OK : schema_take_index(bytes, a, &c->index, e);
  }
  case COMMAND_INDEX_DROP: c->index_id = (uint32_t) take_varint(in, UINT32_MAX); return ERR_OK;
  case COMMAND_INDEX_VERDICT:
    c->index_id = (uint32_t) take_varint(in, UINT32_MAX);
    c->failure = take_str(in, SCHEMA_TEXT_MAX);
    return ERR_OK;
  default: return ERR_OK;
  }
}

enum err command_take(struct bytes_in *in, struct arena *a, struct command *ret, struct error *e) {
  struct command c = {.kind = (enum command_kind) take_byte(in)};
  if (c.kind == 0 || c.kind >= COMMAND_KIND_MAX) in->bad = true;
  if (c.kind <= COMMAND_DETACH_DELETE_NODE) c.id = take_varint(in, GRAPH_ID_MAX);
  if (!in->bad) TRY(take_body(in, a, &c, e));
  if (in->bad) return error_set(e, ERR_CORRUPT, "a command of a transaction makes no sense");
  if (PLANTED(commands) && c.kind == COMMAND_CREATE_NODE && c.label_count == 2 && c.property_count == 1) planted_memory_error();
  *ret = c;
  return ERR_OK;
}
