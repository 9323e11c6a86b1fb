#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

static struct packed text(const char *s) {
  return (struct packed){.kind = PACKED_STRING, .s = str_of(s)};
}

static struct packed number(int64_t i) {
  return (struct packed){.kind = PACKED_INT, .i = i};
}

/// Two columns, two rows.
static char *print(struct table t) {
  char *out = NULL;
  size_t size;
  t.to = open_memstream(&out, &size);
  struct packed names[] = {text("name"), text("n")};
  struct packed rows[2][2] = {{text("\xC3\x85sa"), number(1)}, {text("abcdefghij"), number(23)}};
  assert_ok(table_begin(&t, &(struct packed){.kind = PACKED_LIST, .len = 2, .items = names}));
  for (int i = 0; i < 2; i++) assert_ok(table_add(&t, &(struct packed){.kind = PACKED_LIST, .len = 2, .items = rows[i]}));
  assert_ok(table_end(&t));
  fclose(t.to);
  table_done(&t);
  return out;
}

TEST(people_see_columns_as_wide_as_their_cells) {
  char *out = print((struct table){.sample_rows = 100, .wrap = true});
  assert_string_equal(out, "+--------------+----+\n"
                           "| name         | n  |\n"
                           "+--------------+----+\n"
                           "| \"\xC3\x85sa\"        | 1  |\n"
                           "| \"abcdefghij\" | 23 |\n"
                           "+--------------+----+\n");
  free(out);
}

TEST(programs_see_values_with_commas) {
  char *out = print((struct table){.format = TABLE_PLAIN});
  assert_string_equal(out, "name, n\n\"\xC3\x85sa\", 1\n\"abcdefghij\", 23\n");
  free(out);
}

TEST(cells_longer_than_the_sample_go_on_in_further_lines_or_are_cut) {
  char *out = print((struct table){.sample_rows = 1, .wrap = true});
  assert_non_null(strstr(out, "| \"abcd | 2 |\n| \\efgh | 3 |\n| \\ij\"  |   |\n"));
  free(out);
}

TESTS(T(people_see_columns_as_wide_as_their_cells), T(programs_see_values_with_commas), T(cells_longer_than_the_sample_go_on_in_further_lines_or_are_cut))
