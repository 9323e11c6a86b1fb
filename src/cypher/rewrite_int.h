// What the rewrites share. All return NULL when the arena has no memory.
#pragma once

#include "base/arena.h"
#include "cypher/ast.h"

/// A predicate of `kind` where `from` stood, with type Boolean and the flags of its children (see rewrite_done).
struct ast *rewrite_new(struct arena *a, enum ast_kind kind, const struct ast *from);
/// Takes over flags and height of a child.
void rewrite_adopt(struct ast *n, const struct ast *child);
struct ast *rewrite_and(struct arena *a, struct ast *left, struct ast *right); // either may be NULL

struct ast *rewrite_chain(struct arena *a, struct ast *n);                // COMPARISON_CHAIN
struct ast *rewrite_not(struct arena *a, struct ast *n);                  // UNARY NOT
struct ast *rewrite_flat(struct ast *n);                                  // LOGICAL
struct ast *rewrite_or_to_in(struct arena *a, struct ast *n);             // LOGICAL OR
bool rewrite_path(struct arena *a, struct ast *path, struct ast **where); // moves predicates of elements to `*where`
struct ast *rewrite_pattern_expression(struct arena *a, struct ast *n);
