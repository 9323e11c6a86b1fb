// The applier: the only one that changes pages (contract 13). It takes committed commands in log order, changes pages in one
// batch for many transactions, and publishes. Deterministic: no clock, no randomness, nothing but the commands and the pages.
#pragma once

#include "graph/command_int.h"
#include "graph/graph_int.h"

struct applier {
  struct graph *g;
  struct page_batch *batch; // NULL: none open
  struct page_view view;    // the batch's
  struct arena scratch;     // of one command
  struct buf staged;        // PARTs of a transaction whose END has not come
  uint64_t staged_term;
  struct buf key, other_key, block;
  struct schema *schema; // as of the open batch
  bool schema_changed;
  graph_id high_water[2];
  struct store_applied applied;   // the last entry in the batch
  unsigned commands;              // since the batch last rested
  const struct flight *following; // what comes behind the bytes being applied
  unsigned ahead;                 // commands to come whose pages were read ahead
  struct map verdicts;            // indexes for which a verdict is on its way
};

struct applier *applier_make(struct graph *g);
void applier_free(struct applier *ap);

/// Opens a batch if none is.
enum err applier_begin(struct applier *ap, struct error *e) NODISCARD;
/// Applies a whole transaction's bytes as the effect of `entry`, its last one.
enum err applier_run(struct applier *ap, struct str bytes, const struct log_entry *entry, struct error *e) NODISCARD;
/// Takes note of an entry that changes nothing.
enum err applier_pass(struct applier *ap, const struct log_entry *entry, struct error *e) NODISCARD;
/// Whether entries of this kind hold commands.
bool applier_has_commands(enum log_kind kind);
/// Applies one log entry; parts are kept until their end.
enum err applier_entry(struct applier *ap, const struct log_entry *entry, struct error *e) NODISCARD;
/// Publishes what the batch holds.
enum err applier_publish(struct applier *ap, struct error *e) NODISCARD;
/// Forgets the batch and reloads what memory holds of the pages.
void applier_abort(struct applier *ap);

// ---- commands, one file each kind of entity ----

enum err apply_create_node(struct applier *ap, const struct command *c, struct error *e) NODISCARD;
enum err apply_update_node(struct applier *ap, const struct command *c, struct error *e) NODISCARD;
enum err apply_delete_node(struct applier *ap, graph_id id, bool detach, struct error *e) NODISCARD;
enum err apply_create_rel(struct applier *ap, const struct command *c, struct error *e) NODISCARD;
enum err apply_update_rel(struct applier *ap, const struct command *c, struct error *e) NODISCARD;
enum err apply_delete_rel(struct applier *ap, graph_id id, struct error *e) NODISCARD;
enum err apply_index_create(struct applier *ap, const struct command *c, struct error *e) NODISCARD;
enum err apply_index_drop(struct applier *ap, uint32_t id, struct error *e) NODISCARD;
enum err apply_index_verdict(struct applier *ap, const struct command *c, struct error *e) NODISCARD;

/// What indexes see of an entity: a relationship's type stands as its one label.
struct entity_state {
  const graph_token *labels;
  uint32_t label_count;
  const struct stored *properties;
  uint32_t property_count;
};

/// Moves the entity in range indexes from what it was to what it is; either may be empty.
enum err apply_index_change(struct applier *ap, enum graph_kind kind, graph_id id, const struct entity_state *before,
                            const struct entity_state *after, struct error *e) NODISCARD;

/// Merges changes into a list of properties, both sorted by key.
enum err apply_merge_properties(struct applier *ap, const struct stored *old, uint32_t old_n, const struct stored *changes,
                                uint32_t n, struct stored **ret, uint32_t *ret_n, struct error *e) NODISCARD;
/// Frees the extents of big values that changes replace or remove.
enum err apply_free_replaced(struct applier *ap, const struct stored *old, uint32_t old_n, const struct stored *changes,
                             uint32_t n, struct error *e) NODISCARD;
/// Reads an entity's stored properties into scratch memory.
enum err apply_properties(struct applier *ap, struct property_place place, struct stored **ret, uint32_t *ret_n,
                          struct error *e) NODISCARD;
struct property_place rel_property_place(const uint8_t *record);

/// Between slices of a long command: lets the batch spill.
enum err apply_rest(struct applier *ap, struct error *e) NODISCARD;

static inline enum err apply_count(struct applier *ap, enum statistic s, uint32_t a, uint32_t b, int64_t by) {
  return statistics_add(&ap->g->statistics, s, a, b, by);
}

/// Reads the pages that the next commands will need together: those of `in`, then those of the flights that follow.
enum err apply_ahead(struct applier *ap, struct bytes_in in, struct error *e) NODISCARD;

/// The applier's machine: one batch of what is committed, or else one step of an index's population.
enum err applier_step(struct graph *g, bool *ret_more, struct error *e) NODISCARD;

// ---- index population: bounded steps between batches ----

/// The entity's values under the index's keys, in scratch memory; `*ret_in` false if it does not belong there.
enum err apply_index_values(struct applier *ap, const struct graph_index *x, graph_id id, struct value *ret, bool *ret_in,
                            struct error *e) NODISCARD;
/// Puts one entity into an index, if it belongs there.
enum err apply_populate_entity(struct applier *ap, const struct schema_index *x, graph_id id, struct error *e) NODISCARD;
/// A schema that may be changed until the batch is published.
enum err apply_change_schema(struct applier *ap, struct schema **ret, struct error *e) NODISCARD;

/// Whether an index waits for a step.
bool populate_has_work(struct applier *ap);
/// Fills the index whole: a verdict says that it was, where it was given. Here it need not be so: after a crash, or on a member
/// that is behind, the entry comes before the steps have got there. Publishes what the batch holds and many batches of its own.
enum err populate_to_the_end(struct applier *ap, uint32_t id, struct error *e) NODISCARD;
/// Does one step for an index that is being filled; `*ret_more` if there is more to do.
enum err populate_step(struct applier *ap, bool *ret_more, struct error *e) NODISCARD;
