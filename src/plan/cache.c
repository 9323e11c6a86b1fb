// A property that several operators read is read once: a CACHE_PROPERTIES below the first of them puts it into a column, and the
// others read that. So does an item of a projection that is just the property. From a write or a barrier on everything is read
// anew.
//
// The tree is walked down with what is read above in `uses`, and up with what is in columns already (`struct cached`). A property
// is read below its first reader and not further down: a FILTER is split where it gets to it, so that no row is looked at in
// vain.
#include "plan/cache.h"

struct use {
  uint32_t slot;
  plan_name_id name;
};

/// A property that is in a column. The newest first; a list that others share the end of.
struct cached {
  struct use what;
  uint32_t out;
  const struct cached *next;
};

struct caching {
  struct planner *p;
  struct use *uses; // of the operators above, the lowest last
  uint32_t count, room;
  uint32_t height_left;      // how many operators may be added
  struct bits outer;         // slots that the expression which is looked at reads from its row
  const struct cached *from; // to replace by
  enum err err;
};

static bool same_use(const struct use *a, const struct use *b) {
  return a->slot == b->slot && a->name == b->name;
}

static const struct cached *find_cached(const struct cached *list, const struct use *what) {
  while (list != NULL && !same_use(&list->what, what)) list = list->next;
  return list;
}

/// Properties of nodes and relationships that the row holds.
static bool use_of(struct caching *k, const struct ast *n, struct use *ret) {
  if (n->kind != AST_PROPERTY || n->property.subject->kind != AST_VARIABLE || k->err != ERR_OK) return false;
  uint32_t slot = n->property.subject->variable.slot;
  uint8_t kind = k->p->slots[slot].kind;
  if ((kind != AST_NODE_VARIABLE && kind != AST_RELATIONSHIP_VARIABLE) || !bits_has(&k->outer, slot)) return false;
  ret->slot = slot;
  k->err = planner_name(k->p, GRAPH_KEY, n->property.key, &ret->name);
  return k->err == ERR_OK;
}

// ---- what operators read ----

static bool collect_use(struct ast *n, void *context) {
  struct caching *k = context;
  struct use use;
  if (!use_of(k, n, &use)) return k->err == ERR_OK;
  if (k->count == k->room) {
    uint32_t room = MAX(16, 2 * k->room);
    struct use *grown = arena_grow(&k->p->scratch, k->uses, k->room * sizeof use, room * sizeof use);
    if (grown == NULL) {
      k->err = planner_nomem(k->p);
      return false;
    }
    k->uses = grown;
    k->room = room;
  }
  k->uses[k->count++] = use;
  return true;
}

static enum err collect(struct caching *k, const struct ast *n) {
  if (n == NULL) return ERR_OK;
  k->outer = (struct bits){0};
  TRY(expression_slots(k->p, n, &k->outer));
  ast_visit((struct ast *) (uintptr_t) n, collect_use, k);
  return k->err;
}

/// The expressions of an operator that may read columns in place of properties.
struct places {
  const struct ast **one[2]; // NULL: none
  struct plan_exprs *exprs;
  struct plan_items *items[2];
};

static struct places places_of(struct plan_op *op) {
  switch (op->kind) {
  case PLAN_FILTER: return (struct places){.exprs = &op->filter.predicates};
  case PLAN_PROJECTION: return (struct places){.items = {&op->projection.items}};
  case PLAN_AGGREGATION: return (struct places){.items = {&op->aggregation.keys, &op->aggregation.aggregates}};
  case PLAN_UNWIND: return (struct places){.one = {&op->unwind.list}};
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK:
    return (struct places){.one = {&op->index_seek.low, &op->index_seek.high}, .exprs = &op->index_seek.equal};
  case PLAN_VALUE_HASH_JOIN: return (struct places){.one = {&op->value_join.left, &op->value_join.right}};
  default: return (struct places){.exprs = NULL};
  }
}

