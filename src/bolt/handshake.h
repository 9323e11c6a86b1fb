// Agreeing on a version: four slots, or manifest version 1 (Bolt documentation, "Handshake"). Pure: bytes in, at most one answer
// out, which must be written at once: drivers exist that cannot read it in two pieces.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"
#include "bolt/version.h"

enum bolt_handshake_state {
  BOLT_HANDSHAKE_SLOTS,   // waits for magic and slots
  BOLT_HANDSHAKE_CHOICE,  // has sent the manifest, waits for the client's choice
  BOLT_HANDSHAKE_DONE,    // `version` is agreed
  BOLT_HANDSHAKE_REFUSED, // send the answer, if any, and close
};

struct bolt_handshake {
  enum bolt_handshake_state state;
  const struct bolt_version *version;
  bool by_manifest;
  struct str answer; // to be sent now; static or inside this struct; taken with bolt_handshake_take_answer
  uint8_t in[20], in_len;
  char version_answer[4];
};

extern const char bolt_magic[4];

/// Takes bytes until a decision is there; returns how many it took: what is left belongs to the next layer.
size_t bolt_handshake_receive(struct bolt_handshake *h, const uint8_t *bytes, size_t len);

/// The answer that is to be sent, or an empty text; it is handed out once.
struct str bolt_handshake_take_answer(struct bolt_handshake *h);

/// LEB128, at most ten bytes and 64 bits; longer than needed is fine. Returns the bytes taken, 0 where more are needed, -1 where
/// it does not fit.
int bolt_varint_read(const uint8_t *bytes, size_t len, uint64_t *ret);
