#include "dbms/lead_task.h"

#include "dbms/dbms_int.h"
#include "graph/tx.h"

static enum err begin(struct lead_task *t, struct error *e) {
  struct database *system = t->dbms->system;
  TRY(database_enter(system, e));
  t->entered = true;
  TRY(graph_tx_begin(system->graph, &(struct graph_tx_options){0}, &t->tx, e));
  graph_tx_set_blocking(t->tx, true);
  t->committing = false;
  return graph_tx_statement(t->tx, e);
}

static enum err go_on(struct lead_task *t, struct error *e) {
  uint64_t id;
  if (t->tx == NULL) TRY(begin(t, e));
  if (!t->committing) TRY(t->change(t->tx, t, e));
  t->committing = true;
  return graph_tx_commit(t->tx, &id, e);
}

static void end(struct lead_task *t) {
  graph_tx_free(TAKE_PTR(t->tx));
  if (t->entered) database_leave(t->dbms->system);
  t->entered = false;
}

static void on_ready(void *context) {
  lead_task_ready(context);
}

/// Whoever leads next tries again where this server ceases to.
static void run(struct work *w) {
  struct lead_task *t = CONTAINER_OF(w, struct lead_task, serial.work);
  struct error e = ERROR_INIT;
  serial_begin(&t->serial);
  enum err err = go_on(t, &e);
  if (err == ERR_WAIT) {
    graph_tx_on_ready(t->tx, on_ready, t);
  } else {
    end(t);
    if (err != ERR_OK && err != ERR_EXISTS && err != ERR_NOT_LEADER)
      event_raise(t->dbms->options.events, EVENT_ERROR, t->event, "%s", e.message);
  }
  serial_give(&t->serial, false);
}

void lead_task_init(struct lead_task *t, struct dbms *d, enum work_kind kind, system_step *change, const char *event) {
  *t = (struct lead_task){.dbms = d, .change = change, .event = event};
  serial_init(&t->serial, d->options.host, kind, run);
  serial_wake(&t->serial);
}

void lead_task_ready(struct lead_task *t) {
  serial_ready(&t->serial);
}

void lead_task_rest(struct lead_task *t) {
  serial_rest(&t->serial);
  end(t);
}
