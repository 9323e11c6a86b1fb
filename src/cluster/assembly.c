#include "cluster/assembly.h"

#include <stdio.h>
#include <string.h>

#include "base/feature_level.h"
#include "base/mem.h"

enum { TICK_MS = 1000, STEPS_AT_ONCE = 8 };

struct assembly {
  struct loop *loop;
  struct assembly_options options;
  struct assembly_events events;
  void *context;
  struct formation *formation;
  struct beacon *beacon;
  struct discovery *discovery;
  struct loop_timer *tick;
  struct announced_database *databases; // owned
  uint32_t database_count, cluster_level;
  char discovery_address[NET_ADDRESS_TEXT_MAX];
  int64_t begin_ms;
  uint64_t changes; // told
  bool formed, failed, dropped;
};

// ---- what this server says of itself ----

static struct announcement describe(const struct assembly *a) {
  const struct assembly_options *o = &a->options;
  struct announcement self = {.version = o->version,
                              .tag_count = o->tag_count,
                              .feature_level = feature_level_highest,
                              .cluster_level = a->cluster_level,
                              .databases = a->databases,
                              .database_count = a->database_count};
  memcpy(self.addresses, o->addresses, sizeof self.addresses);
  if (self.addresses[ADDRESS_DISCOVERY].len == 0) self.addresses[ADDRESS_DISCOVERY] = str_of(a->discovery_address);
  for (uint32_t i = 0; i < MIN(o->tag_count, ANNOUNCEMENT_TAGS_MAX); i++) self.tags[i] = o->tags[i];
  formation_describe(a->formation, &self);
  return self;
}

static enum err say(struct assembly *a, struct error *e) {
  struct announcement self = describe(a);
  bool at_once = false;
  TRY(directory_say(beacon_directory(a->beacon), &self, &at_once, e));
  if (at_once) beacon_say(a->beacon);
  return ERR_OK;
}

void assembly_set_level(struct assembly *a, uint32_t level) {
  a->cluster_level = level;
}

enum err assembly_announce(struct assembly *a, const struct announced_database *databases, uint32_t count, struct error *e) {
  struct announced_database *before = a->databases, *now = mem_alloc(MAX(count, 1) * sizeof *now);
  uint32_t before_count = a->database_count;
  if (now == NULL) return error_set(e, ERR_NOMEM, "no memory for what is said of databases");
  if (count > 0) memcpy(now, databases, count * sizeof *now);
  a->databases = now;
  a->database_count = count;
  enum err err = say(a, e);
  if (err == ERR_OK) {
    mem_free(before);
    return ERR_OK;
  }
  a->databases = before;
  a->database_count = before_count;
  mem_free(now);
  return err;
}

// ---- telling ----

static void tell(struct assembly *a, const char *name, const char *text) {
  event_raise(a->options.events, EVENT_INFO, name, "%s", text);
}

static void tell_addresses(struct assembly *a) {
  const struct assembly_options *o = &a->options;
  struct announcement self = describe(a);
  const struct str *at = self.addresses;
  event_raise(o->events, EVENT_INFO, "cluster.assembly.addresses",
              "My connection info: [\n\tDiscovery:   listen=%s, advertised=%.*s,\n\tTransaction: listen=%.*s, advertised=%.*s,\n"
              "\tRaft:        listen=%.*s, advertised=%.*s,\n\tRouting:     listen=%.*s, advertised=%.*s,\n\tClient Connector "
              "Addresses: bolt://%.*s,http://%.*s%s%.*s\n]",
              beacon_address(a->beacon), STR_ARG(at[ADDRESS_DISCOVERY]), STR_ARG(o->listens[ADDRESS_TRANSACTION]),
              STR_ARG(at[ADDRESS_TRANSACTION]), STR_ARG(o->listens[ADDRESS_RAFT]), STR_ARG(at[ADDRESS_RAFT]),
              STR_ARG(o->listens[ADDRESS_ROUTING]), STR_ARG(at[ADDRESS_ROUTING]), STR_ARG(at[ADDRESS_BOLT]),
              STR_ARG(at[ADDRESS_HTTP]), at[ADDRESS_HTTPS].len > 0 ? ",https://" : "", STR_ARG(at[ADDRESS_HTTPS]));
}

