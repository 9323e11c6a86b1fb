// Whom to ask, when to ask again, and what the answers mean. The disk's part of a copy: catchup_copying.c.
#include "cluster/catchup_client.h"

#include <stdio.h>
#include <string.h>

#include "base/feature_level.h"
#include "base/mem.h"
#include "cluster/catchup_copying.h"
#include "cluster/catchup_link.h"

enum {
  TRIES_AT_ONE = 3, // connections lost one after the other, before another upstream is asked
  READ_BYTES_HIGH = 64 << 10,
  TICK_MS = 100,
};

enum request { REQUEST_NONE, REQUEST_STATUS, REQUEST_COPY, REQUEST_PULL };

struct catchup_client {
  struct loop *loop;
  struct catchup_client_options options;
  struct catchup_client_events events;
  void *context;
  struct catchup_link_setup setup;
  struct catchup_upstream *upstreams;
  size_t count, at;

  enum request request;
  struct catchup_message ask;
  int64_t progress_ms;            // when the request began, or last got on
  int64_t pause_ms;               // before the next try
  unsigned lost;                  // connections with this upstream, without progress in between
  size_t refused;                 // upstreams that have turned a pull down, or could not be asked, one after the other,
  enum catchup_refusal refusal;   // and the one of their reasons that a copy would help against
  unsigned told_tenths;           // of a copy
  struct catchup_progress copied; // as last seen

  struct loop_timer *retry, *tick;
  struct net_connecting *connecting;
  struct catchup_link *link;
  struct link_row row;                // of the link
  char remote[NET_ADDRESS_TEXT_MAX]; // where it leads
  uint64_t other;                // the server there, as it says
  bool up, asked, paused, ended; // ended: all of a copy has arrived
  uint64_t moved;                // bytes on the link when last looked at,
  int64_t moved_ms;              // and when that changed
  struct catchup_copying *copying;
  uint64_t asked_identity, asked_position; // of a copy
  uint64_t connections, troubles;
};

static void try_now(void *context);
static void ask(struct catchup_client *c);

static const struct catchup_upstream *upstream(const struct catchup_client *c) {
  return &c->upstreams[c->at];
}

// ---- the end of a request ----

static void hang_up(struct catchup_client *c) {
  net_connecting_free(c->connecting);
  catchup_link_free(c->link);
  link_table_remove(c->options.links, &c->row);
  loop_timer_cancel(c->retry);
  c->connecting = NULL;
  c->link = NULL;
  c->up = c->asked = c->paused = c->ended = false;
  catchup_copying_clear(c->copying);
}

static void forget_request(struct catchup_client *c) {
  c->request = REQUEST_NONE;
  c->asked = false;
  loop_timer_cancel(c->tick);
}

static void give_up(struct catchup_client *c, enum catchup_refusal refusal, const struct error *why) {
  hang_up(c);
  forget_request(c);
  event_raise(c->options.events, EVENT_ERROR, "cluster.catchup.failed", "catching up was given up: %s", why->message);
  c->events.failed(c->context, refusal, why);
}

// ---- trouble, and the next try ----

static void got_on(struct catchup_client *c) {
  c->progress_ms = loop_now_ms(c->loop);
  c->pause_ms = c->options.retry_min_ms;
  c->lost = 0;
  c->refused = 0;
  c->refusal = CATCHUP_ACCEPTED;
}

static void try_later(struct catchup_client *c) {
  loop_timer_set(c->retry, c->pause_ms, false);
  c->pause_ms = MIN(c->pause_ms * 2, c->options.retry_max_ms);
}

static void go_to_next(struct catchup_client *c) {
  c->at = (c->at + 1) % c->count;
  c->lost = 0;
  c->refused++;
}

