#include "bolt/message.h"

#include "bolt/extra.h"

enum { FIELDS_MAX = 3, TELEMETRY_APIS = 4, USER_AGENT_BYTES_MAX = 1000 };

struct input {
  const struct bolt_version *version;
  struct arena *arena;
  struct value fields[FIELDS_MAX];
};

typedef enum err decode_fields(const struct input *in, struct bolt_message *m, struct error *e);

static enum err need_map(struct value v, const char *what, struct error *e) {
  if (v.type == VALUE_MAP) return ERR_OK;
  return error_set(e, ERR_PROTOCOL, "%s must be a Dictionary, not %s", what, value_type_name((enum value_type) v.type));
}

static enum err need_str(struct value v, const char *what, struct error *e) {
  if (v.type == VALUE_STRING) return ERR_OK;
  return error_set(e, ERR_PROTOCOL, "%s must be a String, not %s", what, value_type_name((enum value_type) v.type));
}

// ---- dictionaries that several messages share ----

static enum err read_auth(struct value map, struct bolt_auth *ret, struct error *e) {
  TRY(bolt_extra_str(map, STR("scheme"), &ret->scheme, e));
  TRY(bolt_extra_str(map, STR("principal"), &ret->principal, e));
  TRY(bolt_extra_str(map, STR("credentials"), &ret->credentials, e));
  return bolt_extra_str(map, STR("realm"), &ret->realm, e);
}

static enum err read_severity(struct str text, enum dbms_severity *ret, struct error *e) {
  if (text.len == 0)
    *ret = DBMS_SEVERITY_DEFAULT;
  else if (str_eqz(text, "OFF"))
    *ret = DBMS_SEVERITY_OFF;
  else if (str_eqz(text, "WARNING"))
    *ret = DBMS_SEVERITY_WARNING;
  else if (str_eqz(text, "INFORMATION"))
    *ret = DBMS_SEVERITY_INFORMATION;
  else
    return error_set(e, ERR_PROTOCOL, "'notifications_minimum_severity' must be OFF, WARNING or INFORMATION, not '%.*s'",
                     STR_ARG(text));
  return ERR_OK;
}

/// Classifications are the later name of categories; both are taken.
static enum err read_filter(const struct input *in, struct value map, struct bolt_filter *ret, struct error *e) {
  if (!in->version->notifications) return ERR_OK;
  struct str severity = STR_NONE;
  TRY(bolt_extra_str(map, STR("notifications_minimum_severity"), &severity, e));
  TRY(read_severity(severity, &ret->min_severity, e));
  TRY(bolt_extra_strs(map, STR("notifications_disabled_categories"), in->arena, &ret->categories, &ret->category_count,
                      &ret->has_categories, e));
  return bolt_extra_strs(map, STR("notifications_disabled_classifications"), in->arena, &ret->categories, &ret->category_count,
                         &ret->has_categories, e);
}

static enum err read_mode(struct value map, bool *ret_read_only, struct error *e) {
  struct str mode = STR("w");
  TRY(bolt_extra_str(map, STR("mode"), &mode, e));
  if (!str_eqz(mode, "r") && !str_eqz(mode, "w"))
    return error_set(e, ERR_PROTOCOL, "'mode' must be \"r\" or \"w\", not '%.*s'", STR_ARG(mode));
  *ret_read_only = str_eqz(mode, "r");
  return ERR_OK;
}

static enum err read_timeout(struct value map, int64_t *ret, struct error *e) {
  int64_t timeout_ms = 0;
  const struct value *given = value_map_get(map, STR("tx_timeout"));
  if (given == NULL || v_is_null(*given)) return ERR_OK;
  TRY(bolt_extra_int(map, STR("tx_timeout"), &timeout_ms, e));
  if (timeout_ms < 0) return error_set(e, ERR_PROTOCOL, "'tx_timeout' must not be negative, but is %lld", (long long) timeout_ms);
  *ret = timeout_ms;
  return ERR_OK;
}

static const struct dbms_tx_options no_options = {.timeout_ms = -1};

