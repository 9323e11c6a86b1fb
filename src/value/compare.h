// Cypher's three relations between values, and the hash that goes with the second.
//
// Equality (`=`) is three-valued: null where either side is or holds a null that decides. Equivalence (DISTINCT, grouping,
// keys of hash tables) is two-valued: null and NaN are equal to themselves. Ordering (ORDER BY, min, max) is total, across
// all types. Numbers compare exactly: 2^53 + 1 is not 9007199254740992.0. Entities compare by id, paths by the ids they hold.
// Pure functions; any thread. Nesting below VALUE_DEPTH_MAX levels is taken as equal: makers of values refuse to go there.
#pragma once

#include <stdint.h>

#include "value/logic.h"
#include "value/value.h"

/// `a = b`. Values of different types are not equal (integer and float are one type here); NaN is equal to nothing.
enum ternary value_equals(struct value a, struct value b);

/// One group, one key: value_order gives 0.
bool value_equivalent(struct value a, struct value b);

/// Negative, 0 or positive. Ascending: map, node, relationship, list, path, point, zoned datetime, local datetime, date,
/// zoned time, local time, duration, string, boolean, number, NaN, null. Source: the Cypher manual's "ordering of values".
int value_order(struct value a, struct value b);

enum value_comparison { VALUE_LESS, VALUE_LESS_OR_EQUAL, VALUE_GREATER, VALUE_GREATER_OR_EQUAL };

/// `a < b` and its kin. Null for values that do not compare: of different types, maps, entities, paths, and durations and points
/// unless they are equal. NaN compares false with every number.
enum ternary value_compare(enum value_comparison op, struct value a, struct value b);

/// `item IN list`, where `list` is a LIST or BYTES.
enum ternary value_in_list(struct value item, struct value list);

/// Equal for equivalent values. The same in every process of this version; never written to disk.
uint64_t value_hash(struct value v);

/// Exact order of an integer and a float that is not NaN.
int value_order_int_float(int64_t i, double f);
