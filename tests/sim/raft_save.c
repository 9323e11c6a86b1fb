// The threads beside a member's loop, in worlds whose members have them: one saves terms and votes (group_save), one forgets what
// a checkpoint has let go (group_forget).
//
// What a thread does to the disk is played in one piece, when it ends or is cut short. Nobody else touches the file of the group
// state meanwhile (of two threads that would, one waits: log_group_change), and the group looks at nothing but whether it is
// done: so whatever else happens in that time, be it long, is as if it had happened before.
#include <inttypes.h>

#include "base/fault.h"
#include "raft_world.h"

#define SAVE_CHANGES 4u // of the disk: two slots are written and synced

bool raft_saves_elsewhere(struct raft_world *w) {
  return !raft_fault_off(w, RAFT_elsewhere) && rng_chance(&w->rngs[RAFT_elsewhere], 4, 5);
}

static uint64_t save_takes_us(struct raft_member *m) {
  struct raft_world *w = m->world;
  struct rng *rng = &w->rngs[RAFT_save_slow];
  uint64_t timeout_us = w->group_options.consensus.election_timeout_ms * 1000u, us = raft_member_disk_us(m);
  if (raft_fault_chance(w, RAFT_save_slow, 6)) us += rng_below(rng, (rng_chance(rng, 1, 8) ? 20 : 4) * timeout_us);
  return us;
}

void raft_save_begin(struct raft_member *m) {
  struct raft_world *w = m->world;
  if (m->save_us != 0 ||
      !(group_wants_save(m->group) || (w->group_options.saves_elsewhere && raft_fault_chance(w, RAFT_save_again, 100))))
    return;
  m->save_us = w->now_us + save_takes_us(m);
}

// ---- what strikes within ----

static void fail_save(struct raft_member *m) {
  struct rng *rng = &m->world->rngs[RAFT_save_error];
  static const struct {
    enum sim_op op;
    enum err err;
  } kinds[] = {{SIM_WRITE, ERR_IO}, {SIM_WRITE, ERR_NOSPC}, {SIM_SYNC, ERR_IO}};
  uint64_t kind = rng_below(rng, ARRAY_SIZE(kinds) + 1);
  if (kind == ARRAY_SIZE(kinds)) {
    TRACE(m->world, m->id, "an allocation of a save is going to fail");
    fault_arm(&fault_alloc, 0, 1);
  } else if (!m->fault_armed) {
    TRACE(m->world, m->id, "a %s of a save is going to fail", kinds[kind].op == SIM_SYNC ? "sync" : "write");
    sim_disk_fail(m->disk, kinds[kind].op, (int64_t) rng_below(rng, SAVE_CHANGES / 2), kinds[kind].err);
    m->fault_armed = true;
  }
}

// A process that dies leaves the end of its write unwritten.
static void arm_death(struct raft_member *m, bool kill, struct rng *rng) {
  if (kill)
    sim_disk_fail(m->disk, SIM_WRITE, (int64_t) rng_below(rng, SAVE_CHANGES / 2), ERR_IO);
  else
    sim_disk_cut_after(m->disk, (int64_t) rng_below(rng, SAVE_CHANGES));
}

// True if the member is down before, within or after a save.
static bool dies_saving(struct raft_member *m, bool kill) {
  struct rng *rng = &m->world->rngs[kill ? RAFT_kill_save : RAFT_crash_save];
  static const char *const whys[2][3] = {
      {"power goes before a term or vote is saved", "power goes within the save of a term or vote",
       "power goes right after a term or vote was saved"},
      {"is killed before a term or vote is saved", "is killed within the save of a term or vote",
       "is killed right after a term or vote was saved"}};
  uint64_t moment = rng_below(rng, 3);
  if (moment == 1) arm_death(m, kill, rng);
  if (moment > 0) group_save(m->group);
  m->world->counts.saves_cut++;
  raft_member_crash(m, kill, whys[kill][moment]);
  return true;
}

static bool is_struck(struct raft_member *m) {
  if (raft_fault_chance(m->world, RAFT_crash_save, 15)) return dies_saving(m, false);
  if (raft_fault_chance(m->world, RAFT_kill_save, 30)) return dies_saving(m, true);
  if (raft_fault_chance(m->world, RAFT_save_error, 30)) fail_save(m);
  return false;
}

// ---- the end of it ----

// The group hears of it a moment later.
void raft_save_finish(struct raft_member *m) {
  struct raft_world *w = m->world;
  bool wanted = group_wants_save(m->group);
  m->save_us = 0;
  if (wanted && is_struck(m)) return;
  group_save(m->group);
  m->memory_failed |= fault_fired(&fault_alloc);
  fault_disarm(&fault_alloc);
  w->counts.saves += wanted;
  if (wanted) TRACE(w, m->id, "has saved a term or vote");
  if (sim_disk_is_off(m->disk)) {
    raft_member_end(m);
    return;
  }
  m->wake_us = w->now_us + 20 + rng_below(&w->rngs[RAFT_save_slow], 2000);
}

// ---- forgetting ----

void raft_forget_begin(struct raft_member *m) {
  m->forget_us = m->world->now_us + 2 * raft_member_disk_us(m);
}

// What fails has closed the log, or leaves segments for the next time.
void raft_forget_finish(struct raft_member *m) {
  struct error e = ERROR_INIT;
  bool more = false;
  m->forget_us = 0;
  raft_member_begin(m);
  enum err err = group_forget(m->log, &m->forgetting, &more, &e);
  if (err == ERR_OK) TRACE(m->world, m->id, "has forgotten: log begins at %" PRIu64, log_first_index(m->log));
  raft_member_end(m);
}
