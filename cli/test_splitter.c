#include "cli/splitter.h"

#include "base/test.h"

static struct splitter of(const char *lines) {
  struct splitter s = {0};
  struct str rest = str_of(lines);
  while (rest.ptr != NULL) assert_ok(splitter_add(&s, str_cut(&rest, '\n')));
  return s;
}

#define TAKES(s, text)                              \
  do {                                              \
    struct buf b_ = BUF_INIT;                       \
    assert_true(splitter_take(&(s), &b_));          \
    assert_str(str_trim(buf_str(&b_)), text);       \
    buf_done(&b_);                                  \
  } while (0)

static bool more(struct splitter *s) {
  struct buf b = BUF_INIT;
  bool taken = splitter_take(s, &b);
  buf_done(&b);
  return taken;
}

TEST(statements_end_at_semicolons_outside_of_quotes_and_comments) {
  struct splitter s = of("RETURN 1; RETURN ';', \";\\\";\", `a;b` // ; \n /* ; */ AS x;;\nRETURN 'it\\'s;';");
  TAKES(s, "RETURN 1");
  TAKES(s, "RETURN ';', \";\\\";\", `a;b` // ; \n /* ; */ AS x");
  TAKES(s, "RETURN 'it\\'s;'");
  assert_false(more(&s));
  assert_true(splitter_is_empty(&s));
  splitter_done(&s);
}

TEST(a_statement_may_take_many_lines) {
  struct splitter s = of("MATCH (n)");
  assert_false(more(&s));
  assert_false(splitter_is_empty(&s));
  assert_ok(splitter_add(&s, STR("RETURN n;")));
  TAKES(s, "MATCH (n)\nRETURN n");
  splitter_done(&s);
}

TEST(commands_are_lines_of_their_own) {
  struct splitter s = of("// hello\n:param {a: ';'}\nRETURN 1; :use system\n:exit");
  TAKES(s, ":param {a: ';'}");
  TAKES(s, "RETURN 1");
  TAKES(s, ":use system");
  TAKES(s, ":exit");
  splitter_done(&s);
}

TEST(a_command_may_come_after_comments_that_were_looked_at) {
  struct splitter s = of("  // a script");
  assert_false(more(&s));
  assert_ok(splitter_add(&s, STR("  :begin")));
  TAKES(s, ":begin");
  assert_ok(splitter_add(&s, STR("/* a long")));
  assert_false(more(&s));
  assert_ok(splitter_add(&s, STR("comment */")));
  assert_false(more(&s));
  assert_ok(splitter_add(&s, STR(":commit")));
  TAKES(s, ":commit");
  splitter_done(&s);
}

TEST(the_last_statement_may_lack_its_semicolon) {
  struct splitter s = of("RETURN 1 // the end");
  struct buf b = BUF_INIT;
  assert_false(splitter_take(&s, &b));
  assert_true(splitter_take_rest(&s, &b));
  assert_false(splitter_take_rest(&s, &b));
  splitter_done(&s);
  s = of("  /* nothing */ // at all");
  assert_false(splitter_take(&s, &b));
  assert_false(splitter_take_rest(&s, &b));
  splitter_done(&s);
  buf_done(&b);
}

TESTS(T(statements_end_at_semicolons_outside_of_quotes_and_comments), T(a_statement_may_take_many_lines), T(commands_are_lines_of_their_own), T(a_command_may_come_after_comments_that_were_looked_at),
      T(the_last_statement_may_lack_its_semicolon))
