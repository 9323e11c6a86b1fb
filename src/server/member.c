#include "server/member.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/assembly.h"
#include "cluster/upstream.h"
#include "dbms/seed.h"
#include "os/thread.h"
#include "server/help.h"
#include "server/listen.h"
#include "server/scaling.h"

enum {
  DISCOVERY_PORT = 5000,
  TRANSACTION_PORT = 6000,
  RAFT_PORT = 7000,
  ROUTING_PORT = 7688,
  BOLT_PORT = 7687,
  HTTP_PORT = 7474
};
enum { TICK_MS = 1000, DROPPED_MAX = 1024, LEAVE_LOOK_MS = 20, LEAVE_CHECK_MS = 1000 };

struct member {
  const struct config *config;
  struct event_sink *events;
  struct arena arena; // texts of the settings
  struct loop *loop;
  struct net_resolver *resolver;
  struct tls_context *tls; // NULL: plain
  struct scaling *scaling; // NULL: this is no pod of a StatefulSet
  struct assembly_options assembling;

  // The loop's.
  struct assembly *assembly;
  struct loop_timer *ticker; // applied indexes move all the time
  struct loop_task say_task;
  _Atomic bool say_posted;
  struct dbms *dbms; // NULL: nothing is told of databases
  _Atomic bool dropped; // from the cluster
  _Atomic bool leaves;  // it has asked for that
  _Atomic bool hurry, ends;
  bool brings;       // databases of a standalone server, until they are opened
  struct announced_database brought; // one that stands for them

  struct link_table links; // connections with other servers

  struct starts starts; // of a core, as of this start
  struct loop_task older_task;
  struct start known; // by others, and not had by these data
  _Atomic bool wants_restart;

  struct mutex mutex; // what follows
  struct condition settled;
  bool formed, failed;
  struct error failure;
  struct dbms_cluster_options options;
};

bool member_is_wanted(const struct config *c) {
  return !str_eqz(config_values(c)->mode, "SINGLE") || config_values(c)->clustering_enabled;
}

// ---- from settings ----

/// What the others are told: a host of its own, or the common one; a port that nobody set is the one that is listened on.
static struct str advertised(struct arena *a, struct config_address own, struct config_address listening,
                             struct config_address common, uint16_t usual) {
  struct str host = own.host.len > 0 ? own.host : common.host;
  uint16_t port = own.port != 0 ? own.port : usual;
  if (port == usual && listening.port != 0) port = listening.port;
  bool v6 = str_find(host, STR(":")) >= 0;
  return arena_printf(a, v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(host), port);
}

static enum err settle_addresses(struct member *m, struct error *e) {
  const struct config_values *v = config_values(m->config);
  const struct {
    struct config_address advertised, listening;
    uint16_t usual;
  } of[ADDRESS_MAX] = {
      [ADDRESS_DISCOVERY] = {v->discovery_advertised_address, v->discovery_listen_address, DISCOVERY_PORT},
      [ADDRESS_TRANSACTION] = {v->transaction_advertised_address, v->transaction_listen_address, TRANSACTION_PORT},
      [ADDRESS_RAFT] = {v->raft_advertised_address, v->raft_listen_address, RAFT_PORT},
      [ADDRESS_ROUTING] = {v->routing_advertised_address, v->routing_listen_address, ROUTING_PORT},
      [ADDRESS_BOLT] = {v->bolt_advertised_address, v->bolt_listen_address, BOLT_PORT},
      [ADDRESS_HTTP] = {v->http_advertised_address, v->http_listen_address, HTTP_PORT},
  };
  struct assembly_options *o = &m->assembling;
  for (int i = 0; i < ADDRESS_MAX; i++) {
    if (of[i].usual == 0 || (i == ADDRESS_RAFT && o->formation.mode != SERVER_CORE)) continue;
    if (i != ADDRESS_DISCOVERY && o->formation.mode == SERVER_GATEWAY) continue; // the others have nothing to look for there
    o->addresses[i] = advertised(&m->arena, of[i].advertised, of[i].listening, v->default_advertised_address, of[i].usual);
    o->listens[i] = listen_address(&m->arena, of[i].listening, v->default_listen_address, of[i].usual);
    if (o->addresses[i].ptr == NULL || o->listens[i].ptr == NULL) return arena_err(&m->arena, e);
  }
  return ERR_OK;
}

