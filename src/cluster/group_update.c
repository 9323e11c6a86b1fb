// Carries out what consensus decided, in its order: hard state, writes, messages.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/group_int.h"

enum err group_fail(struct group *g, enum err err, struct error *e) {
  if (g->failed == ERR_OK) {
    g->failed = err;
    error_set(&g->failure, err, "The group is closed on this member: %s",
              e != NULL && e->message[0] != '\0' ? e->message : err_text(err));
  }
  return error_set(e, g->failed, "%s", g->failure.message);
}

// ---- 1. hard state ----

static void put_members(struct log_group_state *to, const struct consensus_membership *m) {
  to->membership_index = m->index;
  to->member_count = m->count;
  for (uint32_t i = 0; i < m->count; i++) {
    to->members[i].id = m->members[i].id;
    to->members[i].role = m->members[i].role;
    memcpy(to->members[i].address, m->members[i].address, sizeof to->members[i].address);
  }
}

struct vote {
  uint64_t term, vote;
};

static bool change_vote(struct log_group_state *state, const void *context) {
  const struct vote *v = context;
  state->term = v->term;
  state->vote = v->vote;
  return true;
}

enum err group_save_vote(struct group *g, uint64_t term, uint64_t vote, struct error *e) {
  struct vote v = {term, vote};
  g->saves++;
  return log_group_change(g->log, change_vote, &v, e);
}

struct snapshot {
  const struct consensus_membership *membership;
  uint64_t index, term;
};

/// What is forgotten may have been decided before a newer snapshot came.
static bool change_snapshot(struct log_group_state *state, const void *context) {
  const struct snapshot *s = context;
  if (s->index <= state->snapshot_index) return false;
  state->snapshot_index = s->index;
  state->snapshot_term = s->term;
  put_members(state, s->membership);
  return true;
}

enum err group_log_save_snapshot(struct log *l, const struct consensus_membership *m, uint64_t index, uint64_t term,
                                 struct error *e) {
  struct snapshot s = {m, index, term};
  return log_group_change(l, change_snapshot, &s, e);
}

enum err group_save_snapshot(struct group *g, const struct consensus_membership *m, uint64_t index, uint64_t term,
                             struct error *e) {
  g->saves++;
  TRY(group_log_save_snapshot(g->log, m, index, term, e));
  g->snapshot_index = index;
  g->snapshot_term = term;
  return ERR_OK;
}

static bool change_installing(struct log_group_state *state, const void *context) {
  state->installing = *(const bool *) context;
  return true;
}

enum err group_save_installing(struct group *g, bool installing, struct error *e) {
  g->saves++;
  TRY(log_group_change(g->log, change_installing, &installing, e));
  g->installing = installing;
  return ERR_OK;
}

bool group_wants_save(const struct group *g) {
  return g->saving.state == SAVE_WANTED;
}

void group_save(struct group *g) {
  struct group_saving *s = &g->saving;
  if (s->state != SAVE_WANTED && !MUTANT(group_save_again)) return;
  struct vote v = {s->term, s->vote};
  s->error = (struct error) ERROR_INIT;
  s->err = MUTANT(group_hard_state) ? ERR_OK : log_group_change(g->log, change_vote, &v, &s->error);
  s->state = SAVE_DONE;
}

static void ask_save(struct group *g, const struct consensus_update *u) {
  g->saves++;
  g->saving.term = u->term;
  g->saving.vote = u->vote;
  g->saving.since_ms = g->owner_ms;
  g->saving.state = SAVE_WANTED;
}

static bool is_saved_elsewhere(const struct group *g, const struct consensus_update *u) {
  return u->hard_state_changed && g->options.saves_elsewhere;
}

static enum err save_hard_state(struct group *g, const struct consensus_update *u, struct error *e) {
  if (!u->hard_state_changed || g->options.saves_elsewhere || MUTANT(group_hard_state)) return ERR_OK;
  enum err err = group_save_vote(g, u->term, u->vote, e);
  return MUTANT(group_failed_save) ? ERR_OK : err;
}

// ---- 2. writes ----

struct group_write *group_first_write(struct group *g) {
  return g->write_count > 0 ? &g->writes[g->write_first] : NULL;
}

static void write_done(struct group_write *w) {
  for (size_t i = 0; i < w->count; i++) group_body_unref(w->bodies[i]);
  mem_free(w->bodies);
  mem_free(w->membership);
}

void group_drop_write(struct group *g) {
  struct group_write *w = group_first_write(g);
  g->queued_bytes -= w->bytes;
  write_done(w);
  g->write_first = --g->write_count > 0 ? g->write_first + 1 : 0;
}

