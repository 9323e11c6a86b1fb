// Connections of the server of catch-up, on the loop: who asks, what waits, who has gone silent.
#include <stdio.h>
#include <string.h>

#include "base/feature_level.h"
#include "base/mem.h"
#include "cluster/catchup_server_int.h"

enum {
  TICK_MS = 100,
  SWEEP_MS = 1000, // so often the work thread looks for pins that have expired
  HELLO_MS = 3000,
  WAIT_MS_MAX = 60000,
  SYSTEM_BYTES_HIGH = 2 << 20, // a piece more than this waits for a slow client, no more
  PULL_BYTES_MAX = 4 << 20,
};

struct catchup_database *catchup_find(struct catchup_server *s, const uint8_t uuid[16]) {
  for (struct catchup_database *d = s->databases; d != NULL; d = d->next)
    if (memcmp(d->uuid, uuid, 16) == 0) return d;
  return NULL;
}

static void release_server(struct catchup_server *s) {
  mutex_done(&s->lock);
  condition_done(&s->idle);
  mem_free(s);
}

// ---- jobs ----

static void queue_job(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  c->working = true;
  c->job.number = catchup_link_next(c->link);
  c->job.next = NULL;
  mutex_lock(&s->lock);
  c->job.queued = true;
  if (s->last != NULL)
    s->last->next = &c->job;
  else
    s->first = &c->job;
  s->last = &c->job;
  mutex_unlock(&s->lock);
  if (s->options.work_ready != NULL) s->options.work_ready(s->options.context);
}

static void unqueue_job(struct catchup_server *s, struct catchup_job *j) {
  struct catchup_job *before = NULL;
  for (struct catchup_job *at = s->first; at != NULL && at != j; at = at->next) before = at;
  if (before != NULL)
    before->next = j->next;
  else
    s->first = j->next;
  if (s->last == j) s->last = before;
  j->queued = false;
}

// ---- life of a connection ----

// The lock is held.
static void set_waiting(struct catchup_client_conn *c, bool waiting) {
  if (c->waiting == waiting) return;
  c->waiting = waiting;
  c->server->waiting += waiting ? 1u : -1u;
}

static void client_free(struct catchup_client_conn *c) {
  buf_done(&c->job.answer);
  mem_free(c);
}

// The pin it copied under stays for a while: it may come back.
static void leave_held(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  mutex_lock(&s->lock);
  struct catchup_held *h = catchup_find_held(s, c->job.held);
  if (h != NULL && --h->users == 0) h->expires_ns = clock_monotonic_ns(s->options.clock) + s->options.pin_ms * NS_PER_MS;
  mutex_unlock(&s->lock);
  c->job.held = 0;
}

static void unlist(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  for (struct catchup_client_conn **at = &s->clients; *at != NULL; at = &(*at)->next)
    if (*at == c) {
      *at = c->next;
      s->client_count--;
      return;
    }
}

// What the work thread has of it is left to it: then the memory goes when the job comes back.
static void client_end(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  catchup_link_free(c->link);
  link_table_remove(s->options.links, &c->row);
  c->link = NULL;
  unlist(c);
  mutex_lock(&s->lock);
  set_waiting(c, false);
  if (c->job.queued) {
    unqueue_job(s, &c->job);
    c->working = false;
  }
  mutex_unlock(&s->lock);
  if (c->working) {
    s->orphans++;
    return;
  }
  leave_held(c);
  client_free(c);
}

static void tell_refused(struct catchup_server *s, const char *what, const char *remote, const char *why) {
  refusals_raise(&s->refusals, s->options.events, "cluster.catchup.refused", loop_now_ms(s->loop), what, remote, why);
}

static void on_ended(void *context, const char *why) {
  struct catchup_client_conn *c = context;
  struct catchup_server *s = c->server;
  if (c->number == 0 && !c->told) tell_refused(s, "a connection to the transaction port", c->remote, why);
  if (c->number != 0)
    event_raise(s->options.events, c->copying ? EVENT_WARN : EVENT_DEBUG, "cluster.catchup.ended",
                "connection with %s (server %llu) ended%s: %s", c->remote, (unsigned long long) c->number,
                c->copying ? " in the middle of a copy" : "", why);
  client_end(c);
}

// ---- requests ----

static void go_on(struct catchup_client_conn *c) {
  if (!c->copying || c->working || catchup_link_is_full(c->link)) return;
  c->job.piece = true;
  queue_job(c);
}

