// Intersect: nodes that are neighbours of several bound nodes at once. The arms' neighbours are sorted and walked together, with
// galloping jumps, so the cost is that of the shortest list.
#include <stdlib.h>

#include "exec/op.h"
#include "exec/walk.h"

struct arm_state {
  struct walk walk;
  struct neighbours neighbours; // sorted by node
  uint32_t at, end;             // run of the current node
  uint32_t pick;                // relationship of the run that the current combination has
  bool read;
};

struct intersect {
  struct op op;
  const struct batch *in;
  uint32_t row;
  struct arm_state *arms;
  bool ready;   // the arms of the current row are read
  bool picking; // a common node's combinations are being given
};

static enum err intersect_open(struct op *op, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  s->arms = arena_zalloc(&op->x->arena, p->arm_count * sizeof *s->arms);
  if (s->arms == NULL) return arena_err(&op->x->arena, e);
  for (uint32_t i = 0; i < p->arm_count; i++) {
    s->arms[i].walk = (struct walk){.op = op, .direction = p->arms[i].direction, .types = p->arms[i].types, .step_rel = PLAN_NONE, .step_node = PLAN_NONE};
    neighbours_init(&s->arms[i].neighbours, &op->x->budget);
  }
  return ERR_OK;
}

struct hop {
  uint64_t node, rel;
};

static int order_hops(const void *a, const void *b) {
  const struct hop *x = a, *y = b;
  if (x->node != y->node) return x->node < y->node ? -1 : 1;
  return x->rel < y->rel ? -1 : x->rel > y->rel;
}

/// Slices come sorted; only several of them, or ones of the overlay, need it.
static enum err sort_neighbours(struct neighbours *n, struct error *e) {
  bool sorted = true;
  for (uint32_t i = 1; i < n->n && sorted; i++) sorted = n->nodes[i - 1] <= n->nodes[i];
  if (sorted) return ERR_OK;
  struct hop *hops = ARENA_ARRAY(&n->arena, struct hop, n->n);
  if (hops == NULL) return arena_err(&n->arena, e);
  for (uint32_t i = 0; i < n->n; i++) hops[i] = (struct hop){n->nodes[i], n->rels[i]};
  qsort(hops, n->n, sizeof *hops, order_hops);
  for (uint32_t i = 0; i < n->n; i++) {
    n->nodes[i] = hops[i].node;
    n->rels[i] = hops[i].rel;
  }
  return ERR_OK;
}

/// Reads the arms of the current row; where one has nothing the rest need not be read.
static enum err read_arms(struct op *op, bool *ret_any, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  *ret_any = true;
  for (uint32_t i = 0; i < p->arm_count && *ret_any; i++) {
    struct arm_state *arm = &s->arms[i];
    struct value from = batch_get(s->in, p->arms[i].from, s->row);
    if (!arm->read) {
      arm->neighbours.n = 0;
      if (from.type == VALUE_NODE) TRY(walk_neighbours(&arm->walk, s->in, s->row, v_id(from), &arm->neighbours, e));
      TRY(sort_neighbours(&arm->neighbours, e));
      arm->read = true;
    }
    arm->at = arm->end = 0;
    *ret_any = arm->neighbours.n > 0;
  }
  s->ready = true;
  s->picking = false;
  return ERR_OK;
}

