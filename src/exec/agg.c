#include "exec/agg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec_int.h"
#include "value/compare.h"
#include "value/weight.h"

enum { CHUNK_FIRST = 8, CHUNK_MAX = 4096 };

struct agg_chunk {
  struct agg_chunk *next;
  uint32_t n, capacity;
  struct value values[];
};

/// Values that DISTINCT has seen: a hash table of values, open addressing.
struct agg_seen {
  struct value *slots; // type VALUE_TYPE_MAX: free
  uint32_t capacity, used;
  struct idset nodes; // entities by id
  struct idset rels;
  bool has_nodes, has_rels;
};

enum err agg_function_of(const struct ast *n, struct agg_function *ret, struct error *e) {
  *ret = (struct agg_function){0};
  if (n->kind == AST_COUNT_STAR) return ERR_OK;
  if (n->kind != AST_FUNCTION || n->function.signature == NULL)
    return error_set(e, ERR_INTERNAL, "%s is no aggregating function", ast_kind_name(n->kind));
  ret->distinct = n->function.distinct;
  ret->argument = n->function.arguments.first;
  switch (n->function.signature->id) {
  case CYPHER_FN_COUNT: ret->kind = AGG_COUNT; return ERR_OK;
  case CYPHER_FN_SUM: ret->kind = AGG_SUM; return ERR_OK;
  case CYPHER_FN_AVG: ret->kind = AGG_AVG; return ERR_OK;
  case CYPHER_FN_MIN: ret->kind = AGG_MIN; return ERR_OK;
  case CYPHER_FN_MAX: ret->kind = AGG_MAX; return ERR_OK;
  case CYPHER_FN_COLLECT: ret->kind = AGG_COLLECT; return ERR_OK;
  case CYPHER_FN_STDEV: ret->kind = AGG_STDEV; return ERR_OK;
  case CYPHER_FN_STDEVP: ret->kind = AGG_STDEVP; return ERR_OK;
  case CYPHER_FN_PERCENTILE_CONT:
  case CYPHER_FN_PERCENTILE_DISC:
    ret->kind = n->function.signature->id == CYPHER_FN_PERCENTILE_CONT ? AGG_PERCENTILE_CONT : AGG_PERCENTILE_DISC;
    ret->percentile = ret->argument->next;
    return ERR_OK;
  default: return error_set(e, ERR_INTERNAL, "%s() is no aggregating function", n->function.signature->name);
  }
}

static bool is_number(struct value v) {
  return v.type == VALUE_INT || v.type == VALUE_FLOAT;
}

static double number(struct value v) {
  return v.type == VALUE_INT ? (double) v.i : v.f;
}

static enum err wrong_type(struct eval *c, const char *name, const char *what, struct value v) {
  struct str text = value_describe(c->arena, v);
  return error_set(c->error, ERR_TYPE, "%s(%.*s) can only handle %s", name, STR_ARG(text), what);
}

static enum err grow_seen(struct agg_seen *s, struct arena *arena, struct error *e) {
  uint32_t capacity = MAX(16, s->capacity * 2);
  if (capacity > 1u << 30) return error_set(e, ERR_TX_MEMORY, "A DISTINCT aggregation has more than 2^29 values.");
  struct value *slots = ARENA_ARRAY(arena, struct value, capacity);
  if (slots == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < capacity; i++) slots[i] = (struct value){.type = VALUE_TYPE_MAX};
  for (uint32_t i = 0; i < s->capacity; i++) {
    if (s->slots[i].type == VALUE_TYPE_MAX) continue;
    uint64_t at = value_hash(s->slots[i]);
    while (slots[at & (capacity - 1)].type != VALUE_TYPE_MAX) at++;
    slots[at & (capacity - 1)] = s->slots[i];
  }
  s->slots = slots;
  s->capacity = capacity;
  return ERR_OK;
}

static void drop_idset(void *set) {
  idset_done(set);
}

