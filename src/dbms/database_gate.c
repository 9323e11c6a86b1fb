// The gate before a database: who may come in and who is in it, and the quarantine of one that differs from the others'.
#include "dbms/database.h"

#include "dbms/dbms_int.h"

enum err database_refuse(const struct database *db, enum database_gate gate, struct error *e) {
  static const char *const whys[] = {
      [GATE_STARTING] = "it is being opened. Try again soon",
      [GATE_REPLACING] = "its store is being replaced by a newer copy. Try again soon",
      [GATE_QUARANTINED] = "it differs here from what the other servers have, and is being replaced by a copy of theirs. Ask another one",
      [GATE_STOPPED] = "it was stopped. START DATABASE starts it again",
      [GATE_FAILED] = "it could not be opened. The log file of the server says why",
      [GATE_LEFT] = "this server was taken out of the cluster. Ask another one",
  };
  if (gate == GATE_DROPPED)
    return error_set(e, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: '%.*s'.", STR_ARG(db->name));
  return error_set(e, ERR_DATABASE_UNAVAILABLE, "The database '%.*s' is not available: %s.", STR_ARG(db->name),
                   gate == GATE_OPEN ? "it was closed for a moment. Try again" : whys[gate]);
}

enum err database_enter(struct database *db, struct error *e) {
  mutex_lock(&db->dbms->mutex);
  enum database_gate gate = db->gate;
  if (gate == GATE_OPEN) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return gate == GATE_OPEN ? ERR_OK : database_refuse(db, gate, e);
}

enum database_status database_status(const struct database *db) {
  switch (atomic_load(&db->gate)) {
  case GATE_OPEN: return atomic_load(&db->behind) ? DATABASE_COPYING : DATABASE_ONLINE;
  case GATE_STARTING: return DATABASE_STARTING;
  case GATE_REPLACING: return DATABASE_COPYING;
  case GATE_QUARANTINED: return DATABASE_QUARANTINED;
  case GATE_FAILED: return DATABASE_FAILED;
  case GATE_STOPPED:
  case GATE_DROPPED:
  case GATE_LEFT: break;
  }
  return DATABASE_OFFLINE;
}

bool database_runs(const struct database *db) {
  enum database_gate gate = atomic_load(&db->gate);
  return gate == GATE_OPEN || gate == GATE_QUARANTINED;
}

bool database_look_in(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool there = database_runs(db);
  if (there) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return there;
}

void database_quarantine(struct database *db, const struct quarantine *q) {
  mutex_lock(&db->dbms->mutex);
  if (!db->quarantine.on) db->quarantines++;
  db->quarantine = *q;
  if (db->gate == GATE_OPEN) db->gate = GATE_QUARANTINED;
  mutex_unlock(&db->dbms->mutex);
}

void database_keep_quarantine(struct database *db) {
  char folder[DISK_PATH_MAX];
  struct error e = ERROR_INIT;
  mutex_lock(&db->dbms->mutex);
  struct quarantine q = db->quarantine;
  db->quarantine.kept = true;
  mutex_unlock(&db->dbms->mutex);
  if (!q.on || q.kept) return;
  database_path(db->dbms, db->folder, folder);
  if (quarantine_keep(db->dbms->options.disk, folder, db->generation, &q, &e) != ERR_OK)
    event_raise(db->dbms->options.events, EVENT_WARN, "cluster.digest", "[%.*s] That it differs cannot be noted for the next start: %s",
                STR_ARG(db->name), e.message);
}

bool database_is_quarantined(struct database *db, uint64_t *ret_index) {
  mutex_lock(&db->dbms->mutex);
  bool on = db->quarantine.on;
  if (on && ret_index != NULL) *ret_index = db->quarantine.index;
  mutex_unlock(&db->dbms->mutex);
  return on;
}

enum err database_is_sound(struct database *db, struct error *e) {
  char folder[DISK_PATH_MAX];
  database_path(db->dbms, db->folder, folder);
  TRY(quarantine_end(db->dbms->options.disk, folder, e));
  mutex_lock(&db->dbms->mutex);
  db->quarantine = (struct quarantine){.on = false};
  mutex_unlock(&db->dbms->mutex);
  return ERR_OK;
}

bool database_may_copy(struct database *db, uint64_t server) {
  mutex_lock(&db->dbms->mutex);
  const struct quarantine *q = &db->quarantine;
  bool may = !q->on;
  for (uint32_t i = 0; i < q->sound_count && !may; i++) may = q->sound[i] == server;
  mutex_unlock(&db->dbms->mutex);
  return may;
}

bool database_hold(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool there = db->graph != NULL;
  if (there) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return there;
}

void database_leave(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  db->users--;
  mutex_unlock(&db->dbms->mutex);
}
