#include "cli/shell_options.h"

#include <stdio.h>
#include <string.h>

static const char *variable(const char *const *environment, const char *name) {
  size_t len = strlen(name);
  for (; *environment != NULL; environment++)
    if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=') return *environment + len + 1;
  return NULL;
}

enum option {
  OPTION_ADDRESS,
  OPTION_USER,
  OPTION_PASSWORD,
  OPTION_IMPERSONATE,
  OPTION_ENCRYPTION,
  OPTION_DATABASE,
  OPTION_ACCESS_MODE,
  OPTION_FORMAT,
  OPTION_PARAM,
  OPTION_SAMPLE_ROWS,
  OPTION_WRAP,
  OPTION_FILE,
  OPTION_FIRST_FLAG,
  OPTION_NON_INTERACTIVE = OPTION_FIRST_FLAG,
  OPTION_NOTIFICATIONS,
  OPTION_CHANGE_PASSWORD,
  OPTION_FAIL_FAST,
  OPTION_FAIL_AT_END,
  OPTION_HELP,
  OPTION_VERSION,
};

static const struct {
  const char *name;
  enum option option;
} names[] = {
    {"-a", OPTION_ADDRESS},
    {"--address", OPTION_ADDRESS},
    {"--uri", OPTION_ADDRESS},
    {"-u", OPTION_USER},
    {"--username", OPTION_USER},
    {"-p", OPTION_PASSWORD},
    {"--password", OPTION_PASSWORD},
    {"--impersonate", OPTION_IMPERSONATE},
    {"--encryption", OPTION_ENCRYPTION},
    {"-d", OPTION_DATABASE},
    {"--database", OPTION_DATABASE},
    {"--access-mode", OPTION_ACCESS_MODE},
    {"--format", OPTION_FORMAT},
    {"-P", OPTION_PARAM},
    {"--param", OPTION_PARAM},
    {"--sample-rows", OPTION_SAMPLE_ROWS},
    {"--wrap", OPTION_WRAP},
    {"-f", OPTION_FILE},
    {"--file", OPTION_FILE},
    {"--non-interactive", OPTION_NON_INTERACTIVE},
    {"--notifications", OPTION_NOTIFICATIONS},
    {"--change-password", OPTION_CHANGE_PASSWORD},
    {"--fail-fast", OPTION_FAIL_FAST},
    {"--fail-at-end", OPTION_FAIL_AT_END},
    {"-h", OPTION_HELP},
    {"--help", OPTION_HELP},
    {"-v", OPTION_VERSION},
    {"--version", OPTION_VERSION},
};

/// The option that `word` names. `*ret_value` is behind its `=`, or NULL.
static bool find(const char *word, enum option *ret, const char **ret_value) {
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    size_t len = strlen(names[i].name);
    bool is_long = names[i].name[1] == '-';
    if (strncmp(word, names[i].name, len) != 0 || (word[len] != '\0' && !(is_long && word[len] == '='))) continue;
    *ret = names[i].option;
    *ret_value = word[len] == '=' ? word + len + 1 : NULL;
    return true;
  }
  return false;
}

/// Number of the word in "a|b|c" that `value` is.
static enum err choose(const char *option, const char *value, const char *words, unsigned *ret, struct error *e) {
  struct str rest = str_of(words);
  for (unsigned i = 0; rest.ptr != NULL; i++) {
    if (!str_eq_nocase(str_cut(&rest, '|'), str_of(value))) continue;
    *ret = i;
    return ERR_OK;
  }
  return error_set(e, ERR_INVALID, "%s takes one of %s, not '%s'.", option, words, value);
}

static enum err apply_value(struct shell_options *o, enum option option, const char *word, const char *value, struct error *e) {
  unsigned n = 0;
  int64_t rows;
  switch (option) {
    case OPTION_ADDRESS: o->connection.address = str_of(value); return ERR_OK;
    case OPTION_USER: o->connection.user = str_of(value); return ERR_OK;
    case OPTION_PASSWORD:
      o->connection.password = str_of(value);
      o->has_password = true;
      return ERR_OK;
    case OPTION_IMPERSONATE: o->impersonate = str_of(value); return ERR_OK;
    case OPTION_DATABASE: o->database = str_of(value); return ERR_OK;
    case OPTION_FILE: o->file = value; return ERR_OK;
    case OPTION_ENCRYPTION:
      TRY(choose(word, value, "default|false|true", &n, e));
      o->connection.encryption = (enum connection_encryption) n;
      return ERR_OK;
    case OPTION_ACCESS_MODE:
      TRY(choose(word, value, "write|read", &n, e));
      o->read_access = n == 1;
      return ERR_OK;
    case OPTION_FORMAT:
      TRY(choose(word, value, "auto|verbose|plain", &n, e));
      o->format = (enum shell_format) n;
      return ERR_OK;
    case OPTION_WRAP:
      TRY(choose(word, value, "false|true", &n, e));
      o->wrap = n == 1;
      return ERR_OK;
    case OPTION_SAMPLE_ROWS:
      if (!str_to_i64(str_of(value), &rows) || rows < 1 || rows > 1000000) return error_set(e, ERR_INVALID, "%s takes a number from 1 to 1000000.", word);
      o->sample_rows = (uint32_t) rows;
      return ERR_OK;
    case OPTION_PARAM:
      if (o->param_count == SHELL_PARAMS_MAX) return error_set(e, ERR_INVALID, "At most %d parameters can be given.", SHELL_PARAMS_MAX);
      o->params[o->param_count++] = value;
      return ERR_OK;
    default: return ERR_INTERNAL;
  }
}

