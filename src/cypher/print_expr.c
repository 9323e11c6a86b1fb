// Canonical text of expressions. What is not a single thing stands in parentheses wherever it is part of something else.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cypher/print_int.h"

static bool is_single(const struct ast *n) {
  switch (n->kind) {
  case AST_UNARY:
  case AST_BINARY:
  case AST_LOGICAL:
  case AST_COMPARISON_CHAIN:
  case AST_IS_NULL:
  case AST_IS_TYPED:
  case AST_IS_NORMALIZED:
  case AST_HAS_LABELS:
  case AST_PATTERN_EXPRESSION: return false;
  default: return true;
  }
}

static void put_operand(struct printer *p, const struct ast *n) {
  bool single = is_single(n);
  put_if(p, !single, "(");
  print_node(p, n);
  put_if(p, !single, ")");
}

/// What a dot, a bracket or a colon may follow.
static void put_subject(struct printer *p, const struct ast *n) {
  bool bare = n->kind == AST_VARIABLE || n->kind == AST_PROPERTY || n->kind == AST_PARAMETER || n->kind == AST_FUNCTION ||
              n->kind == AST_SUBSCRIPT;
  put_if(p, !bare, "(");
  print_node(p, n);
  put_if(p, !bare, ")");
}

static void print_float(struct printer *p, double value) {
  char text[64];
  if (isnan(value) || isinf(value)) {
    put(p, isnan(value) ? "NaN" : "Infinity");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    double back;
    if (sscanf(text, "%lf", &back) == 1 && back == value) break;
  }
  put(p, text);
  put_if(p, strpbrk(text, ".e") == NULL, ".0");
}

static void print_literal(struct printer *p, const struct ast *n) {
  char text[32];
  switch (n->literal.type) {
  case AST_NULL: put(p, "null"); break;
  case AST_BOOLEAN: put(p, n->literal.boolean ? "true" : "false"); break;
  case AST_INTEGER:
    snprintf(text, sizeof text, "%lld", (long long) n->literal.integer);
    put(p, text);
    break;
  case AST_FLOAT: print_float(p, n->literal.number); break;
  default: put_string(p, n->literal.string);
  }
}

static void print_parameter(struct printer *p, const struct ast *n) {
  struct str name = n->parameter.name;
  bool number = name.len > 0 && name.ptr[0] >= '0' && name.ptr[0] <= '9';
  put(p, "$");
  if (number)
    put_str(p, name);
  else
    put_name(p, name);
}

static void print_unary(struct printer *p, const struct ast *n) {
  static const char *const texts[AST_OP_MAX] = {[AST_NOT_OP] = "NOT ", [AST_NEGATE_OP] = "-", [AST_PLUS_OP] = "+"};
  put(p, texts[n->unary.op]);
  bool number = n->unary.operand->kind == AST_LITERAL;
  put_if(p, number, "(");
  put_operand(p, n->unary.operand);
  put_if(p, number, ")");
}

static void print_binary(struct printer *p, const struct ast *n) {
  if (n->binary.left->kind != AST_CASE_OPERAND) put_operand(p, n->binary.left), put(p, " ");
  put(p, ast_op_text(n->binary.op));
  put(p, " ");
  put_operand(p, n->binary.right);
}

static void print_logical(struct printer *p, const struct ast *n) {
  AST_EACH(operand, n->logical.operands) {
    if (operand != n->logical.operands.first) put(p, " "), put(p, ast_op_text(n->logical.op)), put(p, " ");
    put_operand(p, operand);
  }
}

static void print_chain(struct printer *p, const struct ast *n) {
  put_operand(p, n->comparison_chain.first);
  AST_EACH(link, n->comparison_chain.links) {
    put(p, " "), put(p, ast_op_text(link->comparison_link.op)), put(p, " ");
    put_operand(p, link->comparison_link.operand);
  }
}

static void print_test(struct printer *p, const struct ast *operand, bool negated) {
  if (operand->kind != AST_CASE_OPERAND) put_operand(p, operand), put(p, " ");
  put(p, negated ? "IS NOT " : "IS ");
}

static void print_function(struct printer *p, const struct ast *n) {
  put_dotted_name(p, n->function.name);
  put(p, n->function.distinct ? "(DISTINCT " : "(");
  put_list(p, &n->function.arguments, ", ");
  put(p, ")");
}

static void print_case(struct printer *p, const struct ast *n) {
  put(p, "CASE");
  put_node(p, " ", n->case_.operand, "");
  AST_EACH(branch, n->case_.branches) {
    put(p, " WHEN ");
    put_list(p, &branch->case_branch.tests, ", ");
    put_node(p, " THEN ", branch->case_branch.result, "");
  }
  put_node(p, " ELSE ", n->case_.otherwise, "");
  put(p, " END");
}

static void print_list_comprehension(struct printer *p, const struct ast *n) {
  put_node(p, "[", n->list_comprehension.variable, " IN ");
  put_operand(p, n->list_comprehension.list);
  put_node(p, " WHERE ", n->list_comprehension.where, "");
  put_node(p, " | ", n->list_comprehension.projection, "");
  put(p, "]");
}

static void print_pattern_comprehension(struct printer *p, const struct ast *n) {
  put_node(p, "[", n->pattern_comprehension.path, "");
  put_node(p, " WHERE ", n->pattern_comprehension.where, "");
  put_node(p, " | ", n->pattern_comprehension.projection, "]");
}

static void print_quantifier(struct printer *p, const struct ast *n) {
  static const char *const words[] = {"all(", "any(", "none(", "single("};
  put_node(p, words[n->quantifier.op], n->quantifier.variable, " IN ");
  put_operand(p, n->quantifier.list);
  put_node(p, " WHERE ", n->quantifier.where, "");
  put(p, ")");
}

