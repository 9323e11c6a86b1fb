// Tokens and schema changes: entries of their own, which a transaction submits and then waits for.
#include "graph/tx_int.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "graph/command_int.h"

static void wake_and_drop(void *context) {
  tx_wake(context);
  tx_drop(context);
}

/// The term of what the transaction submits: the one that it keeps, or that of now.
static enum err term_of(struct graph_tx *tx, uint64_t *ret, struct error *e) {
  *ret = tx->term;
  return *ret != 0 ? ERR_OK : commits_term(tx->g, ret, e);
}

/// Whoever did the whole transaction again would find there what it has changed in the schema already.
static enum err beside_what_stands(const struct graph_tx *tx, enum err err, struct error *e) {
  if (err != ERR_NOT_LEADER || !tx->schema_changed) return err;
  return error_set(e, ERR_COMMIT_UNKNOWN,
                   "This server has ceased to be the leader of the database. The last statement was not carried out, but a change "
                   "of the schema that the transaction has made before stands.");
}

// ---- tokens ----

/// A token on its way: its name with the kind in front is the key under which others find it.
struct token_request {
  struct graph *g;
  enum graph_token_kind kind;
  graph_token token;
  struct graph_tx *waiting; // held; under the token mutex
  struct str key;
  char bytes[];
};

/// Under the token mutex: the transaction is woken when the token has landed.
static enum err wait_for_token(struct token_request *r, struct graph_tx *tx) {
  tx_arm(tx);
  if (tx->token_awaited == r) return ERR_WAIT; // it was woken by something else
  assert(tx->token_awaited == NULL);
  tx->token_awaited = r;
  tx_hold(tx);
  tx->token_next = r->waiting;
  r->waiting = tx;
  return ERR_WAIT;
}

/// What has fallen leaves its number to the next one, as all that were asked for later do. Under another leader numbers go on
/// from what was applied (replica.c).
static void token_landed(struct flight *f, enum err err) {
  struct token_request *r = f->context;
  struct commits *c = &r->g->commits;
  mutex_lock(&c->token_mutex);
  strmap_remove(&c->tokens_asked, r->key);
  if (err == ERR_NOSPC) c->token_next[r->kind] = MIN(c->token_next[r->kind], r->token);
  struct graph_tx *waiting = r->waiting;
  for (struct graph_tx *tx = waiting; tx != NULL; tx = tx->token_next) tx->token_awaited = NULL;
  mutex_unlock(&c->token_mutex);
  for (struct graph_tx *tx = waiting, *next; tx != NULL; tx = next) {
    next = tx->token_next;
    wake_and_drop(tx);
  }
  mem_free(r);
  flight_free(f);
}

static struct token_request *request_make(struct graph *g, enum graph_token_kind kind, struct str name) {
  struct token_request *r = mem_alloc(sizeof *r + 1 + name.len);
  if (r == NULL) return NULL;
  r->g = g;
  r->kind = kind;
  r->waiting = NULL;
  r->bytes[0] = (char) kind;
  memcpy(r->bytes + 1, name.ptr, name.len);
  r->key = (struct str){r->bytes, 1 + name.len};
  return r;
}

static enum err submit_token(struct token_request *r, uint64_t term, struct error *e) {
  struct commits *c = &r->g->commits;
  struct command command = {
      .kind = COMMAND_TOKEN, .token_kind = r->kind, .token = c->token_next[r->kind], .name = {r->key.ptr + 1, r->key.len - 1}};
  if (command.token > TOKEN_MAX) return error_set(e, ERR_TOKEN_NAME, "The database has no room for another name.");
  struct flight *f = flight_make();
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  f->landed = token_landed;
  f->context = r;
  r->token = command.token;
  enum err err = command_begin(&f->bytes);
  if (err == ERR_OK) err = command_put(&f->bytes, &command);
  if (err == ERR_OK) err = strmap_put(&c->tokens_asked, r->key, (uint64_t) (uintptr_t) r);
  if (err == ERR_OK) err = commits_submit(r->g, f, LOG_TOKEN, term, e); // it cannot land before the mutex is given back
  if (err != ERR_OK) {
    strmap_remove(&c->tokens_asked, r->key);
    flight_free(f);
    return error_ensure(e, err);
  }
  c->token_next[r->kind]++;
  return ERR_OK;
}

