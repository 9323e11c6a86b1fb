// One member: its disk and clock, the log and its writer, the group, and an application that is a chain of hashes.
#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fault.h"
#include "raft_world.h"

uint64_t raft_member_ms(const struct raft_member *m) {
  return m->world->now_us / 1000 + m->clock_offset_ms;
}

bool raft_member_is_leader(const struct raft_member *m) {
  return m->up && m->last.state == CONSENSUS_LEADER && m->paused_us <= m->world->now_us;
}

// ---- the application ----

static struct raft_member *member_of(struct group_application *a) {
  return CONTAINER_OF(a, struct raft_member, app.table);
}

static enum err app_apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
  struct raft_member *m = member_of(a);
  if (raft_fault_chance(m->world, RAFT_busy, 60)) return error_set(e, ERR_BUSY, "The application is busy.");
  raft_check_applied(m, entry);
  return ERR_OK;
}

static struct group_applied app_applied(struct group_application *a) {
  const struct raft_state *s = &member_of(a)->app.visible;
  return (struct group_applied){s->index, s->term, s->commit_time_ns};
}

static void app_install(struct group_application *a, uint64_t index, uint64_t term) {
  struct raft_member *m = member_of(a);
  m->copy_index = index;
  m->copy_term = term;
  if (m->copy_us != 0) return; // on its way
  TRACE(m->world, m->id, "needs a copy of a store at %" PRIu64 "^%" PRIu64, index, term);
  m->copy_us = m->world->now_us + 1000;
}

static void app_membership(struct group_application *a, const struct consensus_membership *membership) {
  struct raft_member *m = member_of(a);
  m->app.membership = *membership;
}

static void app_read(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  raft_check_read(member_of(a), read_id, index, failed);
}

// ---- life ----

void raft_member_init(struct raft_world *w, struct raft_member *m) {
  m->world = w;
  m->id = (uint64_t) (m - w->members);
  m->disk = sim_disk_new(rng_next(&w->rng));
  clock_manual_init(&m->clock, 1000);
  m->network.send = raft_net_send;
  m->app.table = (struct group_application){app_apply, app_applied, app_install, app_membership, app_read};
  m->clock_offset_ms = rng_below(&w->rng, 100000);
  m->crash_in_sends = -1;
}

static void close_member(struct raft_member *m) {
  group_close(m->group);
  log_close(m->log);
  m->group = NULL;
  m->log = NULL;
  m->round_file = NULL;
  m->round_us = m->copy_us = m->wake_us = m->full_us = m->read_us = m->change_us = m->crash_us = m->cut_us = 0;
  m->save_us = m->forget_us = 0;
  m->reads_left = 0;
  m->copy = (struct raft_state){0};
  m->up = false;
}

void raft_member_done(struct raft_member *m) {
  close_member(m);
  sim_disk_free(m->disk);
}

void raft_member_crash(struct raft_member *m, bool kill, const char *why) {
  struct raft_world *w = m->world;
  TRACE(w, m->id, "%s", why);
  close_member(m);
  if (!kill) sim_disk_cut(m->disk);
  if (sim_disk_is_off(m->disk)) sim_disk_power_on(m->disk);
  for (int op = 0; op < SIM_OP_MAX; op++) sim_disk_fail(m->disk, op, -1, ERR_IO);
  sim_disk_cut_after(m->disk, -1);
  for (uint64_t to = 1; to <= RAFT_MEMBERS; to++) {
    buf_clear(&w->outgoing[to]);
    w->outgoing_messages[to] = 0;
  }
  m->fault_armed = m->memory_failed = m->crash_now = false;
  m->crash_in_sends = -1;
  m->crash_why = NULL;
  for (uint64_t to = 1; kill && to <= w->count; to++)
    if (to != m->id) raft_net_close(m, to);
  m->restart_us = w->now_us + 5000 + rng_below(&w->rng, w->healed ? 20000 : 500000);
  m->paused_us = 0;
  if (kill)
    w->counts.kills++;
  else
    w->counts.crashes++;
}

static void first_membership(const struct raft_world *w, struct consensus_membership *m) {
  *m = (struct consensus_membership){.index = 1, .count = w->options.voters};
  for (uint32_t i = 0; i < m->count; i++) {
    m->members[i].id = i + 1;
    m->members[i].role = CONSENSUS_VOTER;
    snprintf(m->members[i].address, sizeof m->members[i].address, "member-%u", i + 1);
  }
}

static enum err make_log(struct raft_member *m, struct error *e) {
  struct consensus_membership first;
  if (m->made) return ERR_OK;
  first_membership(m->world, &first);
  enum err err = m->id <= m->world->options.voters ? group_begin(m->log, m->id, &first, e) : group_begin_empty(m->log, m->id, e);
  m->made = err == ERR_OK;
  return err;
}

