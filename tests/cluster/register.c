// One member of a replicated register, for measuring consensus and for breaking it: a process with the real network, log, disk
// and threads.
//
//   register --server N --directory DIR --listen HOST:PORT --client HOST:PORT --members 1=HOST:PORT,2=HOST:PORT,...
//            [--join] [--election MS] [--heartbeat MS] [--checkpoint ENTRIES] [--trailing ENTRIES]
//            [--groups N]
//
// --join: comes to a running group, which adds it; the members named are where it may find a copy of the state. --groups: so many
// groups on the same host; all but the register's are idle. What clients may say: register_client.c. Ends by SIGTERM, or with 1
// and the reason when its group must close: started again, it goes on from its disk.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "register_int.h"

static const uint8_t group_uuid[16] = "the one register";

void die(const char *what, const struct error *e) {
  fprintf(stderr, "register: %s%s%s\n", what, e != NULL ? ": " : "", e != NULL ? e->message : "");
  _exit(1);
}

uint64_t register_now_ms(void) {
  return (uint64_t) (clock_monotonic_ns(clock_system()) / NS_PER_MS);
}

// ---- the application ----

static struct register_server *server_of(struct group_application *a) {
  return CONTAINER_OF(a, struct register_server, application);
}

static enum err apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
  struct register_server *s = server_of(a);
  TRY(register_apply(s->state, entry, e));
  clients_applied(s, entry->index, entry->term);
  return ERR_OK;
}

static struct group_applied applied(struct group_application *a) {
  return server_of(a)->state->applied;
}

static void install(struct group_application *a, uint64_t index, uint64_t term UNUSED) {
  copy_begin(server_of(a), index);
}

static void membership(struct group_application *a UNUSED, const struct consensus_membership *m UNUSED) {
}

static void read_answered(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  clients_read(server_of(a), read_id, index, failed);
}

// ---- the host ----

static void write_ready(void *context) {
  struct register_server *s = context;
  mutex_lock(&s->lock);
  s->write_ready = true;
  condition_signal(&s->wake);
  mutex_unlock(&s->lock);
}

static void group_failed(void *context UNUSED, struct host_group *g) {
  struct error e = ERROR_INIT;
  (void) !group_failure(host_group(g), &e);
  die("the group is closed", &e);
}

static void *writer_main(void *argument) {
  struct register_server *s = argument;
  struct error e = ERROR_INIT;
  for (;;) {
    mutex_lock(&s->lock);
    while (!s->write_ready && !s->stopping) condition_wait(&s->wake, &s->lock);
    bool stopping = s->stopping;
    s->write_ready = false;
    mutex_unlock(&s->lock);
    if (stopping) return NULL;
    for (bool worked = true; worked;)
      if (host_write_round(s->host, &worked, &e) != ERR_OK) die("writing the log", &e);
  }
}

static void on_checkpoint_time(void *context) {
  struct register_server *s = context;
  struct error e = ERROR_INIT;
  if (s->wanted_index == 0 && s->state->applied.index >= s->checkpoint_index + s->checkpoint_entries &&
      checkpoint(s, &e) != ERR_OK)
    die("checkpoint", &e);
}

static void raise_event(struct event_sink *sink UNUSED, enum event_level level UNUSED, const char *name, struct str text) {
  fprintf(stderr, "%s: %.*s\n", name, STR_ARG(text));
}

static struct event_sink events = {raise_event};

static enum err open_log(struct register_server *s, struct error *e) {
  struct log_options options = {.clustered = true};
  bool create = disk_make_directory(disk_system(), s->directory, e) == ERR_OK;
  TRY(log_open(disk_system(), s->directory, group_uuid, create, &options, clock_system(), s->events, &s->log, e));
  s->member = member_of(s->server, 1);
  if (create) TRY(s->join ? group_begin_empty(s->log, s->member, e) : group_begin(s->log, s->member, &s->first, e));
  return register_load(s->state, s->directory, e);
}

