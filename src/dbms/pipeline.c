// The way of a query. Read this file first: every statement passes through pipeline_compile and pipeline_open, and its rows
// through result_pull (result.c); session_run.c says when.
#include "dbms/pipeline.h"

#include <string.h>

#include "base/buf.h"
#include "cypher/check.h"
#include "cypher/parse.h"
#include "dbms/cheap.h"
#include "dbms/procedures.h"
#include "dbms/session_int.h"
#include "dbms/show.h"
#include "dbms/transaction.h"
#include "graph/stats.h"
#include "graph/tx.h"
#include "graph/view.h"

/// A plan holds as long as what it was built upon: names that were unknown then, indexes, procedures.
static bool is_current(const struct plan *p, struct database *db) {
  if (p->schema_version != graph_stats_schema_version(db->graph)) return false;
  return !p->has_unknown_names || p->token_version == graph_token_version(db->graph);
}

/// Text to plan in the plan's own arena, which keeps text, tree and operators together.
static enum err build(struct plan *p, struct database *db, uint32_t neo4j_major, struct str text, struct error *e) {
  struct arena *a = plan_arena(p);
  struct str copy = arena_str(a, text);
  if (copy.ptr == NULL) return arena_err(a, e);

  struct cypher_options language = {.max_text_bytes = (uint32_t) db->dbms->options.config->query_max_bytes};
  struct ast_statement *statement;
  TRY(cypher_parse(a, copy, &language, &statement, e));

  struct procedures_scope scope = {.neo4j_major = neo4j_major, .is_member = dbms_others(db->dbms) != NULL};
  struct cypher_signatures signatures = procedures_signatures(&scope);
  struct cypher_check_options check = {.signatures = &signatures, .neo4j_major = neo4j_major};
  TRY(cypher_check(statement, &check, e));

  static const struct plan_folding folding = {.evaluate = exec_evaluate};
  struct plan_options options = {.catalog = &db->catalog, .folding = &folding};
  TRY(plan_build(p, statement, &options, e));
  p->cheap = plan_is_cheap(p);
  return ERR_OK;
}

enum err pipeline_compile(struct database *db, uint32_t neo4j_major, struct str text, struct plan **ret, struct error *e) {
  struct plan *p = query_cache_get(db->plans, neo4j_major, text);
  if (p != NULL && is_current(p, db)) {
    *ret = p;
    return ERR_OK;
  }
  plan_unref(p);
  TRY(plan_new(&db->budget, &p, e));
  enum err err = build(p, db, neo4j_major, text, e);
  if (err != ERR_OK) {
    plan_unref(p);
    return err;
  }
  if (p->kind == PLAN_QUERY) query_cache_put(db->plans, neo4j_major, p); // commands may hold passwords
  *ret = p;
  return ERR_OK;
}

/// `system` answers SHOW, procedures and plain expressions; its own graph is seen by commands alone.
bool pipeline_reads_graph(const struct plan *p) {
  for (uint32_t i = 0; i < p->op_count; i++)
    if (p->ops[i]->kind >= PLAN_ALL_NODES_SCAN && p->ops[i]->kind <= PLAN_REL_COUNT) return true;
  return false;
}

/// Procedures see to what they change themselves.
static bool writes_graph(const struct plan *p) {
  for (uint32_t i = 0; i < p->op_count; i++)
    if (p->ops[i]->kind >= PLAN_CREATE && p->ops[i]->kind <= PLAN_TRANSACTION_APPLY) return true;
  return false;
}

/// What the transaction does not allow is refused before anything runs.
static enum err admit(struct transaction *t, const struct plan *p, struct error *e) {
  const struct ast_statement *s = p->statement;
  bool writes = s->writes || s->kind == AST_STATEMENT_SCHEMA || s->kind == AST_STATEMENT_ADMIN;
  if (s->explain == AST_EXPLAIN) return ERR_OK;
  if (writes && t->read_only) return error_set(e, ERR_ACCESS_MODE, "Writing in read access mode not allowed. Attempted write to %.*s", STR_ARG(t->database->name));
  if (s->in_transactions && !t->auto_commit) {
    return error_set(e, ERR_TX_START, "A query with 'CALL { ... } IN TRANSACTIONS' can only be executed in an implicit transaction, but tried to execute in an "
                                      "explicit transaction.");
  }
  bool is_data = s->kind == AST_STATEMENT_SCHEMA || (s->kind == AST_STATEMENT_QUERY && (writes_graph(p) || pipeline_reads_graph(p)));
  if (t->database->is_system && is_data) {
    return error_set(e, ERR_NOT_SYSTEM_DATABASE, "Not a recognised system command or procedure. This Cypher command can only be executed in a user database.");
  }
  return ERR_OK;
}

