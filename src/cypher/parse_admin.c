// Administration of databases, aliases, servers, users and roles. Privileges are in parse_privilege.c.
#include "base/compiler.h"
#include "cypher/parser_int.h"

/// Text in quotes or a parameter, as a NAME.
static struct ast *parse_quoted_name(struct parser *p) {
  struct ast *n = parser_new(p, AST_NAME, here(p));
  if (n == NULL) return NULL;
  if (next_is(p, T_STRING)) {
    struct ast *text = parse_string(p);
    if (text == NULL) return NULL;
    n->name.text = text->literal.string;
  } else if ((n->name.parameter = parse_parameter(p)) == NULL) {
    return NULL;
  }
  return parser_done(p, n);
}

// Databases.

static bool parse_topology(struct parser *p, struct ast *n) {
  do {
    struct ast *count = parse_integer_or_parameter(p);
    if (count == NULL) return false;
    if (n->database.primaries == NULL && take_either(p, K_PRIMARY, K_PRIMARIES))
      n->database.primaries = count;
    else if (n->database.secondaries == NULL && take_either(p, K_SECONDARY, K_SECONDARIES))
      n->database.secondaries = count;
    else
      return false;
  } while (next_is(p, T_INTEGER) || next_is(p, T_DOLLAR));
  return true;
}

static bool parse_language(struct parser *p, struct ast *n) {
  return take(p, K_LANGUAGE) && take(p, K_CYPHER) && (n->database.language = parse_number(p, false)) != NULL;
}

static bool parse_wait(struct parser *p, struct ast *n) {
  if (take(p, K_NOWAIT)) return n->database.wait = AST_NOWAIT, true;
  if (!take(p, K_WAIT)) return true;
  n->database.wait = AST_WAIT;
  if (!next_is(p, T_INTEGER)) return true;
  if ((n->database.wait_seconds = parse_number(p, false)) == NULL) return false;
  if (!take_either(p, K_SEC, K_SECOND)) take(p, K_SECONDS);
  return true;
}

static struct ast *parse_create_database(struct parser *p, struct ast *n) {
  n->database.composite = take(p, K_COMPOSITE);
  if (!take(p, K_DATABASE) || (n->database.name = parse_name_node(p, true)) == NULL) return NULL;
  n->database.if_not_exists = parse_if_not_exists(p);
  if (take2(p, K_SET, K_DEFAULT) || take(p, K_DEFAULT)) {
    if (!parse_language(p, n)) return NULL;
  }
  if (take2(p, K_SET, K_TOPOLOGY) || take(p, K_TOPOLOGY)) {
    if (!parse_topology(p, n)) return NULL;
  }
  if (take(p, K_OPTIONS) && (n->database.options = parse_map_or_parameter(p)) == NULL) return NULL;
  return parse_wait(p, n) ? parser_done(p, n) : NULL;
}

static bool parse_drop_data(struct parser *p, struct ast *n) {
  n->database.restrict_aliases = take(p, K_RESTRICT);
  n->database.cascade_aliases = !n->database.restrict_aliases && take(p, K_CASCADE);
  if (n->database.cascade_aliases && !take_either(p, K_ALIAS, K_ALIASES)) return false;
  n->database.dump_data = take(p, K_DUMP);
  n->database.destroy_data = !n->database.dump_data && take(p, K_DESTROY);
  return (!n->database.dump_data && !n->database.destroy_data) || take(p, K_DATA);
}

/// DROP, START and STOP DATABASE.
static struct ast *parse_database(struct parser *p, struct ast *n) {
  n->database.composite = take(p, K_COMPOSITE);
  if (!take(p, K_DATABASE) || (n->database.name = parse_name_node(p, true)) == NULL) return NULL;
  n->database.if_exists = n->database.verb == AST_VERB_DROP && parse_if_exists(p);
  if (n->database.verb == AST_VERB_DROP && !parse_drop_data(p, n)) return NULL;
  return parse_wait(p, n) ? parser_done(p, n) : NULL;
}

