#include "exec/op.h"

#include <string.h>

static const struct op_class *class_of(const struct plan_op *plan) {
  switch (plan->kind) {
  case PLAN_ARGUMENT: return &op_argument_class;
  case PLAN_ALL_NODES_SCAN:
  case PLAN_LABEL_SCAN:
  case PLAN_UNION_LABEL_SCAN: return &op_node_scan_class;
  case PLAN_NODE_BY_ID:
  case PLAN_NODE_BY_ELEMENT_ID:
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: return &op_by_id_class;
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_REL_INDEX_SEEK: return &op_index_seek_class;
  case PLAN_REL_SCAN: return &op_rel_scan_class;
  case PLAN_NODE_COUNT: return &op_node_count_class;
  case PLAN_REL_COUNT: return &op_rel_count_class;
  case PLAN_UNWIND: return &op_unwind_class;
  case PLAN_PROCEDURE_CALL: return &op_procedure_call_class;
  case PLAN_LOAD_CSV: return &op_load_csv_class;
  case PLAN_SHOW: return &op_show_class;
  case PLAN_FILTER: return &op_filter_class;
  case PLAN_PROJECTION: return &op_projection_class;
  case PLAN_PROJECT_PATH: return &op_project_path_class;
  case PLAN_PROJECT_ENDPOINTS: return &op_project_ends_class;
  case PLAN_CACHE_PROPERTIES: return &op_cache_class;
  case PLAN_DEGREE: return &op_degree_class;
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO: return &op_expand_class;
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO: return &op_var_expand_class;
  case PLAN_PRUNING_VAR_EXPAND: return &op_pruning_expand_class;
  case PLAN_SHORTEST_PATH: return &op_shortest_path_class;
  case PLAN_INTERSECT: return &op_intersect_class;
  case PLAN_REPEAT: return &op_repeat_class;
  case PLAN_APPLY: return &op_apply_class;
  case PLAN_SEMI_APPLY:
  case PLAN_ANTI_SEMI_APPLY: return &op_semi_apply_class;
  case PLAN_LET_SEMI_APPLY: return &op_let_semi_class;
  case PLAN_ROLL_UP_APPLY: return &op_roll_up_class;
  case PLAN_SUBQUERY_FOREACH: return &op_subquery_foreach_class;
  case PLAN_OPTIONAL: return &op_optional_class;
  case PLAN_CARTESIAN_PRODUCT:
  case PLAN_NODE_HASH_JOIN:
  case PLAN_VALUE_HASH_JOIN: return &op_hash_join_class;
  case PLAN_UNION: return &op_union_class;
  case PLAN_AGGREGATION: return &op_aggregation_class;
  case PLAN_DISTINCT: return &op_distinct_class;
  case PLAN_SORT: return &op_sort_class;
  case PLAN_TOP: return plan->depth == 0 ? &op_top_class : &op_sort_class;
  case PLAN_PARTIAL_SORT:
  case PLAN_PARTIAL_TOP: return &op_partial_sort_class;
  case PLAN_SKIP: return &op_skip_class;
  case PLAN_LIMIT: return &op_limit_class;
  case PLAN_CREATE: return &op_create_class;
  case PLAN_MERGE: return &op_merge_class;
  case PLAN_SET: return &op_set_class;
  case PLAN_DELETE: return &op_delete_class;
  case PLAN_FOREACH: return &op_foreach_class;
  case PLAN_TRANSACTION_FOREACH:
  case PLAN_TRANSACTION_APPLY: return &op_transactions_class;
  case PLAN_EAGER: return &op_eager_class;
  case PLAN_EMPTY_RESULT:
  case PLAN_PRODUCE_RESULTS: return &op_drain_class;
  case PLAN_OP_MAX: break;
  }
  return NULL;
}

/// Children that are right sides read their operator's outer batch.
static bool is_right_side(const struct plan_op *plan, uint32_t child) {
  if (child == 0) return false;
  switch (plan->kind) {
  case PLAN_APPLY:
  case PLAN_SEMI_APPLY:
  case PLAN_ANTI_SEMI_APPLY:
  case PLAN_LET_SEMI_APPLY:
  case PLAN_ROLL_UP_APPLY:
  case PLAN_SUBQUERY_FOREACH:
  case PLAN_REPEAT:
  case PLAN_MERGE:
  case PLAN_FOREACH:
  case PLAN_TRANSACTION_APPLY:
  case PLAN_TRANSACTION_FOREACH: return true;
  default: return false;
  }
}

