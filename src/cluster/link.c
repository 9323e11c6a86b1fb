// One connection: hello, then frames. Says upward when it is up and why it ended.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/network_int.h"

enum {
  SYSTEM_BYTES_HIGH = 256 << 10, // given to the system; the rest waits in the outbox, where the urgent can overtake
  SYSTEM_BYTES_LOW = 64 << 10,
  LINGER_MS = 1000,
};

static void link_release(struct link *l) {
  buf_done(&l->in);
  mem_free(l);
}

void link_free(struct link *l) {
  if (l == NULL || l->dead) return;
  net_conn_free(l->conn);
  loop_timer_free(l->patience);
  link_table_remove(l->network->options.links, &l->row);
  l->dead = true;
  l->peer = NULL;
  if (l->busy == 0) link_release(l);
}

/// Every callback runs between these two: what it calls may end the link.
static void link_enter(struct link *l) {
  l->busy++;
}

static void link_leave(struct link *l) {
  if (--l->busy == 0 && l->dead) link_release(l);
}

static void guest_forget(struct link *l) {
  for (struct link **at = &l->network->guests; *at != NULL; at = &(*at)->next)
    if (*at == l) {
      *at = l->next;
      l->network->guest_count--;
      return;
    }
}

static void tell_refused(struct link *l, const char *what, const char *why) {
  struct network *n = l->network;
  refusals_raise(&n->refusals, n->options.events, "cluster.network.refused", loop_now_ms(n->loop), what, l->remote, why);
}

/// The end of a link, whoever began it.
static void link_end(struct link *l, const char *why) {
  struct peer *p = l->peer;
  if (p != NULL) {
    peer_link_lost(p, l, why);
    return;
  }
  tell_refused(l, "a connection to the Raft port", why);
  guest_forget(l);
  link_free(l);
}

void link_end_oldest_guest(struct network *n) {
  struct link *oldest = n->guests;
  while (oldest != NULL && oldest->next != NULL) oldest = oldest->next;
  if (oldest != NULL) link_end(oldest, "it has said no hello yet, and there are too many of those: somebody who is no member opens connections here");
}

// ---- hello ----

static enum err say_hello(struct link *l, uint64_t expected, enum hello_refusal refusal) {
  uint8_t bytes[HELLO_BYTES];
  struct hello h = network_hello(l->network, expected, refusal);
  hello_put(bytes, &h);
  TRY(net_conn_write(l->conn, bytes, sizeof bytes));
  net_conn_flush(l->conn);
  return ERR_OK;
}

/// Says no and ends when the other one has heard it.
static void turn_away(struct link *l, const struct hello *other, enum hello_refusal refusal) {
  char who[200], why[400];
  struct hello self = network_hello(l->network, 0, HELLO_ACCEPTED);
  hello_print_refused(&self, other, refusal, who, sizeof who, why, sizeof why);
  tell_refused(l, who, why);
  if (say_hello(l, other->server, refusal) == ERR_OK) net_conn_finish(l->conn, LINGER_MS);
}

static struct peer *guest_as_peer(struct link *l, const struct hello *other) {
  struct network *n = l->network;
  struct peer *p = network_peer(n, other->server);
  if (p != NULL || n->peers.len >= PEERS_MET_MAX || n->events.met == NULL || !n->events.met(n->context, other->server, other->address)) return p;
  if (network_peer_set(n, other->server, other->address, NULL) != ERR_OK) return NULL;
  return network_peer(n, other->server);
}

static const char earlier_life[] = "it is from an earlier life of that server";

/// A connection that its sender has given up long ago.
static bool is_earlier_life(struct link *l, const struct hello *other) {
  struct peer *p = network_peer(l->network, other->server);
  return p != NULL && other->epoch < p->epoch;
}

static void let_in(struct link *l, const struct hello *other) {
  struct hello self = network_hello(l->network, 0, HELLO_ACCEPTED);
  enum hello_refusal refusal = hello_judge(&self, other, network_level(l->network)); // which may have been raised since
  if (refusal != HELLO_ACCEPTED) {
    link_end(l, hello_refused_text(refusal));
    return;
  }
  struct peer *p = guest_as_peer(l, other);
  if (p == NULL || is_earlier_life(l, other)) {
    link_end(l, p == NULL ? "it is no member of this cluster any more" : earlier_life);
    return;
  }
  guest_forget(l);
  l->peer = p;
  peer_link_up(p, l, other->epoch);
}

// ---- proof ----

static bool speaks_proof(const struct hello *other) {
  return other->version_max >= HELLO_VERSION_PROOF;
}

static bool speaks_starts(const struct link *l, const struct hello *other) {
  return l->network->options.known != NULL && other->version_max >= HELLO_VERSION_START;
}

