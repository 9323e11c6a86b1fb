// The post-condition of planning: every slot that an operator reads is filled below it, and `out` promises nothing that is not there.
// A plan that fails is an internal error and never runs.
#include "plan/plan_int.h"

static enum err verify(struct planner *p, const struct plan_op *op, const struct bits *outer, struct bits *ret);

static enum err broken(struct planner *p, const struct plan_op *op, const char *what, uint32_t slot) {
  return error_set(p->error, ERR_INTERNAL, "%s %s `%.*s`, which nothing fills", plan_op_kind_name(op->kind), what, STR_ARG(p->slots[slot].name));
}

static enum err expect_within(struct planner *p, const struct plan_op *op, const char *what, const struct bits *slots, const struct bits *filled) {
  for (uint32_t i = 0; bits_next(slots, &i); i++)
    if (!bits_has(filled, i)) return broken(p, op, what, i);
  return ERR_OK;
}

static enum err add_all(struct planner *p, struct bits *to, const struct bits *from) {
  return bits_add_all(&p->scratch, to, from) ? ERR_OK : planner_nomem(p);
}

static enum err from_list(struct planner *p, const struct plan_list *l, struct bits *ret) {
  for (uint32_t i = 0; i < l->count; i++) PLAN_ADD(p, ret, l->items[i]);
  return ERR_OK;
}

/// True if the columns of the right side leave the operator.
static bool gives_right(const struct plan_op *op) {
  return op->kind == PLAN_APPLY || op->kind == PLAN_TRANSACTION_APPLY;
}

static bool is_join(const struct plan_op *op) {
  return op->kind == PLAN_CARTESIAN_PRODUCT || op->kind == PLAN_NODE_HASH_JOIN || op->kind == PLAN_VALUE_HASH_JOIN;
}

static enum err verify_argument(struct planner *p, const struct plan_op *op, const struct bits *outer, struct bits *ret) {
  TRY(from_list(p, &op->argument.slots, ret));
  static const struct bits none;
  return expect_within(p, op, "hands in", ret, outer != NULL ? outer : &none);
}

/// Rows of all branches must have the slots.
static enum err verify_union(struct planner *p, const struct plan_op *op, const struct bits *outer, struct bits *ret) {
  for (uint32_t i = 0; i < op->child_count; i++) {
    struct bits branch = {0};
    TRY(verify(p, op->children[i], outer, &branch));
    if (i == 0) TRY(add_all(p, ret, &branch));
    bits_keep(ret, &branch);
  }
  return ERR_OK;
}

static enum err verify_right(struct planner *p, const struct plan_op *op, struct bits *ret) {
  struct bits given = {0}, right = {0}, wanted = {0};
  TRY(add_all(p, &given, ret));
  if (op->kind == PLAN_FOREACH) PLAN_ADD(p, &given, op->foreach.variable);
  if (op->kind == PLAN_REPEAT) PLAN_ADD(p, &given, op->repeat.inner_start);
  TRY(verify(p, op->children[1], &given, &right));
  if (op->kind == PLAN_ROLL_UP_APPLY) PLAN_ADD(p, &wanted, op->let.collect);
  if (op->kind == PLAN_MERGE) TRY(op_fills(p, op, &wanted));
  if (op->kind == PLAN_REPEAT) {
    TRY(from_list(p, &op->repeat.inner_rels, &wanted));
    PLAN_ADD(p, &wanted, op->repeat.inner_end);
    for (uint32_t i = 0; i < op->repeat.group_count; i++) PLAN_ADD(p, &wanted, op->repeat.groups[i].inner);
  }
  TRY(expect_within(p, op, "takes from its right side", &wanted, &right));
  return gives_right(op) ? add_all(p, ret, &right) : ERR_OK;
}

static enum err verify_children(struct planner *p, const struct plan_op *op, const struct bits *outer, struct bits *ret) {
  if (op->kind == PLAN_ARGUMENT) return verify_argument(p, op, outer, ret);
  if (op->kind == PLAN_UNION) return verify_union(p, op, outer, ret);
  TRY(verify(p, op->children[0], outer, ret));
  if (is_join(op)) {
    struct bits right = {0};
    TRY(verify(p, op->children[1], outer, &right));
    return add_all(p, ret, &right);
  }
  return op->child_count == 2 ? verify_right(p, op, ret) : ERR_OK;
}

static enum err verify(struct planner *p, const struct plan_op *op, const struct bits *outer, struct bits *ret) {
  struct bits reads = {0}, filled = {0}, out = {0};
  TRY(verify_children(p, op, outer, &filled));
  TRY(op_reads(p, op, &reads));
  TRY(expect_within(p, op, "reads", &reads, &filled));
  bool grouped = op->kind == PLAN_AGGREGATION;
  if (grouped) filled = (struct bits){0};
  TRY(op_fills(p, op, &filled));
  if (op->kind == PLAN_OPTIONAL) TRY(from_list(p, &op->optional.slots, &filled));
  TRY(from_list(p, &op->out, &out));
  TRY(expect_within(p, op, "hands on", &out, &filled));
  return add_all(p, ret, &out);
}

enum err pass_verify(struct planner *p, const struct plan_op *root) {
  struct bits ret = {0};
  return verify(p, root, NULL, &ret);
}
