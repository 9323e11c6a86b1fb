// Contacts: which addresses there are, who gave them, and when each is tried.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/beacon_int.h"

enum {
  CONNECT_TIMEOUT_MS = 3000,
  PATIENCE_MS = 5000,
  RETRY_MIN_MS = 200,
  RETRY_MAX_MS = 5000,
  SELF_AGAIN_MS = 60000,      // an address of this server may become another one's
  WAIT_TO_BE_CALLED_MS = 2000 // the lower uuid calls, so that two servers that hear of each other make one connection
};

// ---- telling ----

/// What somebody can do about it.
static const char *advice(const struct contact *c, enum err code) {
  if (code != ERR_NOTFOUND) return "";
  return c->is_seed
             ? ". Is the name right, and known to the DNS of this machine? Where names come with the servers (Kubernetes), it "
               "must resolve "
               "before they are ready (publishNotReadyAddresses)"
             : ". That server must advertise a name that the others can resolve: set server.discovery.advertised_address, or "
               "server.default_advertised_address, there";
}

/// Each new reason once; the same one again only after a success in between.
void contact_tell(struct contact *c, enum err code, const char *why) {
  char text[240];
  snprintf(text, sizeof text, "%s", why);
  if (strcmp(c->trouble, text) == 0) return;
  memcpy(c->trouble, text, sizeof text);
  event_raise(c->beacon->options.events, EVENT_WARN, "cluster.beacon.lost", "no connection with %s (from %s): %s; trying again%s",
              c->address, c->source, why, advice(c, code));
}

// ---- contacts ----

static struct contact *find_contact(struct beacon *b, struct str address) {
  for (struct contact *c = b->contacts; c != NULL; c = c->next)
    if (str_eqz(address, c->address)) return c;
  return NULL;
}

static enum err add_contact(struct beacon *b, struct str address, struct contact **ret, struct error *e) {
  struct str host;
  uint16_t port;
  if (address.len >= CONTACT_ADDRESS_BYTES)
    return error_set(e, ERR_INVALID, "the address '%.*s' is longer than %u bytes", STR_ARG(address), CONTACT_ADDRESS_BYTES - 1);
  TRY(net_address_split(address, 0, &host, &port, e));
  if (port == 0) return error_set(e, ERR_INVALID, "the address '%.*s' has no port", STR_ARG(address));
  if (b->contact_count >= CONTACTS_MAX)
    return error_set(e, ERR_INVALID, "more than %d addresses of servers are not kept", CONTACTS_MAX);
  struct contact *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for an address");
  *c = (struct contact){.beacon = b, .next = b->contacts, .pause_ms = b->options.retry_min_ms};
  snprintf(c->address, sizeof c->address, "%.*s", STR_ARG(address));
  b->contacts = c;
  b->contact_count++;
  *ret = c;
  return ERR_OK;
}

static void free_contact(struct contact *c) {
  net_connecting_free(c->connecting);
  if (c->wire != NULL) c->wire->contact = NULL; // the connection stays
  mem_free(c);
}

/// Those that nobody names any more.
static void drop_unwanted(struct beacon *b) {
  for (struct contact **at = &b->contacts; *at != NULL;) {
    struct contact *c = *at;
    if (c->is_seed || c->is_wanted) {
      at = &c->next;
      continue;
    }
    *at = c->next;
    b->contact_count--;
    free_contact(c);
  }
}

static enum err add_seed(struct beacon *b, struct str address, const char *source, struct error *e) {
  struct contact *c = find_contact(b, address);
  if (c == NULL) TRY(add_contact(b, address, &c, e));
  c->is_seed = true;
  snprintf(c->source, sizeof c->source, "%s", source);
  return ERR_OK;
}

enum err beacon_seeds(struct beacon *b, const struct str *addresses, size_t count, uint32_t servers, const char *source,
                      struct error *e) {
  enum err err = ERR_OK;
  b->seed_servers = servers;
  for (struct contact *c = b->contacts; c != NULL; c = c->next) {
    c->is_wanted = c->is_wanted || !c->is_seed; // what servers advertise is the next tick's business
    c->is_seed = false;
  }
  for (size_t i = 0; i < count && err == ERR_OK; i++) err = add_seed(b, addresses[i], source, e);
  drop_unwanted(b);
  return err;
}

