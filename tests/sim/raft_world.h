// A cluster in one thread, decided by one seed: members with a disk, a clock and a log each, and the network between them. What
// runs is the real thing: consensus, the group's host, the log, frames; only the disk, the wire, the clock and the application
// are played.
//
// raft_world.c   the loop: whose turn it is, healing, the end
// raft_member.c  one member: start, crash, the log's writer, the played application
// raft_save.c    the threads beside a member's loop that save its terms and votes, and forget what a checkpoint lets go
// raft_net.c     frames in flight
// raft_fault.c   what goes wrong, and when
// raft_load.c    what clients and operators do
// raft_oracle.c  what must hold after every step
// raft_trace.c   the story, for people
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/rng.h"
#include "cluster/frame.h"
#include "cluster/group.h"
#include "store/sim_disk.h"

#define RAFT_MEMBERS 7u      // ids 1 to 7; those above the first voters join later
#define RAFT_INDEX_MAX 4096u // entries of a world
#define RAFT_TERM_MAX 2048u
#define RAFT_OUTSTANDING_MAX 64u

// What can go wrong or be done; each has its own random numbers, so that switching one off leaves the others as they are.
#define RAFT_FAULTS(X)                                                                                         \
  X(crash, 900)        /* power goes, now */                                                                   \
  X(crash_io, 500)     /* power goes within one of the next inputs or outputs */                               \
  X(crash_send, 700)   /* power goes before a message is sent */                                               \
  X(crash_all, 6000)   /* power goes everywhere */                                                             \
  X(kill, 1500)        /* the process dies, the machine lives */                                               \
  X(disk_error, 2500)  /* a read or write fails */                                                             \
  X(disk_sync, 2500)   /* a sync fails */                                                                      \
  X(disk_full, 2000)   /* no space, for a while */                                                             \
  X(disk_slow, 900)    /* writes and syncs take long, for a while */                                           \
  X(memory, 2500)      /* an allocation fails */                                                               \
  X(pause, 500)        /* a member stands still */                                                             \
  X(clock, 1200)       /* a clock jumps */                                                                     \
  X(cut, 60)           /* one direction between two members, for a while */                                    \
  X(isolate, 700)      /* a member alone, one way or both */                                                   \
  X(split, 1500)       /* the members in two halves */                                                         \
  X(reset, 400)        /* a connection breaks: what is in flight between two is lost */                        \
  X(notice, 0)         /* connections that are closed are seen to be */                                        \
  X(drop, 0)           /* single frames are lost */                                                            \
  X(duplicate, 0)      /* frames come twice */                                                                 \
  X(delay, 0)          /* frames come late */                                                                  \
  X(damage, 0)         /* a byte of a frame changes */                                                         \
  X(refuse, 0)         /* the network's queue is full */                                                       \
  X(cut_proposer, 0)   /* directed: the proposer alone, right after it proposed */                             \
  X(cut_changer, 0)    /* directed: the same after a membership change */                                      \
  X(crash_proposer, 0) /* directed: power goes right after a proposal */                                       \
  X(crash_leader, 0)   /* directed: power goes a moment after an election */                                   \
  X(cut_leader, 0)     /* directed: a new leader is alone a moment after its election */                       \
  X(crash_commit, 0)   /* directed: power goes where a leader finds something committed, before others hear */ \
  X(cut_commit, 0)     /* directed: it is alone from there on */                                               \
  X(crash_voter, 0)    /* directed: after a vote */                                                            \
  X(crash_append, 0)   /* directed: between a write and its acknowledgement */                                 \
  X(crash_install, 0)  /* directed: between a copied store and what the log makes of it, and within that */    \
  X(busy, 0)           /* the application takes nothing, for a moment */                                       \
  X(save_slow, 0)      /* saving a term or vote takes long, at worst twenty election timeouts */               \
  X(save_error, 0)     /* directed: a write, sync or allocation of it fails */                                 \
  X(save_again, 0)     /* its thread looks again, though nothing waits for it */                               \
  X(crash_save, 0)     /* directed: power goes before, within or right after it */                             \
  X(kill_save, 0)      /* directed: the process dies there */                                                  \
  X(change, 120)       /* memberships change */                                                                \
  X(transfer, 700)     /* leadership is handed over */                                                         \
  X(checkpoint, 150)   /* the application is durable, the log forgets */                                       \
  X(read, 60)          /* linearizable reads */                                                                \
  X(change_at_once, 0) /* directed: a new leader is asked for a change before it has committed anything */     \
  X(read_at_once, 0)   /* directed: a leader that stood still is asked for a read before it hears anything */  \
  X(read_old, 0)       /* directed: an older leader that does not hear the new one is asked for reads */       \
  X(sleep, 0)          /* when all is well again one member stays down: the others must do without */          \
  X(elsewhere, 0)      /* another thread saves terms and votes, in four worlds of five; else the loop */

enum raft_fault {
#define X(name, mean_ms) RAFT_##name,
  RAFT_FAULTS(X)
#undef X
      RAFT_FAULT_MAX
};
extern const char *const raft_fault_names[RAFT_FAULT_MAX];

