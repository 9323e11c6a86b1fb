#include "server/server.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "bolt/remote.h"
#include "dbms/dbms.h"
#include "dbms/seed.h"
#include "dbms/session.h"
#include "dbms/standing.h"
#include "os/thread.h"
#include "server/engine.h"
#include "server/front_doors.h"
#include "server/help.h"
#include "server/machine.h"
#include "server/member.h"
#include "server/metrics.h"
#include "server/pid_file.h"
#include "server/user_log.h"

enum { TICK_NS = 10 * NS_PER_MS, REMOTE_THREADS = 2 };
enum {
  LEADERS_MS = 3000,
  EVERYBODY_MS = 1200
}; // longer than a founding's first election takes; than servers take to tell of each other

struct server {
  struct server_options options;
  struct user_log *log;
  struct event_sink *events;
  struct pid_file *pid_file;
  struct member *member; // NULL: standalone
  const struct dbms_cluster_options *cluster;
  struct dbms_remote *remote; // how the other servers of the cluster are reached
  struct engine *engine;
  struct front_doors *doors;
  struct bolt_server *_Atomic bolt; // the doors'
  struct metrics_output *metrics;

  struct thread ticker;
  bool ticking;
  _Atomic bool end_ticker;

  struct mutex mutex; // what follows
  struct condition asked;
  bool asked_to_stop, again; // again: by itself
};

static sigset_t stop_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

/// Whether it was asked to before.
static bool ask_to_stop(struct server *s) {
  mutex_lock(&s->mutex);
  bool again = s->asked_to_stop;
  s->asked_to_stop = true;
  condition_signal(&s->asked);
  mutex_unlock(&s->mutex);
  return again;
}

static void on_stop_signal(struct server *s) {
  if (!ask_to_stop(s)) return;
  member_hurry(s->member);
  event_raise(s->events, EVENT_WARN, "server.hurry", "Asked to stop again: open transactions are ended now.");
  dbms_terminate_all(engine_dbms(s->engine));
}

static void look_whether_again(struct server *s) {
  if (!member_wants_restart(s->member)) return;
  mutex_lock(&s->mutex);
  s->again |= !s->asked_to_stop;
  s->asked_to_stop = true;
  condition_signal(&s->asked);
  mutex_unlock(&s->mutex);
}

/// Timer and signals in one thread.
static void *run_ticker(void *argument) {
  struct server *s = argument;
  sigset_t set = stop_signals();
  const struct timespec tick = {.tv_nsec = TICK_NS};
  while (!atomic_load(&s->end_ticker)) {
    if (sigtimedwait(&set, NULL, &tick) > 0) on_stop_signal(s);
    if (member_is_to_end(s->member)) (void) ask_to_stop(s);
    dbms_tick(engine_dbms(s->engine));
    look_whether_again(s);
  }
  return NULL;
}

static enum err open_log(struct server *s, struct error *e) {
  const struct config_values *v = config_values(s->options.config);
  char path[4200];
  snprintf(path, sizeof path, "%.*s/neo4j.log", STR_ARG(v->logs_directory));
  struct user_log_options options = {
      .path = path,
      .console = s->options.console && v->log_user_stdout,
      .debug = s->options.debug,
      .local_time = str_eqz(v->log_timezone, "SYSTEM"),
      .rotation_bytes = v->log_user_rotation_bytes,
      .keep = (int) v->log_user_keep,
      .clock = clock_system(),
  };
  TRY(user_log_open(&options, &s->log, e));
  s->events = user_log_sink(s->log);
  return ERR_OK;
}

/// Every connection is an open file; stores and logs need some hundred more.
static void look_at_open_files(struct server *s) {
  uint64_t limit = machine_raise_open_files(), wanted = (uint64_t) config_values(s->options.config)->bolt_connections_max + machine_files_kept(UINT64_MAX);
  if (limit >= wanted) return;
  event_raise(s->events, EVENT_WARN, "server.open_files", "Max %llu open files allowed, minimum of %llu recommended: raise `ulimit -n` or LimitNOFILE=. Until then fewer connections are let in.",
              (unsigned long long) limit, (unsigned long long) wanted);
}

static void greet(struct server *s) {
  event_raise(s->events, EVENT_INFO, "server.version", "======== Quiver %s ========", quiver_version());
  event_raise(s->events, EVENT_INFO, "server.starting", "Starting...");
  look_at_open_files(s);
  for (uint32_t i = 0; i < config_warning_count(s->options.config); i++) {
    struct str warning = config_warning(s->options.config, i);
    event_raise(s->events, EVENT_WARN, "config.warning", "%.*s", STR_ARG(warning));
  }
}

static enum err take_pid_file(struct server *s, struct error *e) {
  char path[4200];
  snprintf(path, sizeof path, "%.*s/neo4j.pid", STR_ARG(config_values(s->options.config)->run_directory));
  return pid_file_take(path, &s->pid_file, e);
}

static enum err form_cluster(struct server *s, struct error *e) {
  TRY(member_open(s->options.config, s->options.disk, s->events, &s->member, e));
  TRY(member_form(s->member, &s->cluster, e));
  struct bolt_remote_options options = {.tls = s->cluster->tls,
                                        .tls_verify_names = s->cluster->tls_verify_names,
                                        .threads = REMOTE_THREADS,
                                        .random = random_system(),
                                        .links = s->cluster->links};
  TRY(bolt_remote_new(&options, &s->remote, e));
  engine_reach(s->engine, s->remote);
  return ERR_OK;
}

