// Time zones: offsets from UTC, fixed or by the rules of an IANA zone. The data is packed at build time from the zone files of
// the build machine, without the histories before 1970 that Debian adds (tools/pack_zones.py says why and how).
//
// A zone is an int32_t, the `aux` of a ZONED DATETIME: a fixed offset in seconds, or the id of a named zone. An id is a hash of
// the name, so that it is the same in every build and may be stored; a zone that this build does not know keeps its id but has no
// name. Pure functions over constant data; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum { ZONE_UTC = 0, ZONE_OFFSET_MAX_SECONDS = 18 * 3600, ZONE_ID_MIN = 1 << 22 };

static inline bool zone_is_id(int32_t zone) {
  return zone >= ZONE_ID_MIN;
}

/// "Z", "+01:00", "-0230", "+05", "+01:02:03", or the exact name of a zone. ERR_ARGUMENT for anything else.
enum err zone_parse(struct str text, int32_t *ret, struct error *e) NODISCARD;

/// The exact name of an IANA zone ("Europe/Stockholm"). ERR_ARGUMENT if there is none of that name.
enum err zone_find(struct str name, int32_t *ret, struct error *e) NODISCARD;

/// The name of a named zone, static; a NULL pointer for fixed offsets and unknown ids.
struct str zone_name(int32_t zone);

/// Offset from UTC in seconds at an instant (seconds since the epoch). Unknown ids count as UTC.
int32_t zone_offset_at(int32_t zone, int64_t utc_seconds);

/// Offset at a local time (seconds since the epoch as if it were UTC). Where clocks were put back and the time is twice there,
/// the earlier one counts; where they were put forward and it is not there, the offset before, which moves it behind the gap: as
/// java.time.
int32_t zone_offset_at_local(int32_t zone, int64_t local_seconds);

/// "Z", "+01:00", "-00:53:28" into `out`; returns the length. At most ZONE_OFFSET_TEXT bytes, no NUL.
enum { ZONE_OFFSET_TEXT = 9 };
size_t zone_offset_format(int32_t offset_seconds, char *out);

/// The release of the IANA data: "2024a".
const char *zone_version(void);
