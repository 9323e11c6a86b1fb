#include "server/arguments.h"

#include <string.h>

#include "base/compiler.h"

const char *environment_get(const char *const *environment, const char *name) {
  size_t len = strlen(name);
  for (; *environment != NULL; environment++)
    if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=' && (*environment)[len + 1] != '\0') return *environment + len + 1;
  return NULL;
}

/// A command as one or more words; `admin` commands stand behind the word admin or the name of the admin tool.
struct command_words {
  const char *words;
  enum command command;
  bool admin;
};

static const struct command_words commands[] = {
    {"console", COMMAND_CONSOLE, false},
    {"start", COMMAND_START, false},
    {"stop", COMMAND_STOP, false},
    {"restart", COMMAND_RESTART, false},
    {"status", COMMAND_STATUS, false},
    {"version", COMMAND_VERSION, false},
    {"help settings", COMMAND_SETTINGS, false},
    {"help", COMMAND_HELP, false},
    {"dbms set-initial-password", COMMAND_SET_PASSWORD, true},
    {"set-initial-password", COMMAND_SET_PASSWORD, true},
    {"server validate-config", COMMAND_VALIDATE_CONFIG, true},
    {"server memory-recommendation", COMMAND_MEMORY, true},
    {"memrec", COMMAND_MEMORY, true},
    {"server unbind", COMMAND_UNBIND, true},
    {"unbind", COMMAND_UNBIND, true},
    {"cluster recover", COMMAND_RECOVER, true},
    {"server console", COMMAND_CONSOLE, true},
    {"server start", COMMAND_START, true},
    {"server stop", COMMAND_STOP, true},
    {"server restart", COMMAND_RESTART, true},
    {"server status", COMMAND_STATUS, true},
    {"version", COMMAND_VERSION, true},
    {"help", COMMAND_HELP, true},
};

struct words {
  const char *const *at, *const *end;
};

/// How many of the words that are left `text` names; 0 if they differ.
static size_t match(struct words w, const char *text) {
  struct str rest = str_of(text);
  size_t n = 0;
  while (rest.ptr != NULL) {
    struct str word = str_cut(&rest, ' ');
    if (w.at + n == w.end || !str_eqz(word, w.at[n])) return 0;
    n++;
  }
  return n;
}

static enum err take_command(struct words *w, struct arguments *a, struct error *e) {
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
    size_t n = commands[i].admin == a->admin ? match(*w, commands[i].words) : 0;
    if (n == 0) continue;
    a->command = commands[i].command;
    w->at += n;
    return ERR_OK;
  }
  return error_set(e, ERR_INVALID, "There is no command '%.100s'. `quiver%s help` lists them.", *w->at, a->admin ? " admin" : "");
}

/// "--name=value" or "--name value"; `*ret` is set when the next word is this option. `*ret_value` NULL: the value is missing.
static bool take_option(struct words *w, const char *name, const char **ret_value) {
  size_t len = strlen(name);
  if (strncmp(*w->at, name, len) != 0) return false;
  if ((*w->at)[len] == '=') {
    *ret_value = *w->at++ + len + 1;
    return true;
  }
  if ((*w->at)[len] != '\0') return false;
  w->at++;
  *ret_value = w->at < w->end ? *w->at++ : NULL;
  return true;
}

static bool take_flag(struct words *w, const char *name, bool *flag) {
  if (strcmp(*w->at, name) != 0) return false;
  w->at++;
  return *flag = true;
}

static enum err add_set(struct arguments *a, const char *text, struct error *e) {
  if (text == NULL || strchr(text, '=') == NULL) return error_set(e, ERR_INVALID, "--set needs key=value, for example --set server.bolt.listen_address=:7688");
  if (a->set_count == ARGUMENTS_SETS_MAX) return error_set(e, ERR_INVALID, "At most %d settings can be given by --set; put them into a file.", ARGUMENTS_SETS_MAX);
  a->sets[a->set_count++] = text;
  return ERR_OK;
}

static enum err need(const char *option, const char *value, const char **field, struct error *e) {
  if (value == NULL || *value == '\0') return error_set(e, ERR_INVALID, "%s needs a value", option);
  *field = value;
  return ERR_OK;
}

static enum err take_word(struct words *w, struct arguments *a, struct error *e) {
  const char *value;
  bool unused;
  if (take_option(w, "--home", &value)) return need("--home", value, &a->home, e);
  if (take_option(w, "--conf", &value)) return need("--conf", value, &a->conf, e);
  if (take_option(w, "--set", &value)) return add_set(a, value, e);
  if (take_flag(w, "--verbose", &a->verbose) || take_flag(w, "--expand-commands", &a->expand_commands)) return ERR_OK;
  if (take_flag(w, "--help", &unused) || take_flag(w, "-h", &unused)) return a->command = COMMAND_HELP, ERR_OK;
  if (take_flag(w, "--version", &unused)) return a->command = COMMAND_VERSION, ERR_OK;
  if (a->command == COMMAND_SET_PASSWORD) {
    if (take_flag(w, "--require-password-change", &a->require_change)) return ERR_OK;
    if (a->password == NULL && (*w->at)[0] != '-') return a->password = *w->at++, ERR_OK;
  }
  if (a->command == COMMAND_UNBIND && take_flag(w, "--keep-tail", &a->keep_tail)) return ERR_OK;
  if (a->command == COMMAND_RECOVER && (take_flag(w, "--cut-tail", &a->cut_tail) || take_flag(w, "--accept-loss", &a->accept_loss)))
    return ERR_OK;
  return error_set(e, ERR_INVALID, "'%.100s' does not belong here. `quiver%s help` shows what does.", *w->at, a->admin ? " admin" : "");
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

enum err arguments_parse(int argc, const char *const *argv, const char *const *environment, struct arguments *ret, struct error *e) {
  struct arguments a = {.command = COMMAND_NONE};
  a.home = environment_get(environment, "QUIVER_HOME");
  if (a.home == NULL) a.home = environment_get(environment, "NEO4J_HOME");
  a.conf = environment_get(environment, "NEO4J_CONF");
  struct words w = {argv + 1, argv + argc};
  const char *name = argc > 0 ? base_name(argv[0]) : "quiver";
  a.admin = strcmp(name, "quiver-admin") == 0 || strcmp(name, "neo4j-admin") == 0;
  if (!a.admin && w.at < w.end && strcmp(*w.at, "admin") == 0) a.admin = true, w.at++;
  // Options may stand in front of the command as well.
  const char *const *first = w.at;
  while (w.at < w.end && (*w.at)[0] == '-') TRY(take_word(&w, &a, e));
  if (w.at < w.end) TRY(take_command(&w, &a, e));
  while (w.at < w.end) TRY(take_word(&w, &a, e));
  if (a.command == COMMAND_NONE && w.at > first) return error_set(e, ERR_INVALID, "Which command? `quiver help` lists them.");
  if (a.command == COMMAND_NONE) a.command = COMMAND_HELP;
  *ret = a;
  return ERR_OK;
}
