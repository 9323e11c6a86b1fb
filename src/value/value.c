#include "value/value.h"

#include <string.h>

static const char *const type_names[VALUE_TYPE_MAX] = {
    [VALUE_NULL] = "NULL",
    [VALUE_BOOL] = "BOOLEAN",
    [VALUE_INT] = "INTEGER",
    [VALUE_FLOAT] = "FLOAT",
    [VALUE_STRING] = "STRING",
    [VALUE_BYTES] = "BYTES",
    [VALUE_LIST] = "LIST",
    [VALUE_MAP] = "MAP",
    [VALUE_NODE] = "NODE",
    [VALUE_REL] = "RELATIONSHIP",
    [VALUE_PATH] = "PATH",
    [VALUE_DATE] = "DATE",
    [VALUE_LOCAL_TIME] = "LOCAL TIME",
    [VALUE_TIME] = "ZONED TIME",
    [VALUE_LOCAL_DATETIME] = "LOCAL DATETIME",
    [VALUE_DATETIME] = "ZONED DATETIME",
    [VALUE_DURATION] = "DURATION",
    [VALUE_POINT] = "POINT",
};

const char *value_type_name(enum value_type type) {
  return (unsigned) type < VALUE_TYPE_MAX ? type_names[type] : "UNKNOWN";
}

/// Insertion sort: stable, and most maps are small.
static void sort_few(struct value_entry *entries, uint32_t len) {
  for (uint32_t i = 1; i < len; i++) {
    struct value_entry moving = entries[i];
    uint32_t at = i;
    for (; at > 0 && str_cmp(entries[at - 1].key, moving.key) > 0; at--) entries[at] = entries[at - 1];
    entries[at] = moving;
  }
}

/// Where `key` belongs: before or behind those equal to it.
static uint32_t find_place(const struct value_entry *entries, uint32_t len, struct str key, bool behind_equals) {
  uint32_t low = 0, high = len;
  while (low < high) {
    uint32_t at = low + (high - low) / 2;
    int c = str_cmp(entries[at].key, key);
    if (c < 0 || (c == 0 && behind_equals))
      low = at + 1;
    else
      high = at;
  }
  return low;
}

static void reverse_entries(struct value_entry *entries, uint32_t len) {
  for (uint32_t i = 0; i + 1 < len - i; i++) {
    struct value_entry other = entries[len - 1 - i];
    entries[len - 1 - i] = entries[i];
    entries[i] = other;
  }
}

static void rotate(struct value_entry *entries, uint32_t middle, uint32_t len) {
  if (middle == 0 || middle == len) return;
  reverse_entries(entries, middle);
  reverse_entries(entries + middle, len - middle);
  reverse_entries(entries, len);
}

/// Makes one sorted run of two neighbours, in place and stable: cuts the longer in half, finds where the cut falls in the other,
/// swaps the two inner pieces, and goes on with both sides.
static void merge_runs(struct value_entry *entries, uint32_t middle, uint32_t len) {
  if (middle == 0 || middle == len || str_cmp(entries[middle - 1].key, entries[middle].key) <= 0) return;
  if (len == 2) {
    rotate(entries, 1, 2);
    return;
  }
  uint32_t left, right;
  if (middle >= len - middle) {
    left = middle / 2;
    right = middle + find_place(entries + middle, len - middle, entries[left].key, false);
  } else {
    right = middle + (len - middle) / 2;
    left = find_place(entries, middle, entries[right].key, true);
  }
  rotate(entries + left, middle - left, right - left);
  uint32_t cut = left + (right - middle);
  merge_runs(entries, left, cut);
  merge_runs(entries + cut, right - cut, len - cut);
}

enum { FEW_ENTRIES = 12 };

static void sort_entries(struct value_entry *entries, uint32_t len) {
  if (len <= FEW_ENTRIES) {
    sort_few(entries, len);
    return;
  }
  sort_entries(entries, len / 2);
  sort_entries(entries + len / 2, len - len / 2);
  merge_runs(entries, len / 2, len);
}

uint32_t value_map_sort(struct value_entry *entries, uint32_t len) {
  sort_entries(entries, len);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < len; i++) {
    if (kept > 0 && str_eq(entries[kept - 1].key, entries[i].key)) kept--;
    entries[kept++] = entries[i];
  }
  return kept;
}

const struct value *value_map_get(struct value map, struct str key) {
  uint32_t low = 0, high = map.len;
  while (low < high) {
    uint32_t at = low + (high - low) / 2;
    int c = str_cmp(map.entries[at].key, key);
    if (c == 0) return &map.entries[at].value;
    if (c < 0)
      low = at + 1;
    else
      high = at;
  }
  return NULL;
}

static enum err copy_value(struct arena *a, struct value v, struct value *ret, int depth, struct error *e);

