// A database of a read replica: what an upstream has committed is pulled into the log here, made durable, and goes to the
// applier.
//
//   a pull is answered -> catchup_pulled_read -> log_append -> the writer's round -> graph_receive, in the log's order -> a pull
//
// The log is kept as on any server: a restart goes on where it ends, and other replicas may pull from it (docs/adr/0013).
// Everything in it is committed. Where no upstream's log goes on from there, the store is replaced by a copy (cluster_copy.c).
//
// Everything is the bulk loop's but the writer's round.
#include "cluster/catchup_pulled.h"
#include "dbms/cluster_int.h"
#include "graph/replica.h"
#include "store/store.h"

#define PULL_BYTES (1u << 20)

enum {
  SOON_MS = 2, // the applier has enough to do; an answer brought nothing
  LOOK_MS = 250,
  CATCHING_UP_LOOK_MS = 20,
  AGAIN_MS = 1000,     // after a pull that failed for good
  RETRY_MAX_MS = 1000, // between two tries of one
  SILENT_MS = 5000,    // an upstream that lost its power says nothing more: it is asked again, or another one is
  STILL_MS = 10000,    // nothing came for so long though the leader has gone on: the upstream stands still
  PRUNE_SEGMENTS_MAX = 4,
};

struct follow {
  struct cluster_group *group;
  struct catchup_client *client;
  struct loop_timer *look, *go_on;
  struct serial writer;
  enum err write_err; // of its last round: told once. The writer's
  struct loop_task written;
  bool pulling, ended, failed;
  bool refused; // the last pull: no upstream's log goes on from here
  bool has_target;
  uint64_t target; // what the first answer said is committed: applied, the database is up to date
  uint64_t fed;    // the last entry that the applier was given
  struct log_cursor *cursor;
  const struct log_entry *next; // the cursor's: what the applier had no room for
  struct buf bytes;             // of entries that are being written
  struct log_entry *entries;
  uint32_t capacity;
  uint64_t lot;                // whom to ask
  uint64_t blamed;             // whom not: a server
  uint64_t moved_ms;           // when entries came last
  uint64_t leader_applied;     // as it says
  _Atomic bool written_posted; // apart from the flags of the loop, which are read together
};

static struct graph *graph_of(struct follow *f) {
  return f->group->database->graph;
}

static struct log *log_of(struct follow *f) {
  return store_log(graph_store(graph_of(f)));
}

static uint64_t now_ms(struct follow *f) {
  return cluster_now_ms(f->group->cluster);
}

static void fail(struct follow *f, const struct error *cause) {
  struct cluster_group *g = f->group;
  if (f->failed) return;
  f->failed = true;
  mutex_lock(&g->mutex);
  g->status.role = CLUSTER_FAILED;
  mutex_unlock(&g->mutex);
  cluster_raise(g, EVENT_ERROR, "cluster.follow.failed", cause->message);
  graph_group_failed(g->database->graph, cause);
}

// ---- whom to ask ----

size_t cluster_upstreams(struct cluster *c, struct database *db, struct upstream_wish w,
                         struct catchup_upstream ret[UPSTREAMS_MAX]) {
  const struct dbms_cluster_options *o = c->options;
  struct directory_copy view;
  struct arena a;
  size_t n = 0;
  arena_init(&a, NULL);
  if (o->directory != NULL && directory_copy(o->directory, &a, &view, NULL) == ERR_OK) {
    w.view = &view;
    w.cluster = uuid_get(o->cluster);
    w.database = db->id;
    w.groups = o->upstream_groups;
    w.strategies = o->upstream_strategies;
    n = upstream_choose(&w, ret);
  }
  arena_done(&a);
  return n;
}

// ---- copies ----

/// Another history is believed of the leader alone. A copy is never older than what readers here have seen of the same one.
static void copy_store(struct follow *f, enum catchup_refusal why) {
  struct cluster_group *g = f->group;
  bool same_history = why == CATCHUP_ACCEPTED || why == CATCHUP_PRUNED;
  cluster_raise(g, EVENT_INFO, "cluster.follow",
                why == CATCHUP_ACCEPTED ? "Local database is empty, attempting to replace with copy from an upstream server."
                                        : "The log of no upstream goes on from here: the store is replaced by a copy.");
  g->database->behind = true;
  cluster_fetch_now(g->cluster, g->database, same_history ? graph_applied(graph_of(f)).index : 0, !same_history);
}

