#include "bolt/client_hear.h"

#include "bolt/extra.h"
#include "bolt/relayed.h"

enum { RECEIVE_TIMEOUT_S_MAX = 3600 };

enum err bolt_client_hear_hello(struct value meta, int64_t *ret_receive_timeout_ms, struct error *e) {
  struct value hints = V_NULL;
  int64_t seconds = 0;
  TRY(bolt_extra_map(meta, STR("hints"), &hints, e));
  if (!v_is_null(hints)) TRY(bolt_extra_int(hints, STR("connection.recv_timeout_seconds"), &seconds, e));
  *ret_receive_timeout_ms = MIN(MAX(seconds, INT64_C(0)), (int64_t) RECEIVE_TIMEOUT_S_MAX) * 1000;
  return ERR_OK;
}

enum err bolt_client_hear_begun(struct value meta, struct dbms_op *op, struct error *e) {
  op->begun.database = STR("");
  TRY(bolt_extra_str(meta, STR("db"), &op->begun.database, e));
  TRY(bolt_relayed_read_fate(meta, &op->begun.fate, e));
  return bolt_relayed_read_place(meta, &op->begun.place, e);
}

enum err bolt_client_hear_ran(struct value meta, bool in_tx, struct arena *arena, struct dbms_op *op, struct error *e) {
  const struct value *fields = value_map_get(meta, STR("fields"));
  op->ran.result = 0;
  op->ran.database = STR("");
  op->ran.first_after_ms = 0;
  if (fields == NULL || fields->type != VALUE_LIST) return error_set(e, ERR_PROTOCOL, "The answer to RUN names no fields");
  struct str *names = ARENA_ARRAY(arena, struct str, fields->len);
  if (names == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < fields->len; i++) {
    if (fields->items[i].type != VALUE_STRING) return error_set(e, ERR_PROTOCOL, "The name of a field is no String");
    names[i] = v_text(fields->items[i]);
  }
  op->ran.columns = names;
  op->ran.column_count = fields->len;
  TRY(bolt_extra_int(meta, STR("t_first"), &op->ran.first_after_ms, e));
  TRY(bolt_extra_str(meta, STR("db"), &op->ran.database, e));
  if (in_tx) TRY(bolt_extra_int(meta, STR("qid"), &op->ran.result, e));
  if (op->ran.result < 0) return error_set(e, ERR_PROTOCOL, "The number of a result is negative");
  return bolt_relayed_read_place(meta, &op->ran.place, e);
}

// ---- summaries ----

static const char *type_of(struct str type) {
  static const char *const types[] = {"r", "w", "rw", "s"};
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (str_eqz(type, types[i])) return types[i];
  return "r";
}

static enum err hear_counters(struct value stats, struct dbms_counters *c, struct error *e) {
  const struct {
    struct str name;
    int64_t *to;
  } counters[] = {
      {STR("nodes-created"), &c->nodes_created},
      {STR("nodes-deleted"), &c->nodes_deleted},
      {STR("relationships-created"), &c->relationships_created},
      {STR("relationships-deleted"), &c->relationships_deleted},
      {STR("properties-set"), &c->properties_set},
      {STR("labels-added"), &c->labels_added},
      {STR("labels-removed"), &c->labels_removed},
      {STR("indexes-added"), &c->indexes_added},
      {STR("indexes-removed"), &c->indexes_removed},
      {STR("constraints-added"), &c->constraints_added},
      {STR("constraints-removed"), &c->constraints_removed},
      {STR("system-updates"), &c->system_updates},
  };
  for (size_t i = 0; i < ARRAY_SIZE(counters); i++) TRY(bolt_extra_int(stats, counters[i].name, counters[i].to, e));
  return ERR_OK;
}

/// ret_found is left as it is where there is no position.
static enum err hear_position(struct value record, uint32_t *ret_offset, uint32_t *ret_line, uint32_t *ret_column,
                              bool *ret_found, struct error *e) {
  struct value position = V_NULL;
  int64_t offset = 0, line = 0, column = 0;
  TRY(bolt_extra_map(record, STR("_position"), &position, e));
  if (v_is_null(position)) return ERR_OK;
  TRY(bolt_extra_int(position, STR("offset"), &offset, e));
  TRY(bolt_extra_int(position, STR("line"), &line, e));
  TRY(bolt_extra_int(position, STR("column"), &column, e));
  *ret_offset = (uint32_t) offset;
  *ret_line = (uint32_t) line;
  *ret_column = (uint32_t) column;
  *ret_found = true;
  return ERR_OK;
}

