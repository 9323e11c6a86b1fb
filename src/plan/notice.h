// What a statement's author should be told although nothing is wrong: names that the database does not know, products without a
// connection, what is deprecated. `dbms` puts it into words and filters it by what the client wants to hear.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct planner;
struct plan_op;

/* kind; what `subject` and `other` are */
#define PLAN_NOTICES(X)                                                                          \
  X(UNKNOWN_LABEL)          /* the label */                                                      \
  X(UNKNOWN_TYPE)           /* the relationship type */                                          \
  X(UNKNOWN_KEY)            /* the property key */                                               \
  X(CARTESIAN_PRODUCT)      /* variables of all parts but the first; all patterns */             \
  X(UNBOUNDED_SHORTEST)     /* the pattern */                                                    \
  X(EXHAUSTIVE_SHORTEST)    /* the predicates on the whole path */                               \
  X(HINTED_INDEX_NOT_FOUND) /* "INDEX :L(p)"; "INDEX FOR (`n`:`L`) ON (`n`.`p`)" */              \
  X(JOIN_HINT_UNFULFILLED)  /* the variables */                                                  \
  X(NO_APPLICABLE_INDEX)    /* LOAD CSV and a scan of this label */                              \
  X(EAGER_LOAD_CSV)                                                                              \
  X(DEPRECATED_FUNCTION)    /* its name; what replaces it, or empty */                           \
  X(DEPRECATED_PROCEDURE)   /* its name */                                                       \
  X(DEPRECATED_SEPARATOR)   /* ":A|:B"; ":A|B" */                                                \
  X(DEPRECATED_SET_ENTITY)  /* "SET a = b"; "SET a = properties(b)" */                           \
  X(DEPRECATED_FIXED_SHORTEST) /* the pattern */                                                 \
  X(DEPRECATED_IMPORTING_WITH) /* the variables */

enum plan_notice_kind {
#define PLAN_NOTICE_ENUM(name) PLAN_NOTICE_##name,
  PLAN_NOTICES(PLAN_NOTICE_ENUM)
#undef PLAN_NOTICE_ENUM
      PLAN_NOTICE_MAX,
};

/// Texts live as long as the plan. Positions count UTF-16 units of the text as sent, lines and columns from 1.
struct plan_notice {
  enum plan_notice_kind kind;
  bool has_position;
  uint32_t offset, line, column;
  struct str subject, other;
};

/// Fills plan->notices; after the tree is finished (plan/notice.c).
enum err pass_notice(struct planner *p, const struct plan_op *root) NODISCARD;
