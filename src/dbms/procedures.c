#include "dbms/procedures.h"

#include "dbms/procedures_int.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/view.h"

static struct value text(const char *z) {
  return v_str(str_of(z));
}

// ---- what the graph has ----

static enum err token_rows(struct transaction *t, enum graph_token_kind kind, struct str column, struct record_list *l, struct error *e) {
  const struct graph *g = t->database->graph;
  for (uint32_t i = 0; i < graph_token_count(g, kind); i++) {
    struct value_entry entry = {column, v_str(graph_token_name(g, kind, i))};
    TRY(record_list_add(l, &entry, 1, e));
  }
  return ERR_OK;
}

static enum err db_labels(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return token_rows(t, GRAPH_LABEL, STR("label"), l, e);
}

static enum err db_relationship_types(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return token_rows(t, GRAPH_TYPE, STR("relationshipType"), l, e);
}

static enum err db_property_keys(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return token_rows(t, GRAPH_KEY, STR("propertyKey"), l, e);
}

static enum err db_ping(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return RECORD(l, e, {STR("success"), v_bool(true)});
}

static enum err info(struct database *db, struct record_list *l, struct error *e) {
  return RECORD(l, e, {STR("id"), text(db->uuid)}, {STR("name"), v_str(db->name)}, {STR("creationDate"), text("")});
}

static enum err db_info(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return info(t->database, l, e);
}

static enum err dbms_info(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return info(t->database->dbms->system, l, e);
}

// ---- about the server ----

static enum err components(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  struct str name = dbms_server_name(t->database->dbms);
  struct str versions[1] = {name};
  str_cut(&versions[0], '/');
  return RECORD(l, e, {STR("name"), text("Neo4j Kernel")}, {STR("versions"), record_texts(&l->arena, versions, 1)}, {STR("edition"), text("community")});
}

static enum err show_current_user(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  struct str flag = STR("password_change_required");
  return RECORD(l, e, {STR("username"), v_str(t->session->user)}, {STR("roles"), v_list(NULL, 0)},
                {STR("flags"), record_texts(&l->arena, &flag, t->session->must_change_password)});
}

/// Of the words of settings, which are in capitals.
static struct str in_small_letters(struct arena *a, struct str word) {
  char *small = ARENA_ARRAY(a, char, word.len + 1);
  for (size_t i = 0; small != NULL && i < word.len; i++)
    small[i] = (char) (word.ptr[i] | (word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? 0x20 : 0));
  return small != NULL ? (struct str){small, word.len} : STR_NONE;
}

/// Neo4j 3 gave lengths of time in milliseconds and sizes in bytes, whatever the file says, and words in small letters.
static struct str value_of_3(struct arena *a, const struct config_entry *entry) {
  int64_t n;
  if (entry->type == CONFIG_DURATION && config_parse_duration(entry->value, &n)) return arena_printf(a, "%lldms", (long long) n);
  if (entry->type == CONFIG_BYTES && config_parse_bytes(entry->value, &n)) return arena_printf(a, "%lld", (long long) n);
  return entry->type == CONFIG_ENUM ? in_small_letters(a, entry->value) : entry->value;
}

/// As the client's Neo4j has it.
static struct config_entry config_entry_for(const struct transaction *t, struct arena *a, uint32_t i) {
  struct config_entry entry = config_entry(t->database->dbms->options.settings, i);
  uint32_t major = t->session->client.neo4j_major;
  if (major == 4) entry.name = entry.name_4x;
  if (major != 3) return entry;
  entry.name = entry.name_3x;
  entry.value = value_of_3(a, &entry);
  return entry;
}