static enum err collect_own(struct caching *k, struct plan_op *op) {
  struct places at = places_of(op);
  for (int i = 0; i < 2; i++) {
    if (at.one[i] != NULL) TRY(collect(k, *at.one[i]));
    for (uint32_t n = 0; at.items[i] != NULL && n < at.items[i]->count; n++) TRY(collect(k, at.items[i]->items[n].expression));
  }
  for (uint32_t n = 0; at.exprs != NULL && n < at.exprs->count; n++) TRY(collect(k, at.exprs->items[n]));
  return ERR_OK;
}

static enum err collect_tree(struct caching *k, struct plan_op *op) {
  for (;; op = op->children[0]) {
    TRY(collect_own(k, op));
    for (uint32_t i = 1; i < op->child_count; i++) TRY(collect_tree(k, op->children[i]));
    if (op->child_count == 0) return ERR_OK;
  }
}

// ---- reading columns instead ----

static struct ast *replace_use(struct ast *n, void *context) {
  struct caching *k = context;
  struct use use;
  const struct cached *found = use_of(k, n, &use) ? find_cached(k->from, &use) : NULL;
  if (found != NULL) {
    const struct ast *variable;
    k->err = expression_variable(k->p, found->out, &variable);
    return k->err == ERR_OK ? (struct ast *) (uintptr_t) variable : NULL;
  }
  if (ast_map_children(n, replace_use, k)) return n;
  if (k->err == ERR_OK) k->err = planner_nomem(k->p);
  return NULL;
}

/// A copy where anything changes: other operators may have the same expression.
static enum err replace(struct caching *k, const struct ast **place, const struct cached *from) {
  uint32_t before = k->count;
  bool any = false;
  if (*place == NULL) return ERR_OK;
  TRY(collect(k, *place)); // sets `outer`, too
  for (uint32_t i = before; i < k->count; i++) any = any || find_cached(from, &k->uses[i]) != NULL;
  k->count = before;
  if (!any) return ERR_OK;
  struct ast *copy = ast_copy(k->p->arena, *place);
  PLAN_ALLOC(k->p, copy);
  k->from = from;
  *place = replace_use(copy, k);
  return k->err;
}

static enum err replace_own(struct caching *k, struct plan_op *op, const struct cached *from) {
  struct places at = places_of(op);
  for (int i = 0; i < 2; i++) {
    if (at.one[i] != NULL) TRY(replace(k, at.one[i], from));
    for (uint32_t n = 0; at.items[i] != NULL && n < at.items[i]->count; n++)
      TRY(replace(k, (const struct ast **) (uintptr_t) &at.items[i]->items[n].expression, from));
  }
  for (uint32_t n = 0; at.exprs != NULL && n < at.exprs->count; n++)
    TRY(replace(k, (const struct ast **) (uintptr_t) &at.exprs->items[n], from));
  return ERR_OK;
}

static enum err remember(struct caching *k, struct use what, uint32_t out, const struct cached **list) {
  struct cached made = {what, out, *list};
  *list = arena_copy(&k->p->scratch, &made, sizeof made);
  PLAN_ALLOC(k->p, *list);
  return ERR_OK;
}

// ---- reading into columns ----

static enum err insert_op(struct caching *k, struct plan_op **place, enum plan_op_kind kind, struct plan_op **ret) {
  struct plan_op *op, *below = *place;
  TRY(planner_op(k->p, kind, below->depth, 1, &op));
  op->children[0] = below;
  op->rows = below->rows;
  op->writes = below->writes;
  op->current = below->current;
  op->height = below->height + 1;
  *ret = *place = op;
  return ERR_OK;
}

/// `l` with one more.
static enum err longer(struct planner *p, struct plan_list *l, uint32_t item) {
  uint32_t *items = ARENA_ARRAY(p->arena, uint32_t, l->count + 1);
  PLAN_ALLOC(p, items);
  for (uint32_t i = 0; i < l->count; i++) items[i] = l->items[i];
  items[l->count] = item;
  *l = (struct plan_list){items, l->count + 1};
  return ERR_OK;
}

