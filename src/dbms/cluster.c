#include "dbms/cluster_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutant.h"
#include "dbms/transaction.h"
#include "graph/replica.h"
#include "store/store.h"

#define LOG_BYTES_KEPT (UINT64_C(256) << 20)

enum {
  RETRY_MS = 5, // after the log's queue had no room for a proposal
  LOOK_ROUND_MS = 250,
  BALANCE_MS = 1000,
  PACE_MS = 2000,
};

static struct cluster_group *group_of(struct group_application *a) {
  return CONTAINER_OF(a, struct cluster_group, application);
}

uint64_t cluster_now_ms(struct cluster *c) {
  return (uint64_t) (clock_monotonic_ns(c->dbms->options.clock) / NS_PER_MS);
}

void cluster_raise(struct cluster_group *g, enum event_level level, const char *name, const char *text) {
  event_raise(g->cluster->dbms->options.events, level, name, "[%.*s] %s", STR_ARG(g->database->name), text);
}

// ---- what the group asks of a database ----

/// Of this member's own term: what it has proposed itself.
static void count_committed(struct cluster_group *g, const struct log_entry *entry) {
  if (g->leading == 0 || entry->term != g->leading || entry->kind == LOG_NOOP || entry->kind == LOG_MEMBERSHIP) return;
  g->counts.committed++;
  g->committed_in_term++;
}

static enum err on_apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
  enum err err = graph_receive(group_of(a)->database->graph, entry, e);
  if (err == ERR_OK) count_committed(group_of(a), entry);
  return err == ERR_NOMEM ? ERR_BUSY : err; // memory comes back
}

static struct group_applied on_applied(struct group_application *a) {
  struct store_applied applied = graph_applied(group_of(a)->database->graph);
  return (struct group_applied){applied.index, applied.term, applied.commit_time_ns};
}

static void on_install(struct group_application *a, uint64_t index, uint64_t term UNUSED) {
  cluster_fetch(group_of(a)->cluster, group_of(a)->database, index);
}

static void note_members(struct cluster_group *g, const struct consensus_membership *m) {
  static_assert(ARRAY_SIZE(g->members.of) == CONSENSUS_MEMBERS_MAX, "every member has its place");
  mutex_lock(&g->mutex);
  g->members.count = m->count;
  for (uint32_t i = 0; i < m->count; i++)
    g->members.of[i] = (struct cluster_member){member_server(m->members[i].id), m->members[i].role == CONSENSUS_VOTER};
  mutex_unlock(&g->mutex);
  if (!g->database->is_system) return;
  mutex_lock(&g->cluster->mutex);
  g->cluster->system_members = *m;
  mutex_unlock(&g->cluster->mutex);
}

static void on_membership(struct group_application *a, const struct consensus_membership *m) {
  note_members(group_of(a), m);
  uint32_t voters = consensus_membership_voters(m);
  event_raise(group_of(a)->cluster->dbms->options.events, EVENT_INFO, "cluster.membership",
              "[%.*s] Members of the group: %u, voting: %u.", STR_ARG(group_of(a)->database->name), m->count, voters);
}

static void on_read(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  cluster_reads_told(group_of(a), read_id, index, failed);
}

// ---- after each step of a group ----

static enum cluster_role role_of(enum consensus_state state) {
  switch (state) {
  case CONSENSUS_LEADER: return CLUSTER_LEADER;
  case CONSENSUS_CANDIDATE: return CLUSTER_CANDIDATE;
  case CONSENSUS_FOLLOWER: break;
  }
  return CLUSTER_FOLLOWER;
}

/// Under the mutex.
static void note_pace(struct cluster_group *g, uint64_t index) {
  uint64_t ms = cluster_now_ms(g->cluster) - g->paced_ms;
  if (ms < PACE_MS) return;
  if (g->paced_index != 0) g->status.entries_per_second = (int64_t) ((index - g->paced_index) * 1000 / ms);
  g->paced_ms += ms;
  g->paced_index = index;
}

void cluster_tell_others(struct cluster *c) {
  if (c->options->changed != NULL) c->options->changed(c->options->context);
}

static void judge_on_loop(void *argument) {
  struct cluster *c = argument;
  host_judge_levels(c->host);
}

void cluster_judge_levels(struct cluster *c) {
  if (c->host != NULL) loop_call(c->loop, judge_on_loop, c);
  cluster_tell_others(c);
}

