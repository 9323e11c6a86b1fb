#include "dbms/record_list.h"

enum err record_list_new(struct mem_budget *budget, struct record_list **ret, struct error *e) {
  struct record_list *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_set(e, ERR_NOMEM, "no memory for rows");
  arena_init(&l->arena, budget);
  *ret = l;
  return ERR_OK;
}

void record_list_free(struct record_list *l) {
  if (l == NULL) return;
  arena_done(&l->arena);
  mem_free(l);
}

enum err record_list_add(struct record_list *l, const struct value_entry *entries, uint32_t count, struct error *e) {
  struct record *r = ARENA_NEW(&l->arena, struct record);
  struct value_entry *copy = arena_copy(&l->arena, entries, count * sizeof *entries);
  if (r == NULL || copy == NULL) return arena_err(&l->arena, e);
  r->entries = copy;
  r->count = count;
  *(l->last != NULL ? &l->last->next : &l->first) = r;
  if (l->last == NULL) l->at = r;
  l->last = r;
  return ERR_OK;
}

static struct value column_of(const struct record *r, struct str name) {
  for (uint32_t i = 0; i < r->count; i++)
    if (str_eq(r->entries[i].key, name)) return r->entries[i].value;
  return V_NULL;
}

uint32_t record_list_give(struct record_list *l, const struct str *columns, uint32_t column_count, uint32_t cap, struct value *ret) {
  uint32_t n = 0;
  for (; n < cap && l->at != NULL; n++, l->at = l->at->next)
    for (uint32_t c = 0; c < column_count; c++) ret[(size_t) n * column_count + c] = column_of(l->at, columns[c]);
  return n;
}

struct value record_texts(struct arena *a, const struct str *texts, uint32_t n) {
  struct value *items = ARENA_ARRAY(a, struct value, n);
  if (items == NULL) return V_NULL;
  for (uint32_t i = 0; i < n; i++) items[i] = v_str(texts[i]);
  return v_list(items, n);
}
