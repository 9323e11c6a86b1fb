#include "plan/effects.h"

static enum err add_id(struct planner *p, struct names *to, plan_name_id name) {
  if (name != PLAN_NONE) PLAN_ADD(p, &to->some, name);
  return ERR_OK;
}

static enum err add_ids(struct planner *p, struct names *to, const struct plan_list *l) {
  for (uint32_t i = 0; i < l->count; i++) TRY(add_id(p, to, l->items[i]));
  return ERR_OK;
}

static enum err add_types(struct planner *p, struct names *to, const struct plan_list *types) {
  to->all = to->all || types->count == 0;
  return add_ids(p, to, types);
}

static void read_everything(struct reads *r) {
  r->nodes = r->labels.all = r->scanned_labels.all = r->keys.all = r->types.all = true;
}

struct expression_walk {
  struct planner *p;
  const struct bits *found;
  struct reads *r;
  enum err err;
};

static bool add_name(struct expression_walk *w, struct names *to, enum graph_token_kind kind, struct str name) {
  plan_name_id id;
  w->err = planner_name(w->p, kind, name, &id);
  if (w->err == ERR_OK) w->err = add_id(w->p, to, id);
  return w->err == ERR_OK;
}

static bool is_found(const struct expression_walk *w, const struct ast *n) {
  return n != NULL && n->kind == AST_VARIABLE && bits_has(w->found, n->variable.slot);
}

/// Functions that look at an entity beyond its id.
static void walk_function(struct expression_walk *w, const struct ast *n) {
  const struct cypher_function *f = n->function.signature;
  bool found = is_found(w, n->function.arguments.first);
  switch (f != NULL ? f->id : CYPHER_FN_USER) {
  case CYPHER_FN_LABELS: *(found ? &w->r->found_labels.all : &w->r->labels.all) = true; return;
  case CYPHER_FN_TYPE:
  case CYPHER_FN_START_NODE:
  case CYPHER_FN_END_NODE:
    if (!found) w->r->types.all = true;
    return;
  case CYPHER_FN_KEYS:
  case CYPHER_FN_PROPERTIES: *(found ? &w->r->found_keys.all : &w->r->keys.all) = true; return;
  case CYPHER_FN_USER: read_everything(w->r); return;
  default:
    if (f->flags & CYPHER_GRAPH) read_everything(w->r);
  }
}

static bool walk_labels(struct expression_walk *w, const struct ast *n, bool found) {
  struct names *to = found ? &w->r->found_labels : &w->r->labels;
  switch (n->kind) {
  case AST_LABEL: // `r:T` on a relationship asks for its type, so the name stands for both
    return add_name(w, to, GRAPH_LABEL, n->label.name) && (found || add_name(w, &w->r->types, GRAPH_TYPE, n->label.name));
  case AST_LABEL_NOT: return walk_labels(w, n->label_not.operand, found);
  case AST_LABEL_AND:
  case AST_LABEL_OR: {
    bool ok = true;
    AST_EACH(operand, n->kind == AST_LABEL_AND ? n->label_and.operands : n->label_or.operands) ok = ok && walk_labels(w, operand, found);
    return ok;
  }
  default:
    to->all = true;
    if (!found) w->r->types.all = true;
    return true;
  }
}

static bool walk_expression(struct ast *n, void *context) {
  struct expression_walk *w = context;
  switch (n->kind) {
  case AST_PROPERTY: return add_name(w, is_found(w, n->property.subject) ? &w->r->found_keys : &w->r->keys, GRAPH_KEY, n->property.key);
  case AST_MAP_PROJECTION_PROPERTY: return add_name(w, &w->r->keys, GRAPH_KEY, n->map_projection_property.key);
  case AST_SUBSCRIPT:
  case AST_MAP_PROJECTION_ALL: w->r->keys.all = true; return true;
  case AST_HAS_LABELS: return walk_labels(w, n->has_labels.labels, is_found(w, n->has_labels.subject));
  case AST_FUNCTION: walk_function(w, n); return true;
  case AST_SUBQUERY:
  case AST_PATTERN_EXPRESSION:
  case AST_PATTERN_COMPREHENSION: read_everything(w->r); return true;
  default: return true;
  }
}

struct scope {
  struct planner *p;
  const struct bits *found, *plain;
};

static enum err add_expression(struct scope s, const struct ast *n, struct reads *r) {
  struct expression_walk w = {s.p, s.found, r, ERR_OK};
  if (n != NULL) ast_visit((struct ast *) (uintptr_t) n, walk_expression, &w);
  return w.err;
}

