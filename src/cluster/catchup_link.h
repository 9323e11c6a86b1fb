// One connection on which somebody catches up: hello, then messages (docs/formats/catchup.md). What both ends share; the server
// and the client of catch-up own links and say what messages mean.
//
// Threads: the loop's.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "cluster/catchup_message.h"
#include "cluster/hello.h"
#include "os/net.h"
#include "os/tls.h"

struct catchup_link;

/// What every link of one owner has in common. The owner keeps it for as long as there are links.
struct catchup_link_setup {
  struct loop *loop;
  struct hello self;       // `expected` and `refusal` are the link's business
  const _Atomic uint32_t *feature_level; // the cluster's, as network_options has it
  struct tls_context *tls; // NULL: plain
  int64_t hello_ms;        // how long the other end may take for its hello
  size_t high_bytes;       // catchup_link_is_full above this
};

struct catchup_link_events {
  /// The other end has said hello. Of a connection that came in: HELLO_ACCEPTED, or why not.
  enum hello_refusal (*greeted)(void *context, const struct hello *other);
  /// The other end was told why it is refused, by `greeted` or for what its hello says; `ended` follows. May be NULL.
  void (*turned_away)(void *context, const struct hello *other, enum hello_refusal refusal);
  /// A message, its texts valid during the call.
  void (*received)(void *context, const struct catchup_message *m);
  /// What waited to be sent has gone down to a quarter of `high_bytes`.
  void (*drained)(void *context);
  /// The connection is over, and `why` says it for people; the callee frees the link. Once, and from the loop.
  void (*ended)(void *context, const char *why);
};

/// Takes a socket that came in; closes it on failure.
enum err catchup_link_accept(const struct catchup_link_setup *setup, int socket, const struct catchup_link_events *events,
                             void *context, struct catchup_link **ret, struct error *e) NODISCARD;
/// Takes one that leads to `server` (0: whoever is there) and says hello. `verify_name`: the name that its certificate must be
/// for, or NULL.
enum err catchup_link_dial(const struct catchup_link_setup *setup, int socket, uint64_t server, const char *verify_name,
                           const struct catchup_link_events *events, void *context, struct catchup_link **ret,
                           struct error *e) NODISCARD;
/// Within `received`: the message's memory becomes the caller's, who frees it. The pages of a piece begin there at a multiple of
/// their size.
void *catchup_link_take_message(struct catchup_link *l);
/// Closes at once; nothing is told. From within its callbacks as well. NULL is fine.
void catchup_link_free(struct catchup_link *l);

/// Sends a message. ERR_NOMEM, ERR_CLOSED: `ended` follows.
enum err catchup_link_send(struct catchup_link *l, const struct catchup_message *m) NODISCARD;
/// The same with one that was made elsewhere as number catchup_link_next and begins at `from` of the buffer.
enum err catchup_link_send_made(struct catchup_link *l, struct buf *message, size_t from) NODISCARD;
uint32_t catchup_link_next(const struct catchup_link *l);
bool catchup_link_is_full(const struct catchup_link *l);
/// Bytes that the system took, and that came in: whoever is alive moves one of them.
uint64_t catchup_link_moved(const struct catchup_link *l);
void catchup_link_pause(struct catchup_link *l);
void catchup_link_resume(struct catchup_link *l);