// `blame`: asking the same upstream again would not help.
static void in_trouble(struct catchup_client *c, bool blame, const char *why) {
  struct error e = ERROR_INIT;
  const struct catchup_upstream *u = upstream(c);
  hang_up(c);
  if (c->request == REQUEST_NONE) return;
  c->troubles++;
  event_raise(c->options.events, EVENT_WARN, "cluster.catchup.trouble",
              "catching up from server %llu at %s failed: %s. Retrying in %lld ms", (unsigned long long) u->server, u->address,
              why, (long long) c->pause_ms);
  error_set(&e, ERR_DATABASE_UNAVAILABLE, "the last of its upstreams, server %llu at %s: %s", (unsigned long long) u->server,
            u->address, why);
  if (blame || ++c->lost >= TRIES_AT_ONE) go_to_next(c);
  bool all_refuse = c->request == REQUEST_PULL && c->refusal != CATCHUP_ACCEPTED && c->refused >= c->count;
  if (all_refuse || loop_now_ms(c->loop) - c->progress_ms >= c->options.retry_time_ms)
    give_up(c, all_refuse ? c->refusal : CATCHUP_ACCEPTED, &e);
  else
    try_later(c);
}

// ---- answers ----

static void refused(struct catchup_client *c, enum catchup_refusal reason, uint64_t index) {
  char why[200];
  snprintf(why, sizeof why, "%s (%llu)", catchup_refusal_text(reason), (unsigned long long) index);
  if (reason == CATCHUP_PRUNED || reason == CATCHUP_GENERATION || reason == CATCHUP_DIVERGED) c->refusal = reason;
  in_trouble(c, true, why);
}

static void take_in(struct catchup_client *c, enum catchup_step step, const uint8_t *bytes, size_t size) {
  if (catchup_copying_put(c->copying, step, catchup_link_take_message(c->link), bytes, size) != ERR_OK) {
    in_trouble(c, false, "no memory for what it sends");
    return;
  }
  c->ended = step == CATCHUP_STEP_END;
  c->paused = catchup_copying_is_full(c->copying);
  if (c->paused) catchup_link_pause(c->link);
  if (c->options.work_ready != NULL) c->options.work_ready(c->context);
}

static void take_copy(struct catchup_client *c, const struct catchup_message *m) {
  switch (m->type) {
  case CATCHUP_HEAD:
    catchup_copying_expect(c->copying, c->asked_identity, c->asked_position);
    take_in(c, CATCHUP_STEP_HEAD, m->head, CHECKPOINT_HEAD_BYTES);
    break;
  case CATCHUP_PIECE: take_in(c, CATCHUP_STEP_PIECE, m->piece.pages, m->piece.bytes); break;
  case CATCHUP_END: take_in(c, CATCHUP_STEP_END, NULL, 0); break;
  default: in_trouble(c, true, "it answers something else than what it was asked for"); break;
  }
}

static struct catchup_upstream who_answers(const struct catchup_client *c) {
  struct catchup_upstream u = *upstream(c);
  u.server = c->other;
  return u;
}

static void take_pulled(struct catchup_client *c, const struct catchup_message *m) {
  struct catchup_upstream from = who_answers(c);
  got_on(c);
  forget_request(c);
  c->events.pulled(c->context, &from, m->entries.commit_index, m->entries.count, m->entries.bytes, m->entries.size);
}

static void take_status(struct catchup_client *c, const struct catchup_message *m) {
  struct catchup_upstream from = who_answers(c);
  got_on(c);
  forget_request(c);
  c->events.status(c->context, &from, &m->status);
}

static void on_received(void *context, const struct catchup_message *m) {
  struct catchup_client *c = context;
  if (c->request == REQUEST_NONE || !c->asked || c->ended)
    in_trouble(c, true, "it answers though nothing was asked");
  else if (m->type == CATCHUP_REFUSED)
    refused(c, m->refused.reason, m->refused.index);
  else if (c->request == REQUEST_COPY)
    take_copy(c, m);
  else if (c->request == REQUEST_PULL && m->type == CATCHUP_ENTRIES)
    take_pulled(c, m);
  else if (c->request == REQUEST_STATUS && m->type == CATCHUP_STATUS)
    take_status(c, m);
  else
    in_trouble(c, true, "it answers something else than what it was asked for");
}

// ---- the copy's progress ----

