// The stores of a member of a cluster, while no server has them open: how they stand, and how they cease to be a member's. For
// the admin tool. A build without clusters has offline_none.c.
//
//   offline_open -> { offline_look, offline_unbind } -> offline_close
//
// Unbinding is done store by store, `system` first, each by one write of its group state; the identity of the server goes last. A
// crash between leaves a server that does not start as a member (its `system` is none's any more), and as a standalone one does
// not open what still is: unbinding once more completes it.
#pragma once

#include "base/arena.h"
#include "base/event.h"
#include "cluster/identity.h"
#include "config/config.h"
#include "os/disk.h"
#include "store/store.h"

struct offline;

struct offline_member {
  uint64_t server; // its number
  bool votes;
  const char *address; // of its Raft port
};

struct offline_database {
  struct str name, folder; // below data/databases; `name` as the catalogue has it
  bool is_member;          // false: it is a standalone server's
  uint64_t generation;
  struct store_applied committed; // the last entry that is known here to be committed
  struct store_applied logged;    // the last entry of the log: that it was committed, only those who are lost may have known
  uint32_t member_count;          // as of the last change that the log holds
  const struct offline_member *members;
};

struct offline_report {
  struct identity identity;
  uint32_t count;
  const struct offline_database *databases; // `system` first
};

/// Takes the folders that the settings name; another process that has a store open is told by later calls (ERR_BUSY). Tables
/// outlive it. ERR_NOMEM; ERR_NOTFOUND: no server has ever been here.
enum err offline_open(const struct config_values *config, struct disk *disk, struct event_sink *events, struct offline **ret,
                      struct error *e) NODISCARD;
/// NULL is fine.
void offline_close(struct offline *o);

/// How all stores stand, in `a`. Opens each as its member would: replays its log up to what is committed. Errors: those of
/// graph_open.
enum err offline_look(struct offline *o, struct arena *a, struct offline_report *ret, struct error *e) NODISCARD;

/// Makes a standalone server's stores of them, each of a new generation, and forgets who the server was. What the log holds
/// behind what is known to be committed is cut, or, with `keep_tail`, carried out. What is done already is left as it is.
enum err offline_unbind(struct offline *o, bool keep_tail, struct error *e) NODISCARD;

/// Makes room for another server in the data folder of one that was dropped from its cluster: its databases are kept under the
/// name `databases.dropped`, in the place of what was kept there before, and who it was is forgotten. A crash between leaves a
/// server that was dropped: once more completes it. No server is at work in the folder.
enum err offline_set_aside(const char *data, struct disk *disk, struct error *e) NODISCARD;
