#include "dbms/notification.h"

#include <string.h>

#include "base/buf.h"

enum { MISSING_PARAMETER = PLAN_NOTICE_MAX, KINDS };

/// In texts %s stands for the notice's subject, %o for its other text, %d for the database.
static const struct words {
  const char *code, *title, *description, *gql_status, *gql_description;
  const char *category;
  bool warning; // else information
} words[KINDS] = {
    [PLAN_NOTICE_UNKNOWN_LABEL] =
        {"Statement.UnknownLabelWarning", "The provided label is not in the database.",
         "One of the labels in your query is not available in the database, make sure you didn't misspell it or that the label is available "
         "when you run this statement in your application (the missing label name is: %s)",
         "01N50", "warn: unknown label. The label `%s` does not exist in database `%d`. Verify that the spelling is correct.", "UNRECOGNIZED", true},
    [PLAN_NOTICE_UNKNOWN_TYPE] =
        {"Statement.UnknownRelationshipTypeWarning", "The provided relationship type is not in the database.",
         "One of the relationship types in your query is not available in the database, make sure you didn't misspell it or that the label is "
         "available when you run this statement in your application (the missing relationship type is: %s)",
         "01N51", "warn: unknown relationship type. The relationship type `%s` does not exist in database `%d`. Verify that the spelling is correct.",
         "UNRECOGNIZED", true},
    [PLAN_NOTICE_UNKNOWN_KEY] =
        {"Statement.UnknownPropertyKeyWarning", "The provided property key is not in the database",
         "One of the property names in your query is not available in the database, make sure you didn't misspell it or that the label is "
         "available when you run this statement in your application (the missing property name is: %s)",
         "01N52", "warn: unknown property key. The property `%s` does not exist in database `%d`. Verify that the spelling is correct.",
         "UNRECOGNIZED", true},
    [PLAN_NOTICE_CARTESIAN_PRODUCT] =
        {"Statement.CartesianProduct", "This query builds a cartesian product between disconnected patterns.",
         "If a part of a query contains multiple disconnected patterns, this will build a cartesian product between all those parts. This may "
         "produce a large amount of data and slow down query processing. While occasionally intended, it may often be possible to reformulate the "
         "query that avoids the use of this cross product, perhaps by adding a relationship between the different parts or by using OPTIONAL MATCH "
         "(identifier is: (%s))",
         "03N90",
         "info: cartesian product. The disconnected patterns `%o` build a cartesian product. A cartesian product may produce a large amount of data "
         "and slow down query processing.",
         "PERFORMANCE", false},
    [PLAN_NOTICE_UNBOUNDED_SHORTEST] =
        {"Statement.UnboundedVariableLengthPattern", "The provided pattern is unbounded, consider adding an upper limit to the number of node hops.",
         "Using shortest path with an unbounded pattern will likely result in long execution times. It is recommended to use an upper limit to the "
         "number of node hops in your pattern.",
         "03N91",
         "info: unbounded variable length pattern. The provided pattern `%s` is unbounded. Shortest path with an unbounded pattern may result in long "
         "execution times. Use an upper limit (e.g. `[*..5]`) on the number of node hops in your pattern.",
         "PERFORMANCE", false},
    [PLAN_NOTICE_EXHAUSTIVE_SHORTEST] =
        {"Statement.ExhaustiveShortestPath",
         "Exhaustive shortest path has been planned for your query that means that shortest path graph algorithm might not be used to find the "
         "shortest path. Hence an exhaustive enumeration of all paths might be used in order to find the requested shortest path.",
         "Using shortest path with an exhaustive search fallback might cause query slow down since shortest path graph algorithms might not work for "
         "this use case. It is recommended to introduce a WITH to separate the MATCH containing the shortest path from the existential predicates on "
         "that path.",
         "03N92",
         "info: exhaustive shortest path. The query runs with exhaustive shortest path due to the existential predicate(s) `%s`. It may be possible to "
         "use `WITH` to separate the `MATCH` from the existential predicate(s).",
         "PERFORMANCE", false},
    [PLAN_NOTICE_HINTED_INDEX_NOT_FOUND] =
        {"Schema.HintedIndexNotFound", "The request (directly or indirectly) referred to an index that does not exist.",
         "The hinted index does not exist, please check the schema (index is: %o)", "01N31",
         "warn: hinted index not found. Unable to create a plan with `%s` because the index does not exist.", "HINT", true},
    [PLAN_NOTICE_JOIN_HINT_UNFULFILLED] =
        {"Statement.JoinHintUnfulfillableWarning", "The database was unable to plan a hinted join.",
         "The hinted join was not planned. This could happen because no generated plan contained the join key, please try using a different join key "
         "or restructure your query. (hinted join key identifier is: %s)",
         "01N30", "warn: join hint unfulfillable. Unable to create a plan with `JOIN ON %s`. Try to change the join key(s) or restructure your query.",
         "HINT", true},
    [PLAN_NOTICE_NO_APPLICABLE_INDEX] =
        {"Statement.NoApplicableIndex", "Adding a schema index may speed up this query.",
         "Using LOAD CSV followed by a MATCH or MERGE that matches a non-indexed label will most likely not perform well on large data sets. Please "
         "consider using a schema index.",
         "03N93",
         "info: no applicable index. `LOAD CSV` in combination with `MATCH` or `MERGE` on a label that does not have an index may result in long "
         "execution times. Consider adding an index for label `%s`.",
         "PERFORMANCE", false},
    [PLAN_NOTICE_EAGER_LOAD_CSV] =
        {"Statement.EagerOperator",
         "The execution plan for this query contains the Eager operator, which forces all dependent data to be materialized in main memory before "
         "proceeding",
         "Using LOAD CSV with a large data set in a query where the execution plan contains the Eager operator could potentially consume a lot of "
         "memory and is likely to not perform well. See the Neo4j Manual entry on the Eager operator for more information and hints on how problems "
         "could be avoided.",
         "03N94",
         "info: eager operator. The query execution plan contains the `Eager` operator. `LOAD CSV` in combination with `Eager` can consume a lot of "
         "memory.",
         "PERFORMANCE", false},
    [PLAN_NOTICE_DEPRECATED_FUNCTION] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "The query used a deprecated function: `%s`.", "01N01", "warn: feature deprecated with replacement. %s is deprecated. It is replaced by %o.",
         "DEPRECATION", true},
    [PLAN_NOTICE_DEPRECATED_PROCEDURE] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "The query used a deprecated procedure: `%s`.", "01N02",
         "warn: feature deprecated without replacement. `%s` is deprecated and will be removed without a replacement.", "DEPRECATION", true},
    [PLAN_NOTICE_DEPRECATED_SEPARATOR] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "The semantics of using colon in the separation of alternative relationship types will change in a future version. (Please use '%o' instead)",
         "01N01", "warn: feature deprecated with replacement. `%s` is deprecated. It is replaced by `%o`.", "DEPRECATION", true},
    [PLAN_NOTICE_DEPRECATED_SET_ENTITY] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "The use of nodes or relationships for setting properties is deprecated and will be removed in a future version. Please use properties() "
         "instead.",
         "01N01", "warn: feature deprecated with replacement. `%s` is deprecated. It is replaced by `%o`.", "DEPRECATION", true},
    [PLAN_NOTICE_DEPRECATED_FIXED_SHORTEST] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "The use of shortestPath and allShortestPaths with fixed length relationships is deprecated and will be removed in a future version. Please use "
         "a path with a length of 1 [r*1..1] instead or a Match with a limit.",
         "01N01", "warn: feature deprecated with replacement. `%s` is deprecated. It is replaced by `shortestPath((n)-[r*1..1]->(m))`.", "DEPRECATION",
         true},
    [PLAN_NOTICE_DEPRECATED_IMPORTING_WITH] =
        {"Statement.FeatureDeprecationWarning", "This feature is deprecated and will be removed in future versions.",
         "CALL subquery without a variable scope clause is now deprecated. Use CALL (%s) { ... }", "01N00",
         "warn: feature deprecated. CALL subquery without a variable scope clause is deprecated. Use CALL (%s) { ... }", "DEPRECATION", true},
    [MISSING_PARAMETER] =
        {"Statement.ParameterNotProvided", "The statement refers to a parameter that was not provided in the request.",
         "Did not supply query with enough parameters. The produced query plan will not be cached and is not executable without EXPLAIN. (Missing "
         "parameters: %s)",
         "01N60", "warn: parameter missing. The query cannot be executed due to missing parameter(s) `%s`. Provide the parameter(s).", "GENERIC", true},
};

