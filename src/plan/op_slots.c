// Which slots an operator reads and fills.
#include "plan/plan_int.h"

static enum err add_list(struct planner *p, const struct plan_list *l, struct bits *ret) {
  for (uint32_t i = 0; i < l->count; i++)
    if (l->items[i] != PLAN_NONE) PLAN_ADD(p, ret, l->items[i]);
  return ERR_OK;
}

static enum err add_slot(struct planner *p, uint32_t slot, struct bits *ret) {
  if (slot != PLAN_NONE) PLAN_ADD(p, ret, slot);
  return ERR_OK;
}

static enum err add_exprs(struct planner *p, const struct plan_exprs *l, struct bits *ret) {
  for (uint32_t i = 0; i < l->count; i++) TRY(expression_slots(p, l->items[i], ret));
  return ERR_OK;
}

static enum err add_items(struct planner *p, const struct plan_items *l, struct bits *ret) {
  for (uint32_t i = 0; i < l->count; i++) TRY(expression_slots(p, l->items[i].expression, ret));
  return ERR_OK;
}

static enum err add_item_slots(struct planner *p, const struct plan_items *l, struct bits *ret) {
  for (uint32_t i = 0; i < l->count; i++) PLAN_ADD(p, ret, l->items[i].slot);
  return ERR_OK;
}

static enum err create_reads(struct planner *p, const struct plan_create *create, struct bits *ret) {
  struct bits made = {0};
  for (uint32_t i = 0; i < create->count; i++) {
    const struct plan_create_item *item = &create->items[i];
    TRY(add_slot(p, item->start, ret));
    TRY(add_slot(p, item->end, ret));
    TRY(add_exprs(p, &item->dynamic_labels, ret));
    TRY(expression_slots(p, item->properties, ret));
    PLAN_ADD(p, &made, item->slot);
  }
  bits_remove_all(ret, &made);
  return ERR_OK;
}

static enum err set_reads(struct planner *p, const struct plan_set *set, struct bits *ret) {
  for (uint32_t i = 0; i < set->count; i++) {
    const struct plan_set_item *item = &set->items[i];
    TRY(expression_slots(p, item->target, ret));
    TRY(expression_slots(p, item->key_expression, ret));
    TRY(expression_slots(p, item->value, ret));
    TRY(add_exprs(p, &item->dynamic_labels, ret));
  }
  return ERR_OK;
}

static enum err merge_reads(struct planner *p, const struct plan_merge *m, struct bits *ret) {
  TRY(set_reads(p, &m->on_create, ret));
  TRY(set_reads(p, &m->on_match, ret));
  for (uint32_t i = 0; i < m->lock_count; i++) TRY(add_exprs(p, &m->locks[i].values, ret));
  return create_reads(p, &m->create, ret); // at the end: what it makes is not read from below
}

static enum err filter_reads(struct planner *p, const struct plan_filter *f, struct bits *ret) {
  TRY(add_exprs(p, &f->predicates, ret));
  for (uint32_t i = 0; i < f->differ_count; i++) {
    PLAN_ADD(p, ret, f->differ[i].left);
    PLAN_ADD(p, ret, f->differ[i].right);
  }
  return ERR_OK;
}

static enum err seek_reads(struct planner *p, const struct plan_index_seek *s, struct bits *ret) {
  TRY(add_exprs(p, &s->equal, ret));
  TRY(expression_slots(p, s->low, ret));
  return expression_slots(p, s->high, ret);
}

static enum err expand_reads(struct planner *p, const struct plan_op *op, struct bits *ret) {
  const struct plan_expand *x = &op->expand;
  bool into = op->kind == PLAN_EXPAND_INTO || op->kind == PLAN_OPTIONAL_EXPAND_INTO;
  TRY(add_exprs(p, &x->predicates, ret));
  if (x->rel != PLAN_NONE) bits_remove(ret, x->rel);
  if (!into) bits_remove(ret, x->to);
  TRY(add_slot(p, x->from, ret));
  TRY(add_list(p, &x->differ, ret));
  TRY(add_list(p, &x->witnesses, ret));
  return into ? add_slot(p, x->to, ret) : ERR_OK;
}

static enum err var_expand_reads(struct planner *p, const struct plan_op *op, struct bits *ret) {
  const struct plan_var_expand *x = &op->var_expand;
  TRY(add_exprs(p, &x->rel_predicates, ret));
  TRY(add_exprs(p, &x->node_predicates, ret));
  bits_remove(ret, x->step_rel);
  bits_remove(ret, x->step_node);
  TRY(add_slot(p, x->from, ret));
  TRY(add_list(p, &x->differ, ret));
  return op->kind == PLAN_VAR_EXPAND_INTO ? add_slot(p, x->to, ret) : ERR_OK;
}

