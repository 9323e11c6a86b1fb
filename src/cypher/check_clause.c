// Clauses but for projections and calls.
#include "base/compiler.h"
#include "cypher/check_int.h"

static enum err check_unwind(struct checker *c, struct ast *n) {
  struct ast *list = n->unwind.list;
  TRY(check_plain(c, list));
  TRY(expect_undeclared(c, n->unwind.variable));
  bool elements = list->types == CYPHER_LIST && list->elements != 0;
  return declare(c, n->unwind.variable, AST_VALUE_VARIABLE, elements ? list->elements : CYPHER_ANY, CYPHER_ANY);
}

static enum err check_load_csv(struct checker *c, struct ast *n) {
  TRY(check_plain(c, n->load_csv.url));
  TRY(expect_type(c, n->load_csv.url, CYPHER_STRING));
  const struct ast *terminator = n->load_csv.terminator;
  if (terminator != NULL && terminator->literal.string.len != 1)
    return check_fail(c, terminator->offset, "CSV field terminator can only be one character wide");
  if (n->load_csv.periodic_commit != NULL) c->statement->in_transactions = true;
  TRY(expect_undeclared(c, n->load_csv.variable));
  return declare(c, n->load_csv.variable, AST_VALUE_VARIABLE, n->load_csv.with_headers ? CYPHER_MAP : CYPHER_LIST, CYPHER_STRING);
}

// SET and REMOVE.

static enum err check_property_target(struct checker *c, struct ast *target) {
  struct ast *subject = target->kind == AST_PROPERTY ? target->property.subject : target->subscript.subject;
  TRY(check_plain(c, target));
  return expect_type(c, subject, CYPHER_ENTITY);
}

static enum err check_label_names(struct checker *c, struct ast_list *labels) {
  AST_EACH(label, *labels) TRY(check_labels(c, label));
  return ERR_OK;
}

static enum err check_set_item(struct checker *c, struct ast *n) {
  switch (n->kind) {
  case AST_SET_PROPERTY: TRY(check_property_target(c, n->set_property.target)); return check_plain(c, n->set_property.value);
  case AST_SET_LABELS:
    TRY(check_plain(c, n->set_labels.target));
    TRY(expect_type(c, n->set_labels.target, CYPHER_NODE));
    return check_label_names(c, &n->set_labels.labels);
  case AST_REMOVE_PROPERTY: return check_property_target(c, n->remove_property.target);
  default:
    TRY(check_plain(c, n->set_entity.target));
    TRY(expect_type(c, n->set_entity.target, CYPHER_ENTITY));
    TRY(check_plain(c, n->set_entity.value));
    return expect_type(c, n->set_entity.value, CYPHER_MAP | CYPHER_ENTITY);
  }
}

static enum err check_set_items(struct checker *c, struct ast_list *items) {
  AST_EACH(item, *items) TRY(check_set_item(c, item));
  return ERR_OK;
}

static enum err check_merge(struct checker *c, struct ast *n) {
  TRY(check_merge_path(c, n->merge.path));
  AST_EACH(action, n->merge.actions) TRY(check_set_items(c, &action->merge_action.items));
  return ERR_OK;
}

static enum err check_delete(struct checker *c, struct ast *n) {
  AST_EACH(e, n->delete_.expressions) {
    if (e->kind == AST_HAS_LABELS)
      return check_fail(c, e->offset, "DELETE doesn't support removing labels from a node. Try REMOVE.");
    TRY(check_plain(c, e));
    TRY(expect_type(c, e, CYPHER_ENTITY | CYPHER_PATH));
  }
  return ERR_OK;
}

static enum err check_foreach(struct checker *c, struct ast *n) {
  TRY(check_plain(c, n->foreach.list));
  TRY(expect_type(c, n->foreach.list, CYPHER_LIST));
  struct scope *before = c->scope;
  if ((c->scope = scope_new(c, before)) == NULL) return c->scope = before, check_no_memory(c);
  TRY(expect_undeclared(c, n->foreach.variable));
  bool elements = n->foreach.list->types == CYPHER_LIST && n->foreach.list->elements != 0;
  TRY(declare(c, n->foreach.variable, AST_VALUE_VARIABLE, elements ? n->foreach.list->elements : CYPHER_ANY, CYPHER_ANY));
  AST_EACH(clause, n->foreach.clauses) {
    if (!clause_writes(clause) || clause->kind == AST_CALL_QUERY)
      return check_fail(c, clause->offset, "Invalid use of %s inside FOREACH", ast_kind_name(clause->kind));
    TRY(check_clause(c, clause));
  }
  c->scope = before;
  return ERR_OK;
}

static enum err check_update(struct checker *c, struct ast *n) {
  if (c->in_expression_query) return check_fail(c, n->offset, "An expression cannot contain any updates");
  c->statement->writes = true;
  switch (n->kind) {
  case AST_CREATE: return check_create(c, n);
  case AST_MERGE: return check_merge(c, n);
  case AST_SET: return check_set_items(c, &n->set.items);
  case AST_REMOVE: return check_set_items(c, &n->remove.items);
  case AST_DELETE: return check_delete(c, n);
  default: return check_foreach(c, n);
  }
}

enum err check_clause(struct checker *c, struct ast *n) {
  switch (n->kind) {
  case AST_MATCH: return check_match_pattern(c, n);
  case AST_UNWIND: return check_unwind(c, n);
  case AST_LOAD_CSV: return check_load_csv(c, n);
  case AST_WITH: return check_with(c, n);
  case AST_RETURN: return check_return(c, n);
  case AST_CALL: return check_call(c, n, false);
  case AST_CALL_QUERY: return check_call_query(c, n);
  case AST_SHOW: return check_show(c, n);
  case AST_USE:
    AST_EACH(argument, n->use.arguments) TRY(check_plain(c, argument));
    return ERR_OK;
  case AST_FINISH: return ERR_OK;
  default: return check_update(c, n);
  }
}
