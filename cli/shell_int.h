// A session of the shell: its connection, its transaction, its parameters. Shared by the files of the shell.
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "cli/shell_options.h"
#include "cli/table.h"

struct shell_param {
  struct shell_param *next;
  struct str name, bytes; // packed
};

struct shell {
  const struct shell_options *options;
  struct connection *connection;
  struct arena arena; // for as long as the shell
  struct str database, user, impersonate, bookmark;
  bool read_access;
  enum table_format format;
  bool interactive;
  bool in_transaction;
  bool finished; // :exit
  bool failed;
  struct shell_param *params;
  unsigned source_depth;
  volatile sig_atomic_t *interrupted;
};

/// Where rows go: printed, or only the first one kept (in `arena`).
struct shell_rows {
  struct arena *arena;
  struct packed columns, first;
  bool has_first;
};

/// Runs one statement. `rows` NULL: prints the result. An error that the server told leaves the connection usable.
enum err shell_run_statement(struct shell *s, struct str text, struct shell_rows *rows, struct error *e) NODISCARD;

/// A statement that the shell makes itself, on `database`, with parameters as packed bytes.
enum err shell_run_on(struct shell *s, struct str database, struct str text, const struct shell_param *params, struct shell_rows *rows, struct error *e)
    NODISCARD;

/// ":name argument". ERR_INVALID for what is no command.
enum err shell_run_command(struct shell *s, struct str line, struct error *e) NODISCARD;

/// "{a: 1, b: 'x'}" or "a => 1": evaluated by the server and kept.
enum err shell_set_params(struct shell *s, struct str text, struct error *e) NODISCARD;

/// Statements and commands of a file, in order. Stops at the first error unless --fail-at-end.
enum err shell_run_file(struct shell *s, const char *path, struct error *e) NODISCARD;

/// Asks for a new password twice and sets it. The old one is that of the options.
enum err shell_change_password(struct shell *s, struct error *e) NODISCARD;

/// Prints an error to standard error and remembers that there was one.
void shell_tell_error(struct shell *s, const struct error *e);

/// BEGIN, COMMIT, ROLLBACK.
enum err shell_transaction(struct shell *s, uint8_t message, struct error *e) NODISCARD;
