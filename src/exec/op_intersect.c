// Intersect: nodes that are neighbours of several bound nodes at once.
//
// The lists of a bundle of rows are read together, so that the store can fetch ahead, and are walked where they lie in the pages. Where
// one arm's node stays the same from row to row its neighbours are marked in a bitmap, and those of the other arm are looked up
// there; else the shorter list gallops through the longer one. Several combinations of one node come from parallel relationships.
//
// Slices die with the exec_next in which they were read, and when page access rests. Places in a list do not: the lists of a snapshot are
// read again and are the same. Where a rest comes between the arms of one bundle, a single row's lists are copied.
#include "exec/idset.h"
#include "exec/op.h"
#include "exec/sorted_list.h"

enum {
  BUNDLE_ROWS = 256,
  NOWHERE = UINT32_MAX, // place of a null node, and of a list that is not there
  MARK_MIN = 8,         // a list of fewer is not worth marking
  GALLOP_FACTOR = 16,   // a list that is so many times longer is galloped through
};

struct arm_state {
  struct arena arena; // of the expansion
  struct graph_expansion expansion;
  uint32_t *places;   // by row of the bundle: number in the expansion
  uint32_t listed;    // place of `list`
  struct sorted_list list;
  struct list_place at, end; // run of the current node
  struct list_place pick;    // relationship of the run that the current combination has
};

struct intersect {
  struct op op;
  const struct batch *in;
  uint32_t row;
  struct arm_state *arms;
  uint32_t first, rows; // the bundle
  uint64_t epoch, rests; // when it was read
  bool copied;           // its lists are our own: a rest does not matter
  bool ready;           // the current row's lists are at hand
  bool begun;           // some of its combinations have been given
  bool picking;         // a common node's combinations are being given
  struct idset marks;
  uint32_t marked_arm, marked_place; // whose neighbours `marks` has; NOWHERE: nobody's
  struct sorted_list marked;
  bool probing;                      // the current row looks up in `marks`
};

static enum err intersect_open(struct op *op, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  idset_init(&s->marks, &op->x->budget);
  s->marked_place = NOWHERE;
  struct arm_state *arms = arena_zalloc(&op->x->arena, p->arm_count * sizeof *arms);
  if (arms == NULL) return arena_err(&op->x->arena, e);
  for (uint32_t i = 0; i < p->arm_count; i++) arena_init(&arms[i].arena, &op->x->budget);
  s->arms = arms;
  for (uint32_t i = 0; i < p->arm_count; i++) {
    arms[i].places = ARENA_ARRAY(&op->x->arena, uint32_t, BUNDLE_ROWS);
    if (arms[i].places == NULL) return arena_err(&op->x->arena, e);
  }
  return ERR_OK;
}

// ---- reading ----

/// Expands the arm's nodes for the rows of the bundle; one that stays the same is expanded once.
static enum err read_arm(struct op *op, uint32_t number, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  struct arm_state *arm = &s->arms[number];
  const struct plan_arm *plan = &op->plan->intersect.arms[number];
  uint64_t ids[BUNDLE_ROWS];
  uint32_t n = 0, type_count;
  graph_token *types;
  arena_reset(&arm->arena);
  arm->listed = NOWHERE;
  TRY(op_tokens(op, &arm->arena, plan->types, &types, &type_count, e));
  bool none = plan->types.count > 0 && type_count == 0;
  for (uint32_t i = 0; i < s->rows; i++) {
    struct value from = batch_get(s->in, plan->from, s->first + i);
    arm->places[i] = NOWHERE;
    if (none || from.type != VALUE_NODE) continue;
    if (n == 0 || ids[n - 1] != v_id(from)) ids[n++] = v_id(from);
    arm->places[i] = n - 1;
  }
  if (n == 0) return ERR_OK;
  TRY(graph_expand(op_view(op), ids, n, plan->direction, types, type_count, &arm->arena, &arm->expansion, e));
  for (uint32_t i = 0; i < s->rows; i++)
    if (arm->places[i] != NOWHERE && arm->places[i] >= arm->expansion.done) s->rows = i;
  op->db_hits += n;
  return ERR_OK;
}

static enum err copy_bytes(struct arena *a, const uint8_t **bytes, uint32_t n, struct error *e) {
  if (*bytes == NULL) return ERR_OK;
  *bytes = arena_copy(a, *bytes, n);
  return *bytes != NULL ? ERR_OK : arena_err(a, e);
}

