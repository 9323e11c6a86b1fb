// A group's life and events. Each event: consensus decides, group_carry_out does it.
#include "cluster/group.h"

#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "cluster/group_int.h"

// ---- life ----

static void set_defaults(struct group_options *o) {
  if (o->message_bytes_max == 0) o->message_bytes_max = 256u << 10;
  if (o->tail_bytes_max == 0) o->tail_bytes_max = 16u << 20;
  if (o->queue_bytes_max == 0) o->queue_bytes_max = 32u << 20;
  if (o->send_bytes_step_max == 0) o->send_bytes_step_max = 4u << 20;
  if (o->apply_step_max == 0) o->apply_step_max = 256;
  o->consensus.group = hash64(o->uuid, sizeof o->uuid, 0);
}

enum err group_open(struct log *l, const struct group_options *options, uint64_t now_ms, struct group **ret, struct error *e) {
  struct group *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_ensure(e, ERR_NOMEM);
  g->log = l;
  g->options = *options;
  g->now_ms = g->owner_ms = now_ms;
  set_defaults(&g->options);
  enum err err = group_recover(g, e);
  if (err == ERR_OK) err = group_carry_out(g, e);
  if (err != ERR_OK) {
    group_close(g);
    return err;
  }
  *ret = g;
  return ERR_OK;
}

void group_close(struct group *g) {
  if (g == NULL) return;
  group_reader_close(&g->sending);
  group_reader_close(&g->applying);
  while (g->write_count > 0) group_drop_write(g);
  group_tail_reset(&g->tail, 1);
  consensus_free(g->consensus);
  mem_free(g->tail.slots);
  mem_free(g->writes);
  mem_free(g->memberships);
  mem_free(g->outgoing);
  mem_free(g->outgoing_bodies);
  mem_free(g);
}

void group_end(struct group *g, const struct error *why) {
  struct error e = *why;
  (void) group_fail(g, why->code, &e);
}

enum err group_failure(const struct group *g, struct error *e) {
  return g->failed == ERR_OK ? ERR_OK : error_set(e, g->failed, "%s", g->failure.message);
}

// ---- events ----

static bool is_saving(const struct group *g) {
  return g->saving.state != SAVE_NONE && !MUTANT(group_save_alone);
}

/// Time of the group: it never falls, and stands still until the owner's time is further ahead than what was waited. Who leads
/// waits for nobody.
static void take_time(struct group *g, uint64_t now_ms) {
  g->owner_ms = MAX(g->owner_ms, now_ms);
  if (is_saving(g) && !MUTANT(group_save_time)) return;
  if (g->state == CONSENSUS_LEADER) g->waited_ms = MIN(g->waited_ms, g->owner_ms - g->now_ms);
  if (g->owner_ms > g->waited_ms) g->now_ms = MAX(g->now_ms, g->owner_ms - g->waited_ms);
}

// Every call begins here: a closed group stays closed, and time does not fall.
static enum err begin(struct group *g, uint64_t now_ms, struct error *e) {
  take_time(g, now_ms);
  TRY(group_failure(g, e));
  enum err err = log_failure(g->log, e);
  return err == ERR_OK ? ERR_OK : group_fail(g, err, e);
}

// An event that consensus cannot refuse.
static enum err finish(struct group *g, enum err err, struct error *e) {
  return err == ERR_OK ? group_carry_out(g, e) : group_fail(g, err, e);
}

static enum err begin_request(struct group *g, uint64_t now_ms, enum err busy, struct error *e) {
  TRY(begin(g, now_ms, e));
  return is_saving(g) ? error_set(e, busy, "This member saves a new term or vote.") : ERR_OK;
}

// One that it may refuse without harm.
static enum err finish_request(struct group *g, enum err err, struct error *e) {
  if (err != ERR_OK && consensus_failure(g->consensus, NULL) == ERR_OK && err != ERR_NOMEM) return err;
  return finish(g, err, e);
}

// ---- receiving ----

static void free_entries(struct consensus_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++) group_body_unref(entries[i].user);
  mem_free(entries);
}

static enum err copy_entries(const struct log_entry *from, size_t count, struct consensus_entry **ret, struct error *e) {
  struct consensus_entry *entries = mem_zalloc(MAX(count, 1u) * sizeof *entries);
  if (entries == NULL) return error_ensure(e, ERR_NOMEM);
  for (size_t i = 0; i < count; i++) {
    struct group_body *b = NULL;
    enum err err = group_body_copy(&from[i], &b, e);
    if (err != ERR_OK) {
      free_entries(entries, i);
      return err;
    }
    entries[i] = (struct consensus_entry){from[i].index, from[i].term, group_body_kind(b), b->membership, b};
  }
  *ret = entries;
  return ERR_OK;
}