static bool parse_set_option(struct parser *p, struct ast *n) {
  struct ast *entry = parser_new(p, AST_MAP_ENTRY, here(p));
  if (entry == NULL || !parse_name(p, &entry->map_entry.key)) return false;
  if ((entry->map_entry.value = parse_expression(p)) == NULL || parser_done(p, entry) == NULL) return false;
  ast_append(&n->database.set_options, entry);
  return true;
}

static bool parse_set_access(struct parser *p, struct ast *n) {
  if (!take(p, K_READ)) return false;
  n->database.access = take(p, K_ONLY) ? AST_ACCESS_READ_ONLY : AST_ACCESS_READ_WRITE;
  return n->database.access == AST_ACCESS_READ_ONLY || take(p, K_WRITE);
}

static bool parse_set_database(struct parser *p, struct ast *n) {
  if (take(p, K_ACCESS)) return parse_set_access(p, n);
  if (take(p, K_TOPOLOGY)) return parse_topology(p, n);
  if (take(p, K_DEFAULT)) return parse_language(p, n);
  return take(p, K_OPTION) && parse_set_option(p, n);
}

static bool parse_remove_option(struct parser *p, struct ast *n) {
  struct ast *name = take(p, K_OPTION) ? parse_name_node(p, false) : NULL;
  if (name == NULL) return false;
  ast_append(&n->database.remove_options, name);
  return true;
}

static struct ast *parse_alter_database(struct parser *p, struct ast *n) {
  p->at++;
  if ((n->database.name = parse_name_node(p, true)) == NULL) return NULL;
  n->database.if_exists = parse_if_exists(p);
  do {
    if (take(p, K_REMOVE) ? !parse_remove_option(p, n) : !take(p, K_SET) || !parse_set_database(p, n)) return NULL;
  } while (next_is(p, K_SET) || next_is(p, K_REMOVE));
  return parse_wait(p, n) ? parser_done(p, n) : NULL;
}

// Aliases.

static bool parse_credentials(struct parser *p, struct ast *n) {
  if (take(p, K_USER) && (n->alias.user = parse_name_node(p, false)) == NULL) return false;
  if (take(p, K_PASSWORD) && (n->alias.password = parse_string_or_parameter(p)) == NULL) return false;
  if (take(p, K_DRIVER) && (n->alias.driver = parse_map_or_parameter(p)) == NULL) return false;
  return !take(p, K_PROPERTIES) || (n->alias.properties = parse_map_or_parameter(p)) != NULL;
}

static struct ast *parse_create_alias(struct parser *p, struct ast *n) {
  if ((n->alias.name = parse_name_node(p, true)) == NULL) return NULL;
  n->alias.if_not_exists = parse_if_not_exists(p);
  if (!take2(p, K_FOR, K_DATABASE) || (n->alias.target = parse_name_node(p, true)) == NULL) return NULL;
  if (take(p, K_AT) && (n->alias.url = parse_string_or_parameter(p)) == NULL) return NULL;
  if (n->alias.url != NULL && !next_is(p, K_USER)) return NULL;
  return parse_credentials(p, n) ? parser_done(p, n) : NULL;
}

static struct ast *parse_alter_alias(struct parser *p, struct ast *n) {
  if ((n->alias.name = parse_name_node(p, true)) == NULL) return NULL;
  n->alias.if_exists = parse_if_exists(p);
  if (!take2(p, K_SET, K_DATABASE)) return NULL;
  if (take(p, K_TARGET)) {
    if ((n->alias.target = parse_name_node(p, true)) == NULL) return NULL;
    if (take(p, K_AT) && (n->alias.url = parse_string_or_parameter(p)) == NULL) return NULL;
  }
  return parse_credentials(p, n) ? parser_done(p, n) : NULL;
}

