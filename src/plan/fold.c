// Constant folding: an expression of nothing but literals is computed once, by whoever can compute (plan_options.folding). Functions that
// may differ from call to call, read a clock or the graph stay; so does what fails, to fail when it is run, and what has no literal form.
#include <string.h>

#include "plan/fold.h"

// A longer text stays as the expression that makes it: a plan is kept for long, and what such a text is put into might multiply it again.
enum { FOLDED_TEXT_BYTES_MAX = 4096 };

static bool is_literal(const struct ast *n) {
  return n->kind == AST_LITERAL;
}

static bool all_literals(const struct ast_list *l) {
  AST_EACH(n, *l)
    if (!is_literal(n)) return false;
  return true;
}

/// Children are folded before, so only one level has to be looked at.
static bool is_foldable(const struct ast *n) {
  const uint8_t moving = CYPHER_AGGREGATING | CYPHER_VOLATILE | CYPHER_CLOCK | CYPHER_GRAPH;
  switch (n->kind) {
  case AST_UNARY: return is_literal(n->unary.operand);
  case AST_BINARY: // a pattern of text may take a tenth of a second
    return n->binary.op != AST_MATCHES_OP && is_literal(n->binary.left) && is_literal(n->binary.right);
  case AST_LOGICAL: return all_literals(&n->logical.operands);
  case AST_FUNCTION:
    return n->function.signature != NULL && n->function.signature->id != CYPHER_FN_USER && !(n->function.signature->flags & moving) &&
           all_literals(&n->function.arguments);
  default: return false;
  }
}

/// The literal of a value; NULL in `*ret` where it has none.
static enum err literal_of(struct planner *p, const struct ast *from, struct value v, struct ast **ret) {
  enum ast_literal type;
  *ret = NULL;
  switch (v.type) {
  case VALUE_NULL: type = AST_NULL; break;
  case VALUE_BOOL: type = AST_BOOLEAN; break;
  case VALUE_INT: type = AST_INTEGER; break;
  case VALUE_FLOAT: type = AST_FLOAT; break;
  case VALUE_STRING:
    if (v.len > FOLDED_TEXT_BYTES_MAX) return ERR_OK;
    type = AST_STRING;
    break;
  default: return ERR_OK;
  }
  struct ast *n = ast_new(p->arena, AST_LITERAL, from->offset);
  PLAN_ALLOC(p, n);
  n->end = from->end;
  n->at = from->at;
  n->height = 1;
  n->types = from->types;
  n->literal.type = type;
  if (type == AST_BOOLEAN) n->literal.boolean = v.b;
  if (type == AST_INTEGER) n->literal.integer = v.i;
  if (type == AST_FLOAT) n->literal.number = v.f;
  if (type == AST_STRING) {
    n->literal.string = arena_str(p->arena, v_text(v));
    PLAN_ALLOC(p, n->literal.string.ptr);
  }
  *ret = n;
  return ERR_OK;
}

struct folding {
  struct planner *p;
  enum err err;
};

static struct ast *fold_node(struct ast *n, void *context) {
  struct folding *f = context;
  const struct plan_folding *how = f->p->options->folding;
  struct ast *literal = NULL;
  struct value v;
  if (!ast_map_children(n, fold_node, f)) return NULL;
  if (!is_foldable(n)) return n;
  struct error ignored = ERROR_INIT;
  enum err err = how->evaluate(how->context, n, &f->p->scratch, &v, &ignored);
  if (err == ERR_OK) f->err = literal_of(f->p, n, v, &literal);
  if (f->err != ERR_OK) return NULL;
  return literal != NULL ? literal : n;
}

enum err pass_fold(struct planner *p) {
  struct folding f = {p, ERR_OK};
  if (p->options->folding == NULL) return ERR_OK;
  return ast_map_children(p->statement->root, fold_node, &f) ? ERR_OK : f.err != ERR_OK ? f.err : planner_nomem(p);
}
