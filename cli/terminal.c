#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>
#endif

enum { HISTORY_MAX = 1000 };

bool terminal_is_there(void) {
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/// A line of standard input, as long as it may be.
static bool read_plain(struct buf *ret) {
  char part[4096];
  bool any = false;
  buf_clear(ret);
  while (fgets(part, sizeof part, stdin) != NULL) {
    any = true;
    size_t len = strcspn(part, "\n");
    if (buf_append(ret, part, len) != ERR_OK) return false;
    if (part[len] == '\n') return true;
  }
  return any;
}

bool terminal_read_line(const char *prompt, struct buf *ret) {
#ifdef HAVE_LIBEDIT
  if (terminal_is_there()) {
    char *line = readline(prompt);
    if (line == NULL) return false;
    buf_clear(ret);
    enum err err = buf_append(ret, line, strlen(line));
    free(line);
    return err == ERR_OK;
  }
#endif
  if (terminal_is_there()) {
    fputs(prompt, stdout);
    fflush(stdout);
  }
  return read_plain(ret);
}

bool terminal_read_secret(const char *prompt, struct buf *ret) {
  struct termios shown, hidden;
  bool quiet = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
  fputs(prompt, stderr);
  if (quiet) {
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t) ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  bool read = read_plain(ret);
  if (quiet) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  fputc('\n', stderr);
  return read;
}

#ifdef HAVE_LIBEDIT
void terminal_remember(const char *line) {
  add_history(line);
}

void terminal_history_open(const char *path) {
  using_history();
  stifle_history(HISTORY_MAX);
  read_history(path);
}

void terminal_history_close(const char *path) {
  if (write_history(path) == 0) chmod(path, 0600);
}

void terminal_history_print(void) {
  for (int i = history_base; i < history_base + history_length; i++) {
    HIST_ENTRY *entry = history_get(i);
    if (entry != NULL) printf("%5d  %s\n", i, entry->line);
  }
}
#else
void terminal_remember(const char *line UNUSED) {}
void terminal_history_open(const char *path UNUSED) {}
void terminal_history_close(const char *path UNUSED) {}
void terminal_history_print(void) {
  printf("This shell was built without libedit and keeps no history.\n");
}
#endif
