// The starts of a server, by which it is noticed that its data folder was put back from an older copy (docs/adr/0016): each start
// has a number, the epoch of its identity, and a mark, a random number that no other start has; and while it lasts it moves, each
// time after something was promised. The others keep the last start of each server that they have met, and how far it had moved
// (cluster/known_starts.h), and say so when they meet again: whoever has not had that start, or has not moved as far in it, is a
// copy from before. Bytes: docs/formats/members.md, "Starts".
//
// Thread: one at a time. What waits for the disk says so.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "os/disk.h"
#include "os/random.h"

#define STARTS_FILE "server_starts"

enum { STARTS_KEPT = 64 };
#define STARTS_NUMBER_MAX UINT32_MAX // of a number that somebody else may name: it becomes part of member ids
#define STARTS_MOVES_MAX UINT32_MAX

struct start {
  uint64_t number; // 0: none
  uint64_t mark;   // not 0
  uint32_t moves;  // so often it has moved; not in the file of starts
};

/// A value.
struct starts {
  uint32_t count;
  struct start last[STARTS_KEPT]; // ascending; the last one is that of this process
  uint64_t renewal; // number above which this server began anew, since its data were an older copy: what its groups have here from
                    // before is another member's. 0: never
  bool renewing;    // and which databases there are is not known to be the latest yet
};

/// This start, `number`, joins those in the folder's file; `*ret` is on the disk. Starts of another server there are as none. Where the file
/// knows later starts, the identity was put back alone: `*ret_older` is the latest. ERR_CORRUPT, ERR_UNSUPPORTED: the message names the
/// file and the way out; ERR_IO, ERR_NOSPC. Waits for the disk.
enum err starts_begin(struct disk *d, const char *folder, struct uuid server, uint64_t number, struct random_source *random,
                      struct starts *ret, struct start *ret_older, struct error *e) NODISCARD;

/// This server's data are an older copy: it begins anew above `number`. Returns when that is durable.
enum err starts_renew(struct disk *d, const char *folder, struct uuid server, uint64_t number, struct starts *s, struct error *e) NODISCARD;
/// It knows now which databases there are: the same.
enum err starts_settle(struct disk *d, const char *folder, struct uuid server, struct starts *s, struct error *e) NODISCARD;

/// The start of this process.
static inline struct start starts_now(const struct starts *s) {
  return s->count > 0 ? s->last[s->count - 1] : (struct start){0};
}

/// Whether a start that others know of is one that these data have not had, or has moved further than they know: they are from
/// before that. Pure.
bool starts_are_older(const struct starts *s, struct start known);
