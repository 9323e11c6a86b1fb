// What goes wrong, and when. Each kind has a clock and random numbers of its own.
#include <inttypes.h>
#include <string.h>

#include "raft_world.h"

const char *const raft_fault_names[RAFT_FAULT_MAX] = {
#define X(name, mean_ms) #name,
    RAFT_FAULTS(X)
#undef X
};

static const uint32_t mean_ms[RAFT_FAULT_MAX] = {
#define X(name, mean) mean,
    RAFT_FAULTS(X)
#undef X
};

bool raft_fault_off(const struct raft_world *w, enum raft_fault f) {
  return (w->options.off | w->off) >> f & 1;
}

bool raft_fault_chance(struct raft_world *w, enum raft_fault f, uint64_t n) {
  return !w->healed && !raft_fault_off(w, f) && rng_below(&w->rngs[f], n) == 0;
}

static void set_next(struct raft_world *w, enum raft_fault f) {
  uint64_t us = mean_ms[f] * 2000u * (f < RAFT_change ? w->calm : 1);
  w->fault_us[f] = us == 0 || raft_fault_off(w, f) ? UINT64_MAX : w->now_us + rng_below(&w->rngs[f], us);
}

// Worlds in which everything goes wrong at once hide what needs quiet to grow: most have only some of the faults, and some of
// those seldom.
static void choose_worries(struct raft_world *w) {
  w->calm = 1u << rng_below(&w->rng, 3);
  if (rng_chance(&w->rng, 1, 4)) return;
  for (int f = 0; f < RAFT_FAULT_MAX; f++)
    if (rng_chance(&w->rng, 1, 2)) w->off |= UINT64_C(1) << f;
  w->off &= ~(UINT64_C(1) << RAFT_sleep | UINT64_C(1) << RAFT_elsewhere);
}

void raft_faults_init(struct raft_world *w) {
  choose_worries(w);
  for (int f = 0; f < RAFT_FAULT_MAX; f++) {
    rng_seed(&w->rngs[f], w->seed * 64 + (uint64_t) f);
    set_next(w, f);
  }
}

uint64_t raft_faults_next_us(const struct raft_world *w) {
  uint64_t next = UINT64_MAX;
  for (int f = 0; f < RAFT_FAULT_MAX; f++) next = MIN(next, w->fault_us[f]);
  return next;
}

// ---- the network ----

static void cut(struct raft_world *w, uint64_t from, uint64_t to, uint64_t for_us) {
  w->cut[from][to] = true;
  w->uncut_us[from][to] = MAX(w->uncut_us[from][to], w->now_us + for_us);
}

void raft_isolate(struct raft_world *w, uint64_t member, bool in, bool out, uint64_t for_us) {
  TRACE(w, member, "is cut off%s", in && out ? "" : in ? " (hears nothing)" : " (is not heard)");
  for (uint64_t other = 1; other <= RAFT_MEMBERS; other++) {
    if (other == member) continue;
    if (in) cut(w, other, member, for_us);
    if (out) cut(w, member, other, for_us);
  }
}

void raft_part(struct raft_world *w, uint64_t a, uint64_t b, uint64_t for_us) {
  TRACE(w, a, "and %" PRIu64 " do not hear each other", b);
  cut(w, a, b, for_us);
  cut(w, b, a, for_us);
  raft_net_lose(w, a, b);
  raft_net_lose(w, b, a);
}

void raft_fault_cut_leader(struct raft_member *m) {
  struct rng *rng = &m->world->rngs[RAFT_cut_leader];
  m->cut_us = 0;
  if (m->world->healed) return;
  uint64_t ways = 1 + rng_below(rng, 3);
  raft_isolate(m->world, m->id, ways & 1, ways & 2, 150000 + rng_below(rng, 800000));
}

static void split(struct raft_world *w, struct rng *rng) {
  uint64_t half = rng_next(rng), for_us = 100000 + rng_below(rng, 800000);
  bool one_way = rng_chance(rng, 1, 3);
  TRACE(w, 0, "the network is split%s: %" PRIx64, one_way ? " one way" : "", half & 0xfe);
  for (uint64_t a = 1; a <= RAFT_MEMBERS; a++)
    for (uint64_t b = 1; b <= RAFT_MEMBERS; b++)
      if ((half >> a & 1) && !(half >> b & 1)) {
        cut(w, a, b, for_us);
        if (!one_way) cut(w, b, a, for_us);
      }
}

static void mend(struct raft_world *w) {
  for (uint64_t a = 1; a <= RAFT_MEMBERS; a++)
    for (uint64_t b = 1; b <= RAFT_MEMBERS; b++)
      if (w->cut[a][b] && w->uncut_us[a][b] <= w->now_us) w->cut[a][b] = false;
}

// ---- disks, clocks ----

static void arm_disk(struct raft_member *m, enum sim_op op, struct rng *rng) {
  if (m->fault_armed) return;
  TRACE(m->world, m->id, "a %s is going to fail", op == SIM_SYNC ? "sync" : op == SIM_READ ? "read" : "write");
  sim_disk_fail(m->disk, op, (int64_t) rng_below(rng, 6), ERR_IO);
  m->fault_armed = true;
}

static void fill_disk(struct raft_member *m, struct rng *rng) {
  if (m->fault_armed) return;
  TRACE(m->world, m->id, "the disk is full");
  sim_disk_fail(m->disk, SIM_ALLOCATE, (int64_t) rng_below(rng, 2), ERR_NOSPC);
  m->fault_armed = true;
}