/// The properties of one entity are read together.
static enum err add_item(struct caching *k, struct plan_op *op, const struct use *what, uint32_t *room, uint32_t *ret_out) {
  struct planner *p = k->p;
  struct plan_cache_item *item = (struct plan_cache_item *) (uintptr_t) op->cache.items, *end = item + op->cache.count;
  struct str name =
      arena_printf(p->arena, "cache[%.*s.%.*s]", STR_ARG(p->slots[what->slot].name), STR_ARG(p->names[what->name].name));
  PLAN_ALLOC(p, name.ptr);
  TRY(planner_slot(p, STR("cache"), AST_VALUE_VARIABLE, ret_out));
  p->slots[*ret_out].name = name;
  while (item != end && item->entity != what->slot) item++;
  if (item == end) {
    TRY(array_room(p, &op->cache.items, op->cache.count, room, sizeof *item));
    item = (struct plan_cache_item *) (uintptr_t) op->cache.items + op->cache.count++;
    *item = (struct plan_cache_item){.entity = what->slot,
                                     .kind = p->slots[what->slot].kind == AST_NODE_VARIABLE ? GRAPH_NODE : GRAPH_REL};
  }
  TRY(longer(p, &item->keys, what->name));
  return longer(p, &item->outs, *ret_out);
}

/// Uses [begin, end) of an expression, or of an operator; [above, known_end) are all that count, these included.
struct span {
  uint32_t above, known_end, begin, end;
};

static bool is_wanted(const struct caching *k, struct span s, const struct use *use, const struct cached *list) {
  uint32_t times = 0;
  for (uint32_t n = s.above; n < s.known_end; n++) times += same_use(&k->uses[n], use);
  return times > 1 && find_cached(list, use) == NULL;
}

static bool any_wanted(const struct caching *k, struct span s, const struct cached *list) {
  for (uint32_t i = s.begin; i < s.end; i++)
    if (is_wanted(k, s, &k->uses[i], list)) return true;
  return false;
}

/// Puts a CACHE_PROPERTIES on `*place` for those of the span's uses that come more than once.
static enum err cache_uses(struct caching *k, struct plan_op **place, struct span s, const struct cached **list) {
  struct plan_op *op;
  uint32_t room = 0, out;
  if (k->height_left == 0 || !any_wanted(k, s, *list)) return ERR_OK;
  k->height_left--;
  TRY(insert_op(k, place, PLAN_CACHE_PROPERTIES, &op));
  for (uint32_t i = s.begin; i < s.end; i++) {
    if (!is_wanted(k, s, &k->uses[i], *list)) continue;
    TRY(add_item(k, op, &k->uses[i], &room, &out));
    TRY(remember(k, k->uses[i], out, list));
  }
  return ERR_OK;
}

/// The predicates so far become a filter of their own.
static enum err split_filter(struct caching *k, struct plan_op *op, uint32_t *from, uint32_t to, struct plan_op **place) {
  struct plan_op *lower;
  if (*from == to && op->filter.differ_count == 0) return ERR_OK;
  TRY(insert_op(k, place, PLAN_FILTER, &lower));
  lower->filter = op->filter;
  lower->filter.predicates = (struct plan_exprs){op->filter.predicates.items + *from, to - *from};
  op->filter.differ_count = 0;
  *from = to;
  return ERR_OK;
}

/// Predicate by predicate: what one needs is read for rows that pass those before.
static enum err cache_filter(struct caching *k, struct plan_op *op, uint32_t above, const struct cached **list) {
  struct plan_exprs *predicates = &op->filter.predicates;
  uint32_t own = k->count, from = 0;
  TRY(collect_own(k, op));
  struct span s = {.above = above, .known_end = k->count, .begin = k->count};
  for (uint32_t i = 0; i < predicates->count; i++) {
    TRY(collect(k, predicates->items[i]));
    s.end = k->count;
    if (any_wanted(k, s, *list) && k->height_left > 1) {
      k->height_left--;
      TRY(split_filter(k, op, &from, i, &op->children[0]));
      TRY(cache_uses(k, &op->children[0], s, list));
    }
    k->count = s.begin;
  }
  k->count = own;
  predicates->items += from;
  predicates->count -= from;
  return ERR_OK;
}

