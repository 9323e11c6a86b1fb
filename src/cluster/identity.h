// Who this server is and what it has promised: one small file in the data folder (docs/formats/members.md, "Identity"). It
// survives restarts and changes of address; a server that lost it is another server.
//
//   identity_open -> { identity_save }
//
// The states and what leads from one to the next (cluster/formation.h says when):
//
//   unbound -> prepared for one founding -> bound to its cluster, for good
//           <-                    (only when its founder has given it up)
//   unbound -> bound to a cluster that is there already
//   bound -> dropped from it (the others have said so)
//
// Thread: one at a time. Both functions wait for the disk: a few dozen milliseconds at a start, and twice more in the life of a
// server.
#pragma once

#include "cluster/founding.h"
#include "os/disk.h"
#include "os/random.h"

#define IDENTITY_FILE "server_identity"

enum identity_state { IDENTITY_UNBOUND = 1, IDENTITY_PREPARED, IDENTITY_BOUND, IDENTITY_DROPPED };

/// A value.
struct identity {
  struct uuid server;
  uint32_t number;   // of this server in its cluster: `server` of cluster/host.h
  uint64_t epoch;    // rises with each start
  uint64_t sequence; // rises with each save
  enum identity_state state;
  bool begun; // bound or dropped: the groups that begin with the cluster have begun here; an empty log is one that was lost
  struct founding founding; // count 0 if unbound. Bound, dropped: this server need not be in it, it may have come later
};

/// The cluster that it is bound to, or none.
static inline struct uuid identity_cluster(const struct identity *i) {
  return i->state == IDENTITY_BOUND ? i->founding.cluster : (struct uuid){{0}};
}

/// Reads the file in `folder`, or makes the identity of a new server, and saves it with the next epoch: what is returned is on
/// the disk. ERR_CORRUPT (damaged or foreign), ERR_UNSUPPORTED (of a newer version), ERR_IO, ERR_NOSPC: the message names the
/// file and the way out.
enum err identity_open(struct disk *d, const char *folder, struct random_source *random, struct identity *ret,
                       struct error *e) NODISCARD;

/// Makes `*i` with the next sequence durable and sets that in `*i`. After a failure nobody knows which of the two a restart will
/// find: nothing may be said or done any more until identity_open has succeeded. ERR_IO, ERR_NOSPC.
enum err identity_save(struct disk *d, const char *folder, struct identity *i, struct error *e) NODISCARD;

/// Another number, unlike the one it has. ERR_IO.
enum err identity_renumber(struct identity *i, struct random_source *random) NODISCARD;

/// A fresh one. ERR_IO: the system has no randomness.
enum err identity_random_uuid(struct random_source *random, struct uuid *ret) NODISCARD;
