// What a server does about servers that leave, itself among them.
#include <string.h>

#include "base/mem.h"
#include "dbms/departure.h"
#include "dbms/dbms_int.h"
#include "dbms/system_tx.h"

enum { LOOK_MS = 200 };

void departures_init(struct dbms *d) {
  mutex_init(&d->departures.mutex);
}

void departures_done(struct dbms *d) {
  mutex_done(&d->departures.mutex);
}

static int64_t now_ms(const struct dbms *d) {
  return clock_monotonic_ns(d->options.clock) / NS_PER_MS;
}

// ---- who ----

static enum err read_list(struct graph_tx *tx, void *context, struct error *e) {
  return departures_read(tx, context, e);
}

enum err departures_follow(struct dbms *d, struct error *e) {
  if (d->cluster == NULL) return ERR_OK;
  struct departures *now = mem_alloc(sizeof *now);
  if (now == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = system_read(d, read_list, now, e);
  if (err == ERR_OK) {
    mutex_lock(&d->departures.mutex);
    struct departures *list = &d->departures.list;
    bool same = now->count == list->count && memcmp(now->of, list->of, now->count * sizeof now->of[0]) == 0;
    list->count = now->count;
    memcpy(list->of, now->of, now->count * sizeof now->of[0]);
    mutex_unlock(&d->departures.mutex);
    if (!same) atomic_store(&d->departures.look_ms, now_ms(d));
  }
  mem_free(now);
  return err;
}

enum departure_kind departure_of(struct dbms *d, struct uuid server, uint64_t number) {
  mutex_lock(&d->departures.mutex);
  const struct departure *found = departures_find(&d->departures.list, server, number);
  enum departure_kind kind = found != NULL ? found->kind : DEPARTS_NOT;
  mutex_unlock(&d->departures.mutex);
  return kind;
}

bool departs_from(struct dbms *d, const struct database *db, struct uuid server, uint64_t number) {
  enum departure_kind kind = departure_of(d, server, number);
  return kind == DEPARTS || (kind == DEPARTS_FROM_DATABASES && !db->is_system);
}

// ---- what the others are told ----

/// Whether it is a member of a group still, as far as is known here.
static bool is_member(struct dbms *d, uint64_t server) {
  bool found = false;
  DATABASES_EACH(db, d) {
    struct cluster_members members;
    if (db->gate == GATE_REPLACING || db->gate == GATE_STARTING) return true; // it may be
    if (!db->replicated || !database_look_in(db)) continue;
    cluster_members(db->group, &members);
    for (uint32_t i = 0; i < members.count; i++) found |= members.of[i].server == server;
    database_leave(db);
  }
  return found;
}

uint32_t dbms_dropped_servers(struct dbms *d, struct directory_dropped *ret, uint32_t cap) {
  uint32_t n = 0;
  mutex_lock(&d->departures.mutex);
  const struct departures *l = &d->departures.list;
  for (uint32_t i = 0; i < l->count && n < cap; i++)
    if (l->of[i].kind == DEPARTS) ret[n++] = (struct directory_dropped){l->of[i].server, l->of[i].number};
  mutex_unlock(&d->departures.mutex);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++)
    if (!is_member(d, ret[i].number)) ret[kept++] = ret[i];
  return kept;
}

void dbms_dropped(struct dbms *d) {
  atomic_store(&d->departures.dropped, true);
  atomic_store(&d->departures.look_ms, now_ms(d));
}

// ---- what is closed here ----

static bool is_led_elsewhere(struct dbms *d, const struct database *db) {
  struct arena a;
  struct directory_copy view = {0};
  bool led = false;
  arena_init(&a, NULL);
  bool seen = d->options.cluster->directory != NULL && cluster_view(d->cluster, &a, &view, NULL) == ERR_OK;
  for (uint32_t i = 1; seen && i < view.count; i++) {
    const struct announcement *s = &view.servers[i].said;
    for (uint32_t k = 0; k < s->database_count; k++)
      led |= uuid_eq(s->databases[k].uuid, db->id) && s->databases[k].role == ROLE_LEADER;
  }
  arena_done(&a);
  return led;
}

/// A member that was taken out hears nothing more from the group, so it may not even hear that.
static bool is_left_alone(struct dbms *d, struct database *db) {
  struct cluster_status s;
  if (database_enter(db, NULL) != ERR_OK) return false;
  cluster_status(db->group, &s);
  database_leave(db);
  return s.leader == 0 && is_led_elsewhere(d, db);
}

static bool close_it(struct database *db) {
  if (db->gate == GATE_OPEN)
    event_raise(
        db->dbms->options.events, EVENT_WARN, "database.left",
        "[%.*s] This server does not belong to the members of the database any more: it is closed here. The others have it.",
        STR_ARG(db->name));
  return database_try_shut(db, GATE_LEFT) && cluster_forget_copy(db);
}

static bool open_it(struct database *db) {
  struct error e = ERROR_INIT;
  if (database_reopen(db, &e) == ERR_OK) return true;
  event_raise(db->dbms->options.events, EVENT_ERROR, "database.left", "[%.*s] The database cannot be opened again: %s",
              STR_ARG(db->name), e.message);
  return false;
}

/// `*ret_watched`: it is to be closed as soon as the others have taken this server out.
static bool settle(struct dbms *d, struct database *db, bool *ret_watched) {
  enum database_gate gate = db->gate;
  bool dropped = atomic_load(&d->departures.dropped);
  bool departs = dropped || departs_from(d, db, (struct uuid){{0}}, d->options.cluster->server);
  if (gate == GATE_LEFT && (departs || db->graph != NULL)) return close_it(db);
  if (gate == GATE_LEFT) return open_it(db);
  if (gate != GATE_OPEN || !departs) return true;
  if (dropped || is_left_alone(d, db)) return close_it(db);
  *ret_watched = true;
  return true;
}

void departures_close(struct dbms *d) {
  bool all = true, watched = false;
  if (d->cluster == NULL) return;
  atomic_store(&d->departures.look_ms, 0);
  DATABASES_EACH(db, d) {
    if (db->replicated) all &= settle(d, db, &watched);
  }
  if (watched || !all) atomic_store(&d->departures.look_ms, now_ms(d) + (all ? LOOK_MS : 1));
}

bool departures_due(struct dbms *d) {
  int64_t at = atomic_load(&d->departures.look_ms);
  return at != 0 && now_ms(d) >= at;
}
