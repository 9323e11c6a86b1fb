// Data that are put back from an older copy: FAULT_OLDER, at any time; and worlds in which that is aimed at the moment that
// matters.
//
// In these a server is copied, promises more, and the others come to know of that. Then a minority is left behind, a majority
// with that server goes on, and all of it is lost at once but for the copy: who was left behind and the copy together are a
// majority, of which nobody has what was acknowledged between.
//
// In some the copy is so young that nobody can know of anything since but the leaders to whom that was acknowledged. Then that
// server alone is lost: who led leads on, or another one does, and it is to come back under either.
#include <string.h>

#include "cluster/known_starts.h"
#include "product.h"

enum {
  LOOK_MS = 20,
  TOGETHER_MS = 400,
  TOGETHER_AT_MOST_MS = 6000,
  BEHIND_MS = 300,
  BEHIND_AT_MOST_MS = 3000,
  AWAY_MS = 6000,
  ALONE_AWAY_MS = 2000, // whom it led, if anybody, others lead by then
  ENOUGH = 4
};
enum { STEP_TOGETHER, STEP_COPIED, STEP_BEHIND, STEP_DONE };

static struct product_world *playing;

static int64_t ms_since(int64_t ns) {
  return (world_now_ns() - ns) / NS_PER_MS;
}

// ---- copies ----

static void ready_to_copy(struct product_server *s) {
  world_disk_calm(s->disk);
  sim_disk_set_room(world_disk_sim(s->disk), UINT64_MAX);
}

static void make_copy(struct product_server *s) {
  ready_to_copy(s);
  world_disk_copy(s->disk, "/home/data", "/home/copy");
  s->copied = true;
}

void product_older_copy(struct product_world *w, uint32_t i) {
  struct product_server *s = &w->servers[i];
  bool wanted = (w->faults_on >> FAULT_OLDER & 1) && s->role == PRODUCT_CORE && w->wipes_left > 0 && !s->copied;
  if (wanted && rng_chance(world_rng(), 1, 2)) make_copy(s);
}

/// It is down.
static void put_back(struct product_world *w, struct product_server *s, bool whole) {
  const char *part = whole ? "/home/data" : "/home/data/databases";
  ready_to_copy(s);
  world_disk_copy(s->disk, whole ? "/home/copy" : "/home/copy/databases", part);
  s->copied = false;
  s->put_back = true;
  world_tell(process_name(s->process), "GETS OLDER: %s", part);
  w->wipes_left--;
  w->report->counts.older++;
  s->wiped = true;
}

void product_older_strike(struct product_world *w, bool all_have_met) {
  uint32_t i = 0;
  while (i < w->core_count && !(w->servers[i].copied && w->servers[i].open)) i++;
  if (i >= w->core_count || w->wipes_left == 0) return;
  product_kill(w, i, WORLD_END_MACHINE, (int64_t) rng_below(world_rng(), 800) * NS_PER_MS);
  put_back(w, &w->servers[i], all_have_met);
}

// ---- what the others know ----

/// What a server's disk knows of starts, as that of `self` with start `own`; NULL: nothing can be read.
static struct known_starts *read_starts(struct product_server *s, const char *folder, struct start own) {
  struct known_starts *k = NULL;
  const struct starts starts = {.count = 1, .last = {own}};
  return known_starts_open(sim_disk_table(world_disk_sim(s->disk)), folder, s->cluster, s->identity, &starts, &k, NULL) == ERR_OK
             ? k
             : NULL;
}

/// Whether that server has met the other one further on than the copy is.
static bool knows_more(struct product_server *s, struct product_server *copied) {
  struct known_starts *k = read_starts(s, "/home/data", (struct start){1, 1, 0});
  if (k == NULL) return false;
  struct start met = known_starts_find(k, copied->identity);
  known_starts_close(k);
  k = met.number != 0 ? read_starts(copied, "/home/copy", (struct start){met.number, met.mark, 0}) : NULL;
  bool more = k != NULL && met.moves > known_starts_now(k).moves;
  known_starts_close(k);
  return more;
}

static uint32_t count_who_know_more(struct product_world *w) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < w->core_count; i++)
    count += i != w->older.server && knows_more(&w->servers[i], &w->servers[w->older.server]);
  return count;
}

// ---- the play ----

static bool are_together(const struct product_world *w) {
  for (uint32_t i = 0; i < w->core_count; i++)
    if (!w->servers[i].open) return false;
  return true;
}

static void go_to(struct product_world *w, int step) {
  w->older.step = step;
  w->older.since_ns = world_now_ns();
  w->older.acknowledged = w->report->counts.acknowledged;
}

