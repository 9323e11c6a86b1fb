// One public call makes one update, whatever number of the engine's steps it took. Order is kept by adding only at the ends: all
// writes in the order in which the engine asked for them; messages behind the last hard state, which is at least as strong as the
// one they were made under (a vote of an older term is never given again once a newer term is durable).
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "consensus/mutate.h"

enum err array_grow(void *items, size_t *capacity, size_t count, size_t item_bytes, struct error *e) {
  if (count < *capacity) return ERR_OK;
  size_t wanted = *capacity == 0 ? 8 : 2 * *capacity;
  void *old, *grown;
  memcpy(&old, items, sizeof old);
  grown = mem_realloc(old, wanted * item_bytes);
  if (grown == NULL) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  memcpy(items, &grown, sizeof grown);
  *capacity = wanted;
  return ERR_OK;
}

enum err usable(const struct consensus *c, struct error *e) {
  return c->failed == ERR_OK ? ERR_OK : consensus_failure(c, e);
}

/// Their entries are blocks of their own, so that a growing list does not move them.
static void writes_clear(struct consensus *c) {
  for (size_t i = 0; i < c->write_count; i++) mem_free((void *) c->writes[i].entries);
  c->write_count = 0;
}

void update_begin(struct consensus *c, uint64_t now_ms) {
  c->now_ms = MAX(c->now_ms, now_ms);
  writes_clear(c);
  c->message_count = 0;
  c->result_count = 0;
  c->update.hard_state_changed = false;
  c->update.copy_index = c->update.copy_term = 0;
}

void update_done(struct consensus *c) {
  writes_clear(c);
  mem_free(c->writes);
  mem_free(c->messages);
  mem_free(c->results);
}

// ---- what is added ----

enum err update_send(struct consensus *c, const struct consensus_message *m, struct error *e) {
  TRY(array_grow(&c->messages, &c->message_capacity, c->message_count, sizeof *c->messages, e));
  c->messages[c->message_count++] = *m;
  return ERR_OK;
}

enum err update_read_result(struct consensus *c, uint64_t read_id, uint64_t index, bool failed, struct error *e) {
  TRY(array_grow(&c->results, &c->result_capacity, c->result_count, sizeof *c->results, e));
  c->results[c->result_count++] = (struct consensus_read_result){.read_id = read_id, .index = index, .failed = failed};
  return ERR_OK;
}

/// Puts a write into the update and into the queue of what is not durable yet.
static enum err add_write(struct consensus *c, struct consensus_write *w, uint64_t last_index, bool cuts, struct error *e) {
  TRY(array_grow(&c->writes, &c->write_capacity, c->write_count, sizeof *c->writes, e));
  w->id = c->next_write_id;
  TRY(queue_push(c,
                 &(struct pending_write){
                     .id = w->id, .kind = w->kind, .first_index = w->first_index, .last_index = last_index, .cuts = cuts},
                 e));
  c->next_write_id++;
  c->writes[c->write_count++] = *w;
  return ERR_OK;
}

/// What the engine asks for must continue the log and leave the committed part alone. The library's own assertions on that are
/// not compiled into the packaged one; a failure here closes the group before anything of it is on disk (G12).
static enum err entries_check(const struct consensus *c, const struct engine_output *out, struct error *e) {
  uint64_t first = out->first_index;
  if (MUTANT(raft_engine_check)) return ERR_OK;
  if (first < c->terms.first_index || first > c->terms.last_index + 1 || first <= c->commit_index || c->installing) {
    return error_set(e, ERR_INTERNAL, "the Raft engine writes at %llu into a log %llu..%llu that is committed up to %llu%s",
                     (unsigned long long) first, (unsigned long long) c->terms.first_index,
                     (unsigned long long) c->terms.last_index, (unsigned long long) c->commit_index,
                     c->installing ? " and being replaced" : "");
  }
  uint64_t term = terms_at(&c->terms, first - 1);
  for (size_t i = 0; i < out->entry_count; i++) {
    if (out->entries[i].term < term || out->entries[i].term > engine_term(c->engine)) {
      return error_set(e, ERR_INTERNAL, "the Raft engine writes an entry of term %llu behind term %llu, in term %llu",
                       (unsigned long long) out->entries[i].term, (unsigned long long) term,
                       (unsigned long long) engine_term(c->engine));
    }
    term = out->entries[i].term;
  }
  return ERR_OK;
}

/// Cuts what we know of the log at `first` (figure 3.1, AppendEntries 3). A membership that goes is rolled back (4.1).
static void cut(struct consensus *c, uint64_t first) {
  terms_truncate(&c->terms, first);
  if (!MUTANT(raft_rollback)) memberships_truncate(&c->memberships, first);
  c->durable_index = MIN(c->durable_index, first - 1);
}

