// What a transaction has done so far, as logical deltas over the published graph. Never images of entities (contract 1): a
// property that was set, a label that was added, a relationship that was created.
//
// Every delta is versioned in two steps: what it is now, and what it was when the last barrier sealed the overlay. Sealing is one
// addition: deltas remember the segment in which they changed last, and a reader of the sealed state takes the older half of
// those that changed in the segment that is still open. One owner; memory lives in the transaction's arena.
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "graph/ordered_int.h"
#include "graph/types.h"
#include "graph/view.h"

/// A small number with its sealed half.
struct over_flag {
  uint32_t segment; // in which `now` was set
  int8_t now, sealed;
};

struct over_property {
  graph_token key;
  uint32_t segment;
  bool now_set, sealed_set; // false: the published value stands. A null value that is set means removed
  struct value now, sealed;
};

struct over_label {
  graph_token label;
  struct over_flag change; // 1 added, -1 removed
};

struct over_entity;

/// Relationships that the transaction added to one node in one direction.
struct over_added {
  struct over_entity **rels;
  uint32_t count, capacity, sorted; // the first `sorted` are in order of (type, neighbour, relationship)
};

/// How many published relationships of a type went when a node was deleted with all of them.
struct over_detached {
  graph_token type;
  uint64_t count;
};

struct over_entity {
  graph_id id;
  bool created; // by this transaction; then `create` says in which segment
  struct over_flag create, deleted;
  struct over_property *properties; // by key
  uint32_t property_count, property_capacity;
  // Nodes.
  struct over_label *labels;
  uint32_t label_count, label_capacity;
  struct over_added added[2]; // outgoing, incoming
  uint32_t removed[2];        // published relationships deleted one by one: slices must be filtered
  bool detach;                // deleted with all its relationships
  struct over_detached *detached;
  uint32_t detached_count;
  bool checked; // as deleted, found without relationships
  // Relationships.
  graph_id start, end;
  graph_token type;
};

struct over_list {
  struct over_entity **items;
  uint32_t count, capacity;
};

struct overlay {
  struct arena *arena;
  uint32_t segment; // the open one
  uint64_t changes; // grows with every delta
  uint64_t sealed_changes;
  struct map entities[2];      // id -> struct over_entity *
  struct over_list created[2]; // ascending by id
  struct over_list deleted_nodes;
  uint32_t detach_count;  // nodes deleted with their relationships
  struct ordered members; // label u32, id u40 -> flag: labels of published nodes
  struct ordered keys;    // index u32, key -> flag
};

/// `entities`: two empty maps, whose memory the overlay uses; whoever takes the overlay down takes them back from it.
void overlay_init(struct overlay *o, struct arena *a, const struct map entities[2]);
static inline void overlay_seal(struct overlay *o) {
  o->segment++;
  o->sealed_changes = o->changes;
}
/// Whether a reader in that mode sees any delta.
static inline bool overlay_any(const struct overlay *o, enum graph_read mode) {
  return mode == GRAPH_READ_CURRENT ? o->changes > 0 : o->sealed_changes > 0;
}

static inline int over_flag_get(const struct overlay *o, const struct over_flag *f, enum graph_read mode) {
  return mode == GRAPH_READ_SNAPSHOT && f->segment == o->segment ? f->sealed : f->now;
}
void over_flag_set(struct overlay *o, struct over_flag *f, int value);

static inline struct over_entity *overlay_find(const struct overlay *o, enum graph_kind kind, graph_id id) {
  if (o->changes == 0) return NULL;
  uint64_t *at = map_get(&o->entities[kind], id);
  return at != NULL ? (struct over_entity *) (uintptr_t) *at : NULL;
}
/// Made if it is not there.
enum err overlay_entity(struct overlay *o, enum graph_kind kind, graph_id id, struct over_entity **ret,
                        struct error *e) NODISCARD;
enum err overlay_create(struct overlay *o, enum graph_kind kind, graph_id id, struct over_entity **ret,
                        struct error *e) NODISCARD;

/// The property's delta in that mode: false if the published value stands.
bool over_property_get(const struct overlay *o, const struct over_entity *x, graph_token key, enum graph_read mode,
                       struct value *ret);
/// Copies the value.
enum err over_property_set(struct overlay *o, struct over_entity *x, graph_token key, struct value v, struct error *e) NODISCARD;
enum err over_label_set(struct overlay *o, struct over_entity *x, graph_token label, int change, struct error *e) NODISCARD;
/// 1, -1, or 0 where the published state stands.
int over_label_get(const struct overlay *o, const struct over_entity *x, graph_token label, enum graph_read mode);

/// Adds a created relationship to one end's list.
enum err over_added_put(struct overlay *o, struct over_entity *node, struct over_entity *rel, enum graph_direction d,
                        struct error *e) NODISCARD;
/// Sorts what came since the last time.
void over_added_sort(struct over_added *a, enum graph_direction d);

enum err over_list_add(struct overlay *o, struct over_list *l, struct over_entity *x, struct error *e) NODISCARD;

/// Flags of ordered maps stand in their nodes' first word.
struct over_flag ordered_flag(const struct ordered_node *n);
enum err overlay_mark(struct overlay *o, struct ordered *map, struct str key, int change, struct error *e) NODISCARD;

enum { MEMBER_KEY_BYTES = 9 };
struct str member_key(uint8_t to[MEMBER_KEY_BYTES], graph_token token, graph_id id);