static enum err open_children(struct exec *x, struct op *op, struct error *e) {
  const struct plan_op *plan = op->plan;
  struct op_outer *inner = ARENA_NEW(&x->arena, struct op_outer);
  op->children = arena_zalloc(&x->arena, (plan->child_count + 1) * sizeof(struct op *)); // op_close may come at any time
  if (op->children == NULL || inner == NULL) return arena_err(&x->arena, e);
  for (uint32_t i = 0; i < plan->child_count; i++)
    TRY(op_open(x, plan->children[i], is_right_side(plan, i) ? inner : op->outer, &op->children[i], e));
  return ERR_OK;
}

enum err op_open(struct exec *x, const struct plan_op *plan, struct op_outer *outer, struct op **ret, struct error *e) {
  const struct op_class *class = class_of(plan);
  if (class == NULL) return error_set(e, ERR_INTERNAL, "there is no operator %s", plan_op_kind_name(plan->kind));
  struct op *op = arena_zalloc(&x->arena, class->bytes);
  if (op == NULL) return arena_err(&x->arena, e);
  op->class = class;
  op->plan = plan;
  op->x = x;
  op->outer = outer;
  arena_init(&op->out, &x->budget);
  arena_init(&op->held, &x->budget);
  *ret = op; // from here on op_close frees what there is
  x->ops[plan->id] = op;
  TRY(open_children(x, op, e));
  return class->open != NULL ? class->open(op, e) : ERR_OK;
}

void op_close(struct op *op) {
  if (op == NULL) return;
  for (uint32_t i = 0; op->children != NULL && i < op->plan->child_count; i++) op_close(op->children[i]);
  if (op->class->close != NULL) op->class->close(op);
  arena_done(&op->out);
  arena_done(&op->held);
}

void op_reset(struct op *op) {
  for (uint32_t i = 0; i < op->plan->child_count; i++) op_reset(op->children[i]);
  if (op->class->reset != NULL) op->class->reset(op);
}

static int64_t nanos_now(struct exec *x) {
  struct exec_instant at = x->options.clock.now(x->options.clock.context);
  return at.seconds * 1000000000 + at.nanos;
}

enum err op_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct exec *x = op->x;
  TRY(exec_check(x, e));
  TRY(exec_spend_patience(x));
  bool timed = x->options.profile && x->options.clock.now != NULL;
  int64_t begin = timed ? nanos_now(x) : 0;
  const struct batch *b = NULL;
  enum err err = op->class->next(op, want, &b, e);
  if (timed) op->time_ns += (uint64_t) (nanos_now(x) - begin);
  if (err != ERR_OK) return err;
  if (b != NULL) op->rows += batch_rows(b);
  *ret = b;
  return ERR_OK;
}

enum err op_pull(struct op *op, uint32_t child, uint32_t want, const struct batch **ret, struct error *e) {
  const struct batch *b;
  *ret = NULL; // the last batch is gone, whatever comes
  TRY(op_next(op->children[child], want, &b, e));
  arena_reset(&op->held);
  *ret = b;
  return ERR_OK;
}

bool plan_list_has(struct plan_list list, uint32_t item) {
  for (uint32_t i = 0; i < list.count; i++)
    if (list.items[i] == item) return true;
  return false;
}

enum err op_spread(struct op *op, struct arena *a, const struct batch *in, const uint32_t *rows, uint32_t n, struct batch **ret,
                   struct error *e) {
  struct batch *b;
  TRY(batch_new(a, in->column_count, &b, e));
  const uint32_t *elements = rows;
  if (in->sel != NULL) {
    uint32_t *mapped = ARENA_ARRAY(a, uint32_t, n);
    if (mapped == NULL) return arena_err(a, e);
    for (uint32_t i = 0; i < n; i++) mapped[i] = in->sel[rows[i]];
    elements = mapped;
  }
  for (uint32_t i = 0; i < op->plan->out.count; i++) {
    uint32_t slot = op->plan->out.items[i];
    if (slot < in->column_count) TRY(vec_gather(a, &in->columns[slot], elements, n, &b->columns[slot], e));
  }
  if (in->arg != NULL) {
    uint32_t *arg = ARENA_ARRAY(a, uint32_t, n);
    if (arg == NULL) return arena_err(a, e);
    for (uint32_t i = 0; i < n; i++) arg[i] = in->arg[rows[i]];
    b->arg = arg;
  }
  b->n = n;
  *ret = b;
  return ERR_OK;
}

