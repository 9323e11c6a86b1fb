// Universally unique identifiers as values (RFC 9562): 16 bytes that compare as a number, and their text. Where random ones come
// from is the caller's (os/random.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define UUID_BYTES 16u
#define UUID_TEXT_BYTES 37u // with the final NUL

struct uuid {
  uint8_t bytes[UUID_BYTES];
};

static inline int uuid_cmp(struct uuid a, struct uuid b) {
  return memcmp(a.bytes, b.bytes, UUID_BYTES);
}

static inline bool uuid_eq(struct uuid a, struct uuid b) {
  return uuid_cmp(a, b) == 0;
}

/// All zeros: no uuid.
static inline bool uuid_is_none(struct uuid u) {
  return uuid_eq(u, (struct uuid){{0}});
}

static inline struct uuid uuid_get(const void *from) {
  struct uuid u;
  memcpy(u.bytes, from, UUID_BYTES);
  return u;
}

static inline void uuid_put(void *to, struct uuid u) {
  memcpy(to, u.bytes, UUID_BYTES);
}

/// Makes of 16 random bytes an uuid of version 4.
struct uuid uuid_of_random(struct uuid random);

struct uuid_text {
  char z[UUID_TEXT_BYTES];
};

/// "6f1c2a34-0d5e-4b7a-8c9d-0123456789ab". Use as `uuid_text(u).z` within one expression.
struct uuid_text uuid_text(struct uuid u);
/// Its first eight digits, as log lines name a server: "6f1c2a34".
struct uuid_text uuid_short(struct uuid u);
/// Reads the text of uuid_text, letters of either case. False: it is none, and `*ret` is as before.
bool uuid_parse(struct str text, struct uuid *ret);
