// Inside the formation: its life, on the disk and from step to step (formation.c), and what one step decides (formation_decide.c).
#pragma once

#include "cluster/formation.h"

struct formation {
  struct formation_options options;
  struct identity identity;
  struct starts starts; // of a core
  enum err failed;
  struct error why;
  int64_t first_step_ms; // 0: none yet
  int64_t proposed_ms;   // in this life
  // who could found a cluster with this server, and since when it is those
  uint64_t crowd;
  int64_t crowd_since_ms;
  // told already
  int64_t told_ms;
  uint64_t told_crowd;
  struct uuid waits_told;
  bool clusters_told, data_told;
};

// One step: what is heard, and what comes of it.
struct step {
  struct formation *f;
  const struct identity *self;
  const struct announcement *own; // as it was last said
  const struct directory_copy *view;
  int64_t now_ms;
  uint32_t needed;      // founders
  uint32_t listed;      // servers that the settings name
  struct identity next; // if it changes
};

static inline bool same_founding(const struct founding *a, const struct founding *b) {
  return uuid_eq(a->cluster, b->cluster);
}

/// What the server is to be next, in `s->next`: the rules of README.md, "One founding". Errors of randomness.
enum err formation_decide(struct step *s, struct error *e) NODISCARD;