static struct disk *disk_of(const struct server *s) {
  return s->options.disk != NULL ? s->options.disk : disk_system();
}

/// Threads leave the signals to the ticker. While the other servers are waited for and databases are recovered there is nobody to ask, and a signal ends the process.
static enum err open_engine(struct server *s, struct error *e) {
  sigset_t set = stop_signals();
  TRY(engine_new(s->options.config, s->options.disk, s->events, &s->engine, e));
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  enum err err = member_is_wanted(s->options.config) ? form_cluster(s, e) : ERR_OK;
  bool founds = s->cluster != NULL && !s->cluster->replica && !s->cluster->single && !s->cluster->gateway;
  if (err == ERR_OK && founds)
    err = seed_begin(config_values(s->options.config), disk_of(s), s->events, s->cluster, e);
  if (err == ERR_OK) err = engine_open(s->engine, s->cluster, e);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  return err;
}

static enum err start_ticker(struct server *s, struct error *e) {
  TRY(thread_start(&s->ticker, "ticker", run_ticker, s, e));
  s->ticking = true;
  return ERR_OK;
}

static void stop_ticker(struct server *s) {
  if (!s->ticking) return;
  atomic_store(&s->end_ticker, true);
  thread_join(&s->ticker);
  s->ticking = false;
}

static bool is_asked_to_stop(struct server *s) {
  mutex_lock(&s->mutex);
  bool asked = s->asked_to_stop;
  mutex_unlock(&s->mutex);
  return asked;
}

/// True: nothing better is to be expected soon.
static bool has_seen_enough(const struct dbms_outlook *seen, int64_t waited_ms) {
  if (!seen->filled) return false;
  if (waited_ms >= LEADERS_MS) return true;
  return seen->leaders && seen->current && (seen->everybody || waited_ms >= EVERYBODY_MS);
}

/// Clients that come in at once would be told of nobody but this server, and of no leader, and a replica would have nothing to
/// show. Without a majority there is no leader: then reads are served all the same.
static enum err look_out(struct server *s, struct error *e) {
  const int64_t started_ns = clock_monotonic_ns(clock_system());
  struct dbms_outlook seen = {0};
  while (!is_asked_to_stop(s)) {
    TRY(dbms_look_out(engine_dbms(s->engine), &seen, e));
    if (has_seen_enough(&seen, (clock_monotonic_ns(clock_system()) - started_ns) / NS_PER_MS)) break;
    thread_sleep_ns(TICK_NS);
  }
  return ERR_OK;
}

static enum err start_all(struct server *s, struct error *e) {
  greet(s);
  TRY(take_pid_file(s, e));
  TRY(open_engine(s, e));
  TRY(start_ticker(s, e));
  bool gateway = s->cluster != NULL && s->cluster->gateway;
  if (s->member != NULL && !gateway) TRY(look_out(s, e));
  TRY(metrics_output_start(config_values(s->options.config), engine_dbms(s->engine), &s->bolt, s->events, &s->metrics, e));
  TRY(front_doors_open(s->options.config, gateway ? NULL : s->cluster, engine_dbms(s->engine), s->events, &s->doors, e));
  s->bolt = front_doors_bolt(s->doors);
  if (s->member != NULL) member_announce(s->member, engine_dbms(s->engine));
  return ERR_OK;
}

static void close_all(struct server *s) {
  metrics_output_stop(s->metrics);
  front_doors_close(s->doors);
  stop_ticker(s);
  member_hush(s->member);
  engine_close(s->engine);
  bolt_remote_free(s->remote);
  member_close(s->member);
  pid_file_release(s->pid_file);
}

static void server_free(struct server *s) {
  user_log_close(s->log);
  condition_done(&s->asked);
  mutex_done(&s->mutex);
  mem_free(s);
}

enum err server_start(const struct server_options *options, struct server **ret, struct error *e) {
  struct server *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory to start");
  s->options = *options;
  mutex_init(&s->mutex);
  condition_init(&s->asked);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  enum err err = open_log(s, e);
  if (err == ERR_OK) err = start_all(s, e);
  if (err != ERR_OK) {
    event_raise(s->events, EVENT_ERROR, "server.failed", "Failed to start: %s", e != NULL ? e->message : "");
    close_all(s);
    server_free(s);
    return err;
  }
  event_raise(s->events, EVENT_INFO, "server.started", "Started.");
  struct str page = server_http_address(s);
  if (page.len > 0)
    event_raise(s->events, EVENT_INFO, "http.available", "Remote interface available at http://%.*s/", STR_ARG(page));
  *ret = s;
  return ERR_OK;
}

struct str server_http_address(const struct server *s) {
  return front_doors_http_address(s->doors);
}

void server_wait(struct server *s) {
  mutex_lock(&s->mutex);
  while (!s->asked_to_stop) condition_wait(&s->asked, &s->mutex);
  mutex_unlock(&s->mutex);
}

bool server_stop(struct server *s) {
  event_raise(s->events, EVENT_INFO, "server.stopping", "Stopping...");
  member_leave(s->member, engine_dbms(s->engine));
  close_all(s);
  event_raise(s->events, EVENT_INFO, "server.stopped", "Stopped.");
  bool again = s->again;
  server_free(s);
  return again;
}