static void tell_progress(struct catchup_client *c) {
  const struct catchup_progress *p = &c->copied;
  unsigned tenths = p->pages_all > 0 ? (unsigned) MIN(p->pages * 10 / p->pages_all, UINT64_C(10)) : 0;
  if (tenths == c->told_tenths) return;
  c->told_tenths = tenths;
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.progress", "Copying store from %s: %u%% completed",
              upstream(c)->address, tenths * 10);
}

static void finish_copy(struct catchup_client *c) {
  struct catchup_message done = {.type = CATCHUP_DONE, .identity = c->copied.identity};
  memcpy(done.database, c->options.database, sizeof done.database);
  if (c->link != NULL && c->up && catchup_link_send(c->link, &done) != ERR_OK) hang_up(c); // its pin expires
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.copied",
              "Copied store from upstream server MemberId{%08llx} at %s: %llu pages", (unsigned long long) c->other,
              upstream(c)->address, (unsigned long long) c->copied.pages);
  got_on(c);
  c->ended = false;
  forget_request(c);
  c->events.copied(c->context, catchup_copying_take(c->copying));
}

static void fail_copy(struct catchup_client *c, const struct error *why) {
  if (c->copied.err == ERR_CORRUPT || c->copied.err == ERR_UNSUPPORTED)
    in_trouble(c, true, why->message);
  else
    give_up(c, CATCHUP_ACCEPTED, why); // this server's own disk or memory
}

static void on_step(void *context) {
  struct catchup_client *c = context;
  struct catchup_progress before = c->copied;
  struct error e = ERROR_INIT;
  catchup_copying_progress(c->copying, &c->copied, &e);
  if (c->request != REQUEST_COPY) return;
  if (c->copied.position != before.position || c->copied.identity != before.identity) got_on(c);
  tell_progress(c);
  if (c->copied.err != ERR_OK) {
    fail_copy(c, &e);
  } else if (c->copied.finished) {
    finish_copy(c);
  } else {
    if (c->paused && !catchup_copying_is_full(c->copying)) {
      c->paused = false;
      catchup_link_resume(c->link);
    }
    ask(c);
  }
}

// ---- asking ----

static void ask_copy(struct catchup_client *c, struct catchup_message *m) {
  m->copy.identity = c->asked_identity = c->copied.known ? c->copied.identity : 0;
  m->copy.position = c->asked_position = c->copied.known ? c->copied.position : CHECKPOINT_FIRST;
  const char *address = upstream(c)->address;
  if (!c->copied.has_store && !c->copied.known)
    event_raise(c->options.events, EVENT_INFO, "cluster.catchup.empty",
                "Local database is empty, attempting to replace with copy from upstream server MemberId{%08llx}",
                (unsigned long long) c->other);
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.copying", "Copying store from upstream server MemberId{%08llx}",
              (unsigned long long) c->other);
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.listing", "Requesting store listing from: %s", address);
}

// Where a copy is to go on is known when what came before is on the disk.
static void ask(struct catchup_client *c) {
  struct catchup_message m = c->ask;
  if (!c->up || c->asked || c->request == REQUEST_NONE) return;
  if (c->request == REQUEST_COPY && catchup_copying_is_busy(c->copying)) return;
  if (c->request == REQUEST_COPY) ask_copy(c, &m);
  c->asked = true;
  c->moved_ms = loop_now_ms(c->loop);
  if (catchup_link_send(c->link, &m) != ERR_OK) in_trouble(c, false, "the request cannot be sent");
}

static enum hello_refusal on_greeted(void *context, const struct hello *other) {
  struct catchup_client *c = context;
  c->up = true;
  c->other = other->server;
  c->connections++;
  link_table_add(c->options.links, &c->row, "catchup", HELLO_VERSION, c->remote, false, c->options.tls != NULL);
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.protocol",
              "Installing: ProtocolStack{applicationProtocol=CATCHUP_1, modifierProtocols=[]} with server %llu at %s",
              (unsigned long long) other->server, upstream(c)->address);
  ask(c);
  return HELLO_ACCEPTED;
}

static void on_drained(void *context UNUSED) {
}

static void on_ended(void *context, const char *why) {
  in_trouble(context, false, why);
}