static enum err read_tx(const struct input *in, struct value map, struct dbms_tx_options *ret, struct error *e) {
  struct dbms_tx_options tx = no_options;
  TRY(bolt_extra_strs(map, STR("bookmarks"), in->arena, &tx.bookmarks, &tx.bookmark_count, NULL, e));
  TRY(read_timeout(map, &tx.timeout_ms, e));
  TRY(bolt_extra_map(map, STR("tx_metadata"), &tx.metadata, e));
  TRY(read_mode(map, &tx.read_only, e));
  if (in->version->database) TRY(bolt_extra_str(map, STR("db"), &tx.database, e));
  if (in->version->imp_user) TRY(bolt_extra_str(map, STR("imp_user"), &tx.impersonated_user, e));
  *ret = tx;
  return ERR_OK;
}

// ---- one function a message ----

static enum err decode_nothing(const struct input *in UNUSED, struct bolt_message *m UNUSED, struct error *e UNUSED) {
  return ERR_OK;
}

static enum err read_patches(const struct input *in, struct value map, bool *ret_utc, struct error *e) {
  const struct str *patches = NULL;
  uint32_t count = 0;
  TRY(bolt_extra_strs(map, STR("patch_bolt"), in->arena, &patches, &count, NULL, e));
  for (uint32_t i = 0; i < count; i++) *ret_utc = *ret_utc || str_eqz(patches[i], "utc");
  return ERR_OK;
}

static enum err read_agent(struct value map, struct str *ret_product, struct error *e) {
  struct value agent = V_NULL;
  TRY(bolt_extra_map(map, STR("bolt_agent"), &agent, e));
  if (v_is_null(agent)) return error_set(e, ERR_PROTOCOL, "HELLO must have a 'bolt_agent' from Bolt 5.3 on");
  TRY(bolt_extra_str(agent, STR("product"), ret_product, e));
  return ret_product->ptr != NULL ? ERR_OK : error_set(e, ERR_PROTOCOL, "'bolt_agent' must have a 'product'");
}

static enum err decode_init(const struct input *in, struct bolt_message *m, struct error *e) {
  TRY(need_str(in->fields[0], "The first field of INIT", e));
  TRY(need_map(in->fields[1], "The second field of INIT", e));
  m->hello.user_agent = v_text(in->fields[0]);
  return read_auth(in->fields[1], &m->hello.auth, e);
}

static enum err decode_hello(const struct input *in, struct bolt_message *m, struct error *e) {
  if (in->version->init) return decode_init(in, m, e);
  struct value extra = in->fields[0];
  m->extra = extra;
  struct value routing = V_NULL; // who wants a table sends its context again
  TRY(need_map(extra, "The field of HELLO", e));
  TRY(bolt_extra_str(extra, STR("user_agent"), &m->hello.user_agent, e));
  if (!in->version->logon) TRY(read_auth(extra, &m->hello.auth, e));
  TRY(bolt_extra_map(extra, STR("routing"), &routing, e));
  m->hello.routed = !v_is_null(routing);
  if (in->version->utc_patch) TRY(read_patches(in, extra, &m->hello.utc_patch, e));
  if (in->version->bolt_agent) TRY(read_agent(extra, &m->hello.product, e));
  m->hello.user_agent.len = MIN(m->hello.user_agent.len, (size_t) USER_AGENT_BYTES_MAX);
  return read_filter(in, extra, &m->hello.filter, e);
}

static enum err decode_logon(const struct input *in, struct bolt_message *m, struct error *e) {
  TRY(need_map(in->fields[0], "The field of LOGON", e));
  return read_auth(in->fields[0], &m->logon, e);
}

static bool is_text(struct str query, const char *word) {
  query = str_trim(query);
  if (str_ends(query, STR(";"))) query = str_trim((struct str){query.ptr, query.len - 1});
  return str_eq_nocase(query, str_of(word));
}

/// Bolt 1 and 2 have no BEGIN: drivers send these three as statements; BEGIN carries the bookmarks as parameters.
static enum err read_tx_text(const struct input *in, struct bolt_run *run, struct error *e) {
  run->text = is_text(run->query, "BEGIN")      ? BOLT_BEGIN
              : is_text(run->query, "COMMIT")   ? BOLT_COMMIT
              : is_text(run->query, "ROLLBACK") ? BOLT_ROLLBACK
                                                : BOLT_RUN;
  if (run->text != BOLT_BEGIN) return ERR_OK;
  TRY(bolt_extra_strs(run->parameters, STR("bookmarks"), in->arena, &run->tx.bookmarks, &run->tx.bookmark_count, NULL, e));
  if (run->tx.bookmark_count > 0) return ERR_OK;
  struct str *one = ARENA_NEW(in->arena, struct str);
  if (one == NULL) return arena_err(in->arena, e);
  TRY(bolt_extra_str(run->parameters, STR("bookmark"), one, e));
  run->tx.bookmarks = one;
  run->tx.bookmark_count = one->len > 0;
  return ERR_OK;
}