/// Bitmaps pay where there are many entities: the hash table comes first, then they move over.
enum { SEEN_BITMAP_MIN = 64 };

static enum err make_set(struct agg_seen *s, struct arena *arena, enum value_type type, struct error *e) {
  struct idset *set = type == VALUE_NODE ? &s->nodes : &s->rels;
  idset_init(set, arena->budget);
  TRY(arena_on_done(arena, drop_idset, set));
  *(type == VALUE_NODE ? &s->has_nodes : &s->has_rels) = true;
  for (uint32_t i = 0; i < s->capacity; i++) {
    bool ignored;
    if (s->slots[i].type == type) TRY(idset_add(set, v_id(s->slots[i]), &ignored, e));
  }
  return ERR_OK;
}

/// The bitmap for entities of that type; NULL while there are few, `more` that are to come included.
static enum err set_of(struct agg_seen *s, struct arena *arena, enum value_type type, uint32_t more, struct idset **ret,
                       struct error *e) {
  bool has = type == VALUE_NODE ? s->has_nodes : s->has_rels;
  *ret = NULL;
  if (!has && s->used + more <= SEEN_BITMAP_MIN) return ERR_OK;
  if (!has) TRY(make_set(s, arena, type, e));
  *ret = type == VALUE_NODE ? &s->nodes : &s->rels;
  return ERR_OK;
}

static enum err start_seeing(struct agg *a, struct arena *arena, struct error *e) {
  if (a->seen == NULL) a->seen = ARENA_NEW(arena, struct agg_seen);
  return a->seen != NULL ? ERR_OK : arena_err(arena, e);
}

static enum err see(struct agg *a, struct arena *arena, struct value v, bool *ret_new, struct error *e) {
  TRY(start_seeing(a, arena, e));
  struct agg_seen *s = a->seen;
  if (v.type == VALUE_NODE || v.type == VALUE_REL) {
    struct idset *set;
    TRY(set_of(s, arena, (enum value_type) v.type, 1, &set, e));
    if (set != NULL) return idset_add(set, v_id(v), ret_new, e);
  }
  if (s->used * 2 >= s->capacity) TRY(grow_seen(s, arena, e));
  uint64_t at = value_hash(v);
  for (; s->slots[at & (s->capacity - 1)].type != VALUE_TYPE_MAX; at++)
    if (value_equivalent(s->slots[at & (s->capacity - 1)], v)) {
      *ret_new = false;
      return ERR_OK;
    }
  TRY(value_copy(arena, v, &s->slots[at & (s->capacity - 1)], e));
  s->used++;
  *ret_new = true;
  return ERR_OK;
}

static enum err keep(struct agg *a, struct arena *arena, struct value v, struct error *e) {
  if (a->last == NULL || a->last->n == a->last->capacity) {
    uint32_t capacity = a->last == NULL ? CHUNK_FIRST : MIN(CHUNK_MAX, a->last->capacity * 2);
    struct agg_chunk *chunk = arena_alloc(arena, sizeof *chunk + capacity * sizeof(struct value));
    if (chunk == NULL) return arena_err(arena, e);
    chunk->next = NULL;
    chunk->n = 0;
    chunk->capacity = capacity;
    if (a->last != NULL) {
      a->last->next = chunk;
    } else {
      a->first = chunk;
    }
    a->last = chunk;
  }
  TRY(value_copy(arena, v, &a->last->values[a->last->n], e));
  a->last->n++;
  return ERR_OK;
}

static enum err add_duration(struct eval *c, const char *name, struct agg *a, struct arena *arena, struct value v) {
  if (a->has_number) return error_set(c->error, ERR_TYPE, "%s() cannot mix number and duration", name);
  struct value total = v;
  if (a->has_duration) TRY(temporal_add(a->best, v, c->arena, &total, c->error));
  a->has_duration = true;
  return value_copy(arena, total, &a->best, c->error);
}

