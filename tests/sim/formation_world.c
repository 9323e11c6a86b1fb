#include "formation_world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { STEP_MS = 20, TICK_MS = 1000, SETTLE_MS = 180000, STEPS_AT_ONCE = 8 };

struct frame {
  int64_t due_ms;
  struct buf bytes;
};

// One direction of a connection.
struct lane {
  struct frame frames[WORLD_FRAMES_MAX];
  unsigned count;
  int64_t last_due_ms;
};

struct world;

struct server {
  struct world *world;
  unsigned n;
  bool up, crash_before_saying;
  struct sim_disk *disk;
  struct random_seeded random;
  struct event_sink sink;
  struct formation *formation;
  struct directory *directory;
  struct directory_link *links[WORLD_SERVERS_MAX];
  unsigned listed; // bits of the servers that its settings name
  unsigned moves;  // changes of address
  char raft[40], discovery[40];
  int64_t start_ms, tick_ms, crash_ms; // when; negative: not planned
  bool bound;                          // and has said so
  struct founding founding;            // to which
};

struct world {
  struct world_options options;
  struct world_counts *counts;
  struct rng rng;
  uint64_t seed;
  int64_t now_ms, faults_ms;
  struct server servers[WORLD_SERVERS_MAX];
  struct lane lanes[WORLD_SERVERS_MAX][WORLD_SERVERS_MAX];       // from, to
  int64_t blocked_ms[WORLD_SERVERS_MAX][WORLD_SERVERS_MAX];      // until then the pair has no connection
  int64_t stalled_ms[WORLD_SERVERS_MAX][WORLD_SERVERS_MAX];      // until then nothing arrives in this direction
  int64_t retry_ms[WORLD_SERVERS_MAX][WORLD_SERVERS_MAX];        // of the pair (lower, higher)
  unsigned crash_mean_s, cut_mean_s, stall_mean_s, delay_max_ms; // how bad this world is
  bool has_cluster;
  struct founding cluster;
  char why[400];
};

// ---- telling ----

static void story(struct world *w, const char *fmt, ...) PRINTF(2, 3);
static void story(struct world *w, const char *fmt, ...) {
  if (w->options.trace == NULL) return;
  va_list args;
  va_start(args, fmt);
  fprintf(w->options.trace, "[%7.2f] ", (double) w->now_ms / 1000);
  vfprintf(w->options.trace, fmt, args);
  fputc('\n', w->options.trace);
  va_end(args);
}

static void fail(struct world *w, const char *fmt, ...) PRINTF(2, 3);
static void fail(struct world *w, const char *fmt, ...) {
  if (w->why[0] != '\0') return;
  va_list args;
  va_start(args, fmt);
  int len = snprintf(w->why, sizeof w->why, "at %.2f s: ", (double) w->now_ms / 1000);
  vsnprintf(w->why + len, sizeof w->why - (size_t) len, fmt, args);
  va_end(args);
  story(w, "FAILED %s", w->why);
}

static void hear_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct server *s = CONTAINER_OF(sink, struct server, sink);
  s->world->counts->foundings += strcmp(name, "cluster.formation.proposed") == 0;
  s->world->counts->voided += strcmp(name, "cluster.formation.void") == 0;
  story(s->world, "%u: %.*s", s->n, STR_ARG(text));
}

static bool chance_each_step(struct world *w, unsigned mean_s) {
  return mean_s > 0 && rng_below(&w->rng, (uint64_t) mean_s * 1000 / STEP_MS) == 0;
}

static int64_t later(struct world *w, int64_t min_ms, int64_t max_ms) {
  return w->now_ms + min_ms + (int64_t) rng_below(&w->rng, (uint64_t) (max_ms - min_ms) + 1);
}

// ---- the wire ----

static void lane_clear(struct lane *l) {
  for (unsigned i = 0; i < l->count; i++) buf_done(&l->frames[i].bytes);
  l->count = 0;
}

static void disconnect(struct world *w, unsigned a, unsigned b) {
  lane_clear(&w->lanes[a][b]);
  lane_clear(&w->lanes[b][a]);
  directory_link_free(w->servers[a].links[b]);
  directory_link_free(w->servers[b].links[a]);
  w->servers[a].links[b] = w->servers[b].links[a] = NULL;
  w->retry_ms[MIN(a, b)][MAX(a, b)] = later(w, 20, 1500);
}

