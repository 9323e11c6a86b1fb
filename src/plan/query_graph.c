// Patterns to query graphs.
#include "plan/query_graph.h"

uint32_t qg_node_of(const struct query_graph *g, uint32_t slot) {
  for (uint32_t i = 0; i < g->node_count; i++)
    if (g->nodes[i].slot == slot) return i;
  return PLAN_NONE;
}

static enum err add_node(struct query_graph *g, uint32_t slot, const struct bits *bound, uint32_t *ret) {
  *ret = qg_node_of(g, slot);
  if (*ret != PLAN_NONE) return ERR_OK;
  TRY(array_room(g->p, &g->nodes, g->node_count, &g->node_room, sizeof *g->nodes));
  *ret = g->node_count;
  g->nodes[g->node_count++] = (struct qg_node){.slot = slot, .bound = bits_has(bound, slot)};
  PLAN_ADD(g->p, &g->slots, slot);
  return ERR_OK;
}

static enum err add_predicate(struct query_graph *g, const struct ast *expression) {
  TRY(array_room(g->p, &g->predicates, g->predicate_count, &g->predicate_room, sizeof *g->predicates));
  g->predicates[g->predicate_count++] = (struct qg_predicate){.expression = expression, .subject = PLAN_NONE, .name = PLAN_NONE};
  return ERR_OK;
}

enum err qg_add_predicate(struct query_graph *g, const struct ast *predicate) {
  struct exprs_builder conjuncts = {0};
  TRY(expression_conjuncts(g->p, predicate, &conjuncts));
  for (uint32_t i = 0; i < conjuncts.count; i++) TRY(add_predicate(g, conjuncts.items[i]));
  return ERR_OK;
}

/// `subject:labels` as an expression.
static enum err has_labels(struct planner *p, uint32_t slot, const struct ast *labels, const struct ast **ret) {
  const struct ast *subject;
  TRY(expression_variable(p, slot, &subject));
  struct ast *n = ast_new(p->arena, AST_HAS_LABELS, labels->offset);
  PLAN_ALLOC(p, n);
  n->has_labels.subject = (struct ast *) (uintptr_t) subject;
  n->has_labels.labels = (struct ast *) (uintptr_t) labels;
  n->height = (uint16_t) (labels->height + 1);
  n->types = CYPHER_BOOLEAN;
  *ret = n;
  return ERR_OK;
}

static enum err add_labels(struct query_graph *g, uint32_t slot, const struct ast *labels) {
  if (labels == NULL) return ERR_OK;
  if (labels->kind == AST_LABEL_AND) {
    AST_EACH(operand, labels->label_and.operands) TRY(add_labels(g, slot, operand));
    return ERR_OK;
  }
  const struct ast *predicate;
  TRY(has_labels(g->p, slot, labels, &predicate));
  return add_predicate(g, predicate);
}

/// `{key: value, ...}` as equalities; `add` takes each.
static enum err property_predicates(struct planner *p, uint32_t slot, const struct ast *properties, struct exprs_builder *ret) {
  if (properties == NULL) return ERR_OK;
  if (properties->kind != AST_MAP) return planner_unsupported(p, properties, "A parameter as the properties of a pattern in MATCH");
  AST_EACH(entry, properties->map.entries) {
    const struct ast *property, *equal;
    TRY(expression_property(p, slot, entry->map_entry.key, &property));
    TRY(expression_binary(p, AST_EQ_OP, property, entry->map_entry.value, &equal));
    TRY(exprs_add(p, ret, equal));
  }
  return ERR_OK;
}

static enum err add_properties(struct query_graph *g, uint32_t slot, const struct ast *properties) {
  struct exprs_builder equal = {0};
  TRY(property_predicates(g->p, slot, properties, &equal));
  for (uint32_t i = 0; i < equal.count; i++) TRY(add_predicate(g, equal.items[i]));
  return ERR_OK;
}

static enum err add_pattern_node(struct query_graph *g, const struct ast *n, const struct bits *bound, uint32_t *ret) {
  uint32_t slot;
  if (n->node.variable != NULL) {
    slot = n->node.variable->variable.slot;
  } else {
    TRY(planner_slot(g->p, STR(""), AST_NODE_VARIABLE, &slot));
  }
  TRY(add_node(g, slot, bound, ret));
  TRY(add_labels(g, slot, n->node.labels));
  TRY(add_properties(g, slot, n->node.properties));
  return qg_add_predicate(g, n->node.where);
}

static bool only_names(const struct ast *types) {
  if (types->kind == AST_LABEL) return true;
  if (types->kind != AST_LABEL_OR) return false;
  AST_EACH(operand, types->label_or.operands)
    if (!only_names(operand)) return false;
  return true;
}

