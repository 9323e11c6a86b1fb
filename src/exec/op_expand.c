// Expand(All), Expand(Into) and their optional forms.
//
// Slices point into pages and die with the exec_next in which they were read: the operator keeps the row and how many of its
// relationships it has gone through, and expands again when it is called in a later one.
#include <string.h>

#include "exec/tail.h"
#include "exec/unique.h"

enum { EXPAND_NODES = 256 };

struct expand {
  struct op op;
  const struct batch *in;
  uint32_t row;  // row being expanded
  uint64_t gone; // its relationships gone through so far
  bool matched;  // optional: the row has given something
  // what is expanded: rows [first_row, ...] of which nodes[i] belongs to row node_rows[i]
  struct arena slices;
  uint64_t epoch, rests; // when the slices were read
  struct graph_expansion expansion;
  uint32_t *node_rows; // in `slices`, as are the ids
  uint64_t *node_ids;
  uint32_t nodes, node; // how many are expanded, the current one
  uint32_t slice, item; // place in the current node
  // INTO
  uint64_t *into;
  uint32_t into_n;
  bool into_found;
};

/// Rows to come: what is collected for one output batch.
struct found {
  uint32_t *rows;
  uint64_t *rels, *nodes;
  uint8_t *none; // optional: the end of a row, to become a row of nulls if nothing before it stays. Else NULL
  uint32_t n, cap;
  bool has_rels; // somebody reads them
};

static bool is_into(const struct op *op) {
  return op->plan->kind == PLAN_EXPAND_INTO || op->plan->kind == PLAN_OPTIONAL_EXPAND_INTO;
}
static bool is_optional(const struct op *op) {
  return op->plan->kind == PLAN_OPTIONAL_EXPAND || op->plan->kind == PLAN_OPTIONAL_EXPAND_INTO;
}

static enum err expand_open(struct op *op, struct error *e UNUSED) {
  arena_init(&((struct expand *) op)->slices, &op->x->budget);
  return ERR_OK;
}

static bool node_at(const struct batch *b, uint32_t slot, uint32_t row, uint64_t *ret) {
  const struct vec *column = &b->columns[slot];
  if (!vec_is_set(column)) return false;
  uint32_t at = column->constant ? 0 : batch_index(b, row);
  if (column->kind == VEC_NODE) {
    *ret = column->id[at];
    return !(column->has_nulls && column->nulls[at]);
  }
  struct value v = vec_get(column, at);
  if (v.type != VALUE_NODE) return false;
  *ret = v_id(v);
  return true;
}

/// Expands the nodes of the rows from `row` on, as many as come in one call.
static enum err expand_more(struct op *op, struct error *e) {
  struct expand *s = (struct expand *) op;
  const struct plan_expand *plan = &op->plan->expand;
  uint32_t n = 0, type_count, most = MIN(s->in->n - s->row, EXPAND_NODES);
  graph_token *types;
  arena_reset(&s->slices);
  s->nodes = s->node = 0;
  s->node_ids = ARENA_ARRAY(&s->slices, uint64_t, most);
  s->node_rows = ARENA_ARRAY(&s->slices, uint32_t, most);
  if (s->node_ids == NULL || s->node_rows == NULL) return arena_err(&s->slices, e);
  TRY(op_tokens(op, &s->slices, plan->types, &types, &type_count, e));
  for (uint32_t row = s->row; row < s->in->n && n < most; row++) {
    if (!node_at(s->in, plan->from, row, &s->node_ids[n])) continue;
    s->node_rows[n++] = row;
  }
  s->epoch = op->x->epoch;
  s->rests = graph_view_rests(op_view(op));
  if (n == 0 || (plan->types.count > 0 && type_count == 0)) return ERR_OK;
  TRY(graph_expand(op_view(op), s->node_ids, n, plan->direction, types, type_count, &s->slices, &s->expansion, e));
  s->nodes = s->expansion.done;
  s->rests = graph_view_rests(op_view(op)); // the call may have begun with one
  s->slice = s->expansion.first[0];
  s->item = 0;
  // The first row may have been gone through in part.
  if (s->nodes > 0 && s->node_rows[0] == s->row) {
    uint64_t skip = s->gone;
    while (s->slice < s->expansion.first[1] && skip >= s->expansion.slices[s->slice].count)
      skip -= s->expansion.slices[s->slice++].count;
    s->item = (uint32_t) skip;
  }
  return ERR_OK;
}