static struct ast *parse_alias(struct parser *p, struct ast *n) {
  p->at++;
  if (n->alias.verb == AST_VERB_CREATE) return parse_create_alias(p, n);
  if (n->alias.verb == AST_VERB_ALTER) return parse_alter_alias(p, n);
  if ((n->alias.name = parse_name_node(p, true)) == NULL) return NULL;
  n->alias.if_exists = parse_if_exists(p);
  return take2(p, K_FOR, K_DATABASE) ? parser_done(p, n) : NULL;
}

// Servers.

static struct ast *parse_allocation(struct parser *p, struct ast *n) {
  n->server.dry_run = take(p, K_DRYRUN);
  n->server.verb = take(p, K_REALLOCATE) ? AST_VERB_REALLOCATE : AST_VERB_DEALLOCATE;
  if (n->server.verb == AST_VERB_DEALLOCATE && !take(p, K_DEALLOCATE)) return NULL;
  if (!take_either(p, K_DATABASE, K_DATABASES)) return NULL;
  if (n->server.verb == AST_VERB_REALLOCATE) return parser_done(p, n);
  if (!take(p, K_FROM) || !take_either(p, K_SERVER, K_SERVERS)) return NULL;
  do {
    struct ast *name = parse_quoted_name(p);
    if (name == NULL) return NULL;
    ast_append(&n->server.names, name);
  } while (take(p, T_COMMA));
  return parser_done(p, n);
}

static struct ast *parse_server(struct parser *p, struct ast *n) {
  p->at++;
  if ((n->server.name = parse_quoted_name(p)) == NULL) return NULL;
  enum ast_verb verb = n->server.verb;
  if (verb == AST_VERB_RENAME && (!take(p, K_TO) || (n->server.to = parse_quoted_name(p)) == NULL)) return NULL;
  if (verb == AST_VERB_ALTER && !next_is(p, K_SET)) return NULL;
  if (verb == AST_VERB_ALTER) p->at++;
  bool options = (verb == AST_VERB_ALTER || verb == AST_VERB_ENABLE) && take(p, K_OPTIONS);
  if (verb == AST_VERB_ALTER && !options) return NULL;
  if (options && (n->server.options = parse_map_or_parameter(p)) == NULL) return NULL;
  return parser_done(p, n);
}

// Users.

static bool parse_change(struct parser *p, uint32_t *change) {
  if (!take(p, K_CHANGE)) return true;
  *change = take(p, K_NOT) ? AST_CHANGE_NOT_REQUIRED : AST_CHANGE_REQUIRED;
  return take(p, K_REQUIRED);
}

/// Behind SET [PLAINTEXT | ENCRYPTED]: PASSWORD 'p' [CHANGE ...] or PASSWORD CHANGE ...
static bool parse_password(struct parser *p, struct ast **password, uint32_t *change) {
  if (!take(p, K_PASSWORD)) return false;
  if (!next_is(p, K_CHANGE) && (*password = parse_string_or_parameter(p)) == NULL) return false;
  return parse_change(p, change);
}

static bool parse_auth_settings(struct parser *p, struct ast *n) {
  while (take(p, K_SET)) {
    if (take(p, K_ID)) {
      if ((n->auth.id = parse_string_or_parameter(p)) == NULL) return false;
      continue;
    }
    n->auth.encrypted = take(p, K_ENCRYPTED);
    if (!n->auth.encrypted) take(p, K_PLAINTEXT);
    if (!parse_password(p, &n->auth.password, &n->auth.change)) return false;
  }
  return true;
}

static bool parse_auth(struct parser *p, struct ast *user) {
  struct ast *n = parser_new(p, AST_AUTH, here(p));
  take(p, K_PROVIDER);
  if (n == NULL || (n->auth.provider = parse_quoted_name(p)) == NULL || !take(p, T_LBRACE)) return false;
  if (!parse_auth_settings(p, n) || !take(p, T_RBRACE) || parser_done(p, n) == NULL) return false;
  ast_append(&user->user.set_auth, n);
  return true;
}

