// cypher_check: the whole statement.
#include "cypher/check.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "cypher/check_int.h"

enum err check_fail(struct checker *c, uint32_t offset, const char *fmt, ...) {
  char message[800];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  return cypher_error_of(c->statement, c->e, ERR_SYNTAX, offset, "%s", message);
}

enum err check_no_memory(struct checker *c) {
  return arena_err(c->arena, c->e);
}

// Schema commands: the properties must be of the entity that the command is about.

static enum err check_owner(struct checker *c, const struct ast *variable, const struct ast_list *properties) {
  AST_EACH(property, *properties) {
    const struct ast *subject = property->property.subject;
    if (subject == NULL || variable == NULL || str_eq(subject->variable.name, variable->variable.name)) continue;
    return check_fail(c, subject->offset, "Variable `%.*s` not defined", STR_ARG(subject->variable.name));
  }
  return ERR_OK;
}

static enum err check_constraint(struct checker *c, const struct ast *n) {
  TRY(check_owner(c, n->create_constraint.variable, &n->create_constraint.properties));
  bool one = n->create_constraint.type == AST_CONSTRAINT_NOT_NULL || n->create_constraint.type == AST_CONSTRAINT_TYPE;
  if (one && n->create_constraint.properties.count > 1)
    return check_fail(c, n->offset, "Constraint type '%s' does not allow multiple properties",
                      n->create_constraint.type == AST_CONSTRAINT_TYPE ? "IS TYPED" : "IS NOT NULL");
  return ERR_OK;
}

static enum err check_index(struct checker *c, const struct ast *n) {
  TRY(check_owner(c, n->create_index.variable, &n->create_index.properties));
  uint32_t type = n->create_index.type;
  if (type == AST_INDEX_LOOKUP) return ERR_OK;
  if (n->create_index.labels.count == 0)
    return check_fail(c, n->offset, "Invalid input: expected a label or a relationship type");
  if (type != AST_INDEX_FULLTEXT && n->create_index.labels.count > 1)
    return check_fail(c, n->offset, "Invalid input: only a fulltext index can have several labels or relationship types");
  bool one = type == AST_INDEX_TEXT || type == AST_INDEX_POINT || type == AST_INDEX_VECTOR;
  if (one && n->create_index.properties.count > 1)
    return check_fail(c, n->offset, "Only single property %s indexes are supported",
                      type == AST_INDEX_TEXT    ? "text"
                      : type == AST_INDEX_POINT ? "point"
                                                : "vector");
  return ERR_OK;
}

static enum err check_command(struct checker *c, struct ast *root) {
  c->statement->writes = true;
  if (c->statement->use != NULL) TRY(check_list_of(c, &c->statement->use->use.arguments));
  switch (root->kind) {
  case AST_CREATE_INDEX: return check_index(c, root);
  case AST_CREATE_CONSTRAINT: return check_constraint(c, root);
  case AST_DROP_CONSTRAINT: return root->drop_constraint.old != NULL ? check_constraint(c, root->drop_constraint.old) : ERR_OK;
  default: return ERR_OK;
  }
}

// Parameters, each once.

struct parameters {
  struct checker *c;
  struct scope *names;
  enum err err;
};

static bool note_parameter(struct ast *n, void *context) {
  struct parameters *p = context;
  if (n->kind == AST_PARAMETER && p->err == ERR_OK && scope_find_here(p->names, n->parameter.name) == AST_NO_SLOT)
    p->err = scope_add(p->c, p->names, n->parameter.name, 0);
  return p->err == ERR_OK;
}

static enum err list_parameters(struct checker *c) {
  struct ast_statement *s = c->statement;
  struct parameters p = {c, scope_new(c, NULL), ERR_OK};
  if (p.names == NULL) return check_no_memory(c);
  ast_visit(s->root, note_parameter, &p);
  if (s->use != NULL && p.err == ERR_OK) ast_visit(s->use, note_parameter, &p);
  TRY(p.err);
  struct str *names = ARENA_ARRAY(c->arena, struct str, p.names->count);
  if (names == NULL) return check_no_memory(c);
  for (uint32_t i = 0; i < p.names->count; i++) names[i] = p.names->entries[i].name;
  s->parameters = names;
  s->parameter_count = p.names->count;
  return ERR_OK;
}

// Results.

/// What Neo4j tells of each server where the client waits for the servers to have done it.
static const struct ast_column wait_columns[] = {
    {{"address", 7}, AST_NO_SLOT}, {{"state", 5}, AST_NO_SLOT}, {{"message", 7}, AST_NO_SLOT}, {{"success", 7}, AST_NO_SLOT}};

static enum err list_columns(struct checker *c) {
  struct ast_statement *s = c->statement;
  if (s->root->kind == AST_DATABASE && s->root->database.wait == AST_WAIT) {
    s->columns = wait_columns;
    s->column_count = ARRAY_SIZE(wait_columns);
  }
  if (s->root->kind != AST_QUERY) return ERR_OK;
  struct ast_slots from = s->root->query.columns;
  struct ast_column *columns = ARENA_ARRAY(c->arena, struct ast_column, from.count);
  if (columns == NULL) return check_no_memory(c);
  for (uint32_t i = 0; i < from.count; i++) columns[i] = (struct ast_column){from.items[i].name, from.items[i].outer};
  s->columns = columns;
  s->column_count = from.count;
  return ERR_OK;
}

static enum ast_query_type query_type(const struct ast_statement *s) {
  if (s->kind == AST_STATEMENT_SCHEMA || s->kind == AST_STATEMENT_ADMIN) return AST_SCHEMA;
  if (!s->writes) return AST_READ;
  return s->column_count > 0 ? AST_READ_WRITE : AST_WRITE;
}

enum err cypher_check(struct ast_statement *s, const struct cypher_check_options *options, struct error *e) {
  struct checker c = {.arena = s->arena, .statement = s, .e = e};
  if (options != NULL) c.signatures = options->signatures;
  if (options != NULL) c.neo4j_major = options->neo4j_major;
  TRY(s->root->kind == AST_QUERY ? check_query(&c, s->root, NULL, false) : check_command(&c, s->root));
  TRY(list_columns(&c));
  TRY(list_parameters(&c));
  s->slots = c.slots;
  s->slot_count = c.slot_count;
  s->query_type = query_type(s);
  s->signatures_version = c.signatures != NULL ? c.signatures->version : 0;
  s->checked = true;
  return ERR_OK;
}
