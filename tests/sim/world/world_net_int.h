// What the two files of the network share.
#pragma once

#include "base/buf.h"
#include "world_int.h"

struct net_conn;

enum { STREAM_WINDOW = 256 * 1024 }; // bytes that were sent and not read yet

enum packet_kind { PACKET_DATA, PACKET_END, PACKET_RESET };

struct packet {
  struct packet *next;
  int64_t at_ns;
  enum packet_kind kind;
  size_t len;
  char bytes[];
};

/// One end of a connection: the world's memory, to the world's end.
struct endpoint {
  struct process *process, *other;
  uint32_t lives; // of the process, when it was made
  struct endpoint *peer;
  struct net_conn *conn; // NULL: nobody has taken it over yet
  int socket;
  struct packet *first, *last; // under way to here
  int64_t last_at_ns, retry_ms;
  int64_t heard_ns; // of the other end, when it could hear this one too
  struct world_event arrival, ack, question;
  struct buf received;
  size_t unacked; // sent from here, not read there, as far as is known here
  size_t owed;    // read here, not told there
  bool ended, was_reset, dead, machine_died;
};

struct endpoint *endpoint_of(int socket);
/// From now on the connection is told if the other end is gone without a word.
void endpoint_take(struct endpoint *ep, struct net_conn *conn);
/// How much was taken.
size_t endpoint_send(struct endpoint *ep, const void *bytes, size_t len);
/// No more is sent.
void endpoint_end(struct endpoint *ep);
void endpoint_took(struct endpoint *ep, size_t bytes);
void endpoint_close(struct endpoint *ep);

/// Something is new for the connection: its loop looks.
void conn_notice(struct net_conn *c);
