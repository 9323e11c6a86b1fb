// One other server: when it is connected to, which connection counts, what is told about it.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/network_int.h"

enum { WAIT_TO_BE_CALLED_MS = 1000 }; // the server with the higher number gives the other one that long

// That server has given the name: it is in what it says of itself, and in the members of its groups.
#define ADVICE                                                                                                                  \
  ". It advertises that name: set server.cluster.raft.advertised_address, or server.default_advertised_address, there to one that "  \
  "the others can resolve"

static void try_now(void *context);

// ---- telling ----

/// Each new reason once; the same one again only after a success in between.
static void tell_trouble(struct peer *p, const char *what, const char *why) {
  if (strcmp(p->trouble, why) == 0) return;
  snprintf(p->trouble, sizeof p->trouble, "%s", why);
  event_raise(p->network->options.events, EVENT_WARN, "cluster.network.lost", "%s: %s (server %llu): %s. Retrying.", what,
              p->address, (unsigned long long) p->server, why);
}

/// What waits is for a connection that is gone. `version`: of the hello, that both ends of the new one speak.
static void set_online(struct peer *p, bool online, uint16_t version) {
  struct network *n = p->network;
  mutex_lock(&n->lock);
  bool was = p->online;
  p->online = online;
  p->version = version;
  outbox_clear(&p->outbox);
  mutex_unlock(&n->lock);
  if ((was || online) && n->events.changed != NULL) n->events.changed(n->context, p->server, online);
}

// ---- connecting ----

/// A pause of the next length, a quarter of it by chance, so that two servers do not call each other in step for ever.
static void try_later(struct peer *p) {
  struct network *n = p->network;
  int64_t jitter = (int64_t) rng_below(&n->rng, (uint64_t) p->pause_ms / 4 + 1);
  loop_timer_set(p->retry, p->pause_ms + jitter, false);
  p->pause_ms = MIN(p->pause_ms * 2, n->options.retry_max_ms);
}

static void on_connected(void *context, int socket, const char *remote) {
  struct peer *p = context;
  struct error e = ERROR_INIT;
  p->connecting = NULL;
  if (link_open(p->network, socket, remote, p, &p->dialled, &e) == ERR_OK) return;
  tell_trouble(p, "Failed to connect to", e.message);
  try_later(p);
}

static void on_failed(void *context, const struct error *why) {
  struct peer *p = context;
  char text[sizeof p->trouble];
  p->connecting = NULL;
  bool unknown_name = why->code == ERR_NOTFOUND;
  snprintf(text, sizeof text, "%.100s%s", why->message, unknown_name ? ADVICE : "");
  tell_trouble(p, "Failed to connect to", unknown_name ? text : why->message);
  try_later(p);
}

static void try_now(void *context) {
  static const struct net_connect_events events = {on_connected, on_failed};
  struct peer *p = context;
  struct network *n = p->network;
  struct error e = ERROR_INIT;
  if (n->hushed || p->link != NULL || p->dialled != NULL || p->connecting != NULL) return;
  if (net_connect(n->loop, n->options.resolver, str_of(p->address), 0, n->options.connect_timeout_ms, &events, p, &p->connecting,
                  &e) == ERR_OK)
    return;
  tell_trouble(p, "Failed to connect to", e.message);
  try_later(p);
}

/// The lower number calls, so that two servers that start together make one connection.
static void try_first(struct peer *p) {
  p->pause_ms = p->network->options.retry_min_ms;
  loop_timer_set(p->retry, p->network->options.server < p->server ? 0 : WAIT_TO_BE_CALLED_MS, false);
}

static void give_up_attempts(struct peer *p) {
  loop_timer_cancel(p->retry);
  net_connecting_free(p->connecting);
  link_free(p->dialled);
  p->connecting = NULL;
  p->dialled = NULL;
}

// ---- links ----

void peer_link_up(struct peer *p, struct link *l, uint64_t epoch) {
  struct network *n = p->network;
  if (p->dialled == l) p->dialled = NULL;
  give_up_attempts(p);
  link_free(p->link);
  p->link = l;
  bool same_life = p->epoch == epoch;
  p->epoch = epoch;
  p->pause_ms = n->options.retry_min_ms;
  p->trouble[0] = '\0';
  loop_timer_cancel(l->patience);
  l->up = true;
  link_table_add(n->options.links, &l->row, "raft", HELLO_VERSION, l->remote, !l->dialled, n->options.tls != NULL);
  event_raise(n->options.events, EVENT_INFO, "cluster.network.connected", "Connected to: %s (server %llu)", p->address,
              (unsigned long long) p->server);
  if (!same_life) set_online(p, false, 0);
  set_online(p, true, MIN(network_hello(n, 0, HELLO_ACCEPTED).version_max, l->other.version_max));
  if (!l->dead) link_flush(l);
}

void peer_link_lost(struct peer *p, struct link *l, const char *why) {
  bool was_up = p->link == l;
  if (was_up) p->link = NULL;
  if (p->dialled == l) p->dialled = NULL;
  link_free(l);
  if (was_up) set_online(p, false, 0);
  tell_trouble(p, was_up ? "Lost connection to" : "Failed to connect to", why);
  if (p->link == NULL && p->dialled == NULL && p->connecting == NULL) try_later(p);
}

void peer_hush(struct peer *p, const char *why) {
  give_up_attempts(p);
  if (p->link != NULL) peer_link_lost(p, p->link, why);
}

// ---- life ----

static void peer_free(struct peer *p) {
  outbox_clear(&p->outbox);
  mem_free(p);
}

static void leave(struct peer *p) {
  struct network *n = p->network;
  peer_free(p);
  mutex_lock(&n->lock);
  bool last = --n->leaving == 0 && n->closed;
  mutex_unlock(&n->lock);
  if (last) network_release(n);
}

static void flush_now(struct loop_task *task) {
  struct peer *p = CONTAINER_OF(task, struct peer, flush);
  mutex_lock(&p->network->lock);
  p->flush_posted = false;
  bool removed = p->removed;
  mutex_unlock(&p->network->lock);
  if (removed)
    leave(p);
  else if (p->link != NULL)
    link_flush(p->link);
}

enum err peer_new(struct network *n, uint64_t server, const char *address, struct peer **ret, struct error *e) {
  struct peer *p = mem_zalloc(sizeof *p);
  if (p == NULL) return error_set(e, ERR_NOMEM, "no memory for another server");
  *p = (struct peer){.network = n, .server = server, .flush.run = flush_now};
  outbox_init(&p->outbox, n->options.urgent_bytes_max, n->options.bulk_bytes_max);
  snprintf(p->address, sizeof p->address, "%s", address);
  enum err err = loop_timer_new(n->loop, try_now, p, &p->retry, e);
  if (err != ERR_OK) {
    mem_free(p);
    return err;
  }
  try_first(p);
  *ret = p;
  return ERR_OK;
}

void peer_move(struct peer *p, const char *address) {
  if (strcmp(p->address, address) == 0) return;
  snprintf(p->address, sizeof p->address, "%s", address);
  give_up_attempts(p);
  if (p->link == NULL) try_first(p);
}

void peer_remove(struct peer *p) {
  struct network *n = p->network;
  give_up_attempts(p);
  link_free(p->link);
  p->link = NULL;
  loop_timer_free(p->retry);
  set_online(p, false, 0);
  mutex_lock(&n->lock);
  p->removed = true;
  bool posted = p->flush_posted; // then it is freed when that has run
  if (posted) n->leaving++;
  mutex_unlock(&n->lock);
  if (!posted) peer_free(p);
}
