#include "dbms/gateway_doors.h"

#include <stdlib.h>

#include "dbms/dbms_int.h"

struct door {
  struct str address;
  uint32_t led; // databases
  int64_t heard_ms;
};

static uint32_t count_led(const struct announcement *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->database_count; i++) n += s->databases[i].role == ROLE_LEADER;
  return n;
}

/// Whoever has been heard of last comes first among equals: one that is gone is not.
static int order(const void *a, const void *b) {
  const struct door *x = a, *y = b;
  if (x->led != y->led) return x->led > y->led ? -1 : 1;
  return (x->heard_ms < y->heard_ms) - (x->heard_ms > y->heard_ms);
}

static bool is_asked(const struct dbms *d, const struct announcement *s) {
  struct uuid cluster = uuid_get(d->options.cluster->cluster);
  return uuid_eq(announcement_cluster(s), cluster) && (s->mode == SERVER_CORE || s->mode == SERVER_READ_REPLICA) && s->addresses[ADDRESS_HTTP].len > 0;
}

enum err gateway_http_doors(struct dbms *d, struct arena *a, const struct str **ret, uint32_t *ret_n, struct error *e) {
  struct directory_copy view;
  uint32_t n = 0;
  if (d->gateway == NULL) return error_set(e, ERR_UNSUPPORTED, "This server is no gateway.");
  TRY(directory_copy(d->options.cluster->directory, a, &view, e));
  struct door *doors = ARENA_ARRAY(a, struct door, view.count + 1);
  struct str *addresses = ARENA_ARRAY(a, struct str, view.count + 1);
  if (doors == NULL || addresses == NULL) return arena_err(a, e);
  for (uint32_t i = 1; i < view.count; i++) {
    const struct announcement *s = &view.servers[i].said;
    if (is_asked(d, s)) doors[n++] = (struct door){s->addresses[ADDRESS_HTTP], count_led(s), view.servers[i].heard_ms};
  }
  qsort(doors, n, sizeof doors[0], order);
  for (uint32_t i = 0; i < n; i++) addresses[i] = doors[i].address;
  *ret = addresses;
  *ret_n = n;
  return ERR_OK;
}