/// ERR_WAIT for the entry that makes the token: one that is on its way, or a new one. Under the token mutex.
static enum err ask_for_token(struct graph_tx *tx, enum graph_token_kind kind, struct str name, graph_token *ret,
                              struct error *e) {
  struct graph *g = tx->g;
  uint64_t term;
  if (tokens_find(&g->tokens, kind, name, ret)) return ERR_OK;
  TRY(term_of(tx, &term, e));
  struct token_request *r = request_make(g, kind, name);
  if (r == NULL) return error_ensure(e, ERR_NOMEM);
  const uint64_t *asked = strmap_get(&g->commits.tokens_asked, r->key);
  enum err err = asked == NULL ? submit_token(r, term, e) : ERR_OK;
  if (err == ERR_OK) err = wait_for_token(asked == NULL ? r : (struct token_request *) (uintptr_t) *asked, tx);
  if (asked != NULL || err != ERR_WAIT) mem_free(r);
  return err;
}

enum err graph_token_make(struct graph_tx *tx, enum graph_token_kind kind, struct str name, graph_token *ret, struct error *e) {
  struct graph *g = tx->g;
  TRY(tx_check(tx, e));
  if (tokens_find(&g->tokens, kind, name, ret)) return ERR_OK;
  if (tx->options.read_only) return error_set(e, ERR_ACCESS_MODE, "Creating new names is not allowed in read access mode.");
  if (name.len == 0 || name.len > GRAPH_TOKEN_BYTES_MAX || !str_is_utf8(name) || memchr(name.ptr, 0, name.len) != NULL)
    return error_set(
        e, ERR_TOKEN_NAME,
        "'%.*s' is not a valid token name. Token names cannot be empty, contain null-bytes, or be longer than %d bytes.",
        (int) MIN(name.len, 100u), name.ptr, GRAPH_TOKEN_BYTES_MAX);
  mutex_lock(&g->commits.token_mutex);
  enum err err = ask_for_token(tx, kind, name, ret, e);
  mutex_unlock(&g->commits.token_mutex);
  return beside_what_stands(tx, commits_error(err, e), e);
}

// ---- schema ----

static void schema_landed(struct flight *f, enum err err) {
  struct graph_tx *tx = f->context;
  commits_note_schema(&tx->g->commits, (struct graph_origin){0});
  if (--tx->schema_holders == 0) tx_end(tx, false); // it was given up
  tx->schema_fate = err;
  tx->schema_landed = true;
  wake_and_drop(tx);
  flight_free(f);
}

/// ERR_WAIT until the schema change is applied, or never will be.
static enum err await_schema(struct graph_tx *tx, struct error *e) {
  if (!tx->schema_landed) return ERR_WAIT;
  if (tx->schema_fate == ERR_OK) {
    tx->schema_changed = true;
    return ERR_OK;
  }
  tx->schema_asked = false;
  tx->schema_sent = tx->schema_changed;
  TRY(graph_failure(tx->g, e));
  return commits_fallen(tx->schema_fate, "The schema was not changed", e);
}

static enum err submit_schema(struct graph_tx *tx, const struct command *c, struct error *e) {
  struct flight *f = flight_make();
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  f->landed = schema_landed;
  f->context = tx;
  f->origin = tx->options.origin;
  tx->schema_landed = false;
  tx->schema_holders = 2;
  tx->schema_sent = true;
  tx_arm(tx);
  tx_hold(tx);
  commits_note_schema(&tx->g->commits, f->origin);
  enum err err = command_begin(&f->bytes);
  if (err == ERR_OK) err = command_put(&f->bytes, c);
  if (err == ERR_OK) err = commits_submit(tx->g, f, LOG_SCHEMA, tx->term, e);
  if (err != ERR_OK) {
    commits_note_schema(&tx->g->commits, (struct graph_origin){0});
    tx->schema_holders = 1;
    tx->schema_sent = tx->schema_changed;
    tx_drop(tx);
    flight_free(f);
    return error_ensure(e, commits_error(err, e));
  }
  tx->schema_asked = true;
  return ERR_OK;
}