static void on_connected(void *context, int socket, const char *remote) {
  static const struct catchup_link_events events = {on_greeted, NULL, on_received, on_drained, on_ended};
  struct catchup_client *c = context;
  struct error e = ERROR_INIT;
  struct str host;
  uint16_t port;
  char name[NET_ADDRESS_TEXT_MAX] = "";
  c->connecting = NULL;
  snprintf(c->remote, sizeof c->remote, "%s", remote);
  if (net_address_split(str_of(upstream(c)->address), 0, &host, &port, NULL) == ERR_OK)
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
  const char *verify = c->options.tls_verify_names ? name : NULL;
  if (catchup_link_dial(&c->setup, socket, upstream(c)->server, verify, &events, c, &c->link, &e) != ERR_OK)
    in_trouble(c, false, e.message);
}

static void on_failed(void *context, const struct error *why) {
  struct catchup_client *c = context;
  c->connecting = NULL;
  in_trouble(c, false, why->message);
}

static void try_now(void *context) {
  static const struct net_connect_events events = {on_connected, on_failed};
  struct catchup_client *c = context;
  struct error e = ERROR_INIT;
  if (c->request == REQUEST_NONE || c->link != NULL || c->connecting != NULL) return;
  event_raise(c->options.events, EVENT_INFO, "cluster.catchup.handshake", "Initiating handshake with %s", upstream(c)->address);
  if (net_connect(c->loop, c->options.resolver, str_of(upstream(c)->address), 0, c->options.connect_timeout_ms, &events, c,
                  &c->connecting, &e) != ERR_OK)
    in_trouble(c, false, e.message);
}

// An upstream that has been asked and is silent. While this server's disk is what is waited for, nobody else is to blame.
static void on_tick(void *context) {
  struct catchup_client *c = context;
  if (c->link == NULL || !c->asked) return;
  int64_t now_ms = loop_now_ms(c->loop), patience_ms = c->options.answer_timeout_ms;
  if (c->request == REQUEST_PULL) patience_ms += c->ask.pull.wait_ms;
  uint64_t moved = catchup_link_moved(c->link);
  if (moved != c->moved || c->paused || c->ended) {
    c->moved = moved;
    c->moved_ms = now_ms;
  }
  if (now_ms - c->moved_ms >= patience_ms) in_trouble(c, false, "it does not answer");
}

// ---- requests ----

static enum err begin(struct catchup_client *c, enum request request, const struct catchup_message *m, struct error *e) {
  if (c->request != REQUEST_NONE) return error_set(e, ERR_BUSY, "a request is under way");
  if (c->count == 0) return error_set(e, ERR_INVALID, "there is nobody to ask");
  c->request = request;
  c->ask = *m;
  memcpy(c->ask.database, c->options.database, sizeof c->ask.database);
  c->told_tenths = 0;
  got_on(c);
  loop_timer_set(c->tick, TICK_MS, true);
  if (c->up)
    ask(c);
  else
    loop_timer_set(c->retry, 0, false);
  return ERR_OK;
}

enum err catchup_client_status(struct catchup_client *c, struct error *e) {
  return begin(c, REQUEST_STATUS, &(struct catchup_message){.type = CATCHUP_ASK_STATUS}, e);
}

enum err catchup_client_pull(struct catchup_client *c, const struct catchup_pull *pull, struct error *e) {
  return begin(c, REQUEST_PULL, &(struct catchup_message){.type = CATCHUP_ASK_PULL, .pull = *pull}, e);
}

