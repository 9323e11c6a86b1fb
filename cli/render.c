#include "cli/render.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value/temporal.h"

// A server may send anything: fields of structures are looked at by kind.
static struct str text_of(const struct packed *p) {
  return p->kind == PACKED_STRING ? p->s : STR("?");
}

static int64_t int_of(const struct packed *p) {
  return p->kind == PACKED_INT ? p->i : 0;
}

static enum err append(struct buf *out, const char *text) {
  return buf_append_str(out, str_of(text));
}

static bool is_plain_name(struct str s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char) s.ptr[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return s.len > 0;
}

static enum err render_name(struct buf *out, struct str name) {
  if (is_plain_name(name)) return buf_append_str(out, name);
  TRY(append(out, "`"));
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '`') TRY(append(out, "`"));
    TRY(buf_append_byte(out, (uint8_t) name.ptr[i]));
  }
  return append(out, "`");
}

static enum err render_string(struct buf *out, struct str s) {
  TRY(append(out, "\""));
  for (size_t i = 0; i < s.len; i++) {
    const char *escape = s.ptr[i] == '"' ? "\\\"" : s.ptr[i] == '\\' ? "\\\\" : s.ptr[i] == '\n' ? "\\n" : s.ptr[i] == '\t' ? "\\t" : s.ptr[i] == '\r' ? "\\r" : NULL;
    TRY(escape != NULL ? append(out, escape) : buf_append_byte(out, (uint8_t) s.ptr[i]));
  }
  return append(out, "\"");
}

/// The shortest text that reads back as the same number, with a point or an exponent.
static enum err render_float(struct buf *out, double f) {
  if (isnan(f)) return append(out, "NaN");
  if (isinf(f)) return append(out, f > 0 ? "Infinity" : "-Infinity");
  char text[40];
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, f);
    if (strtod(text, NULL) == f) break;
  }
  TRY(append(out, text));
  return strpbrk(text, ".e") == NULL ? append(out, ".0") : ERR_OK;
}

static enum err render_list(struct buf *out, const struct packed *v) {
  TRY(append(out, "["));
  for (uint32_t i = 0; i < v->len; i++) {
    if (i > 0) TRY(append(out, ", "));
    TRY(render_value(out, &v->items[i]));
  }
  return append(out, "]");
}

static enum err render_map(struct buf *out, const struct packed *v) {
  TRY(append(out, "{"));
  for (uint32_t i = 0; i < v->len; i++) {
    if (i > 0) TRY(append(out, ", "));
    TRY(render_name(out, v->items[2 * i].s));
    TRY(append(out, ": "));
    TRY(render_value(out, &v->items[2 * i + 1]));
  }
  return append(out, "}");
}

static enum err render_properties(struct buf *out, const struct packed *properties, bool space) {
  if (properties->kind != PACKED_MAP || properties->len == 0) return ERR_OK;
  if (space) TRY(append(out, " "));
  return render_map(out, properties);
}

/// Node: id, labels, properties, element id.
static enum err render_node(struct buf *out, const struct packed *v) {
  TRY(append(out, "("));
  const struct packed *labels = &v->items[1];
  for (uint32_t i = 0; labels->kind == PACKED_LIST && i < labels->len; i++) {
    TRY(append(out, ":"));
    TRY(render_name(out, text_of(&labels->items[i])));
  }
  TRY(render_properties(out, &v->items[2], labels->kind == PACKED_LIST && labels->len > 0));
  return append(out, ")");
}

static enum err render_rel(struct buf *out, const struct packed *type, const struct packed *properties) {
  TRY(append(out, "[:"));
  TRY(render_name(out, text_of(type)));
  TRY(render_properties(out, properties, true));
  return append(out, "]");
}

/// Path: nodes, relationships without ends, and pairs of (relationship number from 1, negative against its direction; node number).
static enum err render_path(struct buf *out, const struct packed *v) {
  const struct packed *nodes = &v->items[0], *rels = &v->items[1], *steps = &v->items[2];
  if (nodes->kind != PACKED_LIST || rels->kind != PACKED_LIST || steps->kind != PACKED_LIST || nodes->len == 0) return append(out, "<path>");
  TRY(render_value(out, &nodes->items[0]));
  for (uint32_t i = 0; i + 1 < steps->len; i += 2) {
    int64_t rel = int_of(&steps->items[i]), node = int_of(&steps->items[i + 1]);
    uint64_t number = (uint64_t) (rel < 0 ? -rel : rel);
    if (number == 0 || number > rels->len || node < 0 || node >= nodes->len || rels->items[number - 1].kind != PACKED_STRUCT || rels->items[number - 1].len < 3) return append(out, "<path>");
    const struct packed *r = &rels->items[number - 1];
    TRY(append(out, rel < 0 ? "<-" : "-"));
    TRY(render_rel(out, &r->items[1], &r->items[2]));
    TRY(append(out, rel < 0 ? "-" : "->"));
    TRY(render_value(out, &nodes->items[node]));
  }
  return ERR_OK;
}

