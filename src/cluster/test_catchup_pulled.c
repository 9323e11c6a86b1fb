// What a pull brought goes into a log only if it follows and is committed.
#include <string.h>

#include "base/test.h"
#include "cluster/catchup_pulled.h"

struct answer {
  struct buf bytes;
  uint32_t count;
  struct log_entry entries[8];
  struct error e;
};

static void put(struct answer *a, uint64_t index, uint64_t term) {
  struct log_entry entry = {.index = index, .term = term, .kind = LOG_TRANSACTION, .parts = LOG_END, .payload = STR("create")};
  assert_ok(log_put_entry(&a->bytes, &entry));
  a->count++;
}

/// Behind entry 10 of term 3.
static enum err read_it(struct answer *a, uint64_t commit_index) {
  a->e = (struct error) ERROR_INIT;
  return catchup_pulled_read((struct catchup_place){10, 3}, commit_index, a->count, (const uint8_t *) a->bytes.data, a->bytes.len,
                             a->entries, &a->e);
}

TEST(entries_that_follow_and_are_committed_are_taken) {
  struct answer a = {.bytes = BUF_INIT};
  assert_ok(read_it(&a, 10)); // none is fine
  put(&a, 11, 3);
  put(&a, 12, 5);
  assert_ok(read_it(&a, 12));
  assert_int_equal(a.entries[1].index, 12);
  assert_str(a.entries[1].payload, "create");
  buf_done(&a.bytes);
}

TEST(nothing_beyond_what_is_committed_is_taken) {
  struct answer a = {.bytes = BUF_INIT};
  put(&a, 11, 3);
  put(&a, 12, 3);
  assert_int_equal(read_it(&a, 11), ERR_CORRUPT);
  assert_non_null(strstr(a.e.message, "only entry 11 is committed"));
  buf_done(&a.bytes);
}

TEST(what_does_not_follow_is_refused) {
  static const struct catchup_place firsts[] = {{12, 3}, {10, 3}, {11, 2}};
  for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
    struct answer a = {.bytes = BUF_INIT};
    put(&a, firsts[i].index, firsts[i].term);
    assert_int_equal(read_it(&a, 100), ERR_CORRUPT);
    buf_done(&a.bytes);
  }
}

TEST(bytes_that_are_no_entries_or_more_of_them_are_refused) {
  struct answer a = {.bytes = BUF_INIT};
  put(&a, 11, 3);
  a.bytes.len -= 8;
  assert_int_equal(read_it(&a, 100), ERR_CORRUPT);
  a.bytes.len += 8;
  put(&a, 12, 3);
  a.count = 1;
  assert_int_equal(read_it(&a, 100), ERR_CORRUPT);
  buf_done(&a.bytes);
}

TESTS(T(entries_that_follow_and_are_committed_are_taken), T(nothing_beyond_what_is_committed_is_taken),
      T(what_does_not_follow_is_refused), T(bytes_that_are_no_entries_or_more_of_them_are_refused))
