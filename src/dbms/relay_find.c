// Who leads, and a session there. While nobody does, or whoever did is not reached, the client's operation is parked: it is
// looked again with every tick.
#include "dbms/linearizable.h"
#include "dbms/relay_int.h"

#include "graph/replica.h"

enum err relay_find(struct relay *r, enum relay_state found) {
  r->found = found;
  r->pauses = r->until_ns != 0 && r->database != NULL; // it was tried already; a gateway tries all first
  return relay_go(r, RELAY_FIND);
}

// ---- parking ----

static int64_t patience_ns(const struct relay *r, const struct dbms_op *op) {
  int64_t ms = r->session->dbms->options.config->routing_wait_ms;
  int64_t timeout_ms = op->kind == DBMS_BEGIN ? op->begin.timeout_ms : r->kept.whole ? r->kept.op.run.tx.timeout_ms : 0;
  return (timeout_ms > 0 ? MIN(ms, timeout_ms) : ms) * NS_PER_MS;
}

static bool find_place_to_park(struct relay *r) {
  struct dbms *d = r->session->dbms;
  if (r->parked) return true;
  r->parked = atomic_fetch_add(&d->parked_count, 1) < RELAY_PARKED_MAX;
  if (!r->parked) atomic_fetch_sub(&d->parked_count, 1);
  return r->parked;
}

void relay_unpark(struct relay *r, enum err err) {
  bool stays = err == ERR_WAIT && r->state == RELAY_FIND && r->wait == RELAY_WAIT_TICK;
  if (stays || !r->parked) return;
  r->parked = false;
  atomic_fetch_sub(&r->session->dbms->parked_count, 1);
}

static enum err nobody_leads(struct relay *r, const char *why, struct error *e) {
  if (r->found == RELAY_FENCE) return relay_go(r, RELAY_LOOK); // what is here has to do
  if (r->stands)
    return error_set(e, ERR_COMMIT_UNKNOWN,
                     "The schema of database '%.*s' was changed, and then its leader was lost. No other was found.",
                     STR_ARG(r->name));
  if (r->kind == RELAY_QUESTION) return linearizable_unavailable(r->session, r->database, e);
  if (!relay_wants_leader(r)) {
    return error_set(
        e, ERR_DATABASE_UNAVAILABLE,
        "No server of the cluster was reached, or none has the database (quiver.routing.wait_timeout is %lld ms). Try again.",
        (long long) r->session->dbms->options.config->routing_wait_ms);
  }
  return error_set(e, ERR_DATABASE_UNAVAILABLE,
                   "Database '%.*s' %s at the moment: %s (quiver.routing.wait_timeout is %lld ms). Nothing was done. "
                   "Try again.",
                   STR_ARG(r->name), r->reads ? "is not read linearizably" : "takes no writes", why,
                   (long long) r->session->dbms->options.config->routing_wait_ms);
}

static enum err park(struct relay *r, struct error *e) {
  if (clock_monotonic_ns(r->session->dbms->options.clock) >= r->until_ns)
    return nobody_leads(r, "no leader was found, or none was reached", e);
  if (!find_place_to_park(r)) return nobody_leads(r, "too many clients wait for a leader already", e);
  r->wait = RELAY_WAIT_TICK;
  return ERR_WAIT;
}

// ---- who leads ----

/// Of the servers of this cluster that are there, the one that `fits` last; its announcement is in `a`.
typedef bool fitting(const struct announcement *said, const void *wanted);

static const struct announcement *find_server(struct dbms *d, fitting *fits, const void *wanted, struct arena *a) {
  struct directory_copy view;
  const struct announcement *found = NULL;
  if (d->options.cluster->directory == NULL || cluster_view(d->cluster, a, &view, NULL) != ERR_OK) return NULL;
  for (uint32_t i = 0; i < view.count; i++) {
    const struct announcement *said = &view.servers[i].said;
    bool ours = uuid_eq(announcement_cluster(said), uuid_get(d->options.cluster->cluster));
    if (ours && fits(said, wanted)) found = said;
  }
  return found;
}

static bool has_number(const struct announcement *said, const void *wanted) {
  return said->number == *(const uint64_t *) wanted;
}

struct claim {
  struct uuid database;
  uint64_t *term; // the highest that was claimed so far
};

/// Who leads says so, and in which term: the last one counts.
static bool claims_to_lead(const struct announcement *said, const void *wanted) {
  const struct claim *c = wanted;
  for (uint32_t i = 0; i < said->database_count; i++) {
    const struct announced_database *db = &said->databases[i];
    if (db->role != ROLE_LEADER || !uuid_eq(db->uuid, c->database) || db->term <= *c->term) continue;
    *c->term = db->term;
    return true;
  }
  return false;
}

