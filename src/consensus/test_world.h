// A group on a table: members in one thread, each with a disk that can be held back and lose what it had not written, and a
// network whose messages lie in the open until they are delivered, lost or repeated. Nothing happens by itself but what a test
// asks for; a trace of all that happened is printed when it fails.
//
// What must hold at every step is checked at every step (world_check): one leader a term, one entry for each (index, term), one
// committed entry for each index, no committed entry lost by a new leader, nothing acknowledged that is not durable.
#pragma once

#include "base/test.h"
#include "consensus/consensus.h"

#define WORLD_MEMBERS 8u // ids 1 to 7
#define WORLD_LOG 512u
#define WORLD_MESSAGES 1024u
#define WORLD_WRITES 256u

struct world_entry {
  uint64_t term;
  enum consensus_entry_kind kind;
  uintptr_t value;
  struct consensus_membership *membership; // of the world: never freed before it
};

/// A log as a disk or a member's memory holds it: entries first..last at their own index.
struct world_log {
  uint64_t snapshot_index, snapshot_term;
  const struct consensus_membership *snapshot_membership;
  uint64_t first, last;
  struct world_entry at[WORLD_LOG];
};

struct world_write {
  uint64_t id;
  enum consensus_write_kind kind;
  uint64_t first, count;
  struct world_entry *entries;
  uint64_t snapshot_index, snapshot_term;
  const struct consensus_membership *membership;
};

struct world_member {
  uint64_t id;
  struct consensus *group; // NULL: down
  bool slow_disk;          // writes wait for world_persist
  bool slow_apply;         // entries wait for world_apply
  bool no_copy;            // no copy of a store comes by itself: what there is of one ends at copied_index
  uint64_t copied_index, copied_term;
  uint64_t term, vote; // durable
  struct world_log disk, memory;
  struct world_write writes[WORLD_WRITES];
  size_t write_count;
  uint64_t applied, durable_applied, commit;
  uint64_t apply_index;
  uint64_t wanted_index; // a copy of that was asked for last
  uint64_t last_read, last_read_index;
  uint32_t reads_failed, reads_answered;
  uint32_t lives;
};

struct world_message {
  uint64_t from;
  struct consensus_message m; // entries and membership belong to the world
};

struct world {
  uint64_t now_ms;
  struct consensus_options options;
  struct world_member members[WORLD_MEMBERS];
  bool cut[WORLD_MEMBERS][WORLD_MEMBERS];
  struct world_message messages[WORLD_MESSAGES];
  size_t message_count;
  struct world_entry committed[WORLD_LOG];
  uint64_t leader_of[WORLD_LOG]; // by term
  uint32_t life_of[WORLD_LOG];
  void *memory; // list of blocks
  bool quiet;   // no trace
};

/// Ids 1..voters vote, the next `learners` learn. Nobody is started.
struct world *world_new(uint32_t voters, uint32_t learners);
void world_free(struct world *w);
/// Starts all that have a log.
void world_start_all(struct world *w);
void world_start(struct world *w, uint64_t id);
/// A member without a log, that is in no membership yet.
void world_start_empty(struct world *w, uint64_t id);
/// Loses what is not durable.
void world_crash(struct world *w, uint64_t id);
/// Puts a log on the disk of a member that is down: the terms of entries 2, 3, ..., ended by 0, behind the first. The value of an
/// entry is 1000 * index + term.
void world_write_disk(struct world *w, uint64_t id, uint64_t term, const uint64_t *terms);
struct consensus *world_group(struct world *w, uint64_t id);
struct consensus_status world_status(struct world *w, uint64_t id);

// ---- what a script does ----

/// Time passes for one member until it acts: a follower goes into an election, a leader sends heartbeats.
void world_timeout(struct world *w, uint64_t id);
/// Time passes for all, with everything delivered.
void world_pass(struct world *w, uint64_t ms);
/// Makes `id` the leader: timeouts and delivery until it is. Fails the test when it does not become it.
void world_elect(struct world *w, uint64_t id);
/// The same, with nothing delivered but votes: what a new leader sends at once is lost.
void world_elect_quietly(struct world *w, uint64_t id);
/// Delivers all that lies there and what comes of it.
void world_deliver(struct world *w);
/// Delivers the oldest message of that kind from one to another; false if there is none. It is gone afterwards.
bool world_deliver_one(struct world *w, uint64_t from, uint64_t to, enum consensus_message_type type);
/// Takes the oldest message out of the network, for handing it over later with world_receive. False if there is none.
bool world_take(struct world *w, uint64_t from, uint64_t to, enum consensus_message_type type, struct consensus_message *ret);
/// Hands a message to a member, whoever it comes from.
void world_receive(struct world *w, uint64_t to, const struct consensus_message *m);
void world_lose_all(struct world *w);
/// Cuts or mends both directions between `id` and all others.
void world_isolate(struct world *w, uint64_t id, bool cut);
/// The only links that work: pairs, ended by 0. world_link_all mends everything.
void world_link_only(struct world *w, const uint64_t *pairs);
void world_link_all(struct world *w);
/// `id` sees its connection with `other` closed.
void world_lose_connection(struct world *w, uint64_t id, uint64_t other);
/// Completes the oldest `count` writes of a slow disk.
void world_persist(struct world *w, uint64_t id, size_t count);
void world_apply(struct world *w, uint64_t id);
/// Proposes one entry in the member's own term.
enum err world_propose(struct world *w, uint64_t id, uintptr_t value);
enum err world_change(struct world *w, uint64_t id, const struct consensus_membership *to);
enum err world_catch_up(struct world *w, uint64_t id, uint64_t learner);
enum err world_transfer(struct world *w, uint64_t id, uint64_t to);
enum err world_read(struct world *w, uint64_t id, uint64_t read_id);
enum err world_compact(struct world *w, uint64_t id, uint64_t index, uint64_t trailing);
/// The membership in force at `id`, with one member changed: role 0 removes it.
struct consensus_membership world_membership(struct world *w, uint64_t id, uint64_t member, uint8_t role);

/// Adds a learner through the leader, starts it and lets it catch up.
void world_add_learner(struct world *w, uint64_t leader, uint64_t id);
uint64_t world_leader(struct world *w); // the one of the highest term, or 0
/// The value of an entry in a member's memory, 0 if it is not there.
uintptr_t world_value(struct world *w, uint64_t id, uint64_t index);