static void send_to(struct server *s, unsigned to, enum directory_part part) {
  struct world *w = s->world;
  struct lane *l = &w->lanes[s->n][to];
  struct buf bytes = BUF_INIT;
  if (s->links[to] == NULL) return;
  if (directory_write(s->links[to], w->now_ms, part, &bytes) != ERR_OK) abort();
  if (bytes.len == 0 || l->count == WORLD_FRAMES_MAX) {
    bool full = bytes.len > 0;
    buf_done(&bytes);
    if (full) disconnect(w, s->n, to);
    return;
  }
  l->last_due_ms = MAX(l->last_due_ms, later(w, 0, w->delay_max_ms));
  l->frames[l->count++] = (struct frame){l->last_due_ms, bytes};
  w->counts->frames++;
}

static void send_all(struct server *s, enum directory_part part) {
  for (unsigned i = 0; i < s->world->options.servers; i++) send_to(s, i, part);
}

static bool knows(const struct server *a, unsigned b) {
  return (a->listed & 1u << b) != 0;
}

/// Also whom it has heard of, as the real one connects to what it finds in its directory.
static bool has_heard_of(struct server *a, const struct server *b) {
  struct arena arena;
  struct directory_copy copy;
  bool heard = false;
  arena_init(&arena, NULL);
  if (directory_copy(a->directory, &arena, &copy, NULL) != ERR_OK) abort();
  for (uint32_t i = 0; i < copy.count; i++) heard |= str_eqz(copy.servers[i].said.addresses[ADDRESS_DISCOVERY], b->discovery);
  arena_done(&arena);
  return heard;
}

static void connect_pair(struct world *w, unsigned a, unsigned b) {
  struct server *x = &w->servers[a], *y = &w->servers[b];
  if (!x->up || !y->up || x->links[b] != NULL || w->now_ms < w->retry_ms[a][b] || w->now_ms < w->blocked_ms[a][b]) return;
  w->retry_ms[a][b] = later(w, 100, 1500);
  if (!knows(x, b) && !knows(y, a) && !has_heard_of(x, y) && !has_heard_of(y, x)) return;
  if (directory_link_new(x->directory, &x->links[b], NULL) != ERR_OK) abort();
  if (directory_link_new(y->directory, &y->links[a], NULL) != ERR_OK) abort();
  send_to(x, b, DIRECTORY_SELF);
  send_to(y, a, DIRECTORY_SELF);
}

// ---- a server's life ----

static void crash(struct server *s, const char *why) {
  struct world *w = s->world;
  story(w, "%u: CRASHES (%s)", s->n, why);
  w->counts->crashes++;
  for (unsigned i = 0; i < w->options.servers; i++)
    if (s->links[i] != NULL) disconnect(w, s->n, i);
  directory_free(s->directory);
  formation_close(s->formation);
  s->directory = NULL;
  s->formation = NULL;
  s->up = false;
  s->crash_before_saying = false;
  s->crash_ms = -1;
  s->start_ms = rng_chance(&w->rng, 1, 5) ? later(w, 10000, 40000) : later(w, 100, 3000);
  if (sim_disk_is_off(s->disk)) return;
  sim_disk_cut_after(s->disk, -1);
  if (rng_chance(&w->rng, 1, 2)) sim_disk_cut(s->disk); // otherwise the process died and the machine lives
}

static void describe(struct server *s, struct announcement *self) {
  *self = (struct announcement){.version = STR("sim")};
  self->addresses[ADDRESS_DISCOVERY] = str_of(s->discovery);
  self->addresses[ADDRESS_RAFT] = str_of(s->raft);
  formation_describe(s->formation, self);
}

// What must hold whenever a server has said something.
static void judge(struct server *s) {
  struct world *w = s->world;
  struct formation_result r;
  if (!formation_result(s->formation, &r)) {
    if (s->bound) fail(w, "server %u was bound and is not any more", s->n);
    return;
  }
  if (s->bound && memcmp(&s->founding, &r.founding, sizeof r.founding) != 0) fail(w, "server %u changed its cluster", s->n);
  if (w->has_cluster && memcmp(&w->cluster, &r.founding, sizeof r.founding) != 0)
    fail(w, "two clusters: server %u is bound to %s, another one to %s", s->n, uuid_short(r.founding.cluster).z,
         uuid_short(w->cluster.cluster).z);
  w->has_cluster = s->bound = true;
  w->cluster = s->founding = r.founding;
}

