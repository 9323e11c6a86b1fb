// The life of a group: start, time, end; and what can be seen of it.
#include "base/mem.h"
#include "consensus/consensus_int.h"

// ---- start ----

/// Defaults, and what cannot work: a heartbeat must come well within an election timeout (9.1).
static enum err options_fill(const struct consensus_options *from, struct consensus_options *to, struct error *e) {
  *to = from != NULL ? *from : (struct consensus_options){0};
  if (to->election_timeout_ms == 0) to->election_timeout_ms = 1000;
  if (to->heartbeat_ms == 0) to->heartbeat_ms = 100;
  if (to->install_timeout_ms == 0) to->install_timeout_ms = to->election_timeout_ms;
  if (to->inflight_entries_max == 0) to->inflight_entries_max = 4096;
  if (to->heartbeat_ms >= to->election_timeout_ms || to->election_timeout_ms > UINT32_MAX / 4) {
    return error_set(e, ERR_INVALID, "an election timeout of %u ms does not go with a heartbeat each %u ms",
                     to->election_timeout_ms, to->heartbeat_ms);
  }
  if (to->inflight_entries_max > APPEND_ENTRIES_MAX) {
    return error_set(e, ERR_INVALID, "at most %u entries can be in flight, not %u", APPEND_ENTRIES_MAX, to->inflight_entries_max);
  }
  return ERR_OK;
}

/// The log's shape and memberships, as they are on the disk.
static enum err log_load(struct consensus *c, const struct consensus_persisted *s, struct error *e) {
  terms_init(&c->terms, s->first_index, s->snapshot_index, s->snapshot_term);
  bool full = false;
  for (size_t i = 0; i < s->run_count && !full; i++) {
    uint64_t next = i + 1 < s->run_count ? s->runs[i + 1].first_index : s->last_index + 1;
    full = terms_append(&c->terms, s->runs[i].term) != ERR_OK;
    c->terms.last_index = next - 1;
  }
  if (s->snapshot_index != 0) full = full || memberships_add(&c->memberships, s->snapshot_membership) != ERR_OK;
  for (size_t i = 0; i < s->membership_count && !full; i++) {
    if (s->memberships[i].index > memberships_last(&c->memberships)->index) {
      full = memberships_add(&c->memberships, &s->memberships[i]) != ERR_OK;
    }
  }
  return full ? error_set(e, ERR_NOMEM, "no memory for a Raft group") : ERR_OK;
}

/// G4: a sole voter is made leader by the start, so it starts in a new term that it has voted for itself in.
static void sole_voter_state(struct consensus *c, struct consensus_persisted *s) {
  if (!is_sole_voter(c) || MUTANT(raft_sole_voter_term)) return;
  s->term++;
  s->vote = c->member_id;
  c->update.hard_state_changed = true;
}

/// Everything begins as a follower (3.3), but for a sole voter.
static enum err engine_begin(struct consensus *c, const struct consensus_persisted *state, uint64_t seed, struct error *e) {
  struct engine_options o = {.member_id = c->member_id,
                             .seed = seed,
                             .election_timeout_ms = c->options.election_timeout_ms,
                             .heartbeat_ms = c->options.heartbeat_ms,
                             .install_timeout_ms = c->options.install_timeout_ms,
                             .inflight_entries_max = c->options.inflight_entries_max};
  TRY(engine_create(&o, &c->engine, e));
  struct consensus_persisted s = *state;
  sole_voter_state(c, &s);
  struct engine_output out;
  TRY(engine_start(c->engine, c->now_ms, &s, &out, e));
  return update_absorb(c, &out, NULL, e);
}

/// What is applied is committed, and so is every membership but the last.
static enum err begin(struct consensus *c, const struct consensus_persisted *s, uint64_t seed, struct error *e) {
  TRY(log_load(c, s, e));
  c->member_id = s->member_id;
  c->next_write_id = 1;
  c->durable_index = s->last_index;
  c->apply_index = c->applied_index = s->applied_index;
  c->commit_index = MAX(s->applied_index, memberships_last_but_one(&c->memberships));
  return update_finish(c, engine_begin(c, s, seed, &c->failure), e);
}

