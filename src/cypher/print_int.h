// The printer's words, shared by its files. The first failure to get memory stays in `err`; everything after it does nothing.
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "cypher/ast.h"

struct printer {
  struct buf *out;
  enum err err;
};

void put(struct printer *p, const char *text);
void put_str(struct printer *p, struct str text);
void put_name(struct printer *p, struct str name);        // in backticks where needed
void put_dotted_name(struct printer *p, struct str name); // each part
void put_string(struct printer *p, struct str text);      // as a literal
void put_if(struct printer *p, bool yes, const char *text);
/// `before`, the node, `after`; nothing without a node.
void put_node(struct printer *p, const char *before, const struct ast *n, const char *after);
void put_list(struct printer *p, const struct ast_list *list, const char *between);

void print_node(struct printer *p, const struct ast *n);
void print_expression(struct printer *p, const struct ast *n);
void print_clause(struct printer *p, const struct ast *n);
void print_schema(struct printer *p, const struct ast *n);
void print_admin(struct printer *p, const struct ast *n);
void print_privilege(struct printer *p, const struct ast *n);
void print_label(struct printer *p, const struct ast *n);
void print_pattern(struct printer *p, const struct ast *n);