static bool speaks_moves(const struct link *l) {
  return speaks_starts(l, &l->other) && l->other.version_max >= HELLO_VERSION_MOVES;
}

static size_t proof_bytes(const struct link *l) {
  return speaks_starts(l, &l->other) ? HELLO_START_BYTES : HELLO_PROOF_BYTES;
}

static enum err say_proof(struct link *l, enum hello_proof kind, uint64_t number) {
  const struct network_options *o = &l->network->options;
  uint8_t bytes[HELLO_START_BYTES];
  if (speaks_starts(l, &l->other)) {
    struct start now = known_starts_now(o->known);
    struct hello_start s = {number, now.mark, now.moves, l->known};
    if (!speaks_moves(l)) s.moves = s.known.moves = 0;
    hello_start_put(bytes, kind, &s);
  } else {
    hello_proof_put(bytes, kind, number);
  }
  TRY(net_conn_write(l->conn, bytes, proof_bytes(l)));
  net_conn_flush(l->conn);
  return ERR_OK;
}

static enum err hear_proof(struct link *l, enum hello_proof kind, struct hello_start *ret, struct error *e) {
  const uint8_t *from = (const uint8_t *) l->in.data;
  *ret = (struct hello_start){0};
  enum err err = speaks_starts(l, &l->other) ? hello_start_get(from, kind, ret, e) : hello_proof_get(from, kind, &ret->number, e);
  buf_consume(&l->in, proof_bytes(l));
  return err;
}

static void expect_proof(struct link *l, const struct hello *other) {
  l->proving = true;
  l->other = *other;
  if (speaks_starts(l, other)) l->known = known_starts_find(l->network->options.known, other->server);
}

/// A number that no connection had before: epochs rise with each start, and the generator is seeded by them.
static enum err say_challenge(struct link *l, const struct hello *other) {
  expect_proof(l, other);
  l->challenge = rng_next(&l->network->rng);
  l->contradicted = speaks_starts(l, other) && other->epoch < l->known.number;
  return say_proof(l, HELLO_CHALLENGE, l->challenge);
}

static const char older_copy[] =
    "it has come with an older copy of its data folder, from before what this server has met of it: it begins anew as another "
    "member, or must be started with an empty data folder";

static void note_start(struct link *l) {
  struct network *n = l->network;
  enum known_news news = known_starts_note(n->options.known, l->other.server, l->theirs);
  if (news == KNOWN_START && n->events.start_met != NULL) n->events.start_met(n->context);
  if (news != KNOWN_BEFORE && l->theirs.moves > 0 && n->events.start_moved != NULL) n->events.start_moved(n->context);
}

/// What both ends know of each other's starts. False: this server is an older copy of itself, and has ended all connections.
static bool take_start(struct link *l, const struct hello_start *said) {
  struct network *n = l->network;
  if (!speaks_starts(l, &l->other)) return true;
  if (known_starts_are_older(n->options.known, said->known)) {
    network_older(n, l->other.server, said->known);
    return false;
  }
  l->theirs = (struct start){l->other.epoch, said->mark, said->moves};
  l->contradicted = known_starts_contradict(n->options.known, l->other.server, l->theirs);
  if (!l->contradicted && (!l->dialled || !speaks_moves(l)))
    note_start(l); // else with its first frame: then it has heard what is known here
  return true;
}

// ---- hello, heard ----

static enum hello_refusal judge_guest(struct link *l, const struct hello *other) {
  const struct network_events *events = &l->network->events;
  struct hello self = network_hello(l->network, 0, HELLO_ACCEPTED);
  enum hello_refusal refusal = hello_judge(&self, other, network_level(l->network));
  if (refusal != HELLO_ACCEPTED) return refusal;
  if (events->is_elsewhere != NULL && events->is_elsewhere(l->network->context, other->server, other->address)) return HELLO_TWIN;
  return guest_as_peer(l, other) != NULL ? HELLO_ACCEPTED : HELLO_STRANGER;
}

static void greet_guest(struct link *l, const struct hello *other) {
  enum hello_refusal refusal = judge_guest(l, other);
  if (refusal != HELLO_ACCEPTED) {
    turn_away(l, other, refusal);
    return;
  }
  if (is_earlier_life(l, other) && !speaks_starts(l, other)) { // who speaks of starts is told of the later one
    link_end(l, earlier_life);
    return;
  }
  if (say_hello(l, other->server, HELLO_ACCEPTED) != ERR_OK) return; // `closed` follows
  if (!speaks_proof(other))
    let_in(l, other);
  else if (say_challenge(l, other) != ERR_OK)
    return; // `closed` follows
}

