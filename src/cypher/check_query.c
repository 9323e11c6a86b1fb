// Queries: which clauses may follow which, UNION, columns.
#include "base/compiler.h"
#include "cypher/check_int.h"

bool clause_writes(const struct ast *n) {
  switch (n->kind) {
  case AST_CREATE:
  case AST_MERGE:
  case AST_SET:
  case AST_REMOVE:
  case AST_DELETE:
  case AST_FOREACH: return true;
  case AST_CALL_QUERY:
    AST_EACH(branch, n->call_query.query->query.branches) {
      AST_EACH(clause, branch->single_query.clauses)
        if (clause_writes(clause)) return true;
    }
    return false;
  default: return false;
  }
}

static bool is_update(const struct ast *n) {
  return n->kind != AST_CALL_QUERY && clause_writes(n);
}

static const char *clause_name(const struct ast *n) {
  switch (n->kind) {
  case AST_MATCH: return n->match.optional ? "OPTIONAL MATCH" : "MATCH";
  case AST_DELETE: return n->delete_.detach ? "DETACH DELETE" : "DELETE";
  case AST_LOAD_CSV: return "LOAD CSV";
  case AST_CALL_QUERY: return "CALL";
  case AST_CREATE: return n->create.insert ? "INSERT" : "CREATE";
  default: return ast_kind_name(n->kind);
  }
}

/// Between writing and reading stands a WITH, so that it is plain what the reading sees.
static enum err check_order(struct checker *c, const struct ast *before, const struct ast *n) {
  if (before == NULL) return ERR_OK;
  if (before->kind == AST_RETURN && n->kind != AST_SHOW)
    return check_fail(c, before->offset, "RETURN can only be used at the end of the query.");
  if (before->kind == AST_FINISH) return check_fail(c, before->offset, "FINISH can only be used at the end of the query.");
  bool reads = n->kind == AST_MATCH || n->kind == AST_UNWIND || n->kind == AST_LOAD_CSV || n->kind == AST_CALL ||
               n->kind == AST_CALL_QUERY;
  if (is_update(before) && reads)
    return check_fail(c, n->offset, "WITH is required between %s and %s", clause_name(before), clause_name(n));
  if (n->kind == AST_USE) return check_fail(c, n->offset, "USE clause must be the first clause in a (sub-)query.");
  return ERR_OK;
}

static bool call_ends(const struct ast *n, bool standalone) {
  return standalone || !n->call.has_yield;
}

static bool may_end(const struct ast *n, bool standalone) {
  if (n->kind == AST_RETURN || n->kind == AST_FINISH || n->kind == AST_SHOW || is_update(n)) return true;
  if (n->kind == AST_CALL) return call_ends(n, standalone);
  return n->kind == AST_CALL_QUERY && n->call_query.query->query.columns.count == 0;
}

static enum err check_end(struct checker *c, const struct ast *last, bool standalone, bool needs_return) {
  if (needs_return && last->kind != AST_RETURN) return check_fail(c, last->offset, "The subquery must end with a RETURN clause");
  if (c->in_expression_query || may_end(last, standalone)) return ERR_OK;
  return check_fail(c, last->offset,
                    "Query cannot conclude with %s (must be a RETURN clause, a FINISH clause, an update clause, a unit subquery "
                    "call, or a procedure "
                    "call with no YIELD).",
                    clause_name(last));
}

static bool is_plain_import(const struct ast *with) {
  if (with->with.distinct || with->with.order_by.count > 0 || with->with.skip != NULL || with->with.limit != NULL ||
      with->with.where != NULL)
    return false;
  AST_EACH(item, with->with.items) {
    const struct ast *e = item->projection.expression;
    if (e->kind != AST_VARIABLE || !str_eq(e->variable.name, item->projection.name)) return false;
  }
  return true;
}

/// The WITH that begins a CALL { } names what comes in from outside.
static enum err check_import(struct checker *c, struct ast *with) {
  struct scope *inside = c->scope;
  c->scope = c->imports;
  c->imports = NULL;
  TRY(check_with(c, with));
  with->flags |= AST_IMPORTS;
  inside->entries = c->scope->entries;
  inside->count = c->scope->count;
  inside->capacity = c->scope->capacity;
  inside->table = c->scope->table;
  inside->table_size = c->scope->table_size;
  c->scope = inside;
  return ERR_OK;
}

static enum err check_clause_in_place(struct checker *c, struct ast *n, const struct ast *before, bool standalone) {
  TRY(check_order(c, before, n));
  bool first = before == NULL || before->kind == AST_USE;
  if (first && n->kind == AST_WITH && c->imports != NULL && is_plain_import(n)) return check_import(c, n);
  if (n->kind != AST_USE) c->imports = NULL;
  return n->kind == AST_CALL ? check_call(c, n, standalone) : check_clause(c, n);
}

static enum err check_single_query(struct checker *c, struct ast *n, bool standalone, bool needs_return) {
  const struct ast *before = NULL;
  TRY(check_show_forms(c, &n->single_query.clauses));
  AST_EACH(clause, n->single_query.clauses) {
    TRY(check_clause_in_place(c, clause, before, standalone));
    before = clause;
  }
  return check_end(c, before, standalone, needs_return);
}

