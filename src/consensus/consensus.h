// One member's part in one Raft group, without any input or output: an event goes in, an update comes out that says what to
// persist, what to send, what is committed and when to be woken. Whoever owns a group (cluster/group.h) does what the update
// says.
//
//   consensus_start -> { consensus_receive | _tick | _propose | _change | _persisted | _applied | ... -> update }* ->
//   consensus_free
//
// The order in which an update must be carried out is the safety of the whole (Ongaro's dissertation, sections 3.8 and 10.2.1):
//   1. `hard_state_changed`: term and vote are durable before anything else of this update is done.
//   2. `writes` go to the log's queue, in order; nobody waits for them. When one is durable, consensus_persisted says so, in
//   order.
//   3. `messages` may be sent at once after 1: what an answer acknowledges has been reported durable before.
//   4. Entries up to `apply_index` may be applied, then consensus_applied says so.
// An update whose step 1 fails is dropped whole and the group is closed: consensus_free, and start again from what is on disk.
//
// Entries are never kept here: outgoing entries are named by index and read from the log by the host; incoming and proposed ones
// are handed back in `writes` by the very pointers that came in (`user`). Memory grows with terms and members, not with entries.
//
// Under this header stands a Raft engine with guards around it (README.md lists them, G1 to G20, and what each prevents). Exactly
// one file knows the engine.
//
// Thread: one call at a time for each group; groups are independent. Nothing here blocks, allocates globally or reads a clock:
// `now_ms` is monotonic milliseconds, never falling. Errors: ERR_NOMEM and every code not named at a function are fatal for the
// group: it is then closed (consensus_failure says why) and every later call returns the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define CONSENSUS_MEMBERS_MAX 64u
#define CONSENSUS_ADDRESS_BYTES 111u // with the final NUL

struct consensus;

// ---- members ----

enum consensus_role {
  CONSENSUS_LEARNER = 1, // receives the log, has no vote (dissertation 4.2.1)
  CONSENSUS_VOTER = 2,
};

struct consensus_member {
  uint64_t id; // never 0
  uint8_t role;
  char address[CONSENSUS_ADDRESS_BYTES]; // opaque here; unique in a membership
};

/// Who belongs to the group. Value type; members in ascending order of id.
struct consensus_membership {
  uint64_t index; // of the entry that made it; 0: it has none yet
  uint32_t count;
  struct consensus_member members[CONSENSUS_MEMBERS_MAX];
};

/// The payload of a membership entry and the inverse. Format: docs/formats/log.md. `to` has room for
/// CONSENSUS_MEMBERSHIP_BYTES_MAX. Decoding checks everything: ERR_CORRUPT.
#define CONSENSUS_MEMBERSHIP_BYTES_MAX (16u + CONSENSUS_MEMBERS_MAX * 120u)
size_t consensus_membership_encode(const struct consensus_membership *m, uint8_t to[CONSENSUS_MEMBERSHIP_BYTES_MAX]);
enum err consensus_membership_decode(const uint8_t *from, size_t bytes, struct consensus_membership *ret,
                                     struct error *e) NODISCARD;

/// NULL if there is none of that id.
const struct consensus_member *consensus_membership_find(const struct consensus_membership *m, uint64_t id);
uint32_t consensus_membership_voters(const struct consensus_membership *m);

// ---- entries and messages ----

enum consensus_entry_kind {
  CONSENSUS_NOOP = 1, // a leader's first (guard G3)
  CONSENSUS_DATA = 2, // whatever the host replicates
  CONSENSUS_MEMBERSHIP = 3,
};

struct consensus_entry {
  uint64_t index, term;
  enum consensus_entry_kind kind;
  const struct consensus_membership *membership; // of a membership entry, else NULL
  void *user; // the host's: the entry's body. NULL for entries that are made here (no-op, membership)
};

