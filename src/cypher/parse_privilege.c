// GRANT, DENY and REVOKE: of roles to users, of privileges to roles.
#include "base/compiler.h"
#include "cypher/parser_int.h"

enum { MOST_WORDS = 5 };

struct spelling {
  uint16_t words[MOST_WORDS]; // in the singular; 0 where there are fewer
  uint8_t privilege;          // enum ast_privilege
};

#define P(name) AST_PRIVILEGE_##name
static const struct spelling spellings[] = {
    {{K_TRAVERSE}, P(TRAVERSE)},
    {{K_READ}, P(READ)},
    {{K_MATCH}, P(MATCH)},
    {{K_MERGE}, P(MERGE)},
    {{K_SET, K_PROPERTY}, P(SET_PROPERTY)},
    {{K_CREATE}, P(CREATE)},
    {{K_DELETE}, P(DELETE)},
    {{K_SET, K_LABEL}, P(SET_LABEL)},
    {{K_REMOVE, K_LABEL}, P(REMOVE_LABEL)},
    {{K_WRITE}, P(WRITE)},
    {{K_ALL, K_GRAPH, K_PRIVILEGE}, P(ALL_GRAPH)},
    {{K_ALL, K_DATABASE, K_PRIVILEGE}, P(ALL_DATABASE)},
    {{K_ALL, K_DBMS, K_PRIVILEGE}, P(ALL_DBMS)},
    {{K_ALL, K_PRIVILEGE}, P(ALL_GRAPH)}, // of what, the scope tells
    {{K_ALL}, P(ALL_GRAPH)},
    {{K_ACCESS}, P(ACCESS)},
    {{K_START}, P(START)},
    {{K_STOP}, P(STOP)},
    {{K_CREATE, K_INDEX}, P(CREATE_INDEX)},
    {{K_DROP, K_INDEX}, P(DROP_INDEX)},
    {{K_SHOW, K_INDEX}, P(SHOW_INDEX)},
    {{K_INDEX, K_MANAGEMENT}, P(INDEX_MANAGEMENT)},
    {{K_INDEX}, P(INDEX_MANAGEMENT)},
    {{K_CREATE, K_CONSTRAINT}, P(CREATE_CONSTRAINT)},
    {{K_DROP, K_CONSTRAINT}, P(DROP_CONSTRAINT)},
    {{K_SHOW, K_CONSTRAINT}, P(SHOW_CONSTRAINT)},
    {{K_CONSTRAINT, K_MANAGEMENT}, P(CONSTRAINT_MANAGEMENT)},
    {{K_CONSTRAINT}, P(CONSTRAINT_MANAGEMENT)},
    {{K_CREATE, K_NEW, K_NODE, K_LABEL}, P(CREATE_NODE_LABEL)},
    {{K_CREATE, K_NEW, K_LABEL}, P(CREATE_NODE_LABEL)},
    {{K_CREATE, K_NEW, K_RELATIONSHIP, K_TYPE}, P(CREATE_RELATIONSHIP_TYPE)},
    {{K_CREATE, K_NEW, K_TYPE}, P(CREATE_RELATIONSHIP_TYPE)},
    {{K_CREATE, K_NEW, K_PROPERTY, K_NAME}, P(CREATE_PROPERTY_NAME)},
    {{K_CREATE, K_NEW, K_NAME}, P(CREATE_PROPERTY_NAME)},
    {{K_NAME, K_MANAGEMENT}, P(NAME_MANAGEMENT)},
    {{K_NAME}, P(NAME_MANAGEMENT)},
    {{K_SHOW, K_TRANSACTION}, P(SHOW_TRANSACTION)},
    {{K_TERMINATE, K_TRANSACTION}, P(TERMINATE_TRANSACTION)},
    {{K_TRANSACTION, K_MANAGEMENT}, P(TRANSACTION_MANAGEMENT)},
    {{K_TRANSACTION}, P(TRANSACTION_MANAGEMENT)},
    {{K_CREATE, K_ROLE}, P(CREATE_ROLE)},
    {{K_RENAME, K_ROLE}, P(RENAME_ROLE)},
    {{K_DROP, K_ROLE}, P(DROP_ROLE)},
    {{K_ASSIGN, K_ROLE}, P(ASSIGN_ROLE)},
    {{K_REMOVE, K_ROLE}, P(REMOVE_ROLE)},
    {{K_SHOW, K_ROLE}, P(SHOW_ROLE)},
    {{K_ROLE, K_MANAGEMENT}, P(ROLE_MANAGEMENT)},
    {{K_CREATE, K_USER}, P(CREATE_USER)},
    {{K_RENAME, K_USER}, P(RENAME_USER)},
    {{K_ALTER, K_USER}, P(ALTER_USER)},
    {{K_DROP, K_USER}, P(DROP_USER)},
    {{K_SHOW, K_USER}, P(SHOW_USER)},
    {{K_SET, K_PASSWORD}, P(SET_PASSWORDS)},
    {{K_SET, K_AUTH}, P(SET_AUTH)},
    {{K_SET, K_USER, K_STATUS}, P(SET_USER_STATUS)},
    {{K_SET, K_USER, K_HOME, K_DATABASE}, P(SET_USER_HOME_DATABASE)},
    {{K_USER, K_MANAGEMENT}, P(USER_MANAGEMENT)},
    {{K_IMPERSONATE}, P(IMPERSONATE)},
    {{K_CREATE, K_DATABASE}, P(CREATE_DATABASE)},
    {{K_DROP, K_DATABASE}, P(DROP_DATABASE)},
    {{K_ALTER, K_DATABASE}, P(ALTER_DATABASE)},
    {{K_SET, K_DATABASE, K_ACCESS}, P(SET_DATABASE_ACCESS)},
    {{K_CREATE, K_COMPOSITE, K_DATABASE}, P(CREATE_COMPOSITE_DATABASE)},
    {{K_DROP, K_COMPOSITE, K_DATABASE}, P(DROP_COMPOSITE_DATABASE)},
    {{K_COMPOSITE, K_DATABASE, K_MANAGEMENT}, P(COMPOSITE_DATABASE_MANAGEMENT)},
    {{K_DATABASE, K_MANAGEMENT}, P(DATABASE_MANAGEMENT)},
    {{K_CREATE, K_ALIAS}, P(CREATE_ALIAS)},
    {{K_DROP, K_ALIAS}, P(DROP_ALIAS)},
    {{K_ALTER, K_ALIAS}, P(ALTER_ALIAS)},
    {{K_SHOW, K_ALIAS}, P(SHOW_ALIAS)},
    {{K_ALIAS, K_MANAGEMENT}, P(ALIAS_MANAGEMENT)},
    {{K_SERVER, K_MANAGEMENT}, P(SERVER_MANAGEMENT)},
    {{K_SHOW, K_SERVER}, P(SHOW_SERVERS)},
    {{K_SHOW, K_PRIVILEGE}, P(SHOW_PRIVILEGE)},
    {{K_ASSIGN, K_PRIVILEGE}, P(ASSIGN_PRIVILEGE)},
    {{K_REMOVE, K_PRIVILEGE}, P(REMOVE_PRIVILEGE)},
    {{K_PRIVILEGE, K_MANAGEMENT}, P(PRIVILEGE_MANAGEMENT)},
    {{K_EXECUTE, K_PROCEDURE}, P(EXECUTE_PROCEDURE)},
    {{K_EXECUTE, K_BOOSTED, K_PROCEDURE}, P(EXECUTE_BOOSTED_PROCEDURE)},
    {{K_EXECUTE, K_ADMIN, K_PROCEDURE}, P(EXECUTE_ADMIN_PROCEDURES)},
    {{K_EXECUTE, K_ADMINISTRATOR, K_PROCEDURE}, P(EXECUTE_ADMIN_PROCEDURES)},
    {{K_EXECUTE, K_FUNCTION}, P(EXECUTE_FUNCTION)},
    {{K_EXECUTE, K_USER, K_FUNCTION}, P(EXECUTE_FUNCTION)},
    {{K_EXECUTE, K_USER, K_DEFINED, K_FUNCTION}, P(EXECUTE_FUNCTION)},
    {{K_EXECUTE, K_BOOSTED, K_FUNCTION}, P(EXECUTE_BOOSTED_FUNCTION)},
    {{K_EXECUTE, K_BOOSTED, K_USER, K_FUNCTION}, P(EXECUTE_BOOSTED_FUNCTION)},
    {{K_EXECUTE, K_BOOSTED, K_USER, K_DEFINED, K_FUNCTION}, P(EXECUTE_BOOSTED_FUNCTION)},
    {{K_SHOW, K_SETTING}, P(SHOW_SETTING)},
    {{K_LOAD}, P(LOAD)},
};
#undef P