/// The exclusive schema lock: no other transaction writes meanwhile.
static enum err begin_schema(struct graph_tx *tx, struct error *e) {
  TRY(tx_check(tx, e));
  if (tx->options.read_only) return error_set(e, ERR_ACCESS_MODE, "Schema operations are not allowed in read access mode.");
  if (graph_tx_has_writes(tx))
    return error_set(e, ERR_GENERAL_ARGUMENTS,
                     "Tried to execute Schema modification after executing Write query. "
                     "Schema changes and data changes need transactions of their own.");
  TRY(graph_failure(tx->g, e));
  uint64_t term;
  TRY(term_of(tx, &term, e));
  tx->term = term;
  TRY(tx_lock(tx, LOCK_SCHEMA, 0, GRAPH_LOCK_EXCLUSIVE, e));
  schema_release(tx->schema);
  tx->schema = graph_schema(tx->g);
  return ERR_OK;
}

static bool same_keys(const struct graph_index *a, const struct graph_index *b) {
  return a->entity == b->entity && a->label_or_type == b->label_or_type && a->index_kind == b->index_kind &&
         a->key_count == b->key_count && memcmp(a->keys, b->keys, a->key_count * sizeof *a->keys) == 0;
}

/// What is in the way of a new index, worded as Neo4j.
static enum err check_conflicts(const struct schema *s, const struct graph_index *wanted, struct error *e) {
  bool constraint = wanted->constraint != GRAPH_CONSTRAINT_NONE;
  struct str name = constraint ? wanted->constraint_name : wanted->name;
  for (uint32_t i = 0; i < s->count; i++) {
    const struct graph_index *x = &s->indexes[i].index;
    bool is_constraint = x->constraint != GRAPH_CONSTRAINT_NONE;
    if (same_keys(x, wanted)) {
      if (constraint && is_constraint)
        return error_set(e, ERR_CONSTRAINT_EXISTS, "An equivalent constraint already exists, 'Constraint( id=%u, name='%.*s' )'.",
                         x->id, STR_ARG(x->constraint_name));
      if (is_constraint)
        return error_set(e, ERR_CONSTRAINT_EXISTS,
                         "There is a uniqueness constraint '%.*s' on it, so an index is already created that matches this.",
                         STR_ARG(x->constraint_name));
      return error_set(
          e, ERR_INDEX_EXISTS,
          constraint
              ? "There already exists an index '%.*s' on it. A constraint cannot be created until the index has been dropped."
              : "An equivalent index already exists, 'Index( name='%.*s' )'.",
          STR_ARG(x->name));
    }
    if (is_constraint && str_eq(x->constraint_name, name))
      return error_set(e, ERR_CONSTRAINT_NAME_EXISTS, "There already exists a constraint called '%.*s'.", STR_ARG(name));
    if (str_eq(x->name, name))
      return error_set(e, ERR_INDEX_NAME_EXISTS, "There already exists an index called '%.*s'.", STR_ARG(name));
  }
  return ERR_OK;
}

/// Names that were left out: "index_" or "constraint_" and eight digits of a hash of what it is for.
static enum err name_index(struct graph_tx *tx, struct graph_index *x, struct error *e) {
  bool constraint = x->constraint != GRAPH_CONSTRAINT_NONE;
  struct str *name = constraint ? &x->constraint_name : &x->name;
  if (name->len == 0) {
    uint64_t hash = hash_u64((uint64_t) x->entity << 40 | (uint64_t) constraint << 32 | x->label_or_type);
    hash = hash64(x->keys, x->key_count * sizeof *x->keys, hash);
    *name = arena_printf(&tx->scratch, "%s_%08" PRIx32, constraint ? "constraint" : "index", (uint32_t) hash);
    if (name->ptr == NULL) return arena_err(&tx->scratch, e);
  }
  if (constraint) x->name = x->constraint_name; // the index that backs a constraint has its name
  return ERR_OK;
}

