// That a database differs here from what most members have (docs/adr/0014), kept over a restart: a server that is started again
// serves it no sooner than one that ran on. A small file in the database's folder (docs/formats/members.md). Private to dbms.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "os/disk.h"

enum { QUARANTINE_SOUND_MAX = 64 };

struct quarantine {
  bool on;
  bool kept;      // in the file
  uint64_t index; // what was applied when it was found out: a copy that mends it is not older
  uint32_t sound_count;
  uint64_t sound[QUARANTINE_SOUND_MAX]; // servers that have what most have: whoever mends it copies from these
};

/// Makes the file, durable, of a store of that generation in `folder`. Blocks for the disk; any thread that may, one at a time.
enum err quarantine_keep(struct disk *disk, const char *folder, uint64_t generation, const struct quarantine *q,
                         struct error *e) NODISCARD;

/// `ret->on` is false where there is no file, or one of another generation: what the database was taken out of then, or what it
/// founded, is not what its group holds now. ERR_CORRUPT: nobody can say what the file says. Blocks; as above.
enum err quarantine_find(struct disk *disk, const char *folder, uint64_t generation, struct quarantine *ret,
                         struct error *e) NODISCARD;

/// Removes the file, durably; none is fine. Blocks; as above.
enum err quarantine_end(struct disk *disk, const char *folder, struct error *e) NODISCARD;
