// SHOW and TERMINATE: which columns they give, and what stands behind YIELD.
//
// Before the clauses of a query are checked, every SHOW gets its columns written out as YIELD items; ORDER BY, SKIP and LIMIT behind YIELD
// become a WITH of their own, so that nobody above has to know them. The command is then like a CALL with named results.
#include "cypher/check_int.h"
#include "cypher/show_columns.h"

static bool is_in(struct str name, struct str names) {
  while (names.ptr != NULL)
    if (str_eq(str_cut(&names, ' '), name)) return true;
  return false;
}

static struct ast *new_variable(struct checker *c, struct str name, uint32_t offset) {
  struct ast *variable = ast_new(c->arena, AST_VARIABLE, offset);
  if (variable != NULL) variable->variable.name = name;
  return variable;
}

static enum err yield_names(struct checker *c, const struct ast *n, struct ast_list *yields, struct str names) {
  while (names.ptr != NULL) {
    struct ast *yield = ast_new(c->arena, AST_YIELD, n->offset);
    if (yield == NULL) return check_no_memory(c);
    yield->yield.field = str_cut(&names, ' ');
    yield->yield.variable = new_variable(c, yield->yield.field, n->offset);
    if (yield->yield.variable == NULL) return check_no_memory(c);
    ast_append(yields, yield);
  }
  return ERR_OK;
}

static enum err write_out_columns(struct checker *c, struct ast *n) {
  struct cypher_show_columns columns = cypher_show_columns((enum ast_show) n->show.what, n->show.output, c->neo4j_major);
  if (n->show.yield == NULL && (n->show.yield = ast_new(c->arena, AST_SHOW_YIELD, n->offset)) == NULL) return check_no_memory(c);
  struct ast *yield = n->show.yield;
  if (yield->show_yield.yields.count > 0) return ERR_OK;
  TRY(yield_names(c, n, &yield->show_yield.yields, columns.defaults));
  if (yield->show_yield.star || n->show.output & AST_SHOW_VERBOSE) TRY(yield_names(c, n, &yield->show_yield.yields, columns.others));
  yield->show_yield.star = false;
  return ERR_OK;
}

static void insert_behind(struct ast_list *clauses, struct ast *n, struct ast *added) {
  added->next = n->next;
  n->next = added;
  if (clauses->last == n) clauses->last = added;
  clauses->count++;
}

/// RETURN of the columns under their names, in order.
static struct ast *return_of(struct checker *c, const struct ast_list *yields, uint32_t offset) {
  struct ast *n = ast_new(c->arena, AST_RETURN, offset);
  if (n == NULL) return NULL;
  AST_EACH(yield, *yields) {
    struct ast *item = ast_new(c->arena, AST_PROJECTION, offset);
    if (item == NULL) return NULL;
    item->projection.name = item->projection.alias = yield->yield.variable->variable.name;
    item->projection.expression = new_variable(c, item->projection.name, offset);
    if (item->projection.expression == NULL) return NULL;
    ast_append(&n->return_.items, item);
  }
  return n;
}

/// ORDER BY, SKIP, LIMIT and the WHERE behind them move into `WITH *`.
static enum err move_order(struct checker *c, struct ast_list *clauses, struct ast *n) {
  struct ast *yield = n->show.yield;
  if (yield->show_yield.order_by.count == 0 && yield->show_yield.skip == NULL && yield->show_yield.limit == NULL) return ERR_OK;
  struct ast *with = ast_new(c->arena, AST_WITH, yield->offset);
  if (with == NULL) return check_no_memory(c);
  with->with.star = true;
  with->with.order_by = yield->show_yield.order_by;
  with->with.skip = yield->show_yield.skip;
  with->with.limit = yield->show_yield.limit;
  with->with.where = yield->show_yield.where;
  yield->show_yield.order_by = (struct ast_list){0};
  yield->show_yield.skip = yield->show_yield.limit = yield->show_yield.where = NULL;
  insert_behind(clauses, n, with);
  if (with->next != NULL) return ERR_OK;
  struct ast *last = return_of(c, &yield->show_yield.yields, yield->offset);
  if (last == NULL) return check_no_memory(c);
  insert_behind(clauses, with, last);
  return ERR_OK;
}

enum err check_show_forms(struct checker *c, struct ast_list *clauses) {
  AST_EACH(n, *clauses) {
    if (n->kind != AST_SHOW) continue;
    TRY(write_out_columns(c, n));
    TRY(move_order(c, clauses, n));
  }
  return ERR_OK;
}

static enum err check_columns(struct checker *c, const struct ast *n) {
  struct cypher_show_columns columns = cypher_show_columns((enum ast_show) n->show.what, n->show.output, c->neo4j_major);
  AST_EACH(yield, n->show.yield->show_yield.yields) {
    struct str name = yield->yield.field;
    if (!is_in(name, columns.defaults) && !is_in(name, columns.others))
      return check_fail(c, yield->offset, "Trying to YIELD non-existing column: `%.*s`", STR_ARG(name));
    TRY(expect_undeclared(c, yield->yield.variable));
    TRY(declare(c, yield->yield.variable, AST_VALUE_VARIABLE, CYPHER_ANY, CYPHER_ANY));
  }
  return ERR_OK;
}

/// Column and slot of each item.
static enum err name_slots(struct checker *c, struct ast *n) {
  const struct ast_list *yields = &n->show.yield->show_yield.yields;
  struct ast_slot_pair *pairs = ARENA_ARRAY(c->arena, struct ast_slot_pair, yields->count);
  if (pairs == NULL) return check_no_memory(c);
  uint32_t count = 0;
  AST_EACH(yield, *yields) {
    uint32_t slot = yield->yield.variable->variable.slot;
    pairs[count++] = (struct ast_slot_pair){yield->yield.field, slot, slot};
  }
  n->show.slots = (struct ast_slots){pairs, count};
  return ERR_OK;
}

enum err check_show(struct checker *c, struct ast *n) {
  if (c->subquery_depth > 0 || c->in_expression_query) return check_fail(c, n->offset, "SHOW cannot be used in a subquery");
  if (n->show.what == AST_SHOW_TRANSACTIONS || n->show.what == AST_SHOW_TERMINATE_TRANSACTIONS || n->show.what == AST_SHOW_SETTINGS)
    TRY(check_list_of(c, &n->show.names));
  TRY(check_columns(c, n));
  const struct ast *yield = n->show.yield;
  if (yield->show_yield.where != NULL) TRY(check_plain_predicate(c, yield->show_yield.where));
  return name_slots(c, n);
}
