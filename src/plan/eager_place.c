// Barriers where they are needed. From the leaves up, along the way of the rows: what was written and what was read of the current
// state since the last barrier. An operator gets a barrier below it if
//   it reads what was written before it                      (reads do not see pending writes: without one they would miss it);
//   it reads the current state that was written before it    (it must see all of the earlier clause, not just its rows so far);
//   it writes what something before it reads as current      (later rows of the earlier clause must not see it);
//   it writes what was written before it                     (the later clause wins for all rows).
// The last three do not matter to a single row. What reads the snapshot never sees what comes after it, so MATCH ... CREATE streams.
#include "plan/eager.h"
#include "plan/effects.h"

/// Since the last barrier, in one stream of rows.
struct flow {
  struct writes writes;
  struct reads current;
  bool single; // at most one row
};

struct placing {
  struct planner *p;
  struct known_slots known;
};

static enum err place(struct placing *x, struct plan_op **at, struct flow *ret);

static enum err absorb(struct placing *x, struct flow *to, const struct op_effects *from) {
  TRY(writes_add(x->p, &to->writes, &from->writes));
  return reads_add(x->p, &to->current, &from->current);
}

static const char *conflict(const struct flow *before, const struct op_effects *op) {
  if (effects_seen(&before->writes, &op->reads)) return "read after write";
  if (before->single) return NULL;
  if (effects_seen(&before->writes, &op->current)) return "read after write";
  if (effects_seen(&op->writes, &before->current)) return "write after read";
  return effects_clash(&before->writes, &op->writes) ? "write after write" : NULL;
}

static enum err barrier(struct placing *x, struct plan_op **at, struct flow *flow, const char *reason) {
  bool single = flow->single;
  *flow = (struct flow){.single = single};
  return eager_insert(x->p, at, reason);
}

/// All effects in a tree, right sides included.
static enum err tree_effects(struct placing *x, const struct plan_op *op, struct op_effects *ret) {
  for (;; op = op->children[0]) {
    TRY(effects_of(x->p, &x->known, op, ret));
    bool own = op->kind == PLAN_MERGE || op->kind == PLAN_REPEAT; // theirs are counted as the operator's own
    for (uint32_t i = 1; i < op->child_count && !own; i++) TRY(tree_effects(x, op->children[i], ret));
    if (op->child_count == 0) return ERR_OK;
  }
}

static bool keeps_single(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_FILTER:
  case PLAN_PROJECTION:
  case PLAN_PROJECT_PATH:
  case PLAN_CACHE_PROPERTIES:
  case PLAN_DEGREE:
  case PLAN_DISTINCT:
  case PLAN_SORT:
  case PLAN_TOP:
  case PLAN_PARTIAL_SORT:
  case PLAN_PARTIAL_TOP:
  case PLAN_SKIP:
  case PLAN_LIMIT:
  case PLAN_CREATE:
  case PLAN_SET:
  case PLAN_DELETE:
  case PLAN_FOREACH:
  case PLAN_SUBQUERY_FOREACH:
  case PLAN_SEMI_APPLY:
  case PLAN_ANTI_SEMI_APPLY:
  case PLAN_LET_SEMI_APPLY:
  case PLAN_ROLL_UP_APPLY:
  case PLAN_SHORTEST_PATH:
  case PLAN_EAGER: return op->kind != PLAN_SHORTEST_PATH || op->shortest_path.mode == PLAN_SHORTEST_SINGLE;
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID: return !op->by_id.many;
  case PLAN_NODE_INDEX_SEEK: return op->index_seek.unique && !op->index_seek.in;
  default: return false;
  }
}

static bool is_single(const struct plan_op *op, bool below) {
  if (op->kind == PLAN_ARGUMENT) return op->depth == 0;
  if (op->kind == PLAN_AGGREGATION && op->aggregation.keys.count == 0) return op->depth == 0;
  return below && keeps_single(op);
}

