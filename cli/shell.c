#include "cli/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/shell_int.h"
#include "cli/splitter.h"
#include "cli/terminal.h"
#include "wire/packstream.h"

enum { SOURCE_DEPTH_MAX = 10, LOGIN_TRIES = 3 };

static volatile sig_atomic_t interrupted; // set by the handler of SIGINT: what a signal handler can reach is global by nature

static void on_interrupt(int number UNUSED) {
  interrupted = 1;
}

void shell_tell_error(struct shell *s, const struct error *e) {
  fflush(stdout);
  fprintf(stderr, "%s\n", e->message);
  s->failed = true;
}

// ---- statements from lines ----

static enum err run_text(struct shell *s, struct str text, struct error *e) {
  struct str trimmed = str_trim(text);
  if (trimmed.len > 0 && trimmed.ptr[0] == ':') return shell_run_command(s, trimmed, e);
  return shell_run_statement(s, text, NULL, e);
}

/// True while the next statement may run.
static bool may_go_on(const struct shell *s) {
  return !s->finished && (!s->failed || s->interactive || s->options->fail_at_end);
}

static void run_whole(struct shell *s, struct splitter *splitter, struct buf *text, bool at_end) {
  while (may_go_on(s) && (splitter_take(splitter, text) || (at_end && splitter_take_rest(splitter, text)))) {
    struct error e = ERROR_INIT;
    if (run_text(s, buf_str(text), &e) != ERR_OK) shell_tell_error(s, &e);
  }
}

/// The user's lines are kept unless they speak of passwords.
static void remember(const struct buf *line) {
  for (size_t i = 0; i + 8 <= line->len; i++)
    if (str_eq_nocase((struct str){line->data + i, 8}, STR("password"))) return;
  char *text = strndup(line->data != NULL ? line->data : "", line->len);
  if (text != NULL && *text != '\0') terminal_remember(text);
  free(text);
}

static void prompt_of(const struct shell *s, bool fresh, char *to, size_t room) {
  struct str database = s->database.len > 0 ? s->database : STR("neo4j");
  int len = snprintf(to, room, "%.*s@%.*s%s ", STR_ARG(s->user), STR_ARG(database), s->in_transaction ? "#" : ">");
  if (!fresh && len > 0) memset(to, ' ', MIN((size_t) len, room - 1));
}

static void run_lines(struct shell *s) {
  struct splitter splitter = {0};
  struct buf line = BUF_INIT, text = BUF_INIT;
  char prompt[256];
  while (may_go_on(s)) {
    prompt_of(s, splitter_is_empty(&splitter), prompt, sizeof prompt);
    if (!terminal_read_line(prompt, &line) || splitter_add(&splitter, buf_str(&line)) != ERR_OK) break;
    if (s->interactive) remember(&line);
    run_whole(s, &splitter, &text, false);
  }
  if (!s->interactive) run_whole(s, &splitter, &text, true);
  buf_done(&line);
  buf_done(&text);
  splitter_done(&splitter);
}

enum err shell_run_file(struct shell *s, const char *path, struct error *e) {
  if (s->source_depth == SOURCE_DEPTH_MAX) return error_set(e, ERR_LIMIT, "Files call each other more than %d levels deep.", SOURCE_DEPTH_MAX);
  FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
  if (f == NULL) return error_set(e, ERR_IO, "Cannot read %s: %s", path, strerror(errno));
  s->source_depth++;
  struct splitter splitter = {0};
  struct buf text = BUF_INIT;
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  while (may_go_on(s) && (len = getline(&line, &room, f)) >= 0) {
    if (len > 0 && line[len - 1] == '\n') len--;
    if (splitter_add(&splitter, (struct str){line, (size_t) len}) != ERR_OK) break;
    run_whole(s, &splitter, &text, false);
  }
  run_whole(s, &splitter, &text, true);
  free(line);
  buf_done(&text);
  splitter_done(&splitter);
  if (f != stdin) fclose(f);
  s->source_depth--;
  return ERR_OK;
}

// ---- logging in ----

static enum err packed_text(struct shell *s, struct str text, struct str *ret, struct error *e) {
  CLEANUP(buf_done) struct buf b = BUF_INIT;
  TRY(packstream_write_str(&b, text));
  *ret = arena_str(&s->arena, buf_str(&b));
  return ret->ptr != NULL ? ERR_OK : arena_err(&s->arena, e);
}

enum err shell_change_password(struct shell *s, struct error *e) {
  CLEANUP(buf_done) struct buf first = BUF_INIT, second = BUF_INIT;
  if (!terminal_read_secret("new password: ", &first) || !terminal_read_secret("confirm password: ", &second)) return error_set(e, ERR_INVALID, "No password was given.");
  if (!str_eq(buf_str(&first), buf_str(&second))) return error_set(e, ERR_INVALID, "Passwords are not matching.");
  struct shell_param params[] = {{.name = STR("old")}, {.name = STR("new")}};
  params[0].next = &params[1];
  TRY(packed_text(s, s->options->connection.password, &params[0].bytes, e));
  TRY(packed_text(s, buf_str(&first), &params[1].bytes, e));
  struct arena a;
  arena_init(&a, NULL);
  enum err err = shell_run_on(s, STR("system"), STR("ALTER CURRENT USER SET PASSWORD FROM $old TO $new"), params, &(struct shell_rows){.arena = &a}, e);
  arena_done(&a);
  return err;
}

