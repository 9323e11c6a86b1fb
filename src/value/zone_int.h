// The packed zone table: tools/pack_zones.py writes it at build time.
#pragma once

#include <stdint.h>

/// "The `weekday` (0 Sunday) of week `week` (5: the last) of `month` at `seconds` after midnight". Month 0: no such day.
struct zone_rule_day {
  uint8_t month, week, weekday;
  int32_t seconds;
};

struct zone_table {
  uint32_t first, count;           // its slice of zone_instants and zone_offsets
  int32_t initial;                 // the offset before the first transition
  int32_t standard, daylight;      // the offsets behind the last one: daylight from `begin` to `end` of each year
  struct zone_rule_day begin, end; // begin in standard time, end in daylight time
};

struct zone_entry {
  const char *name;
  int32_t id;
  uint16_t table;
};

extern const char zone_data_version[];
extern const uint32_t zone_count;
extern const struct zone_entry zone_entries[]; // by name
extern const uint16_t zone_entries_by_id[];    // numbers of entries, by id
extern const struct zone_table zone_tables[];
extern const int64_t zone_instants[]; // seconds since the epoch, UTC
extern const int32_t zone_offsets[];  // from that instant on
