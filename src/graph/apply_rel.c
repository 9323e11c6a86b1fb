#include "graph/apply_int.h"

#include <string.h>

#include "graph/adjacency_int.h"
#include "graph/members_int.h"

struct property_place rel_property_place(const uint8_t *record) {
  if (record[0] & RECORD_PROPERTIES_INSIDE) return (struct property_place){record + 16, BLOCK_NONE};
  return (struct property_place){NULL, get_u48(record + 16)};
}

/// Short blocks stand in the record, others behind a pointer. The bytes are made before the old block goes: they may point into
/// it.
static enum err set_properties(struct applier *ap, uint8_t *record, struct stored *list, uint32_t n, struct error *e) {
  struct property_store store = graph_property_store(ap->g);
  block_ptr pointer = rel_property_place(record).pointer;
  buf_clear(&ap->block);
  if (n > 0) TRY(property_encode(&store, ap->batch, list, n, &ap->block, e));
  bool inside = ap->block.len <= PROPERTY_INLINE_BYTES;
  if (inside)
    TRY(property_free_block(&store, ap->batch, pointer, e));
  else
    TRY(property_replace_block(&store, ap->batch, buf_str(&ap->block), &pointer, e));
  memset(record + 16, 0, PROPERTY_INLINE_BYTES);
  record[0] &= (uint8_t) ~RECORD_PROPERTIES_INSIDE;
  if (n == 0) return ERR_OK;
  if (inside) {
    record[0] |= RECORD_PROPERTIES_INSIDE;
    memcpy(record + 16, ap->block.data, ap->block.len);
  } else {
    put_u48(record + 16, pointer);
  }
  return ERR_OK;
}

/// Counts that depend on an end's labels.
static enum err count_end(struct applier *ap, const uint8_t *node, enum graph_direction d, graph_token type, int64_t by,
                          struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  enum statistic s = d == GRAPH_OUT ? STATISTIC_RELS_OF_START : STATISTIC_RELS_OF_END;
  TRY(node_labels(&ap->view, node, labels, &n, e));
  for (uint32_t i = 0; i < n; i++) {
    TRY(apply_count(ap, s, labels[i], type, by));
    TRY(apply_count(ap, s, labels[i], GRAPH_ANY, by));
  }
  return ERR_OK;
}

/// Distinct sources and the sum of squared degrees, when a degree goes from `before` to `after`.
static enum err count_degree(struct applier *ap, enum graph_direction d, graph_token type, uint64_t before, uint64_t after) {
  enum statistic sources = d == GRAPH_OUT ? STATISTIC_SOURCES_OUT : STATISTIC_SOURCES_IN;
  enum statistic squares = d == GRAPH_OUT ? STATISTIC_SQUARES_OUT : STATISTIC_SQUARES_IN;
  TRY(apply_count(ap, sources, type, 0, (after > 0) - (before > 0)));
  return apply_count(ap, squares, type, 0, (int64_t) (after * after) - (int64_t) (before * before));
}

/// One end's list gets the relationship (1) or loses it (-1).
static enum err change_end(struct applier *ap, graph_id node, enum graph_direction d, graph_token type, graph_id neighbour,
                           graph_id rel, int sign, struct error *e) {
  const uint8_t *seen;
  TRY(record_read(&ap->g->nodes, &ap->view, node, &seen, e));
  if (!record_in_use(seen))
    return error_set(e, ERR_CORRUPT, "relationship %llu has an end that does not exist, node %llu", (unsigned long long) rel,
                     (unsigned long long) node);
  block_ptr root = node_adjacency(seen, d), old = root;
  uint64_t before;
  if (sign > 0)
    TRY(adjacency_insert(&ap->g->blocks, ap->batch, &root, type, neighbour, rel, &before, e));
  else
    TRY(adjacency_remove(&ap->g->blocks, ap->batch, &root, type, neighbour, rel, &before, e));
  if (root != old) {
    uint8_t *record;
    TRY(record_write(&ap->g->nodes, ap->batch, node, &record, e));
    node_set_adjacency(record, d, root);
  }
  TRY(record_read(&ap->g->nodes, &ap->view, node, &seen, e));
  TRY(count_end(ap, seen, d, type, sign, e));
  return count_degree(ap, d, type, before, before + (uint64_t) (int64_t) sign);
}