static void hear_answer(struct link *l, const struct hello *other) {
  struct hello self = network_hello(l->network, l->peer->server, HELLO_ACCEPTED);
  char why[200];
  const char *objection = hello_objection(&self, other, l->peer->server, network_level(l->network));
  if (objection != NULL) {
    snprintf(why, sizeof why, "the server there (number %llu) %s", (unsigned long long) other->server, objection);
    link_end(l, why);
    return;
  }
  if (speaks_proof(other))
    expect_proof(l, other);
  else
    peer_link_up(l->peer, l, other->epoch);
}

static const char recorded[] = "it repeats what a member has said on another connection: somebody has recorded that, and the network of the cluster is open to him";

/// Of the end that was connected to the challenge, of the other one its answer.
static void take_proof(struct link *l) {
  struct hello other = l->other;
  struct hello_start said;
  struct error e = ERROR_INIT;
  enum err err = hear_proof(l, l->dialled ? HELLO_CHALLENGE : HELLO_ANSWER, &said, &e);
  if (err != ERR_OK || (!l->dialled && said.number != l->challenge)) {
    link_end(l, err != ERR_OK ? e.message : recorded);
    return;
  }
  if (!take_start(l, &said)) return;
  l->proving = false;
  if (!l->dialled && l->contradicted)
    link_end(l, older_copy);
  else if (!l->dialled)
    let_in(l, &other);
  else if (say_proof(l, HELLO_ANSWER, said.number) == ERR_OK && !l->contradicted) // else `closed` follows
    peer_link_up(l->peer, l, other.epoch);
}

static void take_hello(struct link *l) {
  struct hello other;
  struct error e = ERROR_INIT;
  if (hello_get((const uint8_t *) l->in.data, &other, &e) != ERR_OK) {
    link_end(l, e.message);
    return;
  }
  buf_consume(&l->in, HELLO_BYTES);
  l->feature_level = other.feature_level;
  if (l->dialled)
    hear_answer(l, &other);
  else
    greet_guest(l, &other);
}

/// What is no hello need never get as long as one: its first bytes say enough.
static bool is_another_protocol(const struct link *l) {
  return !l->proving && l->in.len >= 4 && memcmp(l->in.data, "QVCH", 4) != 0;
}

static void refuse_another_protocol(struct link *l) {
  uint8_t start[HELLO_BYTES] = {0};
  struct hello none;
  struct error e = ERROR_INIT;
  memcpy(start, l->in.data, MIN(l->in.len, sizeof start));
  if (hello_get(start, &none, &e) != ERR_OK) link_end(l, e.message);
}

// ---- frames ----

/// What the other end says of its start, or that it goes on with one that this server knew an earlier one of.
static enum err take_moves(struct link *l, const struct frame_header *h, struct error *e) {
  if (!speaks_moves(l)) return h->messages > 0 ? ERR_OK : error_set(e, ERR_CORRUPT, "a frame has no messages");
  bool moved = h->messages == 0 && h->moves > l->theirs.moves;
  if (moved) l->theirs.moves = h->moves;
  if (moved || !l->is_noted) note_start(l);
  l->is_noted = true;
  return ERR_OK;
}

static enum err deliver_frame(struct link *l, const uint8_t *bytes, size_t len, struct error *e) {
  struct network *n = l->network;
  struct frame_reader r;
  TRY(frame_open(bytes, len, &r, e));
  if (r.header.from != l->peer->server || r.header.to != n->options.server || r.header.epoch != l->peer->epoch)
    return error_set(e, ERR_CORRUPT, "a frame is not of this connection");
  TRY(take_moves(l, &r.header, e));
  for (bool any = true; !l->dead;) {
    struct message m;
    TRY(frame_next(&r, &n->messages, &m, &any, e));
    if (!any) break;
    n->events.received(n->context, l->peer->server, &m);
  }
  return ERR_OK;
}

/// Delivers whole frames at the front of what came in. An error ends the link.
static enum err take_frames(struct link *l, struct error *e) {
  size_t at = 0;
  enum err err = ERR_OK;
  while (err == ERR_OK && !l->dead) {
    uint32_t bytes = 0;
    const uint8_t *from = (const uint8_t *) l->in.data + at;
    err = frame_peek(from, l->in.len - at, &bytes, e);
    if (err != ERR_OK || l->in.len - at < bytes) break;
    err = deliver_frame(l, from, bytes, e);
    arena_reset(&l->network->messages);
    at += bytes;
  }
  buf_consume(&l->in, at);
  return err == ERR_SHORT ? ERR_OK : err;
}

static void take_input(struct link *l) {
  struct error e = ERROR_INIT;
  if (l->contradicted) {
    buf_consume(&l->in, l->in.len);
    return;
  }
  if (!l->up && is_another_protocol(l)) {
    refuse_another_protocol(l);
    return;
  }
  if (!l->up && !l->proving && l->in.len >= HELLO_BYTES) take_hello(l);
  if (!l->dead && l->proving && l->in.len >= proof_bytes(l)) take_proof(l);
  if (!l->dead && l->up && take_frames(l, &e) != ERR_OK) link_end(l, e.message); // the answer may come with frames behind it
}

