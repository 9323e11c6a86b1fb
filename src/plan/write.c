// CREATE, SET, REMOVE, DELETE, FOREACH.
#include "plan/plan_int.h"

enum err plan_label_names(struct planner *p, struct chain *c, const struct ast *labels, enum graph_token_kind kind, struct list_builder *names,
                          struct exprs_builder *dynamic) {
  if (labels == NULL) return ERR_OK;
  plan_name_id name;
  const struct ast *ready;
  switch (labels->kind) {
  case AST_LABEL: TRY(planner_name(p, kind, labels->label.name, &name)); return list_add(p, names, name);
  case AST_LABEL_DYNAMIC:
    TRY(plan_expression(p, c, labels->label_dynamic.expression, &ready));
    return exprs_add(p, dynamic, ready);
  case AST_LABEL_AND: {
    AST_EACH(operand, labels->label_and.operands) TRY(plan_label_names(p, c, operand, kind, names, dynamic));
    return ERR_OK;
  }
  default: return planner_unsupported(p, labels, "A label expression where labels are set");
  }
}

struct create_items {
  struct plan_create_item *items;
  uint32_t count, room;
};

static bool is_made(const struct create_items *made, uint32_t slot) {
  for (uint32_t i = 0; i < made->count; i++)
    if (made->items[i].slot == slot) return true;
  return false;
}

static enum err add_item(struct planner *p, struct chain *c, struct create_items *made, struct plan_create_item item, const struct ast *labels,
                         const struct ast *properties) {
  struct list_builder names = {0};
  struct exprs_builder dynamic = {0};
  TRY(plan_label_names(p, c, labels, item.kind == GRAPH_NODE ? GRAPH_LABEL : GRAPH_TYPE, &names, &dynamic));
  if (properties != NULL) TRY(plan_expression(p, c, properties, &item.properties));
  item.labels = list_of(&names);
  item.dynamic_labels = exprs_of(&dynamic);
  TRY(array_room(p, &made->items, made->count, &made->room, sizeof *made->items));
  made->items[made->count++] = item;
  return ERR_OK;
}

static enum err element_slot(struct planner *p, const struct ast *variable, enum ast_variable_kind kind, uint32_t *ret) {
  if (variable == NULL) return planner_slot(p, STR(""), kind, ret);
  *ret = variable->variable.slot;
  return ERR_OK;
}

/// The nodes of one path, then its relationships; `slots` are those of its nodes in order.
static enum err create_path(struct planner *p, struct chain *c, const struct ast *path, struct create_items *made) {
  struct list_builder slots = {0};
  uint32_t slot, at = 0;
  AST_EACH(n, path->path.elements) {
    if (n->kind == AST_GROUP) return planner_unsupported(p, n, "A quantified path pattern in CREATE or MERGE");
    if (n->kind != AST_NODE) continue;
    TRY(element_slot(p, n->node.variable, AST_NODE_VARIABLE, &slot));
    TRY(list_add(p, &slots, slot));
    if (bits_has(&c->bound, slot) || is_made(made, slot)) continue;
    struct plan_create_item item = {.kind = GRAPH_NODE, .slot = slot, .start = PLAN_NONE, .end = PLAN_NONE};
    TRY(add_item(p, c, made, item, n->node.labels, n->node.properties));
  }
  AST_EACH(n, path->path.elements) {
    if (n->kind != AST_RELATIONSHIP) continue;
    bool reversed = n->relationship.direction == AST_INCOMING;
    TRY(element_slot(p, n->relationship.variable, AST_RELATIONSHIP_VARIABLE, &slot));
    struct plan_create_item item = {.kind = GRAPH_REL, .slot = slot, .start = slots.items[at + reversed], .end = slots.items[at + !reversed]};
    TRY(add_item(p, c, made, item, n->relationship.types, n->relationship.properties));
    at++;
  }
  return ERR_OK;
}

enum err plan_create_paths(struct planner *p, struct chain *c, const struct ast *const *paths, uint32_t count, struct plan_create *ret) {
  struct create_items made = {0};
  for (uint32_t i = 0; i < count; i++) TRY(create_path(p, c, paths[i], &made));
  *ret = (struct plan_create){made.items, made.count};
  return ERR_OK;
}

/// `p = (a)-[r]->(b)` in CREATE or MERGE.
enum err plan_written_path(struct planner *p, struct chain *c, const struct ast *path) {
  if (path->path.variable == NULL) return ERR_OK;
  struct plan_path_step *steps = ARENA_ARRAY(p->arena, struct plan_path_step, path->path.elements.count);
  PLAN_ALLOC(p, steps);
  uint32_t count = 0;
  AST_EACH(n, path->path.elements) {
    if (n->kind != AST_RELATIONSHIP) continue;
    steps[count].list = false;
    TRY(list_one(p, n->relationship.variable->variable.slot, &steps[count].rels));
    count++;
  }
  struct plan_op *op;
  TRY(chain_push(p, c, PLAN_PROJECT_PATH, &op));
  uint32_t start = path->path.elements.first->node.variable->variable.slot;
  op->project_path = (struct plan_project_path){path->path.variable->variable.slot, start, steps, count};
  return chain_bind(p, c, op->project_path.out);
}

static bool has_subquery(const struct ast *create) {
  AST_EACH(path, create->create.paths)
    if (expression_has_subquery(path)) return true;
  return false;
}