/// Until the copy is in the place of the store, or was not needed.
static bool is_copying(const struct follow *f) {
  const struct database *db = f->group->database;
  return db->fetch != NULL || db->copy != NULL;
}

/// Nothing is pulled meanwhile. A database in quarantine goes on with the log as long as it can, and so hears of each range who
/// is sound: those that were may be gone.
static bool waits_for_copy(const struct follow *f) {
  return is_copying(f) && (f->refused || !database_is_quarantined(f->group->database, NULL));
}

// ---- pulling ----

/// Whoever sent what cannot be used is asked again only where there is nobody else.
static size_t leave_out(uint64_t server, struct catchup_upstream *upstreams, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n && n > 1; i++)
    if (upstreams[i].server != server) upstreams[kept++] = upstreams[i];
  return kept > 0 ? kept : n;
}

static bool set_upstreams(struct follow *f) {
  struct catchup_upstream upstreams[UPSTREAMS_MAX];
  bool stands_still = f->leader_applied > log_last_index(log_of(f)) && now_ms(f) - f->moved_ms > STILL_MS;
  struct upstream_wish w = {.lot = f->lot, .cores_only = stands_still};
  size_t n = cluster_upstreams(f->group->cluster, f->group->database, w, upstreams);
  n = leave_out(f->blamed, upstreams, n);
  return n > 0 && catchup_client_set_upstreams(f->client, upstreams, n, NULL) == ERR_OK;
}

static void pull(struct follow *f) {
  struct log *log = log_of(f);
  int64_t interval_ms = f->group->cluster->options->pull_interval_ms;
  struct catchup_pull p = {.generation = log_generation(log),
                           .index = log_last_index(log),
                           .term = log_last_term(log),
                           .bytes_max = PULL_BYTES,
                           .wait_ms = !f->has_target    ? 0
                                      : interval_ms > 0 ? (uint32_t) interval_ms
                                                        : AGAIN_MS};
  if (f->pulling || f->failed || waits_for_copy(f) || !set_upstreams(f)) return; // the next look tries again
  f->pulling = catchup_client_pull(f->client, &p, NULL) == ERR_OK;
}

/// Whether it is the upstream's end of the log that is applied here, for the first time.
static void note_progress(struct follow *f) {
  struct database *db = f->group->database;
  const struct dbms_cluster_options *o = f->group->cluster->options;
  if (!db->behind || !f->has_target || is_copying(f) || graph_applied(db->graph).index < f->target) return;
  db->behind = false;
  cluster_raise(f->group, EVENT_INFO, "cluster.follow", "This replica is up to date with its upstream.");
  if (o->changed != NULL) o->changed(o->context);
}

static enum err feed_one(struct follow *f, struct error *e) {
  if (f->cursor == NULL) TRY(log_cursor_open(log_of(f), f->fed + 1, &f->cursor, e));
  if (f->next == NULL) TRY(log_cursor_next(f->cursor, &f->next, e));
  if (f->next == NULL) return error_set(e, ERR_BUSY, "The log does not show its end yet.");
  TRY(graph_receive(graph_of(f), f->next, e));
  f->fed = f->next->index;
  f->next = NULL;
  return ERR_OK;
}

/// What is durable and committed, to the applier; then more is asked for.
static void feed(struct follow *f) {
  struct log *log = log_of(f);
  struct error e = ERROR_INIT;
  enum err err = ERR_OK;
  uint64_t limit = MIN(log_durable_index(log), log_commit_index(log));
  while (err == ERR_OK && f->fed < limit) err = feed_one(f, &e);
  if (err == ERR_BUSY || err == ERR_NOMEM)
    loop_timer_set(f->go_on, SOON_MS, false);
  else if (err != ERR_OK)
    fail(f, &e);
  else if (log_durable_index(log) == log_last_index(log))
    pull(f);
}

static void on_go_on(void *context) {
  struct follow *f = context;
  if (!f->failed) feed(f);
}

// ---- answers ----

