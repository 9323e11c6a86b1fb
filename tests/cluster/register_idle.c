// Groups beside the register's that do nothing: each has a log, an election and heartbeats of its own. What they cost is measured
// (bench/consensus), and the register must not notice them.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "register_int.h"

enum { SEGMENT_BYTES = 1 << 20 }; // on disk, preallocated: a hundred groups of three members fit on a laptop

struct idle_group {
  struct group_application application;
  struct group_applied applied; // in memory alone: a member that starts again counts from the beginning of its log
  struct log *log;
  struct host_group *group;
};

static struct idle_group *idle_of(struct group_application *a) {
  return CONTAINER_OF(a, struct idle_group, application);
}

static enum err apply(struct group_application *a, const struct log_entry *entry, struct error *e UNUSED) {
  idle_of(a)->applied = (struct group_applied){entry->index, entry->term, entry->commit_time_ns};
  return ERR_OK;
}

static struct group_applied applied(struct group_application *a) {
  return idle_of(a)->applied;
}

static void install(struct group_application *a UNUSED, uint64_t index UNUSED, uint64_t term UNUSED) {
  die("an idle group has nothing that a log could have forgotten", NULL);
}

static void membership(struct group_application *a UNUSED, const struct consensus_membership *m UNUSED) {
}

static void read_answered(struct group_application *a UNUSED, uint64_t read_id UNUSED, uint64_t index UNUSED,
                          bool failed UNUSED) {
}

static enum err open_one(struct register_server *s, struct idle_group *g, uint32_t number, struct error *e) {
  struct log_options log = {.clustered = true, .segment_bytes = SEGMENT_BYTES};
  struct group_options group = {.uuid = "idle group", .application = &g->application, .clock = clock_system()};
  char directory[DISK_PATH_MAX];
  group.events = s->events;
  group.consensus = s->timing;
  group.seed = (uint64_t) clock_wall_ns(clock_system()) ^ s->server << 48 ^ (uint64_t) number << 32;
  put_u32_le(group.uuid + sizeof group.uuid - 4, number);
  g->application = (struct group_application){apply, applied, install, membership, read_answered};
  snprintf(directory, sizeof directory, "%s/idle-%u", s->directory, number);
  bool create = disk_make_directory(disk_system(), directory, e) == ERR_OK;
  TRY(log_open(disk_system(), directory, group.uuid, create, &log, clock_system(), s->events, &g->log, e));
  if (create) TRY(group_begin(g->log, s->member, &s->first, e));
  return host_group_add(s->host, g->log, &group, &g->group, e);
}

enum err idle_open(struct register_server *s, struct error *e) {
  s->idle = mem_zalloc((s->idle_count + 1) * sizeof *s->idle);
  if (s->idle == NULL) return error_ensure(e, ERR_NOMEM);
  for (uint32_t i = 0; i < s->idle_count; i++) TRY(open_one(s, &s->idle[i], i + 1, e));
  return ERR_OK;
}

void idle_count_led(const struct register_server *s, uint32_t *led, uint32_t *here) {
  *led = *here = 0;
  for (uint32_t i = 0; i < s->idle_count; i++) {
    struct group_stats stats;
    group_stats(host_group(s->idle[i].group), &stats);
    *led += stats.leader != 0;
    *here += stats.leader == s->member;
  }
}
