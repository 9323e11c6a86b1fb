// Procedures about indexes. Populating is done by the applier in small steps; whoever waits for its end gives its thread back and looks
// again now and then.
#include "dbms/procedures_int.h"
#include "graph/stats.h"

enum { TIME_OUT_S_MAX = 1000000000 };

static enum err tell_failed(const struct graph_index *x, struct error *e) {
  return error_set(e, ERR_INDEX_CREATION_FAILED, "Index '%.*s' is in failed state.: Cause of failure: %.*s", STR_ARG(x->name), STR_ARG(x->failure));
}

/// ERR_WAIT until the time is over, which begins with the first call.
static enum err await(struct transaction *t, int64_t time_out_s, const struct graph_index *x, struct error *e) {
  int64_t now_ns = clock_monotonic_ns(t->database->dbms->options.clock);
  if (!t->polls) t->polls_until_ns = now_ns + MIN(MAX(time_out_s, 0), TIME_OUT_S_MAX) * NS_PER_S;
  t->polls = now_ns < t->polls_until_ns;
  if (t->polls) return ERR_WAIT;
  return error_set(e, ERR_PROCEDURE_TIMED_OUT, "Index '%.*s' did not come online within %lld seconds: %.0f %% of it are populated.",
                   STR_ARG(x->name), (long long) time_out_s, x->population_percent);
}

/// Empty name: all of them. A failed one is told before any is waited for.
static enum err await_named(struct transaction *t, struct str name, int64_t time_out_s, struct arena *a, struct error *e) {
  struct graph_index *indexes;
  const struct graph_index *populating = NULL;
  uint32_t count;
  bool found = name.ptr == NULL;
  if (!graph_stats_indexes(t->database->graph, a, &indexes, &count)) return arena_err(a, e);
  for (uint32_t i = 0; i < count; i++) {
    const struct graph_index *x = &indexes[i];
    if (name.ptr != NULL && !str_eq(x->name, name)) continue;
    found = true;
    if (x->state == GRAPH_INDEX_FAILED) return tell_failed(x, e);
    if (x->state == GRAPH_INDEX_POPULATING) populating = x;
  }
  if (!found) return error_set(e, ERR_INDEX_NOT_FOUND, "No such index '%.*s'", (int) MIN(name.len, (size_t) 200), name.ptr);
  if (populating != NULL) return await(t, time_out_s, populating, e);
  t->polls = false;
  return ERR_OK;
}

static int64_t seconds_of(const struct value *v) {
  return v->type == VALUE_INT ? v->i : 300;
}

static enum err await_index(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  if (arguments[0].type != VALUE_STRING) return error_set(e, ERR_INDEX_NOT_FOUND, "No such index 'null'");
  return await_named(t, v_text(arguments[0]), n > 1 ? seconds_of(&arguments[1]) : 300, &l->arena, e);
}

static enum err await_indexes(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  return await_named(t, STR_NONE, n > 0 ? seconds_of(&arguments[0]) : 300, &l->arena, e);
}

// clang-format off
static const struct procedure table[] = {
  PROCEDURE("db.awaitIndex", READ, FIELDS(FIELD(indexName, STRING), OPTIONAL(timeOutSeconds, INTEGER, "300")), 1, NONE, false, await_index,
            "Wait for an index to come online."),
  PROCEDURE("db.awaitIndexes", READ, FIELDS(OPTIONAL(timeOutSeconds, INTEGER, "300")), 0, NONE, false, await_indexes,
            "Wait for all indexes to come online."),
};
// clang-format on

const struct procedure *procedures_index(uint32_t *ret_n) {
  *ret_n = ARRAY_SIZE(table);
  return table;
}