static void copy_one(struct product_world *w) {
  w->older.server = (uint32_t) rng_below(world_rng(), w->core_count);
  struct product_server *s = &w->servers[w->older.server];
  world_tell(process_name(s->process), "IS COPIED%s", w->older.running ? " WHILE IT RUNS" : "");
  if (!w->older.running) product_kill(w, w->older.server, WORLD_END_MACHINE, 50 * NS_PER_MS);
  make_copy(s);
  go_to(w, STEP_COPIED);
}

/// So many that the others are a majority together with the copied one, and so are these. Their clients go on elsewhere.
static void leave_behind(struct product_world *w) {
  uint32_t left = (w->core_count - 1) / 2;
  w->older.lagging = 0;
  for (uint32_t n = 1; left > 0; n++, left--) w->older.lagging |= UINT64_C(1) << (w->older.server + n) % w->core_count;
  world_tell("network", "LEAVES SOME BEHIND, servers %llx", (unsigned long long) w->older.lagging);
  for (uint32_t a = 0; a < w->core_count; a++) {
    if (!(w->older.lagging >> a & 1)) continue;
    world_net_reset(w->servers[a].process, w->desk);
    for (uint32_t b = 0; b < w->core_count; b++)
      if (!(w->older.lagging >> b & 1)) product_cut(w, a, b, false);
  }
  go_to(w, STEP_BEHIND);
}

static void strike(struct product_world *w) {
  for (uint32_t i = 0; i < w->core_count; i++)
    if (!(w->older.lagging >> i & 1))
      product_kill(w, i, WORLD_END_MACHINE, i == w->older.server ? 10 * NS_PER_MS : AWAY_MS * NS_PER_MS);
  put_back(w, &w->servers[w->older.server], w->older.whole);
  product_links_heal();
  go_to(w, STEP_DONE);
}

/// Nobody else.
static void strike_alone(struct product_world *w) {
  product_kill(w, w->older.server, WORLD_END_MACHINE, ALONE_AWAY_MS * NS_PER_MS);
  put_back(w, &w->servers[w->older.server], w->older.whole);
  go_to(w, STEP_DONE);
}

/// What was copied has been promised more since: all others know that, and half of them are left behind. If the copy is to be young, nobody
/// may, or another one is made.
static void go_on_from_copy(struct product_world *w) {
  uint32_t count = w->older.whole ? count_who_know_more(w) : 0;
  if (!w->older.young && (!w->older.whole || count == w->core_count - 1))
    leave_behind(w);
  else if (w->older.young && count == 0)
    strike_alone(w);
  else if (w->older.young)
    go_to(w, STEP_TOGETHER);
}

/// Nobody led, or clients waited for somebody who was left behind.
static void try_again(struct product_world *w) {
  product_links_heal();
  go_to(w, STEP_TOGETHER);
}

static void step(struct product_world *w) {
  const struct product_older *o = &w->older;
  int64_t ms = ms_since(o->since_ns);
  uint64_t since = w->report->counts.acknowledged - o->acknowledged;
  bool settled = are_together(w) && ms >= TOGETHER_MS && since >= ENOUGH;
  if (o->step == STEP_TOGETHER && settled)
    copy_one(w);
  else if (o->step == STEP_COPIED && settled)
    go_on_from_copy(w);
  else if (o->step == STEP_BEHIND && ms >= BEHIND_MS && since >= ENOUGH)
    strike(w);
  ms = ms_since(o->since_ns);
  if ((o->step == STEP_BEHIND && ms >= BEHIND_AT_MOST_MS) || (o->step == STEP_COPIED && ms >= TOGETHER_AT_MOST_MS)) try_again(w);
}

static void on_look(struct world_event *event) {
  step(playing);
  if (playing->older.step != STEP_DONE) world_event_set(event, LOOK_MS * NS_PER_MS);
}

void product_older_choose(struct product_world *w) {
  uint64_t kind = w->seed / 8 % 3;
  w->older.young = w->seed % 16 == 4;
  w->older.aims = (w->seed % 8 == 2 || w->older.young) && !(w->options->off >> FAULT_OLDER & 1);
  w->older.whole = w->older.young ? w->seed / 16 % 3 > 0 : kind > 0;
  w->older.running = w->older.young || kind == 2;
}

void product_older_begin(struct product_world *w) {
  playing = w;
  w->older.event.run = on_look;
  go_to(w, STEP_TOGETHER);
  world_event_set(&w->older.event, LOOK_MS * NS_PER_MS);
}