static void count_pull(struct catchup_server *s) {
  mutex_lock(&s->lock);
  s->stats.pulls++;
  mutex_unlock(&s->lock);
}

static void on_received(void *context, const struct catchup_message *m) {
  struct catchup_client_conn *c = context;
  if (c->working || c->copying || c->waiting) {
    on_ended(c, "it asked for something before it had its answer");
    return;
  }
  if (m->type == CATCHUP_ASK_COPY) leave_held(c);
  c->job.asked = *m;
  if (m->type == CATCHUP_ASK_PULL) count_pull(c->server);
  c->job.piece = false;
  c->deadline_ms = 0;
  queue_job(c);
}

static void on_drained(void *context) {
  go_on(context);
}

// A pull that found nothing waits for a commit, unless one came while it looked.
static bool wait_for_commit(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  int64_t now_ms = loop_now_ms(s->loop);
  if (!c->job.waits) return false;
  if (c->deadline_ms == 0) c->deadline_ms = now_ms + MIN(c->job.asked.pull.wait_ms, (uint32_t) WAIT_MS_MAX);
  if (now_ms >= c->deadline_ms) return false;
  mutex_lock(&s->lock);
  struct catchup_database *d = catchup_find(s, c->job.asked.database);
  bool came = d == NULL || d->touches != c->job.touches;
  set_waiting(c, !came);
  mutex_unlock(&s->lock);
  if (came) queue_job(c);
  return true;
}

/// The level may have risen since it said hello.
static bool is_too_old(const struct catchup_client_conn *c) {
  const _Atomic uint32_t *level = c->server->options.feature_level;
  return level != NULL && c->feature_level < atomic_load(level);
}

static void send_answer(struct catchup_client_conn *c) {
  if (is_too_old(c)) {
    on_ended(c, "it knows only lower feature levels than the cluster has");
    return;
  }
  if (c->job.answer.len == 0 && c->job.asked.type == CATCHUP_DONE) return;
  bool is_copy = c->job.asked.type == CATCHUP_ASK_COPY && c->job.answer.len > 0;
  c->copying = is_copy && (uint8_t) c->job.answer.data[c->job.from + 6] != CATCHUP_REFUSED && !c->job.ended;
  if (c->job.answer.len == 0 || catchup_link_send_made(c->link, &c->job.answer, c->job.from) != ERR_OK) {
    on_ended(c, "no memory for an answer");
    return;
  }
  go_on(c);
}

static void on_job_done(struct loop_task *task) {
  struct catchup_client_conn *c = CONTAINER_OF(task, struct catchup_client_conn, done);
  struct catchup_server *s = c->server;
  mutex_lock(&s->lock);
  c->job.posted = false;
  bool last = s->closed && --s->leaving == 0;
  bool closed = s->closed;
  mutex_unlock(&s->lock);
  c->working = false;
  if (closed) {
    client_free(c);
    if (last) release_server(s);
  } else if (c->link == NULL) {
    s->orphans--;
    leave_held(c);
    client_free(c);
  } else if (!wait_for_commit(c)) {
    send_answer(c);
  }
}

// ---- connections ----

static void on_turned_away(void *context, const struct hello *other, enum hello_refusal refusal) {
  struct catchup_client_conn *c = context;
  char who[200], why[400];
  hello_print_refused(&c->server->setup.self, other, refusal, who, sizeof who, why, sizeof why);
  tell_refused(c->server, who, c->remote, why);
  c->told = true;
}

static enum hello_refusal on_greeted(void *context, const struct hello *other) {
  struct catchup_client_conn *c = context;
  const struct catchup_server_options *o = &c->server->options;
  if (o->known != NULL && !o->known(o->context, other->server, other->address)) return HELLO_STRANGER;
  c->number = other->server;
  c->feature_level = feature_level_of(other->feature_level);
  link_table_add(o->links, &c->row, "catchup", HELLO_VERSION, c->remote, true, o->tls != NULL);
  return HELLO_ACCEPTED;
}

/// One more is about to come in: of those that have not said hello the oldest has to go. Nothing where all have.
static void make_room(struct catchup_server *s) {
  struct catchup_client_conn *oldest = NULL;
  for (struct catchup_client_conn *c = s->clients; c != NULL; c = c->next) // the newest first
    if (c->number == 0) oldest = c;
  if (oldest != NULL && s->client_count >= s->options.clients_max)
    on_ended(oldest, "it has said no hello yet, and there are too many connections: somebody who is no server of the cluster opens them");
}

