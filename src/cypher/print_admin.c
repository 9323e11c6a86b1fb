// Canonical text of schema and administration commands.
#include "cypher/print_int.h"

static void put_quoted(struct printer *p, const struct ast *name) {
  if (name->name.parameter != NULL)
    print_node(p, name->name.parameter);
  else
    put_string(p, name->name.text);
}

static void put_quoted_list(struct printer *p, const struct ast_list *names) {
  AST_EACH(name, *names) {
    if (name != names->first) put(p, ", ");
    put_quoted(p, name);
  }
}

// Schema.

static void put_entity(struct printer *p, bool relationship, const struct ast *variable, const struct ast_list *labels) {
  put_node(p, relationship ? "()-[" : "(", variable, "");
  if (labels->count > 0) put(p, ":"), put_list(p, labels, "|");
  put(p, relationship ? "]-()" : ")");
}

static void print_create_index(struct printer *p, const struct ast *n) {
  static const char *const types[] = {"", "RANGE ", "BTREE ", "TEXT ", "POINT ", "LOOKUP ", "FULLTEXT ", "VECTOR "};
  put(p, n->create_index.or_replace ? "CREATE OR REPLACE " : "CREATE ");
  put(p, types[n->create_index.type]), put(p, "INDEX ");
  if (n->create_index.old) {
    put(p, "ON :"), put_list(p, &n->create_index.labels, ""), put(p, "("), put_list(p, &n->create_index.properties, ", "),
        put(p, ")");
    return;
  }
  put_node(p, "", n->create_index.name, " ");
  put_if(p, n->create_index.if_not_exists, "IF NOT EXISTS ");
  put(p, "FOR "), put_entity(p, n->create_index.relationship, n->create_index.variable, &n->create_index.labels);
  uint32_t type = n->create_index.type;
  put(p, type == AST_INDEX_LOOKUP ? " ON EACH " : type == AST_INDEX_FULLTEXT ? " ON EACH [" : " ON (");
  if (type == AST_INDEX_LOOKUP) put_node(p, n->create_index.relationship ? "type(" : "labels(", n->create_index.variable, ")");
  put_list(p, &n->create_index.properties, ", ");
  put(p, type == AST_INDEX_LOOKUP ? "" : type == AST_INDEX_FULLTEXT ? "]" : ")");
  put_node(p, " OPTIONS ", n->create_index.options, "");
}

static void print_drop_index(struct printer *p, const struct ast *n) {
  put_node(p, "DROP INDEX ", n->drop_index.name, n->drop_index.if_exists ? " IF EXISTS" : "");
  if (n->drop_index.name != NULL) return;
  put(p, "DROP INDEX ON :"), put_name(p, n->drop_index.label);
  put(p, "("), put_list(p, &n->drop_index.properties, ", "), put(p, ")");
}

static void put_constraint_body(struct printer *p, const struct ast *n) {
  static const char *const requirements[] = {" IS UNIQUE", " IS KEY", " IS NOT NULL", " IS :: "};
  put(p, n->create_constraint.relationship ? "()-[" : "(");
  put_node(p, "", n->create_constraint.variable, ":"), put_name(p, n->create_constraint.label);
  put(p, n->create_constraint.relationship ? "]-()" : ")");
  put(p, n->create_constraint.old ? " ASSERT (" : " REQUIRE (");
  put_list(p, &n->create_constraint.properties, ", ");
  put(p, ")"), put(p, requirements[n->create_constraint.type]);
  put_node(p, "", n->create_constraint.property_type, "");
}

static void print_create_constraint(struct printer *p, const struct ast *n) {
  put(p, n->create_constraint.or_replace ? "CREATE OR REPLACE CONSTRAINT " : "CREATE CONSTRAINT ");
  put_node(p, "", n->create_constraint.name, " ");
  put_if(p, n->create_constraint.if_not_exists, "IF NOT EXISTS ");
  put(p, "FOR "), put_constraint_body(p, n);
  put_node(p, " OPTIONS ", n->create_constraint.options, "");
}