static enum discovery_type discovery_type_of(struct str name) {
  static const struct {
    const char *name;
    enum discovery_type type;
  } types[] = {{"DNS", DISCOVERY_DNS}, {"SRV", DISCOVERY_SRV}, {"K8S", DISCOVERY_K8S}};
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (str_eqz(name, types[i].name)) return types[i].type;
  return DISCOVERY_LIST;
}

static struct kubernetes_options kubernetes_of(const struct config_values *v) {
  return (struct kubernetes_options){.address = v->kubernetes_address,
                                     .ca_path = v->kubernetes_ca_path,
                                     .token_path = v->kubernetes_token_path,
                                     .namespace_path = v->kubernetes_namespace_path,
                                     .label_selector = v->kubernetes_label_selector,
                                     .service_port_name = v->kubernetes_service_port_name,
                                     .cluster_domain = v->kubernetes_cluster_domain};
}

static enum err settle_tls(struct member *m, struct error *e) {
  const struct config_values *v = config_values(m->config);
  if (!v->tls_cluster_enabled) return ERR_OK;
  struct str files[] = {v->tls_cluster_certificate, v->tls_cluster_private_key, v->tls_cluster_trusted};
  for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
    files[i] = arena_printf(&m->arena, "%.*s/%.*s", STR_ARG(v->tls_cluster_directory), STR_ARG(files[i]));
    if (files[i].ptr == NULL) return arena_err(&m->arena, e);
  }
  struct tls_settings s = {.certificate_path = files[0].ptr,
                           .key_path = files[1].ptr,
                           .trusted_path = files[2].ptr,
                           .client_auth = TLS_CLIENT_REQUIRED};
  TRY(tls_context_new(&s, &m->tls, e));
  m->assembling.beacon.tls = m->options.tls = m->tls;
  m->assembling.beacon.tls_verify_names = m->options.tls_verify_names = v->tls_cluster_verify_names;
  return ERR_OK;
}

/// "east, ssd"
static enum err settle_groups(struct member *m, struct error *e) {
  struct assembly_options *o = &m->assembling;
  struct str *tags = ARENA_ARRAY(&m->arena, struct str, ANNOUNCEMENT_TAGS_MAX);
  if (tags == NULL) return arena_err(&m->arena, e);
  o->tags = tags;
  for (struct str rest = config_values(m->config)->server_groups; rest.len > 0;) {
    struct str name = str_trim(str_cut(&rest, ','));
    if (name.len == 0) continue;
    if (o->tag_count == ANNOUNCEMENT_TAGS_MAX || name.len > ANNOUNCEMENT_TAG_MAX)
      return error_set(e, ERR_INVALID, "server.groups: a server can be in %u groups, with names of at most %u bytes.",
                       ANNOUNCEMENT_TAGS_MAX, ANNOUNCEMENT_TAG_MAX);
    tags[o->tag_count++] = name;
  }
  return ERR_OK;
}

static enum server_mode mode_of(const struct member *m) {
  struct str mode = config_values(m->config)->mode;
  if (str_eqz(mode, "READ_REPLICA")) return SERVER_READ_REPLICA;
  if (str_eqz(mode, "GATEWAY")) return SERVER_GATEWAY;
  return str_eqz(mode, "SINGLE") ? SERVER_SINGLE : SERVER_CORE;
}

