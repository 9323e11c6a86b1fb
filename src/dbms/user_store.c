// Users as nodes of `system`.
#include "dbms/users.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

enum field { FIELD_NAME, FIELD_CREDENTIALS, FIELD_CHANGE, FIELD_SUSPENDED, FIELD_HOME, FIELD_MAX };

static const struct str label_name = {"User", 4};
static const struct str field_names[FIELD_MAX] = {{"name", 4}, {"credentials", 11}, {"passwordChangeRequired", 22}, {"suspended", 9}, {"home", 4}};

/// Tokens that nothing has used yet are GRAPH_ANY: no user can be found by them.
static void find_tokens(const struct graph *g, graph_token *ret_label, graph_token ret_keys[FIELD_MAX]) {
  if (!graph_token_find(g, GRAPH_LABEL, label_name, ret_label)) *ret_label = GRAPH_ANY;
  for (int i = 0; i < FIELD_MAX; i++)
    if (!graph_token_find(g, GRAPH_KEY, field_names[i], &ret_keys[i])) ret_keys[i] = GRAPH_ANY;
}

static struct str text_of(const struct vec *column, uint32_t row) {
  struct value v = vec_get(column, row);
  return v.type == VALUE_STRING ? v_text(v) : STR_NONE;
}

static bool truth_of(const struct vec *column, uint32_t row) {
  struct value v = vec_get(column, row);
  return v.type == VALUE_BOOL && v.b;
}

static enum err read_users(struct graph_view *v, graph_token label, const graph_token keys[FIELD_MAX], struct arena *a, struct user **ret, graph_id **ret_ids,
                           uint32_t *ret_n, struct error *e) {
  enum { BATCH = 64 };
  struct graph_scan scan = {0};
  struct user *users = NULL;
  graph_id *ids = NULL;
  uint32_t n = 0, got;
  while (!scan.done) {
    graph_id batch[BATCH];
    struct vec columns[FIELD_MAX];
    TRY(graph_scan_nodes(v, label, &scan, batch, BATCH, &got, e));
    if (got == 0) continue;
    TRY(graph_get_properties(v, GRAPH_NODE, batch, got, keys, FIELD_MAX, a, columns, e));
    users = arena_grow(a, users, n * sizeof *users, (n + got) * sizeof *users);
    ids = arena_grow(a, ids, n * sizeof *ids, (n + got) * sizeof *ids);
    if (users == NULL || ids == NULL) return arena_err(a, e);
    for (uint32_t i = 0; i < got; i++, n++) {
      ids[n] = batch[i];
      users[n] = (struct user){
          .name = text_of(&columns[FIELD_NAME], i),
          .credentials = text_of(&columns[FIELD_CREDENTIALS], i),
          .home = text_of(&columns[FIELD_HOME], i),
          .change_required = truth_of(&columns[FIELD_CHANGE], i),
          .suspended = truth_of(&columns[FIELD_SUSPENDED], i),
      };
    }
  }
  *ret = users;
  *ret_ids = ids;
  *ret_n = n;
  return ERR_OK;
}

static enum err list(struct graph_tx *tx, struct arena *a, struct user **ret, graph_id **ret_ids, uint32_t *ret_n, struct error *e) {
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_CURRENT);
  graph_token label, keys[FIELD_MAX];
  find_tokens(graph_view_graph(v), &label, keys);
  *ret_n = 0;
  if (label == GRAPH_ANY) return ERR_OK;
  graph_view_enter(v);
  enum err err = read_users(v, label, keys, a, ret, ret_ids, ret_n, e);
  graph_view_leave(v);
  return err;
}

enum err users_list(struct graph_tx *tx, struct arena *a, struct user **ret, uint32_t *ret_n, struct error *e) {
  graph_id *ids;
  return list(tx, a, ret, &ids, ret_n, e);
}

static enum err find(struct graph_tx *tx, struct str name, struct arena *a, struct user *ret, graph_id *ret_id, struct error *e) {
  struct user *users;
  graph_id *ids;
  uint32_t n;
  TRY(list(tx, a, &users, &ids, &n, e));
  for (uint32_t i = 0; i < n; i++) {
    if (!str_eq(users[i].name, name)) continue;
    *ret = users[i];
    *ret_id = ids[i];
    return ERR_OK;
  }
  return ERR_NOTFOUND;
}

enum err users_find(struct graph_tx *tx, struct str name, struct arena *a, struct user *ret, struct error *e) {
  graph_id id;
  return find(tx, name, a, ret, &id, e);
}

static enum err make_tokens(struct graph_tx *tx, graph_token *ret_label, graph_token ret_keys[FIELD_MAX], struct error *e) {
  TRY(graph_token_make(tx, GRAPH_LABEL, label_name, ret_label, e));
  for (int i = 0; i < FIELD_MAX; i++) TRY(graph_token_make(tx, GRAPH_KEY, field_names[i], &ret_keys[i], e));
  return ERR_OK;
}

enum err users_create(struct graph_tx *tx, const struct user *user, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  TRY(make_tokens(tx, &label, keys, e));
  struct value name = v_str(user->name);
  TRY(graph_lock_key(tx, GRAPH_NODE, label, &keys[FIELD_NAME], &name, 1, e));
  const struct graph_property properties[FIELD_MAX] = {
      {keys[FIELD_NAME], name},
      {keys[FIELD_CREDENTIALS], v_str(user->credentials)},
      {keys[FIELD_CHANGE], v_bool(user->change_required)},
      {keys[FIELD_SUSPENDED], v_bool(user->suspended)},
      {keys[FIELD_HOME], user->home.len > 0 ? v_str(user->home) : V_NULL},
  };
  graph_id id;
  return graph_create_node(tx, &label, 1, properties, FIELD_MAX, &id, e);
}

/// Setting a property twice is harmless, so a change that had to wait is simply begun again.
static enum err change_node(struct graph_tx *tx, graph_id id, const struct user_change *change, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  bool changed;
  TRY(make_tokens(tx, &label, keys, e));
  if (change->credentials.len > 0) TRY(graph_set_property(tx, GRAPH_NODE, id, keys[FIELD_CREDENTIALS], v_str(change->credentials), &changed, e));
  if (change->change_required != USER_UNSAID)
    TRY(graph_set_property(tx, GRAPH_NODE, id, keys[FIELD_CHANGE], v_bool(change->change_required == USER_YES), &changed, e));
  if (change->suspended != USER_UNSAID) TRY(graph_set_property(tx, GRAPH_NODE, id, keys[FIELD_SUSPENDED], v_bool(change->suspended == USER_YES), &changed, e));
  if (change->set_home || change->remove_home)
    TRY(graph_set_property(tx, GRAPH_NODE, id, keys[FIELD_HOME], change->set_home ? v_str(change->home) : V_NULL, &changed, e));
  return ERR_OK;
}

static enum err with_user(struct graph_tx *tx, struct str name, const struct user_change *change, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  struct user user;
  graph_id id;
  bool deleted;
  enum err err = find(tx, name, &a, &user, &id, e);
  arena_done(&a);
  if (err != ERR_OK) return err;
  TRY(graph_lock(tx, GRAPH_NODE, &id, 1, GRAPH_LOCK_EXCLUSIVE, e));
  return change != NULL ? change_node(tx, id, change, e) : graph_delete_node(tx, id, &deleted, e);
}

enum err users_change(struct graph_tx *tx, struct str name, const struct user_change *change, struct error *e) {
  return with_user(tx, name, change, e);
}

enum err users_drop(struct graph_tx *tx, struct str name, struct error *e) {
  return with_user(tx, name, NULL, e);
}
