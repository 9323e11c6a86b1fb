// Commands that begin with a colon, and parameters.
#include <inttypes.h>
#include <string.h>

#include "cli/render.h"
#include "cli/shell_int.h"
#include "cli/terminal.h"

static enum err keep_text(struct shell *s, struct str text, struct str *ret, struct error *e) {
  struct str copy = arena_str(&s->arena, text);
  if (copy.ptr == NULL) return arena_err(&s->arena, e);
  *ret = copy;
  return ERR_OK;
}

// ---- parameters ----

static enum err set_param(struct shell *s, struct str name, struct str bytes, struct error *e) {
  struct shell_param *p = s->params;
  while (p != NULL && !str_eq(p->name, name)) p = p->next;
  if (p == NULL) {
    p = ARENA_NEW(&s->arena, struct shell_param);
    if (p == NULL) return arena_err(&s->arena, e);
    TRY(keep_text(s, name, &p->name, e));
    p->next = s->params;
    s->params = p;
  }
  return keep_text(s, bytes, &p->bytes, e);
}

/// What the expression is worth, by the server.
static enum err evaluate(struct shell *s, struct str expression, struct shell_rows *rows, struct error *e) {
  struct str text = arena_printf(rows->arena, "RETURN %.*s AS value", STR_ARG(expression));
  if (text.ptr == NULL) return arena_err(rows->arena, e);
  TRY(shell_run_statement(s, text, rows, e));
  if (!rows->has_first || rows->first.kind != PACKED_LIST || rows->first.len != 1) return error_set(e, ERR_INVALID, "The expression has no value.");
  return ERR_OK;
}

static enum err set_params_of_map(struct shell *s, const struct packed *map, struct error *e) {
  if (map->kind != PACKED_MAP) return error_set(e, ERR_INVALID, "Parameters are a map: :param {a: 1, b: 'x'}");
  for (uint32_t i = 0; i < map->len; i++) TRY(set_param(s, map->items[2 * i].s, map->items[2 * i + 1].bytes, e));
  return ERR_OK;
}

enum err shell_set_params(struct shell *s, struct str text, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  struct shell_rows rows = {.arena = &a};
  text = str_trim(text);
  int64_t arrow = str_find(text, STR("=>"));
  bool is_map = text.len > 0 && text.ptr[0] == '{';
  enum err err;
  if (!is_map && arrow <= 0) {
    err = error_set(e, ERR_INVALID, "Parameters are given as {a: 1, b: 'x'} or as a => 1");
  } else {
    struct str name = str_trim((struct str){text.ptr, (size_t) MAX(arrow, 0)});
    if (name.len > 2 && name.ptr[0] == '`') name = (struct str){name.ptr + 1, name.len - 2};
    err = evaluate(s, is_map ? text : (struct str){text.ptr + arrow + 2, text.len - (size_t) arrow - 2}, &rows, e);
    if (err == ERR_OK) err = is_map ? set_params_of_map(s, &rows.first.items[0], e) : set_param(s, name, rows.first.items[0].bytes, e);
  }
  arena_done(&a);
  return err;
}

static enum err print_params(struct shell *s, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  struct buf text = BUF_INIT;
  enum err err = buf_append(&text, "{\n", 2);
  for (const struct shell_param *p = s->params; err == ERR_OK && p != NULL; p = p->next) {
    struct str bytes = p->bytes;
    struct packed value;
    err = packed_read(&a, &bytes, &value, e);
    if (err == ERR_OK) err = buf_printf(&text, "  %.*s: ", STR_ARG(p->name));
    if (err == ERR_OK) err = render_value(&text, &value);
    if (err == ERR_OK) err = buf_append_str(&text, p->next != NULL ? STR(",\n") : STR("\n"));
  }
  if (err == ERR_OK) printf("%.*s}\n", STR_ARG(buf_str(&text)));
  buf_done(&text);
  arena_done(&a);
  return err;
}

// ---- commands ----

static enum err run_begin(struct shell *s, struct str argument UNUSED, struct error *e) {
  if (s->in_transaction) return error_set(e, ERR_INVALID, "There is already an open transaction");
  return shell_transaction(s, MESSAGE_BEGIN, e);
}

static enum err end_transaction(struct shell *s, uint8_t message, struct error *e) {
  if (!s->in_transaction) return error_set(e, ERR_INVALID, "There is no open transaction to %s", message == MESSAGE_COMMIT ? "commit" : "rollback");
  return shell_transaction(s, message, e);
}