static void print_drop_constraint(struct printer *p, const struct ast *n) {
  put(p, "DROP CONSTRAINT ");
  put_node(p, "", n->drop_constraint.name, n->drop_constraint.if_exists ? " IF EXISTS" : "");
  if (n->drop_constraint.old != NULL) put(p, "ON "), put_constraint_body(p, n->drop_constraint.old);
}

void print_schema(struct printer *p, const struct ast *n) {
  switch (n->kind) {
  case AST_CREATE_INDEX: print_create_index(p, n); break;
  case AST_DROP_INDEX: print_drop_index(p, n); break;
  case AST_CREATE_CONSTRAINT: print_create_constraint(p, n); break;
  case AST_DROP_CONSTRAINT: print_drop_constraint(p, n); break;
  default:
    if (n->name.parameter != NULL)
      print_node(p, n->name.parameter);
    else
      put_name(p, n->name.text); // as one: a point may belong to it, and where names have parts that reads the same
  }
}

// Databases, aliases, servers, users.

static const char *const verbs[] = {"CREATE ", "DROP ",       "ALTER ",      "START ", "STOP ", "RENAME ",
                                    "ENABLE ", "REALLOCATE ", "DEALLOCATE ", "GRANT ", "DENY ", "REVOKE "};

static void put_verb(struct printer *p, uint32_t verb, bool or_replace) {
  put(p, verbs[verb]);
  put_if(p, or_replace, "OR REPLACE ");
}

static void put_topology(struct printer *p, const struct ast *n, const char *before) {
  if (n->database.primaries == NULL && n->database.secondaries == NULL) return;
  put(p, before);
  put_node(p, " ", n->database.primaries, " PRIMARIES");
  put_node(p, " ", n->database.secondaries, " SECONDARIES");
}

static void put_alterations(struct printer *p, const struct ast *n) {
  put_if(p, n->database.access == AST_ACCESS_READ_ONLY, " SET ACCESS READ ONLY");
  put_if(p, n->database.access == AST_ACCESS_READ_WRITE, " SET ACCESS READ WRITE");
  put_topology(p, n, " SET TOPOLOGY");
  put_node(p, " SET DEFAULT LANGUAGE CYPHER ", n->database.language, "");
  AST_EACH(option, n->database.set_options) {
    put(p, " SET OPTION "), put_name(p, option->map_entry.key);
    put_node(p, " ", option->map_entry.value, "");
  }
  AST_EACH(option, n->database.remove_options) put_node(p, " REMOVE OPTION ", option, "");
}

static void put_creation(struct printer *p, const struct ast *n) {
  put_node(p, " SET DEFAULT LANGUAGE CYPHER ", n->database.language, "");
  put_topology(p, n, " TOPOLOGY");
  put_node(p, " OPTIONS ", n->database.options, "");
}

static void print_database(struct printer *p, const struct ast *n) {
  put_verb(p, n->database.verb, n->database.or_replace);
  put(p, n->database.composite ? "COMPOSITE DATABASE " : "DATABASE ");
  print_node(p, n->database.name);
  put_if(p, n->database.if_not_exists, " IF NOT EXISTS");
  put_if(p, n->database.if_exists, " IF EXISTS");
  if (n->database.verb == AST_VERB_ALTER)
    put_alterations(p, n);
  else
    put_creation(p, n);
  put_if(p, n->database.restrict_aliases, " RESTRICT");
  put_if(p, n->database.cascade_aliases, " CASCADE ALIASES");
  put_if(p, n->database.dump_data, " DUMP DATA");
  put_if(p, n->database.destroy_data, " DESTROY DATA");
  put(p, n->database.wait == AST_WAIT ? " WAIT" : n->database.wait == AST_NOWAIT ? " NOWAIT" : "");
  put_node(p, " ", n->database.wait_seconds, "");
}

static void put_credentials(struct printer *p, const struct ast *n) {
  put_node(p, " USER ", n->alias.user, "");
  put_node(p, " PASSWORD ", n->alias.password, "");
  put_node(p, " DRIVER ", n->alias.driver, "");
  put_node(p, " PROPERTIES ", n->alias.properties, "");
}

