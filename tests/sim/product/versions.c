#include "versions.h"

#include <string.h>

#include "dbms/dbms.h"
#include "os/thread.h"

enum { STEP_MS = 50, RESTART_MS = 2000, FOLLOW_MS = 60000 };

extern uint32_t feature_level_highest; // version_that_runs.c

static const struct product_world *playing;

static bool chance(uint64_t num, uint64_t den) {
  return rng_chance(world_rng(), num, den);
}

bool product_versions_are_mixed(uint64_t seed) {
  return seed % 4 == 3;
}

void product_versions_begin(struct product_world *w) {
  playing = w;
  feature_level_highest = LEVEL_BEFORE;
  w->versions.mixed = product_versions_are_mixed(w->seed);
  uint64_t next_of_four = w->versions.mixed ? rng_below(world_rng(), 4) : 0; // how far the upgrade is when the world begins
  for (uint32_t i = 0; i < w->server_count; i++)
    w->servers[i].installed = next_of_four > 0 && chance(next_of_four, 4) ? LEVEL_NEXT : LEVEL_BEFORE;
}

void product_versions_turn(const struct process *p) {
  uint32_t i = 0;
  while (i < playing->server_count && playing->servers[i].process != p) i++;
  feature_level_highest = i < playing->server_count ? playing->servers[i].level : LEVEL_BEFORE;
}

// ---- what the operator does ----

static bool is_there(const struct product_server *s) {
  return s->open && s->level == s->installed;
}

/// The version of the server's next life, which begins now: it is stopped in order, and whoever watches starts it.
static void install(struct product_world *w, uint32_t i, uint32_t level) {
  struct product_server *s = &w->servers[i];
  if (s->installed == level) return;
  s->installed = level;
  s->soon = true;
  world_tell("operator", "installs the version of level %u on %s", level, process_name(s->process));
  if (process_is_alive(s->process) && s->open) product_server_stop(s);
  if (w->versions.in_a_hurry) return;
  for (int waited_ms = 0; !is_there(s) && waited_ms < RESTART_MS && !w->stop; waited_ms += STEP_MS) thread_sleep_ns(STEP_MS * NS_PER_MS);
}

/// On all, beginning with any; where some were left out it is done again.
static void roll(struct product_world *w, uint32_t level) {
  uint32_t first = (uint32_t) rng_below(world_rng(), w->server_count);
  for (uint32_t i = 0; i < w->server_count && !w->stop; i++) install(w, (first + i) % w->server_count, level);
}

static void go_back(struct product_world *w) {
  for (uint32_t i = 0; i < w->server_count && !w->stop; i++)
    if (chance(2, 3)) install(w, i, LEVEL_BEFORE);
}

static bool has_risen(const struct product_world *w) {
  for (uint32_t i = 0; i < w->server_count; i++)
    if (w->servers[i].open && dbms_feature_level(w->servers[i].dbms) == LEVEL_NEXT) return true;
  return false;
}

/// It is refused as long as somebody is away, and does nothing as long as somebody is too old.
static void raise_level(struct product_world *w) {
  struct driver *d = &w->versions.operator;
  while (!w->stop && !has_risen(w)) {
    struct attempt a;
    attempt_begin(&a, d, true, 0);
    w->versions.asked = true;
    bool done = attempt_auto(&a, true, "", "CALL dbms.upgrade()", NULL, 0);
    world_tell("operator", "raises the level: %s", done ? "done" : d->last_error);
    if (d->wrong != NULL && strstr(d->wrong, "cannot be upgraded now") == NULL) product_fail(w, "%s", d->wrong);
    d->wrong = NULL;
    thread_sleep_ns(STEP_MS * NS_PER_MS);
  }
}

/// One comes back as what it was: its data are not touched, and the others go on without it.
static void mistake(struct product_world *w) {
  uint32_t i = (uint32_t) rng_below(world_rng(), w->server_count);
  install(w, i, LEVEL_BEFORE);
  install(w, i, LEVEL_NEXT);
}

void *product_operator_run(void *argument) {
  struct product_world *w = argument;
  w->versions.in_a_hurry = chance(1, 4);
  roll(w, LEVEL_NEXT);
  if (chance(1, 2)) go_back(w);
  roll(w, LEVEL_NEXT);
  raise_level(w);
  while (!w->stop && chance(1, 2)) mistake(w);
  driver_close(&w->versions.operator);
  w->versions.ended = true;
  return NULL;
}

// ---- what must be ----

void product_versions_watch(struct product_world *w) {
  if (w->versions.asked) return;
  if (has_risen(w)) product_fail(w, "the cluster has a level that nobody has raised it to");
  for (uint32_t i = 0; i < w->server_count; i++)
    if (w->servers[i].too_old) product_fail(w, "server %u may go back to the version before, and does not start", w->servers[i].number);
}

void product_versions_heal(struct product_world *w) {
  if (!w->versions.asked) return;
  for (uint32_t i = 0; i < w->server_count; i++) {
    struct product_server *s = &w->servers[i];
    s->installed = LEVEL_NEXT;
    if (process_is_alive(s->process) && s->level != s->installed) product_server_kill(s, WORLD_END_PROCESS);
  }
}

static bool follows(const struct product_server *s) {
  return s->role == PRODUCT_GATEWAY || (s->open && dbms_feature_level(s->dbms) == LEVEL_NEXT);
}

bool product_versions_finish(struct product_world *w) {
  if (!has_risen(w)) return true;
  w->report->counts.raised++;
  for (uint32_t i = 0; i < w->server_count; i++) {
    int waited_ms = 0;
    for (; !follows(&w->servers[i]) && waited_ms < FOLLOW_MS; waited_ms += STEP_MS) thread_sleep_ns(STEP_MS * NS_PER_MS);
    if (waited_ms < FOLLOW_MS) continue;
    product_fail(w, "server %u does not follow the level that the cluster was raised to", w->servers[i].number);
    return false;
  }
  return true;
}
