#include "plan/leaf.h"

#include <string.h>

#include "plan/cost.h"

static double nodes_with(const struct planner *p, plan_name_id label) {
  graph_token token = label == PLAN_NONE ? GRAPH_ANY : planner_token(p, label);
  return label != PLAN_NONE && token == GRAPH_ANY ? 0 : p->catalog->nodes(p->catalog->context, token);
}

static void keep_cheaper(struct leaf *best, const struct leaf *other) {
  if (other->cost < best->cost) *best = *other;
}

/// A predicate about the node whose value can be computed already.
static bool usable(const struct qg_predicate *q, uint32_t slot, const struct bits *available) {
  return q->subject == slot && !q->late && bits_within(&q->value_reads, available);
}

static void try_id(const struct query_graph *g, uint32_t number, struct leaf *best) {
  const struct qg_predicate *q = &g->predicates[number];
  bool many = q->kind == QG_ID_IN || q->kind == QG_ELEMENT_ID_IN;
  double rows = !many ? 1 : q->value->kind == AST_LIST ? (double) q->value->list.items.count : LIST_ROWS;
  struct leaf leaf = {.kind = q->kind == QG_ID || q->kind == QG_ID_IN ? PLAN_NODE_BY_ID : PLAN_NODE_BY_ELEMENT_ID,
                      .node = best->node,
                      .rows = rows,
                      .cost = rows * COST_ID_SEEK,
                      .solved = {number},
                      .solved_count = 1};
  keep_cheaper(best, &leaf);
}

static void try_label(const struct query_graph *g, uint32_t number, struct leaf *best) {
  double rows = nodes_with(g->p, g->predicates[number].name);
  struct leaf leaf = {.kind = PLAN_LABEL_SCAN, .node = best->node, .rows = rows, .cost = rows * COST_LABEL_SCAN, .solved = {number}, .solved_count = 1};
  if (leaf.cost <= best->cost || best->kind == PLAN_ALL_NODES_SCAN) *best = leaf;
}

static void try_any_label(const struct query_graph *g, uint32_t number, struct leaf *best) {
  const struct plan_list *labels = &g->predicates[number].labels;
  double rows = 0;
  for (uint32_t i = 0; i < labels->count; i++) rows += nodes_with(g->p, labels->items[i]);
  struct leaf leaf = {.kind = PLAN_UNION_LABEL_SCAN, .node = best->node, .rows = rows, .cost = rows * COST_LABEL_SCAN, .solved = {number}, .solved_count = 1};
  bool scan = best->kind == PLAN_ALL_NODES_SCAN;
  if (scan || leaf.cost < best->cost) *best = leaf;
}

/// The first usable predicate of that kind on the key; PLAN_NONE.
static uint32_t find(const struct query_graph *g, uint32_t slot, const struct bits *available, graph_token key, enum qg_predicate_kind kind) {
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->kind == kind && usable(q, slot, available) && planner_token(g->p, q->name) == key) return i;
  }
  return PLAN_NONE;
}

static void solve(struct leaf *leaf, uint32_t predicate) {
  if (predicate != PLAN_NONE && leaf->solved_count < LEAF_PREDICATES_MAX) leaf->solved[leaf->solved_count++] = predicate;
}

/// Every key but the last matched may only be an equality; IN and the bounds end the match.
static void match_keys(const struct query_graph *g, uint32_t slot, const struct bits *available, struct leaf *leaf) {
  const struct graph_index *index = leaf->index;
  leaf->low = leaf->high = leaf->prefix = leaf->exists = PLAN_NONE;
  for (uint32_t k = 0; k < index->key_count; k++) {
    uint32_t equal = find(g, slot, available, index->keys[k], QG_EQUAL);
    bool in = equal == PLAN_NONE;
    if (in) equal = find(g, slot, available, index->keys[k], QG_IN);
    if (equal != PLAN_NONE) {
      leaf->equal[leaf->equal_count++] = equal;
      solve(leaf, equal);
      if (in) return;
      continue;
    }
    leaf->prefix = find(g, slot, available, index->keys[k], QG_PREFIX);
    if (leaf->prefix == PLAN_NONE) {
      leaf->low = find(g, slot, available, index->keys[k], QG_GREATER);
      leaf->high = find(g, slot, available, index->keys[k], QG_LESS);
    }
    if (leaf->prefix == PLAN_NONE && leaf->low == PLAN_NONE && leaf->high == PLAN_NONE)
      leaf->exists = find(g, slot, available, index->keys[k], QG_EXISTS);
    solve(leaf, leaf->prefix);
    solve(leaf, leaf->low);
    solve(leaf, leaf->high);
    solve(leaf, leaf->exists);
    return;
  }
}

