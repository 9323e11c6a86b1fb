#include <string.h>

#include "base/test.h"
#include "dbms/bookmark.h"
#include "dbms/record_list.h"
#include "dbms/row_store.h"

TEST(a_bookmark_says_which_transaction_of_which_database) {
  char written[BOOKMARK_BYTES_MAX];
  const char *uuid = "01234567-89ab-cdef-0123-456789abcdef";
  struct bookmark b;
  struct str text = bookmark_write(written, uuid, 1, 42, false);
  assert_str(text, "Q1:01234567-89ab-cdef-0123-456789abcdef:42");
  assert_ok(bookmark_read(text, &b, NULL));
  assert_int_equal(b.kind, BOOKMARK_DATABASE);
  assert_str(b.uuid, uuid);
  assert_int_equal(b.id, 42);
  assert_int_equal(b.generation, 1);
  assert_str(bookmark_write(written, uuid, 1, 7, true), "neo4j:bookmark:v1:tx7");
  assert_ok(bookmark_read(STR("neo4j:bookmark:v1:tx7"), &b, NULL));
  assert_int_equal(b.kind, BOOKMARK_LEGACY);
  assert_int_equal(b.id, 7);
  assert_ok(bookmark_read(STR(""), &b, NULL));
  assert_int_equal(b.kind, BOOKMARK_NONE);
  assert_int_equal(bookmark_write(written, uuid, UINT64_MAX, UINT64_MAX, false).len, 36 + 4 + 20 + 21); // the longest
}

TEST(a_bookmark_of_a_store_that_was_recovered_says_of_which_generation) {
  char written[BOOKMARK_BYTES_MAX];
  struct bookmark b;
  memset(written, '9', sizeof written); // of one before
  struct str text = bookmark_write(written, "01234567-89ab-cdef-0123-456789abcdef", 3, 42, false);
  assert_str(text, "Q1:01234567-89ab-cdef-0123-456789abcdef:3:42");
  assert_int_equal(strlen(written), text.len);
  assert_ok(bookmark_read(text, &b, NULL));
  assert_int_equal(b.generation, 3);
  assert_int_equal(b.id, 42);
}

TEST(what_is_no_bookmark_is_refused_with_its_text) {
  const char *const bad[] = {"x",
                             "FB:kcwQ",
                             "neo4j:bookmark:v1:tx",
                             "neo4j:bookmark:v1:tx-1",
                             "Q1:short:1",
                             "Q1:01234567-89ab-cdef-0123-456789abcdef:",
                             "Q1:01234567-89ab-cdef-0123-456789abcdef:1:2",
                             "Q1:01234567-89ab-cdef-0123-456789abcdef:2:",
                             "Q1:01234567-89ab-cdef-0123-456789abcdef:2:3:4",
                             "Q1"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct error e = ERROR_INIT;
    assert_int_equal(bookmark_read(str_of(bad[i]), &(struct bookmark){0}, &e), ERR_BOOKMARK_INVALID);
    assert_non_null(strstr(e.message, bad[i]));
  }
}

/// A sink that adds up what it gets.
struct sum {
  struct row_sink sink;
  int64_t rows, sum;
  bool full;
  int64_t full_at;
};

static enum err push(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows, struct error *e) {
  struct sum *s = CONTAINER_OF(sink, struct sum, sink);
  for (uint32_t r = 0; r < rows; r++) s->sum += vec_get(&columns[width - 1], sel != NULL ? sel[r] : r).i;
  s->rows += rows;
  s->full = s->full_at > 0 && s->rows >= s->full_at;
  return ERR_OK;
}

static void fill(struct row_store *s, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    struct value row[2] = {v_str(STR("text")), v_int(i)};
    assert_ok(row_store_add(s, row, NULL));
  }
}

TEST(rows_set_aside_come_back_in_order_and_in_any_portion) {
  for (uint64_t portion = 1; portion < 400; portion += 57) {
    struct row_store s;
    row_store_init(&s, 2, NULL);
    fill(&s, 300);
    struct sum sum = {.sink.push = push};
    uint64_t got, all = 0;
    do {
      assert_ok(row_store_give(&s, portion, &sum.sink, NULL, &got, NULL));
      all += got;
    } while (got > 0);
    assert_int_equal(all, 300);
    assert_int_equal(sum.sum, 299 * 300 / 2);
    row_store_done(&s);
  }
}

TEST(a_full_sink_stops_the_giving) {
  struct row_store s;
  row_store_init(&s, 2, NULL);
  fill(&s, 1000);
  struct sum sum = {.sink.push = push, .full_at = 200};
  uint64_t got;
  assert_ok(row_store_give(&s, 1000, &sum.sink, &sum.full, &got, NULL));
  assert_true(got >= 200 && got < 1000);
  assert_int_equal(s.rows, 1000 - got);
  row_store_done(&s);
}

TEST(a_row_store_keeps_to_its_budget) {
  struct mem_budget b;
  mem_budget_init(&b, NULL, 100000, ERR_TX_MEMORY, "db.memory.transaction.max");
  struct row_store s;
  row_store_init(&s, 1, &b);
  enum err err = ERR_OK;
  for (int i = 0; i < 1000000 && err == ERR_OK; i++) err = row_store_add(&s, &(struct value){.type = VALUE_INT, .i = i}, NULL);
  assert_int_equal(err, ERR_TX_MEMORY);
  row_store_done(&s);
  assert_int_equal(b.used_bytes, 0);
}

TEST(records_give_the_columns_that_are_asked_for) {
  struct record_list *l;
  assert_ok(record_list_new(NULL, &l, NULL));
  assert_ok(RECORD(l, NULL, {STR("a"), v_int(1)}, {STR("b"), v_int(2)}));
  assert_ok(RECORD(l, NULL, {STR("b"), v_int(3)}));
  struct str columns[] = {STR("b"), STR("a")};
  struct value got[4];
  assert_int_equal(record_list_give(l, columns, 2, 1, got), 1);
  assert_int_equal(got[0].i, 2);
  assert_int_equal(got[1].i, 1);
  assert_int_equal(record_list_give(l, columns, 2, 9, got), 1);
  assert_int_equal(got[0].i, 3);
  assert_true(v_is_null(got[1]));
  assert_int_equal(record_list_give(l, columns, 2, 9, got), 0);
  record_list_free(l);
}

TEST(every_failed_allocation_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct row_store s;
    row_store_init(&s, 2, NULL);
    enum err err = ERR_OK;
    for (int i = 0; i < 300 && err == ERR_OK; i++) err = row_store_add(&s, (struct value[2]){v_str(STR("x")), v_int(i)}, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    row_store_done(&s);
  }
}

TESTS(T(a_bookmark_says_which_transaction_of_which_database), T(a_bookmark_of_a_store_that_was_recovered_says_of_which_generation), T(what_is_no_bookmark_is_refused_with_its_text),
      T(rows_set_aside_come_back_in_order_and_in_any_portion), T(a_full_sink_stops_the_giving), T(a_row_store_keeps_to_its_budget),
      T(records_give_the_columns_that_are_asked_for), T(every_failed_allocation_is_an_error))
