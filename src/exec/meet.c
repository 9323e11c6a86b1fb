#include "exec/meet.h"

enum { MEET_NODES = 128 }; // expanded in one call of the graph

static enum graph_direction opposite(enum graph_direction d) {
  return d == GRAPH_OUT ? GRAPH_IN : d == GRAPH_IN ? GRAPH_OUT : GRAPH_BOTH;
}

void meet_init(struct meet *m, struct op *op, enum graph_direction direction, struct plan_list types) {
  *m = (struct meet){.op = op, .types = types, .expanding = -1};
  for (int i = 0; i < 2; i++) {
    m->sides[i].direction = i == 0 ? direction : opposite(direction);
    idset_init(&m->sides[i].seen, &op->x->budget);
    arena_init(&m->sides[i].arena, &op->x->budget);
  }
  arena_init(&m->slices, &op->x->budget);
}

void meet_done(struct meet *m) {
  for (int i = 0; i < 2; i++) {
    idset_done(&m->sides[i].seen);
    arena_done(&m->sides[i].arena);
  }
  arena_done(&m->slices);
}

void meet_clear(struct meet *m) {
  for (int i = 0; i < 2; i++) {
    struct meet_side *side = &m->sides[i];
    idset_clear(&side->seen);
    arena_reset(&side->arena);
    *side = (struct meet_side){.direction = side->direction, .seen = side->seen, .arena = side->arena};
  }
  m->expanding = -1;
  m->started = m->found = false;
}

/// Room for so many more nodes.
static enum err reserve(struct meet_side *side, uint32_t more, struct error *e) {
  if (more <= side->capacity - side->n) return ERR_OK;
  uint64_t capacity = MAX(256, (uint64_t) side->capacity * 2);
  while (capacity - side->n < more) capacity *= 2;
  if (capacity > UINT32_MAX) return error_set(e, ERR_TX_MEMORY, "A shortest path search has reached 2^32 nodes.");
  uint64_t *nodes = arena_grow(&side->arena, side->nodes, side->n * sizeof *nodes, capacity * sizeof *nodes);
  uint32_t *parents = arena_grow(&side->arena, side->parents, side->n * sizeof *parents, capacity * sizeof *parents);
  if (nodes == NULL || parents == NULL) return arena_err(&side->arena, e);
  side->nodes = nodes;
  side->parents = parents;
  side->capacity = (uint32_t) capacity;
  return ERR_OK;
}

static void add_node(struct meet_side *side, uint64_t node, uint32_t parent) {
  side->nodes[side->n] = node;
  side->parents[side->n++] = parent;
}

static enum err start(struct meet *m, uint64_t from, uint64_t to, struct error *e) {
  for (int i = 0; i < 2; i++) {
    struct meet_side *side = &m->sides[i];
    uint64_t root = i == 0 ? from : to;
    bool ignored;
    TRY(reserve(side, 1, e));
    TRY(idset_add(&side->seen, root, &ignored, e));
    add_node(side, root, 0);
    side->level_end = 1;
  }
  m->started = true;
  return ERR_OK;
}

/// New nodes of a slice join the next level, up to one that the other side has.
static enum err take_slice(struct meet *m, int which, uint32_t parent, const struct graph_slice *slice, struct error *e) {
  struct meet_side *side = &m->sides[which];
  const struct idset *other = &m->sides[1 - which].seen;
  TRY(reserve(side, slice->count, e));
  for (uint32_t i = 0; i < slice->count; i++) {
    uint64_t node = graph_slice_neighbour(slice, i);
    bool is_new;
    TRY(idset_add(&side->seen, node, &is_new, e));
    if (!is_new) continue;
    add_node(side, node, parent);
    if (!idset_has(other, node)) continue;
    m->found = true;
    return ERR_OK;
  }
  return ERR_OK;
}

