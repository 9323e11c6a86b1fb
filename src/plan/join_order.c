#include "plan/join_order.h"

#include <string.h>

#include "plan/cost.h"

/// For each state the best steps of each kind are kept.
enum plane {
  FRESH,   // without the rows of the input
  INPUT,   // on top of it
  ORDERED, // on top of it, and in the order that what follows wishes for
  PLANES,
};

/// Sets of nodes and relationships of the component by their numbers in it; predicates as the sets that they need.
struct search {
  struct query_graph *g;
  const struct component *k;
  const struct chain *c;
  uint64_t bound_nodes;
  struct {
    uint64_t nodes, rels;
    double selectivity;
  } *links; // predicates on more than one node or on a relationship
  uint32_t link_count;
  uint64_t *left, *right; // ends of each relationship, as sets of one node
  const struct step **best[PLANES];   // by set of relationships
  const struct step **leaves[PLANES]; // by node
  struct step input, fresh;
};

static uint32_t place_of(const uint32_t *items, uint32_t count, uint32_t item) {
  for (uint32_t i = 0; i < count; i++)
    if (items[i] == item) return i;
  return PLAN_NONE;
}

static uint64_t nodes_of(const struct search *s, uint64_t rels) {
  uint64_t nodes = 0;
  for (uint64_t left = rels; left != 0; left &= left - 1) {
    int r = __builtin_ctzll(left);
    nodes |= s->left[r] | s->right[r];
  }
  return nodes;
}

/// What predicates that become decidable between the two states let through.
static double links_between(const struct search *s, uint64_t nodes, uint64_t rels, uint64_t old_nodes, uint64_t old_rels) {
  double selectivity = 1;
  for (uint32_t i = 0; i < s->link_count; i++) {
    bool now = (s->links[i].nodes & ~nodes) == 0 && (s->links[i].rels & ~rels) == 0;
    bool before = (s->links[i].nodes & ~old_nodes) == 0 && (s->links[i].rels & ~old_rels) == 0;
    if (now && !before) selectivity *= s->links[i].selectivity;
  }
  return selectivity;
}

static const struct qg_node *node_at(const struct search *s, uint64_t one) {
  return &s->g->nodes[s->k->nodes[__builtin_ctzll(one)]];
}

/// Rows per row that a relationship adds, before predicates on the node that it reaches.
static double fan_out(const struct search *s, int r, bool into) {
  const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
  const struct qg_node *to = &s->g->nodes[rel->right];
  const struct qg_node *from = &s->g->nodes[rel->left];
  return into ? rel->selectivity : rel->selectivity * MAX(from->base, to->base);
}

static double expand_cost(const struct search *s, int r, double rows, double found, bool into) {
  const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
  double one = into ? COST_EXPAND_INTO : COST_EXPAND;
  if (rel->kind == QG_ONE) return rows * one + found * COST_EXPAND_ROW;
  return rows * one * 4 + found * COST_EXPAND_ROW * 4;
}

static enum err keep(struct search *s, const struct step **place, const struct step *candidate) {
  if (*place != NULL && (*place)->cost <= candidate->cost) return ERR_OK;
  struct step *copy = arena_copy(&s->g->p->scratch, candidate, sizeof *candidate);
  PLAN_ALLOC(s->g->p, copy);
  *place = copy;
  return ERR_OK;
}

/// `rel` from a state that has `nodes` and `rels`; `from_one` is the end that it starts from.
static struct step expand(const struct search *s, const struct step *below, uint64_t nodes, uint64_t rels, int r, uint64_t from_one) {
  uint64_t to_one = s->left[r] == from_one ? s->right[r] : s->left[r];
  bool into = (nodes & to_one) != 0;
  struct step step = {.kind = into ? STEP_INTO : STEP_EXPAND, .left = below, .rel = s->k->rels[r], .from = s->k->nodes[__builtin_ctzll(from_one)]};
  const struct qg_rel *rel = &s->g->rels[step.rel];
  const struct qg_node *to = node_at(s, to_one);
  double found = below->rows * rel->selectivity * (into ? 1 : MAX(1.0, to->base));
  step.cost = below->cost + expand_cost(s, r, below->rows, found, into);
  double own = into || to->bound ? 1 : to->rows / MAX(1.0, to->base);
  step.rows = found * own * links_between(s, nodes | to_one, rels | UINT64_C(1) << r, nodes, rels);
  step.cost += found * COST_PREDICATE;
  return step;
}

