// Enumerations of the AST: operators, forms of patterns, kinds of schema and administration commands. Where the printed
// word is all there is to a value, the table holds it. Included by cypher/ast.h.
#pragma once

#include <stdint.h>

// clang-format off

enum ast_literal { AST_NULL, AST_BOOLEAN, AST_INTEGER, AST_FLOAT, AST_STRING };

/* name, printed text, binding power (cypher/parse_expr.c); higher binds tighter */
#define AST_OPS(X) \
  X(OR,          "OR",          1) \
  X(XOR,         "XOR",         2) \
  X(AND,         "AND",         3) \
  X(NOT,         "NOT",         4) \
  X(EQ,          "=",           5) \
  X(NE,          "<>",          5) \
  X(LT,          "<",           5) \
  X(LE,          "<=",          5) \
  X(GT,          ">",           5) \
  X(GE,          ">=",          5) \
  X(MATCHES,     "=~",          6) \
  X(STARTS_WITH, "STARTS WITH", 6) \
  X(ENDS_WITH,   "ENDS WITH",   6) \
  X(CONTAINS,    "CONTAINS",    6) \
  X(IN,          "IN",          6) \
  X(ADD,         "+",           7) \
  X(SUBTRACT,    "-",           7) \
  X(CONCAT,      "||",          7) \
  X(MULTIPLY,    "*",           8) \
  X(DIVIDE,      "/",           8) \
  X(MODULO,      "%",           8) \
  X(POWER,       "^",           9) \
  X(PLUS,        "+",           10) \
  X(NEGATE,      "-",           10)

enum ast_op {
#define AST_OP_ENUM(name, text, power) AST_##name##_OP,
  AST_OPS(AST_OP_ENUM)
#undef AST_OP_ENUM
  AST_OP_MAX,
};

enum ast_quantifier { AST_ALL, AST_ANY, AST_NONE, AST_SINGLE };
enum ast_subquery { AST_EXISTS, AST_COUNT, AST_COLLECT };

// BOTH_ARROWS: <-->, the same as BOTH in MATCH, wrong in CREATE
enum ast_direction { AST_BOTH, AST_OUTGOING, AST_INCOMING, AST_BOTH_ARROWS };
enum ast_length {
  AST_ONE,        // one relationship, or plain parentheses
  AST_VARIABLE_LENGTH, // -[*min..max]-
  AST_QUANTIFIED, // {min,max}, +, *: a quantified path pattern
};
enum ast_selector {
  AST_ALL_PATHS,
  AST_SHORTEST_PATH_FUNCTION,     // shortestPath(...)
  AST_ALL_SHORTEST_PATHS_FUNCTION, // allShortestPaths(...)
  AST_ANY_PATH,        // ANY [count] PATHS
  AST_ANY_SHORTEST,    // ANY SHORTEST, SHORTEST count
  AST_ALL_SHORTEST,    // ALL SHORTEST
  AST_SHORTEST_GROUPS, // SHORTEST [count] GROUPS
  AST_ALL_PATHS_WORD,  // ALL [PATHS], written out
};
enum ast_match_mode { AST_DEFAULT_MODE, AST_DIFFERENT_RELATIONSHIPS, AST_REPEATABLE_ELEMENTS };
enum ast_hint { AST_HINT_INDEX, AST_HINT_BTREE, AST_HINT_RANGE, AST_HINT_TEXT, AST_HINT_POINT, AST_HINT_SCAN, AST_HINT_JOIN };
enum ast_on_error { AST_ON_ERROR_FAIL, AST_ON_ERROR_CONTINUE, AST_ON_ERROR_BREAK, AST_ON_ERROR_RETRY_FAIL,
  AST_ON_ERROR_RETRY_CONTINUE,
                    AST_ON_ERROR_RETRY_BREAK };

/* name, canonical text: of IS ::, of property type constraints, of valueType() */
#define AST_TYPES(X) \
  X(ANY, "ANY") X(BOOLEAN, "BOOLEAN") X(STRING, "STRING") X(INTEGER, "INTEGER") X(FLOAT, "FLOAT") X(DATE, "DATE") \
  X(LOCAL_TIME, "LOCAL TIME") \
  X(ZONED_TIME, "ZONED TIME") X(LOCAL_DATETIME, "LOCAL DATETIME") X(ZONED_DATETIME, "ZONED DATETIME") X(DURATION, "DURATION") \
  X(POINT, "POINT") \
  X(NODE, "NODE") X(RELATIONSHIP, "RELATIONSHIP") X(MAP, "MAP") X(LIST, "LIST") X(PATH, "PATH") \
  X(PROPERTY_VALUE, "PROPERTY VALUE") \
  X(NOTHING, "NOTHING") X(NULL, "NULL") X(VECTOR, "VECTOR")

