// One member's part in one Raft group, as a machine: owns a `struct consensus`, writes what it decides to a `struct log`, sends
// its messages, hands committed entries to an application. The owner gives it time and messages; it has no thread and never
// waits.
//
//   log_open -> group_open -> { group_receive | group_propose | ... | group_step }* -> group_close -> log_close
//
// How an update of consensus is carried out (consensus/consensus.h says why in this order):
//   1. a new term or vote is saved (log_group_save: synced) before anything else leaves, by this thread or by another one that
//      may wait (group_save);
//   2. writes are queued in the log, each with the log's ticket; the log's writer makes them durable in its own time;
//   3. messages are sent. Appends are filled with entries: from a bounded tail of recent ones in memory, or else read from the
//   log,
//      cut into messages of about `message_bytes_max`; what does not fit into the network's queue follows in later steps;
//   4. group_step looks how far the log's writer has come and reports writes durable in the order in which they were queued;
//   5. entries that are committed *and* durable here go to the application, in order, one by one.
//
// Failure: whatever leaves memory and disk in doubt (a failed save, write or sync, an answer of consensus that is not one of its
// harmless refusals, an entry that is not the one consensus speaks of) closes the group for good (guard G12): every later call
// returns the first cause. The way out is group_close, log_close and to open both again: what is on disk is the truth.
// A full disk closes nothing: writes wait in the log, proposals are refused with ERR_LIMIT once the queue is full. A leader whose
// disk takes nothing for three seconds hands its leadership on.
//
// Threads: one call at a time for each group. The log's writer may run in another thread at the same time; so may the application
// behind `applied`. Nobody calls a group from within its network's or application's functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "cluster/message.h"
#include "consensus/consensus.h"
#include "os/clock.h"
#include "store/log.h"

struct group;

// ---- what a group stands on ----

/// Where messages go. One for each group or one for all.
struct group_network {
  /// Queues a message (m->to is the addressee): bytes are copied before it returns. It may be lost, and is when nobody is there
  /// (true). False: no room now; of appends the group then keeps the place and goes on from there about 10 ms later.
  bool (*send)(struct group_network *n, const struct message *m);
};

/// The last entry that an application has carried out.
struct group_applied {
  uint64_t index, term;
  int64_t commit_time_ns; // of the entry: commit times do not go back where a copied store takes the place of a log
};

/// What entries are applied to. Its functions are called from within calls of the group. What it has taken and not carried out
/// when the group is closed, or when a copied store takes its place, it forgets: it comes again.
struct group_application {
  /// Takes the next committed entry; texts are the group's and stay until it returns. Every entry above `applied` comes, of every
  /// kind, in order, once in a life of the group. It may be carried out later (`applied` tells). ERR_BUSY: not now, comes again
  /// with a later step. Any other error closes the group.
  enum err (*apply)(struct group_application *a, const struct log_entry *entry, struct error *e);
  /// The last entry that is carried out: readers see it. Never falls; may run ahead of the log after an install, because the copy
  /// may be newer than what was asked for. Called from the group, may be fed by another thread.
  struct group_applied (*applied)(struct group_application *a);
  /// The log cannot bring this member up to date: get a copy of a store that has applied at least (index, term), from the
  /// leader or anybody who has it, and put it durably in the place of what is there. Until `applied` says so the member goes on
  /// with its log as it is, and votes by it; a later leader's log may bring it up to date after all. Called now and then, with
  /// another place if need be, until `applied` is there. As long as it is not, the group state is marked: only then may a store
  /// be replaced under an open group. store_copy_install, with the group closed, marks by itself.
  void (*install)(struct group_application *a, uint64_t index, uint64_t term);
  /// The membership in force changed by an applied entry.
  void (*membership)(struct group_application *a, const struct consensus_membership *m);
  /// A read asked for by group_read may be answered from a state that has applied `index`; or it failed: ask again, elsewhere.
  void (*read)(struct group_application *a, uint64_t read_id, uint64_t index, bool failed);
};

struct group_options {
  uint8_t uuid[MESSAGE_GROUP_BYTES];  // of the database
  struct consensus_options consensus; // its `group` is taken from the uuid
  struct group_network *network;
  struct group_application *application;
  struct clock *clock;          // wall clock for commit times
  struct event_sink *events;    // may be NULL
  uint64_t seed;                // of election timeouts
  uint32_t message_bytes_max;   // 0: 256 KB of entries in an append; a single entry may be larger
  uint32_t tail_bytes_max;      // 0: 16 MB of recent entries in memory; more only while they are not durable
  uint32_t queue_bytes_max;     // 0: 32 MB that wait for the disk; above it proposals and appends are turned away
  uint32_t send_bytes_step_max; // 0: 4 MB of entries to one member in one step
  uint32_t apply_step_max;      // 0: 256 entries to the application in one step
  bool saves_elsewhere;         // terms and votes are saved by another thread (group_save); else the group waits for the disk
};

// ---- life ----

/// Makes a new log the beginning of a group: `m` as entry 1 of term 1, and the group state that goes with it. Every first member
/// gets the same (contract 15). Done before group_open, on a log that was just created; returns when it is durable. A member that
/// joins a running group later starts from the empty log instead, with group_begin_empty.
enum err group_begin(struct log *l, uint64_t member_id, const struct consensus_membership *m, struct error *e) NODISCARD;
enum err group_begin_empty(struct log *l, uint64_t member_id, struct error *e) NODISCARD;

