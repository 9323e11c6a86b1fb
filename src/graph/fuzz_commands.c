// Fuzzes what reads the commands of a transaction from the payload of an entry, as every member and replica does: what is taken is
// written again and read as the same, memory stays in proportion, and what is not is refused as damaged.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "graph/command_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

/// Writes again what it takes. False: damaged.
static bool read_all(struct str bytes, struct arena *a, struct buf *again) {
  struct bytes_in in = bytes_in_of(bytes);
  struct error e = ERROR_INIT;
  enum err err = command_open(&in, &e);
  if (err == ERR_OK) must(command_begin(again) == ERR_OK);
  while (err == ERR_OK && !bytes_in_done(&in)) {
    struct command c;
    err = command_take(&in, a, &c, &e);
    if (err == ERR_OK) must(command_put(again, &c) == ERR_OK);
  }
  must(err == ERR_OK || (err == ERR_CORRUPT && e.message[0] != '\0'));
  return err == ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct mem_budget budget;
  struct arena a;
  struct buf first = BUF_INIT, second = BUF_INIT;
  mem_budget_init(&budget, NULL, 0, ERR_TX_MEMORY, NULL);
  arena_init(&a, &budget);
  if (read_all((struct str){(const char *) data, size}, &a, &first)) {
    must(read_all(buf_str(&first), &a, &second));
    must(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
  }
  must(budget.peak_bytes <= (int64_t) (size * 800 + (1 << 20)));
  buf_done(&first);
  buf_done(&second);
  arena_done(&a);
  return 0;
}