enum resources { NONE, PROPERTIES, LABELS, USERS, GLOBS };
enum place { G, D, S, L };

static const struct {
  uint8_t resources, place;
} privileges[AST_PRIVILEGE_MAX] = {
#define PRIVILEGE_ROW(name, words, resources, place) {resources, place},
    AST_PRIVILEGES(PRIVILEGE_ROW)
#undef PRIVILEGE_ROW
};

static uint16_t singular(uint16_t word) {
  switch (word) {
  case K_INDEXES: return K_INDEX;
  case K_CONSTRAINTS: return K_CONSTRAINT;
  case K_LABELS: return K_LABEL;
  case K_TYPES: return K_TYPE;
  case K_NAMES: return K_NAME;
  case K_ROLES: return K_ROLE;
  case K_USERS: return K_USER;
  case K_TRANSACTIONS: return K_TRANSACTION;
  case K_PROCEDURES: return K_PROCEDURE;
  case K_FUNCTIONS: return K_FUNCTION;
  case K_DATABASES: return K_DATABASE;
  case K_ALIASES: return K_ALIAS;
  case K_SERVERS: return K_SERVER;
  case K_SETTINGS: return K_SETTING;
  case K_PASSWORDS: return K_PASSWORD;
  case K_PRIVILEGES: return K_PRIVILEGE;
  default: return word;
  }
}

