#include "dbms/command.h"

#include "graph/tx.h"

bool command_changes_own_password(const struct plan *p) {
  const struct ast *root = p->statement->root;
  return p->kind == PLAN_COMMAND && root->kind == AST_USER && root->user.verb == AST_VERB_ALTER && root->user.current;
}

bool command_is_slow(const struct plan *p) {
  return p->kind == PLAN_COMMAND && p->statement->root->kind == AST_USER;
}

static enum err text_of(struct value v, struct str name, struct str *ret, struct error *e) {
  if (v.type != VALUE_STRING) {
    return error_set(e, ERR_TYPE, "Expected parameter $%.*s to be of type String but was %s", STR_ARG(name), value_type_name((enum value_type) v.type));
  }
  *ret = v_text(v);
  return ERR_OK;
}

enum err command_text(const struct ast *n, struct value parameters, struct str *ret, struct error *e) {
  if (n->kind == AST_NAME && n->name.parameter == NULL) return *ret = n->name.text, ERR_OK;
  if (n->kind == AST_LITERAL) return *ret = n->literal.string, ERR_OK;
  const struct ast *parameter = n->kind == AST_NAME ? n->name.parameter : n;
  if (parameter->kind != AST_PARAMETER) return error_set(e, ERR_SEMANTIC, "A name, a string or a parameter is expected here.");
  struct str name = parameter->parameter.name;
  const struct value *v = parameters.type == VALUE_MAP ? value_map_get(parameters, name) : NULL;
  if (v == NULL) return error_set(e, ERR_PARAMETER_MISSING, "Expected parameter(s): %.*s", STR_ARG(name));
  return text_of(*v, name, ret, e);
}

static enum err run_schema(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  switch ((enum ast_kind) n->kind) {
    case AST_CREATE_INDEX: return command_create_index(t, r, n, parameters, e);
    case AST_DROP_INDEX: return command_drop_index(t, r, n, parameters, e);
    case AST_CREATE_CONSTRAINT: return command_create_constraint(t, r, n, parameters, e);
    case AST_DROP_CONSTRAINT: return command_drop_constraint(t, r, n, parameters, e);
    default: return error_set(e, ERR_UNSUPPORTED, "The command %s is not available in this server.", ast_kind_name((enum ast_kind) n->kind));
  }
}

static enum err run_admin(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  if (!t->database->is_system) {
    return error_set(e, ERR_NOT_SYSTEM_DATABASE, "This is an administration command and it should be executed against the system database: %s",
                     ast_kind_name((enum ast_kind) n->kind));
  }
  if (n->kind == AST_USER) return command_user(s, t, r, n, parameters, e);
  if (n->kind == AST_DATABASE) return command_database(t, r, n, parameters, e);
  if (n->kind == AST_SERVER) return command_server(t, r, n, parameters, e);
  return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: %s is not available in this server.", ast_kind_name((enum ast_kind) n->kind));
}

enum err command_run(struct dbms_session *s, struct transaction *t, struct result *r, struct value parameters, struct error *e) {
  const struct ast_statement *statement = r->plan->statement;
  TRY(graph_tx_statement(t->graph_tx, e));
  enum err err = statement->kind == AST_STATEMENT_SCHEMA ? run_schema(t, r, statement->root, parameters, e)
                                                         : run_admin(s, t, r, statement->root, parameters, e);
  if (err == ERR_OK) err = graph_tx_seal(t->graph_tx, true, e);
  return err;
}
