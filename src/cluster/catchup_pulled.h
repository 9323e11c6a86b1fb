// What a pull brought (catchup_client_events.pulled), looked at before it goes into a log: pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/log.h"

/// The last entry of the log that pulls.
struct catchup_place {
  uint64_t index, term;
};

/// Reads `count` entries into `ret`; their texts point into `bytes`. They follow the place one by one, in terms that do not fall,
/// and all of them are committed, as the answer says: otherwise ERR_CORRUPT says what is wrong, and nothing of the answer may be
/// used.
enum err catchup_pulled_read(struct catchup_place after, uint64_t commit_index, uint32_t count, const uint8_t *bytes, size_t size,
                             struct log_entry *ret, struct error *e) NODISCARD;
