#include "exec/search.h"

static enum graph_direction opposite(enum graph_direction d) {
  return d == GRAPH_OUT ? GRAPH_IN : d == GRAPH_IN ? GRAPH_OUT : GRAPH_BOTH;
}

void search_init(struct search *s, const struct walk *walk) {
  *s = (struct search){.expanding = -1};
  struct mem_budget *budget = &walk->op->x->budget;
  for (int i = 0; i < 2; i++) {
    s->sides[i].walk = *walk;
    arena_init(&s->sides[i].arena, budget);
  }
  s->sides[1].walk.direction = opposite(walk->direction);
  arena_init(&s->meets_arena, budget);
  neighbours_init(&s->neighbours, budget);
}

void search_done(struct search *s) {
  for (int i = 0; i < 2; i++) {
    arena_done(&s->sides[i].arena);
    map_done(&s->sides[i].places);
  }
  arena_done(&s->meets_arena);
  neighbours_done(&s->neighbours);
}

void search_clear(struct search *s) {
  for (int i = 0; i < 2; i++) {
    struct search_side *side = &s->sides[i];
    arena_reset(&side->arena);
    map_clear(&side->places);
    *side = (struct search_side){.walk = side->walk, .arena = side->arena, .places = side->places};
  }
  arena_reset(&s->meets_arena);
  s->meets = NULL;
  s->meet_count = s->meet_capacity = 0;
  s->expanding = -1;
  s->started = s->found = false;
}

static enum err reserve_nodes(struct search_side *side, struct error *e) {
  if (side->n < side->capacity) return ERR_OK;
  uint32_t capacity = MAX(64, side->capacity * 2), old = side->capacity;
  struct arena *a = &side->arena;
  uint64_t *nodes = arena_grow(a, side->nodes, old * sizeof *nodes, capacity * sizeof *nodes);
  uint32_t *depths = arena_grow(a, side->depths, old * sizeof *depths, capacity * sizeof *depths);
  uint32_t *edges = arena_grow(a, side->edges, old * sizeof *edges, capacity * sizeof *edges);
  if (nodes == NULL || depths == NULL || edges == NULL) return arena_err(a, e);
  side->nodes = nodes;
  side->depths = depths;
  side->edges = edges;
  side->capacity = capacity;
  return ERR_OK;
}

