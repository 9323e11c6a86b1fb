#include "server/member.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/beacon.h"
#include "cluster/formation.h"
#include "os/thread.h"
#include "server/help.h"
#include "server/listen.h"

enum { DISCOVERY_PORT = 5000, TRANSACTION_PORT = 6000, RAFT_PORT = 7000, BOLT_PORT = 7687, HTTP_PORT = 7474 };
enum { TICK_MS = 1000, FEATURE_LEVEL = 1, SEEDS_MAX = 64, DATABASES_MAX = 128 };

struct member {
  const struct config *config;
  struct disk *disk;
  struct event_sink *events;
  struct arena arena; // addresses
  struct str folder;
  struct loop *loop;
  struct net_resolver *resolver;

  // The loop's.
  struct formation *formation;
  struct beacon *beacon;
  struct loop_timer *ticker;
  struct announcement self;
  struct loop_task say_task;
  _Atomic bool say_posted;
  struct dbms *dbms; // NULL: nothing is told of databases
  struct announced_database databases[DATABASES_MAX];

  struct mutex mutex; // what follows
  struct condition settled;
  bool formed;
  struct error failure;
  struct dbms_cluster_options options;
};

bool member_is_wanted(const struct config *c) {
  return str_eqz(config_values(c)->mode, "CORE");
}

// ---- addresses ----

/// What the others are told: a host of its own, or the common one.
static struct str advertised(struct arena *a, struct config_address own, struct config_address common, uint16_t port) {
  struct config_address named = {.host = own.host.len > 0 ? own.host : common.host, .port = own.port != 0 ? own.port : port};
  bool v6 = str_find(named.host, STR(":")) >= 0;
  return arena_printf(a, v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(named.host), named.port);
}

/// An advertised port that nobody set is the one that is listened on.
static struct config_address with_port_of(struct config_address advertised, struct config_address listening, uint16_t usual) {
  if (advertised.port == usual && listening.port != 0) advertised.port = listening.port;
  return advertised;
}

static enum err settle_addresses(struct member *m, struct error *e) {
  const struct config_values *v = config_values(m->config);
  const struct {
    struct config_address own, listening;
    uint16_t port;
  } of[ADDRESS_MAX] = {
      [ADDRESS_DISCOVERY] = {v->discovery_advertised_address, v->discovery_listen_address, DISCOVERY_PORT},
      [ADDRESS_TRANSACTION] = {v->transaction_advertised_address, v->transaction_listen_address, TRANSACTION_PORT},
      [ADDRESS_RAFT] = {v->raft_advertised_address, v->raft_listen_address, RAFT_PORT},
      [ADDRESS_BOLT] = {v->bolt_advertised_address, v->bolt_listen_address, BOLT_PORT},
      [ADDRESS_HTTP] = {v->http_advertised_address, v->http_listen_address, HTTP_PORT},
  };
  for (int i = 0; i < ADDRESS_MAX; i++) {
    if (of[i].port == 0) continue;
    struct config_address own = with_port_of(of[i].own, of[i].listening, of[i].port);
    m->self.addresses[i] = advertised(&m->arena, own, v->default_advertised_address, of[i].port);
    if (m->self.addresses[i].ptr == NULL) return arena_err(&m->arena, e);
  }
  m->options.listen = listen_address(&m->arena, v->raft_listen_address, v->default_listen_address, RAFT_PORT);
  m->options.advertised = m->self.addresses[ADDRESS_RAFT].ptr; // ends in NUL: arena_printf
  return m->options.listen.ptr != NULL ? ERR_OK : arena_err(&m->arena, e);
}

static enum err seed(struct member *m, struct error *e) {
  struct str rest = config_values(m->config)->discovery_endpoints, addresses[SEEDS_MAX];
  size_t n = 0;
  while (rest.len > 0 && n < SEEDS_MAX) {
    struct str one = str_trim(str_cut(&rest, ','));
    if (one.len > 0) addresses[n++] = one;
  }
  if (rest.len > 0)
    return error_set(e, ERR_INVALID, "dbms.cluster.discovery.endpoints names more than %d servers; some of them are enough.",
                     SEEDS_MAX);
  return beacon_seeds(m->beacon, addresses, n, "dbms.cluster.discovery.endpoints", e);
}

/// "1s", "20s-23s": the shorter one is the election timeout; consensus makes it longer at random.
static enum err parse_window(struct str text, int64_t *ret_ms, struct error *e) {
  struct str rest = text, first = str_cut(&rest, '-');
  if (config_parse_duration(str_trim(first), ret_ms) && *ret_ms >= 10 && *ret_ms <= 3600000) return ERR_OK;
  return error_set(
      e, ERR_INVALID,
      "dbms.cluster.raft.leader_failure_detection_window=%.*s: expected a duration from 10ms to 1h, or two with a dash between "
      "them, such as 1s or 20s-23s.",
      STR_ARG(text));
}

