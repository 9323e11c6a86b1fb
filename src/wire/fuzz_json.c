// Hostile text as JSON: what is read is sound, and typed JSON of it reads as the same.
#include <stdlib.h>

#include "value/check.h"
#include "value/compare.h"
#include "wire/json.h"

static void must(bool b) {
  if (!b) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena a;
  arena_init(&a, NULL);
  struct value v, back, meant;
  struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  if (json_read(&a, (struct str){(const char *) data, size}, &v, NULL) == ERR_OK) {
    must(value_check(v, NULL) == ERR_OK);
    if (json_from_typed(&a, v, &meant, NULL) == ERR_OK) must(value_check(meant, NULL) == ERR_OK);
    must(json_value(&w, JSON_PLAIN, v, NULL) == ERR_OK);
    must(json_read(&a, buf_str(&out), &back, NULL) == ERR_OK);
    must(value_order(v, back) == 0);
  }
  buf_done(&out);
  arena_done(&a);
  return 0;
}
