// Canonical text of queries, clauses and SHOW.
#include "cypher/print_int.h"

static void put_order_skip_limit(struct printer *p, const struct ast_list *order_by, const struct ast *skip,
                                 const struct ast *limit) {
  if (order_by->count > 0) put(p, " ORDER BY "), put_list(p, order_by, ", ");
  put_node(p, " SKIP ", skip, "");
  put_node(p, " LIMIT ", limit, "");
}

static void put_items(struct printer *p, bool distinct, bool star, const struct ast_list *items) {
  put(p, distinct ? " DISTINCT " : " ");
  put_if(p, star || items->count == 0, "*");
  put_if(p, star && items->count > 0, ", ");
  put_list(p, items, ", ");
}

static void print_with(struct printer *p, const struct ast *n) {
  if (!n->with.implicit) put(p, "WITH"), put_items(p, n->with.distinct, n->with.star, &n->with.items);
  put_order_skip_limit(p, &n->with.order_by, n->with.skip, n->with.limit);
  put_node(p, " WHERE ", n->with.where, "");
}

/// An item without AS keeps its text, because that is the name of its column.
static void print_projection(struct printer *p, const struct ast *n) {
  const struct ast *e = n->projection.expression;
  bool own_name = e->kind == AST_VARIABLE && str_eq(n->projection.name, e->variable.name);
  if (n->projection.alias.ptr == NULL && !own_name) {
    put_str(p, n->projection.name);
    return;
  }
  print_node(p, e);
  if (n->projection.alias.ptr != NULL) put(p, " AS "), put_name(p, n->projection.alias);
}

static void print_query(struct printer *p, const struct ast *n) {
  put_list(p, &n->query.branches, n->query.union_all ? " UNION ALL " : " UNION ");
}

static void print_use(struct printer *p, const struct ast *n) {
  put(p, "USE "), put_dotted_name(p, n->use.name);
  if (n->use.is_call) put(p, "("), put_list(p, &n->use.arguments, ", "), put(p, ")");
}

static void print_match(struct printer *p, const struct ast *n) {
  put(p, n->match.optional ? "OPTIONAL MATCH " : "MATCH ");
  put_if(p, n->match.mode == AST_REPEATABLE_ELEMENTS, "REPEATABLE ELEMENTS ");
  put_if(p, n->match.mode == AST_DIFFERENT_RELATIONSHIPS, "DIFFERENT RELATIONSHIPS ");
  put_list(p, &n->match.paths, ", ");
  AST_EACH(hint, n->match.hints) put_node(p, " ", hint, "");
  put_node(p, " WHERE ", n->match.where, "");
}

static void print_hint(struct printer *p, const struct ast *n) {
  static const char *const words[] = {"INDEX ",       "BTREE INDEX ", "RANGE INDEX ", "TEXT INDEX ",
                                      "POINT INDEX ", "SCAN ",        "JOIN ON "};
  put(p, "USING "), put(p, words[n->hint.type]);
  put_if(p, n->hint.seek, "SEEK ");
  put_list(p, &n->hint.variables, ", ");
  if (n->hint.type == AST_HINT_JOIN) return;
  put(p, ":"), put_name(p, n->hint.label);
  if (n->hint.properties.count > 0) put(p, "("), put_list(p, &n->hint.properties, ", "), put(p, ")");
}

static void print_load_csv(struct printer *p, const struct ast *n) {
  put(p, n->load_csv.with_headers ? "LOAD CSV WITH HEADERS FROM " : "LOAD CSV FROM ");
  print_node(p, n->load_csv.url);
  put_node(p, " AS ", n->load_csv.variable, "");
  put_node(p, " FIELDTERMINATOR ", n->load_csv.terminator, "");
}

static void print_yield(struct printer *p, const struct ast *n) {
  put_name(p, n->yield.field);
  if (!str_eq(n->yield.field, n->yield.variable->variable.name)) put_node(p, " AS ", n->yield.variable, "");
}

