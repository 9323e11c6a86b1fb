// WITH and RETURN: projection or aggregation, DISTINCT, ORDER BY, SKIP, LIMIT, WHERE, in this order.
//
// Aggregation is taken out of the items: `n.a + count(*)` becomes an aggregate `count(*)` into a slot of the planner's, and above it
// a projection `n.a + slot`, where what equals a grouping key reads the key. ORDER BY is treated like one more item, so that it may
// aggregate, too.
#include "plan/order.h"
#include "plan/plan_int.h"

struct projecting {
  struct planner *p;
  struct items_builder keys;       // grouping keys, or all items where nothing aggregates
  struct items_builder aggregates; // slot and aggregating call
  struct items_builder later;      // computed from the aggregates
  struct items_builder sort;       // expressions to sort by
  struct chain *c;
  enum err err;
};

static bool is_aggregate(const struct ast *n) {
  if (n->kind == AST_COUNT_STAR) return true;
  return n->kind == AST_FUNCTION && n->function.signature != NULL && (n->function.signature->flags & CYPHER_AGGREGATING);
}

static bool find_aggregate(struct ast *n, void *context) {
  bool *found = context;
  *found = *found || is_aggregate(n);
  return !*found && n->kind != AST_SUBQUERY && n->kind != AST_PATTERN_COMPREHENSION && n->kind != AST_PATTERN_EXPRESSION;
}

static bool aggregates(const struct ast *n) {
  bool found = false;
  ast_visit((struct ast *) (uintptr_t) n, find_aggregate, &found);
  return found;
}

/// The slot of an equal aggregate, or a new one.
static enum err aggregate_slot(struct projecting *j, const struct ast *call, uint32_t *ret) {
  for (uint32_t i = 0; i < j->aggregates.count; i++)
    if (ast_equal(j->aggregates.items[i].expression, call) && !expression_is_volatile(call)) {
      *ret = j->aggregates.items[i].slot;
      return ERR_OK;
    }
  TRY(planner_slot(j->p, STR("aggregate"), AST_VALUE_VARIABLE, ret));
  return items_add(j->p, &j->aggregates, *ret, call);
}

static struct ast *failed(struct projecting *j, enum err err) {
  j->err = err;
  return NULL;
}

/// Replaces aggregates and what equals a key by variables.
static struct ast *over_aggregates(struct ast *n, void *context) {
  struct projecting *j = context;
  const struct ast *variable;
  uint32_t slot = PLAN_NONE;
  for (uint32_t i = 0; i < j->keys.count && slot == PLAN_NONE; i++)
    if (ast_equal(j->keys.items[i].expression, n)) slot = j->keys.items[i].slot;
  if (slot == PLAN_NONE && is_aggregate(n)) {
    enum err err = aggregate_slot(j, n, &slot);
    if (err != ERR_OK) return failed(j, err);
  }
  if (slot != PLAN_NONE) {
    enum err err = expression_variable(j->p, slot, &variable);
    return err == ERR_OK ? (struct ast *) (uintptr_t) variable : failed(j, err);
  }
  return ast_map_children(n, over_aggregates, j) ? n : j->err != ERR_OK ? NULL : failed(j, planner_nomem(j->p));
}

static enum err rewrite_over_aggregates(struct projecting *j, const struct ast *from, const struct ast **ret) {
  struct ast *copy = ast_copy(j->p->arena, from);
  PLAN_ALLOC(j->p, copy);
  struct ast *made = over_aggregates(copy, j);
  *ret = made;
  return made != NULL ? ERR_OK : j->err;
}

/// Sorting by an item reads its slot.
static struct ast *over_items(struct ast *n, void *context) {
  struct projecting *j = context;
  const struct ast *variable;
  for (uint32_t i = 0; i < j->keys.count; i++)
    if (n->kind != AST_LITERAL && ast_equal(j->keys.items[i].expression, n)) {
      enum err err = expression_variable(j->p, j->keys.items[i].slot, &variable);
      return err == ERR_OK ? (struct ast *) (uintptr_t) variable : failed(j, err);
    }
  return ast_map_children(n, over_items, j) ? n : j->err != ERR_OK ? NULL : failed(j, planner_nomem(j->p));
}

static enum err collect_items(struct projecting *j, const struct ast_list *items, bool *ret_grouped) {
  struct planner *p = j->p;
  const struct ast *ready;
  *ret_grouped = false;
  AST_EACH(item, *items) *ret_grouped = *ret_grouped || aggregates(item->projection.expression);
  AST_EACH(item, *items) {
    if (aggregates(item->projection.expression)) continue;
    TRY(plan_expression(p, j->c, item->projection.expression, &ready));
    TRY(items_add(p, &j->keys, item->projection.slot, ready));
  }
  AST_EACH(item, *items) {
    const struct ast *expression = item->projection.expression;
    if (!aggregates(expression)) continue;
    TRY(plan_expression(p, j->c, expression, &ready));
    if (is_aggregate(ready)) {
      TRY(items_add(p, &j->aggregates, item->projection.slot, ready));
    } else {
      TRY(rewrite_over_aggregates(j, ready, &ready));
      TRY(items_add(p, &j->later, item->projection.slot, ready));
    }
  }
  return ERR_OK;
}