static double fraction_found(const struct query_graph *g, const struct leaf *leaf, struct graph_index_stats stats) {
  double entries = MAX(1.0, stats.entries), found = 1;
  if (leaf->equal_count == leaf->index->key_count) {
    found = 1.0 / MAX(1.0, stats.distinct);
  } else {
    for (uint32_t i = 0; i < leaf->equal_count; i++) found *= g->predicates[leaf->equal[i]].selectivity;
  }
  for (uint32_t i = 0; i < leaf->equal_count; i++) {
    const struct qg_predicate *q = &g->predicates[leaf->equal[i]];
    if (q->kind == QG_IN) found *= q->value->kind == AST_LIST ? (double) q->value->list.items.count : LIST_ROWS;
  }
  if (leaf->prefix != PLAN_NONE) found *= SELECTIVITY_PREFIX;
  if (leaf->low != PLAN_NONE) found *= SELECTIVITY_RANGE;
  if (leaf->high != PLAN_NONE) found *= SELECTIVITY_RANGE;
  return MIN(found, entries);
}

/// An index holds only entities that have all of its keys; without a predicate that implies each, or nobody who misses those
/// without it, it may not have all that is looked for.
static bool covers(const struct query_graph *g, uint32_t slot, const struct graph_index *index, bool skips_nulls) {
  for (uint32_t k = 0; k < index->key_count; k++) {
    bool implied = skips_nulls && planner_token(g->p, g->wish.keys[0].name) == index->keys[k];
    for (uint32_t i = 0; i < g->predicate_count && !implied; i++) {
      const struct qg_predicate *q = &g->predicates[i];
      implied = q->subject == slot && q->kind >= QG_EQUAL && q->kind <= QG_EXISTS && planner_token(g->p, q->name) == index->keys[k];
    }
    if (!implied) return false;
  }
  return true;
}

/// The entity in `slot` by an index; false if that may miss some, or nothing says what to look for.
static bool index_leaf(const struct query_graph *g, uint32_t slot, const struct graph_index *index, const struct bits *available, bool skips_nulls,
                       struct leaf *ret) {
  struct leaf leaf = {.index = index};
  match_keys(g, slot, available, &leaf);
  if ((leaf.solved_count == 0 && !skips_nulls) || !covers(g, slot, index, skips_nulls)) return false;
  struct graph_index_stats stats = g->p->catalog->index(g->p->catalog->context, index->id);
  leaf.rows = stats.entries * fraction_found(g, &leaf, stats);
  bool unique = index->constraint == GRAPH_CONSTRAINT_UNIQUE && leaf.equal_count == index->key_count;
  if (unique && g->predicates[leaf.equal[leaf.equal_count - 1]].kind == QG_EQUAL) leaf.rows = MIN(leaf.rows, 1);
  leaf.cost = COST_SEEK + leaf.rows * COST_SEEK_ROW;
  *ret = leaf;
  return true;
}

/// Node `node` by an index on the label of predicate `label`.
static bool node_index_leaf(const struct query_graph *g, uint32_t node, uint32_t label, const struct graph_index *index,
                            const struct bits *available, bool skips_nulls, struct leaf *ret) {
  if (!index_leaf(g, g->nodes[node].slot, index, available, skips_nulls, ret)) return false;
  ret->kind = PLAN_NODE_INDEX_SEEK;
  ret->node = node;
  solve(ret, label);
  return true;
}

static void try_index(const struct query_graph *g, uint32_t label, const struct graph_index *index, const struct bits *available,
                      struct leaf *best) {
  struct leaf leaf;
  if (!node_index_leaf(g, best->node, label, index, available, false, &leaf)) return;
  // On an empty label everything costs the same: seeks are the safer choice, as plans are kept while the graph grows.
  if (leaf.cost < best->cost || best->kind == PLAN_LABEL_SCAN || best->kind == PLAN_UNION_LABEL_SCAN) {
    bool poor = leaf.cost > best->cost && leaf.equal_count == 0 && best->cost > COST_SEEK;
    if (!poor) *best = leaf;
  }
}

