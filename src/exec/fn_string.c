// String functions: checks of arguments in front of value/text.h.
#include "exec/exec_int.h"
#include "exec/fn.h"
#include "value/text.h"

#define TEXT(function, v) \
  if ((v).type != VALUE_STRING) return fn_wrong_type(c, function, "String", v)
#define WHOLE(function, v) \
  if ((v).type != VALUE_INT) return fn_wrong_type(c, function, "Integer", v)

static enum err trim(struct eval *c, const char *name, const struct value *arguments, uint32_t n, enum text_side side, struct value *ret) {
  TEXT(name, arguments[0]);
  struct str s = v_text(arguments[0]);
  if (n > 1) TEXT(name, arguments[1]);
  *ret = v_str(n > 1 ? text_trim_chars(s, v_text(arguments[1]), side) : text_trim(s, side));
  return ERR_OK;
}

FN(btrim) {
  return trim(c, "btrim", arguments, n, TEXT_BOTH, ret);
}

FN(ltrim) {
  return trim(c, "ltrim", arguments, n, TEXT_LEFT, ret);
}

FN(rtrim) {
  return trim(c, "rtrim", arguments, n, TEXT_RIGHT, ret);
}

FN(char_length) {
  TEXT("char_length", arguments[0]);
  *ret = v_int(text_length(v_text(arguments[0])));
  return ERR_OK;
}

FN(left) {
  TEXT("left", arguments[0]);
  WHOLE("left", arguments[1]);
  struct str out;
  TRY(text_left(v_text(arguments[0]), arguments[1].i, &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(right) {
  TEXT("right", arguments[0]);
  WHOLE("right", arguments[1]);
  struct str out;
  TRY(text_right(v_text(arguments[0]), arguments[1].i, &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(substring) {
  TEXT("substring", arguments[0]);
  WHOLE("substring", arguments[1]);
  if (n > 2) WHOLE("substring", arguments[2]);
  struct str out;
  TRY(text_substring(v_text(arguments[0]), arguments[1].i, n > 2 ? arguments[2].i : INT64_MAX, &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(lower) {
  TEXT("toLower", arguments[0]);
  struct str out;
  TRY(text_lower(c->arena, v_text(arguments[0]), &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(upper) {
  TEXT("toUpper", arguments[0]);
  struct str out;
  TRY(text_upper(c->arena, v_text(arguments[0]), &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(normalize) {
  TEXT("normalize", arguments[0]);
  if (n > 1) TEXT("normalize", arguments[1]);
  struct str out;
  TRY(text_normalize(c->arena, v_text(arguments[0]), n > 1 ? v_text(arguments[1]) : STR("NFC"), &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(replace) {
  for (uint32_t i = 0; i < n; i++) TEXT("replace", arguments[i]);
  struct str out;
  TRY(text_replace(c->arena, v_text(arguments[0]), v_text(arguments[1]), v_text(arguments[2]), &out, c->error));
  *ret = v_str(out);
  return ERR_OK;
}

FN(split) {
  TEXT("split", arguments[0]);
  return text_split(c->arena, v_text(arguments[0]), arguments[1], ret, c->error);
}
