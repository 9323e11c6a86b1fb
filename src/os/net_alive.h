// Whether the machine at the other end of a TCP connection is still there. One that has lost its power, or its cable, closes
// nothing: whoever waits for its next word would wait for ever, and a transaction of its would keep its locks.
//
// While nothing is under way to it, the system asks after it (SO_KEEPALIVE). While something is, the system does not ask: it
// sends that again and again, for a quarter of an hour. So whoever has sent looks from time to time what has become of it. The
// times are in os/net.h.
#pragma once

/// From now on the system asks, where nothing is under way. A peer that does not answer is gone as by a reset.
void net_alive_ask(int socket);

enum net_output {
  NET_OUTPUT_ACKNOWLEDGED, // all that the system took: who is silent from now on is found out by the system
  NET_OUTPUT_UNDER_WAY,    // or it waits for a reader that reads nothing, and says so
  NET_OUTPUT_UNANSWERED,   // for NET_ALIVE_IDLE_S or longer
};

/// What has become of the output that the system took. As with SO_KEEPALIVE, a peer is gone when it was found unanswered
/// NET_ALIVE_TRIES times, NET_ALIVE_INTERVAL_S apart, and is so once more; once alone says little, because what was sent last may
/// be younger than the silence before it. A socket that is none of TCP has it acknowledged.
enum net_output net_output_look(int socket);