static enum err list_config(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  const struct config *c = t->database->dbms->options.settings;
  struct str search = n > 0 && arguments[0].type == VALUE_STRING ? v_text(arguments[0]) : STR("");
  for (uint32_t i = 0; c != NULL && i < config_entry_count(c); i++) {
    struct config_entry entry = config_entry_for(t, &l->arena, i);
    if (str_find(entry.name, search) < 0) continue;
    if (entry.value.ptr == NULL) return arena_err(&l->arena, e);
    TRY(RECORD(l, e, {STR("name"), v_str(entry.name)}, {STR("description"), v_str(entry.description)}, {STR("value"), v_str(entry.value)},
               {STR("dynamic"), v_bool(false)}, {STR("defaultValue"), v_str(entry.default_value)}, {STR("startupValue"), v_str(entry.value)},
               {STR("explicitlySet"), v_bool(entry.source != CONFIG_DEFAULT)}));
  }
  return ERR_OK;
}

static enum err client_config(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  static const struct str shown[] = {{"server.bolt.advertised_address", 30}, {"server.http.advertised_address", 30}, {"initial.dbms.default_database", 29}};
  const struct config *c = t->database->dbms->options.settings;
  for (uint32_t i = 0; c != NULL && i < config_entry_count(c); i++) {
    struct config_entry entry = config_entry(c, i);
    for (size_t k = 0; k < ARRAY_SIZE(shown); k++)
      if (str_eq(shown[k], entry.name))
        TRY(RECORD(l, e, {STR("name"), v_str(entry.name)}, {STR("description"), v_str(entry.description)}, {STR("value"), v_str(entry.value)}, {STR("dynamic"), v_bool(false)}));
  }
  return ERR_OK;
}

// ---- calling ----

static enum err call_open(const struct exec_call *call, const struct value *arguments, uint32_t argument_count, void **ret_state, struct error *e) {
  const struct procedure *p = CONTAINER_OF(call->procedure, struct procedure, signature);
  struct transaction *t = call->context;
  struct record_list *l;
  TRY(record_list_new(&t->budget, &l, e));
  enum err err = p->rows(t, arguments, argument_count, l, e);
  if (err != ERR_OK) {
    record_list_free(l);
    return err;
  }
  *ret_state = l;
  return ERR_OK;
}

static enum err call_next(const struct exec_call *call, void *state, uint32_t cap, struct value *ret, uint32_t *ret_rows, struct error *e) {
  enum { COLUMNS_MAX = 16 };
  struct str columns[COLUMNS_MAX];
  uint32_t n = call->procedure->result_count;
  for (uint32_t i = 0; i < n && i < COLUMNS_MAX; i++) columns[i] = str_of(call->procedure->results[i].name);
  *ret_rows = record_list_give(state, columns, n, cap, ret);
  return ERR_OK;
}

static void call_close(void *state) {
  record_list_free(state);
}

struct exec_procedure procedure_implementation = {call_open, call_next, call_close};

// ---- the table ----

#define INFO_RESULTS FIELDS(FIELD(id, STRING), FIELD(name, STRING), FIELD(creationDate, STRING))

// clang-format off
static const struct procedure table[] = {
  PROCEDURE("db.info", READ, NONE, 0, INFO_RESULTS, true, db_info, "Provides information regarding the database."),
  PROCEDURE("db.labels", READ, NONE, 0, FIELDS(FIELD(label, STRING)), true, db_labels, "List all labels in the database."),
  PROCEDURE("db.ping", READ, NONE, 0, FIELDS(FIELD(success, BOOLEAN)), true, db_ping, "Tells that the database answers."),
  PROCEDURE("db.propertyKeys", READ, NONE, 0, FIELDS(FIELD(propertyKey, STRING)), true, db_property_keys, "List all property keys in the database."),
  PROCEDURE("db.relationshipTypes", READ, NONE, 0, FIELDS(FIELD(relationshipType, STRING)), true, db_relationship_types,
            "List all relationship types in the database."),
  PROCEDURE("dbms.clientConfig", DBMS, NONE, 0, FIELDS(FIELD(name, STRING), FIELD(description, STRING), FIELD(value, STRING), FIELD(dynamic, BOOLEAN)), true,
            client_config, "Settings that a client may see."),
  PROCEDURE("dbms.components", DBMS, NONE, 0, FIELDS(FIELD(name, STRING), TEXTS(versions), FIELD(edition, STRING)), true, components,
            "Name, version and edition of the server, in the words that tools expect."),
  PROCEDURE("dbms.info", DBMS, NONE, 0, INFO_RESULTS, true, dbms_info, "Provides information regarding the server."),
  PROCEDURE("dbms.listConfig", DBMS, FIELDS(OPTIONAL(searchString, STRING, "\"\"")), 0,
            FIELDS(FIELD(name, STRING), FIELD(description, STRING), FIELD(value, STRING), FIELD(dynamic, BOOLEAN), FIELD(defaultValue, STRING),
                   FIELD(startupValue, STRING), FIELD(explicitlySet, BOOLEAN)),
            true, list_config, "Lists the settings whose name holds a text."),
  PROCEDURE("dbms.showCurrentUser", DBMS, NONE, 0, FIELDS(FIELD(username, STRING), TEXTS(roles), TEXTS(flags)), true, show_current_user, "Shows the current user."),
};
// clang-format on