static uint32_t matched_words(const struct parser *p, const struct spelling *s) {
  uint32_t n = 0;
  while (n < MOST_WORDS && s->words[n] != 0) {
    if (singular(peek_at(p, n)) != s->words[n]) return 0;
    n++;
  }
  return n;
}

/// The longest spelling that fits.
static bool take_privilege(struct parser *p, uint32_t *ret) {
  uint32_t most = 0;
  for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
    expect(p, spellings[i].words[0]);
    uint32_t words = matched_words(p, &spellings[i]);
    if (words <= most) continue;
    most = words;
    *ret = spellings[i].privilege;
  }
  p->at += most;
  return most > 0;
}

// What the privilege is about.

/// `*` for all, which is the empty list, or names.
static bool parse_names_or_all(struct parser *p, struct ast_list *ret) {
  return take(p, T_TIMES) || parse_name_nodes(p, ret, true);
}

static bool at_glob_part(const struct parser *p) {
  uint16_t kind = peek(p);
  bool question = kind == T_BAD && p->text.ptr[here(p)] == '?';
  return question || kind == T_TIMES || kind == T_DOT || (token_is_name(kind) && kind != K_ON);
}

/// apoc.*, db.index?.x: kept as written.
static bool parse_glob(struct parser *p, struct ast_list *ret) {
  struct ast *n = parser_new(p, AST_NAME, here(p));
  if (n == NULL || !at_glob_part(p)) return expect(p, T_NAME);
  while (at_glob_part(p)) p->at++;
  n->name.text = (struct str){p->text.ptr + n->offset, behind(p) - n->offset};
  ast_append(ret, n);
  return parser_done(p, n) != NULL;
}