static enum err check_wanted(const struct graph_index *x, struct error *e) {
  if (x->index_kind != GRAPH_INDEX_RANGE) return error_set(e, ERR_UNSUPPORTED, "Only range indexes can be created.");
  if (x->key_count == 0 || x->key_count > GRAPH_INDEX_KEYS_MAX)
    return error_set(e, ERR_GENERAL_ARGUMENTS, "An index must have from 1 to %d properties.", GRAPH_INDEX_KEYS_MAX);
  for (uint32_t i = 0; i < x->key_count; i++)
    for (uint32_t k = i + 1; k < x->key_count; k++)
      if (x->keys[i] == x->keys[k]) return error_set(e, ERR_GENERAL_ARGUMENTS, "A property stands twice in the index.");
  return ERR_OK;
}

/// After the entry is applied: a plain index is there; a constraint waits for its verdict. Called again at most once: a verdict
/// stays.
static enum err index_created(struct graph_tx *tx, bool constraint, uint32_t *ret_id, struct error *e) {
  struct schema *now = graph_schema(tx->g);
  const struct schema_index *x = schema_find(now, tx->schema_created);
  enum graph_index_state state = x != NULL ? x->index.state : GRAPH_INDEX_FAILED;
  schema_release(now);
  if (constraint && state == GRAPH_INDEX_POPULATING) {
    tx_arm(tx);
    tx_hold(tx);
    enum err err = commits_await_verdict(tx->g, tx->schema_created, wake_and_drop, tx, e);
    if (err != ERR_WAIT) tx_drop(tx);
    if (err != ERR_OK) return err;
    return index_created(tx, constraint, ret_id, e);
  }
  tx->schema_asked = false;
  if (constraint && state != GRAPH_INDEX_ONLINE) return commits_verdict_error(tx->g, tx->schema_created, e);
  *ret_id = tx->schema_created;
  return ERR_OK;
}

static enum err submit_index(struct graph_tx *tx, const struct graph_index *wanted, struct error *e) {
  struct command c = {.kind = COMMAND_INDEX_CREATE, .index = {.index = *wanted}};
  TRY(check_wanted(wanted, e));
  TRY(begin_schema(tx, e));
  arena_reset(&tx->scratch);
  c.index.index.state = GRAPH_INDEX_POPULATING;
  c.index.index.failure = STR("");
  TRY(name_index(tx, &c.index.index, e));
  TRY(check_conflicts(tx->schema, &c.index.index, e));
  c.index.index.id = tx->schema->next_id;
  TRY(submit_schema(tx, &c, e));
  tx->schema_created = c.index.index.id;
  return ERR_OK;
}

static enum err create(struct graph_tx *tx, const struct graph_index *wanted, uint32_t *ret_id, struct error *e) {
  if (!tx->schema_asked) TRY(submit_index(tx, wanted, e));
  TRY(await_schema(tx, e));
  return index_created(tx, wanted->constraint != GRAPH_CONSTRAINT_NONE, ret_id, e);
}

enum err graph_index_create(struct graph_tx *tx, const struct graph_index *wanted, uint32_t *ret_id, struct error *e) {
  return beside_what_stands(tx, create(tx, wanted, ret_id, e), e);
}

static enum err submit_drop(struct graph_tx *tx, uint32_t id, struct error *e) {
  TRY(begin_schema(tx, e));
  if (schema_find(tx->schema, id) == NULL)
    return error_set(e, ERR_INDEX_NOT_FOUND, "Unable to drop index: no such index, number %u.", id);
  TRY(submit_schema(tx, &(struct command){.kind = COMMAND_INDEX_DROP, .index_id = id}, e));
  return ERR_OK;
}

static enum err drop(struct graph_tx *tx, uint32_t id, struct error *e) {
  if (!tx->schema_asked) TRY(submit_drop(tx, id, e));
  TRY(await_schema(tx, e));
  tx->schema_asked = false;
  return ERR_OK;
}

enum err graph_index_drop(struct graph_tx *tx, uint32_t id, struct error *e) {
  return beside_what_stands(tx, drop(tx, id, e), e);
}
