#include "bolt/test_dbms.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { RESULTS_MAX = 16, BATCH_ROWS = 64 };

struct result {
  bool open, creates, fails;
  int64_t rows, at; // at: rows given
  bool counts;      // the row's number, else `value` (or the items of `list`)
  struct value value, list;
  uint32_t width;
  struct str column;
  struct value routing[2];
};

struct dbms_session {
  struct dbms *dbms;
  bool legacy_bookmarks, in_tx, dead_tx;
  _Atomic bool interrupted;
  bool read_only;
  struct dbms_op *_Atomic held;
  struct result results[RESULTS_MAX];
  int64_t result_count;
  struct arena arena;
  struct str columns[2];
  struct dbms_notification notifications[2];
  char bookmark[100];
  struct str address;
  bool freed;
};

void test_dbms_init(struct dbms *d) {
  *d = (struct dbms){.auth_enabled = false, .address = "localhost:7687"};
  mutex_init(&d->lock);
}

void test_dbms_done(struct dbms *d) {
  buf_done(&d->log);
  mutex_done(&d->lock);
}

static void note(struct dbms *d, const char *format, ...) PRINTF(2, 3);
static void note(struct dbms *d, const char *format, ...) {
  char line[500];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  mutex_lock(&d->lock);
  if (d->log.len < 100000 && buf_printf(&d->log, "%s\n", line) != ERR_OK) d->log.len = 0;
  mutex_unlock(&d->lock);
}

bool dbms_takes_all(const struct dbms *d) {
  return !d->is_member;
}

bool dbms_auth_enabled(const struct dbms *d) {
  return d->auth_enabled;
}

struct str dbms_server_name(const struct dbms *d UNUSED) {
  return STR("Neo4j/5.26.0-quiver.test");
}

enum err dbms_session_new(struct dbms *d, const struct dbms_client *client, struct dbms_session **ret, struct error *e) {
  if (d->full) return error_set(e, ERR_LIMIT, "full");
  struct dbms_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory");
  s->dbms = d;
  s->legacy_bookmarks = client->legacy_bookmarks;
  d->routed = client->routed;
  if (client->relayed)
    note(d, "RELAYED neo4j=%u%s%s%.*s", client->neo4j_major, client->legacy_bookmarks ? " legacy" : "",
         client->gateway.len > 0 ? " by way of " : "", STR_ARG(client->gateway));
  arena_init(&s->arena, NULL);
  d->sessions++;
  d->last = s;
  *ret = s;
  return ERR_OK;
}

static void really_free(struct dbms_session *s) {
  arena_done(&s->arena);
  mem_free(s);
}

void dbms_session_free(struct dbms_session *s) {
  if (s == NULL) return;
  s->dbms->sessions--;
  if (s->dbms->last == s) s->dbms->last = NULL;
  really_free(s);
}

// ---- a graph of two nodes and a relationship ----

static struct value hydrated_node(struct arena *a, uint64_t id) {
  struct value_node *n = ARENA_NEW(a, struct value_node);
  struct str *label = ARENA_NEW(a, struct str);
  struct value_entry *name = ARENA_NEW(a, struct value_entry);
  *label = STR("Test");
  *name = (struct value_entry){STR("name"), v_str(STR("x"))};
  *n = (struct value_node){.id = id, .labels = label, .label_count = 1, .properties = name, .property_count = 1};
  n->element_id = arena_printf(a, "4:test:%llu", (unsigned long long) id);
  return (struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = n};
}

static struct value hydrated_rel(struct arena *a) {
  struct value_rel *r = ARENA_NEW(a, struct value_rel);
  *r = (struct value_rel){.id = 7, .start = 1, .end = 2, .type = STR("KNOWS")};
  r->element_id = STR("5:test:7");
  r->start_element_id = STR("4:test:1");
  r->end_element_id = STR("4:test:2");
  return (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = r};
}

static struct value a_path(struct arena *a) {
  struct value_path *p = ARENA_NEW(a, struct value_path);
  struct value *nodes = ARENA_ARRAY(a, struct value, 2), *rel = ARENA_NEW(a, struct value);
  bool *reversed = ARENA_NEW(a, bool);
  nodes[0] = hydrated_node(a, 1);
  nodes[1] = hydrated_node(a, 2);
  *rel = hydrated_rel(a);
  *p = (struct value_path){.len = 1, .nodes = nodes, .rels = rel, .reversed = reversed};
  return (struct value){.type = VALUE_PATH, .path = p};
}

