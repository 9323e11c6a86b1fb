// The whole server on the simulated disk: `sim_server console --home DIR [--set key=value]...`, as the program itself.
//
// The databases lie on a disk in memory (store/sim_disk.h). When its power is cut the process dies at once and leaves what
// survived in the file SIM_IMAGE of the environment, from which the next process starts; so does one that is stopped in order,
// after its last sync. SIM_SEED decides what survives. What is to happen to the disk is told in lines, in SIM_COMMANDS (separated
// by ;) before the server starts and on standard input while it runs:
//
// - `cut KIND NAME N`: power goes within the operation after N further ones of the kind (change, write, sync, allocate, other) on
//   files whose path contains NAME (*: on any)
// - `cut now`
// - `fail KIND NAME N HOW`: that operation (read, write, sync, allocate) fails, HOW being io or nospc
// - `room BYTES`, `room all`: by how much files may grow
//
// Exit codes: 99 the power was cut; 98 the image or a command is not usable; otherwise the server's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/thread.h"
#include "server/arguments.h"
#include "server/home.h"
#include "server/process.h"
#include "server/server.h"
#include "store/sim_disk.h"

enum { EXIT_POWER_CUT = 99, EXIT_UNUSABLE = 98 };

extern char **environ;

struct machine {
  struct sim_disk *disk;
  const char *image;
  int exit_code; // of a cut
};

static int fail(const char *what, int code) {
  fprintf(stderr, "sim_server: %s\n", what);
  return code;
}

/// Under the disk's mutex, so that nothing more is written, and nobody who waits for the disk hears an answer.
static void die(struct sim_disk *d, void *context) {
  const struct machine *m = context;
  _exit(sim_disk_save(d, m->image) ? m->exit_code : EXIT_UNUSABLE);
}

// ---- commands ----

/// SIM_OP_MAX: any change; negative: no such word.
static int op_of(const char *word) {
  static const char *const names[] = {[SIM_READ] = "read",         [SIM_WRITE] = "write", [SIM_SYNC] = "sync",
                                      [SIM_ALLOCATE] = "allocate", [SIM_OTHER] = "other", [SIM_OP_MAX] = "change"};
  for (int op = 0; op <= SIM_OP_MAX; op++)
    if (strcmp(word, names[op]) == 0) return op;
  return -1;
}

static bool obey(struct machine *m, const char *line) {
  char word[16], name[64], how[16] = "";
  long long n = 0;
  if (sscanf(line, " room %15s", word) == 1) {
    sim_disk_set_room(m->disk, strcmp(word, "all") == 0 ? UINT64_MAX : strtoull(word, NULL, 10));
    return true;
  }
  if (sscanf(line, " cut %15s", word) == 1 && strcmp(word, "now") == 0) sim_disk_cut(m->disk); // does not return
  bool cuts = sscanf(line, " cut %15s %63s %lld", word, name, &n) == 3;
  bool fails = !cuts && sscanf(line, " fail %15s %63s %lld %15s", word, name, &n, how) == 4;
  int op = cuts || fails ? op_of(word) : -1;
  if (op < 0 || (fails && op == SIM_OP_MAX)) return false;
  struct sim_aim aim = {(enum sim_op) op, strcmp(name, "*") == 0 ? NULL : strdup(name),
                        n}; // the name stays as long as the process
  if (cuts)
    sim_disk_cut_at(m->disk, aim);
  else
    sim_disk_fail_at(m->disk, aim, strcmp(how, "nospc") == 0 ? ERR_NOSPC : ERR_IO);
  return true;
}

static bool obey_all(struct machine *m, const char *lines) {
  char text[1024], *rest = text;
  snprintf(text, sizeof text, "%s", lines != NULL ? lines : "");
  for (char *line; (line = strsep(&rest, ";")) != NULL;)
    if (line[strspn(line, " ")] != '\0' && !obey(m, line)) return false;
  return true;
}

static void *listen_to_commands(void *argument) {
  char line[200];
  while (fgets(line, sizeof line, stdin) != NULL)
    if (!obey(argument, line)) fprintf(stderr, "sim_server: what is '%s'?\n", line);
  return NULL;
}

// ---- the server ----

static int run(struct machine *m, const struct config *c) {
  struct error e = ERROR_INIT;
  struct server *s;
  struct thread listener;
  if (server_start(&(struct server_options){.config = c, .console = true, .disk = sim_disk_table(m->disk)}, &s, &e) != ERR_OK)
    return fail(e.message, EXIT_FAILED);
  if (thread_start(&listener, "commands", listen_to_commands, m, &e) != ERR_OK) return fail(e.message, EXIT_FAILED);
  server_wait(s);
  (void) server_stop(s);
  m->exit_code = EXIT_OK;
  sim_disk_cut(m->disk); // does not return
  return EXIT_FAILED;
}

static bool load(struct machine *m) {
  const char *seed = getenv("SIM_SEED");
  m->image = getenv("SIM_IMAGE");
  if (m->image == NULL) return false;
  m->disk = sim_disk_new(seed != NULL ? strtoull(seed, NULL, 10) : 1);
  sim_disk_on_cut(m->disk, die, m);
  return access(m->image, F_OK) != 0 || sim_disk_load(m->disk, m->image);
}

int main(int argc, char **argv) {
  static struct machine m = {.exit_code = EXIT_POWER_CUT};
  const char *const *environment = (const char *const *) environ;
  struct arguments a;
  struct config *c;
  struct error e = ERROR_INIT;
  char home[HOME_PATH_MAX];
  if (arguments_parse(argc, (const char *const *) argv, environment, &a, &e) != ERR_OK) return fail(e.message, EXIT_USAGE);
  if (home_find(&a, home, &e) != ERR_OK || home_read_settings(home, &a, environment, &c, &e) != ERR_OK)
    return fail(e.message, EXIT_USAGE);
  if (home_make_folders(home, config_values(c), &e) != ERR_OK) return fail(e.message, EXIT_FAILED);
  if (!load(&m)) return fail("SIM_IMAGE does not name a disk.", EXIT_UNUSABLE);
  if (!obey_all(&m, getenv("SIM_COMMANDS"))) return fail("SIM_COMMANDS is not understood.", EXIT_UNUSABLE);
  return run(&m, c);
}
