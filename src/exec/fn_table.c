#include "exec/fn.h"

#include "exec/exec_int.h"

#define SCALAR(id, function) [CYPHER_FN_##id] = {.scalar = fn_##function}
#define NULLABLE(id, function) [CYPHER_FN_##id] = {.scalar = fn_##function, .flags = FN_TAKES_NULL}
#define COLUMNS(id, function) [CYPHER_FN_##id] = {.columns = fn_##function}
#define INSTANT(id, function)                                                                                     \
  SCALAR(id, function), SCALAR(id##_REALTIME, function##_realtime), SCALAR(id##_STATEMENT, function##_statement), \
      SCALAR(id##_TRANSACTION, function##_transaction), NULLABLE(id##_TRUNCATE, function##_truncate)

const struct fn fn_table[CYPHER_FUNCTION_COUNT] = {
    SCALAR(ABS, abs), SCALAR(CEIL, ceil), SCALAR(FLOOR, floor), SCALAR(IS_NAN, is_nan), SCALAR(RAND, rand), SCALAR(ROUND, round),
    SCALAR(SIGN, sign), SCALAR(E, e), SCALAR(EXP, exp), SCALAR(LOG, log), SCALAR(LOG10, log10), SCALAR(SQRT, sqrt),
    SCALAR(ACOS, acos), SCALAR(ASIN, asin), SCALAR(ATAN, atan), SCALAR(ATAN2, atan2), SCALAR(COS, cos), SCALAR(COT, cot),
    SCALAR(DEGREES, degrees), SCALAR(HAVERSIN, haversin), SCALAR(PI, pi), SCALAR(RADIANS, radians), SCALAR(SIN, sin), SCALAR(TAN, tan),
    SCALAR(VECTOR_SIMILARITY_COSINE, cosine_similarity), SCALAR(VECTOR_SIMILARITY_EUCLIDEAN, euclidean_similarity),

    SCALAR(HEAD, head), SCALAR(LAST, last), SCALAR(TAIL, tail), SCALAR(RANGE, range), SCALAR(REVERSE, reverse), SCALAR(SIZE, size),
    SCALAR(IS_EMPTY, is_empty), SCALAR(TO_BOOLEAN_LIST, to_boolean_list), SCALAR(TO_FLOAT_LIST, to_float_list),
    SCALAR(TO_INTEGER_LIST, to_integer_list), SCALAR(TO_STRING_LIST, to_string_list),

    SCALAR(BTRIM, btrim), SCALAR(TRIM, btrim), SCALAR(LTRIM, ltrim), SCALAR(RTRIM, rtrim), SCALAR(LEFT, left), SCALAR(RIGHT, right),
    SCALAR(LOWER, lower), SCALAR(TO_LOWER, lower), SCALAR(UPPER, upper), SCALAR(TO_UPPER, upper), SCALAR(NORMALIZE, normalize),
    SCALAR(REPLACE, replace), SCALAR(SPLIT, split), SCALAR(SUBSTRING, substring), SCALAR(CHAR_LENGTH, char_length),
    SCALAR(CHARACTER_LENGTH, char_length),

    SCALAR(TO_BOOLEAN, to_boolean), SCALAR(TO_BOOLEAN_OR_NULL, to_boolean_or_null), SCALAR(TO_FLOAT, to_float),
    SCALAR(TO_FLOAT_OR_NULL, to_float_or_null), SCALAR(TO_INTEGER, to_integer), SCALAR(TO_INTEGER_OR_NULL, to_integer_or_null),
    SCALAR(TO_INT, to_integer), SCALAR(TO_STRING, to_string), SCALAR(TO_STRING_OR_NULL, to_string_or_null),
    NULLABLE(VALUE_TYPE, value_type), NULLABLE(NULL_IF, null_if), NULLABLE(EXISTS, exists),

    SCALAR(RANDOM_UUID, random_uuid), SCALAR(TIMESTAMP, timestamp),

    SCALAR(NODES, nodes), SCALAR(RELATIONSHIPS, relationships), SCALAR(RELS, relationships), SCALAR(LENGTH, length),
    COLUMNS(KEYS, keys), COLUMNS(LABELS, labels), COLUMNS(PROPERTIES, properties), COLUMNS(TYPE, type), COLUMNS(ID, id),
    COLUMNS(ELEMENT_ID, element_id), COLUMNS(START_NODE, start_node), COLUMNS(END_NODE, end_node),

    SCALAR(POINT, point), SCALAR(POINT_DISTANCE, point_distance), SCALAR(DISTANCE, point_distance),
    SCALAR(POINT_WITHIN_BBOX, point_within_bbox),

    SCALAR(DURATION, duration), SCALAR(DURATION_BETWEEN, duration_between), SCALAR(DURATION_IN_DAYS, duration_in_days),
    SCALAR(DURATION_IN_MONTHS, duration_in_months), SCALAR(DURATION_IN_SECONDS, duration_in_seconds),
    SCALAR(DATETIME_FROMEPOCH, datetime_from_epoch), SCALAR(DATETIME_FROMEPOCHMILLIS, datetime_from_epoch_millis),
    INSTANT(DATE, date), INSTANT(DATETIME, datetime), INSTANT(LOCAL_DATETIME, local_datetime), INSTANT(LOCAL_TIME, local_time),
    INSTANT(TIME, time),
};

enum err fn_wrong_type(struct eval *c, const char *function, const char *expected, struct value argument) {
  struct str text = value_describe(c->arena, argument);
  return error_set(c->error, ERR_TYPE, "Invalid input for function '%s()': Expected a %s, got: %.*s", function, expected, STR_ARG(text));
}

/// Calls for each row. `arguments` are columns of `rows` rows or constants.
static enum err call_rows(struct eval *c, const struct fn *fn, const struct vec *arguments, uint32_t n, uint32_t rows, struct vec *ret) {
  struct value *out, *values;
  TRY(eval_values(c, rows, &out));
  TRY(eval_values(c, n, &values));
  for (uint32_t i = 0; i < rows; i++) {
    bool null = false;
    for (uint32_t k = 0; k < n; k++) {
      values[k] = vec_get(&arguments[k], i);
      null |= v_is_null(values[k]);
    }
    out[i] = V_NULL;
    if (!null || (fn->flags & FN_TAKES_NULL) != 0) TRY(fn->scalar(c, values, n, &out[i]));
  }
  return eval_narrow(c, out, rows, ret);
}

static enum err call_user(struct eval *c, const struct cypher_function *signature, const struct vec *arguments, uint32_t n, uint32_t rows,
                          struct vec *ret) {
  const struct exec_function *function = signature->handle;
  struct exec_call call = {.function = signature, .tx = c->x->tx, .clock = &c->x->options.clock, .arena = c->arena,
                           .counters = &c->x->counters, .context = c->x->options.call_context};
  struct value *out, *values;
  TRY(eval_values(c, rows, &out));
  TRY(eval_values(c, n, &values));
  for (uint32_t i = 0; i < rows; i++) {
    for (uint32_t k = 0; k < n; k++) values[k] = vec_get(&arguments[k], i);
    TRY(function->call(&call, values, n, &out[i], c->error));
  }
  return eval_narrow(c, out, rows, ret);
}

/// exists(n.p) asks for the property; the argument is evaluated like any other.
static enum err call_built_in(struct eval *c, const struct ast *n, const struct vec *arguments, uint32_t count, uint32_t rows, struct vec *ret) {
  const struct fn *fn = &fn_table[n->function.signature->id];
  if (fn->columns != NULL) return fn->columns(c, arguments, count, rows, ret);
  if (fn->scalar != NULL) return call_rows(c, fn, arguments, count, rows, ret);
  return error_set(c->error, ERR_UNSUPPORTED, "The function %s() is not available on this server.", n->function.signature->name);
}

enum err eval_function(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  const struct cypher_function *signature = n->function.signature;
  if (signature->id == CYPHER_FN_COALESCE) return eval_coalesce(c, n, f, ret);
  uint32_t count = n->function.arguments.count, i = 0;
  struct vec *arguments = ARENA_ARRAY(c->arena, struct vec, count);
  if (arguments == NULL) return arena_err(c->arena, c->error);
  bool constant = (signature->flags & CYPHER_VOLATILE) == 0 && signature->id != CYPHER_FN_USER;
  AST_EACH(argument, n->function.arguments) {
    TRY(eval_expression(c, argument, f, &arguments[i]));
    constant &= arguments[i++].constant;
  }
  uint32_t rows = constant ? 1 : f->n;
  if (signature->id == CYPHER_FN_USER) {
    TRY(call_user(c, signature, arguments, count, rows, ret));
  } else {
    TRY(call_built_in(c, n, arguments, count, rows, ret));
  }
  ret->constant |= constant;
  return ERR_OK;
}
