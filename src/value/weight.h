// How much a list or a map holds when all its levels are written out.
//
// Values share their parts: `WITH [x, x] AS x`, forty times, takes a kilobyte and holds 2^40 values. Whatever walks it -
// equality, hashing, copying, sending - would not end in a lifetime and cannot be asked to stop. So whoever makes a container of
// other containers weighs it, which looks at its own items alone: the weight of a container is kept in the `aux` of its value,
// rounded down a little.
#pragma once

#include "value/value.h"

/// In units of 16 bytes, as a value in a list takes one: two gigabytes.
#define VALUE_WEIGHT_MAX (UINT64_C(1) << 27)

/// Weighs `*v`, a LIST or a MAP whose parts are final. ERR_LIMIT where it would hold too much; then it must not be used.
enum err value_weigh(struct value *v, struct error *e) NODISCARD;

/// Of any value. Walks through containers that nobody weighed.
uint64_t value_weight(struct value v);
