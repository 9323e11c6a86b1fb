// WITH and RETURN: columns, grouping keys, what ORDER BY and WHERE may see.
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cypher/check_int.h"

/// The parts that WITH and RETURN share.
struct projection {
  const struct ast *clause;
  bool distinct, with;
  bool *star;
  struct ast_list *items, *order_by;
  struct ast *skip, *limit;
  struct ast **where; // NULL in RETURN
  // found out on the way
  bool aggregates;
  uint32_t first_slot;      // slots from here on were made inside the items
  struct scope *columns;    // names of the items
  const struct ast **index; // the items by the hash of their expressions; NULL where nobody looks for them
  uint32_t index_size;
  uint16_t highest; // of the items' expressions
};

// *

static int by_name(const void *a, const void *b) {
  return str_cmp(((const struct scope_entry *) a)->name, ((const struct scope_entry *) b)->name);
}

static struct ast *variable_item(struct checker *c, struct str name, uint32_t offset) {
  struct ast *item = ast_new(c->arena, AST_PROJECTION, offset), *variable = ast_new(c->arena, AST_VARIABLE, offset);
  if (item == NULL || variable == NULL) return NULL;
  variable->variable.name = name;
  item->projection.expression = variable;
  item->projection.name = name;
  item->height = 2;
  return item;
}

/// Puts the variables of the scope, in order of their names, before the items that are written out.
static enum err expand_star(struct checker *c, struct projection *p) {
  uint32_t count = c->scope->count;
  if (count == 0) {
    if (p->with) return ERR_OK;
    return check_fail(c, p->clause->offset, "RETURN * is not allowed when there are no variables in scope");
  }
  struct scope_entry *entries = arena_copy(c->arena, c->scope->entries, count * sizeof *entries);
  if (entries == NULL) return check_no_memory(c);
  qsort(entries, count, sizeof *entries, by_name);
  struct ast_list items = {0};
  for (uint32_t i = 0; i < count; i++) {
    struct ast *item = variable_item(c, entries[i].name, p->clause->offset);
    if (item == NULL) return check_no_memory(c);
    ast_append(&items, item);
  }
  if (p->items->first != NULL) {
    items.last->next = p->items->first;
    items.last = p->items->last;
    items.count += p->items->count;
  }
  *p->items = items;
  *p->star = false;
  return ERR_OK;
}

// Items and their columns.

static bool is_same_variable(const struct ast *item) {
  const struct ast *e = item->projection.expression;
  return e->kind == AST_VARIABLE && str_eq(e->variable.name, item->projection.name);
}

static enum err check_item(struct checker *c, struct projection *p, struct ast *item) {
  struct ast *e = item->projection.expression;
  TRY(check_expression(c, e));
  take_flags(item, e);
  item->types = e->types;
  item->elements = e->elements;
  p->aggregates |= (e->flags & AST_AGGREGATES) != 0;
  if (p->with && item->projection.alias.ptr == NULL && e->kind != AST_VARIABLE)
    return check_fail(c, e->offset, "Expression in WITH must be aliased (use AS)");
  return ERR_OK;
}

static uint8_t kind_of_value(const struct checker *c, const struct ast *e) {
  if (e->kind == AST_VARIABLE) return c->slots[e->variable.slot].kind;
  return e->types == CYPHER_NODE           ? AST_NODE_VARIABLE
         : e->types == CYPHER_RELATIONSHIP ? AST_RELATIONSHIP_VARIABLE
         : e->types == CYPHER_PATH         ? AST_PATH_VARIABLE
                                           : AST_VALUE_VARIABLE;
}

/// The slot of the column: a variable under its own name keeps its slot.
static enum err name_column(struct checker *c, struct projection *p, struct ast *item) {
  const struct ast *e = item->projection.expression;
  struct str name = item->projection.name;
  if (scope_find_here(p->columns, name) != AST_NO_SLOT)
    return check_fail(c, item->offset, "Multiple result columns with the same name are not supported");
  if (is_same_variable(item)) {
    item->projection.slot = e->variable.slot;
  } else {
    bool nullable = e->kind != AST_VARIABLE || c->slots[e->variable.slot].nullable;
    cypher_types types = e->types != 0 || e->kind == AST_LITERAL ? e->types : CYPHER_ANY;
    struct ast_slot slot = {.name = name,
                            .kind = kind_of_value(c, e),
                            .nullable = nullable,
                            .offset = item->offset,
                            .types = types,
                            .elements = e->elements};
    TRY(slot_new(c, slot, &item->projection.slot));
  }
  return scope_add(c, p->columns, name, item->projection.slot);
}

// Finding the item that an expression repeats.

static const struct ast **index_place(const struct projection *p, const struct ast *expression) {
  uint32_t mask = p->index_size - 1, i = (uint32_t) ast_hash(expression) & mask;
  while (p->index[i] != NULL && !ast_equal(p->index[i]->projection.expression, expression)) i = (i + 1) & mask;
  return &p->index[i];
}

static const struct ast *find_item(const struct projection *p, const struct ast *expression) {
  return expression->height <= p->highest ? *index_place(p, expression) : NULL;
}