static enum err keep(struct follow *f, uint32_t count, const uint8_t *bytes, size_t size, struct error *e) {
  if (count > f->capacity) {
    struct log_entry *larger = mem_realloc(f->entries, count * sizeof *larger);
    if (larger == NULL) return error_ensure(e, ERR_NOMEM);
    f->entries = larger;
    f->capacity = count;
  }
  buf_clear(&f->bytes);
  return buf_append(&f->bytes, bytes, size) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

static enum err take_in(struct follow *f, uint64_t commit_index, uint32_t count, const uint8_t *bytes, size_t size,
                        struct error *e) {
  struct log *log = log_of(f);
  struct catchup_place last = {log_last_index(log), log_last_term(log)};
  TRY(keep(f, count, bytes, size, e));
  TRY(catchup_pulled_read(last, commit_index, count, (const uint8_t *) f->bytes.data, f->bytes.len, f->entries, e));
  TRY(log_append(log, f->entries, count, e));
  return ERR_OK;
}

static void note_answer(struct follow *f, uint64_t commit_index) {
  struct cluster_group *g = f->group;
  if (!f->has_target) f->target = commit_index;
  f->has_target = true;
  mutex_lock(&g->mutex);
  g->status.commit_index = commit_index;
  g->seen.pulls++;
  g->seen.pull_requested = log_last_index(log_of(f));
  g->status.leader_heard_ms = (int64_t) now_ms(f);
  mutex_unlock(&g->mutex);
}

static void on_pulled(void *context, const struct catchup_upstream *from, uint64_t commit_index, uint32_t count,
                      const uint8_t *bytes, size_t size) {
  struct follow *f = context;
  struct error e = ERROR_INIT;
  f->pulling = f->refused = false;
  note_answer(f, commit_index);
  if (count > 0) f->moved_ms = now_ms(f);
  enum err err = count > 0 ? take_in(f, commit_index, count, bytes, size, &e) : ERR_OK;
  if (err == ERR_OK) {
    log_commit_mark(log_of(f), commit_index); // an upstream answers whose last entry here is committed there
    if (count > 0) serial_ready(&f->writer);  // with the mark in the header of the batch: it is replayed after a restart
    if (count == 0) loop_timer_set(f->go_on, SOON_MS, false);
    return;
  }
  if (log_failure(log_of(f), NULL) != ERR_OK) {
    fail(f, &e);
    return;
  }
  event_raise(f->group->cluster->dbms->options.events, EVENT_WARN, "cluster.follow", "[%.*s] What came from %s is not used: %s",
              STR_ARG(f->group->database->name), from->address, e.message);
  f->blamed = from->server;
  loop_timer_set(f->go_on, AGAIN_MS, false);
}

static void on_failed(void *context, enum catchup_refusal refusal, const struct error *why) {
  struct follow *f = context;
  f->pulling = false;
  f->refused = refusal != CATCHUP_ACCEPTED;
  cluster_raise(f->group, EVENT_WARN, "cluster.follow", why->message);
  if (f->refused)
    copy_store(f, refusal);
  else
    loop_timer_set(f->go_on, AGAIN_MS, false);
}

// ---- the writer ----

static void write_log(struct work *w) {
  struct follow *f = CONTAINER_OF(w, struct follow, writer.work);
  struct error e = ERROR_INIT;
  bool worked = false;
  serial_begin(&f->writer);
  enum err err = log_writer_step(log_of(f), &worked, &e); // what had no room is tried again by a look
  if (err != ERR_OK && f->write_err == ERR_OK) cluster_raise(f->group, EVENT_WARN, "cluster.writer", e.message);
  f->write_err = err;
  if (!atomic_exchange(&f->written_posted, true)) loop_post(f->group->cluster->bulk, &f->written);
  serial_give(&f->writer, worked);
}

static void on_written(struct loop_task *task) {
  struct follow *f = CONTAINER_OF(task, struct follow, written);
  struct error e = ERROR_INIT;
  f->written_posted = false;
  if (f->ended) {
    mem_free(f);
    return;
  }
  cluster_touch_pulls(f->group);
  if (log_failure(log_of(f), &e) != ERR_OK)
    fail(f, &e);
  else
    feed(f);
}

// ---- now and then ----

/// Who leads, as the servers say.
static void note_leader(struct follow *f) {
  struct cluster_group *g = f->group;
  const struct dbms_cluster_options *o = g->cluster->options;
  struct directory_copy view;
  struct arena a;
  arena_init(&a, NULL);
  if (o->directory != NULL && directory_copy(o->directory, &a, &view, NULL) == ERR_OK) {
    uint64_t term;
    const struct announcement *leader = upstream_leader(&view, uuid_get(o->cluster), g->database->id, &term);
    mutex_lock(&g->mutex);
    f->leader_applied = leader != NULL ? upstream_applied(leader, g->database->id) : 0;
    g->status.leader = leader != NULL ? leader->number : 0;
    if (leader != NULL) g->status.term = term;
    mutex_unlock(&g->mutex);
  }
  arena_done(&a);
}

/// An empty database gets what an upstream has as a whole, once: a log need not begin at the beginning of the data.
static bool lacks_store(struct follow *f) {
  struct database *db = f->group->database;
  return !db->copied && graph_applied(db->graph).index == 0;
}

static bool has_upstream(struct follow *f) {
  struct catchup_upstream upstreams[UPSTREAMS_MAX];
  return cluster_upstreams(f->group->cluster, f->group->database, (struct upstream_wish){0}, upstreams) > 0;
}

static void on_look(void *context) {
  struct follow *f = context;
  struct log *log = log_of(f);
  note_leader(f);
  note_progress(f);
  if (log_durable_index(log) < log_last_index(log)) serial_ready(&f->writer);
  if (!is_copying(f) && lacks_store(f) && has_upstream(f)) copy_store(f, CATCHUP_ACCEPTED);
  if (!waits_for_copy(f) && !lacks_store(f) && !f->failed && !f->pulling) feed(f);
  loop_timer_set(f->look, f->group->database->behind ? CATCHING_UP_LOOK_MS : LOOK_MS, false);
}

// ---- life ----

static enum err mark_log(struct follow *f, struct error *e) {
  struct log_group_state state;
  log_group_state(log_of(f), &state);
  if (state.member_id != 0)
    return error_set(e, ERR_INVALID, "The store belongs to a core of the cluster: a read replica begins with an empty folder.");
  if (state.follows) return ERR_OK;
  state.follows = true;
  return log_group_save(log_of(f), &state, e);
}

static enum err make_client(struct follow *f, struct error *e) {
  static const struct catchup_client_events events = {.pulled = on_pulled, .failed = on_failed};
  struct catchup_client_options o = cluster_client_options(f->group->cluster, f->group->database);
  o.retry_max_ms = RETRY_MAX_MS;
  o.answer_timeout_ms = SILENT_MS;
  return catchup_client_new(f->group->cluster->bulk, &o, &events, f, &f->client, e);
}

static enum err start(struct follow *f, struct error *e) {
  struct cluster_group *g = f->group;
  struct loop *loop = g->cluster->bulk;
  TRY(mark_log(f, e));
  if (random_fill(g->cluster->dbms->options.random, &f->lot, sizeof f->lot) != ERR_OK)
    return error_set(e, ERR_IO, "The system has no random bytes.");
  TRY(loop_timer_new(loop, on_look, f, &f->look, e));
  TRY(loop_timer_new(loop, on_go_on, f, &f->go_on, e));
  TRY(loop_timer_new(loop, cluster_digest, g, &g->digest, e));
  TRY(make_client(f, e));
  f->fed = graph_applied(graph_of(f)).index;
  f->moved_ms = now_ms(f);
  g->status.role = CLUSTER_REPLICA;
  g->database->behind = true;
  serial_wake(&f->writer);
  loop_timer_set(f->look, 0, false);
  loop_timer_set(g->digest, cluster_digest_look_ms(g->cluster), true);
  return ERR_OK;
}

struct starting {
  struct cluster_group *group;
  enum err err;
  struct error *error;
};

static void start_on_loop(void *argument) {
  struct starting *s = argument;
  struct follow *f = mem_zalloc(sizeof *f);
  if (f == NULL) {
    s->err = error_ensure(s->error, ERR_NOMEM);
    return;
  }
  *f = (struct follow){.group = s->group, .written.run = on_written};
  serial_init(&f->writer, s->group->cluster->dbms->options.host, WORK_MACHINE, write_log);
  s->group->follow = f;
  s->err = start(f, s->error);
}

static void end_on_loop(void *argument) {
  struct cluster_group *g = argument;
  struct follow *f = TAKE_PTR(g->follow);
  if (f == NULL) return;
  serial_rest(&f->writer);
  catchup_client_free(f->client);
  log_cursor_close(f->cursor);
  loop_timer_free(f->look);
  loop_timer_free(TAKE_PTR(g->digest));
  loop_timer_free(f->go_on);
  buf_done(&f->bytes);
  mem_free(f->entries);
  f->ended = true;
  if (!f->written_posted) mem_free(f); // else when that comes
}

enum err cluster_follow(struct cluster_group *g, struct error *e) {
  struct starting s = {.group = g, .error = e};
  loop_call(g->cluster->bulk, start_on_loop, &s);
  if (s.err != ERR_OK) loop_call(g->cluster->bulk, end_on_loop, g);
  return s.err;
}

void cluster_unfollow(struct cluster_group *g) {
  loop_call(g->cluster->bulk, end_on_loop, g);
}