enum err op_extend(struct op *op UNUSED, struct arena *a, const struct batch *in, struct batch **ret, struct error *e) {
  struct batch *b = arena_copy(a, in, sizeof *in);
  if (b == NULL) return arena_err(a, e);
  b->columns = arena_copy(a, in->columns, in->column_count * sizeof *in->columns);
  if (b->columns == NULL) return arena_err(a, e);
  *ret = b;
  return ERR_OK;
}

enum err op_put(struct arena *a, struct batch *b, uint32_t slot, struct vec column, struct error *e) {
  if (b->sel == NULL || column.constant) {
    b->columns[slot] = column;
    return ERR_OK;
  }
  uint32_t elements = 0;
  for (uint32_t i = 0; i < b->n; i++) elements = MAX(elements, b->sel[i] + 1);
  uint32_t *back = arena_zalloc(a, elements * sizeof *back);
  if (back == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < b->n; i++) back[b->sel[i]] = i;
  if (b->n == 0) {
    b->columns[slot] = column;
    return ERR_OK;
  }
  return vec_gather(a, &column, back, elements, &b->columns[slot], e);
}

/// Null bytes for a column without nulls, which nobody reads: has_nulls is not set.
struct vec vec_of_ids(enum vec_kind kind, uint64_t *ids) {
  return (struct vec){.kind = kind, .id = ids};
}

bool op_token(struct op *op, plan_name_id name, graph_token *ret) {
  const struct plan_name *n = &op->x->plan->names[name];
  if (n->token != GRAPH_ANY) {
    *ret = n->token;
    return true;
  }
  return graph_token_find(op->x->graph, n->kind, n->name, ret);
}

enum err op_tokens(struct op *op, struct arena *a, struct plan_list names, graph_token **ret, uint32_t *ret_n, struct error *e) {
  graph_token *tokens = ARENA_ARRAY(a, graph_token, names.count);
  if (tokens == NULL) return arena_err(a, e);
  uint32_t n = 0;
  for (uint32_t i = 0; i < names.count; i++) n += op_token(op, names.items[i], &tokens[n]);
  *ret = tokens;
  *ret_n = n;
  return ERR_OK;
}

enum err op_token_make(struct op *op, plan_name_id name, graph_token *ret, struct error *e) {
  const struct plan_name *n = &op->x->plan->names[name];
  if (op_token(op, name, ret)) return ERR_OK;
  return graph_token_make(op->x->tx, n->kind, n->name, ret, e);
}

static bool list_has_rel(struct value list, uint64_t rel) {
  for (uint32_t i = 0; list.type == VALUE_LIST && i < list.len; i++)
    if (list.items[i].type == VALUE_REL && v_id(list.items[i]) == rel) return true;
  return false;
}

bool op_differs(const struct batch *b, uint32_t row, struct plan_list differ, uint64_t rel) {
  for (uint32_t i = 0; i < differ.count; i++) {
    const struct vec *column = &b->columns[differ.items[i]];
    if (!vec_is_set(column)) continue;
    uint32_t at = batch_index(b, row);
    if (column->kind == VEC_REL) {
      if (column->constant) at = 0;
      if (column->id[at] == rel && !(column->has_nulls && column->nulls[at])) return false;
      continue;
    }
    struct value v = vec_get(column, at);
    if ((v.type == VALUE_REL && v_id(v) == rel) || list_has_rel(v, rel)) return false;
  }
  return true;
}

enum err op_bad_count(struct arena *a, struct value v, struct error *e) {
  struct str text = value_describe(a, v);
  if (v.type == VALUE_INT)
    return error_set(e, ERR_ARGUMENT, "Invalid input. '%lld' is not a valid value. Must be a non-negative integer.",
                     (long long) v.i);
  return error_set(e, ERR_ARGUMENT, "Invalid input. '%.*s' is not a valid value. Must be a non-negative integer.", STR_ARG(text));
}