struct raft_options {
  unsigned voters;    // 3 or 5
  bool wild;          // frames overtake each other, are lost and come twice; otherwise FIFO for each pair
  uint64_t off;       // bit set of faults that do not happen
  uint32_t faults_ms; // 0: the seed decides how long things go wrong
  FILE *trace;        // NULL: no story
};

// What a member is at when a fault hits it.
enum raft_moment { RAFT_LEADS, RAFT_FOLLOWS, RAFT_STANDS, RAFT_AWAITS_COPY, RAFT_SAVES, RAFT_MOMENT_MAX };

struct raft_counts {
  uint64_t struck[RAFT_FAULT_MAX][RAFT_MOMENT_MAX];
  uint64_t seeds, elections, truncations, installs, changes, crashes, kills, closed, entries, reads, transfers, checkpoints,
      messages, saves, saves_cut, members_behind, simulated_ms, settle_ms_max;
};

// The application: a chain of hashes over all entries; durable by checkpoints.
struct raft_state {
  uint64_t index, term, digest;
  int64_t commit_time_ns;
};

struct raft_app {
  struct group_application table;
  struct raft_state state, visible, durable;
  struct consensus_membership membership; // last one applied
};

struct raft_outstanding {
  uint64_t index, term;
};

// The highest term that a member has spoken in, and for whom it has voted there; 0: for nobody that it told.
struct raft_vote {
  uint64_t term, vote;
};

struct raft_member {
  struct raft_world *world;
  uint64_t id;
  unsigned life; // starts so far
  bool up, made;
  struct sim_disk *disk;
  struct clock_manual clock;
  struct log *log;
  struct group *group;
  struct group_network network;
  struct raft_app app;
  struct group_stats last; // after the last step

  // times in simulated microseconds; 0: not due
  uint64_t restart_us, paused_us, wake_us, round_us, copy_us, full_us, slow_us, read_us, change_us, crash_us, cut_us, save_us,
      forget_us;
  struct group_forgetting forgetting; // at forget_us
  struct disk_file *round_file;       // being synced
  uint64_t clock_offset_ms;
  uint64_t copy_index, copy_term; // asked of the application
  struct raft_state copy;         // on its way to it; index 0: none

  unsigned reads_left; // at once, one after another
  bool fault_armed;    // of the disk, in this life
  bool memory_failed;  // in this life
  int crash_in_sends;  // messages still to be sent before the power goes; negative: off
  bool crash_now;      // at the end of this step
  const char *crash_why;
  uint64_t saves_seen;
  struct raft_vote promised;
  uint64_t durable_applied; // applied and told, never to be less

  struct raft_outstanding outstanding[RAFT_OUTSTANDING_MAX];
  unsigned outstanding_count;
};

struct raft_frame {
  uint64_t at_us, order;
  uint32_t bytes; // 0: the connection's end
  uint8_t from, to;
  bool damaged;
  unsigned life;
  uint8_t *data;
};

struct raft_committed {
  uint64_t term, hash, digest; // digest: of all entries up to here
  uint64_t known_term;         // the least term of a member that took it for committed
};

struct raft_entry_seen { // by (index, term)
  uint64_t index, term, hash, previous_term;
};
#define RAFT_SEEN_MAX 32768u

struct raft_read {
  uint64_t least_index; // acknowledged when it was asked
  uint8_t member;
};

struct raft_world {
  struct raft_options options;
  uint64_t seed, now_us, order;
  struct rng rng, rngs[RAFT_FAULT_MAX];
  struct raft_member members[RAFT_MEMBERS + 1]; // by id
  unsigned count;                               // of members that exist
  uint64_t fault_us[RAFT_FAULT_MAX];            // next time
  uint64_t load_us, faults_end_us, end_us, uncut_us[RAFT_MEMBERS + 1][RAFT_MEMBERS + 1];
  bool healed;
  struct raft_member *sleeper; // down until the others have shown that they work
  bool slept;
  uint64_t off;  // set of faults that this world does not have
  uint64_t calm; // how much rarer they are
  uint64_t load_mean_us;
  uint8_t uuid[16];
  struct group_options group_options;
  struct log_options log_options;
  uint64_t fifo_us[RAFT_MEMBERS + 1][RAFT_MEMBERS + 1];
  bool cut[RAFT_MEMBERS + 1][RAFT_MEMBERS + 1];
  struct raft_frame *frames; // a heap by time
  size_t frame_count, frame_capacity;
  struct arena arena; // of one decoded frame
  struct buf outgoing[RAFT_MEMBERS + 1];
  size_t outgoing_start[RAFT_MEMBERS + 1];
  unsigned outgoing_messages[RAFT_MEMBERS + 1];

  // the oracle
  struct raft_committed committed[RAFT_INDEX_MAX];
  uint64_t committed_last, acknowledged;
  struct raft_entry_seen *seen;
  struct {
    uint8_t member;
    unsigned life;
  } leaders[RAFT_TERM_MAX];
  uint64_t leader_term_max;
  struct raft_read reads[256];
  uint64_t read_ids;
  struct buf scratch;