/// Clients look for leaders: who it is, is told at once.
static void note_status(struct cluster_group *g, const struct group_stats *s) {
  mutex_lock(&g->mutex);
  bool changed = g->status.role != role_of(s->state) || g->status.term != s->term;
  g->status.role = role_of(s->state);
  g->status.term = s->term;
  g->status.commit_index = s->commit_index;
  g->status.leader = member_server(s->leader);
  g->status.leader_heard_ms = (int64_t) s->leader_heard_ms;
  note_pace(g, s->commit_index);
  g->stats = *s;
  g->seen = g->counts;
  mutex_unlock(&g->mutex);
  if (changed) cluster_tell_others(g->cluster);
}

/// Whoever wrote in the term that is over can only be refused: its locks are needed.
static void lead(struct cluster_group *g, const struct group_stats *s) {
  uint64_t term = s->state == CONSENSUS_LEADER ? s->term : 0;
  if (term == g->leading) return;
  bool led = g->leading != 0;
  g->counts.uncertain += g->proposed_in_term - MIN(g->proposed_in_term, g->committed_in_term);
  g->counts.led += term != 0;
  g->proposed_in_term = g->committed_in_term = 0;
  g->leading = term;
  g->led_since_ms = cluster_now_ms(g->cluster);
  graph_lead(g->database->graph, term);
  if (led && !MUTANT(product_term)) transactions_kill_writers(g->cluster->dbms, g->database, ERR_NOT_LEADER);
}

enum err cluster_refusal(enum err err, const struct group_stats *now, uint64_t term) {
  bool goes_on = now->state == CONSENSUS_LEADER && now->term == term;
  return err == ERR_NOT_LEADER && goes_on ? ERR_LIMIT : err;
}

static void count_proposed(struct cluster_group *g, enum err err, size_t count) {
  g->counts.attempts += count;
  if (err == ERR_OK) {
    g->counts.proposed += count;
    g->proposed_in_term += count;
  } else if (err == ERR_LIMIT || err == ERR_NOMEM) {
    g->counts.retries += count;
  } else {
    g->counts.refused += count;
  }
}

static enum err propose(void *context, uint64_t term, struct log_entry *entries, size_t count, struct error *e) {
  struct cluster_group *g = context;
  struct group_stats now;
  enum err err = group_propose(host_group(g->member), cluster_now_ms(g->cluster), term, entries, count, e);
  if (err == ERR_OK) host_touch(g->member);
  group_stats(host_group(g->member), &now);
  err = cluster_refusal(err, &now, term);
  count_proposed(g, err, count);
  return err;
}

static void on_retry(void *context) {
  struct cluster_group *g = context;
  host_touch(g->member);
}

static void propose_waiting(struct cluster_group *g) {
  struct error e = ERROR_INIT;
  enum err err = graph_propose(g->database->graph, propose, g, &e);
  if (err == ERR_LIMIT || err == ERR_NOMEM) loop_timer_set(g->retry, RETRY_MS, false);
  // Any other error has closed the group, which on_group_failed tells.
}

uint64_t cluster_trailing_entries(struct cluster_group *g) {
  const struct dbms_cluster_options *o = g->cluster->options;
  struct log *log = store_log(graph_store(g->database->graph));
  struct log_stats s;
  if (o->log_entries_kept > 0) return o->log_entries_kept;
  log_stats(log, &s);
  uint64_t limit = o->log_bytes_kept > 0 ? o->log_bytes_kept : LOG_BYTES_KEPT;
  uint64_t entries = log_last_index(log) + 1 - log_first_index(log);
  return s.bytes <= limit ? entries : (uint64_t) ((double) entries * ((double) limit / (double) s.bytes));
}

/// Replicas that wait for more are told as soon as it is there.
static void tell_replicas(struct cluster_group *g) {
  struct log *log = store_log(graph_store(g->database->graph));
  uint64_t index = MIN(log_commit_index(log), log_durable_index(log));
  if (index == g->given_index) return;
  g->given_index = index;
  cluster_touch_pulls(g);
}

/// What is committed is not carried out here any more: who leads so has nothing done, until another one does.
static bool end_with_graph(struct cluster_group *g) {
  struct error why = ERROR_INIT;
  if (g->database->gate != GATE_OPEN || graph_failure(g->database->graph, &why) == ERR_OK) return false;
  group_end(host_group(g->member), &why);
  host_touch(g->member); // the next step tells
  return true;
}

