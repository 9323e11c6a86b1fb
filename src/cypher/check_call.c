// CALL of procedures and of subqueries.
#include "base/compiler.h"
#include "cypher/check_int.h"

// Procedures.

static const struct cypher_procedure *find_procedure(const struct checker *c, struct str name) {
  if (c->signatures == NULL || c->signatures->find_procedure == NULL) return NULL;
  return c->signatures->find_procedure(c->signatures->context, name);
}

static enum err refuse_procedure(struct checker *c, const struct ast *n) {
  cypher_error_of(c->statement, c->e, ERR_PROCEDURE_NOT_FOUND, n->offset,
                  "There is no procedure with the name `%.*s` registered for this database instance. Please ensure you've "
                  "spelled the procedure name "
                  "correctly and that the procedure is properly deployed.",
                  STR_ARG(n->call.name));
  return ERR_PROCEDURE_NOT_FOUND;
}

/// A standalone call without parentheses takes its arguments from the parameters of their names.
static enum err imply_arguments(struct checker *c, struct ast *n, const struct cypher_procedure *f) {
  for (uint32_t i = 0; i < f->argument_count; i++) {
    struct ast *parameter = ast_new(c->arena, AST_PARAMETER, n->offset);
    if (parameter == NULL) return check_no_memory(c);
    parameter->parameter.name = str_of(f->arguments[i].name);
    ast_append(&n->call.arguments, parameter);
  }
  return ERR_OK;
}

static enum err check_call_arguments(struct checker *c, struct ast *n, const struct cypher_procedure *f) {
  uint32_t count = n->call.arguments.count;
  if (count < f->required_count || count > f->argument_count)
    return check_fail(c, n->offset, "Procedure call does not provide the required number of arguments: got %u expected %s%u.",
                      count, f->required_count < f->argument_count ? "at least " : "", f->required_count);
  uint32_t i = 0;
  AST_EACH(argument, n->call.arguments) {
    TRY(check_plain(c, argument));
    TRY(expect_type(c, argument, f->arguments[i++].types));
  }
  return ERR_OK;
}

static const struct cypher_field *find_result(const struct cypher_procedure *f, struct str name) {
  for (uint32_t i = 0; i < f->result_count; i++)
    if (str_eqz(name, f->results[i].name)) return &f->results[i];
  return NULL;
}

static enum err check_yield(struct checker *c, struct ast *yield, const struct cypher_procedure *f) {
  const struct cypher_field *field = find_result(f, yield->yield.field);
  if (field == NULL) return check_fail(c, yield->offset, "Unknown procedure output: `%.*s`", STR_ARG(yield->yield.field));
  TRY(expect_undeclared(c, yield->yield.variable));
  enum ast_variable_kind kind = field->types == CYPHER_NODE           ? AST_NODE_VARIABLE
                                : field->types == CYPHER_RELATIONSHIP ? AST_RELATIONSHIP_VARIABLE
                                : field->types == CYPHER_PATH         ? AST_PATH_VARIABLE
                                                                      : AST_VALUE_VARIABLE;
  TRY(declare(c, yield->yield.variable, kind, field->types, field->elements));
  c->slots[yield->yield.variable->variable.slot].nullable = true;
  return ERR_OK;
}

static enum err yield_all(struct checker *c, struct ast *n, const struct cypher_procedure *f) {
  for (uint32_t i = 0; i < f->result_count; i++) {
    struct ast *yield = ast_new(c->arena, AST_YIELD, n->offset), *variable = ast_new(c->arena, AST_VARIABLE, n->offset);
    if (yield == NULL || variable == NULL) return check_no_memory(c);
    yield->yield.field = variable->variable.name = str_of(f->results[i].name);
    yield->yield.variable = variable;
    ast_append(&n->call.yields, yield);
  }
  n->call.star = false;
  return ERR_OK;
}

static enum err check_call_form(struct checker *c, struct ast *n, const struct cypher_procedure *f, bool standalone) {
  if (!n->call.has_arguments && !standalone)
    return check_fail(c, n->offset,
                      "Procedure call inside a query does not support passing arguments implicitly. Please pass arguments "
                      "explicitly in parentheses "
                      "after procedure name for `%s`",
                      f->name);
  if (n->call.star && !standalone) return check_fail(c, n->offset, "Cannot use `YIELD *` outside standalone call");
  if (!n->call.has_yield && !standalone && f->result_count > 0)
    return check_fail(
        c, n->offset,
        "Procedure call inside a query does not support naming results implicitly (name explicitly using `YIELD` instead)");
  return ERR_OK;
}

