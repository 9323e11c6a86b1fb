// The loop: whatever is due next happens, then everything is checked.
#include "raft_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define STEPS_MAX 3000000u     // a world that goes round in circles without simulated time going on
#define SETTLE_MS 10000u       // after healing: everything must work again by then; 7.4 s is the slowest that was seen
#define CATCH_ALL_BYTES 65536u // of the oracle's scratch: more than an entry has

// ---- making a world ----

static uint32_t pick32(struct rng *rng, const uint32_t *from, size_t count) {
  return from[rng_below(rng, count)];
}

#define PICK(rng, ...) pick32((rng), (const uint32_t[]){__VA_ARGS__}, ARRAY_SIZE(((const uint32_t[]){__VA_ARGS__})))

static void choose_options(struct raft_world *w) {
  struct rng *rng = &w->rng;
  w->log_options = (struct log_options){.segment_bytes = PICK(rng, 4096, 8192, 16384, 32768),
                                        .batch_bytes_max = PICK(rng, 1024, 8192, 65536),
                                        .queue_bytes_max = PICK(rng, 4096, 65536, 1u << 20),
                                        .clustered = true};
  w->group_options = (struct group_options){
      .consensus = {.election_timeout_ms = 150, .heartbeat_ms = 30, .inflight_entries_max = PICK(rng, 8, 16, 64)},
      .message_bytes_max = PICK(rng, 1, 300, 1000, 4000, 1u << 20),
      .tail_bytes_max = PICK(rng, 200, 2000, 20000, 1u << 20),
      .queue_bytes_max = PICK(rng, 4000, 20000, 1u << 20),
      .send_bytes_step_max = PICK(rng, 500, 4000, 1u << 20),
      .apply_step_max = PICK(rng, 1, 5, 256),
  };
  memcpy(w->group_options.uuid, w->uuid, sizeof w->uuid);
}

static struct raft_world *new_world(uint64_t seed, const struct raft_options *o) {
  struct raft_world *w = calloc(1, sizeof *w);
  struct raft_entry_seen *seen = calloc(RAFT_SEEN_MAX, sizeof *seen);
  if (w == NULL || seen == NULL) abort();
  w->seen = seen;
  w->options = *o;
  w->seed = seed;
  rng_seed(&w->rng, seed);
  memcpy(w->uuid, "a simulated log", sizeof w->uuid);
  arena_init(&w->arena, NULL);
  if (buf_reserve(&w->scratch, CATCH_ALL_BYTES) != ERR_OK) abort();
  choose_options(w);
  w->load_mean_us = PICK(&w->rng, 3000, 12000, 40000);
  raft_faults_init(w);
  w->group_options.saves_elsewhere = raft_saves_elsewhere(w);
  w->count = MIN(o->voters + 3, RAFT_MEMBERS);
  for (unsigned i = 1; i <= w->count; i++) raft_member_init(w, &w->members[i]);
  uint64_t length_ms = 1500 + rng_below(&w->rng, rng_chance(&w->rng, 1, 8) ? 8000 : 2500);
  w->faults_end_us = (o->faults_ms != 0 ? o->faults_ms : length_ms) * 1000;
  w->end_us = w->faults_end_us + SETTLE_MS * 1000u;
  return w;
}

static void free_world(struct raft_world *w) {
  fault_disarm(&fault_alloc);
  for (unsigned i = 1; i <= w->count; i++) raft_member_done(&w->members[i]);
  raft_net_done(w);
  for (uint64_t to = 0; to <= RAFT_MEMBERS; to++) buf_done(&w->outgoing[to]);
  buf_done(&w->scratch);
  arena_done(&w->arena);
  free(w->seen);
  free(w);
}

// ---- whose turn it is ----

enum turn {
  TURN_NONE,
  TURN_READ,
  TURN_CHANGE,
  TURN_CRASH,
  TURN_CUT,
  TURN_FRAME,
  TURN_FAULT,
  TURN_LOAD,
  TURN_START,
  TURN_ROUND,
  TURN_COPY,
  TURN_SAVE,
  TURN_FORGET,
  TURN_WAKE
};

struct due {
  uint64_t at_us;
  enum turn turn;
  struct raft_member *member;
};

static void consider(struct due *d, uint64_t at_us, enum turn turn, struct raft_member *m) {
  if (at_us != 0 && at_us < d->at_us) *d = (struct due){at_us, turn, m};
}