static struct value routing_servers(struct arena *a, const char *address) {
  static const char *const roles[] = {"WRITE", "READ", "ROUTE"};
  struct value *servers = ARENA_ARRAY(a, struct value, 3);
  for (int i = 0; i < 3; i++) {
    struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, 2);
    struct value *one = ARENA_NEW(a, struct value);
    *one = v_str(str_of(address));
    entries[0] = (struct value_entry){STR("addresses"), v_list(one, 1)};
    entries[1] = (struct value_entry){STR("role"), v_str(str_of(roles[i]))};
    servers[i] = v_map(entries, 2);
  }
  return v_list(servers, 3);
}

// ---- texts ----

static struct str word_after(struct str query, const char *what) {
  int64_t at = str_find(query, str_of(what));
  if (at < 0) return STR_NONE;
  struct str rest = {query.ptr + at + strlen(what), query.len - (size_t) at - strlen(what)};
  size_t len = 0;
  while (len < rest.len && (isalnum((unsigned char) rest.ptr[len]) || rest.ptr[len] == '_')) len++;
  return (struct str){rest.ptr, len};
}

static bool parameter(struct dbms_op *op, struct str name, struct value *ret) {
  const struct value *v = value_map_get(op->run.parameters, name);
  if (v != NULL) *ret = *v;
  return v != NULL;
}

static bool parse_return(struct dbms_op *op, struct str query, struct result *r) {
  int64_t number;
  struct str alias = word_after(query, " AS "), word = word_after(query, "RETURN "), name = word_after(query, "RETURN $");
  r->rows = 1;
  r->column = alias.len > 0 ? alias : STR("x");
  if (name.len > 0 && !parameter(op, name, &r->value)) op->error.code = ERR_PARAMETER_MISSING;
  if (name.len > 0) return op->error.code == ERR_OK;
  if (str_find(query, STR("1/0")) >= 0) return r->fails = true;
  if (str_find(query, STR("RETURN 'text'")) >= 0)
    r->value = v_str(STR("text"));
  else if (str_eqz(word, "null"))
    r->value = V_NULL;
  else if (str_to_i64(word, &number))
    r->value = v_int(number);
  else
    return false;
  return true;
}

static bool parse_unwind(struct dbms_op *op, struct str query, struct result *r) {
  struct value v = V_NULL;
  r->column = STR("x");
  if (str_find(query, STR("range(1, ")) >= 0) {
    struct str name = word_after(query, "range(1, $"), literal = word_after(query, "range(1, ");
    r->counts = true;
    if (name.len > 0 && parameter(op, name, &v)) r->rows = v.type == VALUE_INT ? v.i : (int64_t) v.f;
    return name.len > 0 ? !v_is_null(v) : str_to_i64(literal, &r->rows);
  }
  if (!parameter(op, word_after(query, "UNWIND $"), &r->list) || r->list.type != VALUE_LIST) return false;
  r->rows = r->list.len;
  return true;
}

static bool parse_match(struct dbms_session *s, struct str query, struct result *r) {
  r->rows = 1;
  r->column = word_after(query, "RETURN ");
  r->value = str_eqz(r->column, "r")   ? hydrated_rel(&s->arena)
             : str_eqz(r->column, "p") ? a_path(&s->arena)
                                       : hydrated_node(&s->arena, 1);
  return true;
}

static bool parse_routing(struct dbms_session *s, struct result *r) {
  r->rows = 1;
  r->width = 2;
  r->column = STR("ttl");
  r->routing[0] = v_int(300);
  r->routing[1] = routing_servers(&s->arena, s->dbms->address);
  return true;
}

static bool parse(struct dbms_session *s, struct dbms_op *op, struct result *r) {
  struct str query = str_trim(op->run.query);
  *r = (struct result){.open = true, .width = 1};
  if (str_starts(query, STR("RETURN"))) return parse_return(op, query, r);
  if (str_starts(query, STR("UNWIND"))) return parse_unwind(op, query, r);
  if (str_starts(query, STR("MATCH")) && str_find(query, STR("RETURN")) > 0) return parse_match(s, query, r);
  if (str_find(query, STR("getRoutingTable(")) > 0) return parse_routing(s, r);
  if (str_starts(query, STR("CREATE")) || str_starts(query, STR("MATCH"))) {
    r->creates = true;
    bool returns = str_find(query, STR("RETURN")) > 0;
    r->width = returns;
    return returns ? parse_match(s, query, r) : true; // without columns: no rows
  }
  return false;
}

// ---- operations ----

