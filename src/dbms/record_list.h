// Rows with named columns, built by procedures and SHOW commands before they are given out. Private to dbms.
#pragma once

#include "base/arena.h"
#include "value/value.h"

struct record {
  struct record *next;
  struct value_entry *entries; // columns in any order
  uint32_t count;
};

struct record_list {
  struct arena arena; // all texts and values may live here
  struct record *first, *last, *at;
};

enum err record_list_new(struct mem_budget *budget, struct record_list **ret, struct error *e) NODISCARD;
void record_list_free(struct record_list *l);

/// Adds a row; `entries` are copied, what they point to is not (use the list's arena).
enum err record_list_add(struct record_list *l, const struct value_entry *entries, uint32_t count, struct error *e) NODISCARD;

/// Gives up to `cap` rows with the values of `columns` (null where a row has no such column); 0 at the end.
uint32_t record_list_give(struct record_list *l, const struct str *columns, uint32_t column_count, uint32_t cap, struct value *ret);

#define RECORD(list, e, ...) \
  record_list_add((list), (const struct value_entry[]){__VA_ARGS__}, ARRAY_SIZE(((const struct value_entry[]){__VA_ARGS__})), (e))

/// A list of strings in `a`; V_NULL when there is no memory for it.
struct value record_texts(struct arena *a, const struct str *texts, uint32_t n);