enum err check_call(struct checker *c, struct ast *n, bool standalone) {
  const struct cypher_procedure *f = find_procedure(c, n->call.name);
  if (f == NULL) return refuse_procedure(c, n);
  n->call.signature = f;
  TRY(check_call_form(c, n, f, standalone));
  if (!n->call.has_arguments) TRY(imply_arguments(c, n, f));
  TRY(check_call_arguments(c, n, f));
  if (n->call.star || (standalone && !n->call.has_yield)) TRY(yield_all(c, n, f));
  AST_EACH(yield, n->call.yields) TRY(check_yield(c, yield, f));
  if (n->call.where != NULL) TRY(check_plain_predicate(c, n->call.where));
  if (f->mode == CYPHER_PROCEDURE_WRITE || f->mode == CYPHER_PROCEDURE_SCHEMA) {
    if (c->in_expression_query) return check_fail(c, n->offset, "An expression cannot contain any updates");
    c->statement->writes = true;
  }
  return ERR_OK;
}

// Subqueries.

static enum err check_in_transactions(struct checker *c, struct ast *n) {
  if (c->subquery_depth > 0) return check_fail(c, n->offset, "Nested CALL { ... } IN TRANSACTIONS is not supported");
  c->statement->in_transactions = true;
  struct ast *rows = n->in_transactions.rows, *concurrency = n->in_transactions.concurrency;
  if (rows != NULL && rows->kind == AST_LITERAL && (rows->literal.type != AST_INTEGER || rows->literal.integer < 1))
    return check_fail(c, rows->offset, "Invalid input. '%.*s' is not a valid value. Must be a positive integer.",
                      (int) MIN(rows->end - rows->offset, 60u), c->statement->text.ptr + rows->offset);
  TRY(check_skip_limit(c, rows, concurrency));
  if (n->in_transactions.report != NULL && n->in_transactions.on_error == AST_ON_ERROR_FAIL)
    return check_fail(c, n->in_transactions.report->offset,
                      "REPORT STATUS can only be used when specifying ON ERROR CONTINUE or ON ERROR BREAK");
  return ERR_OK;
}

/// What `CALL (x, y) { }` lets in.
static enum err check_scope_clause(struct checker *c, struct ast *n, struct scope **ret) {
  *ret = NULL;
  if (!n->call_query.has_scope) return ERR_OK;
  if (n->call_query.scope_star) return *ret = c->scope, ERR_OK;
  struct scope *imported = scope_new(c, c->scope->parent);
  if (imported == NULL) return check_no_memory(c);
  AST_EACH(variable, n->call_query.scope) {
    TRY(resolve(c, variable));
    if (scope_find_here(imported, variable->variable.name) != AST_NO_SLOT)
      return check_fail(c, variable->offset, "Variable `%.*s` already declared", STR_ARG(variable->variable.name));
    TRY(scope_add(c, imported, variable->variable.name, variable->variable.slot));
  }
  *ret = imported;
  return ERR_OK;
}

/// The columns of the subquery become variables of the query around it.
static enum err take_columns(struct checker *c, struct ast *n) {
  struct ast_slots columns = n->call_query.query->query.columns;
  for (uint32_t i = 0; i < columns.count; i++) {
    struct str name = columns.items[i].name;
    if (scope_find(c->scope, name) != AST_NO_SLOT)
      return check_fail(c, n->offset, "Variable `%.*s` already declared in outer scope", STR_ARG(name));
    TRY(scope_add(c, c->scope, name, columns.items[i].outer));
    if (n->call_query.optional) c->slots[columns.items[i].outer].nullable = true;
  }
  n->call_query.slots = columns;
  return ERR_OK;
}

enum err check_call_query(struct checker *c, struct ast *n) {
  struct ast *transactions = n->call_query.transactions;
  if (transactions != NULL) TRY(check_in_transactions(c, transactions));
  struct scope *parent, *imports = c->imports;
  TRY(check_scope_clause(c, n, &parent));
  c->imports = n->call_query.has_scope ? NULL : c->scope;
  c->subquery_depth++;
  TRY(check_query(c, n->call_query.query, parent, false));
  c->subquery_depth--;
  c->imports = imports;
  TRY(take_columns(c, n));
  if (transactions == NULL || transactions->in_transactions.report == NULL) return ERR_OK;
  TRY(expect_undeclared(c, transactions->in_transactions.report));
  return declare(c, transactions->in_transactions.report, AST_VALUE_VARIABLE, CYPHER_MAP, CYPHER_ANY);
}
