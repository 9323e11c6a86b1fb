// Values as the text case files and the TCK write them: 'text', 1, 1.0, [1, null], {k: v}, (:Label {k: v}), [:TYPE {k: v}], <(a)-[:T]->(b)>.
#pragma once

#include "base/buf.h"
#include "value/value.h"

enum err value_print(struct buf *out, struct value v) NODISCARD;
