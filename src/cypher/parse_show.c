// SHOW and TERMINATE with YIELD and WHERE. `names` holds NAMEs of databases, users and roles, and expressions (strings, lists,
// parameters) for transactions and settings.
#include "base/compiler.h"
#include "cypher/parser_int.h"

static bool parse_show_yield_items(struct parser *p, struct ast *n) {
  if (take(p, T_TIMES)) return n->show_yield.star = true;
  do {
    struct ast *item = parser_new(p, AST_YIELD, here(p));
    struct ast *field = item != NULL ? parse_variable(p) : NULL;
    if (field == NULL) return false;
    item->yield.field = field->variable.name;
    item->yield.variable = field;
    if (take(p, K_AS) && (item->yield.variable = parse_variable(p)) == NULL) return false;
    if (parser_done(p, item) == NULL) return false;
    ast_append(&n->show_yield.yields, item);
  } while (take(p, T_COMMA));
  return true;
}

/// YIELD items [ORDER BY] [SKIP] [LIMIT] [WHERE], or WHERE alone.
static struct ast *parse_show_yield(struct parser *p) {
  struct ast *n = parser_new(p, AST_SHOW_YIELD, here(p));
  if (n == NULL) return NULL;
  if (take(p, K_YIELD)) {
    if (!parse_show_yield_items(p, n)) return NULL;
    if (!parse_order_skip_limit(p, &n->show_yield.order_by, &n->show_yield.skip, &n->show_yield.limit)) return NULL;
  }
  if (take(p, K_WHERE) && (n->show_yield.where = parse_expression(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static bool at_show_end(struct parser *p) {
  uint16_t kind = peek(p);
  return kind == T_END || kind == T_SEMICOLON || kind == K_YIELD || kind == K_WHERE || kind == K_SHOW || kind == K_TERMINATE ||
         kind == K_RETURN || kind == K_UNION || kind == T_RBRACE;
}

static bool parse_show_expressions(struct parser *p, struct ast *n) {
  if (at_show_end(p)) return true;
  do {
    struct ast *id = parse_expression(p);
    if (id == NULL) return false;
    ast_append(&n->show.names, id);
  } while (take(p, T_COMMA));
  return true;
}

static bool take_output(struct parser *p, struct ast *n) {
  if (take(p, K_BRIEF))
    n->show.output = AST_SHOW_BRIEF;
  else if (take(p, K_VERBOSE))
    n->show.output = AST_SHOW_VERBOSE;
  else
    return true;
  take(p, K_OUTPUT);
  return true;
}

static bool parse_executable(struct parser *p, struct ast *n) {
  n->show.executable = take(p, K_EXECUTABLE);
  if (!n->show.executable || !take(p, K_BY)) return true;
  if (take2(p, K_CURRENT, K_USER)) return true;
  return (n->show.user = parse_name_node(p, false)) != NULL;
}

static bool parse_as_commands(struct parser *p, struct ast *n) {
  if (!take(p, K_AS)) return true;
  n->show.output = take(p, K_REVOKE) ? AST_SHOW_AS_REVOKE_COMMANDS : AST_SHOW_AS_COMMANDS;
  return take_either(p, K_COMMAND, K_COMMANDS);
}

static bool parse_privileges_tail(struct parser *p, struct ast *n, enum ast_show what) {
  if (!take_either(p, K_PRIVILEGE, K_PRIVILEGES)) return false;
  n->show.what = what;
  return parse_as_commands(p, n);
}

static bool parse_show_roles(struct parser *p, struct ast *n) {
  n->show.what = AST_SHOW_ROLES;
  if (next_is(p, K_PRIVILEGE) || next_is(p, K_PRIVILEGES)) return parse_privileges_tail(p, n, AST_SHOW_ROLE_PRIVILEGES);
  if (take(p, K_WITH)) return n->show.output = AST_SHOW_WITH_USERS, take_either(p, K_USER, K_USERS);
  if (at_show_end(p)) return true;
  return parse_name_nodes(p, &n->show.names, false) && parse_privileges_tail(p, n, AST_SHOW_ROLE_PRIVILEGES);
}

static bool parse_show_users(struct parser *p, struct ast *n) {
  n->show.what = AST_SHOW_USERS;
  if (next_is(p, K_PRIVILEGE) || next_is(p, K_PRIVILEGES)) return parse_privileges_tail(p, n, AST_SHOW_USER_PRIVILEGES);
  if (take(p, K_WITH)) return n->show.output = AST_SHOW_WITH_AUTH, take(p, K_AUTH);
  if (at_show_end(p)) return true;
  return parse_name_nodes(p, &n->show.names, false) && parse_privileges_tail(p, n, AST_SHOW_USER_PRIVILEGES);
}

static bool parse_show_databases(struct parser *p, struct ast *n) {
  n->show.what = AST_SHOW_DATABASES;
  if (at_show_end(p)) return true;
  struct ast *name = parse_name_node(p, true);
  if (name == NULL) return false;
  ast_append(&n->show.names, name);
  return true;
}

static bool parse_show_aliases(struct parser *p, struct ast *n) {
  n->show.what = AST_SHOW_ALIASES;
  if (!next_is(p, K_FOR)) {
    struct ast *name = parse_name_node(p, true);
    if (name == NULL) return false;
    ast_append(&n->show.names, name);
  }
  return take(p, K_FOR) && take_either(p, K_DATABASE, K_DATABASES);
}

/// What stands between SHOW and CONSTRAINTS.
static uint32_t take_constraint_filter(struct parser *p) {
  int entity = take(p, K_NODE) ? 1 : take(p, K_RELATIONSHIP) || take(p, K_REL) ? 2 : 0;
  if (take_either(p, K_UNIQUE, K_UNIQUENESS)) return AST_FILTER_UNIQUE + (uint32_t) entity;
  if (take(p, K_KEY)) return AST_FILTER_KEY + (uint32_t) entity;
  bool property = take(p, K_PROPERTY);
  if (take_either(p, K_EXIST, K_EXISTENCE) || take(p, K_EXISTS)) return AST_FILTER_EXIST + (uint32_t) entity;
  if (property && take(p, K_TYPE)) return AST_FILTER_TYPE + (uint32_t) entity;
  return AST_FILTER_ALL;
}

static uint32_t take_filter(struct parser *p) {
  static const struct {
    uint16_t first, second;
    uint8_t filter;
  } all[] = {{K_ALL, 0, AST_FILTER_ALL},
             {K_BTREE, 0, AST_FILTER_BTREE},
             {K_RANGE, 0, AST_FILTER_RANGE},
             {K_FULLTEXT, 0, AST_FILTER_FULLTEXT},
             {K_TEXT, 0, AST_FILTER_TEXT},
             {K_POINT, 0, AST_FILTER_POINT},
             {K_LOOKUP, 0, AST_FILTER_LOOKUP},
             {K_VECTOR, 0, AST_FILTER_VECTOR},
             {K_BUILT, K_IN, AST_FILTER_BUILT_IN},
             {K_USER, K_DEFINED, AST_FILTER_USER_DEFINED},
             {K_POPULATED, 0, AST_FILTER_POPULATED}};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++)
    if (all[i].second == 0 ? take(p, all[i].first) : take2(p, all[i].first, all[i].second)) return all[i].filter;
  return take_constraint_filter(p);
}

static bool show_is(struct ast *n, enum ast_show what) {
  n->show.what = what;
  return true;
}

/// What each filter may stand in front of; anything else is a mistake of the text.
static bool filter_fits(const struct ast *n) {
  uint32_t filter = n->show.filter;
  if (filter == AST_FILTER_ALL) return true;
  if (filter <= AST_FILTER_VECTOR) return n->show.what == AST_SHOW_INDEXES;
  if (filter <= AST_FILTER_RELATIONSHIP_KEY) return n->show.what == AST_SHOW_CONSTRAINTS;
  return filter == AST_FILTER_POPULATED ? n->show.what == AST_SHOW_ROLES : n->show.what == AST_SHOW_FUNCTIONS;
}

static bool parse_show_what(struct parser *p, struct ast *n) {
  if (take2(p, K_DEFAULT, K_DATABASE)) return show_is(n, AST_SHOW_DEFAULT_DATABASE);
  if (take2(p, K_HOME, K_DATABASE)) return show_is(n, AST_SHOW_HOME_DATABASE);
  if (take2(p, K_CURRENT, K_USER)) return show_is(n, AST_SHOW_CURRENT_USER);
  if (take(p, K_SUPPORTED)) return show_is(n, AST_SHOW_SUPPORTED_PRIVILEGES) && take_either(p, K_PRIVILEGE, K_PRIVILEGES);
  if (take_either(p, K_DATABASE, K_DATABASES)) return parse_show_databases(p, n);
  if (take_either(p, K_ALIAS, K_ALIASES)) return parse_show_aliases(p, n);
  if (take_either(p, K_SERVER, K_SERVERS)) return show_is(n, AST_SHOW_SERVERS);
  if (take_either(p, K_INDEX, K_INDEXES)) return show_is(n, AST_SHOW_INDEXES) && take_output(p, n);
  if (take_either(p, K_CONSTRAINT, K_CONSTRAINTS)) return show_is(n, AST_SHOW_CONSTRAINTS) && take_output(p, n);
  if (take_either(p, K_FUNCTION, K_FUNCTIONS)) return show_is(n, AST_SHOW_FUNCTIONS) && parse_executable(p, n);
  if (take_either(p, K_PROCEDURE, K_PROCEDURES)) return show_is(n, AST_SHOW_PROCEDURES) && parse_executable(p, n);
  if (take_either(p, K_SETTING, K_SETTINGS)) return show_is(n, AST_SHOW_SETTINGS) && parse_show_expressions(p, n);
  if (take_either(p, K_TRANSACTION, K_TRANSACTIONS)) return show_is(n, AST_SHOW_TRANSACTIONS) && parse_show_expressions(p, n);
  if (take_either(p, K_ROLE, K_ROLES)) return parse_show_roles(p, n);
  if (take_either(p, K_USER, K_USERS)) return parse_show_users(p, n);
  return parse_privileges_tail(p, n, AST_SHOW_PRIVILEGES);
}

static struct ast *parse_terminate(struct parser *p, struct ast *n) {
  n->show.what = AST_SHOW_TERMINATE_TRANSACTIONS;
  if (!take_either(p, K_TRANSACTION, K_TRANSACTIONS)) return NULL;
  return at_show_end(p) ? (expect(p, T_STRING), NULL) : parse_show_expressions(p, n) ? n : NULL;
}

struct ast *parse_show_clause(struct parser *p) {
  struct ast *n = parser_new(p, AST_SHOW, here(p));
  if (n == NULL) return NULL;
  if (take(p, K_TERMINATE)) {
    if (parse_terminate(p, n) == NULL) return NULL;
  } else {
    p->at++;
    bool user_list = peek(p) == K_USER && peek_at(p, 1) != K_DEFINED;
    bool no_filter = user_list || peek(p) == K_DEFAULT || peek(p) == K_HOME || peek(p) == K_CURRENT;
    n->show.filter = no_filter ? AST_FILTER_ALL : take_filter(p);
    uint32_t what_offset = here(p);
    if (!parse_show_what(p, n)) return NULL;
    if (!filter_fits(n)) return parser_fail(p, what_offset, "Invalid input: this cannot be shown with that filter");
  }
  bool yields = next_is(p, K_YIELD) || next_is(p, K_WHERE);
  if (yields && (n->show.yield = parse_show_yield(p)) == NULL) return NULL;
  return parser_done(p, n);
}
