#include "cluster/network_int.h"

#include <stdio.h>
#include <string.h>

#include "base/feature_level.h"
#include "base/mem.h"
#include "base/mutant.h"

struct peer *network_peer(struct network *n, uint64_t server) {
  uint64_t *at = map_get(&n->peers, server);
  return at != NULL ? (struct peer *) (uintptr_t) *at : NULL; // NOLINT: the map holds pointers as numbers
}

struct hello network_hello(const struct network *n, uint64_t expected, enum hello_refusal refusal) {
  struct hello h = {.version_min = HELLO_VERSION,
                    .version_max = n->options.known != NULL ? HELLO_VERSION_ACKNOWLEDGED : HELLO_VERSION_PROOF,
                    .server = n->options.server,
                    .expected = expected,
                    .epoch = n->options.epoch,
                    .feature_level = feature_level_highest,
                    .refusal = refusal};
  memcpy(h.cluster, n->options.cluster, sizeof h.cluster);
  memcpy(h.address, n->advertised, sizeof h.address);
  return h;
}

uint32_t network_level(const struct network *n) {
  return n->options.feature_level != NULL ? atomic_load(n->options.feature_level) : FEATURE_LEVEL_FIRST;
}

// ---- peers ----

enum err network_peer_set(struct network *n, uint64_t server, const char *address, struct error *e) {
  struct str host;
  uint16_t port;
  if (server == 0 || server == n->options.server)
    return error_set(e, ERR_INVALID, "server %llu is not another server", (unsigned long long) server);
  if (strlen(address) >= HELLO_ADDRESS_BYTES)
    return error_set(e, ERR_INVALID, "the address '%s' is longer than %u bytes", address, HELLO_ADDRESS_BYTES - 1);
  TRY(net_address_split(str_of(address), 0, &host, &port, e));
  struct peer *p = network_peer(n, server);
  if (p != NULL) {
    peer_move(p, address);
    return ERR_OK;
  }
  TRY(peer_new(n, server, address, &p, e));
  mutex_lock(&n->lock);
  enum err err = map_put(&n->peers, server, (uintptr_t) p);
  mutex_unlock(&n->lock);
  if (err != ERR_OK) peer_remove(p);
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

void network_peer_remove(struct network *n, uint64_t server) {
  struct peer *p = network_peer(n, server);
  if (p == NULL) return;
  mutex_lock(&n->lock);
  map_remove(&n->peers, server);
  mutex_unlock(&n->lock);
  peer_remove(p);
}

void network_judge_levels(struct network *n) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&n->peers, &at)) != NULL;) {
    struct peer *p = (struct peer *) (uintptr_t) entry->value;
    if (p->link != NULL && feature_level_of(p->link->feature_level) < network_level(n))
      peer_link_lost(p, p->link, hello_refused_text(HELLO_TOO_OLD));
  }
}

void network_hush(struct network *n) {
  if (n->hushed) return;
  n->hushed = true;
  while (n->guests != NULL) {
    struct link *l = n->guests;
    n->guests = l->next;
    n->guest_count--;
    link_free(l);
  }
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&n->peers, &at)) != NULL;)
    peer_hush((struct peer *) (uintptr_t) entry->value, "this server has an older copy of its data folder");
}

void network_older(struct network *n, uint64_t server, struct start known) {
  if (n->hushed) return;
  if (n->events.older != NULL) n->events.older(n->context, server, known);
  network_hush(n);
}

/// Under the lock. A frame with a message that the other end does not know would end the connection.
static bool understands(const struct peer *p, const struct message *m) {
  return m->body.type != CONSENSUS_ACKNOWLEDGED || p->version >= HELLO_VERSION_ACKNOWLEDGED || MUTANT(network_reminder);
}

bool network_send(struct network *n, uint64_t server, const struct message *m) {
  mutex_lock(&n->lock);
  struct peer *p = network_peer(n, server);
  bool taken = p != NULL && p->online && understands(p, m) && outbox_put(&p->outbox, m);
  bool post = taken && !p->flush_posted;
  if (post) p->flush_posted = true;
  mutex_unlock(&n->lock);
  if (post) loop_post(n->loop, &p->flush);
  return taken;
}

bool network_queue(struct network *n, uint64_t server, const struct message *m) {
  mutex_lock(&n->lock);
  struct peer *p = network_peer(n, server);
  bool has_room = p == NULL || !p->online || !understands(p, m) || outbox_put(&p->outbox, m);
  mutex_unlock(&n->lock);
  return has_room;
}

