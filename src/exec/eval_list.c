// Lists and maps: literals, comprehensions, quantifiers, reduce, map projections.
//
// Comprehensions and quantifiers unroll the lists of all rows into frames of at most UNROLL_ROWS elements, so that one evaluation
// serves many short lists as well as a part of a long one.
#include <string.h>

#include "exec/eval.h"
#include "exec/exec_int.h"
#include "value/weight.h"

/// Columns of the children of `list`.
static enum err eval_children(struct eval *c, struct ast_list list, struct frame *f, struct vec **ret) {
  struct vec *columns = ARENA_ARRAY(c->arena, struct vec, list.count);
  if (columns == NULL) return arena_err(c->arena, c->error);
  uint32_t i = 0;
  AST_EACH(item, list) {
    const struct ast *expression = item->kind == AST_MAP_ENTRY ? item->map_entry.value : item;
    TRY(eval_expression(c, expression, f, &columns[i++]));
  }
  *ret = columns;
  return ERR_OK;
}

static bool all_constant(const struct vec *columns, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (!columns[i].constant) return false;
  return true;
}

enum err eval_list(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  uint32_t width = n->list.items.count;
  struct vec *columns;
  struct value *out, *items;
  TRY(eval_children(c, n->list.items, f, &columns));
  bool constant = all_constant(columns, width);
  uint32_t rows = constant ? 1 : f->n;
  TRY(eval_values(c, rows, &out));
  items = arena_array(c->arena, (size_t) rows * width, sizeof *items);
  if (items == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < rows; i++) {
    for (uint32_t k = 0; k < width; k++) items[(size_t) i * width + k] = vec_get(&columns[k], i);
    out[i] = v_list(items + (size_t) i * width, width);
    TRY(value_weigh(&out[i], c->error));
  }
  TRY(eval_narrow(c, out, rows, ret));
  ret->constant = constant;
  return ERR_OK;
}

enum err eval_map(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  uint32_t width = n->map.entries.count;
  struct vec *columns;
  struct value *out;
  TRY(eval_children(c, n->map.entries, f, &columns));
  bool constant = all_constant(columns, width);
  uint32_t rows = constant ? 1 : f->n;
  TRY(eval_values(c, rows, &out));
  for (uint32_t i = 0; i < rows; i++) {
    struct value_entry *entries = ARENA_ARRAY(c->arena, struct value_entry, width);
    if (entries == NULL) return arena_err(c->arena, c->error);
    uint32_t k = 0;
    AST_EACH(entry, n->map.entries) {
      entries[k] = (struct value_entry){entry->map_entry.key, vec_get(&columns[k], i)};
      k++;
    }
    out[i] = v_map(entries, value_map_sort(entries, width));
    TRY(value_weigh(&out[i], c->error));
  }
  TRY(eval_narrow(c, out, rows, ret));
  ret->constant = constant;
  return ERR_OK;
}

static enum err properties_of(struct eval *c, struct value subject, struct value_entry **ret, uint32_t *ret_n) {
  if (subject.type == VALUE_MAP) {
    *ret = arena_copy(c->arena, subject.entries, subject.len * sizeof **ret);
    *ret_n = subject.len;
    return *ret != NULL ? ERR_OK : arena_err(c->arena, c->error);
  }
  struct graph_property *properties;
  uint32_t n;
  TRY(graph_all_properties(c->view, subject.type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, v_id(subject), c->arena, &properties, &n, c->error));
  *ret = ARENA_ARRAY(c->arena, struct value_entry, n);
  if (*ret == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < n; i++)
    (*ret)[i] = (struct value_entry){graph_token_name(c->x->graph, GRAPH_KEY, properties[i].key), properties[i].value};
  *ret_n = n;
  return ERR_OK;
}

/// Where the value of an item of a map projection comes from; `.*` has none.
static enum err projection_item(struct eval *c, const struct ast *item, const struct vec *subject, struct frame *f, struct str *ret_key,
                                struct vec *ret) {
  switch ((enum ast_kind) item->kind) {
  case AST_MAP_ENTRY: *ret_key = item->map_entry.key; return eval_expression(c, item->map_entry.value, f, ret);
  case AST_MAP_PROJECTION_PROPERTY:
    *ret_key = item->map_projection_property.key;
    return eval_property(c, subject, *ret_key, f->n, ret);
  case AST_MAP_PROJECTION_VARIABLE:
    *ret_key = item->map_projection_variable.variable->variable.name;
    return eval_expression(c, item->map_projection_variable.variable, f, ret);
  default: *ret = (struct vec){0}; return ERR_OK;
  }
}