/// First place at or behind `at` whose node is not below `node`: doubling steps, then a binary search.
static uint32_t gallop(const struct neighbours *n, uint32_t at, uint64_t node) {
  uint32_t step = 1, low = at, high;
  while (low + step < n->n && n->nodes[low + step] < node) {
    low += step;
    step *= 2;
  }
  high = MIN(low + step, n->n);
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (n->nodes[middle] < node) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Moves all arms to the next node that they have in common.
static bool next_common(struct intersect *s, uint32_t arm_count) {
  for (uint32_t i = 0; i < arm_count; i++) s->arms[i].at = s->arms[i].end;
  for (uint32_t agreed = 0, i = 0; agreed < arm_count; i = (i + 1) % arm_count) {
    struct arm_state *arm = &s->arms[i];
    const struct arm_state *before = &s->arms[(i + arm_count - 1) % arm_count];
    if (agreed > 0) arm->at = gallop(&arm->neighbours, arm->at, before->neighbours.nodes[before->at]);
    if (arm->at >= arm->neighbours.n) return false;
    agreed = agreed > 0 && arm->neighbours.nodes[arm->at] == before->neighbours.nodes[before->at] ? agreed + 1 : 1;
  }
  for (uint32_t i = 0; i < arm_count; i++) {
    struct arm_state *arm = &s->arms[i];
    uint64_t node = arm->neighbours.nodes[arm->at];
    arm->end = arm->at;
    while (arm->end < arm->neighbours.n && arm->neighbours.nodes[arm->end] == node) arm->end++;
    arm->pick = arm->at;
  }
  return true;
}

static bool next_combination(struct intersect *s, uint32_t arm_count) {
  for (uint32_t i = arm_count; i-- > 0;) {
    if (++s->arms[i].pick < s->arms[i].end) return true;
    s->arms[i].pick = s->arms[i].at;
  }
  return false;
}

/// No relationship of the combination is one that it must differ from: of the row, or of an earlier arm.
static bool is_valid(struct op *op) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  for (uint32_t i = 0; i < p->arm_count; i++) {
    uint64_t rel = s->arms[i].neighbours.rels[s->arms[i].pick];
    for (uint32_t k = 0; k < i; k++)
      if (plan_list_has(p->arms[i].differ, p->arms[k].rel) && s->arms[k].neighbours.rels[s->arms[k].pick] == rel) return false;
    if (!op_differs(s->in, s->row, p->arms[i].differ, rel)) return false;
  }
  return true;
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
    c->nodes[c->n] = s->arms[0].neighbours.nodes[s->arms[0].at];
    for (uint32_t i = 0; i < arm_count; i++) c->rels[i][c->n] = s->arms[i].neighbours.rels[s->arms[i].pick];
    c->n++;
  }
  return false;
}

static void next_row(struct intersect *s, uint32_t arm_count) {
  s->row++;
  s->ready = false;
  for (uint32_t i = 0; i < arm_count; i++) s->arms[i].read = false;
}

static enum err fill(struct op *op, struct combinations *c, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  while (s->row < s->in->n && c->n < c->cap) {
    bool any = true;
    if (!s->ready) {
      enum err err = read_arms(op, &any, e);
      if (err == ERR_WAIT && c->n > 0) return ERR_OK;
      TRY(err);
    }
    if (!any || take(op, c)) next_row(s, op->plan->intersect.arm_count);
  }
  return ERR_OK;
}

static enum err intersect_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct intersect *s = (struct intersect *) op;
  const struct plan_intersect *p = &op->plan->intersect;
  struct combinations c = {.cap = MIN(want, EXEC_BATCH_ROWS)};
  arena_reset(&op->out);
  c.rows = ARENA_ARRAY(&op->out, uint32_t, c.cap);
  c.nodes = ARENA_ARRAY(&op->out, uint64_t, c.cap);
  c.rels = ARENA_ARRAY(&op->out, uint64_t *, p->arm_count);
  if (c.rows == NULL || c.nodes == NULL || c.rels == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < p->arm_count; i++) {
    c.rels[i] = ARENA_ARRAY(&op->out, uint64_t, c.cap);
    if (c.rels[i] == NULL) return arena_err(&op->out, e);
  }
  while (c.n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = UINT32_MAX;
      next_row(s, p->arm_count);
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
  for (uint32_t i = 0; s->arms != NULL && i < op->plan->intersect.arm_count; i++) neighbours_done(&s->arms[i].neighbours);
}

const struct op_class op_intersect_class = {
    .bytes = sizeof(struct intersect), .open = intersect_open, .next = intersect_next, .reset = intersect_reset, .close = intersect_close};
