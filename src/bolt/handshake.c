#include "bolt/handshake.h"

#include <string.h>

#include "base/bytes.h"

const char bolt_magic[4] = {0x60, 0x60, (char) 0xb0, 0x17};

enum { SLOTS = 4, SLOT_BYTES = 4, OPENING_BYTES = 4 + SLOTS * SLOT_BYTES, VARINT_BYTES_MAX = 10, MANIFEST_MAJOR = 0xff };

int bolt_varint_read(const uint8_t *bytes, size_t len, uint64_t *ret) {
  uint64_t value = 0;
  for (int i = 0; i < VARINT_BYTES_MAX; i++) {
    if ((size_t) i == len) return 0;
    if (i == VARINT_BYTES_MAX - 1 && bytes[i] > 1) return -1; // bit 64 and above
    value |= (uint64_t) (bytes[i] & 0x7f) << (7 * i);
    if (bytes[i] < 0x80) {
      *ret = value;
      return i + 1;
    }
  }
  return -1;
}

static void offer_manifest(struct bolt_handshake *h) {
  h->answer = bolt_version_manifest();
  h->by_manifest = true;
  h->in_len = 0;
  h->state = BOLT_HANDSHAKE_CHOICE;
}

static void choose(struct bolt_handshake *h, const struct bolt_version *version) {
  put_u32_be(h->version_answer, version == NULL ? 0 : (uint32_t) version->minor << 8 | version->major);
  h->answer = (struct str){h->version_answer, sizeof h->version_answer};
  h->version = version;
  h->state = version == NULL ? BOLT_HANDSHAKE_REFUSED : BOLT_HANDSHAKE_DONE;
}

/// Slots come in the client's order of preference: [reserved][range][minor][major].
static void answer_slots(struct bolt_handshake *h) {
  for (const uint8_t *slot = h->in + 4; slot < h->in + OPENING_BYTES; slot += SLOT_BYTES) {
    uint8_t range = slot[1], minor = slot[2], major = slot[3];
    if (get_u32_be(slot) == 0x000001ff) {
      offer_manifest(h);
      return;
    }
    if (major == MANIFEST_MAJOR || major == 0) continue; // a manifest that we do not know; an unused slot
    const struct bolt_version *found = bolt_version_best(major, minor > range ? minor - range : 0, minor);
    if (found == NULL) continue;
    choose(h, found);
    return;
  }
  choose(h, NULL);
}

/// [00 00 minor major] and the client's capabilities, of which we offered none.
static void read_choice(struct bolt_handshake *h) {
  uint64_t capabilities;
  if (h->in_len < SLOT_BYTES) return;
  int taken = bolt_varint_read(h->in + SLOT_BYTES, h->in_len - SLOT_BYTES, &capabilities);
  if (taken == 0) return;
  // Versions 1 and 2 and the minors between are not in our manifest.
  const struct bolt_version *v = h->in[3] >= 3 ? bolt_version_find(h->in[3], h->in[2]) : NULL;
  bool acceptable = taken > 0 && capabilities == 0 && h->in[0] == 0 && h->in[1] == 0 && v != NULL;
  h->version = acceptable ? v : NULL;
  h->state = acceptable ? BOLT_HANDSHAKE_DONE : BOLT_HANDSHAKE_REFUSED;
}

static void receive_byte(struct bolt_handshake *h, uint8_t byte) {
  h->in[h->in_len++] = byte;
  if (h->state == BOLT_HANDSHAKE_CHOICE) {
    read_choice(h);
  } else if (h->in_len <= sizeof bolt_magic) {
    if (byte != (uint8_t) bolt_magic[h->in_len - 1]) h->state = BOLT_HANDSHAKE_REFUSED;
  } else if (h->in_len == OPENING_BYTES) {
    answer_slots(h);
  }
}

size_t bolt_handshake_receive(struct bolt_handshake *h, const uint8_t *bytes, size_t len) {
  size_t at = 0;
  while (at < len && (h->state == BOLT_HANDSHAKE_SLOTS || h->state == BOLT_HANDSHAKE_CHOICE)) receive_byte(h, bytes[at++]);
  return at;
}

struct str bolt_handshake_take_answer(struct bolt_handshake *h) {
  struct str answer = h->answer;
  h->answer = STR_NONE;
  return answer;
}
