#include "dbms/scale_down.h"

#include <string.h>

#include "cluster/host.h"
#include "dbms/dbms_int.h"
#include "dbms/departure_check.h"

enum {
  AGAIN_MS = 1000,
  SET_FRESH_MS = 5000, // what Kubernetes has said counts for so long
};

static int64_t now_ms(const struct dbms *d) {
  return clock_monotonic_ns(d->options.clock) / NS_PER_MS;
}

static const struct dbms_cluster_options *options_of(const struct dbms *d) {
  return d->options.cluster;
}

static bool has_set(const struct dbms *d) {
  return options_of(d)->pod.set.len > 0;
}

// ---- who is away ----

static bool is_there(const struct directory_copy *view, uint64_t server) {
  for (uint32_t i = 0; i < view->count; i++)
    if (view->servers[i].said.number == server) return true;
  return false;
}

/// Under the mutex. Since when it has been away; now, if it was there a moment ago.
static int64_t since(const struct scale_down *s, uint64_t server, int64_t now) {
  for (uint32_t i = 0; i < s->absent_count; i++)
    if (s->absent[i].server == server) return s->absent[i].since_ms;
  return now;
}

/// "host:port"
static struct str host_of(struct str address) {
  struct str host;
  uint16_t port;
  return net_address_split(address, 0, &host, &port, NULL) == ERR_OK ? host : STR_NONE;
}

static void note_absent(struct dbms *d, const struct consensus_membership *now, const struct directory_copy *view) {
  struct scale_down *s = &d->scale_down;
  struct absent_pod absent[CLUSTER_SERVERS_MAX];
  struct str own = host_of(str_of(options_of(d)->advertised));
  uint32_t n = 0;
  int64_t ms = now_ms(d);
  for (uint32_t i = 0; i < now->count && n < CLUSTER_SERVERS_MAX; i++) {
    uint64_t server = member_server(now->members[i].id);
    uint32_t ordinal;
    if (is_there(view, server) ||
        !pod_is_of_same_set(&options_of(d)->pod, own, host_of(str_of(now->members[i].address)), &ordinal))
      continue;
    absent[n++] = (struct absent_pod){server, ordinal, since(s, server, ms)};
  }
  mutex_lock(&s->mutex);
  memcpy(s->absent, absent, n * sizeof absent[0]);
  s->absent_count = n;
  mutex_unlock(&s->mutex);
}

static void forget_absent(struct scale_down *s) {
  mutex_lock(&s->mutex);
  s->absent_count = 0;
  mutex_unlock(&s->mutex);
}

static bool somebody_leaves(struct dbms *d, const struct directory_copy *view) {
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *said = &view->servers[i].said;
    if (view->servers[i].leaves && said->mode == SERVER_CORE && departure_of(d, said->server, said->number) != DEPARTS)
      return true;
  }
  return false;
}

void scale_down_look(struct dbms *d, bool leads, const struct consensus_membership *now, const struct directory_copy *view) {
  struct scale_down *s = &d->scale_down;
  if (!leads) {
    forget_absent(s);
    return;
  }
  if (has_set(d)) note_absent(d, now, view);
  if (now_ms(d) < s->next_ms || !somebody_leaves(d, view)) return;
  s->next_ms = now_ms(d) + AGAIN_MS;
  lead_task_ready(&s->task);
}

// ---- what Kubernetes says ----

/// Under the mutex. Long enough to ask, and nobody has written it yet.
static bool is_due(struct dbms *d, const struct absent_pod *a) {
  return now_ms(d) - a->since_ms >= options_of(d)->absence_ms && departure_of(d, (struct uuid){{0}}, a->server) != DEPARTS;
}

bool dbms_asks_for_set(struct dbms *d) {
  struct scale_down *s = &d->scale_down;
  bool asks = false;
  if (d->cluster == NULL) return false;
  mutex_lock(&s->mutex);
  for (uint32_t i = 0; i < s->absent_count; i++) asks |= is_due(d, &s->absent[i]);
  mutex_unlock(&s->mutex);
  return asks;
}

void dbms_set_told(struct dbms *d, const struct stateful_set *set) {
  struct scale_down *s = &d->scale_down;
  mutex_lock(&s->mutex);
  s->set = *set;
  s->set_ms = now_ms(d);
  mutex_unlock(&s->mutex);
  lead_task_ready(&s->task);
}

// ---- writing it ----

/// Its set has no room for a server that is away.
static bool is_scaled_away(struct dbms *d, const struct roster_server *server) {
  struct scale_down *s = &d->scale_down;
  bool gone = false;
  if (server->said != NULL) return false;
  mutex_lock(&s->mutex);
  bool fresh = s->set_ms != 0 && now_ms(d) - s->set_ms < SET_FRESH_MS;
  for (uint32_t i = 0; i < s->absent_count && fresh; i++) {
    const struct absent_pod *a = &s->absent[i];
    gone |= a->server == server->number && is_due(d, a) && stateful_set_fate(&s->set, a->ordinal) == POD_LEAVES;
  }
  mutex_unlock(&s->mutex);
  return gone;
}

