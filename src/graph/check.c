// Walks a whole graph and compares everything that is written twice: relationships with the lists of both ends, labels and types
// with their indexes, range indexes with properties, counts with the truth, blocks with who points to them.
#include "graph/graph_int.h"

#include <inttypes.h>
#include <stdio.h>

#include "graph/adjacency_int.h"
#include "graph/extent_int.h"
#include "graph/key_int.h"
#include "graph/members_int.h"

struct checking {
  struct graph *g;
  struct page_view v;
  struct schema *schema;
  void (*found)(void *context, struct str what);
  void *context;
  uint64_t count;
  struct map truth; // statistic -> what it should be
  struct map slots; // page of blocks -> how many pointers lead there
  struct arena arena;
  struct buf key, text;
  // The list that is walked.
  graph_id node;
  enum graph_direction direction;
  graph_token type;
  uint64_t entries;
  bool met; // the relationship that is looked for
  graph_id wanted;
};

static void PRINTF(2, 3) wrong(struct checking *c, const char *fmt, ...) {
  char text[300];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  c->count++;
  if (c->found != NULL) c->found(c->context, (struct str){text, MIN((size_t) MAX(n, 0), sizeof text - 1)});
}

static enum err add(struct checking *c, enum statistic s, uint32_t a, uint32_t b, uint64_t by) {
  statistic_key key = statistic_key_of(s, a, b);
  uint64_t *at = map_get(&c->truth, key);
  if (at == NULL) return map_put(&c->truth, key, by);
  *at += by;
  return ERR_OK;
}

static enum err point(struct checking *c, block_ptr p) {
  if (p == BLOCK_NONE || block_kind(p) == BLOCK_EXTENT || block_kind(p) == BLOCK_HUB) return ERR_OK;
  uint64_t *at = map_get(&c->slots, block_page(p));
  if (at == NULL) return map_put(&c->slots, block_page(p), 1);
  ++*at;
  return ERR_OK;
}

// ---- entities ----

/// What a relationship's record should say, seen from one entry of a node's list.
static void check_entry(struct checking *c, graph_token type, graph_id neighbour, graph_id rel, struct error *e) {
  const uint8_t *record;
  if (record_read(&c->g->rels, &c->v, rel, &record, e) != ERR_OK || !record_in_use(record)) {
    wrong(c, "node %" PRIu64 " lists relationship %" PRIu64 ", which does not exist", c->node, rel);
    return;
  }
  graph_id own = c->direction == GRAPH_OUT ? rel_start(record) : rel_end(record);
  graph_id other = c->direction == GRAPH_OUT ? rel_end(record) : rel_start(record);
  if (own != c->node || other != neighbour || rel_type(record) != type || type != c->type)
    wrong(c, "node %" PRIu64 " lists relationship %" PRIu64 " with another end or type than its record", c->node, rel);
}

static enum err check_run(void *context, graph_token type, const struct adjacency_run *r, struct error *e) {
  struct checking *c = context;
  c->entries += r->count;
  for (uint32_t i = 0; i < r->count; i++) {
    check_entry(c, type, run_neighbour(r, i), run_rel(r, i), e);
    if (i > 0 && run_lower_bound(r, run_neighbour(r, i), run_rel(r, i)) != i)
      wrong(c, "node %" PRIu64 " has a list of type %u that is out of order", c->node, type);
  }
  return ERR_OK;
}

static enum err count_list(struct checking *c, graph_token type, uint64_t n) {
  bool out = c->direction == GRAPH_OUT;
  TRY(add(c, out ? STATISTIC_SOURCES_OUT : STATISTIC_SOURCES_IN, type, 0, 1));
  return add(c, out ? STATISTIC_SQUARES_OUT : STATISTIC_SQUARES_IN, type, 0, n * n);
}

static enum err point_directory(struct checking *c, block_ptr root, struct error *e) {
  for (block_ptr p = root; block_kind(p) == BLOCK_DIRECTORY;) {
    const uint8_t *at;
    unsigned room;
    TRY(point(c, p));
    TRY(block_read(&c->v, p, &at, &room, e));
    p = get_u64_le(at + 8);
  }
  return ERR_OK;
}