struct projected {
  struct str key;
  struct vec column; // unset: all properties
};

static enum err project_map(struct eval *c, struct value subject, const struct projected *items, uint32_t n, uint32_t row, struct value *ret) {
  struct value_entry *entries = NULL;
  uint32_t all = 0;
  for (uint32_t k = 0; k < n; k++)
    if (!vec_is_set(&items[k].column)) {
      TRY(properties_of(c, subject, &entries, &all));
      break;
    }
  struct value_entry *out = ARENA_ARRAY(c->arena, struct value_entry, n + all);
  if (out == NULL) return arena_err(c->arena, c->error);
  uint32_t len = 0;
  for (uint32_t k = 0; k < n; k++) {
    if (vec_is_set(&items[k].column)) {
      out[len++] = (struct value_entry){items[k].key, vec_get(&items[k].column, row)};
    } else if (entries != NULL) {
      memcpy(out + len, entries, all * sizeof *out);
      len += all;
      entries = NULL; // a second `.*` adds nothing
    }
  }
  *ret = v_map(out, value_map_sort(out, len));
  return value_weigh(ret, c->error);
}

enum err eval_map_projection(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec subject;
  TRY(eval_expression(c, n->map_projection.subject, f, &subject));
  uint32_t count = n->map_projection.items.count, k = 0;
  struct projected *items = ARENA_ARRAY(c->arena, struct projected, count);
  struct value *out;
  if (items == NULL) return arena_err(c->arena, c->error);
  struct vec dense = subject;
  AST_EACH(item, n->map_projection.items) {
    TRY(projection_item(c, item, &dense, f, &items[k].key, &items[k].column));
    k++;
  }
  TRY(eval_values(c, f->n, &out));
  for (uint32_t i = 0; i < f->n; i++) {
    struct value v = vec_get(&subject, i);
    out[i] = V_NULL;
    if (v_is_null(v)) continue;
    if (v.type != VALUE_MAP && v.type != VALUE_NODE && v.type != VALUE_REL) {
      struct str text = value_describe(c->arena, v);
      return error_set(c->error, ERR_TYPE, "Type mismatch: expected Map, Node or Relationship but was %.*s", STR_ARG(text));
    }
    TRY(project_map(c, v, items, count, i, &out[i]));
  }
  return eval_narrow(c, out, f->n, ret);
}

enum { UNROLL_ROWS = 1024 };

/// A walk along the lists of all rows, a frame of elements at a time.
struct unroll {
  const struct vec *lists;
  uint32_t rows;
  uint32_t row, item; // next element
  uint32_t parents[UNROLL_ROWS];
  struct value items[UNROLL_ROWS];
  uint32_t n;
};

static bool is_list(struct value v) {
  return v.type == VALUE_LIST || v.type == VALUE_BYTES;
}

static struct value item_of(struct value list, uint32_t i) {
  return list.type == VALUE_BYTES ? v_int((int8_t) list.bytes[i]) : list.items[i];
}

static enum err check_lists(struct eval *c, const struct vec *lists, uint32_t n) {
  for (uint32_t i = 0; i < (lists->constant ? 1 : n); i++) {
    struct value v = vec_get(lists, i);
    if (is_list(v) || v_is_null(v)) continue;
    struct str text = value_describe(c->arena, v);
    return error_set(c->error, ERR_TYPE, "Type mismatch: expected List<Any> but was %.*s", STR_ARG(text));
  }
  return ERR_OK;
}

/// Fills the next frame; false when nothing is left.
static bool unroll_next(struct unroll *u) {
  u->n = 0;
  for (; u->row < u->rows; u->row++, u->item = 0) {
    struct value list = vec_get(u->lists, u->row);
    if (!is_list(list)) continue;
    for (; u->item < list.len; u->item++) {
      if (u->n == UNROLL_ROWS) return true;
      u->parents[u->n] = u->row;
      u->items[u->n++] = item_of(list, u->item);
    }
  }
  return u->n > 0;
}

/// The frame of the elements in `u`, in the arena, with the local variable set.
static enum err unroll_frame(struct eval *c, const struct unroll *u, struct frame *f, const struct ast *variable, struct frame *ret) {
  uint32_t *rows = arena_copy(c->arena, u->parents, u->n * sizeof *rows);
  if (rows == NULL) return arena_err(c->arena, c->error);
  struct vec items;
  TRY(eval_narrow(c, u->items, u->n, &items));
  *ret = frame_below(c, f, rows, u->n);
  return frame_set(c, ret, variable->variable.slot, items);
}

