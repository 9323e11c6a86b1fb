// One binary: the server, its control commands, the admin tool (server/arguments.h) and the shell, told apart by name or first word.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/shell.h"
#include "server/admin_tools.h"
#include "server/arguments.h"
#include "server/help.h"
#include "server/home.h"
#include "server/process.h"

extern char **environ;

static int fail(const struct error *e, int code) {
  fprintf(stderr, "quiver: %s\n", e->message);
  return code;
}

static int64_t shutdown_timeout_s(void) {
  const char *text = environment_get((const char *const *) environ, "NEO4J_SHUTDOWN_TIMEOUT");
  int64_t s;
  return text != NULL && str_to_i64(str_of(text), &s) && s > 0 && s < 1000000 ? s : 120;
}

static int run_command(const struct arguments *a, const struct config *c) {
  switch (a->command) {
    case COMMAND_CONSOLE: return process_console(c, a->verbose);
    case COMMAND_START: return process_start(c, a->verbose);
    case COMMAND_STOP: return process_stop(c, shutdown_timeout_s());
    case COMMAND_RESTART: {
      int code = process_stop(c, shutdown_timeout_s());
      return code == EXIT_OK ? process_start(c, a->verbose) : code;
    }
    case COMMAND_STATUS: return process_status(c);
    case COMMAND_SET_PASSWORD: return admin_set_initial_password(c, a);
    case COMMAND_VALIDATE_CONFIG: return admin_validate_config(c);
    case COMMAND_UNBIND: return admin_unbind(c, a);
    case COMMAND_RECOVER: return admin_recover(c, a);
    case COMMAND_NONE:
    case COMMAND_HELP:
    case COMMAND_SETTINGS:
    case COMMAND_VERSION:
    case COMMAND_MEMORY: break;
  }
  return EXIT_FAILED;
}

/// Commands that need no home folder; -1 for the others.
static int run_without_home(const struct arguments *a) {
  switch (a->command) {
    case COMMAND_HELP: return help_print(a->admin), EXIT_OK;
    case COMMAND_SETTINGS: return help_print_settings(), EXIT_OK;
    case COMMAND_VERSION: return help_print_version(), EXIT_OK;
    case COMMAND_MEMORY: return admin_memory_recommendation();
    default: return -1;
  }
}

/// How many words in front of the shell's own say that it is meant; 0 if it is not.
static int shell_words(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  const char *name = slash != NULL ? slash + 1 : argv[0];
  if (strcmp(name, "quiver-shell") == 0 || strcmp(name, "cypher-shell") == 0) return 1;
  return argc > 1 && strcmp(argv[1], "shell") == 0 ? 2 : 0;
}

int main(int argc, char **argv) {
  struct arguments a;
  struct error e = ERROR_INIT;
  const char *const *environment = (const char *const *) environ;
  int words = argc > 0 ? shell_words(argc, argv) : 0;
  if (words > 0) return shell_main(argc - words + 1, (const char *const *) argv + words - 1, environment);
  if (arguments_parse(argc, (const char *const *) argv, environment, &a, &e) != ERR_OK) return fail(&e, EXIT_USAGE);
  int code = run_without_home(&a);
  if (code >= 0) return code;

  char home[HOME_PATH_MAX];
  if (home_find(&a, home, &e) != ERR_OK) return fail(&e, EXIT_USAGE);
  struct config *c;
  if (home_read_settings(home, &a, environment, &c, &e) != ERR_OK) return fail(&e, EXIT_FAILED);
  code = home_make_folders(home, config_values(c), &e) == ERR_OK ? run_command(&a, c) : fail(&e, EXIT_FAILED);
  config_free(c);
  return code;
}
