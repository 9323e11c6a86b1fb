#include "server/arguments.h"

#include <string.h>

#include "base/test.h"

static const char *const nothing[] = {NULL};

#define PARSE(a, e, ...)                                                                       \
  ({                                                                                           \
    const char *const argv_[] = {__VA_ARGS__};                                                 \
    arguments_parse((int) ARRAY_SIZE(argv_), argv_, nothing, (a), (e));                        \
  })

TEST(the_server_is_started_with_settings) {
  struct arguments a;
  struct error e = ERROR_INIT;
  assert_ok(PARSE(&a, &e, "build/quiver", "console", "--home", "var", "--set=a.b=c", "--set", "d=e=f"));
  assert_int_equal(a.command, COMMAND_CONSOLE);
  assert_string_equal(a.home, "var");
  assert_int_equal(a.set_count, 2);
  assert_string_equal(a.sets[0], "a.b=c");
  assert_string_equal(a.sets[1], "d=e=f");
}

TEST(the_admin_tool_goes_by_its_word_or_its_name) {
  struct arguments a;
  struct error e = ERROR_INIT;
  assert_ok(PARSE(&a, &e, "quiver", "admin", "dbms", "set-initial-password", "secret12", "--home=/x", "--require-password-change"));
  assert_int_equal(a.command, COMMAND_SET_PASSWORD);
  assert_string_equal(a.password, "secret12");
  assert_true(a.require_change);
  assert_ok(PARSE(&a, &e, "/usr/bin/neo4j-admin", "set-initial-password", "secret12"));
  assert_int_equal(a.command, COMMAND_SET_PASSWORD);
  assert_string_equal(a.password, "secret12");
  assert_ok(PARSE(&a, &e, "neo4j-admin", "server", "memory-recommendation"));
  assert_int_equal(a.command, COMMAND_MEMORY);
  assert_ok(PARSE(&a, &e, "neo4j-admin", "unbind"));
  assert_int_equal(a.command, COMMAND_UNBIND);
  assert_false(a.keep_tail);
  assert_ok(PARSE(&a, &e, "quiver", "admin", "cluster", "recover", "--cut-tail", "--accept-loss"));
  assert_int_equal(a.command, COMMAND_RECOVER);
  assert_true(a.cut_tail && a.accept_loss);
  assert_int_not_equal(PARSE(&a, &e, "quiver", "admin", "server", "unbind", "--accept-loss"), ERR_OK);
  assert_ok(PARSE(&a, &e, "neo4j", "status"));
  assert_int_equal(a.command, COMMAND_STATUS);
}

TEST(help_and_version_are_options_too) {
  struct arguments a;
  struct error e = ERROR_INIT;
  assert_ok(PARSE(&a, &e, "neo4j", "--version"));
  assert_int_equal(a.command, COMMAND_VERSION);
  assert_ok(PARSE(&a, &e, "quiver"));
  assert_int_equal(a.command, COMMAND_HELP);
  assert_ok(PARSE(&a, &e, "quiver", "admin"));
  assert_true(a.admin);
  assert_ok(PARSE(&a, &e, "quiver", "help", "settings"));
  assert_int_equal(a.command, COMMAND_SETTINGS);
}

TEST(what_is_wrong_is_told_with_the_way_out) {
  const struct {
    const char *argv[5];
    const char *told;
  } cases[] = {
      {{"quiver", "begin"}, "no command 'begin'. `quiver help`"},
      {{"quiver", "admin", "begin"}, "`quiver admin help`"},
      {{"quiver", "start", "--home"}, "--home needs a value"},
      {{"quiver", "start", "--set", "x"}, "--set needs key=value"},
      {{"quiver", "start", "now"}, "'now' does not belong here"},
      {{"quiver", "--home", "x"}, "Which command?"},
      {{"quiver", "start", "--homely=x"}, "does not belong here"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    int argc = 0;
    while (argc < 5 && cases[i].argv[argc] != NULL) argc++;
    struct arguments a;
    struct error e = ERROR_INIT;
    assert_int_equal(arguments_parse(argc, cases[i].argv, nothing, &a, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, cases[i].told));
  }
}

TEST(the_environment_names_home_and_settings_file) {
  const char *const environment[] = {"X=1", "NEO4J_HOME=/n", "NEO4J_CONF=/c", "QUIVER_HOME=", NULL};
  const char *const argv[] = {"quiver", "start"};
  struct arguments a;
  assert_ok(arguments_parse(2, argv, environment, &a, NULL));
  assert_string_equal(a.home, "/n");
  assert_string_equal(a.conf, "/c");
}

TESTS(T(the_server_is_started_with_settings), T(the_admin_tool_goes_by_its_word_or_its_name), T(help_and_version_are_options_too),
      T(what_is_wrong_is_told_with_the_way_out), T(the_environment_names_home_and_settings_file))