static void tell_written(struct dbms *d, const struct departure_view *v, const struct roster_server *s) {
  struct scale_down *scale = &d->scale_down;
  if (scale->written_told == s->number) return;
  scale->written_told = s->number;
  event_raise(d->options.events, EVENT_INFO, "cluster.scale_down", "Server [%.*s] leaves the cluster: %s.",
              STR_ARG(departure_server_name(v, s)),
              s->leaves ? "its pod is scaled away, and it has asked for it"
                        : "it has been away for long, and its StatefulSet has no room for it any more");
}

static void tell_unsafe(struct dbms *d, const struct departure_view *v, const struct roster_server *s, const struct error *why) {
  struct scale_down *scale = &d->scale_down;
  if (scale->unsafe_told == s->number) return;
  scale->unsafe_told = s->number;
  event_raise(d->options.events, EVENT_WARN, "cluster.scale_down", "Server [%.*s] was scaled away and stays a member: %s",
              STR_ARG(departure_server_name(v, s)), why->message);
}

static enum err check(const struct departure_view *v, const struct roster_server *s, struct error *e) {
  TRY(departure_check_minimum(v, s, DEPARTS, e));
  return departure_check_majority(v, s, e);
}

/// The list is read again, so that the next one meets this one there.
static enum err write(struct departure_view *v, const struct roster_server *s, const struct departure *known, struct graph_tx *tx,
                      struct error *e) {
  struct departure departure = {.server = s->server, .number = s->number, .kind = DEPARTS};
  TRY(known != NULL ? departures_drop(tx, known, e) : departures_add(tx, &departure, e));
  return departures_read(tx, &v->list, e);
}

static enum err write_all(struct departure_view *v, struct graph_tx *tx, bool *ret_any, struct error *e) {
  struct dbms *d = v->dbms;
  for (uint32_t i = 0; i < v->roster.count; i++) {
    const struct roster_server *s = &v->roster.servers[i];
    const struct departure *known = departures_find(&v->list, s->server, s->number);
    struct error why = ERROR_INIT;
    bool goes = s->said != NULL ? s->leaves && s->said->mode == SERVER_CORE : is_scaled_away(d, s);
    if (!goes || (known != NULL && known->kind == DEPARTS)) continue;
    enum err err = check(v, s, &why);
    if (err != ERR_OK && err != ERR_ARGUMENT) return error_set(e, err, "%s", why.message);
    if (err == ERR_ARGUMENT) {
      tell_unsafe(d, v, s, &why);
      continue;
    }
    TRY(write(v, s, known, tx, e));
    tell_written(d, v, s);
    *ret_any = true;
  }
  return ERR_OK;
}

static enum err take(struct departure_view *v, struct graph_tx *tx, struct error *e) {
  bool any = false;
  TRY(roster_take(v->dbms, v->arena, &v->roster, e));
  TRY(departures_lock(tx, e));
  TRY(departures_read(tx, &v->list, e));
  TRY(write_all(v, tx, &any, e));
  return any ? ERR_OK : ERR_EXISTS;
}

static struct departure_view *new_view(struct dbms *d, struct arena *a) {
  struct departure_view *v = ARENA_NEW(a, struct departure_view);
  if (v != NULL) *v = (struct departure_view){.dbms = d, .arena = a};
  return v;
}

static enum err change(struct graph_tx *tx, void *context, struct error *e) {
  struct lead_task *t = context;
  struct arena a;
  arena_init(&a, NULL);
  struct departure_view *v = new_view(t->dbms, &a);
  enum err err = v != NULL ? take(v, tx, e) : arena_err(&a, e);
  arena_done(&a);
  return err;
}

// ---- this server ----

static enum err look_at_self(struct departure_view *v, struct error *e) {
  struct dbms *d = v->dbms;
  TRY(roster_take(d, v->arena, &v->roster, e));
  mutex_lock(&d->departures.mutex);
  v->list = d->departures.list;
  mutex_unlock(&d->departures.mutex);
  for (uint32_t i = 0; i < v->roster.count; i++) {
    const struct roster_server *s = &v->roster.servers[i];
    const struct departure *known = departures_find(&v->list, s->server, s->number);
    if (s->number != options_of(d)->server || (known != NULL && known->kind == DEPARTS)) continue;
    TRY(check(v, s, e));
  }
  return ERR_OK;
}

enum err dbms_may_leave(struct dbms *d, struct error *e) {
  struct arena a;
  if (d->cluster == NULL) return error_set(e, ERR_ARGUMENT, "It is in no cluster.");
  arena_init(&a, NULL);
  struct departure_view *v = new_view(d, &a);
  enum err err = v != NULL ? look_at_self(v, e) : arena_err(&a, e);
  arena_done(&a);
  return err;
}

bool dbms_was_led(struct dbms *d) {
  struct cluster_status s = {0};
  if (d->cluster == NULL || database_enter(d->system, NULL) != ERR_OK) return false;
  if (d->system->group != NULL) cluster_status(d->system->group, &s);
  database_leave(d->system);
  return s.leader != 0 || s.leader_heard_ms != 0;
}

// ---- life ----

void scale_down_init(struct dbms *d) {
  mutex_init(&d->scale_down.mutex);
  if (d->options.cluster != NULL) lead_task_init(&d->scale_down.task, d, WORK_MACHINE, change, "cluster.scale_down");
}

void scale_down_rest(struct dbms *d) {
  if (d->options.cluster != NULL) lead_task_rest(&d->scale_down.task);
}

void scale_down_done(struct dbms *d) {
  mutex_done(&d->scale_down.mutex);
}
