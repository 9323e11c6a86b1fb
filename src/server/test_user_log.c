#include "server/user_log.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

TEST(stamps_have_milliseconds_and_their_zone) {
  char stamp[USER_LOG_STAMP + 1];
  user_log_stamp(INT64_C(1480091990333) * NS_PER_MS, 0, stamp);
  assert_string_equal(stamp, "2016-11-25 16:39:50.333+0000");
  user_log_stamp(0, 0, stamp);
  assert_string_equal(stamp, "1970-01-01 00:00:00.000+0000");
  user_log_stamp(-1, 0, stamp);
  assert_string_equal(stamp, "1969-12-31 23:59:59.999+0000");
  user_log_stamp(INT64_C(1709164800) * NS_PER_S, 0, stamp);
  assert_string_equal(stamp, "2024-02-29 00:00:00.000+0000");
  user_log_stamp(0, 8 * 3600, stamp);
  assert_string_equal(stamp, "1970-01-01 08:00:00.000+0800");
  user_log_stamp(0, -(3 * 3600 + 30 * 60), stamp);
  assert_string_equal(stamp, "1969-12-31 20:30:00.000-0330");
}

static void read_file(const char *path, char *to, size_t room) {
  FILE *f = fopen(path, "re");
  size_t n = f != NULL ? fread(to, 1, room - 1, f) : 0;
  to[n] = '\0';
  if (f != NULL) fclose(f);
}

TEST(events_become_lines_and_files_are_rotated) {
  char folder[] = "/tmp/quiver-log-XXXXXX", path[64], text[4096];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/neo4j.log", folder);
  struct user_log *log;
  struct error e = ERROR_INIT;
  struct user_log_options options = {.path = path, .rotation_bytes = 60, .keep = 2, .clock = clock_system()};
  assert_ok(user_log_open(&options, &log, &e));
  event_raise(user_log_sink(log), EVENT_INFO, "server.starting", "Starting...");
  event_raise(user_log_sink(log), EVENT_DEBUG, "x", "not for people");
  event_raise(user_log_sink(log), EVENT_WARN, "x", "A line\nthat is broken");
  event_raise(user_log_sink(log), EVENT_WARN, "bolt.refused", "peer=%s", "x");
  user_log_close(log);
  char rotated[80];
  snprintf(rotated, sizeof rotated, "%s.1", path);
  char all[8192] = "";
  read_file(rotated, all, sizeof all);
  read_file(path, text, sizeof text);
  memcpy(all + strlen(all), text, strlen(text) + 1);
  regex_t golden;
  assert_int_equal(regcomp(&golden, "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\\.[0-9]{3}\\+0000 INFO  Starting\\.\\.\\.\n.*WARN  A line that is broken\n.*WARN  \\[bolt.refused\\] peer=x\n$", REG_EXTENDED), 0);
  assert_int_equal(regexec(&golden, all, 0, NULL, 0), 0);
  regfree(&golden);
  assert_null(strstr(all, "not for people"));
  unlink(path);
  unlink(rotated);
  rmdir(folder);
}

TEST(a_list_is_given_as_lines_that_cannot_be_taken_for_others) {
  char folder[] = "/tmp/quiver-log-XXXXXX", path[64], text[4096];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/neo4j.log", folder);
  struct user_log *log;
  struct error e = ERROR_INIT;
  assert_ok(user_log_open(&(struct user_log_options){.path = path, .clock = clock_system()}, &log, &e));
  event_raise(user_log_sink(log), EVENT_INFO, "x", "More: [\n\tone,\n\ttwo\n]");
  event_raise(user_log_sink(log), EVENT_INFO, "x", "Less: [\none,\ttwo\n]\n]\n");
  user_log_close(log);
  read_file(path, text, sizeof text);
  assert_non_null(strstr(text, " INFO  More: [\n\tone,\n\ttwo\n]\n"));
  assert_non_null(strstr(text, " INFO  Less: [ one, two ] ] \n"));
  unlink(path);
  rmdir(folder);
}

TEST(a_folder_that_is_not_there_is_told) {
  struct error e = ERROR_INIT;
  struct user_log *log;
  assert_int_equal(user_log_open(&(struct user_log_options){.path = "/nowhere/neo4j.log", .clock = clock_system()}, &log, &e), ERR_IO);
  assert_non_null(strstr(e.message, "/nowhere/neo4j.log"));
}

TESTS(T(stamps_have_milliseconds_and_their_zone), T(events_become_lines_and_files_are_rotated), T(a_list_is_given_as_lines_that_cannot_be_taken_for_others), T(a_folder_that_is_not_there_is_told))
