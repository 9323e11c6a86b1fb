// CALL of procedures and of subqueries, LOAD CSV, SHOW.
#include <string.h>

#include "plan/plan_int.h"

/// A procedure that is called without a list of arguments takes them from the parameters of their names.
static enum err implicit_arguments(struct planner *p, const struct cypher_procedure *procedure, struct exprs_builder *ret) {
  for (uint32_t i = 0; i < procedure->required_count; i++) {
    struct ast *parameter = ast_new(p->arena, AST_PARAMETER, 0);
    PLAN_ALLOC(p, parameter);
    parameter->parameter.name = str_of(procedure->arguments[i].name);
    parameter->types = CYPHER_ANY;
    TRY(exprs_add(p, ret, parameter));
  }
  return ERR_OK;
}

static enum err call_arguments(struct planner *p, struct chain *c, const struct ast *clause, struct exprs_builder *ret) {
  if (!clause->call.has_arguments) return implicit_arguments(p, clause->call.signature, ret);
  AST_EACH(argument, clause->call.arguments) {
    const struct ast *ready;
    TRY(plan_expression(p, c, argument, &ready));
    TRY(exprs_add(p, ret, ready));
  }
  return ERR_OK;
}

static uint32_t yielded_slot(const struct ast *clause, struct str field) {
  AST_EACH(item, clause->call.yields)
    if (str_eq(item->yield.field, field)) return item->yield.variable->variable.slot;
  return PLAN_NONE;
}

static uint32_t statement_column(const struct planner *p, struct str name) {
  for (uint32_t i = 0; i < p->statement->column_count; i++)
    if (str_eq(p->statement->columns[i].name, name)) return p->statement->columns[i].slot;
  return PLAN_NONE;
}

/// The slot of each result; where nothing is yielded by name, all of them, as columns of the statement.
static enum err call_results(struct planner *p, const struct ast *clause, struct list_builder *ret) {
  const struct cypher_procedure *procedure = clause->call.signature;
  bool all = clause->call.yields.count == 0 && !(clause->call.has_yield && !clause->call.star);
  struct plan_columns columns = {ARENA_ARRAY(p->arena, struct ast_column, procedure->result_count), 0};
  PLAN_ALLOC(p, columns.items);
  for (uint32_t i = 0; i < procedure->result_count; i++) {
    struct str name = str_of(procedure->results[i].name);
    uint32_t slot = yielded_slot(clause, name);
    if (slot == PLAN_NONE && all) slot = statement_column(p, name);
    if (slot == PLAN_NONE && all) TRY(planner_slot(p, name, AST_VALUE_VARIABLE, &slot));
    TRY(list_add(p, ret, slot));
    columns.items[columns.count++] = (struct ast_column){name, slot};
  }
  if (all && procedure->result_count > 0) p->yielded = columns;
  return ERR_OK;
}

enum err plan_call(struct planner *p, struct chain *c, const struct ast *clause) {
  struct exprs_builder arguments = {0};
  struct list_builder results = {0};
  struct plan_op *op;
  if (clause->call.signature == NULL) return error_set(p->error, ERR_PROCEDURE_NOT_FOUND, "There is no procedure with the name `%.*s`", STR_ARG(clause->call.name));
  TRY(call_arguments(p, c, clause, &arguments));
  TRY(call_results(p, clause, &results));
  TRY(chain_push(p, c, PLAN_PROCEDURE_CALL, &op));
  op->procedure_call = (struct plan_procedure_call){clause->call.signature, exprs_of(&arguments), list_of(&results), clause->call.optional};
  uint8_t mode = clause->call.signature->mode;
  op->writes = op->writes || mode == CYPHER_PROCEDURE_WRITE || mode == CYPHER_PROCEDURE_SCHEMA;
  if (clause->call.signature->result_count > 0) op->rows *= 10;
  for (uint32_t i = 0; i < results.count; i++) TRY(chain_bind(p, c, results.items[i]));
  return clause->call.where != NULL ? plan_where(p, c, clause->call.where) : ERR_OK;
}

/// What a subquery returns under the slots by which the outer query knows it.
static enum err rename_results(struct planner *p, struct chain *right, const struct ast_slots *slots, const struct plan_columns *columns) {
  struct items_builder items = {0};
  struct plan_op *op;
  for (uint32_t i = 0; i < slots->count; i++) {
    const struct ast *variable;
    uint32_t inner = slots->items[i].inner;
    for (uint32_t k = 0; k < columns->count; k++)
      if (str_eq(columns->items[k].name, slots->items[i].name)) inner = columns->items[k].slot;
    if (inner == slots->items[i].outer) continue;
    TRY(expression_variable(p, inner, &variable));
    TRY(items_add(p, &items, slots->items[i].outer, variable));
  }
  if (items.count == 0) return ERR_OK;
  TRY(chain_push(p, right, PLAN_PROJECTION, &op));
  op->projection.items = items_of(&items);
  return ERR_OK;
}

static enum err outer_slots(struct planner *p, const struct ast *clause, const struct plan_columns *columns, struct list_builder *ret) {
  const struct ast_slots *given = &clause->call_query.slots;
  for (uint32_t i = 0; i < given->count; i++) TRY(list_add(p, ret, given->items[i].outer));
  if (given->count > 0) return ERR_OK;
  for (uint32_t i = 0; i < columns->count; i++) TRY(list_add(p, ret, columns->items[i].slot));
  return ERR_OK;
}