// ---- the connection's events ----

static void begin_tls(struct link *l, const void *bytes, size_t len) {
  struct error e = ERROR_INIT;
  l->tls_begun = true; // what is decrypted comes back through on_received
  if (net_conn_start_tls(l->conn, l->network->options.tls, bytes, len, &e) != ERR_OK) link_end(l, e.message);
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct link *l = context;
  link_enter(l);
  if (l->network->options.tls != NULL && !l->tls_begun)
    begin_tls(l, bytes, len);
  else if (buf_append(&l->in, bytes, len) != ERR_OK)
    link_end(l, "no memory for what it sends");
  else
    take_input(l);
  if (l->network->events.settled != NULL) l->network->events.settled(l->network->context);
  link_leave(l);
}

static void on_drained(void *context) {
  link_flush(context);
}

static void on_closed(void *context, enum err why) {
  struct link *l = context;
  bool turned_away = l->peer == NULL && why == ERR_OK; // told before
  char text[300];
  const char *known = net_conn_why(l->conn);
  if (l->contradicted) known = older_copy;
  snprintf(text, sizeof text, "%s", known != NULL ? known : why == ERR_CLOSED ? "it closed the connection" : err_text(why));
  link_enter(l);
  if (turned_away) {
    guest_forget(l);
    link_free(l);
  } else {
    link_end(l, text);
  }
  link_leave(l);
}

static void on_patience_over(void *context) {
  struct link *l = context;
  link_enter(l);
  link_end(l, l->contradicted ? older_copy : l->proving ? "it did not answer in time" : "it did not say hello in time");
  link_leave(l);
}

static enum err begin(struct link *l, struct error *e) {
  struct network *n = l->network;
  TRY(loop_timer_new(n->loop, on_patience_over, l, &l->patience, e));
  loop_timer_set(l->patience, n->options.connect_timeout_ms, false);
  if (!l->dialled) return ERR_OK;
  if (n->options.tls != NULL) {
    struct str host;
    uint16_t port;
    char name[NET_ADDRESS_TEXT_MAX];
    TRY(net_address_split(str_of(l->peer->address), 0, &host, &port, e));
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    l->tls_begun = true;
    TRY(net_conn_connect_tls(l->conn, n->options.tls, n->options.tls_verify_names ? name : NULL, e));
  }
  return say_hello(l, l->peer->server, HELLO_ACCEPTED);
}

enum err link_open(struct network *n, int socket, const char *remote, struct peer *peer, struct link **ret, struct error *e) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {SYSTEM_BYTES_HIGH, SYSTEM_BYTES_LOW};
  struct link *l = mem_zalloc(sizeof *l);
  if (l == NULL) {
    net_socket_close(socket);
    return error_set(e, ERR_NOMEM, "no memory for a connection");
  }
  *l = (struct link){.network = n, .peer = peer, .dialled = peer != NULL};
  snprintf(l->remote, sizeof l->remote, "%s", remote);
  enum err err = net_conn_new(n->loop, socket, &limits, &events, l, &l->conn, e);
  if (err == ERR_OK) err = begin(l, e);
  if (err != ERR_OK) {
    link_free(l);
    return err;
  }
  *ret = l;
  return ERR_OK;
}

// ---- sending ----

/// Whoever does not hear it by that is told by the next connection.
static enum err tell_moves(struct link *l) {
  const struct network_options *o = &l->network->options;
  uint8_t frame[FRAME_MOVES_BYTES];
  if (!speaks_moves(l)) return ERR_OK;
  uint32_t moves = known_starts_now(o->known).moves;
  if (l->has_told && moves == l->told_moves) return ERR_OK;
  l->has_told = true;
  l->told_moves = moves;
  frame_put_moves(frame, o->server, l->peer->server, o->epoch, moves);
  TRY(net_conn_write(l->conn, frame, sizeof frame));
  net_conn_flush(l->conn);
  return ERR_OK;
}

void link_flush(struct link *l) {
  struct network *n = l->network;
  if (!l->up || tell_moves(l) != ERR_OK) return; // `closed` follows
  while (net_conn_pending(l->conn) < SYSTEM_BYTES_HIGH) {
    struct buf frame = BUF_INIT;
    mutex_lock(&n->lock);
    bool any = outbox_take(&l->peer->outbox, n->options.server, l->peer->server, n->options.epoch, &frame);
    mutex_unlock(&n->lock);
    if (!any) break;
    enum err err = net_conn_write_buf(l->conn, &frame);
    buf_done(&frame);
    if (err != ERR_OK) return; // `closed` follows
    net_conn_flush(l->conn);
  }
}