static enum err add_leaf(struct search *s, uint32_t i, const struct step *start, struct step *step, enum plane plane) {
  const struct qg_node *node = &s->g->nodes[s->k->nodes[i]];
  step->rows = start->rows * MIN(step->leaf.rows, MAX(node->rows, 0));
  step->cost = start->cost + start->rows * (step->leaf.cost + step->leaf.rows * COST_PREDICATE);
  return keep(s, &s->leaves[plane][i], step);
}

static enum err add_ordered_leaf(struct search *s, uint32_t i) {
  struct step step = {.kind = STEP_LEAF, .left = &s->input};
  return leaf_choose_ordered(s->g, s->k->nodes[i], &s->c->bound, &step.leaf) ? add_leaf(s, i, &s->input, &step, ORDERED) : ERR_OK;
}

static enum err add_leaves(struct search *s) {
  struct chain fresh;
  TRY(chain_fresh(s->g->p, s->c, &fresh));
  for (uint32_t i = 0; i < s->k->node_count; i++) {
    if (s->bound_nodes >> i & 1) continue;
    for (int with_input = 0; with_input < 2; with_input++) {
      const struct step *start = with_input ? &s->input : &s->fresh;
      struct step step = {.kind = STEP_LEAF, .left = start};
      leaf_choose(s->g, s->k->nodes[i], with_input ? &s->c->bound : &fresh.bound, &step.leaf);
      TRY(add_leaf(s, i, start, &step, (enum plane) with_input));
    }
    if (chain_at_start(s->c)) TRY(add_ordered_leaf(s, i));
  }
  return ERR_OK;
}

/// All ways to add relationship `r` to a state.
static enum err extend(struct search *s, const struct step *below, int plane, uint64_t nodes, uint64_t rels, int r) {
  const uint64_t ends[] = {s->left[r], s->right[r]};
  const int with_input = plane != FRESH;
  const struct step **place = &s->best[plane][rels | UINT64_C(1) << r];
  for (int e = 0; e < 2; e++) {
    uint64_t other = ends[1 - e];
    if (!(nodes & ends[e]) || (!with_input && (other & s->bound_nodes))) continue;
    struct step step = expand(s, below, nodes, rels, r, ends[e]);
    TRY(keep(s, place, &step));
    if ((nodes & other) || other == ends[e]) continue;
    // Both ends by a seek, then the relationships between them.
    const struct step *leaf = s->leaves[with_input][__builtin_ctzll(other)];
    if (leaf == NULL || leaf->leaf.kind == PLAN_ALL_NODES_SCAN || leaf->leaf.kind == PLAN_LABEL_SCAN ||
        leaf->leaf.kind == PLAN_UNION_LABEL_SCAN)
      continue;
    struct step found = *leaf;
    found.left = below;
    found.rows = below->rows * leaf->leaf.rows;
    found.cost = below->cost + below->rows * leaf->leaf.cost;
    const struct step *kept = NULL;
    TRY(keep(s, &kept, &found));
    step = expand(s, kept, nodes | other, rels, r, ends[e]);
    TRY(keep(s, place, &step));
  }
  return ERR_OK;
}