static void print_call(struct printer *p, const struct ast *n) {
  put(p, n->call.optional ? "OPTIONAL CALL " : "CALL ");
  put_dotted_name(p, n->call.name);
  if (n->call.has_arguments) put(p, "("), put_list(p, &n->call.arguments, ", "), put(p, ")");
  if (!n->call.has_yield) return;
  put(p, " YIELD ");
  put(p, n->call.star ? "*" : n->call.yields.count == 0 ? "-" : "");
  put_list(p, &n->call.yields, ", ");
  put_node(p, " WHERE ", n->call.where, "");
}

static void print_in_transactions(struct printer *p, const struct ast *n) {
  static const char *const errors[] = {"",
                                       " ON ERROR CONTINUE",
                                       " ON ERROR BREAK",
                                       " ON ERROR RETRY THEN FAIL",
                                       " ON ERROR RETRY THEN CONTINUE",
                                       " ON ERROR RETRY THEN BREAK"};
  put(p, " IN ");
  put_node(p, "", n->in_transactions.concurrency, " ");
  put(p, n->in_transactions.concurrent ? "CONCURRENT TRANSACTIONS" : "TRANSACTIONS");
  put_node(p, " OF ", n->in_transactions.rows, " ROWS");
  put(p, errors[n->in_transactions.on_error]);
  put_node(p, " REPORT STATUS AS ", n->in_transactions.report, "");
}

static void print_call_query(struct printer *p, const struct ast *n) {
  put(p, n->call_query.optional ? "OPTIONAL CALL " : "CALL ");
  if (n->call_query.has_scope) {
    put(p, n->call_query.scope_star ? "(*" : "(");
    put_list(p, &n->call_query.scope, ", ");
    put(p, ") ");
  }
  put_node(p, "{ ", n->call_query.query, " }");
  if (n->call_query.transactions != NULL) print_node(p, n->call_query.transactions);
}

static void print_create(struct printer *p, const struct ast *n) {
  put(p, n->create.insert ? "INSERT " : "CREATE ");
  put_list(p, &n->create.paths, ", ");
}

static void print_merge(struct printer *p, const struct ast *n) {
  put_node(p, "MERGE ", n->merge.path, "");
  AST_EACH(action, n->merge.actions) put_node(p, " ", action, "");
}

static void print_set_labels(struct printer *p, const struct ast *n) {
  print_node(p, n->set_labels.target);
  AST_EACH(label, n->set_labels.labels) put_node(p, ":", label, "");
}

static void print_delete(struct printer *p, const struct ast *n) {
  put(p, n->delete_.detach ? "DETACH DELETE " : n->delete_.nodetach ? "NODETACH DELETE " : "DELETE ");
  put_list(p, &n->delete_.expressions, ", ");
}

static void print_foreach(struct printer *p, const struct ast *n) {
  put_node(p, "FOREACH (", n->foreach.variable, " IN (");
  put_node(p, "", n->foreach.list, ") | ");
  put_list(p, &n->foreach.clauses, " ");
  put(p, ")");
}

// SHOW.

static const struct {
  const char *singular, *plural;
} shows[] = {
#define AST_SHOW_TEXT(name, singular, plural) {singular, plural},
    AST_SHOWS(AST_SHOW_TEXT)
#undef AST_SHOW_TEXT
};

static const char *const filters[] = {
#define AST_SHOW_FILTER_TEXT(name, text) text " ",
    AST_SHOW_FILTERS(AST_SHOW_FILTER_TEXT)
#undef AST_SHOW_FILTER_TEXT
};

static void put_executable(struct printer *p, const struct ast *n) {
  put_if(p, n->show.executable, " EXECUTABLE");
  put_node(p, " BY ", n->show.user, "");
}

static void put_output(struct printer *p, uint32_t output) {
  put_if(p, output == AST_SHOW_BRIEF, " BRIEF OUTPUT");
  put_if(p, output == AST_SHOW_VERBOSE, " VERBOSE OUTPUT");
  put_if(p, output == AST_SHOW_WITH_USERS, " WITH USERS");
  put_if(p, output == AST_SHOW_WITH_AUTH, " WITH AUTH");
  put_if(p, output == AST_SHOW_AS_COMMANDS, " AS COMMANDS");
  put_if(p, output == AST_SHOW_AS_REVOKE_COMMANDS, " AS REVOKE COMMANDS");
}

