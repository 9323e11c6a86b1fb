#include "value/weight.h"

#include <string.h>

enum { DROPPED_BITS = 8 }; // of a float above zero 23 are left; the sign is one of those that go

static int32_t pack(uint64_t weight) {
  float f = (float) weight;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return (int32_t) (bits >> DROPPED_BITS);
}

static uint64_t unpack(int32_t packed) {
  uint32_t bits = (uint32_t) packed << DROPPED_BITS;
  float f;
  memcpy(&f, &bits, sizeof f);
  return (uint64_t) f;
}

static uint64_t weight_of(struct value v, int depth);

/// Stops above the limit: what is heavier is only known to be too heavy.
static uint64_t weight_of_parts(struct value v, int depth) {
  uint64_t weight = 1;
  for (uint32_t i = 0; i < v.len && weight <= VALUE_WEIGHT_MAX; i++)
    weight += weight_of(v.type == VALUE_LIST ? v.items[i] : v.entries[i].value, depth + 1);
  return weight;
}

static uint64_t weight_of(struct value v, int depth) {
  switch ((enum value_type) v.type) {
  case VALUE_STRING:
  case VALUE_BYTES: return 1 + v.len / sizeof(struct value);
  case VALUE_LIST:
  case VALUE_MAP:
    if (v.aux != 0) return unpack(v.aux);
    return depth > VALUE_DEPTH_MAX ? VALUE_WEIGHT_MAX + 1 : weight_of_parts(v, depth);
  default: return 1;
  }
}

uint64_t value_weight(struct value v) {
  return weight_of(v, 0);
}

enum err value_weigh(struct value *v, struct error *e) {
  uint64_t weight = weight_of_parts(*v, 0);
  if (weight > VALUE_WEIGHT_MAX)
    return error_set(e, ERR_LIMIT, "A list or map whose parts, all levels together, take more than 2 GiB is not supported.");
  v->aux = pack(weight);
  return ERR_OK;
}
