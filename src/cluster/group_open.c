// The beginning of a group, and starting a member from what is on its disk.
#include <string.h>

#include "base/mem.h"
#include "cluster/group_int.h"

// ---- a new group ----

static enum err write_all(struct log *l, struct error *e) {
  for (bool worked = true; worked;) TRY(log_writer_step(l, &worked, e));
  return ERR_OK;
}

// The member id goes last: with it the beginning is complete.
static enum err save_member(struct log *l, uint64_t member_id, uint64_t term, struct error *e) {
  struct log_group_state state;
  log_group_state(l, &state);
  state.member_id = member_id;
  state.term = term;
  return log_group_save(l, &state, e);
}

enum err group_begin_empty(struct log *l, uint64_t member_id, struct error *e) {
  return save_member(l, member_id, 0, e);
}

enum err group_begin(struct log *l, uint64_t member_id, const struct consensus_membership *m, struct error *e) {
  uint8_t payload[CONSENSUS_MEMBERSHIP_BYTES_MAX];
  if (m->index != 1) return error_set(e, ERR_INVALID, "The first membership is entry 1.");
  struct log_entry entry = {.index = 1,
                            .term = 1,
                            .kind = LOG_MEMBERSHIP,
                            .parts = LOG_END,
                            .payload = {(const char *) payload, consensus_membership_encode(m, payload)}};
  TRY(log_append(l, &entry, 1, e));
  TRY(write_all(l, e));
  return save_member(l, member_id, 1, e);
}

// ---- what the disk says ----

struct found {
  struct log_group_state state;
  struct consensus_term_run *runs;
  size_t run_count, run_capacity;
  struct consensus_membership *memberships; // of entries in the log
  size_t membership_count, membership_capacity;
  struct consensus_membership snapshot_membership;
};

static void found_free(struct found *f) {
  if (f == NULL) return;
  mem_free(f->runs);
  mem_free(f->memberships);
  mem_free(f);
}

static enum err grow(void **data, size_t count, size_t *capacity, size_t size, struct error *e) {
  if (count < *capacity) return ERR_OK;
  size_t larger = *capacity * 2 + 8;
  void *grown = mem_realloc(*data, larger * size);
  if (grown == NULL) return error_ensure(e, ERR_NOMEM);
  *data = grown;
  *capacity = larger;
  return ERR_OK;
}

static enum err note_entry(struct found *f, const struct log_entry *entry, struct error *e) {
  if (f->run_count == 0 || f->runs[f->run_count - 1].term != entry->term) {
    TRY(grow((void **) &f->runs, f->run_count, &f->run_capacity, sizeof *f->runs, e));
    f->runs[f->run_count++] = (struct consensus_term_run){entry->index, entry->term};
  }
  if (entry->kind != LOG_MEMBERSHIP) return ERR_OK;
  TRY(grow((void **) &f->memberships, f->membership_count, &f->membership_capacity, sizeof *f->memberships, e));
  TRY(consensus_membership_decode((const uint8_t *) entry->payload.ptr, entry->payload.len, &f->memberships[f->membership_count],
                                  e));
  f->membership_count++;
  return ERR_OK;
}

static enum err scan_log(struct log *l, struct found *f, struct error *e) {
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(l, log_first_index(l), &c, e));
  enum err err = log_cursor_next(c, &entry, e);
  while (err == ERR_OK && entry != NULL) {
    err = note_entry(f, entry, e);
    if (err == ERR_OK) err = log_cursor_next(c, &entry, e);
  }
  log_cursor_close(c);
  return err;
}

static enum err missing(const struct log *l, uint64_t index, const char *who, struct error *e) {
  struct log_recovery r;
  log_recovery(l, &r);
  return error_set(
      e, ERR_CORRUPT,
      "The log holds entries %llu to %llu, and not entry %llu, which %s: a durable part is missing. Restore this member "
      "from another one.",
      (unsigned long long) r.first_index, (unsigned long long) r.last_index, (unsigned long long) index, who);
}

// The group state names a place where the log may begin. While a store is being copied, a log that does not get there, or has
// another entry there, is the one of the store before: a crash came before it was begun anew. At any other time it has lost
// something.
static enum err reach_snapshot(struct log *l, const struct log_group_state *s, struct error *e) {
  uint64_t term = 0;
  if (s->snapshot_index + 1 < log_first_index(l))
    return error_set(e, ERR_CORRUPT, "The log begins at entry %llu; the group state knows what is below only up to entry %llu.",
                     (unsigned long long) log_first_index(l), (unsigned long long) s->snapshot_index);
  if (s->snapshot_index == 0) return ERR_OK;
  if (log_term_at(l, s->snapshot_index, &term, NULL) == ERR_OK && term == s->snapshot_term) return ERR_OK;
  if (!s->installing) return missing(l, s->snapshot_index, "the group state knows", e);
  return log_reset(l, s->snapshot_index, s->snapshot_term, e);
}