/// The slices as our own.
static enum err copy_slices(struct arm_state *arm, struct error *e) {
  struct graph_expansion *x = &arm->expansion;
  for (uint32_t i = x->first[0]; i < x->first[x->done]; i++) {
    struct graph_slice *s = &x->slices[i];
    s->neighbours = arena_copy(&arm->arena, s->neighbours, s->count * sizeof *s->neighbours);
    s->rels = arena_copy(&arm->arena, s->rels, s->count * sizeof *s->rels);
    if (s->neighbours == NULL || s->rels == NULL) return arena_err(&arm->arena, e);
    TRY(copy_bytes(&arm->arena, &s->neighbours_high, s->count, e));
    TRY(copy_bytes(&arm->arena, &s->rels_high, s->count, e));
  }
  return ERR_OK;
}

/// Up to `rows` rows from the current one on. Fewer may have come.
static enum err read_rows(struct op *op, uint32_t rows, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  s->first = s->row;
  s->rows = rows;
  s->epoch = 0; // no bundle, should one of the calls wait
  idset_clear(&s->marks);
  s->marked_place = NOWHERE;
  for (uint32_t i = 0; i < op->plan->intersect.arm_count; i++) {
    TRY(read_arm(op, i, e));
    if (s->copied && s->arms[i].places[0] != NOWHERE) TRY(copy_slices(&s->arms[i], e));
    if (i == 0) s->rests = graph_view_rests(op_view(op));
  }
  s->epoch = op->x->epoch;
  return ERR_OK;
}

static enum err read_bundle(struct op *op, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  s->copied = false;
  TRY(read_rows(op, MIN(s->in->n - s->row, BUNDLE_ROWS), e));
  if (s->rests == graph_view_rests(op_view(op))) return ERR_OK;
  s->copied = true;
  return read_rows(op, 1, e);
}

static bool is_dead(const struct op *op) {
  const struct intersect *s = (const struct intersect *) op;
  return s->epoch != op->x->epoch || (!s->copied && s->rests != graph_view_rests(op_view(op)));
}

/// The arm's list for the current row. Where the node is the last row's, it is at hand.
static enum err list_arm(struct op *op, struct arm_state *arm, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  uint32_t place = arm->places[s->row - s->first];
  if (place == NOWHERE) arm->list = (struct sorted_list){0};
  if (place == arm->listed) return ERR_OK;
  arm->listed = NOWHERE;
  if (place == NOWHERE) return ERR_OK;
  uint32_t from = arm->expansion.first[place], to = arm->expansion.first[place + 1];
  bool ordered = !graph_tx_has_writes(op->x->tx); // its own relationships lie anywhere
  TRY(sorted_list_of(arm->expansion.slices + from, to - from, ordered, &arm->arena, &arm->list, e));
  arm->listed = place;
  return ERR_OK;
}

// ---- two arms ----

static bool stays_the_same(const struct intersect *s, uint32_t arm) {
  uint32_t i = s->row - s->first, place = s->arms[arm].places[i];
  return (i > 0 && s->arms[arm].places[i - 1] == place) || (i + 1 < s->rows && s->arms[arm].places[i + 1] == place);
}

/// The marks become those of the arm's list.
static enum err mark(struct intersect *s, uint32_t arm, struct error *e) {
  const struct sorted_list *list = &s->arms[arm].list;
  if (s->marked_arm == arm && s->marked_place == s->arms[arm].listed) return ERR_OK;
  for (uint32_t i = 0; s->marked_place != NOWHERE && i < s->marked.slice_count; i++)
    idset_remove_all(&s->marks, s->marked.slices[i].neighbours, s->marked.slices[i].neighbours_high, s->marked.slices[i].count);
  s->marked = *list;
  s->marked_arm = arm;
  s->marked_place = s->arms[arm].listed;
  for (uint32_t i = 0; i < list->slice_count; i++)
    TRY(idset_add_all(&s->marks, list->slices[i].neighbours, list->slices[i].neighbours_high, list->slices[i].count, e));
  return ERR_OK;
}

/// Whether to look up one list in the marks of the other: not where that one is so long that galloping through it costs less.
static enum err choose_way(struct intersect *s, struct error *e) {
  s->probing = false;
  for (uint32_t arm = 0; arm < 2 && !s->probing; arm++) {
    uint64_t own = s->arms[arm].list.count, other = s->arms[1 - arm].list.count;
    if (own < MARK_MIN || other / GALLOP_FACTOR > own || !stays_the_same(s, arm)) continue;
    TRY(mark(s, arm, e));
    s->probing = true;
  }
  return ERR_OK;
}

/// First item of a slice at or behind `at` that is marked.
static uint32_t first_marked(const struct idset *marks, const struct graph_slice *slice, uint32_t at) {
  if (slice->neighbours_high == NULL) {
    while (at < slice->count && !idset_has(marks, slice->neighbours[at])) at++;
  } else {
    while (at < slice->count && !idset_has(marks, graph_slice_neighbour(slice, at))) at++;
  }
  return at;
}

