// Starts of servers (cluster/starts.h): those of the others are kept, away from the loop, and where this server has begun anew it finds
// out which databases there are.
#include <stdio.h>

#include "dbms/cluster_int.h"
#include "graph/replica.h"

// ---- of the others ----

static void tell_unsaved(struct cluster *c, const struct error *e) {
  event_raise(c->dbms->options.events, EVENT_WARN, "cluster.starts", "Which servers were met cannot be noted: %s", e->message);
}

static void save(struct work *w) {
  struct cluster *c = CONTAINER_OF(w, struct cluster, noter.work);
  struct error e = ERROR_INIT;
  serial_begin(&c->noter);
  if (known_starts_save(c->known, &e) != ERR_OK) tell_unsaved(c, &e);
  serial_give(&c->noter, false);
}

void cluster_start_met(void *context) {
  struct cluster *c = context;
  serial_ready(&c->noter);
}

void cluster_older(void *context, uint64_t server, struct start known) {
  struct cluster *c = context;
  c->options->older(c->options->context, server, known);
}

enum err cluster_starts_open(struct cluster *c, struct error *e) {
  const struct dbms_options *o = &c->dbms->options;
  char folder[DISK_PATH_MAX];
  serial_init(&c->noter, o->host, WORK_MACHINE, save);
  if (c->options->starts == NULL) return ERR_OK;
  snprintf(folder, sizeof folder, "%.*s", STR_ARG(o->config->data_directory));
  serial_wake(&c->noter);
  c->renewing = c->options->starts->renewing;
  return known_starts_open(o->disk, folder, uuid_get(c->options->cluster), &c->known, e);
}

void cluster_starts_close(struct cluster *c) {
  struct error e = ERROR_INIT;
  if (c->known != NULL && known_starts_save(c->known, &e) != ERR_OK) tell_unsaved(c, &e);
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
