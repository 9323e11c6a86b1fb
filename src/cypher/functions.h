// The built-in functions: id, name, category, fewest and most arguments, types of the arguments (the last stands for all that
// follow), type of the result, of its elements, rule for the result, flags, signature as SHOW FUNCTIONS writes it.
// Forms with a syntax of their own (all, any, none, single, reduce, count(*), trim(BOTH x FROM y), EXISTS {}) are AST nodes; of
// these, TRIM arrives here as btrim, ltrim or rtrim. Included by cypher/signatures.h, which explains the columns.
#pragma once

// clang-format off

#define CYPHER_ARGS(...) {__VA_ARGS__}

#define CYPHER_FUNCTIONS(F) \
  F(AVG, "avg", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_NUMBER | CYPHER_DURATION), CYPHER_NUMBER | CYPHER_DURATION, 0, \
    CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "avg(input :: INTEGER | FLOAT | DURATION) :: INTEGER | FLOAT | DURATION") \
  F(COLLECT, "collect", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_LIST, CYPHER_ANY, CYPHER_RESULT_LIST_OF, \
    CYPHER_AGGREGATING, \
    "collect(input :: ANY) :: LIST<ANY>") \
  F(COUNT, "count", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "count(input :: ANY) :: INTEGER") \
  F(MAX, "max", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_ANY, CYPHER_ANY, CYPHER_RESULT_ARGUMENT, \
    CYPHER_AGGREGATING, \
    "max(input :: ANY) :: ANY") \
  F(MIN, "min", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_ANY, CYPHER_ANY, CYPHER_RESULT_ARGUMENT, \
    CYPHER_AGGREGATING, \
    "min(input :: ANY) :: ANY") \
  F(PERCENTILE_CONT, "percentileCont", "Aggregating", 2, 2, CYPHER_ARGS(CYPHER_NUMBER, CYPHER_NUMBER), CYPHER_FLOAT, 0, \
    CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "percentileCont(input :: FLOAT, percentile :: FLOAT) :: FLOAT") \
  F(PERCENTILE_DISC, "percentileDisc", "Aggregating", 2, 2, CYPHER_ARGS(CYPHER_NUMBER, CYPHER_NUMBER), CYPHER_NUMBER, 0, \
    CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "percentileDisc(input :: INTEGER | FLOAT, percentile :: FLOAT) :: INTEGER | FLOAT") \
  F(STDEV, "stDev", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "stDev(input :: FLOAT) :: FLOAT") \
  F(STDEVP, "stDevP", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "stDevP(input :: FLOAT) :: FLOAT") \
  F(SUM, "sum", "Aggregating", 1, 1, CYPHER_ARGS(CYPHER_NUMBER | CYPHER_DURATION), CYPHER_NUMBER | CYPHER_DURATION, 0, \
    CYPHER_RESULT_FIXED, CYPHER_AGGREGATING, \
    "sum(input :: INTEGER | FLOAT | DURATION) :: INTEGER | FLOAT | DURATION") \
  F(DB_NAME_FROM_ELEMENT_ID, "db.nameFromElementId", "Database", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, \
    CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "db.nameFromElementId(elementId :: STRING) :: STRING") \
  F(GENAI_VECTOR_ENCODE, "genai.vector.encode", "GenAI", 2, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING, CYPHER_MAP), \
    CYPHER_LIST, CYPHER_FLOAT, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "genai.vector.encode(resource :: STRING, provider :: STRING, configuration :: MAP = {}) :: LIST<FLOAT>") \
  F(GRAPH_NAMES, "graph.names", "Graph", 0, 0, CYPHER_ARGS(0), CYPHER_LIST, CYPHER_STRING, CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "graph.names() :: LIST<STRING>") \
  F(GRAPH_PROPERTIES_BY_NAME, "graph.propertiesByName", "Graph", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_MAP, 0, \
    CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "graph.propertiesByName(name :: STRING) :: MAP") \
  F(GRAPH_BY_ELEMENT_ID, "graph.byElementId", "Graph", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_ANY, CYPHER_ANY, \
    CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "graph.byElementId(elementId :: STRING) :: GRAPH") \
  F(GRAPH_BY_NAME, "graph.byName", "Graph", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_ANY, CYPHER_ANY, \
    CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "graph.byName(name :: STRING) :: GRAPH") \
  F(KEYS, "keys", "List", 1, 1, CYPHER_ARGS(CYPHER_ENTITY | CYPHER_MAP), CYPHER_LIST, CYPHER_STRING, CYPHER_RESULT_FIXED, \
    CYPHER_GRAPH, \
    "keys(input :: NODE | RELATIONSHIP | MAP) :: LIST<STRING>") \
  F(LABELS, "labels", "List", 1, 1, CYPHER_ARGS(CYPHER_NODE), CYPHER_LIST, CYPHER_STRING, CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "labels(input :: NODE) :: LIST<STRING>") \
  F(NODES, "nodes", "List", 1, 1, CYPHER_ARGS(CYPHER_PATH), CYPHER_LIST, CYPHER_NODE, CYPHER_RESULT_FIXED, 0, \
    "nodes(input :: PATH) :: LIST<NODE>") \
  F(RANGE, "range", "List", 2, 3, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY, CYPHER_ANY), CYPHER_LIST, CYPHER_INTEGER, \
    CYPHER_RESULT_FIXED, 0, \
    "range(start :: INTEGER, end :: INTEGER [, step :: INTEGER]) :: LIST<INTEGER>") \
  F(RELATIONSHIPS, "relationships", "List", 1, 1, CYPHER_ARGS(CYPHER_PATH), CYPHER_LIST, CYPHER_RELATIONSHIP, \
    CYPHER_RESULT_FIXED, 0, \
    "relationships(input :: PATH) :: LIST<RELATIONSHIP>") \
  F(REVERSE, "reverse", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST | CYPHER_STRING), CYPHER_LIST | CYPHER_STRING, CYPHER_ANY, \
    CYPHER_RESULT_ARGUMENT, 0, \
    "reverse(input :: STRING | LIST<ANY>) :: STRING | LIST<ANY>") \
  F(TAIL, "tail", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_LIST, CYPHER_ANY, CYPHER_RESULT_ARGUMENT, 0, \
    "tail(input :: LIST<ANY>) :: LIST<ANY>") \
  F(TO_BOOLEAN_LIST, "toBooleanList", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_LIST, CYPHER_BOOLEAN, \
    CYPHER_RESULT_FIXED, 0, \
    "toBooleanList(input :: LIST<ANY>) :: LIST<BOOLEAN>") \
  F(TO_FLOAT_LIST, "toFloatList", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_LIST, CYPHER_FLOAT, CYPHER_RESULT_FIXED, 0, \
    "toFloatList(input :: LIST<ANY>) :: LIST<FLOAT>") \
  F(TO_INTEGER_LIST, "toIntegerList", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_LIST, CYPHER_INTEGER, \
    CYPHER_RESULT_FIXED, 0, \
    "toIntegerList(input :: LIST<ANY>) :: LIST<INTEGER>") \
  F(TO_STRING_LIST, "toStringList", "List", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_LIST, CYPHER_STRING, CYPHER_RESULT_FIXED, 0, \
    "toStringList(input :: LIST<ANY>) :: LIST<STRING>") \
  F(FILE, "file", "Load CSV", 0, 0, CYPHER_ARGS(0), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "file() :: STRING") \
  F(LINENUMBER, "linenumber", "Load CSV", 0, 0, CYPHER_ARGS(0), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "linenumber() :: INTEGER") \
  F(E, "e", "Logarithmic", 0, 0, CYPHER_ARGS(0), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "e() :: FLOAT") \
  F(EXP, "exp", "Logarithmic", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "exp(input :: FLOAT) :: FLOAT") \
  F(LOG, "log", "Logarithmic", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "log(input :: FLOAT) :: FLOAT") \
  F(LOG10, "log10", "Logarithmic", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "log10(input :: FLOAT) :: FLOAT") \
  F(SQRT, "sqrt", "Logarithmic", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "sqrt(input :: FLOAT) :: FLOAT") \
  F(ABS, "abs", "Numeric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_NUMBER, 0, CYPHER_RESULT_ARGUMENT, 0, \
    "abs(input :: INTEGER | FLOAT) :: INTEGER | FLOAT") \
  F(CEIL, "ceil", "Numeric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "ceil(input :: FLOAT) :: FLOAT") \
  F(FLOOR, "floor", "Numeric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "floor(input :: FLOAT) :: FLOAT") \
  F(IS_NAN, "isNaN", "Numeric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_BOOLEAN, 0, CYPHER_RESULT_FIXED, 0, \
    "isNaN(input :: INTEGER | FLOAT) :: BOOLEAN") \
  F(RAND, "rand", "Numeric", 0, 0, CYPHER_ARGS(0), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "rand() :: FLOAT") \
  F(ROUND, "round", "Numeric", 1, 3, CYPHER_ARGS(CYPHER_NUMBER, CYPHER_NUMBER, CYPHER_STRING), CYPHER_FLOAT, 0, \
    CYPHER_RESULT_FIXED, 0, \
    "round(input :: FLOAT [, precision :: INTEGER | FLOAT, mode :: STRING]) :: FLOAT") \
  F(SIGN, "sign", "Numeric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "sign(input :: INTEGER | FLOAT) :: INTEGER") \
  F(ACOS, "acos", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "acos(input :: FLOAT) :: FLOAT") \
  F(ASIN, "asin", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "asin(input :: FLOAT) :: FLOAT") \
  F(ATAN, "atan", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "atan(input :: FLOAT) :: FLOAT") \
  F(ATAN2, "atan2", "Trigonometric", 2, 2, CYPHER_ARGS(CYPHER_NUMBER, CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "atan2(y :: FLOAT, x :: FLOAT) :: FLOAT") \
  F(COS, "cos", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "cos(input :: FLOAT) :: FLOAT") \
  F(COT, "cot", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "cot(input :: FLOAT) :: FLOAT") \
  F(DEGREES, "degrees", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "degrees(input :: FLOAT) :: FLOAT") \
  F(HAVERSIN, "haversin", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "haversin(input :: FLOAT) :: FLOAT") \
  F(PI, "pi", "Trigonometric", 0, 0, CYPHER_ARGS(0), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "pi() :: FLOAT") \
  F(RADIANS, "radians", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "radians(input :: FLOAT) :: FLOAT") \
  F(SIN, "sin", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "sin(input :: FLOAT) :: FLOAT") \
  F(TAN, "tan", "Trigonometric", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "tan(input :: FLOAT) :: FLOAT") \
  F(EXISTS, "exists", "Predicate", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_BOOLEAN, 0, CYPHER_RESULT_FIXED, CYPHER_DEPRECATED, \
    "exists(input :: ANY) :: BOOLEAN") \
  F(IS_EMPTY, "isEmpty", "Predicate", 1, 1, CYPHER_ARGS(CYPHER_LIST | CYPHER_MAP | CYPHER_STRING), CYPHER_BOOLEAN, 0, \
    CYPHER_RESULT_FIXED, 0, \
    "isEmpty(input :: LIST<ANY> | MAP | STRING) :: BOOLEAN") \
  F(CHAR_LENGTH, "char_length", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "char_length(input :: STRING) :: INTEGER") \
  F(CHARACTER_LENGTH, "character_length", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "character_length(input :: STRING) :: INTEGER") \
  F(COALESCE, "coalesce", "Scalar", 1, CYPHER_ARGUMENTS_MANY, CYPHER_ARGS(CYPHER_ANY), CYPHER_ANY, CYPHER_ANY, \
    CYPHER_RESULT_ANY_OF, 0, \
    "coalesce(input :: ANY) :: ANY") \
  F(ELEMENT_ID, "elementId", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ENTITY), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "elementId(input :: NODE | RELATIONSHIP) :: STRING") \
  F(END_NODE, "endNode", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_RELATIONSHIP), CYPHER_NODE, 0, CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "endNode(input :: RELATIONSHIP) :: NODE") \
  F(HEAD, "head", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_ANY, CYPHER_ANY, CYPHER_RESULT_ELEMENT, 0, \
    "head(list :: LIST<ANY>) :: ANY") \
  F(ID, "id", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ENTITY), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, CYPHER_DEPRECATED, \
    "id(input :: NODE | RELATIONSHIP) :: INTEGER") \
  F(LAST, "last", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_LIST), CYPHER_ANY, CYPHER_ANY, CYPHER_RESULT_ELEMENT, 0, \
    "last(list :: LIST<ANY>) :: ANY") \
  F(LENGTH, "length", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_PATH), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "length(input :: PATH) :: INTEGER") \
  F(NULL_IF, "nullIf", "Scalar", 2, 2, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY), CYPHER_ANY, CYPHER_ANY, CYPHER_RESULT_ARGUMENT, 0, \
    "nullIf(v1 :: ANY, v2 :: ANY) :: ANY") \
  F(PROPERTIES, "properties", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ENTITY | CYPHER_MAP), CYPHER_MAP, CYPHER_ANY, \
    CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "properties(input :: NODE | RELATIONSHIP | MAP) :: MAP") \
  F(RANDOM_UUID, "randomUUID", "Scalar", 0, 0, CYPHER_ARGS(0), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "randomUUID() :: STRING") \
  F(SIZE, "size", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_LIST | CYPHER_STRING), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "size(input :: STRING | LIST<ANY>) :: INTEGER") \
  F(START_NODE, "startNode", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_RELATIONSHIP), CYPHER_NODE, 0, CYPHER_RESULT_FIXED, \
    CYPHER_GRAPH, \
    "startNode(input :: RELATIONSHIP) :: NODE") \
  F(TIMESTAMP, "timestamp", "Scalar", 0, 0, CYPHER_ARGS(0), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "timestamp() :: INTEGER") \
  F(TO_BOOLEAN, "toBoolean", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_BOOLEAN, 0, CYPHER_RESULT_FIXED, 0, \
    "toBoolean(input :: BOOLEAN | STRING | INTEGER) :: BOOLEAN") \
  F(TO_BOOLEAN_OR_NULL, "toBooleanOrNull", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_BOOLEAN, 0, CYPHER_RESULT_FIXED, 0, \
    "toBooleanOrNull(input :: ANY) :: BOOLEAN") \
  F(TO_FLOAT, "toFloat", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "toFloat(input :: STRING | INTEGER | FLOAT) :: FLOAT") \
  F(TO_FLOAT_OR_NULL, "toFloatOrNull", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "toFloatOrNull(input :: ANY) :: FLOAT") \
  F(TO_INTEGER, "toInteger", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "toInteger(input :: BOOLEAN | STRING | INTEGER | FLOAT) :: INTEGER") \
  F(TO_INTEGER_OR_NULL, "toIntegerOrNull", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, 0, \
    "toIntegerOrNull(input :: ANY) :: INTEGER") \
  F(TYPE, "type", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_RELATIONSHIP), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, CYPHER_GRAPH, \
    "type(input :: RELATIONSHIP) :: STRING") \
  F(VALUE_TYPE, "valueType", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "valueType(input :: ANY) :: STRING") \
  F(BTRIM, "btrim", "String", 1, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "btrim(original :: STRING [, trimCharacterString :: STRING]) :: STRING") \
  F(LEFT, "left", "String", 2, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_INTEGER), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "left(original :: STRING, length :: INTEGER) :: STRING") \
  F(LOWER, "lower", "String", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "lower(input :: STRING) :: STRING") \
  F(LTRIM, "ltrim", "String", 1, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "ltrim(input :: STRING [, trimCharacterString :: STRING]) :: STRING") \
  F(NORMALIZE, "normalize", "String", 1, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "normalize(input :: STRING [, normalForm = NFC :: [NFC, NFD, NFKC, NFKD]]) :: STRING") \
  F(REPLACE, "replace", "String", 3, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING, CYPHER_STRING), CYPHER_STRING, 0, \
    CYPHER_RESULT_FIXED, 0, \
    "replace(original :: STRING, search :: STRING, replace :: STRING) :: STRING") \
  F(RIGHT, "right", "String", 2, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_INTEGER), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "right(original :: STRING, length :: INTEGER) :: STRING") \
  F(RTRIM, "rtrim", "String", 1, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "rtrim(input :: STRING [, trimCharacterString :: STRING]) :: STRING") \
  F(SPLIT, "split", "String", 2, 2, CYPHER_ARGS(CYPHER_STRING, CYPHER_LIST | CYPHER_STRING), CYPHER_LIST, CYPHER_STRING, \
    CYPHER_RESULT_FIXED, 0, \
    "split(original :: STRING, splitDelimiters :: LIST<STRING>) :: LIST<STRING>") \
  F(SUBSTRING, "substring", "String", 2, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_INTEGER, CYPHER_INTEGER), CYPHER_STRING, 0, \
    CYPHER_RESULT_FIXED, 0, \
    "substring(original :: STRING, start :: INTEGER [, length :: INTEGER]) :: STRING") \
  F(TO_LOWER, "toLower", "String", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "toLower(input :: STRING) :: STRING") \
  F(TO_STRING, "toString", "String", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "toString(input :: ANY) :: STRING") \
  F(TO_STRING_OR_NULL, "toStringOrNull", "String", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "toStringOrNull(input :: ANY) :: STRING") \
  F(TO_UPPER, "toUpper", "String", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "toUpper(input :: STRING) :: STRING") \
  F(TRIM, "trim", "String", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "trim(trimCharacterString :: STRING, trimSpecification :: STRING, input :: STRING) :: STRING") \
  F(UPPER, "upper", "String", 1, 1, CYPHER_ARGS(CYPHER_STRING), CYPHER_STRING, 0, CYPHER_RESULT_FIXED, 0, \
    "upper(input :: STRING) :: STRING") \
  F(POINT, "point", "Spatial", 1, 1, CYPHER_ARGS(CYPHER_MAP | CYPHER_ENTITY), CYPHER_POINT, 0, CYPHER_RESULT_FIXED, 0, \
    "point(input :: MAP) :: POINT") \
  F(POINT_DISTANCE, "point.distance", "Spatial", 2, 2, CYPHER_ARGS(CYPHER_POINT, CYPHER_POINT), CYPHER_FLOAT, 0, \
    CYPHER_RESULT_FIXED, 0, \
    "point.distance(from :: POINT, to :: POINT) :: FLOAT") \
  F(POINT_WITHIN_BBOX, "point.withinBBox", "Spatial", 3, 3, CYPHER_ARGS(CYPHER_POINT, CYPHER_POINT, CYPHER_POINT), \
    CYPHER_BOOLEAN, 0, CYPHER_RESULT_FIXED, 0, \
    "point.withinBBox(point :: POINT, lowerLeft :: POINT, upperRight :: POINT) :: BOOLEAN") \
  F(DURATION, "duration", "Temporal duration", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DURATION, 0, CYPHER_RESULT_FIXED, 0, \
    "duration(input :: ANY) :: DURATION") \
  F(DURATION_BETWEEN, "duration.between", "Temporal duration", 2, 2, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY), \
    CYPHER_DURATION, 0, CYPHER_RESULT_FIXED, 0, \
    "duration.between(from :: ANY, to :: ANY) :: DURATION") \
  F(DURATION_IN_DAYS, "duration.inDays", "Temporal duration", 2, 2, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY), CYPHER_DURATION, \
    0, CYPHER_RESULT_FIXED, 0, \
    "duration.inDays(from :: ANY, to :: ANY) :: DURATION") \
  F(DURATION_IN_MONTHS, "duration.inMonths", "Temporal duration", 2, 2, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY), \
    CYPHER_DURATION, 0, CYPHER_RESULT_FIXED, 0, \
    "duration.inMonths(from :: ANY, to :: ANY) :: DURATION") \
  F(DURATION_IN_SECONDS, "duration.inSeconds", "Temporal duration", 2, 2, CYPHER_ARGS(CYPHER_ANY, CYPHER_ANY), \
    CYPHER_DURATION, 0, CYPHER_RESULT_FIXED, 0, \
    "duration.inSeconds(from :: ANY, to :: ANY) :: DURATION") \
  F(DATE, "date", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATE, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "date(input = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: DATE") \
  F(DATE_REALTIME, "date.realtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATE, 0, \
    CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "date.realtime(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: DATE") \
  F(DATE_STATEMENT, "date.statement", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATE, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "date.statement(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: DATE") \
  F(DATE_TRANSACTION, "date.transaction", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATE, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "date.transaction(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: DATE") \
  F(DATE_TRUNCATE, "date.truncate", "Temporal instant types", 1, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_ANY, CYPHER_MAP), \
    CYPHER_DATE, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "date.truncate(unit :: STRING, input = DEFAULT_TEMPORAL_ARGUMENT :: ANY, fields = null :: MAP) :: DATE") \
  F(DATETIME, "datetime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATETIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "datetime(input = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED DATETIME") \
  F(DATETIME_FROMEPOCH, "datetime.fromepoch", "Temporal instant types", 2, 2, CYPHER_ARGS(CYPHER_NUMBER, CYPHER_NUMBER), \
    CYPHER_DATETIME, 0, CYPHER_RESULT_FIXED, 0, \
    "datetime.fromepoch(seconds :: INTEGER | FLOAT, nanoseconds :: INTEGER | FLOAT) :: ZONED DATETIME") \
  F(DATETIME_FROMEPOCHMILLIS, "datetime.fromepochmillis", "Temporal instant types", 1, 1, CYPHER_ARGS(CYPHER_NUMBER), \
    CYPHER_DATETIME, 0, CYPHER_RESULT_FIXED, 0, \
    "datetime.fromepochmillis(milliseconds :: INTEGER | FLOAT) :: ZONED DATETIME") \
  F(DATETIME_REALTIME, "datetime.realtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATETIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "datetime.realtime(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED DATETIME") \
  F(DATETIME_STATEMENT, "datetime.statement", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_DATETIME, \
    0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "datetime.statement(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED DATETIME") \
  F(DATETIME_TRANSACTION, "datetime.transaction", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "datetime.transaction(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED DATETIME") \
  F(DATETIME_TRUNCATE, "datetime.truncate", "Temporal instant types", 1, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_ANY, \
    CYPHER_MAP), CYPHER_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "datetime.truncate(unit :: STRING, input = DEFAULT_TEMPORAL_ARGUMENT :: ANY, fields = null :: MAP) :: ZONED DATETIME") \
  F(LOCAL_DATETIME, "localdatetime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_LOCAL_DATETIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localdatetime(input = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL DATETIME") \
  F(LOCAL_DATETIME_REALTIME, "localdatetime.realtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "localdatetime.realtime(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL DATETIME") \
  F(LOCAL_DATETIME_STATEMENT, "localdatetime.statement", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localdatetime.statement(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL DATETIME") \
  F(LOCAL_DATETIME_TRANSACTION, "localdatetime.transaction", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localdatetime.transaction(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL DATETIME") \
  F(LOCAL_DATETIME_TRUNCATE, "localdatetime.truncate", "Temporal instant types", 1, 3, CYPHER_ARGS(CYPHER_STRING, \
    CYPHER_ANY, CYPHER_MAP), CYPHER_LOCAL_DATETIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localdatetime.truncate(unit :: STRING, input = DEFAULT_TEMPORAL_ARGUMENT :: ANY, fields = null :: MAP) :: LOCAL DATETIME") \
  F(LOCAL_TIME, "localtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_LOCAL_TIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localtime(input = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL TIME") \
  F(LOCAL_TIME_REALTIME, "localtime.realtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "localtime.realtime(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL TIME") \
  F(LOCAL_TIME_STATEMENT, "localtime.statement", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localtime.statement(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL TIME") \
  F(LOCAL_TIME_TRANSACTION, "localtime.transaction", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), \
    CYPHER_LOCAL_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localtime.transaction(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: LOCAL TIME") \
  F(LOCAL_TIME_TRUNCATE, "localtime.truncate", "Temporal instant types", 1, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_ANY, \
    CYPHER_MAP), CYPHER_LOCAL_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "localtime.truncate(unit :: STRING, input = DEFAULT_TEMPORAL_ARGUMENT :: ANY, fields = null :: MAP) :: LOCAL TIME") \
  F(TIME, "time", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "time(input = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED TIME") \
  F(TIME_REALTIME, "time.realtime", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_TIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_VOLATILE, \
    "time.realtime(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED TIME") \
  F(TIME_STATEMENT, "time.statement", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_TIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "time.statement(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED TIME") \
  F(TIME_TRANSACTION, "time.transaction", "Temporal instant types", 0, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_TIME, 0, \
    CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "time.transaction(timezone = DEFAULT_TEMPORAL_ARGUMENT :: ANY) :: ZONED TIME") \
  F(TIME_TRUNCATE, "time.truncate", "Temporal instant types", 1, 3, CYPHER_ARGS(CYPHER_STRING, CYPHER_ANY, CYPHER_MAP), \
    CYPHER_TIME, 0, CYPHER_RESULT_FIXED, CYPHER_CLOCK, \
    "time.truncate(unit :: STRING, input = DEFAULT_TEMPORAL_ARGUMENT :: ANY, fields = null :: MAP) :: ZONED TIME") \
  F(VECTOR_SIMILARITY_COSINE, "vector.similarity.cosine", "Vector", 2, 2, CYPHER_ARGS(CYPHER_LIST, CYPHER_LIST), \
    CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "vector.similarity.cosine(a :: LIST<INTEGER | FLOAT>, b :: LIST<INTEGER | FLOAT>) :: FLOAT") \
  F(VECTOR_SIMILARITY_EUCLIDEAN, "vector.similarity.euclidean", "Vector", 2, 2, CYPHER_ARGS(CYPHER_LIST, CYPHER_LIST), \
    CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, 0, \
    "vector.similarity.euclidean(a :: LIST<INTEGER | FLOAT>, b :: LIST<INTEGER | FLOAT>) :: FLOAT") \
  F(DISTANCE, "distance", "Spatial", 2, 2, CYPHER_ARGS(CYPHER_POINT, CYPHER_POINT), CYPHER_FLOAT, 0, CYPHER_RESULT_FIXED, \
    CYPHER_DEPRECATED | CYPHER_LEGACY, \
    "distance(from :: POINT, to :: POINT) :: FLOAT") \
  F(RELS, "rels", "List", 1, 1, CYPHER_ARGS(CYPHER_PATH), CYPHER_LIST, CYPHER_RELATIONSHIP, CYPHER_RESULT_FIXED, \
    CYPHER_DEPRECATED | CYPHER_LEGACY, \
    "rels(input :: PATH) :: LIST<RELATIONSHIP>") \
  F(TO_INT, "toInt", "Scalar", 1, 1, CYPHER_ARGS(CYPHER_ANY), CYPHER_INTEGER, 0, CYPHER_RESULT_FIXED, \
    CYPHER_DEPRECATED | CYPHER_LEGACY, \
    "toInt(input :: ANY) :: INTEGER")
