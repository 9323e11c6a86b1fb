// What goes wrong, and how it is made good.
#include <string.h>

#include "product.h"
#include "versions.h"

const char *const product_fault_names[FAULT_MAX] = {"kill",      "power",     "cut",   "all",       "stop",
                                                    "pause",     "partition", "reset", "long_wire", "slow_disk",
                                                    "full_disk", "bad_disk",  "clock", "wipe",      "older"};

static const struct world_disk_pace usual_pace = {
    .read_ns = 20 * NS_PER_US, .write_ns = 40 * NS_PER_US, .sync_ns = 2 * NS_PER_MS};
static const struct world_disk_pace slow_pace = {
    .read_ns = 5 * NS_PER_MS, .write_ns = 20 * NS_PER_MS, .sync_ns = 400 * NS_PER_MS};
static const struct world_link usual_link = {.delay_min_ns = 100 * NS_PER_US, .delay_max_ns = NS_PER_MS};
static const struct world_link long_link = {.delay_min_ns = 20 * NS_PER_MS, .delay_max_ns = 150 * NS_PER_MS};

enum { WATCH_MS = 20, STOP_MS_MAX = 60000 };

static int64_t some_ms(int64_t least, int64_t most) {
  return (least + (int64_t) rng_below(world_rng(), (uint64_t) (most - least) + 1)) * NS_PER_MS;
}

static bool chance(uint64_t num, uint64_t den) {
  return rng_chance(world_rng(), num, den);
}

// ---- servers that have ended are started again ----

static struct product_world *playing;
static struct world_event links_event, turns_event;
static uint32_t turns_left;

static void on_revive(struct world_event *event) {
  uint32_t i = (uint32_t) (event - playing->revive_events);
  if (!process_is_alive(playing->servers[i].process)) product_server_start(&playing->servers[i]);
}

static void revive_in(struct product_world *w, uint32_t i, int64_t ns) {
  if (w->revive_events[i].place == 0 || w->healed) world_event_set(&w->revive_events[i], ns);
}

/// So long nothing has gone wrong that keeps servers from meeting, or from noting whom they have met.
enum { MET_MS = 1500 };

static bool has_trouble(const struct product_world *w) {
  bool any = links_event.place != 0 || turns_left > 0;
  for (uint32_t i = 0; i < w->core_count; i++) any |= !w->servers[i].open || w->heal_events[i].place != 0;
  return any;
}

static bool all_have_met(const struct product_world *w) {
  return world_now_ns() - w->trouble_ns >= MET_MS * NS_PER_MS;
}

static void on_watch(struct world_event *event) {
  struct product_world *w = playing;
  if (has_trouble(w)) w->trouble_ns = MAX(w->trouble_ns, world_now_ns());
  for (uint32_t i = 0; i < w->server_count; i++) {
    struct product_server *s = &w->servers[i];
    if (process_is_alive(s->process) && s->ended) product_server_kill(s, WORLD_END_PROCESS);
    if (!process_is_alive(s->process) && w->revive_events[i].place == 0)
      revive_in(w, i, w->healed || s->soon ? some_ms(5, 50) : some_ms(5, 3000));
    if (s->begins_anew && !s->put_back) product_fail(w, "server %u takes its data for an older copy, and they are the latest", s->number);
    if (!s->stopping || !process_is_alive(s->process))
      w->stopping_since_ns[i] = world_now_ns();
    else if (world_now_ns() - w->stopping_since_ns[i] > STOP_MS_MAX * NS_PER_MS)
      product_fail(w, "server %u was asked to stop and does not", s->number);
  }
  product_versions_watch(w);
  world_event_set(event, WATCH_MS * NS_PER_MS);
}

void product_watch(struct product_world *w) {
  playing = w;
  w->watch_event.run = on_watch;
  world_links_set(usual_link);
  for (uint32_t i = 0; i < w->server_count; i++) {
    w->revive_events[i].run = on_revive;
    world_disk_set_pace(w->servers[i].disk, usual_pace);
    revive_in(w, i,
              i < w->settings.servers              ? some_ms(1, 1000)
              : w->servers[i].role == PRODUCT_CORE ? some_ms(2000, 5000)
                                                   : some_ms(1, 3000));
  }
  world_event_set(&w->watch_event, WATCH_MS * NS_PER_MS);
}

// ---- faults of one server ----

void product_kill(struct product_world *w, uint32_t i, enum world_end end, int64_t away_ns) {
  if (!process_is_alive(w->servers[i].process)) return;
  product_server_kill(&w->servers[i], end);
  w->report->counts.kills += end == WORLD_END_PROCESS;
  w->report->counts.power_cuts += end == WORLD_END_MACHINE;
  revive_in(w, i, away_ns);
}

static int64_t some_absence(void) {
  return chance(1, 4) ? some_ms(1000, 8000) : some_ms(1, 800);
}

