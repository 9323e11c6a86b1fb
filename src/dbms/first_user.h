// The first user of a cluster: made by whoever leads `system`, where there is none, on the way of any commit and in its own time.
// Private to dbms.
#pragma once

#include "dbms/initial_password.h"
#include "dbms/serial.h"

struct dbms;

struct first_user {
  struct dbms *dbms;
  struct serial serial;
  struct graph_tx *tx; // NULL: none is under way
  bool committing, entered;
  struct initial_password password; // hash empty: not settled yet
};

void first_user_init(struct first_user *f, struct dbms *d);
/// neo4j, with the password that was set before the first start, or with neo4j, which must be changed. Its texts are `f`'s. Slow.
enum err first_user_describe(struct first_user *f, struct user *ret, struct error *e) NODISCARD;

/// This server leads `system` now. Any thread; only takes note.
void first_user_lead(struct first_user *f);
/// No more of that begins.
void first_user_rest(struct first_user *f);