static void print_alias(struct printer *p, const struct ast *n) {
  put_verb(p, n->alias.verb, n->alias.or_replace);
  put_node(p, "ALIAS ", n->alias.name, "");
  put_if(p, n->alias.if_not_exists, " IF NOT EXISTS");
  put_if(p, n->alias.if_exists, " IF EXISTS");
  put(p, n->alias.verb == AST_VERB_ALTER ? " SET DATABASE" : " FOR DATABASE");
  put_node(p, n->alias.verb == AST_VERB_ALTER ? " TARGET " : " ", n->alias.target, "");
  put_node(p, " AT ", n->alias.url, "");
  put_credentials(p, n);
}

static void print_server(struct printer *p, const struct ast *n) {
  put_if(p, n->server.dry_run, "DRYRUN ");
  put(p, verbs[n->server.verb]);
  if (n->server.verb == AST_VERB_REALLOCATE || n->server.verb == AST_VERB_DEALLOCATE) {
    put(p, n->server.verb == AST_VERB_REALLOCATE ? "DATABASES" : "DATABASES FROM SERVERS ");
    put_quoted_list(p, &n->server.names);
    return;
  }
  put(p, "SERVER "), put_quoted(p, n->server.name);
  if (n->server.to != NULL) put(p, " TO "), put_quoted(p, n->server.to);
  put_node(p, n->server.verb == AST_VERB_ALTER ? " SET OPTIONS " : " OPTIONS ", n->server.options, "");
}

static void put_password(struct printer *p, const struct ast *password, bool encrypted, uint32_t change) {
  put_node(p, encrypted ? " SET ENCRYPTED PASSWORD " : " SET PASSWORD ", password, "");
  put_if(p, change != AST_CHANGE_UNSAID, password == NULL ? " SET PASSWORD" : "");
  put_if(p, change == AST_CHANGE_REQUIRED, " CHANGE REQUIRED");
  put_if(p, change == AST_CHANGE_NOT_REQUIRED, " CHANGE NOT REQUIRED");
}

static void put_auth(struct printer *p, const struct ast *n) {
  put(p, " SET AUTH "), put_quoted(p, n->auth.provider), put(p, " {");
  put_node(p, " SET ID ", n->auth.id, "");
  put_password(p, n->auth.password, n->auth.encrypted, n->auth.change);
  put(p, " }");
}

static void put_user_settings(struct printer *p, const struct ast *n) {
  put_if(p, n->user.remove_home, " REMOVE HOME DATABASE");
  put_if(p, n->user.remove_all_auth, " REMOVE ALL AUTH");
  AST_EACH(auth, n->user.remove_auth) put(p, " REMOVE AUTH "), put_quoted(p, auth);
  put_password(p, n->user.password, n->user.encrypted, n->user.change);
  put_if(p, n->user.status == AST_STATUS_ACTIVE, " SET STATUS ACTIVE");
  put_if(p, n->user.status == AST_STATUS_SUSPENDED, " SET STATUS SUSPENDED");
  put_node(p, " SET HOME DATABASE ", n->user.home_database, "");
  AST_EACH(auth, n->user.set_auth) put_auth(p, auth);
}

static void print_user(struct printer *p, const struct ast *n) {
  put_verb(p, n->user.verb, n->user.or_replace);
  if (n->user.current) {
    put_node(p, "CURRENT USER SET PASSWORD FROM ", n->user.old_password, " TO ");
    print_node(p, n->user.password);
    return;
  }
  put_node(p, "USER ", n->user.name, "");
  put_if(p, n->user.if_not_exists, " IF NOT EXISTS");
  put_if(p, n->user.if_exists, " IF EXISTS");
  put_node(p, " TO ", n->user.to, "");
  put_user_settings(p, n);
}

void print_admin(struct printer *p, const struct ast *n) {
  switch (n->kind) {
  case AST_DATABASE: print_database(p, n); break;
  case AST_ALIAS: print_alias(p, n); break;
  case AST_SERVER: print_server(p, n); break;
  case AST_AUTH: put_auth(p, n); break;
  default: print_user(p, n);
  }
}

// Roles and privileges.

static const char *const privilege_words[] = {
#define AST_PRIVILEGE_WORDS(name, words, resources, scope) words,
    AST_PRIVILEGES(AST_PRIVILEGE_WORDS)
#undef AST_PRIVILEGE_WORDS
};

