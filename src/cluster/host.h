// All Raft groups of one server, driven by one event loop: messages, time, and what the log's writer has made durable.
//
//   host_open -> { host_group_add ... host_group_remove } -> host_close
//
// Members and servers: a member id holds the number of its server in its upper half and, in the lower, which life of the group's
// data on that server it is (a vote belongs to its data). So a message for a member finds its server without a table, and a
// server that lost its data comes back as somebody else.
//
// The log's writer is the caller's thread, because it waits for the disk: when `write_ready` is called, it calls host_write_round
// until that has nothing to do. One round makes the logs of all groups durable together.
//
// Time is kept in steps of HOST_TICK_MS, so that the heartbeats of many groups fall together and travel in one frame.
//
// Threads: everything on the loop's, but host_touch (any) and host_write_round (the writer's, one).
#pragma once

#include "cluster/group.h"
#include "cluster/network.h"

#define HOST_TICK_MS 10

struct host;
struct host_group;

static inline uint64_t member_of(uint64_t server, uint32_t life) {
  return server << 32 | life;
}

static inline uint64_t member_server(uint64_t member) {
  return member >> 32;
}

struct host_options {
  struct network_options network;
  struct clock *clock;
  /// Some log has something queued. From the loop; must only take note.
  void (*write_ready)(void *context);
  /// The group is closed for the reason in group_failure. From the loop, once; must only take note: removing it, and adding it
  /// again to start from its disk, comes later.
  void (*group_failed)(void *context, struct host_group *g);
  /// The group was stepped: the moment to look at its state and to ask something of it (group_propose, group_checkpointed...),
  /// which is carried out with the next step, at once; so is group_failed told if that has closed it. From the loop. May be NULL.
  void (*group_stepped)(void *context, struct host_group *g);
  /// A term or vote of the group waits to be saved: call group_save by another thread, then host_touch. From the loop; must only
  /// take note. NULL: the loop saves by itself, and waits for the disk.
  void (*save_ready)(void *context, struct host_group *g);
  /// The connection with a server is up, or was lost (network_events.changed). From the loop; must only take note. May be NULL.
  void (*server_changed)(void *context, uint64_t server, bool up);
  /// network_events.is_elsewhere. From the loop. May be NULL.
  bool (*server_elsewhere)(void *context, uint64_t server, const char *address);
  /// network_events.start_met, .start_moved and .older. From the loop. With options.network.known.
  void (*start_met)(void *context);
  void (*start_moved)(void *context);
  void (*older)(void *context, uint64_t server, struct start known);
  /// Entries, a term or a vote of some group are on the disk now, and the others are told or have been: the moment for
  /// known_starts_promised. From the loop; must only take note. May be NULL.
  void (*promised)(void *context);
  void *context;
};

/// Listens. Errors of network_open.
enum err host_open(struct loop *loop, const struct host_options *options, struct host **ret, struct error *e) NODISCARD;
/// All groups are removed and the writer has stopped. NULL is fine.
void host_close(struct host *h);
const char *host_address(const struct host *h);

/// Opens the group (group_open; options.network is the host's business) and drives it from now on. Addresses of the other members
/// come from its membership. The log stays the caller's.
enum err host_group_add(struct host *h, struct log *log, const struct group_options *options, struct host_group **ret,
                        struct error *e) NODISCARD;
/// Waits for a round of the writer that is under way. The log may be closed then. Not from within a function of its application.
void host_group_remove(struct host_group *g);
struct group *host_group(struct host_group *g);
/// What host_group_add was given: whose group it is.
struct group_application *host_group_application(struct host_group *g);

/// Something was asked of the group, or its application has got on: it is stepped soon. Any thread, until host_group_remove
/// begins.
void host_touch(struct host_group *g);

/// One round of durability over the logs of all groups. The writer's thread. `*ret_worked` false: nothing was queued.
enum err host_write_round(struct host *h, bool *ret_worked, struct error *e) NODISCARD;

/// A server that is reached at another address than its memberships say. Nothing happens if it is nobody's member, or there already.
void host_peer_move(struct host *h, uint64_t server, const char *address);

/// This server's start has moved (known_starts_move): the others are told.
void host_moved(struct host *h);

/// Ends all connections, and makes no more (network_hush). Not from within a callback.
void host_hush(struct host *h);

/// The cluster's feature level was raised (network_judge_levels).
void host_judge_levels(struct host *h);

/// How long this server took to deal with what came in at once, from the first message to the last answer. Any thread.
struct host_processing {
  uint64_t batches, total_ns, last_ns;
};
void host_processing(struct host *h, struct host_processing *ret);

/// What is known of the connection with a server; false if it is nobody's member.
bool host_peer_status(struct host *h, uint64_t server, struct network_peer_status *ret);
