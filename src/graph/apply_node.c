#include "graph/apply_int.h"

#include <string.h>

#include "graph/adjacency_int.h"
#include "graph/members_int.h"

static enum err no_such_node(graph_id id, struct error *e) {
  return error_set(e, ERR_CORRUPT, "node %llu does not exist", (unsigned long long) id);
}

static enum err node_seen(struct applier *ap, graph_id id, const uint8_t **ret, struct error *e) {
  TRY(record_read(&ap->g->nodes, &ap->view, id, ret, e));
  return record_in_use(*ret) ? ERR_OK : no_such_node(id, e);
}

static enum err node_record(struct applier *ap, graph_id id, uint8_t **ret, struct error *e) {
  const uint8_t *seen;
  TRY(node_seen(ap, id, &seen, e));
  return record_write(&ap->g->nodes, ap->batch, id, ret, e);
}

// ---- properties ----

enum err apply_properties(struct applier *ap, struct property_place place, struct stored **ret, uint32_t *ret_n,
                          struct error *e) {
  struct property_block block;
  TRY(property_open(&ap->g->shapes, &ap->view, place, &ap->scratch, &block, e));
  return property_list(&block, &ap->scratch, ret, ret_n, e);
}

enum err apply_merge_properties(struct applier *ap, const struct stored *old, uint32_t old_n, const struct stored *changes,
                                uint32_t n, struct stored **ret, uint32_t *ret_n, struct error *e) {
  struct stored *list = ARENA_ARRAY(&ap->scratch, struct stored, (size_t) old_n + n);
  if (list == NULL) return arena_err(&ap->scratch, e);
  uint32_t i = 0, k = 0, at = 0;
  while (i < old_n || k < n) {
    if (k == n || (i < old_n && old[i].key < changes[k].key)) {
      list[at++] = old[i++];
      continue;
    }
    if (i < old_n && old[i].key == changes[k].key) i++;
    if (changes[k].tag != STORED_NONE) list[at++] = changes[k];
    k++;
  }
  *ret = list;
  *ret_n = at;
  return ERR_OK;
}

enum err apply_free_replaced(struct applier *ap, const struct stored *old, uint32_t old_n, const struct stored *changes,
                             uint32_t n, struct error *e) {
  for (uint32_t i = 0, k = 0; i < old_n && k < n;) {
    if (old[i].key == changes[k].key) TRY(property_free_big(ap->batch, &old[i], e));
    if (old[i].key <= changes[k].key)
      i++;
    else
      k++;
  }
  return ERR_OK;
}

/// Replaces the block behind a pointer. The bytes are made before the old block goes: they may point into it.
static enum err replace_block(struct applier *ap, block_ptr *pointer, struct stored *list, uint32_t n, struct error *e) {
  struct property_store store = graph_property_store(ap->g);
  if (n > 0) {
    TRY(property_encode(&store, ap->batch, list, n, &ap->block, e));
    return property_replace_block(&store, ap->batch, buf_str(&ap->block), pointer, e);
  }
  block_ptr old = *pointer;
  *pointer = BLOCK_NONE;
  return property_free_block(&store, ap->batch, old, e);
}

// ---- labels ----

static enum err set_labels(struct applier *ap, uint8_t *record, const graph_token *labels, uint32_t n, struct error *e) {
  if (n > NODE_LABELS_MAX) return error_set(e, ERR_LIMIT, "a node has %u labels; %d is the limit", n, NODE_LABELS_MAX);
  if (record[0] & RECORD_LABELS_OUTSIDE) TRY(blocks_free(&ap->g->blocks, ap->batch, get_u48(record + 2), e));
  record[0] &= (uint8_t) ~RECORD_LABELS_OUTSIDE;
  memset(record + 1, 0, 10);
  if (n > NODE_LABELS_INSIDE) {
    block_ptr p;
    void *at;
    TRY(blocks_alloc(&ap->g->blocks, ap->batch, 4 + 4 * n, BLOCK_LABELS, &p, &at, e));
    put_u32_le(at, n);
    for (uint32_t i = 0; i < n; i++) put_u32_le((uint8_t *) at + 4 + 4 * i, labels[i]);
    record[0] |= RECORD_LABELS_OUTSIDE;
    put_u48(record + 2, p);
    return ERR_OK;
  }
  record[1] = (uint8_t) n;
  for (uint32_t i = 0; i < n; i++) put_u24(record + 2 + 3 * i, labels[i]);
  return ERR_OK;
}

