// Which columns are read above each operator: its `out`. From the top down; what only fills slots that nobody reads is taken
// away, relationships that nobody asks for are not handed out. The slots of an ARGUMENT are those that its right side reads.
#include <stddef.h>

#include "plan/plan_int.h"

/// The right side that an operator is in: what its ARGUMENTs must give.
struct side {
  struct bits *argument; // NULL at depth 0
};

static enum err live(struct planner *p, struct plan_op **place, const struct bits *needed, struct side side);

static enum err list_of_bits(struct planner *p, const struct bits *b, struct plan_list *ret) {
  uint32_t *items = ARENA_ARRAY(p->arena, uint32_t, bits_size(b));
  PLAN_ALLOC(p, items);
  uint32_t count = 0;
  for (uint32_t i = 0; bits_next(b, &i); i++) items[count++] = i;
  *ret = (struct plan_list){items, count};
  return ERR_OK;
}

/// All slots that are filled in a tree, right sides included whose columns leave them.
static enum err tree_fills(struct planner *p, const struct plan_op *op, struct bits *ret) {
  for (;; op = op->children[0]) {
    TRY(op_fills(p, op, ret));
    bool closed = op->kind == PLAN_AGGREGATION;
    bool hides_right = op->kind == PLAN_SEMI_APPLY || op->kind == PLAN_ANTI_SEMI_APPLY || op->kind == PLAN_LET_SEMI_APPLY ||
                       op->kind == PLAN_ROLL_UP_APPLY || op->kind == PLAN_SUBQUERY_FOREACH || op->kind == PLAN_FOREACH || op->kind == PLAN_REPEAT ||
                       op->kind == PLAN_MERGE || op->kind == PLAN_TRANSACTION_FOREACH;
    if (closed || op->child_count == 0) return ERR_OK;
    for (uint32_t i = 1; i < op->child_count && !hides_right; i++) TRY(tree_fills(p, op->children[i], ret));
  }
}

/// True if taking it away changes nothing but its columns.
static bool only_fills(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_PROJECT_PATH:
  case PLAN_DEGREE:
  case PLAN_CACHE_PROPERTIES: return true;
  case PLAN_LET_SEMI_APPLY:
  case PLAN_ROLL_UP_APPLY: return !op->children[1]->writes;
  default: return false;
  }
}

/// Lists and relationships are not made where nobody reads them.
static void drop_unread(struct plan_op *op, const struct bits *needed) {
  if ((op->kind == PLAN_VAR_EXPAND || op->kind == PLAN_VAR_EXPAND_INTO) && op->var_expand.rels != PLAN_NONE &&
      !bits_has(needed, op->var_expand.rels))
    op->var_expand.rels = PLAN_NONE;
  bool expands = op->kind == PLAN_EXPAND || op->kind == PLAN_EXPAND_INTO ||
                 ((op->kind == PLAN_OPTIONAL_EXPAND || op->kind == PLAN_OPTIONAL_EXPAND_INTO) && op->expand.predicates.count == 0);
  if (expands && op->expand.rel != PLAN_NONE && !bits_has(needed, op->expand.rel)) op->expand.rel = PLAN_NONE;
  struct plan_list *results = &op->procedure_call.results;
  if (op->kind == PLAN_PROCEDURE_CALL)
    for (uint32_t i = 0; i < results->count; i++)
      if (results->items[i] != PLAN_NONE && !bits_has(needed, results->items[i])) ((uint32_t *) (uintptr_t) results->items)[i] = PLAN_NONE;
}

/// Items of a projection that nobody reads; an item could only fail, so dropping it is safe for the rows.
static void drop_items(struct plan_op *op, const struct bits *needed) {
  struct plan_item *items = (struct plan_item *) (uintptr_t) op->projection.items.items;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < op->projection.items.count; i++)
    if (bits_has(needed, items[i].slot)) items[kept++] = items[i];
  op->projection.items.count = kept;
}

