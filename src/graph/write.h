// Changing a graph: the second of the four headers that a query may use (contract 9).
//
// Writes go to the transaction's pending overlay as logical deltas, never to pages. Each call takes the locks it needs: if one is
// held by another transaction it returns ERR_WAIT with no effect and may be called again after graph_tx_on_ready has fired, or
// ERR_DEADLOCK (transient; the transaction must roll back). So an operator keeps its row number and goes on where it stopped.
// graph_lock takes locks of a whole batch ahead, sorted, where the current state is to be read before it is written.
// Locks are kept until the commit is published or the transaction is rolled back.
//
// Rules: relationship creation, deletion and property writes hold shared locks on both end nodes, node deletion an exclusive one
// (contract 17). Unique constraints are checked under a lock on the index key: ERR_CONSTRAINT names label, property and value.
#pragma once

#include "graph/types.h"

struct graph_property; // graph/view.h

enum graph_lock_mode { GRAPH_LOCK_SHARED, GRAPH_LOCK_EXCLUSIVE };

/// All or nothing for this call; sorts what it is given.
enum err graph_lock(struct graph_tx *tx, enum graph_kind kind, const graph_id *ids, uint32_t n, enum graph_lock_mode mode, struct error *e)
    NODISCARD;

/// Locks the key of every unique constraint or index on `label` and `keys` for `values`: what MERGE does before it looks.
/// Without such an index it locks a hash of (label, keys, values), so that two MERGE of one pattern still take turns.
enum err graph_lock_key(struct graph_tx *tx, enum graph_kind kind, graph_token label_or_type, const graph_token *keys,
                        const struct value *values, uint32_t n, struct error *e) NODISCARD;

/// The token of that name, made if new by a small entry of its own (contract 16): ERR_WAIT until that is committed.
enum err graph_token_make(struct graph_tx *tx, enum graph_token_kind kind, struct str name, graph_token *ret, struct error *e) NODISCARD;

/// A new node with its labels and properties, in one call so that constraints see it whole. Null values are left out; a value that
/// cannot be stored (a map, a node, a mixed list) gives ERR_TYPE.
enum err graph_create_node(struct graph_tx *tx, const graph_token *labels, uint32_t label_count, const struct graph_property *properties,
                           uint32_t property_count, graph_id *ret, struct error *e) NODISCARD;
enum err graph_create_rel(struct graph_tx *tx, graph_id start, graph_id end, graph_token type, const struct graph_property *properties,
                          uint32_t property_count, graph_id *ret, struct error *e) NODISCARD;

/// Null removes. On an entity deleted in this transaction: ERR_ENTITY_NOT_FOUND. `*ret_changed`: for counters (Neo4j counts a SET of
/// an equal value, but not the removal of a property that is not there).
enum err graph_set_property(struct graph_tx *tx, enum graph_kind kind, graph_id id, graph_token key, struct value value, bool *ret_changed,
                            struct error *e) NODISCARD;
enum err graph_add_label(struct graph_tx *tx, graph_id node, graph_token label, bool *ret_changed, struct error *e) NODISCARD;
enum err graph_remove_label(struct graph_tx *tx, graph_id node, graph_token label, bool *ret_changed, struct error *e) NODISCARD;

/// Deleting twice is no error and changes nothing. A node with relationships left when its statement ends fails then:
/// see graph_tx_seal.
enum err graph_delete_rel(struct graph_tx *tx, graph_id rel, bool *ret_changed, struct error *e) NODISCARD;
enum err graph_delete_node(struct graph_tx *tx, graph_id node, bool *ret_changed, struct error *e) NODISCARD;
/// With all its relationships, as one command (contract 17); `*ret_rels` is how many went with it.
enum err graph_detach_delete_node(struct graph_tx *tx, graph_id node, bool *ret_changed, uint64_t *ret_rels, struct error *e) NODISCARD;

enum graph_index_kind { GRAPH_INDEX_RANGE, GRAPH_INDEX_LOOKUP };
enum graph_index_state { GRAPH_INDEX_POPULATING, GRAPH_INDEX_ONLINE, GRAPH_INDEX_FAILED };
enum graph_constraint_kind { GRAPH_CONSTRAINT_NONE, GRAPH_CONSTRAINT_UNIQUE };

/// An index, and the constraint that it backs, if any.
struct graph_index {
  uint32_t id;
  struct str name, constraint_name;
  enum graph_index_kind index_kind;
  enum graph_constraint_kind constraint;
  enum graph_kind entity;
  graph_token label_or_type;
  graph_token keys[GRAPH_INDEX_KEYS_MAX];
  uint32_t key_count;
  enum graph_index_state state;
  double population_percent;
  struct str failure; // why it failed
};

/// Schema changes are entries of their own (contract 18): they wait for the exclusive schema lock, then for their commit
/// (ERR_WAIT). An empty name gives "index_<hash8>" or "constraint_<hash8>". A unique constraint is returned when its index is online, or
/// fails with ERR_CONSTRAINT_CREATION naming two entities that share a value. ERR_INDEX_EXISTS and its like say what is in the way.
enum err graph_index_create(struct graph_tx *tx, const struct graph_index *wanted, uint32_t *ret_id, struct error *e) NODISCARD;
enum err graph_index_drop(struct graph_tx *tx, uint32_t id, struct error *e) NODISCARD;