/// ORDER BY may read what the projection drops, but for aggregation and DISTINCT: then it reads items only.
static enum err collect_sort(struct projecting *j, const struct ast_list *order_by, bool grouped) {
  AST_EACH(key, *order_by) {
    const struct ast *expression = key->sort.expression;
    if (grouped) {
      TRY(rewrite_over_aggregates(j, expression, &expression));
    } else {
      struct ast *copy = ast_copy(j->p->arena, expression);
      PLAN_ALLOC(j->p, copy);
      expression = over_items(copy, j);
      if (expression == NULL) return j->err;
    }
    TRY(items_add(j->p, &j->sort, PLAN_NONE, expression));
  }
  return ERR_OK;
}

static bool is_own_slot(const struct plan_item *item) {
  return item->expression->kind == AST_VARIABLE && item->expression->variable.slot == item->slot;
}

/// A PROJECTION of the items that are not there already; none if nothing is left.
static enum err push_projection(struct planner *p, struct chain *c, const struct items_builder *from) {
  struct items_builder items = {0};
  for (uint32_t i = 0; i < from->count; i++) {
    if (is_own_slot(&from->items[i]) && bits_has(&c->bound, from->items[i].slot)) continue;
    TRY(items_add(p, &items, from->items[i].slot, from->items[i].expression));
  }
  if (items.count == 0) return ERR_OK;
  struct plan_op *op;
  TRY(chain_push(p, c, PLAN_PROJECTION, &op));
  op->projection.items = items_of(&items);
  for (uint32_t i = 0; i < items.count; i++) TRY(chain_bind(p, c, items.items[i].slot));
  return ERR_OK;
}

static enum err push_limit(struct planner *p, struct chain *c, enum plan_op_kind kind, const struct ast *count);

/// min() and max() by themselves need only the first row of an input that is in their order.
static enum err take_first(struct projecting *j) {
  struct planner *p = j->p;
  struct order_key key = {0};
  bool is = j->keys.count == 0 && j->aggregates.count == 1;
  uint32_t known = 0;
  const struct ast *call = is ? j->aggregates.items[0].expression : NULL, *one;
  is = is && call->kind == AST_FUNCTION && (call->function.signature->id == CYPHER_FN_MIN || call->function.signature->id == CYPHER_FN_MAX);
  if (!is) return ERR_OK;
  TRY(order_key_of(p, call->function.arguments.first, &key, &is));
  key.descending = call->function.signature->id == CYPHER_FN_MAX;
  if (is) TRY(order_use(p, j->c->op, &key, 1, &known));
  if (known == 0) return ERR_OK;
  TRY(expression_integer(p, 1, &one));
  return push_limit(p, j->c, PLAN_LIMIT, one);
}

static enum err push_aggregation(struct projecting *j) {
  struct planner *p = j->p;
  struct plan_op *op;
  TRY(take_first(j));
  double rows = j->c->op->rows;
  TRY(chain_push(p, j->c, PLAN_AGGREGATION, &op));
  op->aggregation = (struct plan_aggregation){items_of(&j->keys), items_of(&j->aggregates)};
  op->rows = j->keys.count == 0 ? 1 : __builtin_sqrt(rows);
  j->c->bound = (struct bits){0};
  for (uint32_t i = 0; i < j->keys.count; i++) TRY(chain_bind(p, j->c, j->keys.items[i].slot));
  for (uint32_t i = 0; i < j->aggregates.count; i++) TRY(chain_bind(p, j->c, j->aggregates.items[i].slot));
  return push_projection(p, j->c, &j->later);
}

static enum err push_distinct(struct planner *p, struct chain *c, const struct ast_list *items) {
  struct plan_op *op;
  struct list_builder slots = {0};
  AST_EACH(item, *items) TRY(list_add(p, &slots, item->projection.slot));
  TRY(chain_push(p, c, PLAN_DISTINCT, &op));
  op->distinct.slots = list_of(&slots);
  op->rows *= 0.95;
  c->bound = (struct bits){0};
  for (uint32_t i = 0; i < slots.count; i++) TRY(chain_bind(p, c, slots.items[i]));
  return ERR_OK;
}

