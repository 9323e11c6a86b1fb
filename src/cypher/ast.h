// The syntax tree of one statement.
//
// Nodes are tagged structs in the statement's arena and live as long as it; nobody frees one. Read-only once checked, so a
// cached plan may share it between threads. Which kinds there are, and the fields of each, is said in cypher/ast_kinds.h.
// A node stands in at most one list (its `next` links it), hence in one place of the tree: copy what is needed twice.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"
#include "cypher/ast_enums.h"
#include "cypher/ast_kinds.h"
#include "cypher/types.h"

struct cypher_function;  // cypher/signatures.h
struct cypher_procedure; // cypher/signatures.h

enum ast_kind {
#define AST_KIND_ENUM(name, member, fields) AST_##name,
#define AST_KIND_NOTHING(type, field)
  AST_KINDS(AST_KIND_ENUM, AST_KIND_NOTHING)
#undef AST_KIND_NOTHING
#undef AST_KIND_ENUM
      AST_KIND_MAX,
};

enum ast_flag {
  AST_AGGREGATES = 1,    // holds an aggregating function of this projection (not of a subquery within)
  AST_DECLARES = 2,      // VARIABLE: the place that introduces it; NODE, RELATIONSHIP: makes a new element
  AST_ANONYMOUS = 4,     // VARIABLE: made by the check for an element without a name; never printed
  AST_PARENTHESES = 8,   // stood in parentheses; tells `(n)` from `n` where only one is right
  AST_VOLATILE = 16,     // may differ between two evaluations: rand(), a clock, a volatile procedure
  AST_DOUBLE_COLON = 32, // -[:A|:B]-: the old spelling
  AST_IMPORTS = 64,      // WITH: the importing WITH that begins a subquery
  AST_PLANNED = 128,     // VARIABLE: made by the planner; its name is printed as it is
};

#define AST_NO_SLOT UINT32_MAX

/// Children in order. Append with ast_append; walk with AST_EACH.
struct ast_list {
  struct ast *first, *last;
  uint32_t count;
};

/// Two slots that belong together. Of a quantified group: a variable inside, and its list outside. Of a query's column: the slot
/// in the first branch, and the one under which the column leaves (the same one unless there is a UNION; branches agree by name).
struct ast_slot_pair {
  struct str name;
  uint32_t inner, outer;
};

struct ast_slots {
  const struct ast_slot_pair *items;
  uint32_t count;
};

struct ast {
  uint8_t kind;          // enum ast_kind
  uint8_t flags;         // enum ast_flag
  uint16_t height;       // 1 for a leaf; the parser limits it, so that recursion over a tree is bounded
  uint32_t offset, end;  // the slice of the statement's text; `offset` is what an error points at
  uint32_t at;           // where messages about this node point: for a binary expression the operator, else `offset`
  cypher_types types;    // set by the check: what an expression can be
  cypher_types elements; // and, where it can be a list, what its elements can be
  struct ast *next;
  union {
#define AST_TYPE_node struct ast *
#define AST_TYPE_list struct ast_list
#define AST_TYPE_str struct str
#define AST_TYPE_i64 int64_t
#define AST_TYPE_f64 double
#define AST_TYPE_flag bool
#define AST_TYPE_code uint32_t
#define AST_TYPE_slot uint32_t
#define AST_TYPE_slots struct ast_slots
#define AST_TYPE_function const struct cypher_function *
#define AST_TYPE_procedure const struct cypher_procedure *
#define AST_KIND_STRUCT(name, member, fields) \
  struct ast_##member##_node {                \
    fields                                    \
  } member;
#define AST_KIND_FIELD(type, field) AST_TYPE_##type field;
    AST_KINDS(AST_KIND_STRUCT, AST_KIND_FIELD)
#undef AST_KIND_FIELD
#undef AST_KIND_STRUCT
  };
};

#define AST_EACH(item, list) for (struct ast *item = (list).first; item != NULL; item = item->next)

/// What a variable stands for.
enum ast_variable_kind {
  AST_VALUE_VARIABLE,
  AST_NODE_VARIABLE,
  AST_RELATIONSHIP_VARIABLE,
  AST_PATH_VARIABLE,
  AST_NODE_GROUP_VARIABLE,         // a list of nodes, from a quantified path pattern
  AST_RELATIONSHIP_GROUP_VARIABLE, // a list of relationships, from -[r*]- or a quantified path pattern
};

/// One variable of the statement. `WITH a` and `WITH a AS a` keep the slot of `a`; `WITH a AS b` makes another.
struct ast_slot {
  struct str name; // empty for anonymous elements
  uint8_t kind;    // enum ast_variable_kind
  bool nullable;   // may be null: from OPTIONAL MATCH or a value
  uint32_t offset; // where it was declared
  cypher_types types, elements;
};

