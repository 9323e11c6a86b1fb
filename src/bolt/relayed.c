#include "bolt/relayed.h"

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
  dict_inner_end(extra, &inner);
}

enum err bolt_relayed_read_client(struct value extra, struct dbms_client *client, struct error *e) {
  struct value inner = V_NULL;
  int64_t major = client->neo4j_major;
  TRY(bolt_extra_map(extra, STR("client"), &inner, e));
  if (v_is_null(inner)) return ERR_OK;
  TRY(bolt_extra_int(inner, STR("neo4j_major"), &major, e));
  TRY(bolt_extra_bool(inner, STR("legacy_bookmarks"), &client->legacy_bookmarks, e));
  client->neo4j_major = (uint32_t) MIN(MAX(major, INT64_C(0)), INT64_C(255));
  return ERR_OK;
}
