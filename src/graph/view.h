// Reading a graph: the first of the four headers that a query may use (contract 9).
//
// A view belongs to a transaction and has one of two read modes (contract 1):
//   GRAPH_READ_SNAPSHOT  the statement's snapshot, plus the sealed overlay: what MATCH sees. Never its own clause's writes.
//   GRAPH_READ_CURRENT   the latest published state, plus sealed and pending overlay: what write operators see, row by row,
//                        after they have locked what they read.
//
// Page access (contract 4): calls below happen between graph_view_enter and graph_view_leave, both within one exec_next.
// Slices of graph_expand point into pages and die at leave; all else is copied into the arena that is passed, and positions
// (struct graph_scan) are values that survive.
//
// Any call may return ERR_WAIT: a page is not resident and this thread may not block (graph_tx_set_blocking). Nothing has
// happened then; see graph_tx_on_ready. Deleted entities: see each call. All calls are batched, because the implementation
// sorts and prefetches.
#pragma once

#include "graph/types.h"

enum graph_read { GRAPH_READ_SNAPSHOT, GRAPH_READ_CURRENT };

/// The transaction's view in that mode; lives as long as the transaction.
struct graph_view *graph_tx_view(struct graph_tx *tx, enum graph_read mode);

void graph_view_enter(struct graph_view *v);
void graph_view_leave(struct graph_view *v);
/// Leaves for a moment if others need what page access keeps in memory: for long work between calls. Every call below does it by
/// itself when it has brought in many pages, or a graph larger than memory would not fit through one exec_next. Slices die by it.
void graph_view_rest(struct graph_view *v);
/// Grows with each such rest: slices handed out under another number are dead.
uint64_t graph_view_rests(const struct graph_view *v);

/// A place in a scan: zero-initialise to start; survives leaving page access.
struct graph_scan {
  uint64_t at;     // next id to look at
  bool done;       // nothing more will come
  struct str key;  // index scans: last key, in the arena that was passed
};

/// Up to `cap` ids of nodes with `label` (or GRAPH_ANY), ascending. `*ret_n` of 0 with scan->done is the end.
enum err graph_scan_nodes(struct graph_view *v, graph_token label, struct graph_scan *scan, graph_id *ids, uint32_t cap, uint32_t *ret_n,
                          struct error *e) NODISCARD;
/// The same for relationships with `type` (or GRAPH_ANY).
enum err graph_scan_rels(struct graph_view *v, graph_token type, struct graph_scan *scan, graph_id *ids, uint32_t cap, uint32_t *ret_n,
                         struct error *e) NODISCARD;

/// ret[i] = 1 if entity ids[i] exists in this view.
enum err graph_exist(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, uint8_t *ret, struct error *e) NODISCARD;

/// ret[i] = 1 if node ids[i] exists and has the label.
enum err graph_have_label(struct graph_view *v, const graph_id *ids, uint32_t n, graph_token label, uint8_t *ret, struct error *e) NODISCARD;

/// Labels of one node, ascending, in `a`. A node that does not exist has none.
enum err graph_node_labels(struct graph_view *v, graph_id id, struct arena *a, graph_token **ret, uint32_t *ret_n, struct error *e) NODISCARD;

/// Ends and type of relationships. Any of the outputs may be NULL. Relationships deleted in this transaction still answer
/// (RETURN type(r) after DELETE r); ids that never existed give ERR_ENTITY_NOT_FOUND.
enum err graph_rel_ends(struct graph_view *v, const graph_id *ids, uint32_t n, graph_id *ret_start, graph_id *ret_end, graph_token *ret_type,
                        struct error *e) NODISCARD;

/// One typed column for each key: row i is entity ids[i]. Missing properties and missing or deleted entities are null; an id of
/// UINT64_MAX (a null entity) too. Values are copied into `a`.
enum err graph_get_properties(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, const graph_token *keys,
                              uint32_t key_count, struct arena *a, struct vec *ret, struct error *e) NODISCARD;

/// For a caller that will read all of these entities one by one: brings in, together, what is not in memory of the next
/// GRAPH_AHEAD of them, records and property blocks. Only a hint: errors show when they are read. Slices may die.
void graph_read_ahead(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n);
enum { GRAPH_AHEAD = 64 };

/// All properties of one entity in order of key token, in `a`.
enum err graph_all_properties(struct graph_view *v, enum graph_kind kind, graph_id id, struct arena *a, struct graph_property **ret,
                              uint32_t *ret_n, struct error *e) NODISCARD;

/// A run of relationships of one node, type and direction, sorted by (neighbour, relationship). Ids are 32 bits with 8 more in
/// the high arrays, which are NULL while all of them are 0: kernels have a fast path for that.
struct graph_slice {
  const uint32_t *neighbours;
  const uint8_t *neighbours_high;
  const uint32_t *rels;
  const uint8_t *rels_high;
  uint32_t count;
  graph_token type;
  enum graph_direction direction; // GRAPH_OUT or GRAPH_IN, as seen from the node
};

