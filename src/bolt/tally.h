// Counters of one event loop: written by its thread, read by anyone. bolt_server_counters adds them up.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "bolt/server.h"

struct bolt_tally {
  _Atomic uint64_t connections_opened, connections_closed;
  _Atomic uint64_t messages_received, messages_started, messages_done, messages_failed;
  _Atomic uint64_t refused, unauthenticated_timeouts, stalled;
  _Atomic uint64_t bytes_received, bytes_sent;
  _Atomic uint64_t telemetry[4];
  _Atomic uint64_t connections_running; // as of the last tick
};

/// One writer: a plain add without a locked instruction.
static inline void bolt_tally_add(_Atomic uint64_t *counter, uint64_t n) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}