static void kill(struct product_world *w, uint32_t i, enum world_end end) {
  if (!process_is_alive(w->servers[i].process)) return;
  product_kill(w, i, end, some_absence());
  product_older_copy(w, i);
}

static void kill_all(struct product_world *w) {
  enum world_end end = chance(1, 2) ? WORLD_END_MACHINE : WORLD_END_PROCESS;
  for (uint32_t i = 0; i < w->server_count; i++) kill(w, i, end);
}

static void wipe(struct product_world *w, uint32_t i) {
  bool votes = w->servers[i].role == PRODUCT_CORE;
  if (votes && w->wipes_left == 0) return;
  w->wipes_left -= votes;
  w->report->counts.wipes++;
  kill(w, i, WORLD_END_MACHINE);
  world_tell(process_name(w->servers[i].process), "LOSES ITS DATABASES");
  world_disk_calm(w->servers[i].disk);
  world_disk_remove(w->servers[i].disk, votes ? "/home/data/databases" : "/home/data");
  w->servers[i].wiped = true;
}

static void on_heal_one(struct world_event *event) {
  uint32_t i = (uint32_t) (event - playing->heal_events);
  struct product_server *s = &playing->servers[i];
  world_tell(process_name(s->process), "its disk is as it was");
  world_disk_set_pace(s->disk, usual_pace);
  sim_disk_set_room(world_disk_sim(s->disk), UINT64_MAX);
}

static void trouble_disk(struct product_world *w, uint32_t i, enum product_fault fault) {
  struct product_server *s = &w->servers[i];
  struct sim_disk *d = world_disk_sim(s->disk);
  static const enum sim_op ops[] = {SIM_WRITE, SIM_SYNC, SIM_READ, SIM_ALLOCATE, SIM_OTHER};
  if (fault == FAULT_SLOW_DISK) world_disk_set_pace(s->disk, slow_pace);
  if (fault == FAULT_FULL_DISK) sim_disk_set_room(d, rng_below(world_rng(), 1 << 18));
  if (fault == FAULT_BAD_DISK) {
    sim_disk_fail(d, ops[rng_below(world_rng(), ARRAY_SIZE(ops))], (int64_t) rng_below(world_rng(), 60), ERR_IO);
    w->needs_restart[i] = true;
  }
  w->needs_restart[i] |= fault == FAULT_FULL_DISK;
  w->heal_events[i].run = on_heal_one;
  world_event_set(&w->heal_events[i], some_ms(200, 4000));
}

// ---- faults of the network ----

void product_cut(struct product_world *w, uint32_t a, uint32_t b, bool one_way) {
  world_link(w->servers[a].process, w->servers[b].process)->cut = true;
  if (!one_way) world_link(w->servers[b].process, w->servers[a].process)->cut = true;
}

void product_links_heal(void) {
  world_tell("network", "is whole again");
  world_links_set(usual_link);
}

static void on_links_heal(struct world_event *event UNUSED) {
  product_links_heal();
}

static void partition(struct product_world *w) {
  bool one_way = chance(1, 2), alone = chance(1, 2);
  uint32_t pick = (uint32_t) rng_below(world_rng(), w->server_count);
  uint64_t side = alone ? UINT64_C(1) << pick : rng_below(world_rng(), UINT64_C(1) << w->server_count);
  if (one_way && chance(1, 2)) side = ~side;
  world_tell("network", "IS CUT, servers %llx%s", (unsigned long long) (side & ((1u << w->server_count) - 1)),
             one_way ? " do not reach the others" : "");
  for (uint32_t a = 0; a < w->server_count; a++)
    for (uint32_t b = 0; b < w->server_count; b++)
      if ((side >> a & 1) && !(side >> b & 1)) product_cut(w, a, b, one_way);
  if (chance(1, 3)) // and the clients with one of the sides
    for (uint32_t a = 0; a < w->server_count; a++)
      if (side >> a & 1) world_link(w->servers[a].process, w->desk)->cut = true;
}

/// One core alone, of the others but not of the clients.
static void leave_alone(struct product_world *w, uint32_t alone) {
  for (uint32_t i = 0; i < w->server_count; i++)
    if (i != alone) product_cut(w, alone, i, false);
}

static void on_turn(struct world_event *event) {
  struct product_world *w = playing;
  world_links_set(usual_link);
  if (turns_left == 0) return;
  turns_left--;
  leave_alone(w, (uint32_t) rng_below(world_rng(), w->core_count));
  world_event_set(event, some_ms(500, 1500));
}

/// Each is alone for long enough to lose its leadership, one after the other, so that somebody who led leads again.
static void take_turns(struct product_world *w) {
  world_tell("network", "LEAVES ONE AFTER THE OTHER ALONE");
  turns_left = 6;
  turns_event.run = on_turn;
  on_turn(&turns_event);
}

