// What an operator is about, in the words of EXPLAIN's "Details".
#include "cypher/signatures.h"
#include "plan/explain.h"

static struct str slot_name(const struct plan *p, uint32_t slot) {
  return slot < p->slot_count ? p->slots[slot].name : STR("");
}

static struct str name_of(const struct plan *p, plan_name_id name) {
  return name < p->name_count ? p->names[name].name : STR("");
}

static enum err put(struct buf *out, const char *text) {
  return buf_append_str(out, str_of(text));
}

static enum err separator(struct buf *out, uint32_t i, const char *text) {
  return i > 0 ? put(out, text) : ERR_OK;
}

static enum err slot_list(const struct plan *p, const struct plan_list *l, struct buf *out) {
  for (uint32_t i = 0; i < l->count; i++) {
    TRY(separator(out, i, ", "));
    TRY(buf_append_str(out, slot_name(p, l->items[i])));
  }
  return ERR_OK;
}

static enum err name_list(const struct plan *p, const struct plan_list *l, const char *first, const char *between, struct buf *out) {
  for (uint32_t i = 0; i < l->count; i++) {
    TRY(put(out, i == 0 ? first : between));
    TRY(buf_append_str(out, name_of(p, l->items[i])));
  }
  return ERR_OK;
}

static enum err exprs(const struct plan_exprs *l, const char *between, struct buf *out) {
  for (uint32_t i = 0; i < l->count; i++) {
    TRY(separator(out, i, between));
    TRY(ast_print(out, l->items[i]));
  }
  return ERR_OK;
}

static enum err items(const struct plan *p, const struct plan_items *l, uint32_t before, struct buf *out) {
  for (uint32_t i = 0; i < l->count; i++) {
    const struct ast *n = l->items[i].expression;
    TRY(separator(out, before + i, ", "));
    TRY(ast_print(out, n));
    if (n->kind == AST_VARIABLE && n->variable.slot == l->items[i].slot) continue;
    TRY(buf_printf(out, " AS %.*s", STR_ARG(slot_name(p, l->items[i].slot))));
  }
  return ERR_OK;
}

/// "(a)-[r:R*1..2]->(b)"; `length` is empty for one relationship.
static enum err arrow(const struct plan *p, uint32_t from, uint32_t rel, const struct plan_list *types, const char *length,
                      enum graph_direction direction, uint32_t to, struct buf *out) {
  TRY(buf_printf(out, "(%.*s)%s-[%.*s", STR_ARG(slot_name(p, from)), direction == GRAPH_IN ? "<" : "", STR_ARG(slot_name(p, rel))));
  TRY(name_list(p, types, ":", "|", out));
  return buf_printf(out, "%s]-%s(%.*s)", length, direction == GRAPH_OUT ? ">" : "", STR_ARG(slot_name(p, to)));
}

static enum err length_text(uint32_t min, uint32_t max, struct buf *out) {
  if (max == PLAN_NONE) return buf_printf(out, "*%u..", min);
  return min == max ? buf_printf(out, "*%u", min) : buf_printf(out, "*%u..%u", min, max);
}

static enum err long_arrow(const struct plan *p, uint32_t from, uint32_t rels, const struct plan_list *types, uint32_t min, uint32_t max,
                           enum graph_direction direction, uint32_t to, struct buf *out) {
  CLEANUP(buf_done) struct buf length = BUF_INIT;
  TRY(length_text(min, max, &length));
  TRY(buf_append_byte(&length, 0));
  return arrow(p, from, rels, types, length.data, direction, to, out);
}

static enum err seek_keys(const struct plan *p, const struct plan_index_seek *s, struct buf *out) {
  TRY(put(out, "("));
  TRY(name_list(p, &s->keys, "", ", ", out));
  return put(out, ")");
}