static enum err copy_bytes(struct arena *a, const void *from, size_t bytes, const void **ret, struct error *e) {
  void *p = arena_copy(a, from, bytes);
  if (p == NULL) return arena_err(a, e);
  *ret = p;
  return ERR_OK;
}

static enum err copy_text(struct arena *a, struct str from, struct str *ret, struct error *e) {
  struct str s = arena_str(a, from);
  if (s.ptr == NULL) return arena_err(a, e);
  *ret = s;
  return ERR_OK;
}

static enum err copy_items(struct arena *a, const struct value *from, uint32_t len, const struct value **ret, int depth,
                           struct error *e) {
  struct value *items = ARENA_ARRAY(a, struct value, len);
  if (items == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < len; i++) TRY(copy_value(a, from[i], &items[i], depth, e));
  *ret = items;
  return ERR_OK;
}

static enum err copy_entries(struct arena *a, const struct value_entry *from, uint32_t len, const struct value_entry **ret,
                             int depth, struct error *e) {
  struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, len);
  if (entries == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < len; i++) {
    TRY(copy_text(a, from[i].key, &entries[i].key, e));
    TRY(copy_value(a, from[i].value, &entries[i].value, depth, e));
  }
  *ret = entries;
  return ERR_OK;
}

static enum err copy_node(struct arena *a, const struct value_node *from, const struct value_node **ret, int depth,
                          struct error *e) {
  struct value_node *n = arena_copy(a, from, sizeof *from);
  struct str *labels = ARENA_ARRAY(a, struct str, from->label_count);
  if (n == NULL || labels == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < from->label_count; i++) TRY(copy_text(a, from->labels[i], &labels[i], e));
  n->labels = labels;
  TRY(copy_text(a, from->element_id, &n->element_id, e));
  TRY(copy_entries(a, from->properties, from->property_count, &n->properties, depth, e));
  *ret = n;
  return ERR_OK;
}

static enum err copy_rel(struct arena *a, const struct value_rel *from, const struct value_rel **ret, int depth,
                         struct error *e) {
  struct value_rel *r = arena_copy(a, from, sizeof *from);
  if (r == NULL) return arena_err(a, e);
  TRY(copy_text(a, from->element_id, &r->element_id, e));
  TRY(copy_text(a, from->start_element_id, &r->start_element_id, e));
  TRY(copy_text(a, from->end_element_id, &r->end_element_id, e));
  TRY(copy_text(a, from->type, &r->type, e));
  TRY(copy_entries(a, from->properties, from->property_count, &r->properties, depth, e));
  *ret = r;
  return ERR_OK;
}

static enum err copy_path(struct arena *a, const struct value_path *from, const struct value_path **ret, int depth,
                          struct error *e) {
  struct value_path *p = arena_copy(a, from, sizeof *from);
  if (p == NULL) return arena_err(a, e);
  TRY(copy_items(a, from->nodes, from->len + 1, &p->nodes, depth, e));
  TRY(copy_items(a, from->rels, from->len, &p->rels, depth, e));
  TRY(copy_bytes(a, from->reversed, from->len * sizeof(bool), (const void **) &p->reversed, e));
  *ret = p;
  return ERR_OK;
}

static enum err copy_value(struct arena *a, struct value v, struct value *ret, int depth, struct error *e) {
  if (depth > VALUE_DEPTH_MAX) return error_set(e, ERR_LIMIT, "The value is nested more than %d levels deep.", VALUE_DEPTH_MAX);
  switch ((enum value_type) v.type) {
  case VALUE_STRING:
  case VALUE_BYTES: TRY(copy_bytes(a, v.bytes, v.len, (const void **) &v.bytes, e)); break;
  case VALUE_LIST: TRY(copy_items(a, v.items, v.len, &v.items, depth + 1, e)); break;
  case VALUE_MAP: TRY(copy_entries(a, v.entries, v.len, &v.entries, depth + 1, e)); break;
  case VALUE_NODE:
    if (v.aux & VALUE_HYDRATED) TRY(copy_node(a, v.node, &v.node, depth + 1, e));
    break;
  case VALUE_REL:
    if (v.aux & VALUE_HYDRATED) TRY(copy_rel(a, v.rel, &v.rel, depth + 1, e));
    break;
  case VALUE_PATH: TRY(copy_path(a, v.path, &v.path, depth + 1, e)); break;
  case VALUE_DURATION: TRY(copy_bytes(a, v.duration, sizeof *v.duration, (const void **) &v.duration, e)); break;
  case VALUE_POINT: TRY(copy_bytes(a, v.point, sizeof *v.point, (const void **) &v.point, e)); break;
  default: break;
  }
  *ret = v;
  return ERR_OK;
}

enum err value_copy(struct arena *a, struct value v, struct value *ret, struct error *e) {
  return copy_value(a, v, ret, 0, e);
}