enum ast_type {
#define AST_TYPE_ENUM(name, text) AST_TYPE_##name,
  AST_TYPES(AST_TYPE_ENUM)
#undef AST_TYPE_ENUM
  AST_TYPE_MAX,
};

enum ast_index { AST_INDEX_DEFAULT, AST_INDEX_RANGE, AST_INDEX_BTREE, AST_INDEX_TEXT, AST_INDEX_POINT, AST_INDEX_LOOKUP,
  AST_INDEX_FULLTEXT,
                 AST_INDEX_VECTOR };
enum ast_constraint { AST_CONSTRAINT_UNIQUE, AST_CONSTRAINT_KEY, AST_CONSTRAINT_NOT_NULL, AST_CONSTRAINT_TYPE };

/* name, text in the singular, text in the plural */
#define AST_SHOWS(X) \
  X(DATABASES, "DATABASE", "DATABASES") X(DEFAULT_DATABASE, "DEFAULT DATABASE", "DEFAULT DATABASE") \
  X(HOME_DATABASE, "HOME DATABASE", "HOME DATABASE") \
  X(ALIASES, "ALIAS", "ALIASES") X(SERVERS, "SERVER", "SERVERS") X(INDEXES, "INDEX", "INDEXES") \
  X(CONSTRAINTS, "CONSTRAINT", "CONSTRAINTS") \
  X(FUNCTIONS, "FUNCTION", "FUNCTIONS") X(PROCEDURES, "PROCEDURE", "PROCEDURES") X(SETTINGS, "SETTING", "SETTINGS") \
  X(TRANSACTIONS, "TRANSACTION", "TRANSACTIONS") X(TERMINATE_TRANSACTIONS, "TERMINATE TRANSACTION", "TERMINATE TRANSACTIONS") \
  X(USERS, "USER", "USERS") X(CURRENT_USER, "CURRENT USER", "CURRENT USER") X(ROLES, "ROLE", "ROLES") \
  X(PRIVILEGES, "PRIVILEGE", "PRIVILEGES") \
  X(ROLE_PRIVILEGES, "ROLE", "ROLES") X(USER_PRIVILEGES, "USER", "USERS") \
  X(SUPPORTED_PRIVILEGES, "SUPPORTED PRIVILEGE", "SUPPORTED PRIVILEGES")

enum ast_show {
#define AST_SHOW_ENUM(name, singular, plural) AST_SHOW_##name,
  AST_SHOWS(AST_SHOW_ENUM)
#undef AST_SHOW_ENUM
};

/* `filter` of SHOW: kind of index, constraint or function, or POPULATED roles */
#define AST_SHOW_FILTERS(X) \
  X(ALL, "ALL") X(BTREE, "BTREE") X(RANGE, "RANGE") X(FULLTEXT, "FULLTEXT") X(TEXT, "TEXT") X(POINT, "POINT") \
  X(LOOKUP, "LOOKUP") X(VECTOR, "VECTOR") \
  X(UNIQUE, "UNIQUENESS") X(NODE_UNIQUE, "NODE UNIQUENESS") X(RELATIONSHIP_UNIQUE, "RELATIONSHIP UNIQUENESS") \
  X(EXIST, "PROPERTY EXISTENCE") X(NODE_EXIST, "NODE PROPERTY EXISTENCE") \
  X(RELATIONSHIP_EXIST, "RELATIONSHIP PROPERTY EXISTENCE") \
  X(TYPE, "PROPERTY TYPE") X(NODE_TYPE, "NODE PROPERTY TYPE") X(RELATIONSHIP_TYPE, "RELATIONSHIP PROPERTY TYPE") \
  X(KEY, "KEY") X(NODE_KEY, "NODE KEY") X(RELATIONSHIP_KEY, "RELATIONSHIP KEY") \
  X(BUILT_IN, "BUILT IN") X(USER_DEFINED, "USER DEFINED") X(POPULATED, "POPULATED")

enum ast_show_filter {
#define AST_SHOW_FILTER_ENUM(name, text) AST_FILTER_##name,
  AST_SHOW_FILTERS(AST_SHOW_FILTER_ENUM)
#undef AST_SHOW_FILTER_ENUM
};

/* `output` of SHOW; bits */
enum { AST_SHOW_BRIEF = 1, AST_SHOW_VERBOSE = 2, AST_SHOW_WITH_USERS = 4, AST_SHOW_WITH_AUTH = 8, AST_SHOW_AS_COMMANDS = 16,
  AST_SHOW_AS_REVOKE_COMMANDS = 32 };

