// In place of the database server: a member of a cluster, or none, whose only user is ann with the password secret.
#pragma once

#include "dbms/session.h"
#include "dbms/standing.h"

struct dbms {
  bool is_member, auth, slow; // slow: a login is finished by test_dbms_finish
  enum dbms_part part;
  bool is_replica;
  struct dbms_op *_Atomic waiting;
};

/// Finishes the login that waits. Any thread.
void test_dbms_finish(struct dbms *d);
