// The beginning of a transaction: on which database, behind which bookmarks, and, where another server asks for it, what became
// of an earlier one with the same origin.
#include "base/mutant.h"
#include "dbms/linearizable.h"
#include "dbms/origin.h"
#include "dbms/relay.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

struct str session_home(const struct dbms_session *s) {
  return s->home.len > 0 ? s->home : s->dbms->options.config->default_database;
}

enum err session_find_database(struct dbms_session *s, struct str name, struct database **ret, struct error *e) {
  if (name.len == 0) name = session_home(s);
  struct database *db = dbms_database(s->dbms, name);
  if (db == NULL && !reconcile_is_current(s->dbms))
    return error_set(
        e, ERR_DATABASE_UNAVAILABLE,
        "The database '%.*s' is not known here: this member has just started and is being brought up to date. Try again soon.",
        (int) MIN(name.len, 200), name.ptr);
  if (db == NULL) {
    return error_set(e, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: '%.*s'.", (int) MIN(name.len, 200),
                     name.ptr);
  }
  *ret = db;
  return ERR_OK;
}

enum err session_choose_database(struct dbms_session *s, const struct dbms_tx_options *options, struct database **ret,
                                 struct error *e) {
  TRY(session_await_catalogue(s, options->bookmarks, options->bookmark_count, e));
  TRY(session_find_database(s, options->database, ret, e));
  TRY(session_check_identity(s, options, *ret, e));
  TRY(origin_check_database(*ret, options, e));
  return linearizable_wanted(s, options, &s->linearizable, e);
}

enum err session_begin_transaction(struct dbms_session *s, struct database *db, const struct dbms_tx_options *options,
                                   bool auto_commit, struct error *e) {
  if (s->phase == PHASE_START) {
    TRY(origin_check(db, &options->origin, e));
    TRY(session_read_bookmarks(s, db, options->bookmarks, options->bookmark_count, &s->bookmark, e));
    s->bookmark_database = db;
    s->bookmark_deadline_ns =
        clock_monotonic_ns(s->dbms->options.clock) + s->dbms->options.config->bookmark_timeout_ms * NS_PER_MS;
    s->read = (struct cluster_read){0};
    s->phase = s->linearizable ? PHASE_READ_INDEX : PHASE_BOOKMARKS;
  }
  if (s->phase == PHASE_READ_INDEX) {
    TRY(linearizable_index(s, db, e));
    s->phase = PHASE_BOOKMARKS;
  }
  TRY(database_enter(db, e));
  uint64_t last = graph_tx_last_committed(db->graph);
  enum err failed = last < s->bookmark ? session_check_soundness(db, e) : ERR_OK;
  database_leave(db);
  TRY(failed);
  if (last < s->bookmark && !MUTANT(product_bookmark)) {
    if (clock_monotonic_ns(s->dbms->options.clock) < s->bookmark_deadline_ns) return ERR_WAIT;
    return error_set(e, ERR_BOOKMARK_TIMEOUT,
                     "Database '%.*s' not up to the requested version: %llu. Latest database version is %llu", STR_ARG(db->name),
                     (unsigned long long) s->bookmark, (unsigned long long) last);
  }
  s->phase = PHASE_ORIGIN;
  TRY(origin_place(s, db, options, &s->place, e));
  struct transaction *t;
  TRY(transaction_begin(s, db, options, auto_commit, &t, e));
  session_set_transaction(s, t);
  return ERR_OK;
}

/// What another server asks of an earlier transaction with the same origin; the later one is open. The log is read from the disk.
static enum err find_fate(struct dbms_session *s, const struct dbms_tx_options *o, bool *ret_to_worker, struct dbms_fate *ret,
                          struct error *e) {
  struct transaction *t = s->tx;
  uint64_t id = 0;
  if (s->phase != PHASE_FATE) {
    if (o->origin.member == 0 || o->behind > s->place.last)
      return error_set(e, ERR_PROTOCOL, "What lies behind entry %llu is asked for, and there is no such entry, or no origin.",
                       (unsigned long long) o->behind);
    s->fate = (struct origin_search){.from = o->behind + 1};
    s->phase = PHASE_FATE;
  }
  TRY(transaction_check(t, e));
  enum err err = s->on_worker ? origin_fate(t->database, o, &s->fate, s->place.last, &ret->outcome, &id, e) : ERR_WAIT;
  t->polls = err == ERR_AGAIN;
  if (err == ERR_WAIT) *ret_to_worker = true;
  if (t->polls) return ERR_WAIT;
  TRY(err);
  if (id != 0)
    ret->bookmark = bookmark_write(s->bookmark_text, t->database->uuid, t->database->generation, id, s->client.legacy_bookmarks);
  return ERR_OK;
}

enum err session_op_begin(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct dbms_tx_options options =
      op->begin; // `op->begin` and `op->begun` are different members; inputs stay valid while we wait
  if (s->phase != PHASE_FATE) {
    struct database *db;
    if (s->tx != NULL) return error_set(&op->error, ERR_PROTOCOL, "A transaction is open already.");
    TRY(session_choose_database(s, &options, &db, &op->error));
    if (s->phase == PHASE_START && relay_takes(s->relay, db, op)) return ERR_AGAIN;
    TRY(session_begin_transaction(s, db, &options, false, &op->error));
  }
  struct dbms_fate fate = {0};
  if (options.asks_fate) TRY(find_fate(s, &options, ret_to_worker, &fate, &op->error));
  op->begun.database = s->tx->database->name;
  op->begun.place = s->place;
  op->begun.fate = fate;
  return ERR_OK;
}