static enum err seek_bound(const struct plan *p, const struct plan_index_seek *s, struct str key, struct buf *out) {
  int len = (int) key.len;
  switch (s->bound) {
  case PLAN_BOUND_PREFIX: TRY(buf_printf(out, "%.*s STARTS WITH ", len, key.ptr)); return ast_print(out, s->low);
  case PLAN_BOUND_EXISTS: return buf_printf(out, "%.*s IS NOT NULL", len, key.ptr);
  case PLAN_BOUND_RANGE:
    if (s->low != NULL) {
      TRY(buf_printf(out, "%.*s %s ", len, key.ptr, s->low_inclusive ? ">=" : ">"));
      TRY(ast_print(out, s->low));
    }
    if (s->low != NULL && s->high != NULL) TRY(put(out, " AND "));
    if (s->high == NULL) return ERR_OK;
    TRY(buf_printf(out, "%.*s %s ", len, key.ptr, s->high_inclusive ? "<=" : "<"));
    return ast_print(out, s->high);
  case PLAN_BOUND_NONE: return ERR_OK;
  }
  return ERR_OK;
}

static enum err index_seek(const struct plan *p, const struct plan_index_seek *s, struct buf *out) {
  TRY(put(out, s->unique ? "UNIQUE " : "RANGE INDEX "));
  if (s->start != PLAN_NONE) TRY(buf_printf(out, "(%.*s)-[", STR_ARG(slot_name(p, s->start))));
  TRY(buf_printf(out, "%.*s:%.*s", STR_ARG(slot_name(p, s->entity)), STR_ARG(name_of(p, s->label_or_type))));
  TRY(seek_keys(p, s, out));
  if (s->start != PLAN_NONE) TRY(buf_printf(out, "]-%s(%.*s)", s->undirected ? "" : ">", STR_ARG(slot_name(p, s->end))));
  TRY(put(out, " WHERE "));
  for (uint32_t i = 0; i < s->equal.count; i++) {
    bool in = s->in && i == s->equal.count - 1;
    TRY(separator(out, i, " AND "));
    TRY(buf_printf(out, "%.*s %s ", STR_ARG(name_of(p, s->keys.items[i])), in ? "IN" : "="));
    TRY(ast_print(out, s->equal.items[i]));
  }
  if (s->bound != PLAN_BOUND_NONE && s->equal.count < s->keys.count) {
    TRY(separator(out, s->equal.count, " AND "));
    TRY(seek_bound(p, s, name_of(p, s->keys.items[s->equal.count]), out));
  }
  return s->ordered ? put(out, s->descending ? ", descending" : ", ascending") : ERR_OK;
}

static enum err by_id(const struct plan *p, const struct plan_op *op, struct buf *out) {
  bool element = op->kind == PLAN_NODE_BY_ELEMENT_ID || op->kind == PLAN_REL_BY_ELEMENT_ID;
  TRY(buf_printf(out, "%.*s WHERE %s(%.*s) %s ", STR_ARG(slot_name(p, op->by_id.entity)), element ? "elementId" : "id",
                 STR_ARG(slot_name(p, op->by_id.entity)), op->by_id.many ? "IN" : "="));
  return ast_print(out, op->by_id.ids);
}

static enum err filter(const struct plan *p, const struct plan_filter *f, struct buf *out) {
  TRY(exprs(&f->predicates, " AND ", out));
  for (uint32_t i = 0; i < f->differ_count; i++) {
    TRY(separator(out, f->predicates.count + i, " AND "));
    TRY(buf_printf(out, "NOT %.*s = %.*s", STR_ARG(slot_name(p, f->differ[i].left)), STR_ARG(slot_name(p, f->differ[i].right))));
  }
  return ERR_OK;
}

static enum err expand(const struct plan *p, const struct plan_expand *x, struct buf *out) {
  TRY(arrow(p, x->from, x->rel, &x->types, "", x->direction, x->to, out));
  if (x->predicates.count == 0) return ERR_OK;
  TRY(put(out, " WHERE "));
  return exprs(&x->predicates, " AND ", out);
}

static enum err var_expand(const struct plan *p, const struct plan_var_expand *x, struct buf *out) {
  TRY(long_arrow(p, x->from, x->rels, &x->types, x->min, x->max, x->direction, x->to, out));
  if (x->rel_predicates.count + x->node_predicates.count == 0) return ERR_OK;
  TRY(put(out, " WHERE "));
  TRY(exprs(&x->rel_predicates, " AND ", out));
  TRY(separator(out, MIN(x->rel_predicates.count, x->node_predicates.count), " AND "));
  return exprs(&x->node_predicates, " AND ", out);
}

