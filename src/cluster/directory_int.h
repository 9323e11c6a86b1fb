// Inside the directory: the table of servers (directory.c), frames and what each link knows (directory_frame.c), servers that
// were dropped, or leave (directory_dropped.c).
#pragma once

#include "base/refusals.h"
#include "cluster/directory.h"
#include "os/thread.h"

enum {
  RECORD_ANNOUNCEMENT = 1,
  RECORD_BEAT = 2,
  RECORD_DROPPED = 3,
  RECORD_LEAVES = 4,
  RECORD_HEADER_BYTES = 16,
  BEAT_BYTES = 40,
  GOING_BYTES = 32 // a server that was dropped, or leaves
};

struct directory_version {
  uint64_t epoch, revision, beat;
};

// One server. A place stays taken for a while after its server has gone, so that what others still say of it is known for old.
enum directory_place_state { PLACE_FREE, PLACE_HERE, PLACE_GONE };

struct directory_place {
  enum directory_place_state state;
  struct uuid server;
  struct directory_version version;
  uint8_t *bytes; // its announcement; the beat in it is old
  size_t len;
  int64_t heard_ms;
  uint64_t leaving_epoch; // of the life in which it said that it leaves; 0: none
};

struct directory {
  struct directory_options options;
  struct mutex lock;                                    // of places and changes, for other threads: only the owner changes them
  struct directory_place places[DIRECTORY_SERVERS_MAX]; // 0: this server
  size_t bytes;                                         // of all announcements
  uint64_t changes;
  bool say_at_tick;                  // applied indexes moved
  struct directory_link *links;      // all of them
  struct arena scratch;              // of one call
  struct uuid cluster;               // that this server is bound to, or none
  struct directory_dropped *dropped; // owned
  uint32_t dropped_count;
  bool self_dropped; // says somebody else of the cluster
  // told already
  uint64_t copy_epoch;
  bool full_told;
  struct refusals foreign_told;
  struct uuid twin_told;
  uint64_t twin_told_epoch;
};

struct directory_link {
  struct directory *directory;
  struct directory_link *next;
  struct uuid peer;
  bool peer_dropped;                                     // from the cluster: it is told
  struct directory_version known[DIRECTORY_SERVERS_MAX]; // what the other end knows of each place
};

/// The place of that server, or NULL.
struct directory_place *directory_find(struct directory *d, struct uuid server);

/// An announcement that came in. `*ret_place` NULL: not taken. ERR_BUSY: of another process with the identity of a server that is
/// there.
enum err directory_take(struct directory *d, int64_t now_ms, int64_t age_ms, const struct announcement *a, const uint8_t *bytes,
                        size_t len, struct directory_place **ret_place, struct error *e) NODISCARD;
/// A beat that came in.
void directory_take_beat(struct directory *d, int64_t now_ms, int64_t age_ms, struct directory_place *p, uint64_t beat);
/// Whether what that server says does not count any more.
bool directory_is_dropped(const struct directory *d, struct uuid server, uint64_t number);
/// Those that were dropped leave the table, and links to them will tell them.
void directory_forget_dropped(struct directory *d);
/// `type`: RECORD_DROPPED tells that server, RECORD_LEAVES is told by it. ERR_NOMEM: `to` is as before.
enum err directory_put_going(const struct directory *d, uint8_t type, struct uuid server, struct buf *to) NODISCARD;
/// Somebody says who was dropped. False: these bytes are no such record.
bool directory_hear_dropped(struct directory *d, const uint8_t *body, size_t len);
/// The server of that place has said that it leaves.
void directory_note_leaving(struct directory *d, struct directory_place *p);
/// Somebody says who leaves: of the server at the other end alone that is believed. False: the same.
bool directory_hear_leaves(struct directory_link *l, const uint8_t *body, size_t len);
/// Somebody else says that it is this server.
void directory_tell_copy(struct directory *d, const struct announcement *a);