static void on_group_stepped(void *context UNUSED, struct host_group *member) {
  struct cluster_group *g = group_of(host_group_application(member));
  struct group_stats s;
  if (end_with_graph(g)) return;
  group_stats(host_group(member), &s);
  note_status(g, &s);
  lead(g, &s);
  cluster_tell(g, &s);
  propose_waiting(g);
  cluster_reads_ask(g);
  cluster_forget_begin(g);
  tell_replicas(g);
}

static void on_group_failed(void *context UNUSED, struct host_group *member) {
  struct cluster_group *g = group_of(host_group_application(member));
  struct error cause = ERROR_INIT;
  enum err err = group_failure(host_group(member), &cause);
  if (err == ERR_OK) return;
  mutex_lock(&g->mutex);
  g->status.role = CLUSTER_FAILED;
  mutex_unlock(&g->mutex);
  graph_lead(g->database->graph, 0);
  graph_group_failed(g->database->graph, &cause);
  cluster_reads_close(g);
}

void cluster_published(struct cluster_group *g) {
  cluster_touch_pulls(g);
}

void cluster_touch(struct cluster_group *g) {
  if (g->member != NULL) host_touch(g->member);
}

void cluster_status(struct cluster_group *g, struct cluster_status *ret) {
  mutex_lock(&g->mutex);
  *ret = g->status;
  mutex_unlock(&g->mutex);
}

void cluster_figures(struct cluster_group *g, struct cluster_figures *ret) {
  struct log *log = store_log(graph_store(g->database->graph));
  mutex_lock(&g->mutex);
  struct group_stats s = g->stats;
  *ret = (struct cluster_figures){.counts = g->seen};
  mutex_unlock(&g->mutex);
  uint64_t first = log_first_index(log);
  ret->append_index = log_last_index(log);
  ret->prune_index = first > 0 ? first - 1 : 0;
  ret->applied_index = graph_applied(g->database->graph).index;
  ret->tail_bytes = s.tail_bytes;
  ret->tail_bytes_max = s.tail_bytes_max;
  ret->tail_entries = s.tail_entries;
  ret->entries_from_disk = s.entries_read;
  ret->entries_from_memory = s.entries_sent - MIN(s.entries_sent, s.entries_read);
}

/// 1: nobody tells.
static uint32_t count_servers(struct cluster *c) {
  struct directory_copy view;
  struct arena a;
  uint32_t n = 1;
  if (c->options->directory == NULL) return n;
  arena_init(&a, NULL);
  if (directory_copy(c->options->directory, &a, &view, NULL) == ERR_OK) n = view.count;
  arena_done(&a);
  return n;
}

void cluster_server_figures(struct cluster *c, struct cluster_server_figures *ret) {
  struct host_processing p = {0};
  *ret = (struct cluster_server_figures){.servers = count_servers(c)};
  if (c->host != NULL) host_processing(c->host, &p);
  ret->message_batches = p.batches;
  ret->message_total_ns = p.total_ns;
  ret->message_last_ns = p.last_ns;
  ret->pull_requests = cluster_pull_requests(c);
  mutex_lock(&c->mutex);
  ret->unreachable = c->lost_count;
  mutex_unlock(&c->mutex);
}

void cluster_members(struct cluster_group *g, struct cluster_members *ret) {
  mutex_lock(&g->mutex);
  *ret = g->members;
  mutex_unlock(&g->mutex);
}

/// Where a server says that it is, wherever the membership of `system` says it was.
static void address_now(struct consensus_membership *m, const struct directory_copy *view) {
  for (uint32_t i = 0; i < m->count; i++)
    for (uint32_t k = 0; k < view->count; k++) {
      const struct announcement *s = &view->servers[k].said;
      struct str at = s->addresses[ADDRESS_RAFT];
      if (s->number != member_server(m->members[i].id) || at.len == 0 || at.len >= CONSENSUS_ADDRESS_BYTES) continue;
      memcpy(m->members[i].address, at.ptr, at.len);
      m->members[i].address[at.len] = '\0';
    }
}