static enum err open_member(struct raft_member *m, struct error *e) {
  struct raft_world *w = m->world;
  m->app.state = m->app.visible = m->app.durable;
  m->outstanding_count = 0;
  TRY(log_open(sim_disk_table(m->disk), "db", w->uuid, !m->made, &w->log_options, &m->clock.clock, NULL, &m->log, e));
  TRY(make_log(m, e));
  struct group_options o = w->group_options;
  o.network = &m->network;
  o.application = &m->app.table;
  o.clock = &m->clock.clock;
  o.seed = rng_next(&w->rng);
  return group_open(m->log, &o, raft_member_ms(m), &m->group, e);
}

// An error is the world's own doing if a fault struck in this life; anything else is a bug.
static bool is_explained(const struct raft_member *m, enum err err) {
  if (sim_disk_is_off(m->disk)) return true;
  if (err == ERR_NOMEM) return m->memory_failed;
  return (err == ERR_IO || err == ERR_NOSPC) && m->fault_armed && sim_disk_failed(m->disk);
}

static void die(struct raft_member *m, enum err err, const struct error *e, const char *doing) {
  struct raft_world *w = m->world;
  if (!is_explained(m, err)) {
    raft_fail(w, "member %" PRIu64 ": %s: %s", m->id, doing, e->message);
    return;
  }
  bool off = sim_disk_is_off(m->disk);
  if (!off) w->counts.closed++;
  char why[sizeof e->message];
  snprintf(why, sizeof why, "%s",
           m->crash_why != NULL ? m->crash_why
           : off                ? "power goes within an input or output"
                                : e->message);
  raft_member_crash(m, !off && rng_chance(&w->rng, 1, 2), why);
}

void raft_member_start(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct error e = ERROR_INIT;
  m->restart_us = 0;
  m->life++;
  memset(&m->last, 0, sizeof m->last);
  raft_member_begin(m);
  enum err err = open_member(m, &e);
  fault_disarm(&fault_alloc);
  m->memory_failed |= fault_fired(&fault_alloc);
  m->up = true;
  if (err != ERR_OK) {
    die(m, err, &e, "start");
    return;
  }
  group_stats(m->group, &m->last);
  TRACE(w, m->id,
        "starts: term %" PRIu64 ", log %" PRIu64 "..%" PRIu64 ", committed at least %" PRIu64 ", application at %" PRIu64,
        m->last.term, log_first_index(m->log), log_durable_index(m->log), m->last.commit_index, m->app.durable.index);
  raft_check_promises(m);
  if (rng_chance(&w->rng, 1, 4)) raft_check_log(m);
  m->last.commit_index = m->last.apply_index = 0;
  m->last.state = CONSENSUS_FOLLOWER; // a sole voter leads at once: that is an election too
  raft_member_end(m);
}

// ---- around each call ----

void raft_member_begin(struct raft_member *m) {
  struct raft_world *w = m->world;
  m->clock.now_ns = (int64_t) (w->now_us * 1000 + m->clock_offset_ms * 1000000);
  m->app.visible = m->app.state;
  if (raft_fault_chance(w, RAFT_memory, 3000)) {
    TRACE(w, m->id, "an allocation is going to fail");
    fault_arm(&fault_alloc, (int64_t) rng_below(&w->rngs[RAFT_memory], 12), 1);
  }
}

uint64_t raft_member_disk_us(struct raft_member *m) {
  struct raft_world *w = m->world;
  return 100 + rng_below(&w->rngs[RAFT_disk_slow], m->slow_us > w->now_us ? 80000 : 3000);
}

static void start_round(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct error e = ERROR_INIT;
  if (m->round_us != 0 || m->full_us > w->now_us || log_failure(m->log, NULL) != ERR_OK) return;
  enum err err = log_writer_write(m->log, &m->round_file, &e);
  if (err == ERR_NOSPC || err == ERR_NOMEM) {
    TRACE(w, m->id, "%s", e.message);
    m->full_us = w->now_us + 20000 + rng_below(&w->rngs[RAFT_disk_full], 60000);
    if (err == ERR_NOSPC) m->fault_armed = false; // a full disk closes nothing
  }
  if (err == ERR_OK && m->round_file != NULL) m->round_us = w->now_us + raft_member_disk_us(m);
}

static void set_wake(struct raft_member *m) {
  uint64_t wake_ms = group_wake_ms(m->group), now_us = m->world->now_us;
  uint64_t wake_us = wake_ms == UINT64_MAX ? wake_ms : wake_ms > m->clock_offset_ms ? (wake_ms - m->clock_offset_ms) * 1000 : 0;
  bool lags = m->app.visible.index != m->app.state.index;
  if (lags) wake_us = MIN(wake_us, now_us + 500);
  if (m->full_us != 0) wake_us = MIN(wake_us, MAX(m->full_us, now_us));
  m->wake_us = MAX(wake_us, now_us + 20);
}

