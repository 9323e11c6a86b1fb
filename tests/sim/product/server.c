#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/remote.h"
#include "config/config.h"
#include "dbms/dbms.h"
#include "dbms/session.h"
#include "dbms/standing.h"
#include "os/random.h"
#include "os/thread.h"
#include "server/engine.h"
#include "server/front_doors.h"
#include "server/member.h"
#include "server_line.h"

enum { TICK_MS = 10, LOOK_MS = 40, LEADERS_MS = 3000, EVERYBODY_MS = 1200 };

/// What a life has; in its own memory.
struct life {
  struct product_server *server;
  struct config *config;
  struct event_sink events;
  struct member *member;
  struct engine *engine;
  struct dbms_remote *remote;
  struct front_doors *doors;
  const struct dbms_cluster_options *cluster;
  struct dbms_cluster_options hurried; // the same, with starts that move more often than anybody would want
  struct thread ticker;
  bool ends;
};

// ---- what is told ----

static void on_event(struct event_sink *sink, enum event_level level, const char *name, struct str text) {
  const struct life *life = CONTAINER_OF(sink, struct life, events);
  static const char *const levels[] = {"debug", "info", "WARN", "ERROR"};
  if (strcmp(name, "member.older") == 0) life->server->begins_anew = true;
  world_tell(process_name(life->server->process), "%s %s %.*s", levels[level], name, STR_ARG(text));
}

// ---- settings ----

static void set(struct life *life, const char *key, const char *value) {
  struct error e = ERROR_INIT;
  if (config_set(life->config, str_of(key), str_of(value), CONFIG_COMMAND_LINE, STR("--set"), &e) == ERR_OK) return;
  fprintf(stderr, "%s=%s: %s\n", key, value, e.message);
  abort();
}

static void configure(struct life *life) {
  const struct product_server *s = life->server;
  struct error e = ERROR_INIT;
  char endpoints[200] = "", number[12];
  for (uint32_t i = 1; i <= s->settings->servers; i++)
    snprintf(endpoints + strlen(endpoints), sizeof endpoints - strlen(endpoints), "%score%u:5000", i > 1 ? "," : "", i);
  snprintf(number, sizeof number, "%u", s->settings->servers);
  life->config = config_new();
  static const char *const modes[] = {"CORE", "READ_REPLICA", "GATEWAY"};
  set(life, "dbms.mode", modes[s->role]);
  set(life, "server.default_listen_address", "0.0.0.0");
  set(life, "server.default_advertised_address", process_name(s->process));
  set(life, "dbms.cluster.discovery.endpoints", endpoints);
  set(life, "dbms.cluster.minimum_initial_system_primaries_count", number);
  set(life, "dbms.security.auth_enabled", "false");
  set(life, "server.http.enabled", "false"); // which has nothing to do with what is looked at here
  set(life, "server.memory.pagecache.size", "8m");
  set(life, "server.threads.worker_count", "2");
  set(life, "quiver.discovery.expiry", "3s");
  set(life, "dbms.routing_ttl", "10s");
  set(life, "db.transaction.bookmark_ready_timeout", "3s");
  set(life, "db.lock.acquisition.timeout", "5s");
  set(life, "db.tx_log.rotation.size", "128k");
  set(life, "db.checkpoint.interval.volume", s->settings->checkpoint);
  set(life, "db.cluster.raft.log.prune_strategy", s->settings->log_kept);
  set(life, "dbms.cluster.raft.leader_failure_detection_window", s->settings->window);
  if (config_finish(life->config, STR("/home"), &e) == ERR_OK) return;
  fprintf(stderr, "%s\n", e.message);
  abort();
}

// ---- life: what server/server.c does, but for signals and front doors ----

static void *tick(void *argument) {
  struct life *life = argument;
  while (!life->ends) {
    thread_sleep_ns(TICK_MS * NS_PER_MS);
    dbms_tick(engine_dbms(life->engine));
  }
  return NULL;
}

static enum err reach_others(struct life *life, struct error *e) {
  const struct bolt_remote_options options = {.threads = 2, .random = random_system()};
  TRY(bolt_remote_new(&options, &life->remote, e));
  engine_reach(life->engine, life->remote);
  return ERR_OK;
}

static enum err start(struct life *life, struct error *e) {
  struct disk *disk = world_disk_table(life->server->disk);
  TRY(engine_new(life->config, disk, &life->events, &life->engine, e));
  TRY(member_open(life->config, disk, &life->events, &life->member, e));
  TRY(member_form(life->member, &life->cluster, e));
  life->hurried = *life->cluster;
  life->hurried.move_pause_ms = life->server->settings->move_pause_ms;
  life->cluster = &life->hurried;
  TRY(reach_others(life, e));
  return engine_open(life->engine, life->cluster, e);
}