static enum err unroll_open(struct eval *c, const struct ast *list, struct frame *f, struct vec *lists, struct unroll **ret) {
  TRY(eval_expression(c, list, f, lists));
  TRY(check_lists(c, lists, f->n));
  struct unroll *u = arena_alloc(c->arena, sizeof *u);
  if (u == NULL) return arena_err(c->arena, c->error);
  u->lists = lists;
  u->rows = f->n;
  u->row = u->item = 0;
  *ret = u;
  return ERR_OK;
}

static uint64_t total_items(const struct vec *lists, uint32_t n) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < n; i++) {
    struct value v = vec_get(lists, i);
    if (is_list(v)) total += v.len;
  }
  return total;
}

/// Elements of one frame that pass `where`, projected, appended to `out`; `counts` by row.
static enum err comprehend(struct eval *c, const struct ast *n, struct frame *elements, struct value *out, uint64_t *at, uint32_t *counts) {
  const struct ast *where = n->list_comprehension.where, *projection = n->list_comprehension.projection;
  uint32_t *passed = ARENA_ARRAY(c->arena, uint32_t, elements->n), passes = elements->n;
  if (passed == NULL) return arena_err(c->arena, c->error);
  struct vec result;
  if (where != NULL) {
    struct vec holds;
    TRY(eval_predicate(c, where, elements, &holds));
    passes = logic_select(&holds, elements->n, passed);
  } else {
    for (uint32_t i = 0; i < passes; i++) passed[i] = i;
  }
  struct frame kept = frame_below(c, elements, passed, passes);
  if (projection != NULL) {
    TRY(eval_expression(c, projection, &kept, &result));
  } else {
    TRY(frame_get(c, &kept, n->list_comprehension.variable->variable.slot, &result));
  }
  for (uint32_t i = 0; i < passes; i++) {
    out[(*at)++] = vec_get(&result, i);
    counts[elements->rows[passed[i]]]++;
  }
  return ERR_OK;
}

enum err eval_list_comprehension(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec lists;
  struct unroll *u;
  TRY(unroll_open(c, n->list_comprehension.list, f, &lists, &u));
  struct value *items = arena_array(c->arena, total_items(&lists, f->n), sizeof *items), *out;
  uint32_t *counts = arena_zalloc(c->arena, f->n * sizeof *counts);
  if (items == NULL || counts == NULL) return arena_err(c->arena, c->error);
  uint64_t at = 0;
  while (unroll_next(u)) {
    TRY(exec_check(c->x, c->error));
    struct frame elements;
    TRY(unroll_frame(c, u, f, n->list_comprehension.variable, &elements));
    TRY(comprehend(c, n, &elements, items, &at, counts));
  }
  TRY(eval_values(c, f->n, &out));
  uint64_t first = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    out[i] = is_list(vec_get(&lists, i)) ? v_list(items + first, counts[i]) : V_NULL;
    first += counts[i];
    if (out[i].type == VALUE_LIST) TRY(value_weigh(&out[i], c->error));
  }
  return eval_narrow(c, out, f->n, ret);
}

/// How often the predicate of a quantifier was true, false and null for one row.
struct tally {
  uint32_t yes, no, unknown;
};

static enum ternary tally_result(enum ast_quantifier op, struct tally t) {
  switch (op) {
  case AST_ALL: return t.no > 0 ? TERNARY_FALSE : t.unknown > 0 ? TERNARY_NULL : TERNARY_TRUE;
  case AST_ANY: return t.yes > 0 ? TERNARY_TRUE : t.unknown > 0 ? TERNARY_NULL : TERNARY_FALSE;
  case AST_NONE: return t.yes > 0 ? TERNARY_FALSE : t.unknown > 0 ? TERNARY_NULL : TERNARY_TRUE;
  case AST_SINGLE: return t.yes > 1 ? TERNARY_FALSE : t.unknown > 0 ? TERNARY_NULL : ternary_of(t.yes == 1);
  }
  return TERNARY_NULL;
}

