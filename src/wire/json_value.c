// Values as JSON. Sources: Neo4j HTTP API manual (row format), Query API manual (plain and typed JSON).
#include <stdio.h>

#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text.h"
#include "wire/json.h"

struct context {
  struct json_writer *w;
  enum json_style style;
  int depth;
  struct error *e;
};

static enum err write_value(struct context *c, struct value v);

static enum err write_items(struct context *c, const struct value *items, uint32_t len) {
  TRY(json_begin_list(c->w));
  for (uint32_t i = 0; i < len; i++) TRY(write_value(c, items[i]));
  return json_end_list(c->w);
}

static enum err write_entries(struct context *c, const struct value_entry *entries, uint32_t len) {
  TRY(json_begin_map(c->w));
  for (uint32_t i = 0; i < len; i++) {
    TRY(json_key(c->w, entries[i].key));
    TRY(write_value(c, entries[i].value));
  }
  return json_end_map(c->w);
}

static enum err write_member(struct context *c, const char *key, struct str text) {
  TRY(json_key(c->w, str_of(key)));
  return json_str(c->w, text);
}

static enum err write_labels(struct context *c, const char *key, const struct value_node *n) {
  TRY(json_key(c->w, str_of(key)));
  TRY(json_begin_list(c->w));
  for (uint32_t i = 0; i < n->label_count; i++) TRY(json_str(c->w, n->labels[i]));
  return json_end_list(c->w);
}

static enum err write_node(struct context *c, const struct value_node *n) {
  if (c->style == JSON_ROW) return write_entries(c, n->properties, n->property_count);
  bool typed = c->style == JSON_TYPED;
  TRY(json_begin_map(c->w));
  TRY(write_member(c, typed ? "_element_id" : "elementId", n->element_id));
  TRY(write_labels(c, typed ? "_labels" : "labels", n));
  TRY(json_key(c->w, typed ? STR("_properties") : STR("properties")));
  TRY(write_entries(c, n->properties, n->property_count));
  return json_end_map(c->w);
}

static enum err write_rel(struct context *c, const struct value_rel *r) {
  if (c->style == JSON_ROW) return write_entries(c, r->properties, r->property_count);
  bool typed = c->style == JSON_TYPED;
  TRY(json_begin_map(c->w));
  TRY(write_member(c, typed ? "_element_id" : "elementId", r->element_id));
  TRY(write_member(c, typed ? "_start_node_element_id" : "startNodeElementId", r->start_element_id));
  TRY(write_member(c, typed ? "_end_node_element_id" : "endNodeElementId", r->end_element_id));
  TRY(write_member(c, typed ? "_type" : "type", r->type));
  TRY(json_key(c->w, typed ? STR("_properties") : STR("properties")));
  TRY(write_entries(c, r->properties, r->property_count));
  return json_end_map(c->w);
}

/// Nodes and relationships in turn.
static enum err write_path(struct context *c, const struct value_path *p) {
  TRY(json_begin_list(c->w));
  TRY(write_value(c, p->nodes[0]));
  for (uint32_t i = 0; i < p->len; i++) {
    TRY(write_value(c, p->rels[i]));
    TRY(write_value(c, p->nodes[i + 1]));
  }
  return json_end_list(c->w);
}

enum { WKT_MAX = 128 };

/// "SRID=4326;POINT (1.5 2.5)": extended well-known text.
static enum err write_point_text(struct context *c, const struct value_point *p) {
  char out[WKT_MAX], x[TEXT_FLOAT_MAX], y[TEXT_FLOAT_MAX], z[TEXT_FLOAT_MAX];
  int x_len = (int) text_put_float(p->x, x), y_len = (int) text_put_float(p->y, y), z_len = (int) text_put_float(p->z, z);
  bool is_3d = spatial_is_3d(p->srid);
  int len = snprintf(out, sizeof out, "SRID=%u;POINT %s(%.*s %.*s%s%.*s)", p->srid, is_3d ? "Z " : "", x_len, x, y_len, y,
                     is_3d ? " " : "", is_3d ? z_len : 0, z);
  return json_str(c->w, (struct str){out, (size_t) len});
}

/// GeoJSON with a crs member, as the transaction endpoint has it.
static enum err write_point_object(struct context *c, const struct value_point *p) {
  struct value name;
  TRY(spatial_get(p, STR("crs"), &name, c->e));
  TRY(json_begin_map(c->w));
  TRY(write_member(c, "type", STR("Point")));
  TRY(json_key(c->w, STR("coordinates")));
  TRY(json_begin_list(c->w));
  TRY(json_float(c->w, p->x));
  TRY(json_float(c->w, p->y));
  if (spatial_is_3d(p->srid)) TRY(json_float(c->w, p->z));
  TRY(json_end_list(c->w));
  TRY(json_key(c->w, STR("crs")));
  TRY(json_begin_map(c->w));
  TRY(json_key(c->w, STR("srid")));
  TRY(json_int(c->w, p->srid));
  TRY(write_member(c, "name", v_text(name)));
  TRY(json_end_map(c->w));
  return json_end_map(c->w);
}