static enum err shortest_reads(struct planner *p, const struct plan_shortest_path *x, struct bits *ret) {
  TRY(add_exprs(p, &x->rel_predicates, ret));
  TRY(add_exprs(p, &x->node_predicates, ret));
  TRY(add_exprs(p, &x->path_predicates, ret));
  const uint32_t own[] = {x->step_rel, x->step_node, x->rels, x->path};
  for (size_t i = 0; i < ARRAY_SIZE(own); i++) bits_remove(ret, own[i]);
  TRY(add_slot(p, x->from, ret));
  TRY(add_slot(p, x->to, ret));
  return add_list(p, &x->differ, ret);
}

static enum err intersect_reads(struct planner *p, const struct plan_intersect *x, struct bits *ret) {
  for (uint32_t i = 0; i < x->arm_count; i++) TRY(add_list(p, &x->arms[i].differ, ret));
  for (uint32_t i = 0; i < x->arm_count; i++) bits_remove(ret, x->arms[i].rel);
  for (uint32_t i = 0; i < x->arm_count; i++) TRY(add_slot(p, x->arms[i].from, ret));
  return ERR_OK;
}

static enum err path_reads(struct planner *p, const struct plan_project_path *x, struct bits *ret) {
  TRY(add_slot(p, x->start, ret));
  for (uint32_t i = 0; i < x->step_count; i++) TRY(add_list(p, &x->steps[i].rels, ret));
  return ERR_OK;
}

static enum err ends_reads(struct planner *p, const struct plan_project_ends *x, struct bits *ret) {
  TRY(add_slot(p, x->rel, ret));
  TRY(add_list(p, &x->differ, ret));
  if (x->start_bound) TRY(add_slot(p, x->start, ret));
  return x->end_bound && x->end != x->start ? add_slot(p, x->end, ret) : ERR_OK;
}

static enum err sort_reads(struct planner *p, const struct plan_sort *x, struct bits *ret) {
  for (uint32_t i = 0; i < x->key_count; i++) PLAN_ADD(p, ret, x->keys[i].slot);
  return ERR_OK;
}

static enum err produce_reads(struct planner *p, const struct plan_produce *x, struct bits *ret) {
  for (uint32_t i = 0; i < x->column_count; i++) TRY(add_slot(p, x->columns[i].slot, ret));
  return ERR_OK;
}

static enum err repeat_reads(struct planner *p, const struct plan_repeat *x, struct bits *ret) {
  TRY(add_slot(p, x->from, ret));
  TRY(add_list(p, &x->differ, ret));
  return x->into ? add_slot(p, x->to, ret) : ERR_OK;
}

enum err op_reads(struct planner *p, const struct plan_op *op, struct bits *ret) {
  switch (op->kind) {
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: return expression_slots(p, op->by_id.ids, ret);
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return seek_reads(p, &op->index_seek, ret);
  case PLAN_UNWIND: return expression_slots(p, op->unwind.list, ret);
  case PLAN_PROCEDURE_CALL: return add_exprs(p, &op->procedure_call.arguments, ret);
  case PLAN_LOAD_CSV: return expression_slots(p, op->load_csv.url, ret);
  case PLAN_FILTER: return filter_reads(p, &op->filter, ret);
  case PLAN_PROJECTION: return add_items(p, &op->projection.items, ret);
  case PLAN_PROJECT_PATH: return path_reads(p, &op->project_path, ret);
  case PLAN_PROJECT_ENDPOINTS: return ends_reads(p, &op->project_ends, ret);
  case PLAN_CACHE_PROPERTIES:
    for (uint32_t i = 0; i < op->cache.count; i++) PLAN_ADD(p, ret, op->cache.items[i].entity);
    return ERR_OK;
  case PLAN_DEGREE: return add_slot(p, op->degree.node, ret);
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO: return expand_reads(p, op, ret);
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO:
  case PLAN_PRUNING_VAR_EXPAND: return var_expand_reads(p, op, ret);
  case PLAN_SHORTEST_PATH: return shortest_reads(p, &op->shortest_path, ret);
  case PLAN_INTERSECT: return intersect_reads(p, &op->intersect, ret);
  case PLAN_REPEAT: return repeat_reads(p, &op->repeat, ret);
  case PLAN_NODE_HASH_JOIN: return add_list(p, &op->node_join.slots, ret);
  case PLAN_VALUE_HASH_JOIN: TRY(expression_slots(p, op->value_join.left, ret)); return expression_slots(p, op->value_join.right, ret);
  case PLAN_AGGREGATION: TRY(add_items(p, &op->aggregation.keys, ret)); return add_items(p, &op->aggregation.aggregates, ret);
  case PLAN_DISTINCT: return add_list(p, &op->distinct.slots, ret);
  case PLAN_SORT:
  case PLAN_TOP:
  case PLAN_PARTIAL_SORT:
  case PLAN_PARTIAL_TOP: return sort_reads(p, &op->sort, ret);
  case PLAN_CREATE: return create_reads(p, &op->create, ret);
  case PLAN_MERGE: return merge_reads(p, &op->merge, ret);
  case PLAN_SET: return set_reads(p, &op->set, ret);
  case PLAN_DELETE: return add_exprs(p, &op->delete_.expressions, ret);
  case PLAN_FOREACH: return expression_slots(p, op->foreach.list, ret);
  case PLAN_PRODUCE_RESULTS: return produce_reads(p, &op->produce, ret);
  default: return ERR_OK;
  }
}

