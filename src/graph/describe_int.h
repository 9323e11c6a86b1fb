// Texts of constraint errors, worded as Neo4j words them.
#pragma once

#include "graph/graph_int.h"

/// "Node(5)" or "Relationship(5)".
enum err describe_entity(struct buf *b, enum graph_kind kind, graph_id id) NODISCARD;
/// "label `Person` and property `name` = 'x'" or "type `T` and properties `a` = 1, `b` = 2".
enum err describe_key(struct buf *b, const struct tokens *t, const struct graph_index *x, const struct value *values) NODISCARD;
