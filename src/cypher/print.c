// Canonical text: names, lists, patterns, and which file prints what.
#include <stdio.h>
#include <string.h>

#include "cypher/parse.h"
#include "cypher/print_int.h"

void put_str(struct printer *p, struct str text) {
  if (p->err == ERR_OK) p->err = buf_append_str(p->out, text);
}

void put(struct printer *p, const char *text) {
  put_str(p, str_of(text));
}

void put_if(struct printer *p, bool yes, const char *text) {
  if (yes) put(p, text);
}

/// Words that mean something else than a name at the place of a name.
static bool is_taken(struct str name) {
  static const char *const words[] = {"null",     "true",         "false",           "nan",   "inf",     "infinity", "case",
                                      "not",      "distinct",     "exists",          "count", "collect", "all",      "any",
                                      "none",     "single",       "where",           "is",    "in",      "reduce",   "when",
                                      "shortest", "trim",         "normalize",       "if",    "for",     "on",       "filter",
                                      "extract",  "shortestpath", "allshortestpaths"};
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if (str_eq_nocase(name, str_of(words[i]))) return true;
  return false;
}

static void put_part(struct printer *p, struct str name, bool quoted) {
  if (!quoted) {
    put_str(p, name);
    return;
  }
  put(p, "`");
  for (size_t i = 0; i < name.len; i++) {
    put_str(p, (struct str){name.ptr + i, 1});
    if (name.ptr[i] == '`') put(p, "`");
  }
  put(p, "`");
}

void put_name(struct printer *p, struct str name) {
  put_part(p, name, !cypher_is_plain_name(name) || is_taken(name));
}

void put_dotted_name(struct printer *p, struct str name) {
  const char *between = "";
  do {
    struct str part = str_cut(&name, '.');
    put(p, between);
    put_part(p, part, !cypher_is_plain_name(part));
    between = ".";
  } while (name.ptr != NULL);
}

void put_string(struct printer *p, struct str text) {
  put(p, "'");
  for (size_t i = 0; i < text.len; i++) {
    switch (text.ptr[i]) {
    case '\'': put(p, "\\'"); break;
    case '\\': put(p, "\\\\"); break;
    case '\n': put(p, "\\n"); break;
    case '\r': put(p, "\\r"); break;
    case '\t': put(p, "\\t"); break;
    case '\b': put(p, "\\b"); break;
    case '\f': put(p, "\\f"); break;
    default: put_str(p, (struct str){text.ptr + i, 1});
    }
  }
  put(p, "'");
}

void put_node(struct printer *p, const char *before, const struct ast *n, const char *after) {
  if (n == NULL) return;
  put(p, before);
  print_node(p, n);
  put(p, after);
}

void put_list(struct printer *p, const struct ast_list *list, const char *between) {
  AST_EACH(item, *list) {
    if (item != list->first) put(p, between);
    print_node(p, item);
  }
}

// Labels and types.

static void put_operands(struct printer *p, const struct ast_list *operands, const char *between) {
  AST_EACH(operand, *operands) {
    if (operand != operands->first) put(p, between);
    bool compound = operand->kind == AST_LABEL_AND || operand->kind == AST_LABEL_OR;
    put_if(p, compound, "(");
    print_label(p, operand);
    put_if(p, compound, ")");
  }
}

static void print_type(struct printer *p, const struct ast *n) {
  static const char *const names[AST_TYPE_MAX] = {
#define AST_TYPE_TEXT(name, text) text,
      AST_TYPES(AST_TYPE_TEXT)
#undef AST_TYPE_TEXT
  };
  put(p, names[n->type_name.name]);
  put_node(p, "<", n->type_name.element, ">");
  put_if(p, n->type_name.not_null, " NOT NULL");
}

void print_label(struct printer *p, const struct ast *n) {
  switch (n->kind) {
  case AST_LABEL: put_name(p, n->label.name); break;
  case AST_LABEL_ANY: put(p, "%"); break;
  case AST_LABEL_DYNAMIC: put(p, n->label_dynamic.any ? "$any(" : "$("), put_node(p, "", n->label_dynamic.expression, ")"); break;
  case AST_LABEL_NOT: {
    bool compound = n->label_not.operand->kind != AST_LABEL && n->label_not.operand->kind != AST_LABEL_NOT;
    put(p, compound ? "!(" : "!");
    print_label(p, n->label_not.operand);
    put_if(p, compound, ")");
    break;
  }
  case AST_LABEL_AND: put_operands(p, &n->label_and.operands, "&"); break;
  case AST_LABEL_OR: put_operands(p, &n->label_or.operands, "|"); break;
  case AST_TYPE: put_list(p, &n->type.alternatives, " | "); break;
  default: print_type(p, n);
  }
}

// Patterns.

static bool is_named(const struct ast *variable) {
  return variable != NULL && (variable->flags & AST_ANONYMOUS) == 0;
}

static void put_element(struct printer *p, const struct ast *variable, const struct ast *labels) {
  if (is_named(variable)) print_node(p, variable);
  put_node(p, ":", labels, "");
}

static void print_range(struct printer *p, const struct ast *n) {
  char text[64] = "*";
  long long min = n->relationship.min, max = n->relationship.max;
  if (min >= 0 && min == max)
    snprintf(text, sizeof text, "*%lld", min);
  else if (min >= 0 && max >= 0)
    snprintf(text, sizeof text, "*%lld..%lld", min, max);
  else if (min >= 0)
    snprintf(text, sizeof text, "*%lld..", min);
  else if (max >= 0)
    snprintf(text, sizeof text, "*..%lld", max);
  put(p, text);
}