enum consensus_message_type {
  CONSENSUS_APPEND = 1, // AppendEntries (figure 3.1); also the heartbeat
  CONSENSUS_APPEND_RESULT,
  CONSENSUS_VOTE, // RequestVote (figure 3.1), also pre-vote (9.6)
  CONSENSUS_VOTE_RESULT,
  CONSENSUS_INSTALL,     // InstallSnapshot (figure 5.3): metadata alone; the data comes by store copy
  CONSENSUS_TIMEOUT_NOW, // leadership transfer (3.10)
  CONSENSUS_READ_PROBE,  // is the sender still the leader of this term? (6.4)
  CONSENSUS_READ_PROBE_RESULT,
  CONSENSUS_ACKNOWLEDGED, // what the addressee has acknowledged to the leader of this term (guard G20)
  CONSENSUS_MESSAGE_TYPE_MAX
};

/// One message, from or to `peer`. Value type but for `entries` and `membership`, which belong to whoever made the message.
struct consensus_message {
  enum consensus_message_type type;
  uint64_t peer; // the sender of a received one, the addressee of one to send
  uint64_t term; // the sender's
  union {
    struct {
      uint64_t previous_index, previous_term, commit_index;
      uint32_t count;                        // entries previous_index + 1 ...; 0: heartbeat or probe
      const struct consensus_entry *entries; // received ones; NULL in an outgoing message: the host reads them from its log
    } append;
    struct {
      uint64_t rejected;   // the index that did not match, 0: accepted
      uint64_t last_index; // accepted: durable up to here; rejected: a hint where to go on
    } append_result;
    struct {
      uint64_t last_index, last_term;
      bool pre_vote, disrupt_leader;
    } vote;
    struct {
      bool granted, pre_vote;
    } vote_result;
    struct {
      uint64_t last_index, last_term;
      const struct consensus_membership *membership; // as of last_index, with its own index
      uint64_t copied_index, copied_term;            // of a received one, by the host: what its store has applied last
    } install;
    struct {
      uint64_t last_index, last_term;
    } timeout_now;
    struct {
      uint64_t nonce;
    } read_probe;
    struct {
      uint64_t nonce;
      bool confirmed;
    } read_probe_result;
    struct {
      uint64_t last_index, last_term; // term 0: the leader does not know it any more
    } acknowledged;
  };
};

// ---- starting ----

/// Entries from `first_index` on have `term`, up to the next run.
struct consensus_term_run {
  uint64_t first_index, term;
};

struct consensus_options {
  uint32_t election_timeout_ms;  // 0: 1000. Randomised up to twice this
  uint32_t heartbeat_ms;         // 0: 100. Must exceed a round trip with a sync
  uint32_t install_timeout_ms;   // 0: as election_timeout_ms. What is sent again is a word; a copy takes its own time (guard G18)
  uint32_t inflight_entries_max; // 0: 4096 entries without an answer for each follower; at most 2^20
  uint64_t group;                // the same on all members of a group, another in each: in what order they stand (consensus_lost)
};

/// What this member knows from its disk. Pointers need to live during consensus_start only.
struct consensus_persisted {
  uint64_t member_id;
  uint64_t term, vote;                                    // vote 0: none
  uint64_t snapshot_index, snapshot_term;                 // the log below may be gone; 0, 0: it begins at 1
  const struct consensus_membership *snapshot_membership; // in force at snapshot_index; NULL when that is 0
  uint64_t first_index, last_index; // of the log on disk; empty: last_index = first_index - 1. first_index <= snapshot_index + 1
  const struct consensus_term_run *runs; // cover first_index..last_index
  size_t run_count;
  const struct consensus_membership *memberships; // of every membership entry in the log, ascending
  size_t membership_count;
  uint64_t applied_index; // snapshot_index..last_index, known to be committed. Of a store that is newer than its log: last_index
};

/// A group that has never run begins with a log of one membership entry at index 1, term 1, equal on all voters, and term 1.
/// `seed` feeds election timeouts only. ERR_INVALID: the state contradicts itself (says how). On success a first update is due:
/// consensus_update.
enum err consensus_start(const struct consensus_persisted *state, const struct consensus_options *options, uint64_t now_ms,
                         uint64_t seed, struct consensus **ret, struct error *e) NODISCARD;
