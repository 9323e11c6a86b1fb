#include "server/home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "os/disk.h"
#include "server/expand.h"

enum { SETTINGS_BYTES_MAX = 4 << 20 };

static enum err make_folder(const char *path, struct error *e) {
  if (mkdir(path, 0750) == 0 || errno == EEXIST) return ERR_OK;
  return error_set(e, ERR_IO, "Cannot make the folder %s: %s", path, strerror(errno));
}

/// Makes the folder and those above it; a power cut does not take them away again.
static enum err make_folders(struct str path, struct error *e) {
  char text[HOME_PATH_MAX];
  if (path.len >= sizeof text) return error_set(e, ERR_INVALID, "The path '%.100s...' is too long.", path.ptr);
  snprintf(text, sizeof text, "%.*s", STR_ARG(path));
  return disk_make_directories(disk_system(), text, e);
}

/// <prefix>/bin/quiver -> <prefix>; false if the program does not lie in a folder called bin, or in that of the system.
static bool beside_program(char *path) {
  ssize_t n = readlink("/proc/self/exe", path, HOME_PATH_MAX - 1);
  if (n <= 0) return false;
  path[n] = '\0';
  char *slash = strrchr(path, '/');
  *slash = '\0';
  if (!str_ends(str_of(path), STR("/bin"))) return false;
  path[strlen(path) - 4] = '\0';
  return path[0] != '\0' && strcmp(path, "/usr") != 0 && strcmp(path, "/usr/local") != 0;
}

enum err home_find(const struct arguments *a, char ret[HOME_PATH_MAX], struct error *e) {
  char beside[HOME_PATH_MAX];
  const char *home = a->home != NULL ? a->home : beside_program(beside) ? beside : NULL;
  if (home == NULL) return error_set(e, ERR_INVALID, "Where is the data? Say --home DIR, or set QUIVER_HOME.");
  TRY(make_folders(str_of(home), e));
  char resolved[HOME_PATH_MAX]; // which is PATH_MAX, what realpath needs
  if (realpath(home, resolved) == NULL) return error_set(e, ERR_IO, "Cannot use the home folder %s: %s", home, strerror(errno));
  snprintf(ret, HOME_PATH_MAX, "%s", resolved);
  return ERR_OK;
}

enum err home_make_folders(const char *home, const struct config_values *v, struct error *e) {
  static const char *const names[] = {"conf", "plugins", "metrics"};
  char path[HOME_PATH_MAX + 16];
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    snprintf(path, sizeof path, "%s/%s", home, names[i]);
    TRY(make_folder(path, e));
  }
  const struct str set[] = {v->data_directory, v->logs_directory, v->run_directory, v->import_directory};
  for (size_t i = 0; i < ARRAY_SIZE(set); i++) TRY(make_folders(set[i], e));
  return ERR_OK;
}

static bool is_there(const char *path) {
  return access(path, F_OK) == 0;
}

/// Which file to read; an empty path where there is none and none was asked for.
static enum err find_file(const char *home, const struct arguments *a, char path[HOME_PATH_MAX], struct error *e) {
  char folder[HOME_PATH_MAX];
  struct stat st;
  if (a->conf == NULL) {
    snprintf(folder, sizeof folder, "%s/conf", home);
  } else if (stat(a->conf, &st) != 0) {
    return error_set(e, ERR_NOTFOUND, "There is no settings file %s: %s", a->conf, strerror(errno));
  } else if (!S_ISDIR(st.st_mode)) {
    snprintf(path, HOME_PATH_MAX, "%s", a->conf);
    return ERR_OK;
  } else {
    snprintf(folder, sizeof folder, "%s", a->conf);
  }
  static const char *const names[] = {"quiver.conf", "neo4j.conf"};
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    snprintf(path, HOME_PATH_MAX, "%s/%s", folder, names[i]);
    if (is_there(path)) return ERR_OK;
  }
  path[0] = '\0';
  return ERR_OK;
}

static enum err read_whole(const char *path, struct buf *to, struct error *e) {
  FILE *f = fopen(path, "re");
  if (f == NULL) return error_set(e, ERR_IO, "Cannot read the settings in %s: %s", path, strerror(errno));
  enum err err = ERR_OK;
  char part[4096];
  size_t n;
  while (err == ERR_OK && (n = fread(part, 1, sizeof part, f)) > 0) {
    err = to->len + n > SETTINGS_BYTES_MAX ? error_set(e, ERR_LIMIT, "The settings file %s is larger than %d bytes.", path, SETTINGS_BYTES_MAX)
                                           : buf_append(to, part, n);
  }
  if (err == ERR_OK && ferror(f)) err = error_set(e, ERR_IO, "Cannot read the settings in %s: %s", path, strerror(errno));
  fclose(f);
  return err;
}

static enum err read_file(struct config *c, const char *path, bool expand_commands, struct error *e) {
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  TRY(read_whole(path, &text, e));
  if (expand_commands) {
    TRY(expand_check_file(path, e));
    TRY(expand_commands_in(&text, path, e));
  }
  return config_read_file(c, buf_str(&text), str_of(path), e);
}

static enum err read_sets(struct config *c, const struct arguments *a, struct error *e) {
  for (uint32_t i = 0; i < a->set_count; i++) {
    struct str value = str_of(a->sets[i]);
    struct str key = str_trim(str_cut(&value, '='));
    TRY(config_set(c, key, value, CONFIG_COMMAND_LINE, STR("--set"), e));
  }
  return ERR_OK;
}

static enum err read_all(struct config *c, const char *home, const struct arguments *a, const char *const *environment, struct error *e) {
  char path[HOME_PATH_MAX];
  TRY(find_file(home, a, path, e));
  if (path[0] != '\0') TRY(read_file(c, path, a->expand_commands, e));
  TRY(config_read_environment(c, environment, e));
  TRY(read_sets(c, a, e));
  return config_finish(c, str_of(home), e);
}

enum err home_read_settings(const char *home, const struct arguments *a, const char *const *environment, struct config **ret, struct error *e) {
  struct config *c = config_new();
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for the settings");
  enum err err = read_all(c, home, a, environment, e);
  if (err != ERR_OK) {
    config_free(c);
    return err;
  }
  *ret = c;
  return ERR_OK;
}
