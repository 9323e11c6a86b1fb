// A store as a source of catching up.
#pragma once

#include "cluster/catchup_server.h"

struct catchup_store {
  struct catchup_source source;
  struct store *store;
};

/// The store stays the caller's, and open until the source is removed from its server.
void catchup_store_init(struct catchup_store *c, struct store *store);