// Columns.

static enum err columns_of_return(struct checker *c, const struct ast *n, struct ast_slots *ret) {
  struct ast_slot_pair *pairs = ARENA_ARRAY(c->arena, struct ast_slot_pair, n->return_.items.count);
  if (pairs == NULL) return check_no_memory(c);
  uint32_t count = 0;
  AST_EACH(item, n->return_.items) {
    uint32_t slot = item->projection.slot;
    pairs[count++] = (struct ast_slot_pair){item->projection.name, slot, slot};
  }
  *ret = (struct ast_slots){pairs, count};
  return ERR_OK;
}

static enum err columns_of_yield(struct checker *c, const struct ast_list *yields, struct ast_slots *ret) {
  struct ast_slot_pair *pairs = ARENA_ARRAY(c->arena, struct ast_slot_pair, yields->count);
  if (pairs == NULL) return check_no_memory(c);
  uint32_t count = 0;
  AST_EACH(yield, *yields) {
    const struct ast *variable = yield->yield.variable;
    pairs[count++] = (struct ast_slot_pair){variable->variable.name, variable->variable.slot, variable->variable.slot};
  }
  *ret = (struct ast_slots){pairs, count};
  return ERR_OK;
}

static enum err columns_of(struct checker *c, const struct ast *branch, bool standalone, struct ast_slots *ret) {
  const struct ast *last = branch->single_query.clauses.last;
  if (last->kind == AST_RETURN) return columns_of_return(c, last, ret);
  if (last->kind == AST_CALL && standalone) return columns_of_yield(c, &last->call.yields, ret);
  if (last->kind == AST_SHOW && last->show.yield != NULL) return columns_of_yield(c, &last->show.yield->show_yield.yields, ret);
  *ret = (struct ast_slots){0};
  return ERR_OK;
}

static enum err expect_same_columns(struct checker *c, const struct ast *branch, const struct scope *first,
                                    const struct ast_slots *columns) {
  bool same = first->count == columns->count;
  for (uint32_t i = 0; same && i < columns->count; i++) same = scope_find_here(first, columns->items[i].name) != AST_NO_SLOT;
  if (same) return ERR_OK;
  return check_fail(c, branch->offset, "All sub queries in an UNION must have the same return column names");
}

static enum err names_of(struct checker *c, const struct ast_slots *columns, struct scope **ret) {
  if ((*ret = scope_new(c, NULL)) == NULL) return check_no_memory(c);
  for (uint32_t i = 0; i < columns->count; i++) TRY(scope_add(c, *ret, columns->items[i].name, columns->items[i].inner));
  return ERR_OK;
}

/// The columns of a UNION have slots of their own.
static enum err own_columns(struct checker *c, struct ast_slots *columns) {
  struct ast_slot_pair *pairs = arena_copy(c->arena, columns->items, columns->count * sizeof *pairs);
  if (pairs == NULL) return check_no_memory(c);
  for (uint32_t i = 0; i < columns->count; i++) {
    struct ast_slot slot = {
        .name = pairs[i].name, .kind = AST_VALUE_VARIABLE, .nullable = true, .types = CYPHER_ANY, .elements = CYPHER_ANY};
    TRY(slot_new(c, slot, &pairs[i].outer));
  }
  columns->items = pairs;
  return ERR_OK;
}

static bool is_standalone_call(const struct checker *c, const struct ast *query) {
  if (query->query.branches.count != 1 || c->subquery_depth > 0 || c->in_expression_query) return false;
  const struct ast *clause = query->query.branches.first->single_query.clauses.first;
  if (clause->kind == AST_USE && clause->next != NULL) clause = clause->next;
  return clause->kind == AST_CALL && clause->next == NULL;
}

enum err check_query(struct checker *c, struct ast *query, struct scope *parent, bool needs_return) {
  struct scope *before = c->scope, *imports = c->imports;
  struct deferred *deferred = c->deferred, *last = c->deferred_last;
  bool standalone = is_standalone_call(c, query);
  c->deferred = c->deferred_last = NULL;
  c->aggregation = AGGREGATION_FORBIDDEN;
  struct ast_slots first = {0};
  struct scope *names = NULL;
  AST_EACH(branch, query->query.branches) {
    c->scope = scope_new(c, parent);
    if (c->scope == NULL) return check_no_memory(c);
    c->imports = imports;
    TRY(check_single_query(c, branch, standalone, needs_return));
    struct ast_slots columns;
    TRY(columns_of(c, branch, standalone, &columns));
    if (branch != query->query.branches.first)
      TRY(expect_same_columns(c, branch, names, &columns));
    else if (branch->next != NULL)
      TRY(names_of(c, &columns, &names));
    if (branch == query->query.branches.first) first = columns;
  }
  if (query->query.branches.count > 1) TRY(own_columns(c, &first));
  query->query.columns = first;
  c->scope = before;
  c->imports = imports;
  c->deferred = deferred;
  c->deferred_last = last;
  return ERR_OK;
}
