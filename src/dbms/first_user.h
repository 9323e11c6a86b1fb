// The first user of a cluster: made by whoever leads `system`, where there is none. Private to dbms.
#pragma once

#include "dbms/initial_password.h"
#include "dbms/lead_task.h"

struct first_user {
  struct lead_task task;
  struct initial_password password; // hash empty: not settled yet
};

void first_user_init(struct first_user *f, struct dbms *d);
/// neo4j, with the password that was set before the first start, or with neo4j, which must be changed. Its texts are `f`'s. Slow.
enum err first_user_describe(struct first_user *f, struct user *ret, struct error *e) NODISCARD;
