#include "bolt/relayed.h"

#include "base/planted.h"
#include "bolt/extra.h"

static void write_two(struct dict *to, struct str key, struct str name, uint64_t a, struct str other, uint64_t b) {
  struct dict inner;
  if (a == 0 && b == 0) return;
  dict_inner(to, key, &inner);
  dict_int(&inner, name, (int64_t) a);
  dict_int(&inner, other, (int64_t) b);
  dict_inner_end(to, &inner);
}

static enum err read_two(struct value from, struct str key, struct str name, uint64_t *ret_a, struct str other, uint64_t *ret_b,
                         struct error *e) {
  struct value inner = V_NULL;
  int64_t a = 0, b = 0;
  TRY(bolt_extra_map(from, key, &inner, e));
  if (!v_is_null(inner)) {
    TRY(bolt_extra_int(inner, name, &a, e));
    TRY(bolt_extra_int(inner, other, &b, e));
  }
  *ret_a = (uint64_t) a;
  *ret_b = (uint64_t) b;
  return ERR_OK;
}

void bolt_relayed_write_origin(struct dict *extra, struct dbms_origin origin) {
  write_two(extra, STR("origin"), STR("member"), origin.member, STR("sequence"), origin.sequence);
}

enum err bolt_relayed_read_origin(struct value extra, struct dbms_origin *ret, struct error *e) {
  return read_two(extra, STR("origin"), STR("member"), &ret->member, STR("sequence"), &ret->sequence, e);
}

void bolt_relayed_write_database(struct dict *extra, const struct dbms_tx_options *tx) {
  if (!uuid_is_none(tx->database_id)) dict_str(extra, STR("database"), str_of(uuid_text(tx->database_id).z));
}

enum err bolt_relayed_read_database(struct value extra, struct dbms_tx_options *ret, struct error *e) {
  struct str text = STR("");
  TRY(bolt_extra_str(extra, STR("database"), &text, e));
  if (text.len == 0 || uuid_parse(text, &ret->database_id)) return ERR_OK;
  return error_set(e, ERR_PROTOCOL, "Which database is meant is not said by a uuid.");
}

void bolt_relayed_write_linearizable(struct dict *extra, const struct dbms_tx_options *tx) {
  if (tx->linearizable) dict_bool(extra, STR("linearizable"), true);
}

enum err bolt_relayed_read_linearizable(struct value extra, struct dbms_tx_options *ret, struct error *e) {
  return bolt_extra_bool(extra, STR("linearizable"), &ret->linearizable, e);
}

void bolt_relayed_write_question(struct dict *extra, const struct dbms_tx_options *tx) {
  if (tx->asks_fate) dict_int(extra, STR("behind"), (int64_t) tx->behind);
  if (tx->wants_verdict) dict_bool(extra, STR("verdict"), true);
}

enum err bolt_relayed_read_question(struct value extra, struct dbms_tx_options *ret, struct error *e) {
  int64_t behind = 0;
  TRY(bolt_extra_int(extra, STR("behind"), &behind, e));
  ret->asks_fate = value_map_get(extra, STR("behind")) != NULL;
  ret->behind = (uint64_t) behind;
  return bolt_extra_bool(extra, STR("verdict"), &ret->wants_verdict, e);
}

static const char *const outcomes[] = {[DBMS_FATE_COMMITTED] = "committed",
                                       [DBMS_FATE_NOT_COMMITTED] = "not committed",
                                       [DBMS_FATE_UNKNOWN] = "unknown",
                                       [DBMS_FATE_NOT_MADE] = "not made"};

void bolt_relayed_write_fate(struct dict *meta, const struct dbms_fate *fate) {
  struct dict inner;
  if (fate->outcome == DBMS_FATE_UNASKED) return;
  dict_inner(meta, STR("fate"), &inner);
  dict_str(&inner, STR("outcome"), str_of(outcomes[fate->outcome]));
  if (fate->bookmark.len > 0) dict_str(&inner, STR("bookmark"), fate->bookmark);
  dict_inner_end(meta, &inner);
}

enum err bolt_relayed_read_fate(struct value meta, struct dbms_fate *ret, struct error *e) {
  struct value inner = V_NULL;
  struct str outcome = STR("");
  *ret = (struct dbms_fate){0};
  TRY(bolt_extra_map(meta, STR("fate"), &inner, e));
  if (v_is_null(inner)) return ERR_OK;
  TRY(bolt_extra_str(inner, STR("outcome"), &outcome, e));
  TRY(bolt_extra_str(inner, STR("bookmark"), &ret->bookmark, e));
  for (size_t i = DBMS_FATE_COMMITTED; i < ARRAY_SIZE(outcomes); i++)
    if (str_eqz(outcome, outcomes[i])) ret->outcome = (enum dbms_outcome) i;
  if (PLANTED(relayed) && ret->outcome == DBMS_FATE_NOT_COMMITTED && ret->bookmark.len > 0) planted_memory_error();
  return ret->outcome != DBMS_FATE_UNASKED
             ? ERR_OK
             : error_set(e, ERR_PROTOCOL, "The fate of a transaction is none of those that there are");
}

void bolt_relayed_write_place(struct dict *meta, struct dbms_place place) {
  write_two(meta, STR("place"), STR("term"), place.term, STR("last"), place.last);
}

enum err bolt_relayed_read_place(struct value meta, struct dbms_place *ret, struct error *e) {
  return read_two(meta, STR("place"), STR("term"), &ret->term, STR("last"), &ret->last, e);
}

void bolt_relayed_write_client(struct dict *extra, const struct dbms_client *client) {
  struct dict inner;
  dict_inner(extra, STR("client"), &inner);
  dict_int(&inner, STR("neo4j_major"), client->neo4j_major);
  dict_bool(&inner, STR("legacy_bookmarks"), client->legacy_bookmarks);
  if (client->gateway.len > 0) dict_str(&inner, STR("gateway"), client->gateway);
  dict_inner_end(extra, &inner);
}

enum err bolt_relayed_read_client(struct value extra, struct dbms_client *client, struct error *e) {
  struct value inner = V_NULL;
  int64_t major = client->neo4j_major;
  TRY(bolt_extra_map(extra, STR("client"), &inner, e));
  if (v_is_null(inner)) return ERR_OK;
  TRY(bolt_extra_int(inner, STR("neo4j_major"), &major, e));
  TRY(bolt_extra_bool(inner, STR("legacy_bookmarks"), &client->legacy_bookmarks, e));
  TRY(bolt_extra_str(inner, STR("gateway"), &client->gateway, e));
  client->neo4j_major = (uint32_t) MIN(MAX(major, INT64_C(0)), INT64_C(255));
  return ERR_OK;
}
