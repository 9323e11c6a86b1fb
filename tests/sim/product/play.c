// One world, from its seed.
#include <stdarg.h>
#include <string.h>

#include "product.h"
#include "server_line.h"
#include "versions.h"

enum { FORM_MS = 60000, CLIENTS_END_MS = 60000, FINISH_MS = 300000, OLDER_MS = 12000 };

void product_fail(struct product_world *w, const char *fmt, ...) {
  va_list args;
  if (w->report->failed) return;
  w->report->failed = true;
  va_start(args, fmt);
  vsnprintf(w->report->why, WHY_MAX, fmt, args);
  va_end(args);
  world_tell("world", "FAILED: %s", w->report->why);
}

/// Those that founded it, and quick elections: it is over before the lost ones come back.
static void aim(struct product_world *w) {
  w->early = false;
  w->server_count -= w->core_count - w->settings.servers;
  w->core_count = w->settings.servers;
  snprintf(w->settings.window, sizeof w->settings.window, "300ms");
}

static void choose_settings(struct product_world *w) {
  static const char *const kept[] = {"256m size", "20 entries", "200 entries"}, *const checkpoints[] = {"2k", "20k", "250m"},
                           *const windows[] = {"300ms", "1s", "1s"};
  static const int64_t pauses_ms[] = {100, 700, 10000};
  struct rng *r = world_rng();
  w->server_count = w->options->servers != 0 ? w->options->servers : rng_chance(r, 1, 4) ? 5 : 3;
  w->settings.servers = w->server_count;
  if (rng_chance(r, 1, 5)) w->server_count++; // one comes later
  w->core_count = w->server_count;
  if (rng_chance(r, 2, 5)) w->replica_count = 1 + (uint32_t) rng_below(r, 2);
  w->server_count += w->replica_count + rng_chance(r, 1, 5); // a gateway
  w->writes_much = rng_chance(r, 1, 10);
  w->makes_databases = rng_chance(r, 1, 4);
  w->early = rng_chance(r, 1, 4);
  snprintf(w->settings.log_kept, sizeof w->settings.log_kept, "%s", kept[rng_below(r, ARRAY_SIZE(kept))]);
  snprintf(w->settings.checkpoint, sizeof w->settings.checkpoint, "%s", checkpoints[rng_below(r, ARRAY_SIZE(checkpoints))]);
  snprintf(w->settings.window, sizeof w->settings.window, "%s", windows[rng_below(r, ARRAY_SIZE(windows))]);
  w->leads_in_turn = w->seed % 8 == 5;
  product_older_choose(w);
  if (w->older.aims) aim(w);
  w->settings.move_pause_ms = w->older.aims ? (w->older.young ? 10000 : 100) : pauses_ms[w->seed % ARRAY_SIZE(pauses_ms)];
  if (w->leads_in_turn) snprintf(w->settings.window, sizeof w->settings.window, "300ms");
  w->think_ns = (INT64_C(30) << rng_below(r, 4)) * NS_PER_MS;
  w->client_count = 4 + (uint32_t) rng_below(r, CLIENTS_MAX - 3);
}

static enum product_role role_of(const struct product_world *w, uint32_t i) {
  if (i < w->core_count) return PRODUCT_CORE;
  return i < w->core_count + w->replica_count ? PRODUCT_REPLICA : PRODUCT_GATEWAY;
}

static void *stay(void *argument UNUSED) {
  return NULL;
}

static void people(struct product_world *w) {
  w->desk = world_process_new("desk");
  process_start(w->desk, stay, NULL);
  for (uint32_t i = 0; i < w->server_count; i++) product_server_init(&w->servers[i], role_of(w, i), i + 1, &w->settings, w->seed);
  const struct driver driver = {.self = w->desk, .servers = w->servers, .server_count = w->server_count, .database = "neo4j"};
  for (uint32_t i = 0; i < w->client_count; i++) {
    struct product_client *c = &w->clients[i];
    *c = (struct product_client){.world = w, .number = i, .driver = driver, .system = driver, .extra = driver};
    c->system.database = "system";
    c->extra.database = "extra";
    c->system.may_be_missing = c->extra.may_be_missing = true;
  }
  w->versions.operator = driver;
  w->versions.operator.database = "system";
}