static void start(struct server *s) {
  struct world *w = s->world;
  struct announcement self;
  struct error e = ERROR_INIT;
  struct formation_options o = {.disk = sim_disk_table(s->disk),
                                .folder = "/data",
                                .random = &s->random.source,
                                .mode = SERVER_CORE,
                                .minimum = w->options.minimum,
                                .events = &s->sink};
  if (sim_disk_is_off(s->disk)) sim_disk_power_on(s->disk);
  if (disk_make_directories(o.disk, "/data", &e) != ERR_OK) abort();
  if (rng_chance(&w->rng, 1, 10)) s->moves++;
  snprintf(s->raft, sizeof s->raft, "core%u-%u:7000", s->n, s->moves);
  snprintf(s->discovery, sizeof s->discovery, "core%u-%u:5000", s->n, s->moves);
  bool dies = w->now_ms < w->faults_ms && rng_chance(&w->rng, 1, 12);
  sim_disk_cut_after(s->disk, dies ? (int64_t) rng_below(&w->rng, 6) : -1);
  enum err err = formation_open(&o, &s->formation, &e);
  if (err != ERR_OK && sim_disk_is_off(s->disk)) {
    s->start_ms = later(w, 100, 3000);
    return;
  }
  if (err != ERR_OK) {
    fail(w, "server %u does not start: %s", s->n, e.message);
    return;
  }
  sim_disk_cut_after(s->disk, -1);
  describe(s, &self);
  if (directory_new(&(struct directory_options){0}, &self, w->now_ms, &s->directory, &e) != ERR_OK) abort();
  s->up = true;
  s->tick_ms = later(w, 0, TICK_MS);
  story(w, "%u: starts as %s, state %d, number %08x", s->n, uuid_short(self.server).z, (int) self.state, self.number);
  judge(s);
}

/// Something is on the disk and the server is about to say it: the moment to die, or to be alone.
static bool trouble_before_saying(struct server *s) {
  struct world *w = s->world;
  if (w->now_ms >= w->faults_ms) return false;
  if (w->crash_mean_s > 0 && rng_chance(&w->rng, 1, 8)) {
    crash(s, "after a save, before it is said");
    return true;
  }
  if (w->crash_mean_s > 0 && rng_chance(&w->rng, 1, 8)) s->crash_ms = later(w, 0, 200);
  if (w->cut_mean_s > 0 && rng_chance(&w->rng, 1, 8)) {
    for (unsigned i = 0; i < w->options.servers; i++) {
      int64_t until_ms = later(w, 1000, 40000);
      if (i == s->n) continue;
      w->blocked_ms[MIN(i, s->n)][MAX(i, s->n)] = until_ms;
      disconnect(w, i, s->n);
    }
  }
  return false;
}

/// False: it has crashed.
static bool step_once(struct server *s, bool *ret_changed) {
  struct world *w = s->world;
  struct arena arena;
  struct directory_copy view;
  struct error e = ERROR_INIT;
  unsigned listed = w->options.full_lists ? w->options.servers : (unsigned) __builtin_popcount(s->listed | 1u << s->n);
  arena_init(&arena, NULL);
  if (directory_copy(s->directory, &arena, &view, NULL) != ERR_OK) abort();
  if (w->now_ms < w->faults_ms && w->crash_mean_s > 0 && rng_chance(&w->rng, 1, 20))
    sim_disk_cut_after(s->disk, (int64_t) rng_below(&w->rng, 6));
  enum err err = formation_step(s->formation, w->now_ms, &view, listed, ret_changed, &e);
  arena_done(&arena);
  w->counts->steps++;
  if (sim_disk_is_off(s->disk)) {
    crash(s, "power cut within a save");
    return false;
  }
  sim_disk_cut_after(s->disk, -1);
  if (err != ERR_OK) fail(w, "server %u: %s", s->n, e.message);
  return err == ERR_OK;
}