/// The seed before `c` at which the same server answers.
static bool is_known_twin(const struct beacon *b, const struct contact *c) {
  for (const struct contact *other = b->contacts; other != c; other = other->next)
    if (other->is_seed && !uuid_is_none(c->server) && uuid_eq(other->server, c->server)) return true;
  return false;
}

uint32_t beacon_listed(struct beacon *b) {
  uint32_t listed = 0;
  bool has_self = false;
  for (const struct contact *c = b->contacts; c != NULL; c = c->next) {
    if (!c->is_seed) continue;
    listed += !is_known_twin(b, c);
    has_self |= uuid_eq(c->server, b->self) || strcmp(c->address, b->advertised) == 0; // it may not be able to reach itself
  }
  return MIN(listed, b->seed_servers) + !has_self;
}

// ---- what servers advertise ----

static void want(struct beacon *b, const struct announcement *a) {
  struct str address = a->addresses[ADDRESS_DISCOVERY];
  struct contact *c = find_contact(b, address);
  bool is_new = c == NULL;
  if (address.len == 0 || (is_new && add_contact(b, address, &c, NULL) != ERR_OK)) return; // it may still come to us
  c->is_wanted = true;
  if (!is_new) return;
  c->server = a->server;
  snprintf(c->source, sizeof c->source, "server %s, which advertises it", uuid_short(a->server).z);
  if (uuid_cmp(a->server, b->self) < 0) c->retry_ms = loop_now_ms(b->loop) + WAIT_TO_BE_CALLED_MS;
}

static void refresh_contacts(struct beacon *b) {
  struct arena arena;
  struct directory_copy copy;
  arena_init(&arena, NULL);
  if (directory_copy(b->directory, &arena, &copy, NULL) == ERR_OK) { // otherwise with the next tick
    for (struct contact *c = b->contacts; c != NULL; c = c->next) c->is_wanted = false;
    for (uint32_t i = 1; i < copy.count; i++) want(b, &copy.servers[i].said);
    drop_unwanted(b);
  }
  arena_done(&arena);
}

// ---- connecting ----

struct wire *beacon_wire_with(struct beacon *b, struct uuid server, const struct wire *but) {
  for (struct wire *w = b->wires; w != NULL; w = w->next)
    if (w != but && uuid_eq(directory_link_peer(w->link), server)) return w;
  return NULL;
}

/// A quarter of the pause is by chance, so that two servers do not call each other in step for ever.
void contact_later(struct contact *c) {
  struct beacon *b = c->beacon;
  bool is_self = uuid_eq(c->server, b->self);
  int64_t pause_ms = is_self ? SELF_AGAIN_MS : c->pause_ms;
  c->retry_ms = loop_now_ms(b->loop) + pause_ms + (int64_t) rng_below(&b->rng, (uint64_t) pause_ms / 4 + 1);
  c->pause_ms = MIN(c->pause_ms * 2, b->options.retry_max_ms);
}

static void on_connected(void *context, int socket, const char *remote) {
  struct contact *c = context;
  struct error e = ERROR_INIT;
  c->connecting = NULL;
  enum err err = wire_open(c->beacon, socket, remote, c, &e);
  if (err == ERR_OK) return;
  contact_tell(c, err, e.message);
  contact_later(c);
}

static void on_failed(void *context, const struct error *why) {
  struct contact *c = context;
  c->connecting = NULL;
  contact_tell(c, why->code, why->message);
  contact_later(c);
}

static void try_contact(struct beacon *b, struct contact *c, int64_t now_ms) {
  static const struct net_connect_events events = {on_connected, on_failed};
  struct error e = ERROR_INIT;
  if (c->wire != NULL || c->connecting != NULL || now_ms < c->retry_ms) return;
  if (!uuid_is_none(c->server) && beacon_wire_with(b, c->server, NULL) != NULL) return;
  enum err err = net_connect(b->loop, b->options.resolver, str_of(c->address), 0, b->options.connect_timeout_ms, &events, c,
                             &c->connecting, &e);
  if (err == ERR_OK) return;
  contact_tell(c, err, e.message);
  contact_later(c);
}

