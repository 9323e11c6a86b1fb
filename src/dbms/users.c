// Logins: who may come in, how often they may try, and what is remembered of passwords that were right.
#include "dbms/users.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "dbms/dbms_int.h"
#include "dbms/first_user.h"
#include "dbms/system_tx.h"
#include "graph/tx.h"

enum { TRIES_SLOTS = 1024, KEY_BYTES = 32 };

/// Failed logins by a hash of the name: a fixed table, so that made-up names cost no memory.
struct tries {
  uint64_t name_hash;
  uint32_t failed;
  int64_t locked_until_ns;
};

/// A password that was right, as a keyed hash of name, stored credentials and password.
struct proven {
  uint8_t hash[KEY_BYTES];
};

struct users {
  struct dbms *dbms;
  char dummy[USERS_HASH_BYTES]; // hashed in place of unknown users' passwords, so that both take as long
  struct mutex mutex;           // what follows
  struct tries tries[TRIES_SLOTS];
  struct proven proven[TRIES_SLOTS];
  uint8_t key[KEY_BYTES];
  struct first_user first;
};

enum err users_encode(struct str password, char ret[USERS_HASH_BYTES], struct error *e) {
  _Static_assert(crypto_pwhash_STRBYTES <= USERS_HASH_BYTES, "the hash fits");
  int failed = crypto_pwhash_str_alg(ret, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                                     crypto_pwhash_ALG_ARGON2ID13);
  return failed == 0 ? ERR_OK : error_set(e, ERR_NOMEM, "There is no memory to hash a password.");
}

static enum err hash(const struct config_values *config, struct str password, char ret[USERS_HASH_BYTES], struct error *e) {
  int64_t least = config->auth_min_password_length;
  if (password.len == 0) return error_set(e, ERR_ARGUMENT, "A password cannot be empty.");
  if ((int64_t) password.len < least) {
    return error_set(e, ERR_ARGUMENT, "A password must be at least %lld characters.", (long long) least);
  }
  if (password.len > USERS_PASSWORD_BYTES_MAX) return error_set(e, ERR_ARGUMENT, "A password must be at most %d bytes.", USERS_PASSWORD_BYTES_MAX);
  return users_encode(password, ret, e);
}

enum err users_hash(struct users *u, struct str password, char ret[USERS_HASH_BYTES], struct error *e) {
  return hash(u->dbms->options.config, password, ret, e);
}

bool users_verify(struct str credentials, struct str password) {
  char text[USERS_HASH_BYTES];
  if (credentials.len >= sizeof text) return false;
  memcpy(text, credentials.ptr, credentials.len);
  text[credentials.len] = '\0';
  return crypto_pwhash_str_verify(text, password.ptr != NULL ? password.ptr : "", password.len) == 0;
}

// ---- rate limit ----

static struct tries *tries_of(struct users *u, uint64_t hash) {
  struct tries *t = &u->tries[hash % TRIES_SLOTS];
  if (t->name_hash != hash) *t = (struct tries){.name_hash = hash};
  return t;
}

static bool is_locked(struct users *u, uint64_t hash) {
  mutex_lock(&u->mutex);
  bool locked = clock_monotonic_ns(u->dbms->options.clock) < tries_of(u, hash)->locked_until_ns;
  mutex_unlock(&u->mutex);
  return locked;
}

static void count_try(struct users *u, uint64_t hash, bool right) {
  const struct config_values *config = u->dbms->options.config;
  mutex_lock(&u->mutex);
  struct tries *t = tries_of(u, hash);
  t->failed = right ? 0 : t->failed + 1;
  if (config->auth_max_failed > 0 && t->failed >= config->auth_max_failed) {
    t->locked_until_ns = clock_monotonic_ns(u->dbms->options.clock) + config->auth_lock_ms * NS_PER_MS;
    t->failed = 0;
  }
  mutex_unlock(&u->mutex);
}

// ---- passwords that were right ----

