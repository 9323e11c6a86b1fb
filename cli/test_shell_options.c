#include "cli/shell_options.h"

#include <string.h>

#include "base/test.h"

#define PARSE(o, e, ...)                                                                       \
  ({                                                                                           \
    const char *const argv_[] = {"shell", __VA_ARGS__};                                        \
    const char *const environment_[] = {"NEO4J_USERNAME=ann", "NEO4J_PASSWORD=x", NULL};       \
    shell_options_parse((int) ARRAY_SIZE(argv_), argv_, environment_, (o), (e));               \
  })

TEST(options_are_those_of_cypher_shell) {
  struct shell_options o;
  struct error e = ERROR_INIT;
  assert_ok(PARSE(&o, &e, "-a", "bolt://db:1", "--database=system", "--format", "plain", "-P", "{a: 1}", "--param", "b => 2", "--fail-at-end", "RETURN 1"));
  assert_str(o.connection.address, "bolt://db:1");
  assert_str(o.connection.user, "ann");
  assert_str(o.connection.password, "x");
  assert_str(o.database, "system");
  assert_int_equal(o.format, SHELL_PLAIN);
  assert_int_equal(o.param_count, 2);
  assert_true(o.fail_at_end);
  assert_string_equal(o.statement, "RETURN 1");
}

TEST(what_is_wrong_is_told) {
  struct shell_options o;
  struct error e = ERROR_INIT;
  assert_int_equal(PARSE(&o, &e, "--forma", "plain"), ERR_INVALID);
  assert_non_null(strstr(e.message, "'--forma'"));
  assert_int_equal(PARSE(&o, &e, "--format", "nice"), ERR_INVALID);
  assert_non_null(strstr(e.message, "auto|verbose|plain"));
  assert_int_equal(PARSE(&o, &e, "-u"), ERR_INVALID);
  assert_int_equal(PARSE(&o, &e, "RETURN", "1"), ERR_INVALID);
  assert_int_equal(PARSE(&o, &e, "--sample-rows", "0"), ERR_INVALID);
}

TESTS(T(options_are_those_of_cypher_shell), T(what_is_wrong_is_told))
