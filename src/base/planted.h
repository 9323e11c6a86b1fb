// Memory errors that a build can plant (-Dplanted=NAME), to show that the fuzzers find what lies behind valid input. Normal
// builds have none: PLANTED(x) is then the constant false. tests/fuzz/planted lets each be found; docs/develop/fuzzing.md lists
// them.
#pragma once

#ifdef PLANTED_BUG
#include "base/mem.h"

enum planted_bug {
  PLANTED_session = 1, // COMMIT of a transaction that BEGIN gave a filter and in which two results are open
  PLANTED_log,         // a batch of two entries that voids the end, and not all, of the third batch or a later one
  PLANTED_hello,       // a hello of several versions, to somebody by number, that is refused because there is a copy
  PLANTED_answer,      // an answer that knows a start of the other one, with the sender's own mark
  PLANTED_directory,   // a server says that it leaves, after more than four thousand million beats
  PLANTED_kubernetes,  // a StatefulSet that is deleted, and whose pods do not begin at 0
  PLANTED_starts,      // three starts of a server that begins anew above the first one
  PLANTED_known,       // of two servers the one met last is in the earlier start
  PLANTED_moves,       // this server has moved further than the other one in the file
  PLANTED_mark,        // data whose next mark is the one that they have
  PLANTED_identity,    // of a server without a cluster, with a large number, that was saved often
  PLANTED_pulled,      // three entries, the last one of a later term than the first
  PLANTED_relayed,     // a fate that is not committed, though it has a bookmark
  PLANTED_commands,    // a node with two labels and one property
};
#define PLANTED(name) (PLANTED_BUG == PLANTED_##name)

/// Writes one byte behind a block. volatile, so that no compiler sees through it.
static inline void planted_memory_error(void) {
  char *volatile block = mem_alloc(8);
  volatile unsigned behind = 8;
  block[behind] = 1;
  mem_free(block);
}
#else
#define PLANTED(name) 0
static inline void planted_memory_error(void) {
}
#endif