static enum err check_lists(struct checking *c, const uint8_t *record, struct error *e) {
  block_ptr root = node_adjacency(record, c->direction);
  struct adjacency_type *types;
  uint32_t n;
  TRY(point_directory(c, root, e));
  TRY(adjacency_types(&c->v, root, &c->arena, &types, &n, e));
  for (uint32_t i = 0; i < n; i++) {
    uint64_t count;
    c->type = types[i].type;
    c->entries = 0;
    TRY(point(c, types[i].pointer));
    TRY(adjacency_count(&c->v, types[i].pointer, &count, e));
    TRY(adjacency_runs(&c->v, types[i].pointer, check_run, c, e));
    if (count != c->entries)
      wrong(c, "node %" PRIu64 " counts %" PRIu64 " relationships of type %u but lists %" PRIu64, c->node, count, c->type,
            c->entries);
    TRY(count_list(c, types[i].type, count));
  }
  return ERR_OK;
}

/// Every index that the entity belongs to must have its key.
static enum err check_indexed(struct checking *c, enum graph_kind kind, graph_id id, graph_token label,
                              const struct property_block *b, struct error *e) {
  const struct schema_index *x;
  for (uint32_t at = 0; (x = schema_next(c->schema, &at, kind, label)) != NULL;) {
    struct value values[GRAPH_INDEX_KEYS_MAX];
    bool all = b->shape != NULL && x->index.state == GRAPH_INDEX_ONLINE;
    for (uint32_t k = 0; k < x->index.key_count && all; k++) {
      const struct shape_property *p = shape_find(b->shape, x->index.keys[k]);
      all = p != NULL;
      if (all) TRY(property_value(&c->v, b, p, &c->arena, &values[k], e));
    }
    if (!all) continue;
    struct bytes ignored;
    if (key_make(&c->key, values, x->index.key_count, id, NULL) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    enum err err = btree_get(&c->v, x->tree, (struct bytes){c->key.data, c->key.len}, &ignored, e);
    if (err != ERR_OK && err != ERR_NOTFOUND) return err;
    if (err == ERR_NOTFOUND) wrong(c, "entity %" PRIu64 " is missing in index %u", id, x->index.id);
    TRY(add(c, STATISTIC_INDEX_ENTRIES, x->index.id, 0, 1));
  }
  return ERR_OK;
}

static enum err check_node_labels(struct checking *c, const uint8_t *record, const struct property_block *b, struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  if (record[0] & RECORD_LABELS_OUTSIDE) TRY(point(c, get_u48(record + 2)));
  TRY(node_labels(&c->v, record, labels, &n, e));
  TRY(add(c, STATISTIC_NODES, GRAPH_ANY, 0, 1));
  for (uint32_t i = 0; i < n; i++) {
    bool in;
    TRY(add(c, STATISTIC_NODES, labels[i], 0, 1));
    TRY(members_has(&c->v, c->g->labels_root, labels[i], c->node, &in, e));
    if (!in) wrong(c, "node %" PRIu64 " is missing in the index of label %u", c->node, labels[i]);
    TRY(check_indexed(c, GRAPH_NODE, c->node, labels[i], b, e));
  }
  return ERR_OK;
}

static enum err check_node(struct checking *c, graph_id id, const uint8_t *record, struct error *e) {
  struct property_block b;
  c->node = id;
  TRY(point(c, node_properties(record)));
  TRY(property_open(&c->g->shapes, &c->v, (struct property_place){NULL, node_properties(record)}, &c->arena, &b, e));
  TRY(check_node_labels(c, record, &b, e));
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++) {
    c->direction = (enum graph_direction) d;
    TRY(check_lists(c, record, e));
  }
  return ERR_OK;
}

