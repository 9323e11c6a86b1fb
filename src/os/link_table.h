// The connections with other servers that are open in this process, for whoever wants to list them: each module that speaks with
// other servers adds a row when both ends have agreed to speak, and takes it out when the connection is over.
//
// Rows lie in the memory of the connections, so adding one cannot fail. Every function may be called from any thread; a row is its
// connection's, whose thread adds and removes it. A table outlives its rows.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "os/net.h"
#include "os/thread.h"

struct link_row {
  struct link_row *next, **place; // the table's; zero: in none
  bool inbound;                   // the other server called
  bool encrypted;
  char remote[NET_ADDRESS_TEXT_MAX];
  const char *protocol; // "raft"; static
  uint32_t version;     // of the protocol
};

struct link_table {
  struct mutex mutex;
  struct link_row *first;
  uint32_t count;
};

void link_table_init(struct link_table *t);
/// No rows are left.
void link_table_done(struct link_table *t);

/// Fills the row in and adds it; it is in no table. NULL table: nobody lists, nothing happens.
void link_table_add(struct link_table *t, struct link_row *row, const char *protocol, uint32_t version, const char *remote, bool inbound,
                    bool encrypted);
/// Of a row that is in no table, or of a NULL table: nothing happens.
void link_table_remove(struct link_table *t, struct link_row *row);

/// The rows as of now, in `a`: by protocol, direction and remote address. `*ret` and its count. ERR_NOMEM.
enum err link_table_copy(struct link_table *t, struct arena *a, struct link_row **ret, uint32_t *ret_count, struct error *e) NODISCARD;
