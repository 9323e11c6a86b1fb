#include "lab.h"

#include <string.h>

#include "cypher/check.h"
#include "cypher/parse.h"
#include "graph/tx.h"
#include "graph/write.h"

enum { LAB_POOL_BYTES = 256 << 20, LAB_COLD_POOL_BYTES = 64 * PAGE_BYTES, LAB_SEGMENT_BYTES = 1 << 20, LAB_TRIES = 1000 };

static enum err open_graph(struct lab *l, struct error *e) {
  // Cold: so small that reading has to rest, and what is read too late is seen.
  struct page_pool_options pool = {.limit_bytes = l->cold ? LAB_COLD_POOL_BYTES : LAB_POOL_BYTES, .poison = l->cold};
  TRY(page_pool_open(&pool, &l->pool, e));
  struct graph_options o = {
      .disk = sim_disk_table(l->sim), .clock = &l->clock.clock, .random = &l->random.source, .pool = l->pool, .create = true};
  o.log.segment_bytes = LAB_SEGMENT_BYTES;
  return graph_open("db", &o, &l->graph, e);
}

static void close_graph(struct lab *l) {
  graph_close(l->graph);
  if (l->pool != NULL) page_pool_close(l->pool);
  l->graph = NULL;
  l->pool = NULL;
}

enum err lab_open(struct lab *l, struct error *e) {
  *l = (struct lab){0};
  arena_init(&l->arena, NULL);
  mem_budget_init(&l->budget, NULL, 0, ERR_TX_MEMORY, "db.memory.transaction.max");
  l->sim = sim_disk_new(7);
  if (l->sim == NULL) return error_set(e, ERR_NOMEM, "no memory for a disk");
  clock_manual_init(&l->clock, INT64_C(1700000000) * NS_PER_S);
  random_seeded_init(&l->random, 7);
  TRY(disk_make_directory(sim_disk_table(l->sim), "db", e));
  return open_graph(l, e);
}

/// Empties the memory: what is read next is read from the disk.
static enum err chill(struct lab *l, struct error *e) {
  if (!l->cold) return ERR_OK;
  TRY(graph_checkpoint(l->graph, e));
  close_graph(l);
  return open_graph(l, e);
}

void lab_close(struct lab *l) {
  close_graph(l);
  if (l->sim != NULL) sim_disk_free(l->sim);
  arena_done(&l->arena);
}

enum err lab_plan(struct lab *l, struct str query, struct plan **ret, struct error *e) {
  struct plan *p;
  struct ast_statement *s;
  TRY(plan_new(NULL, &p, e));
  struct plan_catalog catalog = plan_catalog_of_graph(l->graph);
  struct plan_folding folding = {exec_evaluate, NULL};
  struct plan_options options = {.catalog = &catalog, .folding = &folding, .eager_everywhere = l->eager_everywhere, .rewrites = l->rewrites};
  struct cypher_check_options check = {.signatures = l->signatures};
  enum err err = cypher_parse(plan_arena(p), query, NULL, &s, e);
  if (err == ERR_OK) err = cypher_check(s, &check, e);
  if (err == ERR_OK) err = plan_build(p, s, &options, e);
  if (err != ERR_OK) {
    plan_unref(p);
    return err;
  }
  *ret = p;
  return ERR_OK;
}

static void lab_random(void *context, void *ret, size_t bytes) {
  struct lab *l = context;
  if (random_fill(&l->random.source, ret, bytes) != ERR_OK) memset(ret, 0, bytes);
}

static struct exec_instant lab_now(void *context) {
  struct lab *l = context;
  int64_t ns = clock_wall_ns(&l->clock.clock);
  return (struct exec_instant){ns / NS_PER_S, (int32_t) (ns % NS_PER_S)};
}

