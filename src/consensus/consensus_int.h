// What the files of consensus share. One group is one `struct consensus`; each file below owns the rules it is named for.
//
// Every public call has the same shape: refusals first (they change nothing, the last update stands), then update_begin, then
// steps of the engine, each followed by update_absorb, then update_finish. What fails behind update_begin closes the group.
#pragma once

#include "base/mutant.h"
#include "consensus/consensus.h"
#include "consensus/engine.h"
#include "consensus/membership.h"
#include "consensus/terms.h"

// A bound on terms and indexes from outside, so that adding to one never wraps.
#define CONSENSUS_INDEX_MAX (UINT64_MAX >> 2)

// An append of more entries is dropped; no leader may have more in flight.
#define APPEND_ENTRIES_MAX (1u << 20)

/// A write that the log's queue holds: handed out, not yet reported durable.
struct pending_write {
  uint64_t id;
  enum consensus_write_kind kind;
  uint64_t first_index, last_index; // of an install: both the snapshot's
  bool cuts;                        // voids entries that were there
};

/// A linearizable read that waits.
struct waiting_read {
  uint64_t id, deadline_ms;
};

/// Read index (dissertation 6.4). The first `in_round` items are being asked for; the others came later and wait for the next
/// round.
struct reads {
  struct waiting_read *items;
  size_t count, capacity, in_round;
  uint64_t nonce; // of the round
  uint64_t index; // that the round's reads need
  uint64_t probe_again_ms;
  uint64_t confirmed[CONSENSUS_MEMBERS_MAX];
  uint32_t confirmed_count;
};

struct consensus {
  struct engine *engine;
  struct consensus_options options; // defaults filled in
  uint64_t member_id;
  uint64_t now_ms;

  // The log as the engine sees it.
  struct terms terms;
  struct memberships memberships;
  uint64_t commit_index, apply_index, applied_index;

  // Towards the disk (persisted.c).
  struct pending_write *queue; // oldest first
  size_t queue_count, queue_capacity;
  uint64_t next_write_id;
  uint64_t durable_index; // of this log: nothing cut since
  bool installing;
  struct consensus_membership installing_membership;

  // The leader of others, and the end of its time (campaign.c).
  uint64_t leader_id, leader_ms; // who was last heard as such, and when
  bool leader_lost;              // its connection was closed since
  uint64_t campaign_ms;          // when to stand before the timeout; 0: not

  // Leadership.
  uint64_t led_term; // leader of this term; 0: not leading
  uint64_t led_since_ms;
  uint64_t noop_index; // the first entry of that term
  struct {
    uint64_t id, ms;              // 0: nobody
  } heard[CONSENSUS_MEMBERS_MAX]; // when a member last answered this leader
  uint64_t own_vote_term;         // sole voter: voted for itself in this term, and has not led it (single_voter.c)

  struct reads reads;
  uint64_t conflict_index, lost_index;

  // The update that is being made, and its memory.
  struct consensus_update update;
  struct consensus_write *writes; // their entries are blocks of their own
  size_t write_count, write_capacity;
  struct consensus_message *messages;
  size_t message_count, message_capacity;
  struct consensus_read_result *results;
  size_t result_count, result_capacity;

  enum err failed; // why the group is closed
  struct error failure;
};

// ---- update.c ----

/// ERR_OK, or what closed the group.
enum err usable(const struct consensus *c, struct error *e) NODISCARD;
/// Forgets the last update. Time never falls.
void update_begin(struct consensus *c, uint64_t now_ms);
/// Takes in what a step of the engine led to. `received`: the message that it took, if any.
enum err update_absorb(struct consensus *c, const struct engine_output *out, const struct consensus_message *received,
                       struct error *e) NODISCARD;
