// A rolling upgrade in a world (docs/adr/0015): servers of two versions, of which the newer knows one feature level more. An
// operator installs the next version on one server after the other, perhaps goes back, and raises the cluster's level in the end,
// while everything else goes wrong. Until then everybody may go back with the data; from then on whoever is too old takes no part.
#pragma once

#include "product.h"

enum { LEVEL_BEFORE = 1, LEVEL_NEXT = 2 };

/// Whether that is such a world.
bool product_versions_are_mixed(uint64_t seed);
/// All begin with the version before.
void product_versions_begin(struct product_world *w);
/// A process goes on: its version is the one that runs (world_options.turn).
void product_versions_turn(const struct process *p);
/// A thread of the desk, from when the clients begin; the argument is the world.
void *product_operator_run(void *argument);
/// Now and then: nothing is to come of a level that nobody asked for.
void product_versions_watch(struct product_world *w);
/// Who was asked to be raised gets the next version everywhere.
void product_versions_heal(struct product_world *w);
/// All members follow what was raised. From a thread of the desk; fails the world otherwise.
bool product_versions_finish(struct product_world *w);
