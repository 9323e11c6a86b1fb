// The password that a cluster's first user begins with, where an operator has set one before the first start: a small file in the data
// folder of a member, because `system` is not one server's to write. Whichever member leads `system` first uses its own; members
// that are set up alike agree. Private to dbms.
//
// The file `initial_password`: a line with the argon2id hash, a line `change` or `keep`. Nothing of it is used once there is a user.
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "dbms/users.h"
#include "os/disk.h"

struct initial_password {
  char hash[USERS_HASH_BYTES];
  bool change_required;
};

/// Returns when it is durable; takes the place of an earlier one. ERR_IO, ERR_NOSPC.
enum err initial_password_write(struct disk *d, struct str folder, const struct initial_password *p, struct error *e) NODISCARD;
/// ERR_NOTFOUND: none was set. ERR_CORRUPT: says which file, and what to do.
enum err initial_password_read(struct disk *d, struct str folder, struct initial_password *ret, struct error *e) NODISCARD;