enum ast_verb { AST_VERB_CREATE, AST_VERB_DROP, AST_VERB_ALTER, AST_VERB_START, AST_VERB_STOP, AST_VERB_RENAME,
  AST_VERB_ENABLE, AST_VERB_REALLOCATE,
                AST_VERB_DEALLOCATE, AST_VERB_GRANT, AST_VERB_DENY, AST_VERB_REVOKE };
enum ast_revoked { AST_REVOKE_BOTH, AST_REVOKE_GRANT, AST_REVOKE_DENY };
enum ast_access { AST_ACCESS_UNSAID, AST_ACCESS_READ_ONLY, AST_ACCESS_READ_WRITE };
enum ast_wait { AST_WAIT_UNSAID, AST_WAIT, AST_NOWAIT };
enum ast_change { AST_CHANGE_UNSAID, AST_CHANGE_REQUIRED, AST_CHANGE_NOT_REQUIRED };
enum ast_status { AST_STATUS_UNSAID, AST_STATUS_ACTIVE, AST_STATUS_SUSPENDED };
enum ast_scope { AST_SCOPE_GRAPHS, AST_SCOPE_HOME_GRAPH, AST_SCOPE_DEFAULT_GRAPH, AST_SCOPE_DATABASES,
  AST_SCOPE_HOME_DATABASE, AST_SCOPE_DEFAULT_DATABASE,
                 AST_SCOPE_DBMS, AST_SCOPE_LOAD_ALL, AST_SCOPE_LOAD_CIDR };
enum ast_segment { AST_SEGMENT_UNSAID, AST_SEGMENT_ELEMENTS, AST_SEGMENT_NODES, AST_SEGMENT_RELATIONSHIPS, AST_SEGMENT_PATTERN };

