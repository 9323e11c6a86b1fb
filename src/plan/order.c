#include "plan/order.h"

#include <math.h>

#include "cypher/signatures.h"
#include "plan/cost.h"

enum err order_key_of(struct planner *p, const struct ast *n, struct order_key *ret, bool *ret_is) {
  bool property = n->kind == AST_PROPERTY && n->property.subject->kind == AST_VARIABLE;
  *ret_is = property || n->kind == AST_VARIABLE;
  if (!*ret_is) return ERR_OK;
  ret->slot = property ? n->property.subject->variable.slot : n->variable.slot;
  ret->name = PLAN_NONE;
  return property ? planner_name(p, GRAPH_KEY, n->property.key, &ret->name) : ERR_OK;
}

// ---- what is wished for ----

/// What the key is about below the projection of `items`; false if that is no property and no variable.
static enum err below_items(struct planner *p, const struct ast_list *items, struct order_key *key, bool *ret_is) {
  AST_EACH(item, *items) {
    if (item->projection.slot != key->slot) continue;
    struct order_key source;
    TRY(order_key_of(p, item->projection.expression, &source, ret_is));
    if (!*ret_is || (key->name != PLAN_NONE && source.name != PLAN_NONE)) {
      *ret_is = false;
      return ERR_OK;
    }
    key->slot = source.slot;
    if (source.name != PLAN_NONE) key->name = source.name;
    return ERR_OK;
  }
  *ret_is = true;
  return ERR_OK;
}

static double rows_of(const struct ast *count, double otherwise) {
  if (count == NULL) return 0;
  return count->kind == AST_LITERAL && count->literal.type == AST_INTEGER ? (double) count->literal.integer : otherwise;
}

/// The first keys of ORDER BY that are properties of one variable.
static enum err wish_of_sort(struct planner *p, const struct ast_list *items, const struct ast_list *order_by,
                             struct order_wish *ret) {
  ret->keys = arena_array(&p->scratch, order_by->count + 1, sizeof *ret->keys);
  PLAN_ALLOC(p, ret->keys);
  AST_EACH(sort, *order_by) {
    struct order_key key = {.descending = sort->sort.descending};
    bool is;
    TRY(order_key_of(p, sort->sort.expression, &key, &is));
    if (is) TRY(below_items(p, items, &key, &is));
    if (!is || key.name == PLAN_NONE || (ret->count > 0 && key.slot != ret->keys[0].slot)) break;
    ret->keys[ret->count++] = key;
  }
  ret->all = ret->count == order_by->count;
  return ERR_OK;
}

static bool is_extreme(const struct ast *n, bool *ret_max) {
  if (n->kind != AST_FUNCTION || n->function.signature == NULL || n->function.arguments.count != 1) return false;
  *ret_max = n->function.signature->id == CYPHER_FN_MAX;
  return *ret_max || n->function.signature->id == CYPHER_FN_MIN;
}

static bool find_aggregate(struct ast *n, void *context) {
  bool *found = context;
  *found = *found || n->kind == AST_COUNT_STAR ||
           (n->kind == AST_FUNCTION && n->function.signature != NULL && (n->function.signature->flags & CYPHER_AGGREGATING));
  return !*found;
}

/// min(v.key) or max(v.key) as the only item is the first row of an order.
static enum err wish_of_extreme(struct planner *p, const struct ast_list *items, struct order_wish *ret) {
  struct order_key key = {0};
  bool is;
  if (items->count != 1 || !is_extreme(items->first->projection.expression, &key.descending)) return ERR_OK;
  TRY(order_key_of(p, items->first->projection.expression->function.arguments.first, &key, &is));
  if (!is || key.name == PLAN_NONE) return ERR_OK;
  ret->keys = arena_copy(&p->scratch, &key, sizeof key);
  PLAN_ALLOC(p, ret->keys);
  *ret = (struct order_wish){.keys = ret->keys, .count = 1, .all = true, .skips_nulls = true, .rows = 1};
  return ERR_OK;
}

enum err order_wished(struct planner *p, const struct ast *clause, struct order_wish *ret) {
  *ret = (struct order_wish){.rows = INFINITY};
  while (clause != NULL && clause->kind == AST_MATCH && clause->match.optional) clause = clause->next;
  if (clause == NULL || (clause->kind != AST_WITH && clause->kind != AST_RETURN)) return ERR_OK;
  bool is_with = clause->kind == AST_WITH, grouped = false;
  const struct ast_list *items = is_with ? &clause->with.items : &clause->return_.items;
  const struct ast_list *order_by = is_with ? &clause->with.order_by : &clause->return_.order_by;
  const struct ast *limit = is_with ? clause->with.limit : clause->return_.limit,
                   *skip = is_with ? clause->with.skip : clause->return_.skip;
  AST_EACH(item, *items) ast_visit(item->projection.expression, find_aggregate, &grouped);
  if (grouped) return wish_of_extreme(p, items, ret);
  if (limit != NULL) ret->rows = rows_of(limit, LIMIT_ROWS) + rows_of(skip, LIMIT_ROWS);
  return wish_of_sort(p, items, order_by, ret);
}

// ---- what there is ----