static enum err decode_run(const struct input *in, struct bolt_message *m, struct error *e) {
  TRY(need_str(in->fields[0], "The query of RUN", e));
  TRY(need_map(in->fields[1], "The parameters of RUN", e));
  m->run = (struct bolt_run){.query = v_text(in->fields[0]), .parameters = in->fields[1], .tx = no_options, .text = BOLT_RUN};
  if (in->version->init) return read_tx_text(in, &m->run, e);
  TRY(need_map(in->fields[2], "The third field of RUN", e));
  m->extra = in->fields[2];
  TRY(read_tx(in, in->fields[2], &m->run.tx, e));
  return read_filter(in, in->fields[2], &m->run.filter, e);
}

static enum err decode_begin(const struct input *in, struct bolt_message *m, struct error *e) {
  TRY(need_map(in->fields[0], "The field of BEGIN", e));
  m->extra = in->fields[0];
  TRY(read_tx(in, in->fields[0], &m->begin.tx, e));
  return read_filter(in, in->fields[0], &m->begin.filter, e);
}

static enum err decode_pull(const struct input *in, struct bolt_message *m, struct error *e) {
  m->pull = (struct bolt_pull){.n = -1, .qid = -1};
  if (!in->version->pull_n) return ERR_OK;
  TRY(need_map(in->fields[0], "The field of PULL and DISCARD", e));
  m->pull.n = 0;
  TRY(bolt_extra_int(in->fields[0], STR("n"), &m->pull.n, e));
  TRY(bolt_extra_int(in->fields[0], STR("qid"), &m->pull.qid, e));
  if (m->pull.n == 0 || m->pull.n < -1)
    return error_set(e, ERR_PROTOCOL, "PULL and DISCARD need 'n': -1 for all or at least 1, not %lld", (long long) m->pull.n);
  if (m->pull.qid < -1)
    return error_set(e, ERR_PROTOCOL, "'qid' must be -1 or a result's number, not %lld", (long long) m->pull.qid);
  return ERR_OK;
}

static enum err decode_route(const struct input *in, struct bolt_message *m, struct error *e) {
  TRY(need_map(in->fields[0], "The routing context of ROUTE", e));
  TRY(bolt_extra_str(in->fields[0], STR("address"), &m->route.address, e));
  if (!v_is_null(in->fields[1]))
    TRY(bolt_strs(in->fields[1], STR("bookmarks"), in->arena, &m->route.bookmarks, &m->route.bookmark_count, e));
  if (in->version->route == BOLT_ROUTE_EXTRA) {
    TRY(need_map(in->fields[2], "The third field of ROUTE", e));
    TRY(bolt_extra_str(in->fields[2], STR("db"), &m->route.database, e));
    return bolt_extra_str(in->fields[2], STR("imp_user"), &m->route.impersonated_user, e);
  }
  if (v_is_null(in->fields[2])) return ERR_OK;
  TRY(need_str(in->fields[2], "The database of ROUTE", e));
  m->route.database = v_text(in->fields[2]);
  return ERR_OK;
}

static enum err decode_telemetry(const struct input *in, struct bolt_message *m, struct error *e) {
  struct value api = in->fields[0];
  if (api.type != VALUE_INT || api.i < 0 || api.i >= TELEMETRY_APIS)
    return error_set(e, ERR_PROTOCOL, "The API of TELEMETRY must be an Integer from 0 to %d", TELEMETRY_APIS - 1);
  m->telemetry = api.i;
  return ERR_OK;
}

// ---- which messages a version has ----

static int always_none(const struct bolt_version *v UNUSED) {
  return 0;
}
static int since_3_none(const struct bolt_version *v) {
  return v->run_extra ? 0 : -1;
}
static int since_3_one(const struct bolt_version *v) {
  return v->run_extra ? 1 : -1;
}
static int until_2_none(const struct bolt_version *v) {
  return v->init ? 0 : -1;
}
static int hello_fields(const struct bolt_version *v) {
  return v->init ? 2 : 1;
}
static int run_fields(const struct bolt_version *v) {
  return v->run_extra ? 3 : 2;
}
static int pull_fields(const struct bolt_version *v) {
  return v->pull_n ? 1 : 0;
}
static int logon_fields(const struct bolt_version *v) {
  return v->logon ? 1 : -1;
}
static int logoff_fields(const struct bolt_version *v) {
  return v->logon ? 0 : -1;
}
static int route_fields(const struct bolt_version *v) {
  return v->route != BOLT_ROUTE_NONE ? 3 : -1;
}
static int telemetry_fields(const struct bolt_version *v) {
  return v->telemetry ? 1 : -1;
}

