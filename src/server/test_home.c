#include "server/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/test.h"

static const char *const nothing[] = {NULL};
static char folder[] = "/tmp/quiver-home-XXXXXX";

static void put(const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "we");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static bool is_folder(const char *name) {
  char path[256];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

TEST(a_home_that_is_named_is_made_with_its_folders) {
  char named[128], home[HOME_PATH_MAX];
  snprintf(named, sizeof named, "%s/a/b", folder);
  struct arguments a = {.home = named};
  struct error e = ERROR_INIT;
  assert_ok(home_find(&a, home, &e));
  assert_string_equal(home, named);
  struct config *c;
  assert_ok(home_read_settings(home, &a, nothing, &c, &e));
  assert_ok(home_make_folders(home, config_values(c), &e));
  static const char *const all[] = {"a/b/conf", "a/b/data", "a/b/logs", "a/b/import", "a/b/plugins", "a/b/run", "a/b/metrics"};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) assert_true(is_folder(all[i]));
  config_free(c);
}

TEST(without_a_name_the_way_out_is_told) {
  char home[HOME_PATH_MAX];
  struct error e = ERROR_INIT;
  assert_int_equal(home_find(&(struct arguments){0}, home, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "--home"));
}

TEST(a_settings_file_may_be_named_or_its_folder) {
  char path[128];
  struct config *c;
  struct error e = ERROR_INIT;
  put("my.conf", "dbms.max_databases=7\n");
  snprintf(path, sizeof path, "%s/my.conf", folder);
  assert_ok(home_read_settings(folder, &(struct arguments){.conf = path}, nothing, &c, &e));
  assert_int_equal(config_values(c)->max_databases, 7);
  config_free(c);
  put("neo4j.conf", "dbms.max_databases=8\n");
  assert_ok(home_read_settings(folder, &(struct arguments){.conf = folder}, nothing, &c, &e));
  assert_int_equal(config_values(c)->max_databases, 8);
  config_free(c);
  assert_int_equal(home_read_settings(folder, &(struct arguments){.conf = "/nowhere"}, nothing, &c, &e), ERR_NOTFOUND);
}

TEST(what_is_said_on_the_command_line_is_strongest) {
  const char *const environment[] = {"NEO4J_dbms_max__databases=20", NULL};
  struct config *c;
  struct arguments a = {.conf = folder, .set_count = 1, .sets = {"dbms.max_databases=30"}};
  assert_ok(home_read_settings(folder, &a, environment, &c, NULL));
  assert_int_equal(config_values(c)->max_databases, 30);
  config_free(c);
  a.set_count = 0;
  assert_ok(home_read_settings(folder, &a, environment, &c, NULL));
  assert_int_equal(config_values(c)->max_databases, 20);
  config_free(c);
}

TEST(every_failed_allocation_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct config *c = NULL;
    enum err err = home_read_settings(folder, &(struct arguments){.conf = folder}, nothing, &c, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (err == ERR_OK) config_free(c);
  }
}

static int make_folder(void **state UNUSED) {
  return mkdtemp(folder) == NULL;
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(a_home_that_is_named_is_made_with_its_folders), T(without_a_name_the_way_out_is_told),
                                     T(a_settings_file_may_be_named_or_its_folder), T(what_is_said_on_the_command_line_is_strongest),
                                     T(every_failed_allocation_is_an_error)};
  return cmocka_run_group_tests(tests, make_folder, NULL);
}