static enum err add_exprs(struct scope s, const struct plan_exprs *l, struct reads *r) {
  for (uint32_t i = 0; i < l->count; i++) TRY(add_expression(s, l->items[i], r));
  return ERR_OK;
}

static enum err add_items(struct scope s, const struct plan_items *l, struct reads *r) {
  for (uint32_t i = 0; i < l->count; i++) TRY(add_expression(s, l->items[i].expression, r));
  return ERR_OK;
}

static enum err add_seek(struct scope s, const struct plan_op *op, struct reads *r) {
  const struct plan_index_seek *seek = &op->index_seek;
  TRY(add_exprs(s, &seek->equal, r));
  TRY(add_expression(s, seek->low, r));
  TRY(add_expression(s, seek->high, r));
  TRY(add_ids(s.p, &r->found_keys, &seek->keys));
  return add_id(s.p, op->kind == PLAN_NODE_INDEX_SEEK ? &r->scanned_labels : &r->types, seek->label_or_type);
}

/// Entities go to the client with all that they have.
static void add_result(struct scope s, const struct plan_produce *produce, struct reads *r) {
  for (uint32_t i = 0; i < produce->column_count; i++) {
    uint32_t slot = produce->columns[i].slot;
    bool found = bits_has(s.found, slot);
    cypher_types types = slot < s.p->statement->slot_count ? s.p->statement->slots[slot].types : CYPHER_ANY;
    if (bits_has(s.plain, slot) || !(types & (CYPHER_ENTITY | CYPHER_PATH | CYPHER_LIST | CYPHER_MAP))) continue;
    if (found) {
      r->found_labels.all = r->found_keys.all = true;
    } else {
      r->labels.all = r->keys.all = r->types.all = true;
    }
  }
}

static enum err add_cached(struct scope s, const struct plan_cache *c, struct reads *r) {
  for (uint32_t i = 0; i < c->count; i++)
    TRY(add_ids(s.p, bits_has(s.found, c->items[i].entity) ? &r->found_keys : &r->keys, &c->items[i].keys));
  return ERR_OK;
}

/// What an operator that is no write reads.
static enum err add_reads(struct scope s, const struct plan_op *op, struct reads *r) {
  struct planner *p = s.p;
  switch (op->kind) {
  case PLAN_ALL_NODES_SCAN: r->nodes = true; return ERR_OK;
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN: return add_ids(p, &r->scanned_labels, &op->node_scan.labels);
  case PLAN_NODE_COUNT: r->nodes = true; return add_ids(p, &r->scanned_labels, &op->node_count.labels);
  case PLAN_REL_COUNT: return add_types(p, &r->types, &op->rel_count.types);
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID: r->nodes = true; return add_expression(s, op->by_id.ids, r);
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: r->types.all = true; return add_expression(s, op->by_id.ids, r);
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return add_seek(s, op, r);
  case PLAN_REL_SCAN: return add_types(p, &r->types, &op->rel_scan.types);
  case PLAN_UNWIND: return add_expression(s, op->unwind.list, r);
  case PLAN_PROCEDURE_CALL: read_everything(r); return ERR_OK;
  case PLAN_LOAD_CSV: return add_expression(s, op->load_csv.url, r);
  case PLAN_FILTER: return add_exprs(s, &op->filter.predicates, r);
  case PLAN_PROJECTION: return add_items(s, &op->projection.items, r);
  case PLAN_PROJECT_PATH:
  case PLAN_PROJECT_ENDPOINTS: r->types.all = true; return ERR_OK;
  case PLAN_CACHE_PROPERTIES: return add_cached(s, &op->cache, r);
  case PLAN_DEGREE: return add_types(p, &r->types, &op->degree.types);
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO: TRY(add_exprs(s, &op->expand.predicates, r)); return add_types(p, &r->types, &op->expand.types);
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO:
  case PLAN_PRUNING_VAR_EXPAND:
    TRY(add_exprs(s, &op->var_expand.rel_predicates, r));
    TRY(add_exprs(s, &op->var_expand.node_predicates, r));
    return add_types(p, &r->types, &op->var_expand.types);
  case PLAN_SHORTEST_PATH:
    TRY(add_exprs(s, &op->shortest_path.rel_predicates, r));
    TRY(add_exprs(s, &op->shortest_path.node_predicates, r));
    TRY(add_exprs(s, &op->shortest_path.path_predicates, r));
    return add_types(p, &r->types, &op->shortest_path.types);
  case PLAN_INTERSECT:
    for (uint32_t i = 0; i < op->intersect.arm_count; i++) TRY(add_types(p, &r->types, &op->intersect.arms[i].types));
    return ERR_OK;
  case PLAN_VALUE_HASH_JOIN: TRY(add_expression(s, op->value_join.left, r)); return add_expression(s, op->value_join.right, r);
  case PLAN_AGGREGATION: TRY(add_items(s, &op->aggregation.keys, r)); return add_items(s, &op->aggregation.aggregates, r);
  case PLAN_PRODUCE_RESULTS: add_result(s, &op->produce, r); return ERR_OK;
  default: return ERR_OK;
  }
}

