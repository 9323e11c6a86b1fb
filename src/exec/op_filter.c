// Filter: rows for which all predicates are true and no pair of `differ` shares a relationship. Predicates that the graph
// guarantees are not evaluated; a filter of nothing else is transparent: its input goes through as it is, tails included.
#include "exec/implied.h"

struct filter {
  struct op op;
  const struct batch *in;        // being filtered; kept where a predicate had to wait
  const struct ast **predicates; // those to evaluate
  uint32_t predicate_count;
  bool settled; // they have been chosen
};

static enum err filter_open(struct op *op, struct error *e) {
  struct filter *s = (struct filter *) op;
  s->predicates = ARENA_ARRAY(&op->x->arena, const struct ast *, op->plan->filter.predicates.count);
  return s->predicates != NULL ? ERR_OK : arena_err(&op->x->arena, e);
}

/// Once for a run. Where the statement writes, what is sealed on its way may end a guarantee: then all are evaluated.
static enum err settle(struct op *op, struct error *e) {
  struct filter *s = (struct filter *) op;
  const struct plan_exprs all = op->plan->filter.predicates;
  bool guaranteed = !op->x->plan->root->writes && !op->x->options.flat;
  s->predicate_count = 0;
  for (uint32_t i = 0; i < all.count; i++) {
    const struct plan_expand *by = guaranteed ? implied_by(op->plan, all.items[i]) : NULL;
    bool holds = false;
    if (by != NULL) TRY(implied_holds(op, by, all.items[i], &holds, e));
    if (!holds) s->predicates[s->predicate_count++] = all.items[i];
  }
  s->settled = true;
  return ERR_OK;
}

/// Rows of `rows[0..n)` for which `predicate` is true, in `rows` again.
static enum err keep_true(struct eval *c, const struct ast *predicate, struct frame *root, uint32_t *rows, uint32_t *n) {
  struct frame some = frame_below(c, root, rows, *n);
  struct vec holds;
  TRY(eval_predicate(c, predicate, &some, &holds));
  uint32_t *passed = ARENA_ARRAY(c->arena, uint32_t, *n);
  if (passed == NULL) return arena_err(c->arena, c->error);
  uint32_t kept = logic_select(&holds, *n, passed);
  for (uint32_t i = 0; i < kept; i++) rows[i] = rows[passed[i]];
  *n = kept;
  return ERR_OK;
}

static bool shares_rel(struct value a, struct value b) {
  if (a.type == VALUE_REL) {
    struct value one = a;
    return shares_rel(v_list(&one, 1), b);
  }
  if (b.type == VALUE_REL) {
    struct value one = b;
    return shares_rel(a, v_list(&one, 1));
  }
  if (a.type != VALUE_LIST || b.type != VALUE_LIST) return false;
  for (uint32_t i = 0; i < a.len; i++)
    for (uint32_t k = 0; k < b.len; k++)
      if (a.items[i].type == VALUE_REL && b.items[k].type == VALUE_REL && v_id(a.items[i]) == v_id(b.items[k])) return true;
  return false;
}

static void keep_different(const struct plan_filter *f, const struct batch *in, uint32_t *rows, uint32_t *n) {
  for (uint32_t pair = 0; pair < f->differ_count; pair++) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *n; i++) {
      struct value a = batch_get(in, f->differ[pair].left, rows[i]), b = batch_get(in, f->differ[pair].right, rows[i]);
      if (!shares_rel(a, b)) rows[kept++] = rows[i];
    }
    *n = kept;
  }
}

static enum err filter_batch(struct op *op, const struct batch *in, const struct batch **ret, struct error *e) {
  struct filter *s = (struct filter *) op;
  struct eval c = op_eval(op, &op->out, e);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, in->n), n = in->n;
  if (rows == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) rows[i] = i;
  keep_different(&op->plan->filter, in, rows, &n);
  struct frame root = frame_of(&c, in);
  for (uint32_t i = 0; i < s->predicate_count && n > 0; i++) TRY(keep_true(&c, s->predicates[i], &root, rows, &n));
  if (n == in->n) {
    *ret = in;
    return ERR_OK;
  }
  struct batch *out = NULL;
  TRY(batch_select(&op->out, in, rows, n, &out, e));
  *ret = out;
  return ERR_OK;
}

static enum err filter_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct filter *s = (struct filter *) op;
  if (!s->settled) TRY(settle(op, e));
  if (s->predicate_count == 0 && op->plan->filter.differ_count == 0) {
    op->children[0]->tail_wanted = op->tail_wanted;
    return op_next(op->children[0], want, ret, e);
  }
  for (;;) {
    if (s->in == NULL) TRY(op_pull(op, 0, MAX(want, EXEC_BATCH_FIRST), &s->in, e));
    if (s->in == NULL) return ERR_OK;
    arena_reset(&op->out);
    TRY(filter_batch(op, s->in, ret, e));
    s->in = NULL;
    if ((*ret)->n > 0) return ERR_OK;
    *ret = NULL;
  }
}

static void filter_reset(struct op *op) {
  ((struct filter *) op)->in = NULL;
}

const struct op_class op_filter_class = {
    .bytes = sizeof(struct filter), .open = filter_open, .next = filter_next, .reset = filter_reset};