static enum err shortest(const struct plan *p, const struct plan_shortest_path *x, struct buf *out) {
  TRY(long_arrow(p, x->from, x->rels, &x->types, x->min, x->max, x->direction, x->to, out));
  uint32_t count = 0;
  const struct plan_exprs *all[] = {&x->rel_predicates, &x->node_predicates, &x->path_predicates};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    if (all[i]->count == 0) continue;
    TRY(put(out, count++ == 0 ? " WHERE " : " AND "));
    TRY(exprs(all[i], " AND ", out));
  }
  return ERR_OK;
}

static enum err intersect(const struct plan *p, const struct plan_intersect *x, struct buf *out) {
  for (uint32_t i = 0; i < x->arm_count; i++) {
    TRY(separator(out, i, ", "));
    TRY(arrow(p, x->arms[i].from, x->arms[i].rel, &x->arms[i].types, "", x->arms[i].direction, x->to, out));
  }
  return ERR_OK;
}

static enum err sort(const struct plan *p, const struct plan_op *op, struct buf *out) {
  for (uint32_t i = 0; i < op->sort.key_count; i++) {
    TRY(separator(out, i, ", "));
    TRY(buf_printf(out, "%.*s %s", STR_ARG(slot_name(p, op->sort.keys[i].slot)), op->sort.keys[i].descending ? "DESC" : "ASC"));
  }
  if (op->sort.limit == NULL) return ERR_OK;
  TRY(put(out, " LIMIT "));
  TRY(ast_print(out, op->sort.limit));
  if (op->sort.skip == NULL) return ERR_OK;
  TRY(put(out, " + "));
  return ast_print(out, op->sort.skip);
}

static enum err create(const struct plan *p, const struct plan_create *c, struct buf *out) {
  for (uint32_t i = 0; i < c->count; i++) {
    const struct plan_create_item *item = &c->items[i];
    TRY(separator(out, i, ", "));
    if (item->kind == GRAPH_REL) {
      TRY(arrow(p, item->start, item->slot, &item->labels, "", GRAPH_OUT, item->end, out));
      continue;
    }
    TRY(buf_printf(out, "(%.*s", STR_ARG(slot_name(p, item->slot))));
    TRY(name_list(p, &item->labels, ":", ":", out));
    TRY(put(out, ")"));
  }
  return ERR_OK;
}

static enum err set_item(const struct plan *p, const struct plan_set_item *item, struct buf *out) {
  TRY(ast_print(out, item->target));
  if (item->kind == PLAN_SET_PROPERTY) TRY(buf_printf(out, ".%.*s", STR_ARG(name_of(p, item->key))));
  if (item->kind == PLAN_SET_LABELS || item->kind == PLAN_REMOVE_LABELS) {
    TRY(name_list(p, &item->labels, ":", ":", out));
    for (uint32_t i = 0; i < item->dynamic_labels.count; i++) {
      TRY(put(out, ":$("));
      TRY(ast_print(out, item->dynamic_labels.items[i]));
      TRY(put(out, ")"));
    }
    return ERR_OK;
  }
  if (item->kind == PLAN_SET_PROPERTY_DYNAMIC) {
    TRY(put(out, "["));
    TRY(ast_print(out, item->key_expression));
    TRY(put(out, "]"));
  }
  TRY(put(out, item->kind == PLAN_ADD_PROPERTIES ? " += " : " = "));
  return item->value != NULL ? ast_print(out, item->value) : put(out, "NULL");
}

static enum err set(const struct plan *p, const struct plan_set *s, struct buf *out) {
  for (uint32_t i = 0; i < s->count; i++) {
    TRY(separator(out, i, ", "));
    TRY(set_item(p, &s->items[i], out));
  }
  return ERR_OK;
}

