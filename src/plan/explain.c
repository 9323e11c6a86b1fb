// Plans as the maps that Bolt's summary carries.
#include "plan/explain.h"

#include <string.h>

struct explaining {
  const struct plan *p;
  const struct plan_explain_options *options;
  struct arena *a;
  struct error *e;
};

enum { ENTRIES_MAX = 24 };

struct entries {
  struct value_entry items[ENTRIES_MAX];
  uint32_t count;
};

static void add(struct entries *to, const char *key, struct value v) {
  to->items[to->count++] = (struct value_entry){str_of(key), v};
}

static enum err map_of(struct explaining *x, struct entries *from, struct value *ret) {
  uint32_t count = value_map_sort(from->items, from->count);
  struct value_entry *copy = arena_copy(x->a, from->items, count * sizeof *copy);
  if (copy == NULL) return arena_err(x->a, x->e);
  *ret = v_map(copy, count);
  return ERR_OK;
}

static enum err details_value(struct explaining *x, const struct plan_op *op, struct value *ret) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  if (plan_op_details(x->p, op, &out) != ERR_OK) return error_ensure(x->e, ERR_NOMEM);
  struct str copy = arena_str(x->a, (struct str){out.data, out.len});
  if (copy.ptr == NULL) return arena_err(x->a, x->e);
  *ret = v_str(copy);
  return ERR_OK;
}

static enum err table_value(struct explaining *x, struct value *ret) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  if (plan_explain_table(x->p, x->options, &out) != ERR_OK) return error_ensure(x->e, ERR_NOMEM);
  struct str copy = arena_str(x->a, (struct str){out.data, out.len});
  if (copy.ptr == NULL) return arena_err(x->a, x->e);
  *ret = v_str(copy);
  return ERR_OK;
}

static enum err root_args(struct explaining *x, struct entries *to) {
  struct value table;
  TRY(table_value(x, &table));
  add(to, "planner", v_str(STR("COST")));
  add(to, "planner-impl", v_str(STR("DP")));
  add(to, "planner-version", v_str(x->options->version));
  add(to, "runtime", v_str(STR("BATCHED")));
  add(to, "runtime-impl", v_str(STR("BATCHED")));
  add(to, "runtime-version", v_str(x->options->version));
  add(to, "version", v_str(x->options->version));
  add(to, "batch-size", v_int(1024));
  add(to, "string-representation", table);
  return ERR_OK;
}

static enum err args_of(struct explaining *x, const struct plan_op *op, const struct plan_measured *m, struct value *ret) {
  struct entries args = {.count = 0};
  struct value details;
  TRY(details_value(x, op, &details));
  add(&args, "Id", v_int(op->id));
  add(&args, "EstimatedRows", v_float(op->rows));
  if (details.len > 0) add(&args, "Details", details);
  if (op == x->p->root) TRY(root_args(x, &args));
  if (m != NULL) {
    add(&args, "Rows", v_int((int64_t) m->rows));
    add(&args, "DbHits", v_int((int64_t) m->db_hits));
    add(&args, "Time", v_int((int64_t) m->time_ns));
    if (m->memory_bytes > 0) add(&args, "Memory", v_int((int64_t) m->memory_bytes));
  }
  return map_of(x, &args, ret);
}

/// Names of the columns that leave the operator, the results' own for the last one.
static enum err identifiers_of(struct explaining *x, const struct plan_op *op, struct value *ret) {
  bool last = op->kind == PLAN_PRODUCE_RESULTS;
  uint32_t count = last ? op->produce.column_count : op->out.count;
  struct value *items = ARENA_ARRAY(x->a, struct value, count);
  if (items == NULL) return arena_err(x->a, x->e);
  for (uint32_t i = 0; i < count; i++) items[i] = v_str(last ? op->produce.columns[i].name : x->p->slots[op->out.items[i]].name);
  *ret = v_list(items, count);
  return ERR_OK;
}

static enum err type_of(struct explaining *x, const struct plan_op *op, struct value *ret) {
  struct str name = str_of(plan_op_name(op)), database = x->options->database;
  if (database.len > 0) name = arena_printf(x->a, "%.*s@%.*s", STR_ARG(name), STR_ARG(database));
  if (name.ptr == NULL) return arena_err(x->a, x->e);
  *ret = v_str(name);
  return ERR_OK;
}

static void add_measures(struct entries *to, const struct plan_measured *m) {
  add(to, "rows", v_int((int64_t) m->rows));
  add(to, "dbHits", v_int((int64_t) m->db_hits));
  add(to, "time", v_int((int64_t) m->time_ns));
  add(to, "pageCacheHits", v_int(0));
  add(to, "pageCacheMisses", v_int(0));
  add(to, "pageCacheHitRatio", v_float(0));
}

static enum err explain_op(struct explaining *x, const struct plan_op *op, struct value *ret);

static enum err children_of(struct explaining *x, const struct plan_op *op, struct value *ret) {
  struct value *items = ARENA_ARRAY(x->a, struct value, op->child_count);
  if (items == NULL) return arena_err(x->a, x->e);
  uint32_t count = 0;
  for (uint32_t i = 0; i < op->child_count; i++) {
    if (op->children[i]->kind == PLAN_ARGUMENT && op->children[i]->depth == 0) continue;
    TRY(explain_op(x, op->children[i], &items[count++]));
  }
  *ret = v_list(items, count);
  return ERR_OK;
}

static enum err explain_op(struct explaining *x, const struct plan_op *op, struct value *ret) {
  const struct plan_measures *measures = x->options->measures;
  struct plan_measured m = {0};
  struct entries entries = {.count = 0};
  struct value type, args, identifiers, children;
  if (measures != NULL) m = measures->of(measures->context, op->id);
  TRY(type_of(x, op, &type));
  TRY(args_of(x, op, measures != NULL ? &m : NULL, &args));
  TRY(identifiers_of(x, op, &identifiers));
  TRY(children_of(x, op, &children));
  add(&entries, "operatorType", type);
  add(&entries, "args", args);
  add(&entries, "identifiers", identifiers);
  add(&entries, "children", children);
  if (measures != NULL) add_measures(&entries, &m);
  return map_of(x, &entries, ret);
}

enum err plan_explain(const struct plan *p, const struct plan_explain_options *options, struct arena *a, struct value *ret, struct error *e) {
  struct explaining x = {p, options, a, e};
  if (p->root == NULL) return error_set(e, ERR_UNSUPPORTED, "EXPLAIN of a schema or administration command is not supported by this version");
  // Clients nest lists and maps no deeper than VALUE_DEPTH_MAX; a level of the plan takes two.
  if (p->root->height > VALUE_DEPTH_MAX / 2 - 8) return error_set(e, ERR_UNSUPPORTED, "The plan has too many steps to be shown");
  return explain_op(&x, p->root, ret);
}
