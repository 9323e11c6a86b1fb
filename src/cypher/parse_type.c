// Type names: INTEGER NOT NULL, LIST<STRING | INTEGER>, ZONED DATETIME.
#include "base/compiler.h"
#include "cypher/parser_int.h"

struct spelling {
  uint16_t words[3]; // tokens; 0 where there are fewer
  uint8_t type;      // enum ast_type
};

/// Longer spellings first where one begins like another.
static const struct spelling spellings[] = {
    {{K_ANY, K_NODE}, AST_TYPE_NODE},
    {{K_ANY, K_VERTEX}, AST_TYPE_NODE},
    {{K_ANY, K_RELATIONSHIP}, AST_TYPE_RELATIONSHIP},
    {{K_ANY, K_EDGE}, AST_TYPE_RELATIONSHIP},
    {{K_ANY, K_MAP}, AST_TYPE_MAP},
    {{K_ANY, K_PROPERTY, K_VALUE}, AST_TYPE_PROPERTY_VALUE},
    {{K_ANY, K_VALUE}, AST_TYPE_ANY},
    {{K_ANY}, AST_TYPE_ANY},
    {{K_BOOLEAN}, AST_TYPE_BOOLEAN},
    {{K_BOOL}, AST_TYPE_BOOLEAN},
    {{K_STRING}, AST_TYPE_STRING},
    {{K_VARCHAR}, AST_TYPE_STRING},
    {{K_INTEGER}, AST_TYPE_INTEGER},
    {{K_SIGNED, K_INTEGER}, AST_TYPE_INTEGER},
    {{K_INT}, AST_TYPE_INTEGER},
    {{K_FLOAT}, AST_TYPE_FLOAT},
    {{K_DATE}, AST_TYPE_DATE},
    {{K_LOCAL, K_TIME}, AST_TYPE_LOCAL_TIME},
    {{K_LOCAL, K_DATETIME}, AST_TYPE_LOCAL_DATETIME},
    {{K_ZONED, K_TIME}, AST_TYPE_ZONED_TIME},
    {{K_ZONED, K_DATETIME}, AST_TYPE_ZONED_DATETIME},
    {{K_TIME, K_WITHOUT, K_TIMEZONE}, AST_TYPE_LOCAL_TIME},
    {{K_TIME, K_WITH, K_TIMEZONE}, AST_TYPE_ZONED_TIME},
    {{K_TIMESTAMP, K_WITHOUT, K_TIMEZONE}, AST_TYPE_LOCAL_DATETIME},
    {{K_TIMESTAMP, K_WITH, K_TIMEZONE}, AST_TYPE_ZONED_DATETIME},
    {{K_DURATION}, AST_TYPE_DURATION},
    {{K_POINT}, AST_TYPE_POINT},
    {{K_NODE}, AST_TYPE_NODE},
    {{K_VERTEX}, AST_TYPE_NODE},
    {{K_RELATIONSHIP}, AST_TYPE_RELATIONSHIP},
    {{K_EDGE}, AST_TYPE_RELATIONSHIP},
    {{K_MAP}, AST_TYPE_MAP},
    {{K_LIST}, AST_TYPE_LIST},
    {{K_ARRAY}, AST_TYPE_LIST},
    {{K_PATH}, AST_TYPE_PATH},
    {{K_PATHS}, AST_TYPE_PATH},
    {{K_PROPERTY, K_VALUE}, AST_TYPE_PROPERTY_VALUE},
    {{K_NOTHING}, AST_TYPE_NOTHING},
    {{K_NULL}, AST_TYPE_NULL},
    {{K_VECTOR}, AST_TYPE_VECTOR},
};

static uint32_t matched_words(const struct parser *p, const struct spelling *s) {
  uint32_t n = 0;
  while (n < 3 && s->words[n] != 0 && peek_at(p, n) == s->words[n]) n++;
  return n == 3 || s->words[n] == 0 ? n : 0;
}

static bool take_type_word(struct parser *p, uint32_t *ret) {
  for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
    expect(p, spellings[i].words[0]);
    uint32_t words = matched_words(p, &spellings[i]);
    if (words == 0) continue;
    p->at += words;
    return *ret = spellings[i].type, true;
  }
  return false;
}

static bool take_not_null(struct parser *p) {
  return take2(p, K_NOT, K_NULL) || take(p, T_BANG);
}

/// The type between `<` and `>`, in which a `|` is its own.
static struct ast *parse_element_type(struct parser *p) {
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = parse_type(p);
  p->bars = bars;
  return n != NULL && take(p, T_GT) ? n : NULL;
}

static struct ast *single_type(struct parser *p, struct ast *name) {
  struct ast *n = parser_new(p, AST_TYPE, name->offset);
  if (n != NULL) ast_append(&n->type.alternatives, name);
  return parser_done(p, n);
}

/// `STRING NOT NULL LIST` is `LIST<STRING NOT NULL>`.
static struct ast *listed(struct parser *p, struct ast *name) {
  while (name != NULL && take_either(p, K_LIST, K_ARRAY)) {
    struct ast *list = parser_new(p, AST_TYPE_NAME, name->offset);
    if (list == NULL || (list->type_name.element = single_type(p, name)) == NULL) return NULL;
    list->type_name.name = AST_TYPE_LIST;
    list->type_name.not_null = take_not_null(p);
    name = parser_done(p, list);
  }
  return name;
}

static struct ast *parse_type_name(struct parser *p) {
  struct ast *n = parser_new(p, AST_TYPE_NAME, here(p));
  if (n == NULL || !take_type_word(p, &n->type_name.name)) return NULL;
  bool brackets = n->type_name.name == AST_TYPE_LIST || n->type_name.name == AST_TYPE_VECTOR || n->type_name.name == AST_TYPE_ANY;
  if (brackets && take(p, T_LT) && (n->type_name.element = parse_element_type(p)) == NULL) return NULL;
  n->type_name.not_null = take_not_null(p);
  return listed(p, parser_done(p, n));
}

static struct ast *parse_type_alternatives(struct parser *p) {
  struct ast *n = parser_new(p, AST_TYPE, here(p));
  if (n == NULL) return NULL;
  for (;;) {
    struct ast *name = parse_type_name(p);
    if (name == NULL) return NULL;
    ast_append(&n->type.alternatives, name);
    if (p->bars == 0 || !take(p, T_BAR)) return parser_done(p, n);
    if (p->bars != ANY_BARS) p->bars--;
  }
}

struct ast *parse_type(struct parser *p) {
  if (!parser_enter(p)) return NULL;
  struct ast *n = parse_type_alternatives(p);
  parser_leave(p);
  return n;
}