static enum err change_counts(struct applier *ap, graph_token type, graph_id rel, int sign, struct error *e) {
  TRY(apply_count(ap, STATISTIC_RELS, type, 0, sign));
  TRY(apply_count(ap, STATISTIC_RELS, GRAPH_ANY, 0, sign));
  return sign > 0 ? members_add(ap->batch, ap->g->types_root, type, rel, e)
                  : members_remove(ap->batch, ap->g->types_root, type, rel, e);
}

enum err apply_create_rel(struct applier *ap, const struct command *c, struct error *e) {
  uint8_t *record;
  TRY(record_write(&ap->g->rels, ap->batch, c->id, &record, e));
  if (record[0] != 0) return error_set(e, ERR_CORRUPT, "relationship %llu exists already", (unsigned long long) c->id);
  memset(record, 0, RECORD_BYTES);
  record[0] = RECORD_IN_USE;
  put_u24(record + 1, c->type);
  put_u40(record + 4, c->start);
  put_u40(record + 9, c->end);
  struct stored *list = arena_copy(&ap->scratch, c->properties, c->property_count * sizeof *list);
  if (list == NULL) return arena_err(&ap->scratch, e);
  TRY(set_properties(ap, record, list, c->property_count, e));
  TRY(change_end(ap, c->start, GRAPH_OUT, c->type, c->end, c->id, 1, e));
  TRY(change_end(ap, c->end, GRAPH_IN, c->type, c->start, c->id, 1, e));
  struct entity_state none = {0}, now = {&c->type, 1, c->properties, c->property_count};
  TRY(apply_index_change(ap, GRAPH_REL, c->id, &none, &now, e));
  return change_counts(ap, c->type, c->id, 1, e);
}

static enum err rel_record(struct applier *ap, graph_id id, uint8_t **ret, struct error *e) {
  const uint8_t *seen;
  TRY(record_read(&ap->g->rels, &ap->view, id, &seen, e));
  if (!record_in_use(seen)) return error_set(e, ERR_CORRUPT, "relationship %llu does not exist", (unsigned long long) id);
  return record_write(&ap->g->rels, ap->batch, id, ret, e);
}

enum err apply_update_rel(struct applier *ap, const struct command *c, struct error *e) {
  uint8_t *record;
  struct stored *list, *new_list;
  uint32_t n, new_n;
  TRY(rel_record(ap, c->id, &record, e));
  TRY(apply_properties(ap, rel_property_place(record), &list, &n, e));
  TRY(apply_merge_properties(ap, list, n, c->properties, c->property_count, &new_list, &new_n, e));
  graph_token type = rel_type(record);
  struct entity_state before = {&type, 1, list, n}, after = {&type, 1, new_list, new_n};
  TRY(apply_index_change(ap, GRAPH_REL, c->id, &before, &after, e));
  TRY(apply_free_replaced(ap, list, n, c->properties, c->property_count, e));
  return set_properties(ap, record, new_list, new_n, e);
}

enum err apply_delete_rel(struct applier *ap, graph_id id, struct error *e) {
  uint8_t *record;
  struct stored *list;
  uint32_t n;
  TRY(rel_record(ap, id, &record, e));
  TRY(apply_properties(ap, rel_property_place(record), &list, &n, e));
  graph_token type = rel_type(record);
  graph_id start = rel_start(record), end = rel_end(record);
  struct entity_state before = {&type, 1, list, n}, none = {0};
  TRY(apply_index_change(ap, GRAPH_REL, id, &before, &none, e));
  for (uint32_t i = 0; i < n; i++) TRY(property_free_big(ap->batch, &list[i], e));
  TRY(set_properties(ap, record, NULL, 0, e));
  record[0] = RECORD_DELETED;
  TRY(change_end(ap, start, GRAPH_OUT, type, end, id, -1, e));
  TRY(change_end(ap, end, GRAPH_IN, type, start, id, -1, e));
  return change_counts(ap, type, id, -1, e);
}