static struct dbms_place place_of(struct dbms_origin origin) {
  return origin.member == 0 ? (struct dbms_place){0} : (struct dbms_place){5, origin.sequence + 100};
}

/// Whoever asks behind 1 has committed, behind 2 has not, and behind 4 has asked for a constraint that the data break.
static struct dbms_fate fate_of(const struct dbms_tx_options *o) {
  if (!o->asks_fate) return (struct dbms_fate){0};
  if (o->behind == 1) return (struct dbms_fate){DBMS_FATE_COMMITTED, STR("Q1:test:2")};
  if (o->behind == 4 && o->wants_verdict) return (struct dbms_fate){DBMS_FATE_NOT_MADE, STR_NONE};
  return (struct dbms_fate){o->behind == 2 ? DBMS_FATE_NOT_COMMITTED : DBMS_FATE_UNKNOWN, STR_NONE};
}

static enum err run(struct dbms_session *s, struct dbms_op *op) {
  if (op->run.auto_commit) s->result_count = 0;
  if (s->result_count == RESULTS_MAX) return error_set(&op->error, ERR_TX_MEMORY, "too many results");
  struct result r;
  struct dbms_op copy = *op; // the parameters outlive the operation only as a copy
  if (value_copy(&s->arena, op->run.parameters, &copy.run.parameters, NULL) != ERR_OK) return ERR_NOMEM;
  copy.run.query = arena_str(&s->arena, op->run.query);
  copy.error = ERROR_INIT;
  if (!parse(s, &copy, &r)) {
    if (copy.error.code != ERR_OK) return error_set(&op->error, copy.error.code, "Expected parameter(s): missing");
    op->error = ERROR_INIT;
    op->error.offset = 0;
    op->error.line = op->error.column = 1;
    return error_set(&op->error, ERR_SYNTAX, "Invalid input '%.*s'", (int) MIN(op->run.query.len, 20u), op->run.query.ptr);
  }
  if (r.creates && (s->read_only || (op->run.auto_commit && op->run.tx.read_only)))
    return error_set(&op->error, ERR_ACCESS_MODE, "Writing in read access mode not allowed.");
  s->columns[0] = r.column;
  s->columns[1] = STR("servers");
  op->ran.result = s->result_count;
  s->results[s->result_count++] = r;
  op->ran.columns = s->columns;
  op->ran.column_count = r.width;
  op->ran.database = STR("neo4j");
  op->ran.first_after_ms = 1;
  op->ran.place = place_of(op->run.tx.origin);
  return ERR_OK;
}

static struct value row_value(const struct result *r, int64_t row) {
  return r->counts ? v_int(row + 1) : r->list.len > 0 ? r->list.items[row] : r->value;
}

static enum err push_batch(struct result *r, struct row_sink *sink, int64_t count, struct error *e) {
  struct value values[BATCH_ROWS];
  struct vec columns[2] = {{.kind = VEC_ANY, .any = values}, {.kind = VEC_ANY, .any = &r->routing[1]}};
  for (int64_t i = 0; i < count; i++) values[i] = r->width == 2 ? r->routing[0] : row_value(r, r->at + i);
  return sink->push(sink, columns, r->width, NULL, (uint32_t) count, e);
}

static const char *new_bookmark(struct dbms_session *s) {
  snprintf(s->bookmark, sizeof s->bookmark, "%s", s->legacy_bookmarks ? "neo4j:bookmark:v1:tx42" : "Q1:test:42");
  return s->bookmark;
}

static void add_notifications(struct dbms_session *s, struct dbms_summary *summary) {
  s->notifications[0] = (struct dbms_notification){.neo4j_code = STR("Neo.ClientNotification.Statement.CartesianProduct"),
                                                   .title = STR("title"),
                                                   .description = STR("description"),
                                                   .gql_status = STR("03N90"),
                                                   .gql_description = STR("info: cartesian product"),
                                                   .severity = STR("INFORMATION"),
                                                   .category = STR("PERFORMANCE"),
                                                   .has_position = true,
                                                   .offset = 3,
                                                   .line = 1,
                                                   .column = 4};
  s->notifications[1] = (struct dbms_notification){.neo4j_code = STR("Neo.ClientNotification.Statement.UnknownLabelWarning"),
                                                   .title = STR("title"),
                                                   .description = STR("description"),
                                                   .gql_status = STR("01N50"),
                                                   .gql_description = STR("warn: label does not exist"),
                                                   .severity = STR("WARNING"),
                                                   .category = STR("UNRECOGNIZED")};
  summary->notifications = s->notifications;
  summary->notification_count = 2;
}