static void apply_flag(struct shell_options *o, enum option option) {
  if (option == OPTION_NON_INTERACTIVE) o->non_interactive = true;
  if (option == OPTION_NOTIFICATIONS) o->notifications = true;
  if (option == OPTION_CHANGE_PASSWORD) o->change_password = true;
  if (option == OPTION_FAIL_FAST) o->fail_at_end = false;
  if (option == OPTION_FAIL_AT_END) o->fail_at_end = true;
  if (option == OPTION_HELP) o->help = true;
  if (option == OPTION_VERSION) o->version = true;
}

static void take_environment(struct shell_options *o, const char *const *environment) {
  const char *address = variable(environment, "NEO4J_ADDRESS");
  if (address == NULL) address = variable(environment, "NEO4J_URI");
  const char *password = variable(environment, "NEO4J_PASSWORD");
  o->connection.address = address != NULL ? str_of(address) : STR("neo4j://localhost:7687");
  o->connection.user = str_of(variable(environment, "NEO4J_USERNAME"));
  o->connection.password = str_of(password);
  o->has_password = password != NULL;
  o->database = str_of(variable(environment, "NEO4J_DATABASE"));
}

enum err shell_options_parse(int argc, const char *const *argv, const char *const *environment, struct shell_options *ret, struct error *e) {
  struct shell_options o = {.sample_rows = 1000, .wrap = true};
  take_environment(&o, environment);
  for (int i = 1; i < argc; i++) {
    enum option option;
    const char *value;
    if (argv[i][0] != '-' || argv[i][1] == '\0') {
      if (o.statement != NULL) return error_set(e, ERR_INVALID, "One statement can be given; '%s' is another. Put it into quotes.", argv[i]);
      o.statement = argv[i];
      continue;
    }
    const char *word = argv[i];
    if (!find(word, &option, &value)) return error_set(e, ERR_INVALID, "There is no option '%s'. `quiver shell --help` lists them.", word);
    if (option >= OPTION_FIRST_FLAG) {
      apply_flag(&o, option);
      continue;
    }
    if (value == NULL && i + 1 < argc) value = argv[++i];
    if (value == NULL) return error_set(e, ERR_INVALID, "%s needs a value.", word);
    TRY(apply_value(&o, option, word, value, e));
  }
  *ret = o;
  return ERR_OK;
}

void shell_options_help(void) {
  fputs("Usage: quiver shell [OPTIONS] [STATEMENT]\n"
        "\n"
        "Runs Cypher statements, each ending in `;`, from a person, standard input, -f FILE or the command line.\n"
        "\n"
        "  -a, --address, --uri ADDRESS  neo4j://localhost:7687; also bolt, +s, +ssc (or NEO4J_ADDRESS, NEO4J_URI)\n"
        "  -u, --username NAME           (or NEO4J_USERNAME)\n"
        "  -p, --password PASSWORD       (or NEO4J_PASSWORD, which other users do not see)\n"
        "  -d, --database NAME           (or NEO4J_DATABASE); otherwise the user's home database\n"
        "  --impersonate USER\n"
        "  --access-mode read|write\n"
        "  --encryption true|false|default\n"
        "  -f, --file FILE               run the statements of a file\n"
        "  -P, --param '{a: 1}'          parameters; also 'a => 1'. May be repeated\n"
        "  --format auto|verbose|plain   tables for people, or comma-separated values; auto: by where output goes\n"
        "  --sample-rows N               rows that widths of columns are taken from (1000)\n"
        "  --wrap true|false             show long cells in several lines, or cut them\n"
        "  --fail-fast | --fail-at-end   stop at the first error, or go on and tell at the end\n"
        "  --notifications               show what the server remarks on statements\n"
        "  --change-password             ask for a new password and end\n"
        "  --non-interactive             never ask\n",
        stdout);
}
