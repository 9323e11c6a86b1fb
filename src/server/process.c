#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "server/pid_file.h"
#include "server/server.h"

enum { START_WAIT_MS = 60 * 1000 };

/// What the process in the background tells the one that started it.
struct start_report {
  enum err err;
  char text[1200]; // the address, or what failed
};

static void pid_path(const struct config *c, char path[4200]) {
  snprintf(path, 4200, "%.*s/neo4j.pid", STR_ARG(config_values(c)->run_directory));
}

static pid_t running(const struct config *c) {
  char path[4200];
  pid_path(c, path);
  return pid_file_holder(path);
}

/// Until it is asked to stop: a server may have a reason to begin once more.
static enum err run(struct server *s, const struct server_options *options, struct error *e) {
  server_wait(s);
  while (server_stop(s)) {
    TRY(server_start(options, &s, e));
    server_wait(s);
  }
  return ERR_OK;
}

int process_console(const struct config *c, bool debug) {
  const struct server_options options = {.config = c, .console = true, .debug = debug};
  struct error e = ERROR_INIT;
  struct server *s;
  enum err err = server_start(&options, &s, &e);
  if (err == ERR_OK) err = run(s, &options, &e);
  if (err == ERR_OK) return EXIT_OK;
  fprintf(stderr, "quiver: %s\n", e.message);
  return EXIT_FAILED;
}

static void detach(void) {
  setsid();
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  if (null > 2) close(null);
}

/// The background process: never returns to the caller's main.
static int run_detached(const struct config *c, bool debug, int report_fd) {
  const struct server_options options = {.config = c, .debug = debug};
  struct start_report report = {.err = ERR_OK};
  struct error e = ERROR_INIT;
  struct server *s = NULL;
  detach();
  report.err = server_start(&options, &s, &e);
  struct str text = report.err == ERR_OK ? server_http_address(s) : str_of(e.message);
  snprintf(report.text, sizeof report.text, "%.*s", STR_ARG(text));
  ssize_t told = write(report_fd, &report, sizeof report); // nobody may be left to read it
  (void) told;
  close(report_fd);
  if (report.err != ERR_OK) return EXIT_FAILED;
  return run(s, &options, &e) == ERR_OK ? EXIT_OK : EXIT_FAILED;
}

static int tell_start(const struct config *c, pid_t child, int report_fd) {
  struct start_report report;
  struct pollfd p = {.fd = report_fd, .events = POLLIN};
  struct str logs = config_values(c)->logs_directory;
  if (poll(&p, 1, START_WAIT_MS) == 0) {
    printf("Started neo4j (pid:%ld).\nThere may be a short delay until the server is ready.\nSee %.*s/neo4j.log for current status.\n", (long) child,
           STR_ARG(logs));
    return EXIT_OK;
  }
  if (read(report_fd, &report, sizeof report) != sizeof report) {
    fprintf(stderr, "quiver: the server ended while it was starting. See %.*s/neo4j.log\n", STR_ARG(logs));
    return EXIT_FAILED;
  }
  if (report.err != ERR_OK) {
    fprintf(stderr, "quiver: %s\n", report.text);
    return EXIT_FAILED;
  }
  printf("Started neo4j (pid:%ld).", (long) child);
  if (report.text[0] != '\0') printf(" It is available at http://%s/", report.text);
  printf("\nSee %.*s/neo4j.log for current status.\n", STR_ARG(logs));
  return EXIT_OK;
}

int process_start(const struct config *c, bool debug) {
  pid_t pid = running(c);
  if (pid > 0) {
    printf("Neo4j is already running (pid:%ld).\n", (long) pid);
    return EXIT_OK;
  }
  printf("Starting Neo4j.\n");
  fflush(stdout);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    fprintf(stderr, "quiver: %s\n", strerror(errno));
    return EXIT_FAILED;
  }
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    _exit(run_detached(c, debug, ends[1]));
  }
  close(ends[1]);
  if (child < 0) {
    fprintf(stderr, "quiver: %s\n", strerror(errno));
    close(ends[0]);
    return EXIT_FAILED;
  }
  int code = tell_start(c, child, ends[0]);
  close(ends[0]);
  return code;
}

int process_stop(const struct config *c, int64_t timeout_s) {
  pid_t pid = running(c);
  if (pid <= 0) {
    printf("Neo4j is not running.\n");
    return EXIT_OK;
  }
  printf("Stopping Neo4j");
  fflush(stdout);
  if (kill(pid, SIGTERM) != 0) {
    fprintf(stderr, "\nquiver: cannot stop process %ld: %s\n", (long) pid, strerror(errno));
    return EXIT_FAILED;
  }
  int64_t deadline = clock_monotonic_ns(clock_system()) + timeout_s * NS_PER_S;
  for (unsigned round = 0; running(c) == pid; round++) {
    if (clock_monotonic_ns(clock_system()) > deadline) {
      fprintf(stderr, "\nquiver: process %ld still runs after %lld s (NEO4J_SHUTDOWN_TIMEOUT).\n", (long) pid, (long long) timeout_s);
      return EXIT_FAILED;
    }
    if (round % 50 == 0) {
      putchar('.');
      fflush(stdout);
    }
    poll(NULL, 0, 20);
  }
  printf(" stopped.\n");
  return EXIT_OK;
}

int process_status(const struct config *c) {
  pid_t pid = running(c);
  if (pid > 0) {
    printf("Neo4j is running at pid %ld\n", (long) pid);
    return EXIT_OK;
  }
  printf("Neo4j is not running.\n");
  return EXIT_NOT_RUNNING;
}