// ---- forming ----

static void settle(struct member *m, const struct error *failure) {
  mutex_lock(&m->mutex);
  if (failure != NULL) m->failure = *failure;
  m->formed = failure == NULL;
  condition_signal(&m->settled);
  mutex_unlock(&m->mutex);
}

static void take_result(struct member *m, const struct formation_result *r) {
  struct dbms_cluster_options *o = &m->options;
  uuid_put(o->cluster, r->founding.cluster);
  o->server = r->number;
  o->epoch = formation_identity(m->formation)->epoch;
  o->resolver = m->resolver;
  o->founder_count = r->founding.count;
  for (uint32_t i = 0; i < r->founding.count; i++) {
    o->founders[i].server = r->founding.founders[i].number;
    snprintf(o->founders[i].address, sizeof o->founders[i].address, "%s", r->founding.founders[i].raft);
  }
  settle(m, NULL);
}

static enum err say(struct member *m, struct error *e) {
  bool at_once = false;
  formation_describe(m->formation, &m->self);
  TRY(directory_say(beacon_directory(m->beacon), &m->self, &at_once, e));
  if (at_once) beacon_say(m->beacon);
  return ERR_OK;
}

static enum err form(struct member *m, struct error *e) {
  bool changed = true;
  while (changed) {
    struct arena a;
    struct directory_copy view;
    arena_init(&a, NULL);
    enum err err = directory_copy(beacon_directory(m->beacon), &a, &view, e);
    if (err == ERR_OK) err = formation_step(m->formation, loop_now_ms(m->loop), &view, beacon_listed(m->beacon), &changed, e);
    arena_done(&a);
    if (err == ERR_OK && changed) err = say(m, e);
    TRY(err);
  }
  return ERR_OK;
}

/// Whoever is formed goes on: it answers those that are not.
static void step(struct member *m) {
  struct error e = ERROR_INIT;
  struct formation_result r;
  enum err err = form(m, &e);
  if (err != ERR_OK && err != ERR_NOMEM) settle(m, &e);
  mutex_lock(&m->mutex);
  bool formed = m->formed;
  mutex_unlock(&m->mutex);
  if (!formed && formation_result(m->formation, &r)) take_result(m, &r);
}

static void on_heard(void *context) {
  step(context);
}

static void tell_databases(struct member *m) {
  if (m->dbms == NULL) return;
  m->self.databases = m->databases;
  m->self.database_count = dbms_describe_databases(m->dbms, m->databases, DATABASES_MAX);
}

static void say_now(struct member *m) {
  struct error e = ERROR_INIT;
  tell_databases(m);
  if (say(m, &e) != ERR_OK)
    event_raise(m->events, EVENT_WARN, "member.say", "The others are not told what is new here: %s", e.message);
}

static void on_tick(void *context) {
  struct member *m = context;
  say_now(m);
  beacon_tick(m->beacon);
  step(m);
}

// ---- the databases are told of ----

static void on_say_task(struct loop_task *task) {
  struct member *m = CONTAINER_OF(task, struct member, say_task);
  m->say_posted = false;
  say_now(m);
}

/// A role has changed: clients look for leaders. Any thread.
static void on_changed(void *context) {
  struct member *m = context;
  if (!atomic_exchange(&m->say_posted, true)) loop_post(m->loop, &m->say_task);
}

struct telling {
  struct member *member;
  struct dbms *dbms;
};

static void tell_on_loop(void *argument) {
  struct telling *t = argument;
  t->member->dbms = t->dbms;
  if (t->dbms == NULL) t->member->self.database_count = 0;
  say_now(t->member);
}

void member_announce(struct member *m, struct dbms *d) {
  loop_call(m->loop, tell_on_loop, &(struct telling){m, d});
}

void member_hush(struct member *m) {
  if (m != NULL) loop_call(m->loop, tell_on_loop, &(struct telling){m, NULL});
}

// ---- life ----

struct opening {
  struct member *member;
  enum err err;
  struct error *error;
};

static enum err open_all(struct member *m, struct error *e) {
  static const struct beacon_events events = {on_heard};
  const struct config_values *v = config_values(m->config);
  struct formation_options f = {.disk = m->disk,
                                .folder = m->folder.ptr,
                                .random = random_system(),
                                .mode = SERVER_CORE,
                                .minimum = (uint32_t) v->minimum_formation,
                                .events = m->events};
  struct beacon_options b = {
      .listen = listen_address(&m->arena, v->discovery_listen_address, v->default_listen_address, DISCOVERY_PORT),
      .resolver = m->resolver,
      .events = m->events,
      .directory.events = m->events};
  if (b.listen.ptr == NULL) return arena_err(&m->arena, e);
  TRY(formation_open(&f, &m->formation, e));
  const struct identity *i = formation_identity(m->formation);
  m->self.server = i->server;
  m->self.epoch = i->epoch;
  formation_describe(m->formation, &m->self);
  TRY(beacon_open(m->loop, &b, &m->self, &events, m, &m->beacon, e));
  TRY(seed(m, e));
  TRY(loop_timer_new(m->loop, on_tick, m, &m->ticker, e));
  loop_timer_set(m->ticker, TICK_MS, true);
  step(m);
  return ERR_OK;
}

