#include <stdlib.h>

#include "metrics/names.h"

struct collecting {
  const struct metrics_naming *naming;
  struct arena *arena;
  struct metric_list *list;
  uint32_t room;
};

/// `database` empty: the server's.
static struct str full_name(const struct collecting *c, struct str database, bool as_in_3, const char *name) {
  struct str prefix = c->naming->prefix;
  const char *dot = prefix.len > 0 ? "." : "";
  bool of_server = database.len == 0 || as_in_3;
  if (of_server && c->naming->namespaces) return arena_printf(c->arena, "%.*s%sdbms.%s", STR_ARG(prefix), dot, name);
  if (of_server) return arena_printf(c->arena, "%.*s%s%s", STR_ARG(prefix), dot, name);
  return arena_printf(c->arena, c->naming->namespaces ? "%.*s%sdatabase.%.*s.%s" : "%.*s%s%.*s.%s", STR_ARG(prefix), dot,
                      STR_ARG(database), name);
}

static enum err add(struct collecting *c, struct metric m, bool as_in_3, const char *name, struct error *e) {
  m.name = full_name(c, m.database, as_in_3, name);
  if (m.name.ptr == NULL) return arena_err(c->arena, e);
  if (!metrics_filter_takes(c->naming->filter, m.name)) return ERR_OK;
  if (c->list->count < c->room) c->list->of[c->list->count++] = m;
  return ERR_OK;
}

static bool is_shown(enum metric_when when, bool core, bool replica) {
  switch (when) {
  case METRIC_ALWAYS: return true;
  case METRIC_OF_CORE: return core;
  case METRIC_OF_REPLICA: return replica;
  case METRIC_OF_MEMBER: return core || replica;
  }
  return false;
}

static enum err of_database(struct collecting *c, const struct dbms_database_figures *f, struct error *e) {
  for (uint32_t i = 0; i < metrics_of_database_count; i++) {
    const struct metric_of_database *row = &metrics_of_database[i];
    if (!is_shown(row->when, f->in_group && !f->is_replica, f->in_group && f->is_replica)) continue;
    struct metric m = {.database = f->name, .help = row->help, .type = row->type, .value = row->read(f)};
    TRY(add(c, m, false, row->name, e));
    if (f->is_home && !c->naming->namespaces) TRY(add(c, m, true, row->name, e));
  }
  return ERR_OK;
}

static enum err of_server(struct collecting *c, struct dbms *d, bool core, struct error *e) {
  struct dbms_figures f;
  dbms_figures(d, &f);
  for (uint32_t i = 0; i < metrics_of_server_count; i++) {
    const struct metric_of_server *row = &metrics_of_server[i];
    if (!is_shown(row->when, core && f.is_member, f.is_member)) continue;
    TRY(add(c, (struct metric){.help = row->help, .type = row->type, .value = row->read(&f)}, false, row->name, e));
  }
  return ERR_OK;
}

static enum err of_bolt(struct collecting *c, const struct bolt_server *bolt, struct error *e) {
  if (bolt == NULL) return ERR_OK;
  struct bolt_counters counters = bolt_server_counters(bolt);
  for (uint32_t i = 0; i < metrics_of_bolt_count; i++) {
    const struct metric_of_bolt *row = &metrics_of_bolt[i];
    TRY(add(c, (struct metric){.help = row->help, .type = row->type, .value = row->read(&counters)}, false, row->name, e));
  }
  return ERR_OK;
}

static int by_name(const void *a, const void *b) {
  const struct metric *x = a, *y = b;
  int c = str_cmp(x->name, y->name);
  return c != 0 ? c : str_cmp(x->database, y->database);
}

enum err metrics_collect(const struct metrics_source *source, const struct metrics_naming *naming, struct arena *a,
                         struct metric_list *ret, struct error *e) {
  struct dbms_database_figures *databases;
  uint32_t n;
  bool core = false;
  TRY(dbms_database_figures(source->dbms, a, &databases, &n, e));
  uint32_t room = 2 * n * metrics_of_database_count + metrics_of_server_count + metrics_of_bolt_count;
  *ret = (struct metric_list){.of = ARENA_ARRAY(a, struct metric, room)};
  if (ret->of == NULL) return arena_err(a, e);
  struct collecting c = {naming, a, ret, room};
  for (uint32_t i = 0; i < n; i++) {
    core |= databases[i].in_group && !databases[i].is_replica;
    TRY(of_database(&c, &databases[i], e));
  }
  TRY(of_server(&c, source->dbms, core, e));
  TRY(of_bolt(&c, source->bolt != NULL ? atomic_load(source->bolt) : NULL, e));
  qsort(ret->of, ret->count, sizeof ret->of[0], by_name);
  return ERR_OK;
}
