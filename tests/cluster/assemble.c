// A server as far as finding its cluster goes: a process with the real disk and network.
//
//   assemble --directory DIR --listen HOST:PORT --endpoints HOST:PORT,... [--minimum N]
//
// Events go to standard error. Standard output has one line when it belongs to a cluster:
//   formed CLUSTER NUMBER founder|joined
// and one for each change of what is there: servers COUNT. Ends by SIGTERM, or with 1 and the reason when it cannot go on.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cluster/assembly.h"

struct process {
  struct loop *loop;
  struct net_resolver *resolver;
  struct assembly *assembly;
  struct assembly_options options;
  struct event_sink events;
};

static void die(const struct error *e) {
  fprintf(stderr, "assemble: %s\n", e->message);
  _exit(1);
}

static void raise_event(struct event_sink *sink UNUSED, enum event_level level UNUSED, const char *name, struct str text) {
  fprintf(stderr, "%s: %.*s\n", name, STR_ARG(text));
}

static void on_formed(void *context UNUSED, const struct formation_result *r) {
  printf("formed %s %u %s\n", uuid_text(r->founding.cluster).z, r->number, r->joined_existing ? "joined" : "founder");
  fflush(stdout);
}

static void on_failed(void *context UNUSED, const struct error *why) {
  die(why);
}

static void on_changed(void *context) {
  struct process *p = context;
  struct arena arena;
  struct directory_copy copy;
  arena_init(&arena, NULL);
  if (directory_copy(assembly_directory(p->assembly), &arena, &copy, NULL) == ERR_OK) printf("servers %u\n", copy.count);
  fflush(stdout);
  arena_done(&arena);
}

static void open_now(void *argument) {
  static const struct assembly_events events = {on_formed, on_failed, on_changed};
  struct process *p = argument;
  struct error e = ERROR_INIT;
  if (assembly_open(p->loop, &p->options, &events, p, &p->assembly, &e) != ERR_OK) die(&e);
}

static void parse(struct assembly_options *o, int argc, char **argv) {
  static const struct option names[] = {{"directory", required_argument, NULL, 'd'},
                                        {"listen", required_argument, NULL, 'l'},
                                        {"endpoints", required_argument, NULL, 'e'},
                                        {"minimum", required_argument, NULL, 'm'},
                                        {0}};
  for (int got; (got = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    if (got == 'd') o->formation.folder = optarg;
    if (got == 'l') o->beacon.listen = o->addresses[ADDRESS_DISCOVERY] = o->addresses[ADDRESS_RAFT] = str_of(optarg);
    if (got == 'e') o->discovery.endpoints = str_of(optarg);
    if (got == 'm') o->formation.minimum = (uint32_t) strtoul(optarg, NULL, 10);
    if (got == '?') _exit(2);
  }
}

int main(int argc, char **argv) {
  static struct process p = {.events.raise = raise_event};
  struct error e = ERROR_INIT;
  sigset_t end;
  int got = 0;
  p.options = (struct assembly_options){
      .formation = {.disk = disk_system(), .random = random_system(), .mode = SERVER_CORE, .minimum = 3},
      .discovery.source = "--endpoints",
      .version = STR("test"),
      .events = &p.events,
  };
  parse(&p.options, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, NULL);
  if (loop_start("assembly", &p.loop, &e) != ERR_OK || net_resolver_new(&p.resolver, &e) != ERR_OK) die(&e);
  p.options.resolver = p.resolver;
  loop_call(p.loop, open_now, &p);
  sigwait(&end, &got);
  _exit(0); // what was promised is on disk
}