enum ast_query_type { AST_READ, AST_WRITE, AST_READ_WRITE, AST_SCHEMA }; // Bolt's "r", "w", "rw", "s"
enum ast_explain { AST_RUN, AST_EXPLAIN, AST_PROFILE };
enum ast_statement_kind { AST_STATEMENT_QUERY, AST_STATEMENT_SCHEMA, AST_STATEMENT_SHOW, AST_STATEMENT_ADMIN };

/// A word of the CYPHER prefix: `runtime=slotted`.
struct ast_option {
  struct str key, value;
};

/// A column of the result. `slot` is AST_NO_SLOT for columns of commands, which come in their own order.
struct ast_column {
  struct str name;
  uint32_t slot;
};

struct ast_statement {
  struct arena *arena;
  struct str text;         // as parsed (Unicode escapes replaced); offsets count its bytes
  struct str original;     // as sent; the same where there were no escapes
  const uint32_t *escapes; // where in `text` each stood
  uint32_t escape_count;
  struct ast *root;  // QUERY; a schema or administration node; SHOW and TERMINATE stand in a QUERY like clauses
  struct ast *use;   // USE in front of a schema or administration command; NULL without one
  uint8_t kind;      // enum ast_statement_kind
  uint8_t explain;   // enum ast_explain
  uint16_t language; // 35, 44, 50 or 250: of the CYPHER prefix, else of the options
  const struct ast_option *options;
  uint32_t option_count;

  // Filled by cypher_check.
  bool checked;
  uint8_t query_type;   // enum ast_query_type
  bool writes;          // holds an updating clause or calls a procedure that writes
  bool in_transactions; // CALL { } IN TRANSACTIONS or PERIODIC COMMIT: needs an implicit transaction
  bool uses_clock;      // date(), datetime() ...: the statement's clock must be fixed
  const struct ast_slot *slots;
  uint32_t slot_count;
  const struct str *parameters; // names, each once, in order of appearance
  uint32_t parameter_count;
  const struct ast_column *columns;
  uint32_t column_count;
  uint32_t signatures_version; // of cypher_signatures at the check; part of a cached plan's key
};

// Building. All return NULL when the arena has no memory; `arena_err` tells why.

/// A zeroed node of `kind`, of just the size that this kind needs.
struct ast *ast_new(struct arena *a, enum ast_kind kind, uint32_t offset);
void ast_append(struct ast_list *list, struct ast *item);
/// A deep copy, slots, types and flags included; not in any list.
struct ast *ast_copy(struct arena *a, const struct ast *from);

// Walking.

enum ast_field_type {
  AST_FIELD_end,
  AST_FIELD_node,
  AST_FIELD_list,
  AST_FIELD_str,
  AST_FIELD_i64,
  AST_FIELD_f64,
  AST_FIELD_flag,
  AST_FIELD_code,
  AST_FIELD_slot,
  AST_FIELD_slots,
  AST_FIELD_function,
  AST_FIELD_procedure,
};

/// One field of a kind: where it lies in `struct ast`. A table of them ends with AST_FIELD_end.
struct ast_field {
  enum ast_field_type type;
  uint32_t offset;
  const char *name;
};

const struct ast_field *ast_fields(enum ast_kind kind);
const char *ast_kind_name(enum ast_kind kind); // "HAS_LABELS"
bool ast_is_expression(enum ast_kind kind);

/// Calls `enter` for `n` and, while it returns true, for everything below it, in source order of the fields. Depth first.
/// `enter` may change the node's fields, not its place.
void ast_visit(struct ast *n, bool (*enter)(struct ast *n, void *context), void *context);

/// Replaces every child of `n` by what `map` returns for it (itself, or another node; never NULL unless it fails). Lists
/// keep their order. False as soon as `map` returns NULL. Not recursive: `map` calls it where it wants to go deeper.
bool ast_map_children(struct ast *n, struct ast *(*map)(struct ast *child, void *context), void *context);

// Comparing: structure and contents; positions and what the check filled play no part, but for slots of variables, which
// tell two variables of one name apart once both are known.

bool ast_equal(const struct ast *a, const struct ast *b);
uint64_t ast_hash(const struct ast *n);

// Printing: canonical Cypher. Parsing it again gives an equal tree.

struct buf;
enum err ast_print(struct buf *out, const struct ast *n) NODISCARD;
enum err ast_print_statement(struct buf *out, const struct ast_statement *s) NODISCARD;

/// Printed form of an operator: "STARTS WITH".
const char *ast_op_text(enum ast_op op);
