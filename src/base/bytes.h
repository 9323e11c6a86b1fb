// Fixed-width integers in memory: `_be` big-endian (network: Bolt), `_le` little-endian (files). Unaligned is fine.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_DEFINE(bits)                                                     \
  static inline uint##bits##_t get_u##bits##_be(const void *p) {               \
    uint##bits##_t v;                                                          \
    memcpy(&v, p, sizeof v);                                                   \
    return __builtin_bswap##bits(v);                                           \
  }                                                                            \
  static inline uint##bits##_t get_u##bits##_le(const void *p) {               \
    uint##bits##_t v;                                                          \
    memcpy(&v, p, sizeof v);                                                   \
    return v;                                                                  \
  }                                                                            \
  static inline void put_u##bits##_be(void *p, uint##bits##_t v) {             \
    v = __builtin_bswap##bits(v);                                              \
    memcpy(p, &v, sizeof v);                                                   \
  }                                                                            \
  static inline void put_u##bits##_le(void *p, uint##bits##_t v) {             \
    memcpy(p, &v, sizeof v);                                                   \
  }

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian and mapped as they are");

BYTES_DEFINE(16)
BYTES_DEFINE(32)
BYTES_DEFINE(64)

#undef BYTES_DEFINE

/// Nothing but zeros; true of no bytes.
static inline bool bytes_are_zero(const uint8_t *p, size_t bytes) {
  return bytes == 0 || (p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
}