static bool is_prepared(void *context) {
  const struct product_world *w = context;
  return w->prepared || w->report->failed;
}

static bool has_failed(void *context) {
  const struct product_world *w = context;
  return w->report->failed;
}

static bool clients_ended(void *context) {
  const struct product_world *w = context;
  for (uint32_t i = 0; i < w->client_count; i++)
    if (!w->clients[i].ended) return w->report->failed;
  return !w->versions.mixed || w->versions.ended || w->report->failed;
}

static bool has_finished(void *context) {
  const struct product_world *w = context;
  return w->finished || w->report->failed;
}

static void at_desk(struct product_world *w, const char *name, void *(*run)(void *), void *argument) {
  fiber_detach(fiber_start(w->desk, name, run, argument));
}

/// In most worlds nothing goes wrong before the clients have what they need.
static bool form(struct product_world *w, int64_t *left_ms) {
  at_desk(w, "prepare", product_prepare, w);
  if (w->early) {
    int64_t begin_ns = world_now_ns();
    product_faults_begin(w);
    world_run_for(*left_ms * NS_PER_MS, is_prepared, w);
    *left_ms -= (world_now_ns() - begin_ns) / NS_PER_MS;
    if (!w->prepared) product_heal(w);
  }
  if (!w->prepared && !world_run_for(FORM_MS * NS_PER_MS, is_prepared, w))
    product_fail(w, "no cluster within %d s", FORM_MS / 1000);
  return !w->report->failed;
}

static bool live(struct product_world *w, int64_t faults_ms) {
  for (uint32_t i = 0; i < w->client_count; i++) at_desk(w, "client", product_client_run, &w->clients[i]);
  if (w->versions.mixed) at_desk(w, "operator", product_operator_run, w);
  if (!w->early) product_faults_begin(w);
  world_run_for(faults_ms * NS_PER_MS, has_failed, w);
  if (w->report->failed) return false;
  if (!w->healed) product_heal(w);
  world_run_for((int64_t) rng_below(world_rng(), 1000) * NS_PER_MS, has_failed, w);
  w->stop = true;
  if (!world_run_for(CLIENTS_END_MS * NS_PER_MS, clients_ended, w)) product_fail(w, "clients do not end");
  return !w->report->failed;
}

static void play(struct product_world *w) {
  choose_settings(w);
  people(w);
  product_versions_begin(w);
  product_faults_choose(w);
  product_watch(w);
  int64_t faults_ms = w->options->faults_ms != 0 ? w->options->faults_ms : 1500 + (int64_t) rng_below(world_rng(), 5500);
  if (w->older.aims && w->options->faults_ms == 0) faults_ms = OLDER_MS;
  if (!form(w, &faults_ms) || !live(w, MAX(faults_ms, INT64_C(500)))) return;
  product_versions_heal(w);
  at_desk(w, "finish", product_finish, w);
  if (!world_run_for(FINISH_MS * NS_PER_MS, has_finished, w)) product_fail(w, "not everything answers after all is healed");
}

void product_play(uint64_t seed, const struct product_options *options, struct product_report *ret) {
  static struct product_world w;
  struct rng dice;
  *ret = (struct product_report){.counts.seeds = 1};
  rng_seed(&dice, seed ^ 0x51);
  world_new(&(struct world_options){
      .seed = seed,
      .trace = options->trace,
      .switch_one_in = rng_chance(&dice, 1, 2) ? 0 : 1 + rng_below(&dice, 400),
      .turn = product_versions_are_mixed(seed) ? product_versions_turn : NULL});
  session_lines_new_world();
  w = (struct product_world){.options = options, .report = ret, .seed = seed};
  play(&w);
  ret->counts.simulated_ms = (uint64_t) (world_now_ns() / NS_PER_MS);
  ret->hash = world_hash();
  for (uint32_t i = 0; i < w.server_count; i++) {
    if (process_is_alive(w.servers[i].process)) product_server_kill(&w.servers[i], WORLD_END_PROCESS);
    world_disk_free(w.servers[i].disk);
  }
  world_free(world);
}
