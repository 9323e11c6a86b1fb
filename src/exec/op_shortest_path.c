// ShortestPath: one or all of the shortest trails between two bound nodes. Predicates on the path as a whole need trails to be
// enumerated by length until one passes.
#include <string.h>

#include "exec/meet.h"
#include "exec/search.h"

struct shortest {
  struct op op;
  struct walk walk;
  struct search search;
  struct meet meet; // in its place where one path will do and steps are plain
  const struct batch *in;
  uint32_t row;
  bool found;              // `paths` has those of the current row
  struct arena path_arena; // of `paths`
  struct found_path *first, *last, *next;
  // enumeration by length
  uint32_t length, depth;
  bool deepening, expanded, any_longer;
  struct try_level *levels;
  uint32_t level_capacity;
};

struct found_path {
  struct found_path *next;
  uint32_t length;
  uint64_t rels[];
};

struct try_level {
  struct neighbours neighbours;
  uint32_t at;
  uint64_t rel, node; // by which the level was reached
};

static enum err shortest_open(struct op *op, struct error *e UNUSED) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  s->walk = (struct walk){.op = op, .direction = p->direction, .types = p->types, .differ = p->differ, .step_rel = p->step_rel,
                          .step_node = p->step_node, .rel_predicates = p->rel_predicates, .node_predicates = p->node_predicates};
  search_init(&s->search, &s->walk);
  meet_init(&s->meet, op, p->direction, p->types);
  arena_init(&s->path_arena, &op->x->budget);
  return ERR_OK;
}

static enum err add_path(struct shortest *s, const uint64_t *rels, uint32_t length, struct error *e) {
  struct found_path *path = arena_alloc(&s->path_arena, sizeof *path + length * sizeof *rels);
  if (path == NULL) return arena_err(&s->path_arena, e);
  path->next = NULL;
  path->length = length;
  if (length > 0) memcpy(path->rels, rels, length * sizeof *rels);
  if (s->last != NULL) {
    s->last->next = path;
  } else {
    s->first = path;
  }
  s->last = path;
  return ERR_OK;
}

static enum err path_value(struct op *op, uint64_t start, const struct found_path *path, struct arena *a, struct value *ret, struct error *e) {
  uint32_t n = path->length;
  uint64_t *from = ARENA_ARRAY(a, uint64_t, n), *to = ARENA_ARRAY(a, uint64_t, n), at = start;
  struct value *nodes = ARENA_ARRAY(a, struct value, (size_t) n + 1), *rels = ARENA_ARRAY(a, struct value, n);
  bool *reversed = ARENA_ARRAY(a, bool, n);
  struct value_path *made = ARENA_NEW(a, struct value_path);
  if (from == NULL || to == NULL || nodes == NULL || rels == NULL || reversed == NULL || made == NULL) return arena_err(a, e);
  if (n > 0) TRY(graph_rel_ends(op_view(op), path->rels, n, from, to, NULL, e));
  nodes[0] = v_node(at);
  for (uint32_t i = 0; i < n; i++) {
    reversed[i] = from[i] != at;
    at = reversed[i] ? from[i] : to[i];
    rels[i] = v_rel(path->rels[i]);
    nodes[i + 1] = v_node(at);
  }
  *made = (struct value_path){n, nodes, rels, reversed};
  *ret = (struct value){.type = VALUE_PATH, .path = made};
  return ERR_OK;
}

static uint64_t node_of(struct op *op, uint32_t slot) {
  struct shortest *s = (struct shortest *) op;
  return v_id(batch_get(s->in, slot, s->row));
}

/// The predicates on the whole path hold for it.
static enum err passes(struct op *op, const struct found_path *path, bool *ret, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  struct eval c = op_eval(op, &op->out, e);
  struct frame root = frame_of(&c, s->in), one = frame_below(&c, &root, &s->row, 1);
  struct value v;
  struct vec column;
  TRY(path_value(op, node_of(op, p->from), path, &op->out, &v, e));
  if (p->path != PLAN_NONE) {
    TRY(eval_constant(&c, v, &column));
    TRY(frame_set(&c, &one, p->path, column));
  }
  if (p->rels != PLAN_NONE) {
    TRY(eval_constant(&c, v_list(v.path->rels, v.path->len), &column));
    TRY(frame_set(&c, &one, p->rels, column));
  }
  *ret = true;
  for (uint32_t i = 0; i < p->path_predicates.count && *ret; i++) {
    TRY(eval_predicate(&c, p->path_predicates.items[i], &one, &column));
    *ret = !vec_is_null(&column, 0) && column.b[0];
  }
  return ERR_OK;
}