/// An item that is just a property is a column for those above, unless others beside it read the property, too.
static enum err cache_projection(struct caching *k, struct plan_op *op, uint32_t above, const struct cached **list) {
  const struct plan_items *items = &op->projection.items;
  uint32_t own = k->count;
  TRY(collect_own(k, op));
  struct span s = {above, k->count, k->count, k->count};
  for (uint32_t i = 0; i < items->count; i++) {
    uint32_t before = k->count, times = 0;
    TRY(collect(k, items->items[i].expression));
    for (uint32_t n = own; n < s.known_end && k->count > before; n++) times += same_use(&k->uses[n], &k->uses[before]);
    if (items->items[i].expression->kind == AST_PROPERTY && times == 1) k->count = before;
  }
  s.end = k->count;
  TRY(cache_uses(k, &op->children[0], s, list));
  k->count = own;
  return ERR_OK;
}

static enum err cache_own(struct caching *k, struct plan_op *op, uint32_t above, const struct cached **list) {
  if (op->kind == PLAN_FILTER) return cache_filter(k, op, above, list);
  if (op->kind == PLAN_PROJECTION) return cache_projection(k, op, above, list);
  if (op->kind == PLAN_VALUE_HASH_JOIN) return ERR_OK; // each expression belongs to one side
  uint32_t own = k->count;
  TRY(collect_own(k, op));
  TRY(cache_uses(k, &op->children[0], (struct span){above, k->count, own, k->count}, list));
  k->count = own;
  return ERR_OK;
}

// ---- the walk ----

/// Nothing that was read on one side of it holds on the other.
static bool is_barrier(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_CREATE:
  case PLAN_MERGE:
  case PLAN_SET:
  case PLAN_DELETE:
  case PLAN_FOREACH:
  case PLAN_EAGER:
  case PLAN_PROCEDURE_CALL:
  case PLAN_TRANSACTION_APPLY:
  case PLAN_TRANSACTION_FOREACH: return true;
  default: return op->child_count == 2 && op->children[1]->writes;
  }
}

/// No column of its input leaves it but those that it names.
static bool is_closed(const struct plan_op *op) {
  return op->kind == PLAN_AGGREGATION || op->kind == PLAN_DISTINCT || op->kind == PLAN_EMPTY_RESULT;
}

static bool is_join(const struct plan_op *op) {
  return op->kind == PLAN_CARTESIAN_PRODUCT || op->kind == PLAN_NODE_HASH_JOIN || op->kind == PLAN_VALUE_HASH_JOIN;
}

/// Without what is about slots that `op` fills anew.
static enum err forget_filled(struct caching *k, const struct plan_op *op, const struct cached **list) {
  struct bits fills = {0};
  const struct cached *kept = NULL;
  bool any = false;
  TRY(op_fills(k->p, op, &fills));
  for (const struct cached *c = *list; c != NULL; c = c->next)
    any = any || bits_has(&fills, c->what.slot) || bits_has(&fills, c->out);
  if (!any) return ERR_OK;
  for (const struct cached *c = *list; c != NULL; c = c->next)
    if (!bits_has(&fills, c->what.slot) && !bits_has(&fills, c->out)) TRY(remember(k, c->what, c->out, &kept));
  *list = kept;
  return ERR_OK;
}

/// Items that are a property, by their slot.
static enum err remember_items(struct caching *k, const struct plan_items *items, const struct plan_exprs *before,
                               const struct cached **list) {
  for (uint32_t i = 0; i < items->count; i++) {
    struct use use;
    const struct ast *n = before->items[i];
    k->outer = (struct bits){0};
    TRY(expression_slots(k->p, n, &k->outer));
    if (use_of(k, n, &use) && find_cached(*list, &use) == NULL) TRY(remember(k, use, items->items[i].slot, list));
    TRY(k->err);
  }
  return ERR_OK;
}

