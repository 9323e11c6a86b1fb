// Servers that leave the cluster, as nodes of `system` (docs/formats/catalogue.md, "Servers that leave"): written by commands in
// their own transactions, followed by every server. The leaders of groups take their members out (cluster_members.c), routing
// tables leave them out, and a server that finds itself there closes what it is not a member of any more. Private to dbms.
//
// A server that is only away is no matter of this: it stays a member, because its vote belongs to its data.
//
// The entry of a dropped server stays for ever: whenever it comes back, it is told. One that leaves its databases alone
// (DEALLOCATE) may be taken back.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"
#include "graph/types.h"
#include "os/thread.h"

struct database;
struct dbms;
struct graph_tx;

enum { DEPARTURES_MAX = 1024 }; // the last ones are followed

enum departure_kind {
  DEPARTS_NOT,
  DEPARTS_FROM_DATABASES, // from all groups but that of `system`
  DEPARTS,                // from the cluster
};

struct departure {
  graph_id node;
  struct uuid server; // none: nobody who is here has ever heard of it
  uint64_t number;    // of the server
  enum departure_kind kind;
};

struct departures {
  uint32_t count;
  struct departure of[DEPARTURES_MAX];
};

/// What is followed here: as of a moment ago.
struct departures_followed {
  struct mutex mutex; // of the list
  struct departures list;
  _Atomic bool dropped;    // this server, and the others have said so
  _Atomic int64_t look_ms; // monotonic: when to see whether something is to be closed; 0: nothing is
};

// Within a transaction of `system`. All may return ERR_WAIT with no effect.

/// Whoever is to change the list has it alone until its transaction ends.
enum err departures_lock(struct graph_tx *tx, struct error *e) NODISCARD;
/// ERR_CORRUPT: an entry is none.
enum err departures_read(struct graph_tx *tx, struct departures *ret, struct error *e) NODISCARD;
enum err departures_add(struct graph_tx *tx, const struct departure *departure, struct error *e) NODISCARD;
/// It is dropped now.
enum err departures_drop(struct graph_tx *tx, const struct departure *departure, struct error *e) NODISCARD;
/// The server stays.
enum err departures_cancel(struct graph_tx *tx, const struct departure *departure, struct error *e) NODISCARD;

// Pure.

/// The server's, or NULL. A number counts where the uuid is not known.
const struct departure *departures_find(const struct departures *l, struct uuid server, uint64_t number);

/// Whether the vote of a member may be taken away: at least `minimum` go on to vote. `voters`: those that stay, without it.
/// `learners`: servers that are there and will vote as soon as they can; they may wait for the vote of one that is away to be
/// gone, so then they count.
bool departure_is_safe(uint32_t voters, uint32_t learners, bool is_there, uint32_t minimum);

/// Whether those that stay can go on to decide: more than half of `voters` are `there`.
bool departure_keeps_majority(uint32_t voters, uint32_t there);

// Followed.

void departures_init(struct dbms *d);
void departures_done(struct dbms *d);
/// Reads what there is in `system`. Any thread that may wait. Errors of system_read.
enum err departures_follow(struct dbms *d, struct error *e) NODISCARD;
/// Whether the member of that server is to leave the database's group. Any thread.
bool departs_from(struct dbms *d, const struct database *db, struct uuid server, uint64_t number);
enum departure_kind departure_of(struct dbms *d, struct uuid server, uint64_t number);
/// Closes databases here of which this server is not a member any more, and opens them where it stays after all. Never waits:
/// what is left to do is due again. The reconciler's.
void departures_close(struct dbms *d);
/// Whether departures_close may have something to do now. Any thread.
bool departures_due(struct dbms *d);