static bool parse_user_setting(struct parser *p, struct ast *n) {
  if (take(p, K_STATUS)) {
    n->user.status = take(p, K_ACTIVE) ? AST_STATUS_ACTIVE : AST_STATUS_SUSPENDED;
    return n->user.status == AST_STATUS_ACTIVE || take(p, K_SUSPENDED);
  }
  if (take(p, K_HOME)) return take(p, K_DATABASE) && (n->user.home_database = parse_name_node(p, true)) != NULL;
  if (take(p, K_AUTH)) return parse_auth(p, n);
  n->user.encrypted |= take(p, K_ENCRYPTED);
  if (!n->user.encrypted) take(p, K_PLAINTEXT);
  return parse_password(p, &n->user.password, &n->user.change);
}

static bool parse_user_removal(struct parser *p, struct ast *n) {
  if (take(p, K_HOME)) return n->user.remove_home = take(p, K_DATABASE);
  if (take(p, K_ALL)) return n->user.remove_all_auth = take(p, K_AUTH);
  if (!take(p, K_AUTH)) return false;
  take(p, K_PROVIDER);
  if (!next_is(p, T_LBRACKET)) {
    struct ast *name = parse_quoted_name(p);
    if (name != NULL) ast_append(&n->user.remove_auth, name);
    return name != NULL;
  }
  p->at++;
  do {
    struct ast *name = parse_quoted_name(p);
    if (name == NULL) return false;
    ast_append(&n->user.remove_auth, name);
  } while (take(p, T_COMMA));
  return take(p, T_RBRACKET);
}

static struct ast *parse_user_settings(struct parser *p, struct ast *n) {
  bool some = false;
  for (;;) {
    if (take(p, K_SET)) {
      if (!parse_user_setting(p, n)) return NULL;
    } else if (n->user.verb == AST_VERB_ALTER && take(p, K_REMOVE)) {
      if (!parse_user_removal(p, n)) return NULL;
    } else {
      return some ? parser_done(p, n) : NULL;
    }
    some = true;
  }
}

static struct ast *parse_current_user(struct parser *p, struct ast *n) {
  n->user.current = true;
  if (!take2(p, K_SET, K_PASSWORD) || !take(p, K_FROM)) return NULL;
  if ((n->user.old_password = parse_string_or_parameter(p)) == NULL || !take(p, K_TO)) return NULL;
  return (n->user.password = parse_string_or_parameter(p)) != NULL ? parser_done(p, n) : NULL;
}

static struct ast *parse_user(struct parser *p, struct ast *n) {
  if (take(p, K_CURRENT)) return p->at++, parse_current_user(p, n);
  p->at++;
  if ((n->user.name = parse_name_node(p, false)) == NULL) return NULL;
  if (n->user.verb == AST_VERB_CREATE)
    n->user.if_not_exists = parse_if_not_exists(p);
  else
    n->user.if_exists = parse_if_exists(p);
  if (n->user.verb == AST_VERB_DROP) return parser_done(p, n);
  if (n->user.verb != AST_VERB_RENAME) return parse_user_settings(p, n);
  return take(p, K_TO) && (n->user.to = parse_name_node(p, false)) != NULL ? parser_done(p, n) : NULL;
}

// Roles.

static struct ast *parse_role(struct parser *p, struct ast *n) {
  n->role.immutable = take(p, K_IMMUTABLE);
  p->at++;
  if ((n->role.name = parse_name_node(p, false)) == NULL) return NULL;
  enum ast_verb verb = n->role.verb;
  if (verb == AST_VERB_CREATE)
    n->role.if_not_exists = parse_if_not_exists(p);
  else
    n->role.if_exists = parse_if_exists(p);
  if (verb == AST_VERB_RENAME && (!take(p, K_TO) || (n->role.to = parse_name_node(p, false)) == NULL)) return NULL;
  if (verb == AST_VERB_CREATE && take(p, K_AS)) {
    if (!take2(p, K_COPY, K_OF) || (n->role.copy_of = parse_name_node(p, false)) == NULL) return NULL;
  }
  return parser_done(p, n);
}

