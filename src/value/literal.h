// Values as a person reads them: nearly as they would be written in Cypher. For the shell, the query log and tests.
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "value/value.h"

struct literal_style {
  const char *null; // "NULL" in the shell, "null" elsewhere
  char quote;       // around strings: '"' or '\''
};

#define LITERAL_SHELL ((struct literal_style){"NULL", '"'})
#define LITERAL_CYPHER ((struct literal_style){"null", '\''})

/// Appends: 'text', [1, 2], {a: 1}, (:Label {k: 1}), [:TYPE], (:A)-[:R]->(:B)<-[:S]-(:C); times and points bare, entities that
/// are not hydrated by id: (#5). ERR_NOMEM; ERR_LIMIT for more than VALUE_DEPTH_MAX levels.
enum err literal_write(struct buf *out, struct literal_style style, struct value v) NODISCARD;
