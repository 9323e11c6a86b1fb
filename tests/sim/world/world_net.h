// The network between the processes of a world: who hears whom, and how fast. What the product sees of it is os/net.h.
//
// A connection is two streams of bytes, each in order, each arriving after its link's delay. A link that is cut keeps what was
// sent and tries again, as TCP does; a machine that lost its power is silent, and one that came back resets what it does not
// know. Of whom nothing can be heard for half a minute is gone, as in os/net_alive.h: what is under way is repeated, or else the
// other end asked, and either needs both directions. Hosts are called as their processes.
#pragma once

#include "world.h"

struct world_link {
  int64_t delay_min_ns, delay_max_ns;
  bool cut;
};

/// From `from` to `to`; the other direction is another link. 200 microseconds to a millisecond until it is changed.
struct world_link *world_link(const struct process *from, const struct process *to);
void world_links_set(struct world_link to); // all of them
/// A moment that a message takes on the link.
int64_t world_link_delay(const struct process *from, const struct process *to);
/// Breaks the connections between the two: both ends are told, sooner or later.
void world_net_reset(const struct process *a, const struct process *b);