static void decide(struct server *s) {
  for (int i = 0; i < STEPS_AT_ONCE && s->up; i++) {
    struct announcement self;
    bool changed = false, at_once;
    if (!step_once(s, &changed) || !changed) return;
    s->world->counts->saves++;
    if (trouble_before_saying(s)) return;
    describe(s, &self);
    if (directory_say(s->directory, &self, &at_once, NULL) != ERR_OK) abort();
    send_all(s, DIRECTORY_SELF);
    judge(s);
  }
}

// ---- what goes wrong ----

static void trouble(struct world *w) {
  unsigned n = w->options.servers;
  for (unsigned a = 0; a < n; a++) {
    struct server *s = &w->servers[a];
    if (s->up && (chance_each_step(w, w->crash_mean_s) || (s->crash_ms >= 0 && w->now_ms >= s->crash_ms))) crash(s, "any time");
  }
  if (chance_each_step(w, w->cut_mean_s)) { // the network is in two parts
    unsigned side = (unsigned) rng_below(&w->rng, 1u << n);
    int64_t until_ms = later(w, 500, 40000);
    story(w, "network cut: %x from the rest", side);
    for (unsigned a = 0; a < n; a++)
      for (unsigned b = a + 1; b < n; b++)
        if ((side >> a & 1) != (side >> b & 1)) {
          w->blocked_ms[a][b] = until_ms;
          disconnect(w, a, b);
        }
  }
  if (chance_each_step(w, w->stall_mean_s)) { // what is said arrives late, in one direction
    unsigned a = (unsigned) rng_below(&w->rng, n), b = (unsigned) rng_below(&w->rng, n);
    w->stalled_ms[a][b] = later(w, 500, 30000);
  }
  if (chance_each_step(w, w->stall_mean_s)) {
    unsigned a = (unsigned) rng_below(&w->rng, n), b = (unsigned) rng_below(&w->rng, n);
    if (a != b) disconnect(w, a, b);
  }
}

static void heal(struct world *w) {
  story(w, "all is well from here on");
  memset(w->blocked_ms, 0, sizeof w->blocked_ms);
  memset(w->stalled_ms, 0, sizeof w->stalled_ms);
  for (unsigned a = 0; a < w->options.servers; a++) {
    w->servers[a].crash_ms = -1;
    if (!w->servers[a].up) w->servers[a].start_ms = MIN(w->servers[a].start_ms, w->now_ms + 1000);
  }
}

// ---- time ----

/// A server that has come back at another address is taken for a copy of itself until it was silent at the former one for a while:
/// the connection ends, and another one is made.
static void hear(struct world *w, unsigned from, unsigned to, const struct buf *bytes) {
  struct error e = ERROR_INIT;
  enum err err = directory_hear(w->servers[to].links[from], w->now_ms, (uint8_t *) bytes->data, bytes->len, &e);
  if (err == ERR_BUSY) disconnect(w, from, to);
  if (err != ERR_OK && err != ERR_BUSY) fail(w, "server %u refuses a frame: %s", to, e.message);
}

static void deliver(struct world *w, unsigned from, unsigned to) {
  struct lane *l = &w->lanes[from][to];
  struct server *s = &w->servers[to];
  bool heard = false;
  while (l->count > 0 && l->frames[0].due_ms <= w->now_ms && w->now_ms >= w->stalled_ms[from][to]) {
    struct frame f = l->frames[0];
    memmove(l->frames, l->frames + 1, --l->count * sizeof *l->frames);
    hear(w, from, to, &f.bytes);
    buf_done(&f.bytes);
    heard = true;
  }
  if (heard) decide(s);
}

static void tick(struct server *s) {
  struct world *w = s->world;
  s->tick_ms = w->now_ms + TICK_MS;
  directory_tick(s->directory, w->now_ms);
  decide(s);
  if (s->up) send_all(s, DIRECTORY_ALL);
}

static void advance(struct world *w) {
  unsigned n = w->options.servers;
  w->now_ms += STEP_MS;
  for (unsigned a = 0; a < n; a++) {
    struct server *s = &w->servers[a];
    if (!s->up && w->now_ms >= s->start_ms) start(s);
    if (s->up && w->now_ms >= s->tick_ms) tick(s);
  }
  for (unsigned a = 0; a < n; a++)
    for (unsigned b = a + 1; b < n; b++) connect_pair(w, a, b);
  for (unsigned a = 0; a < n; a++)
    for (unsigned b = 0; b < n; b++) deliver(w, a, b);
}

