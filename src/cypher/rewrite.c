#include "cypher/rewrite.h"

#include "base/compiler.h"
#include "cypher/rewrite_int.h"

struct ast *rewrite_new(struct arena *a, enum ast_kind kind, const struct ast *from) {
  struct ast *n = ast_new(a, kind, from->offset);
  if (n == NULL) return NULL;
  n->end = from->end;
  n->at = from->at;
  n->types = CYPHER_BOOLEAN;
  return n;
}

void rewrite_adopt(struct ast *n, const struct ast *child) {
  n->flags |= child->flags & (AST_AGGREGATES | AST_VOLATILE);
  n->height = MAX(n->height, (uint16_t) (child->height + 1));
}

static bool is_and(const struct ast *n) {
  return n->kind == AST_LOGICAL && n->logical.op == AST_AND_OP;
}

static void append_conjuncts(struct ast *n, struct ast *part) {
  rewrite_adopt(n, part);
  if (!is_and(part)) {
    ast_append(&n->logical.operands, part);
    return;
  }
  for (struct ast *item = part->logical.operands.first, *next; item != NULL; item = next) {
    next = item->next;
    item->next = NULL;
    ast_append(&n->logical.operands, item);
  }
}

struct ast *rewrite_and(struct arena *a, struct ast *left, struct ast *right) {
  if (left == NULL || right == NULL) return left != NULL ? left : right;
  if (is_and(left)) return append_conjuncts(left, right), left;
  struct ast *n = rewrite_new(a, AST_LOGICAL, left);
  if (n == NULL) return NULL;
  n->logical.op = AST_AND_OP;
  append_conjuncts(n, left);
  append_conjuncts(n, right);
  return n;
}

static struct ast *rewrite_match(struct arena *a, struct ast *n) {
  struct ast *moved = NULL;
  AST_EACH(path, n->match.paths)
    if (!rewrite_path(a, path, &moved)) return NULL;
  if (moved == NULL) return n;
  n->match.where = rewrite_and(a, moved, n->match.where);
  return n->match.where != NULL ? n : NULL;
}

static struct ast *rewrite_comprehension(struct arena *a, struct ast *n) {
  struct ast *moved = NULL;
  if (!rewrite_path(a, n->pattern_comprehension.path, &moved)) return NULL;
  if (moved == NULL) return n;
  n->pattern_comprehension.where = rewrite_and(a, moved, n->pattern_comprehension.where);
  return n->pattern_comprehension.where != NULL ? n : NULL;
}

static struct ast *rewrite_logical(struct arena *a, struct ast *n) {
  n = rewrite_flat(n);
  return n->logical.op == AST_OR_OP ? rewrite_or_to_in(a, n) : n;
}

/// From the leaves up.
static struct ast *rewrite_node(struct ast *n, void *context) {
  struct arena *a = context;
  if (!ast_map_children(n, rewrite_node, context)) return NULL;
  switch (n->kind) {
  case AST_COMPARISON_CHAIN: return rewrite_chain(a, n);
  case AST_UNARY: return n->unary.op == AST_NOT_OP ? rewrite_not(a, n) : n;
  case AST_LOGICAL: return rewrite_logical(a, n);
  case AST_MATCH: return rewrite_match(a, n);
  case AST_PATTERN_COMPREHENSION: return rewrite_comprehension(a, n);
  case AST_PATTERN_EXPRESSION: return rewrite_pattern_expression(a, n);
  default: return n;
  }
}

enum err cypher_rewrite(struct ast_statement *s, struct error *e) {
  struct ast *root = rewrite_node(s->root, s->arena);
  if (root == NULL) return arena_err(s->arena, e);
  s->root = root;
  return ERR_OK;
}