static void print_show(struct printer *p, const struct ast *n) {
  uint32_t what = n->show.what;
  put_if(p, what != AST_SHOW_TERMINATE_TRANSACTIONS, "SHOW ");
  put_if(p, n->show.filter != AST_FILTER_ALL, filters[n->show.filter]);
  bool one = what == AST_SHOW_DATABASES || what == AST_SHOW_ALIASES;
  put(p, one && n->show.names.count > 0 ? shows[what].singular : shows[what].plural);
  if (n->show.names.count > 0) put(p, " "), put_list(p, &n->show.names, ", ");
  put_if(p, what == AST_SHOW_ROLE_PRIVILEGES || what == AST_SHOW_USER_PRIVILEGES, " PRIVILEGES");
  put_if(p, what == AST_SHOW_ALIASES, " FOR DATABASES");
  put_executable(p, n);
  put_output(p, n->show.output);
  put_node(p, " ", n->show.yield, "");
}

static void print_show_yield(struct printer *p, const struct ast *n) {
  bool yields = n->show_yield.star || n->show_yield.yields.count > 0;
  if (yields) put(p, n->show_yield.star ? "YIELD *" : "YIELD "), put_list(p, &n->show_yield.yields, ", ");
  put_order_skip_limit(p, &n->show_yield.order_by, n->show_yield.skip, n->show_yield.limit);
  put_node(p, " WHERE ", n->show_yield.where, "");
}

void print_clause(struct printer *p, const struct ast *n) {
  switch ((enum ast_kind) n->kind) {
  case AST_QUERY: print_query(p, n); break;
  case AST_SINGLE_QUERY: put_list(p, &n->single_query.clauses, " "); break;
  case AST_USE: print_use(p, n); break;
  case AST_MATCH: print_match(p, n); break;
  case AST_HINT: print_hint(p, n); break;
  case AST_UNWIND: put_node(p, "UNWIND ", n->unwind.list, " AS "), print_node(p, n->unwind.variable); break;
  case AST_LOAD_CSV: print_load_csv(p, n); break;
  case AST_WITH: print_with(p, n); break;
  case AST_RETURN:
    put(p, "RETURN"), put_items(p, n->return_.distinct, n->return_.star, &n->return_.items);
    put_order_skip_limit(p, &n->return_.order_by, n->return_.skip, n->return_.limit);
    break;
  case AST_PROJECTION: print_projection(p, n); break;
  case AST_SORT: print_node(p, n->sort.expression), put_if(p, n->sort.descending, " DESC"); break;
  case AST_FINISH: put(p, "FINISH"); break;
  case AST_CREATE: print_create(p, n); break;
  case AST_MERGE: print_merge(p, n); break;
  case AST_MERGE_ACTION:
    put(p, n->merge_action.on_create ? "ON CREATE SET " : "ON MATCH SET ");
    put_list(p, &n->merge_action.items, ", ");
    break;
  case AST_SET: put(p, "SET "), put_list(p, &n->set.items, ", "); break;
  case AST_SET_PROPERTY: put_node(p, "", n->set_property.target, " = "), print_node(p, n->set_property.value); break;
  case AST_SET_ENTITY:
    put_node(p, "", n->set_entity.target, n->set_entity.add ? " += " : " = "), print_node(p, n->set_entity.value);
    break;
  case AST_SET_LABELS: print_set_labels(p, n); break;
  case AST_REMOVE: put(p, "REMOVE "), put_list(p, &n->remove.items, ", "); break;
  case AST_REMOVE_PROPERTY: print_node(p, n->remove_property.target); break;
  case AST_DELETE: print_delete(p, n); break;
  case AST_FOREACH: print_foreach(p, n); break;
  case AST_CALL: print_call(p, n); break;
  case AST_YIELD: print_yield(p, n); break;
  case AST_CALL_QUERY: print_call_query(p, n); break;
  case AST_IN_TRANSACTIONS: print_in_transactions(p, n); break;
  case AST_SHOW: print_show(p, n); break;
  default: print_show_yield(p, n);
  }
}
