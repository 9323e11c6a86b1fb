// The tables of metrics: which there are, what each is called, where its value comes from. Private to metrics.
#pragma once

#include "bolt/server.h"
#include "dbms/figures.h"
#include "metrics/metrics.h"

enum metric_when { METRIC_ALWAYS, METRIC_OF_CORE, METRIC_OF_REPLICA, METRIC_OF_MEMBER };

struct metric_of_database {
  const char *name, *help;
  enum metric_type type;
  enum metric_when when;
  double (*read)(const struct dbms_database_figures *f);
};

struct metric_of_server {
  const char *name, *help;
  enum metric_type type;
  enum metric_when when;
  double (*read)(const struct dbms_figures *f);
};

struct metric_of_bolt {
  const char *name, *help;
  enum metric_type type;
  double (*read)(const struct bolt_counters *c);
};

extern const struct metric_of_database metrics_of_database[];
extern const uint32_t metrics_of_database_count;
extern const struct metric_of_server metrics_of_server[];
extern const uint32_t metrics_of_server_count;
extern const struct metric_of_bolt metrics_of_bolt[];
extern const uint32_t metrics_of_bolt_count;