static enum err push_transactions(struct planner *p, struct chain *c, const struct ast *clause, struct plan_op *right, bool returns,
                                  const struct list_builder *outer) {
  const struct ast *how = clause->call_query.transactions;
  struct plan_op *op;
  uint32_t report = how->in_transactions.report != NULL ? how->in_transactions.report->variable.slot : PLAN_NONE;
  TRY(chain_push2(p, c, returns ? PLAN_TRANSACTION_APPLY : PLAN_TRANSACTION_FOREACH, right, &op));
  op->transactions = (struct plan_transactions){.rows = how->in_transactions.rows,
                                                .concurrency = how->in_transactions.concurrent ? how->in_transactions.concurrency : NULL,
                                                .on_error = how->in_transactions.on_error,
                                                .report = report,
                                                .nulls = list_of(outer)};
  if (returns) op->rows *= right->rows;
  return chain_bind(p, c, report);
}

static enum err push_subquery(struct planner *p, struct chain *c, struct plan_op *right, bool returns) {
  struct plan_op *op;
  TRY(chain_push2(p, c, returns ? PLAN_APPLY : PLAN_SUBQUERY_FOREACH, right, &op));
  if (returns) op->rows *= right->rows;
  return ERR_OK;
}

static enum err push_optional(struct planner *p, struct chain *right, const struct list_builder *outer) {
  struct plan_op *op;
  TRY(chain_push(p, right, PLAN_OPTIONAL, &op));
  op->optional.slots = list_of(outer);
  return ERR_OK;
}

enum err plan_call_query(struct planner *p, struct chain *c, const struct ast *clause) {
  struct chain right;
  struct plan_columns columns;
  struct list_builder outer = {0};
  if (++p->nesting > PLAN_NESTING_MAX) return planner_unsupported(p, clause, "So deep a nesting of subqueries");
  TRY(chain_right(p, c, &right));
  TRY(plan_query(p, &right, clause->call_query.query, &columns));
  TRY(rename_results(p, &right, &clause->call_query.slots, &columns));
  TRY(outer_slots(p, clause, &columns, &outer));
  p->nesting--;
  if (clause->call_query.optional && columns.count > 0) TRY(push_optional(p, &right, &outer));
  if (clause->call_query.transactions != NULL) {
    TRY(push_transactions(p, c, clause, right.op, columns.count > 0, &outer));
  } else {
    TRY(push_subquery(p, c, right.op, columns.count > 0));
  }
  for (uint32_t i = 0; i < outer.count; i++) TRY(chain_bind(p, c, outer.items[i]));
  return ERR_OK;
}

enum err plan_load_csv(struct planner *p, struct chain *c, const struct ast *clause) {
  struct plan_op *op;
  const struct ast *url;
  if (clause->load_csv.periodic_commit != NULL) return planner_unsupported(p, clause, "PERIODIC COMMIT");
  TRY(plan_expression(p, c, clause->load_csv.url, &url));
  TRY(chain_push(p, c, PLAN_LOAD_CSV, &op));
  op->load_csv = (struct plan_load_csv){clause->load_csv.variable->variable.slot, url, clause->load_csv.terminator, clause->load_csv.with_headers};
  op->rows *= 1000;
  return chain_bind(p, c, op->load_csv.out);
}

static enum err show_column(struct planner *p, struct plan_columns *columns, uint32_t *room, struct str name, uint32_t slot) {
  TRY(array_room(p, &columns->items, columns->count, room, sizeof *columns->items));
  if (slot == PLAN_NONE) TRY(planner_slot(p, name, AST_VALUE_VARIABLE, &slot));
  columns->items[columns->count++] = (struct ast_column){name, slot};
  return ERR_OK;
}

/// The columns that are used by name, else all of the statement's.
enum err plan_show(struct planner *p, struct chain *c, const struct ast *clause) {
  struct plan_columns columns = {0};
  uint32_t room = 0;
  const struct ast *yield = clause->show.yield;
  const struct ast_slots *named = &clause->show.slots;
  struct plan_op *op;
  for (uint32_t i = 0; i < named->count; i++) TRY(show_column(p, &columns, &room, named->items[i].name, named->items[i].inner));
  for (uint32_t i = 0; named->count == 0 && i < p->statement->column_count; i++)
    TRY(show_column(p, &columns, &room, p->statement->columns[i].name, p->statement->columns[i].slot));
  if (named->count == 0) p->yielded = columns;
  TRY(chain_push(p, c, PLAN_SHOW, &op));
  op->show = (struct plan_show){clause, columns.items, columns.count};
  for (uint32_t i = 0; i < columns.count; i++) TRY(chain_bind(p, c, columns.items[i].slot));
  if (yield == NULL) return ERR_OK;
  if (yield->show_yield.order_by.count > 0 || yield->show_yield.skip != NULL || yield->show_yield.limit != NULL)
    return planner_unsupported(p, yield, "ORDER BY, SKIP or LIMIT after YIELD");
  return yield->show_yield.where != NULL ? plan_where(p, c, yield->show_yield.where) : ERR_OK;
}
