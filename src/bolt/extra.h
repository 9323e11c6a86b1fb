// Reading the dictionaries of messages: each function takes one key, leaves `ret` as it is where the key is absent or null, and
// fails with ERR_PROTOCOL where the value has another type.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "value/value.h"

enum err bolt_extra_str(struct value map, struct str key, struct str *ret, struct error *e) NODISCARD;
enum err bolt_extra_int(struct value map, struct str key, int64_t *ret, struct error *e) NODISCARD;
enum err bolt_extra_bool(struct value map, struct str key, bool *ret, struct error *e) NODISCARD;
enum err bolt_extra_map(struct value map, struct str key, struct value *ret, struct error *e) NODISCARD;

/// A List of Strings; nulls and empty Strings in it are left out. `ret_present` (may be NULL) tells an empty list from none.
enum err bolt_extra_strs(struct value map, struct str key, struct arena *arena, const struct str **ret, uint32_t *ret_count,
                         bool *ret_present, struct error *e) NODISCARD;

/// The same for a list that is no dictionary's value; `name` is for the message.
enum err bolt_strs(struct value list, struct str name, struct arena *arena, const struct str **ret, uint32_t *ret_count,
                   struct error *e) NODISCARD;
