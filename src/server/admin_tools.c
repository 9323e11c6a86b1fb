#include "server/admin_tools.h"

#include <stdio.h>
#include <string.h>

#include "dbms/dbms.h"
#include "server/engine.h"
#include "server/machine.h"
#include "server/member.h"
#include "server/pid_file.h"
#include "server/process.h"

enum { PASSWORD_BYTES_MAX = 1024 };

/// One line of standard input, without its end.
static bool read_password(char to[PASSWORD_BYTES_MAX]) {
  if (fgets(to, PASSWORD_BYTES_MAX, stdin) == NULL) return false;
  to[strcspn(to, "\r\n")] = '\0';
  return true;
}

static enum err set_password(const struct config *c, const char *password, bool require_change, struct error *e) {
  char path[4200];
  snprintf(path, sizeof path, "%.*s/neo4j.pid", STR_ARG(config_values(c)->run_directory));
  struct pid_file *pid_file;
  TRY(pid_file_take(path, &pid_file, e));
  struct engine *engine;
  if (member_is_wanted(c)) {
    enum err prepared = dbms_prepare_initial_password(config_values(c), disk_system(), str_of(password), require_change, e);
    pid_file_release(pid_file);
    return prepared;
  }
  enum err err = engine_new(c, NULL, NULL, &engine, e);
  if (err == ERR_OK) {
    err = engine_open(engine, NULL, e);
    if (err == ERR_OK) err = dbms_set_initial_password(engine_dbms(engine), str_of(password), require_change, e);
    engine_close(engine);
  }
  pid_file_release(pid_file);
  return err;
}

int admin_set_initial_password(const struct config *c, const struct arguments *a) {
  char line[PASSWORD_BYTES_MAX];
  const char *password = a->password != NULL ? a->password : read_password(line) ? line : NULL;
  struct error e = ERROR_INIT;
  if (password == NULL) {
    fprintf(stderr, "quiver: which password? Give it behind set-initial-password or on standard input.\n");
    return EXIT_USAGE;
  }
  if (set_password(c, password, a->require_change, &e) != ERR_OK) {
    fprintf(stderr, "quiver: %s\n", e.message);
    return EXIT_FAILED;
  }
  printf("Changed password for user 'neo4j'. IMPORTANT: this change will only take effect if performed before the database is started for the first "
         "time.\n");
  return EXIT_OK;
}

int admin_validate_config(const struct config *c) {
  for (uint32_t i = 0; i < config_warning_count(c); i++) {
    struct str warning = config_warning(c, i);
    printf("Warning: %.*s\n", STR_ARG(warning));
  }
  printf("The settings are valid, with %u warning%s.\n", config_warning_count(c), config_warning_count(c) == 1 ? "" : "s");
  return EXIT_OK;
}

int admin_memory_recommendation(void) {
  int64_t memory = machine_memory_bytes("");
  struct machine_memory_plan plan = machine_plan_memory(memory, 0, 0, 0);
  printf("# Memory of this machine or container: %lld MiB.\n"
         "# Without these settings the server shares it out in the same way.\n"
         "server.memory.pagecache.size=%lldm\n"
         "dbms.memory.transaction.total.max=%lldm\n",
         (long long) (memory >> 20), (long long) (plan.page_cache_bytes >> 20), (long long) (plan.query_bytes >> 20));
  return EXIT_OK;
}
