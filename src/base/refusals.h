// Lines of the log about connections that are refused: each reason is told at once and clearly, and nobody can fill the log by
// being refused again and again. Pure: time comes with each call.
//
// The same reason for the same host is told once a minute, with how often it was so in between; of different reasons no more than
// REFUSALS_KEPT in ten seconds. What is not told for want of room is counted, and the count goes with the next line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"

enum { REFUSALS_KEPT = 16 };

// Zeroed: nothing was told yet. One for each port, of its loop.
struct refusals {
  struct {
    uint64_t reason; // hash of host and text; 0: free
    int64_t told_ms;
    uint32_t since; // how often since then
  } kept[REFUSALS_KEPT];
  uint64_t untold; // for want of room
};

/// `remote` ("127.0.0.1:40000") is refused because of `why`. True: it is to be told now; `ret` ends with what to add to the line
/// ("" mostly), cut at its size.
bool refusals_tell(struct refusals *r, int64_t now_ms, const char *remote, const char *why, char *ret, size_t size);

/// The same as an event of level WARN: "refused `what` from `remote`: `why`".
void refusals_raise(struct refusals *r, struct event_sink *events, const char *name, int64_t now_ms, const char *what, const char *remote,
                    const char *why);
