// Inside the network: peers (who, where, what waits) and links (one TCP connection each).
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "base/refusals.h"
#include "base/rng.h"
#include "cluster/known_starts.h"
#include "cluster/network.h"
#include "cluster/outbox.h"
#include "os/thread.h"

struct peer;

enum {
  GUESTS_MAX = 128,    // connections that came in and have not said hello; one more, and the oldest of them ends
  PEERS_MET_MAX = 256, // with so many peers nobody becomes one by his own hello
};

// One connection, from its first byte to its last. Owned by its peer once hellos are exchanged, by the network's list of guests
// before that if it came in.
struct link {
  struct network *network;
  struct peer *peer; // NULL: somebody who has not said hello yet
  struct link *next; // in the list of guests
  struct net_conn *conn;
  struct loop_timer *patience; // for the hello
  struct buf in;
  bool dialled, up, tls_begun, dead;
  uint32_t feature_level; // of the other end
  bool proving;       // hellos are exchanged: the challenge, or its answer, is waited for
  bool contradicted;  // the other end has an older copy of its data folder, and was told so: it is not listened to
  struct start known; // of the other end, when it came: what it is told
  struct start theirs; // as it says of itself. Noted when it goes on after it was told that
  bool is_noted;
  bool has_told; // how far this server's start has moved: `told_moves`
  uint32_t told_moves;
  uint64_t challenge; // that this end has sent
  struct hello other; // while proving
  unsigned busy; // callbacks of this link that are on the stack: its memory goes with the last
  char remote[NET_ADDRESS_TEXT_MAX];
  struct link_row row;
};

struct peer {
  struct network *network;
  uint64_t server;
  char address[HELLO_ADDRESS_BYTES];
  uint64_t epoch;       // the newest that was heard
  struct link *link;    // up
  struct link *dialled; // waits for the answer to our hello
  struct net_connecting *connecting;
  struct loop_timer *retry;
  int64_t pause_ms;
  char trouble[300]; // the last that was told
  struct loop_task flush;
  bool flush_posted, removed; // network's lock
  bool online;                // network's lock: a link is up,
  uint16_t version;           // network's lock: ... where both ends speak that version of the hello
  struct outbox outbox;       // network's lock
};

struct network {
  struct loop *loop;
  struct network_options options;
  struct network_events events;
  void *context;
  char advertised[HELLO_ADDRESS_BYTES];
  struct net_listener *listener;
  struct link *guests; // the newest first
  unsigned guest_count;
  bool hushed; // nobody is connected with any more
  struct refusals refusals;
  struct arena messages; // of the frame that is being read
  struct rng rng;        // jitter of pauses
  struct mutex lock;
  size_t leaving;   // lock: removed peers whose flush is still posted; the last of them releases a closed network
  bool closed;      // lock
  struct map peers; // by server number: struct peer *. Changed on the loop under the lock
};

// ---- links (link.c) ----

/// Takes the socket over. `peer` NULL: it came in. ERR_NOMEM.
enum err link_open(struct network *n, int socket, const char *remote, struct peer *peer, struct link **ret,
                   struct error *e) NODISCARD;
/// Closes at once; nothing is told. May be called from within the link's own callbacks. NULL is fine.
void link_free(struct link *l);
/// Of the guests the one that came first: another one came, and there are too many.
void link_end_oldest_guest(struct network *n);
/// Gives frames from the peer's outbox to the system until it has enough.
void link_flush(struct link *l);

// ---- peers (peer.c) ----

enum err peer_new(struct network *n, uint64_t server, const char *address, struct peer **ret, struct error *e) NODISCARD;
/// Also when its flush is still posted: freed when that has run.
void peer_remove(struct peer *p);
/// Another address: what is under way towards the old one is given up.
void peer_move(struct peer *p, const char *address);
/// `l` has exchanged hellos: it takes the place of an older one.
void peer_link_up(struct peer *p, struct link *l, uint64_t epoch);
/// A link of this peer ended: tells why and tries again after a pause.
void peer_link_lost(struct peer *p, struct link *l, const char *why);
void network_release(struct network *n);
struct peer *network_peer(struct network *n, uint64_t server);
/// Nobody is connected with from now on.
void peer_hush(struct peer *p, const char *why);
/// `server` knows a start of this one that its data have not had.
void network_older(struct network *n, uint64_t server, struct start known);
/// What this server says of itself.
struct hello network_hello(const struct network *n, uint64_t expected, enum hello_refusal refusal);
/// The cluster's feature level.
uint32_t network_level(const struct network *n);