// What the loop saved was synced before the messages left: that takes its time.
static void wait_for_saves(struct raft_member *m, const struct group_stats *now) {
  bool elsewhere = group_wants_save(m->group);
  if (now->saves == m->saves_seen) return;
  m->saves_seen = now->saves;
  if (elsewhere) return;
  m->paused_us = MAX(m->paused_us, m->world->now_us + raft_member_disk_us(m) / 2);
}

static void look_after(struct raft_member *m) {
  struct group_stats now;
  struct error e = ERROR_INIT;
  enum err err = group_failure(m->group, &e);
  if (err == ERR_OK) start_round(m);
  if (err == ERR_OK && log_failure(m->log, &e) != ERR_OK) err = e.code;
  if (err == ERR_OK && sim_disk_is_off(m->disk)) err = ERR_IO;
  group_stats(m->group, &now);
  raft_check_member(m, &now);
  m->last = now;
  wait_for_saves(m, &now);
  raft_net_flush(m);
  if (m->world->failed) return;
  if (err != ERR_OK) {
    die(m, err, &e, "closed");
  } else if (m->crash_now) {
    raft_member_crash(m, false, m->crash_why);
  } else {
    set_wake(m);
    raft_save_begin(m);
  }
}

void raft_member_end(struct raft_member *m) {
  m->memory_failed |= fault_fired(&fault_alloc);
  fault_disarm(&fault_alloc);
  m->world->steps++;
  if (m->up) look_after(m);
}

void raft_member_step(struct raft_member *m) {
  struct error e = ERROR_INIT;
  bool more = false;
  m->wake_us = 0;
  raft_member_begin(m);
  enum err err = group_step(m->group, raft_member_ms(m), &more, &e);
  raft_member_end(m);
  if (m->up && err == ERR_OK && more) m->wake_us = m->world->now_us + 20;
}

void raft_member_finish_round(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct error e = ERROR_INIT;
  bool more = false;
  m->round_us = 0;
  raft_member_begin(m);
  enum err err = log_writer_finish(m->log, disk_sync(m->round_file, &e), &e);
  m->round_file = NULL;
  if (err == ERR_OK && raft_fault_chance(w, RAFT_crash_append, 80)) {
    fault_disarm(&fault_alloc);
    raft_member_crash(m, false, "power goes between a write and its acknowledgement");
    return;
  }
  err = group_step(m->group, raft_member_ms(m), &more, &e); // closes itself if the log failed
  raft_member_end(m);
  if (m->up && err == ERR_OK && more) m->wake_us = w->now_us + 20;
}

// ---- a copied store ----

static const struct raft_member *copy_source(struct raft_member *m) {
  struct raft_world *w = m->world;
  unsigned start = (unsigned) rng_below(&w->rng, RAFT_MEMBERS);
  for (unsigned i = 0; i < RAFT_MEMBERS; i++) {
    const struct raft_member *s = &w->members[1 + (start + i) % RAFT_MEMBERS];
    if (s != m && s->up && s->app.durable.index >= m->copy_index && !w->cut[s->id][m->id] && !w->cut[m->id][s->id]) return s;
  }
  return NULL;
}

// What is given is a checkpoint. It is on its way for a while, in which the giver and the log go on.
static void begin_copy(struct raft_member *m) {
  struct raft_world *w = m->world;
  const struct raft_member *source = copy_source(m);
  m->copy_us = w->now_us + (source != NULL ? rng_below(&w->rng, 80000) : 20000);
  if (source == NULL) return;
  TRACE(w, m->id, "begins to copy the store of %" PRIu64 " at %" PRIu64, source->id, source->app.durable.index);
  m->copy = source->app.durable;
}

static void take_copy(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct raft_state copy = m->copy;
  m->copy = (struct raft_state){0};
  if (m->app.state.index >= MIN(m->copy_index, copy.index)) return; // the log was quicker: the group does not expect it any more
  TRACE(w, m->id, "has a copy of a store at %" PRIu64, copy.index);
  raft_member_begin(m);
  m->app.state = m->app.visible = m->app.durable = copy;
  raft_check_copied(m);
  if (raft_fault_chance(w, RAFT_crash_install, 3)) {
    fault_disarm(&fault_alloc);
    raft_member_crash(m, false, "power goes between a copied store and its report");
    return;
  }
  raft_member_end(m);
}

void raft_member_copy(struct raft_member *m) {
  m->copy_us = 0;
  if (m->copy.index != 0)
    take_copy(m);
  else if (m->app.state.index < m->copy_index) // not by a log after all
    begin_copy(m);
}
