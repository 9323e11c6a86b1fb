// Text to temporal values and back: what is read is sound, and its text reads as the same value.
#include <stdlib.h>

#include "value/check.h"
#include "value/compare.h"
#include "value/temporal.h"

static void must(bool b) {
  if (!b) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  enum value_type type = (enum value_type)(VALUE_DATE + data[0] % (VALUE_DURATION - VALUE_DATE + 1));
  struct str text = {(const char *) data + 1, size - 1};
  if (!str_is_utf8(text)) return 0;
  struct arena a;
  arena_init(&a, NULL);
  struct value v, back;
  struct str out;
  struct temporal_clock clock = {1700000000, 5, 0};
  if (temporal_construct(type, v_str(text), clock, &a, &v, NULL) == ERR_OK) {
    must(value_check(v, NULL) == ERR_OK);
    must(temporal_format(v, &a, &out, NULL) == ERR_OK);
    must(temporal_construct(type, v_str(out), clock, &a, &back, NULL) == ERR_OK);
    must(value_order(v, back) == 0);
    enum err err = temporal_between(TEMPORAL_BETWEEN, temporal_now(VALUE_DATETIME, clock), v, &a, &back, NULL);
    must(err == (type == VALUE_DURATION ? ERR_TYPE : ERR_OK));
    err = temporal_add(v, back, &a, &back, NULL);
    (void) err;
  }
  arena_done(&a);
  return 0;
}