static inline graph_id graph_slice_neighbour(const struct graph_slice *s, uint32_t i) {
  return s->neighbours[i] | (s->neighbours_high != NULL ? (graph_id) s->neighbours_high[i] << 32 : 0);
}
static inline graph_id graph_slice_rel(const struct graph_slice *s, uint32_t i) {
  return s->rels[i] | (s->rels_high != NULL ? (graph_id) s->rels_high[i] << 32 : 0);
}

/// What graph_expand found: the slices of node i are slices[first[i]] up to slices[first[i + 1]].
struct graph_expansion {
  uint32_t done; // nodes expanded; fewer than asked when they would need too many pages at once: call again for the rest
  uint32_t *first;
  struct graph_slice *slices;
};

/// Relationships of nodes in `direction` with one of `types` (type_count 0: all). A loop comes twice by its nature, as OUT and
/// as IN; with GRAPH_BOTH it comes once, as OUT. Deleted ones never come. A hub gives one slice a leaf, the overlay one more.
/// Slices of one (node, type, direction) are each sorted but may overlap in range when the overlay has some.
enum err graph_expand(struct graph_view *v, const graph_id *nodes, uint32_t n, enum graph_direction direction, const graph_token *types,
                      uint32_t type_count, struct arena *a, struct graph_expansion *ret, struct error *e) NODISCARD;

/// Relationships between two given nodes, with types and direction as seen from `from`. Ids ascending, in `a`.
enum err graph_expand_into(struct graph_view *v, graph_id from, graph_id to, enum graph_direction direction, const graph_token *types,
                           uint32_t type_count, struct arena *a, graph_id **ret, uint32_t *ret_n, struct error *e) NODISCARD;

/// Number of relationships without visiting them. `type` may be GRAPH_ANY.
enum err graph_degrees(struct graph_view *v, const graph_id *nodes, uint32_t n, enum graph_direction direction, graph_token type,
                       uint64_t *ret, struct error *e) NODISCARD;

/// Exact counts in this view, overlay included.
enum err graph_count_nodes(struct graph_view *v, graph_token label, uint64_t *ret, struct error *e) NODISCARD;
enum err graph_count_rels(struct graph_view *v, graph_token type, uint64_t *ret, struct error *e) NODISCARD;

/// True if every relationship of `type` (or GRAPH_ANY) leads, followed in `direction`, to a node with `label`: then none of these
/// nodes needs to be asked. From exact counts; false also where they say nothing (the transaction has changes of its own).
enum err graph_ends_have_label(struct graph_view *v, graph_token type, enum graph_direction direction, graph_token label,
                               bool *ret, struct error *e) NODISCARD;

/// What to look for in an index: the first `equal_count` keys equal, then one range, prefix or existence on the next key.
struct graph_seek {
  const struct value *equal;
  uint32_t equal_count;
  enum { GRAPH_SEEK_EQUAL, GRAPH_SEEK_RANGE, GRAPH_SEEK_PREFIX, GRAPH_SEEK_EXISTS } last;
  struct value low, high; // RANGE: null is open; PREFIX: low is the text
  bool low_inclusive, high_inclusive;
  bool descending;
};

/// Up to `cap` ids of entities that the index holds for `seek`, in index order for RANGE/PREFIX/EXISTS. Cypher's `=` and
/// comparison semantics: null and NaN equal nothing; values of another type than the bound do not match.
enum err graph_index_seek(struct graph_view *v, uint32_t index, const struct graph_seek *seek, struct graph_scan *scan, struct arena *a,
                          graph_id *ids, uint32_t cap, uint32_t *ret_n, struct error *e) NODISCARD;

/// How an entity of an index stands to the one before it, where Cypher's order may differ from that of the keys: lists, values too long
/// to be keys as a whole, one instant in several time zones.
enum graph_tie {
  GRAPH_TIE_NONE,   // it comes behind the one before it
  GRAPH_TIE_BEGINS, // and so may what follows not: the values themselves decide
  GRAPH_TIE_JOINS,  // the values decide about it and the one before it
};
/// The same, with an enum graph_tie for each id.
enum err graph_index_seek_ordered(struct graph_view *v, uint32_t index, const struct graph_seek *seek, struct graph_scan *scan,
                                  struct arena *a, graph_id *ids, uint8_t *ties, uint32_t cap, uint32_t *ret_n, struct error *e) NODISCARD;

/// Token names. Find gives false for a name that nothing in this database has used; the transaction's own new tokens count.
bool graph_token_find(const struct graph *g, enum graph_token_kind kind, struct str name, graph_token *ret);
struct str graph_token_name(const struct graph *g, enum graph_token_kind kind, graph_token token);
uint32_t graph_token_count(const struct graph *g, enum graph_token_kind kind);
/// Grows when a token is made: a cached plan that met an unknown name looks again when this has changed.
uint64_t graph_token_version(const struct graph *g);
struct graph *graph_view_graph(const struct graph_view *v);

/// "4:<database uuid>:<id>" or "5:..."; and back (false for another database's or a malformed one).
struct str graph_element_id(const struct graph *g, enum graph_kind kind, graph_id id, struct arena *a);
bool graph_element_id_parse(const struct graph *g, enum graph_kind kind, struct str text, graph_id *ret);