// Which of them.

static enum ast_kind kind_of(uint16_t word, uint16_t next) {
  switch (word) {
  case K_COMPOSITE:
  case K_DATABASE: return AST_DATABASE;
  case K_ALIAS: return AST_ALIAS;
  case K_SERVER: return AST_SERVER;
  case K_USER: return AST_USER;
  case K_CURRENT: return next == K_USER ? AST_USER : AST_KIND_MAX;
  case K_IMMUTABLE: return next == K_ROLE ? AST_ROLE : AST_KIND_MAX;
  case K_ROLE: return AST_ROLE;
  default: return AST_KIND_MAX;
  }
}

static int verb_of(uint16_t word) {
  switch (word) {
  case K_CREATE: return AST_VERB_CREATE;
  case K_DROP: return AST_VERB_DROP;
  case K_ALTER: return AST_VERB_ALTER;
  case K_START: return AST_VERB_START;
  case K_STOP: return AST_VERB_STOP;
  case K_RENAME: return AST_VERB_RENAME;
  case K_ENABLE: return AST_VERB_ENABLE;
  default: return -1;
  }
}

/// Which verbs go with which objects, as bits of verbs.
static bool verb_fits(enum ast_kind kind, int verb) {
  enum {
    C = 1 << AST_VERB_CREATE,
    D = 1 << AST_VERB_DROP,
    A = 1 << AST_VERB_ALTER,
    S = 1 << AST_VERB_START | 1 << AST_VERB_STOP,
    R = 1 << AST_VERB_RENAME,
    E = 1 << AST_VERB_ENABLE
  };
  int verbs = kind == AST_DATABASE ? C | D | A | S
              : kind == AST_ALIAS  ? C | D | A
              : kind == AST_SERVER ? D | A | R | E
              : kind == AST_USER   ? C | D | A | R
                                   : C | D | R;
  return (verbs >> verb & 1) != 0;
}

static struct ast *parse_object(struct parser *p, struct ast *n, enum ast_verb verb, bool or_replace) {
  switch (n->kind) {
  case AST_DATABASE:
    n->database.verb = verb;
    n->database.or_replace = or_replace;
    return verb == AST_VERB_CREATE  ? parse_create_database(p, n)
           : verb == AST_VERB_ALTER ? parse_alter_database(p, n)
                                    : parse_database(p, n);
  case AST_ALIAS: n->alias.verb = verb, n->alias.or_replace = or_replace; return parse_alias(p, n);
  case AST_SERVER: n->server.verb = verb; return parse_server(p, n);
  case AST_USER: n->user.verb = verb, n->user.or_replace = or_replace; return parse_user(p, n);
  default: n->role.verb = verb, n->role.or_replace = or_replace; return parse_role(p, n);
  }
}

struct ast *parse_admin_command(struct parser *p, bool *ret_none) {
  *ret_none = true;
  if (peek(p) == K_DRYRUN || peek(p) == K_REALLOCATE || peek(p) == K_DEALLOCATE) {
    *ret_none = false;
    struct ast *n = parser_new(p, AST_SERVER, here(p));
    return n != NULL ? parse_allocation(p, n) : NULL;
  }
  int verb = verb_of(peek(p));
  if (verb < 0) return NULL;
  bool replace = verb == AST_VERB_CREATE && peek_at(p, 1) == K_OR && peek_at(p, 2) == K_REPLACE;
  uint32_t ahead = replace ? 3 : 1;
  enum ast_kind kind = kind_of(peek_at(p, ahead), peek_at(p, ahead + 1));
  if (kind == AST_KIND_MAX || !verb_fits(kind, verb)) return NULL;
  *ret_none = false;
  struct ast *n = parser_new(p, kind, here(p));
  p->at += ahead;
  return n != NULL ? parse_object(p, n, (enum ast_verb) verb, replace) : NULL;
}
