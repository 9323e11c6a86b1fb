// A whole statement: from the checked tree to the finished plan.
#include "plan/cache.h"
#include "plan/count_store.h"
#include "plan/fold.h"
#include "plan/multiplicity.h"
#include "plan/plan_int.h"
#include "plan/pruning.h"

/// Only indexes that may be asked: those that are online and hold properties.
static enum err load_indexes(struct planner *p) {
  struct graph_index *all;
  uint32_t count;
  if (!p->catalog->indexes(p->catalog->context, &p->scratch, &all, &count)) return planner_nomem(p);
  p->indexes = all;
  for (uint32_t i = 0; i < count; i++)
    if (all[i].state == GRAPH_INDEX_ONLINE && all[i].index_kind == GRAPH_INDEX_RANGE && all[i].key_count > 0) all[p->index_count++] = all[i];
  return ERR_OK;
}

static enum err take_slots(struct planner *p) {
  for (uint32_t i = 0; i < p->statement->slot_count; i++) {
    uint32_t slot;
    TRY(planner_slot(p, p->statement->slots[i].name, (enum ast_variable_kind) p->statement->slots[i].kind, &slot));
  }
  return ERR_OK;
}

static bool name_variable(struct ast *n, void *context) {
  const struct planner *p = context;
  if (n->kind == AST_VARIABLE && n->variable.name.len == 0 && n->variable.slot < p->slot_count) n->variable.name = p->slots[n->variable.slot].name;
  return true;
}

/// The statement's columns; where the check left a slot open, what a CALL or SHOW yields.
static enum err produce_results(struct planner *p, struct chain *c, const struct plan_columns *returned) {
  const struct ast_statement *s = p->statement;
  struct ast_column *columns = ARENA_ARRAY(p->arena, struct ast_column, s->column_count);
  PLAN_ALLOC(p, columns);
  for (uint32_t i = 0; i < s->column_count; i++) {
    columns[i] = s->columns[i];
    const struct plan_columns *from[] = {returned, &p->yielded};
    for (int k = 0; k < 2; k++)
      for (uint32_t n = 0; n < from[k]->count; n++)
        if (str_eq(from[k]->items[n].name, columns[i].name)) columns[i].slot = from[k]->items[n].slot;
    if (columns[i].slot == PLAN_NONE) return error_set(p->error, ERR_INTERNAL, "No value for the column `%.*s`", STR_ARG(columns[i].name));
  }
  struct plan_op *op;
  TRY(chain_push(p, c, PLAN_PRODUCE_RESULTS, &op));
  op->produce = (struct plan_produce){columns, s->column_count};
  return ERR_OK;
}

static enum err plan_root(struct planner *p, struct chain *c) {
  struct plan_columns columns;
  struct plan_op *op;
  TRY(planner_op(p, PLAN_ARGUMENT, 0, 0, &c->op));
  TRY(plan_query(p, c, p->statement->root, &columns));
  if (p->statement->column_count > 0) return produce_results(p, c, &columns);
  return chain_push(p, c, PLAN_EMPTY_RESULT, &op);
}

static void finish(struct planner *p, struct plan_op *root) {
  struct plan *plan = p->plan;
  plan->root = root;
  plan->slots = p->slots;
  plan->slot_count = p->slot_count;
  plan->names = p->names;
  plan->name_count = p->name_count;
  for (uint32_t i = 0; i < p->name_count; i++) plan->has_unknown_names = plan->has_unknown_names || p->names[i].token == GRAPH_ANY;
  plan_note_counts(plan, p->catalog);
  for (uint32_t i = 0; i < plan->op_count; i++) plan->cost += plan->ops[i]->rows;
}

static enum err build_query(struct planner *p) {
  struct chain c = {0};
  TRY(load_indexes(p));
  TRY(take_slots(p));
  ast_visit(p->statement->root, name_variable, p); // so that EXPLAIN can speak of elements without a name
  TRY(pass_fold(p));
  TRY(plan_root(p, &c));
  TRY(pass_count_store(p, c.op));
  TRY(pass_eager(p, &c.op));
  TRY(pass_witness(p, c.op));
  TRY(pass_live(p, &c.op));
  if (p->options->rewrites != PLAN_REWRITES_NONE) {
    TRY(pass_multiplicity(p, c.op));
    TRY(pass_cache(p, &c.op));
    TRY(pass_live(p, &c.op));
  }
  pass_pruning(c.op);
  TRY(pass_verify(p, c.op));
  TRY(pass_number(p, c.op));
  TRY(pass_notice(p, c.op));
  finish(p, c.op);
  return ERR_OK;
}

enum err plan_build(struct plan *plan, const struct ast_statement *statement, const struct plan_options *options, struct error *e) {
  static const struct plan_options defaults = {0};
  struct planner p = {.plan = plan, .arena = &plan->arena, .statement = statement, .error = e, .options = options != NULL ? options : &defaults};
  p.catalog = p.options->catalog != NULL ? p.options->catalog : plan_catalog_empty();
  plan->statement = statement;
  plan->schema_version = p.catalog->schema_version(p.catalog->context);
  plan->token_version = p.catalog->token_version(p.catalog->context);
  plan->kind = statement->kind == AST_STATEMENT_SCHEMA || statement->kind == AST_STATEMENT_ADMIN ? PLAN_COMMAND : PLAN_QUERY;
  if (plan->kind == PLAN_COMMAND) return ERR_OK;
  arena_init(&p.scratch, plan->arena.budget);
  enum err err = build_query(&p);
  arena_done(&p.scratch);
  return err;
}