static enum err reserve_write(struct group *g, struct error *e) {
  if (g->write_first + g->write_count < g->write_capacity) return ERR_OK;
  if (g->write_first > g->write_capacity / 2) {
    memmove(g->writes, g->writes + g->write_first, g->write_count * sizeof *g->writes);
    g->write_first = 0;
    return ERR_OK;
  }
  size_t larger = g->write_capacity * 2 + 8;
  struct group_write *grown = mem_realloc(g->writes, larger * sizeof *grown);
  if (grown == NULL) return error_ensure(e, ERR_NOMEM);
  g->writes = grown;
  g->write_capacity = larger;
  return ERR_OK;
}

// Never less than any entry's before: neither after the clock was set back nor under a new leader whose clock is behind.
int64_t group_commit_time_ns(struct group *g) {
  int64_t now_ns = clock_wall_ns(g->options.clock);
  if (MUTANT(group_commit_time)) return now_ns;
  g->last_time_ns = MAX(now_ns, g->last_time_ns);
  return g->last_time_ns;
}

// An entry that consensus made itself: a new leader's first, or a membership.
static enum err make_body(struct group *g, const struct consensus_entry *from, struct group_body **ret, struct error *e) {
  uint8_t payload[CONSENSUS_MEMBERSHIP_BYTES_MAX];
  struct log_entry entry = {.index = from->index,
                            .term = from->term,
                            .kind = from->kind == CONSENSUS_NOOP ? LOG_NOOP : LOG_MEMBERSHIP,
                            .parts = LOG_END,
                            .commit_time_ns = group_commit_time_ns(g),
                            .origin_member = g->member_id};
  if (from->kind == CONSENSUS_MEMBERSHIP)
    entry.payload = (struct str){(const char *) payload, consensus_membership_encode(from->membership, payload)};
  return group_body_copy(&entry, ret, e);
}

static enum err take_body(struct group *g, const struct consensus_entry *from, struct group_body **ret, struct error *e) {
  struct group_body *b = from->user;
  if (b == NULL) return make_body(g, from, ret, e);
  if (b->entry.index == 0) { // proposed here
    b->entry.index = from->index;
    b->entry.term = from->term;
  }
  if (b->entry.index != from->index || b->entry.term != from->term || group_body_kind(b) != from->kind)
    return error_set(e, ERR_INTERNAL, "Consensus gives entry %llu of term %llu back as %llu of term %llu.",
                     (unsigned long long) b->entry.index, (unsigned long long) b->entry.term, (unsigned long long) from->index,
                     (unsigned long long) from->term);
  b->refs++;
  g->last_time_ns = MAX(g->last_time_ns, b->entry.commit_time_ns);
  *ret = b;
  return ERR_OK;
}

static enum err take_bodies(struct group *g, const struct consensus_write *from, struct group_write *w, struct error *e) {
  w->bodies = mem_alloc(MAX(from->count, 1u) * sizeof(struct group_body *));
  if (w->bodies == NULL) return error_ensure(e, ERR_NOMEM);
  for (; w->count < from->count; w->count++) {
    if (from->entries[w->count].index != from->first_index + w->count)
      return error_set(e, ERR_INTERNAL, "Consensus wants entries written that do not follow each other.");
    TRY(take_body(g, &from->entries[w->count], &w->bodies[w->count], e));
    w->bytes += w->bodies[w->count]->bytes;
  }
  return ERR_OK;
}