/// The expressions of a projection as they were before anything was replaced.
static enum err expressions_of(struct caching *k, const struct plan_items *items, struct plan_exprs *ret) {
  struct exprs_builder list = {0};
  for (uint32_t i = 0; i < items->count; i++) TRY(exprs_add(k->p, &list, items->items[i].expression));
  *ret = exprs_of(&list);
  return ERR_OK;
}

static enum err walk(struct caching *k, struct plan_op *op, uint32_t above, const struct cached *outer,
                     const struct cached **ret);

static enum err walk_union(struct caching *k, struct plan_op *op, const struct cached *outer) {
  const struct cached *ignored;
  for (uint32_t i = 0; i < op->child_count; i++) TRY(walk(k, op->children[i], k->count, outer, &ignored));
  return ERR_OK;
}

/// What either side has in columns leaves a join. Both start from the outer row's.
static enum err walk_join(struct caching *k, struct plan_op *op, uint32_t above, const struct cached *outer,
                          const struct cached **ret) {
  const struct cached *right;
  uint32_t own = k->count;
  TRY(collect_own(k, op));
  TRY(walk(k, op->children[0], above, outer, ret));
  TRY(walk(k, op->children[1], above, outer, &right));
  k->count = own;
  for (; right != outer && right != NULL; right = right->next)
    if (find_cached(*ret, &right->what) == NULL) TRY(remember(k, right->what, right->out, ret));
  return replace_own(k, op, *ret);
}

/// The right side may use what the left has in columns; what it reads itself stays inside.
static enum err walk_right(struct caching *k, struct plan_op *op, const struct cached *left) {
  const struct cached *ignored;
  bool apart = is_barrier(op) || op->kind == PLAN_REPEAT;
  if (op->kind == PLAN_MERGE) return ERR_OK; // it reads the current state
  return walk(k, op->children[1], k->count, apart ? NULL : left, &ignored);
}

static enum err walk(struct caching *k, struct plan_op *op, uint32_t above, const struct cached *outer,
                     const struct cached **ret) {
  uint32_t own = k->count;
  struct plan_exprs before = {0};
  *ret = outer;
  if (op->kind == PLAN_ARGUMENT) return ERR_OK;
  *ret = NULL;
  if (op->kind == PLAN_UNION) return walk_union(k, op, outer);
  if (is_join(op)) return walk_join(k, op, above, outer, ret);
  bool apart = is_barrier(op);
  if (apart || is_closed(op)) above = k->count;
  if (!apart) TRY(collect_own(k, op));
  if (!apart && op->child_count == 2) TRY(collect_tree(k, op->children[1]));
  TRY(walk(k, op->children[0], above, outer, ret));
  k->count = own;
  if (op->child_count == 2) TRY(walk_right(k, op, *ret));
  if (apart) {
    *ret = NULL;
    return ERR_OK;
  }
  if (op->kind == PLAN_PROJECTION) TRY(expressions_of(k, &op->projection.items, &before));
  TRY(cache_own(k, op, above, ret));
  TRY(replace_own(k, op, *ret));
  TRY(forget_filled(k, op, ret));
  if (op->kind == PLAN_PROJECTION) TRY(remember_items(k, &op->projection.items, &before, ret));
  if (is_closed(op)) *ret = NULL;
  return ERR_OK;
}

/// To read a property of what the statement has deleted is an error, and whether it is read must not change.
static bool deletes(const struct plan_op *op) {
  for (;; op = op->children[0]) {
    if (op->kind == PLAN_DELETE) return true;
    for (uint32_t i = 1; i < op->child_count; i++)
      if (deletes(op->children[i])) return true;
    if (op->child_count == 0) return false;
  }
}

enum err pass_cache(struct planner *p, struct plan_op **root) {
  struct caching k = {.p = p, .height_left = PLAN_DEPTH_MAX - MIN(PLAN_DEPTH_MAX, (*root)->height)};
  const struct cached *ignored;
  return deletes(*root) ? ERR_OK : walk(&k, *root, 0, NULL, &ignored);
}