/// Counts of relationships by their ends' labels, for a label that a node gets (1) or loses (-1).
static enum err count_label_rels(struct applier *ap, const uint8_t *record, graph_token label, int64_t sign, struct error *e) {
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++) {
    struct adjacency_type *types;
    uint32_t n;
    enum statistic s = d == GRAPH_OUT ? STATISTIC_RELS_OF_START : STATISTIC_RELS_OF_END;
    TRY(adjacency_types(&ap->view, node_adjacency(record, (enum graph_direction) d), &ap->scratch, &types, &n, e));
    for (uint32_t i = 0; i < n; i++) {
      uint64_t count;
      TRY(adjacency_count(&ap->view, types[i].pointer, &count, e));
      TRY(apply_count(ap, s, label, types[i].type, sign * (int64_t) count));
      TRY(apply_count(ap, s, label, GRAPH_ANY, sign * (int64_t) count));
    }
  }
  return ERR_OK;
}

static enum err label_in(struct applier *ap, const uint8_t *record, graph_id id, graph_token label, struct error *e) {
  TRY(members_add(ap->batch, ap->g->labels_root, label, id, e));
  TRY(apply_count(ap, STATISTIC_NODES, label, 0, 1));
  return count_label_rels(ap, record, label, 1, e);
}

static enum err label_out(struct applier *ap, const uint8_t *record, graph_id id, graph_token label, struct error *e) {
  TRY(members_remove(ap->batch, ap->g->labels_root, label, id, e));
  TRY(apply_count(ap, STATISTIC_NODES, label, 0, -1));
  return count_label_rels(ap, record, label, -1, e);
}

static bool has_token(const graph_token *list, uint32_t n, graph_token t) {
  for (uint32_t i = 0; i < n; i++)
    if (list[i] == t) return true;
  return false;
}

/// The labels after the command, ascending; label index and counts follow.
static enum err change_labels(struct applier *ap, const struct command *c, const uint8_t *record, const graph_token *old,
                              uint32_t old_n, graph_token **ret, uint32_t *ret_n, struct error *e) {
  graph_token *list = ARENA_ARRAY(&ap->scratch, graph_token, (size_t) old_n + c->label_count);
  if (list == NULL) return arena_err(&ap->scratch, e);
  uint32_t i = 0, k = 0, n = 0;
  while (i < old_n || k < c->label_count) {
    if (k == c->label_count || (i < old_n && old[i] <= c->labels[k])) {
      if (k < c->label_count && old[i] == c->labels[k]) k++;
      graph_token t = old[i++];
      if (!has_token(c->removed, c->removed_count, t))
        list[n++] = t;
      else
        TRY(label_out(ap, record, c->id, t, e));
    } else {
      list[n++] = c->labels[k];
      TRY(label_in(ap, record, c->id, c->labels[k++], e));
    }
  }
  *ret = list;
  *ret_n = n;
  return ERR_OK;
}

// ---- the commands ----

enum err apply_create_node(struct applier *ap, const struct command *c, struct error *e) {
  uint8_t *record;
  TRY(record_write(&ap->g->nodes, ap->batch, c->id, &record, e));
  if (record[0] != 0) return error_set(e, ERR_CORRUPT, "node %llu exists already", (unsigned long long) c->id);
  memset(record, 0, RECORD_BYTES);
  record[0] = RECORD_IN_USE;
  TRY(set_labels(ap, record, c->labels, c->label_count, e));
  struct entity_state none = {0}, now = {c->labels, c->label_count, c->properties, c->property_count};
  TRY(apply_index_change(ap, GRAPH_NODE, c->id, &none, &now, e));
  struct stored *list = arena_copy(&ap->scratch, c->properties, c->property_count * sizeof *list);
  if (list == NULL) return arena_err(&ap->scratch, e);
  block_ptr pointer = BLOCK_NONE;
  TRY(replace_block(ap, &pointer, list, c->property_count, e));
  node_set_properties(record, pointer);
  TRY(apply_count(ap, STATISTIC_NODES, GRAPH_ANY, 0, 1));
  for (uint32_t i = 0; i < c->label_count; i++) TRY(label_in(ap, record, c->id, c->labels[i], e));
  return ERR_OK;
}

static enum err update_labels(struct applier *ap, const struct command *c, const graph_token *old, uint32_t old_n,
                              graph_token **ret, uint32_t *ret_n, struct error *e) {
  uint8_t *record;
  TRY(node_record(ap, c->id, &record, e));
  TRY(change_labels(ap, c, record, old, old_n, ret, ret_n, e));
  return set_labels(ap, record, *ret, *ret_n, e);
}

/// The record itself changes only if the properties get another place.
static enum err update_properties(struct applier *ap, const struct command *c, struct stored *list, uint32_t n, block_ptr old,
                                  struct error *e) {
  uint8_t *record;
  block_ptr pointer = old;
  TRY(replace_block(ap, &pointer, list, n, e));
  if (pointer == old) return ERR_OK;
  TRY(node_record(ap, c->id, &record, e));
  node_set_properties(record, pointer);
  return ERR_OK;
}

