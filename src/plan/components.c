// The connected parts of a query graph. All nodes that come from before count as connected: their row is there already.
#include <string.h>

#include "plan/join_order.h"

static uint32_t root_of(uint32_t *parent, uint32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b) {
  a = root_of(parent, a);
  b = root_of(parent, b);
  if (a != b) parent[MAX(a, b)] = MIN(a, b);
}

enum err components_find(struct query_graph *g, struct component **ret, uint32_t *ret_count) {
  struct planner *p = g->p;
  uint32_t *parent = ARENA_ARRAY(&p->scratch, uint32_t, g->node_count);
  uint32_t *number = ARENA_ARRAY(&p->scratch, uint32_t, g->node_count);
  struct component *all = ARENA_ARRAY(&p->scratch, struct component, g->node_count);
  if (parent == NULL || number == NULL || all == NULL) return planner_nomem(p);
  uint32_t first_bound = PLAN_NONE, count = 0;
  for (uint32_t i = 0; i < g->node_count; i++) parent[i] = i;
  for (uint32_t i = 0; i < g->node_count; i++) {
    if (!g->nodes[i].bound) continue;
    if (first_bound != PLAN_NONE) unite(parent, first_bound, i);
    first_bound = MIN(first_bound, i);
  }
  for (uint32_t i = 0; i < g->rel_count; i++)
    if (g->rels[i].kind != QG_SHORTEST && !g->rels[i].bound) unite(parent, g->rels[i].left, g->rels[i].right);
  for (uint32_t i = 0; i < g->node_count; i++) {
    if (root_of(parent, i) != i) continue;
    number[i] = count;
    all[count] = (struct component){ARENA_ARRAY(&p->scratch, uint32_t, g->node_count), ARENA_ARRAY(&p->scratch, uint32_t, g->rel_count), 0, 0, false};
    if (all[count].nodes == NULL || all[count].rels == NULL) return planner_nomem(p);
    count++;
  }
  for (uint32_t i = 0; i < g->node_count; i++) {
    struct component *k = &all[number[root_of(parent, i)]];
    k->nodes[k->node_count++] = i;
    k->bound = k->bound || g->nodes[i].bound;
  }
  for (uint32_t i = 0; i < g->rel_count; i++) {
    if (g->rels[i].kind == QG_SHORTEST || g->rels[i].bound) continue;
    struct component *k = &all[number[root_of(parent, g->rels[i].left)]];
    k->rels[k->rel_count++] = i;
  }
  *ret = all;
  *ret_count = count;
  return ERR_OK;
}
