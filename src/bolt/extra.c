#include "bolt/extra.h"

static const struct value *find(struct value map, struct str key) {
  const struct value *v = value_map_get(map, key);
  return v == NULL || v_is_null(*v) ? NULL : v;
}

static enum err wrong_type(struct error *e, struct str key, const char *expected, struct value got) {
  return error_set(e, ERR_PROTOCOL, "'%.*s' must be %s, not %s", STR_ARG(key), expected,
                   value_type_name((enum value_type) got.type));
}

enum err bolt_extra_str(struct value map, struct str key, struct str *ret, struct error *e) {
  const struct value *v = find(map, key);
  if (v == NULL) return ERR_OK;
  if (v->type != VALUE_STRING) return wrong_type(e, key, "a String", *v);
  *ret = v_text(*v);
  return ERR_OK;
}

enum err bolt_extra_int(struct value map, struct str key, int64_t *ret, struct error *e) {
  const struct value *v = find(map, key);
  if (v == NULL) return ERR_OK;
  if (v->type != VALUE_INT) return wrong_type(e, key, "an Integer", *v);
  *ret = v->i;
  return ERR_OK;
}

enum err bolt_extra_bool(struct value map, struct str key, bool *ret, struct error *e) {
  const struct value *v = find(map, key);
  if (v == NULL) return ERR_OK;
  if (v->type != VALUE_BOOL) return wrong_type(e, key, "a Boolean", *v);
  *ret = v->b;
  return ERR_OK;
}

enum err bolt_extra_map(struct value map, struct str key, struct value *ret, struct error *e) {
  const struct value *v = find(map, key);
  if (v == NULL) return ERR_OK;
  if (v->type != VALUE_MAP) return wrong_type(e, key, "a Dictionary", *v);
  *ret = *v;
  return ERR_OK;
}

enum err bolt_strs(struct value list, struct str name, struct arena *arena, const struct str **ret, uint32_t *ret_count,
                   struct error *e) {
  if (list.type != VALUE_LIST) return wrong_type(e, name, "a List of Strings", list);
  struct str *texts = ARENA_ARRAY(arena, struct str, list.len);
  if (texts == NULL) return arena_err(arena, e);
  uint32_t count = 0;
  for (uint32_t i = 0; i < list.len; i++) {
    struct value item = list.items[i];
    if (v_is_null(item)) continue;
    if (item.type != VALUE_STRING) return wrong_type(e, name, "a List of Strings", item);
    if (item.len > 0) texts[count++] = v_text(item);
  }
  *ret = texts;
  *ret_count = count;
  return ERR_OK;
}

enum err bolt_extra_strs(struct value map, struct str key, struct arena *arena, const struct str **ret, uint32_t *ret_count,
                         bool *ret_present, struct error *e) {
  const struct value *v = find(map, key);
  if (v == NULL) return ERR_OK;
  TRY(bolt_strs(*v, key, arena, ret, ret_count, e));
  if (ret_present != NULL) *ret_present = true;
  return ERR_OK;
}
