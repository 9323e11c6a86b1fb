// Who is there: what the servers of a cluster say of themselves, as far as this one has heard, directly or through others. Soft
// state: nothing of it is on a disk, and a server of which nothing new is heard for a while is gone.
//
//   directory_new -> { directory_say, directory_tick, directory_hear, directory_write } -> directory_free
//
// A machine without sockets or clock: frames (docs/formats/members.md) go in and come out for links, which the owner connects
// with whom it can reach (cluster/beacon.h). Every second a link gets what is new and, of what is not, a beat of 40 bytes; what
// this server itself says it gets at once. What came over one link goes out over the others, so that it is enough to know
// anybody.
//
// Everything heard is hostile: servers, bytes and lengths are bounded, what makes no sense ends the link, and nothing is passed
// on faster than once a second.
//
// Threads: the owner's; directory_copy and directory_changes any. `now_ms` is monotonic and never falls.
#pragma once

#include "base/event.h"
#include "cluster/announcement.h"

#define DIRECTORY_FRAME_BYTES_MAX (256u << 10)
#define DIRECTORY_SERVERS_MAX 256u
#define DIRECTORY_BYTES_MAX (8u << 20) // all announcements together

struct directory;
struct directory_link;

struct directory_options {
  int64_t expiry_ms;         // 0: 10 000 without a new beat and a server is gone
  struct event_sink *events; // may be NULL
};

/// `self` is what this server says first (its `server` and `epoch` stay); revision and beat are the directory's. ERR_NOMEM;
/// ERR_LIMIT as announcement_put.
enum err directory_new(const struct directory_options *options, const struct announcement *self, int64_t now_ms,
                       struct directory **ret, struct error *e) NODISCARD;
/// All links are closed. NULL is fine.
void directory_free(struct directory *d);

/// What this server says from now on. `*ret_at_once`: the others should hear it now (directory_write, DIRECTORY_SELF); false
/// where only applied indexes moved, or nothing. Servers of another cluster than the one it is bound to are forgotten. ERR_NOMEM,
/// ERR_LIMIT: it goes on saying what it said.
enum err directory_say(struct directory *d, const struct announcement *self, bool *ret_at_once, struct error *e) NODISCARD;

/// A server that was dropped from the cluster that this one is bound to: by uuid, or where nobody knows that, by number.
struct directory_dropped {
  struct uuid server;
  uint64_t number;
};

/// All of those: nothing that they say, or that is said of them, is taken any more, and they are told. Instead of what was said
/// before. ERR_NOMEM.
enum err directory_drop(struct directory *d, const struct directory_dropped *of, uint32_t count, struct error *e) NODISCARD;

/// Another server of its cluster has said that this one was dropped. Once true it stays true.
bool directory_was_dropped(const struct directory *d);

/// From now on this server says, once a second, that it is to leave the cluster that it is bound to.
void directory_leave(struct directory *d);

/// Once a second: a beat of this server, and those that are silent too long are gone.
void directory_tick(struct directory *d, int64_t now_ms);

// ---- links ----

/// A connection with another server, which nobody knows yet. ERR_NOMEM.
enum err directory_link_new(struct directory *d, struct directory_link **ret, struct error *e) NODISCARD;
/// NULL is fine.
void directory_link_free(struct directory_link *l);
/// Who is at the other end; no uuid before its first frame.
struct uuid directory_link_peer(const struct directory_link *l);

enum directory_part { DIRECTORY_SELF, DIRECTORY_ALL };

/// Appends a frame with what the other end does not know yet: of this server, or, once a second, of all. Nothing if there is
/// nothing. ERR_NOMEM: `to` is as before.
enum err directory_write(struct directory_link *l, int64_t now_ms, enum directory_part part, struct buf *to) NODISCARD;

/// How long the frame is that begins with these bytes: ERR_SHORT (fewer than its header), ERR_CORRUPT (none begins here: says
/// what it looks like), ERR_UNSUPPORTED (of another version).
enum err directory_frame_bytes(const uint8_t *from, size_t bytes, uint32_t *ret, struct error *e) NODISCARD;

/// A whole frame. ERR_CORRUPT: the link must be closed. ERR_EXISTS: the other end is this very server, or says that it is (an
/// event tells that one data folder is a copy of another): the link must be closed. ERR_BUSY: the same of a server that is there at
/// another address. ERR_NOMEM.
enum err directory_hear(struct directory_link *l, int64_t now_ms, const uint8_t *frame, size_t bytes, struct error *e) NODISCARD;

// ---- looking ----

/// Whether server `number` has been heard in the last three seconds, and says that it is to be reached for Raft elsewhere than at
/// `address`: then whoever says there that it is this one has a copy of its data folder. False where memory is short. Any thread.
bool directory_is_elsewhere(struct directory *d, int64_t now_ms, uint64_t number, const char *address);

/// Rises with every change but beats and applied indexes. Any thread.
uint64_t directory_changes(struct directory *d);

struct directory_server {
  struct announcement said;
  int64_t heard_ms; // when its last beat reached this server
  bool leaves;      // it has said so itself, in this life
};

struct directory_copy {
  uint64_t changes;
  uint32_t count; // of servers that are there; this one is the first
  const struct directory_server *servers;
};

/// All of it as it is now, in `arena`. Any thread. ERR_NOMEM or what the arena's budget says.
enum err directory_copy(struct directory *d, struct arena *arena, struct directory_copy *ret, struct error *e) NODISCARD;
