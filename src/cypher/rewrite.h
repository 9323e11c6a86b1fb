// Rewrites of a checked statement that need no statistics. They change forms, not meanings, so that the planner meets fewer:
//
//   comparison chains                a < b <= c               becomes  a < b AND b <= c
//   negations, as far down as right  NOT (a AND NOT b = c)    becomes  NOT a OR b = c
//   conjunctions                     (a AND b) AND c          becomes  one AND of a, b, c
//   equalities with one left side    n.x = 1 OR n.x = $p      becomes  n.x IN [1, $p]
//   element predicates of MATCH, of pattern comprehensions and of quantified groups:
//     (n:A {x: 1} WHERE n.y)                                  becomes  (n) with n:A AND n.x = 1 AND n.y in the WHERE around
//     -[r:!A]-                                                becomes  -[r]- with r:!A there; A and A|B stay where they are
//   tests for existence              (n)-->(:B)               becomes  EXISTS { MATCH (n)-->(x) WHERE x:B }
//
// Left alone: variable-length relationships (their properties hold for each), paths with a selector (their predicates choose
// among paths, a WHERE behind them would not), CREATE and MERGE.
#pragma once

#include "base/error.h"
#include "cypher/ast.h"

/// Once, after cypher_check. ERR_NOMEM and the budget's errors only. Trees may grow higher by a few levels for each subquery.
enum err cypher_rewrite(struct ast_statement *s, struct error *e) NODISCARD;