/// Relationships [from, to) of a slice as rows.
static void take_items(struct expand *s, const struct graph_slice *slice, uint32_t from, uint32_t to, struct found *f) {
  uint32_t n = to - from;
  for (uint32_t i = 0; i < n; i++) f->rows[f->n + i] = s->row;
  for (uint32_t i = 0; i < n; i++) f->nodes[f->n + i] = graph_slice_neighbour(slice, from + i);
  for (uint32_t i = 0; f->has_rels && i < n; i++) f->rels[f->n + i] = graph_slice_rel(slice, from + i);
  f->n += n;
}

static void take_allowed(struct op *op, const struct unique *u, const struct graph_slice *slice, uint32_t from, uint32_t to,
                         struct found *f) {
  struct expand *s = (struct expand *) op;
  for (uint32_t i = from; i < to; i++)
    if (unique_allows(u, &op->plan->expand, s->in, s->row, graph_slice_rel(slice, i))) take_items(s, slice, i, i + 1, f);
}

/// The current node's relationships, until they are gone or the batch is full.
static void take_slices(struct op *op, const struct unique *u, struct found *f) {
  struct expand *s = (struct expand *) op;
  uint32_t end = s->expansion.first[s->node + 1], begin = f->n;
  for (; s->slice < end && f->n < f->cap; s->slice++, s->item = 0) {
    const struct graph_slice *slice = &s->expansion.slices[s->slice];
    uint32_t left = MIN(slice->count - s->item, f->cap - f->n);
    if (u->n == 0 && !u->by_element) {
      take_items(s, slice, s->item, s->item + left, f);
    } else {
      take_allowed(op, u, slice, s->item, s->item + left, f);
    }
    s->item += left;
    s->gone += left;
    op->db_hits += left;
    if (s->item < slice->count) break;
  }
  if (f->none != NULL) memset(f->none + begin, 0, f->n - begin);
}

static enum err find_into(struct op *op, struct error *e) {
  struct expand *s = (struct expand *) op;
  const struct plan_expand *plan = &op->plan->expand;
  uint64_t from, to;
  uint32_t type_count;
  graph_token *types;
  s->into_n = 0;
  TRY(op_tokens(op, &op->out, plan->types, &types, &type_count, e));
  if (node_at(s->in, plan->from, s->row, &from) && node_at(s->in, plan->to, s->row, &to) &&
      (plan->types.count == 0 || type_count > 0)) {
    arena_reset(&s->slices);
    TRY(graph_expand_into(op_view(op), from, to, plan->direction, types, type_count, &s->slices, &s->into, &s->into_n, e));
  }
  op->db_hits += 1 + s->into_n;
  s->into_found = true;
  return ERR_OK;
}

static void take_into(struct op *op, struct found *f) {
  struct expand *s = (struct expand *) op;
  for (; s->gone < s->into_n && f->n < f->cap; s->gone++) {
    uint64_t rel = s->into[s->gone];
    if (!op_differs(s->in, s->row, op->plan->expand.differ, rel)) continue;
    f->rows[f->n] = s->row;
    f->rels[f->n] = rel;
    if (f->none != NULL) f->none[f->n] = 0;
    f->n++;
  }
}

/// The slices were read before this exec_next, or before a rest.
static bool are_dead(const struct op *op) {
  const struct expand *s = (const struct expand *) op;
  return s->epoch != op->x->epoch || s->rests != graph_view_rests(op_view(op));
}

/// Brings the expansion to the current row, whose node is `ret_from`. `*ret_any`: it has slices to go through.
static enum err reach_row(struct op *op, uint64_t *ret_from, bool *ret_any, struct error *e) {
  struct expand *s = (struct expand *) op;
  *ret_any = node_at(s->in, op->plan->expand.from, s->row, ret_from);
  if (!*ret_any) return ERR_OK;
  while (s->node < s->nodes && s->node_rows[s->node] < s->row) {
    s->node++;
    if (s->node < s->nodes) {
      s->slice = s->expansion.first[s->node];
      s->item = 0;
    }
  }
  if (are_dead(op) || s->node >= s->nodes) TRY(expand_more(op, e));
  *ret_any = s->nodes > 0; // else no type of these is known
  return ERR_OK;
}