static enum err add_node(struct search_side *side, uint64_t node, uint32_t depth, struct error *e) {
  TRY(reserve_nodes(side, e));
  if (map_put(&side->places, node, side->n) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for a shortest path");
  side->nodes[side->n] = node;
  side->depths[side->n] = depth;
  side->edges[side->n++] = 0;
  return ERR_OK;
}

static enum err add_way(struct search_side *side, uint32_t place, uint32_t parent, uint64_t rel, struct error *e) {
  if (side->way_count == side->way_capacity) {
    uint32_t capacity = MAX(64, side->way_capacity * 2);
    struct search_edge *ways = arena_grow(&side->arena, side->ways, side->way_capacity * sizeof *ways, capacity * sizeof *ways);
    if (ways == NULL) return arena_err(&side->arena, e);
    side->ways = ways;
    side->way_capacity = capacity;
  }
  side->ways[side->way_count] = (struct search_edge){rel, parent, side->edges[place]};
  side->edges[place] = ++side->way_count;
  return ERR_OK;
}

/// All neighbours of the node number `from`: new ones join the next level, ways to nodes of that level are kept.
static enum err expand_node(struct search *s, struct search_side *side, const struct batch *in, uint32_t row, uint32_t from, struct error *e) {
  TRY(walk_neighbours(&side->walk, in, row, side->nodes[from], &s->neighbours, e));
  for (uint32_t i = 0; i < s->neighbours.n; i++) {
    const uint64_t *place = map_get(&side->places, s->neighbours.nodes[i]);
    uint32_t to = place != NULL ? (uint32_t) *place : side->n;
    if (place == NULL) TRY(add_node(side, s->neighbours.nodes[i], side->depth + 1, e));
    if (side->depths[to] == side->depth + 1) TRY(add_way(side, to, from, s->neighbours.rels[i], e));
  }
  return ERR_OK;
}

static enum err add_meet(struct search *s, uint32_t start_place, uint32_t end_place, struct error *e) {
  if (s->meet_count == s->meet_capacity) {
    uint32_t capacity = MAX(8, s->meet_capacity * 2);
    struct search_meet *meets = arena_grow(&s->meets_arena, s->meets, s->meet_capacity * sizeof *meets, capacity * sizeof *meets);
    if (meets == NULL) return arena_err(&s->meets_arena, e);
    s->meets = meets;
    s->meet_capacity = capacity;
  }
  s->meets[s->meet_count++] = (struct search_meet){{start_place, end_place}};
  return ERR_OK;
}

/// Nodes of the level just finished that the other side has reached. Only those at the smallest distance count.
static enum err find_meets(struct search *s, int which, struct error *e) {
  struct search_side *side = &s->sides[which], *other = &s->sides[1 - which];
  uint32_t best = UINT32_MAX;
  for (uint32_t pass = 0; pass < 2; pass++)
    for (uint32_t i = side->level_begin; i < side->level_end; i++) {
      const uint64_t *place = map_get(&other->places, side->nodes[i]);
      if (place == NULL) continue;
      uint32_t distance = other->depths[*place];
      if (pass == 0) best = MIN(best, distance);
      if (pass == 1 && distance == best) TRY(add_meet(s, which == 0 ? i : (uint32_t) *place, which == 0 ? (uint32_t) *place : i, e));
    }
  s->found = s->meet_count > 0;
  return ERR_OK;
}

/// Goes on with the level that is under way.
static enum err expand_level(struct search *s, const struct batch *in, uint32_t row, struct error *e) {
  struct search_side *side = &s->sides[s->expanding];
  for (; side->at < side->level_end; side->at++) {
    if (side->at % EXEC_CANCEL_STEPS == 0) TRY(exec_check(side->walk.op->x, e));
    TRY(expand_node(s, side, in, row, side->at, e));
  }
  side->level_begin = side->level_end;
  side->level_end = side->n;
  side->at = side->level_begin;
  side->depth++;
  int which = s->expanding;
  s->expanding = -1;
  return find_meets(s, which, e);
}

static enum err start(struct search *s, uint64_t from, uint64_t to, struct error *e) {
  uint64_t roots[2] = {from, to};
  for (int i = 0; i < 2; i++) {
    TRY(add_node(&s->sides[i], roots[i], 0, e));
    s->sides[i].level_end = 1;
  }
  s->started = true;
  return ERR_OK;
}

enum err search_run(struct search *s, const struct batch *in, uint32_t row, uint64_t from, uint64_t to, uint32_t max, struct error *e) {
  if (!s->started) {
    bool passes;
    TRY(walk_node_passes(&s->sides[0].walk, in, row, to, &s->meets_arena, &passes, e));
    TRY(start(s, from, to, e));
    if (!passes) s->sides[0].level_end = s->sides[1].level_end = 0;
  }
  while (!s->found) {
    if (s->expanding < 0) {
      uint32_t left = s->sides[0].level_end - s->sides[0].level_begin, right = s->sides[1].level_end - s->sides[1].level_begin;
      if (left == 0 || right == 0 || (uint64_t) s->sides[0].depth + s->sides[1].depth >= max) return ERR_OK;
      // The start's side goes first: predicates hold for every node but the start, so the other side may not step on it.
      s->expanding = left <= right ? 0 : 1;
    }
    TRY(expand_level(s, in, row, e));
  }
  return ERR_OK;
}

/// Sets the steps from `step` on to the first way each.
static void reset_steps(struct search *s, struct search_paths *p, uint32_t step, uint32_t length) {
  const struct search_meet *meet = &s->meets[p->meet];
  uint32_t left = s->sides[0].depths[meet->places[0]];
  for (; step < length; step++) {
    int which = step < left ? 0 : 1;
    struct search_side *side = &s->sides[which];
    uint32_t place = step == 0 && which == 0 ? meet->places[0] : step == left ? meet->places[1] : side->ways[p->edges[step - 1]].parent;
    p->edges[step] = side->edges[place] - 1;
  }
}

/// The next combination of ways: the last step that has another one takes it.
static bool advance(struct search *s, struct search_paths *p, uint32_t length) {
  uint32_t left = s->sides[0].depths[s->meets[p->meet].places[0]];
  for (uint32_t step = length; step-- > 0;) {
    uint32_t next = s->sides[step < left ? 0 : 1].ways[p->edges[step]].next;
    if (next == 0) continue;
    p->edges[step] = next - 1;
    reset_steps(s, p, step + 1, length);
    return true;
  }
  return false;
}

enum err search_next_path(struct search *s, struct search_paths *p, struct arena *a, uint64_t *rels, bool *ret, struct error *e) {
  uint32_t length = search_length(s);
  *ret = true;
  if (p->edges == NULL) {
    p->edges = ARENA_ARRAY(a, uint32_t, length);
    if (p->edges == NULL) return arena_err(a, e);
    reset_steps(s, p, 0, length);
  } else if (!advance(s, p, length)) {
    p->meet++;
    *ret = p->meet < s->meet_count;
    if (!*ret) return ERR_OK;
    reset_steps(s, p, 0, length);
  }
  uint32_t left = s->sides[0].depths[s->meets[p->meet].places[0]];
  for (uint32_t i = 0; i < left; i++) rels[left - 1 - i] = s->sides[0].ways[p->edges[i]].rel;
  for (uint32_t i = left; i < length; i++) rels[i] = s->sides[1].ways[p->edges[i]].rel;
  return ERR_OK;
}
