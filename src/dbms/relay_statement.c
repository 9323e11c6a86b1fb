// What the text of a statement alone tells of it. Whoever carries it out finds what is wrong with it.
#include <string.h>
#include <strings.h>

#include "cypher/check.h"
#include "cypher/parse.h"
#include "dbms/procedures.h"
#include "dbms/relay_int.h"

void relay_look_at(const struct dbms_session *s, struct str text, struct relay_statement *ret) {
  uint32_t neo4j_major = s->client.neo4j_major;
  struct cypher_options language = {.max_text_bytes = (uint32_t) s->dbms->options.config->query_max_bytes};
  struct procedures_scope scope = {.neo4j_major = neo4j_major, .is_member = true};
  struct cypher_signatures signatures = procedures_signatures(&scope);
  struct cypher_check_options check = {.signatures = &signatures, .neo4j_major = neo4j_major};
  struct ast_statement *a = NULL;
  struct arena arena;
  arena_init(&arena, NULL);
  bool whole = cypher_parse(&arena, text, &language, &a, NULL) == ERR_OK && cypher_check(a, &check, NULL) == ERR_OK;
  *ret = (struct relay_statement){.in_transactions = whole && a->in_transactions,
                                  .schema = whole && a->kind == AST_STATEMENT_SCHEMA,
                                  .admin = whole && a->kind == AST_STATEMENT_ADMIN};
  arena_done(&arena);
}

/// In letters of either case.
static bool contains(struct str text, const char *word) {
  size_t len = strlen(word);
  for (size_t i = 0; i + len <= text.len; i++)
    if (strncasecmp(text.ptr + i, word, len) == 0) return true;
  return false;
}

bool relay_may_change_schema(struct str text) {
  return contains(text, "index") || contains(text, "constraint");
}
