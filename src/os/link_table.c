#include "os/link_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void link_table_init(struct link_table *t) {
  *t = (struct link_table){0};
  mutex_init(&t->mutex);
}

void link_table_done(struct link_table *t) {
  mutex_done(&t->mutex);
}

void link_table_add(struct link_table *t, struct link_row *row, const char *protocol, uint32_t version, const char *remote, bool inbound,
                    bool encrypted) {
  if (t == NULL) return;
  *row = (struct link_row){.inbound = inbound, .encrypted = encrypted, .protocol = protocol, .version = version};
  snprintf(row->remote, sizeof row->remote, "%s", remote);
  mutex_lock(&t->mutex);
  row->next = t->first;
  row->place = &t->first;
  if (row->next != NULL) row->next->place = &row->next;
  t->first = row;
  t->count++;
  mutex_unlock(&t->mutex);
}

void link_table_remove(struct link_table *t, struct link_row *row) {
  if (t == NULL || row->place == NULL) return;
  mutex_lock(&t->mutex);
  *row->place = row->next;
  if (row->next != NULL) row->next->place = row->place;
  t->count--;
  mutex_unlock(&t->mutex);
  row->next = NULL;
  row->place = NULL;
}

static int compare(const void *va, const void *vb) {
  const struct link_row *a = va, *b = vb;
  int c = strcmp(a->protocol, b->protocol);
  if (c == 0) c = (int) a->inbound - (int) b->inbound;
  return c != 0 ? c : strcmp(a->remote, b->remote);
}

enum err link_table_copy(struct link_table *t, struct arena *a, struct link_row **ret, uint32_t *ret_count, struct error *e) {
  uint32_t n = 0;
  mutex_lock(&t->mutex);
  struct link_row *rows = ARENA_ARRAY(a, struct link_row, t->count + 1);
  for (const struct link_row *row = t->first; rows != NULL && row != NULL; row = row->next) rows[n++] = *row;
  mutex_unlock(&t->mutex);
  if (rows == NULL) return arena_err(a, e);
  qsort(rows, n, sizeof *rows, compare);
  *ret = rows;
  *ret_count = n;
  return ERR_OK;
}
