// List functions, and what lists share with text and maps: size, reverse, isEmpty.
#include <string.h>

#include "exec/exec_int.h"
#include "exec/fn.h"
#include "value/text.h"

static bool is_list(struct value v) {
  return v.type == VALUE_LIST || v.type == VALUE_BYTES;
}

static struct value item(struct value list, uint32_t i) {
  return list.type == VALUE_BYTES ? v_int((int8_t) list.bytes[i]) : list.items[i];
}

FN(head) {
  if (!is_list(arguments[0])) return fn_wrong_type(c, "head", "List<Any>", arguments[0]);
  *ret = arguments[0].len > 0 ? item(arguments[0], 0) : V_NULL;
  return ERR_OK;
}

FN(last) {
  if (!is_list(arguments[0])) return fn_wrong_type(c, "last", "List<Any>", arguments[0]);
  *ret = arguments[0].len > 0 ? item(arguments[0], arguments[0].len - 1) : V_NULL;
  return ERR_OK;
}

FN(tail) {
  if (!is_list(arguments[0])) return fn_wrong_type(c, "tail", "List<Any>", arguments[0]);
  *ret = arguments[0];
  if (ret->len == 0) return ERR_OK;
  ret->len--;
  if (ret->type == VALUE_LIST) ret->items++;
  if (ret->type == VALUE_BYTES) ret->bytes++;
  return ERR_OK;
}

/// Number of integers from `from` to `to` in steps of `step`.
static uint64_t range_length(int64_t from, int64_t to, int64_t step) {
  if (step > 0) return from > to ? 0 : ((uint64_t) to - (uint64_t) from) / (uint64_t) step + 1;
  return from < to ? 0 : ((uint64_t) from - (uint64_t) to) / (0 - (uint64_t) step) + 1;
}

FN(range) {
  for (uint32_t i = 0; i < n; i++)
    if (arguments[i].type != VALUE_INT) return fn_wrong_type(c, "range", "Integer", arguments[i]);
  int64_t from = arguments[0].i, to = arguments[1].i, step = n > 2 ? arguments[2].i : 1;
  if (step == 0) return error_set(c->error, ERR_ARGUMENT, "Step argument to 'range()' cannot be zero");
  uint64_t len = range_length(from, to, step);
  if (len - 1 >= UINT32_MAX - 1 && len != 0) return error_set(c->error, ERR_ARGUMENT, "The list of 'range()' would have more than 2^32 items");
  struct value *items;
  TRY(eval_values(c, (uint32_t) len, &items));
  for (uint32_t i = 0; i < len; i++) items[i] = v_int((int64_t) ((uint64_t) from + (uint64_t) step * i));
  *ret = v_list(items, (uint32_t) len);
  return ERR_OK;
}

FN(reverse) {
  struct value v = arguments[0];
  if (v.type == VALUE_STRING) {
    struct str out;
    TRY(text_reverse(c->arena, v_text(v), &out, c->error));
    *ret = v_str(out);
    return ERR_OK;
  }
  if (!is_list(v)) return fn_wrong_type(c, "reverse", "List<Any> or String", v);
  struct value *items;
  TRY(eval_values(c, v.len, &items));
  for (uint32_t i = 0; i < v.len; i++) items[i] = item(v, v.len - 1 - i);
  *ret = v_list(items, v.len);
  return ERR_OK;
}

FN(size) {
  struct value v = arguments[0];
  if (v.type != VALUE_STRING && !is_list(v)) return fn_wrong_type(c, "size", "List<Any> or String", v);
  *ret = v_int(v.type == VALUE_STRING ? text_length(v_text(v)) : v.len);
  return ERR_OK;
}

FN(is_empty) {
  struct value v = arguments[0];
  if (v.type != VALUE_STRING && v.type != VALUE_MAP && !is_list(v)) return fn_wrong_type(c, "isEmpty", "List<Any>, Map or String", v);
  *ret = v_bool(v.len == 0);
  return ERR_OK;
}

static enum err convert_items(struct eval *c, const char *name, fn_scalar convert, struct value list, struct value *ret) {
  if (!is_list(list)) return fn_wrong_type(c, name, "List<Any>", list);
  struct value *items;
  TRY(eval_values(c, list.len, &items));
  for (uint32_t i = 0; i < list.len; i++) {
    struct value one = item(list, i);
    items[i] = V_NULL;
    if (!v_is_null(one)) TRY(convert(c, &one, 1, &items[i]));
  }
  *ret = v_list(items, list.len);
  return ERR_OK;
}

FN(to_boolean_list) {
  return convert_items(c, "toBooleanList", fn_to_boolean_or_null, arguments[0], ret);
}

FN(to_float_list) {
  return convert_items(c, "toFloatList", fn_to_float_or_null, arguments[0], ret);
}

FN(to_integer_list) {
  return convert_items(c, "toIntegerList", fn_to_integer_or_null, arguments[0], ret);
}

FN(to_string_list) {
  return convert_items(c, "toStringList", fn_to_string_or_null, arguments[0], ret);
}