/// NULL is fine.
void consensus_free(struct consensus *c);

// ---- updates ----

enum consensus_write_kind {
  CONSENSUS_WRITE_ENTRIES = 1, // voids what the log holds from first_index on, then appends
  CONSENSUS_WRITE_INSTALL,     // the whole log gives way to the store, which has applied (index, term)
};

/// One thing to put into the log's queue. Completed in order by consensus_persisted(id).
struct consensus_write {
  uint64_t id; // rises by one
  enum consensus_write_kind kind;
  uint64_t first_index;
  const struct consensus_entry *entries;
  size_t count;
  // CONSENSUS_WRITE_INSTALL:
  uint64_t snapshot_index, snapshot_term;
  const struct consensus_membership *membership;
};

enum consensus_state { CONSENSUS_FOLLOWER, CONSENSUS_CANDIDATE, CONSENSUS_LEADER };

/// A linearizable read may be answered from a state that has applied `index`; or, `failed`, must be asked for again elsewhere.
struct consensus_read_result {
  uint64_t read_id, index;
  bool failed;
};

struct consensus_update {
  bool hard_state_changed;
  uint64_t term, vote;
  const struct consensus_write *writes;
  size_t write_count;
  const struct consensus_message *messages;
  size_t message_count;
  const struct consensus_read_result *reads;
  size_t read_count;
  uint64_t copy_index, copy_term; // the log cannot bring this member up to date: it needs a store that has applied that; 0: no
  enum consensus_state state;
  uint64_t leader;       // member id, 0: not known
  uint64_t commit_index; // never falls (guard G10)
  uint64_t apply_index;  // min(commit index, what is durable here), never falls
  uint64_t wake_ms;      // consensus_tick is due then
};

/// What the last successful call left to do. The same update until the next call that takes an event (a refused one takes none);
/// memory is the group's, also of the entries and memberships that it names.
const struct consensus_update *consensus_update(const struct consensus *c);

// ---- events ----

/// A message that came over the network, complete and checked for form. Entries of an append must stay until the writes that
/// name them are persisted or superseded. Never trusted: what makes no sense is ignored or answered, not fatal. ERR_CORRUPT with
/// `lost_index` in the status: this member does not have what it has acknowledged, so its data are older than its vote (guard G20);
/// with them it must never be started again as this member.
enum err consensus_receive(struct consensus *c, uint64_t now_ms, const struct consensus_message *m, struct error *e) NODISCARD;

/// Time has passed. Due at `wake_ms`; harmless at any other time.
enum err consensus_tick(struct consensus *c, uint64_t now_ms, struct error *e) NODISCARD;

/// The connection with `member_id` was closed, as by the end of its process: nothing that it sent is still on its way. A follower
/// notices the end of its leader at once, not by an election timeout of silence: it votes for who asks (4.2.3 is about who hears
/// a leader), and asks itself, in pre-vote (9.6), half a heartbeat later, the next member another half, in an order that all know
/// (`group`); an entry of the leader's, which has a new connection, undoes that. Where only this member lost the leader, the
/// others go on to deny it their votes, and nobody's term rises. Nothing happens if it is not the leader.
enum err consensus_lost(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) NODISCARD;

/// The write `id`, and all before it, is durable. Writes superseded by a later truncation are reported too (guard G11).
enum err consensus_persisted(struct consensus *c, uint64_t now_ms, uint64_t id, struct error *e) NODISCARD;

/// The host has applied everything up to `index` (<= apply_index).
enum err consensus_applied(struct consensus *c, uint64_t now_ms, uint64_t index, struct error *e) NODISCARD;

/// Proposes `count` entries (kind CONSENSUS_DATA; index and term are filled in). Their fate is whether (index, term) is in the
/// committed log; nothing is proposed twice (contract 14). `term` is the one in which the caller began; in another one, or when
/// this member does not lead or has not applied its own no-op yet: ERR_NOT_LEADER, not fatal. ERR_INVALID: not data, or none; not
/// fatal.
enum err consensus_propose(struct consensus *c, uint64_t now_ms, uint64_t term, struct consensus_entry *entries, size_t count,
                           struct error *e) NODISCARD;