void leaf_choose(const struct query_graph *g, uint32_t node, const struct bits *available, struct leaf *ret) {
  const struct planner *p = g->p;
  uint32_t slot = g->nodes[node].slot;
  double all = nodes_with(p, PLAN_NONE);
  *ret = (struct leaf){.kind = PLAN_ALL_NODES_SCAN, .node = node, .rows = all, .cost = all * COST_ALL_NODES};
  for (uint32_t i = 0; i < g->predicate_count; i++)
    if (g->predicates[i].kind == QG_LABEL && g->predicates[i].subject == slot) try_label(g, i, ret);
  for (uint32_t i = 0; i < g->predicate_count; i++)
    if (g->predicates[i].kind == QG_ANY_LABEL && g->predicates[i].subject == slot) try_any_label(g, i, ret);
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->kind != QG_LABEL || q->subject != slot || planner_token(p, q->name) == GRAPH_ANY) continue;
    for (uint32_t k = 0; k < p->index_count; k++)
      if (p->indexes[k].entity == GRAPH_NODE && p->indexes[k].label_or_type == planner_token(p, q->name))
        try_index(g, i, &p->indexes[k], available, ret);
  }
  for (uint32_t i = 0; i < g->predicate_count; i++)
    if (g->predicates[i].kind >= QG_ID && usable(&g->predicates[i], slot, available)) try_id(g, i, ret);
}

/// How many of the wished keys a seek gives.
static uint32_t given_by(const struct query_graph *g, const struct leaf *leaf) {
  bool decided, descending;
  if (leaf->equal_count > 0 && g->predicates[leaf->equal[leaf->equal_count - 1]].kind == QG_IN) return 0;
  return order_given(g->p, leaf->index->keys, leaf->index->key_count, leaf->equal_count, g->wish.keys, g->wish.count, &decided, &descending);
}

/// Of the indexes that give the most of the wished keys the cheapest.
static void keep_ordered(const struct query_graph *g, uint32_t *most, struct leaf *best, const struct leaf *leaf) {
  uint32_t given = given_by(g, leaf);
  if (given == 0 || given < *most || (given == *most && leaf->cost >= best->cost)) return;
  *best = *leaf;
  *most = given;
}

bool leaf_choose_ordered(const struct query_graph *g, uint32_t node, const struct bits *available, struct leaf *ret) {
  const struct planner *p = g->p;
  uint32_t slot = g->nodes[node].slot, most = 0;
  if (g->wish.count == 0 || g->wish.keys[0].slot != slot) return false;
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->kind != QG_LABEL || q->subject != slot || planner_token(p, q->name) == GRAPH_ANY) continue;
    for (uint32_t k = 0; k < p->index_count; k++) {
      const struct graph_index *index = &p->indexes[k];
      struct leaf leaf;
      if (index->entity != GRAPH_NODE || index->label_or_type != planner_token(p, q->name)) continue;
      if (node_index_leaf(g, node, i, index, available, g->wish.skips_nulls, &leaf)) keep_ordered(g, &most, ret, &leaf);
    }
  }
  return most > 0;
}

bool leaf_choose_rel(const struct query_graph *g, uint32_t number, const struct bits *available, bool ordered, struct leaf *ret) {
  const struct planner *p = g->p;
  const struct qg_rel *rel = &g->rels[number];
  uint32_t most = 0;
  graph_token type = rel->types.count == 1 ? planner_token(p, rel->types.items[0]) : GRAPH_ANY;
  if (type == GRAPH_ANY || rel->kind != QG_ONE || (ordered && (g->wish.count == 0 || g->wish.keys[0].slot != rel->slot))) return false;
  *ret = (struct leaf){.cost = 1e300};
  for (uint32_t k = 0; k < p->index_count; k++) {
    const struct graph_index *index = &p->indexes[k];
    struct leaf leaf;
    if (index->entity != GRAPH_REL || index->label_or_type != type) continue;
    if (!index_leaf(g, rel->slot, index, available, ordered && g->wish.skips_nulls, &leaf)) continue;
    leaf.kind = PLAN_REL_INDEX_SEEK;
    leaf.node = number;
    if (rel->direction == GRAPH_BOTH) leaf.rows *= 2;
    if (ordered) {
      keep_ordered(g, &most, ret, &leaf);
    } else {
      keep_cheaper(ret, &leaf);
    }
  }
  return ret->index != NULL;
}