static const struct message_row {
  uint8_t tag;
  const char *name;
  int (*fields)(const struct bolt_version *v); // how many; -1: the version has no such message
  decode_fields *decode;
} rows[BOLT_MESSAGE_KINDS] = {
    [BOLT_HELLO] = {0x01, "HELLO", hello_fields, decode_hello},
    [BOLT_LOGON] = {0x6a, "LOGON", logon_fields, decode_logon},
    [BOLT_LOGOFF] = {0x6b, "LOGOFF", logoff_fields, decode_nothing},
    [BOLT_GOODBYE] = {0x02, "GOODBYE", since_3_none, decode_nothing},
    [BOLT_ACK_FAILURE] = {0x0e, "ACK_FAILURE", until_2_none, decode_nothing},
    [BOLT_RESET] = {0x0f, "RESET", always_none, decode_nothing},
    [BOLT_RUN] = {0x10, "RUN", run_fields, decode_run},
    [BOLT_PULL] = {0x3f, "PULL", pull_fields, decode_pull},
    [BOLT_DISCARD] = {0x2f, "DISCARD", pull_fields, decode_pull},
    [BOLT_BEGIN] = {0x11, "BEGIN", since_3_one, decode_begin},
    [BOLT_COMMIT] = {0x12, "COMMIT", since_3_none, decode_nothing},
    [BOLT_ROLLBACK] = {0x13, "ROLLBACK", since_3_none, decode_nothing},
    [BOLT_ROUTE] = {0x66, "ROUTE", route_fields, decode_route},
    [BOLT_TELEMETRY] = {0x54, "TELEMETRY", telemetry_fields, decode_telemetry},
};

const char *bolt_message_name(enum bolt_message_kind kind) {
  return kind < BOLT_MESSAGE_KINDS ? rows[kind].name : "unknown message";
}

static enum bolt_message_kind kind_of(const struct bolt_version *v, uint8_t tag) {
  for (enum bolt_message_kind kind = 0; kind < BOLT_MESSAGE_KINDS; kind++)
    if (rows[kind].tag == tag && rows[kind].fields(v) >= 0) return kind;
  return BOLT_MESSAGE_KINDS;
}

enum bolt_message_kind bolt_message_peek(const struct bolt_version *v, struct str bytes) {
  if (bytes.len < 2 || ((uint8_t) bytes.ptr[0] & 0xf0) != 0xb0) return BOLT_MESSAGE_KINDS;
  return kind_of(v, (uint8_t) bytes.ptr[1]);
}

static enum err read_fields(struct packstream_reader *r, struct input *in, uint32_t count, struct error *e) {
  for (uint32_t i = 0; i < count; i++) TRY(packstream_read_value(r, &in->fields[i], e));
  return packstream_read_end(r, e);
}

enum err bolt_message_decode(const struct bolt_version *v, const struct packstream_profile *values,
                             struct packstream_limits limits, struct str bytes, struct arena *arena, struct bolt_message *ret,
                             struct error *e) {
  struct packstream_reader r;
  packstream_reader_init(&r, *values, limits, bytes.ptr, bytes.len, arena);
  uint8_t tag;
  uint32_t fields;
  TRY(packstream_read_message(&r, &tag, &fields, e));
  struct bolt_message m = {.kind = kind_of(v, tag)};
  if (m.kind == BOLT_MESSAGE_KINDS)
    return error_set(e, ERR_PROTOCOL, "Bolt %u.%u has no message with the tag 0x%02X", v->major, v->minor, tag);
  uint32_t expected = (uint32_t) rows[m.kind].fields(v);
  if (fields != expected)
    return error_set(e, ERR_PROTOCOL, "%s has %u fields in Bolt %u.%u, not %u", rows[m.kind].name, expected, v->major, v->minor,
                     fields);
  struct input in = {.version = v, .arena = arena};
  TRY(read_fields(&r, &in, fields, e));
  TRY(rows[m.kind].decode(&in, &m, e));
  *ret = m;
  return ERR_OK;
}
