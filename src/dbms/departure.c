#include "dbms/departure.h"

#include <string.h>

#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

enum field { FIELD_UUID, FIELD_NUMBER, FIELD_LEAVES, FIELD_MAX };

static const struct str label_name = {"Server", 6};
static const struct str field_names[FIELD_MAX] = {{"uuid", 4}, {"number", 6}, {"leaves", 6}};
static const struct str kind_names[] = {
    [DEPARTS_NOT] = {"nothing", 7}, [DEPARTS_FROM_DATABASES] = {"databases", 9}, [DEPARTS] = {"cluster", 7}};

// ---- reading ----

static bool parse_kind(struct value v, enum departure_kind *ret) {
  for (size_t i = DEPARTS_FROM_DATABASES; i < ARRAY_SIZE(kind_names) && v.type == VALUE_STRING; i++) {
    if (!str_eq(v_text(v), kind_names[i])) continue;
    *ret = (enum departure_kind) i;
    return true;
  }
  return false;
}

static bool parse_uuid(struct value v, struct uuid *ret) {
  *ret = (struct uuid){{0}};
  return v.type == VALUE_NULL || (v.type == VALUE_STRING && uuid_parse(v_text(v), ret));
}

static enum err take(graph_id node, const struct vec columns[FIELD_MAX], uint32_t row, struct departure *ret, struct error *e) {
  struct value number = vec_get(&columns[FIELD_NUMBER], row);
  *ret = (struct departure){.node = node, .number = number.type == VALUE_INT ? (uint64_t) number.i : 0};
  bool good = ret->number != 0 && parse_uuid(vec_get(&columns[FIELD_UUID], row), &ret->server) &&
              parse_kind(vec_get(&columns[FIELD_LEAVES], row), &ret->kind);
  return good ? ERR_OK
              : error_set(e, ERR_CORRUPT, "What `system` says of a server that leaves (node %llu) cannot be read.",
                          (unsigned long long) node);
}

/// The newest stay.
static void append(struct departures *l, const struct departure *d) {
  if (l->count == DEPARTURES_MAX) memmove(l->of, l->of + 1, --l->count * sizeof l->of[0]);
  l->of[l->count++] = *d;
}

/// Tokens that nothing has used yet are GRAPH_ANY.
static void find_tokens(const struct graph *g, graph_token *ret_label, graph_token ret_keys[FIELD_MAX]) {
  if (!graph_token_find(g, GRAPH_LABEL, label_name, ret_label)) *ret_label = GRAPH_ANY;
  for (int i = 0; i < FIELD_MAX; i++)
    if (!graph_token_find(g, GRAPH_KEY, field_names[i], &ret_keys[i])) ret_keys[i] = GRAPH_ANY;
}

static enum err read_all(struct graph_view *v, graph_token label, const graph_token keys[FIELD_MAX], struct arena *a,
                         struct departures *ret, struct error *e) {
  enum { BATCH = 64 };
  struct graph_scan scan = {0};
  while (!scan.done) {
    graph_id batch[BATCH];
    struct vec columns[FIELD_MAX];
    struct departure departure;
    uint32_t got;
    TRY(graph_scan_nodes(v, label, &scan, batch, BATCH, &got, e));
    if (got == 0) continue;
    arena_reset(a);
    TRY(graph_get_properties(v, GRAPH_NODE, batch, got, keys, FIELD_MAX, a, columns, e));
    for (uint32_t i = 0; i < got; i++) {
      TRY(take(batch[i], columns, i, &departure, e));
      append(ret, &departure);
    }
  }
  return ERR_OK;
}

enum err departures_read(struct graph_tx *tx, struct departures *ret, struct error *e) {
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_CURRENT);
  graph_token label, keys[FIELD_MAX];
  struct arena a;
  find_tokens(graph_view_graph(v), &label, keys);
  ret->count = 0;
  if (label == GRAPH_ANY) return ERR_OK;
  arena_init(&a, NULL);
  graph_view_enter(v);
  enum err err = read_all(v, label, keys, &a, ret, e);
  graph_view_leave(v);
  arena_done(&a);
  return err;
}

// ---- writing ----

static enum err make_tokens(struct graph_tx *tx, graph_token *ret_label, graph_token ret_keys[FIELD_MAX], struct error *e) {
  TRY(graph_token_make(tx, GRAPH_LABEL, label_name, ret_label, e));
  for (int i = 0; i < FIELD_MAX; i++) TRY(graph_token_make(tx, GRAPH_KEY, field_names[i], &ret_keys[i], e));
  return ERR_OK;
}

enum err departures_lock(struct graph_tx *tx, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  TRY(make_tokens(tx, &label, keys, e));
  struct value all = v_int(0); // no server has that number
  return graph_lock_key(tx, GRAPH_NODE, label, &keys[FIELD_NUMBER], &all, 1, e);
}

enum err departures_add(struct graph_tx *tx, const struct departure *departure, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  graph_id id;
  TRY(make_tokens(tx, &label, keys, e));
  struct uuid_text uuid = uuid_text(departure->server);
  const struct graph_property properties[FIELD_MAX] = {
      {keys[FIELD_UUID], uuid_is_none(departure->server) ? V_NULL : v_str(str_of(uuid.z))},
      {keys[FIELD_NUMBER], v_int((int64_t) departure->number)},
      {keys[FIELD_LEAVES], v_str(kind_names[departure->kind])},
  };
  return graph_create_node(tx, &label, 1, properties, FIELD_MAX, &id, e);
}

enum err departures_drop(struct graph_tx *tx, const struct departure *departure, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  bool changed;
  TRY(make_tokens(tx, &label, keys, e));
  TRY(graph_lock(tx, GRAPH_NODE, &departure->node, 1, GRAPH_LOCK_EXCLUSIVE, e));
  return graph_set_property(tx, GRAPH_NODE, departure->node, keys[FIELD_LEAVES], v_str(kind_names[DEPARTS]), &changed, e);
}

enum err departures_cancel(struct graph_tx *tx, const struct departure *departure, struct error *e) {
  bool changed;
  TRY(graph_lock(tx, GRAPH_NODE, &departure->node, 1, GRAPH_LOCK_EXCLUSIVE, e));
  return graph_delete_node(tx, departure->node, &changed, e);
}

// ---- looking ----

const struct departure *departures_find(const struct departures *l, struct uuid server, uint64_t number) {
  for (uint32_t i = 0; i < l->count; i++) {
    const struct departure *d = &l->of[i];
    bool by_number = uuid_is_none(server) || uuid_is_none(d->server);
    if (by_number ? d->number == number : uuid_eq(d->server, server)) return d;
  }
  return NULL;
}

bool departure_is_safe(uint32_t voters, uint32_t learners, bool is_there, uint32_t minimum) {
  return voters + (is_there ? 0 : learners) >= minimum;
}

bool departure_keeps_majority(uint32_t voters, uint32_t there) {
  return there > voters / 2;
}