static enum err push_index(struct query_graph *g, struct plan_op *op, const struct leaf *leaf, uint32_t start, uint32_t end) {
  struct planner *p = g->p;
  const struct graph_index *index = leaf->index;
  struct plan_index_seek *seek = &op->index_seek;
  struct exprs_builder equal = {0};
  struct list_builder keys = {0};
  *seek = (struct plan_index_seek){.index = index->id, .start = start, .end = end};
  if (leaf->kind == PLAN_NODE_INDEX_SEEK) {
    seek->entity = g->nodes[leaf->node].slot;
    seek->label_or_type = g->predicates[leaf->solved[leaf->solved_count - 1]].name;
  } else {
    const struct qg_rel *rel = &g->rels[leaf->node];
    seek->entity = rel->slot;
    seek->label_or_type = rel->types.items[0];
    seek->undirected = rel->direction == GRAPH_BOTH;
  }
  for (uint32_t k = 0; k < index->key_count; k++)
    for (uint32_t i = 0; i < p->name_count; i++)
      if (p->names[i].kind == GRAPH_KEY && p->names[i].token == index->keys[k]) TRY(list_add(p, &keys, i));
  for (uint32_t i = 0; i < leaf->equal_count; i++) {
    const struct qg_predicate *q = &g->predicates[leaf->equal[i]];
    TRY(exprs_add(p, &equal, q->value));
    seek->in = q->kind == QG_IN;
  }
  seek->keys = list_of(&keys);
  seek->equal = exprs_of(&equal);
  seek->unique = index->constraint == GRAPH_CONSTRAINT_UNIQUE && leaf->equal_count == index->key_count;
  if (leaf->prefix != PLAN_NONE) {
    seek->bound = PLAN_BOUND_PREFIX;
    seek->low = g->predicates[leaf->prefix].value;
  } else if (leaf->low != PLAN_NONE || leaf->high != PLAN_NONE) {
    seek->bound = PLAN_BOUND_RANGE;
    if (leaf->low != PLAN_NONE) seek->low = g->predicates[leaf->low].value, seek->low_inclusive = g->predicates[leaf->low].inclusive;
    if (leaf->high != PLAN_NONE) seek->high = g->predicates[leaf->high].value, seek->high_inclusive = g->predicates[leaf->high].inclusive;
  } else if (leaf->equal_count < index->key_count) {
    seek->bound = PLAN_BOUND_EXISTS;
  }
  return ERR_OK;
}

enum err leaf_push(struct query_graph *g, struct chain *c, const struct leaf *leaf, uint32_t start, uint32_t end) {
  struct planner *p = g->p;
  struct plan_op *op;
  uint32_t slot = leaf->kind == PLAN_REL_INDEX_SEEK ? g->rels[leaf->node].slot : g->nodes[leaf->node].slot;
  TRY(chain_push(p, c, leaf->kind, &op));
  op->rows *= leaf->rows;
  TRY(chain_bind(p, c, slot));
  const struct qg_predicate *first = leaf->solved_count > 0 ? &g->predicates[leaf->solved[0]] : NULL;
  switch (leaf->kind) {
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return push_index(g, op, leaf, start, end);
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
    op->by_id = (struct plan_by_id){.entity = slot,
                                    .ids = first->value,
                                    .many = first->kind == QG_ID_IN || first->kind == QG_ELEMENT_ID_IN,
                                    .start = PLAN_NONE,
                                    .end = PLAN_NONE};
    return ERR_OK;
  case PLAN_LABEL_SCAN: op->node_scan.node = slot; return list_one(p, first->name, &op->node_scan.labels);
  case PLAN_UNION_LABEL_SCAN: op->node_scan = (struct plan_node_scan){slot, first->labels}; return ERR_OK;
  default: op->node_scan = (struct plan_node_scan){.node = slot}; return ERR_OK;
  }
}
