// A transaction and its two views, for the files of this module.
#pragma once

#include "graph/graph_int.h"
#include "graph/overlay_int.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

enum tx_state { TX_OPEN, TX_COMMITTING, TX_OVER };

struct graph_view {
  struct graph_tx *tx;
  enum graph_read mode;
  struct page_snapshot snapshot; // SNAPSHOT: the statement's; CURRENT: the newest that was looked at
  struct page_view pages;        // valid between enter and leave
};

enum { TX_ARENA_BYTES = 2048, TX_SCRATCH_BYTES = 2048 };

/// What a graph_tx keeps from one transaction to the next, so that a small one allocates nothing.
struct tx_kept {
  struct graph_tx *next; // among the idle ones
  struct mutex wake_mutex;
  struct buf key;         // of one call
  struct map entities[2]; // the overlay's
  struct flight flight;
  struct error access_error; // why there is no access
  _Alignas(16) char arena[TX_ARENA_BYTES];
  _Alignas(16) char scratch[TX_SCRATCH_BYTES];
};

struct graph_tx {
  struct lock_owner owner; // first: lock wake-ups find the transaction by it
  struct graph *g;
  struct graph_tx_options options;
  struct arena arena;   // overlay
  struct arena scratch; // of one call
  struct overlay overlay;
  struct graph_view views[2];
  struct page_access *access;
  unsigned entered;
  uint64_t rests; // of page access within one stay
  bool blocking;
  graph_id spare[2];     // ids given out for a call that then had to wait; UINT64_MAX: none
  bool writing;          // holds the schema lock
  _Atomic uint64_t term; // of its first write (contract 14); 0: none yet
  struct schema *schema; // of the statement
  enum tx_state state;
  // Commit. Two hands hold a committing transaction: its owner and its flight.
  _Atomic unsigned references;
  _Atomic bool landed;
  enum err outcome;
  uint64_t commit_id;
  // A schema change of this transaction on its way.
  bool schema_changed; // by an entry of its own, which stands whatever becomes of the rest
  _Atomic bool schema_sent; // the same, or may be: it is on its way
  bool schema_asked;
  uint32_t schema_created;    // the index that was asked for
  /// The schema's lock: the transaction, and its change while that is on its way. Whoever is the last lets it go. 0: there was none.
  _Atomic int schema_holders;
  _Atomic bool schema_landed; // and then:
  enum err schema_fate;
  // A token that it waits for.
  struct token_request *token_awaited; // these two under the token mutex
  struct graph_tx *token_next;         // among those that wait for the same one
  // Waking.
  bool woken; // and the next two: under kept.wake_mutex
  void (*ready)(void *context);
  void *ready_context;
  _Atomic enum err killed;
  // A non-blocking call met a page that is not in memory.
  bool cold_queued; // under the graph's cold mutex
  struct graph_tx *cold_next;
  _Atomic bool may_block_once; // the attempt after that wait reads the page

  struct tx_kept kept; // last: everything before it is zeroed when a transaction begins
};

/// Frees the transactions that are kept for use. At the graph's end.
void tx_free_idle(struct graph *g);

/// Something happened that the transaction waits for. Any thread.
void tx_wake(struct graph_tx *tx);
/// Before a call returns ERR_WAIT: from now on wake-ups count.
void tx_arm(struct graph_tx *tx);
void tx_hold(struct graph_tx *tx);
void tx_drop(struct graph_tx *tx);
/// Gives back its locks and snapshots, once. By its owner, or when what it has sent on its way has landed.
void tx_end(struct graph_tx *tx, bool committed);

/// ERR_OK if the transaction may read: open and not killed.
enum err tx_check(struct graph_tx *tx, struct error *e) NODISCARD;

/// The reader's machine: sends transactions that met a cold page to try again where they may block (contract 3).
enum err cold_step(struct graph *g, bool *ret_more, struct error *e) NODISCARD;
/// Turns "not in memory" into a wait.
enum err tx_wait_for_page(struct graph_tx *tx) NODISCARD;

// ---- what views share ----

/// view_begin for a call from outside the module, which holds no pointer into a page: rests if that is due.
enum err view_call(struct graph_view *v, struct error *e) NODISCARD;
/// Brings a CURRENT view up to date; checks that the view is entered. First thing in every reading call.
enum err view_begin(struct graph_view *v, struct error *e) NODISCARD;
/// Last thing in every reading call that looked at pages: a missing page becomes ERR_WAIT.
enum err view_end(struct graph_view *v, enum err err, struct error *e) NODISCARD;

