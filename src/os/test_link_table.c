#include "base/test.h"
#include "os/link_table.h"

static struct link_table table;
static struct arena arena;

static void expect(uint32_t count, const char *const *remotes) {
  struct link_row *rows;
  uint32_t n;
  assert_int_equal(link_table_copy(&table, &arena, &rows, &n, NULL), ERR_OK);
  assert_int_equal(n, count);
  for (uint32_t i = 0; i < n; i++) assert_string_equal(rows[i].remote, remotes[i]);
}

TEST(rows_come_in_order_and_go_in_any) {
  struct link_row raft_in = {0}, raft_out = {0}, bolt = {0};
  link_table_init(&table);
  arena_init(&arena, NULL);
  link_table_add(&table, &raft_in, "raft", 1, "a:1", true, false);
  link_table_add(&table, &bolt, "bolt", 5, "c:3", false, true);
  link_table_add(&table, &raft_out, "raft", 1, "b:2", false, false);
  expect(3, (const char *const[]){"c:3", "b:2", "a:1"});
  link_table_remove(&table, &bolt);
  expect(2, (const char *const[]){"b:2", "a:1"});
  link_table_remove(&table, &raft_in);
  link_table_remove(&table, &raft_out);
  expect(0, NULL);
  link_table_add(&table, &bolt, "bolt", 4, "d:4", true, false); // a row may come again
  expect(1, (const char *const[]){"d:4"});
  link_table_remove(&table, &bolt);
  arena_done(&arena);
  link_table_done(&table);
}

TEST(what_is_in_no_table_is_removed_without_harm) {
  struct link_row row = {0};
  link_table_init(&table);
  arena_init(&arena, NULL);
  link_table_remove(&table, &row);
  link_table_add(NULL, &row, "raft", 1, "a:1", true, false);
  link_table_remove(NULL, &row);
  link_table_remove(&table, &row);
  expect(0, NULL);
  arena_done(&arena);
  link_table_done(&table);
}

TESTS(T(rows_come_in_order_and_go_in_any), T(what_is_in_no_table_is_removed_without_harm))
