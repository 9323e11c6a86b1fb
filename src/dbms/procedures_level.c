// dbms.upgradeStatus and dbms.upgrade, in Neo4j's words: the feature level of the cluster.
#include "base/feature_level.h"
#include "dbms/feature_level.h"
#include "dbms/procedures_int.h"
#include "dbms/roster.h"

struct levels {
  uint32_t now, possible;
  struct error obstacle; // to knowing what is possible; empty message: none
};

static enum err look(struct transaction *t, struct record_list *l, struct levels *ret, struct error *e) {
  struct dbms *d = t->database->dbms;
  struct roster roster;
  ret->obstacle = ERROR_INIT;
  ret->now = ret->possible = atomic_load(&d->levels.of_cluster);
  TRY(roster_take(d, &l->arena, &roster, e));
  enum err err = feature_level_of_all(&roster, &ret->possible, &ret->obstacle);
  return err == ERR_OK || err == ERR_ARGUMENT ? ERR_OK : error_ensure(e, err);
}

static struct value text_of(struct arena *a, const char *z) {
  return v_str(arena_str(a, str_of(z)));
}

enum err procedure_upgrade_status(struct transaction *t, const struct value *arguments UNUSED, uint32_t n UNUSED,
                                  struct record_list *l, struct error *e) {
  struct levels v;
  TRY(look(t, l, &v, e));
  bool due = v.possible > v.now;
  struct str description = arena_printf(&l->arena,
                                        "The cluster has feature level %u; the highest that all of its servers know is %u; this server "
                                        "knows levels up to %u.%s%s",
                                        v.now, v.possible, feature_level_highest, v.obstacle.message[0] != '\0' ? " " : "", v.obstacle.message);
  if (description.ptr == NULL) return arena_err(&l->arena, e);
  return RECORD(l, e, {STR("status"), text_of(&l->arena, due ? "REQUIRES_UPGRADE" : "CURRENT")}, {STR("description"), v_str(description)},
                {STR("resolution"), text_of(&l->arena, due ? "CALL dbms.upgrade() in `system`: from then on no server can go back to an "
                                                             "older version."
                                                           : "")});
}

/// The transaction is that of `system` at its leader. Called again after ERR_WAIT.
enum err procedure_upgrade(struct transaction *t, const struct value *arguments UNUSED, uint32_t n UNUSED, struct record_list *l,
                           struct error *e) {
  struct levels v;
  if (!t->database->is_system)
    return error_set(e, ERR_NOT_SYSTEM_DATABASE,
                     "This is an administration command and it should be executed against the system database: dbms.upgrade");
  TRY(look(t, l, &v, e));
  if (v.obstacle.message[0] != '\0') return error_set(e, ERR_ARGUMENT, "The cluster cannot be upgraded now: %s", v.obstacle.message);
  if (v.possible > v.now) TRY(feature_level_write(t->graph_tx, v.possible, e));
  const char *text = v.possible > v.now
                         ? "The cluster has feature level %u from now on."
                         : "Nothing to do: the cluster has feature level %u, the highest that all of its servers know.";
  struct str result = arena_printf(&l->arena, text, v.possible);
  if (result.ptr == NULL) return arena_err(&l->arena, e);
  return RECORD(l, e, {STR("status"), text_of(&l->arena, "CURRENT")}, {STR("upgradeResult"), v_str(result)});
}