static enum err merge(const struct plan *p, const struct plan_merge *m, struct buf *out) {
  TRY(create(p, &m->create, out));
  if (m->on_match.count > 0) TRY(put(out, " ON MATCH SET "));
  TRY(set(p, &m->on_match, out));
  if (m->on_create.count > 0) TRY(put(out, " ON CREATE SET "));
  return set(p, &m->on_create, out);
}

static enum err procedure_call(const struct plan *p, const struct plan_procedure_call *c, struct buf *out) {
  TRY(buf_printf(out, "%s(", c->procedure->name));
  TRY(exprs(&c->arguments, ", ", out));
  TRY(put(out, ")"));
  uint32_t shown = 0;
  for (uint32_t i = 0; i < c->results.count; i++)
    if (c->results.items[i] != PLAN_NONE)
      TRY(buf_printf(out, "%s%.*s", shown++ == 0 ? " :: (" : ", ", STR_ARG(slot_name(p, c->results.items[i]))));
  return shown > 0 ? put(out, ")") : ERR_OK;
}

static enum err path(const struct plan *p, const struct plan_project_path *x, struct buf *out) {
  TRY(buf_printf(out, "(%.*s)", STR_ARG(slot_name(p, x->start))));
  for (uint32_t i = 0; i < x->step_count; i++) {
    TRY(put(out, "-["));
    TRY(slot_list(p, &x->steps[i].rels, out));
    TRY(put(out, x->steps[i].list ? "*]-" : "]-"));
  }
  return buf_printf(out, " AS %.*s", STR_ARG(slot_name(p, x->out)));
}

static enum err repeat(const struct plan *p, const struct plan_repeat *x, struct buf *out) {
  TRY(buf_printf(out, "(%.*s) (...){%u, ", STR_ARG(slot_name(p, x->from)), x->min));
  if (x->max != PLAN_NONE) TRY(buf_printf(out, "%u", x->max));
  return buf_printf(out, "} (%.*s)", STR_ARG(slot_name(p, x->to)));
}

static enum err degree(const struct plan *p, const struct plan_degree *x, struct buf *out) {
  const char *before = x->direction == GRAPH_IN ? "<" : "", *after = x->direction == GRAPH_OUT ? ">" : "";
  TRY(buf_printf(out, "getDegree((%.*s)%s-[", STR_ARG(slot_name(p, x->node)), before));
  TRY(name_list(p, &x->types, ":", "|", out));
  return buf_printf(out, "]-%s())%s AS %.*s", after, x->exists ? " > 0" : "", STR_ARG(slot_name(p, x->out)));
}

static enum err cached(const struct plan *p, const struct plan_cache *c, struct buf *out) {
  for (uint32_t i = 0; i < c->count; i++)
    for (uint32_t k = 0; k < c->items[i].keys.count; k++) {
      TRY(separator(out, i + k, ", "));
      TRY(buf_printf(out, "cache[%.*s.%.*s]", STR_ARG(slot_name(p, c->items[i].entity)), STR_ARG(name_of(p, c->items[i].keys.items[k]))));
    }
  return ERR_OK;
}

static enum err columns(const struct ast_column *c, uint32_t count, struct buf *out) {
  for (uint32_t i = 0; i < count; i++) TRY(buf_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(c[i].name)));
  return ERR_OK;
}

static enum err counted(const struct plan *p, const struct plan_list *names, uint32_t out_slot, const char *before, const char *after, struct buf *out) {
  bool any = names->count == 1 && names->items[0] == PLAN_NONE;
  TRY(buf_printf(out, "count( %s", before));
  if (!any) TRY(name_list(p, names, ":", "|", out));
  return buf_printf(out, "%s ) AS %.*s", after, STR_ARG(slot_name(p, out_slot)));
}

