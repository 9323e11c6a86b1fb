#include "base/event.h"

#include <stdio.h>

void event_raise(struct event_sink *sink, enum event_level level, const char *name, const char *fmt, ...) {
  if (sink == NULL) return;
  char text[1000];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (n < 0) return;
  sink->raise(sink, level, name, (struct str){text, MIN((size_t) n, sizeof text - 1)});
}