static void summarize(struct dbms_session *s, struct dbms_op *op, const struct result *r) {
  struct dbms_summary *summary = &op->pulled.summary;
  *summary = (struct dbms_summary){.type = r->creates ? (r->width > 0 ? "rw" : "w") : "r", .database = STR("neo4j")};
  summary->counters.nodes_created = r->creates;
  summary->counters.labels_added = r->creates;
  summary->counters.properties_set = r->creates;
  summary->has_columns = r->width > 0;
  summary->had_rows = r->rows > 0;
  summary->consumed_after_ms = 2;
  if (!s->in_tx) summary->bookmark = str_of(new_bookmark(s));
  if (s->dbms->notify) add_notifications(s, summary);
  if (s->dbms->with_plan) {
    struct value_entry *entry = ARENA_NEW(&s->arena, struct value_entry);
    *entry = (struct value_entry){STR("operatorType"), v_str(STR("ProduceResults"))};
    summary->plan = v_map(entry, 1);
  }
}

static enum err pull(struct dbms_session *s, struct dbms_op *op) {
  struct result *r = &s->results[op->pull.result];
  if (r->fails) return error_set(&op->error, ERR_DIVISION_BY_ZERO, "/ by zero");
  int64_t wanted = op->pull.rows < 0 ? INT64_MAX : op->pull.rows, done = 0;
  bool paused = false;
  while (r->at < r->rows && done < wanted && !paused) {
    int64_t count = MIN(MIN(r->rows - r->at, wanted - done), (int64_t) BATCH_ROWS);
    if (s->interrupted) return error_set(&op->error, ERR_TX_TERMINATED, "The transaction has been terminated.");
    if (!op->pull.discard) TRY(push_batch(r, op->pull.sink, count, &op->error));
    r->at += count;
    done += count;
    paused = *op->pull.sink_full;
  }
  op->pulled.rows = done;
  op->pulled.has_more = r->at < r->rows;
  op->pulled.paused = paused && op->pulled.has_more;
  if (!op->pulled.has_more) summarize(s, op, r);
  return ERR_OK;
}

static enum err login(struct dbms_session *s, struct dbms_op *op) {
  bool right = str_eqz(op->login.principal, "neo4j") && str_eqz(op->login.credentials, "secret");
  if (s->dbms->auth_enabled && !right)
    return error_set(&op->error, ERR_UNAUTHORIZED, "The client is unauthorized due to authentication failure.");
  op->logged_in.credentials_expired = s->dbms->credentials_expired;
  return ERR_OK;
}