uint32_t order_given(const struct planner *p, const graph_token *keys, uint32_t key_count, uint32_t equal_count,
                     const struct order_key *wished, uint32_t count, bool *ret_decided, bool *ret_descending) {
  uint32_t next = equal_count, given = 0;
  *ret_decided = false;
  for (; given < count; given++) {
    graph_token key = planner_token(p, wished[given].name);
    bool fixed = false;
    for (uint32_t k = 0; k < equal_count; k++) fixed = fixed || keys[k] == key;
    if (fixed) continue;
    if (next == key_count || keys[next] != key || (*ret_decided && wished[given].descending != *ret_descending)) break;
    *ret_decided = true;
    *ret_descending = wished[given].descending;
    next++;
  }
  return given;
}

/// At most one row comes of each outer row.
static bool gives_one_row(const struct plan_op *op) {
  for (;; op = op->children[0]) {
    if (op->kind == PLAN_ARGUMENT) return true;
    bool one = op->kind == PLAN_NODE_INDEX_SEEK
                   ? op->index_seek.unique && !op->index_seek.in
                   : (op->kind == PLAN_NODE_BY_ID || op->kind == PLAN_NODE_BY_ELEMENT_ID) && !op->by_id.many;
    if (!one) return false;
  }
}

static enum err use_seek(struct planner *p, struct plan_op *op, const struct order_key *keys, uint32_t count, uint32_t *ret) {
  struct plan_index_seek *seek = &op->index_seek;
  graph_token tokens[GRAPH_INDEX_KEYS_MAX];
  bool decided, descending = false;
  uint32_t same = 0;
  while (same < count && keys[same].slot == seek->entity && keys[same].name != PLAN_NONE) same++;
  for (uint32_t k = 0; k < seek->keys.count; k++) tokens[k] = planner_token(p, seek->keys.items[k]);
  *ret = 0;
  if (seek->in || !gives_one_row(op->children[0])) return ERR_OK;
  uint32_t given = order_given(p, tokens, seek->keys.count, seek->equal.count, keys, same, &decided, &descending);
  if (decided && seek->ordered && seek->descending != descending) return ERR_OK;
  if (decided) {
    seek->ordered = true;
    seek->descending = descending;
  }
  *ret = given;
  return ERR_OK;
}

/// What the keys are about below a projection; the first that has no source there and all behind it are given up.
static enum err below_projection(struct planner *p, const struct plan_op *op, struct order_key *keys, uint32_t *count) {
  for (uint32_t k = 0; k < *count; k++)
    for (uint32_t i = 0; i < op->projection.items.count; i++) {
      const struct plan_item *item = &op->projection.items.items[i];
      struct order_key source;
      bool is;
      if (item->slot != keys[k].slot) continue;
      TRY(order_key_of(p, item->expression, &source, &is));
      if (!is || (keys[k].name != PLAN_NONE && source.name != PLAN_NONE)) {
        *count = k;
        return ERR_OK;
      }
      keys[k].slot = source.slot;
      if (source.name != PLAN_NONE) keys[k].name = source.name;
      break;
    }
  return ERR_OK;
}

/// Gives up keys whose variable the operator itself fills.
static enum err below_others(struct planner *p, const struct plan_op *op, const struct order_key *keys, uint32_t *count) {
  struct bits fills = {0};
  TRY(op_fills(p, op, &fills));
  for (uint32_t k = 0; k < *count; k++)
    if (bits_has(&fills, keys[k].slot)) *count = k;
  return ERR_OK;
}

/// The child whose rows the operator hands on in their order, each once or several times in a row or not at all; NULL.
static struct plan_op *ordered_child(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_ALL_NODES_SCAN:
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN:
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK:
  case PLAN_UNWIND:
  case PLAN_FILTER:
  case PLAN_PROJECTION:
  case PLAN_PROJECT_PATH:
  case PLAN_PROJECT_ENDPOINTS:
  case PLAN_DEGREE:
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO:
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO:
  case PLAN_INTERSECT:
  case PLAN_SEMI_APPLY:
  case PLAN_ANTI_SEMI_APPLY:
  case PLAN_LET_SEMI_APPLY:
  case PLAN_ROLL_UP_APPLY:
  case PLAN_CARTESIAN_PRODUCT:
  case PLAN_DISTINCT:
  case PLAN_SKIP:
  case PLAN_LIMIT: return op->children[0];
  case PLAN_NODE_HASH_JOIN:
  case PLAN_VALUE_HASH_JOIN: return op->children[1]; // the left side is held
  default: return NULL;
  }
}

enum err order_use(struct planner *p, struct plan_op *top, const struct order_key *wished, uint32_t count, uint32_t *ret) {
  struct order_key *keys = arena_array(&p->scratch, count, sizeof *keys);
  PLAN_ALLOC(p, keys);
  for (uint32_t k = 0; k < count; k++) keys[k] = wished[k];
  *ret = 0;
  if (top->writes) return ERR_OK; // the property may have changed since
  for (struct plan_op *op = top; op != NULL && count > 0; op = ordered_child(op)) {
    bool seek = op->kind == PLAN_NODE_INDEX_SEEK || op->kind == PLAN_REL_INDEX_SEEK;
    if (seek && op->index_seek.entity == keys[0].slot) return use_seek(p, op, keys, count, ret);
    TRY(op->kind == PLAN_PROJECTION ? below_projection(p, op, keys, &count) : below_others(p, op, keys, &count));
  }
  return ERR_OK;
}