static enum err collect_types(struct planner *p, const struct ast *types, struct list_builder *ret) {
  if (types->kind == AST_LABEL_OR) {
    AST_EACH(operand, types->label_or.operands) TRY(collect_types(p, operand, ret));
    return ERR_OK;
  }
  plan_name_id name;
  TRY(planner_name(p, GRAPH_TYPE, types->label.name, &name));
  for (uint32_t i = 0; i < ret->count; i++)
    if (ret->items[i] == name) return ERR_OK;
  return list_add(p, ret, name);
}

enum err qg_types(struct planner *p, const struct ast *types, struct plan_list *ret, bool *ret_all) {
  struct list_builder list = {0};
  *ret_all = types == NULL || only_names(types);
  if (types != NULL && *ret_all) TRY(collect_types(p, types, &list));
  *ret = list_of(&list);
  return ERR_OK;
}

static enum graph_direction direction_of(uint32_t direction) {
  return direction == AST_OUTGOING ? GRAPH_OUT : direction == AST_INCOMING ? GRAPH_IN : GRAPH_BOTH;
}

struct renaming {
  uint32_t from, to;
};

static bool rename_slot(struct ast *n, void *context) {
  const struct renaming *r = context;
  if (n->kind == AST_VARIABLE && n->variable.slot == r->from) n->variable.slot = r->to;
  return true;
}

/// What must hold for each relationship of a variable-length one: about `step_rel` in place of the list.
static enum err step_predicates(struct query_graph *g, const struct ast *n, struct qg_rel *rel, bool all_types) {
  struct planner *p = g->p;
  const struct ast *predicate;
  TRY(planner_slot(p, STR("step"), AST_RELATIONSHIP_VARIABLE, &rel->step_rel));
  TRY(planner_slot(p, STR("node"), AST_NODE_VARIABLE, &rel->step_node));
  if (!all_types) {
    TRY(has_labels(p, rel->step_rel, n->relationship.types, &predicate));
    TRY(exprs_add(p, &rel->rel_predicates, predicate));
  }
  TRY(property_predicates(p, rel->step_rel, n->relationship.properties, &rel->rel_predicates));
  if (n->relationship.where == NULL) return ERR_OK;
  struct ast *copy = ast_copy(p->arena, n->relationship.where);
  PLAN_ALLOC(p, copy);
  struct renaming renaming = {n->relationship.variable != NULL ? n->relationship.variable->variable.slot : rel->slot, rel->step_rel};
  ast_visit(copy, rename_slot, &renaming);
  if (expression_has_subquery(copy)) return planner_unsupported(p, copy, "A subquery inside a relationship of variable length");
  return expression_conjuncts(p, copy, &rel->rel_predicates);
}

static uint32_t bound_of(int64_t given, uint32_t otherwise) {
  return given < 0 ? otherwise : given >= PLAN_NONE ? PLAN_NONE - 1 : (uint32_t) given;
}

static void set_length(struct qg_rel *rel, uint32_t length, int64_t min, int64_t max) {
  rel->min = length == AST_ONE ? 1 : bound_of(min, length == AST_VARIABLE_LENGTH ? 1 : 0);
  rel->max = length == AST_ONE ? 1 : bound_of(max, PLAN_NONE);
}

static bool is_plain_node(const struct ast *n) {
  return n->kind == AST_NODE && n->node.labels == NULL && n->node.properties == NULL && n->node.where == NULL &&
         (n->node.variable == NULL || (n->node.variable->flags & AST_ANONYMOUS));
}

/// The relationship of a group that repeats just that, `()-[r:R]->()` or `-[r:R]->+`; NULL for other groups.
static const struct ast *repeated_rel(const struct ast *group) {
  const struct ast_list *elements = &group->group.path->path.elements;
  const struct ast *rel = NULL;
  if (group->group.where != NULL || group->group.path->path.variable != NULL) return NULL;
  AST_EACH(n, *elements) {
    if (n->kind == AST_NODE && is_plain_node(n)) continue;
    if (n->kind != AST_RELATIONSHIP || rel != NULL || n->relationship.length != AST_ONE) return NULL;
    rel = n;
  }
  return rel;
}

/// The list outside of what `variable` is inside a group.
static enum err list_slot(struct planner *p, const struct ast *group, const struct ast *variable, uint32_t *ret) {
  for (uint32_t i = 0; i < group->group.slots.count && variable != NULL; i++)
    if (group->group.slots.items[i].inner == variable->variable.slot) {
      *ret = group->group.slots.items[i].outer;
      return ERR_OK;
    }
  return planner_slot(p, STR(""), AST_RELATIONSHIP_GROUP_VARIABLE, ret);
}

