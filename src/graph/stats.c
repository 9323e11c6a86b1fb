#include "graph/stats.h"

#include "graph/graph_int.h"

static double count_of(const struct graph *g, enum statistic s, uint32_t a, uint32_t b) {
  return (double) statistics_get((struct statistics *) &g->statistics, s, a, b);
}

double graph_stats_nodes(const struct graph *g, graph_token label) {
  return count_of(g, STATISTIC_NODES, label, 0);
}

/// With both labels given: as if they were independent of each other.
double graph_stats_rels(const struct graph *g, graph_token start, graph_token type, graph_token end) {
  double all = count_of(g, STATISTIC_RELS, type, 0);
  if (start == GRAPH_ANY && end == GRAPH_ANY) return all;
  double of_start = start == GRAPH_ANY ? all : count_of(g, STATISTIC_RELS_OF_START, start, type);
  double of_end = end == GRAPH_ANY ? all : count_of(g, STATISTIC_RELS_OF_END, end, type);
  return all > 0 ? of_start * of_end / all : 0;
}

/// Kept by type; of all types together it is their sum, an upper bound for sources.
static double sum_of_types(const struct graph *g, enum statistic s, graph_token type) {
  if (type != GRAPH_ANY) return count_of(g, s, type, 0);
  double sum = 0;
  for (graph_token t = 0; t < g->tokens.kinds[GRAPH_TYPE].count; t++) sum += count_of(g, s, t, 0);
  return sum;
}

double graph_stats_distinct_sources(const struct graph *g, graph_token type, enum graph_direction direction) {
  double sum = 0;
  if (direction & GRAPH_OUT) sum += sum_of_types(g, STATISTIC_SOURCES_OUT, type);
  if (direction & GRAPH_IN) sum += sum_of_types(g, STATISTIC_SOURCES_IN, type);
  return sum;
}

double graph_stats_degree_squares(const struct graph *g, graph_token type, enum graph_direction direction) {
  double sum = 0;
  if (direction & GRAPH_OUT) sum += sum_of_types(g, STATISTIC_SQUARES_OUT, type);
  if (direction & GRAPH_IN) sum += sum_of_types(g, STATISTIC_SQUARES_IN, type);
  return sum;
}

struct graph_index_stats graph_stats_index(const struct graph *g, uint32_t index) {
  return (struct graph_index_stats){count_of(g, STATISTIC_INDEX_ENTRIES, index, 0),
                                    count_of(g, STATISTIC_INDEX_DISTINCT, index, 0)};
}

static bool copy_texts(struct arena *a, struct graph_index *x) {
  struct str *texts[] = {&x->name, &x->constraint_name, &x->failure};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    *texts[i] = arena_str(a, *texts[i]);
    if (texts[i]->ptr == NULL) return false;
  }
  return true;
}

bool graph_stats_indexes(const struct graph *g, struct arena *a, struct graph_index **ret, uint32_t *ret_n) {
  struct schema *s = graph_schema((struct graph *) g);
  struct graph_index *list = ARENA_ARRAY(a, struct graph_index, s->count);
  bool ok = list != NULL;
  for (uint32_t i = 0; ok && i < s->count; i++) {
    list[i] = s->indexes[i].index;
    ok = copy_texts(a, &list[i]);
  }
  if (ok) {
    *ret = list;
    *ret_n = s->count;
  }
  schema_release(s);
  return ok;
}

uint64_t graph_stats_schema_version(const struct graph *g) {
  struct schema *s = graph_schema((struct graph *) g);
  uint64_t version = s->version;
  schema_release(s);
  return version;
}