// A member that stands still does what is due when it goes on.
static void consider_member(struct due *d, struct raft_member *m) {
  if (!m->up) {
    consider(d, m->restart_us, TURN_START, m);
    return;
  }
  uint64_t paused_us = m->paused_us;
  if (m->read_us != 0) consider(d, MAX(m->read_us, paused_us), TURN_READ, m);
  consider(d, m->crash_us, TURN_CRASH, m);
  consider(d, m->cut_us, TURN_CUT, m);
  if (m->change_us != 0) consider(d, MAX(m->change_us, paused_us), TURN_CHANGE, m);
  if (m->round_us != 0) consider(d, MAX(m->round_us, paused_us), TURN_ROUND, m);
  if (m->copy_us != 0) consider(d, MAX(m->copy_us, paused_us), TURN_COPY, m);
  if (m->save_us != 0) consider(d, MAX(m->save_us, paused_us), TURN_SAVE, m);
  if (m->forget_us != 0) consider(d, MAX(m->forget_us, paused_us), TURN_FORGET, m);
  if (m->wake_us != 0) consider(d, MAX(m->wake_us, paused_us), TURN_WAKE, m);
}

static struct due next_due(struct raft_world *w) {
  struct due d = {.at_us = UINT64_MAX};
  for (unsigned i = 1; i <= w->count; i++) consider_member(&d, &w->members[i]);
  consider(&d, raft_net_next_us(w), TURN_FRAME, NULL);
  consider(&d, raft_faults_next_us(w), TURN_FAULT, NULL);
  consider(&d, w->load_us, TURN_LOAD, NULL);
  return d;
}

static void take_turn(struct raft_world *w, const struct due *d) {
  w->now_us = MAX(w->now_us, d->at_us);
  switch (d->turn) {
  case TURN_READ: raft_load_read_at(d->member); break;
  case TURN_CRASH: raft_member_crash(d->member, false, "power goes a moment after its election"); break;
  case TURN_CUT: raft_fault_cut_leader(d->member); break;
  case TURN_CHANGE: raft_load_change_at(d->member); break;
  case TURN_FRAME: raft_net_deliver(w); break;
  case TURN_FAULT: raft_faults_strike(w); break;
  case TURN_LOAD: raft_load(w); break;
  case TURN_START: raft_member_start(d->member); break;
  case TURN_ROUND: raft_member_finish_round(d->member); break;
  case TURN_COPY: raft_member_copy(d->member); break;
  case TURN_SAVE: raft_save_finish(d->member); break;
  case TURN_FORGET: raft_forget_finish(d->member); break;
  case TURN_WAKE: raft_member_step(d->member); break;
  case TURN_NONE: break;
  }
}

// ---- from beginning to end ----

static const char *const stages[] = {"no proposal was committed by a settled leader", "not all members have what was proposed",
                                     "no change of membership is possible", "a change of membership does not come to an end",
                                     "no linearizable read is answered"};

static void fail_settling(struct raft_world *w) {
  char members[400] = "";
  size_t at = 0;
  static const char *const names[] = {"follows", "stands", "leads"};
  for (unsigned i = 1; i <= w->count && at < sizeof members; i++) {
    const struct raft_member *m = &w->members[i];
    at += (size_t) snprintf(members + at, sizeof members - at, " %u %s %" PRIu64 " at %" PRIu64 "/%" PRIu64 ";", i,
                            m->up ? names[m->last.state] : "is down", m->last.term, m->app.state.index, m->last.commit_index);
  }
  raft_fail(w, "all is well for %u ms, but %s:%s", SETTLE_MS, stages[w->stage], members);
}

static bool is_over(struct raft_world *w) {
  if (w->failed) return true;
  if (!w->healed && w->now_us >= w->faults_end_us) raft_faults_heal(w);
  if (!w->healed) return false;
  if (w->now_us >= w->end_us && !w->settled) fail_settling(w);
  return w->failed || w->settled;
}

static void play(struct raft_world *w) {
  for (unsigned i = 1; i <= w->count; i++) raft_member_start(&w->members[i]);
  w->load_us = 1;
  while (!is_over(w)) {
    struct due d = next_due(w);
    if (w->steps > STEPS_MAX) raft_fail(w, "it goes round in circles");
    take_turn(w, &d);
  }
  if (!w->failed) raft_check_end(w);
}

static void add_counts(struct raft_counts *to, const struct raft_counts *from) {
  uint64_t *a = (uint64_t *) to, slowest = MAX(to->settle_ms_max, from->settle_ms_max);
  const uint64_t *b = (const uint64_t *) from;
  for (size_t i = 0; i < sizeof *to / sizeof *a; i++) a[i] += b[i];
  to->settle_ms_max = slowest;
}

bool raft_play(uint64_t seed, const struct raft_options *o, struct raft_counts *counts, char *why, size_t why_bytes) {
  struct raft_world *w = new_world(seed, o);
  play(w);
  w->counts.seeds = 1;
  w->counts.simulated_ms = w->now_us / 1000;
  w->counts.settle_ms_max = w->healed ? (w->now_us - w->faults_end_us) / 1000 : 0;
  add_counts(counts, &w->counts);
  bool good = !w->failed;
  snprintf(why, why_bytes, "%s (at %" PRIu64 " ms)", w->why, w->now_us / 1000);
  free_world(w);
  return good;
}
