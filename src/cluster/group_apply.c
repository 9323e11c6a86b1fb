// Committed entries to the application; installs.
#include <string.h>

#include "base/mem.h"
#include "cluster/group_int.h"

// ---- memberships that applied entries brought ----

enum err group_note_membership(struct group *g, const struct consensus_membership *m, struct error *e) {
  if (g->membership_count > 0 && g->memberships[g->membership_count - 1].index >= m->index) return ERR_OK;
  if (g->membership_count == g->membership_capacity) {
    size_t larger = g->membership_capacity * 2 + 2;
    struct consensus_membership *grown = mem_realloc(g->memberships, larger * sizeof *grown);
    if (grown == NULL) return error_ensure(e, ERR_NOMEM);
    g->memberships = grown;
    g->membership_capacity = larger;
  }
  g->memberships[g->membership_count++] = *m;
  return ERR_OK;
}

// ---- applying ----

static enum err entry_at(struct group *g, uint64_t index, const struct log_entry **ret, struct error *e) {
  const struct group_body *b = group_tail_get(&g->tail, index);
  if (b == NULL) return group_read_entry(g, &g->applying, index, ret, e);
  *ret = &b->entry;
  return ERR_OK;
}

static enum err pass_membership(struct group *g, const struct log_entry *entry, struct error *e) {
  if (entry->kind != LOG_MEMBERSHIP) return ERR_OK;
  struct consensus_membership *m = mem_alloc(sizeof *m);
  if (m == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = consensus_membership_decode((const uint8_t *) entry->payload.ptr, entry->payload.len, m, e);
  if (err == ERR_OK) err = group_note_membership(g, m, e);
  if (err == ERR_OK) g->options.application->membership(g->options.application, m);
  mem_free(m);
  return err;
}

// What the application has already (a copy newer than the log) is passed by.
static enum err pass_entry(struct group *g, uint64_t applied, struct error *e) {
  const struct log_entry *entry = NULL;
  TRY(entry_at(g, g->passed_index + 1, &entry, e));
  if (entry->index > applied || MUTANT(group_apply_again)) TRY(g->options.application->apply(g->options.application, entry, e));
  TRY(pass_membership(g, entry, e));
  g->passed_index++;
  return ERR_OK;
}

bool group_is_installing(const struct group *g) {
  for (size_t i = 0; i < g->write_count; i++)
    if (g->writes[g->write_first + i].kind == CONSENSUS_WRITE_INSTALL) return true;
  return false;
}

static enum err report_applied(struct group *g, struct error *e) {
  uint64_t index = MIN(g->options.application->applied(g->options.application).index, g->passed_index);
  if (index <= g->reported_index) return ERR_OK;
  enum err err = consensus_applied(g->consensus, g->now_ms, index, e);
  if (err != ERR_OK) return group_fail(g, err, e);
  g->reported_index = index;
  return group_carry_out(g, e);
}

// While a copy is on its way, the store may be ahead of the log at any moment.
static bool waits_for_copy(const struct group *g, struct group_applied applied) {
  return applied.index < g->copy_index && !MUTANT(group_settle_waiting);
}

// The log has caught up with a copied store when it holds the very entry that the store has applied last: from then on a store
// that is ahead of it would mean that something was lost. A log that is merely as long may be the one of the store before.
static enum err settle_install(struct group *g, struct group_applied applied, struct error *e) {
  uint64_t term = 0;
  if (!g->installing || waits_for_copy(g, applied) || log_term_at(g->log, applied.index, &term, NULL) != ERR_OK) return ERR_OK;
  return term == applied.term || MUTANT(group_settle_early) ? group_save_installing(g, false, e) : ERR_OK;
}

enum err group_apply(struct group *g, bool *ret_more, struct error *e) {
  if (group_is_installing(g)) return ERR_OK;
  struct group_applied applied = g->options.application->applied(g->options.application);
  enum err settled = settle_install(g, applied, e);
  if (settled != ERR_OK) return group_fail(g, settled, e);
  uint64_t limit = MUTANT(group_apply_undurable) ? g->commit_index : g->apply_index;
  enum err err = ERR_OK;
  uint32_t left = g->options.apply_step_max;
  for (; err == ERR_OK && left > 0 && g->passed_index < limit; left--) err = pass_entry(g, applied.index, e);
  if (err != ERR_OK && err != ERR_BUSY) return group_fail(g, err, e);
  g->busy_ms = err == ERR_BUSY ? g->now_ms + GROUP_RETRY_MS : 0;
  if (err == ERR_OK && g->passed_index < limit) *ret_more = true;
  return report_applied(g, e);
}

// ---- installs ----

// The store may be ahead of its log as soon as a copy may take its place: the group state says so before.
enum err group_ask_copy(struct group *g, uint64_t index, uint64_t term, struct error *e) {
  if (!g->installing) TRY(group_save_installing(g, true, e));
  g->copy_index = index;
  g->options.application->install(g->options.application, index, term);
  return ERR_OK;
}

// The group state says first that the log may begin there: a crash in between leaves a log that is begun anew when it is opened.
static enum err begin_log_anew(struct group *g, const struct group_write *w, struct error *e) {
  group_reader_close(&g->sending);
  group_reader_close(&g->applying);
  if (MUTANT(group_reset_first)) TRY(log_reset(g->log, w->snapshot_index, w->snapshot_term, e));
  TRY(group_save_snapshot(g, w->membership, w->snapshot_index, w->snapshot_term, e));
  if (!MUTANT(group_reset_first)) TRY(log_reset(g->log, w->snapshot_index, w->snapshot_term, e));
  g->membership_count = 0;
  TRY(group_note_membership(g, w->membership, e));
  g->options.application->membership(g->options.application, w->membership);
  g->passed_index = g->reported_index = w->snapshot_index;
  g->last_time_ns = MAX(g->last_time_ns, g->options.application->applied(g->options.application).commit_time_ns);
  g->installs++;
  return ERR_OK;
}

// The log gives way when everything before that is durable. The store is new enough by then (guard G18).
enum err group_install(struct group *g, bool *ret_done, struct error *e) {
  const struct group_write *w = group_first_write(g);
  *ret_done = w != NULL && w->kind == CONSENSUS_WRITE_INSTALL &&
              g->options.application->applied(g->options.application).index >= w->snapshot_index;
  if (!*ret_done) return ERR_OK;
  TRY(begin_log_anew(g, w, e));
  uint64_t id = w->id;
  group_drop_write(g);
  return consensus_persisted(g->consensus, g->now_ms, id, e);
}
