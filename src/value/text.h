// Functions on text and between text and other values: toString(), toInteger(), toUpper(), substring(), split() and the rest.
//
// Lengths and positions count code points, as Neo4j's do. Results are in the arena or share bytes with the input. Input is UTF-8.
// Pure; any thread. Null arguments are the caller's: these functions take what is there.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"

// Conversions. ERR_TYPE for values of types that do not convert; a text that does not parse gives null.

/// toString(): numbers, booleans, text, temporal values, points.
enum err text_of_value(struct arena *a, struct value v, struct str *ret, struct error *e) NODISCARD;

/// Decimal digits; returns the length; no NUL.
enum { TEXT_INT_MAX = 20 };
size_t text_put_int(int64_t i, char out[TEXT_INT_MAX]);

/// A float as Java writes it: the shortest digits that read back as the same, 1.0, 1.0E10, NaN, -Infinity. Returns the length; no
/// NUL.
enum { TEXT_FLOAT_MAX = 32 };
size_t text_put_float(double f, char out[TEXT_FLOAT_MAX]);

/// toInteger(): "2.9" and 2.9 are 2, true is 1. ERR_TYPE also for text with a number that no integer holds.
enum err text_to_integer(struct value v, struct value *ret, struct error *e) NODISCARD;
enum err text_to_float(struct value v, struct value *ret, struct error *e) NODISCARD;
enum err text_to_boolean(struct value v, struct value *ret, struct error *e) NODISCARD;

/// All of `s` as a decimal float ("1", ".5", "1e-3"), with blanks around it if `trimmed`. False where it is none.
bool text_parse_float(struct str s, bool trimmed, double *ret);

// Case and form

enum err text_upper(struct arena *a, struct str s, struct str *ret, struct error *e) NODISCARD;
enum err text_lower(struct arena *a, struct str s, struct str *ret, struct error *e) NODISCARD;

/// normalize(): `form` is "NFC", "NFD", "NFKC" or "NFKD"; ERR_ARGUMENT for others.
enum err text_normalize(struct arena *a, struct str s, struct str form, struct str *ret, struct error *e) NODISCARD;

// Pieces

/// Code points: size() of a text.
uint32_t text_length(struct str s);

/// Shares bytes with `s`. What lies beyond the end is not there. ERR_ARGUMENT for negative numbers.
enum err text_substring(struct str s, int64_t start, int64_t length, struct str *ret, struct error *e) NODISCARD;
enum err text_left(struct str s, int64_t length, struct str *ret, struct error *e) NODISCARD;
enum err text_right(struct str s, int64_t length, struct str *ret, struct error *e) NODISCARD;

enum err text_reverse(struct arena *a, struct str s, struct str *ret, struct error *e) NODISCARD;

enum text_side { TEXT_LEFT = 1, TEXT_RIGHT = 2, TEXT_BOTH = 3 };

/// trim() and its kin without (white space as java.lang.Character has it) and with characters to take away.
struct str text_trim(struct str s, enum text_side side);
struct str text_trim_chars(struct str s, struct str chars, enum text_side side);

/// replace(): an empty `search` matches between all characters.
enum err text_replace(struct arena *a, struct str s, struct str search, struct str replacement, struct str *ret,
                      struct error *e) NODISCARD;

/// split(): `delimiters` is a STRING or a LIST of them; where several fit the first in the list cuts. An empty one cuts between
/// all characters. A LIST of STRINGs that share bytes with `s`. ERR_TYPE.
enum err text_split(struct arena *a, struct str s, struct value delimiters, struct value *ret, struct error *e) NODISCARD;