static void on_accepted(void *context, int socket, const char *remote, const char *local UNUSED) {
  static const struct catchup_link_events events = {on_greeted, on_turned_away, on_received, on_drained, on_ended};
  struct catchup_server *s = context;
  make_room(s);
  struct catchup_client_conn *c = s->client_count < s->options.clients_max ? mem_zalloc(sizeof *c) : NULL;
  if (c == NULL) {
    tell_refused(s, "a connection to the transaction port", remote, "as many servers as may be are connected already");
    net_socket_close(socket);
    return;
  }
  *c = (struct catchup_client_conn){.server = s, .done.run = on_job_done, .moved_ms = loop_now_ms(s->loop)};
  c->job.client = c;
  snprintf(c->remote, sizeof c->remote, "%s", remote);
  if (catchup_link_accept(&s->setup, socket, &events, c, &c->link, NULL) != ERR_OK) { // no memory: the other end tries again
    mem_free(c);
    return;
  }
  c->next = s->clients;
  s->clients = c;
  s->client_count++;
}

// ---- time ----

// Who waits for a commit is silent with reason, and so is who waits for this server's disk.
static bool is_idle(struct catchup_client_conn *c, int64_t now_ms) {
  uint64_t moved = catchup_link_moved(c->link);
  if (moved != c->moved || c->waiting || c->working) {
    c->moved = moved;
    c->moved_ms = now_ms;
  }
  return now_ms - c->moved_ms >= c->server->options.idle_ms;
}

static void end_wait(struct catchup_client_conn *c) {
  mutex_lock(&c->server->lock);
  set_waiting(c, false);
  mutex_unlock(&c->server->lock);
  send_answer(c);
}

static void on_tick(void *context) {
  struct catchup_server *s = context;
  int64_t now_ms = loop_now_ms(s->loop);
  for (struct catchup_client_conn *c = s->clients, *next; c != NULL; c = next) {
    next = c->next;
    if (is_idle(c, now_ms))
      on_ended(c, "nothing was heard of it for too long");
    else if (c->waiting && now_ms >= c->deadline_ms)
      end_wait(c);
  }
  mutex_lock(&s->lock);
  bool sweep = s->held != NULL && now_ms - s->swept_ms >= SWEEP_MS;
  mutex_unlock(&s->lock);
  if (!sweep) return;
  s->swept_ms = now_ms;
  if (s->options.work_ready != NULL) s->options.work_ready(s->options.context);
}

static void look_again(struct catchup_client_conn *c) {
  struct catchup_server *s = c->server;
  mutex_lock(&s->lock);
  struct catchup_database *d = catchup_find(s, c->job.asked.database);
  bool came = d == NULL || d->touches != c->job.touches;
  if (came) set_waiting(c, false);
  mutex_unlock(&s->lock);
  if (came) queue_job(c);
}

static void on_touch(struct loop_task *task) {
  struct catchup_server *s = CONTAINER_OF(task, struct catchup_server, touch);
  mutex_lock(&s->lock);
  s->touch_posted = false;
  bool closed = s->closed, last = closed && --s->leaving == 0;
  mutex_unlock(&s->lock);
  for (struct catchup_client_conn *c = s->clients; c != NULL && !closed; c = c->next)
    if (c->waiting) look_again(c);
  if (last) release_server(s);
}

void catchup_server_touch(struct catchup_server *s, const uint8_t database[16]) {
  mutex_lock(&s->lock);
  struct catchup_database *d = catchup_find(s, database);
  bool post = d != NULL && s->waiting > 0 && !s->touch_posted;
  if (d != NULL) d->touches++;
  if (post) s->touch_posted = true;
  mutex_unlock(&s->lock);
  if (post) loop_post(s->loop, &s->touch);
}

// ---- databases ----

enum err catchup_server_add(struct catchup_server *s, const uint8_t database[16], struct catchup_source *source,
                            struct error *e) {
  struct catchup_database *d = mem_zalloc(sizeof *d);
  if (d == NULL) return error_ensure(e, ERR_NOMEM);
  memcpy(d->uuid, database, sizeof d->uuid);
  d->source = source;
  mutex_lock(&s->lock);
  bool there = catchup_find(s, database) != NULL;
  if (!there) {
    d->next = s->databases;
    s->databases = d;
  }
  mutex_unlock(&s->lock);
  if (!there) return ERR_OK;
  mem_free(d);
  return error_set(e, ERR_EXISTS, "The database is given away already.");
}

