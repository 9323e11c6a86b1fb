// One connection of the discovery port: frames both ways. It ends by what it reads, by silence, or because another one with the
// same server is kept.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/beacon_int.h"

enum {
  SYSTEM_BYTES_HIGH = 512 << 10, // not read by the other end: then it gets nothing more
  SYSTEM_BYTES_LOW = 64 << 10,
};

// ---- life ----

void wire_free(struct wire *w) {
  struct beacon *b = w->beacon;
  struct wire **at = &b->wires;
  while (*at != NULL && *at != w) at = &(*at)->next;
  if (*at == w) {
    *at = w->next;
    b->wire_count--;
  }
  if (w->contact != NULL) w->contact->wire = NULL;
  net_conn_free(w->conn);
  directory_link_free(w->link);
  buf_done(&w->in);
  mem_free(w);
}

void wire_tell_refused(struct beacon *b, const char *remote, const char *why) {
  refusals_raise(&b->refusals, b->options.events, "cluster.beacon.refused", loop_now_ms(b->loop), "a connection to the discovery port",
                 remote, why);
}

void wire_end(struct wire *w, const char *why) {
  struct beacon *b = w->beacon;
  struct contact *c = w->contact;
  struct uuid peer = directory_link_peer(w->link);
  bool met = !uuid_is_none(peer), spare = met && beacon_wire_with(b, peer, w) != NULL;
  if (c == NULL && !met)
    wire_tell_refused(b, w->remote, why);
  wire_free(w);
  if (c == NULL) return;
  if (!spare) contact_tell(c, ERR_IO, why);
  contact_later(c);
}

// ---- speaking ----

void wire_write(struct wire *w, enum directory_part part) {
  struct buf frame = BUF_INIT;
  if (net_conn_pending(w->conn) >= SYSTEM_BYTES_HIGH) return;
  enum err err = directory_write(w->link, loop_now_ms(w->beacon->loop), part, &frame);
  if (err == ERR_OK && frame.len > 0 && net_conn_write_buf(w->conn, &frame) == ERR_OK) net_conn_flush(w->conn);
  buf_done(&frame); // without memory it is said with the next beat; a connection that failed reports that itself
}

// ---- hearing ----

/// Two connections with one server: of those that go both ways the one that the lower uuid made stays, of two that this end made
/// the first. What the other end made twice is its business, or one of the two is dead and will be silent.
static struct wire *choose_spare(struct wire *w, struct wire *other) {
  bool self_is_lower = uuid_cmp(w->beacon->self, directory_link_peer(w->link)) < 0;
  if (w->dialled == other->dialled) return w->dialled ? w : NULL;
  return w->dialled == self_is_lower ? other : w;
}

/// The other end has said who it is. ERR_BUSY: `w` is to spare.
static enum err settle_who(struct wire *w, struct error *e) {
  struct uuid peer = directory_link_peer(w->link);
  if (w->contact != NULL) {
    w->contact->server = peer;
    w->contact->pause_ms = w->beacon->options.retry_min_ms;
    w->contact->trouble[0] = '\0';
  }
  struct wire *other = beacon_wire_with(w->beacon, peer, w), *spare = other != NULL ? choose_spare(w, other) : NULL;
  if (spare == w) return error_set(e, ERR_BUSY, "there is a connection with it already");
  if (spare == NULL) return ERR_OK;
  if (spare->contact != NULL) contact_later(spare->contact);
  wire_free(spare);
  return ERR_OK;
}

/// This server itself: its address is a contact that needs no connection, once the end that called hears that.
static void note_self(struct wire *w) {
  if (w->contact != NULL) w->contact->server = w->beacon->self;
  if (!w->dialled) wire_write(w, DIRECTORY_SELF);
}

static enum err take_frame(struct wire *w, const uint8_t *frame, size_t bytes, struct error *e) {
  bool first = uuid_is_none(directory_link_peer(w->link));
  enum err err = directory_hear(w->link, loop_now_ms(w->beacon->loop), frame, bytes, e);
  if (err == ERR_EXISTS) note_self(w);
  if (err != ERR_OK) return err;
  w->heard_ms = loop_now_ms(w->beacon->loop);
  if (!first) return ERR_OK;
  if (!w->dialled) wire_write(w, DIRECTORY_SELF); // the answer
  return settle_who(w, e);
}

