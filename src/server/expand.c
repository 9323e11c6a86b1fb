#include "server/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "os/clock.h"

extern char **environ;

enum { OUTPUT_BYTES_MAX = 64 * 1024, COMMAND_MS_MAX = 30 * 1000 };

enum err expand_check_file(const char *path, struct error *e) {
  struct stat st;
  if (stat(path, &st) != 0) return error_set(e, ERR_IO, "Cannot look at %s: %s", path, strerror(errno));
  if (st.st_uid == geteuid() && (st.st_mode & 0037) == 0) return ERR_OK;
  return error_set(e, ERR_INVALID, "%s holds commands to run and must belong to this user and have the mode 600 or 640: chmod 640 %s", path, path);
}

/// Reads until the end, the limit or the time is over.
static enum err read_output(int fd, struct buf *output, struct error *e) {
  int64_t deadline = clock_monotonic_ns(clock_system()) + COMMAND_MS_MAX * NS_PER_MS;
  while (true) {
    int64_t left_ms = (deadline - clock_monotonic_ns(clock_system())) / NS_PER_MS;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (left_ms <= 0 || poll(&p, 1, (int) left_ms) == 0) return error_set(e, ERR_LIMIT, "it took longer than %d s", COMMAND_MS_MAX / 1000);
    char part[4096];
    ssize_t n = read(fd, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_set(e, ERR_IO, "%s", strerror(errno));
    if (n == 0) return ERR_OK;
    if (output->len + (size_t) n > OUTPUT_BYTES_MAX) return error_set(e, ERR_LIMIT, "it printed more than %d bytes", OUTPUT_BYTES_MAX);
    TRY(buf_append(output, part, (size_t) n));
  }
}

static enum err spawn(const char *command, int output, pid_t *ret, struct error *e) {
  char *const argv[] = {(char *) "sh", (char *) "-c", (char *) command, NULL};
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return error_set(e, ERR_NOMEM, "no memory to run a command");
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  int failed = posix_spawn(ret, "/bin/sh", &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? ERR_OK : error_set(e, ERR_IO, "%s", strerror(failed));
}

static enum err run_command(const char *command, struct buf *output, struct error *e) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return error_set(e, ERR_IO, "%s", strerror(errno));
  pid_t child;
  enum err err = spawn(command, ends[1], &child, e);
  close(ends[1]);
  if (err == ERR_OK) {
    err = read_output(ends[0], output, e);
    if (err != ERR_OK) kill(child, SIGKILL);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (err == ERR_OK && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
      err = error_set(e, ERR_INVALID, "it ended with %s %d", WIFEXITED(status) ? "code" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  }
  close(ends[0]);
  while (output->len > 0 && (output->data[output->len - 1] == '\n' || output->data[output->len - 1] == '\r')) output->len--;
  return err;
}

/// The command of a line "key=$(command)", or an empty text. `*ret_head` is "key=".
static struct str command_of(struct str line, struct str *ret_head) {
  struct str value = line;
  struct str key = str_cut(&value, '=');
  value = str_trim(value);
  bool comment = str_starts(str_trim(key), STR("#")) || str_starts(str_trim(key), STR("!"));
  if (comment || !str_starts(value, STR("$(")) || !str_ends(value, STR(")"))) return STR_NONE;
  *ret_head = (struct str){line.ptr, key.len + 1};
  return (struct str){value.ptr + 2, value.len - 3};
}

static enum err append_output(struct buf *to, struct str command, const char *path, struct error *e) {
  CLEANUP(buf_done) struct buf text = BUF_INIT, output = BUF_INIT;
  TRY(buf_append_str(&text, command));
  TRY(buf_append_byte(&text, '\0'));
  if (run_command(text.data, &output, e) != ERR_OK) return error_prefix(e, "The command $(%.*s) in %s failed", STR_ARG(command), path);
  for (size_t i = 0; i < output.len; i++)
    if (output.data[i] == '\n') return error_set(e, ERR_INVALID, "The command $(%.*s) in %s printed more than one line.", STR_ARG(command), path);
  return buf_append(to, output.data, output.len);
}

enum err expand_commands_in(struct buf *text, const char *path, struct error *e) {
  CLEANUP(buf_done) struct buf expanded = BUF_INIT;
  struct str rest = buf_str(text);
  while (rest.ptr != NULL) {
    struct str line = str_cut(&rest, '\n'), head;
    struct str command = command_of(line, &head);
    TRY(buf_append_str(&expanded, command.ptr != NULL ? head : line));
    if (command.ptr != NULL) TRY(append_output(&expanded, command, path, e));
    if (rest.ptr != NULL) TRY(buf_append_byte(&expanded, '\n'));
  }
  struct buf old = *text;
  *text = expanded;
  expanded = old;
  return ERR_OK;
}
