// What things cost and how many rows to expect where nothing is known: all of the planner's constants. A unit is about what
// one node of a label scan costs. Ratios after the cost model of Neo4j's planner, with batches in mind: a seek is one descent of a
// tree, a scan is sequential, an expand is a look-up for each row and then a run.
#pragma once

#define COST_ALL_NODES 1.2 // for each node
#define COST_LABEL_SCAN 1.0
#define COST_SEEK 4.0      // for each row that seeks
#define COST_SEEK_ROW 1.9  // for each entity found
#define COST_ID_SEEK 1.0
#define COST_REL_SCAN 2.0  // for each relationship, with its ends
#define COST_EXPAND 1.5    // for each row to start from
#define COST_EXPAND_ROW 1.0
#define COST_EXPAND_INTO 6.4
#define COST_HASH_BUILD 6.0 // for each row that is held; joins measured against expands: their rows are boxed and copied
#define COST_HASH_PROBE 4.0
#define COST_JOIN_ROW 3.5
#define COST_PRODUCT_ROW 0.5
#define COST_PREDICATE 0.5 // for each row and predicate
#define COST_INTERSECT 2.0 // for each row and arm
#define COST_APPLY 0.5     // for each row of a left side
#define COST_SORT_ROW 3.0  // for each row that is held and sorted, or goes into an aggregate

#define SELECTIVITY_EQUAL 0.1
#define SELECTIVITY_RANGE 0.3
#define SELECTIVITY_PREFIX 0.1
#define SELECTIVITY_EXISTS 0.5
#define SELECTIVITY_OTHER 0.75
#define LIST_ROWS 10.0  // elements of a list that is not known
#define LIMIT_ROWS 75.0 // of a LIMIT that is not known
#define VAR_LENGTH_DEPTH 5 // hops that an open-ended variable length is estimated with