static enum err take_frames(struct wire *w, struct error *e) {
  size_t at = 0;
  enum err err = ERR_OK;
  while (err == ERR_OK && at < w->in.len) {
    const uint8_t *from = (uint8_t *) w->in.data + at;
    uint32_t whole = 0;
    err = directory_frame_bytes(from, w->in.len - at, &whole, e);
    if (err == ERR_OK && whole > w->in.len - at) err = ERR_SHORT;
    if (err == ERR_OK) err = take_frame(w, from, whole, e);
    if (err == ERR_OK) at += whole;
  }
  buf_consume(&w->in, at);
  return err == ERR_SHORT ? ERR_OK : err;
}

// ---- the connection's events ----

static enum err take_bytes(struct wire *w, const void *bytes, size_t len, struct error *e) {
  struct beacon *b = w->beacon;
  if (b->options.tls != NULL && !w->tls_begun) {
    w->tls_begun = true; // what is decrypted comes back through on_received
    return net_conn_start_tls(w->conn, b->options.tls, bytes, len, e);
  }
  if (buf_append(&w->in, bytes, len) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for what it sends");
  TRY(take_frames(w, e));
  return ERR_OK;
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct wire *w = context;
  struct beacon *b = w->beacon;
  struct error e = ERROR_INIT;
  enum err err = take_bytes(w, bytes, len, &e);
  if (err == ERR_EXISTS || err == ERR_BUSY) { // nothing is wrong
    struct contact *c = w->contact;
    wire_free(w);
    if (c != NULL) contact_later(c);
  } else if (err != ERR_OK) {
    wire_end(w, e.message);
  }
  b->events.heard(b->context);
}

static void on_drained(void *context UNUSED) {
  // the next beat says what is new
}

static void on_closed(void *context, enum err why) {
  struct wire *w = context;
  char text[300];
  const char *known = net_conn_why(w->conn);
  snprintf(text, sizeof text, "%s", known != NULL ? known : why == ERR_CLOSED ? "it closed the connection" : err_text(why));
  wire_end(w, text);
}

// ---- beginning ----

static enum err begin(struct wire *w, struct error *e) {
  struct beacon *b = w->beacon;
  TRY(directory_link_new(b->directory, &w->link, e));
  if (w->dialled && b->options.tls != NULL) {
    struct str host;
    uint16_t port;
    char name[NET_ADDRESS_TEXT_MAX];
    TRY(net_address_split(str_of(w->contact->address), 0, &host, &port, e));
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    w->tls_begun = true;
    TRY(net_conn_connect_tls(w->conn, b->options.tls, b->options.tls_verify_names ? name : NULL, e));
  }
  return ERR_OK;
}

/// One more is about to come in. It is the oldest that has to go: a server says who it is as soon as it is connected.
static void make_room_for_guest(struct beacon *b) {
  struct wire *oldest = NULL;
  size_t count = 0;
  for (struct wire *w = b->wires; w != NULL; w = w->next) { // the newest first
    if (w->dialled || !uuid_is_none(directory_link_peer(w->link))) continue;
    oldest = w;
    count++;
  }
  if (count >= GUESTS_MAX)
    wire_end(oldest, "it has not said who it is yet, and there are too many connections of that kind: somebody who is no server of the "
                     "cluster opens connections here");
}

enum err wire_open(struct beacon *b, int socket, const char *remote, struct contact *contact, struct error *e) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {SYSTEM_BYTES_HIGH, SYSTEM_BYTES_LOW};
  if (contact == NULL) make_room_for_guest(b);
  bool full = b->wire_count >= WIRES_MAX;
  struct wire *w = full ? NULL : mem_zalloc(sizeof *w);
  if (w == NULL) {
    net_socket_close(socket);
    return full ? error_set(e, ERR_LIMIT, "there are too many connections on the discovery port")
                : error_set(e, ERR_NOMEM, "no memory for a connection");
  }
  *w = (struct wire){.beacon = b, .contact = contact, .dialled = contact != NULL, .heard_ms = loop_now_ms(b->loop)};
  snprintf(w->remote, sizeof w->remote, "%s", remote);
  enum err err = net_conn_new(b->loop, socket, &limits, &events, w, &w->conn, e);
  if (err == ERR_OK) err = begin(w, e);
  if (err != ERR_OK) {
    w->contact = NULL;
    wire_free(w);
    return err;
  }
  w->next = b->wires;
  b->wires = w;
  b->wire_count++;
  if (contact != NULL) contact->wire = w;
  if (w->dialled) wire_write(w, DIRECTORY_SELF);
  return ERR_OK;
}