static enum err live_apply(struct planner *p, struct plan_op *op, struct bits *below, const struct bits *needed, struct side side) {
  struct bits argument = {0}, right = {0}, fills = {0};
  TRY(tree_fills(p, op->children[1], &fills));
  switch (op->kind) {
  case PLAN_ROLL_UP_APPLY:
    if (op->let.collect != PLAN_NONE) PLAN_ADD(p, &right, op->let.collect);
    break;
  case PLAN_APPLY:
  case PLAN_TRANSACTION_APPLY:
    if (!bits_copy(&p->scratch, needed, &right)) return planner_nomem(p);
    bits_keep(&right, &fills);
    bits_remove_all(below, &right);
    break;
  case PLAN_MERGE: // the pattern's elements come from either
    TRY(op_fills(p, op, &right));
    break;
  case PLAN_REPEAT:
    PLAN_ADD(p, &right, op->repeat.inner_end);
    for (uint32_t i = 0; i < op->repeat.inner_rels.count; i++) PLAN_ADD(p, &right, op->repeat.inner_rels.items[i]);
    for (uint32_t i = 0; i < op->repeat.group_count; i++) PLAN_ADD(p, &right, op->repeat.groups[i].inner);
    break;
  default: break;
  }
  TRY(live(p, &op->children[1], &right, (struct side){&argument}));
  if (op->kind == PLAN_REPEAT) bits_remove(&argument, op->repeat.inner_start);
  if (op->kind == PLAN_FOREACH) bits_remove(&argument, op->foreach.variable);
  if (!bits_add_all(&p->scratch, below, &argument)) return planner_nomem(p);
  return live(p, &op->children[0], below, side);
}

/// A side of a join hands on what it fills; what neither fills comes from the outer rows, by the left side.
static enum err live_join(struct planner *p, struct plan_op *op, const struct bits *below, struct side side) {
  struct bits fills[2] = {{0}, {0}}, wanted[2] = {{0}, {0}};
  TRY(tree_fills(p, op->children[0], &fills[0]));
  TRY(tree_fills(p, op->children[1], &fills[1]));
  bool by_value = op->kind == PLAN_VALUE_HASH_JOIN;
  for (uint32_t i = 0; bits_next(below, &i); i++) PLAN_ADD(p, &wanted[!bits_has(&fills[0], i) && bits_has(&fills[1], i)], i);
  for (uint32_t i = 0; !by_value && op->kind != PLAN_CARTESIAN_PRODUCT && i < op->node_join.slots.count; i++) {
    PLAN_ADD(p, &wanted[0], op->node_join.slots.items[i]);
    PLAN_ADD(p, &wanted[1], op->node_join.slots.items[i]);
  }
  if (by_value) {
    TRY(expression_slots(p, op->value_join.left, &wanted[0]));
    TRY(expression_slots(p, op->value_join.right, &wanted[1]));
  }
  TRY(live(p, &op->children[0], &wanted[0], side));
  return live(p, &op->children[1], &wanted[1], side);
}

static enum err live_children(struct planner *p, struct plan_op *op, struct bits *below, const struct bits *needed, struct side side) {
  switch (op->kind) {
  case PLAN_ARGUMENT:
    if (side.argument != NULL && !bits_add_all(&p->scratch, side.argument, needed)) return planner_nomem(p);
    return side.argument != NULL ? list_of_bits(p, needed, &op->argument.slots) : ERR_OK;
  case PLAN_CARTESIAN_PRODUCT:
  case PLAN_NODE_HASH_JOIN:
  case PLAN_VALUE_HASH_JOIN: return live_join(p, op, below, side);
  case PLAN_UNION:
    for (uint32_t i = 0; i < op->child_count; i++) TRY(live(p, &op->children[i], below, side));
    return ERR_OK;
  default: return op->child_count == 2 ? live_apply(p, op, below, needed, side) : live(p, &op->children[0], below, side);
  }
}

static enum err live(struct planner *p, struct plan_op **place, const struct bits *needed, struct side side) {
  struct plan_op *op = *place;
  struct bits below = {0}, fills = {0};
  TRY(op_fills(p, op, &fills));
  if (only_fills(op) && !bits_meet(&fills, needed)) {
    *place = op->children[0];
    return live(p, place, needed, side);
  }
  drop_unread(op, needed);
  if (op->kind == PLAN_PROJECTION) {
    drop_items(op, needed);
    if (op->projection.items.count == 0) {
      *place = op->children[0];
      return live(p, place, needed, side);
    }
  }
  TRY(list_of_bits(p, needed, &op->out));
  bool closed = op->kind == PLAN_AGGREGATION || op->kind == PLAN_DISTINCT || op->kind == PLAN_EMPTY_RESULT;
  if (!closed) {
    if (!bits_copy(&p->scratch, needed, &below)) return planner_nomem(p);
    bits_remove_all(&below, &fills);
  }
  TRY(op_reads(p, op, &below));
  return live_children(p, op, &below, needed, side);
}

enum err pass_live(struct planner *p, struct plan_op **root) {
  struct bits needed = {0};
  return live(p, root, &needed, (struct side){NULL});
}