enum err consensus_start(const struct consensus_persisted *state, const struct consensus_options *options, uint64_t now_ms,
                         uint64_t seed, struct consensus **ret, struct error *e) {
  struct consensus_options o;
  TRY(options_fill(options, &o, e));
  TRY(start_check(state, e));
  struct consensus *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  c->options = o;
  c->now_ms = now_ms;
  enum err err = begin(c, state, seed, e);
  if (err != ERR_OK) {
    consensus_free(c);
    return err;
  }
  *ret = c;
  return ERR_OK;
}

void consensus_free(struct consensus *c) {
  if (c == NULL) return;
  engine_free(c->engine);
  terms_done(&c->terms);
  memberships_done(&c->memberships);
  reads_done(c);
  mem_free(c->queue);
  update_done(c);
  mem_free(c);
}

// ---- time ----

/// The engine gets its timeout only when it is due: a leader counts each as a round of heartbeats, and stops sending ahead to
/// whom it has not heard in between.
static enum err tick(struct consensus *c, struct error *e) {
  if (campaign_is_due(c)) engine_run_out(c->engine, c->now_ms);
  if (c->now_ms < engine_timeout_ms(c->engine)) return ERR_OK;
  c->campaign_ms = 0;
  bool ready;
  TRY(single_voter_prepare(c, &ready, e));
  if (!ready) return ERR_OK;
  struct engine_output out;
  TRY(engine_tick(c->engine, c->now_ms, &out, e));
  return update_absorb(c, &out, NULL, e);
}

enum err consensus_tick(struct consensus *c, uint64_t now_ms, struct error *e) {
  TRY(usable(c, e));
  update_begin(c, now_ms);
  return update_finish(c, tick(c, &c->failure), e);
}

// ---- looking ----

/// Of each member in force, as the leader knows it.
static void progress_fill(const struct consensus *c, const struct consensus_membership *m, struct consensus_status *to) {
  for (uint32_t i = 0; i < m->count; i++) {
    uint64_t id = m->members[i].id;
    to->progress[to->progress_count++] = (struct consensus_progress){
        .member_id = id, .match_index = engine_match_index(c->engine, id), .catch_up = engine_catch_up_state(c->engine, id)};
  }
}

void consensus_status(const struct consensus *c, struct consensus_status *ret) {
  const struct consensus_membership *m = memberships_last(&c->memberships);
  const struct consensus_member *self = consensus_membership_find(m, c->member_id);
  *ret = (struct consensus_status){.member_id = c->member_id,
                                   .first_index = c->terms.first_index,
                                   .last_index = c->terms.last_index,
                                   .durable_index = c->installing ? 0 : c->durable_index,
                                   .commit_index = c->commit_index,
                                   .applied_index = c->applied_index,
                                   .snapshot_index = c->terms.snapshot_index,
                                   .conflict_index = c->conflict_index,
                                   .lost_index = c->lost_index};
  if (self != NULL) ret->role = (enum consensus_role) self->role;
  if (c->failed != ERR_OK) return;
  ret->term = engine_term(c->engine);
  ret->vote = engine_vote(c->engine);
  ret->leader = engine_leader(c->engine);
  ret->transferee = engine_transferee(c->engine);
  ret->state = engine_state(c->engine);
  ret->open = is_open(c);
  ret->change_under_way = engine_uncommitted_change(c->engine) != 0;
  ret->noop_index = c->noop_index;
  progress_fill(c, m, ret);
}

void consensus_membership(const struct consensus *c, struct consensus_membership *ret) {
  *ret = *memberships_last(&c->memberships);
}

enum err consensus_term_at(const struct consensus *c, uint64_t index, uint64_t *ret, struct error *e) {
  uint64_t term = terms_at(&c->terms, index);
  if (term == 0) return error_set(e, ERR_NOTFOUND, "entry %llu is not in the retained log", (unsigned long long) index);
  *ret = term;
  return ERR_OK;
}

enum err consensus_failure(const struct consensus *c, struct error *e) {
  if (c->failed != ERR_OK && e != NULL) *e = c->failure;
  return c->failed;
}
