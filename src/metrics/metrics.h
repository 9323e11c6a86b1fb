// Metrics: names and values as Neo4j has them, collected when somebody asks and not before. A metric is one row of a table
// (metrics/names.c); a new one is a row and a field of dbms/figures.h.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct bolt_server;
struct dbms;

struct metrics_source {
  struct dbms *dbms;
  struct bolt_server *_Atomic *bolt; // what is there holds NULL until clients are let in; NULL itself: they never are
};

struct metrics_naming {
  struct str prefix;  // "neo4j"
  bool namespaces;    // neo4j.dbms.x and neo4j.database.<name>.x, as since Neo4j 5; else neo4j.x, neo4j.<name>.x and, of the default database, as in Neo4j 3, neo4j.x
  struct str filter;  // globs of names with commas; "*": all
};

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

/// Value type. Two metrics may have one name in an output that cannot tell their databases apart.
struct metric {
  struct str name;     // "neo4j.database.neo4j.cluster.raft.term"
  struct str database; // empty: the server's

  const char *help;
  enum metric_type type;
  double value;
};

struct metric_list {
  struct metric *of;
  uint32_t count;
};

/// All that pass the filter, by name, in `a`. ERR_NOMEM. Any thread; waits for nothing but mutexes around short sections.
enum err metrics_collect(const struct metrics_source *source, const struct metrics_naming *naming, struct arena *a,
                         struct metric_list *ret, struct error *e) NODISCARD;

/// Whether one of the globs in `filter` (`*` and `?`) is for the whole name. Pure.
bool metrics_filter_takes(struct str filter, struct str name);