static bool probe(struct intersect *s) {
  struct arm_state *marked = &s->arms[s->marked_arm], *other = &s->arms[1 - s->marked_arm];
  struct list_place at = other->end;
  for (; at.slice < other->list.slice_count; at = (struct list_place){at.slice + 1, 0}) {
    const struct graph_slice *slice = &other->list.slices[at.slice];
    at.item = first_marked(&s->marks, slice, at.item);
    if (at.item < slice->count) break;
  }
  other->at = at;
  if (list_at_end(&other->list, at)) return false;
  marked->at = list_seek(&marked->list, marked->end, list_node(&other->list, at));
  return true;
}

/// Both lists lie in one piece and have small ids: the next node in common, by steps without a branch that could be guessed wrong.
static bool zip_short(struct arm_state *x, struct arm_state *y) {
  const struct graph_slice *a = x->list.slices, *b = y->list.slices;
  uint32_t i = x->end.slice > 0 ? a->count : x->end.item, k = y->end.slice > 0 ? b->count : y->end.item;
  while (i < a->count && k < b->count) {
    uint32_t m = a->neighbours[i], n = b->neighbours[k];
    if (UNLIKELY(m == n)) {
      x->at = (struct list_place){0, i};
      y->at = (struct list_place){0, k};
      return true;
    }
    i += m < n;
    k += n < m;
  }
  return false;
}

/// Jumps from one list to the other and back.
static bool zip(struct arm_state *x, struct arm_state *y) {
  x->at = x->end;
  y->at = y->end;
  while (!list_at_end(&x->list, x->at) && !list_at_end(&y->list, y->at)) {
    uint64_t m = list_node(&x->list, x->at), n = list_node(&y->list, y->at);
    if (m == n) return true;
    if (m < n) {
      x->at = list_seek(&x->list, x->at, n);
    } else {
      y->at = list_seek(&y->list, y->at, m);
    }
  }
  return false;
}

static bool are_short(const struct arm_state *x, const struct arm_state *y) {
  const struct sorted_list *a = &x->list, *b = &y->list;
  return a->slice_count == 1 && b->slice_count == 1 && a->slices->neighbours_high == NULL && b->slices->neighbours_high == NULL &&
         a->count / GALLOP_FACTOR <= b->count && b->count / GALLOP_FACTOR <= a->count;
}

static bool next_of_two(struct intersect *s) {
  struct arm_state *x = &s->arms[0], *y = &s->arms[1];
  if (s->probing) return probe(s);
  return are_short(x, y) ? zip_short(x, y) : zip(x, y);
}

// ---- any number of arms ----

static bool agree(struct intersect *s, uint32_t arm_count) {
  for (uint32_t i = 0; i < arm_count; i++) s->arms[i].at = s->arms[i].end;
  for (uint32_t agreed = 0, i = 0; agreed < arm_count; i = (i + 1) % arm_count) {
    struct arm_state *arm = &s->arms[i];
    const struct arm_state *before = &s->arms[(i + arm_count - 1) % arm_count];
    uint64_t node = agreed > 0 ? list_node(&before->list, before->at) : 0;
    if (agreed > 0) arm->at = list_seek(&arm->list, arm->at, node);
    if (list_at_end(&arm->list, arm->at)) return false;
    agreed = agreed > 0 && list_node(&arm->list, arm->at) == node ? agreed + 1 : 1;
  }
  return true;
}

/// Moves all arms to the next node that they have in common.
static bool next_common(struct intersect *s, uint32_t arm_count) {
  bool found = arm_count == 2 ? next_of_two(s) : agree(s, arm_count);
  for (uint32_t i = 0; found && i < arm_count; i++) {
    struct arm_state *arm = &s->arms[i];
    arm->end = list_run_end(&arm->list, arm->at);
    arm->pick = arm->at;
  }
  return found;
}

static bool next_combination(struct intersect *s, uint32_t arm_count) {
  for (uint32_t i = arm_count; i-- > 0;) {
    struct arm_state *arm = &s->arms[i];
    arm->pick = list_next(&arm->list, arm->pick);
    if (!list_places_are_equal(arm->pick, arm->end)) return true;
    arm->pick = arm->at;
  }
  return false;
}

static uint64_t picked_rel(const struct arm_state *arm) {
  return list_rel(&arm->list, arm->pick);
}