static bool is_there(const struct procedure *p, const struct procedures_scope *scope) {
  if (p->members_only && !scope->is_member) return false;
  bool is_3 = scope->neo4j_major == 3;
  return p->era == PROCEDURE_EVER || (p->era == PROCEDURE_OF_3) == is_3;
}

/// Number `i` of all procedures, or NULL behind the last.
static const struct procedure *procedure_at(size_t i) {
  static const struct procedure *(*const others[])(uint32_t *) = {procedures_cluster, procedures_index};
  if (i < ARRAY_SIZE(table)) return &table[i];
  i -= ARRAY_SIZE(table);
  for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
    uint32_t n;
    const struct procedure *of = others[k](&n);
    if (i < n) return &of[i];
    i -= n;
  }
  return NULL;
}

static const struct cypher_procedure *find_procedure(void *scope, struct str name) {
  const struct procedure *p;
  for (size_t i = 0; (p = procedure_at(i)) != NULL; i++)
    if (str_eq_nocase(str_of(p->signature.name), name) && is_there(p, scope)) return &p->signature;
  return NULL;
}

struct cypher_signatures procedures_signatures(struct procedures_scope *scope) {
  return (struct cypher_signatures){.version = 1, .find_procedure = find_procedure, .context = scope};
}

/// "db.labels() :: (label :: STRING)"
static struct str write_signature(struct arena *a, const struct cypher_procedure *s) {
  struct str out = arena_printf(a, "%s(", s->name);
  for (uint32_t i = 0; i < s->argument_count; i++) {
    const struct cypher_field *f = &s->arguments[i];
    out = arena_printf(a, "%.*s%s%s%s%s :: %s", STR_ARG(out), i > 0 ? ", " : "", f->name, f->optional ? " = " : "", f->optional ? f->default_text : "", f->type);
  }
  out = arena_printf(a, "%.*s)%s", STR_ARG(out), s->result_count > 0 ? " :: (" : " :: VOID");
  for (uint32_t i = 0; i < s->result_count; i++)
    out = arena_printf(a, "%.*s%s%s :: %s%s", STR_ARG(out), i > 0 ? ", " : "", s->results[i].name, s->results[i].type, i + 1 == s->result_count ? ")" : "");
  return out;
}

enum err procedures_show(const struct procedures_scope *scope, struct record_list *l, struct error *e) {
  static const char *const modes[] = {"READ", "WRITE", "SCHEMA", "DBMS"};
  const struct procedure *p;
  for (size_t i = 0; (p = procedure_at(i)) != NULL; i++) {
    const struct cypher_procedure *s = &p->signature;
    if (!is_there(p, scope)) continue;
    TRY(RECORD(l, e, {STR("name"), text(s->name)}, {STR("description"), text(p->description)},
               {STR("mode"), text(modes[s->mode])}, {STR("worksOnSystem"), v_bool(p->works_on_system)},
               {STR("signature"), v_str(write_signature(&l->arena, s))}, {STR("argumentDescription"), v_list(NULL, 0)},
               {STR("returnDescription"), v_list(NULL, 0)}, {STR("admin"), v_bool(s->admin)},
               {STR("isDeprecated"), v_bool(s->deprecated)}));
  }
  return ERR_OK;
}
