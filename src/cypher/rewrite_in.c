// `n.x = 1 OR n.x = 2` to `n.x IN [1, 2]`, which an index can answer with two seeks. Both are null where n.x is null or equal to
// none and one of the values is null.
#include "cypher/rewrite_int.h"

static bool is_constant(const struct ast *n) {
  return n->kind == AST_LITERAL || n->kind == AST_PARAMETER;
}

static bool is_equality(const struct ast *n) {
  if (n->kind != AST_BINARY || n->binary.op != AST_EQ_OP || (n->flags & AST_VOLATILE) != 0) return false;
  return is_constant(n->binary.right) && !is_constant(n->binary.left);
}

static bool is_list_of_ours(const struct ast *n) {
  return n->kind == AST_BINARY && n->binary.op == AST_IN_OP && n->binary.right->kind == AST_LIST;
}

/// The operand among those kept that has the same left side: an equality, or the IN that was made of some.
static struct ast *find_partner(const struct ast_list *kept, const struct ast *equality, const struct ast *made) {
  AST_EACH(other, *kept) {
    bool candidate = is_equality(other) || (other == made && is_list_of_ours(other));
    if (candidate && ast_equal(other->binary.left, equality->binary.left)) return other;
  }
  return NULL;
}

static bool add_to_list(struct arena *a, struct ast *partner, struct ast *equality) {
  if (partner->binary.op == AST_EQ_OP) {
    struct ast *list = rewrite_new(a, AST_LIST, partner->binary.right);
    if (list == NULL) return false;
    list->types = CYPHER_LIST;
    list->elements = partner->binary.right->types;
    ast_append(&list->list.items, partner->binary.right);
    rewrite_adopt(list, partner->binary.right);
    partner->binary.op = AST_IN_OP;
    partner->binary.right = list;
  }
  struct ast *list = partner->binary.right;
  list->elements |= equality->binary.right->types;
  ast_append(&list->list.items, equality->binary.right);
  rewrite_adopt(partner, list);
  return true;
}

struct ast *rewrite_or_to_in(struct arena *a, struct ast *n) {
  struct ast_list kept = {0};
  struct ast *made = NULL; // looked at first: most disjunctions have one left side
  for (struct ast *item = n->logical.operands.first, *next; item != NULL; item = next) {
    next = item->next;
    item->next = NULL;
    struct ast *partner = NULL;
    if (is_equality(item)) {
      bool again = made != NULL && ast_equal(made->binary.left, item->binary.left);
      partner = again ? made : kept.count <= 32 ? find_partner(&kept, item, made) : NULL;
    }
    if (partner == NULL) {
      ast_append(&kept, item);
    } else if (add_to_list(a, partner, item)) {
      made = partner;
    } else {
      return NULL;
    }
  }
  n->logical.operands = kept;
  return kept.count == 1 ? kept.first : n;
}