/// Goes on with the current row. `*ret_end`: the row has no more.
static enum err take_row(struct op *op, struct found *f, bool *ret_end, struct error *e) {
  struct expand *s = (struct expand *) op;
  if (is_into(op)) {
    if (!s->into_found) TRY(find_into(op, e));
    take_into(op, f);
    *ret_end = s->gone == s->into_n;
    return ERR_OK;
  }
  uint64_t from;
  bool any;
  struct unique unique;
  *ret_end = true;
  TRY(reach_row(op, &from, &any, e));
  if (!any) return ERR_OK;
  unique_of_row(&unique, &op->plan->expand, s->in, s->row, from);
  take_slices(op, &unique, f);
  *ret_end = s->slice == s->expansion.first[s->node + 1];
  return ERR_OK;
}

static enum err fill(struct op *op, struct found *f, struct error *e) {
  struct expand *s = (struct expand *) op;
  while (f->n < f->cap && s->row < s->in->n) {
    bool end;
    enum err err = take_row(op, f, &end, e);
    if (err == ERR_WAIT && f->n > 0) return ERR_OK;
    TRY(err);
    if (!end) continue;
    if (is_optional(op)) {
      if (f->n == f->cap) return ERR_OK; // no room to mark the end: it comes first in the next batch
      f->rows[f->n] = s->row;
      f->rels[f->n] = 0;
      f->nodes[f->n] = 0;
      f->none[f->n++] = 1;
    }
    s->row++;
    s->gone = 0;
    s->into_found = false;
  }
  return ERR_OK;
}

static enum err put_columns(struct op *op, struct batch *b, struct found *f, struct error *e) {
  const struct plan_expand *plan = &op->plan->expand;
  struct vec rels, nodes;
  TRY(vec_alloc(&op->out, VEC_REL, 0, &rels, e));
  rels.id = f->rels;
  if (f->none != NULL) rels.nulls = f->none;
  rels.has_nulls = is_optional(op);
  nodes = rels;
  nodes.kind = VEC_NODE;
  nodes.id = f->nodes;
  if (plan->rel != PLAN_NONE) b->columns[plan->rel] = rels;
  if (!is_into(op)) b->columns[plan->to] = nodes;
  return ERR_OK;
}

/// Which of the found rows pass the predicates of an optional expand.
static enum err pass_predicates(struct op *op, struct found *f, uint8_t *ret, struct error *e) {
  struct expand *s = (struct expand *) op;
  const struct plan_expand *plan = &op->plan->expand;
  memset(ret, 1, f->n);
  if (plan->predicates.count == 0) return ERR_OK;
  // The predicates may read slots that nothing above does: all columns of the input are there.
  struct eval c = op_eval(op, &op->out, e);
  struct frame root = frame_of(&c, s->in), all = frame_below(&c, &root, f->rows, f->n);
  struct vec rels = {.kind = VEC_REL, .id = f->rels, .nulls = f->none, .has_nulls = true};
  struct vec nodes = {.kind = VEC_NODE, .id = f->nodes, .nulls = f->none, .has_nulls = true};
  if (plan->rel != PLAN_NONE) TRY(frame_set(&c, &all, plan->rel, rels));
  if (!is_into(op)) TRY(frame_set(&c, &all, plan->to, nodes));
  for (uint32_t i = 0; i < plan->predicates.count; i++) {
    struct vec holds;
    TRY(eval_predicate(&c, plan->predicates.items[i], &all, &holds));
    for (uint32_t k = 0; k < f->n; k++) ret[k] &= !vec_is_null(&holds, k) && holds.b[holds.constant ? 0 : k];
  }
  return ERR_OK;
}

