// The feature level of the cluster (base/feature_level.h, docs/adr/0015): kept in `system` as nodes that stay
// (docs/formats/catalogue.md, "Feature level"), followed by every server, raised by an operator (procedures_level.c). Private to
// dbms.
//
// Whoever is about to write or say something that came with a level asks for the level first: until it is there the others may not
// know what it is, and a member may yet go back to a version that does not.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct announcement;
struct dbms;
struct directory_copy;
struct graph_tx;
struct roster;

/// As followed here.
struct feature_levels {
  _Atomic uint32_t of_cluster; // at least FEATURE_LEVEL_FIRST
  _Atomic bool told;           // that this server is too old
};

// Within a transaction of `system`. Both may return ERR_WAIT with no effect.

/// The highest that was ever written. ERR_CORRUPT: an entry is none.
enum err feature_level_read(struct graph_tx *tx, uint32_t *ret, struct error *e) NODISCARD;
/// From its commit on the cluster has that level. Two at the same time do no harm: the highest counts.
enum err feature_level_write(struct graph_tx *tx, uint32_t level, struct error *e) NODISCARD;

/// Reads what there is in `system`; what is new is told, and servers that are too old for it are parted from. ERR_UNSUPPORTED: this
/// server is. Any thread that may wait. Errors of system_read.
enum err feature_level_follow(struct dbms *d, struct error *e) NODISCARD;
/// Whether the others have a level that this server does not know, which it then says once: they will not have it. Any thread.
void feature_level_look(struct dbms *d, const struct directory_copy *view);
/// Whether that server knows the cluster's level. Any thread.
bool feature_level_is_known_to(const struct dbms *d, const struct announcement *said);

// Pure.

/// The highest level that all servers of the cluster know. ERR_ARGUMENT names one that nothing is heard of: it may know less.
enum err feature_level_of_all(const struct roster *r, uint32_t *ret, struct error *e) NODISCARD;