static enum err add_to_sum(struct eval *c, const char *name, struct agg *a, struct arena *arena, struct value v) {
  if (v.type == VALUE_DURATION) return add_duration(c, name, a, arena, v);
  if (!is_number(v)) return wrong_type(c, name, "numerical values, duration, and null.", v);
  if (a->has_duration) return error_set(c->error, ERR_TYPE, "%s() cannot mix number and duration", name);
  a->has_number = true;
  if (v.type == VALUE_INT) {
    a->whole += v.i;
  } else {
    a->has_float = true;
    a->sum += v.f;
  }
  return ERR_OK;
}

static enum err add_to_deviation(struct eval *c, struct agg *a, struct value v) {
  if (!is_number(v)) return wrong_type(c, "stDev", "numerical values.", v);
  double x = number(v), delta = x - a->mean;
  a->mean += delta / (double) a->count;
  a->m2 += delta * (x - a->mean);
  return ERR_OK;
}

static enum err check_percentile(struct eval *c, struct agg *a, struct value percentile) {
  if (!is_number(percentile)) return wrong_type(c, "percentile", "numerical percentiles.", percentile);
  double p = number(percentile);
  if (!(p >= 0 && p <= 1)) {
    return error_set(c->error, ERR_ARGUMENT,
                     "Invalid input '%g' is not a valid argument, must be a number in the range 0.0 to 1.0", p);
  }
  a->percentile = p;
  return ERR_OK;
}

static enum err keep_best(struct agg *a, struct arena *arena, struct value v, int sign, struct error *e) {
  if (a->count > 1 && sign * value_order(v, a->best) <= 0) return ERR_OK;
  return value_copy(arena, v, &a->best, e);
}

enum err agg_add(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena, struct value v,
                 struct value percentile) {
  if (f->kind == AGG_COUNT_STAR) {
    a->count++;
    return ERR_OK;
  }
  if (f->percentile != NULL && a->count == 0) TRY(check_percentile(c, a, percentile));
  if (v_is_null(v)) return ERR_OK;
  if (f->distinct) {
    bool is_new;
    TRY(see(a, arena, v, &is_new, c->error));
    if (!is_new) return ERR_OK;
  }
  a->count++;
  switch (f->kind) {
  case AGG_COUNT_STAR:
  case AGG_COUNT: return ERR_OK;
  case AGG_SUM: return add_to_sum(c, "sum", a, arena, v);
  case AGG_AVG: return add_to_sum(c, "avg", a, arena, v);
  case AGG_MIN: return keep_best(a, arena, v, -1, c->error);
  case AGG_MAX: return keep_best(a, arena, v, 1, c->error);
  case AGG_COLLECT: return keep(a, arena, v, c->error);
  case AGG_STDEV:
  case AGG_STDEVP: return add_to_deviation(c, a, v);
  case AGG_PERCENTILE_CONT:
  case AGG_PERCENTILE_DISC:
    if (!is_number(v)) return wrong_type(c, "percentile", "numerical values.", v);
    return keep(a, arena, v, c->error);
  }
  return ERR_OK;
}

static void count_column(struct agg *a, const struct vec *v, uint32_t n) {
  if (v->kind != VEC_ANY && !v->has_nulls) {
    a->count += n;
    return;
  }
  for (uint32_t i = 0; i < n; i++) a->count += !vec_is_null(v, i);
}

static void sum_ints(struct agg *a, const struct vec *v, uint32_t n) {
  // 2^31 integers fit into the 128 bits; nulls are zeroes.
  __int128 whole = 0;
  int64_t count = n;
  for (uint32_t i = 0; i < n; i++) whole += v->i[i];
  for (uint32_t i = 0; v->has_nulls && i < n; i++) count -= v->nulls[i];
  a->whole += whole;
  a->count += count;
  a->has_number |= count > 0;
}