static enum err receive_append(struct group *g, const struct message *m, struct error *e) {
  struct consensus_message body = m->body;
  struct consensus_entry *entries = NULL;
  if (body.append.count > 0 && g->queued_bytes > g->options.queue_bytes_max)
    return ERR_OK; // as good as lost: the leader sends it again
  enum err err = copy_entries(m->entries, body.append.count, &entries, e);
  if (err == ERR_CORRUPT) return ERR_OK; // a membership that is none: not a message that makes sense
  if (err != ERR_OK) return group_fail(g, err, e);
  body.append.entries = entries;
  err = finish(g, consensus_receive(g->consensus, g->now_ms, &body, e), e);
  free_entries(entries, body.append.count);
  return err;
}

static enum err receive_install(struct group *g, const struct message *m, struct error *e) {
  struct consensus_message body = m->body;
  struct group_applied applied = g->options.application->applied(g->options.application);
  body.install.copied_index = applied.index;
  body.install.copied_term = applied.term;
  return finish(g, consensus_receive(g->consensus, g->now_ms, &body, e), e);
}

enum err group_receive(struct group *g, uint64_t now_ms, const struct message *m, struct error *e) {
  TRY(begin(g, now_ms, e));
  if (is_saving(g)) return ERR_OK; // as good as lost
  if (m->to != g->member_id || m->from == g->member_id || memcmp(m->group, g->options.uuid, sizeof m->group) != 0) return ERR_OK;
  if (m->from == g->leader) g->leader_heard_ms = g->owner_ms;
  if (m->body.type == CONSENSUS_APPEND) return receive_append(g, m, e);
  if (m->body.type == CONSENSUS_INSTALL) return receive_install(g, m, e);
  if (m->body.type == CONSENSUS_APPEND_RESULT && m->body.append_result.rejected > 0) group_send_refused(g, m->from);
  return finish(g, consensus_receive(g->consensus, g->now_ms, &m->body, e), e);
}

enum err group_lost(struct group *g, uint64_t now_ms, uint64_t member, struct error *e) {
  TRY(begin(g, now_ms, e));
  g->saving.lost = is_saving(g) && !MUTANT(group_save_lost) ? member : 0;
  return is_saving(g) ? ERR_OK : finish(g, consensus_lost(g->consensus, g->now_ms, member, e), e);
}

// ---- requests ----

static enum err propose(struct group *g, uint64_t term, struct log_entry *entries, size_t count, struct error *e) {
  struct consensus_entry *proposed = NULL;
  if (g->queued_bytes > g->options.queue_bytes_max)
    return error_set(e, ERR_LIMIT, "%zu bytes wait for the disk of this member.", g->queued_bytes);
  int64_t now_ns = group_commit_time_ns(g);
  for (size_t i = 0; i < count; i++) {
    entries[i].index = 0; // consensus says
    entries[i].term = 0;
    entries[i].commit_time_ns = now_ns;
  }
  TRY(copy_entries(entries, count, &proposed, e));
  enum err err = finish_request(g, consensus_propose(g->consensus, g->now_ms, term, proposed, count, e), e);
  for (size_t i = 0; i < count; i++) {
    entries[i].index = proposed[i].index;
    entries[i].term = proposed[i].term;
  }
  free_entries(proposed, count);
  return err;
}

enum err group_propose(struct group *g, uint64_t now_ms, uint64_t term, struct log_entry *entries, size_t count,
                       struct error *e) {
  TRY(begin_request(g, now_ms, ERR_LIMIT, e));
  if (count == 0) return error_set(e, ERR_INVALID, "Nothing was proposed.");
  for (size_t i = 0; i < count; i++)
    if (entries[i].kind == LOG_NOOP || entries[i].kind == LOG_MEMBERSHIP)
      return error_set(e, ERR_INVALID, "Entries of kind %d are made by consensus alone.", (int) entries[i].kind);
  return propose(g, term, entries, count, e);
}

enum err group_change(struct group *g, uint64_t now_ms, const struct consensus_membership *to, struct error *e) {
  TRY(begin_request(g, now_ms, ERR_BUSY, e));
  return finish_request(g, consensus_change(g->consensus, g->now_ms, to, e), e);
}