static enum err index_items(struct checker *c, struct projection *p) {
  p->index_size = 4;
  while (p->index_size < 2 * p->items->count) p->index_size *= 2;
  p->index = arena_zalloc(c->arena, p->index_size * sizeof(struct ast *));
  if (p->index == NULL) return check_no_memory(c);
  AST_EACH(item, *p->items) {
    const struct ast **place = index_place(p, item->projection.expression);
    if (*place == NULL) *place = item;
    p->highest = MAX(p->highest, item->projection.expression->height);
  }
  return ERR_OK;
}

// Implicit grouping keys: beside the aggregates, an item may only use what is a key itself.

struct ambiguity {
  const struct projection *p;
  const struct ast *found;
};

static bool is_simple_key(const struct ast *item) {
  const struct ast *e = item->projection.expression;
  return (item->flags & AST_AGGREGATES) == 0 && (e->kind == AST_VARIABLE || e->kind == AST_PROPERTY);
}

static bool is_key(const struct ambiguity *a, const struct ast *n) {
  const struct ast *item = find_item(a->p, n);
  return item != NULL && is_simple_key(item);
}

static bool is_aggregate(const struct ast *n) {
  if (n->kind == AST_COUNT_STAR) return true;
  return n->kind == AST_FUNCTION && n->function.signature != NULL && (n->function.signature->flags & CYPHER_AGGREGATING) != 0;
}

static bool find_ambiguous(struct ast *n, void *context) {
  struct ambiguity *a = context;
  if (a->found != NULL || is_aggregate(n)) return false;
  if ((n->kind == AST_VARIABLE || n->kind == AST_PROPERTY) && is_key(a, n)) return false;
  if (n->kind == AST_VARIABLE && n->variable.slot < a->p->first_slot) a->found = n;
  return true;
}

static enum err refuse_ambiguous(struct checker *c, const struct ast *aggregate, struct str key) {
  return check_fail(
      c, aggregate->offset,
      "Aggregation column contains implicit grouping expressions. For example, in 'RETURN n.a, n.a + n.b + count(*)' the "
      "aggregation "
      "expression 'n.a + n.b + count(*)' includes the implicit grouping key 'n.b'. It may be possible to rewrite the query by "
      "extracting these grouping/aggregation expressions into a preceding WITH clause. Illegal expression(s): %.*s",
      STR_ARG(key));
}

static enum err check_ambiguity(struct checker *c, const struct projection *p) {
  AST_EACH(item, *p->items) {
    if ((item->flags & AST_AGGREGATES) == 0) continue;
    struct ambiguity a = {p, NULL};
    ast_visit(item->projection.expression, find_ambiguous, &a);
    if (a.found != NULL) return refuse_ambiguous(c, item->projection.expression, a.found->variable.name);
  }
  return ERR_OK;
}

// ORDER BY and WHERE. Without DISTINCT and aggregation they see the columns and, behind them, what came in. With either only
// the columns are left; expressions that are an item's own then stand for its column.

struct replacement {
  struct checker *c;
  const struct projection *p;
  bool aggregate, compound_key; // kinds of items that were replaced
};

static struct ast *column_use(struct checker *c, const struct ast *item, const struct ast *in_place_of) {
  struct ast *n = ast_new(c->arena, AST_VARIABLE, in_place_of->offset);
  if (n == NULL) return NULL;
  n->variable.name = item->projection.name;
  n->end = in_place_of->end;
  return n;
}

static struct ast *replace_items(struct ast *n, void *context) {
  struct replacement *r = context;
  bool variable = n->kind == AST_VARIABLE;
  if (variable && scope_find_here(r->p->columns, n->variable.name) != AST_NO_SLOT) return n;
  if (ast_is_expression(n->kind) && n->kind != AST_LITERAL && n->kind != AST_PARAMETER) {
    const struct ast *item = find_item(r->p, n);
    if (item != NULL) {
      r->aggregate |= (item->flags & AST_AGGREGATES) != 0;
      r->compound_key |= (item->flags & AST_AGGREGATES) == 0 && !is_simple_key(item);
      return column_use(r->c, item, n);
    }
  }
  return ast_map_children(n, replace_items, context) ? n : NULL;
}

static enum err use_columns(struct checker *c, const struct projection *p, struct ast **expression) {
  struct replacement r = {c, p, false, false};
  struct ast *replaced = replace_items(*expression, &r);
  if (replaced == NULL) return check_no_memory(c);
  if (r.aggregate && r.compound_key && replaced->kind != AST_VARIABLE) {
    struct str text = {c->statement->text.ptr + (*expression)->offset, MIN((*expression)->end - (*expression)->offset, 100u)};
    return refuse_ambiguous(c, *expression, text);
  }
  *expression = replaced;
  return ERR_OK;
}