enum err notification_filter_copy(struct arena *a, const struct notification_filter *from, struct notification_filter *ret, struct error *e) {
  struct str *categories = ARENA_ARRAY(a, struct str, from->disabled_category_count);
  if (categories == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < from->disabled_category_count; i++) {
    categories[i] = arena_str(a, from->disabled_categories[i]);
    if (categories[i].ptr == NULL) return arena_err(a, e);
  }
  *ret = (struct notification_filter){from->min_severity, categories, from->disabled_category_count};
  return ERR_OK;
}

static bool passes(const struct notification_filter *f, const struct words *w) {
  if (f->min_severity == DBMS_SEVERITY_OFF || (f->min_severity == DBMS_SEVERITY_WARNING && !w->warning)) return false;
  for (uint32_t i = 0; i < f->disabled_category_count; i++)
    if (str_eq_nocase(f->disabled_categories[i], str_of(w->category))) return false;
  return true;
}

/// What a notice is about, for the templates above.
struct filling {
  struct str subject, other, database;
};

static enum err fill(struct arena *a, const char *template, const struct filling *f, struct str *ret, struct error *e) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  for (const char *c = template; *c != '\0'; c++) {
    bool slot = c[0] == '%' && (c[1] == 's' || c[1] == 'o' || c[1] == 'd');
    enum err err = !slot          ? buf_append_byte(&out, (uint8_t) *c)
                   : c[1] == 's' ? buf_append_str(&out, f->subject)
                   : c[1] == 'o' ? buf_append_str(&out, f->other)
                                 : buf_append_str(&out, f->database);
    if (err != ERR_OK) return error_ensure(e, err);
    c += slot;
  }
  *ret = arena_str(a, buf_str(&out));
  return ret->ptr != NULL ? ERR_OK : arena_err(a, e);
}

