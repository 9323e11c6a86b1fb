#include <stdlib.h>

#include "base/mem.h"
#include "store/pages_int.h"

enum err id_list_reserve(struct id_list *l, size_t extra) {
  if (l->count + extra <= l->capacity) return ERR_OK;
  size_t larger = MAX(l->count + extra, l->capacity * 2);
  uint64_t *grown = mem_realloc(l->ids, larger * sizeof *grown);
  if (grown == NULL) return ERR_NOMEM;
  l->ids = grown;
  l->capacity = larger;
  return ERR_OK;
}

void id_list_done(struct id_list *l) {
  mem_free(l->ids);
  *l = (struct id_list){0};
}

static int compare_ids(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return x < y ? -1 : x > y;
}

void id_list_tidy(struct id_list *l) {
  if (l->count < 2) return;
  qsort(l->ids, l->count, sizeof *l->ids, compare_ids);
  size_t kept = 1;
  for (size_t i = 1; i < l->count; i++)
    if (l->ids[i] != l->ids[kept - 1]) l->ids[kept++] = l->ids[i];
  l->count = kept;
}