static void open_on_loop(void *argument) {
  struct opening *o = argument;
  o->err = open_all(o->member, o->error);
}

static enum err start(struct member *m, struct error *e) {
  const struct config_values *v = config_values(m->config);
  m->folder = arena_printf(&m->arena, "%.*s", STR_ARG(v->data_directory));
  if (m->folder.ptr == NULL) return arena_err(&m->arena, e);
  TRY(disk_make_directories(m->disk, m->folder.ptr, e));
  TRY(parse_window(v->leader_failure_window, &m->options.election_timeout_ms, e));
  m->options.heartbeat_ms = MAX(m->options.election_timeout_ms / 10, (int64_t) 5);
  TRY(settle_addresses(m, e));
  TRY(net_resolver_new(&m->resolver, e));
  TRY(loop_start("discovery", &m->loop, e));
  struct opening o = {.member = m, .error = e};
  loop_call(m->loop, open_on_loop, &o);
  return o.err;
}

enum err member_open(const struct config *config, struct disk *disk, struct event_sink *events, struct member **ret,
                     struct error *e) {
  struct member *m = mem_zalloc(sizeof *m);
  if (m == NULL) return error_ensure(e, ERR_NOMEM);
  *m = (struct member){
      .config = config, .disk = disk != NULL ? disk : disk_system(), .events = events, .say_task.run = on_say_task};
  m->self = (struct announcement){.feature_level = FEATURE_LEVEL, .mode = SERVER_CORE, .version = str_of(quiver_version())};
  m->failure = ERROR_INIT;
  m->options.changed = on_changed;
  m->options.context = m;
  arena_init(&m->arena, NULL);
  mutex_init(&m->mutex);
  condition_init(&m->settled);
  enum err err = start(m, e);
  if (err != ERR_OK) {
    member_close(m);
    return error_ensure(e, err);
  }
  *ret = m;
  return ERR_OK;
}

/// Who was seen, for the message.
static enum err not_formed(struct member *m, struct error *e) {
  struct arena a;
  struct directory_copy view = {0};
  arena_init(&a, NULL);
  enum err err = directory_copy(beacon_directory(m->beacon), &a, &view, e);
  uint32_t seen = err == ERR_OK ? view.count : 1;
  arena_done(&a);
  return error_set(
      e, ERR_DATABASE_UNAVAILABLE,
      "No cluster was found or founded within %lld s: %lld servers are needed, %u were seen, this one included. Look at "
      "dbms.cluster.discovery.endpoints and at the advertised addresses of the others, or raise "
      "dbms.cluster.raft.binding_timeout.",
      (long long) config_values(m->config)->binding_timeout_ms / 1000, (long long) config_values(m->config)->minimum_formation,
      seen);
}

enum err member_form(struct member *m, const struct dbms_cluster_options **ret, struct error *e) {
  int64_t timeout_ms = config_values(m->config)->binding_timeout_ms;
  int64_t until_ns = timeout_ms == 0 ? INT64_MAX : clock_monotonic_ns(clock_system()) + timeout_ms * NS_PER_MS;
  mutex_lock(&m->mutex);
  while (!m->formed && m->failure.code == ERR_OK && clock_monotonic_ns(clock_system()) < until_ns)
    condition_wait_for(&m->settled, &m->mutex, NS_PER_S);
  bool formed = m->formed;
  if (m->failure.code != ERR_OK && e != NULL) *e = m->failure;
  enum err failed = m->failure.code;
  mutex_unlock(&m->mutex);
  if (formed) m->options.directory = beacon_directory(m->beacon);
  *ret = &m->options;
  return formed ? ERR_OK : failed != ERR_OK ? failed : not_formed(m, e);
}

static void close_on_loop(void *argument) {
  struct member *m = argument;
  loop_timer_free(m->ticker);
  beacon_close(m->beacon);
  formation_close(m->formation);
}

void member_close(struct member *m) {
  if (m == NULL) return;
  if (m->loop != NULL) loop_call(m->loop, close_on_loop, m);
  loop_stop(m->loop);
  net_resolver_free(m->resolver);
  condition_done(&m->settled);
  mutex_done(&m->mutex);
  arena_done(&m->arena);
  mem_free(m);
}