static enum err put(struct arena *a, const struct words *w, const struct filling *f, struct dbms_notification *ret, struct error *e) {
  *ret = (struct dbms_notification){.title = str_of(w->title), .gql_status = str_of(w->gql_status), .category = str_of(w->category)};
  ret->severity = w->warning ? STR("WARNING") : STR("INFORMATION");
  ret->neo4j_code = arena_printf(a, "Neo.ClientNotification.%s", w->code);
  if (ret->neo4j_code.ptr == NULL) return arena_err(a, e);
  TRY(fill(a, w->description, f, &ret->description, e));
  return fill(a, w->gql_description, f, &ret->gql_description, e);
}

/// Texts that depend on more than their parts.
static struct words words_for(const struct plan_notice *n) {
  struct words w = words[n->kind];
  bool many = memchr(n->subject.ptr, ',', n->subject.len) != NULL;
  if (n->kind == PLAN_NOTICE_CARTESIAN_PRODUCT && many) {
    w.description = "If a part of a query contains multiple disconnected patterns, this will build a cartesian product between all those parts. This may "
                    "produce a large amount of data and slow down query processing. While occasionally intended, it may often be possible to reformulate "
                    "the query that avoids the use of this cross product, perhaps by adding a relationship between the different parts or by using "
                    "OPTIONAL MATCH (identifiers are: (%s))";
  }
  if (n->kind == PLAN_NOTICE_DEPRECATED_FUNCTION && n->other.len == 0) {
    w.gql_status = "01N02";
    w.gql_description = "warn: feature deprecated without replacement. `%s` is deprecated and will be removed without a replacement.";
  }
  return w;
}

enum err notifications_make(const struct plan *p, const struct notification_filter *filter, struct str database, struct str missing, struct arena *a,
                            const struct dbms_notification **ret, uint32_t *ret_count, struct error *e) {
  struct dbms_notification *all = ARENA_ARRAY(a, struct dbms_notification, p->notice_count + 1);
  uint32_t count = 0;
  if (all == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < p->notice_count; i++) {
    const struct plan_notice *n = &p->notices[i];
    struct words w = words_for(n);
    if (!passes(filter, &w)) continue;
    TRY(put(a, &w, &(struct filling){n->subject, n->other, database}, &all[count], e));
    all[count].has_position = n->has_position;
    all[count].offset = n->offset;
    all[count].line = n->line;
    all[count++].column = n->column;
  }
  if (missing.len > 0 && passes(filter, &words[MISSING_PARAMETER]))
    TRY(put(a, &words[MISSING_PARAMETER], &(struct filling){missing, STR(""), database}, &all[count++], e));
  *ret = all;
  *ret_count = count;
  return ERR_OK;
}