/// Keys of a map of properties; anything but a literal map may hold any.
static enum err add_property_keys(struct planner *p, const struct ast *properties, struct names *to) {
  struct expression_walk w = {.p = p};
  if (properties == NULL) return ERR_OK;
  to->all = to->all || properties->kind != AST_MAP;
  if (properties->kind != AST_MAP) return ERR_OK;
  AST_EACH(entry, properties->map.entries)
    if (!add_name(&w, to, GRAPH_KEY, entry->map_entry.key)) return w.err;
  return ERR_OK;
}

static enum err add_create(struct scope s, const struct plan_create *c, struct op_effects *ret) {
  for (uint32_t i = 0; i < c->count; i++) {
    const struct plan_create_item *item = &c->items[i];
    bool node = item->kind == GRAPH_NODE;
    struct names *labels = node ? &ret->writes.new_labels : &ret->writes.types;
    ret->writes.nodes = ret->writes.nodes || node;
    labels->all = labels->all || item->dynamic_labels.count > 0;
    TRY(add_ids(s.p, labels, &item->labels));
    TRY(add_property_keys(s.p, item->properties, &ret->writes.new_keys));
    TRY(add_expression(s, item->properties, &ret->current));
    TRY(add_exprs(s, &item->dynamic_labels, &ret->current));
  }
  return ERR_OK;
}

static enum err add_set_item(struct scope s, const struct plan_set_item *item, struct op_effects *ret) {
  struct writes *w = &ret->writes;
  switch (item->kind) {
  case PLAN_SET_PROPERTY: TRY(add_id(s.p, &w->set_keys, item->key)); break;
  case PLAN_SET_LABELS:
  case PLAN_REMOVE_LABELS:
    w->set_labels.all = w->set_labels.all || item->dynamic_labels.count > 0;
    TRY(add_ids(s.p, &w->set_labels, &item->labels));
    break;
  case PLAN_ADD_PROPERTIES: TRY(add_property_keys(s.p, item->value, &w->set_keys)); break;
  default: w->set_keys.all = true;
  }
  bool whole = item->kind == PLAN_SET_PROPERTIES || item->kind == PLAN_ADD_PROPERTIES;
  if (whole && item->value->kind == AST_VARIABLE) ret->current.keys.all = true; // it may be an entity
  TRY(add_expression(s, item->target, &ret->current));
  TRY(add_expression(s, item->key_expression, &ret->current));
  TRY(add_expression(s, item->value, &ret->current));
  return add_exprs(s, &item->dynamic_labels, &ret->current);
}

static enum err add_set(struct scope s, const struct plan_set *set, struct op_effects *ret) {
  for (uint32_t i = 0; i < set->count; i++) TRY(add_set_item(s, &set->items[i], ret));
  return ERR_OK;
}

/// Everything that a right side reads, as reads of the operator that it belongs to.
static enum err add_tree_reads(struct scope s, const struct plan_op *op, struct reads *r) {
  for (;; op = op->children[0]) {
    TRY(add_reads(s, op, r));
    for (uint32_t i = 1; i < op->child_count; i++) TRY(add_tree_reads(s, op->children[i], r));
    if (op->child_count == 0) return ERR_OK;
  }
}

/// Inside the right side the pattern's own variables are found.
static enum err add_merge(struct scope s, const struct plan_op *op, struct op_effects *ret) {
  struct bits found = {0};
  if (!bits_copy(&s.p->scratch, s.found, &found)) return planner_nomem(s.p);
  for (uint32_t i = 0; i < op->merge.create.count; i++) PLAN_ADD(s.p, &found, op->merge.create.items[i].slot);
  TRY(add_tree_reads((struct scope){s.p, &found, s.plain}, op->children[1], &ret->current));
  TRY(add_create(s, &op->merge.create, ret));
  TRY(add_set(s, &op->merge.on_create, ret));
  return add_set(s, &op->merge.on_match, ret);
}

