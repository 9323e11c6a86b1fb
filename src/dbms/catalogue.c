#include "dbms/catalogue.h"

#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

enum field {
  FIELD_NAME,
  FIELD_UUID,
  FIELD_FOLDER,
  FIELD_REQUESTED,
  FIELD_CREATED,
  FIELD_STARTED,
  FIELD_STOPPED,
  FIELD_MEMBERS,
  FIELD_MAX
};

static const struct str label_name = {"Database", 8};
static const struct str field_names[FIELD_MAX] = {{"name", 4},      {"uuid", 4},      {"folder", 6},    {"requested", 9},
                                                  {"createdAt", 9}, {"startedAt", 9}, {"stoppedAt", 9}, {"members", 7}};
static const struct str request_names[] = {
    [CATALOGUE_ONLINE] = {"online", 6}, [CATALOGUE_OFFLINE] = {"offline", 7}, [CATALOGUE_DROPPED] = {"dropped", 7}};

// ---- reading ----

static struct str text_of(const struct vec *column, uint32_t row) {
  struct value v = vec_get(column, row);
  return v.type == VALUE_STRING ? v_text(v) : STR_NONE;
}

static int64_t number_of(const struct vec *column, uint32_t row) {
  struct value v = vec_get(column, row);
  return v.type == VALUE_INT ? v.i : 0;
}

static bool parse_request(struct str text, enum catalogue_request *ret) {
  for (size_t i = 0; i < ARRAY_SIZE(request_names); i++) {
    if (!str_eq(text, request_names[i])) continue;
    *ret = (enum catalogue_request) i;
    return true;
  }
  return false;
}

static bool is_folder(struct str s) {
  return s.len > 0 && s.ptr[0] != '.' && str_find(s, STR("/")) < 0;
}

static enum err take_entry(graph_id node, const struct vec columns[FIELD_MAX], uint32_t row, struct catalogue_entry *ret,
                           struct error *e) {
  *ret = (struct catalogue_entry){.node = node,
                                  .name = text_of(&columns[FIELD_NAME], row),
                                  .folder = text_of(&columns[FIELD_FOLDER], row),
                                  .created_ms = number_of(&columns[FIELD_CREATED], row),
                                  .started_ms = number_of(&columns[FIELD_STARTED], row),
                                  .stopped_ms = number_of(&columns[FIELD_STOPPED], row),
                                  .members = text_of(&columns[FIELD_MEMBERS], row)};
  bool good = ret->name.len > 0 && is_folder(ret->folder) && uuid_parse(text_of(&columns[FIELD_UUID], row), &ret->uuid) &&
              parse_request(text_of(&columns[FIELD_REQUESTED], row), &ret->requested);
  return good ? ERR_OK
              : error_set(e, ERR_CORRUPT, "The entry of database '%.*s' in the catalogue (node %llu of `system`) cannot be read.",
                          STR_ARG(ret->name), (unsigned long long) node);
}

/// Tokens that nothing has used yet are GRAPH_ANY: no entry can be found by them.
static void find_tokens(const struct graph *g, graph_token *ret_label, graph_token ret_keys[FIELD_MAX]) {
  if (!graph_token_find(g, GRAPH_LABEL, label_name, ret_label)) *ret_label = GRAPH_ANY;
  for (int i = 0; i < FIELD_MAX; i++)
    if (!graph_token_find(g, GRAPH_KEY, field_names[i], &ret_keys[i])) ret_keys[i] = GRAPH_ANY;
}

static enum err read_entries(struct graph_view *v, graph_token label, const graph_token keys[FIELD_MAX], struct arena *a,
                             struct catalogue *ret, struct error *e) {
  enum { BATCH = 64 };
  struct graph_scan scan = {0};
  struct catalogue_entry *entries = NULL;
  uint32_t n = 0, got;
  while (!scan.done) {
    graph_id batch[BATCH];
    struct vec columns[FIELD_MAX];
    TRY(graph_scan_nodes(v, label, &scan, batch, BATCH, &got, e));
    if (got == 0) continue;
    TRY(graph_get_properties(v, GRAPH_NODE, batch, got, keys, FIELD_MAX, a, columns, e));
    entries = arena_grow(a, entries, n * sizeof *entries, (n + got) * sizeof *entries);
    if (entries == NULL) return arena_err(a, e);
    for (uint32_t i = 0; i < got; i++) TRY(take_entry(batch[i], columns, i, &entries[n++], e));
  }
  *ret = (struct catalogue){n, entries};
  return ERR_OK;
}

enum err catalogue_read(struct graph_tx *tx, struct arena *a, struct catalogue *ret, struct error *e) {
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_CURRENT);
  graph_token label, keys[FIELD_MAX];
  find_tokens(graph_view_graph(v), &label, keys);
  *ret = (struct catalogue){0};
  if (label == GRAPH_ANY) return ERR_OK;
  graph_view_enter(v);
  enum err err = read_entries(v, label, keys, a, ret, e);
  graph_view_leave(v);
  return err;
}

// ---- writing ----

