// Modules write no log lines: they raise events, which `server` turns into log lines and metrics (contract 26).
#pragma once

#include <stdarg.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

enum event_level { EVENT_DEBUG, EVENT_INFO, EVENT_WARN, EVENT_ERROR };

/// Where events go. `raise` may be called from any thread, must not block and must copy what it keeps.
struct event_sink {
  void (*raise)(struct event_sink *sink, enum event_level level, const char *name, struct str text);
};

/// Raises the event `name` (dotted, lower case: "store.checkpoint.done"). A NULL sink swallows it. The text is cut at 1000 bytes.
void event_raise(struct event_sink *sink, enum event_level level, const char *name, const char *fmt, ...) PRINTF(4, 5);
