// Starts of servers (cluster/starts.h): those of the others are kept, away from the loop, this server's own moves while it
// promises things, and where this server has begun anew it finds out which databases there are.
#include <stdio.h>

#include "dbms/cluster_int.h"
#include "graph/replica.h"

enum { MOVE_PAUSE_MS = 10000 }; // a copy that is older than that is noticed; a move is two syncs

// ---- to the disk: the noter's ----

static void tell_unsaved(struct cluster *c, const struct error *e) {
  event_raise(c->dbms->options.events, EVENT_WARN, "cluster.starts", "Which servers were met cannot be noted: %s", e->message);
}

static void tell_unmoved(struct cluster *c, const struct error *e) {
  event_raise(
      c->dbms->options.events, EVENT_WARN, "cluster.starts",
      "That this server has promised things cannot be noted, so that a copy of its data folder from before might pass for the latest: %s",
      e->message);
}

static void move(struct cluster *c) {
  struct error e = ERROR_INIT;
  bool moved = false;
  if (known_starts_move(c->known, &moved, &e) != ERR_OK) tell_unmoved(c, &e);
  if (moved && !atomic_exchange(&c->moves.tell_posted, true)) loop_post(c->loop, &c->moves.tell_task);
}

static void save(struct work *w) {
  struct cluster *c = CONTAINER_OF(w, struct cluster, noter.work);
  struct error e = ERROR_INIT;
  serial_begin(&c->noter);
  if (known_starts_save(c->known, &e) != ERR_OK) tell_unsaved(c, &e);
  if (atomic_exchange(&c->moves.due, false)) move(c);
  serial_give(&c->noter, false);
}

void cluster_start_met(void *context) {
  struct cluster *c = context;
  serial_ready(&c->noter);
}

// ---- moves: one write for all that came in a while, the first at once, and none where nothing comes ----

static void on_tell(struct loop_task *task) {
  struct cluster *c = CONTAINER_OF(task, struct cluster, moves.tell_task);
  atomic_store(&c->moves.tell_posted, false);
  host_moved(c->host);
}

static void on_move(void *context) {
  struct cluster *c = context;
  c->moves.timed = false;
  c->moves.last_ms = cluster_now_ms(c);
  atomic_store(&c->moves.due, true);
  serial_ready(&c->noter);
}

void cluster_start_moved(void *context) {
  struct cluster *c = context;
  if (c->moves.timed) return;
  int64_t pause_ms = c->options->move_pause_ms != 0 ? c->options->move_pause_ms : MOVE_PAUSE_MS;
  int64_t since_ms = (int64_t) (cluster_now_ms(c) - c->moves.last_ms);
  c->moves.timed = true;
  loop_timer_set(c->moves.timer, c->moves.last_ms != 0 ? MAX(pause_ms - since_ms, (int64_t) 0) : 0, false);
}

void cluster_promised(void *context) {
  struct cluster *c = context;
  if (c->known == NULL) return;
  known_starts_promised(c->known);
  cluster_start_moved(c);
}

enum err cluster_moves_open(struct cluster *c, struct error *e) {
  c->moves.tell_task.run = on_tell;
  return loop_timer_new(c->loop, on_move, c, &c->moves.timer, e);
}

// ---- of this server, which is older ----

static void tell_older(struct cluster *c, struct start known, const char *proof) {
  if (c->older.told) return;
  c->older.told = true;
  c->options->older(c->options->context, known, proof);
}

void cluster_older(void *context, uint64_t server, struct start known) {
  struct cluster *c = context;
  char proof[300];
  snprintf(proof, sizeof proof, "server %llu has met start %llu of it, at move %u, and this is start %llu of a folder that knows nothing of that",
           (unsigned long long) server, (unsigned long long) known.number, known.moves, (unsigned long long) c->options->epoch);
  tell_older(c, known, proof);
}

static void on_lost(struct loop_task *task) {
  struct cluster *c = CONTAINER_OF(task, struct cluster, older.task);
  host_hush(c->host);
  tell_older(c, (struct start){0}, c->older.proof);
}

/// Whether the data of the other groups went back as well nobody can tell: they are judged alike.
void cluster_lost(struct cluster_group *g, const struct consensus_status *now) {
  struct cluster *c = g->cluster;
  if (c->known == NULL || c->older.posted) return;
  c->older.posted = true;
  c->older.task.run = on_lost;
  snprintf(c->older.proof, sizeof c->older.proof,
           "in the group of database '%.*s' it has acknowledged entry %llu to the leader, and its log, which ends at entry %llu, does not have that",
           STR_ARG(g->database->name), (unsigned long long) now->lost_index, (unsigned long long) now->last_index);
  loop_post(c->loop, &c->older.task);
}

enum err cluster_starts_open(struct cluster *c, struct error *e) {
  const struct dbms_options *o = &c->dbms->options;
  char folder[DISK_PATH_MAX];
  serial_init(&c->noter, o->host, WORK_MACHINE, save);
  if (c->options->starts == NULL) return ERR_OK;
  snprintf(folder, sizeof folder, "%.*s", STR_ARG(o->config->data_directory));
  serial_wake(&c->noter);
  c->renewing = c->options->starts->renewing;
  return known_starts_open(o->disk, folder, uuid_get(c->options->cluster), c->options->server, c->options->starts, &c->known, e);
}

void cluster_rest_noter(struct cluster *c) {
  if (c != NULL) serial_rest(&c->noter);
}

void cluster_starts_close(struct cluster *c) {
  struct error e = ERROR_INIT;
  bool moved; // and nobody is told any more
  if (c->known != NULL && known_starts_save(c->known, &e) != ERR_OK) tell_unsaved(c, &e);
  if (c->known != NULL && known_starts_move(c->known, &moved, &e) != ERR_OK) tell_unmoved(c, &e);
  known_starts_close(c->known);
}

// ---- of this server, which has begun anew ----

/// It votes there again, and has applied that.
bool cluster_knows_again(struct cluster *c) {
  if (c == NULL || !atomic_load(&c->renewing) || !database_hold(c->dbms->system)) return false;
  struct cluster_status now = {0};
  if (c->dbms->system->group != NULL) cluster_status(c->dbms->system->group, &now);
  uint64_t applied = graph_applied(c->dbms->system->graph).index;
  database_leave(c->dbms->system);
  mutex_lock(&c->mutex);
  const struct consensus_member *self = consensus_membership_find(&c->system_members, now.member);
  bool votes = self != NULL && self->role == CONSENSUS_VOTER && applied >= c->system_members.index;
  mutex_unlock(&c->mutex);
  return votes;
}

enum err cluster_settle(struct cluster *c, struct error *e) {
  DATABASES_EACH(db, c->dbms)
  if (!db->is_system) TRY(cluster_note_former(db, e));
  TRY(c->options->settle(c->options->context, e));
  atomic_store(&c->renewing, false);
  return ERR_OK;
}