static bool has_seen_enough(const struct dbms_outlook *seen, int waited_ms) {
  if (!seen->filled) return false;
  if (waited_ms >= LEADERS_MS) return true;
  return seen->leaders && seen->current && (seen->everybody || waited_ms >= EVERYBODY_MS);
}

static void look_out(struct life *life) {
  struct dbms_outlook seen = {0};
  for (int waited_ms = 0; !life->server->stopping && !member_wants_restart(life->member); waited_ms += LOOK_MS) {
    if (dbms_look_out(engine_dbms(life->engine), &seen, NULL) != ERR_OK || has_seen_enough(&seen, waited_ms)) return;
    thread_sleep_ns(LOOK_MS * NS_PER_MS);
  }
}

static void serve(struct life *life) {
  struct product_server *s = life->server;
  if (thread_start(&life->ticker, "ticker", tick, life, NULL) != ERR_OK) abort();
  bool gateway = s->role == PRODUCT_GATEWAY;
  if (!gateway) look_out(life);
  struct error e = ERROR_INIT;
  if (front_doors_open(life->config, gateway ? NULL : life->cluster, engine_dbms(life->engine), &life->events, &life->doors, &e) != ERR_OK) {
    fprintf(stderr, "%s\n", e.message); // nothing of the world explains that
    abort();
  }
  s->dbms = engine_dbms(life->engine);
  s->cluster = uuid_get(life->cluster->cluster);
  s->identity = life->cluster->server;
  s->open = true;
  member_announce(life->member, s->dbms);
  world_tell(process_name(s->process), "SERVES");
  s->waits = fiber_current();
  while (!s->stopping && !member_wants_restart(life->member)) fiber_park(LOOK_MS * NS_PER_MS);
  s->waits = NULL;
  s->open = false;
  for (int waited_ms = 0; s->lines > 0; waited_ms += TICK_MS) {
    if (waited_ms == 1000) dbms_terminate_all(s->dbms);
    thread_sleep_ns(TICK_MS * NS_PER_MS);
  }
  front_doors_close(life->doors);
  life->ends = true;
  thread_join(&life->ticker);
  member_hush(life->member);
}

static void cannot_start(struct product_server *s, const struct error *e) {
  world_tell(process_name(s->process), "CANNOT START: %s", e->message);
  s->too_old = strstr(e->message, "feature level") != NULL;
}

static void *run(void *argument) {
  struct life *life = mem_zalloc(sizeof *life);
  if (life == NULL) abort();
  struct error e = ERROR_INIT;
  *life = (struct life){.server = argument, .events.raise = on_event};
  struct product_server *s = life->server;
  configure(life);
  enum err err = start(life, &e);
  if (err == ERR_OK)
    serve(life);
  else
    cannot_start(s, &e);
  engine_close(life->engine);
  bolt_remote_free(life->remote);
  member_close(life->member);
  config_free(life->config);
  mem_free(life);
  world_tell(process_name(s->process), "ENDED");
  s->dbms = NULL;
  s->ended = true;
  return NULL;
}

// ---- from outside ----

static void on_power_lost(void *context) {
  product_server_kill(context, WORLD_END_MACHINE);
}

void product_server_init(struct product_server *s, enum product_role role, uint32_t number, const struct product_settings *settings,
                         uint64_t seed) {
  static const char *const roles[] = {"core", "replica", "gateway"};
  char name[20];
  snprintf(name, sizeof name, "%s%u", roles[role], number);
  *s = (struct product_server){.role = role, .process = world_process_new(name), .number = number, .settings = settings};
  s->disk = world_disk_new(seed * 31 + number, on_power_lost, s);
}

void product_server_start(struct product_server *s) {
  s->ended = s->stopping = s->open = s->too_old = s->soon = false;
  s->waits = NULL;
  s->level = s->installed;
  s->dbms = NULL;
  s->lines = 0;
  s->should_run = true;
  world_tell(process_name(s->process), "STARTS, life %u", process_lives(s->process) + 1);
  process_start(s->process, run, s);
}

void product_server_kill(struct product_server *s, enum world_end end) {
  world_tell(process_name(s->process), end == WORLD_END_MACHINE ? "LOSES POWER" : "IS KILLED");
  s->open = false;
  s->dbms = NULL;
  s->waits = NULL;
  session_lines_lose(s, end);
  process_kill(s->process, end);
  world_disk_abandon(s->disk, end);
}

void product_server_stop(struct product_server *s) {
  world_tell(process_name(s->process), "is asked to stop");
  s->stopping = true;
  if (s->waits != NULL) fiber_wake(s->waits);
}