  // after healing
  unsigned stage;
  uint64_t probe_index, probe_term, settle_read;
  bool settle_read_done, settled;

  uint64_t proposals, steps;
  bool failed;
  char why[600];
  struct raft_counts counts;
};

// ---- raft_world.c ----

/// Plays the world of `seed` from beginning to end. False: it failed; `why` says how.
bool raft_play(uint64_t seed, const struct raft_options *o, struct raft_counts *counts, char *why, size_t why_bytes);

// ---- raft_member.c ----

void raft_member_init(struct raft_world *w, struct raft_member *m);
void raft_member_done(struct raft_member *m);
void raft_member_start(struct raft_member *m);
/// Power goes, or (kill) only the process.
void raft_member_crash(struct raft_member *m, bool kill, const char *why);
/// What the owner of a group does around each call: begin, the call, end.
void raft_member_begin(struct raft_member *m);
void raft_member_end(struct raft_member *m);
void raft_member_step(struct raft_member *m);
void raft_member_finish_round(struct raft_member *m);
/// A copy of a store is begun, or has come.
void raft_member_copy(struct raft_member *m);
uint64_t raft_member_ms(const struct raft_member *m);
/// What a write or sync takes now.
uint64_t raft_member_disk_us(struct raft_member *m);
bool raft_member_is_leader(const struct raft_member *m);

// ---- raft_save.c ----

/// Every member of this world has its terms and votes saved by another thread, as the server does.
bool raft_saves_elsewhere(struct raft_world *w);
/// After each call of the group: its thread begins if there is something to save.
void raft_save_begin(struct raft_member *m);
void raft_save_finish(struct raft_member *m);
/// What a checkpoint of this member has let go, by another thread a moment later.
void raft_forget_begin(struct raft_member *m);
void raft_forget_finish(struct raft_member *m);

// ---- raft_net.c ----

bool raft_net_send(struct group_network *n, const struct message *m);
void raft_net_flush(struct raft_member *m);
uint64_t raft_net_next_us(const struct raft_world *w);
void raft_net_deliver(struct raft_world *w);
/// The connection from `m` to another is closed: seen there behind all that was sent before.
void raft_net_close(struct raft_member *m, uint64_t to);
void raft_net_lose(struct raft_world *w, uint64_t from, uint64_t to);
void raft_net_done(struct raft_world *w);

// ---- raft_fault.c ----

void raft_faults_init(struct raft_world *w);
uint64_t raft_faults_next_us(const struct raft_world *w);
void raft_faults_strike(struct raft_world *w);
void raft_faults_heal(struct raft_world *w);
/// True with one chance in `n`, as long as things go wrong and this is not switched off.
bool raft_fault_chance(struct raft_world *w, enum raft_fault f, uint64_t n);
/// Does not happen in this world.
bool raft_fault_off(const struct raft_world *w, enum raft_fault f);
void raft_isolate(struct raft_world *w, uint64_t member, bool in, bool out, uint64_t for_us);
void raft_fault_cut_leader(struct raft_member *m);
/// Between two members, both ways; what is in flight is lost.
void raft_part(struct raft_world *w, uint64_t a, uint64_t b, uint64_t for_us);

// ---- raft_load.c ----

void raft_load(struct raft_world *w);
void raft_load_change(struct raft_world *w);
void raft_load_change_at(struct raft_member *m);
void raft_load_read_at(struct raft_member *m);
void raft_load_transfer(struct raft_world *w);
void raft_load_checkpoint(struct raft_world *w);
void raft_load_read(struct raft_world *w);

// ---- raft_oracle.c ----

bool raft_fail(struct raft_world *w, const char *fmt, ...) PRINTF(2, 3);
void raft_check_entry(struct raft_world *w, uint64_t member, const struct log_entry *entry, uint64_t previous_term);
void raft_check_durable(struct raft_member *m, uint64_t index, const char *what);
void raft_check_applied(struct raft_member *m, const struct log_entry *entry);
void raft_check_copied(struct raft_member *m);
void raft_check_promise(struct raft_member *m, const struct message *msg);
/// After a restart: what the member has promised is what its disk says.
void raft_check_promises(struct raft_member *m);
void raft_check_member(struct raft_member *m, const struct group_stats *now);
void raft_check_log(struct raft_member *m);
void raft_check_read(struct raft_member *m, uint64_t read_id, uint64_t index, bool failed);
void raft_check_end(struct raft_world *w);

// ---- raft_trace.c ----

void raft_trace(struct raft_world *w, uint64_t member, const char *fmt, ...) PRINTF(3, 4);
void raft_trace_message(struct raft_world *w, const char *what, const struct message *m);
#define TRACE(w, member, ...)                                               \
  do {                                                                      \
    if ((w)->options.trace != NULL) raft_trace((w), (member), __VA_ARGS__); \
  } while (0)