static enum err meet(void *context, graph_token type UNUSED, const struct adjacency_run *r, struct error *e UNUSED) {
  struct checking *c = context;
  for (uint32_t i = 0; i < r->count; i++) c->met = c->met || run_rel(r, i) == c->wanted;
  return ERR_OK;
}

/// A relationship must stand in the list of that end.
static enum err check_end(struct checking *c, graph_id rel, graph_id node, enum graph_direction d, graph_token type,
                          graph_id other, struct error *e) {
  const uint8_t *record;
  block_ptr p = BLOCK_NONE;
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  TRY(record_read(&c->g->nodes, &c->v, node, &record, e));
  c->met = false;
  c->wanted = rel;
  if (record_in_use(record)) TRY(adjacency_find(&c->v, node_adjacency(record, d), type, &p, e));
  if (p != BLOCK_NONE) TRY(adjacency_runs_of(&c->v, p, other, meet, c, e));
  if (!c->met) wrong(c, "relationship %" PRIu64 " is missing at node %" PRIu64, rel, node);
  if (!record_in_use(record)) return ERR_OK;
  TRY(node_labels(&c->v, record, labels, &n, e));
  for (uint32_t i = 0; i < n; i++) {
    TRY(add(c, d == GRAPH_OUT ? STATISTIC_RELS_OF_START : STATISTIC_RELS_OF_END, labels[i], type, 1));
    TRY(add(c, d == GRAPH_OUT ? STATISTIC_RELS_OF_START : STATISTIC_RELS_OF_END, labels[i], GRAPH_ANY, 1));
  }
  return ERR_OK;
}

static enum err check_rel(struct checking *c, graph_id id, const uint8_t *record, struct error *e) {
  bool inside = record[0] & RECORD_PROPERTIES_INSIDE, in;
  struct property_place place = {inside ? record + 16 : NULL, inside ? BLOCK_NONE : get_u48(record + 16)};
  struct property_block b;
  graph_token type = rel_type(record);
  TRY(point(c, place.pointer));
  TRY(property_open(&c->g->shapes, &c->v, place, &c->arena, &b, e));
  TRY(add(c, STATISTIC_RELS, type, 0, 1));
  TRY(add(c, STATISTIC_RELS, GRAPH_ANY, 0, 1));
  TRY(members_has(&c->v, c->g->types_root, type, id, &in, e));
  if (!in) wrong(c, "relationship %" PRIu64 " is missing in the index of type %u", id, type);
  TRY(check_indexed(c, GRAPH_REL, id, type, &b, e));
  TRY(check_end(c, id, rel_start(record), GRAPH_OUT, type, rel_end(record), e));
  return check_end(c, id, rel_end(record), GRAPH_IN, type, rel_start(record), e);
}

static enum err check_records(struct checking *c, const struct records *r,
                              enum err (*one)(struct checking *, graph_id, const uint8_t *, struct error *), struct error *e) {
  for (graph_id id = 0; (id = record_next_page(r, id)) <= GRAPH_ID_MAX;) {
    const uint8_t *record;
    TRY(record_read(r, &c->v, id, &record, e));
    if (record == NULL) return error_set(e, ERR_CORRUPT, "the page of record %" PRIu64 " is missing", id);
    for (unsigned i = 0; i < RECORDS_PER_PAGE; i++, id++, record += RECORD_BYTES) {
      if (!record_in_use(record)) continue;
      arena_reset(&c->arena);
      enum err err = one(c, id, record, e);
      if (err == ERR_CORRUPT)
        wrong(c, "%s", e->message);
      else if (err != ERR_OK)
        return error_ensure(e, err);
    }
  }
  return ERR_OK;
}

// ---- counts and blocks ----

static void check_count(struct checking *c, uint64_t key, uint64_t kept, uint64_t truth) {
  if (kept != truth) wrong(c, "count %" PRIx64 " says %" PRIu64 " where %" PRIu64 " is true", key, kept, truth);
}