enum err group_catch_up(struct group *g, uint64_t now_ms, uint64_t member_id, struct error *e) {
  TRY(begin_request(g, now_ms, ERR_BUSY, e));
  return finish_request(g, consensus_catch_up(g->consensus, g->now_ms, member_id, e), e);
}

enum err group_transfer(struct group *g, uint64_t now_ms, uint64_t member_id, struct error *e) {
  TRY(begin_request(g, now_ms, ERR_BUSY, e));
  return finish_request(g, consensus_transfer(g->consensus, g->now_ms, member_id, e), e);
}

enum err group_read(struct group *g, uint64_t now_ms, uint64_t read_id, struct error *e) {
  TRY(begin_request(g, now_ms, ERR_BUSY, e));
  return finish_request(g, consensus_read(g->consensus, g->now_ms, read_id, e), e);
}

enum err group_forget_begin(struct group *g, uint64_t now_ms, uint64_t index, uint64_t trailing, struct group_forgetting *ret,
                            struct error *e) {
  TRY(begin_request(g, now_ms, ERR_BUSY, e));
  return group_compact(g, MIN(index, g->reported_index), trailing, ret, e);
}

enum err group_checkpointed(struct group *g, uint64_t now_ms, uint64_t index, uint64_t trailing, struct error *e) {
  struct group_forgetting f;
  bool more;
  TRY(group_forget_begin(g, now_ms, index, trailing, &f, e));
  enum err err = group_forget(g->log, &f, &more, e);
  return err == ERR_OK ? ERR_OK : group_fail(g, err, e);
}

// ---- stepping ----

// Reports in the order of the queue: an index alone would not say which of several entries of that index is durable.
static bool is_durable(struct group *g, const struct group_write *w) {
  if (w->kind == CONSENSUS_WRITE_INSTALL) return false; // group_install does it
  if (MUTANT(group_persist_early)) return true;
  if (MUTANT(group_persist_index)) return w->queued && log_durable_index(g->log) >= w->first_index + w->count - 1;
  return w->queued && w->ticket <= log_durable_ticket(g->log);
}

/// Until it is durable.
static void note_write(struct group *g, const struct group_write *w) {
  if (g->now_ms - g->write_since_ms >= GROUP_LATELY_MS) {
    g->write_before_ms = g->write_ms;
    g->write_since_ms = g->now_ms;
    g->write_ms = 0;
  }
  g->write_ms = MAX(g->write_ms, g->now_ms - w->since_ms);
}

static enum err report_durable(struct group *g, struct error *e) {
  for (struct group_write *w = group_first_write(g); w != NULL && is_durable(g, w) && !is_saving(g); w = group_first_write(g)) {
    uint64_t id = w->id;
    note_write(g, w);
    group_drop_write(g);
    TRY(finish(g, consensus_persisted(g->consensus, g->now_ms, id, e), e));
  }
  return ERR_OK;
}

/// The others may be able to go on where this member's disk is full or does not answer: what is written on them does not wait for
/// it any more. Commits that wait here, for this member's log, go on waiting. A disk of which each sync takes half a second takes
/// some seconds for a round that begins new segments.
static enum err leave_if_stalled(struct group *g, struct error *e) {
  const struct group_write *oldest = group_first_write(g);
  uint64_t slowest_ms = MUTANT(group_slow_disk) ? 0 : MAX(g->write_ms, g->write_before_ms);
  uint64_t stalled_ms = MAX(GROUP_STALLED_MS, GROUP_STALLED_TIMES * slowest_ms);
  if (g->state != CONSENSUS_LEADER || oldest == NULL || MUTANT(group_stalled)) return ERR_OK;
  if (g->now_ms < MAX(oldest->since_ms, g->handed_on_ms) + stalled_ms) return ERR_OK;
  g->handed_on_ms = g->now_ms;
  event_raise(g->options.events, EVENT_WARN, "cluster.group.stalled",
              "the disk has taken nothing for %llu ms: leadership is handed on, if another member answers",
              (unsigned long long) (g->now_ms - oldest->since_ms));
  enum err refused = finish_request(g, consensus_transfer(g->consensus, g->now_ms, 0, e), e);
  return refused == ERR_OK ? ERR_OK : group_failure(g, e);
}

static void trim_tail(struct group *g) {
  struct group_tail *t = &g->tail;
  if (t->bytes <= g->options.tail_bytes_max) return;
  uint64_t settled = t->first + t->count;
  for (size_t i = 0; i < g->write_count; i++) settled = MIN(settled, g->writes[g->write_first + i].first_index);
  if (MUTANT(group_tail_trim)) settled = t->first + t->count;
  while (t->bytes > g->options.tail_bytes_max && t->first < settled) group_tail_drop(t, t->first + 1);
}