enum err cluster_first_members(struct cluster *c, struct arena *a, struct str *ret, struct error *e) {
  struct consensus_membership *m = ARENA_NEW(a, struct consensus_membership);
  struct directory_copy view = {0};
  if (m == NULL) return arena_err(a, e);
  mutex_lock(&c->mutex);
  *m = c->system_members;
  mutex_unlock(&c->mutex);
  if (m->count == 0)
    return error_set(e, ERR_DATABASE_UNAVAILABLE, "Who belongs to the cluster is not known here yet. Try again soon.");
  if (c->options->directory != NULL) TRY(directory_copy(c->options->directory, a, &view, e));
  address_now(m, &view);
  return cluster_members_text(m, a, ret, e);
}

// ---- who is there, and who is reached ----

enum err cluster_view(const struct cluster *c, struct arena *a, struct directory_copy *ret, struct error *e) {
  return directory_copy(c->options->directory, a, ret, e);
}

/// What the server says it has applied of the database; UINT64_MAX: it does not say.
static uint64_t said_applied(const struct directory_copy *view, uint64_t server, struct uuid database) {
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    for (uint32_t k = 0; s->number == server && k < s->database_count; k++)
      if (uuid_eq(s->databases[k].uuid, database)) return s->databases[k].applied_index;
  }
  return UINT64_MAX;
}

bool cluster_is_behind(struct cluster_group *g, uint64_t index) {
  struct cluster_status s;
  struct directory_copy view;
  struct arena a;
  cluster_status(g, &s);
  if (s.leader == 0 || g->cluster->options->directory == NULL) return s.leader == 0 || index < s.commit_index;
  if (s.role == CLUSTER_LEADER) return index < s.commit_index;
  arena_init(&a, NULL);
  enum err err = directory_copy(g->cluster->options->directory, &a, &view, NULL);
  bool behind = err != ERR_OK || index < said_applied(&view, s.leader, g->database->id);
  arena_done(&a);
  return behind;
}

/// Its place among the lost ones, or their count. Under the mutex.
static uint32_t find_lost(const struct cluster *c, uint64_t server) {
  uint32_t i = 0;
  while (i < c->lost_count && c->lost[i] != server) i++;
  return i;
}

static bool is_elsewhere(void *context, uint64_t server, const char *address) {
  struct cluster *c = context;
  int64_t now_ms = clock_monotonic_ns(c->dbms->options.clock) / NS_PER_MS;
  return c->options->directory != NULL && directory_is_elsewhere(c->options->directory, now_ms, server, address);
}

static void on_server_changed(void *context, uint64_t server, bool up) {
  struct cluster *c = context;
  mutex_lock(&c->mutex);
  uint32_t i = find_lost(c, server);
  if (up && i < c->lost_count) c->lost[i] = c->lost[--c->lost_count];
  if (!up && i == c->lost_count && i < CLUSTER_SERVERS_MAX) c->lost[c->lost_count++] = server;
  mutex_unlock(&c->mutex);
}

bool cluster_has_lost(struct cluster *c, uint64_t server) {
  mutex_lock(&c->mutex);
  bool lost = find_lost(c, server) < c->lost_count;
  mutex_unlock(&c->mutex);
  return lost;
}

// ---- terms and votes ----

/// Elsewhere than on the loop, by which the heartbeats of all groups go: an election of one must not silence a server that leads
/// others.
static void on_save_ready(void *context UNUSED, struct host_group *member) {
  serial_ready(&group_of(host_group_application(member))->saver);
}

static void save(struct work *w) {
  struct cluster_group *g = CONTAINER_OF(w, struct cluster_group, saver.work);
  serial_begin(&g->saver);
  group_save(host_group(g->member));
  host_touch(g->member);
  serial_give(&g->saver, false);
}

// ---- the writer ----

static void on_write_ready(void *context) {
  struct cluster *c = context;
  serial_ready(&c->writer);
}

/// An error of one log closes its group, which says so.
static void write_logs(struct work *w) {
  struct cluster *c = CONTAINER_OF(w, struct cluster, writer.work);
  struct error e = ERROR_INIT;
  bool worked = false;
  serial_begin(&c->writer);
  enum err err = host_write_round(c->host, &worked, &e);
  if (err != ERR_OK)
    event_raise(c->dbms->options.events, EVENT_WARN, "cluster.writer", "The logs could not be written: %s", e.message);
  serial_give(&c->writer, worked);
}

// ---- groups ----

struct joining {
  struct cluster_group *group;
  enum err err;
  struct error *error;
};

static void free_timers(struct cluster_group *g) {
  loop_timer_free(g->retry);
  loop_timer_free(g->look_round);
  loop_timer_free(g->digest);
}

