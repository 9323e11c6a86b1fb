// A LIST and a BYTES value read alike: bytes are a list of integers from -128 to 127, as in Neo4j.
#pragma once

#include "value/value.h"

static inline struct value sequence_item(struct value v, uint32_t i) {
  return v.type == VALUE_BYTES ? v_int((int8_t) v.bytes[i]) : v.items[i];
}
