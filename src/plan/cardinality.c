// How many rows to expect. Independence is assumed but where counts are known: nodes with a label, relationships
// (:A)-[:T]->(:B), entries and distinct keys of indexes.
#include <math.h>

#include "plan/cost.h"
#include "plan/query_graph.h"

static double count_nodes(const struct planner *p, plan_name_id label) {
  graph_token token = label == PLAN_NONE ? GRAPH_ANY : planner_token(p, label);
  if (label != PLAN_NONE && token == GRAPH_ANY) return 0; // nothing has that label
  return p->catalog->nodes(p->catalog->context, token);
}

static double all_nodes(const struct planner *p) {
  return MAX(1.0, count_nodes(p, PLAN_NONE));
}

static double list_rows(const struct ast *list) {
  return list->kind == AST_LIST ? (double) list->list.items.count : LIST_ROWS;
}

static bool node_has_label(const struct query_graph *g, uint32_t slot, graph_token label) {
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->kind == QG_LABEL && q->subject == slot && planner_token(g->p, q->name) == label) return true;
  }
  return false;
}

/// A relationship of the graph with that slot has just that type.
static bool rel_has_type(const struct query_graph *g, uint32_t slot, graph_token type) {
  for (uint32_t i = 0; i < g->rel_count; i++)
    if (g->rels[i].slot == slot) return g->rels[i].types.count == 1 && planner_token(g->p, g->rels[i].types.items[0]) == type;
  return false;
}

/// 1 / distinct keys of an index that begins with the property, on a label or type that the entity has.
static double index_selectivity(const struct query_graph *g, const struct qg_predicate *q, double otherwise) {
  const struct planner *p = g->p;
  for (uint32_t i = 0; i < p->index_count; i++) {
    const struct graph_index *index = &p->indexes[i];
    bool covers = index->entity == GRAPH_NODE ? node_has_label(g, q->subject, index->label_or_type) : rel_has_type(g, q->subject, index->label_or_type);
    if (!covers || index->keys[0] != planner_token(p, q->name)) continue;
    struct graph_index_stats stats = p->catalog->index(p->catalog->context, index->id);
    return 1.0 / MAX(1.0, stats.distinct);
  }
  return otherwise;
}

static double count_any(const struct query_graph *g, const struct plan_list *labels) {
  double sum = 0;
  for (uint32_t i = 0; i < labels->count; i++) sum += count_nodes(g->p, labels->items[i]);
  return MIN(sum, all_nodes(g->p));
}

static double selectivity(const struct query_graph *g, const struct qg_predicate *q) {
  switch (q->kind) {
  case QG_LABEL: return count_nodes(g->p, q->name) / all_nodes(g->p);
  case QG_ANY_LABEL: return count_any(g, &q->labels) / all_nodes(g->p);
  case QG_EQUAL: return index_selectivity(g, q, SELECTIVITY_EQUAL);
  case QG_IN: return MIN(1.0, index_selectivity(g, q, SELECTIVITY_EQUAL) * list_rows(q->value));
  case QG_LESS:
  case QG_GREATER: return SELECTIVITY_RANGE;
  case QG_PREFIX: return SELECTIVITY_PREFIX;
  case QG_EXISTS: return SELECTIVITY_EXISTS;
  case QG_ID:
  case QG_ELEMENT_ID: return 1.0 / all_nodes(g->p);
  case QG_ID_IN:
  case QG_ELEMENT_ID_IN: return MIN(1.0, list_rows(q->value) / all_nodes(g->p));
  case QG_OTHER: return SELECTIVITY_OTHER;
  }
  return SELECTIVITY_OTHER;
}

static void estimate_node(struct query_graph *g, struct qg_node *node) {
  double all = all_nodes(g->p);
  node->base = all;
  node->rows = 1;
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    if (q->subject != node->slot || q->kind == QG_OTHER) continue;
    if (q->kind == QG_LABEL || q->kind == QG_ANY_LABEL) {
      node->base = MIN(node->base, q->selectivity * all);
    } else {
      node->rows *= q->selectivity;
    }
  }
  node->rows *= node->base;
}