static enum err make_tokens(struct graph_tx *tx, graph_token *ret_label, graph_token ret_keys[FIELD_MAX], struct error *e) {
  TRY(graph_token_make(tx, GRAPH_LABEL, label_name, ret_label, e));
  for (int i = 0; i < FIELD_MAX; i++) TRY(graph_token_make(tx, GRAPH_KEY, field_names[i], &ret_keys[i], e));
  return ERR_OK;
}

enum err catalogue_lock(struct graph_tx *tx, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  TRY(make_tokens(tx, &label, keys, e));
  struct value all = v_str(STR("")); // no database is called that
  return graph_lock_key(tx, GRAPH_NODE, label, &keys[FIELD_NAME], &all, 1, e);
}

static struct value time_or_null(int64_t ms) {
  return ms != 0 ? v_int(ms) : V_NULL;
}

enum err catalogue_add(struct graph_tx *tx, const struct catalogue_entry *entry, struct error *e) {
  graph_token label, keys[FIELD_MAX];
  graph_id id;
  TRY(make_tokens(tx, &label, keys, e));
  struct uuid_text uuid = uuid_text(entry->uuid);
  const struct graph_property properties[FIELD_MAX] = {
      {keys[FIELD_NAME], v_str(entry->name)},
      {keys[FIELD_UUID], v_str(str_of(uuid.z))},
      {keys[FIELD_FOLDER], v_str(entry->folder)},
      {keys[FIELD_REQUESTED], v_str(request_names[entry->requested])},
      {keys[FIELD_CREATED], time_or_null(entry->created_ms)},
      {keys[FIELD_STARTED], time_or_null(entry->started_ms)},
      {keys[FIELD_STOPPED], time_or_null(entry->stopped_ms)},
      {keys[FIELD_MEMBERS], entry->members.len > 0 ? v_str(entry->members) : V_NULL},
  };
  return graph_create_node(tx, &label, 1, properties, FIELD_MAX, &id, e);
}

/// Setting a property twice is harmless, so a change that had to wait is simply begun again.
enum err catalogue_ask(struct graph_tx *tx, const struct catalogue_entry *entry, enum catalogue_request wanted, int64_t now_ms,
                       struct error *e) {
  graph_token label, keys[FIELD_MAX], when;
  bool changed;
  TRY(make_tokens(tx, &label, keys, e));
  when = keys[wanted == CATALOGUE_ONLINE ? FIELD_STARTED : FIELD_STOPPED];
  TRY(graph_lock(tx, GRAPH_NODE, &entry->node, 1, GRAPH_LOCK_EXCLUSIVE, e));
  TRY(graph_set_property(tx, GRAPH_NODE, entry->node, when, v_int(now_ms), &changed, e));
  return graph_set_property(tx, GRAPH_NODE, entry->node, keys[FIELD_REQUESTED], v_str(request_names[wanted]), &changed, e);
}

// ---- looking ----

const struct catalogue_entry *catalogue_find(const struct catalogue *c, struct str name) {
  for (uint32_t i = 0; i < c->count; i++)
    if (c->entries[i].requested != CATALOGUE_DROPPED && str_eq_nocase(c->entries[i].name, name)) return &c->entries[i];
  return NULL;
}

bool catalogue_has_folder(const struct catalogue *c, struct str folder) {
  for (uint32_t i = 0; i < c->count; i++)
    if (str_eq_nocase(c->entries[i].folder, folder)) return true;
  return false;
}

struct str catalogue_name_of(const struct catalogue *c, struct str folder) {
  for (uint32_t i = 0; i < c->count; i++)
    if (str_eq(c->entries[i].folder, folder)) return c->entries[i].name;
  return folder;
}

uint32_t catalogue_count(const struct catalogue *c) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < c->count; i++) n += c->entries[i].requested != CATALOGUE_DROPPED;
  return n;
}

// ---- names ----

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_legal(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

enum err catalogue_check_name(struct str name, struct error *e) {
  if (name.len == 0) return error_set(e, ERR_ARGUMENT, "The provided database name is empty.");
  if (name.len < CATALOGUE_NAME_BYTES_MIN || name.len > CATALOGUE_NAME_BYTES_MAX)
    return error_set(e, ERR_ARGUMENT, "The provided database name must have a length between %d and %d characters.",
                     CATALOGUE_NAME_BYTES_MIN, CATALOGUE_NAME_BYTES_MAX);
  if (!is_letter(name.ptr[0]))
    return error_set(e, ERR_ARGUMENT, "Database name '%.*s' is not starting with an ASCII alphabetic character.", STR_ARG(name));
  for (size_t i = 0; i < name.len; i++)
    if (!is_legal(name.ptr[i]))
      return error_set(e, ERR_ARGUMENT,
                       "Database name '%.*s' contains illegal characters. Use simple ascii characters, numbers, dots and dashes.",
                       STR_ARG(name));
  if (str_eq_nocase((struct str){name.ptr, MIN(name.len, (size_t) 6)}, STR("system")))
    return error_set(e, ERR_ARGUMENT, "Database name '%.*s' is invalid, due to the prefix 'system'.", STR_ARG(name));
  char last = name.ptr[name.len - 1];
  if (last == '.' || last == '-')
    return error_set(e, ERR_ARGUMENT, "Database name '%.*s' must not end with a dot or a dash.", STR_ARG(name));
  return ERR_OK;
}