/// Proposes a membership that differs from the one in force by one member added as learner, promoted, demoted or removed
/// (dissertation 4.1; guards G3, G6). ERR_NOT_LEADER; ERR_BUSY: a change is under way, or not every voter of the new membership
/// (where a vote is taken away: not every one that answers) has the last one and this leader's no-op yet: try again later;
/// ERR_INVALID: not such a change, the leader itself, a promotion of a learner that has not caught up (consensus_catch_up), or
/// the last but one voter. None is fatal.
enum err consensus_change(struct consensus *c, uint64_t now_ms, const struct consensus_membership *to, struct error *e) NODISCARD;

/// Starts measuring whether a learner keeps up, in rounds (dissertation 4.2.1). ERR_NOT_LEADER, ERR_BUSY, ERR_INVALID; none is
/// fatal.
enum err consensus_catch_up(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) NODISCARD;

enum consensus_catch_up_state {
  CONSENSUS_CATCH_UP_NONE,
  CONSENSUS_CATCH_UP_RUNNING,
  CONSENSUS_CATCH_UP_ABORTED,
  CONSENSUS_CATCH_UP_FINISHED
};

/// Hands leadership to `member_id` (0: the most advanced voter that answers): dissertation 3.10. ERR_NOT_LEADER, ERR_BUSY,
/// ERR_INVALID; none is fatal.
enum err consensus_transfer(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) NODISCARD;

/// Asks for a linearizable read (6.4): `read_id` comes back in some update's `reads`, or failed when leadership is lost or no
/// majority confirms it within an election timeout. Reads that wait share one round. ERR_NOT_LEADER; ERR_BUSY: too many wait.
/// None is fatal.
enum err consensus_read(struct consensus *c, uint64_t now_ms, uint64_t read_id, struct error *e) NODISCARD;

/// The store holds everything up to `index` durably: the log may forget up to index - trailing. At most min(applied, durable);
/// not while an install or a truncation is queued (guard G13). ERR_INVALID (above that), ERR_BUSY; none is fatal. `trailing` is
/// raised to twice the entries in flight (G5). `*ret_first` is the first index that followers may still ask for: the log must
/// keep it.
enum err consensus_compact(struct consensus *c, uint64_t now_ms, uint64_t index, uint64_t trailing, uint64_t *ret_first,
                           struct error *e) NODISCARD;

// ---- looking ----

struct consensus_progress {
  uint64_t member_id, match_index; // leader only; 0 where nothing is known
  enum consensus_catch_up_state catch_up;
};

struct consensus_status {
  uint64_t member_id, term, vote, leader, transferee;
  enum consensus_state state;
  enum consensus_role role; // 0: not in the membership in force
  bool open;                // leads and has applied its own no-op: may propose
  bool change_under_way;
  uint64_t noop_index; // of this leadership, 0 otherwise
  uint64_t first_index, last_index, durable_index, commit_index, applied_index, snapshot_index;
  uint64_t conflict_index; // the last committed entry that a message contradicted; 0: none. Some member has lost data: an alarm
  uint64_t lost_index; // an entry that this member has acknowledged and does not have, which has closed the group; 0: none
  uint32_t progress_count;
  struct consensus_progress progress[CONSENSUS_MEMBERS_MAX];
};
void consensus_status(const struct consensus *c, struct consensus_status *ret);
/// The membership in force: the last one in the log, committed or not (dissertation 4.1).
void consensus_membership(const struct consensus *c, struct consensus_membership *ret);
/// ERR_NOTFOUND: not in the retained log.
enum err consensus_term_at(const struct consensus *c, uint64_t index, uint64_t *ret, struct error *e) NODISCARD;
/// ERR_OK, or why the group is closed.
enum err consensus_failure(const struct consensus *c, struct error *e);
