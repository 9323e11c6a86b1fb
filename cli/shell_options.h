// The options of the shell, named as cypher-shell's. Pure; texts point into argv and the environment.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "cli/connection.h"

enum shell_format { SHELL_AUTO, SHELL_VERBOSE, SHELL_PLAIN };

enum { SHELL_PARAMS_MAX = 256 };

struct shell_options {
  struct connection_settings connection;
  bool has_password;
  struct str database, impersonate;
  bool read_access;
  enum shell_format format;
  uint32_t sample_rows;
  bool wrap;
  bool fail_at_end;
  bool non_interactive, notifications, change_password;
  bool help, version;
  const char *file;      // -f
  const char *statement; // positional
  const char *params[SHELL_PARAMS_MAX];
  uint32_t param_count;
};

/// ERR_INVALID with the option and what it takes.
enum err shell_options_parse(int argc, const char *const *argv, const char *const *environment, struct shell_options *ret, struct error *e) NODISCARD;

void shell_options_help(void);
