// The formation of a cluster in one thread, decided by one seed. Each server has a disk that loses power, its formation and its
// directory; between each two is a connection that carries frames in order, is slow, stalls and breaks. What runs is the real
// thing; only disk, wire and clock are played.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/rng.h"
#include "cluster/formation.h"
#include "store/sim_disk.h"

#define WORLD_SERVERS_MAX 7u
#define WORLD_FRAMES_MAX 64u

struct world_options {
  unsigned servers, minimum;
  bool full_lists; // everybody's settings name everybody; otherwise some of them
  FILE *trace;     // NULL: no story
};

struct world_counts {
  uint64_t worlds, steps, saves, crashes, foundings, voided, frames, simulated_ms, settle_ms_max;
};

/// Plays the world of that seed. False: `ret_why` says which rule was broken, when and where.
bool world_play(uint64_t seed, const struct world_options *options, struct world_counts *counts, char ret_why[400]);