static enum err join_states(struct search *s, uint64_t rels, uint64_t right_rels) {
  uint64_t left_rels = rels & ~right_rels;
  for (int with_input = 0; with_input < 2; with_input++) {
    const struct step *left = s->best[with_input][left_rels], *right = s->best[0][right_rels];
    if (left == NULL || right == NULL || (nodes_of(s, left_rels) & nodes_of(s, right_rels)) == 0) continue;
    struct step step = {.kind = STEP_JOIN, .left = left, .right = right};
    uint64_t shared = nodes_of(s, left_rels) & nodes_of(s, right_rels);
    step.rows = left->rows * (right->rows / MAX(1e-9, s->fresh.rows));
    for (uint64_t n = shared; n != 0; n &= n - 1) step.rows /= MAX(1.0, node_at(s, n & -n)->rows);
    step.cost = left->cost + right->cost + left->rows * COST_HASH_BUILD + right->rows * COST_HASH_PROBE + step.rows * COST_JOIN_ROW;
    step.rows *= links_between(s, nodes_of(s, rels), rels, nodes_of(s, left_rels), left_rels);
    TRY(keep(s, &s->best[with_input][rels], &step));
  }
  return ERR_OK;
}

/// A node that two or more relationships reach from known nodes: all of them at once.
static enum err intersect_states(struct search *s, uint64_t rels) {
  for (int with_input = 0; with_input < PLANES; with_input++)
    for (uint32_t i = 0; i < s->k->node_count; i++) {
      uint64_t one = UINT64_C(1) << i, arms = 0;
      if (one & s->bound_nodes) continue;
      for (uint64_t n = rels; n != 0; n &= n - 1) {
        int r = __builtin_ctzll(n);
        const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
        if (!((s->left[r] | s->right[r]) & one)) continue;
        if (rel->kind != QG_ONE || rel->bound || s->left[r] == s->right[r]) {
          arms = 0;
          break;
        }
        arms |= UINT64_C(1) << r;
      }
      uint64_t rest = rels & ~arms;
      const struct step *below = rest != 0 ? s->best[with_input][rest] : with_input == INPUT ? &s->input : NULL;
      if (__builtin_popcountll(arms) < 2 || below == NULL) continue;
      uint64_t nodes = nodes_of(s, rest) | (with_input ? s->bound_nodes : 0);
      if ((nodes_of(s, arms) & ~nodes) != one) continue;
      struct step step = {.kind = STEP_INTERSECT, .left = below, .from = s->k->nodes[i], .rels = arms};
      double found = below->rows * MAX(1.0, node_at(s, one)->base), least = 1e300;
      for (uint64_t n = arms; n != 0; n &= n - 1) {
        int r = __builtin_ctzll(n);
        found *= s->g->rels[s->k->rels[r]].selectivity;
        least = MIN(least, fan_out(s, r, false));
      }
      step.rows = found * node_at(s, one)->rows / MAX(1.0, node_at(s, one)->base) * links_between(s, nodes | one, rels, nodes, rest);
      step.cost = below->cost + below->rows * __builtin_popcountll(arms) * (COST_INTERSECT + MIN(least, 1e9) * 0.5) + found * COST_PREDICATE;
      TRY(keep(s, &s->best[with_input][rels], &step));
    }
  return ERR_OK;
}

/// A relationship by its id or by a scan of its types, which give both ends.
static enum err scan_rel(struct search *s, int with_input, int r) {
  const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
  const struct qg_node *left = node_at(s, s->left[r]), *right = node_at(s, s->right[r]);
  if (rel->kind != QG_ONE || left == right || left->bound || right->bound) return ERR_OK;
  const struct step *start = with_input ? &s->input : &s->fresh;
  struct step step = {.kind = STEP_REL_SCAN, .left = start, .rel = s->k->rels[r]};
  static const struct bits none;
  bool sees_input = with_input || chain_at_start(s->c);
  uint32_t seek = qg_rel_seek(s->g, rel, sees_input ? &s->c->bound : &none);
  double found = rel->count * (rel->direction == GRAPH_BOTH ? 2 : 1);
  if (seek != PLAN_NONE) found = MIN(found, s->g->predicates[seek].kind == QG_ID_IN || s->g->predicates[seek].kind == QG_ELEMENT_ID_IN ? LIST_ROWS : 1);
  step.rows = start->rows * left->rows * right->rows * rel->selectivity * links_between(s, s->left[r] | s->right[r], UINT64_C(1) << r, 0, 0);
  step.cost = start->cost + start->rows * found * ((seek != PLAN_NONE ? COST_ID_SEEK : COST_REL_SCAN) + COST_PREDICATE);
  if (seek != PLAN_NONE) step.rows = MIN(step.rows, start->rows * found);
  return keep(s, &s->best[with_input][UINT64_C(1) << r], &step);
}