static inline const struct overlay *view_overlay(const struct graph_view *v) {
  return overlay_any(&v->tx->overlay, v->mode) ? &v->tx->overlay : NULL;
}

enum { VIEW_AHEAD = GRAPH_AHEAD };
/// The records of up to VIEW_AHEAD ids; NULL for one that never was. Those that are on disk only are read together.
enum err view_records(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, const uint8_t **ret,
                      struct error *e) NODISCARD;
/// Where the properties of a record in use are.
struct property_place view_properties_of(enum graph_kind kind, const uint8_t *record);
/// Reads the pages that up to VIEW_AHEAD pointers (BLOCK_NONE: none) lead to together, if they are not in memory.
void view_read_blocks_ahead(struct graph_view *v, const block_ptr *pointers, uint32_t n);

/// The record of an entity that exists in the published state of this view, or NULL.
enum err view_record(struct graph_view *v, enum graph_kind kind, graph_id id, const uint8_t **ret, struct error *e) NODISCARD;
/// Whether it exists, overlay included.
enum err view_exists(struct graph_view *v, enum graph_kind kind, graph_id id, bool *ret, struct error *e) NODISCARD;
/// Whether a published relationship went with a node that this transaction deleted together with its relationships.
bool view_is_detached(const struct graph_view *v, graph_id start, graph_id end);
enum err view_has_label(struct graph_view *v, graph_id id, graph_token label, bool *ret, struct error *e) NODISCARD;
/// Labels, ascending, into room for NODE_LABELS_MAX.
enum err view_labels(struct graph_view *v, graph_id id, graph_token *labels, uint32_t *ret_n, struct error *e) NODISCARD;
/// Relationships of a node, loops once, also when the node itself is deleted already.
enum err view_degree_of_deleted(struct graph_view *v, graph_id id, uint64_t *ret, struct error *e) NODISCARD;
/// Published relationships by type that would go with the node now; in `a`.
enum err view_published_by_type(struct graph_view *v, graph_id id, struct arena *a, struct over_detached **ret, uint32_t *ret_n,
                                struct error *e) NODISCARD;
/// One property; null where there is none. Texts may point into pages.
enum err view_property(struct graph_view *v, enum graph_kind kind, graph_id id, graph_token key, struct arena *a,
                       struct value *ret, struct error *e) NODISCARD;
/// Ends and type, of a deleted one too. ERR_ENTITY_NOT_FOUND.
enum err view_rel(struct graph_view *v, graph_id id, graph_id *ret_start, graph_id *ret_end, graph_token *ret_type,
                  struct error *e) NODISCARD;
/// The first entity other than `except` that the index holds for values; UINT64_MAX if there is none.
enum err view_index_find(struct graph_view *v, const struct schema_index *x, const struct value *values, graph_id except,
                         graph_id *ret, struct error *e) NODISCARD;

// ---- what writing shares ----

/// ERR_OK if the transaction may write; takes the schema lock at the first write.
enum err tx_begin_write(struct graph_tx *tx, struct error *e) NODISCARD;
enum err tx_lock(struct graph_tx *tx, enum lock_kind kind, uint64_t id, enum graph_lock_mode mode, struct error *e) NODISCARD;

/// What an operation changes of one entity, for its indexes.
struct tx_change {
  enum graph_kind kind;
  graph_id id;
  bool created, deleted;
  const graph_token *labels; // created: its labels or type
  uint32_t label_count;
  const struct graph_property *properties; // created: all; otherwise the one that is set
  uint32_t property_count;
  graph_token label; // added or removed; GRAPH_ANY: none
  bool label_added;
};

/// The index entries that go and come with a change; made before any effect, because it takes locks and checks constraints.
struct tx_index_plan {
  struct tx_index_step {
    uint32_t index;
    struct str gone, come; // keys with the index in front; empty: none
  } * steps;
  uint32_t count;
};

enum err tx_plan_indexes(struct graph_tx *tx, const struct tx_change *c, struct tx_index_plan *ret, struct error *e) NODISCARD;
enum err tx_run_index_plan(struct graph_tx *tx, const struct tx_index_plan *p, struct error *e) NODISCARD;

/// The resource that stands for values under an index's key, or under any label and keys.
lock_resource tx_key_resource(enum graph_kind kind, graph_token label_or_type, const graph_token *keys, struct str values,
                              uint32_t n);

/// All deltas as commands.
enum err overlay_encode(struct graph_tx *tx, struct buf *b, struct error *e) NODISCARD;
