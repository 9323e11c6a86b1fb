// The databases that there are, as nodes of `system`: docs/formats/catalogue.md. Written by commands in their own transactions,
// so that the catalogue is durable and replicated as everything else is; read by whoever opens and closes databases
// (reconcile.h). Private to dbms.
//
// An entry whose database was dropped stays: it is what allows the folder to be removed, on every member and after every crash.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/uuid.h"
#include "graph/types.h"

struct graph_tx;

enum { CATALOGUE_NAME_BYTES_MIN = 3, CATALOGUE_NAME_BYTES_MAX = 63 };

enum catalogue_request { CATALOGUE_ONLINE, CATALOGUE_OFFLINE, CATALOGUE_DROPPED };

struct catalogue_entry {
  graph_id node;
  struct str name; // as it was given, in small letters
  struct uuid uuid;
  struct str folder; // below data/databases; nobody else's, ever
  enum catalogue_request requested;
  int64_t created_ms, started_ms, stopped_ms; // Unix time; 0: never
  struct str members; // of its group when that begins, as cluster_first_members writes them; empty: none is begun for this entry
};

struct catalogue {
  uint32_t count;
  const struct catalogue_entry *entries; // dropped ones among them
};

// Within a transaction of `system`. All may return ERR_WAIT with no effect.

/// Whoever is to change the catalogue has it alone until its transaction ends: what it reads from now on stays true.
enum err catalogue_lock(struct graph_tx *tx, struct error *e) NODISCARD;
/// All of it, in `a`. ERR_CORRUPT: an entry is none.
enum err catalogue_read(struct graph_tx *tx, struct arena *a, struct catalogue *ret, struct error *e) NODISCARD;
enum err catalogue_add(struct graph_tx *tx, const struct catalogue_entry *entry, struct error *e) NODISCARD;
/// What the database is to be from `now_ms` on.
enum err catalogue_ask(struct graph_tx *tx, const struct catalogue_entry *entry, enum catalogue_request wanted, int64_t now_ms,
                       struct error *e) NODISCARD;

// Pure.

/// The entry of that name (case plays no part) that was not dropped, or NULL.
const struct catalogue_entry *catalogue_find(const struct catalogue *c, struct str name);
/// Some entry, maybe of a dropped database, has or had that folder.
bool catalogue_has_folder(const struct catalogue *c, struct str folder);
/// What people call the database of that folder: the name of its entry, or the folder's own. Lives as long as both.
struct str catalogue_name_of(const struct catalogue *c, struct str folder);
uint32_t catalogue_count(const struct catalogue *c); // of databases that were not dropped

/// Neo4j's rules for names: ERR_ARGUMENT says which one is broken.
enum err catalogue_check_name(struct str name, struct error *e) NODISCARD;