enum err plan_op_details(const struct plan *p, const struct plan_op *op, struct buf *out) {
  switch (op->kind) {
  case PLAN_ARGUMENT: return slot_list(p, &op->argument.slots, out);
  case PLAN_ALL_NODES_SCAN:
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN: TRY(buf_append_str(out, slot_name(p, op->node_scan.node))); return name_list(p, &op->node_scan.labels, ":", "|", out);
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: return by_id(p, op, out);
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return index_seek(p, &op->index_seek, out);
  case PLAN_REL_SCAN:
    return arrow(p, op->rel_scan.start, op->rel_scan.rel, &op->rel_scan.types, "", op->rel_scan.undirected ? GRAPH_BOTH : GRAPH_OUT, op->rel_scan.end, out);
  case PLAN_NODE_COUNT: return counted(p, &op->node_count.labels, op->node_count.out, "(", ")", out);
  case PLAN_REL_COUNT: return counted(p, &op->rel_count.types, op->rel_count.out, "()-[", "]->()", out);
  case PLAN_UNWIND: TRY(ast_print(out, op->unwind.list)); return buf_printf(out, " AS %.*s", STR_ARG(slot_name(p, op->unwind.out)));
  case PLAN_PROCEDURE_CALL: return procedure_call(p, &op->procedure_call, out);
  case PLAN_LOAD_CSV: TRY(ast_print(out, op->load_csv.url)); return buf_printf(out, " AS %.*s", STR_ARG(slot_name(p, op->load_csv.out)));
  case PLAN_SHOW: return columns(op->show.columns, op->show.column_count, out);
  case PLAN_FILTER: return filter(p, &op->filter, out);
  case PLAN_PROJECTION: return items(p, &op->projection.items, 0, out);
  case PLAN_PROJECT_PATH: return path(p, &op->project_path, out);
  case PLAN_PROJECT_ENDPOINTS:
    return arrow(p, op->project_ends.start, op->project_ends.rel, &op->project_ends.types, op->project_ends.list ? "*" : "", op->project_ends.direction,
                 op->project_ends.end, out);
  case PLAN_CACHE_PROPERTIES: return cached(p, &op->cache, out);
  case PLAN_DEGREE: return degree(p, &op->degree, out);
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO: return expand(p, &op->expand, out);
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO:
  case PLAN_PRUNING_VAR_EXPAND: return var_expand(p, &op->var_expand, out);
  case PLAN_SHORTEST_PATH: return shortest(p, &op->shortest_path, out);
  case PLAN_INTERSECT: return intersect(p, &op->intersect, out);
  case PLAN_REPEAT: return repeat(p, &op->repeat, out);
  case PLAN_LET_SEMI_APPLY: return buf_append_str(out, slot_name(p, op->let.out));
  case PLAN_ROLL_UP_APPLY: return buf_printf(out, "%.*s, %.*s", STR_ARG(slot_name(p, op->let.out)), STR_ARG(slot_name(p, op->let.collect)));
  case PLAN_OPTIONAL: return slot_list(p, &op->optional.slots, out);
  case PLAN_NODE_HASH_JOIN: return slot_list(p, &op->node_join.slots, out);
  case PLAN_VALUE_HASH_JOIN:
    TRY(ast_print(out, op->value_join.left));
    TRY(put(out, " = "));
    return ast_print(out, op->value_join.right);
  case PLAN_AGGREGATION:
    TRY(items(p, &op->aggregation.keys, 0, out));
    return items(p, &op->aggregation.aggregates, op->aggregation.keys.count, out);
  case PLAN_DISTINCT: return slot_list(p, &op->distinct.slots, out);
  case PLAN_SORT:
  case PLAN_TOP:
  case PLAN_PARTIAL_SORT:
  case PLAN_PARTIAL_TOP: return sort(p, op, out);
  case PLAN_SKIP:
  case PLAN_LIMIT: return ast_print(out, op->limit.count);
  case PLAN_CREATE: return create(p, &op->create, out);
  case PLAN_MERGE: return merge(p, &op->merge, out);
  case PLAN_SET: return set(p, &op->set, out);
  case PLAN_DELETE: return exprs(&op->delete_.expressions, ", ", out);
  case PLAN_FOREACH: TRY(buf_printf(out, "%.*s IN ", STR_ARG(slot_name(p, op->foreach.variable)))); return ast_print(out, op->foreach.list);
  case PLAN_EAGER: return put(out, op->eager.reason);
  case PLAN_PRODUCE_RESULTS: return columns(op->produce.columns, op->produce.column_count, out);
  default: return ERR_OK;
  }
}
