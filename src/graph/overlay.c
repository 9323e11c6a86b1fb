#include "graph/overlay_int.h"

#include <stdlib.h>
#include <string.h>

#include "graph/layout_int.h"

void overlay_init(struct overlay *o, struct arena *a, const struct map entities[2]) {
  *o = (struct overlay){
      .arena = a, .segment = 1, .entities = {entities[0], entities[1]}, .members = {.arena = a}, .keys = {.arena = a}};
}

void over_flag_set(struct overlay *o, struct over_flag *f, int value) {
  if (f->segment != o->segment) {
    f->sealed = f->now;
    f->segment = o->segment;
  }
  f->now = (int8_t) value;
  o->changes++;
}

/// Room for one more element of `size` bytes in an array of the overlay's arena.
static enum err grow(struct overlay *o, void **array, uint32_t count, uint32_t *capacity, size_t size, struct error *e) {
  if (count < *capacity) return ERR_OK;
  if (*capacity > UINT32_MAX / 2) return error_set(e, ERR_LIMIT, "a transaction changes too much");
  uint32_t more = MAX(*capacity * 2, 4u);
  void *p = arena_grow(o->arena, *array, *capacity * size, more * size);
  if (p == NULL) return arena_err(o->arena, e);
  *array = p;
  *capacity = more;
  return ERR_OK;
}

enum err over_list_add(struct overlay *o, struct over_list *l, struct over_entity *x, struct error *e) {
  TRY(grow(o, (void **) &l->items, l->count, &l->capacity, sizeof x, e));
  l->items[l->count++] = x;
  return ERR_OK;
}

enum err overlay_entity(struct overlay *o, enum graph_kind kind, graph_id id, struct over_entity **ret, struct error *e) {
  uint64_t *at = map_get(&o->entities[kind], id);
  if (at != NULL) {
    *ret = (struct over_entity *) (uintptr_t) *at;
    return ERR_OK;
  }
  struct over_entity *x = ARENA_NEW(o->arena, struct over_entity);
  if (x == NULL) return arena_err(o->arena, e);
  x->id = id;
  if (map_put(&o->entities[kind], id, (uintptr_t) x) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  *ret = x;
  return ERR_OK;
}

enum err overlay_create(struct overlay *o, enum graph_kind kind, graph_id id, struct over_entity **ret, struct error *e) {
  struct over_entity *x;
  TRY(overlay_entity(o, kind, id, &x, e));
  TRY(over_list_add(o, &o->created[kind], x, e));
  x->created = true;
  over_flag_set(o, &x->create, 1);
  *ret = x;
  return ERR_OK;
}

// ---- properties ----

/// The place of a key, or where it would be.
static uint32_t property_place(const struct over_entity *x, graph_token key) {
  uint32_t i = 0;
  while (i < x->property_count && x->properties[i].key < key) i++;
  return i;
}

bool over_property_get(const struct overlay *o, const struct over_entity *x, graph_token key, enum graph_read mode,
                       struct value *ret) {
  uint32_t i = property_place(x, key);
  if (i == x->property_count || x->properties[i].key != key) return false;
  const struct over_property *p = &x->properties[i];
  bool sealed = mode == GRAPH_READ_SNAPSHOT && p->segment == o->segment;
  *ret = sealed ? p->sealed : p->now;
  return sealed ? p->sealed_set : p->now_set;
}

enum err over_property_set(struct overlay *o, struct over_entity *x, graph_token key, struct value v, struct error *e) {
  struct value kept;
  TRY(value_copy(o->arena, v, &kept, e));
  uint32_t i = property_place(x, key);
  if (i == x->property_count || x->properties[i].key != key) {
    TRY(grow(o, (void **) &x->properties, x->property_count, &x->property_capacity, sizeof *x->properties, e));
    memmove(x->properties + i + 1, x->properties + i, (x->property_count - i) * sizeof *x->properties);
    x->properties[i] = (struct over_property){.key = key};
    x->property_count++;
  }
  struct over_property *p = &x->properties[i];
  if (p->segment != o->segment) {
    p->sealed = p->now;
    p->sealed_set = p->now_set;
    p->segment = o->segment;
  }
  p->now = kept;
  p->now_set = true;
  o->changes++;
  return ERR_OK;
}

// ---- labels ----

enum err over_label_set(struct overlay *o, struct over_entity *x, graph_token label, int change, struct error *e) {
  uint32_t i = 0;
  while (i < x->label_count && x->labels[i].label < label) i++;
  if (i == x->label_count || x->labels[i].label != label) {
    TRY(grow(o, (void **) &x->labels, x->label_count, &x->label_capacity, sizeof *x->labels, e));
    memmove(x->labels + i + 1, x->labels + i, (x->label_count - i) * sizeof *x->labels);
    x->labels[i] = (struct over_label){.label = label};
    x->label_count++;
  }
  over_flag_set(o, &x->labels[i].change, change);
  return ERR_OK;
}

int over_label_get(const struct overlay *o, const struct over_entity *x, graph_token label, enum graph_read mode) {
  for (uint32_t i = 0; i < x->label_count; i++)
    if (x->labels[i].label == label) return over_flag_get(o, &x->labels[i].change, mode);
  return 0;
}

// ---- added relationships ----

enum err over_added_put(struct overlay *o, struct over_entity *node, struct over_entity *rel, enum graph_direction d,
                        struct error *e) {
  struct over_added *a = &node->added[d - 1];
  TRY(grow(o, (void **) &a->rels, a->count, &a->capacity, sizeof rel, e));
  a->rels[a->count++] = rel;
  return ERR_OK;
}

static int order_added(const void *pa, const void *pb, void *direction) {
  const struct over_entity *a = *(struct over_entity *const *) pa, *b = *(struct over_entity *const *) pb;
  bool out = *(enum graph_direction *) direction == GRAPH_OUT;
  if (a->type != b->type) return a->type < b->type ? -1 : 1;
  graph_id na = out ? a->end : a->start, nb = out ? b->end : b->start;
  if (na != nb) return na < nb ? -1 : 1;
  return (a->id > b->id) - (a->id < b->id);
}

void over_added_sort(struct over_added *a, enum graph_direction d) {
  if (a->sorted == a->count) return;
  qsort_r(a->rels, a->count, sizeof *a->rels, order_added, &d);
  a->sorted = a->count;
}

// ---- ordered maps of flags ----

struct over_flag ordered_flag(const struct ordered_node *n) {
  struct over_flag f;
  memcpy(&f, n->word, sizeof f);
  return f;
}

enum err overlay_mark(struct overlay *o, struct ordered *map, struct str key, int change, struct error *e) {
  struct ordered_node *n;
  TRY(ordered_put(map, key, &n, e));
  struct over_flag f = ordered_flag(n);
  over_flag_set(o, &f, change);
  memcpy(n->word, &f, sizeof f);
  return ERR_OK;
}

struct str member_key(uint8_t to[MEMBER_KEY_BYTES], graph_token token, graph_id id) {
  put_u32_be(to, token);
  put_u40_be(to + 4, id);
  return (struct str){(const char *) to, MEMBER_KEY_BYTES};
}
