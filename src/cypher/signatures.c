#include "cypher/signatures.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"

static const struct cypher_function functions[CYPHER_FUNCTION_COUNT] = {
#define CYPHER_FUNCTION_ROW(id, name, group, min, max, arguments, result, element, rule, flags, signature) \
  [CYPHER_FN_##id] = {CYPHER_FN_##id, min, max, rule, flags, name, group, signature, arguments, result, element, NULL},
    CYPHER_FUNCTIONS(CYPHER_FUNCTION_ROW)
#undef CYPHER_FUNCTION_ROW
};

static const uint8_t name_lengths[CYPHER_FUNCTION_COUNT] = {
#define CYPHER_FUNCTION_LENGTH(id, name, group, min, max, arguments, result, element, rule, flags, signature) sizeof(name) - 1,
    CYPHER_FUNCTIONS(CYPHER_FUNCTION_LENGTH)
#undef CYPHER_FUNCTION_LENGTH
};

const struct cypher_function *cypher_function_find(struct str name) {
  for (size_t i = 0; i < CYPHER_FUNCTION_COUNT; i++) {
    if (name_lengths[i] != name.len || (functions[i].name[0] | 0x20) != (name.ptr[0] | 0x20)) continue;
    if (str_eq_nocase(name, (struct str){functions[i].name, name_lengths[i]})) return &functions[i];
  }
  return NULL;
}

const struct cypher_function *cypher_function_of(enum cypher_function_id id) {
  assert(id < CYPHER_FUNCTION_COUNT);
  return &functions[id];
}

static const char *const type_names[CYPHER_TYPE_BITS] = {
#define CYPHER_TYPE_NAME(name, text) [CYPHER_BIT_##name] = text,
    CYPHER_TYPES(CYPHER_TYPE_NAME)
#undef CYPHER_TYPE_NAME
};

static struct str list_text(struct arena *a, cypher_types element) {
  if (element == CYPHER_ANY || element == 0) return STR("List<Any>");
  struct str inner = cypher_types_text(a, element, CYPHER_ANY);
  return inner.ptr != NULL ? arena_printf(a, "List<%.*s>", STR_ARG(inner)) : STR_NONE;
}

struct str cypher_types_text(struct arena *a, cypher_types types, cypher_types element) {
  if (types == CYPHER_ANY) return STR("Any");
  if (types == 0) return STR("Null");
  struct str text = STR("");
  cypher_types left = types;
  for (unsigned bit = 0; bit < CYPHER_TYPE_BITS; bit++) {
    if ((left >> bit & 1) == 0) continue;
    left &= ~(1u << bit);
    struct str name = bit == CYPHER_BIT_LIST ? list_text(a, element) : str_of(type_names[bit]);
    const char *between = text.len == 0 ? "" : left == 0 ? " or " : ", ";
    text = arena_printf(a, "%.*s%s%.*s", STR_ARG(text), between, STR_ARG(name));
    if (text.ptr == NULL) return STR_NONE;
  }
  return text;
}