enum err eval_quantifier(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec lists;
  struct unroll *u;
  TRY(unroll_open(c, n->quantifier.list, f, &lists, &u));
  struct tally *tallies = arena_zalloc(c->arena, f->n * sizeof *tallies);
  if (tallies == NULL) return arena_err(c->arena, c->error);
  while (unroll_next(u)) {
    TRY(exec_check(c->x, c->error));
    struct frame elements;
    struct vec holds;
    TRY(unroll_frame(c, u, f, n->quantifier.variable, &elements));
    TRY(eval_predicate(c, n->quantifier.where, &elements, &holds));
    for (uint32_t i = 0; i < elements.n; i++) {
      struct tally *t = &tallies[elements.rows[i]];
      if (vec_is_null(&holds, i)) {
        t->unknown++;
      } else if (holds.b[holds.constant ? 0 : i]) {
        t->yes++;
      } else {
        t->no++;
      }
    }
  }
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  for (uint32_t i = 0; i < f->n; i++) {
    enum ternary t = is_list(vec_get(&lists, i)) ? tally_result(n->quantifier.op, tallies[i]) : TERNARY_NULL;
    ret->b[i] = t == TERNARY_TRUE;
    ret->nulls[i] = t == TERNARY_NULL;
    ret->has_nulls |= t == TERNARY_NULL;
  }
  return ERR_OK;
}

/// One step of reduce: the `item`-th elements of all rows whose list is so long.
static enum err reduce_step(struct eval *c, const struct ast *n, struct frame *f, const struct vec *lists, uint32_t item, struct value *totals,
                            uint32_t *ret_rows) {
  uint32_t *rows = ARENA_ARRAY(c->arena, uint32_t, f->n), count = 0;
  struct value *items, *before;
  if (rows == NULL) return arena_err(c->arena, c->error);
  TRY(eval_values(c, f->n, &items));
  TRY(eval_values(c, f->n, &before));
  for (uint32_t i = 0; i < f->n; i++) {
    struct value list = vec_get(lists, i);
    if (!is_list(list) || list.len <= item) continue;
    before[count] = totals[i];
    items[count] = item_of(list, item);
    rows[count++] = i;
  }
  *ret_rows = count;
  struct frame step = frame_below(c, f, rows, count);
  struct vec column, result;
  TRY(eval_narrow(c, items, count, &column));
  TRY(frame_set(c, &step, n->reduce.variable->variable.slot, column));
  TRY(eval_narrow(c, before, count, &column));
  TRY(frame_set(c, &step, n->reduce.accumulator->variable.slot, column));
  TRY(eval_expression(c, n->reduce.expression, &step, &result));
  for (uint32_t i = 0; i < count; i++) totals[rows[i]] = vec_get(&result, i);
  return ERR_OK;
}

/// Steps leave their scratch in an arena of their own, two of them in turn: when one has grown, the totals move to the other.
enum { REDUCE_SCRATCH_BYTES = 1 << 20 };

static enum err reduce_all(struct eval *c, const struct ast *n, struct frame *f, const struct vec *lists, struct value *totals,
                           struct arena scratch[2]) {
  struct eval step = *c;
  int current = 0;
  step.arena = &scratch[0];
  for (uint32_t item = 0, rows = f->n; rows > 0; item++) {
    if (item % EXEC_CANCEL_STEPS == 0) TRY(exec_check(c->x, c->error));
    // Columns gathered by a step die with its arena: the frame that they hang on is the step's own.
    struct frame own = frame_below(&step, f, NULL, f->n);
    TRY(reduce_step(&step, n, &own, lists, item, totals, &rows));
    if (arena_bytes(&scratch[current]) < REDUCE_SCRATCH_BYTES) continue;
    for (uint32_t i = 0; i < f->n; i++) TRY(value_copy(&scratch[1 - current], totals[i], &totals[i], c->error));
    arena_reset(&scratch[current]);
    current = 1 - current;
    step.arena = &scratch[current];
  }
  for (uint32_t i = 0; i < f->n; i++) TRY(value_copy(c->arena, totals[i], &totals[i], c->error));
  return ERR_OK;
}

enum err eval_reduce(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec lists, init;
  struct value *totals;
  TRY(eval_expression(c, n->reduce.list, f, &lists));
  TRY(check_lists(c, &lists, f->n));
  TRY(eval_expression(c, n->reduce.init, f, &init));
  TRY(eval_values(c, f->n, &totals));
  for (uint32_t i = 0; i < f->n; i++) totals[i] = is_list(vec_get(&lists, i)) ? vec_get(&init, i) : V_NULL;
  struct arena scratch[2];
  arena_init(&scratch[0], &c->x->budget);
  arena_init(&scratch[1], &c->x->budget);
  enum err err = reduce_all(c, n, f, &lists, totals, scratch);
  arena_done(&scratch[0]);
  arena_done(&scratch[1]);
  TRY(err);
  return eval_narrow(c, totals, f->n, ret);
}