/// Relationships of one type and direction between nodes that have the labels of both ends: the smallest of the known counts.
static double count_between(const struct query_graph *g, uint32_t start, graph_token type, uint32_t end) {
  const struct plan_catalog *catalog = g->p->catalog;
  double least = catalog->rels(catalog->context, GRAPH_ANY, type, GRAPH_ANY);
  for (uint32_t i = 0; i <= g->predicate_count; i++) {
    const struct qg_predicate *a = i < g->predicate_count ? &g->predicates[i] : NULL;
    if (a != NULL && (a->kind != QG_LABEL || a->subject != start)) continue;
    graph_token start_label = a != NULL ? planner_token(g->p, a->name) : GRAPH_ANY;
    if (a != NULL && start_label == GRAPH_ANY) return 0;
    least = MIN(least, catalog->rels(catalog->context, start_label, type, GRAPH_ANY));
    for (uint32_t k = 0; k < g->predicate_count; k++) {
      const struct qg_predicate *b = &g->predicates[k];
      if (b->kind != QG_LABEL || b->subject != end) continue;
      graph_token end_label = planner_token(g->p, b->name);
      if (end_label == GRAPH_ANY) return 0;
      least = MIN(least, catalog->rels(catalog->context, start_label, type, end_label));
    }
  }
  return least;
}

static double count_rels(const struct query_graph *g, const struct qg_rel *rel) {
  uint32_t left = g->nodes[rel->left].slot, right = g->nodes[rel->right].slot;
  double count = 0;
  for (uint32_t i = 0; i < MAX(1, rel->types.count); i++) {
    graph_token type = rel->types.count > 0 ? planner_token(g->p, rel->types.items[i]) : GRAPH_ANY;
    if (rel->types.count > 0 && type == GRAPH_ANY) continue;
    if (rel->direction & GRAPH_OUT) count += count_between(g, left, type, right);
    if (rel->direction & GRAPH_IN) count += count_between(g, right, type, left);
  }
  return count;
}

static double count_types(const struct planner *p, const struct plan_list *types) {
  double count = types->count == 0 ? p->catalog->rels(p->catalog->context, GRAPH_ANY, GRAPH_ANY, GRAPH_ANY) : 0;
  for (uint32_t i = 0; i < types->count; i++) {
    graph_token type = planner_token(p, types->items[i]);
    if (type != GRAPH_ANY) count += p->catalog->rels(p->catalog->context, GRAPH_ANY, type, GRAPH_ANY);
  }
  return count;
}

static void estimate_rel(struct query_graph *g, struct qg_rel *rel) {
  double pairs = MAX(1.0, g->nodes[rel->left].base) * MAX(1.0, g->nodes[rel->right].base);
  double one = count_rels(g, rel);
  rel->count = count_types(g->p, &rel->types);
  rel->selectivity = one / pairs;
  if (rel->kind == QG_SHORTEST) rel->selectivity = 1.0;
  if (rel->kind == QG_ONE || rel->kind == QG_SHORTEST) return;
  double degree = one / all_nodes(g->p), trails = rel->min == 0 ? all_nodes(g->p) : 0, hops = all_nodes(g->p);
  uint32_t depth = rel->max == PLAN_NONE ? MAX(rel->min, VAR_LENGTH_DEPTH) : rel->max;
  for (uint32_t k = 1; k <= MIN(depth, 20); k++) {
    hops *= degree;
    if (k >= MIN(rel->min, 20)) trails += hops;
  }
  rel->selectivity = trails / (all_nodes(g->p) * all_nodes(g->p));
}

void qg_estimate(struct query_graph *g) {
  for (uint32_t i = 0; i < g->predicate_count; i++) g->predicates[i].selectivity = selectivity(g, &g->predicates[i]);
  for (uint32_t i = 0; i < g->node_count; i++) estimate_node(g, &g->nodes[i]);
  for (uint32_t i = 0; i < g->rel_count; i++) estimate_rel(g, &g->rels[i]);
}
