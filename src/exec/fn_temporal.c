// Temporal functions: which clock, which constructor. The calendar is in value/temporal.h.
#include "exec/exec_int.h"
#include "exec/fn.h"
#include "value/temporal.h"

enum clock_kind { CLOCK_STATEMENT, CLOCK_TRANSACTION, CLOCK_REALTIME };

static struct temporal_clock clock_of(struct eval *c, enum clock_kind kind) {
  const struct exec_clock *clock = &c->x->options.clock;
  if (kind == CLOCK_TRANSACTION) return exec_clock_of(c->x, clock->transaction);
  return exec_clock_of(c->x, kind == CLOCK_STATEMENT ? clock->statement : clock->now(clock->context));
}

/// date.realtime() and its kin, with an optional zone.
static enum err now(struct eval *c, enum value_type type, enum clock_kind kind, const struct value *arguments, uint32_t n, struct value *ret) {
  struct temporal_clock clock = clock_of(c, kind);
  if (n > 0) TRY(temporal_clock_in(clock, arguments[0], &clock, c->error));
  *ret = temporal_now(type, clock);
  return ERR_OK;
}

/// date() and its kin: now, or what the argument says.
static enum err make(struct eval *c, enum value_type type, const struct value *arguments, uint32_t n, struct value *ret) {
  struct temporal_clock clock = clock_of(c, CLOCK_STATEMENT);
  if (n > 0) return temporal_construct(type, arguments[0], clock, c->arena, ret, c->error);
  *ret = temporal_now(type, clock);
  return ERR_OK;
}

static enum err truncate_to(struct eval *c, enum value_type type, const struct value *arguments, uint32_t n, struct value *ret) {
  struct temporal_clock clock = clock_of(c, CLOCK_STATEMENT);
  *ret = V_NULL;
  if (v_is_null(arguments[0]) || (n > 1 && v_is_null(arguments[1]))) return ERR_OK;
  if (arguments[0].type != VALUE_STRING) return fn_wrong_type(c, "truncate", "String", arguments[0]);
  struct value from = n > 1 ? arguments[1] : temporal_now(type, clock);
  return temporal_truncate(type, v_text(arguments[0]), from, n > 2 ? arguments[2] : V_NULL, clock, ret, c->error);
}

#define INSTANT(fn, type)                                                            \
  FN(fn) {                                                                           \
    return make(c, type, arguments, n, ret);                                         \
  }                                                                                  \
  FN(fn##_realtime) {                                                                \
    return now(c, type, CLOCK_REALTIME, arguments, n, ret);                          \
  }                                                                                  \
  FN(fn##_statement) {                                                               \
    return now(c, type, CLOCK_STATEMENT, arguments, n, ret);                         \
  }                                                                                  \
  FN(fn##_transaction) {                                                             \
    return now(c, type, CLOCK_TRANSACTION, arguments, n, ret);                       \
  }                                                                                  \
  FN(fn##_truncate) {                                                                \
    return truncate_to(c, type, arguments, n, ret);                                  \
  }
INSTANT(date, VALUE_DATE)
INSTANT(datetime, VALUE_DATETIME)
INSTANT(local_datetime, VALUE_LOCAL_DATETIME)
INSTANT(local_time, VALUE_LOCAL_TIME)
INSTANT(time, VALUE_TIME)

FN(timestamp) {
  struct exec_instant at = c->x->options.clock.statement;
  *ret = v_int(at.seconds * 1000 + at.nanos / 1000000);
  return ERR_OK;
}

FN(duration) {
  return temporal_construct(VALUE_DURATION, arguments[0], clock_of(c, CLOCK_STATEMENT), c->arena, ret, c->error);
}

#define BETWEEN(fn, kind)                                                                        \
  FN(fn) {                                                                                       \
    return temporal_between(kind, arguments[0], arguments[1], c->arena, ret, c->error);          \
  }
BETWEEN(duration_between, TEMPORAL_BETWEEN)
BETWEEN(duration_in_months, TEMPORAL_IN_MONTHS)
BETWEEN(duration_in_days, TEMPORAL_IN_DAYS)
BETWEEN(duration_in_seconds, TEMPORAL_IN_SECONDS)

FN(datetime_from_epoch) {
  return temporal_from_epoch(arguments[0], arguments[1], ret, c->error);
}

FN(datetime_from_epoch_millis) {
  return temporal_from_epoch_millis(arguments[0], ret, c->error);
}