enum err apply_update_node(struct applier *ap, const struct command *c, struct error *e) {
  const uint8_t *record;
  graph_token labels[NODE_LABELS_MAX], *new_labels = labels;
  uint32_t label_n = 0, new_label_n, n = 0, new_n = 0;
  struct stored *list = NULL, *new_list = NULL;
  TRY(node_seen(ap, c->id, &record, e));
  block_ptr properties = node_properties(record);
  TRY(node_labels(&ap->view, record, labels, &label_n, e));
  new_label_n = label_n;
  if (c->label_count + c->removed_count > 0) TRY(update_labels(ap, c, labels, label_n, &new_labels, &new_label_n, e));
  TRY(apply_properties(ap, (struct property_place){NULL, properties}, &list, &n, e));
  struct entity_state before = {labels, label_n, list, n};
  TRY(apply_merge_properties(ap, list, n, c->properties, c->property_count, &new_list, &new_n, e));
  struct entity_state after = {new_labels, new_label_n, new_list, new_n};
  TRY(apply_index_change(ap, GRAPH_NODE, c->id, &before, &after, e));
  if (c->property_count == 0) return ERR_OK;
  TRY(apply_free_replaced(ap, list, n, c->properties, c->property_count, e));
  return update_properties(ap, c, new_list, new_n, properties, e);
}

struct first_run {
  graph_id rels[512];
  uint32_t n;
};

/// Keeps the relationships of the first run and ends the walk.
static enum err keep_first_run(void *context, graph_token type UNUSED, const struct adjacency_run *run, struct error *e UNUSED) {
  struct first_run *f = context;
  for (uint32_t i = 0; i < run->count && f->n < ARRAY_SIZE(f->rels); i++) f->rels[f->n++] = run_rel(run, i);
  return f->n > 0 ? ERR_LIMIT : ERR_OK;
}

/// Deletes some of the node's relationships in one direction; `*ret_more` until there are none.
static enum err detach_slice(struct applier *ap, graph_id id, enum graph_direction d, bool *ret_more, struct error *e) {
  const uint8_t *record;
  struct adjacency_type *types;
  uint32_t n;
  struct first_run run = {.n = 0};
  TRY(record_read(&ap->g->nodes, &ap->view, id, &record, e));
  TRY(adjacency_types(&ap->view, node_adjacency(record, d), &ap->scratch, &types, &n, e));
  *ret_more = n > 0;
  if (n == 0) return ERR_OK;
  enum err err = adjacency_runs(&ap->view, types[0].pointer, keep_first_run, &run, e);
  if (err != ERR_OK && err != ERR_LIMIT) return err;
  if (run.n == 0) return error_set(e, ERR_CORRUPT, "node %llu has an empty list of relationships", (unsigned long long) id);
  for (uint32_t i = 0; i < run.n; i++) TRY(apply_delete_rel(ap, run.rels[i], e));
  arena_reset(&ap->scratch);
  return apply_rest(ap, e);
}

static enum err detach(struct applier *ap, graph_id id, struct error *e) {
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++)
    for (bool more = true; more;) TRY(detach_slice(ap, id, (enum graph_direction) d, &more, e));
  return ERR_OK;
}

enum err apply_delete_node(struct applier *ap, graph_id id, bool with_rels, struct error *e) {
  uint8_t *record;
  graph_token labels[NODE_LABELS_MAX];
  struct stored *list;
  uint32_t label_n, n;
  if (with_rels) TRY(detach(ap, id, e));
  TRY(node_record(ap, id, &record, e));
  struct adjacency_type *types;
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++) {
    TRY(adjacency_types(&ap->view, node_adjacency(record, (enum graph_direction) d), &ap->scratch, &types, &n, e));
    if (n > 0) return error_set(e, ERR_CORRUPT, "node %llu is deleted but has relationships", (unsigned long long) id);
  }
  TRY(node_labels(&ap->view, record, labels, &label_n, e));
  TRY(apply_properties(ap, (struct property_place){NULL, node_properties(record)}, &list, &n, e));
  struct entity_state before = {labels, label_n, list, n}, none = {0};
  TRY(apply_index_change(ap, GRAPH_NODE, id, &before, &none, e));
  for (uint32_t i = 0; i < label_n; i++) TRY(label_out(ap, record, id, labels[i], e));
  for (uint32_t i = 0; i < n; i++) TRY(property_free_big(ap->batch, &list[i], e));
  block_ptr pointer = node_properties(record);
  TRY(replace_block(ap, &pointer, NULL, 0, e));
  TRY(set_labels(ap, record, NULL, 0, e));
  memset(record, 0, RECORD_BYTES);
  record[0] = RECORD_DELETED;
  return apply_count(ap, STATISTIC_NODES, GRAPH_ANY, 0, -1);
}
