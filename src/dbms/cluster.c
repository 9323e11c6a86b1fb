// This server among others: the loop that drives the groups of its databases and the piece of work that writes their logs, and
// how they begin and end.
#include "dbms/cluster_int.h"

#include <string.h>

enum { BALANCE_MS = 1000 };

uint64_t cluster_now_ms(struct cluster *c) {
  return (uint64_t) (clock_monotonic_ns(c->dbms->options.clock) / NS_PER_MS);
}

void cluster_raise(struct cluster_group *g, enum event_level level, const char *name, const char *text) {
  event_raise(g->cluster->dbms->options.events, level, name, "[%.*s] %s", STR_ARG(g->database->name), text);
}

void cluster_tell_others(struct cluster *c) {
  if (c->options->changed != NULL) c->options->changed(c->options->context);
}

static void judge_on_loop(void *argument) {
  struct cluster *c = argument;
  host_judge_levels(c->host);
}

void cluster_judge_levels(struct cluster *c) {
  if (c->host != NULL) loop_call(c->loop, judge_on_loop, c);
  cluster_tell_others(c);
}

// ---- the writer ----

static void on_write_ready(void *context) {
  struct cluster *c = context;
  serial_ready(&c->writer);
}

/// An error of one log closes its group, which says so.
static void write_logs(struct work *w) {
  struct cluster *c = CONTAINER_OF(w, struct cluster, writer.work);
  struct error e = ERROR_INIT;
  bool worked = false;
  serial_begin(&c->writer);
  enum err err = host_write_round(c->host, &worked, &e);
  if (err != ERR_OK)
    event_raise(c->dbms->options.events, EVENT_WARN, "cluster.writer", "The logs could not be written: %s", e.message);
  serial_give(&c->writer, worked);
}

// ---- life ----

static void hand_over_on_loop(void *argument) {
  struct cluster *c = argument;
  DATABASES_EACH(db, c->dbms) {
    struct cluster_group *g = db->group;
    if (g == NULL || g->leading == 0) continue;
    enum err err = group_transfer(host_group(g->member), cluster_now_ms(c), 0, NULL);
    if (err == ERR_OK) host_touch(g->member); // otherwise the others elect one when this server is gone
  }
}

static bool leads_any(struct cluster *c) {
  DATABASES_EACH(db, c->dbms) {
    struct cluster_status s;
    if (db->group == NULL) continue;
    cluster_status(db->group, &s);
    if (s.role == CLUSTER_LEADER) return true;
  }
  return false;
}

void cluster_hand_over(struct cluster *c, int64_t timeout_ms) {
  int64_t until_ns = clock_monotonic_ns(c->dbms->options.clock) + timeout_ms * NS_PER_MS;
  if (c->options->replica) return;
  loop_call(c->loop, hand_over_on_loop, c);
  while (leads_any(c) && clock_monotonic_ns(c->dbms->options.clock) < until_ns) thread_sleep_ns(NS_PER_MS);
}

struct opening {
  struct cluster *cluster;
  enum err err;
  struct error *error;
};

static void open_on_loop(void *argument) {
  struct opening *o = argument;
  struct cluster *c = o->cluster;
  struct host_options host = {.clock = c->dbms->options.clock,
                              .write_ready = on_write_ready,
                              .group_failed = cluster_group_failed,
                              .group_stepped = cluster_group_stepped,
                              .save_ready = cluster_save_ready,
                              .server_changed = cluster_server_changed,
                              .server_elsewhere = cluster_server_elsewhere,
                              .start_met = cluster_start_met,
                              .start_moved = cluster_start_moved,
                              .older = cluster_older,
                              .promised = cluster_promised,
                              .context = c};
  host.network = (struct network_options){.server = c->options->server,
                                          .epoch = c->options->epoch,
                                          .known = c->known,
                                          .listen = c->options->listen,
                                          .advertised = c->options->advertised,
                                          .tls = c->options->tls,
                                          .tls_verify_names = c->options->tls_verify_names,
                                          .resolver = c->options->resolver,
                                          .feature_level = &c->dbms->levels.of_cluster,
                                          .links = c->options->links,
                                          .events = c->dbms->options.events};
  memcpy(host.network.cluster, c->options->cluster, sizeof host.network.cluster);
  o->err = host_open(c->loop, &host, &c->host, o->error);
  if (o->err == ERR_OK) o->err = cluster_moves_open(c, o->error);
  if (o->err == ERR_OK) o->err = loop_timer_new(c->loop, cluster_balance, c, &c->balance, o->error);
  if (o->err == ERR_OK && c->options->directory != NULL) loop_timer_set(c->balance, BALANCE_MS, true);
}

enum err cluster_open(struct dbms *d, const struct dbms_cluster_options *options, struct cluster **ret, struct error *e) {
  struct cluster *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  c->dbms = d;
  c->options = options;
  mutex_init(&c->mutex);
  mutex_init(&c->reads_mutex);
  serial_init(&c->writer, d->options.host, WORK_MACHINE, write_logs);
  serial_wake(&c->writer);
  struct opening o = {.cluster = c, .error = e};
  bool member = !options->replica && !options->single;
  o.err = cluster_starts_open(c, e);
  if (o.err == ERR_OK && member) o.err = loop_start("raft", &c->loop, e);
  if (o.err == ERR_OK && member) loop_call(c->loop, open_on_loop, &o);
  if (o.err == ERR_OK) o.err = cluster_copies_open(c, e);
  if (o.err != ERR_OK) {
    cluster_close(c);
    return error_ensure(e, o.err);
  }
  *ret = c;
  return ERR_OK;
}

static void close_on_loop(void *argument) {
  struct cluster *c = argument;
  loop_timer_free(c->balance);
  loop_timer_free(c->moves.timer);
  host_close(c->host);
}

void cluster_close(struct cluster *c) {
  if (c == NULL) return;
  cluster_copies_close(c);
  serial_rest(&c->writer);
  cluster_rest_noter(c);
  if (c->loop != NULL) loop_call(c->loop, close_on_loop, c);
  loop_stop(c->loop);
  cluster_starts_close(c);
  mutex_done(&c->reads_mutex);
  mutex_done(&c->mutex);
  mem_free(c);
}
