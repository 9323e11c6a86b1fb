// Typed JSON of the Query API back to values: {"$type": "Date", "_value": "2024-01-01"}.
#include <stdlib.h>

#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text.h"
#include "wire/json.h"

struct context {
  struct arena *arena;
  int depth;
  struct error *e;
};

static enum err not_typed(struct context *c, const char *what) {
  return error_set(c->e, ERR_REQUEST_FORMAT, "Not typed JSON: %s.", what);
}

static enum err from_typed(struct context *c, struct value typed, struct value *ret);

static enum err from_list(struct context *c, struct value v, struct value *ret) {
  if (v.type != VALUE_LIST) return not_typed(c, "the value of a List is not a list");
  struct value *items = ARENA_ARRAY(c->arena, struct value, v.len);
  if (items == NULL) return arena_err(c->arena, c->e);
  for (uint32_t i = 0; i < v.len; i++) TRY(from_typed(c, v.items[i], &items[i]));
  *ret = v_list(items, v.len);
  return ERR_OK;
}

static enum err from_map(struct context *c, struct value v, struct value *ret) {
  if (v.type != VALUE_MAP) return not_typed(c, "the value of a Map is not an object");
  struct value_entry *entries = ARENA_ARRAY(c->arena, struct value_entry, v.len);
  if (entries == NULL) return arena_err(c->arena, c->e);
  for (uint32_t i = 0; i < v.len; i++) {
    entries[i].key = v.entries[i].key;
    TRY(from_typed(c, v.entries[i].value, &entries[i].value));
  }
  *ret = v_map(entries, v.len);
  return ERR_OK;
}

static enum err from_integer(struct context *c, struct value v, struct value *ret) {
  int64_t i;
  if (v.type != VALUE_STRING || !str_to_i64(v_text(v), &i))
    return not_typed(c, "the value of an Integer is not an integer in a string");
  *ret = v_int(i);
  return ERR_OK;
}

static enum err from_float(struct context *c, struct value v, struct value *ret) {
  struct value f = V_NULL;
  if (v.type == VALUE_STRING) TRY(text_to_float(v, &f, c->e));
  if (f.type != VALUE_FLOAT) return not_typed(c, "the value of a Float is not a number in a string");
  *ret = f;
  return ERR_OK;
}

static int base64_digit(char ch) {
  if (ch >= 'A' && ch <= 'Z') return ch - 'A';
  if (ch >= 'a' && ch <= 'z') return ch - 'a' + 26;
  if (ch >= '0' && ch <= '9') return ch - '0' + 52;
  return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/// RFC 4648 section 4, with its padding.
static enum err from_base64(struct context *c, struct value v, struct value *ret) {
  if (v.type != VALUE_STRING || v.len % 4 != 0) return not_typed(c, "the value of a Base64 is not base64 in a string");
  uint32_t padding = v.len == 0 ? 0 : (v.s[v.len - 1] == '=') + (v.s[v.len - 2] == '=');
  uint8_t *out = arena_alloc(c->arena, v.len / 4 * 3);
  if (out == NULL) return arena_err(c->arena, c->e);
  uint32_t len = 0, bits = 0;
  for (uint32_t i = 0; i < v.len; i++) {
    int digit = i >= v.len - padding ? 0 : base64_digit(v.s[i]);
    if (digit < 0) return not_typed(c, "the value of a Base64 is not base64 in a string");
    bits = bits << 6 | (uint32_t) digit;
    if (i % 4 != 3) continue;
    for (int shift = 16; shift >= 0; shift -= 8) out[len++] = (uint8_t) (bits >> shift);
  }
  *ret = v_bytes(out, len - padding);
  return ERR_OK;
}

/// A number of a WKT text, up to the next blank or parenthesis.
static bool take_coordinate(struct str *rest, double *ret) {
  *rest = str_trim(*rest);
  size_t len = 0;
  while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != ')') len++;
  if (!text_parse_float((struct str){rest->ptr, len}, false, ret)) return false;
  *rest = (struct str){rest->ptr + len, rest->len - len};
  return true;
}

static bool take_prefix(struct str *rest, struct str prefix) {
  *rest = str_trim(*rest);
  if (!str_starts(*rest, prefix)) return false;
  *rest = (struct str){rest->ptr + prefix.len, rest->len - prefix.len};
  return true;
}