static void jump_clock(struct raft_member *m, struct rng *rng) {
  uint64_t by_ms = rng_chance(rng, 1, 3) ? rng_below(rng, 5000) : rng_below(rng, 300);
  if (rng_chance(rng, 1, 2)) {
    m->clock.wall_offset_ns += (int64_t) rng_below(rng, 20000000000u) - 10000000000;
    TRACE(m->world, m->id, "the wall clock jumps");
    return;
  }
  m->clock_offset_ms += by_ms; // the monotonic one never falls, but may have been asleep
  m->wake_us = m->world->now_us + 20;
  TRACE(m->world, m->id, "the clock jumps by %" PRIu64 " ms", by_ms);
}

static void arm_power(struct raft_member *m, struct rng *rng) {
  TRACE(m->world, m->id, "power is going to go within an input or output");
  sim_disk_cut_after(m->disk, (int64_t) rng_below(rng, 12));
}

// ---- striking ----

static struct raft_member *pick(struct raft_world *w, struct rng *rng) {
  return &w->members[1 + rng_below(rng, w->count)];
}

static void crash_all(struct raft_world *w) {
  for (unsigned i = 1; i <= w->count; i++)
    if (w->members[i].up) raft_member_crash(&w->members[i], false, "power goes everywhere");
}

static enum raft_moment moment_of(const struct raft_member *m) {
  if (m->save_us != 0) return RAFT_SAVES;
  if (m->last.installing) return RAFT_AWAITS_COPY;
  return m->last.state == CONSENSUS_LEADER ? RAFT_LEADS : m->last.state == CONSENSUS_CANDIDATE ? RAFT_STANDS : RAFT_FOLLOWS;
}

static void note_struck(struct raft_world *w, enum raft_fault f, const struct raft_member *m) {
  if (m->up) w->counts.struck[f][moment_of(m)]++;
}

static void strike_member(struct raft_world *w, enum raft_fault f, struct raft_member *m, struct rng *rng) {
  if (!m->up) return;
  note_struck(w, f, m);
  switch (f) {
  case RAFT_crash: raft_member_crash(m, false, "power goes"); break;
  case RAFT_kill: raft_member_crash(m, true, "is killed"); break;
  case RAFT_crash_io: arm_power(m, rng); break;
  case RAFT_crash_send: m->crash_in_sends = (int) rng_below(rng, 12); break;
  case RAFT_disk_error: arm_disk(m, rng_chance(rng, 1, 3) ? SIM_READ : SIM_WRITE, rng); break;
  case RAFT_disk_sync: arm_disk(m, SIM_SYNC, rng); break;
  case RAFT_disk_full: fill_disk(m, rng); break;
  case RAFT_disk_slow: m->slow_us = w->now_us + 100000 + rng_below(rng, 1500000); break;
  case RAFT_pause:
    m->paused_us = MAX(m->paused_us, w->now_us + rng_below(rng, 600000));
    TRACE(w, m->id, "stands still until %" PRIu64, m->paused_us / 1000);
    if (m->last.state == CONSENSUS_LEADER && raft_fault_chance(w, RAFT_read_at_once, 2)) m->read_us = m->paused_us;
    break;
  case RAFT_clock: jump_clock(m, rng); break;
  default: break;
  }
}

static void strike(struct raft_world *w, enum raft_fault f) {
  struct rng *rng = &w->rngs[f];
  struct raft_member *m = pick(w, rng), *other = pick(w, rng);
  switch (f) {
  case RAFT_crash_all:
    for (unsigned i = 1; i <= w->count; i++) note_struck(w, f, &w->members[i]);
    crash_all(w);
    break;
  case RAFT_cut:
    mend(w);
    if (m != other && rng_chance(rng, 1, 3)) cut(w, m->id, other->id, 20000 + rng_below(rng, 400000));
    break;
  case RAFT_isolate: {
    note_struck(w, f, m);
    uint64_t ways = 1 + rng_below(rng, 3);
    raft_isolate(w, m->id, ways & 1, ways & 2, 100000 + rng_below(rng, 900000));
    break;
  }
  case RAFT_split: split(w, rng); break;
  case RAFT_reset:
    if (m == other) break;
    note_struck(w, f, m);
    raft_net_lose(w, m->id, other->id);
    raft_net_lose(w, other->id, m->id);
    raft_net_close(m, other->id);
    raft_net_close(other, m->id);
    break;
  case RAFT_change: raft_load_change(w); break;
  case RAFT_transfer: raft_load_transfer(w); break;
  case RAFT_checkpoint: raft_load_checkpoint(w); break;
  case RAFT_read: raft_load_read(w); break;
  default: strike_member(w, f, m, rng); break;
  }
}

void raft_faults_strike(struct raft_world *w) {
  for (int f = 0; f < RAFT_FAULT_MAX && !w->failed; f++) {
    if (w->fault_us[f] > w->now_us) continue;
    strike(w, f);
    set_next(w, f);
  }
}

// From here on nothing goes wrong any more.
void raft_faults_heal(struct raft_world *w) {
  TRACE(w, 0, "all is well from here on");
  w->healed = true;
  memset(w->cut, 0, sizeof w->cut);
  for (int f = 0; f < RAFT_FAULT_MAX; f++) w->fault_us[f] = UINT64_MAX;
  for (unsigned i = 1; i <= w->count; i++) {
    struct raft_member *m = &w->members[i];
    m->slow_us = 0;
    m->paused_us = MIN(m->paused_us, w->now_us + 1000);
    m->crash_in_sends = -1;
    m->crash_us = m->cut_us = 0;
    if (m->save_us != 0) m->save_us = MIN(m->save_us, w->now_us + 5000);
    sim_disk_cut_after(m->disk, -1);
    for (int op = 0; op < SIM_OP_MAX; op++)
      if (!sim_disk_failed(m->disk)) sim_disk_fail(m->disk, op, -1, ERR_IO);
    if (!m->up) m->restart_us = MIN(m->restart_us, w->now_us + 10000);
  }
}
