// The data folder of a server that was dropped becomes another server's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "dbms/offline.h"

static char data[] = "/tmp/quiver-aside-XXXXXX";

static const char *at(const char *name) {
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", data, name);
  return path;
}

static void put(const char *folder, const char *text) {
  assert_ok(disk_make_directories(disk_system(), at(folder), NULL));
  char path[220];
  snprintf(path, sizeof path, "%s", at(folder));
  assert_ok(disk_replace_file(disk_system(), path, "file", text, strlen(text), NULL));
}

static bool holds(const char *folder, const char *text) {
  char path[220], found[20] = "";
  struct disk_file *f;
  size_t n = 0;
  snprintf(path, sizeof path, "%s/file", at(folder));
  if (disk_open(disk_system(), path, DISK_READ_ONLY, &f, NULL) != ERR_OK) return false;
  assert_ok(disk_read_some(f, 0, found, sizeof found - 1, &n, NULL));
  disk_close(f);
  return strcmp(found, text) == 0;
}

static bool is_there(const char *name) {
  return access(at(name), F_OK) == 0;
}

/// Of a server that was dropped, with databases whose content is `text`.
static void make(const char *text) {
  put("databases/neo4j", text);
  put("groups", "life");
  put("dbms", "password");
  assert_ok(disk_replace_file(disk_system(), data, IDENTITY_FILE, "who", 3, NULL));
}

static void set_aside(void) {
  struct error e = ERROR_INIT;
  if (offline_set_aside(data, disk_system(), &e) != ERR_OK) fail_msg("%s", e.message);
}

TEST(what_it_had_is_kept_and_who_it_was_is_forgotten) {
  make("first");
  set_aside();
  assert_true(holds("databases.dropped/neo4j", "first"));
  assert_false(is_there("databases") || is_there("groups") || is_there(IDENTITY_FILE));
  assert_true(holds("dbms", "password"));
}

TEST(the_last_databases_that_were_dropped_are_kept) {
  make("second");
  set_aside();
  assert_true(holds("databases.dropped/neo4j", "second"));
}

TEST(a_crash_before_the_identity_is_gone_loses_nothing_that_is_kept) {
  make("third");
  assert_ok(disk_remove_tree(disk_system(), at("databases.dropped"), NULL));
  char from[200];
  snprintf(from, sizeof from, "%s", at("databases"));
  assert_int_equal(rename(from, at("databases.dropped")), 0); // it came so far
  set_aside();
  assert_true(holds("databases.dropped/neo4j", "third"));
  assert_false(is_there(IDENTITY_FILE));
  set_aside(); // of an empty folder nothing is left to do
  assert_true(holds("databases.dropped/neo4j", "third"));
}

static int begin(void **state UNUSED) {
  return mkdtemp(data) == NULL;
}

static int end(void **state UNUSED) {
  return disk_remove_tree(disk_system(), data, NULL) != ERR_OK;
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(what_it_had_is_kept_and_who_it_was_is_forgotten),
                                     T(the_last_databases_that_were_dropped_are_kept),
                                     T(a_crash_before_the_identity_is_gone_loses_nothing_that_is_kept)};
  return cmocka_run_group_tests(tests, begin, end);
}
