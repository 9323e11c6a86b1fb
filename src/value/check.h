// Is a value what value.h promises? For tests, fuzzers and debug builds where values change hands.
#pragma once

#include "base/error.h"
#include "value/value.h"
#include "value/vec.h"

/// ERR_CORRUPT with the reason: unknown types, text that is not UTF-8, unsorted or double keys, temporal values and points out of
/// range, nesting beyond VALUE_DEPTH_MAX, paths whose relationships do not meet their nodes.
enum err value_check(struct value v, struct error *e) NODISCARD;

/// The same for a column: each value, and null bytes that are 0 or 1.
enum err vec_check(const struct vec *v, uint32_t rows, struct error *e) NODISCARD;
