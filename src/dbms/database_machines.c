// The machines of a database's graph as pieces of work: who steps them, what follows when one fails, and the commit that is made
// durable and published by the thread that asks for it.
#include "dbms/database_int.h"

#include "dbms/dbms_int.h"

enum { STEPS_A_TURN = 64 }; // then others of the pool have their turn

// A disk that takes longer than this for a round of the log is left to the pool: what a hand-over costs is nothing beside it, and
// the thread that asked stays free.
static const int64_t COMMIT_HERE_NS_MAX = 5 * NS_PER_MS;

// How long a machine that failed rests before it tries again: twice as long each time.
static const int64_t RETRY_FIRST_NS = 10 * NS_PER_MS, RETRY_LAST_NS = NS_PER_S;

void database_touch_group(struct database *db) {
  struct cluster_group *g = db->group;
  if (g != NULL) cluster_touch(g);
}

static void touch_followers(struct database *db) {
  struct cluster_group *g = db->group;
  if (g != NULL) cluster_published(g);
}

void database_work_ready(void *context, enum graph_machine which) {
  struct database *db = context;
  if (which != GRAPH_LOG_WRITER || !db->replicated)
    serial_ready(&db->machines[which].serial);
  else
    database_touch_group(db); // which proposes what waits
}

static const char *machine_name(enum graph_machine which) {
  static const char *const names[GRAPH_MACHINE_MAX] = {"log writer", "applier", "checkpointer", "reader", "scrubber"};
  return names[which];
}

static bool may_be_tried_again(enum err err) {
  return err == ERR_NOMEM || err == ERR_MEMORY_POOL || err == ERR_NOSPC;
}

/// Tells once of each time of trouble, and settles when to try again.
static void machine_failed(struct database_machine *m, enum err err, const struct error *e) {
  struct dbms *d = m->database->dbms;
  if (m->delay_ns == 0 && m->database->gate == GATE_OPEN) { // one that is being closed ends its machines so
    event_raise(d->options.events, EVENT_ERROR, "database.machine.failed", "[%.*s] The %s failed: %s", STR_ARG(m->database->name),
                machine_name(m->which), e->message);
  }
  m->delay_ns = m->delay_ns == 0 ? RETRY_FIRST_NS : MIN(2 * m->delay_ns, RETRY_LAST_NS);
  if (may_be_tried_again(err)) atomic_store(&m->retry_at_ns, clock_monotonic_ns(d->options.clock) + m->delay_ns);
}

static void machine_went_well(struct database_machine *m) {
  if (m->delay_ns == 0) return;
  m->delay_ns = 0;
  atomic_store(&m->retry_at_ns, 0);
  event_raise(m->database->dbms->options.events, EVENT_INFO, "database.machine.recovered", "[%.*s] The %s works again.",
              STR_ARG(m->database->name), machine_name(m->which));
}

/// One step of a machine that the calling thread has; true if there is more to do.
static bool machine_step(struct database_machine *m) {
  struct error e = ERROR_INIT;
  bool more = false;
  serial_begin(&m->serial);
  enum err err = graph_step(m->database->graph, m->which, &more, &e);
  if (err != ERR_OK) {
    machine_failed(m, err, &e);
    database_touch_group(m->database); // which ends, if this is for good
  } else if (!more)
    machine_went_well(m);
  if (m->which == GRAPH_APPLIER && m->database->is_system) reconcile_notice(m->database->dbms);
  if (m->which == GRAPH_APPLIER && !m->database->replicated) touch_followers(m->database);
  return err == ERR_OK && (more || serial_again(&m->serial));
}

static void applier_turn(struct database_machine *m) {
  bool more = true;
  for (int i = 0; i < STEPS_A_TURN && more; i++) more = machine_step(m);
  serial_give(&m->serial, more);
}

/// A round of the log, then the applier on the same thread if it is idle: a lone commit wakes one thread, not two. While more
/// commits wait for the log the applier gets a thread of its own, so that the disk syncs one round while the one before is
/// applied.
static bool commit_step(struct database_machine *m) {
  struct database_machine *applier = &m->database->machines[GRAPH_APPLIER];
  bool claimed = serial_claim(&applier->serial);
  bool more = machine_step(m);
  if (claimed && !more && serial_again(&applier->serial))
    applier_turn(applier);
  else if (claimed)
    serial_give(&applier->serial, false);
  return more || serial_again(&m->serial);
}

void database_run_machine(struct work *w) {
  struct database_machine *m = CONTAINER_OF(w, struct database_machine, serial.work);
  bool more = true;
  for (int i = 0; i < STEPS_A_TURN && more; i++) more = m->which == GRAPH_LOG_WRITER ? commit_step(m) : machine_step(m);
  serial_give(&m->serial, more);
}

// ---- a commit by the thread that asks for it ----

bool database_claim_commit(struct database *db) {
  struct database_machine *writer = &db->machines[GRAPH_LOG_WRITER], *applier = &db->machines[GRAPH_APPLIER];
  if (db->replicated || graph_round_ns(db->graph) > COMMIT_HERE_NS_MAX || !serial_claim(&writer->serial)) return false;
  if (serial_claim(&applier->serial)) return true;
  serial_give(&writer->serial, false);
  return false;
}

void database_run_commit(struct database *db) {
  (void) machine_step(&db->machines[GRAPH_LOG_WRITER]);
  (void) machine_step(&db->machines[GRAPH_APPLIER]);
}

void database_give_commit(struct database *db) {
  for (int which = GRAPH_LOG_WRITER; which <= GRAPH_APPLIER; which++) serial_give(&db->machines[which].serial, false);
}

void database_wake(struct database *db) {
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) serial_wake(&db->machines[i].serial);
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) database_work_ready(db, (enum graph_machine) i);
}

void database_retry(struct database *db) {
  int64_t now = clock_monotonic_ns(db->dbms->options.clock);
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) {
    int64_t at = atomic_load(&db->machines[i].retry_at_ns);
    if (at == 0 || now < at || !atomic_compare_exchange_strong(&db->machines[i].retry_at_ns, &at, 0)) continue;
    // A checkpoint that failed was given up: the applier begins the next one.
    database_work_ready(db, i == GRAPH_CHECKPOINTER ? GRAPH_APPLIER : (enum graph_machine) i);
  }
}

void database_rest(struct database *db) {
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) serial_rest(&db->machines[i].serial);
}