static enum err check_tail_expression(struct checker *c, const struct projection *p, struct ast **e, bool predicate) {
  bool columns_only = p->distinct || p->aggregates;
  struct scope *before = c->scope;
  const struct scope *hidden = c->hidden;
  struct scope *tail = scope_new(c, columns_only ? before->parent : before);
  if (tail == NULL) return check_no_memory(c);
  *tail = (struct scope){tail->parent,      p->columns->entries,    p->columns->count, p->columns->count,
                         p->columns->table, p->columns->table_size, before->open};
  if (columns_only) TRY(use_columns(c, p, e));
  c->scope = tail;
  c->hidden = columns_only ? before : NULL;
  c->aggregation = p->aggregates && !predicate ? AGGREGATION_ALLOWED : AGGREGATION_FORBIDDEN;
  enum err err = predicate ? check_predicate(c, *e) : check_expression(c, *e);
  c->scope = before;
  c->hidden = hidden;
  c->aggregation = AGGREGATION_FORBIDDEN;
  if (err == ERR_OK && ((*e)->flags & AST_AGGREGATES) != 0)
    return check_fail(c, (*e)->offset, "Invalid use of aggregating function in this context: it is not one of the columns");
  return err;
}

/// WHERE never aggregates, not even by repeating a column's aggregate.
static bool find_aggregate(struct ast *n, void *context) {
  const struct ast **found = context;
  if (n->kind == AST_SUBQUERY) return false;
  const struct cypher_function *f = n->kind == AST_FUNCTION ? cypher_function_find(n->function.name) : NULL;
  if (n->kind == AST_COUNT_STAR || (f != NULL && (f->flags & CYPHER_AGGREGATING) != 0)) *found = n;
  return *found == NULL;
}

static enum err check_tail(struct checker *c, const struct projection *p) {
  AST_EACH(sort, *p->order_by) {
    TRY(check_tail_expression(c, p, &sort->sort.expression, false));
  }
  TRY(check_skip_limit(c, p->skip, p->limit));
  if (p->where == NULL || *p->where == NULL) return ERR_OK;
  const struct ast *aggregate = NULL;
  ast_visit(*p->where, find_aggregate, &aggregate);
  if (aggregate != NULL) return check_fail(c, aggregate->offset, "Invalid use of aggregating function in this context");
  return check_tail_expression(c, p, p->where, true);
}

static enum err check_projection(struct checker *c, struct projection *p) {
  if (*p->star) TRY(expand_star(c, p));
  p->first_slot = c->slot_count;
  p->columns = scope_new(c, c->scope->parent);
  if (p->columns == NULL) return check_no_memory(c);
  AST_EACH(item, *p->items) {
    c->aggregation = AGGREGATION_ALLOWED;
    TRY(check_item(c, p, item));
  }
  c->aggregation = AGGREGATION_FORBIDDEN;
  if (p->aggregates || p->distinct) TRY(index_items(c, p));
  if (p->aggregates) TRY(check_ambiguity(c, p));
  AST_EACH(item, *p->items) TRY(name_column(c, p, item));
  TRY(check_tail(c, p));
  c->scope = p->columns;
  return ERR_OK;
}

enum err check_with(struct checker *c, struct ast *n) {
  struct projection p = {.clause = n,
                         .distinct = n->with.distinct,
                         .with = true,
                         .star = &n->with.star,
                         .items = &n->with.items,
                         .order_by = &n->with.order_by,
                         .skip = n->with.skip,
                         .limit = n->with.limit,
                         .where = &n->with.where};
  TRY(check_projection(c, &p));
  if (p.aggregates) n->flags |= AST_AGGREGATES;
  return ERR_OK;
}

enum err check_return(struct checker *c, struct ast *n) {
  struct projection p = {.clause = n,
                         .distinct = n->return_.distinct,
                         .star = &n->return_.star,
                         .items = &n->return_.items,
                         .order_by = &n->return_.order_by,
                         .skip = n->return_.skip,
                         .limit = n->return_.limit};
  TRY(check_projection(c, &p));
  if (p.aggregates) n->flags |= AST_AGGREGATES;
  return ERR_OK;
}

// SKIP and LIMIT.

static bool find_variable(struct ast *n, void *context) {
  const struct ast **found = context;
  if (n->kind == AST_VARIABLE && *found == NULL) *found = n;
  return *found == NULL && n->kind != AST_SUBQUERY;
}

static enum err check_row_count(struct checker *c, struct ast *n, const char *clause) {
  if (n == NULL) return ERR_OK;
  const struct ast *variable = NULL;
  ast_visit(n, find_variable, &variable);
  if (variable != NULL)
    return check_fail(c, variable->offset,
                      "It is not allowed to refer to variables in %s, so that the value for %s can be statically calculated.",
                      clause, clause);
  TRY(check_plain(c, n));
  bool bad = n->kind == AST_LITERAL && (n->literal.type != AST_INTEGER || n->literal.integer < 0);
  struct str text = {c->statement->text.ptr + n->offset, MIN(n->end - n->offset, 60u)};
  if (bad)
    return check_fail(c, n->offset, "Invalid input. '%.*s' is not a valid value. Must be a non-negative integer.", STR_ARG(text));
  return expect_type(c, n, CYPHER_INTEGER);
}

enum err check_skip_limit(struct checker *c, struct ast *skip, struct ast *limit) {
  TRY(check_row_count(c, skip, "SKIP"));
  return check_row_count(c, limit, "LIMIT");
}
