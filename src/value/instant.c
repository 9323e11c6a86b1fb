// What every temporal value has: its range.
#include "value/calendar_int.h"
#include "value/temporal.h"

enum err v_duration(struct arena *a, struct value_duration d, struct value *ret, struct error *e) {
  struct value_duration *copy = arena_copy(a, &d, sizeof d);
  if (copy == NULL) return arena_err(a, e);
  *ret = (struct value){.type = VALUE_DURATION, .duration = copy};
  return ERR_OK;
}

static bool local_seconds_in_range(int64_t seconds) {
  return seconds >= TEMPORAL_DATE_DAYS_MIN * CALENDAR_DAY_SECONDS &&
         seconds < (TEMPORAL_DATE_DAYS_MAX + 1) * CALENDAR_DAY_SECONDS;
}

static bool offset_in_range(int32_t seconds) {
  return seconds >= -ZONE_OFFSET_MAX_SECONDS && seconds <= ZONE_OFFSET_MAX_SECONDS;
}

static bool datetime_in_range(struct value v) {
  if (!zone_is_id(v.aux) && !offset_in_range(v.aux)) return false;
  // Checked before the offset is looked up and added, so that nothing overflows.
  if (!local_seconds_in_range(v.i)) return false;
  return v.len < NANOS_PER_SECOND && local_seconds_in_range(v.i + zone_offset_at(v.aux, v.i));
}

bool temporal_in_range(struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_DATE: return v.i >= TEMPORAL_DATE_DAYS_MIN && v.i <= TEMPORAL_DATE_DAYS_MAX;
  case VALUE_LOCAL_TIME: return v.i >= 0 && v.i <= TEMPORAL_TIME_NANOS_MAX;
  case VALUE_TIME: return v.i >= 0 && v.i <= TEMPORAL_TIME_NANOS_MAX && offset_in_range(v.aux);
  case VALUE_LOCAL_DATETIME: return v.len < NANOS_PER_SECOND && local_seconds_in_range(v.i);
  case VALUE_DATETIME: return datetime_in_range(v);
  case VALUE_DURATION: return v.duration->nanos >= 0 && v.duration->nanos < NANOS_PER_SECOND;
  default: return false;
  }
}