static bool parse_globs(struct parser *p, struct ast_list *ret) {
  do {
    if (!parse_glob(p, ret)) return false;
  } while (take(p, T_COMMA));
  return true;
}

static bool parse_resources(struct parser *p, struct ast *n) {
  struct ast_list *ret = &n->privilege.resources;
  switch (privileges[n->privilege.action].resources) {
  case PROPERTIES: return take(p, T_LBRACE) && parse_names_or_all(p, ret) && take(p, T_RBRACE);
  case LABELS: return parse_names_or_all(p, ret);
  case USERS: return !take(p, T_LPAREN) || (parse_names_or_all(p, ret) && take(p, T_RPAREN));
  case GLOBS: return parse_globs(p, ret);
  default: return true;
  }
}

// ON what.

static bool parse_database_or_graph(struct parser *p, struct ast *n) {
  int which = take(p, K_HOME) ? 1 : take(p, K_DEFAULT) ? 2 : 0;
  bool graph = take_either(p, K_GRAPH, K_GRAPHS);
  if (!graph && !take_either(p, K_DATABASE, K_DATABASES)) return false;
  n->privilege.scope = (graph ? AST_SCOPE_GRAPHS : AST_SCOPE_DATABASES) + (uint32_t) which;
  return which != 0 || parse_names_or_all(p, &n->privilege.graphs);
}

static bool parse_load(struct parser *p, struct ast *n) {
  if (take2(p, K_ALL, K_DATA)) return n->privilege.scope = AST_SCOPE_LOAD_ALL, true;
  n->privilege.scope = AST_SCOPE_LOAD_CIDR;
  struct ast *name = parser_new(p, AST_NAME, here(p));
  if (name == NULL || !take(p, K_CIDR)) return false;
  if (next_is(p, T_STRING)) {
    struct ast *text = parse_string(p);
    if (text == NULL) return false;
    name->name.text = text->literal.string;
  } else if ((name->name.parameter = parse_parameter(p)) == NULL) {
    return false;
  }
  ast_append(&n->privilege.graphs, name);
  return parser_done(p, name) != NULL;
}

static bool parse_scope(struct parser *p, struct ast *n) {
  if (n->privilege.action == AST_PRIVILEGE_LOAD) return parse_load(p, n);
  if (take(p, K_DBMS)) return n->privilege.scope = AST_SCOPE_DBMS, true;
  return parse_database_or_graph(p, n);
}

/// `ALL PRIVILEGES ON DATABASE` is ALL DATABASE PRIVILEGES; anything else must stand where it belongs.
static bool settle_scope(struct parser *p, struct ast *n, bool all, uint32_t offset) {
  uint32_t scope = n->privilege.scope;
  enum place where = scope <= AST_SCOPE_DEFAULT_GRAPH      ? G
                     : scope <= AST_SCOPE_DEFAULT_DATABASE ? D
                     : scope == AST_SCOPE_DBMS             ? S
                                                           : L;
  if (all)
    n->privilege.action = where == D ? AST_PRIVILEGE_ALL_DATABASE : where == S ? AST_PRIVILEGE_ALL_DBMS : AST_PRIVILEGE_ALL_GRAPH;
  if (privileges[n->privilege.action].place == where) return true;
  return parser_fail(p, offset, "Invalid input: the privilege cannot be granted on that") != NULL;
}

// Which elements of the graph.

static uint32_t take_segment(struct parser *p) {
  if (take_either(p, K_ELEMENT, K_ELEMENTS)) return AST_SEGMENT_ELEMENTS;
  if (take_either(p, K_NODE, K_NODES)) return AST_SEGMENT_NODES;
  return take_either(p, K_RELATIONSHIP, K_RELATIONSHIPS) ? AST_SEGMENT_RELATIONSHIPS : AST_SEGMENT_UNSAID;
}

