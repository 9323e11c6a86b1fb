// For tests: a database server that follows a script, in place of the real one behind dbms/session.h. It knows a few texts:
//   RETURN <integer>|$name|'text' [AS name]   RETURN null AS n
//   UNWIND range(1, <integer>|$n) AS x RETURN x
//   UNWIND $list AS x RETURN x
//   CREATE ... [RETURN n]      one node created, with the label Test and the property name
//   MATCH (n...) RETURN n      MATCH ...-[r...]... RETURN r      MATCH p = ... RETURN p
//   CALL ...getRoutingTable(...)
//   RETURN 1/0 (fails while rows are pulled)      anything else: a syntax error
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "dbms/session.h"
#include "os/thread.h"

struct dbms {
  bool auth_enabled;           // neo4j / secret
  bool full;                   // no further session
  bool is_member;              // of a cluster
  _Atomic bool hold;           // operations stay under way until test_dbms_finish
  bool pull_commits;           // PULL waits for a commit until test_dbms_finish, which tells the front door to carry it on
  _Atomic bool on_thread;      // operations are finished by threads of their own
  _Atomic enum err next_error; // of the next operation
  bool credentials_expired;
  bool routed; // the client that came last has a routing context
  bool notify; // results carry two notifications
  bool with_plan;
  struct buf log; // one line for each operation that began
  _Atomic uint32_t sessions;
  struct dbms_session *_Atomic last; // opened
  char address[300];                 // for routing tables
  struct mutex lock;                 // guards log
};

void test_dbms_init(struct dbms *d);
void test_dbms_done(struct dbms *d);

/// Finishes the operation that is held; false if there is none.
bool test_dbms_finish(struct dbms *d);

/// True if the operation that runs was asked to stop. One that is held takes no notice, until dbms_terminate_all finishes it.
bool test_dbms_was_interrupted(const struct dbms *d);
