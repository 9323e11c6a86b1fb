// An overlay as commands, in an order that is the same for the same overlay: creations before what builds on them, deletions
// last, by id within each. Deltas that cancel out are left out.
#include "graph/tx_int.h"

#include <stdlib.h>

#include "graph/command_int.h"

static int order_entities(const void *a, const void *b) {
  graph_id x = (*(struct over_entity *const *) a)->id, y = (*(struct over_entity *const *) b)->id;
  return (x > y) - (x < y);
}

/// Entities of one kind by id: a map has no order.
static enum err entities_by_id(struct graph_tx *tx, enum graph_kind kind, struct over_entity ***ret, size_t *ret_n,
                               struct error *e) {
  const struct map *m = &tx->overlay.entities[kind];
  struct over_entity **list = ARENA_ARRAY(&tx->arena, struct over_entity *, m->len);
  if (list == NULL) return arena_err(&tx->arena, e);
  size_t at = 0, n = 0;
  while (n < m->len) list[n++] = (struct over_entity *) (uintptr_t) map_next(m, &at)->value;
  if (n > 1) qsort(list, n, sizeof *list, order_entities);
  *ret = list;
  *ret_n = n;
  return ERR_OK;
}

/// Set properties in stored form; in an update a null is a removal.
static enum err encode_properties(struct graph_tx *tx, const struct over_entity *x, struct command *c, struct error *e) {
  struct stored *list = ARENA_ARRAY(&tx->scratch, struct stored, x->property_count);
  if (list == NULL) return arena_err(&tx->scratch, e);
  uint32_t n = 0;
  for (uint32_t i = 0; i < x->property_count; i++) {
    const struct over_property *p = &x->properties[i];
    if (!p->now_set || (x->created && v_is_null(p->now))) continue;
    list[n].key = p->key;
    if (v_is_null(p->now))
      list[n].tag = STORED_NONE, list[n].run = STR_NONE;
    else
      TRY(stored_of(p->now, &tx->scratch, &list[n], e));
    n++;
  }
  c->properties = list;
  c->property_count = n;
  return ERR_OK;
}

static enum err encode_labels(struct graph_tx *tx, const struct over_entity *x, struct command *c, struct error *e) {
  graph_token *added = ARENA_ARRAY(&tx->scratch, graph_token, (size_t) x->label_count * 2);
  if (added == NULL) return arena_err(&tx->scratch, e);
  graph_token *removed = added + x->label_count;
  for (uint32_t i = 0; i < x->label_count; i++) {
    if (x->labels[i].change.now > 0) added[c->label_count++] = x->labels[i].label;
    if (x->labels[i].change.now < 0) removed[c->removed_count++] = x->labels[i].label;
  }
  if (x->created) c->removed_count = 0;
  c->labels = added;
  c->removed = removed;
  return ERR_OK;
}

static enum err put(struct buf *b, const struct command *c, struct error *e) {
  return command_put(b, c) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

/// Creation or update of one entity that is not deleted.
static enum err encode_entity(struct graph_tx *tx, enum graph_kind kind, const struct over_entity *x, struct buf *b,
                              struct error *e) {
  struct command c = {.id = x->id, .start = x->start, .end = x->end, .type = x->type};
  arena_reset(&tx->scratch);
  TRY(encode_properties(tx, x, &c, e));
  if (kind == GRAPH_NODE) TRY(encode_labels(tx, x, &c, e));
  if (kind == GRAPH_NODE)
    c.kind = x->created ? COMMAND_CREATE_NODE : COMMAND_UPDATE_NODE;
  else
    c.kind = x->created ? COMMAND_CREATE_REL : COMMAND_UPDATE_REL;
  if (!x->created && c.property_count + c.label_count + c.removed_count == 0) return ERR_OK; // only its neighbours changed
  return put(b, &c, e);
}

static enum err encode_deletion(enum graph_kind kind, const struct over_entity *x, struct buf *b, struct error *e) {
  struct command c = {.id = x->id, .kind = COMMAND_DELETE_REL};
  if (kind == GRAPH_NODE) c.kind = x->detach ? COMMAND_DETACH_DELETE_NODE : COMMAND_DELETE_NODE;
  return x->created ? ERR_OK : put(b, &c, e);
}

enum err overlay_encode(struct graph_tx *tx, struct buf *b, struct error *e) {
  struct over_entity **lists[2];
  size_t counts[2];
  if (command_begin(b) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  for (int kind = 0; kind < 2; kind++) TRY(entities_by_id(tx, (enum graph_kind) kind, &lists[kind], &counts[kind], e));
  for (int created = 1; created >= 0; created--)
    for (int kind = 0; kind < 2; kind++)
      for (size_t i = 0; i < counts[kind]; i++) {
        const struct over_entity *x = lists[kind][i];
        if (x->created == created && x->deleted.now == 0) TRY(encode_entity(tx, (enum graph_kind) kind, x, b, e));
      }
  for (int kind = GRAPH_REL; kind >= GRAPH_NODE; kind--)
    for (size_t i = 0; i < counts[kind]; i++)
      if (lists[kind][i]->deleted.now > 0) TRY(encode_deletion((enum graph_kind) kind, lists[kind][i], b, e));
  return ERR_OK;
}