/// A replica, and a member whose group has failed here, hears of leaders as everybody does who is in no group.
static uint64_t announced_leader(struct database *db) {
  CLEANUP(arena_done) struct arena a;
  uint64_t term = 0;
  struct claim claim = {db->id, &term};
  arena_init(&a, NULL);
  const struct announcement *said = find_server(db->dbms, claims_to_lead, &claim, &a);
  return said != NULL ? said->number : 0;
}

/// Whoever this server knows as the leader; 0: nobody, or one with whom the connection was lost. `*ret_here`: this server, and it
/// takes writes already.
static uint64_t leader_of(struct database *db, bool *ret_here) {
  struct cluster_status status;
  if (database_enter(db, NULL) != ERR_OK) return 0;
  *ret_here = graph_leading_term(db->graph) != 0;
  cluster_status(db->group, &status);
  database_leave(db);
  bool hears = status.role == CLUSTER_REPLICA || status.role == CLUSTER_FAILED;
  uint64_t leader = hears ? announced_leader(db) : 0;
  if (leader == 0) leader = status.leader; // the last that was known
  bool lost = leader != 0 && cluster_has_lost(db->dbms->cluster, leader);
  return lost ? 0 : leader;
}

/// Where it listens for the like of this server; empty: nobody has heard.
static struct str address_of(struct dbms *d, uint64_t server, struct arena *a) {
  const struct announcement *said = find_server(d, has_number, &server, a);
  return said != NULL ? said->addresses[ADDRESS_ROUTING] : STR_NONE;
}

enum err relay_open_session(struct relay *r, struct dbms_remote *by, uint64_t server, struct str address, struct error *e) {
  struct dbms_remote_session *session;
  TRY(by->open(by, address, &r->session->client, &session, e));
  mutex_lock(&r->session->mutex);
  r->peer = (struct relay_peer){.by = by, .session = session, .server = server};
  mutex_unlock(&r->session->mutex);
  return ERR_OK;
}

/// ERR_AGAIN: nobody is there to be asked.
static enum err meet(struct relay *r, struct error *e) {
  struct dbms *d = r->session->dbms;
  bool here = false;
  uint64_t leader = leader_of(r->database, &here);
  if (here) leader = d->options.cluster->server;
  bool nobody = leader == 0 || (leader == d->options.cluster->server && !here);
  if (nobody) return ERR_AGAIN;
  if (r->peer.session != NULL && r->peer.server == leader) return ERR_OK;
  relay_hang_up(r);
  if (here) return relay_open_session(r, d->near, leader, STR_NONE, e);
  CLEANUP(arena_done) struct arena a;
  arena_init(&a, NULL);
  struct str address = address_of(d, leader, &a);
  return address.len > 0 ? relay_open_session(r, d->options.remote, leader, address, e) : ERR_AGAIN;
}

enum err relay_state_find(struct relay *r, struct dbms_op *op, struct error *e) {
  if (r->until_ns == 0) r->until_ns = clock_monotonic_ns(r->session->dbms->options.clock) + patience_ns(r, op);
  if (r->pauses) {
    r->pauses = false;
    return park(r, e);
  }
  enum err err = r->database != NULL ? meet(r, e) : gateway_meet(r, e);
  if (err == ERR_AGAIN) return park(r, e);
  TRY(err);
  return relay_go(r, !r->peer.logged_in ? RELAY_LOGIN : r->peer.failed ? RELAY_RESET : r->found);
}

// ---- the session there ----

enum err relay_state_login(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
  if (!r->asked) {
    r->op.login = r->login.login;
    // A connection that is kept may be from before the password was changed.
    r->op.login.afresh = r->session->must_change_password || op->kind == DBMS_LOGIN;
    return relay_ask(r, DBMS_LOGIN);
  }
  r->asked = false;
  r->peer.logged_in = r->op.err == ERR_OK;
  r->peer.expired = r->peer.logged_in && r->op.logged_in.credentials_expired;
  if (r->op.err == ERR_OK) return relay_go(r, r->found);
  enum err err = r->op.err;
  relay_hang_up(r);
  if (r->found == RELAY_FENCE && err == ERR_UNAUTHORIZED) {
    r->asks_leader = true; // again and again it would lock the user out
    return relay_go(r, RELAY_LOOK);
  }
  if (relay_is_refused(err) || err == ERR_CLOSED || relay_is_late(r) || r->found == RELAY_FENCE) return relay_find(r, r->found);
  op->error = r->op.error;
  return err;
}

enum err relay_state_reset(struct relay *r, struct dbms_op *op UNUSED, struct error *e UNUSED) {
  if (!r->asked) return relay_ask(r, DBMS_RESET);
  r->asked = false;
  r->peer.failed = false;
  if (r->op.err == ERR_OK) return relay_go(r, r->found);
  relay_hang_up(r);
  return relay_find(r, r->found);
}
