#include "bolt/summary.h"

// ---- counters ----

struct counter {
  struct str name;
  int64_t value;
};

static void write_counters(struct dict *meta, const struct bolt_version *v, const struct dbms_counters *c) {
  const struct counter counters[] = {
      {STR("nodes-created"), c->nodes_created},
      {STR("nodes-deleted"), c->nodes_deleted},
      {STR("relationships-created"), c->relationships_created},
      {STR("relationships-deleted"), c->relationships_deleted},
      {STR("properties-set"), c->properties_set},
      {STR("labels-added"), c->labels_added},
      {STR("labels-removed"), c->labels_removed},
      {STR("indexes-added"), c->indexes_added},
      {STR("indexes-removed"), c->indexes_removed},
      {STR("constraints-added"), c->constraints_added},
      {STR("constraints-removed"), c->constraints_removed},
  };
  bool updates = false;
  for (size_t i = 0; i < ARRAY_SIZE(counters); i++) updates = updates || counters[i].value != 0;
  if (!updates && c->system_updates == 0) return;
  struct dict stats;
  dict_inner(meta, STR("stats"), &stats);
  for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
    if (counters[i].value != 0) dict_int(&stats, counters[i].name, counters[i].value);
  if (c->system_updates != 0) dict_int(&stats, STR("system-updates"), c->system_updates);
  if (v->contains_updates && updates) dict_bool(&stats, STR("contains-updates"), true);
  if (v->contains_updates && c->system_updates != 0) dict_bool(&stats, STR("contains-system-updates"), true);
  dict_inner_end(meta, &stats);
}

// ---- notifications, up to 5.4 ----

static void write_position(struct dict *entry, struct str key, const struct dbms_notification *n) {
  if (!n->has_position) return;
  struct dict position;
  dict_inner(entry, key, &position);
  dict_int(&position, STR("offset"), n->offset);
  dict_int(&position, STR("line"), n->line);
  dict_int(&position, STR("column"), n->column);
  dict_inner_end(entry, &position);
}

static void write_notifications(struct dict *meta, const struct bolt_version *v, const struct dbms_summary *s) {
  if (s->notification_count == 0) return;
  dict_list(meta, STR("notifications"), s->notification_count);
  for (uint32_t i = 0; i < s->notification_count; i++) {
    const struct dbms_notification *n = &s->notifications[i];
    struct dict entry;
    dict_item(meta, &entry);
    dict_str(&entry, STR("code"), n->neo4j_code);
    dict_str(&entry, STR("title"), n->title);
    dict_str(&entry, STR("description"), n->description);
    dict_str(&entry, STR("severity"), n->severity);
    if (v->notifications && n->category.len > 0) dict_str(&entry, STR("category"), n->category);
    write_position(&entry, STR("position"), n);
    dict_inner_end(meta, &entry);
  }
}

// ---- statuses, from 5.6 on ----

enum status_rank { RANK_NO_DATA, RANK_WARNING, RANK_SUCCESS, RANK_INFORMATION, RANKS };

static enum status_rank rank_of(struct str gql_status) {
  if (str_starts(gql_status, STR("02"))) return RANK_NO_DATA;
  if (str_starts(gql_status, STR("01"))) return RANK_WARNING;
  if (str_starts(gql_status, STR("00"))) return RANK_SUCCESS;
  return RANK_INFORMATION;
}

static void write_status(struct dict *meta, const struct dbms_notification *n) {
  struct dict entry, record;
  dict_item(meta, &entry);
  dict_str(&entry, STR("gql_status"), n->gql_status);
  dict_str(&entry, STR("status_description"), n->gql_description);
  dict_str(&entry, STR("neo4j_code"), n->neo4j_code);
  dict_str(&entry, STR("title"), n->title);
  dict_str(&entry, STR("description"), n->description);
  dict_inner(&entry, STR("diagnostic_record"), &record);
  dict_str(&record, STR("OPERATION"), STR(""));
  dict_str(&record, STR("OPERATION_CODE"), STR("0"));
  dict_str(&record, STR("CURRENT_SCHEMA"), STR("/"));
  dict_str(&record, STR("_severity"), n->severity);
  dict_str(&record, STR("_classification"), n->category);
  write_position(&record, STR("_position"), n);
  dict_inner_end(&entry, &record);
  dict_inner_end(meta, &entry);
}

/// How the query itself ended: never filtered, always there.
static void write_outcome(struct dict *meta, const struct dbms_summary *s) {
  struct dict entry;
  dict_item(meta, &entry);
  struct str status = !s->has_columns ? STR("00001") : s->had_rows ? STR("00000") : STR("02000");
  struct str text = !s->has_columns ? STR("note: successful completion - omitted result")
                    : s->had_rows   ? STR("note: successful completion")
                                    : STR("note: no data");
  dict_str(&entry, STR("gql_status"), status);
  dict_str(&entry, STR("status_description"), text);
  dict_inner_end(meta, &entry);
}

static void write_statuses(struct dict *meta, const struct dbms_summary *s) {
  enum status_rank outcome = s->has_columns && !s->had_rows ? RANK_NO_DATA : RANK_SUCCESS;
  dict_list(meta, STR("statuses"), s->notification_count + 1);
  for (enum status_rank rank = 0; rank < RANKS; rank++) {
    if (rank == outcome) write_outcome(meta, s);
    for (uint32_t i = 0; i < s->notification_count; i++)
      if (rank_of(s->notifications[i].gql_status) == rank) write_status(meta, &s->notifications[i]);
  }
}

// ---- the whole ----

void bolt_summary_write(struct dict *meta, const struct bolt_version *v, const struct packstream_profile *profile,
                        const struct dbms_summary *s) {
  if (s->bookmark.len > 0) dict_str(meta, STR("bookmark"), s->bookmark);
  dict_str(meta, STR("type"), str_of(s->type));
  dict_int(meta, v->legacy_times ? STR("result_consumed_after") : STR("t_last"), s->consumed_after_ms);
  if (v->database && s->database.len > 0) dict_str(meta, STR("db"), s->database);
  write_counters(meta, v, &s->counters);
  if (!v_is_null(s->profile))
    dict_value(meta, STR("profile"), profile, s->profile);
  else if (!v_is_null(s->plan))
    dict_value(meta, STR("plan"), profile, s->plan);
  if (v->statuses)
    write_statuses(meta, s);
  else
    write_notifications(meta, v, s);
}

/// A role that nobody has is left out.
static void write_role(struct dict *table, const char *role, const struct str *addresses, uint32_t count) {
  struct dict server;
  if (count == 0) return;
  dict_item(table, &server);
  dict_strs(&server, STR("addresses"), addresses, count);
  dict_str(&server, STR("role"), str_of(role));
  dict_inner_end(table, &server);
}

void bolt_routing_table_write(struct dict *meta, const struct bolt_version *v, const struct dbms_routing_table *t) {
  struct dict table;
  dict_inner(meta, STR("rt"), &table);
  dict_int(&table, STR("ttl"), t->ttl_s);
  if (v->route == BOLT_ROUTE_EXTRA) dict_str(&table, STR("db"), t->database);
  dict_list(&table, STR("servers"), (t->writer_count > 0) + (t->reader_count > 0) + (t->router_count > 0));
  write_role(&table, "WRITE", t->writers, t->writer_count);
  write_role(&table, "READ", t->readers, t->reader_count);
  write_role(&table, "ROUTE", t->routers, t->router_count);
  dict_inner_end(meta, &table);
}
