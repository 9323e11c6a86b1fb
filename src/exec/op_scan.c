// AllNodesScan, NodeByLabelScan, UnionNodeByLabelsScan, relationship scans: for each input row, that row with every entity.
#include <string.h>

#include "exec/op.h"

enum { MERGE_IDS = 256 };

/// One label's place in the merge of several.
struct label_scan {
  graph_token label;
  struct graph_scan scan;
  uint64_t ids[MERGE_IDS];
  uint32_t n, at;
};

struct node_scan {
  struct op op;
  const struct batch *in;
  uint32_t row;
  struct graph_scan scan;
  struct label_scan *labels; // of a union; in x->arena
  uint32_t label_count;
  bool started; // the scan of the current row
};

static enum err node_scan_open(struct op *op, struct error *e) {
  struct node_scan *s = (struct node_scan *) op;
  if (op->plan->kind != PLAN_UNION_LABEL_SCAN) return ERR_OK;
  s->labels = ARENA_ARRAY(&op->x->arena, struct label_scan, op->plan->node_scan.labels.count);
  return s->labels != NULL ? ERR_OK : arena_err(&op->x->arena, e);
}

static void start_row(struct op *op) {
  struct node_scan *s = (struct node_scan *) op;
  s->scan = (struct graph_scan){0};
  s->started = true;
  s->label_count = 0;
  struct plan_list labels = op->plan->node_scan.labels;
  if (s->labels != NULL) {
    for (uint32_t i = 0; i < labels.count; i++) {
      struct label_scan *l = &s->labels[s->label_count];
      if (!op_token(op, labels.items[i], &l->label)) continue;
      l->scan = (struct graph_scan){0};
      l->n = l->at = 0;
      s->label_count++;
    }
    return;
  }
  graph_token label;
  if (labels.count > 0 && !op_token(op, labels.items[0], &label)) s->scan.done = true;
}

/// The smallest id that any label has left; false at the end.
static enum err merge_next(struct op *op, uint64_t *ret, bool *ret_found, struct error *e) {
  struct node_scan *s = (struct node_scan *) op;
  uint64_t smallest = UINT64_MAX;
  for (uint32_t i = 0; i < s->label_count; i++) {
    struct label_scan *l = &s->labels[i];
    while (l->at == l->n && !l->scan.done) {
      TRY(graph_scan_nodes(op_view(op), l->label, &l->scan, l->ids, MERGE_IDS, &l->n, e));
      l->at = 0;
    }
    if (l->at < l->n) smallest = MIN(smallest, l->ids[l->at]);
  }
  for (uint32_t i = 0; i < s->label_count; i++) {
    struct label_scan *l = &s->labels[i];
    if (l->at < l->n && l->ids[l->at] == smallest) l->at++;
  }
  *ret = smallest;
  *ret_found = smallest != UINT64_MAX;
  return ERR_OK;
}

/// Ids of the current row's scan; `*ret_end` when it has none left.
static enum err scan_some(struct op *op, uint64_t *ids, uint32_t cap, uint32_t *ret_n, bool *ret_end, struct error *e) {
  struct node_scan *s = (struct node_scan *) op;
  *ret_n = 0;
  if (s->labels == NULL) {
    graph_token label = GRAPH_ANY;
    *ret_end = s->scan.done;
    if (s->scan.done) return ERR_OK;
    if (op->plan->node_scan.labels.count > 0 && !op_token(op, op->plan->node_scan.labels.items[0], &label)) label = GRAPH_ANY;
    TRY(graph_scan_nodes(op_view(op), label, &s->scan, ids, cap, ret_n, e));
    *ret_end = s->scan.done;
    return ERR_OK;
  }
  bool found = true;
  while (*ret_n < cap) {
    enum err err = merge_next(op, &ids[*ret_n], &found, e);
    if (err == ERR_WAIT && *ret_n > 0) break;
    TRY(err);
    if (!found) break;
    ++*ret_n;
  }
  *ret_end = !found;
  return ERR_OK;
}

static enum err fill(struct op *op, uint32_t cap, uint32_t *rows, uint64_t *ids, uint32_t *ret_n, struct error *e) {
  struct node_scan *s = (struct node_scan *) op;
  uint32_t n = 0;
  while (n < cap && s->row < s->in->n) {
    uint32_t got = 0;
    bool end = false;
    if (!s->started) start_row(op);
    enum err err = scan_some(op, ids + n, cap - n, &got, &end, e);
    if (err == ERR_WAIT && n > 0) break; // what is there goes out; the next call waits
    TRY(err);
    for (uint32_t i = 0; i < got; i++) rows[n + i] = s->row;
    n += got;
    if (end) {
      s->row++;
      s->started = false;
    }
  }
  op->db_hits += n;
  *ret_n = n;
  return ERR_OK;
}