/// By an index on its properties.
static enum err seek_rel(struct search *s, enum plane plane, int r) {
  const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
  const struct qg_node *left = node_at(s, s->left[r]), *right = node_at(s, s->right[r]);
  if (left == right || left->bound || right->bound || rel->bound || (plane == ORDERED && !chain_at_start(s->c))) return ERR_OK;
  const struct step *start = plane != FRESH ? &s->input : &s->fresh;
  struct step step = {.kind = STEP_REL_SCAN, .left = start, .rel = s->k->rels[r]};
  static const struct bits none;
  const struct bits *available = plane != FRESH || chain_at_start(s->c) ? &s->c->bound : &none;
  if (!leaf_choose_rel(s->g, step.rel, available, plane == ORDERED, &step.leaf)) return ERR_OK;
  double ends = (left->rows / MAX(1.0, left->base)) * (right->rows / MAX(1.0, right->base));
  step.rows = start->rows * step.leaf.rows * ends;
  step.cost = start->cost + start->rows * (step.leaf.cost + step.leaf.rows * COST_PREDICATE);
  return keep(s, &s->best[plane][UINT64_C(1) << r], &step);
}

/// All that a single relationship can begin with.
static enum err extend_from_starts(struct search *s) {
  for (uint32_t r = 0; r < s->k->rel_count; r++) {
    TRY(extend(s, &s->input, 1, s->bound_nodes, 0, (int) r));
    for (int with_input = 0; with_input < 2; with_input++) TRY(scan_rel(s, with_input, (int) r));
    for (int plane = 0; plane < PLANES; plane++) TRY(seek_rel(s, (enum plane) plane, (int) r));
    for (uint32_t i = 0; i < s->k->node_count; i++)
      for (int with_input = 0; with_input < PLANES; with_input++)
        if (s->leaves[with_input][i] != NULL)
          TRY(extend(s, s->leaves[with_input][i], with_input, UINT64_C(1) << i | (with_input ? s->bound_nodes : 0), 0, (int) r));
  }
  return ERR_OK;
}

/// What is in order needs no sort, and where only its first rows are wanted stops early.
static const struct step *cheaper_in_order(const struct search *s, const struct step *any, const struct step *ordered) {
  const struct order_wish *wish = &s->g->wish;
  if (ordered == NULL || any == NULL) return any;
  double part = ordered->rows > wish->rows ? wish->rows / ordered->rows : 1;
  if (!wish->all) part = MIN(1, 2 * part); // rows that are equal in the keys of the order must all be looked at
  double sorted = any->cost + any->rows * COST_SORT_ROW;
  return ordered->cost * part <= MAX(sorted, 2 * COST_SEEK) ? ordered : any;
}

