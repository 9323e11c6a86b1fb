// Numeric, logarithmic and trigonometric functions, rand(), and the similarity of vectors.
#include <math.h>

#include "exec/exec_int.h"
#include "exec/fn.h"

static bool is_number(struct value v) {
  return v.type == VALUE_INT || v.type == VALUE_FLOAT;
}

static double number(struct value v) {
  return v.type == VALUE_INT ? (double) v.i : v.f;
}

#define NUMBER(function, v) \
  if (!is_number(v)) return fn_wrong_type(c, function, "Float or Integer", v)

/// Functions from a number to a float.
#define FLOAT_FUNCTION(fn, name, expression)  \
  FN(fn) {                                    \
    NUMBER(name, arguments[0]);               \
    double x = number(arguments[0]);          \
    *ret = v_float(expression);               \
    return ERR_OK;                            \
  }
FLOAT_FUNCTION(ceil, "ceil", ceil(x))
FLOAT_FUNCTION(floor, "floor", floor(x))
FLOAT_FUNCTION(exp, "exp", exp(x))
FLOAT_FUNCTION(log, "log", log(x))
FLOAT_FUNCTION(log10, "log10", log10(x))
FLOAT_FUNCTION(sqrt, "sqrt", sqrt(x))
FLOAT_FUNCTION(acos, "acos", acos(x))
FLOAT_FUNCTION(asin, "asin", asin(x))
FLOAT_FUNCTION(atan, "atan", atan(x))
FLOAT_FUNCTION(cos, "cos", cos(x))
FLOAT_FUNCTION(cot, "cot", 1 / tan(x))
FLOAT_FUNCTION(degrees, "degrees", x * (180 / M_PI))
FLOAT_FUNCTION(haversin, "haversin", (1 - cos(x)) / 2)
FLOAT_FUNCTION(radians, "radians", x / 180 * M_PI)
FLOAT_FUNCTION(sin, "sin", sin(x))
FLOAT_FUNCTION(tan, "tan", tan(x))

FN(atan2) {
  NUMBER("atan2", arguments[0]);
  NUMBER("atan2", arguments[1]);
  *ret = v_float(atan2(number(arguments[0]), number(arguments[1])));
  return ERR_OK;
}

FN(e) {
  *ret = v_float(M_E);
  return ERR_OK;
}

FN(pi) {
  *ret = v_float(M_PI);
  return ERR_OK;
}

/// The absolute value of -2^63 is no integer: Java's abs leaves it as it is, Neo4j's too.
FN(abs) {
  NUMBER("abs", arguments[0]);
  struct value v = arguments[0];
  *ret = v.type == VALUE_FLOAT ? v_float(fabs(v.f)) : v_int(v.i < 0 ? (int64_t) (0 - (uint64_t) v.i) : v.i);
  return ERR_OK;
}

FN(sign) {
  NUMBER("sign", arguments[0]);
  double x = number(arguments[0]);
  *ret = v_int((x > 0) - (x < 0));
  return ERR_OK;
}

FN(is_nan) {
  NUMBER("isNaN", arguments[0]);
  *ret = v_bool(arguments[0].type == VALUE_FLOAT && isnan(arguments[0].f));
  return ERR_OK;
}

FN(rand) {
  uint64_t bits;
  c->x->options.random.fill(c->x->options.random.context, &bits, sizeof bits);
  *ret = v_float((double) (bits >> 11) * 0x1p-53);
  return ERR_OK;
}

enum rounding { ROUND_UP, ROUND_DOWN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN };

static enum err rounding_of(struct eval *c, struct value v, enum rounding *ret) {
  static const char *const names[] = {"UP", "DOWN", "CEILING", "FLOOR", "HALF_UP", "HALF_DOWN", "HALF_EVEN"};
  if (v.type != VALUE_STRING) return fn_wrong_type(c, "round", "String", v);
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    if (str_eq_nocase(v_text(v), str_of(names[i]))) {
      *ret = (enum rounding) i;
      return ERR_OK;
    }
  return error_set(c->error, ERR_ARGUMENT, "Unknown rounding mode '%.*s'. Valid values are: CEILING, FLOOR, UP, DOWN, HALF_EVEN, HALF_UP, HALF_DOWN, UNNECESSARY",
                   STR_ARG(v_text(v)));
}