static enum err open_all(struct register_server *s, struct error *e) {
  struct host_options host = {.clock = clock_system(), .write_ready = write_ready, .group_failed = group_failed, .context = s};
  host.network = (struct network_options){.server = s->server,
                                          .epoch = (uint64_t) clock_wall_ns(clock_system()),
                                          .listen = str_of(s->listen),
                                          .advertised = s->listen,
                                          .resolver = s->resolver,
                                          .events = s->events};
  struct group_options group = {
      .application = &s->application, .clock = clock_system(), .events = s->events, .consensus = s->timing};
  group.seed = (uint64_t) clock_wall_ns(clock_system()) ^ s->server << 48;
  memcpy(group.uuid, group_uuid, sizeof group.uuid);
  struct loop_timer *timer = NULL;
  TRY(open_log(s, e));
  s->checkpoint_index = s->state->applied.index;
  TRY(host_open(s->loop, &host, &s->host, e));
  TRY(host_group_add(s->host, s->log, &group, &s->group, e));
  TRY(idle_open(s, e));
  TRY(loop_timer_new(s->loop, copy_ask, s, &s->copy_retry, e));
  TRY(loop_timer_new(s->loop, on_checkpoint_time, s, &timer, e));
  loop_timer_set(timer, 50, true);
  return clients_open(s, e);
}

static void open_now(void *argument) {
  struct error e = ERROR_INIT;
  if (open_all(argument, &e) != ERR_OK) die("start", &e);
}

// ---- the command line ----

static void parse_members(struct register_server *s, const char *text) {
  struct str rest = str_of(text);
  s->first.index = 1;
  while (rest.len > 0) {
    struct str address = str_cut(&rest, ','), number = str_cut(&address, '=');
    int64_t server = 0;
    struct consensus_member *m = &s->first.members[s->first.count++];
    if (!str_to_i64(number, &server) || server <= 0 || address.len == 0) die("--members 1=host:port,2=host:port", NULL);
    *m = (struct consensus_member){.id = member_of((uint64_t) server, 1), .role = CONSENSUS_VOTER};
    snprintf(m->address, sizeof m->address, "%.*s", STR_ARG(address));
  }
}

static void parse(struct register_server *s, int argc, char **argv) {
  static const struct option options[] = {
      {"server", required_argument, NULL, 's'},      {"directory", required_argument, NULL, 'd'},
      {"listen", required_argument, NULL, 'l'},      {"client", required_argument, NULL, 'c'},
      {"members", required_argument, NULL, 'm'},     {"join", no_argument, NULL, 'j'},
      {"election", required_argument, NULL, 'e'},    {"heartbeat", required_argument, NULL, 'h'},
      {"checkpoint", required_argument, NULL, 'p'},  {"trailing", required_argument, NULL, 't'},
      {"idle-groups", required_argument, NULL, 'g'}, {NULL, 0, NULL, 0},
  };
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    int64_t number = 0;
    bool is_number = optarg != NULL && str_to_i64(str_of(optarg), &number) && number >= 0;
    switch (c) {
    case 'd': s->directory = optarg; break;
    case 'l': s->listen = optarg; break;
    case 'c': s->client_listen = optarg; break;
    case 'm': parse_members(s, optarg); break;
    case 'j': s->join = true; break;
    default:
      if (!is_number) die("see the head of register.c for the options", NULL);
      if (c == 's') s->server = (uint64_t) number;
      if (c == 'e') s->timing.election_timeout_ms = (uint32_t) number;
      if (c == 'h') s->timing.heartbeat_ms = (uint32_t) number;
      if (c == 'p') s->checkpoint_entries = (uint64_t) number;
      if (c == 't') s->trailing = (uint64_t) number;
      if (c == 'g') s->idle_count = (uint32_t) number;
    }
  }
  if (s->server == 0 || s->directory == NULL || s->listen == NULL || s->client_listen == NULL || s->first.count == 0)
    die("--server, --directory, --listen, --client and --members are needed", NULL);
  if (s->idle_count > 0 && s->join) die("--idle-groups is for first members: nobody adds a member to an idle group", NULL);
}

int main(int argc, char **argv) {
  static struct register_server s = {.application = {apply, applied, install, membership, read_answered}};
  struct error e = ERROR_INIT;
  sigset_t end;
  int got = 0;
  s.checkpoint_entries = 100000;
  s.trailing = 10000;
  s.events = &events;
  parse(&s, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, NULL);
  mutex_init(&s.lock);
  condition_init(&s.wake);
  s.state = register_state_new();
  if (s.state == NULL) die("no memory", NULL);
  if (loop_start("register", &s.loop, &e) != ERR_OK || net_resolver_new(&s.resolver, &e) != ERR_OK) die("start", &e);
  loop_call(s.loop, open_now, &s);
  if (thread_start(&s.writer, "log writer", writer_main, &s, &e) != ERR_OK) die("start", &e);
  fprintf(stderr, "server %llu is up\n", (unsigned long long) s.server);
  sigwait(&end, &got);
  _exit(0); // what was acknowledged is on disk
}