void catchup_server_remove(struct catchup_server *s, const uint8_t database[16]) {
  mutex_lock(&s->lock);
  struct catchup_database *d = catchup_find(s, database);
  for (struct catchup_database **at = &s->databases; *at != NULL; at = &(*at)->next)
    if (*at == d) {
      *at = d->next;
      break;
    }
  while (s->working) condition_wait(&s->idle, &s->lock);
  struct catchup_held *held = d != NULL ? catchup_take_held(s, d) : NULL;
  mutex_unlock(&s->lock);
  catchup_give_back(held);
  mem_free(d);
  for (struct catchup_client_conn *c = s->clients; c != NULL; c = c->next)
    if (c->waiting) look_again(c);
}

// ---- life ----

static void set_defaults(struct catchup_server_options *o) {
  if (o->clients_max == 0) o->clients_max = 64;
  if (o->copies_max == 0) o->copies_max = 4;
  if (o->pin_ms == 0) o->pin_ms = 60000;
  if (o->idle_ms == 0) o->idle_ms = 60000;
  if (o->pull_bytes_max == 0) o->pull_bytes_max = 1u << 20;
  o->pull_bytes_max = MIN(o->pull_bytes_max, (uint32_t) PULL_BYTES_MAX);
}

static enum err start(struct catchup_server *s, struct error *e) {
  static const struct net_listener_events listener = {on_accepted};
  const struct catchup_server_options *o = &s->options;
  TRY(loop_timer_new(s->loop, on_tick, s, &s->tick, e));
  if (net_listen(s->loop, o->listen, 0, &listener, s, &s->listener, e) != ERR_OK)
    return error_prefix(e, "server.cluster.listen_address");
  s->setup = (struct catchup_link_setup){.loop = s->loop,
                                         .self = {.version_min = HELLO_VERSION,
                                                  .version_max = HELLO_VERSION,
                                                  .server = o->server,
                                                  .epoch = o->epoch,
                                                  .feature_level = feature_level_highest},
                                         .feature_level = o->feature_level,
                                         .tls = o->tls,
                                         .hello_ms = HELLO_MS,
                                         .high_bytes = SYSTEM_BYTES_HIGH};
  memcpy(s->setup.self.cluster, o->cluster, sizeof o->cluster);
  snprintf(s->setup.self.address, sizeof s->setup.self.address, "%s",
           o->advertised != NULL ? o->advertised : net_listener_address(s->listener));
  loop_timer_set(s->tick, TICK_MS, true);
  event_raise(o->events, EVENT_INFO, "cluster.catchup.bound", "catchup-server: bound to %s", net_listener_address(s->listener));
  return ERR_OK;
}

enum err catchup_server_open(struct loop *loop, const struct catchup_server_options *options, struct catchup_server **ret,
                             struct error *e) {
  if (options->server == 0) return error_set(e, ERR_INVALID, "a server of a cluster needs a number that is not 0");
  if (options->advertised != NULL && strlen(options->advertised) >= HELLO_ADDRESS_BYTES)
    return error_set(e, ERR_INVALID, "the address '%s' is longer than %u bytes", options->advertised, HELLO_ADDRESS_BYTES - 1);
  struct catchup_server *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  *s = (struct catchup_server){.loop = loop, .options = *options, .touch.run = on_touch};
  set_defaults(&s->options);
  mutex_init(&s->lock);
  condition_init(&s->idle);
  enum err err = start(s, e);
  s->options.listen = (struct str){0}; // the caller's texts may go
  s->options.advertised = NULL;
  if (err != ERR_OK) {
    catchup_server_close(s);
    return err;
  }
  *ret = s;
  return ERR_OK;
}

const char *catchup_server_address(const struct catchup_server *s) {
  return net_listener_address(s->listener);
}

// Jobs that the work thread has handed back are on their way to the loop: each frees its connection, the last one the server.
void catchup_server_close(struct catchup_server *s) {
  if (s == NULL) return;
  net_listener_free(s->listener);
  loop_timer_free(s->tick);
  while (s->clients != NULL) client_end(s->clients);
  mutex_lock(&s->lock);
  s->closed = true;
  s->leaving = s->orphans + s->touch_posted;
  bool last = s->leaving == 0;
  mutex_unlock(&s->lock);
  if (last) release_server(s);
}

void catchup_server_stats(struct catchup_server *s, struct catchup_server_stats *ret) {
  mutex_lock(&s->lock);
  *ret = s->stats;
  ret->pins = s->held_count;
  mutex_unlock(&s->lock);
  ret->clients = s->client_count;
}
