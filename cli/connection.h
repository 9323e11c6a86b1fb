// A blocking Bolt connection (4.4, 5.1 to 5.4) for the shell: connect, log in, send a message, receive one.
#pragma once

#include <signal.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "cli/packed.h"

struct connection;

enum connection_encryption { CONNECTION_BY_SCHEME, CONNECTION_PLAIN, CONNECTION_ENCRYPTED };

struct connection_settings {
  struct str address; // "bolt://host:port", "neo4j+s://host", "host:port", ...
  enum connection_encryption encryption;
  struct str user, password; // user empty: none
};

/// Connects and logs in. `*ret_expired`: nothing is allowed but changing the password. ERR_IO, ERR_UNAUTHORIZED with the server's text.
enum err connection_open(const struct connection_settings *settings, struct connection **ret, bool *ret_expired, struct error *e) NODISCARD;
/// NULL is fine.
void connection_close(struct connection *c);

/// "host:port" that it is connected to.
struct str connection_address(const struct connection *c);
/// What the server calls itself: "Neo4j/5.26.0-...".
struct str connection_server(const struct connection *c);

enum { MESSAGE_SUCCESS = 0x70, MESSAGE_RECORD = 0x71, MESSAGE_IGNORED = 0x7E, MESSAGE_FAILURE = 0x7F };
enum { MESSAGE_BEGIN = 0x11, MESSAGE_COMMIT = 0x12, MESSAGE_ROLLBACK = 0x13, MESSAGE_RESET = 0x0F, MESSAGE_RUN = 0x10, MESSAGE_PULL = 0x3F };

/// Queues a message: `fields` are `count` packed values, one behind the other.
enum err connection_send(struct connection *c, uint8_t tag, uint32_t count, struct str fields, struct error *e) NODISCARD;

/// Sends what is queued, then waits for the next message; its one field lies in `a`.
enum err connection_receive(struct connection *c, struct arena *a, uint8_t *ret_tag, struct packed *ret, struct error *e) NODISCARD;


/// Where a signal handler says that what runs should stop: a receive that is under way then sends RESET (and clears the flag).
void connection_watch(struct connection *c, volatile sig_atomic_t *interrupted);

/// RESET, and everything that was under way is skipped. An open transaction is rolled back.
enum err connection_reset(struct connection *c, struct error *e) NODISCARD;

/// Takes the answers to RESETs that an interruption has sent when the statement was done already.
enum err connection_settle(struct connection *c, struct error *e) NODISCARD;

/// A FAILURE as an error with its message; its code goes to `ret_code` (in `a`; may be NULL).
enum err connection_failure(struct arena *a, const struct packed *failure, struct str *ret_code, struct error *e);