/// No relationship of the combination is one that it must differ from: of the row, or of an earlier arm.
static bool is_valid(struct op *op) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  for (uint32_t i = 0; i < p->arm_count; i++) {
    uint64_t rel = picked_rel(&s->arms[i]);
    for (uint32_t k = 0; k < i; k++)
      if (plan_list_has(p->arms[i].differ, p->arms[k].rel) && picked_rel(&s->arms[k]) == rel) return false;
    if (!op_differs(s->in, s->row, p->arms[i].differ, rel)) return false;
  }
  return true;
}

// ---- rows ----

/// Has the lists of the current row at hand. `*ret_any`: none of them is empty.
static enum err reach_row(struct op *op, bool *ret_any, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  uint32_t arm_count = op->plan->intersect.arm_count;
  if (is_dead(op) || s->row >= s->first + s->rows) TRY(read_bundle(op, e));
  *ret_any = true;
  for (uint32_t i = 0; i < arm_count && *ret_any; i++) {
    TRY(list_arm(op, &s->arms[i], e));
    *ret_any = s->arms[i].list.count > 0;
  }
  if (*ret_any && arm_count == 2) TRY(choose_way(s, e));
  for (uint32_t i = 0; !s->begun && i < arm_count; i++) s->arms[i].at = s->arms[i].end = (struct list_place){0};
  s->picking = s->picking && s->begun;
  s->begun = true;
  s->ready = true;
  return ERR_OK;
}

struct combinations {
  uint32_t *rows;
  uint64_t *nodes, **rels; // rels by arm
  uint32_t n, cap;
};

/// Gives combinations until the batch is full; true when the row has no more.
static bool take(struct op *op, struct combinations *c) {
  struct intersect *s = (struct intersect *) op;
  uint32_t arm_count = op->plan->intersect.arm_count;
  while (c->n < c->cap) {
    s->picking = s->picking && next_combination(s, arm_count);
    if (!s->picking && !next_common(s, arm_count)) return true;
    s->picking = true;
    if (!is_valid(op)) continue;
    c->rows[c->n] = s->row;
    c->nodes[c->n] = list_node(&s->arms[0].list, s->arms[0].at);
    for (uint32_t i = 0; i < arm_count; i++) c->rels[i][c->n] = picked_rel(&s->arms[i]);
    c->n++;
  }
  return false;
}

static void start_row(struct intersect *s, uint32_t row) {
  s->row = row;
  s->ready = s->begun = s->picking = false;
}

static enum err fill(struct op *op, struct combinations *c, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  while (s->row < s->in->n && c->n < c->cap) {
    bool any = true;
    if (!s->ready || is_dead(op)) {
      enum err err = reach_row(op, &any, e);
      if (err == ERR_WAIT && c->n > 0) return ERR_OK;
      TRY(err);
    }
    if (!any || take(op, c)) start_row(s, s->row + 1);
  }
  return ERR_OK;
}

static enum err make_room(struct op *op, uint32_t cap, struct combinations *ret, struct error *e) {
  uint32_t arm_count = op->plan->intersect.arm_count;
  *ret = (struct combinations){.rows = ARENA_ARRAY(&op->out, uint32_t, cap), .nodes = ARENA_ARRAY(&op->out, uint64_t, cap),
                               .rels = ARENA_ARRAY(&op->out, uint64_t *, arm_count), .cap = cap};
  if (ret->rows == NULL || ret->nodes == NULL || ret->rels == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < arm_count; i++) {
    ret->rels[i] = ARENA_ARRAY(&op->out, uint64_t, cap);
    if (ret->rels[i] == NULL) return arena_err(&op->out, e);
  }
  return ERR_OK;
}

static enum err intersect_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  struct combinations c;
  arena_reset(&op->out);
  TRY(make_room(op, MIN(want, EXEC_BATCH_ROWS), &c, e));
  while (c.n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, EXEC_BATCH_ROWS, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->epoch = 0;
      start_row(s, 0);
    }
    TRY(fill(op, &c, e));
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, c.rows, c.n, &out, e));
  out->columns[p->to] = vec_of_ids(VEC_NODE, c.nodes);
  for (uint32_t i = 0; i < p->arm_count; i++)
    if (p->arms[i].rel != PLAN_NONE) out->columns[p->arms[i].rel] = vec_of_ids(VEC_REL, c.rels[i]);
  *ret = out;
  return ERR_OK;
}

static void intersect_reset(struct op *op) {
  ((struct intersect *) op)->in = NULL;
}

static void intersect_close(struct op *op) {
  struct intersect *s = (struct intersect *) op;
  idset_done(&s->marks);
  for (uint32_t i = 0; s->arms != NULL && i < op->plan->intersect.arm_count; i++) arena_done(&s->arms[i].arena);
}

const struct op_class op_intersect_class = {
    .bytes = sizeof(struct intersect), .open = intersect_open, .next = intersect_next, .reset = intersect_reset, .close = intersect_close};