static enum err add_procedure(struct scope s, const struct plan_op *op, struct op_effects *ret) {
  uint8_t mode = op->procedure_call.procedure->mode;
  struct writes *w = &ret->writes;
  TRY(add_reads(s, op, &ret->reads));
  if (mode != CYPHER_PROCEDURE_WRITE && mode != CYPHER_PROCEDURE_SCHEMA) return ERR_OK;
  w->nodes = w->deletes = w->new_labels.all = w->new_keys.all = w->types.all = w->set_labels.all = w->set_keys.all = true;
  return ERR_OK;
}

enum err effects_of(struct planner *p, const struct known_slots *known, const struct plan_op *op, struct op_effects *ret) {
  struct scope s = {p, &known->found, &known->plain};
  switch (op->kind) {
  case PLAN_CREATE: return add_create(s, &op->create, ret);
  case PLAN_SET: return add_set(s, &op->set, ret);
  case PLAN_DELETE: ret->writes.deletes = true; return add_exprs(s, &op->delete_.expressions, &ret->current);
  case PLAN_MERGE: return add_merge(s, op, ret);
  case PLAN_FOREACH: return add_expression(s, op->foreach.list, &ret->reads);
  case PLAN_PROCEDURE_CALL: return add_procedure(s, op, ret);
  case PLAN_REPEAT: return add_tree_reads(s, op->children[1], &ret->reads);
  default: return add_reads(s, op, &ret->reads);
  }
}

static bool finds(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_ALL_NODES_SCAN:
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN:
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_REL_SCAN:
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID:
  case PLAN_REL_INDEX_SEEK:
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO:
  case PLAN_VAR_EXPAND:
  case PLAN_PRUNING_VAR_EXPAND:
  case PLAN_INTERSECT: return true;
  default: return false;
  }
}

static enum err found_in(struct planner *p, const struct plan_op *op, struct bits *found, struct bits *other) {
  for (;; op = op->children[0]) {
    TRY(op_fills(p, op, finds(op) ? found : other));
    for (uint32_t i = 1; i < op->child_count; i++) TRY(found_in(p, op->children[i], found, other));
    if (op->child_count == 0) return ERR_OK;
  }
}

static bool is_entity(const struct planner *p, const struct ast *n) {
  if (n->kind != AST_VARIABLE) return false;
  uint8_t kind = p->slots[n->variable.slot].kind;
  return kind == AST_NODE_VARIABLE || kind == AST_RELATIONSHIP_VARIABLE;
}

/// True if no entity can come out, whatever the rows hold.
static bool is_plain(const struct planner *p, const struct bits *plain, const struct ast *n) {
  switch (n->kind) {
  case AST_LITERAL:
  case AST_PARAMETER:
  case AST_HAS_LABELS:
  case AST_IS_NULL:
  case AST_QUANTIFIER:
  case AST_LOGICAL: return true;
  case AST_VARIABLE: return bits_has(plain, n->variable.slot);
  case AST_PROPERTY: return is_entity(p, n->property.subject) || is_plain(p, plain, n->property.subject);
  case AST_UNARY: return is_plain(p, plain, n->unary.operand);
  case AST_BINARY: return is_plain(p, plain, n->binary.left) && is_plain(p, plain, n->binary.right);
  case AST_COUNT_STAR: return true;
  case AST_FUNCTION:
    if (!(n->types & (CYPHER_ENTITY | CYPHER_PATH | CYPHER_LIST | CYPHER_MAP))) return true;
    AST_EACH(argument, n->function.arguments)
      if (!is_plain(p, plain, argument)) return false;
    return true;
  default: return !(n->types & (CYPHER_ENTITY | CYPHER_PATH | CYPHER_LIST | CYPHER_MAP));
  }
}

static enum err plain_items(struct planner *p, const struct plan_items *l, struct bits *plain) {
  for (uint32_t i = 0; i < l->count; i++)
    if (is_plain(p, plain, l->items[i].expression)) PLAN_ADD(p, plain, l->items[i].slot);
  return ERR_OK;
}

