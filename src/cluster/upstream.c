#include "cluster/upstream.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"

enum { CORE_ONCE_IN = 10 }; // "typically": a replica that never asks a core does not know how far behind it is

struct candidate {
  const struct announcement *said;
  uint64_t lot;
  bool leads, taken;
};

struct choosing {
  const struct upstream_wish *wish;
  struct candidate candidates[UPSTREAMS_MAX];
  size_t count;
};

// ---- who may be asked ----

static const struct announced_database *database_of(const struct announcement *s, struct uuid database) {
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, database)) return &s->databases[i];
  return NULL;
}

static bool is_core(const struct announcement *s) {
  return s->mode != SERVER_READ_REPLICA;
}

static bool may_be_asked(const struct upstream_wish *w, const struct announcement *s) {
  const struct announcement *self = &w->view->servers[0].said;
  if (!uuid_eq(announcement_cluster(s), w->cluster) || s->addresses[ADDRESS_TRANSACTION].len == 0) return false;
  if (!is_core(s) && (w->cores_only || uuid_cmp(s->server, self->server) >= 0)) return false;
  const struct announced_database *d = database_of(s, w->database);
  return d != NULL && d->status == DATABASE_ONLINE;
}

/// In the order of their lots.
static void add_candidate(struct choosing *c, struct candidate new) {
  if (c->count == UPSTREAMS_MAX) return;
  size_t at = c->count++;
  for (; at > 0 && c->candidates[at - 1].lot > new.lot; at--) c->candidates[at] = c->candidates[at - 1];
  c->candidates[at] = new;
}

static void gather(struct choosing *c) {
  const struct upstream_wish *w = c->wish;
  uint64_t term;
  const struct announcement *leader = upstream_leader(w->view, w->cluster, w->database, &term);
  for (uint32_t i = 1; i < w->view->count; i++) {
    const struct announcement *s = &w->view->servers[i].said;
    uint64_t lot = hash64(s->server.bytes, sizeof s->server.bytes, w->lot);
    if (may_be_asked(w, s) && (s == leader || !w->leader_only))
      add_candidate(c, (struct candidate){.said = s, .lot = lot, .leads = s == leader});
  }
}

// ---- strategies ----

static bool is_named(struct str names, struct str name) {
  while (names.len > 0)
    if (str_eq(str_trim(str_cut(&names, ',')), name)) return true;
  return false;
}

static bool core(const struct choosing *c UNUSED, const struct candidate *of) {
  return is_core(of->said);
}

static bool replica(const struct choosing *c, const struct candidate *of) {
  return !is_core(of->said) && c->wish->lot % CORE_ONCE_IN != 0;
}

static bool in_own_group(const struct choosing *c, const struct candidate *of) {
  const struct announcement *self = &c->wish->view->servers[0].said;
  for (uint32_t i = 0; i < of->said->tag_count; i++)
    for (uint32_t k = 0; k < self->tag_count; k++)
      if (str_eq(of->said->tags[i], self->tags[k])) return true;
  return false;
}

static bool in_named_group(const struct choosing *c, const struct candidate *of) {
  for (uint32_t i = 0; i < of->said->tag_count; i++)
    if (is_named(c->wish->groups, of->said->tags[i])) return true;
  return false;
}

static bool leader(const struct choosing *c UNUSED, const struct candidate *of) {
  return of->leads;
}

static const struct strategy {
  const char *name;
  bool (*picks)(const struct choosing *c, const struct candidate *of);
} strategies[] = {
    {"connect-to-random-core-server", core},
    {"connect-to-random-core", core},
    {"connect-to-random-primary-server", core},
    {"typically-connect-to-random-read-replica", replica},
    {"typically-connect-to-random-secondary", replica},
    {"connect-randomly-within-server-group", in_own_group},
    {"connect-randomly-within-server-tags", in_own_group},
    {"connect-randomly-to-server-group", in_named_group},
    {"connect-randomly-to-server-tags", in_named_group},
    {"leader-only", leader},
};

static const struct strategy *find(struct str name) {
  for (size_t i = 0; i < ARRAY_SIZE(strategies); i++)
    if (str_eqz(name, strategies[i].name)) return &strategies[i];
  return NULL;
}

struct str upstream_unknown(struct str names) {
  while (names.len > 0) {
    struct str name = str_trim(str_cut(&names, ','));
    if (name.len > 0 && find(name) == NULL) return name;
  }
  return STR_NONE;
}

// ---- choosing ----

static size_t pick(struct choosing *c, const struct strategy *by, struct catchup_upstream *ret, size_t n) {
  for (size_t i = 0; i < c->count; i++) {
    struct candidate *of = &c->candidates[i];
    if (of->taken || !by->picks(c, of)) continue;
    of->taken = true;
    ret[n].server = of->said->number;
    snprintf(ret[n++].address, HELLO_ADDRESS_BYTES, "%.*s", STR_ARG(of->said->addresses[ADDRESS_TRANSACTION]));
  }
  return n;
}

size_t upstream_choose(const struct upstream_wish *w, struct catchup_upstream ret[UPSTREAMS_MAX]) {
  struct choosing c = {.wish = w};
  size_t n = 0;
  gather(&c);
  for (struct str names = w->strategies; names.len > 0;) {
    const struct strategy *by = find(str_trim(str_cut(&names, ',')));
    if (by != NULL) n = pick(&c, by, ret, n);
  }
  return pick(&c, &strategies[0], ret, n);
}

const struct announcement *upstream_leader(const struct directory_copy *view, struct uuid cluster, struct uuid database,
                                           uint64_t *ret_term) {
  const struct announcement *found = NULL;
  *ret_term = 0;
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = database_of(s, database);
    if (d == NULL || d->role != ROLE_LEADER || d->term <= *ret_term || !uuid_eq(announcement_cluster(s), cluster)) continue;
    found = s;
    *ret_term = d->term;
  }
  return found;
}

uint64_t upstream_applied(const struct announcement *s, struct uuid database) {
  const struct announced_database *d = database_of(s, database);
  return d != NULL ? d->applied_index : 0;
}
