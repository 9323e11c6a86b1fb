// The Raft engine in our own types: one event in, what it led to out. No rule of ours is in here, only the engine's own rules of
// memory. The guards stand above; what they keep away from the engine is said at each function.
//
// Everything that the engine allocates is known here: an engine that ran out of memory half way is freed piece by piece, never
// closed by its own code. Errors: ERR_NOMEM and ERR_INTERNAL leave the engine unusable but for engine_free; others are refusals
// that changed nothing.
#pragma once

#include "consensus/consensus.h"

struct engine;

struct engine_options {
  uint64_t member_id, seed;
  uint32_t election_timeout_ms, heartbeat_ms, install_timeout_ms, inflight_entries_max;
};

/// What one event led to. Valid until the next event.
struct engine_output {
  bool hard_state_changed; // engine_term, engine_vote

  uint64_t first_index;                  // of `entries`: the log is cut there, then they are appended
  const struct consensus_entry *entries; // part of the array that came in, or the engine's own no-op; index not filled in
  size_t entry_count;

  bool install;                             // the snapshot of the message that came in is wanted
  const struct consensus_message *messages; // `install.membership` is not filled in
  size_t message_count;
};

enum err engine_create(const struct engine_options *o, struct engine **ret, struct error *e) NODISCARD;
void engine_free(struct engine *g);

// ---- events. `now_ms` never falls ----

/// The first event. `state` has been checked.
enum err engine_start(struct engine *g, uint64_t now_ms, const struct consensus_persisted *state, struct engine_output *out,
                      struct error *e) NODISCARD;
/// Any message but a read probe and its result. Has been checked (message_ok); of an append at most the first entry is a
/// membership.
enum err engine_receive(struct engine *g, uint64_t now_ms, const struct consensus_message *m, struct engine_output *out,
                        struct error *e) NODISCARD;
/// Only when engine_timeout_ms has come: a leader takes it for a round of heartbeats without an answer.
enum err engine_tick(struct engine *g, uint64_t now_ms, struct engine_output *out, struct error *e) NODISCARD;
/// As follower or candidate: engine_timeout_ms comes now.
void engine_run_out(struct engine *g, uint64_t now_ms);
/// ERR_NOT_LEADER, ERR_BUSY. A membership goes alone.
enum err engine_submit(struct engine *g, uint64_t now_ms, const struct consensus_entry *entries, size_t count,
                       struct engine_output *out, struct error *e) NODISCARD;
/// Above what was told last, below any cut since.
enum err engine_persisted(struct engine *g, uint64_t now_ms, uint64_t index, struct engine_output *out,
                          struct error *e) NODISCARD;
enum err engine_installed(struct engine *g, uint64_t now_ms, uint64_t index, uint64_t term, const struct consensus_membership *m,
                          struct engine_output *out, struct error *e) NODISCARD;
/// The membership of that index is committed.
enum err engine_committed(struct engine *g, uint64_t now_ms, const struct consensus_membership *m, struct engine_output *out,
                          struct error *e) NODISCARD;
/// `index` is in the log and above the last one; `trailing` fits into 32 bits.
enum err engine_compacted(struct engine *g, uint64_t now_ms, uint64_t index, uint64_t term, const struct consensus_membership *m,
                          uint64_t trailing, struct engine_output *out, struct error *e) NODISCARD;
/// As leader, of a learner, while no catch-up runs.
enum err engine_catch_up(struct engine *g, uint64_t now_ms, uint64_t member_id, struct engine_output *out,
                         struct error *e) NODISCARD;
/// ERR_NOT_LEADER, ERR_INVALID.
enum err engine_transfer(struct engine *g, uint64_t now_ms, uint64_t member_id, struct engine_output *out,
                         struct error *e) NODISCARD;

// ---- looking ----

uint64_t engine_term(const struct engine *g);
uint64_t engine_vote(const struct engine *g);
uint64_t engine_commit_index(const struct engine *g);
enum consensus_state engine_state(const struct engine *g);
bool engine_in_pre_vote(const struct engine *g);
uint64_t engine_leader(const struct engine *g);
uint64_t engine_timeout_ms(const struct engine *g);
/// Of the membership entry that is in force without being known as committed, or 0.
uint64_t engine_uncommitted_change(const struct engine *g);
/// As leader; else 0.
uint64_t engine_match_index(const struct engine *g, uint64_t member_id);
uint64_t engine_transferee(const struct engine *g);
/// The learner that is being caught up, or 0.
uint64_t engine_catching_up(const struct engine *g);
enum consensus_catch_up_state engine_catch_up_state(const struct engine *g, uint64_t member_id);