/// CREATE clauses that follow each other are one operator: a script of thousands of them is no tower.
enum err plan_create(struct planner *p, struct chain *c, const struct ast *first, const struct ast **ret_next) {
  struct exprs_builder paths = {0};
  const struct ast *clause = first;
  do {
    AST_EACH(path, clause->create.paths) TRY(exprs_add(p, &paths, path));
    clause = clause->next;
  } while (clause != NULL && clause->kind == AST_CREATE && !has_subquery(clause));
  *ret_next = clause;
  struct plan_create create;
  struct plan_op *op;
  TRY(plan_create_paths(p, c, paths.items, paths.count, &create));
  TRY(chain_push(p, c, PLAN_CREATE, &op));
  op->create = create;
  op->writes = true;
  for (uint32_t i = 0; i < create.count; i++) TRY(chain_bind(p, c, create.items[i].slot));
  for (uint32_t i = 0; i < paths.count; i++) TRY(plan_written_path(p, c, paths.items[i]));
  return ERR_OK;
}

static enum err property_target(struct planner *p, struct chain *c, const struct ast *target, struct plan_set_item *ret) {
  if (target->kind == AST_PROPERTY) {
    ret->kind = PLAN_SET_PROPERTY;
    TRY(planner_name(p, GRAPH_KEY, target->property.key, &ret->key));
    return plan_expression(p, c, target->property.subject, &ret->target);
  }
  ret->kind = PLAN_SET_PROPERTY_DYNAMIC;
  TRY(plan_expression(p, c, target->subscript.index, &ret->key_expression));
  return plan_expression(p, c, target->subscript.subject, &ret->target);
}

static enum err set_labels(struct planner *p, struct chain *c, const struct ast *n, enum plan_set_kind kind, struct plan_set_item *ret) {
  struct list_builder names = {0};
  struct exprs_builder dynamic = {0};
  ret->kind = kind;
  AST_EACH(label, n->set_labels.labels) TRY(plan_label_names(p, c, label, GRAPH_LABEL, &names, &dynamic));
  ret->labels = list_of(&names);
  ret->dynamic_labels = exprs_of(&dynamic);
  return plan_expression(p, c, n->set_labels.target, &ret->target);
}

static enum err set_item(struct planner *p, struct chain *c, const struct ast *n, bool remove, struct plan_set_item *ret) {
  *ret = (struct plan_set_item){.key = PLAN_NONE};
  switch (n->kind) {
  case AST_SET_PROPERTY:
    TRY(property_target(p, c, n->set_property.target, ret));
    return plan_expression(p, c, n->set_property.value, &ret->value);
  case AST_REMOVE_PROPERTY: return property_target(p, c, n->remove_property.target, ret);
  case AST_SET_ENTITY:
    ret->kind = n->set_entity.add ? PLAN_ADD_PROPERTIES : PLAN_SET_PROPERTIES;
    TRY(plan_expression(p, c, n->set_entity.target, &ret->target));
    return plan_expression(p, c, n->set_entity.value, &ret->value);
  case AST_SET_LABELS: return set_labels(p, c, n, remove ? PLAN_REMOVE_LABELS : PLAN_SET_LABELS, ret);
  default: return planner_unsupported(p, n, "This assignment");
  }
}

static enum err set_items(struct planner *p, struct chain *c, const struct ast_list *items, bool remove, struct plan_set *ret) {
  struct plan_set_item *made = ARENA_ARRAY(p->arena, struct plan_set_item, items->count);
  PLAN_ALLOC(p, made);
  uint32_t count = 0;
  AST_EACH(n, *items) TRY(set_item(p, c, n, remove, &made[count++]));
  *ret = (struct plan_set){made, count};
  return ERR_OK;
}

enum err plan_set_items(struct planner *p, struct chain *c, const struct ast_list *items, struct plan_set *ret) {
  return set_items(p, c, items, false, ret);
}

static enum err push_set(struct planner *p, struct chain *c, const struct ast_list *items, bool remove) {
  struct plan_set set;
  struct plan_op *op;
  TRY(set_items(p, c, items, remove, &set));
  TRY(chain_push(p, c, PLAN_SET, &op));
  op->set = set;
  op->writes = true;
  return ERR_OK;
}

enum err plan_set(struct planner *p, struct chain *c, const struct ast *clause) {
  return push_set(p, c, &clause->set.items, false);
}

enum err plan_remove(struct planner *p, struct chain *c, const struct ast *clause) {
  return push_set(p, c, &clause->remove.items, true);
}

enum err plan_delete(struct planner *p, struct chain *c, const struct ast *clause) {
  struct exprs_builder expressions = {0};
  struct plan_op *op;
  AST_EACH(n, clause->delete_.expressions) {
    const struct ast *ready;
    TRY(plan_expression(p, c, n, &ready));
    TRY(exprs_add(p, &expressions, ready));
  }
  TRY(chain_push(p, c, PLAN_DELETE, &op));
  op->delete_ = (struct plan_delete){exprs_of(&expressions), clause->delete_.detach};
  op->writes = true;
  return ERR_OK;
}

enum err plan_foreach(struct planner *p, struct chain *c, const struct ast *clause) {
  struct chain right;
  struct plan_op *op;
  const struct ast *list;
  uint32_t variable = clause->foreach.variable->variable.slot;
  TRY(plan_expression(p, c, clause->foreach.list, &list));
  TRY(chain_right(p, c, &right));
  TRY(chain_bind(p, &right, variable));
  TRY(plan_clauses(p, &right, &clause->foreach.clauses));
  TRY(chain_push2(p, c, PLAN_FOREACH, right.op, &op));
  op->foreach = (struct plan_foreach){variable, list};
  op->writes = true;
  return ERR_OK;
}
