// What makes a cluster: who founded it, what it and its database `system` are called, and whose data it begins with. A value that never
// changes; bytes:
// docs/formats/members.md, "Founding". Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"

#define FOUNDERS_MAX 15u
#define FOUNDER_ADDRESS_BYTES 111u // with the final NUL: what a Raft membership takes

struct founder {
  struct uuid server;
  uint32_t number;
  char raft[FOUNDER_ADDRESS_BYTES];
};

struct founding {
  struct uuid cluster, system;
  uint64_t first_term;                   // in which its groups begin: entries of a later one come from elections
  uint64_t sequence;                     // of the identity of the founder, which is founders[0]
  uint32_t count;                        // 0: no founding
  uint32_t seed;                         // number of the founder whose databases it begins with; 0: it begins empty
  struct founder founders[FOUNDERS_MAX]; // ascending by uuid
};

#define FOUNDING_HEADER_BYTES 56u
#define FOUNDER_BYTES 136u
#define FOUNDING_BYTES_MAX (FOUNDING_HEADER_BYTES + FOUNDERS_MAX * FOUNDER_BYTES)

static inline size_t founding_bytes(const struct founding *f) {
  return FOUNDING_HEADER_BYTES + f->count * FOUNDER_BYTES;
}

/// Writes founding_bytes.
void founding_put(uint8_t *to, const struct founding *f);

/// Reads one that begins at `from` and sets `*ret_bytes`. ERR_CORRUPT: these bytes are none; everything is checked.
enum err founding_get(const uint8_t *from, size_t bytes, struct founding *ret, size_t *ret_bytes, struct error *e) NODISCARD;

/// NULL if that server is not one of them.
const struct founder *founding_find(const struct founding *f, struct uuid server);