static enum err grow_levels(struct shortest *s, struct error *e) {
  uint32_t capacity = MAX(8, s->level_capacity * 2);
  struct try_level *levels = mem_realloc(s->levels, capacity * sizeof *levels);
  if (levels == NULL) return error_set(e, ERR_NOMEM, "no memory for a path");
  for (uint32_t i = s->level_capacity; i < capacity; i++) {
    levels[i] = (struct try_level){0};
    neighbours_init(&levels[i].neighbours, &s->op.x->budget);
  }
  s->levels = levels;
  s->level_capacity = capacity;
  return ERR_OK;
}

static bool in_trail(const struct shortest *s, uint64_t rel) {
  for (uint32_t i = 1; i <= s->depth; i++)
    if (s->levels[i].rel == rel) return true;
  return false;
}

/// A trail of the length that is being tried, ending at the node.
static enum err try_trail(struct op *op, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  struct found_path *path = arena_alloc(&s->path_arena, sizeof *path + s->depth * sizeof(uint64_t));
  if (path == NULL) return arena_err(&s->path_arena, e);
  path->length = s->depth;
  for (uint32_t i = 0; i < s->depth; i++) path->rels[i] = s->levels[i + 1].rel;
  bool ok = false;
  TRY(passes(op, path, &ok, e));
  return ok ? add_path(s, path->rels, path->length, e) : ERR_OK;
}

/// One step of the depth-first walk to `length`; `*ret_end` when all trails of that length have been seen.
static enum err deepen_step(struct op *op, uint64_t to, bool *ret_end, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  struct try_level *level = &s->levels[s->depth];
  *ret_end = false;
  if (!s->expanded) {
    level->at = level->neighbours.n = 0;
    if (s->depth < s->length) TRY(walk_neighbours(&s->walk, s->in, s->row, level->node, &level->neighbours, e));
    if (s->depth == s->length) s->any_longer = true;
    if (s->depth == s->length && level->node == to) TRY(try_trail(op, e));
    s->expanded = true;
  }
  while (level->at < level->neighbours.n && in_trail(s, level->neighbours.rels[level->at])) level->at++;
  if (level->at == level->neighbours.n) {
    *ret_end = s->depth == 0;
    s->depth -= s->depth > 0;
    return ERR_OK;
  }
  uint64_t rel = level->neighbours.rels[level->at], node = level->neighbours.nodes[level->at];
  if (s->depth + 1 >= s->level_capacity) TRY(grow_levels(s, e));
  s->levels[s->depth].at++;
  s->depth++;
  s->levels[s->depth].rel = rel;
  s->levels[s->depth].node = node;
  s->expanded = false;
  return ERR_OK;
}

