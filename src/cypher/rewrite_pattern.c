// Predicates of pattern elements to the WHERE around the pattern, and tests for existence to subqueries.
#include "cypher/rewrite_int.h"

static struct ast *variable_use(struct arena *a, const struct ast *variable) {
  struct ast *n = ast_copy(a, variable);
  if (n != NULL) n->flags = (uint8_t) (n->flags & ~AST_DECLARES);
  return n;
}

static struct ast *has_labels(struct arena *a, const struct ast *variable, struct ast *labels) {
  struct ast *n = rewrite_new(a, AST_HAS_LABELS, labels);
  if (n == NULL || (n->has_labels.subject = variable_use(a, variable)) == NULL) return NULL;
  n->has_labels.labels = labels;
  rewrite_adopt(n, labels);
  return n;
}

/// n.key = value
static struct ast *property_equals(struct arena *a, const struct ast *variable, struct ast *entry) {
  struct ast *n = rewrite_new(a, AST_BINARY, entry), *property = rewrite_new(a, AST_PROPERTY, entry);
  if (n == NULL || property == NULL || (property->property.subject = variable_use(a, variable)) == NULL) return NULL;
  property->property.key = entry->map_entry.key;
  property->types = property->elements = CYPHER_ANY;
  property->height = 2;
  n->binary.op = AST_EQ_OP;
  n->binary.left = property;
  n->binary.right = entry->map_entry.value;
  rewrite_adopt(n, property);
  rewrite_adopt(n, n->binary.right);
  return n;
}

static bool add(struct arena *a, struct ast **where, struct ast *predicate) {
  if (predicate == NULL) return false;
  *where = rewrite_and(a, *where, predicate);
  return *where != NULL;
}

static bool move_properties(struct arena *a, const struct ast *variable, struct ast **properties, struct ast **where) {
  if (*properties == NULL || (*properties)->kind != AST_MAP) return true;
  AST_EACH(entry, (*properties)->map.entries)
    if (!add(a, where, property_equals(a, variable, entry))) return false;
  *properties = NULL;
  return true;
}

static bool move_where(struct arena *a, struct ast **inner, struct ast **where) {
  struct ast *predicate = *inner;
  *inner = NULL;
  return predicate == NULL || add(a, where, predicate);
}

static bool move_from_node(struct arena *a, struct ast *n, struct ast **where) {
  if (n->node.labels != NULL && !add(a, where, has_labels(a, n->node.variable, n->node.labels))) return false;
  n->node.labels = NULL;
  return move_properties(a, n->node.variable, &n->node.properties, where) && move_where(a, &n->node.where, where);
}

/// One type or some to choose from: what an expansion takes directly.
static bool are_plain_types(const struct ast *types) {
  if (types->kind != AST_LABEL_OR) return types->kind == AST_LABEL;
  AST_EACH(type, types->label_or.operands)
    if (type->kind != AST_LABEL) return false;
  return true;
}

static bool move_from_relationship(struct arena *a, struct ast *n, struct ast **where) {
  if (n->relationship.length != AST_ONE) return true;
  const struct ast *variable = n->relationship.variable;
  if (n->relationship.types != NULL && !are_plain_types(n->relationship.types)) {
    if (!add(a, where, has_labels(a, variable, n->relationship.types))) return false;
    n->relationship.types = NULL;
  }
  return move_properties(a, variable, &n->relationship.properties, where) && move_where(a, &n->relationship.where, where);
}

/// Inside of a quantified group the predicates are the group's.
static bool move_from_group(struct arena *a, struct ast *n, struct ast **where) {
  if (n->group.length != AST_QUANTIFIED) return rewrite_path(a, n->group.path, where) && move_where(a, &n->group.where, where);
  struct ast *inner = NULL;
  if (!rewrite_path(a, n->group.path, &inner)) return false;
  if (inner == NULL) return true;
  n->group.where = rewrite_and(a, inner, n->group.where);
  return n->group.where != NULL;
}

static bool has_selector(const struct ast *path) {
  uint32_t selector = path->path.selector;
  return selector != AST_ALL_PATHS && selector != AST_ALL_PATHS_WORD && selector != AST_SHORTEST_PATH_FUNCTION &&
         selector != AST_ALL_SHORTEST_PATHS_FUNCTION;
}

bool rewrite_path(struct arena *a, struct ast *path, struct ast **where) {
  if (has_selector(path)) return true;
  AST_EACH(element, path->path.elements) {
    bool ok = element->kind == AST_NODE           ? move_from_node(a, element, where)
              : element->kind == AST_RELATIONSHIP ? move_from_relationship(a, element, where)
                                                  : move_from_group(a, element, where);
    if (!ok) return false;
  }
  return true;
}

struct ast *rewrite_pattern_expression(struct arena *a, struct ast *n) {
  struct ast *path = n->pattern_expression.path;
  if (path->path.selector != AST_ALL_PATHS) return n;
  struct ast *exists = rewrite_new(a, AST_SUBQUERY, n), *query = rewrite_new(a, AST_QUERY, n);
  struct ast *single = rewrite_new(a, AST_SINGLE_QUERY, n), *match = rewrite_new(a, AST_MATCH, n);
  if (exists == NULL || query == NULL || single == NULL || match == NULL) return NULL;
  if (!rewrite_path(a, path, &match->match.where)) return NULL;
  ast_append(&match->match.paths, path);
  ast_append(&single->single_query.clauses, match);
  ast_append(&query->query.branches, single);
  exists->subquery.op = AST_EXISTS;
  exists->subquery.query = query;
  match->height = (uint16_t) (path->height + 3);
  single->height = (uint16_t) (match->height + 1);
  query->height = (uint16_t) (match->height + 2);
  exists->height = (uint16_t) (match->height + 3);
  return exists;
}
