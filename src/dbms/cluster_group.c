// Where a database and its Raft group meet, from joining to leaving: what is committed goes to the graph; after each step of the
// group the graph is told whether this server leads, and what waits there is proposed.
#include "dbms/cluster_int.h"

#include <assert.h>
#include <string.h>

#include "base/mutant.h"
#include "dbms/transaction.h"
#include "graph/replica.h"
#include "store/store.h"

enum {
  RETRY_MS = 5, // after the log's queue had no room for a proposal
  LOOK_ROUND_MS = 250,
  PACE_MS = 2000,
};

static struct cluster_group *group_of(struct group_application *a) {
  return CONTAINER_OF(a, struct cluster_group, application);
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
  if (err != ERR_OK && group_failure(host_group(g->member), NULL) != ERR_OK) err = ERR_TX_LOG; // it may have them
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
  // Any other error has closed the group, which cluster_group_failed tells.
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
  group_end(host_group(g->member), &why); // the next step tells
  return true;
}

void cluster_group_stepped(void *context UNUSED, struct host_group *member) {
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

void cluster_group_failed(void *context UNUSED, struct host_group *member) {
  struct cluster_group *g = group_of(host_group_application(member));
  struct error cause = ERROR_INIT;
  struct consensus_status now;
  enum err err = group_failure(host_group(member), &cause);
  if (err == ERR_OK) return;
  group_status(host_group(member), &now);
  cluster_raise(g, EVENT_ERROR, "cluster.group.closed", cause.message);
  if (now.lost_index != 0) cluster_lost(g, &now);
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

// ---- terms and votes ----

/// Elsewhere than on the loop, by which the heartbeats of all groups go: an election of one must not silence a server that leads
/// others.
void cluster_save_ready(void *context UNUSED, struct host_group *member) {
  serial_ready(&group_of(host_group_application(member))->saver);
}

static void save(struct work *w) {
  struct cluster_group *g = CONTAINER_OF(w, struct cluster_group, saver.work);
  serial_begin(&g->saver);
  group_save(host_group(g->member));
  host_touch(g->member);
  serial_give(&g->saver, false);
}

// ---- joining and leaving ----

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