/// Grouping keys that keep their slot keep their entity, too.
static void keep_keys(const struct plan_aggregation *g, const struct bits *found, struct bits *other) {
  for (uint32_t i = 0; i < g->keys.count; i++) {
    const struct plan_item *key = &g->keys.items[i];
    if (key->expression->kind == AST_VARIABLE && key->expression->variable.slot == key->slot && bits_has(found, key->slot)) bits_remove(other, key->slot);
  }
}

/// Second round: it needs to know what was found, and goes from the leaves up.
static enum err derive(struct planner *p, const struct plan_op *op, struct known_slots *ret, struct bits *other) {
  for (uint32_t i = 0; i < op->child_count; i++) TRY(derive(p, op->children[i], ret, other));
  if (op->kind == PLAN_PROJECTION) return plain_items(p, &op->projection.items, &ret->plain);
  if (op->kind == PLAN_DEGREE) PLAN_ADD(p, &ret->plain, op->degree.out);
  if (op->kind == PLAN_LET_SEMI_APPLY) PLAN_ADD(p, &ret->plain, op->let.out);
  if (op->kind != PLAN_AGGREGATION) return ERR_OK;
  TRY(plain_items(p, &op->aggregation.aggregates, &ret->plain));
  TRY(plain_items(p, &op->aggregation.keys, &ret->plain));
  keep_keys(&op->aggregation, &ret->found, other);
  return ERR_OK;
}

enum err effects_known_slots(struct planner *p, const struct plan_op *root, struct known_slots *ret) {
  struct bits other = {0};
  TRY(found_in(p, root, &ret->found, &other));
  TRY(derive(p, root, ret, &other));
  bits_remove_all(&ret->found, &other);
  return ERR_OK;
}

static enum err names_add(struct planner *p, struct names *to, const struct names *from) {
  to->all = to->all || from->all;
  return bits_add_all(&p->scratch, &to->some, &from->some) ? ERR_OK : planner_nomem(p);
}

enum err reads_add(struct planner *p, struct reads *to, const struct reads *from) {
  to->nodes = to->nodes || from->nodes;
  TRY(names_add(p, &to->scanned_labels, &from->scanned_labels));
  TRY(names_add(p, &to->labels, &from->labels));
  TRY(names_add(p, &to->keys, &from->keys));
  TRY(names_add(p, &to->found_labels, &from->found_labels));
  TRY(names_add(p, &to->found_keys, &from->found_keys));
  return names_add(p, &to->types, &from->types);
}

enum err writes_add(struct planner *p, struct writes *to, const struct writes *from) {
  to->nodes = to->nodes || from->nodes;
  to->deletes = to->deletes || from->deletes;
  TRY(names_add(p, &to->new_labels, &from->new_labels));
  TRY(names_add(p, &to->new_keys, &from->new_keys));
  TRY(names_add(p, &to->types, &from->types));
  TRY(names_add(p, &to->set_labels, &from->set_labels));
  return names_add(p, &to->set_keys, &from->set_keys);
}

static bool any(const struct names *n) {
  return n->all || !bits_empty(&n->some);
}

static bool meet(const struct names *a, const struct names *b) {
  return any(a) && any(b) && (a->all || b->all || bits_meet(&a->some, &b->some));
}

bool writes_none(const struct writes *w) {
  return !w->nodes && !w->deletes && !any(&w->types) && !any(&w->set_labels) && !any(&w->set_keys);
}

static bool reads_any(const struct reads *r) {
  return r->nodes || any(&r->scanned_labels) || any(&r->labels) || any(&r->keys) || any(&r->found_labels) || any(&r->found_keys) || any(&r->types);
}

bool effects_seen(const struct writes *w, const struct reads *r) {
  if ((w->nodes && r->nodes) || (w->deletes && reads_any(r))) return true;
  if (meet(&w->new_labels, &r->scanned_labels) || meet(&w->new_labels, &r->labels) || meet(&w->new_keys, &r->keys)) return true;
  if (meet(&w->set_labels, &r->scanned_labels) || meet(&w->set_labels, &r->labels) || meet(&w->set_labels, &r->found_labels)) return true;
  return meet(&w->types, &r->types) || meet(&w->set_keys, &r->keys) || meet(&w->set_keys, &r->found_keys);
}

bool effects_clash(const struct writes *a, const struct writes *b) {
  if ((a->deletes && !writes_none(b)) || (b->deletes && !writes_none(a))) return true;
  return meet(&a->set_labels, &b->set_labels) || meet(&a->set_keys, &b->set_keys);
}
