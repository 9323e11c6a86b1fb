// What an operator reads of the graph and what it writes, by labels, types and keys; private to the module.
//
// A node that this query has made is met by who scans for its label (or for all nodes, or for its relationships), and by who holds it in
// a variable. A variable that a scan or a traversal has filled can only hold it if that scan met it; so what is asked of such a *found*
// variable matters to changes of what was there, not to what is new.
#pragma once

#include "plan/plan_int.h"

/// Numbers are plan_name_ids.
struct names {
  struct bits some;
  bool all;
};

struct reads {
  bool nodes;                       // which nodes there are, whatever their labels
  struct names scanned_labels;      // nodes are looked up by them
  struct names labels, keys;        // asked of what may be new
  struct names found_labels, found_keys;
  struct names types;               // relationships are looked up by them
};

struct writes {
  bool nodes;   // nodes are made
  bool deletes; // entities are taken away
  struct names new_labels, new_keys; // of what is made
  struct names types;                // of relationships that are made
  struct names set_labels, set_keys; // changed
};

struct op_effects {
  struct reads reads;   // of the snapshot and what is sealed
  struct reads current; // of the current state: MERGE, right-hand sides of SET
  struct writes writes;
};

/// What is known of slots over the whole plan.
struct known_slots {
  struct bits found; // filled by scans and traversals and by nothing else; see above
  struct bits plain; // cannot hold an entity: properties of entities, what is computed of those
};
enum err effects_known_slots(struct planner *p, const struct plan_op *root, struct known_slots *ret) NODISCARD;

/// Adds those of the operator itself, not of what is below it; for MERGE and REPEAT with their right sides.
enum err effects_of(struct planner *p, const struct known_slots *known, const struct plan_op *op, struct op_effects *ret) NODISCARD;
enum err reads_add(struct planner *p, struct reads *to, const struct reads *from) NODISCARD;
enum err writes_add(struct planner *p, struct writes *to, const struct writes *from) NODISCARD;
bool writes_none(const struct writes *w);
/// True if something that reads `r` can see what `w` writes.
bool effects_seen(const struct writes *w, const struct reads *r);
/// True if the order of two writes matters.
bool effects_clash(const struct writes *a, const struct writes *b);
