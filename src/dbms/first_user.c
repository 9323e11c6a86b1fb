#include "dbms/first_user.h"

#include "dbms/dbms_int.h"

enum err first_user_describe(struct first_user *f, struct user *ret, struct error *e) {
  struct initial_password *p = &f->password;
  const struct dbms_options *o = &f->task.dbms->options;
  enum err err = p->hash[0] == '\0' ? initial_password_read(o->disk, o->config->data_directory, p, e) : ERR_OK;
  if (err == ERR_NOTFOUND) {
    p->change_required = true;
    err = users_encode(STR("neo4j"), p->hash, e);
  }
  *ret = (struct user){.name = STR("neo4j"), .credentials = str_of(p->hash), .change_required = p->change_required};
  return err;
}

static enum err make(struct graph_tx *tx, void *context, struct error *e) {
  struct first_user *f = CONTAINER_OF((struct lead_task *) context, struct first_user, task);
  struct user user;
  bool any;
  TRY(users_any(f->task.dbms, &any, e));
  if (any) return ERR_EXISTS;
  enum err err = first_user_describe(f, &user, e);
  if (err == ERR_OK) err = users_create(tx, &user, e);
  return err == ERR_OK || err == ERR_WAIT ? err : error_prefix(e, "The first user could not be made");
}

void first_user_init(struct first_user *f, struct dbms *d) {
  *f = (struct first_user){0};
  lead_task_init(&f->task, d, WORK_PASSWORD, make, "users.first");
}
