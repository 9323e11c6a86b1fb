// Static types: what an expression can be, as a set. The check rejects only what can never be right (an argument whose set
// has nothing in common with what is wanted); everything else is decided at run time. Value type: copy it.
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct arena;

/* name, as Neo4j's messages say it, in the order in which they list them */
#define CYPHER_TYPES(X)                                     \
  X(BOOLEAN, "Boolean")                                     \
  X(FLOAT, "Float")                                         \
  X(INTEGER, "Integer")                                     \
  X(STRING, "String")                                       \
  X(MAP, "Map")                                             \
  X(NODE, "Node")                                           \
  X(PATH, "Path")                                           \
  X(RELATIONSHIP, "Relationship")                           \
  X(POINT, "Point")                                         \
  X(DURATION, "Duration")                                   \
  X(DATE, "Date")                                           \
  X(TIME, "Time")                                           \
  X(LOCAL_TIME, "LocalTime")                                \
  X(LOCAL_DATETIME, "LocalDateTime")                        \
  X(DATETIME, "DateTime")                                   \
  X(LIST, "List")

enum cypher_type_bit {
#define CYPHER_TYPE_BIT(name, text) CYPHER_BIT_##name,
  CYPHER_TYPES(CYPHER_TYPE_BIT)
#undef CYPHER_TYPE_BIT
      CYPHER_TYPE_BITS,
};

/// A set of types; an expression that is always null has the empty set. Null belongs to every set.
typedef uint32_t cypher_types;

enum {
#define CYPHER_TYPE_MASK(name, text) CYPHER_##name = 1u << CYPHER_BIT_##name,
  CYPHER_TYPES(CYPHER_TYPE_MASK)
#undef CYPHER_TYPE_MASK
      CYPHER_ANY = (1u << CYPHER_TYPE_BITS) - 1,
  CYPHER_NUMBER = CYPHER_INTEGER | CYPHER_FLOAT,
  CYPHER_INSTANT = CYPHER_DATE | CYPHER_LOCAL_TIME | CYPHER_TIME | CYPHER_LOCAL_DATETIME | CYPHER_DATETIME,
  CYPHER_TEMPORAL = CYPHER_INSTANT | CYPHER_DURATION,
  CYPHER_ENTITY = CYPHER_NODE | CYPHER_RELATIONSHIP,
  CYPHER_WITH_PROPERTIES = CYPHER_ENTITY | CYPHER_MAP | CYPHER_TEMPORAL | CYPHER_POINT,
};

/// "Integer", "Integer, Float or String": as in `expected A or B but was C`. `element` is the set of a list's elements.
struct str cypher_types_text(struct arena *a, cypher_types types, cypher_types element);
