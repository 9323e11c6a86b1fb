// Built-in functions: one implementation for each row of cypher's table that is not aggregating.
//
// Most work on single values; what reads the graph works on columns, because the graph is read in batches.
#pragma once

#include "exec/eval.h"

/// `arguments` has as many values as the call, none null unless the row of the table says FN_TAKES_NULL.
typedef enum err (*fn_scalar)(struct eval *c, const struct value *arguments, uint32_t n, struct value *ret);
/// Columns of `rows` rows (or constant ones).
typedef enum err (*fn_columns)(struct eval *c, const struct vec *arguments, uint32_t n, uint32_t rows, struct vec *ret);

enum fn_flag {
  FN_TAKES_NULL = 1, // else a null argument gives null without a call
};

struct fn {
  fn_scalar scalar;   // one of the two,
  fn_columns columns; // or neither for coalesce, which eval_coalesce does
  uint8_t flags;
};

/// By id; a row without any function is one that this server does not have.
extern const struct fn fn_table[CYPHER_FUNCTION_COUNT];

/// "Type mismatch ..." for argument `argument` of the function of that name.
enum err fn_wrong_type(struct eval *c, const char *function, const char *expected, struct value argument);

#define FN(name) enum err fn_##name(struct eval *c, const struct value *arguments, uint32_t n, struct value *ret)
#define FN_COLUMNS(name) enum err fn_##name(struct eval *c, const struct vec *arguments, uint32_t n, uint32_t rows, struct vec *ret)

/* math */
FN(abs); FN(ceil); FN(floor); FN(is_nan); FN(rand); FN(round); FN(sign); FN(e); FN(exp); FN(log); FN(log10); FN(sqrt);
FN(acos); FN(asin); FN(atan); FN(atan2); FN(cos); FN(cot); FN(degrees); FN(haversin); FN(pi); FN(radians); FN(sin); FN(tan);
FN(cosine_similarity); FN(euclidean_similarity);
/* lists */
FN(head); FN(last); FN(tail); FN(range); FN(reverse); FN(size); FN(is_empty);
FN(to_boolean_list); FN(to_float_list); FN(to_integer_list); FN(to_string_list);
/* text */
FN(btrim); FN(ltrim); FN(rtrim); FN(left); FN(right); FN(lower); FN(upper); FN(normalize); FN(replace); FN(split); FN(substring); FN(char_length);
/* conversion */
FN(to_boolean); FN(to_boolean_or_null); FN(to_float); FN(to_float_or_null); FN(to_integer); FN(to_integer_or_null); FN(to_string);
FN(to_string_or_null); FN(value_type); FN(null_if); FN(exists);
/* scalar */
FN(random_uuid); FN(timestamp);
/* graph and paths */
FN(nodes); FN(relationships); FN(length);
FN_COLUMNS(keys); FN_COLUMNS(labels); FN_COLUMNS(properties); FN_COLUMNS(type); FN_COLUMNS(id); FN_COLUMNS(element_id);
FN_COLUMNS(start_node); FN_COLUMNS(end_node);
/* spatial */
FN(point); FN(point_distance); FN(point_within_bbox);
/* temporal */
FN(duration); FN(duration_between); FN(duration_in_days); FN(duration_in_months); FN(duration_in_seconds);
FN(datetime_from_epoch); FN(datetime_from_epoch_millis);
#define FN_INSTANT(type) FN(type); FN(type##_realtime); FN(type##_statement); FN(type##_transaction); FN(type##_truncate)
FN_INSTANT(date); FN_INSTANT(datetime); FN_INSTANT(local_datetime); FN_INSTANT(local_time); FN_INSTANT(time);
