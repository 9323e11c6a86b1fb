// Notifications: what the planner noticed about a statement, in Neo4j's words and codes, less what the client does not want to
// hear. Private to dbms.
#pragma once

#include "dbms/session.h"
#include "plan/plan.h"

/// What a client wants to hear.
struct notification_filter {
  enum dbms_severity min_severity; // DEFAULT: all
  const struct str *disabled_categories;
  uint32_t disabled_category_count;
};

/// A copy in `a`.
enum err notification_filter_copy(struct arena *a, const struct notification_filter *from, struct notification_filter *ret,
                                  struct error *e) NODISCARD;

/// The notifications of a plan that pass the filter, in `a`. `database` is the name that texts speak of. With EXPLAIN parameters
/// need not be given: those of `missing` (names, separated; empty: none) are told of.
enum err notifications_make(const struct plan *p, const struct notification_filter *filter, struct str database,
                            struct str missing, struct arena *a, const struct dbms_notification **ret, uint32_t *ret_count,
                            struct error *e) NODISCARD;
