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

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool uuid_parse(struct str text, struct uuid *ret) {
  struct uuid u = {{0}};
  if (text.len != UUID_TEXT_BYTES - 1) return false;
  for (size_t i = 0, nibble = 0; i < text.len; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    int digit = digit_of(text.ptr[i]);
    if (dash ? text.ptr[i] != '-' : digit < 0) return false;
    if (dash) continue;
    u.bytes[nibble / 2] |= (uint8_t) (digit << (nibble % 2 == 0 ? 4 : 0));
    nibble++;
  }
  *ret = u;
  return true;
}
