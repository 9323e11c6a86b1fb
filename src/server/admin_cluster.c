// Taking a server's data out of its cluster, offline: `server unbind`, and `cluster recover` where most of the cluster is lost.
#include <stdio.h>

#include "dbms/offline.h"
#include "server/admin_tools.h"
#include "server/pid_file.h"
#include "server/process.h"
#include "server/user_log.h"

/// What is done with the folders that nobody else uses meanwhile.
typedef enum err offline_task(struct offline *o, const struct arguments *a, struct error *e);

static enum err with_offline(const struct config *c, const struct arguments *a, offline_task *task, struct error *e) {
  char path[DISK_PATH_MAX];
  struct pid_file *pid_file;
  struct offline *o = NULL;
  snprintf(path, sizeof path, "%.*s/neo4j.pid", STR_ARG(config_values(c)->run_directory));
  TRY(pid_file_take(path, &pid_file, e));
  enum err err = offline_open(config_values(c), disk_system(), NULL, &o, e);
  if (err == ERR_OK) err = task(o, a, e);
  offline_close(o);
  pid_file_release(pid_file);
  return err;
}

static int run(const struct config *c, const struct arguments *a, offline_task *task) {
  struct error e = ERROR_INIT;
  if (with_offline(c, a, task, &e) == ERR_OK) return EXIT_OK;
  fprintf(stderr, "quiver: %s\n", e.message);
  return EXIT_FAILED;
}

// ---- how it stands ----

static void tell_entry(const char *what, struct store_applied at) {
  char stamp[USER_LOG_STAMP + 1];
  user_log_stamp(at.commit_time_ns, 0, stamp);
  printf("  %s: transaction %llu of term %llu, %s\n", what, (unsigned long long) at.index, (unsigned long long) at.term,
         at.index > 0 ? stamp : "never");
}

static void tell_members(const struct identity *identity, const struct offline_database *d) {
  for (uint32_t i = 0; i < d->member_count; i++) {
    const struct offline_member *m = &d->members[i];
    printf("  member: server %llu at %s%s%s\n", (unsigned long long) m->server, m->address, m->votes ? "" : ", without a vote",
           m->server == identity->number ? " (this one)" : "");
  }
}

static void tell_database(const struct identity *identity, const struct offline_database *d) {
  printf("Database %.*s, generation %llu%s\n", STR_ARG(d->name), (unsigned long long) d->generation,
         d->is_member ? "" : ": belongs to no cluster any more");
  if (!d->is_member) return;
  tell_entry("last known to be committed", d->committed);
  tell_entry("last in the log", d->logged);
  tell_members(identity, d);
}

static void tell_all(const struct offline_report *r) {
  const struct identity *i = &r->identity;
  printf("Server %s, number %u%s%s\n", uuid_text(i->server).z, i->number,
         i->founding.count > 0 ? ", of cluster " : ", of no cluster",
         i->founding.count > 0 ? uuid_text(i->founding.cluster).z : "");
  for (uint32_t k = 0; k < r->count; k++) tell_database(i, &r->databases[k]);
}

static uint64_t tail_of(const struct offline_database *d) {
  return d->is_member && d->logged.index > d->committed.index ? d->logged.index - d->committed.index : 0;
}

// ---- unbind ----

static void tell_tails(const struct offline_report *r, bool kept) {
  for (uint32_t i = 0; i < r->count; i++) {
    const struct offline_database *d = &r->databases[i];
    if (tail_of(d) == 0) continue;
    printf("Database %.*s: %llu entries that are not known here to be committed are %s.\n", STR_ARG(d->name),
           (unsigned long long) tail_of(d), kept ? "kept" : "cut off");
  }
}

static enum err unbind(struct offline *o, const struct arguments *a, struct error *e) {
  struct arena arena;
  struct offline_report r;
  arena_init(&arena, NULL);
  enum err err = offline_look(o, &arena, &r, e);
  if (err == ERR_OK) tell_tails(&r, a->keep_tail);
  if (err == ERR_OK) err = offline_unbind(o, a->keep_tail, e);
  if (err == ERR_OK) printf("This server belongs to no cluster any more. It starts with dbms.mode=SINGLE on its data.\n");
  if (err == ERR_OK && r.identity.state == IDENTITY_BOUND)
    printf("Its cluster, if it goes on, counts it as a member that is away until it is told DROP SERVER '%s'.\n",
           uuid_text(r.identity.server).z);
  arena_done(&arena);
  return err;
}

int admin_unbind(const struct config *c, const struct arguments *a) {
  return run(c, a, unbind);
}

// ---- recover ----

static void tell_loss(const struct offline_report *r, bool cut_tail) {
  uint64_t tail = 0;
  for (uint32_t i = 0; i < r->count; i++) tail += tail_of(&r->databases[i]);
  printf("\nWhat may be lost: whatever the others had decided, and told to clients, that is not in the log here. Before this, "
         "make sure that\n"
         "none of the members above can be brought back with its data, and that this server has the highest `last in the log` of "
         "those that are "
         "left.\n");
  if (tail == 0) return;
  printf("In the logs are %llu entries of which only the others knew whether they were committed. ", (unsigned long long) tail);
  if (cut_tail)
    printf("With --cut-tail they are cut off: what clients were told is committed may be among them.\n");
  else
    printf("They are kept, so that nothing is lost that clients were told is committed;\n"
           "what clients were told has failed may be among them. With --cut-tail they are cut off instead.\n");
}

static enum err check_recoverable(const struct offline_report *r, struct error *e) {
  for (uint32_t i = 0; i < r->count; i++)
    if (r->databases[i].is_member) return ERR_OK;
  return error_set(e, ERR_INVALID, "No database here belongs to a cluster: there is nothing to recover. Start the server.");
}

static enum err accept_loss(struct offline *o, const struct arguments *a, struct error *e) {
  if (!a->accept_loss) {
    printf("\nNothing was changed. To go on with what is here and without the other members, say it again with --accept-loss.\n");
    return ERR_OK;
  }
  TRY(offline_unbind(o, !a->cut_tail, e));
  printf("\nThis server belongs to no cluster any more; its data is of a new generation. Start it\n"
         "  with dbms.mode=CORE, together with servers whose data folders are empty: it founds a new cluster with them, and "
         "fills them;\n"
         "  or with dbms.mode=SINGLE.\n"
         "A former member that comes back is of another cluster, and is refused until `quiver admin server unbind` was run "
         "there, and its data "
         "removed.\n");
  return ERR_OK;
}

static enum err recover(struct offline *o, const struct arguments *a, struct error *e) {
  struct arena arena;
  struct offline_report r;
  arena_init(&arena, NULL);
  enum err err = offline_look(o, &arena, &r, e);
  if (err == ERR_OK) tell_all(&r);
  if (err == ERR_OK) err = check_recoverable(&r, e);
  if (err == ERR_OK) tell_loss(&r, a->cut_tail);
  if (err == ERR_OK) err = accept_loss(o, a, e);
  arena_done(&arena);
  return err;
}

int admin_recover(const struct config *c, const struct arguments *a) {
  return run(c, a, recover);
}