/// Keeps what passes, and the ends of rows of which nothing has.
static enum err settle_optional(struct op *op, struct found *f, struct error *e) {
  struct expand *s = (struct expand *) op;
  uint8_t *passes = arena_alloc(&op->out, f->n);
  if (passes == NULL) return arena_err(&op->out, e);
  TRY(pass_predicates(op, f, passes, e));
  uint32_t kept = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    bool keep = f->none[i] ? !s->matched : passes[i];
    s->matched = f->none[i] ? false : s->matched | passes[i];
    f->rows[kept] = f->rows[i];
    f->rels[kept] = f->rels[i];
    f->nodes[kept] = f->nodes[i];
    f->none[kept] = f->none[i];
    kept += keep;
  }
  f->n = kept;
  return ERR_OK;
}

/// Where the operator was before it filled a batch, to go back to when what follows has to wait.
struct place {
  uint32_t row;
  uint64_t gone;
  bool into_found;
};

static enum err next_batch(struct op *op, struct found *f, struct error *e) {
  struct expand *s = (struct expand *) op;
  struct place before = {s->row, s->gone, s->into_found};
  TRY(fill(op, f, e));
  if (!is_optional(op)) return ERR_OK;
  enum err err = settle_optional(op, f, e);
  if (err != ERR_OK) {
    s->row = before.row;
    s->gone = before.gone;
    s->into_found = is_into(op) ? false : before.into_found;
    s->nodes = s->node = 0;
  }
  return err;
}

/// The next input rows when the last are gone; in is NULL at the end.
static enum err pull_input(struct op *op, uint32_t want, struct error *e) {
  struct expand *s = (struct expand *) op;
  if (s->in != NULL && s->row < s->in->n) return ERR_OK;
  s->in = NULL;
  TRY(op_pull(op, 0, want, &s->in, e));
  s->row = 0;
  s->gone = 0;
  s->nodes = s->node = 0;
  s->matched = s->into_found = false;
  return ERR_OK;
}

// ---- rows ----

static enum err make_room(struct op *op, uint32_t cap, struct found *ret, struct error *e) {
  bool optional = is_optional(op);
  *ret = (struct found){.rows = ARENA_ARRAY(&op->out, uint32_t, cap),
                        .nodes = ARENA_ARRAY(&op->out, uint64_t, cap),
                        .cap = cap,
                        .rels = ARENA_ARRAY(&op->out, uint64_t, cap)};
  if (optional) ret->none = arena_alloc(&op->out, cap);
  ret->has_rels = op->plan->expand.rel != PLAN_NONE;
  bool ok = ret->rows != NULL && ret->rels != NULL && ret->nodes != NULL && (!optional || ret->none != NULL);
  return ok ? ERR_OK : arena_err(&op->out, e);
}

static enum err next_rows(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct expand *s = (struct expand *) op;
  struct found f;
  TRY(make_room(op, MIN(want, EXEC_BATCH_ROWS), &f, e));
  while (f.n == 0) {
    TRY(pull_input(op, want, e));
    if (s->in == NULL) return ERR_OK;
    TRY(next_batch(op, &f, e));
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, f.rows, f.n, &out, e));
  TRY(put_columns(op, out, &f, e));
  *ret = out;
  return ERR_OK;
}

// ---- tails ----

static enum err tail_allowed(struct op *op, const struct unique *u, const struct graph_slice *slice, uint32_t from, uint32_t to,
                             struct tail_builder *t, struct error *e) {
  struct expand *s = (struct expand *) op;
  for (uint32_t i = from; i < to; i++) {
    if (unique_allows(u, &op->plan->expand, s->in, s->row, graph_slice_rel(slice, i))) continue;
    TRY(tail_add(t, slice, from, i, e));
    from = i + 1;
  }
  return tail_add(t, slice, from, to, e);
}