/// Without randomness rand() still answers: zeros.
static void fill_random(void *context, void *ret, size_t bytes) {
  if (random_fill(context, ret, bytes) != ERR_OK) memset(ret, 0, bytes);
}

/// The run outlives the operation that brought the parameters, so the result keeps a copy.
static enum err start_run(struct transaction *t, struct result *r, struct value parameters, struct error *e) {
  struct dbms *d = t->database->dbms;
  TRY(value_copy(&r->rows.arena, parameters, &parameters, e));
  t->clock.statement = t->clock.now(t->clock.context);
  TRY(graph_tx_statement(t->graph_tx, e));
  struct exec_options options = {
      .tx = t->graph_tx,
      .parameters = parameters,
      .budget = &t->budget,
      .clock = t->clock,
      .random = {.fill = fill_random, .context = d->options.random},
      .files = &d->files,
      .show = show_table(),
      .call_context = t,
      .profile = r->plan->statement->explain == AST_PROFILE,
  };
  return exec_open(r->plan, &options, &r->exec, e);
}

static enum err name_columns(struct result *r, const struct ast_statement *s, struct error *e) {
  struct str *columns = ARENA_ARRAY(&r->rows.arena, struct str, s->column_count);
  if (columns == NULL) return arena_err(&r->rows.arena, e);
  for (uint32_t i = 0; i < s->column_count; i++) columns[i] = s->columns[i].name;
  r->columns = columns;
  r->column_count = s->column_count;
  return ERR_OK;
}

/// EXPLAIN does without parameters, but says so.
static enum err note_missing(struct result *r, struct value parameters, struct error *e) {
  const struct ast_statement *s = r->plan->statement;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  if (s->explain != AST_EXPLAIN) return ERR_OK;
  for (uint32_t i = 0; i < s->parameter_count; i++) {
    bool given = parameters.type == VALUE_MAP && value_map_get(parameters, s->parameters[i]) != NULL;
    if (!given && buf_printf(&out, "%s%.*s", out.len > 0 ? ", " : "", STR_ARG(s->parameters[i])) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  }
  r->missing = arena_str(&r->rows.arena, buf_str(&out));
  return r->missing.ptr != NULL ? ERR_OK : arena_err(&r->rows.arena, e);
}

enum err pipeline_open(struct transaction *t, struct plan *p, struct value parameters, const struct notification_filter *filter, struct result **ret,
                       struct error *e) {
  TRY(admit(t, p, e));
  struct result *r = mem_zalloc(sizeof *r);
  if (r == NULL) return error_set(e, ERR_NOMEM, "no memory for a result");
  r->tx = t;
  r->plan = plan_ref(p);
  r->started_ns = clock_monotonic_ns(t->database->dbms->options.clock);
  row_store_init(&r->rows, p->statement->column_count, &t->budget);
  bool runs = p->kind == PLAN_QUERY && p->statement->explain != AST_EXPLAIN;
  r->finished = !runs;
  r->cheap = !runs || p->cheap;
  enum err err = name_columns(r, p->statement, e);
  if (err == ERR_OK) err = notification_filter_copy(&r->rows.arena, filter, &r->filter, e);
  if (err == ERR_OK) err = note_missing(r, parameters, e);
  if (err == ERR_OK && runs) err = start_run(t, r, parameters, e);
  if (err != ERR_OK) {
    result_free(r);
    return err;
  }
  plan_unref(p);
  r->number = t->result_count++;
  r->older = t->results;
  t->results = r;
  *ret = r;
  return ERR_OK;
}
