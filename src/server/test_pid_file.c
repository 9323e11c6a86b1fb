#include "server/pid_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

/// What another process finds: the holder it sees, or 0.
static pid_t seen_by_another(const char *path) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    pid_t holder = pid_file_holder(path);
    ssize_t n = write(ends[1], &holder, sizeof holder);
    _exit(n == sizeof holder ? 0 : 1);
  }
  pid_t holder = -1;
  assert_int_equal(read(ends[0], &holder, sizeof holder), sizeof holder);
  waitpid(child, NULL, 0);
  close(ends[0]);
  close(ends[1]);
  return holder;
}

/// The code with which another process is refused, and what it is told.
static enum err refused_to_another(const char *path, char *told, size_t room) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    struct pid_file *f;
    struct error e = ERROR_INIT;
    enum err err = pid_file_take(path, &f, &e);
    ssize_t n = write(ends[1], e.message, strlen(e.message) + 1);
    _exit(n > 0 ? (int) err : 255);
  }
  int status;
  ssize_t n = read(ends[0], told, room);
  assert_true(n > 0);
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  return (enum err) WEXITSTATUS(status);
}

TEST(the_holder_is_seen_and_a_second_one_refused) {
  char folder[] = "/tmp/quiver-pid-XXXXXX", path[64], told[1300];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/neo4j.pid", folder);
  assert_int_equal(seen_by_another(path), 0);
  struct pid_file *f;
  struct error e = ERROR_INIT;
  assert_ok(pid_file_take(path, &f, &e));
  assert_int_equal(seen_by_another(path), getpid());
  assert_int_equal(refused_to_another(path, told, sizeof told), ERR_BUSY);
  char pid[32];
  snprintf(pid, sizeof pid, "process %ld on ", (long) getpid());
  assert_non_null(strstr(told, pid));
  pid_file_release(f);
  assert_int_not_equal(access(path, F_OK), 0);
  rmdir(folder);
}

TEST(a_number_left_by_a_crash_is_nobody) {
  char path[] = "/tmp/quiver-pid-XXXXXX";
  int fd = mkstemp(path);
  assert_int_equal(write(fd, "1\n", 2), 2);
  close(fd);
  assert_int_equal(seen_by_another(path), 0);
  struct pid_file *f;
  assert_ok(pid_file_take(path, &f, NULL));
  pid_file_release(f);
}

TESTS(T(the_holder_is_seen_and_a_second_one_refused), T(a_number_left_by_a_crash_is_nobody))