/// "SRID=4326;POINT (1.5 2.5)", "SRID=4979;POINT Z (1 2 3)".
static bool parse_point(struct str text, struct value_point *ret) {
  struct str rest = text;
  if (!take_prefix(&rest, STR("SRID="))) return false;
  int64_t srid;
  if (!str_to_i64(str_cut(&rest, ';'), &srid) || srid < 0 || srid > UINT32_MAX) return false;
  *ret = (struct value_point){.srid = (uint32_t) srid};
  if (!take_prefix(&rest, STR("POINT"))) return false;
  bool is_3d = take_prefix(&rest, STR("Z"));
  if (!take_prefix(&rest, STR("(")) || !take_coordinate(&rest, &ret->x) || !take_coordinate(&rest, &ret->y)) return false;
  if (is_3d && !take_coordinate(&rest, &ret->z)) return false;
  return str_eq(str_trim(rest), STR(")")) && spatial_is_3d(ret->srid) == is_3d && spatial_in_range(ret);
}

static enum err from_point(struct context *c, struct value v, struct value *ret) {
  struct value_point p;
  if (v.type != VALUE_STRING || !parse_point(v_text(v), &p))
    return not_typed(c, "the value of a Point is not SRID=...;POINT (...)");
  struct value_point *copy = arena_copy(c->arena, &p, sizeof p);
  if (copy == NULL) return arena_err(c->arena, c->e);
  *ret = (struct value){.type = VALUE_POINT, .point = copy};
  return ERR_OK;
}

static enum err from_same(struct context *c, enum value_type type, struct value v, struct value *ret) {
  if (v.type != type) return not_typed(c, "a value does not have the type that it says");
  *ret = v;
  return ERR_OK;
}

static enum err from_time(struct context *c, enum value_type type, struct value v, struct value *ret) {
  if (v.type != VALUE_STRING) return not_typed(c, "the value of a temporal type is not a string");
  return temporal_construct(type, v, (struct temporal_clock){0}, c->arena, ret, c->e);
}

static enum err from_named(struct context *c, struct str type, struct value v, struct value *ret) {
  static const struct {
    const char *name;
    enum value_type type;
  } times[] = {{"Date", VALUE_DATE},
               {"Time", VALUE_TIME},
               {"LocalTime", VALUE_LOCAL_TIME},
               {"LocalDateTime", VALUE_LOCAL_DATETIME},
               {"OffsetDateTime", VALUE_DATETIME},
               {"ZonedDateTime", VALUE_DATETIME},
               {"Duration", VALUE_DURATION}};
  for (size_t i = 0; i < ARRAY_SIZE(times); i++)
    if (str_eqz(type, times[i].name)) return from_time(c, times[i].type, v, ret);
  if (str_eqz(type, "Null")) return from_same(c, VALUE_NULL, v, ret);
  if (str_eqz(type, "Boolean")) return from_same(c, VALUE_BOOL, v, ret);
  if (str_eqz(type, "String")) return from_same(c, VALUE_STRING, v, ret);
  if (str_eqz(type, "Integer")) return from_integer(c, v, ret);
  if (str_eqz(type, "Float")) return from_float(c, v, ret);
  if (str_eqz(type, "Base64")) return from_base64(c, v, ret);
  if (str_eqz(type, "Point")) return from_point(c, v, ret);
  if (str_eqz(type, "List")) return from_list(c, v, ret);
  if (str_eqz(type, "Map")) return from_map(c, v, ret);
  return error_set(c->e, ERR_REQUEST_FORMAT, "A parameter cannot have the type '%.*s'.", STR_ARG(type));
}

static enum err from_typed(struct context *c, struct value typed, struct value *ret) {
  const struct value *type = typed.type == VALUE_MAP ? value_map_get(typed, STR("$type")) : NULL;
  const struct value *v = typed.type == VALUE_MAP ? value_map_get(typed, STR("_value")) : NULL;
  if (type == NULL || v == NULL || type->type != VALUE_STRING || typed.len != 2)
    return not_typed(c, "expected an object of $type and _value");
  if (c->depth >= JSON_DEPTH_MAX) return not_typed(c, "it is nested too deep");
  c->depth++;
  TRY(from_named(c, v_text(*type), *v, ret));
  c->depth--;
  return ERR_OK;
}

enum err json_from_typed(struct arena *a, struct value typed, struct value *ret, struct error *e) {
  struct context c = {.arena = a, .e = e};
  struct value v = V_NULL;
  TRY(from_typed(&c, typed, &v));
  *ret = v;
  return ERR_OK;
}
