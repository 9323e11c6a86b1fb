// Tokens. Private to the module's lexer and parser.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

// clang-format off

/* name, as messages write it */
#define TOKEN_MARKS(X) \
  X(END, "") X(NAME, "an identifier") X(QUOTED, "an identifier") X(INTEGER, "an integer") X(FLOAT, "a number") X(STRING, "a string") \
  X(LPAREN, "(") X(RPAREN, ")") X(LBRACKET, "[") X(RBRACKET, "]") X(LBRACE, "{") X(RBRACE, "}") X(COMMA, ",") X(DOT, ".") X(DOTDOT, "..") \
  X(COLON, ":") X(COLONCOLON, "::") X(SEMICOLON, ";") X(DOLLAR, "$") X(BAR, "|") X(BARBAR, "||") X(AMPERSAND, "&") X(BANG, "!") \
  X(PERCENT, "%") X(PLUS, "+") X(PLUSEQ, "+=") X(MINUS, "-") X(TIMES, "*") X(SLASH, "/") X(CARET, "^") X(EQ, "=") X(NE, "<>") X(BANGEQ, "!=") \
  X(LT, "<") X(LE, "<=") X(GT, ">") X(GE, ">=") X(MATCHES, "=~") X(LINE, "-") X(ARROW_LEFT, "<") X(ARROW_RIGHT, ">") X(BAD, "")

/* Words with a meaning somewhere; none is reserved. In order of the alphabet: the lexer looks only at those of one letter. */
#define TOKEN_WORDS(X) \
  X(ACCESS) X(ACTIVE) X(ADMIN) X(ADMINISTRATOR) X(ALIAS) X(ALIASES) X(ALL) X(ALLSHORTESTPATHS) X(ALTER) X(AND) X(ANY)         \
  X(ARRAY) X(AS) X(ASC) X(ASCENDING) X(ASSERT) X(ASSIGN) X(AT) X(AUTH)                                                        \
  X(BINDINGS) X(BOOL) X(BOOLEAN) X(BOOSTED) X(BOTH) X(BREAK) X(BRIEF) X(BTREE) X(BUILT) X(BY)                                 \
  X(CALL) X(CASCADE) X(CASE) X(CHANGE) X(CIDR) X(COLLECT) X(COMMAND) X(COMMANDS) X(COMMIT) X(COMPOSITE) X(CONCURRENT)         \
  X(CONSTRAINT) X(CONSTRAINTS) X(CONTAINS) X(CONTINUE) X(COPY) X(COUNT) X(CREATE) X(CSV) X(CURRENT) X(CYPHER)                 \
  X(DATA) X(DATABASE) X(DATABASES) X(DATE) X(DATETIME) X(DBMS) X(DEALLOCATE) X(DEFAULT) X(DEFINED) X(DELETE) X(DENY) X(DESC)  \
  X(DESCENDING) X(DESTROY) X(DETACH) X(DIFFERENT) X(DISTINCT) X(DRIVER) X(DROP) X(DRYRUN) X(DUMP) X(DURATION)                 \
  X(EACH) X(EDGE) X(ELEMENT) X(ELEMENTS) X(ELSE) X(ENABLE) X(ENCRYPTED) X(END) X(ENDS) X(ERROR) X(EXECUTABLE) X(EXECUTE)      \
  X(EXIST) X(EXISTENCE) X(EXISTS) X(EXPLAIN) X(EXTRACT)                                                                       \
  X(FAIL) X(FALSE) X(FIELDTERMINATOR) X(FILTER) X(FINISH) X(FLOAT) X(FOR) X(FOREACH) X(FROM) X(FULLTEXT) X(FUNCTION)          \
  X(FUNCTIONS)                                                                                                                \
  X(GRANT) X(GRAPH) X(GRAPHS) X(GROUP) X(GROUPS)                                                                              \
  X(HEADERS) X(HOME)                                                                                                          \
  X(ID) X(IF) X(IMMUTABLE) X(IMPERSONATE) X(IN) X(INDEX) X(INDEXES) X(INF) X(INFINITY) X(INSERT) X(INT) X(INTEGER) X(IS)      \
  X(JOIN)                                                                                                                     \
  X(KEY)                                                                                                                      \
  X(LABEL) X(LABELS) X(LANGUAGE) X(LEADING) X(LIMIT) X(LIST) X(LOAD) X(LOCAL) X(LOOKUP)                                       \
  X(MANAGEMENT) X(MAP) X(MATCH) X(MERGE)                                                                                      \
  X(NAME) X(NAMES) X(NAN) X(NEW) X(NFC) X(NFD) X(NFKC) X(NFKD) X(NODE) X(NODES) X(NODETACH) X(NONE) X(NORMALIZE)              \
  X(NORMALIZED) X(NOT) X(NOTHING) X(NOWAIT) X(NULL)                                                                           \
  X(OF) X(OFFSET) X(ON) X(ONLY) X(OPTION) X(OPTIONAL) X(OPTIONS) X(OR) X(ORDER) X(OUTPUT)                                     \
  X(PASSWORD) X(PASSWORDS) X(PATH) X(PATHS) X(PERIODIC) X(PLAINTEXT) X(POINT) X(POPULATED) X(PRIMARIES) X(PRIMARY)            \
  X(PRIVILEGE) X(PRIVILEGES) X(PROCEDURE) X(PROCEDURES) X(PROFILE) X(PROPERTIES) X(PROPERTY) X(PROVIDER)                      \
  X(RANGE) X(READ) X(REALLOCATE) X(REDUCE) X(REL) X(RELATIONSHIP) X(RELATIONSHIPS) X(REMOVE) X(RENAME) X(REPEATABLE)          \
  X(REPLACE) X(REPORT) X(REQUIRE) X(REQUIRED) X(RESTRICT) X(RETRY) X(RETURN) X(REVOKE) X(ROLE) X(ROLES) X(ROW) X(ROWS)        \
  X(SCAN) X(SEC) X(SECOND) X(SECONDARIES) X(SECONDARY) X(SECONDS) X(SEEK) X(SERVER) X(SERVERS) X(SET) X(SETTING) X(SETTINGS)  \
  X(SHORTEST) X(SHORTESTPATH) X(SHOW) X(SIGNED) X(SINGLE) X(SKIP) X(START) X(STARTS) X(STATUS) X(STOP) X(STRING) X(SUPPORTED) \
  X(SUSPENDED)                                                                                                                \
  X(TARGET) X(TERMINATE) X(TEXT) X(THEN) X(TIME) X(TIMESTAMP) X(TIMEZONE) X(TO) X(TOPOLOGY) X(TRAILING) X(TRANSACTION)        \
  X(TRANSACTIONS) X(TRAVERSE) X(TRIM) X(TRUE) X(TYPE) X(TYPED) X(TYPES)                                                       \
  X(UNION) X(UNIQUE) X(UNIQUENESS) X(UNWIND) X(URL) X(USE) X(USER) X(USERS) X(USING)                                          \
  X(VALUE) X(VARCHAR) X(VECTOR) X(VERBOSE) X(VERTEX)                                                                          \
  X(WAIT) X(WHEN) X(WHERE) X(WITH) X(WITHOUT) X(WRITE)                                                                        \
  X(XOR)                                                                                                                      \
  X(YIELD)                                                                                                                    \
  X(ZONE) X(ZONED)