static void trouble_network(struct product_world *w, enum product_fault fault) {
  uint32_t a = (uint32_t) rng_below(world_rng(), w->server_count), b = (uint32_t) rng_below(world_rng(), w->server_count);
  if (fault == FAULT_RESET) {
    world_net_reset(w->servers[a].process, w->servers[b].process);
    return;
  }
  if (fault == FAULT_PARTITION && w->leads_in_turn) {
    if (turns_left == 0) take_turns(w);
    return;
  }
  if (fault == FAULT_LONG_WIRE) world_links_set(long_link);
  if (fault == FAULT_PARTITION) partition(w);
  links_event.run = on_links_heal;
  world_event_set(&links_event, some_ms(100, 6000));
}

static void pause(struct product_world *w, struct product_server *s) {
  int64_t ns = some_ms(50, 5000);
  w->trouble_ns = MAX(w->trouble_ns, world_now_ns() + ns);
  process_pause(s->process, ns);
}

// ---- one after the other ----

static void strike(struct product_world *w, enum product_fault fault) {
  uint32_t i = (uint32_t) rng_below(world_rng(), w->server_count);
  struct product_server *s = &w->servers[i];
  switch (fault) {
  case FAULT_KILL: kill(w, i, WORLD_END_PROCESS); break;
  case FAULT_POWER: kill(w, i, WORLD_END_MACHINE); break;
  case FAULT_CUT: world_disk_cut_within(s->disk, 40); break;
  case FAULT_ALL: kill_all(w); break;
  case FAULT_STOP:
    if (process_is_alive(s->process) && s->open) product_server_stop(s);
    break;
  case FAULT_PAUSE: pause(w, s); break;
  case FAULT_CLOCK: process_shift_clock(s->process, some_ms(0, 7200000) - 3600 * NS_PER_S); break;
  case FAULT_WIPE: wipe(w, i); break;
  case FAULT_OLDER: product_older_strike(w, all_have_met(w)); break;
  case FAULT_SLOW_DISK:
  case FAULT_FULL_DISK:
  case FAULT_BAD_DISK: trouble_disk(w, i, fault); break;
  case FAULT_PARTITION:
  case FAULT_RESET:
  case FAULT_LONG_WIRE: trouble_network(w, fault); break;
  case FAULT_MAX: return;
  }
  w->report->counts.faults++;
  world_tell("fault", "%s %s", product_fault_names[fault], process_name(s->process));
}

static void on_fault(struct world_event *event) {
  struct product_world *w = playing;
  enum product_fault fault = (enum product_fault) rng_below(world_rng(), FAULT_MAX);
  if (w->faults_on >> fault & 1) strike(w, fault);
  world_event_set(event, (int64_t) rng_below(world_rng(), 2 * (uint64_t) w->faults_pace_ns));
}

/// Most worlds have half of the troubles, and some have them rarely: what needs quiet to grow has it.
void product_faults_choose(struct product_world *w) {
  static const int64_t paces_ms[] = {40, 90, 220, 600};
  w->faults_on = rng_next(world_rng());
  if (chance(1, 8)) w->faults_on = ~UINT64_C(0);
  if (w->leads_in_turn) w->faults_on = UINT64_C(1) << FAULT_PARTITION | UINT64_C(1) << FAULT_RESET;
  if (w->seed % 8 == 6) w->faults_on = UINT64_C(1) << FAULT_OLDER | UINT64_C(1) << FAULT_KILL | UINT64_C(1) << FAULT_POWER;
  if (w->older.aims) w->faults_on = 0; // but for the one that this world is about
  w->faults_on &= ~w->options->off;
  w->faults_pace_ns = paces_ms[rng_below(world_rng(), ARRAY_SIZE(paces_ms))] * NS_PER_MS;
  w->wipes_left = w->early ? 0 : w->settings.servers / 2; // who is not founded yet has nothing to come back with
}

void product_faults_begin(struct product_world *w) {
  w->fault_event.run = on_fault;
  world_event_set(&w->fault_event, w->faults_pace_ns);
  if (w->older.aims) product_older_begin(w);
}

void product_heal(struct product_world *w) {
  world_tell("world", "ALL IS HEALED");
  w->healed = true;
  world_event_cancel(&w->fault_event);
  world_event_cancel(&links_event);
  world_event_cancel(&turns_event);
  world_event_cancel(&w->older.event);
  turns_left = 0;
  world_links_set(usual_link);
  for (uint32_t i = 0; i < w->server_count; i++) {
    struct product_server *s = &w->servers[i];
    world_event_cancel(&w->heal_events[i]);
    world_disk_set_pace(s->disk, usual_pace);
    sim_disk_set_room(world_disk_sim(s->disk), UINT64_MAX);
    world_disk_calm(s->disk);
    if (w->needs_restart[i] && process_is_alive(s->process)) product_server_kill(s, WORLD_END_PROCESS);
    if (!process_is_alive(s->process)) revive_in(w, i, some_ms(5, 50));
  }
}
