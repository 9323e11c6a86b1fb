// A world of the product (product_play): servers that found a cluster, clients that write and read while everything goes wrong,
// then all is healed, and everything must be there, once, and the same on every server.
#pragma once

#include "history.h"

enum { CLIENTS_MAX = 16, WHY_MAX = 900 };

enum product_fault {
  FAULT_KILL,      // a process is gone
  FAULT_POWER,     // a machine loses power between two operations of its disk
  FAULT_CUT,       // within one
  FAULT_ALL,       // all of them at about the same time
  FAULT_STOP,      // stopped in order
  FAULT_PAUSE,     // stands still
  FAULT_PARTITION, // the servers are in two parts, or one is alone; in half of the cases one direction alone is cut
  FAULT_RESET,     // connections between two break
  FAULT_LONG_WIRE, // slow links
  FAULT_SLOW_DISK,
  FAULT_FULL_DISK,
  FAULT_BAD_DISK, // an operation fails
  FAULT_CLOCK,    // the wall clock jumps
  FAULT_WIPE,  // the databases are lost, not who the server is: it comes back as another member; who has no vote loses everything
  FAULT_OLDER, // a copy of its disk is put back (older.c): the databases alone, or everything
  FAULT_MAX,
};
extern const char *const product_fault_names[FAULT_MAX];

struct product_options {
  uint32_t servers;  // 0: the seed decides
  uint64_t off;      // faults that do not happen, by bit
  int64_t faults_ms; // 0: the seed decides
  FILE *trace;
};

struct product_counts {
  uint64_t seeds, acknowledged, refused, unknown, faults, kills, power_cuts, wipes, older, copies, elections, raised, simulated_ms,
      recovery_ms_max;
};

struct product_report {
  bool failed;
  char why[WHY_MAX];
  uint64_t hash; // of the whole story
  struct product_counts counts;
};

struct product_world;

struct product_client {
  struct product_world *world;
  struct driver driver;
  struct driver system, extra; // of the catalogue, and of a database that is made and dropped
  uint32_t number;
  char bookmark[BOOKMARK_MAX];
  int64_t steps;
  bool ended;
};

/// A world about one copy, which is put back when it matters (older.c).
struct product_older {
  bool aims;
  bool whole;   // the data folder, otherwise the databases alone
  bool running; // the copy is made while the server runs
  bool young;   // it is put back before the server has moved since
  int step;
  uint32_t server;  // whose copy it is
  uint64_t lagging; // by bit: those that lack what came after it
  uint64_t acknowledged;
  int64_t since_ns;
  struct world_event event;
};

struct product_world {
  const struct product_options *options;
  struct product_report *report;
  uint64_t seed;
  struct product_settings settings;
  struct product_server servers[SERVERS_MAX];
  uint32_t server_count, core_count, replica_count; // cores come first, then replicas, then a gateway
  struct process *desk; // where the clients are
  struct product_client clients[CLIENTS_MAX];
  uint32_t client_count;
  int64_t think_ns; // between transactions, at most
  struct history history;
  char bookmark[BOOKMARK_MAX]; // the highest that anybody was given
  bool early;                  // things go wrong from the start
  bool writes_much, makes_databases;
  bool leads_in_turn; // leaders are deposed and lead again, while clients think within transactions
  bool prepared, stop, finished;

  struct {
    bool mixed;             // this world has servers of two versions
    bool asked;             // somebody has tried to raise the level
    bool in_a_hurry;        // the operator does not wait until a server is back
    bool ended;             // the operator
    struct driver operator; // of `system`
  } versions;

  // Faults.
  uint64_t faults_on; // by bit: those of this world
  int64_t faults_pace_ns;
  struct world_event fault_event, watch_event, heal_events[SERVERS_MAX], revive_events[SERVERS_MAX];
  bool needs_restart[SERVERS_MAX]; // its disk has failed it
  int64_t stopping_since_ns[SERVERS_MAX];
  uint32_t wipes_left; // of those with a vote, and disks that are put back
  int64_t trouble_ns;  // when something last kept servers from meeting
  struct product_older older;
  bool healed;
};

/// Plays one.
void product_play(uint64_t seed, const struct product_options *options, struct product_report *ret);

/// The first that is said counts.
void product_fail(struct product_world *w, const char *fmt, ...) PRINTF(2, 3);

// ---- clients (workload.c) ----
/// Threads of the desk; the argument is a product_client or the world.
void *product_client_run(void *argument);
/// Makes what the clients need; sets `prepared`.
void *product_prepare(void *argument);
/// Reads everything on every server, and judges; sets `finished`.
void *product_finish(void *argument);

// ---- faults (faults.c) ----
void product_faults_choose(struct product_world *w);
void product_faults_begin(struct product_world *w);
/// Gone at once, and back after a while; and links between two.
void product_kill(struct product_world *w, uint32_t i, enum world_end end, int64_t away_ns);
void product_cut(struct product_world *w, uint32_t a, uint32_t b, bool one_way);
void product_links_heal(void);
/// Watches over servers that have ended, from the start to the end.
void product_watch(struct product_world *w);
/// Nothing goes wrong any more, and what was broken is whole again.
void product_heal(struct product_world *w);

// ---- data that are put back from an older copy (older.c) ----
/// Whether this world is about that, and how; by its seed.
void product_older_choose(struct product_world *w);
/// It begins.
void product_older_begin(struct product_world *w);
/// The server is down: now and then its disk is copied, for product_older_strike.
void product_older_copy(struct product_world *w, uint32_t i);
/// Somebody of whom there is a copy gets it back: everything where all have met it in the start that it is in, otherwise the
/// databases.
void product_older_strike(struct product_world *w, bool all_have_met);