/// Slots to sort by; expressions that are no variable get one.
static enum err sort_slots(struct projecting *j, const struct ast_list *order_by, struct plan_sort_key **ret) {
  struct planner *p = j->p;
  struct plan_sort_key *keys = ARENA_ARRAY(p->arena, struct plan_sort_key, order_by->count);
  PLAN_ALLOC(p, keys);
  struct items_builder computed = {0};
  const struct ast *sort = order_by->first;
  for (uint32_t i = 0; i < j->sort.count; i++, sort = sort->next) {
    const struct ast *ready;
    TRY(plan_expression(p, j->c, j->sort.items[i].expression, &ready));
    keys[i] = (struct plan_sort_key){PLAN_NONE, sort->sort.descending};
    if (ready->kind == AST_VARIABLE) {
      keys[i].slot = ready->variable.slot;
      continue;
    }
    TRY(planner_slot(p, STR("sort"), AST_VALUE_VARIABLE, &keys[i].slot));
    TRY(items_add(p, &computed, keys[i].slot, ready));
  }
  *ret = keys;
  return push_projection(p, j->c, &computed);
}

static double count_hint(const struct ast *count, double otherwise) {
  return count->kind == AST_LITERAL && count->literal.type == AST_INTEGER ? (double) count->literal.integer : otherwise;
}

static enum err push_limit(struct planner *p, struct chain *c, enum plan_op_kind kind, const struct ast *count) {
  struct plan_op *op;
  double before = c->op->rows;
  TRY(chain_push(p, c, kind, &op));
  op->limit = (struct plan_limit){count, kind == PLAN_LIMIT && op->writes};
  op->rows = kind == PLAN_LIMIT ? MIN(before, count_hint(count, 75)) : MAX(0, before - count_hint(count, 0));
  return ERR_OK;
}

/// How many of the keys the rows are in order of already.
static enum err known_order(struct planner *p, struct chain *c, const struct plan_sort_key *keys, uint32_t count, uint32_t *ret) {
  struct order_key *wished = arena_array(&p->scratch, count, sizeof *wished);
  PLAN_ALLOC(p, wished);
  for (uint32_t i = 0; i < count; i++) wished[i] = (struct order_key){keys[i].slot, PLAN_NONE, keys[i].descending};
  return order_use(p, c->op, wished, count, ret);
}

static enum plan_op_kind sort_kind(bool limited, bool partial) {
  if (partial) return limited ? PLAN_PARTIAL_TOP : PLAN_PARTIAL_SORT;
  return limited ? PLAN_TOP : PLAN_SORT;
}

/// Sorts, but for what is in order. `*ret_done`: the rows are no more than LIMIT wants.
static enum err push_sort(struct projecting *j, const struct ast_list *order_by, const struct ast *skip, const struct ast *limit, bool *ret_done) {
  struct planner *p = j->p;
  struct plan_sort_key *keys = NULL;
  struct plan_op *op;
  uint32_t known = 0;
  *ret_done = false;
  if (order_by->count == 0) return ERR_OK;
  TRY(sort_slots(j, order_by, &keys));
  TRY(known_order(p, j->c, keys, order_by->count, &known));
  if (known == order_by->count) return ERR_OK;
  TRY(chain_push(p, j->c, sort_kind(limit != NULL, known > 0), &op));
  op->sort = (struct plan_sort){keys, order_by->count, known, limit, limit != NULL ? skip : NULL};
  if (limit != NULL) op->rows = MIN(op->rows, count_hint(limit, 75) + (skip != NULL ? count_hint(skip, 75) : 0));
  *ret_done = limit != NULL;
  return ERR_OK;
}

static enum err push_order(struct projecting *j, const struct ast_list *order_by, const struct ast *skip, const struct ast *limit) {
  bool limited;
  TRY(push_sort(j, order_by, skip, limit, &limited));
  if (skip != NULL) TRY(push_limit(j->p, j->c, PLAN_SKIP, skip));
  return limit != NULL && !limited ? push_limit(j->p, j->c, PLAN_LIMIT, limit) : ERR_OK;
}

/// From here on only the items are in scope.
static enum err narrow_scope(struct planner *p, struct chain *c, const struct ast_list *items) {
  c->bound = (struct bits){0};
  AST_EACH(item, *items) TRY(chain_bind(p, c, item->projection.slot));
  return ERR_OK;
}

enum err plan_projection(struct planner *p, struct chain *c, const struct ast *clause) {
  bool is_with = clause->kind == AST_WITH;
  const struct ast_list *items = is_with ? &clause->with.items : &clause->return_.items;
  const struct ast_list *order_by = is_with ? &clause->with.order_by : &clause->return_.order_by;
  bool distinct = is_with ? clause->with.distinct : clause->return_.distinct;
  struct projecting j = {.p = p, .c = c};
  bool grouped;
  TRY(collect_items(&j, items, &grouped));
  TRY(collect_sort(&j, order_by, grouped));
  if (grouped) {
    TRY(push_aggregation(&j));
  } else {
    TRY(push_projection(p, c, &j.keys));
  }
  if (distinct) TRY(push_distinct(p, c, items));
  TRY(push_order(&j, order_by, is_with ? clause->with.skip : clause->return_.skip, is_with ? clause->with.limit : clause->return_.limit));
  if (is_with && clause->with.where != NULL) TRY(plan_where(p, c, clause->with.where));
  return narrow_scope(p, c, items);
}