// clang-format on

enum token_kind {
#define TOKEN_MARK_ENUM(name, text) T_##name,
  TOKEN_MARKS(TOKEN_MARK_ENUM)
#undef TOKEN_MARK_ENUM
      T_FIRST_WORD,
  T_BEFORE_WORDS_ = T_FIRST_WORD - 1,
#define TOKEN_WORD_ENUM(name) K_##name,
  TOKEN_WORDS(TOKEN_WORD_ENUM)
#undef TOKEN_WORD_ENUM
      TOKEN_KIND_MAX,
};

/// T_LINE and the arrows are Unicode dashes and brackets, which only patterns take.
struct token {
  uint16_t kind; // enum token_kind
  uint32_t offset, len;
};

struct token_array {
  const struct token *items; // the last one is T_END
  uint32_t count;            // with it
};

/// Where an escape \uXXXX stood: at this byte of the text without escapes. Positions are counted in the text as it was sent.
struct unicode_escapes {
  const uint32_t *at;
  uint32_t count;
};

/// Splits `text`. ERR_SYNTAX only for a comment without an end; everything else that is wrong becomes T_BAD, of which the parser
/// complains when it gets there. `at_offset` is set on failure.
enum err token_split(struct arena *a, struct str text, struct token_array *ret, uint32_t *at_offset) NODISCARD;

/// Replaces \uXXXX outside of doubled backslashes; `*ret` is `text` itself where there is none. ERR_SYNTAX and the offset for
/// one that is not followed by four hexadecimal digits or makes half a surrogate pair.
enum err token_unescape_unicode(struct arena *a, struct str text, struct str *ret, struct unicode_escapes *escapes,
                                uint32_t *at_offset) NODISCARD;

/// True for tokens that may stand where a name is wanted: names, quoted names, words.
static inline bool token_is_name(uint16_t kind) {
  return kind == T_NAME || kind == T_QUOTED || kind >= T_FIRST_WORD;
}

/// What a message calls the kind: `"MATCH"`, `"("`, `an identifier`. Marks and words are to be put in quotes.
const char *token_text(uint16_t kind, bool *ret_quotes);
