// Chains, negations, nested conjunctions and disjunctions.
#include "cypher/rewrite_int.h"

static struct ast *comparison(struct arena *a, uint32_t op, struct ast *left, struct ast *right) {
  struct ast *n = rewrite_new(a, AST_BINARY, left);
  if (n == NULL) return NULL;
  n->end = right->end;
  n->binary.op = op;
  n->binary.left = left;
  n->binary.right = right;
  rewrite_adopt(n, left);
  rewrite_adopt(n, right);
  return n;
}

/// A volatile operand in the middle would be evaluated twice: such a chain stays.
static bool has_volatile_middle(const struct ast *n) {
  AST_EACH(link, n->comparison_chain.links)
    if (link->next != NULL && (link->comparison_link.operand->flags & AST_VOLATILE) != 0) return true;
  return false;
}

struct ast *rewrite_chain(struct arena *a, struct ast *n) {
  if (has_volatile_middle(n)) return n;
  struct ast *all = rewrite_new(a, AST_LOGICAL, n), *left = n->comparison_chain.first;
  if (all == NULL) return NULL;
  all->logical.op = AST_AND_OP;
  AST_EACH(link, n->comparison_chain.links) {
    struct ast *right = link->comparison_link.operand;
    struct ast *one = comparison(a, link->comparison_link.op, left, right);
    left = link->next != NULL ? ast_copy(a, right) : right;
    if (one == NULL || left == NULL) return NULL;
    ast_append(&all->logical.operands, one);
    rewrite_adopt(all, one);
  }
  return all;
}

static struct ast *negated(struct arena *a, struct ast *operand) {
  struct ast *n = rewrite_new(a, AST_UNARY, operand);
  if (n == NULL) return NULL;
  n->unary.op = AST_NOT_OP;
  n->unary.operand = operand;
  rewrite_adopt(n, operand);
  return rewrite_not(a, n);
}

/// De Morgan, which holds with null as well (Kleene's logic).
static struct ast *negate_logical(struct arena *a, struct ast *n) {
  struct ast_list operands = {0};
  for (struct ast *item = n->logical.operands.first, *next; item != NULL; item = next) {
    next = item->next;
    item->next = NULL;
    struct ast *other = negated(a, item);
    if (other == NULL) return NULL;
    ast_append(&operands, other);
    rewrite_adopt(n, other);
  }
  n->logical.operands = operands;
  n->logical.op = n->logical.op == AST_AND_OP ? AST_OR_OP : AST_AND_OP;
  return rewrite_flat(n);
}

/// `NOT a < b` is not `a >= b` where NaN is one of them, so only equality turns round.
struct ast *rewrite_not(struct arena *a, struct ast *n) {
  struct ast *operand = n->unary.operand;
  switch (operand->kind) {
  case AST_LOGICAL: return operand->logical.op != AST_XOR_OP ? negate_logical(a, operand) : n;
  case AST_UNARY:
    if (operand->unary.op != AST_NOT_OP || operand->unary.operand->types != CYPHER_BOOLEAN) return n;
    return operand->unary.operand;
  case AST_BINARY:
    if (operand->binary.op != AST_EQ_OP && operand->binary.op != AST_NE_OP) return n;
    operand->binary.op = operand->binary.op == AST_EQ_OP ? AST_NE_OP : AST_EQ_OP;
    return operand;
  case AST_IS_NULL: operand->is_null.negated = !operand->is_null.negated; return operand;
  default: return n;
  }
}

struct ast *rewrite_flat(struct ast *n) {
  struct ast_list operands = {0};
  for (struct ast *item = n->logical.operands.first, *next; item != NULL; item = next) {
    next = item->next;
    item->next = NULL;
    bool same = item->kind == AST_LOGICAL && item->logical.op == n->logical.op && n->logical.op != AST_XOR_OP;
    if (!same) {
      ast_append(&operands, item);
      continue;
    }
    for (struct ast *inner = item->logical.operands.first, *after; inner != NULL; inner = after) {
      after = inner->next;
      inner->next = NULL;
      ast_append(&operands, inner);
    }
  }
  n->logical.operands = operands;
  return n;
}
