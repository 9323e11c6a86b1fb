// Values as people read them, and as Cypher writes them: 1, 1.0, "text", [1, 2], {a: 1}, (:Label {k: 1}), [:TYPE], paths, dates. Pure.
#pragma once

#include "base/buf.h"
#include "cli/packed.h"

enum err render_value(struct buf *out, const struct packed *v) NODISCARD;