static enum err settle_assembly(struct member *m, struct disk *disk, struct error *e) {
  const struct config_values *v = config_values(m->config);
  struct str folder = arena_printf(&m->arena, "%.*s", STR_ARG(v->data_directory));
  if (folder.ptr == NULL) return arena_err(&m->arena, e);
  TRY(disk_make_directories(disk, folder.ptr, e));
  struct assembly_options *o = &m->assembling;
  o->formation = (struct formation_options){.disk = disk,
                                            .folder = folder.ptr,
                                            .random = random_system(),
                                            .mode = mode_of(m),
                                            .minimum = (uint32_t) v->formation_minimum};
  TRY(settle_addresses(m, e));
  TRY(settle_groups(m, e));
  o->beacon = (struct beacon_options){.listen = o->listens[ADDRESS_DISCOVERY], .directory.expiry_ms = v->discovery_expiry_ms};
  o->discovery = (struct discovery_options){.type = discovery_type_of(v->discovery_type),
                                            .endpoints = v->discovery_endpoints,
                                            .source = "dbms.cluster.discovery.endpoints",
                                            .kubernetes = kubernetes_of(v)};
  o->binding_timeout_ms = v->binding_timeout_ms;
  o->version = str_of(quiver_version());
  o->resolver = m->resolver;
  o->events = m->events;
  return ERR_OK;
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

/// "256m size", "10000 entries".
static enum err parse_kept(struct str text, struct dbms_cluster_options *o, struct error *e) {
  struct str rest = str_trim(text), number = str_cut(&rest, ' ');
  int64_t n = 0;
  bool size = str_eqz(str_trim(rest), "size"), entries = str_eqz(str_trim(rest), "entries");
  bool known = (size || entries) && config_parse_bytes(number, &n) && n > 0;
  if (!known)
    return error_set(e, ERR_INVALID,
                     "db.cluster.raft.log.prune_strategy=%.*s: expected something such as `256m size` or `10000 entries`.",
                     STR_ARG(text));
  o->log_bytes_kept = size ? (uint64_t) n : 0;
  o->log_entries_kept = entries ? (uint64_t) n : 0;
  return ERR_OK;
}

// ---- forming ----

static void settle(struct member *m, const struct error *failure) {
  mutex_lock(&m->mutex);
  if (failure != NULL) m->failure = *failure;
  m->failed = failure != NULL;
  m->formed = failure == NULL;
  condition_signal(&m->settled);
  mutex_unlock(&m->mutex);
}

/// What a core has acknowledged is a promise to the others, which a replica would not keep.
static void refuse_to_follow(struct member *m) {
  struct error e = ERROR_INIT;
  error_set(
      &e, ERR_INVALID,
      "The data folder belongs to a core of the cluster: a read replica or a gateway begins with an empty one, or start this server with "
      "dbms.mode=CORE, as it was.");
  settle(m, &e);
}

static void on_formed(void *context, const struct formation_result *r) {
  struct member *m = context;
  struct dbms_cluster_options *o = &m->options;
  o->replica = mode_of(m) == SERVER_READ_REPLICA;
  o->single = mode_of(m) == SERVER_SINGLE;
  o->gateway = mode_of(m) == SERVER_GATEWAY;
  if ((o->replica || o->gateway) && r->begun) {
    refuse_to_follow(m);
    return;
  }
  uuid_put(o->cluster, r->founding.cluster);
  o->server = r->number;
  o->seed = r->founding.seed;
  o->system = r->founding.system;
  o->first_term = r->founding.first_term;
  o->epoch = assembly_identity(m->assembly)->epoch;
  m->starts = r->starts;
  if (m->starts.count > 0) o->starts = &m->starts;
  o->listen = m->assembling.listens[ADDRESS_RAFT];
  o->advertised = m->assembling.addresses[ADDRESS_RAFT].ptr; // arena_printf ends it with NUL
  o->listen_transaction = m->assembling.listens[ADDRESS_TRANSACTION];
  o->advertised_transaction = m->assembling.addresses[ADDRESS_TRANSACTION].ptr;
  o->resolver = m->resolver;
  o->directory = assembly_directory(m->assembly);
  o->begun = r->begun;
  o->founder_count = r->founding.count;
  for (uint32_t i = 0; i < r->founding.count; i++) {
    o->founders[i].server = r->founding.founders[i].number;
    snprintf(o->founders[i].address, sizeof o->founders[i].address, "%s", r->founding.founders[i].raft);
  }
  settle(m, NULL);
}

static void on_failed(void *context, const struct error *why) {
  settle(context, why);
}

enum err member_form(struct member *m, const struct dbms_cluster_options **ret, struct error *e) {
  mutex_lock(&m->mutex);
  while (!m->formed && !m->failed) condition_wait(&m->settled, &m->mutex);
  if (m->failed && e != NULL) *e = m->failure;
  enum err err = m->failed ? m->failure.code : ERR_OK;
  mutex_unlock(&m->mutex);
  *ret = &m->options;
  return err;
}

// ---- the databases are told of ----

static void say_dropped(struct member *m) {
  struct directory_dropped dropped[DROPPED_MAX];
  if (m->dbms == NULL) return;
  uint32_t n = dbms_dropped_servers(m->dbms, dropped, DROPPED_MAX);
  (void) !assembly_drop(m->assembly, dropped, n, NULL); // without memory the next tick will do
}

static void tell_dropped(struct member *m) {
  if (m->leaves) {
    event_raise(m->events, EVENT_INFO, "member.left", "This server has left its cluster. Its data stays as it is.");
    return;
  }
  event_raise(m->events, EVENT_ERROR, "member.dropped",
              "This server was dropped from its cluster (DROP SERVER): it closes its databases and serves nobody any more. Its data stays as it "
              "is. To have it join as a new server, stop it and start it with an empty data folder; to have its data served by itself, stop it, "
              "run `quiver admin server unbind` and start it with dbms.mode=SINGLE.");
}

/// A pod that was scaled away, came back with what it had then, and is told now: Kubernetes starts it again, and then it is a new
/// server.
static void end_former(struct member *m) {
  bool was_member = m->dbms != NULL && dbms_was_led(m->dbms);
  if (m->scaling == NULL || m->leaves || was_member) return;
  event_raise(m->events, EVENT_WARN, "member.dropped",
              "It was dropped while it was away, and is a pod of a StatefulSet: it ends now. When it is started again, and "
              "the set has room for it, it joins as a new server.");
  m->ends = true;
}

static void on_dropped(void *context) {
  struct member *m = context;
  tell_dropped(m);
  end_former(m);
  m->dropped = true;
  if (m->dbms != NULL) dbms_dropped(m->dbms);
}

static void say_now(struct member *m) {
  struct error e = ERROR_INIT;
  struct arena a;
  say_dropped(m);
  arena_init(&a, NULL);
  struct announced_database *databases = ARENA_ARRAY(&a, struct announced_database, ANNOUNCEMENT_DATABASES_MAX);
  enum err err = databases != NULL ? ERR_OK : arena_err(&a, &e);
  uint32_t n = err == ERR_OK && m->dbms != NULL ? dbms_describe_databases(m->dbms, databases, ANNOUNCEMENT_DATABASES_MAX) : 0;
  if (m->dbms != NULL) assembly_set_level(m->assembly, dbms_feature_level(m->dbms));
  if (err == ERR_OK && m->brings) databases[n++] = m->brought;
  if (err == ERR_OK) err = assembly_announce(m->assembly, databases, n, &e);
  arena_done(&a);
  if (err != ERR_OK) event_raise(m->events, EVENT_WARN, "member.say", "The others are not told what is new here: %s", e.message);
}

static void on_tick(void *context) {
  struct member *m = context;
  say_now(m);
  if (m->scaling != NULL) scaling_look(m->scaling, m->dbms);
}

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

struct beginning {
  struct member *member;
  enum err err;
  struct error *error;
};

static void begin_on_loop(void *argument) {
  struct beginning *b = argument;
  b->err = assembly_begun(b->member->assembly, b->error);
}

static enum err on_begin(void *context, struct error *e) {
  struct beginning b = {.member = context, .error = e};
  loop_call(b.member->loop, begin_on_loop, &b);
  return b.err;
}

static void settle_on_loop(void *argument) {
  struct beginning *b = argument;
  b->err = assembly_settle(b->member->assembly, b->error);
}

static enum err on_settle(void *context, struct error *e) {
  struct beginning b = {.member = context, .error = e};
  loop_call(b.member->loop, settle_on_loop, &b);
  return b.err;
}

// ---- an older copy of the data folder ----

/// What cannot be remembered is told again at the next start.
static void on_older_task(struct loop_task *task) {
  struct member *m = CONTAINER_OF(task, struct member, older_task);
  struct error e = ERROR_INIT;
  if (assembly_renew(m->assembly, m->known, &e) != ERR_OK)
    event_raise(m->events, EVENT_ERROR, "member.older", "That this server begins anew cannot be remembered: %s", e.message);
  atomic_store(&m->wants_restart, true);
}

static void on_older(void *context, struct start known, const char *proof) {
  struct member *m = context;
  event_raise(m->events, EVENT_WARN, "member.older",
              "The data folder of this server is an older copy: %s. It does not vote as who it was, whose promises it does not know: it starts again, and "
              "is another member of each group, which the others bring up to date, and they vote its former self out.",
              proof);
  m->known = known;
  loop_post(m->loop, &m->older_task);
}

bool member_wants_restart(const struct member *m) {
  return m != NULL && atomic_load(&m->wants_restart);
}

struct telling {
  struct member *member;
  struct dbms *dbms;
};

static void tell_on_loop(void *argument) {
  struct telling *t = argument;
  t->member->dbms = t->dbms;
  t->member->brings = false;
  if (t->dbms == NULL && t->member->scaling != NULL) scaling_look(t->member->scaling, NULL);
  if (t->member->dropped && t->dbms != NULL) dbms_dropped(t->dbms);
  say_now(t->member);
}

void member_announce(struct member *m, struct dbms *d) {
  loop_call(m->loop, tell_on_loop, &(struct telling){m, d});
}

void member_hush(struct member *m) {
  if (m != NULL && m->assembly != NULL) loop_call(m->loop, tell_on_loop, &(struct telling){m, NULL});
}

// ---- leaving ----

static void leave_on_loop(void *argument) {
  struct member *m = argument;
  m->leaves = true;
  assembly_leave(m->assembly);
}

/// It stays: what else is to come is that of a restart.
static bool may_leave(struct member *m, struct dbms *d) {
  struct error e = ERROR_INIT;
  if (dbms_may_leave(d, &e) == ERR_OK) return true;
  event_raise(m->events, EVENT_WARN, "member.stays",
              "This server does not leave its cluster, although its StatefulSet has no room for it: %s", e.message);
  return false;
}

static bool waits_on(const struct member *m, int64_t until_ns) {
  return !m->dropped && !m->hurry && clock_monotonic_ns(clock_system()) < until_ns;
}

/// Whoever leads `system` has heard it, and goes on with it after this server's end.
static void tell_late(const struct member *m) {
  event_raise(m->events, EVENT_WARN, "member.stays",
              "This server ends without having heard that it has left its cluster (%s): the others take it out when they can. "
              "DROP SERVER does the same.",
              m->hurry ? "it was asked to hurry" : "quiver.kubernetes.leave_timeout");
}

static void leave(struct member *m, struct dbms *d) {
  int64_t now_ns = clock_monotonic_ns(clock_system()), check_ns = now_ns + LEAVE_CHECK_MS * NS_PER_MS;
  int64_t until_ns = now_ns + config_values(m->config)->kubernetes_leave_ms * NS_PER_MS;
  loop_call(m->loop, leave_on_loop, m);
  while (waits_on(m, until_ns)) {
    thread_sleep_ns(LEAVE_LOOK_MS * NS_PER_MS);
    if (clock_monotonic_ns(clock_system()) < check_ns) continue;
    if (!may_leave(m, d)) return;
    check_ns += LEAVE_CHECK_MS * NS_PER_MS;
  }
  if (!m->dropped) tell_late(m);
}

void member_leave(struct member *m, struct dbms *d) {
  if (m == NULL || m->scaling == NULL || d == NULL || m->dropped) return;
  if (scaling_fate(m->scaling) == POD_LEAVES && may_leave(m, d)) leave(m, d);
}

void member_hurry(struct member *m) {
  if (m != NULL) m->hurry = true;
}

bool member_is_to_end(const struct member *m) {
  return m != NULL && m->ends;
}

// ---- life ----

/// A standalone server's databases, with which a cluster may be founded; once this server belongs to one they are its.
static enum err say_what_is_here(struct member *m, struct error *e) {
  if (mode_of(m) != SERVER_CORE || assembly_identity(m->assembly)->state == IDENTITY_BOUND) return ERR_OK;
  TRY(seed_look(config_values(m->config), m->assembling.formation.disk, &m->brought, &m->brings, e));
  return m->brings ? assembly_announce(m->assembly, &m->brought, 1, e) : ERR_OK;
}

struct opening {
  struct member *member;
  enum err err;
  struct error *error;
};

static void open_on_loop(void *argument) {
  static const struct assembly_events events = {on_formed, on_failed, NULL, on_dropped};
  struct opening *o = argument;
  struct member *m = o->member;
  o->err = assembly_open(m->loop, &m->assembling, &events, m, &m->assembly, o->error);
  if (o->err == ERR_OK) o->err = say_what_is_here(m, o->error);
  if (o->err == ERR_OK) o->err = loop_timer_new(m->loop, on_tick, m, &m->ticker, o->error);
  if (o->err == ERR_OK) loop_timer_set(m->ticker, TICK_MS, true);
}

static enum err settle_scaling(struct member *m, struct disk *disk, struct error *e) {
  const struct config_values *v = config_values(m->config);
  struct scaling_options o = {v, m->assembling.discovery.kubernetes, m->loop, m->resolver, m->events};
  TRY(scaling_open(&o, &m->scaling, e));
  m->options.pod = scaling_pod(m->scaling);
  m->options.absence_ms = v->kubernetes_absence_ms;
  return m->scaling != NULL ? scaling_come_back(m->scaling, m->assembling.formation.folder, disk, e) : ERR_OK;
}

static enum err start(struct member *m, struct disk *disk, struct error *e) {
  const struct config_values *v = config_values(m->config);
  TRY(parse_window(v->leader_failure_window, &m->options.election_timeout_ms, e));
  TRY(parse_kept(v->raft_log_kept, &m->options, e));
  struct str unknown = upstream_unknown(v->upstream_strategies);
  if (unknown.len > 0)
    event_raise(m->events, EVENT_WARN, "member.upstream",
                "causal_clustering.upstream_selection_strategy: there is no strategy '%.*s'; it picks nobody.", STR_ARG(unknown));
  m->options.pull_interval_ms = v->pull_interval_ms;
  m->options.upstream_strategies = v->upstream_strategies;
  m->options.upstream_groups = v->upstream_groups;
  m->options.heartbeat_ms = MAX(m->options.election_timeout_ms / 10, (int64_t) 5);
  TRY(net_resolver_new(&m->resolver, e));
  TRY(settle_assembly(m, disk, e));
  TRY(settle_tls(m, e));
  TRY(loop_start("discovery", &m->loop, e));
  TRY(settle_scaling(m, disk, e));
  struct opening o = {.member = m, .error = e};
  loop_call(m->loop, open_on_loop, &o);
  return o.err;
}

enum err member_open(const struct config *config, struct disk *disk, struct event_sink *events, struct member **ret,
                     struct error *e) {
  struct member *m = mem_zalloc(sizeof *m);
  if (m == NULL) return error_ensure(e, ERR_NOMEM);
  *m = (struct member){.config = config, .events = events, .say_task.run = on_say_task, .older_task.run = on_older_task};
  m->options.changed = on_changed;
  m->options.begin = on_begin;
  m->options.older = on_older;
  m->options.settle = on_settle;
  m->options.context = m;
  m->options.links = &m->links;
  link_table_init(&m->links);
  arena_init(&m->arena, NULL);
  mutex_init(&m->mutex);
  condition_init(&m->settled);
  enum err err = start(m, disk != NULL ? disk : disk_system(), e);
  if (err != ERR_OK) {
    member_close(m);
    return error_ensure(e, err);
  }
  *ret = m;
  return ERR_OK;
}

static void close_on_loop(void *argument) {
  struct member *m = argument;
  loop_timer_free(m->ticker);
  scaling_close(m->scaling);
  assembly_close(m->assembly);
}

void member_close(struct member *m) {
  if (m == NULL) return;
  if (m->loop != NULL) loop_call(m->loop, close_on_loop, m);
  loop_stop(m->loop);
  net_resolver_free(m->resolver);
  tls_context_free(m->tls);
  link_table_done(&m->links);
  condition_done(&m->settled);
  mutex_done(&m->mutex);
  arena_done(&m->arena);
  mem_free(m);
}