static enum err create_fills(struct planner *p, const struct plan_create *create, struct bits *ret) {
  for (uint32_t i = 0; i < create->count; i++) PLAN_ADD(p, ret, create->items[i].slot);
  return ERR_OK;
}

static enum err ends_of(struct planner *p, uint32_t entity, uint32_t start, uint32_t end, struct bits *ret) {
  TRY(add_slot(p, entity, ret));
  TRY(add_slot(p, start, ret));
  return add_slot(p, end, ret);
}

static enum err repeat_fills(struct planner *p, const struct plan_repeat *x, struct bits *ret) {
  for (uint32_t i = 0; i < x->group_count; i++) PLAN_ADD(p, ret, x->groups[i].outer);
  return x->into ? ERR_OK : add_slot(p, x->to, ret);
}

static enum err intersect_fills(struct planner *p, const struct plan_intersect *x, struct bits *ret) {
  for (uint32_t i = 0; i < x->arm_count; i++) TRY(add_slot(p, x->arms[i].rel, ret));
  return add_slot(p, x->to, ret);
}

enum err op_fills(struct planner *p, const struct plan_op *op, struct bits *ret) {
  switch (op->kind) {
  case PLAN_ALL_NODES_SCAN:
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN: return add_slot(p, op->node_scan.node, ret);
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: return ends_of(p, op->by_id.entity, op->by_id.start, op->by_id.end, ret);
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return ends_of(p, op->index_seek.entity, op->index_seek.start, op->index_seek.end, ret);
  case PLAN_REL_SCAN: return ends_of(p, op->rel_scan.rel, op->rel_scan.start, op->rel_scan.end, ret);
  case PLAN_NODE_COUNT: return add_slot(p, op->node_count.out, ret);
  case PLAN_REL_COUNT: return add_slot(p, op->rel_count.out, ret);
  case PLAN_UNWIND: return add_slot(p, op->unwind.out, ret);
  case PLAN_PROCEDURE_CALL: return add_list(p, &op->procedure_call.results, ret);
  case PLAN_LOAD_CSV: return add_slot(p, op->load_csv.out, ret);
  case PLAN_SHOW:
    for (uint32_t i = 0; i < op->show.column_count; i++) TRY(add_slot(p, op->show.columns[i].slot, ret));
    return ERR_OK;
  case PLAN_PROJECTION: return add_item_slots(p, &op->projection.items, ret);
  case PLAN_PROJECT_PATH: return add_slot(p, op->project_path.out, ret);
  case PLAN_PROJECT_ENDPOINTS: TRY(add_slot(p, op->project_ends.start, ret)); return add_slot(p, op->project_ends.end, ret);
  case PLAN_CACHE_PROPERTIES:
    for (uint32_t i = 0; i < op->cache.count; i++) TRY(add_list(p, &op->cache.items[i].outs, ret));
    return ERR_OK;
  case PLAN_DEGREE: return add_slot(p, op->degree.out, ret);
  case PLAN_EXPAND:
  case PLAN_OPTIONAL_EXPAND: TRY(add_slot(p, op->expand.to, ret)); return add_slot(p, op->expand.rel, ret);
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND_INTO: return add_slot(p, op->expand.rel, ret);
  case PLAN_VAR_EXPAND:
  case PLAN_PRUNING_VAR_EXPAND: TRY(add_slot(p, op->var_expand.to, ret)); return add_slot(p, op->var_expand.rels, ret);
  case PLAN_VAR_EXPAND_INTO: return add_slot(p, op->var_expand.rels, ret);
  case PLAN_SHORTEST_PATH: TRY(add_slot(p, op->shortest_path.rels, ret)); return add_slot(p, op->shortest_path.path, ret);
  case PLAN_INTERSECT: return intersect_fills(p, &op->intersect, ret);
  case PLAN_REPEAT: return repeat_fills(p, &op->repeat, ret);
  case PLAN_LET_SEMI_APPLY:
  case PLAN_ROLL_UP_APPLY: return add_slot(p, op->let.out, ret);
  case PLAN_AGGREGATION: TRY(add_item_slots(p, &op->aggregation.keys, ret)); return add_item_slots(p, &op->aggregation.aggregates, ret);
  case PLAN_CREATE: return create_fills(p, &op->create, ret);
  case PLAN_MERGE: return create_fills(p, &op->merge.create, ret);
  case PLAN_TRANSACTION_FOREACH:
  case PLAN_TRANSACTION_APPLY: return add_slot(p, op->transactions.report, ret);
  default: return ERR_OK;
  }
}
