#include "dbms/linearizable.h"

#include "base/mutant.h"
#include "dbms/relay.h"
#include "graph/replica.h"

#define KEY "quiver.consistency"

enum err linearizable_wanted(const struct dbms_session *s, const struct dbms_tx_options *options, bool *ret, struct error *e) {
  bool set = str_eqz(s->dbms->options.config->read_consistency, "LINEARIZABLE");
  const struct value *said = options->metadata.type == VALUE_MAP ? value_map_get(options->metadata, STR(KEY)) : NULL;
  *ret = s->client.relayed ? options->linearizable : set; // the setting that counts is that of the client's server
  if (said == NULL || v_is_null(*said)) return ERR_OK;
  struct str word = said->type == VALUE_STRING ? v_text(*said) : STR_NONE;
  *ret = str_eq_nocase(word, STR("linearizable"));
  if (*ret || str_eq_nocase(word, STR("causal"))) return ERR_OK;
  return error_set(e, ERR_ARGUMENT,
                   "The transaction's metadata `" KEY
                   "` must be 'causal' (reads see what its bookmarks name) or 'linearizable' (and "
                   "whatever was acknowledged before).");
}

enum err linearizable_unavailable(const struct dbms_session *s, const struct database *db, struct error *e) {
  return error_set(
      e, ERR_DATABASE_UNAVAILABLE,
      "Linearizable reads of database '%.*s' are not possible at the moment: no leader has had itself confirmed by a majority "
      "within %lld ms (db.transaction.bookmark_ready_timeout). Try again, or read with `" KEY "`: 'causal'.",
      STR_ARG(db->name), (long long) s->dbms->options.config->bookmark_timeout_ms);
}

static enum err find_out_whether_it_leads(struct database *db, bool *ret, struct error *e) {
  TRY(database_enter(db, e));
  *ret = graph_leading_term(db->graph) != 0;
  database_leave(db);
  return ERR_OK;
}

static enum err ask_the_leader(struct dbms_session *s, struct database *db, struct error *e) {
  if (s->relay == NULL) return error_set(e, ERR_NOT_LEADER, "This server does not lead database '%.*s'.", STR_ARG(db->name));
  relay_ask_index(s->relay, db, s->bookmark_deadline_ns);
  return ERR_AGAIN;
}

enum err linearizable_index(struct dbms_session *s, struct database *db, struct error *e) {
  bool leads;
  if (s->dbms->cluster == NULL) return ERR_OK;
  if (s->read.state == CLUSTER_READ_ANSWERED) {
    if (!MUTANT(linearizable_reach)) s->bookmark = MAX(s->bookmark, s->read.index);
    return ERR_OK;
  }
  TRY(find_out_whether_it_leads(db, &leads, e));
  if (leads && MUTANT(linearizable_round)) return ERR_OK;
  if (clock_monotonic_ns(s->dbms->options.clock) >= s->bookmark_deadline_ns) return linearizable_unavailable(s, db, e);
  return leads ? ERR_WAIT : ask_the_leader(s, db, e);
}

void linearizable_told(struct dbms_session *s, uint64_t index) {
  s->read = (struct cluster_read){.state = CLUSTER_READ_ANSWERED, .index = index};
}

enum err linearizable_await(struct dbms_session *s) {
  struct database *db = s->bookmark_database;
  if (s->read.state == CLUSTER_READ_FAILED) { // asked again with the next tick
    s->read.state = CLUSTER_READ_NONE;
    return ERR_NOMEM;
  }
  s->read.ready = session_woken;
  s->read.context = s;
  TRY(database_enter(db, NULL));
  struct cluster_group *g = db->group;
  bool told = g != NULL && cluster_read(g, &s->read);
  database_leave(db);
  return told ? ERR_WAIT : ERR_NOMEM;
}

void linearizable_cancel(struct dbms_session *s) {
  if (s->dbms->cluster != NULL) cluster_read_cancel(s->dbms->cluster, &s->read);
}