static enum err enter_tail(struct group *g, const struct group_write *w, struct error *e) {
  struct group_tail *t = &g->tail;
  if (w->first_index > t->first + t->count)
    return error_set(e, ERR_INTERNAL, "Consensus wants entry %llu written behind entry %llu.",
                     (unsigned long long) w->first_index, (unsigned long long) (t->first + t->count - 1));
  if (w->first_index < t->first + t->count) g->truncations++;
  group_tail_cut(t, w->first_index);
  for (size_t i = 0; i < w->count; i++)
    if (group_tail_push(t, w->bodies[i]) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  return ERR_OK;
}

static enum err take_install(struct group *g, const struct consensus_write *from, struct group_write *w, struct error *e) {
  w->snapshot_index = from->snapshot_index;
  w->snapshot_term = from->snapshot_term;
  w->membership = mem_alloc(sizeof *w->membership);
  if (w->membership == NULL) return error_ensure(e, ERR_NOMEM);
  *w->membership = *from->membership;
  group_tail_reset(&g->tail, from->snapshot_index + 1);
  return ERR_OK;
}

static enum err take_write(struct group *g, const struct consensus_write *from, struct error *e) {
  struct group_write w = {.id = from->id, .since_ms = g->now_ms, .kind = from->kind, .first_index = from->first_index};
  TRY(reserve_write(g, e));
  enum err err = from->kind == CONSENSUS_WRITE_INSTALL ? take_install(g, from, &w, e) : take_bodies(g, from, &w, e);
  if (err == ERR_OK && from->kind == CONSENSUS_WRITE_ENTRIES) err = enter_tail(g, &w, e);
  if (err != ERR_OK) {
    write_done(&w);
    return err;
  }
  g->writes[g->write_first + g->write_count++] = w;
  g->queued_bytes += w.bytes;
  return ERR_OK;
}

static enum err append_write(struct group *g, struct group_write *w, struct error *e) {
  if (w->count == 0) return log_truncate(g->log, w->first_index - 1, e);
  struct log_entry *entries = mem_alloc(w->count * sizeof *entries);
  if (entries == NULL) return error_ensure(e, ERR_NOMEM);
  for (size_t i = 0; i < w->count; i++) entries[i] = w->bodies[i]->entry;
  enum err err = log_append(g->log, entries, w->count, e);
  mem_free(entries);
  return err;
}

// Behind an install nothing is queued: the log is about to be begun anew.
enum err group_queue_writes(struct group *g, struct error *e) {
  for (size_t i = 0; i < g->write_count; i++) {
    struct group_write *w = &g->writes[g->write_first + i];
    if (w->kind == CONSENSUS_WRITE_INSTALL) break;
    if (w->queued) continue;
    enum err err = append_write(g, w, e);
    if (err == ERR_LIMIT) break; // when the writer has made room
    if (err != ERR_OK) return err;
    w->queued = true;
    w->ticket = log_last_ticket(g->log);
  }
  return ERR_OK;
}

// ---- all of it ----

static void note_leader(struct group *g, const struct consensus_update *u) {
  g->term = u->term;
  g->state = u->state;
  g->leader = u->leader;
  g->commit_index = u->commit_index;
  g->apply_index = u->apply_index;
  g->wake_ms = u->wake_ms;
}

static enum err send_all(struct group *g, const struct consensus_update *u, struct error *e) {
  for (size_t i = 0; i < u->message_count; i++) TRY(group_send_message(g, &u->messages[i], e));
  return ERR_OK;
}

// What is in the hands of whoever called consensus: entries are the caller's to free.
static enum err take_writes(struct group *g, const struct consensus_update *u, struct error *e) {
  for (size_t i = 0; i < u->write_count; i++) TRY(take_write(g, &u->writes[i], e));
  return ERR_OK;
}

static enum err carry_out_rest(struct group *g, const struct consensus_update *u, struct error *e) {
  note_leader(g, u);
  if (!MUTANT(group_messages_first)) TRY(save_hard_state(g, u, e));
  TRY(group_queue_writes(g, e));
  log_commit_mark(g->log, u->apply_index);
  TRY(send_all(g, u, e));
  if (g->state == CONSENSUS_LEADER) group_send_committed(g);
  if (MUTANT(group_messages_first)) TRY(save_hard_state(g, u, e));
  if (u->copy_index != 0) TRY(group_ask_copy(g, u->copy_index, u->copy_term, e));
  struct group_application *a = g->options.application;
  for (size_t i = 0; i < u->read_count; i++) a->read(a, u->reads[i].read_id, u->reads[i].index, u->reads[i].failed);
  return ERR_OK;
}

// `saved`: of the first update the writes were taken and the hard state was saved.
static enum err carry_out(struct group *g, bool saved, struct error *e) {
  for (bool more = true; more; saved = false) {
    const struct consensus_update *u = consensus_update(g->consensus);
    if (!saved) {
      TRY(take_writes(g, u, e));
      if (is_saved_elsewhere(g, u)) {
        ask_save(g, u);
        return MUTANT(group_messages_first) ? send_all(g, u, e) : ERR_OK;
      }
    }
    TRY(carry_out_rest(g, u, e));
    TRY(group_install(g, &more, e));
  }
  return ERR_OK;
}

enum err group_carry_out(struct group *g, struct error *e) {
  enum err err = carry_out(g, false, e);
  return err == ERR_OK ? ERR_OK : group_fail(g, err, e);
}

enum err group_carry_out_saved(struct group *g, struct error *e) {
  enum err err = carry_out(g, true, e);
  return err == ERR_OK ? ERR_OK : group_fail(g, err, e);
}