static void sum_floats(struct agg *a, const struct vec *v, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (v->has_nulls && v->nulls[i]) continue;
    a->sum += v->f[i];
    a->count++;
    a->has_number = a->has_float = true;
  }
}

static enum err see_ids(struct agg *a, struct idset *set, const struct vec *v, uint32_t n, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    bool is_new;
    if (v->has_nulls && v->nulls[i]) continue;
    TRY(idset_add(set, v->id[i], &is_new, e));
    a->count += is_new;
  }
  return ERR_OK;
}

static enum err see_one_by_one(struct agg *a, struct arena *arena, const struct graph_slice *s, bool rels, struct error *e) {
  for (uint32_t i = 0; i < s->count; i++) {
    bool is_new;
    uint64_t id = rels ? graph_slice_rel(s, i) : graph_slice_neighbour(s, i);
    TRY(see(a, arena, (struct value){.type = rels ? VALUE_REL : VALUE_NODE, .id = id}, &is_new, e));
    a->count += is_new;
  }
  return ERR_OK;
}

static enum err see_slices(struct agg *a, struct arena *arena, const struct graph_slice *slices, uint32_t n, bool rels,
                           struct error *e) {
  uint32_t total = 0;
  struct idset *set;
  for (uint32_t i = 0; i < n; i++) total += slices[i].count;
  TRY(start_seeing(a, arena, e));
  TRY(set_of(a->seen, arena, rels ? VALUE_REL : VALUE_NODE, total, &set, e));
  for (uint32_t i = 0; i < n && set == NULL; i++) TRY(see_one_by_one(a, arena, &slices[i], rels, e));
  if (set == NULL) return ERR_OK;
  uint64_t before = set->n;
  for (uint32_t i = 0; i < n; i++) {
    const struct graph_slice *s = &slices[i];
    TRY(idset_add_all(set, rels ? s->rels : s->neighbours, rels ? s->rels_high : s->neighbours_high, s->count, e));
  }
  a->count += (int64_t) (set->n - before);
  return ERR_OK;
}

enum err agg_add_slices(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena,
                        const struct graph_slice *slices, uint32_t n, bool rels) {
  if (f->distinct) return see_slices(a, arena, slices, n, rels, c->error);
  for (uint32_t i = 0; i < n; i++) a->count += slices[i].count;
  return ERR_OK;
}

enum err agg_add_column(struct eval *c, const struct agg_function *f, struct agg *a, struct arena *arena, const struct vec *v,
                        const struct vec *percentile, uint32_t n) {
  bool summed = (f->kind == AGG_SUM || f->kind == AGG_AVG) && !f->distinct && !v->constant && !a->has_duration;
  if (f->kind == AGG_COUNT_STAR) {
    a->count += n;
    return ERR_OK;
  }
  if (f->kind == AGG_COUNT && !f->distinct) {
    count_column(a, v, n);
    return ERR_OK;
  }
  if (summed && v->kind == VEC_I64) {
    sum_ints(a, v, n);
    return ERR_OK;
  }
  if (summed && v->kind == VEC_F64) {
    sum_floats(a, v, n);
    return ERR_OK;
  }
  bool ids = (v->kind == VEC_NODE || v->kind == VEC_REL) && !v->constant;
  if (f->kind == AGG_COUNT && ids) {
    struct idset *set;
    TRY(start_seeing(a, arena, c->error));
    TRY(set_of(a->seen, arena, v->kind == VEC_NODE ? VALUE_NODE : VALUE_REL, n, &set, c->error));
    if (set != NULL) return see_ids(a, set, v, n, c->error);
  }
  for (uint32_t i = 0; i < n; i++)
    TRY(agg_add(c, f, a, arena, vec_get(v, i), percentile != NULL && vec_is_set(percentile) ? vec_get(percentile, i) : V_NULL));
  return ERR_OK;
}