/// What follows from any event: leadership, committed memberships, reads; then the update is whole. Closes the group if `err`,
/// whose text is in c->failure, or anything in here is a failure.
enum err update_finish(struct consensus *c, enum err err, struct error *e) NODISCARD;
enum err update_send(struct consensus *c, const struct consensus_message *m, struct error *e) NODISCARD;
enum err update_read_result(struct consensus *c, uint64_t read_id, uint64_t index, bool failed, struct error *e) NODISCARD;
/// Frees the update's memory.
void update_done(struct consensus *c);
/// Room for one more item in a growing array. ERR_NOMEM.
enum err array_grow(void *items, size_t *capacity, size_t count, size_t item_bytes, struct error *e) NODISCARD;

// ---- start.c ----

enum err start_check(const struct consensus_persisted *s, struct error *e) NODISCARD;

// ---- outgoing.c ----

/// Corrects a message of the engine before it is sent (guards G8, G9). False: it is not for sending.
bool outgoing_correct(const struct consensus *c, struct consensus_message *m);

// ---- leader.c ----

bool is_leader(const struct consensus *c);
/// Leads and has applied its own no-op: contract 14.
bool is_open(const struct consensus *c);
/// After a step: a new leader gets its no-op (G3).
enum err leader_settle(struct consensus *c, struct error *e) NODISCARD;
void leader_forget(struct consensus *c);
/// A member has answered this leader.
void leader_hears(struct consensus *c, uint64_t member_id);
/// It has done so within an election timeout, or may yet: a new leader gives everybody that long. A leader always hears itself.
bool leader_has_heard(const struct consensus *c, uint64_t member_id);

// ---- campaign.c ----

/// A message that only the leader sends.
void campaign_leader_heard(struct consensus *c, uint64_t leader);
/// A follower without a leader, or whose leader is lost, or silent for an election timeout: votes are not denied for its sake.
bool campaign_leader_gone(const struct consensus *c);
void campaign_vote_given(struct consensus *c);
/// `m` asked for the vote.
void campaign_vote_refused(struct consensus *c, const struct consensus_message *m);
/// `m` was an answer to a candidate, which asked for pre-votes until then (`was_pre_vote`) or for votes.
void campaign_answered(struct consensus *c, const struct consensus_message *m, bool was_pre_vote);
/// When to stand before the timeout; UINT64_MAX: not now.
uint64_t campaign_wake_ms(const struct consensus *c);
/// Whether that is now. Who is not ready then waits until all others have had their turn.
bool campaign_is_due(struct consensus *c);

// ---- committed.c ----

/// Tells the engine of memberships that are committed.
enum err committed_settle(struct consensus *c, struct error *e) NODISCARD;
/// The engine is about to learn of a membership entry at `index`: the one before it is committed, as only one is ever under way.
enum err committed_before(struct consensus *c, uint64_t index, struct error *e) NODISCARD;

// ---- persisted.c ----

enum err queue_push(struct consensus *c, const struct pending_write *w, struct error *e) NODISCARD;
/// Entries are durable up to `reached`; the engine is told only what is above what it was told last.
enum err entries_durable(struct consensus *c, uint64_t reached, struct error *e) NODISCARD;
enum err install_durable(struct consensus *c, struct error *e) NODISCARD;
/// A write is queued that replaces what came before.
bool queue_cuts(const struct consensus *c);

// ---- single_voter.c ----

bool is_sole_voter(const struct consensus *c);
/// Whether the engine may have its timeout; a sole voter first votes for itself in a new term (G4).
enum err single_voter_prepare(struct consensus *c, bool *ret_ready, struct error *e) NODISCARD;

// ---- read_index.c ----

enum err reads_settle(struct consensus *c, struct error *e) NODISCARD;
enum err reads_receive_probe(struct consensus *c, const struct consensus_message *m, struct error *e) NODISCARD;
enum err reads_receive_result(struct consensus *c, const struct consensus_message *m, struct error *e) NODISCARD;
/// When a read runs out of time or a probe is due again; UINT64_MAX: never.
uint64_t reads_wake_ms(const struct consensus *c);
void reads_done(struct consensus *c);