/// One entry more in our picture of the log. A membership is in force from here on (4.1).
static enum err append(struct consensus *c, struct consensus_entry *entry, struct error *e) {
  if (terms_append(&c->terms, entry->term) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  if (entry->kind != CONSENSUS_MEMBERSHIP) return ERR_OK;
  if (memberships_add(&c->memberships, entry->membership) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  entry->membership = memberships_last(&c->memberships);
  return ERR_OK;
}

/// The engine appends, behind a cut where the log conflicts (figure 3.1, AppendEntries 3 and 4).
static enum err absorb_entries(struct consensus *c, const struct engine_output *out, struct error *e) {
  TRY(entries_check(c, out, e));
  struct consensus_entry *entries = mem_alloc(out->entry_count * sizeof *entries);
  if (entries == NULL) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  memcpy(entries, out->entries, out->entry_count * sizeof *entries);
  bool cuts = out->first_index <= c->terms.last_index;
  cut(c, out->first_index);
  enum err err = ERR_OK;
  for (size_t i = 0; i < out->entry_count && err == ERR_OK; i++) {
    entries[i].index = out->first_index + i;
    err = append(c, &entries[i], e);
  }
  struct consensus_write w = {
      .kind = CONSENSUS_WRITE_ENTRIES, .first_index = out->first_index, .entries = entries, .count = out->entry_count};
  if (err == ERR_OK) err = add_write(c, &w, c->terms.last_index, cuts, e);
  if (err != ERR_OK) mem_free(entries);
  return err;
}

/// The log gives way to a snapshot (figure 5.3). Nothing is applied until it is there (G10).
static enum err absorb_install(struct consensus *c, const struct consensus_message *m, struct error *e) {
  c->installing = true;
  c->installing_membership = *m->install.membership;
  terms_restart(&c->terms, m->install.last_index, m->install.last_term);
  memberships_truncate(&c->memberships, 0);
  if (memberships_add(&c->memberships, &c->installing_membership) != ERR_OK) {
    return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  }
  struct consensus_write w = {.kind = CONSENSUS_WRITE_INSTALL,
                              .first_index = m->install.last_index,
                              .snapshot_index = m->install.last_index,
                              .snapshot_term = m->install.last_term,
                              .membership = &c->installing_membership};
  return add_write(c, &w, m->install.last_index, true, e);
}

enum err update_absorb(struct consensus *c, const struct engine_output *out, const struct consensus_message *received,
                       struct error *e) {
  if (out->hard_state_changed && !MUTANT(raft_hard_state)) c->update.hard_state_changed = true;
  if (out->entry_count > 0) TRY(absorb_entries(c, out, e));
  if (out->install) TRY(absorb_install(c, received, e));
  // The engine's own may fall (D8): min(leader's commit, last new entry) of a message that came late.
  uint64_t committed = engine_commit_index(c->engine);
  c->commit_index = MUTANT(raft_commit_falls) ? committed : MAX(c->commit_index, committed);
  mutate_commit(c, received);
  for (size_t i = 0; i < out->message_count; i++) {
    struct consensus_message m = out->messages[i];
    if (outgoing_correct(c, &m)) TRY(update_send(c, &m, e));
  }
  return out->entry_count > 0 || out->install ? mutate_written(c, e) : ERR_OK;
}

// ---- the whole ----

/// G10: what is committed and durable here, and not while the store is being replaced.
static uint64_t apply_index(const struct consensus *c) {
  if (c->installing && !MUTANT(raft_apply_installing)) return c->apply_index;
  if (MUTANT(raft_apply_undurable)) return MAX(c->apply_index, c->commit_index);
  return MAX(c->apply_index, MIN(c->commit_index, c->durable_index));
}

/// When the engine, a campaign or a read wants its turn.
static uint64_t wake_ms(const struct consensus *c) {
  uint64_t due = MIN(MIN(engine_timeout_ms(c->engine), campaign_wake_ms(c)), reads_wake_ms(c));
  return MAX(due, c->now_ms + 1); // the engine's may lie in the past (D14)
}

/// The places in order: a failure is ours or the engine's, and nobody may act on it (G12).
static enum err invariants_check(const struct consensus *c, struct error *e) {
  bool log = c->terms.first_index <= c->terms.last_index + 1 && (c->installing || c->durable_index <= c->terms.last_index);
  bool committed = c->commit_index <= c->terms.last_index || c->installing;
  bool applied = c->applied_index <= c->apply_index && c->apply_index <= c->commit_index;
  if ((log && committed && applied) || MUTANT(raft_engine_check)) return ERR_OK;
  return error_set(e, ERR_INTERNAL,
                   "the Raft group's places contradict each other: log %llu..%llu, durable %llu, committed %llu, "
                   "to apply %llu, applied %llu",
                   (unsigned long long) c->terms.first_index, (unsigned long long) c->terms.last_index,
                   (unsigned long long) c->durable_index, (unsigned long long) c->commit_index,
                   (unsigned long long) c->apply_index, (unsigned long long) c->applied_index);
}

/// What follows from whatever happened.
static enum err settle(struct consensus *c, struct error *e) {
  TRY(leader_settle(c, e));
  TRY(committed_settle(c, e));
  if (!is_leader(c)) leader_forget(c); // a committed membership may have ended it
  c->apply_index = apply_index(c);
  TRY(reads_settle(c, e));
  return invariants_check(c, e);
}

/// Nothing of the update that failed is carried out.
static void close_group(struct consensus *c, enum err err) {
  c->failed = err;
  update_begin(c, c->now_ms);
  c->update = (struct consensus_update){.wake_ms = UINT64_MAX};
}

enum err update_finish(struct consensus *c, enum err err, struct error *e) {
  if (err == ERR_OK) err = settle(c, &c->failure);
  if (err != ERR_OK) {
    close_group(c, err);
    return consensus_failure(c, e);
  }
  c->update.term = engine_term(c->engine);
  c->update.vote = engine_vote(c->engine);
  c->update.writes = c->writes;
  c->update.write_count = c->write_count;
  c->update.messages = c->messages;
  c->update.message_count = c->message_count;
  c->update.reads = c->results;
  c->update.read_count = c->result_count;
  c->update.state = engine_state(c->engine);
  c->update.leader = engine_leader(c->engine);
  c->update.commit_index = c->commit_index;
  c->update.apply_index = c->apply_index;
  c->update.wake_ms = wake_ms(c);
  return ERR_OK;
}

const struct consensus_update *consensus_update(const struct consensus *c) {
  return &c->update;
}