static void get_members(const struct log_group_state *s, struct consensus_membership *to) {
  to->index = s->membership_index;
  to->count = s->member_count;
  for (uint32_t i = 0; i < s->member_count; i++) {
    to->members[i].id = s->members[i].id;
    to->members[i].role = s->members[i].role;
    memcpy(to->members[i].address, s->members[i].address, sizeof to->members[i].address);
  }
}

static enum err look(struct log *l, struct found *f, struct error *e) {
  log_group_state(l, &f->state);
  if (f->state.member_id == 0) return error_set(e, ERR_INVALID, "The log does not belong to a member of a group.");
  TRY(reach_snapshot(l, &f->state, e));
  get_members(&f->state, &f->snapshot_membership);
  return scan_log(l, f, e);
}

// What is known to be committed: the application's state, whose last entry the log has. Only while a store is being copied may it
// be ahead of the log, or beside it, and then says nothing about what the log has: the log's own mark does.
static enum err find_committed(struct group *g, const struct found *f, uint64_t *ret, struct error *e) {
  struct group_applied applied = g->options.application->applied(g->options.application);
  uint64_t term = 0, mark = MIN(applied.index, log_commit_index(g->log));
  bool in_log = log_term_at(g->log, applied.index, &term, NULL) == ERR_OK && term == applied.term;
  if (MUTANT(group_trust_applied)) in_log = applied.index <= log_durable_index(g->log);
  if (applied.index < f->state.snapshot_index)
    return error_set(e, ERR_CORRUPT, "The store ends at entry %llu; the log has forgotten what is below entry %llu.",
                     (unsigned long long) applied.index, (unsigned long long) f->state.snapshot_index);
  if (!in_log && !f->state.installing) return missing(g->log, applied.index, "the store has applied", e);
  *ret = MAX(in_log ? applied.index : mark, f->state.snapshot_index);
  return ERR_OK;
}

static enum err note_memberships(struct group *g, const struct found *f, struct error *e) {
  if (f->state.snapshot_index > 0) TRY(group_note_membership(g, &f->snapshot_membership, e));
  for (size_t i = 0; i < f->membership_count && f->memberships[i].index <= g->passed_index; i++)
    TRY(group_note_membership(g, &f->memberships[i], e));
  if (g->membership_count > 0)
    g->options.application->membership(g->options.application, &g->memberships[g->membership_count - 1]);
  return ERR_OK;
}

static enum err start(struct group *g, const struct found *f, struct error *e) {
  uint64_t last = log_durable_index(g->log);
  struct consensus_persisted p = {
      .member_id = f->state.member_id,
      .term = f->state.term,
      .vote = f->state.vote,
      .snapshot_index = f->state.snapshot_index,
      .snapshot_term = f->state.snapshot_term,
      .snapshot_membership = f->state.snapshot_index > 0 ? &f->snapshot_membership : NULL,
      .first_index = log_first_index(g->log),
      .last_index = last,
      .runs = f->runs,
      .run_count = f->run_count,
      .memberships = f->memberships,
      .membership_count = f->membership_count,
  };
  TRY(find_committed(g, f, &p.applied_index, e));
  struct log_recovery recovery;
  log_recovery(g->log, &recovery);
  g->member_id = p.member_id;
  g->snapshot_index = p.snapshot_index;
  g->snapshot_term = p.snapshot_term;
  g->installing = f->state.installing;
  g->last_time_ns = MAX(recovery.last_time_ns, g->options.application->applied(g->options.application).commit_time_ns);
  g->passed_index = g->reported_index = p.applied_index;
  group_tail_reset(&g->tail, last + 1);
  TRY(note_memberships(g, f, e));
  return consensus_start(&p, &g->options.consensus, g->now_ms, g->options.seed, &g->consensus, e);
}

enum err group_recover(struct group *g, struct error *e) {
  struct found *f = mem_zalloc(sizeof *f);
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = look(g->log, f, e);
  if (err == ERR_OK) err = start(g, f, e);
  found_free(f);
  return err;
}