/// Halves go to the even neighbour; else to the nearer one.
static double round_half(double x, enum rounding mode) {
  double below = floor(x), fraction = x - below;
  if (fraction != 0.5) return fraction < 0.5 ? below : below + 1;
  if (mode == ROUND_HALF_EVEN) return fmod(below, 2) == 0 ? below : below + 1;
  bool away_from_zero = mode == ROUND_HALF_UP;
  return (x > 0) == away_from_zero ? below + 1 : below;
}

static double round_whole(double x, enum rounding mode) {
  switch (mode) {
  case ROUND_UP: return x > 0 ? ceil(x) : floor(x);
  case ROUND_DOWN: return trunc(x);
  case ROUND_CEILING: return ceil(x);
  case ROUND_FLOOR: return floor(x);
  default: return round_half(x, mode);
  }
}

/// As decimal places are meant: 1.005 to two places is decided by the shortest decimal form of the number, which is exact in long
/// double for every precision that a double holds.
static double round_places(double x, int places, enum rounding mode) {
  if (places > 15) return x;
  long double scale = powl(10, places), scaled = (long double) x * scale;
  double nearest = (double) scaled;
  return (double) ((long double) round_whole(nearest, mode) / scale);
}

FN(round) {
  NUMBER("round", arguments[0]);
  double x = number(arguments[0]);
  enum rounding mode = ROUND_HALF_UP;
  int64_t places = 0;
  if (n > 1) {
    NUMBER("round", arguments[1]);
    places = (int64_t) number(arguments[1]);
    if (places < 0) return error_set(c->error, ERR_ARGUMENT, "Precision argument to 'round()' cannot be negative");
  }
  if (n > 2) TRY(rounding_of(c, arguments[2], &mode));
  if (!isfinite(x)) {
    *ret = v_float(x);
  } else if (n == 1) {
    *ret = v_float(x - floor(x) >= 0.5 ? floor(x) + 1 : floor(x)); // halves go up, towards positive infinity
  } else {
    *ret = v_float(round_places(x, (int) MIN(places, 400), mode));
  }
  return ERR_OK;
}

/// Both vectors as lists of numbers of one length, else false: the similarity is null then.
static enum err check_vectors(struct eval *c, const char *function, struct value a, struct value b) {
  if (a.type != VALUE_LIST) return fn_wrong_type(c, function, "List<Integer | Float>", a);
  if (b.type != VALUE_LIST) return fn_wrong_type(c, function, "List<Integer | Float>", b);
  if (a.len == 0 || a.len != b.len)
    return error_set(c->error, ERR_ARGUMENT, "The vectors of '%s()' must have one length of at least 1, not %u and %u", function, a.len, b.len);
  for (uint32_t i = 0; i < a.len; i++) {
    NUMBER(function, a.items[i]);
    NUMBER(function, b.items[i]);
  }
  return ERR_OK;
}

FN(cosine_similarity) {
  struct value a = arguments[0], b = arguments[1];
  TRY(check_vectors(c, "vector.similarity.cosine", a, b));
  double dot = 0, aa = 0, bb = 0;
  for (uint32_t i = 0; i < a.len; i++) {
    double x = number(a.items[i]), y = number(b.items[i]);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (!(aa > 0 && bb > 0 && isfinite(aa) && isfinite(bb)))
    return error_set(c->error, ERR_ARGUMENT, "The vectors of 'vector.similarity.cosine()' must have a finite length above 0");
  *ret = v_float((1 + dot / (sqrt(aa) * sqrt(bb))) / 2);
  return ERR_OK;
}

FN(euclidean_similarity) {
  struct value a = arguments[0], b = arguments[1];
  TRY(check_vectors(c, "vector.similarity.euclidean", a, b));
  double sum = 0;
  for (uint32_t i = 0; i < a.len; i++) {
    double d = number(a.items[i]) - number(b.items[i]);
    sum += d * d;
  }
  *ret = v_float(1 / (1 + sum));
  return ERR_OK;
}
