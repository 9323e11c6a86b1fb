// A Cypher value in 16 bytes.
//
// Scalars and instants live inside; strings, lists, maps and the rest point to memory that the value does not own: an arena,
// a parameter, a page (then valid only until page access is left: value_copy takes it along). Values are immutable once made,
// so copying the 16 bytes shares them. A zeroed struct is null.
//
// Equality, equivalence and ordering are three functions (value/compare.h), because Cypher has three relations:
// `=` is three-valued, DISTINCT and grouping treat null and NaN as equal to themselves, ORDER BY orders everything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum value_type {
  VALUE_NULL,
  VALUE_BOOL,
  VALUE_INT,
  VALUE_FLOAT,
  VALUE_STRING,
  VALUE_BYTES,
  VALUE_LIST,
  VALUE_MAP,
  VALUE_NODE,
  VALUE_REL,
  VALUE_PATH,
  VALUE_DATE,
  VALUE_LOCAL_TIME,
  VALUE_TIME,
  VALUE_LOCAL_DATETIME,
  VALUE_DATETIME,
  VALUE_DURATION,
  VALUE_POINT,
  VALUE_TYPE_MAX,
};

/// Lists, maps and paths nest at most so deep: the wire decoder, the copy and value_check refuse more, so that walks may recurse.
enum { VALUE_DEPTH_MAX = 1000 };

struct value_entry;
struct value_node;
struct value_rel;
struct value_path;

/// Months, days and seconds do not convert into each other. 0 <= nanos < 1e9; the sign of a fraction is in `seconds`.
struct value_duration {
  int64_t months, days, seconds;
  int32_t nanos;
};

/// srid 4326 WGS-84 2D (x longitude, y latitude), 4979 WGS-84 3D, 7203 Cartesian 2D, 9157 Cartesian 3D.
struct value_point {
  uint32_t srid;
  double x, y, z; // z is 0 in two dimensions
};

struct value {
  uint32_t type : 8; // enum value_type
  int32_t aux : 24;  // TIME: offset in seconds; DATETIME: offset in seconds, or zone (see zone_is_id); NODE, REL: VALUE_HYDRATED;
                     // LIST, MAP: see value/weight.h
  uint32_t len;      // STRING, BYTES: bytes; LIST: items; MAP: entries; LOCAL_DATETIME, DATETIME: nanoseconds of the second
  union {
    bool b;
    int64_t i; // INT; DATE: days since 1970-01-01; LOCAL_TIME, TIME: nanoseconds since local midnight;
               // LOCAL_DATETIME: seconds since the epoch as if UTC; DATETIME: seconds since the epoch in UTC
    double f;
    uint64_t id; // NODE, REL: the entity id, when not hydrated
    const char *s;
    const uint8_t *bytes;
    const struct value *items;
    const struct value_entry *entries; // sorted by key, bytewise; no key twice
    const struct value_node *node;
    const struct value_rel *rel;
    const struct value_path *path;
    const struct value_duration *duration;
    const struct value_point *point;
  };
};

_Static_assert(sizeof(struct value) == 16, "a value is sixteen bytes");

struct value_entry {
  struct str key;
  struct value value;
};

/// In `aux` of NODE and REL: the payload is a pointer to the full entity, not its id.
enum { VALUE_HYDRATED = 1 };

/// A node as it goes to a client. `element_id` is "4:<database uuid>:<id>".
struct value_node {
  uint64_t id;
  struct str element_id;
  const struct str *labels;
  uint32_t label_count;
  uint32_t property_count;
  const struct value_entry *properties; // sorted by key
  bool deleted;                         // deleted in this transaction: no labels, no properties
};

/// A relationship as it goes to a client. Element ids begin with "5:" and, for its ends, "4:".
struct value_rel {
  uint64_t id, start, end;
  struct str element_id, start_element_id, end_element_id;
  struct str type;
  uint32_t property_count;
  const struct value_entry *properties;
  bool deleted;
};

/// A path: len relationships and len + 1 nodes, in the order in which they were walked. Items are NODE and REL values, hydrated
/// or not. `reversed[i]` says that rels[i] was walked against its direction.
struct value_path {
  uint32_t len;
  const struct value *nodes;
  const struct value *rels;
  const bool *reversed;
};

#define V_NULL ((struct value){0})

static inline struct value v_bool(bool b) {
  return (struct value){.type = VALUE_BOOL, .b = b};
}
static inline struct value v_int(int64_t i) {
  return (struct value){.type = VALUE_INT, .i = i};
}
static inline struct value v_float(double f) {
  return (struct value){.type = VALUE_FLOAT, .f = f};
}
/// The text must be UTF-8 of less than 4 GiB and outlive the value.
static inline struct value v_str(struct str s) {
  return (struct value){.type = VALUE_STRING, .len = (uint32_t) s.len, .s = s.ptr != NULL ? s.ptr : ""};
}
static inline struct value v_bytes(const void *p, uint32_t len) {
  return (struct value){.type = VALUE_BYTES, .len = len, .bytes = p};
}
static inline struct value v_list(const struct value *items, uint32_t len) {
  return (struct value){.type = VALUE_LIST, .len = len, .items = items};
}
/// `entries` sorted by key without doubles: see value_map_sort.
static inline struct value v_map(const struct value_entry *entries, uint32_t len) {
  return (struct value){.type = VALUE_MAP, .len = len, .entries = entries};
}
static inline struct value v_node(uint64_t id) {
  return (struct value){.type = VALUE_NODE, .id = id};
}
static inline struct value v_rel(uint64_t id) {
  return (struct value){.type = VALUE_REL, .id = id};
}
static inline bool v_is_null(struct value v) {
  return v.type == VALUE_NULL;
}
static inline struct str v_text(struct value v) {
  return (struct str){v.s, v.len};
}
/// The entity id of a NODE or REL, hydrated or not.
static inline uint64_t v_id(struct value v) {
  if (!(v.aux & VALUE_HYDRATED)) return v.id;
  return v.type == VALUE_NODE ? v.node->id : v.rel->id;
}

/// Sorts entries by key; of equal keys the last wins. Returns how many are left.
uint32_t value_map_sort(struct value_entry *entries, uint32_t len);

/// The entry's value, or NULL. Binary search.
const struct value *value_map_get(struct value map, struct str key);

/// Deep copy into `a`. ERR_LIMIT for more than VALUE_DEPTH_MAX levels, ERR_NOMEM or the arena's budget error.
enum err value_copy(struct arena *a, struct value v, struct value *ret, struct error *e) NODISCARD;

/// Cypher's name of the type: "INTEGER", "LIST", "ZONED DATETIME", ... as error messages and valueType() show it. Static.
const char *value_type_name(enum value_type type);
