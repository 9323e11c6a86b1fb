#include "server/expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

TEST(commands_are_replaced_by_what_they_print) {
  struct buf text = BUF_INIT;
  struct error e = ERROR_INIT;
  assert_ok(buf_append_str(&text, STR("# x=$(false)\na=$(echo one; echo two >&2)\n b = $(printf 'p q') \nc=$(\n\nd=plain")));
  assert_ok(expand_commands_in(&text, "neo4j.conf", &e));
  assert_str(buf_str(&text), "# x=$(false)\na=one\n b =p q\nc=$(\n\nd=plain");
  buf_done(&text);
}

TEST(a_command_that_fails_or_prints_lines_is_refused) {
  const struct {
    const char *text, *told;
  } cases[] = {{"a=$(exit 3)", "code 3"}, {"a=$(printf 'x\\ny=z')", "more than one line"}, {"a=$(yes)", "more than 65536 bytes"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct buf text = BUF_INIT;
    struct error e = ERROR_INIT;
    assert_ok(buf_append_str(&text, str_of(cases[i].text)));
    assert_int_not_equal(expand_commands_in(&text, "neo4j.conf", &e), ERR_OK);
    assert_non_null(strstr(e.message, cases[i].told));
    assert_non_null(strstr(e.message, "neo4j.conf"));
    buf_done(&text);
  }
}

TEST(a_file_that_others_may_change_or_read_is_not_run) {
  char path[] = "/tmp/quiver-expand-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  struct error e = ERROR_INIT;
  fchmod(fd, 0640);
  assert_ok(expand_check_file(path, &e));
  fchmod(fd, 0660);
  assert_int_equal(expand_check_file(path, &e), ERR_INVALID);
  fchmod(fd, 0644);
  assert_int_equal(expand_check_file(path, &e), ERR_INVALID);
  close(fd);
  unlink(path);
}

TESTS(T(commands_are_replaced_by_what_they_print), T(a_command_that_fails_or_prints_lines_is_refused), T(a_file_that_others_may_change_or_read_is_not_run))