static enum err sum_result(struct eval *c, const struct agg *a, struct value *ret) {
  if (a->has_duration) {
    *ret = a->best;
  } else if (a->has_float) {
    *ret = v_float(a->sum + (double) a->whole);
  } else {
    if (a->whole > INT64_MAX || a->whole < INT64_MIN) return error_set(c->error, ERR_ARITHMETIC, "long overflow");
    *ret = v_int((int64_t) a->whole);
  }
  return ERR_OK;
}

static enum err avg_result(struct eval *c, const struct agg *a, struct value *ret) {
  *ret = V_NULL;
  if (a->count == 0) return ERR_OK;
  if (a->has_duration) return temporal_divide(a->best, v_int(a->count), c->arena, ret, c->error);
  *ret = v_float(a->has_float ? (a->sum + (double) a->whole) / (double) a->count
                              : (double) ((long double) a->whole / (long double) a->count));
  return ERR_OK;
}

static enum err collected(struct eval *c, const struct agg *a, struct value **ret, uint32_t *ret_n) {
  if (a->count > UINT32_MAX) return error_set(c->error, ERR_ARGUMENT, "The collected list has too many items.");
  TRY(eval_values(c, (uint32_t) a->count, ret));
  uint32_t n = 0;
  for (const struct agg_chunk *chunk = a->first; chunk != NULL; chunk = chunk->next) {
    memcpy(*ret + n, chunk->values, chunk->n * sizeof **ret);
    n += chunk->n;
  }
  *ret_n = n;
  return ERR_OK;
}

static int order_pointers(const void *a, const void *b) {
  return value_order(*(const struct value *) a, *(const struct value *) b);
}

/// The value at the place p * n, counted from 1 and rounded up.
static struct value percentile_disc(const struct value *sorted, uint32_t n, double p) {
  double at = ceil(p * n);
  return sorted[at < 1 ? 0 : (uint32_t) at - 1];
}

/// Between the two neighbours of the place p * (n - 1).
static struct value percentile_cont(const struct value *sorted, uint32_t n, double p) {
  double at = p * (n - 1), below = floor(at);
  double low = number(sorted[(uint32_t) below]), high = number(sorted[(uint32_t) ceil(at)]);
  return v_float(low == high ? low : low * (below + 1 - at) + high * (at - below));
}

static enum err percentile_result(struct eval *c, const struct agg_function *f, const struct agg *a, struct value *ret) {
  struct value *values;
  uint32_t n;
  TRY(collected(c, a, &values, &n));
  *ret = V_NULL;
  if (n == 0) return ERR_OK;
  qsort(values, n, sizeof *values, order_pointers);
  *ret = f->kind == AGG_PERCENTILE_DISC ? percentile_disc(values, n, a->percentile) : percentile_cont(values, n, a->percentile);
  return ERR_OK;
}

enum err agg_result(struct eval *c, const struct agg_function *f, struct agg *a, struct value *ret) {
  struct value *values;
  uint32_t n;
  switch (f->kind) {
  case AGG_COUNT_STAR:
  case AGG_COUNT: *ret = v_int(a->count); return ERR_OK;
  case AGG_SUM: return sum_result(c, a, ret);
  case AGG_AVG: return avg_result(c, a, ret);
  case AGG_MIN:
  case AGG_MAX: *ret = a->count > 0 ? a->best : V_NULL; return ERR_OK;
  case AGG_COLLECT:
    TRY(collected(c, a, &values, &n));
    *ret = v_list(values, n);
    return value_weigh(ret, c->error);
  case AGG_STDEV: *ret = v_float(a->count < 2 ? 0 : sqrt(a->m2 / (double) (a->count - 1))); return ERR_OK;
  case AGG_STDEVP: *ret = v_float(a->count < 1 ? 0 : sqrt(a->m2 / (double) a->count)); return ERR_OK;
  case AGG_PERCENTILE_CONT:
  case AGG_PERCENTILE_DISC: return percentile_result(c, f, a, ret);
  }
  return ERR_OK;
}