static void print_relationship(struct printer *p, const struct ast *n) {
  uint32_t direction = n->relationship.direction;
  bool variable_length = n->relationship.length == AST_VARIABLE_LENGTH;
  put(p, direction == AST_INCOMING || direction == AST_BOTH_ARROWS ? "<-" : "-");
  if (is_named(n->relationship.variable) || n->relationship.types || n->relationship.properties || n->relationship.where ||
      variable_length) {
    put(p, "[");
    put_element(p, n->relationship.variable, n->relationship.types);
    if (variable_length) print_range(p, n);
    put_node(p, " ", n->relationship.properties, "");
    put_node(p, " WHERE ", n->relationship.where, "");
    put(p, "]");
  }
  put(p, direction == AST_OUTGOING || direction == AST_BOTH_ARROWS ? "->" : "-");
}

static void print_group(struct printer *p, const struct ast *n) {
  put(p, "(");
  print_node(p, n->group.path);
  put_node(p, " WHERE ", n->group.where, "");
  put(p, ")");
  if (n->group.length != AST_QUANTIFIED) return;
  char text[64];
  if (n->group.max < 0)
    snprintf(text, sizeof text, "{%lld,}", (long long) n->group.min);
  else
    snprintf(text, sizeof text, "{%lld,%lld}", (long long) n->group.min, (long long) n->group.max);
  put(p, text);
}

static void put_selector(struct printer *p, const struct ast *n) {
  static const char *const words[] = {[AST_ALL_PATHS] = "",
                                      [AST_SHORTEST_PATH_FUNCTION] = "shortestPath(",
                                      [AST_ALL_SHORTEST_PATHS_FUNCTION] = "allShortestPaths(",
                                      [AST_ANY_PATH] = "ANY ",
                                      [AST_ANY_SHORTEST] = "SHORTEST ",
                                      [AST_ALL_SHORTEST] = "ALL SHORTEST ",
                                      [AST_SHORTEST_GROUPS] = "SHORTEST ",
                                      [AST_ALL_PATHS_WORD] = "ALL "};
  put(p, words[n->path.selector]);
  put_node(p, "", n->path.count, " ");
  put_if(p, n->path.selector == AST_SHORTEST_GROUPS, "GROUPS ");
}

static void print_path(struct printer *p, const struct ast *n) {
  put_node(p, "", n->path.variable, " = ");
  put_selector(p, n);
  const struct ast *before = NULL;
  AST_EACH(element, n->path.elements) {
    put_if(p, before != NULL && (element->kind == AST_GROUP || before->kind == AST_GROUP), " ");
    print_node(p, element);
    before = element;
  }
  put_if(p, n->path.selector == AST_SHORTEST_PATH_FUNCTION || n->path.selector == AST_ALL_SHORTEST_PATHS_FUNCTION, ")");
}

void print_pattern(struct printer *p, const struct ast *n) {
  switch (n->kind) {
  case AST_PATH: print_path(p, n); break;
  case AST_RELATIONSHIP: print_relationship(p, n); break;
  case AST_GROUP: print_group(p, n); break;
  default:
    put(p, "(");
    put_element(p, n->node.variable, n->node.labels);
    put_node(p, is_named(n->node.variable) || n->node.labels != NULL ? " " : "", n->node.properties, "");
    put_node(p, " WHERE ", n->node.where, "");
    put(p, ")");
  }
}

void print_node(struct printer *p, const struct ast *n) {
  if (p->err != ERR_OK) return;
  if (n->kind <= AST_SUBQUERY)
    print_expression(p, n);
  else if (n->kind <= AST_TYPE_NAME)
    print_label(p, n);
  else if (n->kind <= AST_GROUP)
    print_pattern(p, n);
  else if (n->kind <= AST_SHOW_YIELD)
    print_clause(p, n);
  else if (n->kind <= AST_DROP_CONSTRAINT)
    print_schema(p, n);
  else if (n->kind == AST_PRIVILEGE || n->kind == AST_ROLE)
    print_privilege(p, n);
  else
    print_admin(p, n);
}

enum err ast_print(struct buf *out, const struct ast *n) {
  struct printer p = {out, ERR_OK};
  print_node(&p, n);
  return p.err;
}

static void put_prefix(struct printer *p, const struct ast_statement *s) {
  const char *version = s->language == 35 ? "3.5 " : s->language == 44 ? "4.4 " : s->language == 250 ? "25 " : "";
  if (version[0] != '\0' || s->option_count > 0) put(p, "CYPHER ");
  put(p, version);
  for (uint32_t i = 0; i < s->option_count; i++) {
    put_name(p, s->options[i].key);
    put(p, "=");
    put_str(p, s->options[i].value);
    put(p, " ");
  }
  put(p, s->explain == AST_EXPLAIN ? "EXPLAIN " : s->explain == AST_PROFILE ? "PROFILE " : "");
}

static const struct ast *periodic_commit(const struct ast *root) {
  if (root->kind != AST_QUERY) return NULL;
  const struct ast *first = root->query.branches.first->single_query.clauses.first;
  return first->kind == AST_LOAD_CSV ? first->load_csv.periodic_commit : NULL;
}

enum err ast_print_statement(struct buf *out, const struct ast_statement *s) {
  struct printer p = {out, ERR_OK};
  put_prefix(&p, s);
  put_node(&p, "", s->use, " ");
  put_node(&p, "USING PERIODIC COMMIT ", periodic_commit(s->root), " ");
  print_node(&p, s->root);
  return p.err;
}