static enum err begin(struct dbms_session *s, struct dbms_op *op) {
  if (str_eqz(op->begin.database, "missing"))
    return error_set(&op->error, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: 'missing'.");
  s->in_tx = true;
  s->read_only = op->begin.read_only;
  s->result_count = 0;
  op->begun.database = str_eqz(op->begin.database, "system") ? STR("system") : STR("neo4j");
  op->begun.place = place_of(op->begin.origin);
  op->begun.fate = fate_of(&op->begin);
  return ERR_OK;
}

static void end_tx(struct dbms_session *s) {
  s->in_tx = s->dead_tx = s->read_only = false;
  s->result_count = 0;
  arena_reset(&s->arena);
}

static enum err route(struct dbms_session *s, struct dbms_op *op) {
  if (str_eqz(op->route.database, "missing"))
    return error_set(&op->error, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: 'missing'.");
  s->address = arena_str(&s->arena, op->route.address.len > 0 ? op->route.address : str_of(s->dbms->address));
  op->routed = (struct dbms_routing_table){300, STR("neo4j"), &s->address, &s->address, &s->address, 1, 1, 1};
  return ERR_OK;
}

static enum err work(struct dbms_session *s, struct dbms_op *op) {
  enum err planned = s->dbms->next_error;
  s->dbms->next_error = ERR_OK;
  if (op->kind != DBMS_RESET && (planned != ERR_OK || s->interrupted))
    return error_set(&op->error, s->interrupted ? ERR_TX_TERMINATED : planned, "as the script says");
  if (op->kind != DBMS_RESET && s->dead_tx) return error_set(&op->error, ERR_INTERNAL, "only RESET may follow");
  switch (op->kind) {
  case DBMS_LOGIN: return login(s, op);
  case DBMS_BEGIN: return begin(s, op);
  case DBMS_RUN: return run(s, op);
  case DBMS_PULL: return pull(s, op);
  case DBMS_ROUTE: return route(s, op);
  case DBMS_COMMIT:
    op->committed.bookmark = str_of(new_bookmark(s));
    end_tx(s);
    return ERR_OK;
  case DBMS_RESET:
    s->interrupted = false;
    end_tx(s);
    return ERR_OK;
  case DBMS_ROLLBACK: end_tx(s); return ERR_OK;
  case DBMS_LOGOFF: return ERR_OK;
  }
  return ERR_OK;
}

static void perform(struct dbms_session *s, struct dbms_op *op) {
  op->error = ERROR_INIT;
  op->err = work(s, op);
  if (op->err != ERR_OK && s->in_tx) s->dead_tx = true;
}

static void log_origin(struct dbms *d, const struct dbms_tx_options *tx) {
  if (tx->linearizable) note(d, "LINEARIZABLE\n");
  if (!uuid_is_none(tx->database_id)) note(d, "DATABASE %s\n", uuid_text(tx->database_id).z);
  if (tx->origin.member != 0) note(d, "ORIGIN %lld %lld", (long long) tx->origin.member, (long long) tx->origin.sequence);
}

static void log_operation(struct dbms *d, const struct dbms_op *op) {
  switch (op->kind) {
  case DBMS_LOGIN: note(d, "LOGIN %.*s %.*s", STR_ARG(op->login.scheme), STR_ARG(op->login.principal)); break;
  case DBMS_LOGOFF: note(d, "LOGOFF"); break;
  case DBMS_BEGIN:
    note(d, "BEGIN db=%.*s %c bookmarks=%u timeout=%lld", STR_ARG(op->begin.database), op->begin.read_only ? 'r' : 'w',
         op->begin.bookmark_count, (long long) op->begin.timeout_ms);
    log_origin(d, &op->begin);
    break;
  case DBMS_RUN:
    note(d, "RUN %.*s%s severity=%d disabled=%u", (int) MIN(op->run.query.len, 100u), op->run.query.ptr,
         op->run.auto_commit ? "" : " in tx", op->run.min_severity, op->run.disabled_category_count);
    log_origin(d, &op->run.tx);
    break;
  case DBMS_PULL:
    note(d, "%s %lld of %lld", op->pull.discard ? "DISCARD" : "PULL", (long long) op->pull.rows, (long long) op->pull.result);
    break;
  case DBMS_COMMIT: note(d, "COMMIT"); break;
  case DBMS_ROLLBACK: note(d, "ROLLBACK"); break;
  case DBMS_RESET: note(d, "RESET"); break;
  case DBMS_ROUTE:
    note(d, "ROUTE db=%.*s user=%.*s bookmarks=%u", STR_ARG(op->route.database), STR_ARG(op->route.impersonated_user),
         op->route.bookmark_count);
    break;
  }
}

static void *perform_on_thread(void *argument) {
  struct dbms_session *s = argument;
  struct dbms_op *op = s->held;
  s->held = NULL;
  perform(s, op);
  op->done(op);
  return NULL;
}

bool dbms_session_submit(struct dbms_session *s, struct dbms_op *op) {
  log_operation(s->dbms, op);
  op->commits = s->dbms->pull_commits && op->kind == DBMS_PULL;
  if (s->dbms->hold || op->commits) {
    s->held = op;
    return false;
  }
  if (s->dbms->on_thread) {
    struct thread t;
    s->held = op;
    if (thread_start(&t, "work", perform_on_thread, s, NULL) == ERR_OK) {
      pthread_detach(t.t);
      return false;
    }
  }
  perform(s, op);
  return true;
}

bool dbms_session_resume(struct dbms_session *s) {
  s->held = NULL; // done by test_dbms_finish
  return true;
}

void dbms_session_interrupt(struct dbms_session *s, enum err reason UNUSED) {
  note(s->dbms, "INTERRUPT");
  s->interrupted = true;
}

bool test_dbms_was_interrupted(const struct dbms *d) {
  return d->last != NULL && d->last->interrupted;
}

bool test_dbms_finish(struct dbms *d) {
  struct dbms_session *s = d->last;
  if (s == NULL || s->held == NULL) return false;
  struct dbms_op *op = s->held;
  if (op->commits) {
    perform(s, op);
    op->ready(op);
    return true;
  }
  s->held = NULL;
  perform(s, op);
  op->done(op);
  return true;
}

void dbms_terminate_all(struct dbms *d) {
  (void) test_dbms_finish(d);
}