static enum err node_scan_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct node_scan *s = (struct node_scan *) op;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), n = 0;
  arena_reset(&op->out);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, cap);
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, cap);
  if (rows == NULL || ids == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    if (s->in == NULL) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      s->started = false;
    }
    TRY(fill(op, cap, rows, ids, &n, e));
    if (n == 0) s->in = NULL;
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  out->columns[op->plan->node_scan.node] = vec_of_ids(VEC_NODE, ids);
  *ret = out;
  return ERR_OK;
}

static void node_scan_reset(struct op *op) {
  ((struct node_scan *) op)->in = NULL;
}

const struct op_class op_node_scan_class = {
    .bytes = sizeof(struct node_scan), .open = node_scan_open, .next = node_scan_next, .reset = node_scan_reset};

struct rel_scan {
  struct op op;
  const struct batch *in;
  uint32_t row, type; // which of the types is being scanned
  struct graph_scan scan;
};

/// Relationships of the current row's current type.
static enum err scan_rels(struct op *op, uint64_t *ids, uint32_t cap, uint32_t *ret_n, bool *ret_end, struct error *e) {
  struct rel_scan *s = (struct rel_scan *) op;
  struct plan_list types = op->plan->rel_scan.types;
  graph_token type = GRAPH_ANY;
  *ret_n = 0;
  if (types.count > 0 && !op_token(op, types.items[s->type], &type)) {
    s->scan.done = true;
  } else if (!s->scan.done) {
    TRY(graph_scan_rels(op_view(op), type, &s->scan, ids, cap, ret_n, e));
  }
  *ret_end = false;
  if (!s->scan.done) return ERR_OK;
  s->scan = (struct graph_scan){0};
  s->type++;
  *ret_end = s->type >= types.count;
  if (*ret_end) s->type = 0;
  return ERR_OK;
}

static enum err rel_fill(struct op *op, uint32_t cap, uint32_t *rows, uint64_t *ids, uint32_t *ret_n, struct error *e) {
  struct rel_scan *s = (struct rel_scan *) op;
  uint32_t n = 0;
  while (n < cap && s->row < s->in->n) {
    uint32_t got = 0;
    bool end = false;
    enum err err = scan_rels(op, ids + n, cap - n, &got, &end, e);
    if (err == ERR_WAIT && n > 0) break;
    TRY(err);
    for (uint32_t i = 0; i < got; i++) rows[n + i] = s->row;
    n += got;
    if (end) s->row++;
  }
  op->db_hits += n;
  *ret_n = n;
  return ERR_OK;
}

/// Both directions of each relationship: arrays of 2 * n; loops once.
static uint32_t both_directions(uint32_t n, uint32_t *rows, uint64_t *ids, uint64_t *start, uint64_t *end) {
  uint32_t total = n;
  for (uint32_t i = 0; i < n; i++) total += start[i] != end[i];
  for (uint32_t i = n, to = total; i-- > 0;) {
    uint64_t id = ids[i], a = start[i], b = end[i];
    uint32_t row = rows[i];
    for (int back = a != b; back >= 0; back--) {
      to--;
      rows[to] = row;
      ids[to] = id;
      start[to] = back ? b : a;
      end[to] = back ? a : b;
    }
  }
  return total;
}

static enum err rel_scan_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct rel_scan *s = (struct rel_scan *) op;
  const struct plan_rel_scan *plan = &op->plan->rel_scan;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS / 2), n = 0;
  arena_reset(&op->out);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, 2 * cap);
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, 2 * cap);
  uint64_t *start = ARENA_ARRAY(&op->out, uint64_t, 2 * cap), *end = ARENA_ARRAY(&op->out, uint64_t, 2 * cap);
  if (rows == NULL || ids == NULL || start == NULL || end == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    if (s->in == NULL) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = s->type = 0;
      s->scan = (struct graph_scan){0};
    }
    struct rel_scan before = *s;
    TRY(rel_fill(op, cap, rows, ids, &n, e));
    if (n > 0) {
      enum err err = graph_rel_ends(op_view(op), ids, n, start, end, NULL, e);
      if (err != ERR_OK) {
        s->row = before.row;
        s->type = before.type;
        s->scan = before.scan;
        return err;
      }
    } else {
      s->in = NULL;
    }
  }
  if (plan->undirected) n = both_directions(n, rows, ids, start, end);
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  out->columns[plan->rel] = vec_of_ids(VEC_REL, ids);
  out->columns[plan->start] = vec_of_ids(VEC_NODE, start);
  out->columns[plan->end] = vec_of_ids(VEC_NODE, end);
  *ret = out;
  return ERR_OK;
}

static void rel_scan_reset(struct op *op) {
  ((struct rel_scan *) op)->in = NULL;
}

const struct op_class op_rel_scan_class = {.bytes = sizeof(struct rel_scan), .next = rel_scan_next, .reset = rel_scan_reset};