static bool all_bound(const struct world *w) {
  for (unsigned a = 0; a < w->options.servers; a++)
    if (!w->servers[a].up || formation_identity(w->servers[a].formation)->state != IDENTITY_BOUND) return false;
  return true;
}

/// Until all are bound, or it has taken too long.
static void settle(struct world *w) {
  int64_t begin_ms = w->now_ms;
  heal(w);
  while (w->why[0] == '\0' && !all_bound(w) && w->now_ms - begin_ms < SETTLE_MS) advance(w);
  w->counts->settle_ms_max = MAX(w->counts->settle_ms_max, (uint64_t) (w->now_ms - begin_ms));
  for (unsigned a = 0; a < w->options.servers && w->why[0] == '\0'; a++) {
    struct server *s = &w->servers[a];
    if (!s->up || formation_identity(s->formation)->state != IDENTITY_BOUND)
      fail(w, "server %u is %s though all is well for %d s", a, !s->up ? "down" : "not bound", SETTLE_MS / 1000);
  }
}

// ---- a world ----

/// Somebody's list must lead to everybody: each server names at least one of those before it, or is named.
static unsigned choose_list(struct world *w, unsigned n) {
  unsigned all = (1u << w->options.servers) - 1;
  if (w->options.full_lists) return all;
  unsigned some = (unsigned) rng_below(&w->rng, all + 1);
  return n > 0 ? some | 1u << rng_below(&w->rng, n) : some;
}

static unsigned choose_mean_s(struct world *w) {
  static const unsigned means[] = {0, 3, 8, 20, 60};
  return means[rng_below(&w->rng, ARRAY_SIZE(means))];
}

static void make(struct world *w) {
  w->crash_mean_s = choose_mean_s(w);
  w->cut_mean_s = choose_mean_s(w);
  w->stall_mean_s = choose_mean_s(w);
  w->delay_max_ms = rng_chance(&w->rng, 1, 4) ? 1500 : 60;
  w->faults_ms = 20000 + (int64_t) rng_below(&w->rng, 100000);
  bool late = rng_chance(&w->rng, 1, 2);
  for (unsigned n = 0; n < w->options.servers; n++) {
    struct server *s = &w->servers[n];
    *s = (struct server){.world = w, .n = n, .sink.raise = hear_event, .crash_ms = -1};
    s->disk = sim_disk_new(w->seed * 31 + n);
    random_seeded_init(&s->random, w->seed * 131 + n);
    s->listed = choose_list(w, n);
    s->start_ms = later(w, 0, late ? 60000 : 3000);
  }
}

static void unmake(struct world *w) {
  for (unsigned a = 0; a < w->options.servers; a++)
    for (unsigned b = 0; b < w->options.servers; b++) {
      directory_link_free(w->servers[a].links[b]);
      lane_clear(&w->lanes[a][b]);
    }
  for (unsigned n = 0; n < w->options.servers; n++) {
    directory_free(w->servers[n].directory);
    formation_close(w->servers[n].formation);
    sim_disk_free(w->servers[n].disk);
  }
}

bool world_play(uint64_t seed, const struct world_options *options, struct world_counts *counts, char ret_why[400]) {
  struct world *w = mem_zalloc(sizeof *w);
  if (w == NULL) abort();
  w->options = *options;
  w->counts = counts;
  w->seed = seed;
  rng_seed(&w->rng, seed);
  make(w);
  while (w->now_ms < w->faults_ms && w->why[0] == '\0') {
    if (all_bound(w) && rng_chance(&w->rng, 1, 200)) break; // nothing is left to go wrong
    trouble(w);
    advance(w);
  }
  w->faults_ms = MIN(w->faults_ms, w->now_ms);
  if (w->why[0] == '\0') settle(w);
  bool good = w->why[0] == '\0';
  memcpy(ret_why, w->why, sizeof w->why);
  counts->worlds++;
  counts->simulated_ms += (uint64_t) w->now_ms;
  unmake(w);
  mem_free(w);
  return good;
}