// What there is of a copy is looked at first.
enum err catchup_client_copy(struct catchup_client *c, const char *directory, uint64_t least_index, struct error *e) {
  if (c->request != REQUEST_NONE) return error_set(e, ERR_BUSY, "a request is under way");
  if (strlen(directory) >= DISK_PATH_MAX) return error_set(e, ERR_INVALID, "The path of the store is too long.");
  catchup_copying_begin(c->copying, directory);
  c->copied = (struct catchup_progress){0};
  if (catchup_copying_put(c->copying, CATCHUP_STEP_LOOK, NULL, NULL, 0) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(begin(c, REQUEST_COPY, &(struct catchup_message){.type = CATCHUP_ASK_COPY, .copy = {.least_index = least_index}}, e));
  if (c->options.work_ready != NULL) c->options.work_ready(c->context);
  return ERR_OK;
}

void catchup_client_cancel(struct catchup_client *c) {
  if (c->request == REQUEST_NONE) return;
  hang_up(c);
  forget_request(c);
}

void catchup_client_work(struct catchup_client *c, bool *ret_worked) {
  catchup_copying_work(c->copying, ret_worked);
}

// ---- life ----

enum err catchup_client_set_upstreams(struct catchup_client *c, const struct catchup_upstream *upstreams, size_t count,
                                      struct error *e) {
  if (count == 0) return error_set(e, ERR_INVALID, "there is nobody to ask");
  struct catchup_upstream *copy = mem_alloc(count * sizeof *copy);
  if (copy == NULL) return error_ensure(e, ERR_NOMEM);
  memcpy(copy, upstreams, count * sizeof *copy);
  size_t at = count;
  for (size_t i = 0; i < count && c->count > 0; i++)
    if (strcmp(copy[i].address, upstream(c)->address) == 0) at = i;
  mem_free(c->upstreams);
  c->upstreams = copy;
  c->count = count;
  c->at = at < count ? at : 0;
  if (at < count || (c->link == NULL && c->connecting == NULL)) return ERR_OK;
  hang_up(c);
  if (c->request != REQUEST_NONE) loop_timer_set(c->retry, 0, false);
  return ERR_OK;
}

static void set_defaults(struct catchup_client_options *o) {
  if (o->connect_timeout_ms == 0) o->connect_timeout_ms = 3000;
  if (o->answer_timeout_ms == 0) o->answer_timeout_ms = 30000;
  if (o->retry_min_ms == 0) o->retry_min_ms = 100;
  if (o->retry_max_ms == 0) o->retry_max_ms = 10000;
  if (o->retry_time_ms == 0) o->retry_time_ms = 20 * 60 * 1000;
}

enum err catchup_client_new(struct loop *loop, const struct catchup_client_options *options,
                            const struct catchup_client_events *events, void *context, struct catchup_client **ret,
                            struct error *e) {
  struct catchup_client *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  *c = (struct catchup_client){.loop = loop, .options = *options, .events = *events, .context = context};
  set_defaults(&c->options);
  c->setup = (struct catchup_link_setup){.loop = loop,
                                         .self = {.version_min = HELLO_VERSION,
                                                  .version_max = HELLO_VERSION,
                                                  .server = options->server,
                                                  .epoch = options->epoch,
                                                  .feature_level = feature_level_highest},
                                         .feature_level = options->feature_level,
                                         .tls = options->tls,
                                         .hello_ms = c->options.connect_timeout_ms,
                                         .high_bytes = READ_BYTES_HIGH};
  memcpy(c->setup.self.cluster, options->cluster, sizeof options->cluster);
  enum err err = loop_timer_new(loop, try_now, c, &c->retry, e);
  if (err == ERR_OK) err = loop_timer_new(loop, on_tick, c, &c->tick, e);
  if (err == ERR_OK) err = catchup_copying_new(loop, c->options.disk, c->options.database, on_step, c, &c->copying, e);
  if (err != ERR_OK) {
    catchup_client_free(c);
    return err;
  }
  *ret = c;
  return ERR_OK;
}

void catchup_client_free(struct catchup_client *c) {
  if (c == NULL) return;
  net_connecting_free(c->connecting);
  catchup_link_free(c->link);
  link_table_remove(c->options.links, &c->row);
  catchup_copying_free(c->copying);
  loop_timer_free(c->retry);
  loop_timer_free(c->tick);
  mem_free(c->upstreams);
  mem_free(c);
}

void catchup_client_stats(struct catchup_client *c, struct catchup_client_stats *ret) {
  *ret = (struct catchup_client_stats){.pages = c->copied.pages,
                                       .pages_all = c->copied.pages_all,
                                       .connections = c->connections,
                                       .troubles = c->troubles,
                                       .restarts = c->copied.restarts};
}