/// FOR (n:L) WHERE n.p = 1: a node whose `where` may also stand behind it.
static bool parse_segment_pattern(struct parser *p, struct ast *n) {
  n->privilege.segment = AST_SEGMENT_PATTERN;
  bool variable_only = take2(p, T_LPAREN, T_LPAREN);
  if (variable_only) p->at--;
  struct ast *node = parse_node(p);
  if (node == NULL) return false;
  if (take(p, K_WHERE) && (node->node.where = parse_expression(p)) == NULL) return false;
  n->privilege.pattern = parser_done(p, node);
  return n->privilege.pattern != NULL && (!variable_only || take(p, T_RPAREN));
}

static bool parse_segment(struct parser *p, struct ast *n) {
  if (n->privilege.scope > AST_SCOPE_DEFAULT_GRAPH) return true;
  if (take(p, K_FOR)) return parse_segment_pattern(p, n);
  n->privilege.segment = take_segment(p);
  if (n->privilege.segment == AST_SEGMENT_UNSAID) return true;
  if (!parse_names_or_all(p, &n->privilege.labels)) return false;
  return !take(p, T_LPAREN) || (take(p, T_TIMES) && take(p, T_RPAREN));
}

static struct ast *parse_privilege(struct parser *p, struct ast *n) {
  n->privilege.immutable = take(p, K_IMMUTABLE);
  uint32_t offset = here(p);
  bool all = peek(p) == K_ALL && (peek_at(p, 1) == K_ON || singular(peek_at(p, 1)) == K_PRIVILEGE);
  if (!take_privilege(p, &n->privilege.action) || !parse_resources(p, n) || !take(p, K_ON)) return NULL;
  if (!parse_scope(p, n) || !settle_scope(p, n, all, offset) || !parse_segment(p, n)) return NULL;
  if (!take(p, n->privilege.verb == AST_VERB_REVOKE ? K_FROM : K_TO)) return NULL;
  return parse_name_nodes(p, &n->privilege.roles, false) ? parser_done(p, n) : NULL;
}

// Roles to users.

static struct ast *parse_role_grant(struct parser *p, struct ast *n) {
  p->at++;
  if (!parse_name_nodes(p, &n->role.roles, false) || !take(p, n->role.verb == AST_VERB_REVOKE ? K_FROM : K_TO)) return NULL;
  return parse_name_nodes(p, &n->role.users, false) ? parser_done(p, n) : NULL;
}

static bool at_role_grant(const struct parser *p) {
  return (peek(p) == K_ROLE && peek_at(p, 1) != K_MANAGEMENT) || peek(p) == K_ROLES;
}

struct ast *parse_privilege_command(struct parser *p, bool *ret_none) {
  uint16_t word = peek(p);
  *ret_none = word != K_GRANT && word != K_DENY && word != K_REVOKE;
  if (*ret_none) return NULL;
  enum ast_verb verb = word == K_GRANT ? AST_VERB_GRANT : word == K_DENY ? AST_VERB_DENY : AST_VERB_REVOKE;
  uint32_t offset = here(p);
  p->at++;
  bool role = verb != AST_VERB_DENY && at_role_grant(p);
  struct ast *n = parser_new(p, role ? AST_ROLE : AST_PRIVILEGE, offset);
  if (n == NULL) return NULL;
  if (role) return n->role.verb = verb, parse_role_grant(p, n);
  n->privilege.verb = verb;
  if (verb == AST_VERB_REVOKE)
    n->privilege.revoked = take(p, K_GRANT) ? AST_REVOKE_GRANT : take(p, K_DENY) ? AST_REVOKE_DENY : AST_REVOKE_BOTH;
  return parse_privilege(p, n);
}
