#include "os/net_alive.h"

#include <linux/tcp.h> // not netinet/tcp.h: that of glibc knows half of struct tcp_info
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "os/net.h"

void net_alive_ask(int socket) {
  int one = 1, idle_s = NET_ALIVE_IDLE_S, interval_s = NET_ALIVE_INTERVAL_S, tries = NET_ALIVE_TRIES;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

/// What is in flight is acknowledged at once by whoever is there. Not so where the window is zero, at which a peer may leave it
/// for as long as it likes (RFC 9293, 3.8.6.1): the system asks whether it still is, more and more rarely, up to every two
/// minutes, and the time since the last answer says nothing. One of these questions may be lost, or two; a row of NET_ALIVE_TRIES
/// was not. TCP_USER_TIMEOUT knows no such difference: it ends a connection whose window was zero for so long, whatever the peer
/// answers.
///
/// A window that was shrunk to zero with something in flight, which is then repeated instead of asking, is left to the system: it
/// gives up after minutes without an answer.
static bool owes_an_answer(const struct tcp_info *info) {
  return info->tcpi_unacked > 0 ? info->tcpi_snd_wnd > 0 : info->tcpi_probes >= NET_ALIVE_TRIES;
}

enum net_output net_output_look(int socket) {
  struct tcp_info info = {.tcpi_snd_wnd = 1}; // Linux before 5.4 does not say
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return NET_OUTPUT_ACKNOWLEDGED;
  if (info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0) return NET_OUTPUT_ACKNOWLEDGED;
  bool silent = info.tcpi_last_ack_recv >= NET_ALIVE_IDLE_S * 1000;
  return silent && owes_an_answer(&info) ? NET_OUTPUT_UNANSWERED : NET_OUTPUT_UNDER_WAY;
}
