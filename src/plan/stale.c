// When a cached plan should be made anew.
#include "plan/plan_int.h"

static double count_of(const struct plan_catalog *c, const struct plan_name *name) {
  if (name->token == GRAPH_ANY || name->kind == GRAPH_KEY) return 0;
  return name->kind == GRAPH_LABEL ? c->nodes(c->context, name->token) : c->rels(c->context, GRAPH_ANY, name->token, GRAPH_ANY);
}

void plan_note_counts(struct plan *p, const struct plan_catalog *c) {
  p->all_nodes = c->nodes(c->context, GRAPH_ANY);
  for (uint32_t i = 0; i < p->name_count; i++) ((struct plan_name *) (uintptr_t) &p->names[i])->count = count_of(c, &p->names[i]);
}

/// Small numbers may double without making another plan better.
static bool diverged(double then, double now) {
  double more = MAX(then, now) + PLAN_STALE_ROWS, less = MIN(then, now) + PLAN_STALE_ROWS;
  return more > less * PLAN_STALE_FACTOR;
}

bool plan_is_stale(const struct plan *p, const struct plan_catalog *c) {
  if (p->kind != PLAN_QUERY) return false;
  if (p->schema_version != c->schema_version(c->context) || diverged(p->all_nodes, c->nodes(c->context, GRAPH_ANY))) return true;
  bool look_again = p->has_unknown_names && p->token_version != c->token_version(c->context);
  for (uint32_t i = 0; i < p->name_count; i++) {
    graph_token token;
    const struct plan_name *name = &p->names[i];
    if (diverged(name->count, count_of(c, name))) return true;
    if (look_again && name->token == GRAPH_ANY && c->find_token(c->context, name->kind, name->name, &token)) return true;
  }
  return false;
}