static enum err check_counts(struct checking *c, struct error *e) {
  size_t at = 0;
  for (const struct map_entry *m; (m = map_next(&c->truth, &at)) != NULL;) {
    uint8_t key[8];
    struct bytes value = {NULL, 0};
    put_u64_be(key, m->key);
    enum err err = btree_get(&c->v, c->g->statistics.root, (struct bytes){key, sizeof key}, &value, e);
    if (err != ERR_OK && err != ERR_NOTFOUND) return err;
    check_count(c, m->key, err == ERR_OK ? get_u64_le(value.ptr) : 0, m->value);
  }
  struct btree_cursor cursor;
  btree_cursor_init(&cursor, c->g->statistics.root);
  TRY(btree_cursor_first(&c->v, &cursor, e));
  while (cursor.valid) {
    struct bytes key, value;
    TRY(btree_cursor_get(&c->v, &cursor, &key, &value, e));
    uint64_t k = get_u64_be(key.ptr);
    if (k < statistic_key_of(STATISTIC_INDEX_ENTRIES, 0, 0) && map_get(&c->truth, k) == NULL)
      check_count(c, k, get_u64_le(value.ptr), 0);
    TRY(btree_cursor_next(&c->v, &cursor, e));
  }
  return ERR_OK;
}

static enum err check_blocks_page(void *argument, page_id id) {
  struct checking *c = argument;
  const void *page;
  TRY(pages_read(&c->v, id, &page, NULL));
  if (get_u32_le(page) != BLOCKS_PAGE_MAGIC) return ERR_OK;
  const uint64_t *pointers = map_get(&c->slots, id);
  unsigned used = get_u16_le((const uint8_t *) page + 6);
  if ((pointers != NULL ? *pointers : 0) != used)
    wrong(c, "page %" PRIu64 " has %u blocks in use but %" PRIu64 " pointers lead there", id, used,
          pointers != NULL ? *pointers : 0);
  return ERR_OK;
}

/// Entries of an index that lead nowhere show as more entries than there are entities that belong there.
static enum err check_indexes(struct checking *c, struct error *e) {
  for (uint32_t i = 0; i < c->schema->count; i++) {
    const struct schema_index *x = &c->schema->indexes[i];
    uint64_t entries;
    if (x->index.state != GRAPH_INDEX_ONLINE) continue;
    const uint64_t *truth = map_get(&c->truth, statistic_key_of(STATISTIC_INDEX_ENTRIES, x->index.id, 0));
    TRY(btree_count(&c->v, x->tree, NULL, NULL, &entries, e));
    if (entries != (truth != NULL ? *truth : 0))
      wrong(c, "index %u has %" PRIu64 " entries too many or too few", x->index.id, entries);
  }
  return ERR_OK;
}

static enum err check_all(struct checking *c, struct error *e) {
  TRY(check_records(c, &c->g->nodes, check_node, e));
  TRY(check_records(c, &c->g->rels, check_rel, e));
  TRY(check_indexes(c, e));
  TRY(check_counts(c, e));
  return pages_each(&c->v, check_blocks_page, c, e);
}

enum err graph_check(struct graph *g, void (*found)(void *context, struct str what), void *context, uint64_t *ret_found,
                     struct error *e) {
  struct checking c = {.g = g, .found = found, .context = context};
  struct page_snapshot snapshot;
  struct page_access *access;
  TRY(page_snapshot_open(g->space, &snapshot, e));
  enum err err = graph_access_take(g, &access, e);
  if (err == ERR_OK) {
    page_access_enter(access);
    c.v = page_view_of(&snapshot, access);
    c.schema = graph_schema(g);
    arena_init(&c.arena, NULL);
    err = check_all(&c, e);
    schema_release(c.schema);
    arena_done(&c.arena);
    map_done(&c.truth);
    map_done(&c.slots);
    buf_done(&c.key);
    buf_done(&c.text);
    page_access_leave(access);
    graph_access_give(g, access);
  }
  page_snapshot_close(&snapshot);
  if (err == ERR_OK) *ret_found = c.count;
  return err == ERR_OK ? err : error_ensure(e, err);
}
