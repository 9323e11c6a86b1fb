// Users and their passwords: nodes (:User {name, credentials, passwordChangeRequired, suspended, home}) of `system`, written on the same commit path
// as everything else. Private to dbms.
//
// Passwords are kept as argon2id (libsodium). A password that was right once is remembered as a keyed hash in memory, so that a
// pool of connections does not pay argon2id for each.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct dbms;
struct graph_tx;
struct users;

enum { USERS_HASH_BYTES = 128, USERS_PASSWORD_BYTES_MAX = 1024 };

struct user {
  struct str name, credentials, home; // home empty: the default database
  bool change_required, suspended;
};

/// What a command changes; fields that are not said stay.
struct user_change {
  struct str credentials; // encoded hash; empty: not said
  enum { USER_UNSAID, USER_YES, USER_NO } change_required, suspended;
  struct str home;
  bool set_home, remove_home;
};

/// Makes the user neo4j with the password neo4j, to be changed, where there is no user; in a group, users_lead does. Before any machine
/// of `system` runs.
enum err users_open(struct dbms *d, struct users **ret, struct error *e) NODISCARD;
void users_close(struct users *u);
/// This server leads `system` now: makes the first user there where there is none, in its own time. Any thread; must only take note.
void users_lead(struct users *u);
/// No more of that begins.
void users_rest(struct users *u);

/// Checks a login; slow (argon2id), on a worker. ERR_UNAUTHORIZED with one text for all reasons, ERR_AUTH_RATE_LIMIT after several failures.
/// `*ret_change`: the password must be changed first.
/// `*ret_home`: the user's home database, in `a`; empty: the default one.
enum err users_login(struct users *u, struct str scheme, struct str name, struct str password, struct arena *a, bool *ret_change, struct str *ret_home,
                     struct error *e) NODISCARD;

/// The encoded argon2id hash of a password; slow. ERR_ARGUMENT where it is too short (dbms.security.auth_minimum_password_length) or too long.
enum err users_hash(struct users *u, struct str password, char ret[USERS_HASH_BYTES], struct error *e) NODISCARD;

/// The same of any text.
enum err users_encode(struct str password, char ret[USERS_HASH_BYTES], struct error *e) NODISCARD;

/// Whether `password` is the one that was hashed; slow.
bool users_verify(struct str credentials, struct str password);

/// Whether there is a user. `system` is open.
enum err users_any(struct dbms *d, bool *ret, struct error *e) NODISCARD;

// Within a transaction of `system`. All may return ERR_WAIT with no effect.

/// ERR_NOTFOUND without a message where there is no such user. Texts live in `a`.
enum err users_find(struct graph_tx *tx, struct str name, struct arena *a, struct user *ret, struct error *e) NODISCARD;
enum err users_list(struct graph_tx *tx, struct arena *a, struct user **ret, uint32_t *ret_n, struct error *e) NODISCARD;
/// The user must not exist.
enum err users_create(struct graph_tx *tx, const struct user *user, struct error *e) NODISCARD;
/// The user must exist.
enum err users_change(struct graph_tx *tx, struct str name, const struct user_change *change, struct error *e) NODISCARD;
enum err users_drop(struct graph_tx *tx, struct str name, struct error *e) NODISCARD;