/// Starts from what the log and its group state hold. Log, tables and clock stay the caller's and outlive the group. ERR_CORRUPT:
/// log and group state contradict each other.
enum err group_open(struct log *l, const struct group_options *options, uint64_t now_ms, struct group **ret,
                    struct error *e) NODISCARD;
/// Stop the log's writer first and close the log next, without another step of it: what it has queued and not written is freed
/// here and lost with the group. NULL is fine.
void group_close(struct group *g);

/// The application cannot go on: the group is closed on this member, for that reason.
void group_end(struct group *g, const struct error *why);

/// ERR_OK, or why the group is closed.
enum err group_failure(const struct group *g, struct error *e);

// ---- driving ----

/// Does what has become due: time, writes made durable, entries to apply, appends that wait for the network. Bounded work;
/// `*ret_more` says that there is more to do at once. Due when the log's writer has finished a round, when the application has
/// carried out something, at group_wake_ms, and after anything else in this header.
enum err group_step(struct group *g, uint64_t now_ms, bool *ret_more, struct error *e) NODISCARD;
uint64_t group_wake_ms(const struct group *g);

/// A message for this member, as it was decoded; copied as far as it is needed. One for another member or group is ignored.
enum err group_receive(struct group *g, uint64_t now_ms, const struct message *m, struct error *e) NODISCARD;

/// The connection with `member` was closed (consensus_lost).
enum err group_lost(struct group *g, uint64_t now_ms, uint64_t member, struct error *e) NODISCARD;

// ---- terms and votes ----

/// A term or vote waits to be saved by group_save. Until it is, and the group is stepped, the group stands still, its time as
/// well: an election is not over because the disks that it needs are slow. Messages are ignored, requests refused with ERR_BUSY
/// (group_propose: ERR_LIMIT).
bool group_wants_save(const struct group *g);
/// Saves it; waits for the disk. Nothing happens if none waits. One thread at a time, while another one may drive the group. What
/// fails closes the group with its next step.
void group_save(struct group *g);

// ---- asking ----

/// Proposes entries (transactions, tokens, schema...; contract 14): index, term and commit time are filled in, the bytes are
/// copied. Committed if and only if the application gets (index, term). ERR_NOT_LEADER: another term, or not (yet) a leader;
/// ERR_LIMIT: the queue is full. Neither is fatal.
enum err group_propose(struct group *g, uint64_t now_ms, uint64_t term, struct log_entry *entries, size_t count,
                       struct error *e) NODISCARD;

/// As in consensus/consensus.h, errors included.
enum err group_change(struct group *g, uint64_t now_ms, const struct consensus_membership *to, struct error *e) NODISCARD;
enum err group_catch_up(struct group *g, uint64_t now_ms, uint64_t member_id, struct error *e) NODISCARD;
enum err group_transfer(struct group *g, uint64_t now_ms, uint64_t member_id, struct error *e) NODISCARD;
enum err group_read(struct group *g, uint64_t now_ms, uint64_t read_id, struct error *e) NODISCARD;

/// What of its log a group needs no more.
struct group_forgetting {
  uint64_t index, term; // of the place where the log may begin
  uint64_t first;       // of the entries that stay
  struct consensus_membership membership; // in force at that place
};

/// The application is durable up to `index`: what may be forgotten is older than the last `trailing` entries, and than what
/// followers may still ask for. Nothing has gone yet. ERR_BUSY: not now (an install or a truncation is queued, or there is no
/// more to forget); not fatal.
enum err group_forget_begin(struct group *g, uint64_t now_ms, uint64_t index, uint64_t trailing, struct group_forgetting *ret,
                            struct error *e) NODISCARD;
/// Does it to the group's log: the group state remembers the place where the log may begin, then segments go of which every entry
/// may be forgotten and is older than every pin. Some in one call; `*ret_more`: there may be more. Waits for the disk, so it is
/// for a thread that may: any, also while the group is driven, as long as the log is open. What is never done is done with the
/// next. An error in which the state is in doubt has poisoned the log; any other means that segments stayed.
enum err group_forget(struct log *l, const struct group_forgetting *f, bool *ret_more, struct error *e) NODISCARD;
/// Both at once, for owners whose own thread may wait for the disk; of more segments than one call of group_forget takes, the
/// others go with the next checkpoint.
enum err group_checkpointed(struct group *g, uint64_t now_ms, uint64_t index, uint64_t trailing, struct error *e) NODISCARD;

// ---- looking ----

/// Of the last update of consensus, and of the work for it. Cheap.
struct group_stats {
  enum consensus_state state;
  uint64_t term, leader, commit_index, apply_index;
  uint64_t handed_index; // last entry that the application took
  uint64_t queued_bytes; // of entries that are not durable
  uint64_t tail_bytes;   // of entries in memory, those included
  uint64_t tail_entries; // how many
  uint64_t tail_bytes_max;
  uint64_t writes_pending;
  uint64_t appends_sent, entries_sent, entries_read; // read: from the log for a member that is behind
  uint64_t truncations, installs, saves;
  bool installing;          // waits for a copy of a store, or for its log to give way to one
  uint64_t leader_heard_ms; // when the last message of a leader came; 0: none has come
};
void group_stats(const struct group *g, struct group_stats *ret);
void group_status(const struct group *g, struct consensus_status *ret);
void group_membership(const struct group *g, struct consensus_membership *ret);
/// Of an entry in the log as consensus sees it, durable or not. ERR_NOTFOUND: not in the retained log.
enum err group_term_at(const struct group *g, uint64_t index, uint64_t *ret, struct error *e) NODISCARD;