static void print_reduce(struct printer *p, const struct ast *n) {
  put_node(p, "reduce(", n->reduce.accumulator, " = ");
  put_node(p, "", n->reduce.init, ", ");
  put_node(p, "", n->reduce.variable, " IN ");
  put_operand(p, n->reduce.list);
  put_node(p, " | ", n->reduce.expression, ")");
}

static void print_subquery(struct printer *p, const struct ast *n) {
  static const char *const words[] = {"EXISTS { ", "COUNT { ", "COLLECT { "};
  put_node(p, words[n->subquery.op], n->subquery.query, " }");
}

static void print_list(struct printer *p, const struct ast *n) {
  const struct ast *first = n->list.items.first; // `[x IN y]` would be a comprehension
  bool in = n->list.items.count == 1 && first->kind == AST_BINARY && first->binary.op == AST_IN_OP;
  put(p, in ? "[(" : "[");
  put_list(p, &n->list.items, ", ");
  put(p, in ? ")]" : "]");
}

static void print_container(struct printer *p, const struct ast *n) {
  switch (n->kind) {
  case AST_MAP: put(p, "{"), put_list(p, &n->map.entries, ", "), put(p, "}"); break;
  case AST_MAP_ENTRY: put_name(p, n->map_entry.key), put_node(p, ": ", n->map_entry.value, ""); break;
  case AST_MAP_PROJECTION:
    put_node(p, "", n->map_projection.subject, " {");
    put_list(p, &n->map_projection.items, ", ");
    put(p, "}");
    break;
  case AST_MAP_PROJECTION_ALL: put(p, ".*"); break;
  case AST_MAP_PROJECTION_PROPERTY: put(p, "."), put_name(p, n->map_projection_property.key); break;
  default: print_node(p, n->map_projection_variable.variable);
  }
}

static void print_access(struct printer *p, const struct ast *n) {
  if (n->kind == AST_PROPERTY) {
    if (n->property.subject != NULL) put_subject(p, n->property.subject), put(p, "."); // none in ON :Label(key)
    put_name(p, n->property.key);
  } else if (n->kind == AST_SUBSCRIPT) {
    put_subject(p, n->subscript.subject);
    put_node(p, "[", n->subscript.index, "]");
  } else {
    put_subject(p, n->slice.subject);
    put(p, "["), put_node(p, "", n->slice.from, "");
    put(p, ".."), put_node(p, "", n->slice.to, "");
    put(p, "]");
  }
}

static void print_has_labels(struct printer *p, const struct ast *n) {
  put_subject(p, n->has_labels.subject);
  bool compound = n->has_labels.labels->kind == AST_LABEL_OR;
  put(p, compound ? ":(" : ":");
  print_label(p, n->has_labels.labels);
  put_if(p, compound, ")");
}

/// In parentheses, as a `|` may follow a type.
static void print_is_typed(struct printer *p, const struct ast *n) {
  bool test = n->is_typed.operand->kind == AST_CASE_OPERAND;
  put_if(p, !test, "(");
  print_test(p, n->is_typed.operand, n->is_typed.negated);
  put_node(p, ":: ", n->is_typed.type, "");
  put_if(p, !test, ")");
}

void print_expression(struct printer *p, const struct ast *n) {
  switch ((enum ast_kind) n->kind) {
  case AST_LITERAL: print_literal(p, n); break;
  case AST_PARAMETER: print_parameter(p, n); break;
  case AST_VARIABLE:
    if (n->flags & AST_PLANNED) {
      put_str(p, n->variable.name);
    } else {
      put_name(p, n->variable.name);
    }
    break;
  case AST_PROPERTY:
  case AST_SUBSCRIPT:
  case AST_SLICE: print_access(p, n); break;
  case AST_LIST: print_list(p, n); break;
  case AST_UNARY: print_unary(p, n); break;
  case AST_BINARY: print_binary(p, n); break;
  case AST_LOGICAL: print_logical(p, n); break;
  case AST_COMPARISON_CHAIN: print_chain(p, n); break;
  case AST_COMPARISON_LINK: put(p, ast_op_text(n->comparison_link.op)), put_node(p, " ", n->comparison_link.operand, ""); break;
  case AST_IS_NULL: print_test(p, n->is_null.operand, n->is_null.negated), put(p, "NULL"); break;
  case AST_IS_TYPED: print_is_typed(p, n); break;
  case AST_IS_NORMALIZED:
    print_test(p, n->is_normalized.operand, n->is_normalized.negated);
    put_str(p, n->is_normalized.form), put(p, " NORMALIZED");
    break;
  case AST_HAS_LABELS: print_has_labels(p, n); break;
  case AST_FUNCTION: print_function(p, n); break;
  case AST_COUNT_STAR: put(p, "count(*)"); break;
  case AST_CASE: print_case(p, n); break;
  case AST_CASE_BRANCH: put_list(p, &n->case_branch.tests, ", "), put_node(p, " THEN ", n->case_branch.result, ""); break;
  case AST_CASE_OPERAND: break;
  case AST_LIST_COMPREHENSION: print_list_comprehension(p, n); break;
  case AST_PATTERN_COMPREHENSION: print_pattern_comprehension(p, n); break;
  case AST_QUANTIFIER: print_quantifier(p, n); break;
  case AST_REDUCE: print_reduce(p, n); break;
  case AST_PATTERN_EXPRESSION: print_node(p, n->pattern_expression.path); break;
  case AST_SUBQUERY: print_subquery(p, n); break;
  default: print_container(p, n);
  }
}