static enum err push_rel(struct query_graph *g, const struct qg_rel *rel, uint32_t *ret) {
  TRY(array_room(g->p, &g->rels, g->rel_count, &g->rel_room, sizeof *g->rels));
  *ret = g->rel_count;
  g->rels[g->rel_count++] = *rel;
  if (rel->slot != PLAN_NONE) PLAN_ADD(g->p, &g->slots, rel->slot);
  return ERR_OK;
}

static enum err add_rel(struct query_graph *g, const struct ast *n, const struct bits *bound, struct qg_rel *rel, uint32_t *ret) {
  struct planner *p = g->p;
  bool all_types;
  const struct ast *group = n->kind == AST_GROUP ? n : NULL;
  if (group != NULL) n = repeated_rel(group);
  if (group != NULL) {
    TRY(list_slot(p, group, n->relationship.variable, &rel->slot));
  } else if (n->relationship.variable != NULL) {
    rel->slot = n->relationship.variable->variable.slot;
  } else {
    TRY(planner_slot(p, STR(""), AST_RELATIONSHIP_VARIABLE, &rel->slot));
  }
  rel->bound = bits_has(bound, rel->slot);
  rel->direction = direction_of(n->relationship.direction);
  TRY(qg_types(p, n->relationship.types, &rel->types, &all_types));
  set_length(rel, n->relationship.length, n->relationship.min, n->relationship.max);
  if (group != NULL) set_length(rel, AST_QUANTIFIED, group->group.min, group->group.max);
  if (group != NULL || n->relationship.length != AST_ONE || rel->kind == QG_SHORTEST) {
    if (rel->kind == QG_ONE) rel->kind = QG_VARIABLE;
    TRY(step_predicates(g, n, rel, all_types));
  } else {
    if (!all_types) TRY(add_labels(g, rel->slot, n->relationship.types));
    TRY(add_properties(g, rel->slot, n->relationship.properties));
    TRY(qg_add_predicate(g, n->relationship.where));
  }
  return push_rel(g, rel, ret);
}

/// Slots of the relationships inside a group, and of the lists of them outside.
static enum err group_rels(struct query_graph *g, const struct ast *group, struct list_builder *inner, struct list_builder *outer) {
  AST_EACH(n, group->group.path->path.elements) {
    if (n->kind == AST_GROUP) return planner_unsupported(g->p, n, "A quantified path pattern inside another");
    if (n->kind != AST_RELATIONSHIP || n->relationship.variable == NULL) continue;
    uint32_t list;
    TRY(list_add(g->p, inner, n->relationship.variable->variable.slot));
    TRY(list_slot(g->p, group, n->relationship.variable, &list));
    TRY(list_add(g->p, outer, list));
  }
  return ERR_OK;
}

static enum err add_group(struct query_graph *g, const struct ast *n, struct qg_rel *rel, uint32_t *ret) {
  struct list_builder inner = {0}, outer = {0};
  rel->kind = QG_GROUP;
  rel->slot = PLAN_NONE;
  rel->group = n;
  rel->direction = GRAPH_OUT;
  set_length(rel, AST_QUANTIFIED, n->group.min, n->group.max);
  TRY(group_rels(g, n, &inner, &outer));
  rel->inner_rels = list_of(&inner);
  rel->outer_rels = list_of(&outer);
  for (uint32_t i = 0; i < outer.count; i++) PLAN_ADD(g->p, &g->slots, outer.items[i]);
  for (uint32_t i = 0; i < n->group.slots.count; i++) PLAN_ADD(g->p, &g->slots, n->group.slots.items[i].outer);
  return push_rel(g, rel, ret);
}

struct walk {
  struct query_graph *g;
  const struct bits *bound;
  uint32_t clause;
  struct qg_rel shortest; // kind QG_SHORTEST where the path is one
  uint32_t last;          // number of the node that was met last
  const struct ast *pending; // relationship or group that still needs its right node
  uint32_t start;         // of the path
  struct plan_path_step *steps;
  uint32_t step_count, step_room;
};

static enum err add_step(struct walk *w, const struct qg_rel *rel) {
  struct planner *p = w->g->p;
  TRY(array_room(p, &w->steps, w->step_count, &w->step_room, sizeof *w->steps));
  struct plan_path_step *step = &w->steps[w->step_count++];
  *step = (struct plan_path_step){.rels = rel->outer_rels, .list = rel->kind != QG_ONE};
  return rel->kind == QG_GROUP ? ERR_OK : list_one(p, rel->slot, &step->rels);
}

/// The node `right` closes what is pending, or starts the path.
static enum err reach_node(struct walk *w, uint32_t right) {
  if (w->last == PLAN_NONE) w->start = w->g->nodes[right].slot;
  if (w->pending != NULL) {
    struct qg_rel rel = w->shortest;
    uint32_t number;
    rel.clause = rel.kind == QG_SHORTEST ? PLAN_NONE : w->clause;
    rel.left = w->last;
    rel.right = right;
    bool general = w->pending->kind == AST_GROUP && repeated_rel(w->pending) == NULL;
    TRY(general ? add_group(w->g, w->pending, &rel, &number) : add_rel(w->g, w->pending, w->bound, &rel, &number));
    TRY(add_step(w, &w->g->rels[number]));
  }
  w->pending = NULL;
  w->last = right;
  return ERR_OK;
}

