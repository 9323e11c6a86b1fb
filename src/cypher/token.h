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

/* Words with a meaning somewhere, none of them reserved, and the place of each in the lexer's table: word_slot() of its letters.
   test_lexer.c checks the places and says the right one. */
#define TOKEN_WORDS(X) \
  X(ACCESS, 3553) X(ACTIVE, 1077) X(ADMIN, 956) X(ADMINISTRATOR, 1082) X(ALIAS, 2070) X(ALIASES, 78) X(ALL, 1803)           \
  X(ALLSHORTESTPATHS, 84) X(ALTER, 1083) X(AND, 919) X(ANY, 2510) X(ARRAY, 279) X(AS, 2045) X(ASC, 440) X(ASCENDING, 3919)  \
  X(ASSERT, 4015) X(ASSIGN, 2582) X(AT, 3368) X(AUTH, 1558) X(BINDINGS, 3570) X(BOOL, 896) X(BOOLEAN, 480) X(BOOSTED, 372)  \
  X(BOTH, 2101) X(BREAK, 873) X(BRIEF, 643) X(BTREE, 2978) X(BUILT, 2761) X(BY, 2088) X(CALL, 2325) X(CASCADE, 95)          \
  X(CASE, 2252) X(CHANGE, 4055) X(CIDR, 3463) X(COLLECT, 1020) X(COMMAND, 1579) X(COMMANDS, 1515) X(COMMIT, 535)            \
  X(COMPOSITE, 3753) X(CONCURRENT, 589) X(CONSTRAINT, 3887) X(CONSTRAINTS, 1791) X(CONTAINS, 2483) X(CONTINUE, 1308)        \
  X(COPY, 2971) X(COUNT, 3215) X(CREATE, 735) X(CSV, 710) X(CURRENT, 3762) X(CYPHER, 552) X(DATA, 4032) X(DATABASE, 2413)   \
  X(DATABASES, 317) X(DATE, 1451) X(DATETIME, 2770) X(DBMS, 3451) X(DEALLOCATE, 1356) X(DEFAULT, 3764) X(DEFINED, 1859)     \
  X(DELETE, 2249) X(DENY, 408) X(DESC, 2987) X(DESCENDING, 353) X(DESTROY, 1046) X(DETACH, 1204) X(DIFFERENT, 3330)         \
  X(DISTINCT, 1431) X(DRIVER, 447) X(DROP, 2873) X(DRYRUN, 2666) X(DUMP, 841) X(DURATION, 3615) X(EACH, 3055) X(EDGE, 3560) \
  X(ELEMENT, 2722) X(ELEMENTS, 2658) X(ELSE, 1015) X(ENABLE, 1309) X(ENCRYPTED, 1323) X(END, 2091) X(ENDS, 807)             \
  X(ERROR, 3886) X(EXECUTABLE, 3827) X(EXECUTE, 4068) X(EXIST, 23) X(EXISTENCE, 3702) X(EXISTS, 1241) X(EXPLAIN, 1636)      \
  X(EXTRACT, 131) X(FAIL, 2392) X(FALSE, 3157) X(FIELDTERMINATOR, 584) X(FILTER, 1463) X(FINISH, 3342) X(FLOAT, 3814)       \
  X(FOR, 673) X(FOREACH, 270) X(FROM, 275) X(FULLTEXT, 283) X(FUNCTION, 1144) X(FUNCTIONS, 3240) X(GRANT, 1577)             \
  X(GRAPH, 2100) X(GRAPHS, 3318) X(GROUP, 432) X(GROUPS, 1650) X(HEADERS, 1350) X(HOME, 145) X(ID, 918) X(IF, 3566)         \
  X(IMMUTABLE, 2765) X(IMPERSONATE, 2435) X(IN, 1867) X(INDEX, 3225) X(INDEXES, 1233) X(INF, 1075) X(INFINITY, 1742)        \
  X(INSERT, 3838) X(INT, 2136) X(INTEGER, 127) X(IS, 294) X(JOIN, 2374) X(KEY, 1720) X(LABEL, 1138) X(LABELS, 2357)         \
  X(LANGUAGE, 474) X(LEADING, 3212) X(LIMIT, 2725) X(LIST, 2730) X(LOAD, 3833) X(LOCAL, 677) X(LOOKUP, 2281)                \
  X(MANAGEMENT, 1198) X(MAP, 2766) X(MATCH, 2740) X(MERGE, 3488) X(NAME, 3852) X(NAMES, 745) X(NAN, 1152) X(NEW, 693)       \
  X(NFC, 3427) X(NFD, 2332) X(NFKC, 3710) X(NFKD, 2041) X(NODE, 3563) X(NODES, 456) X(NODETACH, 2566) X(NONE, 810)          \
  X(NORMALIZE, 3481) X(NORMALIZED, 1289) X(NOT, 829) X(NOTHING, 1850) X(NOWAIT, 558) X(NULL, 3352) X(OF, 1229)              \
  X(OFFSET, 3361) X(ON, 3627) X(ONLY, 1351) X(OPTION, 3142) X(OPTIONAL, 826) X(OPTIONS, 1758) X(OR, 729) X(ORDER, 1970)     \
  X(OUTPUT, 3657) X(PASSWORD, 3416) X(PASSWORDS, 1416) X(PATH, 4057) X(PATHS, 950) X(PERIODIC, 2400) X(PLAINTEXT, 2839)     \
  X(POINT, 3776) X(POPULATED, 2759) X(PRIMARIES, 489) X(PRIMARY, 380) X(PRIVILEGE, 787) X(PRIVILEGES, 2787)                 \
  X(PROCEDURE, 1920) X(PROCEDURES, 3824) X(PROFILE, 3184) X(PROPERTIES, 3093) X(PROPERTY, 3765) X(PROVIDER, 2530)           \
  X(RANGE, 4037) X(READ, 547) X(REALLOCATE, 1364) X(REDUCE, 3088) X(REL, 1617) X(RELATIONSHIP, 1106) X(RELATIONSHIPS, 3202) \
  X(REMOVE, 2259) X(RENAME, 3878) X(REPEATABLE, 2217) X(REPLACE, 2599) X(REPORT, 1634) X(REQUIRE, 1662) X(REQUIRED, 2926)   \
  X(RESTRICT, 2690) X(RETRY, 2544) X(RETURN, 2256) X(REVOKE, 3116) X(ROLE, 75) X(ROLES, 1064) X(ROW, 2814) X(ROWS, 1530)    \
  X(SCAN, 1980) X(SEC, 3569) X(SECOND, 142) X(SECONDARIES, 882) X(SECONDARY, 978) X(SECONDS, 2854) X(SEEK, 1161)            \
  X(SERVER, 2361) X(SERVERS, 977) X(SET, 1346) X(SETTING, 2816) X(SETTINGS, 2752) X(SHORTEST, 2665) X(SHORTESTPATH, 2473)   \
  X(SHOW, 2828) X(SIGNED, 2552) X(SINGLE, 796) X(SKIP, 475) X(START, 1065) X(STARTS, 2284) X(STATUS, 1696) X(STOP, 1726)    \
  X(STRING, 4040) X(SUPPORTED, 4064) X(SUSPENDED, 2614) X(TARGET, 1009) X(TERMINATE, 2758) X(TEXT, 2499) X(THEN, 418)       \
  X(TIME, 3913) X(TIMESTAMP, 3349) X(TIMEZONE, 901) X(TO, 2320) X(TOPOLOGY, 3555) X(TRAILING, 4073) X(TRANSACTION, 1438)    \
  X(TRANSACTIONS, 3150) X(TRAVERSE, 3581) X(TRIM, 2754) X(TRUE, 2974) X(TYPE, 1329) X(TYPED, 2024) X(TYPES, 2318)           \
  X(UNION, 2132) X(UNIQUE, 1053) X(UNIQUENESS, 3532) X(UNWIND, 767) X(URL, 3321) X(USE, 18) X(USER, 403) X(USERS, 1392)     \
  X(USING, 3456) X(VALUE, 413) X(VARCHAR, 922) X(VECTOR, 1348) X(VERBOSE, 351) X(VERTEX, 3851) X(WAIT, 2214) X(WHEN, 1298)  \
  X(WHERE, 2162) X(WITH, 315) X(WITHOUT, 3891) X(WRITE, 3587) X(XOR, 1854) X(YIELD, 3145) X(ZONE, 232) X(ZONED, 927)

// clang-format on

enum token_kind {
#define TOKEN_MARK_ENUM(name, text) T_##name,
  TOKEN_MARKS(TOKEN_MARK_ENUM)
#undef TOKEN_MARK_ENUM
      T_FIRST_WORD,
  T_BEFORE_WORDS_ = T_FIRST_WORD - 1,
#define TOKEN_WORD_ENUM(name, slot) K_##name,
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

/// The place in a table of WORD_SLOTS entries for a word of these letters; words in other spellings of the same letters share it.
enum { WORD_SLOTS = 4096 };
uint32_t word_slot(const char *text, size_t len);

/// What a message calls the kind: `"MATCH"`, `"("`, `an identifier`. Marks and words are to be put in quotes.
const char *token_text(uint16_t kind, bool *ret_quotes);