static enum err search_exactly(struct search *s, const struct step **ret) {
  uint32_t n = s->k->rel_count;
  uint64_t full = (UINT64_C(1) << n) - 1;
  TRY(extend_from_starts(s));
  for (uint64_t rels = 1; rels <= full; rels++) {
    for (uint64_t right = (rels - 1) & rels; right != 0 && s->k->rel_count > 1; right = (right - 1) & rels) TRY(join_states(s, rels, right));
    TRY(intersect_states(s, rels));
    for (int with_input = 0; with_input < PLANES; with_input++) {
      const struct step *below = s->best[with_input][rels];
      if (below == NULL) continue;
      uint64_t nodes = nodes_of(s, rels) | (with_input ? s->bound_nodes : 0);
      for (uint32_t r = 0; r < n; r++)
        if (!(rels >> r & 1)) TRY(extend(s, below, with_input, nodes, rels, (int) r));
    }
  }
  *ret = cheaper_in_order(s, s->best[INPUT][full], s->best[ORDERED][full]);
  const struct step *alone = s->k->bound ? NULL : s->best[0][full];
  if (alone == NULL) return ERR_OK;
  struct step product = {.kind = STEP_PRODUCT, .left = &s->input, .right = alone, .rows = s->input.rows * alone->rows};
  product.cost = s->input.cost + alone->cost + product.rows * COST_PRODUCT_ROW;
  return chain_at_start(s->c) ? ERR_OK : keep(s, ret, &product);
}

/// Too many relationships for all sets: from the cheapest start always on to the relationship that adds the fewest rows.
static enum err search_greedily(struct query_graph *g, const struct component *k, const struct step *input, const struct bits *available,
                                const struct step **ret) {
  struct planner *p = g->p;
  uint8_t *known = arena_zalloc(&p->scratch, g->node_count + g->rel_count + 1), *done = known != NULL ? known + g->node_count : NULL;
  PLAN_ALLOC(p, known);
  const struct step *at = input;
  for (uint32_t i = 0; i < k->node_count; i++) known[k->nodes[i]] = g->nodes[k->nodes[i]].bound;
  if (!k->bound) {
    struct step best = {.kind = STEP_LEAF, .left = input, .cost = 1e300};
    for (uint32_t i = 0; i < k->node_count; i++) {
      struct step step = {.kind = STEP_LEAF, .left = input};
      leaf_choose(g, k->nodes[i], available, &step.leaf);
      step.rows = step.leaf.rows;
      step.cost = step.leaf.cost + g->nodes[k->nodes[i]].rows;
      if (step.cost < best.cost) best = step;
    }
    known[best.leaf.node] = 1;
    struct step *copy = arena_copy(&p->scratch, &best, sizeof best);
    PLAN_ALLOC(p, copy);
    at = copy;
  }
  for (uint32_t left = k->rel_count; left > 0; left--) {
    struct step best = {.rel = PLAN_NONE};
    double least = 1e300;
    for (uint32_t i = 0; i < k->rel_count; i++) {
      const struct qg_rel *rel = &g->rels[k->rels[i]];
      if (done[k->rels[i]] || (!known[rel->left] && !known[rel->right])) continue;
      bool into = known[rel->left] && known[rel->right];
      const struct qg_node *to = &g->nodes[known[rel->left] ? rel->right : rel->left];
      double factor = rel->selectivity * (into ? 1 : to->rows);
      if (factor >= least) continue;
      least = factor;
      best = (struct step){.kind = into ? STEP_INTO : STEP_EXPAND, .left = at, .rel = k->rels[i], .from = known[rel->left] ? rel->left : rel->right};
    }
    best.rows = at->rows * least;
    best.cost = at->cost + at->rows;
    struct step *copy = arena_copy(&p->scratch, &best, sizeof best);
    PLAN_ALLOC(p, copy);
    done[best.rel] = known[g->rels[best.rel].left] = known[g->rels[best.rel].right] = 1;
    at = copy;
  }
  *ret = at;
  return ERR_OK;
}

