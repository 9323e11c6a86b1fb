// Hostile bytes to values: what decodes is sound, encodes, and decodes to the same. The first byte picks the profile.
#include <stdlib.h>

#include "value/check.h"
#include "value/compare.h"
#include "wire/packstream.h"

static void must(bool b) {
  if (!b) abort();
}

static enum err decode(struct arena *a, struct packstream_profile profile, const void *bytes, size_t len, struct value *ret) {
  struct packstream_reader r;
  packstream_reader_init(&r, profile, (struct packstream_limits){0}, bytes, len, a);
  TRY(packstream_read_value(&r, ret, NULL));
  return packstream_read_end(&r, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  struct packstream_profile profile = {.has_temporal = data[0] & 1,
                                       .utc_datetimes = data[0] & 2,
                                       .has_element_ids = data[0] & 4,
                                       .has_vectors = data[0] & 8,
                                       .has_uuids = data[0] & 16,
                                       .from_server = data[0] & 32};
  struct mem_budget budget;
  mem_budget_init(&budget, NULL, 0, ERR_TX_MEMORY, NULL);
  struct arena a;
  arena_init(&a, &budget);
  struct value v, back;
  struct buf out = BUF_INIT;
  if (decode(&a, profile, data + 1, size - 1, &v) == ERR_OK) {
    must(value_check(v, NULL) == ERR_OK);
    must(packstream_write_value(&out, &profile, v, NULL) == ERR_OK);
    must(decode(&a, profile, out.data, out.len, &back) == ERR_OK);
    must(value_order(v, back) == 0 && value_hash(v) == value_hash(back));
  }
  must(budget.peak_bytes <= (int64_t) (size * 200 + (1 << 16))); // memory in proportion to what was sent
  buf_done(&out);
  arena_done(&a);
  return 0;
}
