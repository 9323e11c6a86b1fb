// Sessions on other servers of the cluster: what dbms asks of whoever can reach one. The server fills it in (bolt/remote.h); a
// standalone server has none.
//
// A remote session takes the same operations as a session here and answers them the same way: rows go into the operation's sink,
// outputs live until the next submit. One operation at a time; every one ends by `done`, from any thread, maybe before submit
// returns. Whoever is logged in there is logged in with what the client gave here: the other server checks it itself.
#pragma once

#include "dbms/session.h"

struct dbms_remote_session;

enum { DBMS_AHEAD_ROWS_MAX = 1000 }; // asked for together with RUN

struct dbms_remote {
  /// A session with the server that listens for its like at `address` ("host:port"); connects with the first operation. The
  /// client's description is copied. ERR_NOMEM, ERR_LIMIT.
  enum err (*open)(struct dbms_remote *r, struct str address, const struct dbms_client *client,
                   struct dbms_remote_session **ret, struct error *e);
  /// Starts `op`, and those behind it (`then`): BEGIN, RUN and PULL may be given together, in this order, each sent without
  /// waiting for the answer to the one before. Each ends by its own `done`, in order, and nothing is submitted before the last
  /// one's; where one has failed, those behind it were not carried out and fail with it. A PULL among several is of the RUN before
  /// it (result -1), of at most DBMS_AHEAD_ROWS_MAX rows, which may come before any `done`.
  /// ERR_UNREACHABLE: nothing has reached the other server, so nothing was done there. ERR_CLOSED: the connection was lost under
  /// way; what was sent may have been done. After either the session is good for nothing but `free`.
  void (*submit)(struct dbms_remote_session *s, struct dbms_op *op);
  /// As dbms_session_interrupt. Any thread.
  void (*interrupt)(struct dbms_remote_session *s, enum err reason);
  /// No operation is under way. The connection may be kept for another session of the same user. NULL is fine.
  void (*free)(struct dbms_remote_session *s);
};
