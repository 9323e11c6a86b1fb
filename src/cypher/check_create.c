// Patterns that write: CREATE and MERGE. Each element's properties see what was declared before it, not itself.
#include "base/compiler.h"
#include "cypher/check_int.h"

static enum err check_created_labels(struct checker *c, struct ast *labels, const char *clause) {
  if (labels == NULL) return ERR_OK;
  if (labels->kind == AST_LABEL_AND) {
    AST_EACH(operand, labels->label_and.operands) TRY(check_created_labels(c, operand, clause));
    return ERR_OK;
  }
  if (labels->kind == AST_LABEL || labels->kind == AST_LABEL_DYNAMIC) return check_labels(c, labels);
  return check_fail(c, labels->offset,
                    "Label expressions in patterns are not allowed in a %s clause, except for conjunctions of labels", clause);
}

static enum err check_properties(struct checker *c, struct ast *properties, const char *clause) {
  if (properties == NULL) return ERR_OK;
  bool merge = clause[0] == 'M';
  struct str name = properties->kind == AST_PARAMETER ? properties->parameter.name : STR_NONE;
  if (merge && properties->kind == AST_PARAMETER)
    return check_fail(c, properties->offset,
                      "Parameter maps cannot be used in `MERGE` patterns (use a literal map instead, e.g. `{id: $%.*s.id}`)",
                      STR_ARG(name));
  return check_plain(c, properties);
}

static enum err refuse_where(struct checker *c, const struct ast *where, const char *clause) {
  if (where == NULL) return ERR_OK;
  return check_fail(c, where->offset, "A WHERE predicate is not allowed in a pattern of %s", clause);
}

static enum err new_slot_for(struct checker *c, struct ast **variable, struct ast *element, enum ast_variable_kind kind,
                             cypher_types types) {
  element->flags |= AST_DECLARES;
  if (*variable != NULL) return declare(c, *variable, kind, types, CYPHER_ANY);
  if ((*variable = ast_new(c->arena, AST_VARIABLE, element->offset)) == NULL) return check_no_memory(c);
  (*variable)->flags |= AST_ANONYMOUS | AST_DECLARES;
  (*variable)->types = types;
  struct ast_slot slot = {.name = STR(""), .kind = kind, .offset = element->offset, .types = types, .elements = CYPHER_ANY};
  return slot_new(c, slot, &(*variable)->variable.slot);
}

static enum err use_bound_node(struct checker *c, struct ast *n, bool alone) {
  struct ast *variable = n->node.variable;
  TRY(resolve(c, variable));
  struct str name = variable->variable.name;
  if (variable->types != 0 && (variable->types & CYPHER_NODE) == 0) {
    struct str actual = cypher_types_text(c->arena, variable->types, variable->elements);
    return check_fail(c, variable->offset, "Type mismatch: %.*s defined with conflicting type %.*s (expected Node)",
                      STR_ARG(name), STR_ARG(actual));
  }
  if (alone || n->node.labels != NULL || n->node.properties != NULL)
    return check_fail(c, variable->offset, "Variable `%.*s` already declared", STR_ARG(name));
  return ERR_OK;
}

static enum err check_node(struct checker *c, struct ast *n, bool alone, const char *clause) {
  TRY(refuse_where(c, n->node.where, clause));
  struct ast *variable = n->node.variable;
  if (variable != NULL && scope_find(c->scope, variable->variable.name) != AST_NO_SLOT) return use_bound_node(c, n, alone);
  TRY(check_created_labels(c, n->node.labels, clause));
  TRY(check_properties(c, n->node.properties, clause));
  return new_slot_for(c, &n->node.variable, n, AST_NODE_VARIABLE, CYPHER_NODE);
}

static enum err check_shape(struct checker *c, const struct ast *n, const char *clause, bool directed) {
  if (n->relationship.length != AST_ONE)
    return check_fail(c, n->offset, "Variable length relationships cannot be used in %s", clause);
  const struct ast *types = n->relationship.types;
  if (types == NULL || (types->kind != AST_LABEL && types->kind != AST_LABEL_DYNAMIC))
    return check_fail(
        c, n->offset,
        "A single relationship type must be specified for %s. Did you forget to prefix your relationship type with a ':'?",
        clause);
  bool one_way = n->relationship.direction == AST_OUTGOING || n->relationship.direction == AST_INCOMING;
  if (directed && !one_way) return check_fail(c, n->offset, "Only directed relationships are supported in %s", clause);
  return ERR_OK;
}

static enum err check_relationship(struct checker *c, struct ast *n, const char *clause) {
  if (n->relationship.variable != NULL) TRY(expect_undeclared(c, n->relationship.variable));
  TRY(check_shape(c, n, clause, clause[0] == 'C' || clause[0] == 'I'));
  TRY(refuse_where(c, n->relationship.where, clause));
  TRY(check_labels(c, n->relationship.types));
  TRY(check_properties(c, n->relationship.properties, clause));
  return new_slot_for(c, &n->relationship.variable, n, AST_RELATIONSHIP_VARIABLE, CYPHER_RELATIONSHIP);
}

static enum err check_path(struct checker *c, struct ast *path, const char *clause) {
  if (path->path.selector != AST_ALL_PATHS) return check_fail(c, path->offset, "shortestPath(...) cannot be used to %s", clause);
  bool alone = path->path.elements.count == 1;
  AST_EACH(element, path->path.elements)
    TRY(element->kind == AST_NODE ? check_node(c, element, alone, clause) : check_relationship(c, element, clause));
  if (path->path.variable == NULL) return ERR_OK;
  TRY(expect_undeclared(c, path->path.variable));
  return declare(c, path->path.variable, AST_PATH_VARIABLE, CYPHER_PATH, CYPHER_ANY);
}

enum err check_create(struct checker *c, struct ast *create) {
  AST_EACH(path, create->create.paths) TRY(check_path(c, path, create->create.insert ? "INSERT" : "CREATE"));
  return ERR_OK;
}

enum err check_merge_path(struct checker *c, struct ast *path) {
  return check_path(c, path, "MERGE");
}
