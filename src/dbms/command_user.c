// CREATE, ALTER and DROP USER, and ALTER CURRENT USER SET PASSWORD.
#include "dbms/command.h"

/// Fails with Neo4j's words for a user that is not there.
static enum err no_user(const char *verb, struct str name, struct error *e) {
  return error_set(e, ERR_GENERAL_ARGUMENTS, "Failed to %s the specified user '%.*s': User does not exist.", verb, STR_ARG(name));
}

static enum err hash_password(struct dbms_session *s, struct transaction *t, const struct ast *n, struct value parameters, struct arena *a, struct str *ret,
                              struct error *e) {
  struct str password;
  char hash[USERS_HASH_BYTES];
  TRY(command_text(n, parameters, &password, e));
  TRY(users_hash(s->dbms->users, password, hash, e));
  *ret = arena_str(a, str_of(hash));
  return ret->ptr != NULL ? ERR_OK : arena_err(a, e);
}

static int said(uint32_t code, uint32_t yes) {
  return code == 0 ? USER_UNSAID : code == yes ? USER_YES : USER_NO;
}

/// ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'new'.
static enum err change_own_password(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  struct arena *a = &r->rows.arena;
  struct user user;
  struct str old, new;
  TRY(command_text(n->user.old_password, parameters, &old, e));
  TRY(command_text(n->user.password, parameters, &new, e));
  enum err err = users_find(t->graph_tx, s->user, a, &user, e);
  if (err == ERR_NOTFOUND) return no_user("alter", s->user, e);
  TRY(err);
  if (!users_verify(user.credentials, old)) {
    return error_set(e, ERR_GENERAL_ARGUMENTS, "User '%.*s' failed to alter their own password: Invalid principal or credentials.", STR_ARG(s->user));
  }
  if (str_eq(old, new)) {
    return error_set(e, ERR_GENERAL_ARGUMENTS, "User '%.*s' failed to alter their own password: Old password and new password cannot be the same.", STR_ARG(s->user));
  }
  struct user_change change = {.change_required = USER_NO};
  TRY(hash_password(s, t, n->user.password, parameters, a, &change.credentials, e));
  TRY(users_change(t->graph_tx, s->user, &change, e));
  t->changes_password = true; // it is, when this is committed
  return ERR_OK;
}

static enum err create_user(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct str name, struct value parameters,
                            struct error *e) {
  struct arena *a = &r->rows.arena;
  struct user user;
  enum err err = users_find(t->graph_tx, name, a, &user, e);
  if (err == ERR_OK && n->user.if_not_exists) return ERR_OK;
  if (err == ERR_OK && !n->user.or_replace) {
    return error_set(e, ERR_GENERAL_ARGUMENTS, "Failed to create the specified user '%.*s': User already exists.", STR_ARG(name));
  }
  if (err != ERR_NOTFOUND) TRY(err);
  if (n->user.password == NULL) return error_set(e, ERR_SEMANTIC, "A new user needs a password: SET PASSWORD 'secret'.");
  bool replace = err == ERR_OK;
  user = (struct user){
      .name = name,
      .change_required = n->user.change != AST_CHANGE_NOT_REQUIRED,
      .suspended = n->user.status == AST_STATUS_SUSPENDED,
  };
  if (n->user.home_database != NULL) TRY(command_text(n->user.home_database, parameters, &user.home, e));
  if (n->user.encrypted) TRY(command_text(n->user.password, parameters, &user.credentials, e));
  else TRY(hash_password(s, t, n->user.password, parameters, a, &user.credentials, e));
  if (replace) TRY(users_drop(t->graph_tx, name, e));
  return users_create(t->graph_tx, &user, e);
}

static enum err alter_user(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct str name, struct value parameters,
                           struct error *e) {
  struct user_change change = {
      .change_required = said(n->user.change, AST_CHANGE_REQUIRED),
      .suspended = said(n->user.status, AST_STATUS_SUSPENDED),
      .remove_home = n->user.remove_home,
      .set_home = n->user.home_database != NULL,
  };
  if (change.suspended == USER_YES && str_eq(name, s->user)) {
    return error_set(e, ERR_GENERAL_ARGUMENTS, "Failed to alter the specified user '%.*s': Changing your own activation status is not allowed.", STR_ARG(name));
  }
  if (change.set_home) TRY(command_text(n->user.home_database, parameters, &change.home, e));
  if (n->user.password != NULL) TRY(hash_password(s, t, n->user.password, parameters, &r->rows.arena, &change.credentials, e));
  enum err err = users_change(t->graph_tx, name, &change, e);
  if (err != ERR_NOTFOUND) return err;
  return n->user.if_exists ? ERR_OK : no_user("alter", name, e);
}

static enum err drop_user(struct dbms_session *s, struct transaction *t, const struct ast *n, struct str name, struct error *e) {
  if (str_eq(name, s->user)) return error_set(e, ERR_GENERAL_ARGUMENTS, "Failed to delete the specified user '%.*s': Deleting yourself is not allowed.", STR_ARG(name));
  enum err err = users_drop(t->graph_tx, name, e);
  if (err != ERR_NOTFOUND) return err;
  return n->user.if_exists ? ERR_OK : no_user("delete", name, e);
}

enum err command_user(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  if (n->user.set_auth.count + n->user.remove_auth.count > 0 || n->user.remove_all_auth) {
    return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: this server knows native passwords only (SET PASSWORD).");
  }
  enum err err;
  struct str name = s->user;
  if (!n->user.current) TRY(command_text(n->user.name, parameters, &name, e));
  switch ((enum ast_verb) n->user.verb) {
    case AST_VERB_CREATE: err = create_user(s, t, r, n, name, parameters, e); break;
    case AST_VERB_DROP: err = drop_user(s, t, n, name, e); break;
    case AST_VERB_ALTER: err = n->user.current ? change_own_password(s, t, r, n, parameters, e) : alter_user(s, t, r, n, name, parameters, e); break;
    default: return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: users can be created, altered and dropped.");
  }
  if (err == ERR_OK) r->counters.system_updates = 1;
  return err;
}
