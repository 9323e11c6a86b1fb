// The digest of a range: a chain over its entities in the order of their ids, each as bytes that do not depend on where it lies.
#include "base/checksum.h"
#include "graph/adjacency_int.h"
#include "graph/digest_int.h"
#include "graph/extent_int.h"
#include "graph/graph_int.h"

/// What one entity is read through.
struct reading {
  struct graph *g;
  struct page_view v;
  struct digest_sum *sum;
};

static enum err put_u64(struct buf *b, uint64_t n) {
  uint8_t bytes[8];
  put_u64_le(bytes, n);
  return buf_append(b, bytes, sizeof bytes);
}

/// A run by its length and hash: it may be long.
static enum err put_run(struct buf *b, struct str run) {
  TRY(put_u64(b, run.len));
  return put_u64(b, hash64(run.ptr, run.len, 0));
}

// ---- properties ----

/// A big run counts as what it is, not as where it lies.
static enum err put_property(struct reading *r, const struct stored *p, struct error *e) {
  struct buf *b = &r->sum->bytes;
  enum stored_tag tag = (enum stored_tag) p->tag;
  struct str run = p->run;
  if (stored_is_big(tag)) {
    TRY(extent_read(&r->v, get_u64_le(p->fixed), get_u64_le(p->fixed + 8), &r->sum->arena, &run, e));
    tag = (enum stored_tag)(tag - STORED_STRING_BIG + STORED_STRING);
  }
  TRY(put_u64(b, (uint64_t) p->key << 8 | tag));
  return stored_is_run(tag) ? put_run(b, run) : buf_append(b, p->fixed, stored_width(tag));
}

static enum err put_properties(struct reading *r, struct property_place place, struct error *e) {
  struct property_block block;
  struct stored *list;
  uint32_t n;
  TRY(property_open(&r->g->shapes, &r->v, place, &r->sum->arena, &block, e));
  TRY(property_list(&block, &r->sum->arena, &list, &n, e));
  for (uint32_t i = 0; i < n; i++) TRY(put_property(r, &list[i], e));
  return ERR_OK;
}

// ---- entities ----

static enum err put_degrees(struct reading *r, const uint8_t *record, enum graph_direction d, struct error *e) {
  struct adjacency_type *types;
  uint32_t n;
  TRY(adjacency_types(&r->v, node_adjacency(record, d), &r->sum->arena, &types, &n, e));
  TRY(put_u64(&r->sum->bytes, n));
  for (uint32_t i = 0; i < n; i++) {
    uint64_t count;
    TRY(adjacency_count(&r->v, types[i].pointer, &count, e));
    TRY(put_u64(&r->sum->bytes, types[i].type));
    TRY(put_u64(&r->sum->bytes, count));
  }
  return ERR_OK;
}

static enum err put_node(struct reading *r, const uint8_t *record, struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  TRY(node_labels(&r->v, record, labels, &n, e));
  TRY(put_u64(&r->sum->bytes, n));
  for (uint32_t i = 0; i < n; i++) TRY(put_u64(&r->sum->bytes, labels[i]));
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++) TRY(put_degrees(r, record, (enum graph_direction) d, e));
  return put_properties(r, (struct property_place){NULL, node_properties(record)}, e);
}

static enum err put_rel(struct reading *r, const uint8_t *record, struct error *e) {
  bool inside = record[0] & RECORD_PROPERTIES_INSIDE;
  struct property_place place = {inside ? record + 16 : NULL, inside ? BLOCK_NONE : get_u48(record + 16)};
  TRY(put_u64(&r->sum->bytes, rel_type(record)));
  TRY(put_u64(&r->sum->bytes, rel_start(record)));
  TRY(put_u64(&r->sum->bytes, rel_end(record)));
  return put_properties(r, place, e);
}

static enum err add_entity(struct reading *r, enum graph_kind kind, graph_id id, struct error *e) {
  struct digest_sum *sum = r->sum;
  const uint8_t *record;
  TRY(record_read(kind == GRAPH_NODE ? &r->g->nodes : &r->g->rels, &r->v, id, &record, e));
  if (!record_in_use(record)) return ERR_OK;
  arena_reset(&sum->arena);
  buf_clear(&sum->bytes);
  TRY(put_u64(&sum->bytes, id));
  TRY(kind == GRAPH_NODE ? put_node(r, record, e) : put_rel(r, record, e));
  sum->digest = hash64(sum->bytes.data, sum->bytes.len, sum->digest);
  sum->entities++;
  return ERR_OK;
}

static enum err add_entities(struct reading *r, const struct digest_range *range, struct error *e) {
  enum graph_kind kind = range->of == DIGEST_NODES ? GRAPH_NODE : GRAPH_REL;
  const struct records *records = kind == GRAPH_NODE ? &r->g->nodes : &r->g->rels;
  struct digest_sum *sum = r->sum;
  for (unsigned n = 0; n < DIGEST_STEP_IDS && sum->at < range->to; n++) {
    graph_id id = record_next_page(records, sum->at);
    if (id < range->to) TRY(add_entity(r, kind, id, e));
    sum->at = id < range->to ? id + 1 : range->to;
    if (page_access_should_rest(r->v.access)) page_access_rest(r->v.access);
  }
  return ERR_OK;
}

// ---- names ----

static enum err put_index(struct buf *b, const struct graph_index *x) {
  uint64_t fields[] = {x->id, x->index_kind, x->constraint, x->entity, x->label_or_type, x->state, x->key_count};
  for (size_t i = 0; i < ARRAY_SIZE(fields); i++) TRY(put_u64(b, fields[i]));
  for (uint32_t i = 0; i < x->key_count; i++) TRY(put_u64(b, x->keys[i]));
  TRY(put_run(b, x->name));
  return put_run(b, x->constraint_name);
}

static enum err put_schema(struct buf *b, const struct schema *s) {
  for (uint32_t i = 0; i < s->count; i++) TRY(put_index(b, &s->indexes[i].index));
  return ERR_OK;
}

/// From memory: there are few, and they are never changed.
static enum err add_names(struct graph *g, const struct digest_job *job, struct digest_sum *sum) {
  buf_clear(&sum->bytes);
  TRY(put_schema(&sum->bytes, job->schema));
  uint64_t digest = hash64(sum->bytes.data, sum->bytes.len, sum->digest), n = job->schema->count;
  for (int kind = 0; kind < GRAPH_TOKEN_KIND_MAX; kind++) {
    for (uint32_t token = 0; token < job->tokens[kind]; token++) {
      struct str name = tokens_name(&g->tokens, (enum graph_token_kind) kind, token);
      digest = hash64(name.ptr, name.len, hash_u64(digest + (uint64_t) kind));
      n++;
    }
  }
  sum->digest = digest;
  sum->entities = n;
  sum->at = job->request.range.to;
  return ERR_OK;
}

enum err digest_add(struct graph *g, const struct digest_job *job, struct page_access *access, struct digest_sum *sum,
                    struct error *e) {
  if (job->request.range.of == DIGEST_NAMES) return error_ensure(e, add_names(g, job, sum));
  struct reading r = {g, page_view_of(&job->snapshot, access), sum};
  page_access_enter(access);
  enum err err = add_entities(&r, &job->request.range, e);
  page_access_leave(access);
  return err == ERR_OK ? err : error_ensure(e, err);
}
