// A server without databases, at which clients find all of the cluster's: whatever a session wants is carried out by a member.
// Private to dbms. It is the way of docs/adr/0012-*.md from its very beginning: who logs in, reads, or asks the way is handed on,
// too. The parts of it: `gateway.c` what a session begins with, `gateway_find.c` with whom, `relay*.c` the rest.
//
// It is nobody's member, and has no log: the fate of a commit is asked of whoever leads. Its transactions have origins as those
// of members have, under a number that is none of theirs.
#pragma once

#include "dbms/session_int.h"
#include "os/thread.h"

enum { GATEWAY_LEADERS = 256, GATEWAY_LOST_MAX = 64, GATEWAY_TRIED_MAX = 64 };

struct gateway {
  uint64_t number;    // of its origins: by lot, for this life, and above all numbers of servers, which have 32 bits
  struct mutex mutex; // what follows
  uint64_t turn;      // of those who look for somebody: their lot
  /// Who led a database last, at the hash of its name: a guess, with which looking begins.
  struct {
    uint64_t name, server;
  } leaders[GATEWAY_LEADERS];
  /// Who was not reached, and until when that is remembered.
  struct gateway_lost {
    uint64_t server;
    int64_t until_ns;
  } lost[GATEWAY_LOST_MAX];
};

/// Whom a session has tried for its operation since it looked round the last time.
struct gateway_tried {
  uint32_t count;
  uint64_t of[GATEWAY_TRIED_MAX];
};

/// ERR_NOMEM; ERR_IO: the system has no randomness.
enum err gateway_new(struct dbms *d, struct gateway **ret, struct error *e) NODISCARD;
/// NULL is fine.
void gateway_free(struct gateway *g);

/// What members are told of the session: by way of whom it comes. ERR_NOMEM.
enum err gateway_introduce(struct dbms_session *s, struct error *e) NODISCARD;

/// An operation with which something begins. ERR_AGAIN: it is the session's relay's from now on. ERR_WAIT with `*ret_to_worker`:
/// ask again there.
enum err gateway_take(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) NODISCARD;