/// A right side that writes what it reads is run row by row; inside, it has barriers of its own.
static enum err place_right(struct placing *x, struct plan_op *op, struct op_effects *right) {
  struct flow inside = {0};
  TRY(tree_effects(x, op->children[1], right));
  bool touches = effects_seen(&right->writes, &right->reads) || effects_seen(&right->writes, &right->current) ||
                 effects_clash(&right->writes, &right->writes);
  if (op->kind == PLAN_FOREACH) {
    op->foreach.serial = touches;
    return ERR_OK; // its clauses write and read the current state only: one element at a time needs nothing else
  }
  if (op->kind == PLAN_APPLY || op->kind == PLAN_SUBQUERY_FOREACH) op->apply.serial = right->writes.deletes || touches;
  return place(x, &op->children[1], &inside);
}

static enum err place_apply(struct placing *x, struct plan_op *op, struct flow *ret) {
  struct op_effects right = {0}, own = {0};
  TRY(place(x, &op->children[0], ret));
  TRY(place_right(x, op, &right));
  TRY(effects_of(x->p, &x->known, op, &own));
  TRY(reads_add(x->p, &right.reads, &own.reads));
  const char *reason = conflict(ret, &right);
  if (reason != NULL) TRY(barrier(x, &op->children[0], ret, reason));
  ret->single = is_single(op, ret->single);
  return absorb(x, ret, &right);
}

/// The left side is at its end before the right one is opened.
static enum err place_join(struct placing *x, struct plan_op *op, struct flow *ret) {
  struct op_effects right = {0}, own = {0};
  struct flow other;
  TRY(place(x, &op->children[0], ret));
  TRY(place(x, &op->children[1], &other));
  TRY(tree_effects(x, op->children[1], &right));
  TRY(effects_of(x->p, &x->known, op, &own));
  TRY(reads_add(x->p, &right.reads, &own.reads));
  const char *reason = conflict(ret, &right);
  if (reason != NULL) TRY(barrier(x, &op->children[0], ret, reason));
  ret->single = false;
  return absorb(x, ret, &right);
}

/// Branches run one after another.
static enum err place_union(struct placing *x, struct plan_op *op, struct flow *ret) {
  *ret = (struct flow){0};
  for (uint32_t i = 0; i < op->child_count; i++) {
    struct flow branch;
    struct op_effects all = {0};
    TRY(place(x, &op->children[i], &branch));
    if (!writes_none(&ret->writes)) {
      TRY(tree_effects(x, op->children[i], &all));
      const char *reason = conflict(ret, &all);
      if (reason != NULL) TRY(barrier(x, &op->children[i - 1], ret, reason));
    }
    TRY(writes_add(x->p, &ret->writes, &branch.writes));
    TRY(reads_add(x->p, &ret->current, &branch.current));
  }
  return ERR_OK;
}

static enum err place_unary(struct placing *x, struct plan_op *op, struct flow *ret) {
  struct op_effects own = {0};
  *ret = (struct flow){0};
  if (op->child_count > 0) TRY(place(x, &op->children[0], ret));
  TRY(effects_of(x->p, &x->known, op, &own));
  const char *reason = conflict(ret, &own);
  if (reason != NULL) TRY(barrier(x, &op->children[0], ret, reason));
  ret->single = is_single(op, ret->single);
  return absorb(x, ret, &own);
}

static enum err place(struct placing *x, struct plan_op **at, struct flow *ret) {
  struct plan_op *op = *at;
  switch (op->kind) {
  case PLAN_CARTESIAN_PRODUCT:
  case PLAN_NODE_HASH_JOIN:
  case PLAN_VALUE_HASH_JOIN: return place_join(x, op, ret);
  case PLAN_UNION: return place_union(x, op, ret);
  case PLAN_MERGE:
  case PLAN_REPEAT: return place_unary(x, op, ret);
  default: return op->child_count == 2 ? place_apply(x, op, ret) : place_unary(x, op, ret);
  }
}

enum err eager_where_needed(struct planner *p, struct plan_op **root) {
  struct placing x = {.p = p};
  struct flow flow;
  TRY(effects_known_slots(p, *root, &x.known));
  return place(&x, root, &flow);
}

enum err pass_eager(struct planner *p, struct plan_op **root) {
  if (!p->statement->writes) return ERR_OK;
  return p->options->eager_everywhere ? eager_everywhere(p, root, true) : eager_where_needed(p, root);
}