static void on_accepted(void *context, int socket, const char *remote, const char *local UNUSED) {
  struct beacon *b = context;
  struct error e = ERROR_INIT;
  if (wire_open(b, socket, remote, NULL, &e) == ERR_LIMIT) wire_tell_refused(b, remote, e.message);
}

// ---- time ----

static void end_silent(struct beacon *b, int64_t now_ms) {
  for (struct wire *w = b->wires, *next; w != NULL; w = next) {
    next = w->next;
    bool met = !uuid_is_none(directory_link_peer(w->link));
    int64_t silence_ms = now_ms - w->heard_ms;
    if (!met && silence_ms >= b->options.patience_ms) wire_end(w, "it did not say who it is in time");
    if (met && silence_ms >= b->options.directory.expiry_ms) wire_end(w, "nothing was heard on the connection for too long");
  }
}

void beacon_tick(struct beacon *b) {
  int64_t now_ms = loop_now_ms(b->loop);
  directory_tick(b->directory, now_ms);
  end_silent(b, now_ms);
  refresh_contacts(b);
  for (struct contact *c = b->contacts; c != NULL; c = c->next) try_contact(b, c, now_ms);
  for (struct wire *w = b->wires; w != NULL; w = w->next)
    if (!uuid_is_none(directory_link_peer(w->link))) wire_write(w, DIRECTORY_ALL);
}

void beacon_say(struct beacon *b) {
  for (struct wire *w = b->wires; w != NULL; w = w->next)
    if (w->dialled || !uuid_is_none(directory_link_peer(w->link))) wire_write(w, DIRECTORY_SELF);
}

// ---- life ----

static void set_defaults(struct beacon_options *o) {
  if (o->directory.expiry_ms == 0) o->directory.expiry_ms = 10000;
  if (o->connect_timeout_ms == 0) o->connect_timeout_ms = CONNECT_TIMEOUT_MS;
  if (o->patience_ms == 0) o->patience_ms = PATIENCE_MS;
  if (o->retry_min_ms == 0) o->retry_min_ms = RETRY_MIN_MS;
  if (o->retry_max_ms == 0) o->retry_max_ms = RETRY_MAX_MS;
}

static enum err begin(struct beacon *b, const struct announcement *said, struct error *e) {
  static const struct net_listener_events listener = {on_accepted};
  struct announcement self = *said;
  if (net_listen(b->loop, b->options.listen, 0, &listener, b, &b->listener, e) != ERR_OK)
    return error_prefix(e, "server.discovery.listen_address");
  b->options.listen = (struct str){0}; // the caller's text may go
  if (self.addresses[ADDRESS_DISCOVERY].len == 0) self.addresses[ADDRESS_DISCOVERY] = str_of(net_listener_address(b->listener));
  snprintf(b->advertised, sizeof b->advertised, "%.*s", STR_ARG(self.addresses[ADDRESS_DISCOVERY]));
  return directory_new(&b->options.directory, &self, loop_now_ms(b->loop), &b->directory, e);
}

enum err beacon_open(struct loop *loop, const struct beacon_options *options, const struct announcement *self,
                     const struct beacon_events *events, void *context, struct beacon **ret, struct error *e) {
  struct beacon *b = mem_zalloc(sizeof *b);
  if (b == NULL) return error_set(e, ERR_NOMEM, "no memory for the discovery port");
  *b = (struct beacon){.loop = loop, .options = *options, .events = *events, .context = context, .self = self->server};
  set_defaults(&b->options);
  uint64_t seed;
  memcpy(&seed, self->server.bytes, sizeof seed);
  rng_seed(&b->rng, seed + self->epoch);
  enum err err = begin(b, self, e);
  if (err != ERR_OK) {
    beacon_close(b);
    return err;
  }
  *ret = b;
  return ERR_OK;
}

void beacon_close(struct beacon *b) {
  if (b == NULL) return;
  net_listener_free(b->listener);
  while (b->wires != NULL) wire_free(b->wires);
  for (struct contact *c; (c = b->contacts) != NULL;) {
    b->contacts = c->next;
    free_contact(c);
  }
  directory_free(b->directory);
  mem_free(b);
}

const char *beacon_address(const struct beacon *b) {
  return net_listener_address(b->listener);
}

struct directory *beacon_directory(struct beacon *b) {
  return b->directory;
}