/* name, words, what stands in brackets behind it, where it may be granted (G graph, D database, S the server: ON DBMS) */
#define AST_PRIVILEGES(X) \
  X(TRAVERSE,                   "TRAVERSE",                     NONE,       G) \
  X(READ,                       "READ",                         PROPERTIES, G) \
  X(MATCH,                      "MATCH",                        PROPERTIES, G) \
  X(MERGE,                      "MERGE",                        PROPERTIES, G) \
  X(SET_PROPERTY,               "SET PROPERTY",                 PROPERTIES, G) \
  X(CREATE,                     "CREATE",                       NONE,       G) \
  X(DELETE,                     "DELETE",                       NONE,       G) \
  X(SET_LABEL,                  "SET LABEL",                    LABELS,     G) \
  X(REMOVE_LABEL,               "REMOVE LABEL",                 LABELS,     G) \
  X(WRITE,                      "WRITE",                        NONE,       G) \
  X(ALL_GRAPH,                  "ALL GRAPH PRIVILEGES",         NONE,       G) \
  X(ACCESS,                     "ACCESS",                       NONE,       D) \
  X(START,                      "START",                        NONE,       D) \
  X(STOP,                       "STOP",                         NONE,       D) \
  X(CREATE_INDEX,               "CREATE INDEX",                 NONE,       D) \
  X(DROP_INDEX,                 "DROP INDEX",                   NONE,       D) \
  X(SHOW_INDEX,                 "SHOW INDEX",                   NONE,       D) \
  X(INDEX_MANAGEMENT,           "INDEX MANAGEMENT",             NONE,       D) \
  X(CREATE_CONSTRAINT,          "CREATE CONSTRAINT",            NONE,       D) \
  X(DROP_CONSTRAINT,            "DROP CONSTRAINT",              NONE,       D) \
  X(SHOW_CONSTRAINT,            "SHOW CONSTRAINT",              NONE,       D) \
  X(CONSTRAINT_MANAGEMENT,      "CONSTRAINT MANAGEMENT",        NONE,       D) \
  X(CREATE_NODE_LABEL,          "CREATE NEW NODE LABEL",        NONE,       D) \
  X(CREATE_RELATIONSHIP_TYPE,   "CREATE NEW RELATIONSHIP TYPE", NONE,       D) \
  X(CREATE_PROPERTY_NAME,       "CREATE NEW PROPERTY NAME",     NONE,       D) \
  X(NAME_MANAGEMENT,            "NAME MANAGEMENT",              NONE,       D) \
  X(SHOW_TRANSACTION,           "SHOW TRANSACTION",             USERS,      D) \
  X(TERMINATE_TRANSACTION,      "TERMINATE TRANSACTION",        USERS,      D) \
  X(TRANSACTION_MANAGEMENT,     "TRANSACTION MANAGEMENT",       USERS,      D) \
  X(ALL_DATABASE,               "ALL DATABASE PRIVILEGES",      NONE,       D) \
  X(CREATE_ROLE,                "CREATE ROLE",                  NONE,       S) \
  X(RENAME_ROLE,                "RENAME ROLE",                  NONE,       S) \
  X(DROP_ROLE,                  "DROP ROLE",                    NONE,       S) \
  X(ASSIGN_ROLE,                "ASSIGN ROLE",                  NONE,       S) \
  X(REMOVE_ROLE,                "REMOVE ROLE",                  NONE,       S) \
  X(SHOW_ROLE,                  "SHOW ROLE",                    NONE,       S) \
  X(ROLE_MANAGEMENT,            "ROLE MANAGEMENT",              NONE,       S) \
  X(CREATE_USER,                "CREATE USER",                  NONE,       S) \
  X(RENAME_USER,                "RENAME USER",                  NONE,       S) \
  X(ALTER_USER,                 "ALTER USER",                   NONE,       S) \
  X(DROP_USER,                  "DROP USER",                    NONE,       S) \
  X(SHOW_USER,                  "SHOW USER",                    NONE,       S) \
  X(SET_PASSWORDS,              "SET PASSWORDS",                NONE,       S) \
  X(SET_AUTH,                   "SET AUTH",                     NONE,       S) \
  X(SET_USER_STATUS,            "SET USER STATUS",              NONE,       S) \
  X(SET_USER_HOME_DATABASE,     "SET USER HOME DATABASE",       NONE,       S) \
  X(USER_MANAGEMENT,            "USER MANAGEMENT",              NONE,       S) \
  X(IMPERSONATE,                "IMPERSONATE",                  USERS,      S) \
  X(CREATE_DATABASE,            "CREATE DATABASE",              NONE,       S) \
  X(DROP_DATABASE,              "DROP DATABASE",                NONE,       S) \
  X(ALTER_DATABASE,             "ALTER DATABASE",               NONE,       S) \
  X(SET_DATABASE_ACCESS,        "SET DATABASE ACCESS",          NONE,       S) \
  X(CREATE_COMPOSITE_DATABASE,  "CREATE COMPOSITE DATABASE",    NONE,       S) \
  X(DROP_COMPOSITE_DATABASE,    "DROP COMPOSITE DATABASE",      NONE,       S) \
  X(COMPOSITE_DATABASE_MANAGEMENT, "COMPOSITE DATABASE MANAGEMENT", NONE,   S) \
  X(DATABASE_MANAGEMENT,        "DATABASE MANAGEMENT",          NONE,       S) \
  X(CREATE_ALIAS,               "CREATE ALIAS",                 NONE,       S) \
  X(DROP_ALIAS,                 "DROP ALIAS",                   NONE,       S) \
  X(ALTER_ALIAS,                "ALTER ALIAS",                  NONE,       S) \
  X(SHOW_ALIAS,                 "SHOW ALIAS",                   NONE,       S) \
  X(ALIAS_MANAGEMENT,           "ALIAS MANAGEMENT",             NONE,       S) \
  X(SERVER_MANAGEMENT,          "SERVER MANAGEMENT",            NONE,       S) \
  X(SHOW_SERVERS,               "SHOW SERVERS",                 NONE,       S) \
  X(SHOW_PRIVILEGE,             "SHOW PRIVILEGE",               NONE,       S) \
  X(ASSIGN_PRIVILEGE,           "ASSIGN PRIVILEGE",             NONE,       S) \
  X(REMOVE_PRIVILEGE,           "REMOVE PRIVILEGE",             NONE,       S) \
  X(PRIVILEGE_MANAGEMENT,       "PRIVILEGE MANAGEMENT",         NONE,       S) \
  X(EXECUTE_PROCEDURE,          "EXECUTE PROCEDURE",            GLOBS,      S) \
  X(EXECUTE_BOOSTED_PROCEDURE,  "EXECUTE BOOSTED PROCEDURE",    GLOBS,      S) \
  X(EXECUTE_ADMIN_PROCEDURES,   "EXECUTE ADMIN PROCEDURES",     NONE,       S) \
  X(EXECUTE_FUNCTION,           "EXECUTE USER DEFINED FUNCTION", GLOBS,     S) \
  X(EXECUTE_BOOSTED_FUNCTION,   "EXECUTE BOOSTED USER DEFINED FUNCTION", GLOBS, S) \
  X(SHOW_SETTING,               "SHOW SETTING",                 GLOBS,      S) \
  X(ALL_DBMS,                   "ALL DBMS PRIVILEGES",          NONE,       S) \
  X(LOAD,                       "LOAD",                         NONE,       L)

enum ast_privilege {
#define AST_PRIVILEGE_ENUM(name, words, resources, scope) AST_PRIVILEGE_##name,
  AST_PRIVILEGES(AST_PRIVILEGE_ENUM)
#undef AST_PRIVILEGE_ENUM
  AST_PRIVILEGE_MAX,
};
