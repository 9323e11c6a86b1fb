// One store on a disk that loses power, a model of what it must hold, and random things that happen to both.
//
// The oracle knows nothing of how the store works: it remembers what was queued, what was reported durable, what was applied,
// and what each open snapshot must see. `world_step` does one random thing; after a crash `world_restart` opens the store
// again and compares everything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "store/btree.h"
#include "store/checkpoint.h"
#include "store/copy.h"
#include "store/sim_disk.h"
#include "store/store.h"

#define WORLD_KEYS 400u
#define WORLD_RAW 60u
#define WORLD_ENTRIES_MAX 4096u
#define WORLD_SNAPSHOTS_MAX 5u
#define WORLD_QUEUE_MAX 256u

// What the pages must hold: a version for each key, a seed for each raw page; 0 is absent.
struct model {
  uint32_t keys[WORLD_KEYS];
  uint32_t raw[WORLD_RAW];
  uint64_t digest; // of all transactions applied, in order
};

struct world_entry {
  uint8_t *payload;
  uint32_t bytes;
  unsigned parts;
  uint64_t term, transaction;
  int64_t commit_time_ns;
};

struct world_queued {
  bool truncate;
  uint64_t index;
  struct world_entry entry;
};

struct world_snapshot {
  struct page_snapshot snapshot;
  struct model model;
};

// A reader that stays inside and keeps pointers: what they point to must not change before it leaves.
struct world_held {
  struct page_snapshot snapshot; // closed: nobody is inside
  const void *pages[4];
  uint64_t digests[4];
  unsigned count;
};

struct world {
  struct rng rng;
  struct sim_disk *disk;
  struct clock_manual clock;
  struct random_seeded random;
  struct page_pool *pool;
  struct page_access *applier, *reader, *holder;
  struct store_options options;
  struct store *store;
  bool clustered, made;

  struct world_entry entries[WORLD_ENTRIES_MAX]; // of the durable log, by index
  uint64_t last;                                 // durable
  struct arena payloads;                         // of all entries ever made
  struct world_queued queue[WORLD_QUEUE_MAX];
  unsigned queued;
  uint64_t commit, applied, transactions, term;
  uint64_t group_term_saved, group_term_tried;

  struct model model; // as of `applied`
  uint8_t staged[1 << 16];
  uint32_t staged_bytes;
  uint64_t staged_transaction;
  struct world_snapshot snapshots[WORLD_SNAPSHOTS_MAX];
  struct world_held held;
  struct checkpoint_pin pin;
  uint64_t pin_digest;
  struct world_copy {
    struct checkpoint_pin pin;
    struct store_copy *open;
    bool there; // a copied store is in place,
    uint64_t there_index;
    uint64_t tried[8]; // or one of those that were being put there since when something went wrong
    unsigned tries;
  } copy;

  bool failed;
  char why[1500];
  uint64_t crashes, kills, transactions_applied, checkpoints, recoveries_cut, shrinks, copies;
};

/// A new disk and an empty store, everything decided by `seed`.
struct world *world_new(uint64_t seed);
void world_free(struct world *w);
// ---- copies (store_copies.c) ----

/// Does something for the copy of a pinned checkpoint. False: look at `failed`.
bool world_copy(struct world *w);
/// Opens the copied store, if there is one, and compares it with the model. False: look at `failed`.
bool world_check_copy(struct world *w);
void world_close_copy(struct world *w);

// What they stand on: fails for a reason; true for errors that are the world's own doing; whether a store holds the model's
// state.
bool world_fails(struct world *w, const char *why);
bool world_expects(struct world *w, enum err err, const struct error *e, const char *doing);
bool world_holds(struct world *w, struct store *s, uint64_t index, const char *when);

/// Opens the store (again) and compares all of it with the model. False: look at `failed`.
bool world_restart(struct world *w);
/// Lives until the next crash. False: look at `failed`.
bool world_live(struct world *w);
/// The end of a disk: flips bytes of the page file and looks whether anybody notices. False: look at `failed`.
bool world_rot(struct world *w);