static void join_on_loop(void *argument) {
  struct joining *j = argument;
  struct cluster_group *g = j->group;
  struct cluster *c = g->cluster;
  struct group_options o = {
      .application = &g->application,
      .clock = c->dbms->options.clock,
      .events = c->dbms->options.events,
      .consensus = {.election_timeout_ms = (uint32_t) c->options->election_timeout_ms,
                    .heartbeat_ms = (uint32_t) c->options->heartbeat_ms},
  };
  memcpy(o.uuid, graph_uuid(g->database->graph), sizeof o.uuid);
  j->err = random_fill(c->dbms->options.random, (uint8_t *) &o.seed, sizeof o.seed);
  if (j->err == ERR_OK) j->err = loop_timer_new(c->loop, on_retry, g, &g->retry, j->error);
  if (j->err == ERR_OK) j->err = loop_timer_new(c->loop, cluster_look_round, g, &g->look_round, j->error);
  if (j->err == ERR_OK) j->err = loop_timer_new(c->loop, cluster_digest, g, &g->digest, j->error);
  if (j->err == ERR_OK) j->err = host_group_add(c->host, store_log(graph_store(g->database->graph)), &o, &g->member, j->error);
  if (j->err != ERR_OK) {
    free_timers(g);
    return;
  }
  loop_timer_set(g->look_round, LOOK_ROUND_MS, true);
  loop_timer_set(g->digest, cluster_digest_look_ms(c), true);
  struct consensus_membership beginning;
  group_membership(host_group(g->member), &beginning);
  note_members(g, &beginning);
}

/// A standalone server leads in the term of its log.
static enum err lend(struct cluster_group *g) {
  struct log_group_state state;
  log_group_state(store_log(graph_store(g->database->graph)), &state);
  g->status = (struct cluster_status){.role = CLUSTER_LEADER, .term = state.term, .leader = g->cluster->options->server};
  return ERR_OK;
}

static enum err join(struct cluster_group *g, struct error *e) {
  if (g->cluster->options->single) return lend(g);
  if (g->cluster->options->replica) return cluster_follow(g, e);
  TRY(cluster_begin_group(g->database, e));
  TRY(cluster_mark_data(g->database, e));
  struct log_group_state state;
  log_group_state(store_log(graph_store(g->database->graph)), &state);
  g->status.member = state.member_id;
  struct joining j = {.group = g, .error = e};
  serial_wake(&g->saver);
  loop_call(g->cluster->loop, join_on_loop, &j);
  return error_ensure(e, j.err);
}

enum err cluster_join(struct cluster *c, struct database *db, struct error *e) {
  struct cluster_group *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_ensure(e, ERR_NOMEM);
  g->application = (struct group_application){on_apply, on_applied, on_install, on_membership, on_read};
  g->cluster = c;
  g->database = db;
  mutex_init(&g->mutex);
  serial_init(&g->saver, c->dbms->options.host, WORK_MACHINE, save);
  enum err err = join(g, e);
  if (err != ERR_OK) {
    mutex_done(&g->mutex);
    mem_free(g);
    return err;
  }
  db->group = g;
  cluster_touch(g); // for what came while it was not known here
  return cluster_give(g, e);
}

static void leave_on_loop(void *argument) {
  struct cluster_group *g = argument;
  free_timers(g);
  host_group_remove(g->member);
}

/// A copy that was made of them while this server took part is older from now on. Where that cannot be noted, one that was made
/// before it joined still is.
static void mark_left(struct database *db) {
  struct error e = ERROR_INIT;
  if (log_failure(store_log(graph_store(db->graph)), NULL) != ERR_OK || cluster_mark_data(db, &e) == ERR_OK) return;
  event_raise(db->dbms->options.events, EVENT_WARN, "cluster.leave", "[%.*s] %s", STR_ARG(db->name), e.message);
}

void cluster_leave(struct database *db) {
  struct cluster_group *g = atomic_exchange(&db->group, NULL);
  if (g == NULL) return;
  cluster_keep(g);
  if (db->replicated) graph_lead(db->graph, 0);
  serial_rest(&g->saver);
  if (g->member != NULL)
    loop_call(g->cluster->loop, leave_on_loop, g);
  else
    cluster_unfollow(g);
  cluster_reads_close(g);
  cluster_forget_end(g);
  if (g->member != NULL) mark_left(db);
  mutex_done(&g->mutex);
  mem_free(g);
}

// ---- life ----

