// The command line: which command of which tool, and its options. Pure; texts point into argv and the environment.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum command {
  COMMAND_NONE, // never returned
  COMMAND_CONSOLE,
  COMMAND_START,
  COMMAND_STOP,
  COMMAND_RESTART,
  COMMAND_STATUS,
  COMMAND_VERSION,
  COMMAND_HELP,
  COMMAND_SETTINGS,         // help settings: the list
  COMMAND_SET_PASSWORD,     // admin dbms set-initial-password
  COMMAND_VALIDATE_CONFIG,  // admin server validate-config
  COMMAND_MEMORY,           // admin server memory-recommendation
  COMMAND_UNBIND,           // admin server unbind
  COMMAND_RECOVER,          // admin cluster recover
};

enum { ARGUMENTS_SETS_MAX = 256 };

struct arguments {
  enum command command;
  bool admin;               // HELP: of the admin tool
  const char *home;         // --home, QUIVER_HOME, NEO4J_HOME; NULL: none
  const char *conf;         // --conf, NEO4J_CONF: a file, or a folder that holds it; NULL: <home>/conf
  const char *password;     // SET_PASSWORD; NULL: standard input
  bool require_change;      // SET_PASSWORD
  bool keep_tail;           // UNBIND: what is not known to be committed
  bool cut_tail;            // RECOVER: the same
  bool accept_loss;         // RECOVER: does it
  bool verbose;             // --verbose: debug events on the console
  bool expand_commands;     // --expand-commands: values of the form $(command) are replaced by its output
  uint32_t set_count;
  const char *sets[ARGUMENTS_SETS_MAX]; // "key=value"
};

/// Reads the words behind the program's name. By that name (`quiver`, `neo4j`; `quiver-admin`, `neo4j-admin`) or the first word the admin
/// tool is meant. ERR_INVALID: a message for people, with what was meant instead where that can be guessed.
enum err arguments_parse(int argc, const char *const *argv, const char *const *environment, struct arguments *ret, struct error *e) NODISCARD;

/// The variable's value, or NULL where it is not set or empty.
const char *environment_get(const char *const *environment, const char *name);