static enum err hear_notification(struct value status, struct dbms_notification *n, struct error *e) {
  struct value record = V_NULL;
  TRY(bolt_extra_str(status, STR("neo4j_code"), &n->neo4j_code, e));
  TRY(bolt_extra_str(status, STR("title"), &n->title, e));
  TRY(bolt_extra_str(status, STR("description"), &n->description, e));
  TRY(bolt_extra_str(status, STR("gql_status"), &n->gql_status, e));
  TRY(bolt_extra_str(status, STR("status_description"), &n->gql_description, e));
  TRY(bolt_extra_map(status, STR("diagnostic_record"), &record, e));
  if (v_is_null(record)) return ERR_OK;
  TRY(bolt_extra_str(record, STR("_severity"), &n->severity, e));
  TRY(bolt_extra_str(record, STR("_classification"), &n->category, e));
  return hear_position(record, &n->offset, &n->line, &n->column, &n->has_position, e);
}

/// One of them says how the query itself ended and has no Neo4j code; the others are notifications.
static enum err hear_statuses(struct value list, struct arena *arena, struct dbms_summary *s, struct error *e) {
  struct dbms_notification *notifications = ARENA_ARRAY(arena, struct dbms_notification, list.len);
  if (notifications == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < list.len; i++) {
    struct dbms_notification n = {0};
    if (list.items[i].type != VALUE_MAP) return error_set(e, ERR_PROTOCOL, "A status is no Dictionary");
    TRY(hear_notification(list.items[i], &n, e));
    if (n.neo4j_code.len > 0) {
      notifications[s->notification_count++] = n;
    } else {
      s->has_columns = !str_eqz(n.gql_status, "00001");
      s->had_rows = str_eqz(n.gql_status, "00000");
    }
  }
  s->notifications = notifications;
  return ERR_OK;
}

enum err bolt_client_hear_summary(struct value meta, struct arena *arena, struct dbms_summary *ret, struct error *e) {
  struct dbms_summary s = {0};
  struct str type = STR("r");
  struct value stats = V_NULL;
  const struct value *statuses = value_map_get(meta, STR("statuses"));
  TRY(bolt_extra_str(meta, STR("type"), &type, e));
  TRY(bolt_extra_str(meta, STR("db"), &s.database, e));
  TRY(bolt_extra_str(meta, STR("bookmark"), &s.bookmark, e));
  TRY(bolt_extra_int(meta, STR("t_last"), &s.consumed_after_ms, e));
  TRY(bolt_extra_map(meta, STR("stats"), &stats, e));
  TRY(bolt_extra_map(meta, STR("plan"), &s.plan, e));
  TRY(bolt_extra_map(meta, STR("profile"), &s.profile, e));
  s.type = type_of(type);
  if (!v_is_null(stats)) TRY(hear_counters(stats, &s.counters, e));
  if (statuses != NULL && statuses->type == VALUE_LIST) TRY(hear_statuses(*statuses, arena, &s, e));
  *ret = s;
  return ERR_OK;
}

// ---- failures ----

/// The first row of the table that a client sees as these two, or at least as that Neo4j code. Rows that no client sees look like
/// ERR_IO, which is in front of them.
static enum err code_of(struct str neo4j_code, struct str gql_status) {
  enum err found = ERR_INTERNAL;
  for (enum err code = ERR_MAX - 1; code > ERR_OK; code--)
    if (str_eqz(neo4j_code, err_neo4j_code(code))) found = code;
  for (enum err code = found; code < ERR_MAX; code++)
    if (str_eqz(neo4j_code, err_neo4j_code(code)) && str_eqz(gql_status, err_gql_status(code))) return code;
  return found;
}

static enum err hear_failure(struct value meta, struct error *ret, struct error *e) {
  struct str code = STR(""), gql_status = STR(""), message = STR("");
  struct value record = V_NULL;
  bool found = false;
  TRY(bolt_extra_str(meta, STR("neo4j_code"), &code, e));
  TRY(bolt_extra_str(meta, STR("gql_status"), &gql_status, e));
  TRY(bolt_extra_str(meta, STR("message"), &message, e));
  TRY(bolt_extra_map(meta, STR("diagnostic_record"), &record, e));
  error_set(ret, code_of(code, gql_status), "%.*s", (int) MIN(message.len, sizeof ret->message), message.ptr);
  return v_is_null(record) ? ERR_OK : hear_position(record, &ret->offset, &ret->line, &ret->column, &found, e);
}

void bolt_client_hear_failure(struct value meta, struct error *ret) {
  struct error malformed = ERROR_INIT;
  *ret = ERROR_INIT;
  if (hear_failure(meta, ret, &malformed) != ERR_OK)
    error_set(ret, ERR_INTERNAL, "The server fails in a way that cannot be understood: %s", malformed.message);
}