void network_flush(struct network *n) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&n->peers, &at)) != NULL;) {
    struct peer *p = (struct peer *) (uintptr_t) entry->value;
    if (p->link != NULL) link_flush(p->link);
  }
}

bool network_peer_status(struct network *n, uint64_t server, struct network_peer_status *ret) {
  struct peer *p = network_peer(n, server);
  if (p == NULL) return false;
  *ret = (struct network_peer_status){.server = server, .up = p->link != NULL};
  snprintf(ret->address, sizeof ret->address, "%s", p->address);
  snprintf(ret->trouble, sizeof ret->trouble, "%s",
           p->link != NULL         ? ""
           : p->trouble[0] != '\0' ? p->trouble
                                   : "not connected yet");
  mutex_lock(&n->lock);
  ret->waiting_bytes = p->outbox.urgent.bytes + p->outbox.bulk.bytes;
  ret->dropped = p->outbox.dropped;
  mutex_unlock(&n->lock);
  return true;
}

// ---- life ----

static void on_accepted(void *context, int socket, const char *remote, const char *local UNUSED) {
  struct network *n = context;
  struct link *l = NULL;
  if (n->hushed) {
    net_socket_close(socket);
    return;
  }
  if (n->guest_count >= GUESTS_MAX) link_end_oldest_guest(n);
  if (link_open(n, socket, remote, NULL, &l, NULL) != ERR_OK) return; // no memory: the other end tries again
  l->next = n->guests;
  n->guests = l;
  n->guest_count++;
}

static void set_defaults(struct network_options *o) {
  if (o->urgent_bytes_max == 0) o->urgent_bytes_max = 1u << 20;
  if (o->bulk_bytes_max == 0) o->bulk_bytes_max = 32u << 20;
  if (o->connect_timeout_ms == 0) o->connect_timeout_ms = 3000;
  if (o->retry_min_ms == 0) o->retry_min_ms = 50;
  if (o->retry_max_ms == 0) o->retry_max_ms = 2000;
}

enum err network_open(struct loop *loop, const struct network_options *options, const struct network_events *events,
                      void *context, struct network **ret, struct error *e) {
  static const struct net_listener_events listener = {on_accepted};
  if (options->server == 0) return error_set(e, ERR_INVALID, "a server of a cluster needs a number that is not 0");
  if (options->advertised != NULL && strlen(options->advertised) >= HELLO_ADDRESS_BYTES)
    return error_set(e, ERR_INVALID, "the address '%s' is longer than %u bytes", options->advertised, HELLO_ADDRESS_BYTES - 1);
  struct network *n = mem_zalloc(sizeof *n);
  if (n == NULL) return error_set(e, ERR_NOMEM, "no memory for the network of the cluster");
  *n = (struct network){.loop = loop, .options = *options, .events = *events, .context = context};
  set_defaults(&n->options);
  arena_init(&n->messages, NULL);
  rng_seed(&n->rng, options->server * 31 + options->epoch);
  mutex_init(&n->lock);
  enum err err = net_listen(loop, options->listen, 0, &listener, n, &n->listener, e);
  if (err != ERR_OK) {
    network_close(n);
    return error_prefix(e, "server.cluster.raft.listen_address");
  }
  snprintf(n->advertised, sizeof n->advertised, "%s",
           options->advertised != NULL ? options->advertised : net_listener_address(n->listener));
  n->options.listen = (struct str){0}; // the caller's text may go
  n->options.advertised = n->advertised;
  *ret = n;
  return ERR_OK;
}

const char *network_address(const struct network *n) {
  return net_listener_address(n->listener);
}

void network_release(struct network *n) {
  arena_done(&n->messages);
  mutex_done(&n->lock);
  mem_free(n);
}

void network_close(struct network *n) {
  if (n == NULL) return;
  net_listener_free(n->listener);
  for (struct link *l; (l = n->guests) != NULL;) {
    n->guests = l->next;
    link_free(l);
  }
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&n->peers, &at)) != NULL;)
    peer_remove((struct peer *) (uintptr_t) entry->value);
  map_done(&n->peers);
  mutex_lock(&n->lock);
  n->closed = true;
  bool last = n->leaving == 0;
  mutex_unlock(&n->lock);
  if (last) network_release(n);
}