static enum err render_instant(struct buf *out, struct value v) {
  char text[TEMPORAL_TEXT_MAX];
  if (!temporal_in_range(v)) return append(out, "<out of range>");
  size_t len = temporal_put(v, text);
  return buf_append(out, text, len);
}

/// DateTime with a zone's name; an unknown zone is shown as UTC with its name.
static enum err render_zoned(struct buf *out, int64_t seconds, int64_t nanos, struct str zone, bool is_local) {
  int32_t id;
  if (zone_find(zone, &id, NULL) != ERR_OK) {
    TRY(render_instant(out, v_datetime(seconds, (uint32_t) nanos, ZONE_UTC)));
    return buf_printf(out, "[%.*s]", STR_ARG(zone));
  }
  if (is_local) seconds -= zone_offset_at_local(id, seconds);
  return render_instant(out, v_datetime(seconds, (uint32_t) nanos, id));
}

static enum err render_duration(struct buf *out, const struct packed *v) {
  struct value_duration d = {int_of(&v->items[0]), int_of(&v->items[1]), int_of(&v->items[2]), (int32_t) int_of(&v->items[3])};
  return render_instant(out, (struct value){.type = VALUE_DURATION, .duration = &d});
}

static enum err render_point(struct buf *out, const struct packed *v) {
  static const char *const names[] = {"x", "y", "z"};
  TRY(buf_printf(out, "point({srid:%" PRId64, int_of(&v->items[0])));
  for (uint32_t i = 1; i < v->len && i <= 3; i++) {
    TRY(buf_printf(out, ", %s:", names[i - 1]));
    TRY(render_value(out, &v->items[i]));
  }
  return append(out, "})");
}

static enum err render_struct(struct buf *out, const struct packed *v) {
  const struct packed *f = v->items;
  switch (v->tag << 8 | (int) v->len) {
    case 'N' << 8 | 3:
    case 'N' << 8 | 4: return render_node(out, v);
    case 'R' << 8 | 5:
    case 'R' << 8 | 8: return render_rel(out, &f[3], &f[4]);
    case 'r' << 8 | 3:
    case 'r' << 8 | 4: return render_rel(out, &f[1], &f[2]);
    case 'P' << 8 | 3: return render_path(out, v);
    case 'D' << 8 | 1: return render_instant(out, v_date(int_of(&f[0])));
    case 'T' << 8 | 2: return render_instant(out, v_time(int_of(&f[0]), (int32_t) int_of(&f[1])));
    case 't' << 8 | 1: return render_instant(out, v_local_time(int_of(&f[0])));
    case 'd' << 8 | 2: return render_instant(out, v_local_datetime(int_of(&f[0]), (uint32_t) int_of(&f[1])));
    case 'I' << 8 | 3: return render_instant(out, v_datetime(int_of(&f[0]), (uint32_t) int_of(&f[1]), (int32_t) int_of(&f[2])));
    case 'F' << 8 | 3: return render_instant(out, v_datetime(int_of(&f[0]) - int_of(&f[2]), (uint32_t) int_of(&f[1]), (int32_t) int_of(&f[2])));
    case 'i' << 8 | 3: return render_zoned(out, int_of(&f[0]), int_of(&f[1]), text_of(&f[2]), false);
    case 'f' << 8 | 3: return render_zoned(out, int_of(&f[0]), int_of(&f[1]), text_of(&f[2]), true);
    case 'E' << 8 | 4: return render_duration(out, v);
    case 'X' << 8 | 3:
    case 'Y' << 8 | 4: return render_point(out, v);
    default: return buf_printf(out, "<structure %02X>", v->tag);
  }
}

enum err render_value(struct buf *out, const struct packed *v) {
  switch (v->kind) {
    case PACKED_NULL: return append(out, "NULL");
    case PACKED_BOOL: return append(out, v->b ? "TRUE" : "FALSE");
    case PACKED_INT: return buf_printf(out, "%" PRId64, v->i);
    case PACKED_FLOAT: return render_float(out, v->f);
    case PACKED_STRING: return render_string(out, v->s);
    case PACKED_BYTES: {
      TRY(append(out, "["));
      for (size_t i = 0; i < v->s.len; i++) TRY(buf_printf(out, i > 0 ? ", %d" : "%d", (unsigned char) v->s.ptr[i]));
      return append(out, "]");
    }
    case PACKED_LIST: return render_list(out, v);
    case PACKED_MAP: return render_map(out, v);
    case PACKED_STRUCT: return render_struct(out, v);
  }
  return ERR_INTERNAL;
}