static enum err run_commit(struct shell *s, struct str argument UNUSED, struct error *e) {
  return end_transaction(s, MESSAGE_COMMIT, e);
}

static enum err run_rollback(struct shell *s, struct str argument UNUSED, struct error *e) {
  return end_transaction(s, MESSAGE_ROLLBACK, e);
}

static enum err run_exit(struct shell *s, struct str argument UNUSED, struct error *e UNUSED) {
  s->finished = true;
  return ERR_OK;
}

static enum err run_param(struct shell *s, struct str argument, struct error *e) {
  if (str_eqz(argument, "clear")) return s->params = NULL, ERR_OK;
  if (argument.len == 0 || str_eqz(argument, "list")) return print_params(s, e);
  return shell_set_params(s, argument, e);
}

static enum err run_source(struct shell *s, struct str argument, struct error *e) {
  struct str path = arena_str(&s->arena, argument);
  if (argument.len == 0) return error_set(e, ERR_INVALID, "Which file? :source FILE");
  return path.ptr != NULL ? shell_run_file(s, path.ptr, e) : arena_err(&s->arena, e);
}

static enum err refuse_in_transaction(const struct shell *s, struct error *e) {
  return s->in_transaction ? error_set(e, ERR_INVALID, "There is an open transaction; :commit or :rollback it first.") : ERR_OK;
}

static enum err run_use(struct shell *s, struct str argument, struct error *e) {
  TRY(refuse_in_transaction(s, e));
  struct str before = s->database;
  TRY(keep_text(s, argument, &s->database, e));
  struct arena a;
  arena_init(&a, NULL);
  enum err err = shell_run_on(s, s->database, STR("CALL db.ping()"), NULL, &(struct shell_rows){.arena = &a}, e);
  arena_done(&a);
  if (err != ERR_OK) s->database = before;
  return err;
}

static enum err run_impersonate(struct shell *s, struct str argument, struct error *e) {
  TRY(refuse_in_transaction(s, e));
  return keep_text(s, argument, &s->impersonate, e);
}

static enum err run_access_mode(struct shell *s, struct str argument, struct error *e) {
  TRY(refuse_in_transaction(s, e));
  if (argument.len == 0) return printf("Access mode: %s\n", s->read_access ? "read" : "write"), ERR_OK;
  if (!str_eq_nocase(argument, STR("read")) && !str_eq_nocase(argument, STR("write"))) return error_set(e, ERR_INVALID, ":access-mode read or :access-mode write");
  s->read_access = str_eq_nocase(argument, STR("read"));
  return ERR_OK;
}

static enum err run_history(struct shell *s UNUSED, struct str argument UNUSED, struct error *e UNUSED) {
  terminal_history_print();
  return ERR_OK;
}

static enum err run_help(struct shell *s, struct str argument, struct error *e);

static const struct {
  const char *name, *what;
  enum err (*run)(struct shell *s, struct str argument, struct error *e);
} commands[] = {
    {":access-mode", "show or set read or write", run_access_mode},
    {":begin", "open a transaction", run_begin},
    {":commit", "commit the open transaction", run_commit},
    {":exit", "leave the shell", run_exit},
    {":help", "this list", run_help},
    {":history", "show the statements of before", run_history},
    {":impersonate", "run as another user; without a name as oneself", run_impersonate},
    {":param", ":param {a: 1}, :param a => 1, :param list, :param clear", run_param},
    {":params", "show the parameters", run_param},
    {":quit", "leave the shell", run_exit},
    {":rollback", "roll back the open transaction", run_rollback},
    {":source", "run the statements of a file", run_source},
    {":use", "work on another database", run_use},
};

static enum err run_help(struct shell *s UNUSED, struct str argument UNUSED, struct error *e UNUSED) {
  printf("\n");
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) printf("  %-14s %s\n", commands[i].name, commands[i].what);
  printf("\nEverything else is Cypher and ends in a semicolon.\n\n");
  return ERR_OK;
}

enum err shell_run_command(struct shell *s, struct str line, struct error *e) {
  struct str argument = str_trim(line);
  if (str_ends(argument, STR(";"))) argument.len--;
  struct str name = str_cut(&argument, ' ');
  argument = str_trim(argument);
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
    if (str_eq_nocase(name, str_of(commands[i].name))) return commands[i].run(s, argument, e);
  return error_set(e, ERR_INVALID, "Could not find command %.*s, use :help to see available commands", STR_ARG(name));
}
