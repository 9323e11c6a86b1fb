// Clauses to operators, one after another; UNION; the whole statement.
#include "plan/plan_int.h"

static enum err plan_unwind(struct planner *p, struct chain *c, const struct ast *clause) {
  const struct ast *list;
  struct plan_op *op;
  TRY(plan_expression(p, c, clause->unwind.list, &list));
  TRY(chain_push(p, c, PLAN_UNWIND, &op));
  op->unwind = (struct plan_unwind){clause->unwind.variable->variable.slot, list};
  op->rows *= list->kind == AST_LIST ? MAX(1, list->list.items.count) : 10;
  return chain_bind(p, c, op->unwind.out);
}

static enum err plan_clause(struct planner *p, struct chain *c, const struct ast *n, const struct ast **ret_next) {
  *ret_next = n->next;
  switch (n->kind) {
  case AST_MATCH: return n->match.optional ? plan_optional_match(p, c, n) : plan_match(p, c, n, ret_next);
  case AST_WITH:
  case AST_RETURN: return plan_projection(p, c, n);
  case AST_UNWIND: return plan_unwind(p, c, n);
  case AST_CREATE: return plan_create(p, c, n, ret_next);
  case AST_MERGE: return plan_merge(p, c, n);
  case AST_SET: return plan_set(p, c, n);
  case AST_REMOVE: return plan_remove(p, c, n);
  case AST_DELETE: return plan_delete(p, c, n);
  case AST_FOREACH: return plan_foreach(p, c, n);
  case AST_CALL: return plan_call(p, c, n);
  case AST_CALL_QUERY: return plan_call_query(p, c, n);
  case AST_LOAD_CSV: return plan_load_csv(p, c, n);
  case AST_SHOW: return plan_show(p, c, n);
  case AST_USE: // dbms has chosen the database by it
  case AST_FINISH: return ERR_OK;
  default: return planner_unsupported(p, n, ast_kind_name(n->kind));
  }
}

enum err plan_clauses(struct planner *p, struct chain *c, const struct ast_list *clauses) {
  for (const struct ast *n = clauses->first; n != NULL;) TRY(plan_clause(p, c, n, &n));
  return ERR_OK;
}

/// What a single query returns; a CALL at its end returns what it yields.
static enum err branch_columns(struct planner *p, const struct ast *single, struct plan_columns *ret) {
  const struct ast *last = single->single_query.clauses.last;
  *ret = (struct plan_columns){0};
  if (last == NULL || last->kind != AST_RETURN) return ERR_OK;
  ret->items = ARENA_ARRAY(p->arena, struct ast_column, last->return_.items.count);
  PLAN_ALLOC(p, ret->items);
  AST_EACH(item, last->return_.items) {
    struct str name = item->projection.name.len > 0 ? item->projection.name : item->projection.alias;
    ret->items[ret->count++] = (struct ast_column){name, item->projection.slot};
  }
  return ERR_OK;
}

static uint32_t column_slot(const struct plan_columns *columns, struct str name) {
  for (uint32_t i = 0; i < columns->count; i++)
    if (str_eq(columns->items[i].name, name)) return columns->items[i].slot;
  return PLAN_NONE;
}

/// The columns under which a union's rows leave: the check's, else new ones.
static enum err union_columns(struct planner *p, const struct ast *query, const struct plan_columns *first, struct plan_columns *ret) {
  const struct ast_slots *given = &query->query.columns;
  ret->count = first->count;
  ret->items = ARENA_ARRAY(p->arena, struct ast_column, first->count);
  PLAN_ALLOC(p, ret->items);
  for (uint32_t i = 0; i < first->count; i++) {
    ret->items[i] = (struct ast_column){first->items[i].name, PLAN_NONE};
    for (uint32_t k = 0; k < given->count; k++)
      if (str_eq(given->items[k].name, first->items[i].name)) ret->items[i].slot = given->items[k].outer;
    if (ret->items[i].slot == PLAN_NONE) TRY(planner_slot(p, first->items[i].name, AST_VALUE_VARIABLE, &ret->items[i].slot));
  }
  return ERR_OK;
}

/// Puts a branch's columns into the union's.
static enum err align_branch(struct planner *p, struct chain *c, const struct plan_columns *from, const struct plan_columns *to) {
  struct items_builder items = {0};
  struct plan_op *op;
  for (uint32_t i = 0; i < to->count; i++) {
    uint32_t slot = column_slot(from, to->items[i].name);
    const struct ast *variable;
    if (slot == to->items[i].slot) continue;
    if (slot == PLAN_NONE) return error_set(p->error, ERR_SYNTAX, "All sub queries in an UNION must have the same return column names");
    TRY(expression_variable(p, slot, &variable));
    TRY(items_add(p, &items, to->items[i].slot, variable));
  }
  if (items.count == 0) return ERR_OK;
  TRY(chain_push(p, c, PLAN_PROJECTION, &op));
  op->projection.items = items_of(&items);
  return ERR_OK;
}

static enum err plan_branch(struct planner *p, const struct chain *start, const struct ast *single, const struct plan_columns *to,
                            struct plan_op **ret) {
  struct chain branch;
  struct plan_columns columns;
  TRY(chain_fresh(p, start, &branch));
  TRY(plan_clauses(p, &branch, &single->single_query.clauses));
  TRY(branch_columns(p, single, &columns));
  TRY(align_branch(p, &branch, &columns, to));
  *ret = branch.op;
  return ERR_OK;
}

static enum err plan_union(struct planner *p, struct chain *c, const struct ast *query, struct plan_columns *ret) {
  const struct ast_list *branches = &query->query.branches;
  struct plan_columns first;
  struct plan_op *op;
  TRY(branch_columns(p, branches->first, &first));
  TRY(union_columns(p, query, &first, ret));
  TRY(planner_op(p, PLAN_UNION, c->depth, branches->count, &op));
  uint32_t i = 0;
  op->rows = 0;
  AST_EACH(single, *branches) {
    TRY(plan_branch(p, c, single, ret, &op->children[i]));
    op->rows += op->children[i]->rows;
    op->writes = op->writes || op->children[i]->writes;
    op->height = MAX(op->height, op->children[i]->height + 1);
    i++;
  }
  c->op = op;
  c->bound = (struct bits){0};
  for (i = 0; i < ret->count; i++) TRY(chain_bind(p, c, ret->items[i].slot));
  if (query->query.union_all || ret->count == 0) return ERR_OK;
  struct list_builder slots = {0};
  for (i = 0; i < ret->count; i++) TRY(list_add(p, &slots, ret->items[i].slot));
  TRY(chain_push(p, c, PLAN_DISTINCT, &op));
  op->distinct.slots = list_of(&slots);
  return ERR_OK;
}

enum err plan_query(struct planner *p, struct chain *c, const struct ast *query, struct plan_columns *ret) {
  const struct ast *single = query->kind == AST_SINGLE_QUERY ? query : query->query.branches.first;
  if (query->kind == AST_QUERY && query->query.branches.count > 1) return plan_union(p, c, query, ret);
  TRY(plan_clauses(p, c, &single->single_query.clauses));
  return branch_columns(p, single, ret);
}