static enum err run_exec(struct lab *l, const struct plan *plan, struct graph_tx *tx, struct row_sink *sink,
                         struct lab_result *ret) {
  struct exec_instant now = lab_now(l);
  struct exec_options o = {.tx = tx,
                           .parameters = l->parameters,
                           .budget = &l->budget,
                           .clock = {now, now, lab_now, 0, l},
                           .random = {lab_random, l},
                           .profile = plan->statement->explain == AST_PROFILE,
                           .flat = l->flat};
  struct exec *x;
  TRY(exec_open(plan, &o, &x, &ret->error));
  enum exec_result result;
  uint64_t want = UINT64_MAX;
  for (uint32_t tries = 0;; tries++) {
    exec_set_patience(x, l->impatient && tries < LAB_TRIES / 2 ? 1 + tries * 7 % 40 : EXEC_ENDLESS);
    result = exec_next(x, want, sink, &ret->error);
    if (result != EXEC_WAIT || tries == LAB_TRIES) break;
    l->waits++;
    if (graph_settle(l->graph, &ret->error) != ERR_OK) break;
  }
  ret->counters = *exec_counters(x);
  ret->rows = exec_rows(x);
  ret->peak_bytes = exec_peak_bytes(x);
  exec_close(x);
  if (result == EXEC_DONE) {
    ret->error = ERROR_INIT; // of a call that had to wait
    return ERR_OK;
  }
  return ret->error.code != ERR_OK ? ret->error.code : error_set(&ret->error, ERR_INTERNAL, "the query waits for ever");
}

static enum err commit(struct lab *l, struct graph_tx *tx, struct error *e) {
  uint64_t id;
  enum err err;
  while ((err = graph_tx_commit(tx, &id, e)) == ERR_WAIT) TRY(graph_settle(l->graph, e));
  return err;
}

/// CREATE INDEX and CREATE CONSTRAINT ... IS UNIQUE, online when this returns.
static enum err create_index(struct graph_tx *tx, const struct ast *n, struct error *e) {
  bool constraint = n->kind == AST_CREATE_CONSTRAINT;
  if (!constraint && n->kind != AST_CREATE_INDEX) return error_set(e, ERR_UNSUPPORTED, "this command is not run here");
  bool of_rels = constraint ? n->create_constraint.relationship : n->create_index.relationship;
  struct str name = constraint ? n->create_constraint.label : n->create_index.labels.first->label.name;
  struct graph_index index = {.constraint = constraint ? GRAPH_CONSTRAINT_UNIQUE : GRAPH_CONSTRAINT_NONE, .entity = of_rels ? GRAPH_REL : GRAPH_NODE};
  uint32_t id;
  TRY(graph_token_make(tx, of_rels ? GRAPH_TYPE : GRAPH_LABEL, name, &index.label_or_type, e));
  AST_EACH(property, constraint ? n->create_constraint.properties : n->create_index.properties)
    TRY(graph_token_make(tx, GRAPH_KEY, property->property.key, &index.keys[index.key_count++], e));
  return graph_index_create(tx, &index, &id, e);
}

static enum err run_command(struct lab *l, const struct plan *plan, struct graph_tx *tx, struct error *e) {
  enum err err;
  while ((err = create_index(tx, plan->statement->root, e)) == ERR_WAIT) TRY(graph_settle(l->graph, e));
  return err;
}

void lab_run_plan(struct lab *l, const struct plan *plan, struct row_sink *sink, struct lab_result *ret) {
  *ret = (struct lab_result){.error = ERROR_INIT};
  struct graph_tx *tx;
  struct graph_tx_options options = {.budget = &l->budget};
  ret->err = chill(l, &ret->error);
  if (ret->err != ERR_OK) return;
  ret->err = graph_tx_begin(l->graph, &options, &tx, &ret->error);
  if (ret->err != ERR_OK) return;
  graph_tx_set_blocking(tx, !l->cold);
  ret->err = graph_tx_statement(tx, &ret->error);
  if (ret->err == ERR_OK && plan->kind == PLAN_COMMAND) ret->err = run_command(l, plan, tx, &ret->error);
  if (ret->err == ERR_OK && plan->kind == PLAN_QUERY) ret->err = run_exec(l, plan, tx, sink, ret);
  if (ret->err == ERR_OK) {
    ret->err = commit(l, tx, &ret->error);
  } else {
    graph_tx_rollback(tx);
  }
  graph_tx_free(tx);
  if (ret->err == ERR_OK && plan->kind == PLAN_COMMAND) ret->err = graph_settle(l->graph, &ret->error); // the index is filled
}

void lab_run(struct lab *l, struct str query, struct row_sink *sink, struct lab_result *ret) {
  struct plan *plan;
  *ret = (struct lab_result){.error = ERROR_INIT};
  ret->err = lab_plan(l, query, &plan, &ret->error);
  if (ret->err != ERR_OK) return;
  lab_run_plan(l, plan, sink, ret);
  plan_unref(plan);
}