static enum err find_links(struct search *s) {
  struct query_graph *g = s->g;
  s->links = arena_array(&g->p->scratch, g->predicate_count + 1, sizeof *s->links);
  PLAN_ALLOC(g->p, s->links);
  for (uint32_t i = 0; i < g->predicate_count; i++) {
    const struct qg_predicate *q = &g->predicates[i];
    uint64_t nodes = 0, rels = 0;
    for (uint32_t n = 0; n < s->k->node_count; n++)
      if (bits_has(&q->reads, g->nodes[s->k->nodes[n]].slot)) nodes |= UINT64_C(1) << n;
    for (uint32_t r = 0; r < s->k->rel_count; r++) {
      uint32_t slot = g->rels[s->k->rels[r]].slot;
      if (slot != PLAN_NONE && bits_has(&q->reads, slot)) rels |= UINT64_C(1) << r;
    }
    bool own = rels == 0 && __builtin_popcountll(nodes) <= 1 && q->kind != QG_OTHER;
    if (own || (nodes | rels) == 0) continue;
    s->links[s->link_count].nodes = nodes;
    s->links[s->link_count].rels = rels;
    s->links[s->link_count++].selectivity = q->selectivity;
  }
  return ERR_OK;
}

static enum err search_init(struct search *s, double input_rows) {
  struct planner *p = s->g->p;
  uint32_t n = s->k->rel_count;
  s->input = (struct step){.kind = STEP_INPUT, .rows = input_rows};
  s->fresh = (struct step){.kind = STEP_FRESH, .rows = chain_at_start(s->c) ? input_rows : 1};
  s->left = ARENA_ARRAY(&p->scratch, uint64_t, n);
  s->right = ARENA_ARRAY(&p->scratch, uint64_t, n);
  if (s->left == NULL || s->right == NULL) return planner_nomem(p);
  for (uint32_t i = 0; i < s->k->node_count; i++)
    if (s->g->nodes[s->k->nodes[i]].bound) s->bound_nodes |= UINT64_C(1) << i;
  for (uint32_t r = 0; r < n; r++) {
    const struct qg_rel *rel = &s->g->rels[s->k->rels[r]];
    s->left[r] = UINT64_C(1) << place_of(s->k->nodes, s->k->node_count, rel->left);
    s->right[r] = UINT64_C(1) << place_of(s->k->nodes, s->k->node_count, rel->right);
  }
  for (int w = 0; w < PLANES; w++) {
    s->best[w] = arena_zalloc(&p->scratch, (sizeof(struct step *) << n));
    s->leaves[w] = arena_zalloc(&p->scratch, sizeof(struct step *) * (s->k->node_count + 1));
    if (s->best[w] == NULL || s->leaves[w] == NULL) return planner_nomem(p);
  }
  return find_links(s);
}

enum err join_order(struct query_graph *g, const struct component *k, const struct chain *c, const struct step **ret) {
  if (k->rel_count > JOIN_RELS_MAX) return planner_unsupported(g->p, NULL, "A pattern of more than 2000 relationships");
  if (k->rel_count > JOIN_EXACT_MAX || k->node_count > 60) {
    struct step *input = ARENA_NEW(&g->p->scratch, struct step);
    PLAN_ALLOC(g->p, input);
    *input = (struct step){.kind = STEP_INPUT, .rows = c->op->rows};
    return search_greedily(g, k, input, &c->bound, ret);
  }
  struct search *s = ARENA_NEW(&g->p->scratch, struct search);
  PLAN_ALLOC(g->p, s);
  s->g = g;
  s->k = k;
  s->c = c;
  TRY(search_init(s, c->op->rows));
  TRY(add_leaves(s));
  if (k->rel_count > 0) return search_exactly(s, ret);
  if (k->bound) {
    *ret = &s->input;
    return ERR_OK;
  }
  *ret = cheaper_in_order(s, s->leaves[INPUT][0], s->leaves[ORDERED][0]);
  struct step product = {.kind = STEP_PRODUCT, .left = &s->input, .right = s->leaves[0][0], .rows = s->input.rows * s->leaves[0][0]->rows};
  product.cost = s->leaves[0][0]->cost + product.rows * COST_PRODUCT_ROW;
  return chain_at_start(c) ? ERR_OK : keep(s, ret, &product);
}