static void prove_hash(struct users *u, const struct user *user, struct str password, uint8_t ret[KEY_BYTES]) {
  crypto_generichash_state state;
  uint64_t lengths[2] = {user->name.len, user->credentials.len};
  crypto_generichash_init(&state, u->key, sizeof u->key, KEY_BYTES);
  crypto_generichash_update(&state, (const uint8_t *) lengths, sizeof lengths);
  crypto_generichash_update(&state, (const uint8_t *) user->name.ptr, user->name.len);
  crypto_generichash_update(&state, (const uint8_t *) user->credentials.ptr, user->credentials.len);
  crypto_generichash_update(&state, (const uint8_t *) password.ptr, password.len);
  crypto_generichash_final(&state, ret, KEY_BYTES);
}

/// The stored credentials are part of the hash, so that a changed password proves nothing any more.
static bool is_right(struct users *u, const struct user *user, struct str password) {
  uint8_t hash[KEY_BYTES];
  prove_hash(u, user, password, hash);
  struct proven *place = &u->proven[hash64(user->name.ptr, user->name.len, 0) % TRIES_SLOTS];
  mutex_lock(&u->mutex);
  bool known = sodium_memcmp(place->hash, hash, KEY_BYTES) == 0;
  mutex_unlock(&u->mutex);
  if (known) return true;
  if (!users_verify(user->credentials, password)) return false;
  mutex_lock(&u->mutex);
  memcpy(place->hash, hash, KEY_BYTES);
  mutex_unlock(&u->mutex);
  return true;
}

// ---- login ----

struct wanted_user {
  struct str name;
  struct arena *arena;
  struct user *ret;
};

static enum err find_wanted(struct graph_tx *tx, void *context, struct error *e) {
  struct wanted_user *w = context;
  return users_find(tx, w->name, w->arena, w->ret, e);
}

static enum err load_user(struct users *u, struct str name, struct arena *a, struct user *ret, struct error *e) {
  return system_read(u->dbms, find_wanted, &(struct wanted_user){name, a, ret}, e);
}

static enum err unauthorized(struct error *e) {
  return error_set(e, ERR_UNAUTHORIZED, "The client is unauthorized due to authentication failure.");
}