static void tell_endpoints(struct assembly *a) {
  struct str rest = a->options.discovery.endpoints;
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  while (rest.ptr != NULL) {
    struct str one = str_trim(str_cut(&rest, ','));
    if (buf_printf(&text, "%s%.*s", text.len > 0 ? ", " : "", STR_ARG(one)) != ERR_OK) return; // no memory for a line of a log
  }
  event_raise(a->options.events, EVENT_INFO, "cluster.assembly.discovering", "Discovering cluster with initial members: [%.*s]",
              STR_ARG(buf_str(&text)));
}

static void tell_begin(struct assembly *a) {
  const struct discovery_options *o = &a->options.discovery;
  tell_addresses(a);
  if (o->type == DISCOVERY_K8S)
    event_raise(a->options.events, EVENT_INFO, "cluster.assembly.discovering",
                "Discovering cluster by Kubernetes services with label: [%.*s]", STR_ARG(o->kubernetes.label_selector));
  else
    tell_endpoints(a);
  tell(a, "cluster.assembly.connecting", "Attempting to connect to the other cluster members before continuing...");
  if (formation_identity(a->formation)->state != IDENTITY_BOUND)
    tell(a, "cluster.assembly.waiting", "Waiting for other members to join cluster before continuing...");
}

// ---- deciding ----

static void fail(struct assembly *a, const struct error *why) {
  a->failed = true;
  a->events.failed(a->context, why);
}

static enum err step_once(struct assembly *a, bool *ret_changed, struct error *e) {
  struct arena arena;
  struct directory_copy view;
  arena_init(&arena, NULL);
  enum err err = directory_copy(beacon_directory(a->beacon), &arena, &view, e);
  if (err == ERR_OK) err = formation_step(a->formation, loop_now_ms(a->loop), &view, beacon_listed(a->beacon), ret_changed, e);
  arena_done(&arena);
  return err;
}

static void report(struct assembly *a) {
  struct formation_result result;
  if (a->formed || !formation_result(a->formation, &result)) return;
  a->formed = true;
  a->events.formed(a->context, &result);
}

/// Without memory it waits for the next occasion; a disk that fails is the end.
static void decide(struct assembly *a) {
  for (int i = 0; i < STEPS_AT_ONCE && !a->formed && !a->failed; i++) {
    struct error e = ERROR_INIT;
    bool changed = false;
    enum err err = step_once(a, &changed, &e);
    if (err != ERR_OK && err != ERR_NOMEM) fail(a, &e);
    if (err != ERR_OK || !changed) break;
    if (say(a, &e) != ERR_OK) break; // said with the next tick
  }
  if (!a->failed) report(a);
}

static void check_patience(struct assembly *a) {
  struct error e = ERROR_INIT;
  int64_t waited_ms = loop_now_ms(a->loop) - a->begin_ms, patience_ms = a->options.binding_timeout_ms;
  if (a->formed || a->failed || patience_ms == 0 || waited_ms < patience_ms || a->options.formation.mode == SERVER_SINGLE) return;
  error_set(&e, ERR_AGAIN,
            "this server was in no cluster within %lld s (dbms.cluster.raft.binding_timeout; 0 waits for ever): are so many "
            "servers started as "
            "dbms.cluster.minimum_initial_system_primaries_count says, and do dbms.cluster.discovery.endpoints lead to them?",
            (long long) (patience_ms / 1000));
  fail(a, &e);
}

// ---- what happens ----

static void tell_changes(struct assembly *a) {
  uint64_t changes = directory_changes(beacon_directory(a->beacon));
  if (changes == a->changes) return;
  a->changes = changes;
  if (a->events.changed != NULL) a->events.changed(a->context);
}

/// Until that is remembered nothing is done about it: the others say it again every second.
static void look_whether_dropped(struct assembly *a) {
  struct error e = ERROR_INIT;
  if (a->dropped || !a->formed || !directory_was_dropped(beacon_directory(a->beacon))) return;
  if (formation_drop(a->formation, &e) != ERR_OK) {
    event_raise(a->options.events, EVENT_ERROR, "cluster.assembly.dropped",
                "This server was dropped from its cluster, and that cannot be remembered: %s", e.message);
    return;
  }
  a->dropped = true;
  if (a->events.dropped != NULL) a->events.dropped(a->context);
}

static void on_heard(void *context) {
  struct assembly *a = context;
  decide(a);
  look_whether_dropped(a);
  tell_changes(a);
}