/// What was saved is told, and time goes on: as much later as that took. Whoever is asked for a vote now has to save it, and its
/// disk may be no quicker; an election must not be over before that.
static enum err go_on(struct group *g, struct error *e) {
  struct group_saving *s = &g->saving;
  if (s->state != SAVE_DONE) return ERR_OK;
  s->state = SAVE_NONE;
  if (s->err != ERR_OK && !MUTANT(group_failed_save)) {
    if (e != NULL) *e = s->error;
    return group_fail(g, s->err, e);
  }
  if (!MUTANT(group_save_time)) g->waited_ms += 2 * (g->owner_ms - s->since_ms);
  TRY(group_carry_out_saved(g, e));
  uint64_t lost = s->lost;
  s->lost = 0;
  return lost != 0 && !is_saving(g) ? finish(g, consensus_lost(g->consensus, g->now_ms, lost, e), e) : ERR_OK;
}

/// Each of these may lead to a new term, with which the group stands still.
static enum err ask_consensus(struct group *g, bool *ret_more, struct error *e) {
  TRY(report_durable(g, e));
  if (is_saving(g)) return ERR_OK;
  enum err err = group_queue_writes(g, e);
  if (err != ERR_OK) return group_fail(g, err, e);
  if (g->now_ms >= g->wake_ms) TRY(finish(g, consensus_tick(g->consensus, g->now_ms, e), e));
  if (!is_saving(g)) TRY(leave_if_stalled(g, e));
  return is_saving(g) ? ERR_OK : group_apply(g, ret_more, e);
}

enum err group_step(struct group *g, uint64_t now_ms, bool *ret_more, struct error *e) {
  bool more = false;
  TRY(begin(g, now_ms, e));
  TRY(go_on(g, e));
  if (!is_saving(g)) TRY(ask_consensus(g, &more, e));
  *ret_more = more;
  if (is_saving(g)) return ERR_OK;
  enum err err = group_send_waiting(g, ret_more, e);
  if (err != ERR_OK) return group_fail(g, err, e);
  trim_tail(g);
  return ERR_OK;
}

static uint64_t network_wake_ms(const struct group *g) {
  uint64_t wake_ms = UINT64_MAX;
  for (uint32_t i = 0; i < g->peer_count; i++)
    if (g->peers[i].next <= g->peers[i].last) wake_ms = MIN(wake_ms, MAX(g->peers[i].retry_ms, g->now_ms));
  return wake_ms;
}

uint64_t group_wake_ms(const struct group *g) {
  uint64_t wake_ms = MIN(g->wake_ms, network_wake_ms(g));
  if (is_saving(g)) return g->saving.state == SAVE_DONE ? g->owner_ms : UINT64_MAX;
  if (g->passed_index < g->apply_index && !group_is_installing(g)) wake_ms = MIN(wake_ms, MAX(g->busy_ms, g->now_ms));
  return wake_ms == UINT64_MAX ? UINT64_MAX : wake_ms + g->waited_ms;
}

// ---- looking ----

void group_stats(const struct group *g, struct group_stats *ret) {
  *ret = (struct group_stats){.state = g->state,
                              .term = g->term,
                              .leader = g->leader,
                              .commit_index = g->commit_index,
                              .apply_index = g->apply_index,
                              .handed_index = g->passed_index,
                              .queued_bytes = g->queued_bytes,
                              .tail_bytes = g->tail.bytes,
                              .tail_entries = g->tail.count,
                              .tail_bytes_max = g->options.tail_bytes_max,
                              .writes_pending = g->write_count,
                              .appends_sent = g->appends_sent,
                              .entries_sent = g->entries_sent,
                              .entries_read = g->entries_read,
                              .truncations = g->truncations,
                              .installs = g->installs,
                              .saves = g->saves,
                              .installing = g->copy_index > g->passed_index || group_is_installing(g),
                              .leader_heard_ms = g->leader_heard_ms};
}

void group_status(const struct group *g, struct consensus_status *ret) {
  consensus_status(g->consensus, ret);
}

void group_membership(const struct group *g, struct consensus_membership *ret) {
  consensus_membership(g->consensus, ret);
}

enum err group_term_at(const struct group *g, uint64_t index, uint64_t *ret, struct error *e) {
  return consensus_term_at(g->consensus, index, ret, e);
}