static void hand_over_on_loop(void *argument) {
  struct cluster *c = argument;
  DATABASES_EACH(db, c->dbms) {
    struct cluster_group *g = db->group;
    if (g == NULL || g->leading == 0) continue;
    enum err err = group_transfer(host_group(g->member), cluster_now_ms(c), 0, NULL);
    if (err == ERR_OK) host_touch(g->member); // otherwise the others elect one when this server is gone
  }
}

static bool leads_any(struct cluster *c) {
  DATABASES_EACH(db, c->dbms) {
    struct cluster_status s;
    if (db->group == NULL) continue;
    cluster_status(db->group, &s);
    if (s.role == CLUSTER_LEADER) return true;
  }
  return false;
}

void cluster_hand_over(struct cluster *c, int64_t timeout_ms) {
  int64_t until_ns = clock_monotonic_ns(c->dbms->options.clock) + timeout_ms * NS_PER_MS;
  if (c->options->replica) return;
  loop_call(c->loop, hand_over_on_loop, c);
  while (leads_any(c) && clock_monotonic_ns(c->dbms->options.clock) < until_ns) thread_sleep_ns(NS_PER_MS);
}

struct opening {
  struct cluster *cluster;
  enum err err;
  struct error *error;
};

static void open_on_loop(void *argument) {
  struct opening *o = argument;
  struct cluster *c = o->cluster;
  struct host_options host = {.clock = c->dbms->options.clock,
                              .write_ready = on_write_ready,
                              .group_failed = on_group_failed,
                              .group_stepped = on_group_stepped,
                              .save_ready = on_save_ready,
                              .server_changed = on_server_changed,
                              .server_elsewhere = is_elsewhere,
                              .start_met = cluster_start_met,
                              .start_moved = cluster_start_moved,
                              .older = cluster_older,
                              .promised = cluster_promised,
                              .context = c};
  host.network = (struct network_options){.server = c->options->server,
                                          .epoch = c->options->epoch,
                                          .known = c->known,
                                          .listen = c->options->listen,
                                          .advertised = c->options->advertised,
                                          .tls = c->options->tls,
                                          .tls_verify_names = c->options->tls_verify_names,
                                          .resolver = c->options->resolver,
                                          .feature_level = &c->dbms->levels.of_cluster,
                                          .links = c->options->links,
                                          .events = c->dbms->options.events};
  memcpy(host.network.cluster, c->options->cluster, sizeof host.network.cluster);
  o->err = host_open(c->loop, &host, &c->host, o->error);
  if (o->err == ERR_OK) o->err = cluster_moves_open(c, o->error);
  if (o->err == ERR_OK) o->err = loop_timer_new(c->loop, cluster_balance, c, &c->balance, o->error);
  if (o->err == ERR_OK && c->options->directory != NULL) loop_timer_set(c->balance, BALANCE_MS, true);
}

enum err cluster_open(struct dbms *d, const struct dbms_cluster_options *options, struct cluster **ret, struct error *e) {
  struct cluster *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  c->dbms = d;
  c->options = options;
  mutex_init(&c->mutex);
  mutex_init(&c->reads_mutex);
  serial_init(&c->writer, d->options.host, WORK_MACHINE, write_logs);
  serial_wake(&c->writer);
  struct opening o = {.cluster = c, .error = e};
  bool member = !options->replica && !options->single;
  o.err = cluster_starts_open(c, e);
  if (o.err == ERR_OK && member) o.err = loop_start("raft", &c->loop, e);
  if (o.err == ERR_OK && member) loop_call(c->loop, open_on_loop, &o);
  if (o.err == ERR_OK) o.err = cluster_copies_open(c, e);
  if (o.err != ERR_OK) {
    cluster_close(c);
    return error_ensure(e, o.err);
  }
  *ret = c;
  return ERR_OK;
}

static void close_on_loop(void *argument) {
  struct cluster *c = argument;
  loop_timer_free(c->balance);
  loop_timer_free(c->moves.timer);
  host_close(c->host);
}

void cluster_close(struct cluster *c) {
  if (c == NULL) return;
  cluster_copies_close(c);
  serial_rest(&c->writer);
  cluster_rest_noter(c);
  if (c->loop != NULL) loop_call(c->loop, close_on_loop, c);
  loop_stop(c->loop);
  cluster_starts_close(c);
  mutex_done(&c->reads_mutex);
  mutex_done(&c->mutex);
  mem_free(c);
}
