#include "dbms/origin.h"

#include "base/mutant.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/replica.h"

/// Whoever asks has the same login as the first had: another user's transaction is none of his.
static bool is_of(const struct transaction *t, const struct dbms_session *asks, const struct dbms_origin *origin) {
  bool same = t->origin.member == origin->member && t->origin.sequence == origin->sequence;
  return same && str_eq(t->session->user, asks->user);
}

/// What is not past its point of no return ends now: at once where its client is idle. True: nothing of it is under way any more.
static bool end_earlier(struct dbms *d, const struct dbms_session *asks, const struct dbms_origin *origin) {
  bool over = true;
  mutex_lock(&d->mutex);
  for (struct transaction *t = d->transactions; t != NULL && !MUTANT(origin_earlier); t = t->following) {
    if (!is_of(t, asks, origin) || t->gone != ERR_OK) continue;
    transaction_kill(t, ERR_TX_TERMINATED);
    over = over && !session_is_at_work(t->session);
  }
  mutex_unlock(&d->mutex);
  return over;
}

static enum err refuse(const struct database *db, struct error *e) {
  return error_set(e, ERR_NOT_LEADER, "This server does not lead database '%.*s'.", STR_ARG(db->name));
}

/// One that has failed knows no more what is committed in its term.
static uint64_t sound_term(struct database *db) {
  bool sound = graph_failure(db->graph, NULL) == ERR_OK || MUTANT(origin_sound);
  return sound ? graph_leading_term(db->graph) : 0;
}

enum err origin_check_database(const struct database *db, const struct dbms_tx_options *options, struct error *e) {
  bool meant = uuid_is_none(options->database_id) || uuid_eq(options->database_id, db->id) || MUTANT(origin_database);
  if (meant) return ERR_OK;
  return error_set(e, ERR_OUTDATED,
                   "Nothing was done: database '%.*s' was dropped and made anew, and the server that was asked has not heard of it "
                   "yet. Retry the transaction.",
                   STR_ARG(db->name));
}

enum err origin_check(struct database *db, const struct dbms_origin *origin, struct error *e) {
  if (origin->member == 0) return ERR_OK;
  TRY(database_enter(db, e));
  bool leads = sound_term(db) != 0;
  database_leave(db);
  return leads ? ERR_OK : refuse(db, e);
}

/// A standalone server is in no term.
static enum err seen_place(struct database *db, struct dbms_place *ret, struct error *e) {
  TRY(database_enter(db, e));
  *ret = (struct dbms_place){.term = MAX(graph_leading_term(db->graph), UINT64_C(1)), .last = graph_applied(db->graph).index};
  database_leave(db);
  return ERR_OK;
}

enum err origin_place(const struct dbms_session *asks, struct database *db, const struct dbms_tx_options *options,
                      struct dbms_place *ret, struct error *e) {
  const struct dbms_origin *origin = &options->origin;
  *ret = (struct dbms_place){0};
  if (origin->member == 0) return options->linearizable ? seen_place(db, ret, e) : ERR_OK;
  bool over = end_earlier(db->dbms, asks, origin);
  TRY(database_enter(db, e));
  struct graph_origin written = {origin->member, origin->sequence};
  over = over && (!graph_schema_is_on_its_way(db->graph, written) || MUTANT(origin_on_its_way));
  struct dbms_place place = {.term = sound_term(db), .last = graph_applied(db->graph).index};
  database_leave(db);
  if (place.term == 0) return refuse(db, e);
  if (!over) return ERR_WAIT;
  *ret = place;
  return ERR_OK;
}

static enum dbms_outcome outcome_of(const struct graph_found *found, enum graph_index_state constraint) {
  if (found->index == 0) return DBMS_FATE_NOT_COMMITTED;
  return constraint == GRAPH_INDEX_ONLINE   ? DBMS_FATE_COMMITTED
         : constraint == GRAPH_INDEX_FAILED ? DBMS_FATE_NOT_MADE
                                            : DBMS_FATE_UNKNOWN;
}

enum err origin_fate(struct database *db, const struct dbms_tx_options *asked, struct origin_search *at, uint64_t last,
                     enum dbms_outcome *ret, uint64_t *ret_id, struct error *e) {
  struct graph_origin origin = {asked->origin.member, asked->origin.sequence};
  enum graph_index_state constraint = GRAPH_INDEX_ONLINE;
  TRY(database_enter(db, e));
  enum err err = at->found.index != 0 ? ERR_OK : graph_find_origin(db->graph, origin, &at->from, last, &at->found, e);
  if (err == ERR_OK && at->found.constraint != 0) constraint = graph_constraint_state(db->graph, at->found.constraint);
  uint64_t id = at->found.schema ? graph_applied(db->graph).index : at->found.index;
  bool goes_on = graph_failure(db->graph, NULL) == ERR_OK;
  database_leave(db);
  if (err == ERR_WAIT || err == ERR_NOMEM) return err;
  if (constraint == GRAPH_INDEX_POPULATING && asked->wants_verdict && goes_on) return ERR_AGAIN;
  *ret = err == ERR_OK ? outcome_of(&at->found, constraint) : DBMS_FATE_UNKNOWN;
  if (*ret == DBMS_FATE_NOT_MADE && !asked->wants_verdict) *ret = DBMS_FATE_UNKNOWN; // whoever asks does not know the word
  *ret_id = *ret == DBMS_FATE_COMMITTED ? id : 0;
  return ERR_OK;
}