static void print_role(struct printer *p, const struct ast *n) {
  bool grants = n->role.verb == AST_VERB_GRANT || n->role.verb == AST_VERB_REVOKE;
  put_verb(p, n->role.verb, n->role.or_replace);
  put_if(p, n->role.immutable, "IMMUTABLE ");
  put(p, grants ? "ROLES " : "ROLE ");
  put_list(p, &n->role.roles, ", ");
  put_node(p, "", n->role.name, "");
  put_if(p, n->role.if_not_exists, " IF NOT EXISTS");
  put_if(p, n->role.if_exists, " IF EXISTS");
  put_node(p, " TO ", n->role.to, "");
  put_node(p, " AS COPY OF ", n->role.copy_of, "");
  if (grants) put(p, n->role.verb == AST_VERB_GRANT ? " TO " : " FROM "), put_list(p, &n->role.users, ", ");
}

static void put_raw_names(struct printer *p, const struct ast_list *names) {
  AST_EACH(name, *names) {
    if (name != names->first) put(p, ", ");
    put_str(p, name->name.text);
  }
}

static void put_resources(struct printer *p, const struct ast *n) {
  enum { NONE, PROPERTIES, LABELS, USERS, GLOBS };
  static const uint8_t kinds[] = {
#define AST_PRIVILEGE_RESOURCES(name, words, resources, scope) resources,
      AST_PRIVILEGES(AST_PRIVILEGE_RESOURCES)
#undef AST_PRIVILEGE_RESOURCES
  };
  uint8_t kind = kinds[n->privilege.action];
  if (kind == NONE) return;
  put(p, kind == PROPERTIES ? " {" : kind == USERS ? " (" : " ");
  if (kind == GLOBS)
    put_raw_names(p, &n->privilege.resources);
  else
    put_list(p, &n->privilege.resources, ", ");
  put_if(p, n->privilege.resources.count == 0, "*");
  put(p, kind == PROPERTIES ? "}" : kind == USERS ? ")" : "");
}

static void put_names_or_all(struct printer *p, const char *before, const struct ast_list *names) {
  put(p, before);
  put_list(p, names, ", ");
  put_if(p, names->count == 0, "*");
}

static void put_scope(struct printer *p, const struct ast *n) {
  static const char *const scopes[] = {"GRAPHS ",          "HOME GRAPH", "DEFAULT GRAPH", "DATABASES ", "HOME DATABASE",
                                       "DEFAULT DATABASE", "DBMS",       "ALL DATA",      "CIDR "};
  uint32_t scope = n->privilege.scope;
  put(p, " ON "), put(p, scopes[scope]);
  if (scope == AST_SCOPE_GRAPHS || scope == AST_SCOPE_DATABASES) put_names_or_all(p, "", &n->privilege.graphs);
  if (scope == AST_SCOPE_LOAD_CIDR) put_quoted(p, n->privilege.graphs.first);
}

static void put_segment(struct printer *p, const struct ast *n) {
  static const char *const segments[] = {"", " ELEMENTS ", " NODES ", " RELATIONSHIPS ", " FOR "};
  uint32_t segment = n->privilege.segment;
  if (segment == AST_SEGMENT_UNSAID) return;
  if (segment == AST_SEGMENT_PATTERN)
    put_node(p, segments[segment], n->privilege.pattern, "");
  else
    put_names_or_all(p, segments[segment], &n->privilege.labels);
}

void print_privilege(struct printer *p, const struct ast *n) {
  if (n->kind == AST_ROLE) {
    print_role(p, n);
    return;
  }
  put(p, verbs[n->privilege.verb]);
  put_if(p, n->privilege.revoked == AST_REVOKE_GRANT, "GRANT ");
  put_if(p, n->privilege.revoked == AST_REVOKE_DENY, "DENY ");
  put_if(p, n->privilege.immutable, "IMMUTABLE ");
  put(p, privilege_words[n->privilege.action]);
  put_resources(p, n);
  put_scope(p, n);
  put_segment(p, n);
  put(p, n->privilege.verb == AST_VERB_REVOKE ? " FROM " : " TO ");
  put_list(p, &n->privilege.roles, ", ");
}
