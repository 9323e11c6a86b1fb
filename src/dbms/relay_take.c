// What a client wants of this server and is taken to whoever leads: a transaction that may write, a statement that does, and the
// statement that was begun here by a leader that has ceased to be one.
#include "dbms/relay_int.h"

#include "dbms/command.h"
#include "dbms/pipeline.h"
#include "graph/replica.h"

static enum relay_state first_of(enum relay_kind kind) {
  return kind == RELAY_PLAIN ? RELAY_RUN : kind == RELAY_QUESTION ? RELAY_INDEX : RELAY_BEGIN;
}

void relay_start(struct relay *r, struct database *db, struct str name, enum relay_kind kind, enum relay_state first) {
  r->kind = kind;
  r->database = r->session->bookmark_database = db;
  r->name = name;
  r->at_risk = r->asks_fate = r->committed = r->delivered = r->has_summary = r->asked = false;
  r->ahead = r->rows_end_within = r->stands = r->schema_sent = false;
  r->untouched = true;
  r->offset = 0;
  r->id = 0;
  r->fence = (struct dbms_place){0};
  arena_reset(&r->answers);
  r->until_ns = 0;
  r->op.err = ERR_OK;
  r->tried.count = 0;
  relay_find(r, first);
}

static void start(struct relay *r, struct database *db, enum relay_kind kind) {
  relay_start(r, db, db->name, kind, first_of(kind));
}

static bool is_followed(struct database *db) {
  if (!db->replicated || database_enter(db, NULL) != ERR_OK) return false;
  bool leads = graph_leading_term(db->graph) != 0;
  database_leave(db);
  return !leads;
}

static bool writes(const struct plan *p) {
  const struct ast_statement *s = p->statement;
  return s->explain != AST_EXPLAIN && (s->writes || s->kind == AST_STATEMENT_SCHEMA || s->kind == AST_STATEMENT_ADMIN);
}

/// What reads nothing of the graph is about this server, and is answered here.
static bool is_for_leader(const struct relay *r, const struct plan *p) {
  return writes(p) || (r->session->client.routed && p->statement->explain != AST_EXPLAIN && pipeline_reads_graph(p));
}

static void note_statement(struct relay *r, const struct plan *p) {
  r->plain = p->statement->in_transactions || p->statement->kind == AST_STATEMENT_ADMIN;
  r->in_transactions = p->statement->in_transactions;
  r->schema = p->statement->kind == AST_STATEMENT_SCHEMA;
  r->changes_password = command_changes_own_password(p);
}

static bool takes_statement(struct relay *r, struct database *db, struct dbms_op *op) {
  struct plan *p;
  if (database_enter(db, NULL) != ERR_OK) return false;
  enum err err = pipeline_compile(db, r->session->client.neo4j_major, op->run.query, &p, NULL);
  database_leave(db);
  if (err != ERR_OK) return false;
  bool takes = is_for_leader(r, p) && relay_kept_put(&r->kept, op, NULL) == ERR_OK;
  note_statement(r, p);
  plan_unref(p);
  if (takes) start(r, db, r->plain ? RELAY_PLAIN : RELAY_AUTO);
  return takes;
}

bool relay_takes(struct relay *r, struct database *db, struct dbms_op *op) {
  const struct dbms_tx_options *o = op->kind == DBMS_BEGIN ? &op->begin : &op->run.tx;
  if (!relay_hands_on(r)) return false;
  relay_kept_drop(&r->kept); // of an earlier statement
  if (o->read_only || !is_followed(db)) return false;
  if (op->kind == DBMS_RUN) return takes_statement(r, db, op);
  r->plain = r->in_transactions = r->schema = r->changes_password = false;
  if (relay_kept_begin(&r->kept, o, NULL) != ERR_OK) relay_kept_drop(&r->kept); // then it is not begun again
  start(r, db, RELAY_EXPLICIT);
  return true;
}

void relay_keep(struct relay *r, struct database *db, const struct dbms_op *op, const struct plan *p) {
  if (!relay_hands_on(r) || !db->replicated || op->run.tx.read_only || !writes(p) || p->statement->in_transactions) return;
  note_statement(r, p);
  r->database = db;
  r->reads = false;
  if (relay_kept_put(&r->kept, op, NULL) != ERR_OK) relay_kept_drop(&r->kept); // then it is refused as ever
}

void relay_forget(struct relay *r) {
  if (r != NULL && !relay_has(r)) relay_kept_drop(&r->kept);
}

bool relay_takes_over(struct relay *r) {
  if (r == NULL || !r->kept.whole) return false;
  start(r, r->database, r->plain ? RELAY_PLAIN : RELAY_AUTO);
  return true;
}

void relay_ask_index(struct relay *r, struct database *db, int64_t until_ns) {
  start(r, db, RELAY_QUESTION);
  r->until_ns = until_ns;
}