/// Where a pattern leaves a node out: `((a)-->(b)){2}((c)-->(d)){3}`.
static enum err reach_unnamed(struct walk *w) {
  uint32_t slot, number;
  TRY(planner_slot(w->g->p, STR(""), AST_NODE_VARIABLE, &slot));
  TRY(add_node(w->g, slot, w->bound, &number));
  return reach_node(w, number);
}

static enum err walk_elements(struct walk *w, const struct ast_list *elements) {
  AST_EACH(n, *elements) {
    if (n->kind == AST_NODE) {
      uint32_t number;
      TRY(add_pattern_node(w->g, n, w->bound, &number));
      // `(a) ((b)-->(c))` : two nodes side by side are one; only groups stand between, so this cannot happen elsewhere.
      TRY(reach_node(w, number));
    } else if (n->kind == AST_GROUP && n->group.length == AST_ONE) {
      TRY(walk_elements(w, &n->group.path->path.elements));
      TRY(qg_add_predicate(w->g, n->group.where));
    } else {
      if (w->last == PLAN_NONE || w->pending != NULL) TRY(reach_unnamed(w));
      w->pending = n;
    }
  }
  return ERR_OK;
}

/// Shortest-path selectors over one relationship of variable length are what SHORTEST_PATH does; others need more.
static enum err selector_of(struct query_graph *g, const struct ast *path, struct qg_rel *ret) {
  *ret = (struct qg_rel){.kind = QG_ONE, .slot = PLAN_NONE, .step_rel = PLAN_NONE, .step_node = PLAN_NONE};
  uint32_t selector = path->path.selector;
  if (selector == AST_ALL_PATHS || selector == AST_ALL_PATHS_WORD) return ERR_OK;
  bool function = selector == AST_SHORTEST_PATH_FUNCTION || selector == AST_ALL_SHORTEST_PATHS_FUNCTION;
  const struct ast *count = path->path.count;
  bool one = count == NULL || (count->kind == AST_LITERAL && count->literal.type == AST_INTEGER && count->literal.integer == 1);
  const struct ast *first = path->path.elements.first;
  const struct ast *rel = first != NULL ? first->next : NULL;
  bool single = path->path.elements.count == 3 && first->kind == AST_NODE && rel->next->kind == AST_NODE &&
                (rel->kind == AST_RELATIONSHIP || (rel->kind == AST_GROUP && repeated_rel(rel) != NULL));
  int64_t min = !single ? 0 : rel->kind == AST_GROUP ? rel->group.min : rel->relationship.min;
  if (!one || !single || min > 1)
    return planner_unsupported(g->p, path, "This form of shortest path");
  ret->kind = QG_SHORTEST;
  bool all = selector == AST_ALL_SHORTEST_PATHS_FUNCTION || selector == AST_ALL_SHORTEST || selector == AST_SHORTEST_GROUPS;
  ret->shortest = all ? PLAN_SHORTEST_ALL : PLAN_SHORTEST_SINGLE;
  ret->same_node = function ? PLAN_SAME_NODE_FAILS : PLAN_SAME_NODE_SEARCHED;
  ret->selects_before_where = !function;
  return ERR_OK;
}

static enum err add_named_path(struct query_graph *g, const struct walk *w, uint32_t slot) {
  struct planner *p = g->p;
  struct qg_path path = {.slot = slot, .start = w->start, .steps = w->steps, .step_count = w->step_count};
  PLAN_ADD(p, &path.reads, w->start);
  for (uint32_t i = 0; i < w->step_count; i++)
    for (uint32_t k = 0; k < w->steps[i].rels.count; k++) PLAN_ADD(p, &path.reads, w->steps[i].rels.items[k]);
  TRY(array_room(p, &g->paths, g->path_count, &g->path_room, sizeof *g->paths));
  g->paths[g->path_count++] = path;
  PLAN_ADD(p, &g->slots, slot);
  return ERR_OK;
}

enum err qg_add_path(struct query_graph *g, const struct ast *path, const struct bits *bound, uint32_t clause) {
  struct walk w = {.g = g, .bound = bound, .clause = clause, .last = PLAN_NONE};
  TRY(selector_of(g, path, &w.shortest));
  TRY(walk_elements(&w, &path->path.elements));
  if (w.pending != NULL) TRY(reach_unnamed(&w));
  if (path->path.variable == NULL) return ERR_OK;
  return add_named_path(g, &w, path->path.variable->variable.slot);
}