/// Trails of length 1, 2, ... until some pass or none is longer.
static enum err find_by_length(struct op *op, uint64_t from, uint64_t to, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  if (s->level_capacity == 0) TRY(grow_levels(s, e));
  if (!s->deepening) {
    s->length = p->min;
    s->depth = 0;
    s->expanded = s->any_longer = false;
    s->deepening = true;
  }
  for (uint64_t steps = 1;; steps++) {
    bool end;
    s->levels[0].node = from;
    if (steps % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    TRY(deepen_step(op, to, &end, e));
    bool enough = s->first != NULL && p->mode == PLAN_SHORTEST_SINGLE;
    if (!end && !enough) continue;
    if (s->first != NULL || !s->any_longer || s->length >= p->max) break;
    s->length++;
    s->expanded = s->any_longer = false;
  }
  s->deepening = false;
  return ERR_OK;
}

static enum err find_by_meeting(struct op *op, uint64_t from, uint64_t to, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  TRY(meet_run(&s->meet, from, to, op->plan->shortest_path.max, e));
  if (!s->meet.found) return ERR_OK;
  uint64_t *rels = ARENA_ARRAY(&s->path_arena, uint64_t, meet_length(&s->meet));
  if (rels == NULL) return arena_err(&s->path_arena, e);
  TRY(meet_rels(&s->meet, &s->path_arena, rels, e));
  return add_path(s, rels, meet_length(&s->meet), e);
}

static enum err find_by_search(struct op *op, uint64_t from, uint64_t to, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  TRY(search_run(&s->search, s->in, s->row, from, to, p->max, e));
  if (!s->search.found) return ERR_OK;
  uint32_t length = search_length(&s->search);
  uint64_t *rels = ARENA_ARRAY(&s->path_arena, uint64_t, length);
  if (rels == NULL) return arena_err(&s->path_arena, e);
  struct search_paths paths = {0};
  for (uint64_t steps = 1;; steps++) {
    bool more;
    TRY(search_next_path(&s->search, &paths, &s->path_arena, rels, &more, e));
    if (!more) return ERR_OK;
    TRY(add_path(s, rels, length, e));
    if (p->mode == PLAN_SHORTEST_SINGLE) return ERR_OK;
    if (steps % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
  }
}

static enum err find_paths(struct op *op, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  struct value from = batch_get(s->in, p->from, s->row), to = batch_get(s->in, p->to, s->row);
  if (from.type != VALUE_NODE || to.type != VALUE_NODE) return ERR_OK;
  if (p->path_predicates.count > 0) return find_by_length(op, v_id(from), v_id(to), e);
  bool plain = plan_shortest_is_plain(p) && !op->x->options.flat;
  if (v_id(from) != v_id(to)) return plain ? find_by_meeting(op, v_id(from), v_id(to), e) : find_by_search(op, v_id(from), v_id(to), e);
  if (p->min == 0) return add_path(s, NULL, 0, e);
  if (p->same_node == PLAN_SAME_NODE_SEARCHED) return find_by_length(op, v_id(from), v_id(to), e);
  return error_set(e, ERR_ARGUMENT,
                   "The shortest path algorithm does not work when the start and end nodes are the same. This can happen if you perform a "
                   "shortestPath search after a cartesian product that might have the same start and end nodes for some of the rows passed to "
                   "shortestPath. If you would rather not experience this exception, and can accept the possibility of missing results for those "
                   "rows, disable this in the configuration by setting `cypher.forbid_shortestpath_common_nodes` to false.");
}

static void forget_paths(struct shortest *s) {
  arena_reset(&s->path_arena);
  search_clear(&s->search);
  meet_clear(&s->meet);
  s->first = s->last = s->next = NULL;
  s->found = s->deepening = false;
}

struct shortest_rows {
  uint32_t *rows;
  struct value *paths, *rels;
  uint32_t n, cap;
};

static enum err take(struct op *op, struct shortest_rows *out, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  for (; s->next != NULL && out->n < out->cap; s->next = s->next->next) {
    struct value *path = &out->paths[out->n];
    TRY(path_value(op, node_of(op, op->plan->shortest_path.from), s->next, &op->out, path, e));
    out->rels[out->n] = v_list(path->path->rels, path->path->len);
    out->rows[out->n++] = s->row;
  }
  return ERR_OK;
}

static enum err fill(struct op *op, struct shortest_rows *out, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  while (s->row < s->in->n && out->n < out->cap) {
    if (!s->found) {
      enum err err = find_paths(op, e);
      if (err == ERR_WAIT && out->n > 0) return ERR_OK;
      TRY(err);
      s->next = s->first;
      s->found = true;
    }
    enum err taken = take(op, out, e);
    if (taken == ERR_WAIT && out->n > 0) return ERR_OK;
    TRY(taken);
    if (s->next != NULL) return ERR_OK;
    forget_paths(s);
    s->row++;
  }
  return ERR_OK;
}

static enum err shortest_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct shortest *s = (struct shortest *) op;
  const struct plan_shortest_path *p = &op->plan->shortest_path;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS);
  arena_reset(&op->out);
  struct shortest_rows rows = {ARENA_ARRAY(&op->out, uint32_t, cap), ARENA_ARRAY(&op->out, struct value, cap),
                               ARENA_ARRAY(&op->out, struct value, cap), 0, cap};
  if (rows.rows == NULL || rows.paths == NULL || rows.rels == NULL) return arena_err(&op->out, e);
  while (rows.n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      forget_paths(s);
    }
    TRY(fill(op, &rows, e));
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows.rows, rows.n, &out, e));
  if (p->path != PLAN_NONE) out->columns[p->path] = (struct vec){.kind = VEC_ANY, .any = rows.paths};
  if (p->rels != PLAN_NONE) out->columns[p->rels] = (struct vec){.kind = VEC_ANY, .any = rows.rels};
  *ret = out;
  return ERR_OK;
}

static void shortest_reset(struct op *op) {
  ((struct shortest *) op)->in = NULL;
}

static void shortest_close(struct op *op) {
  struct shortest *s = (struct shortest *) op;
  search_done(&s->search);
  meet_done(&s->meet);
  arena_done(&s->path_arena);
  for (uint32_t i = 0; i < s->level_capacity; i++) neighbours_done(&s->levels[i].neighbours);
  mem_free(s->levels);
}

const struct op_class op_shortest_path_class = {
    .bytes = sizeof(struct shortest), .open = shortest_open, .next = shortest_next, .reset = shortest_reset, .close = shortest_close};
