// Sessions on other servers (dbms/remote.h), carried on there over Bolt: on the routing port of the other server, with the login
// that the client has given here.
//
// Each session has a connection of its own while somebody is logged in; one that is given up is kept for a while for the next
// session of the same user with the same credentials. What is kept of these is a keyed hash. Event loops of its own do all the
// work: they read rows and push them into the sink, and call `done`.
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "dbms/remote.h"
#include "os/link_table.h"
#include "os/random.h"
#include "os/tls.h"

struct bolt_remote_options {
  struct tls_context *tls; // NULL: plain
  bool tls_verify_names;   // a certificate must be for the host it is met at
  uint32_t threads;        // event loops; 0: one
  struct random_source *random;
  struct link_table *links; // where connections are listed; may be NULL
  int64_t idle_ms;      // a connection is kept for so long; 0: 30 s
  int64_t interrupt_ms; // a server that does not answer an interruption for so long is left; 0: 5 s
};

/// Starts the threads. What is pointed to outlives it. ERR_NOMEM, ERR_LIMIT, ERR_IO (no randomness).
enum err bolt_remote_new(const struct bolt_remote_options *options, struct dbms_remote **ret, struct error *e) NODISCARD;

/// Its sessions are freed. Closes the connections that are kept, ends the threads. NULL is fine.
void bolt_remote_free(struct dbms_remote *r);

/// Connections that are kept for others now. For tests; any thread.
uint32_t bolt_remote_idle(struct dbms_remote *r);