/// What is left of the current row's slices joins the tail. `*ret_full`: not all of it, the tail has enough.
static enum err tail_slices(struct op *op, const struct unique *u, struct tail_builder *t, bool *ret_full, struct error *e) {
  struct expand *s = (struct expand *) op;
  uint32_t end = s->expansion.first[s->node + 1];
  *ret_full = false;
  for (; s->slice < end; s->slice++, s->item = 0) {
    const struct graph_slice *slice = &s->expansion.slices[s->slice];
    uint32_t left = MIN(slice->count - s->item, TAIL_ELEMENTS - t->elements);
    if (u->n == 0 && !u->by_element) {
      TRY(tail_add(t, slice, s->item, s->item + left, e));
    } else {
      TRY(tail_allowed(op, u, slice, s->item, s->item + left, t, e));
    }
    s->item += left;
    s->gone += left;
    op->db_hits += left;
    *ret_full = t->elements == TAIL_ELEMENTS;
    if (s->item < slice->count) return ERR_OK;
  }
  return ERR_OK;
}

/// Rows of one call of the graph, with their slices.
static enum err fill_tail(struct op *op, struct tail_builder *t, struct error *e) {
  struct expand *s = (struct expand *) op;
  bool full = false;
  for (uint32_t n = 0; s->row < s->in->n && n < EXPAND_NODES && !full; n++) {
    struct unique unique;
    uint64_t from;
    bool any, expands = are_dead(op) || s->nodes == 0 || s->node_rows[s->nodes - 1] < s->row;
    if (expands && t->elements > 0) return ERR_OK; // expanding again would take the slices of the tail away
    TRY(reach_row(op, &from, &any, e));
    if (any) {
      unique_of_row(&unique, &op->plan->expand, s->in, s->row, from);
      tail_row(t, s->row);
      TRY(tail_slices(op, &unique, t, &full, e));
      if (s->slice < s->expansion.first[s->node + 1]) return ERR_OK;
    }
    s->row++;
    s->gone = 0;
  }
  return ERR_OK;
}

/// All slices just read are the tail as they are: they are not too many, and no relationship is left out.
static bool is_whole(const struct op *op, uint32_t *ret_elements) {
  const struct expand *s = (const struct expand *) op;
  if (s->nodes == 0 || s->node > 0 || s->gone > 0) return false;
  uint64_t elements = 0;
  for (uint32_t i = s->expansion.first[0]; i < s->expansion.first[s->nodes]; i++) elements += s->expansion.slices[i].count;
  *ret_elements = (uint32_t) elements;
  return elements <= TAIL_ELEMENTS && unique_of_all(&op->plan->expand, s->in, s->node_rows, s->node_ids, s->nodes);
}

static enum err whole_tail(struct op *op, uint32_t elements, const struct batch **ret, struct error *e) {
  struct expand *s = (struct expand *) op;
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, s->node_rows, s->nodes, &out, e));
  out->tail = (struct batch_tail){op->plan->expand.to, op->plan->expand.rel, elements, s->expansion.first, s->expansion.slices};
  s->row = s->node_rows[s->nodes - 1] + 1;
  s->node = s->nodes;
  op->db_hits += elements;
  *ret = out;
  return ERR_OK;
}

static enum err next_tail(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct expand *s = (struct expand *) op;
  struct tail_builder t = {0};
  while (t.elements == 0) {
    uint32_t elements = 0;
    TRY(pull_input(op, want, e));
    if (s->in == NULL) return ERR_OK;
    if (are_dead(op) || s->node >= s->nodes) TRY(expand_more(op, e));
    if (is_whole(op, &elements) && elements > 0) return whole_tail(op, elements, ret, e);
    arena_reset(&op->out);
    TRY(tail_begin(&t, &op->out, MIN(s->in->n - s->row, EXPAND_NODES), e));
    TRY(fill_tail(op, &t, e));
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, t.rows, t.n, &out, e));
  tail_put(&t, op->plan->expand.to, op->plan->expand.rel, out);
  *ret = out;
  return ERR_OK;
}

static enum err expand_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  arena_reset(&op->out);
  return op->tail_wanted ? next_tail(op, want, ret, e) : next_rows(op, want, ret, e);
}

static void expand_reset(struct op *op) {
  ((struct expand *) op)->in = NULL;
}

static void expand_close(struct op *op) {
  arena_done(&((struct expand *) op)->slices);
}

const struct op_class op_expand_class = {
    .bytes = sizeof(struct expand), .open = expand_open, .next = expand_next, .reset = expand_reset, .close = expand_close};
