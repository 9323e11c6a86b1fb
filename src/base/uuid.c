#include "base/uuid.h"

struct uuid uuid_of_random(struct uuid random) {
  random.bytes[6] = (random.bytes[6] & 0x0F) | 0x40;
  random.bytes[8] = (random.bytes[8] & 0x3F) | 0x80;
  return random;
}

struct uuid_text uuid_text(struct uuid u) {
  static const char digits[] = "0123456789abcdef";
  struct uuid_text text = {{0}};
  char *to = text.z;
  for (unsigned i = 0; i < UUID_BYTES; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = digits[u.bytes[i] >> 4];
    *to++ = digits[u.bytes[i] & 15];
  }
  return text;
}

struct uuid_text uuid_short(struct uuid u) {
  struct uuid_text text = uuid_text(u);
  text.z[8] = '\0';
  return text;
}