static void on_tick(void *context) {
  struct assembly *a = context;
  loop_timer_set(a->tick, TICK_MS, false);
  (void) !say(a, NULL); // what could not be said before for want of memory
  beacon_tick(a->beacon);
  decide(a);
  check_patience(a);
  tell_changes(a);
}

static void on_found(void *context, const struct str *addresses, size_t count, uint32_t servers) {
  struct assembly *a = context;
  struct error e = ERROR_INIT;
  if (beacon_seeds(a->beacon, addresses, count, servers, a->options.discovery.source, &e) != ERR_OK)
    event_raise(a->options.events, EVENT_WARN, "cluster.assembly.seeds", "%s: %s", a->options.discovery.source, e.message);
  beacon_tick(a->beacon); // now, not in a second
}

// ---- life ----

static enum err check_addresses(const struct assembly_options *o, struct error *e) {
  size_t len = o->addresses[ADDRESS_RAFT].len;
  if (o->formation.mode != SERVER_CORE || (len > 0 && len < FOUNDER_ADDRESS_BYTES)) return ERR_OK;
  return error_set(e, ERR_INVALID,
                   "a core needs a Raft address of 1 to %u bytes, not '%.*s': see server.cluster.raft.advertised_address",
                   FOUNDER_ADDRESS_BYTES - 1, STR_ARG(o->addresses[ADDRESS_RAFT]));
}

static enum err begin(struct assembly *a, struct error *e) {
  static const struct beacon_events beacon = {on_heard};
  static const struct discovery_events discovery = {on_found};
  struct assembly_options *o = &a->options;
  o->formation.events = o->beacon.events = o->beacon.directory.events = o->discovery.events = o->events;
  o->beacon.resolver = o->discovery.resolver = o->resolver;
  TRY(check_addresses(o, e));
  TRY(formation_open(&o->formation, &a->formation, e));
  struct announcement self = describe(a);
  TRY(beacon_open(a->loop, &o->beacon, &self, &beacon, a, &a->beacon, e));
  snprintf(a->discovery_address, sizeof a->discovery_address, "%s", beacon_address(a->beacon));
  if (o->formation.mode != SERVER_SINGLE) {
    TRY(discovery_open(a->loop, &o->discovery, &discovery, a, &a->discovery, e));
    tell_begin(a);
  }
  return loop_timer_new(a->loop, on_tick, a, &a->tick, e);
}

enum err assembly_open(struct loop *loop, const struct assembly_options *options, const struct assembly_events *events,
                       void *context, struct assembly **ret, struct error *e) {
  struct assembly *a = mem_zalloc(sizeof *a);
  if (a == NULL) return error_set(e, ERR_NOMEM, "no memory for finding a cluster");
  *a = (struct assembly){.loop = loop, .options = *options, .events = *events, .context = context, .begin_ms = loop_now_ms(loop)};
  enum err err = begin(a, e);
  if (err != ERR_OK) {
    assembly_close(a);
    return err;
  }
  loop_timer_set(a->tick, 0, false);
  *ret = a;
  return ERR_OK;
}

void assembly_close(struct assembly *a) {
  if (a == NULL) return;
  loop_timer_free(a->tick);
  discovery_close(a->discovery);
  beacon_close(a->beacon);
  formation_close(a->formation);
  mem_free(a->databases);
  mem_free(a);
}

enum err assembly_drop(struct assembly *a, const struct directory_dropped *of, uint32_t count, struct error *e) {
  return directory_drop(beacon_directory(a->beacon), of, count, e);
}

void assembly_leave(struct assembly *a) {
  directory_leave(beacon_directory(a->beacon));
}

enum err assembly_renew(struct assembly *a, struct start known, struct error *e) {
  return formation_renew(a->formation, known, e);
}

enum err assembly_settle(struct assembly *a, struct error *e) {
  return formation_settle(a->formation, e);
}

enum err assembly_begun(struct assembly *a, struct error *e) {
  return formation_begun(a->formation, e);
}

const struct identity *assembly_identity(const struct assembly *a) {
  return formation_identity(a->formation);
}

struct directory *assembly_directory(struct assembly *a) {
  return beacon_directory(a->beacon);
}

const char *assembly_address(const struct assembly *a) {
  return beacon_address(a->beacon);
}