static enum err login(struct users *u, struct str name, struct str password, struct arena *a, struct user *ret, struct error *e) {
  struct user user;
  enum err err = load_user(u, name, a, &user, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  bool exists = err == ERR_OK;
  if (!exists) user = (struct user){.name = name, .credentials = str_of(u->dummy)};
  bool right = is_right(u, &user, password) && exists && !user.suspended;
  count_try(u, hash64(name.ptr, name.len, 1), right);
  if (!right) return unauthorized(e);
  *ret = user;
  return ERR_OK;
}

enum err users_login(struct users *u, struct str scheme, struct str name, struct str password, struct arena *a, bool *ret_change, struct str *ret_home,
                     struct error *e) {
  if (!str_eqz(scheme, "basic") || password.len > USERS_PASSWORD_BYTES_MAX) return unauthorized(e);
  if (is_locked(u, hash64(name.ptr, name.len, 1))) {
    return error_set(e, ERR_AUTH_RATE_LIMIT, "The client has provided incorrect authentication details too many times in a row.");
  }
  struct arena own;
  struct user user;
  struct str home = STR_NONE;
  arena_init(&own, NULL);
  enum err err = login(u, name, password, &own, &user, e);
  if (err == ERR_OK && user.home.len > 0 && (home = arena_str(a, user.home)).ptr == NULL) err = arena_err(a, e);
  if (err == ERR_OK) {
    *ret_change = user.change_required;
    *ret_home = home;
  }
  arena_done(&own);
  return err;
}

// ---- opening ----

static enum err create_first(struct graph_tx *tx, void *context, struct error *e) {
  return users_create(tx, context, e);
}

enum err users_any(struct dbms *d, bool *ret, struct error *e) {
  struct graph_tx *tx;
  struct graph_tx_options options = {.read_only = true};
  struct arena a;
  arena_init(&a, NULL);
  struct user *list;
  uint32_t n = 0;
  TRY(graph_tx_begin(d->system->graph, &options, &tx, e));
  graph_tx_set_blocking(tx, true);
  enum err err = graph_tx_statement(tx, e);
  if (err == ERR_OK) err = users_list(tx, &a, &list, &n, e);
  graph_tx_free(tx);
  arena_done(&a);
  *ret = n > 0;
  return err;
}

void users_lead(struct users *u) {
  if (u != NULL) lead_task_ready(&u->first.task);
}

void users_rest(struct users *u) {
  if (u != NULL) lead_task_rest(&u->first.task);
}

/// A hash of as much work as a real one, which no known password has. Written, not computed: a start must not wait for it.
static enum err make_dummy(char ret[USERS_HASH_BYTES], struct error *e) {
  int len = snprintf(ret, USERS_HASH_BYTES, "$argon2id$v=19$m=%llu,t=%llu,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                     (unsigned long long) crypto_pwhash_MEMLIMIT_INTERACTIVE / 1024, (unsigned long long) crypto_pwhash_OPSLIMIT_INTERACTIVE);
  bool same_work = len < USERS_HASH_BYTES && crypto_pwhash_str_needs_rehash(ret, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
  return same_work ? ERR_OK : error_set(e, ERR_INTERNAL, "libsodium does not read its own form of password hashes");
}

static enum err prepare(struct users *u, struct error *e) {
  struct dbms *d = u->dbms;
  if (sodium_init() < 0) return error_set(e, ERR_INTERNAL, "libsodium could not be initialised");
  TRY(random_fill(d->options.random, u->key, sizeof u->key));
  TRY(make_dummy(u->dummy, e));
  first_user_init(&u->first, d);
  bool any;
  TRY(users_any(d, &any, e));
  if (any || d->system->replicated) return ERR_OK;
  struct user first;
  TRY(first_user_describe(&u->first, &first, e));
  return system_change_alone(d, create_first, &first, e);
}

enum err users_open(struct dbms *d, struct users **ret, struct error *e) {
  struct users *u = mem_zalloc(sizeof *u);
  if (u == NULL) return error_set(e, ERR_NOMEM, "no memory for the users");
  u->dbms = d;
  mutex_init(&u->mutex);
  enum err err = prepare(u, e);
  if (err != ERR_OK) {
    users_close(u);
    return err;
  }
  *ret = u;
  return ERR_OK;
}

void users_close(struct users *u) {
  if (u == NULL) return;
  mutex_done(&u->mutex);
  sodium_memzero(u, sizeof *u);
  mem_free(u);
}

struct initial {
  struct str password;
  char hash[USERS_HASH_BYTES];
  bool change_required;
};

static enum err set_initial(struct graph_tx *tx, void *context, struct error *e) {
  const struct initial *initial = context;
  struct user_change change = {.credentials = str_of(initial->hash), .change_required = initial->change_required ? USER_YES : USER_NO};
  return users_change(tx, STR("neo4j"), &change, e);
}

static enum err is_still_initial(struct users *u, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  struct user user;
  enum err err = load_user(u, STR("neo4j"), &a, &user, e);
  bool initial = err == ERR_OK && user.change_required && users_verify(user.credentials, STR("neo4j"));
  arena_done(&a);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  return initial ? ERR_OK : error_set(e, ERR_EXISTS, "The password of the user neo4j has been changed already. Change it with ALTER USER on the system database.");
}

enum err dbms_prepare_initial_password(const struct config_values *config, struct disk *d, struct str password, bool change_required, struct error *e) {
  struct initial_password p = {.change_required = change_required};
  if (sodium_init() < 0) return error_set(e, ERR_INTERNAL, "libsodium could not be initialised");
  TRY(hash(config, password, p.hash, e));
  return initial_password_write(d, config->data_directory, &p, e);
}

enum err dbms_set_initial_password(struct dbms *d, struct str password, bool change_required, struct error *e) {
  TRY(is_still_initial(d->users, e));
  struct initial initial = {.change_required = change_required};
  TRY(users_hash(d->users, password, initial.hash, e));
  database_rest(d->system);
  enum err err = system_change_alone(d, set_initial, &initial, e);
  database_wake(d->system);
  return err;
}
