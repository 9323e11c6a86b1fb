// Conversions between types, valueType(), nullIf(), exists(), randomUUID().
#include <string.h>

#include "exec/exec_int.h"
#include "exec/fn.h"
#include "value/compare.h"
#include "value/text.h"

typedef enum err (*conversion)(struct value v, struct value *ret, struct error *e);

/// What does not convert is null: toIntegerOrNull() and its kin, and items of toIntegerList().
static enum err or_null(conversion convert, struct value v, struct value *ret) {
  *ret = V_NULL;
  if (convert(v, ret, NULL) != ERR_OK) *ret = V_NULL;
  return ERR_OK;
}

FN(to_boolean_or_null) {
  return or_null(text_to_boolean, arguments[0], ret);
}

FN(to_boolean) {
  return text_to_boolean(arguments[0], ret, c->error);
}

FN(to_float_or_null) {
  return or_null(text_to_float, arguments[0], ret);
}

FN(to_float) {
  return text_to_float(arguments[0], ret, c->error);
}

FN(to_integer_or_null) {
  return or_null(text_to_integer, arguments[0], ret);
}

FN(to_integer) {
  return text_to_integer(arguments[0], ret, c->error);
}

static bool has_text(struct value v) {
  return v.type == VALUE_BOOL || v.type == VALUE_INT || v.type == VALUE_FLOAT || v.type == VALUE_STRING || v.type == VALUE_POINT ||
         v.type == VALUE_DURATION || temporal_is_instant(v);
}

FN(to_string_or_null) {
  *ret = V_NULL;
  if (!has_text(arguments[0])) return ERR_OK;
  struct str s;
  TRY(text_of_value(c->arena, arguments[0], &s, c->error));
  *ret = v_str(s);
  return ERR_OK;
}

FN(to_string) {
  struct str s;
  TRY(text_of_value(c->arena, arguments[0], &s, c->error));
  *ret = v_str(s);
  return ERR_OK;
}

FN(null_if) {
  *ret = value_equals(arguments[0], arguments[1]) == TERNARY_TRUE ? V_NULL : arguments[0];
  return ERR_OK;
}

FN(exists) {
  *ret = v_bool(!v_is_null(arguments[0]));
  return ERR_OK;
}

/// Types in the order in which valueType() lists the alternatives of a list's elements.
static const uint8_t type_order[] = {VALUE_BOOL,     VALUE_STRING, VALUE_INT,  VALUE_FLOAT, VALUE_DATE, VALUE_LOCAL_TIME, VALUE_TIME,
                                     VALUE_LOCAL_DATETIME, VALUE_DATETIME, VALUE_DURATION, VALUE_POINT, VALUE_NODE, VALUE_REL, VALUE_MAP,
                                     VALUE_LIST, VALUE_PATH};

static enum err type_text(struct eval *c, const struct value *values, uint32_t n, bool not_null, int depth, struct str *ret);

/// "LIST<...>" of the lists among the values, as one type with all of their elements.
static enum err list_type(struct eval *c, const struct value *values, uint32_t n, int depth, struct str *ret) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < n; i++)
    if (values[i].type == VALUE_LIST) total += values[i].len;
  struct value *items = arena_array(c->arena, total, sizeof *items);
  if (items == NULL) return arena_err(c->arena, c->error);
  uint32_t at = 0;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t k = 0; values[i].type == VALUE_LIST && k < values[i].len; k++) items[at++] = values[i].items[k];
  struct str inner = STR("NOTHING");
  if (at > 0) TRY(type_text(c, items, at, false, depth + 1, &inner));
  *ret = arena_printf(c->arena, "LIST<%.*s>", STR_ARG(inner));
  return ret->ptr != NULL ? ERR_OK : arena_err(c->arena, c->error);
}

/// The smallest type that all of the values have: "INTEGER NOT NULL | STRING NOT NULL".
static enum err type_text(struct eval *c, const struct value *values, uint32_t n, bool not_null, int depth, struct str *ret) {
  uint32_t seen = 0;
  struct str out = STR("");
  for (uint32_t i = 0; i < n; i++) seen |= 1u << (values[i].type == VALUE_BYTES ? VALUE_LIST : values[i].type);
  if (seen == 1u << VALUE_NULL) {
    *ret = STR("NULL");
    return ERR_OK;
  }
  const char *suffix = not_null || (seen & 1u << VALUE_NULL) == 0 ? " NOT NULL" : "";
  for (size_t i = 0; i < ARRAY_SIZE(type_order); i++) {
    if ((seen >> type_order[i] & 1) == 0) continue;
    struct str name = str_of(value_type_name(type_order[i]));
    if (type_order[i] == VALUE_LIST) {
      if (depth > VALUE_DEPTH_MAX) return error_set(c->error, ERR_LIMIT, "The list is nested too deeply.");
      TRY(list_type(c, values, n, depth, &name));
    }
    out = arena_printf(c->arena, "%.*s%s%.*s%s", STR_ARG(out), out.len > 0 ? " | " : "", STR_ARG(name), suffix);
    if (out.ptr == NULL) return arena_err(c->arena, c->error);
  }
  *ret = out;
  return ERR_OK;
}

FN(value_type) {
  struct str text;
  TRY(type_text(c, arguments, 1, false, 0, &text));
  *ret = v_str(text);
  return ERR_OK;
}

/// Version 4 of RFC 9562: 122 random bits.
FN(random_uuid) {
  uint8_t b[16];
  char *out = arena_alloc(c->arena, 36);
  if (out == NULL) return arena_err(c->arena, c->error);
  c->x->options.random.fill(c->x->options.random.context, b, sizeof b);
  b[6] = (b[6] & 0x0F) | 0x40;
  b[8] = (b[8] & 0x3F) | 0x80;
  static const char digits[] = "0123456789abcdef";
  for (int i = 0, at = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
    out[at++] = digits[b[i] >> 4];
    out[at++] = digits[b[i] & 15];
  }
  *ret = v_str((struct str){out, 36});
  return ERR_OK;
}
