// Inside the beacon: contacts (addresses to be connected with; beacon.c) and wires (connections; wire.c).
#pragma once

#include "base/refusals.h"
#include "base/rng.h"
#include "cluster/beacon.h"

enum {
  CONTACTS_MAX = 2 * DIRECTORY_SERVERS_MAX,
  GUESTS_MAX = 128, // connections that came in and have said nothing yet; one more, and the oldest of them ends
  WIRES_MAX = DIRECTORY_SERVERS_MAX + GUESTS_MAX,
  CONTACT_ADDRESS_BYTES = ANNOUNCEMENT_ADDRESS_MAX + 1,
};

// An address that somebody gave: the settings, or a server that advertises it.
struct contact {
  struct beacon *beacon;
  struct contact *next;
  char address[CONTACT_ADDRESS_BYTES];
  char source[80];
  bool is_seed;
  bool is_wanted;     // by the round that is under way
  struct uuid server; // who answered there last, or advertises it; none: not known
  struct wire *wire;  // connected or about to be
  struct net_connecting *connecting;
  int64_t retry_ms, pause_ms; // when, and how long the next pause is
  char trouble[240];          // the last that was told
};

// One connection, from its first byte to its last.
struct wire {
  struct beacon *beacon;
  struct wire *next;
  struct contact *contact; // NULL: it came in, or its address is not wanted any more
  bool dialled, tls_begun;
  struct net_conn *conn;
  struct directory_link *link;
  struct buf in;
  int64_t heard_ms; // the last frame; at first, when it was made
  char remote[NET_ADDRESS_TEXT_MAX];
};

struct beacon {
  struct loop *loop;
  struct beacon_options options;
  struct beacon_events events;
  void *context;
  struct uuid self;
  char advertised[CONTACT_ADDRESS_BYTES];
  struct directory *directory;
  struct net_listener *listener;
  struct contact *contacts;
  size_t contact_count;
  uint32_t seed_servers; // what the seeds can be at the most
  struct wire *wires;
  size_t wire_count;
  struct rng rng; // jitter of pauses
  struct refusals refusals;
};

/// Takes the socket over. `contact` NULL: it came in. ERR_NOMEM, ERR_LIMIT.
enum err wire_open(struct beacon *b, int socket, const char *remote, struct contact *contact, struct error *e) NODISCARD;
/// Closes at once; nothing is told.
void wire_free(struct wire *w);
/// Closes because of `why`, which its contact keeps and tells.
void wire_end(struct wire *w, const char *why);
void wire_write(struct wire *w, enum directory_part part);

/// Tells that somebody who came in is refused.
void wire_tell_refused(struct beacon *b, const char *remote, const char *why);

/// What is wrong with an address; told if it is new.
void contact_tell(struct contact *c, enum err code, const char *why);
/// Another attempt after a pause.
void contact_later(struct contact *c);
/// The wire with that server, other than `but`; NULL if there is none.
struct wire *beacon_wire_with(struct beacon *b, struct uuid server, const struct wire *but);