/// RFC 4648 section 4, straight into the buffer: a string without escapes.
static enum err write_base64(struct context *c, const uint8_t *bytes, uint32_t len) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  TRY(json_str(c->w, STR("")));
  c->w->out->len--;
  for (uint32_t i = 0; i < len; i += 3) {
    uint32_t left = len - i,
             group = (uint32_t) bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], left > 1 ? alphabet[group >> 6 & 63] : '=',
                    left > 2 ? alphabet[group & 63] : '='};
    TRY(buf_append(c->w->out, four, sizeof four));
  }
  return buf_append_byte(c->w->out, '"');
}

static enum err write_bytes(struct context *c, struct value v) {
  if (c->style != JSON_ROW) return write_base64(c, v.bytes, v.len);
  TRY(json_begin_list(c->w));
  for (uint32_t i = 0; i < v.len; i++) TRY(json_int(c->w, (int8_t) v.bytes[i]));
  return json_end_list(c->w);
}

static enum err write_temporal(struct context *c, struct value v) {
  char text[TEMPORAL_TEXT_MAX];
  return json_str(c->w, (struct str){text, temporal_put(v, text)});
}

/// Numbers are text in typed JSON, because readers of JSON have doubles only.
static enum err write_number(struct context *c, struct value v) {
  char text[TEXT_FLOAT_MAX];
  if (c->style != JSON_TYPED) return v.type == VALUE_INT ? json_int(c->w, v.i) : json_float(c->w, v.f);
  size_t len = v.type == VALUE_INT ? text_put_int(v.i, text) : text_put_float(v.f, text);
  return json_str(c->w, (struct str){text, len});
}

static enum err write_bare(struct context *c, struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return json_null(c->w);
  case VALUE_BOOL: return json_bool(c->w, v.b);
  case VALUE_INT:
  case VALUE_FLOAT: return write_number(c, v);
  case VALUE_STRING: return json_str(c->w, v_text(v));
  case VALUE_BYTES: return write_bytes(c, v);
  case VALUE_LIST: return write_items(c, v.items, v.len);
  case VALUE_MAP: return write_entries(c, v.entries, v.len);
  case VALUE_NODE: return write_node(c, v.node);
  case VALUE_REL: return write_rel(c, v.rel);
  case VALUE_PATH: return write_path(c, v.path);
  case VALUE_POINT: return c->style == JSON_ROW ? write_point_object(c, v.point) : write_point_text(c, v.point);
  default: return write_temporal(c, v);
  }
}

static const char *typed_name(struct value v) {
  static const char *const names[VALUE_TYPE_MAX] = {
      [VALUE_NULL] = "Null",
      [VALUE_BOOL] = "Boolean",
      [VALUE_INT] = "Integer",
      [VALUE_FLOAT] = "Float",
      [VALUE_STRING] = "String",
      [VALUE_BYTES] = "Base64",
      [VALUE_LIST] = "List",
      [VALUE_MAP] = "Map",
      [VALUE_NODE] = "Node",
      [VALUE_REL] = "Relationship",
      [VALUE_PATH] = "Path",
      [VALUE_DATE] = "Date",
      [VALUE_LOCAL_TIME] = "LocalTime",
      [VALUE_TIME] = "Time",
      [VALUE_LOCAL_DATETIME] = "LocalDateTime",
      [VALUE_DURATION] = "Duration",
      [VALUE_POINT] = "Point",
  };
  if (v.type == VALUE_DATETIME) return zone_is_id(v.aux) ? "ZonedDateTime" : "OffsetDateTime";
  return names[v.type];
}

static enum err write_typed(struct context *c, struct value v) {
  TRY(json_begin_map(c->w));
  TRY(write_member(c, "$type", str_of(typed_name(v))));
  TRY(json_key(c->w, STR("_value")));
  TRY(write_bare(c, v));
  return json_end_map(c->w);
}

static enum err write_value(struct context *c, struct value v) {
  if (c->depth >= VALUE_DEPTH_MAX)
    return error_set(c->e, ERR_LIMIT, "The value is nested more than %d levels deep.", VALUE_DEPTH_MAX);
  if ((v.type == VALUE_NODE || v.type == VALUE_REL) && !(v.aux & VALUE_HYDRATED))
    return error_set(c->e, ERR_INTERNAL, "An entity reached the encoder as a bare id.");
  c->depth++;
  enum err err = c->style == JSON_TYPED ? write_typed(c, v) : write_bare(c, v);
  c->depth--;
  return err;
}

enum err json_value(struct json_writer *w, enum json_style style, struct value v, struct error *e) {
  struct context c = {.w = w, .style = style, .e = e};
  enum err err = write_value(&c, v);
  return err == ERR_NOMEM ? error_ensure(e, ERR_NOMEM) : err;
}
