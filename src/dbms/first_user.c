#include "dbms/first_user.h"

#include "dbms/dbms_int.h"
#include "graph/tx.h"

enum err first_user_describe(struct first_user *f, struct user *ret, struct error *e) {
  struct initial_password *p = &f->password;
  const struct dbms_options *o = &f->dbms->options;
  enum err err = p->hash[0] == '\0' ? initial_password_read(o->disk, o->config->data_directory, p, e) : ERR_OK;
  if (err == ERR_NOTFOUND) {
    p->change_required = true;
    err = users_encode(STR("neo4j"), p->hash, e);
  }
  *ret = (struct user){.name = STR("neo4j"), .credentials = str_of(p->hash), .change_required = p->change_required};
  return err;
}

static enum err begin(struct first_user *f, struct error *e) {
  struct database *system = f->dbms->system;
  bool any;
  TRY(database_enter(system, e));
  f->entered = true;
  TRY(users_any(f->dbms, &any, e));
  if (any) return ERR_EXISTS;
  TRY(graph_tx_begin(system->graph, &(struct graph_tx_options){0}, &f->tx, e));
  graph_tx_set_blocking(f->tx, true);
  f->committing = false;
  return graph_tx_statement(f->tx, e);
}

static enum err go_on(struct first_user *f, struct error *e) {
  struct user user;
  uint64_t id;
  TRY(first_user_describe(f, &user, e));
  if (f->tx == NULL) TRY(begin(f, e));
  if (!f->committing) TRY(users_create(f->tx, &user, e));
  f->committing = true;
  return graph_tx_commit(f->tx, &id, e);
}

static void end(struct first_user *f) {
  graph_tx_free(TAKE_PTR(f->tx));
  if (f->entered) database_leave(f->dbms->system);
  f->entered = false;
}

static void on_ready(void *context) {
  struct first_user *f = context;
  serial_ready(&f->serial);
}

/// Whoever leads next tries again where this server ceases to.
static void make(struct work *w) {
  struct first_user *f = CONTAINER_OF(w, struct first_user, serial.work);
  struct error e = ERROR_INIT;
  serial_begin(&f->serial);
  enum err err = go_on(f, &e);
  if (err == ERR_WAIT) {
    graph_tx_on_ready(f->tx, on_ready, f);
  } else {
    end(f);
    if (err != ERR_OK && err != ERR_EXISTS && err != ERR_NOT_LEADER)
      event_raise(f->dbms->options.events, EVENT_ERROR, "users.first", "The first user could not be made: %s", e.message);
  }
  serial_give(&f->serial, false);
}

void first_user_init(struct first_user *f, struct dbms *d) {
  *f = (struct first_user){.dbms = d};
  serial_init(&f->serial, d->options.host, WORK_PASSWORD, make);
  serial_wake(&f->serial);
}

void first_user_lead(struct first_user *f) {
  serial_ready(&f->serial);
}

void first_user_rest(struct first_user *f) {
  serial_rest(&f->serial);
  end(f);
}