static bool ask(struct arena *a, const char *prompt, bool secret, struct str *ret) {
  CLEANUP(buf_done) struct buf line = BUF_INIT;
  bool read = secret ? terminal_read_secret(prompt, &line) : terminal_read_line(prompt, &line);
  if (!read) return false;
  *ret = arena_str(a, buf_str(&line));
  return ret->ptr != NULL;
}

/// Connects, asking for what is missing where there is somebody to ask.
static enum err log_in(struct shell *s, struct shell_options *o, bool *ret_expired, struct error *e) {
  bool may_ask = s->interactive;
  if (may_ask && o->connection.user.len > 0 && !o->has_password && !ask(&s->arena, "password: ", true, &o->connection.password)) return error_set(e, ERR_INVALID, "No password was given.");
  for (int tries = 0;; tries++) {
    enum err err = connection_open(&o->connection, &s->connection, ret_expired, e);
    bool again = err == ERR_UNAUTHORIZED && may_ask && !o->has_password && tries < LOGIN_TRIES;
    if (!again) return err;
    if (tries > 0) fprintf(stderr, "%s\n", e->message);
    if (!ask(&s->arena, "username: ", false, &o->connection.user) || !ask(&s->arena, "password: ", true, &o->connection.password)) return err;
  }
}

// ---- main ----

static void history_path(const char *const *environment, char *path, size_t room) {
  path[0] = '\0';
  for (; *environment != NULL; environment++) {
    if (strncmp(*environment, "HOME=/", 6) != 0) continue;
    snprintf(path, room, "%s/.quiver", *environment + 5);
    mkdir(path, 0700);
    snprintf(path, room, "%s/.quiver/shell_history", *environment + 5);
  }
}

static void greet(const struct shell *s) {
  printf("Connected to %.*s at %.*s as user '%.*s'.\nType :help for a list of available commands or :exit to exit the shell.\n"
         "Note that Cypher queries must end with a semicolon.\n",
         STR_ARG(connection_server(s->connection)), STR_ARG(connection_address(s->connection)), STR_ARG(s->user));
}

static void run_interactive(struct shell *s, const char *const *environment) {
  char path[4200];
  history_path(environment, path, sizeof path);
  if (path[0] != '\0') terminal_history_open(path);
  greet(s);
  run_lines(s);
  if (path[0] != '\0') terminal_history_close(path);
  s->failed = false; // errors were told where they happened
}

static enum err set_given_params(struct shell *s, struct error *e) {
  for (uint32_t i = 0; i < s->options->param_count; i++) TRY(shell_set_params(s, str_of(s->options->params[i]), e));
  return ERR_OK;
}

static enum err run_shell(struct shell *s, const char *const *environment, bool expired, struct error *e) {
  const struct shell_options *o = s->options;
  if (o->change_password || (expired && s->interactive)) {
    if (expired) fprintf(stderr, "Password change required\n");
    TRY(shell_change_password(s, e));
    if (o->change_password) return ERR_OK;
  }
  TRY(set_given_params(s, e));
  if (o->statement != NULL) return run_text(s, str_of(o->statement), e);
  if (o->file != NULL) return shell_run_file(s, o->file, e);
  if (s->interactive) {
    run_interactive(s, environment);
  } else {
    run_lines(s);
  }
  return ERR_OK;
}

static int run_with(struct shell_options *o, const char *const *environment) {
  struct shell s = {.options = o, .database = o->database, .impersonate = o->impersonate, .read_access = o->read_access, .interrupted = &interrupted};
  arena_init(&s.arena, NULL);
  s.interactive = terminal_is_there() && !o->non_interactive && o->file == NULL && o->statement == NULL;
  s.format = o->format == SHELL_PLAIN || (o->format == SHELL_AUTO && !s.interactive) ? TABLE_PLAIN : TABLE_VERBOSE;
  bool expired = false;
  struct error e = ERROR_INIT;
  enum err err = log_in(&s, o, &expired, &e);
  if (err == ERR_OK) {
    s.user = o->connection.user;
    connection_watch(s.connection, &interrupted);
    if (s.interactive) sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, NULL);
    err = run_shell(&s, environment, expired, &e);
  }
  if (err != ERR_OK) shell_tell_error(&s, &e);
  connection_close(s.connection);
  arena_done(&s.arena);
  return s.failed ? 1 : 0;
}

int shell_main(int argc, const char *const *argv, const char *const *environment) {
  struct shell_options o;
  struct error e = ERROR_INIT;
  if (shell_options_parse(argc, argv, environment, &o, &e) != ERR_OK) {
    fprintf(stderr, "quiver shell: %s\n", e.message);
    return 1;
  }
  if (o.help) return shell_options_help(), 0;
  if (o.version) return printf("Quiver shell %s\n", QUIVER_VERSION), 0;
  signal(SIGPIPE, SIG_IGN);
  return run_with(&o, environment);
}