/// The last node that was added is the middle: it is in the other side's last level.
static void note_middle(struct meet *m, int which) {
  struct meet_side *side = &m->sides[which], *other = &m->sides[1 - which];
  uint32_t at = other->level_begin;
  while (other->nodes[at] != side->nodes[side->n - 1]) at++;
  m->places[which] = side->n - 1;
  m->places[1 - which] = at;
}

/// The next bundle of the frontier.
static enum err expand_some(struct meet *m, int which, struct error *e) {
  struct meet_side *side = &m->sides[which];
  struct graph_expansion expansion;
  graph_token *types;
  uint32_t type_count, n = MIN(side->level_end - side->at, MEET_NODES);
  TRY(exec_check(m->op->x, e));
  TRY(exec_spend_patience(m->op->x));
  arena_reset(&m->slices);
  TRY(op_tokens(m->op, &m->slices, m->types, &types, &type_count, e));
  if (m->types.count > 0 && type_count == 0) {
    side->at = side->level_end;
    return ERR_OK;
  }
  TRY(graph_expand(op_view(m->op), side->nodes + side->at, n, side->direction, types, type_count, &m->slices, &expansion, e));
  for (uint32_t i = 0; i < expansion.done && !m->found; i++, side->at++)
    for (uint32_t k = expansion.first[i]; k < expansion.first[i + 1] && !m->found; k++) {
      m->op->db_hits += expansion.slices[k].count;
      TRY(take_slice(m, which, side->at, &expansion.slices[k], e));
    }
  return ERR_OK;
}

static uint32_t frontier(const struct meet_side *side) {
  return side->level_end - side->at;
}

static enum err expand_level(struct meet *m, struct error *e) {
  int which = m->expanding;
  struct meet_side *side = &m->sides[which];
  while (side->at < side->level_end && !m->found) TRY(expand_some(m, which, e));
  if (m->found) note_middle(m, which);
  side->level_begin = side->at = side->level_end;
  side->level_end = side->n;
  side->depth++;
  m->expanding = -1;
  return ERR_OK;
}

enum err meet_run(struct meet *m, uint64_t from, uint64_t to, uint32_t max, struct error *e) {
  if (!m->started) TRY(start(m, from, to, e));
  while (!m->found) {
    if (m->expanding < 0) {
      uint32_t left = frontier(&m->sides[0]), right = frontier(&m->sides[1]);
      if (left == 0 || right == 0 || (uint64_t) m->sides[0].depth + m->sides[1].depth >= max) return ERR_OK;
      m->expanding = left <= right ? 0 : 1;
    }
    TRY(expand_level(m, e));
  }
  return ERR_OK;
}

uint32_t meet_length(const struct meet *m) {
  return m->sides[0].depth + m->sides[1].depth;
}

/// A relationship along the direction from one node to the next.
static enum err step(struct meet *m, struct arena *a, uint64_t from, uint64_t to, uint64_t *ret, struct error *e) {
  graph_token *types;
  graph_id *ids;
  uint32_t type_count, n;
  TRY(op_tokens(m->op, a, m->types, &types, &type_count, e));
  TRY(graph_expand_into(op_view(m->op), from, to, m->sides[0].direction, types, type_count, a, &ids, &n, e));
  if (n == 0) return error_set(e, ERR_INTERNAL, "a shortest path has lost a relationship");
  *ret = ids[0];
  return ERR_OK;
}

enum err meet_rels(struct meet *m, struct arena *a, uint64_t *rels, struct error *e) {
  const struct meet_side *left = &m->sides[0], *right = &m->sides[1];
  uint32_t place = m->places[0];
  for (uint32_t i = left->depth; i-- > 0; place = left->parents[place])
    TRY(step(m, a, left->nodes[left->parents[place]], left->nodes[place], &rels[i], e));
  place = m->places[1];
  for (uint32_t i = left->depth; i < meet_length(m); i++, place = right->parents[place])
    TRY(step(m, a, right->nodes[place], right->nodes[right->parents[place]], &rels[i], e));
  return ERR_OK;
}
