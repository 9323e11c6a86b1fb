// Inside the server of catch-up: connections on the loop (catchup_server.c), and what the work thread does for them
// (catchup_work.c).
#pragma once

#include "base/refusals.h"
#include "cluster/catchup_link.h"
#include "cluster/catchup_server.h"
#include "os/thread.h"

struct catchup_database {
  struct catchup_database *next;
  uint8_t uuid[16];
  struct catchup_source *source;
  uint64_t touches; // times that something was committed
};

// A pinned checkpoint, shared by all who copy it. Made and given back by the work thread, and when its database is removed.
struct catchup_held {
  struct catchup_held *next;
  uint64_t id;
  struct catchup_database *database;
  struct catchup_pin pin;
  unsigned users;     // connections
  int64_t expires_ns; // when it has none
};

// What is wanted from the disk, and what came of it. A client has one; it is the work thread's from being queued to being posted.
struct catchup_job {
  struct catchup_job *next;
  struct catchup_client_conn *client;
  struct catchup_message asked;
  uint32_t number; // of the message that answers
  bool queued, posted;
  bool piece;        // the next one of a copy that has begun
  uint64_t held;     // id of the pin that is copied from; 0: none
  uint64_t position; // of the piece
  struct buf answer; // nothing if there is no answer
  size_t from;       // where it begins in there
  bool ended;        // all pieces have been sent
  bool waits;        // a pull found nothing: `answer` is for the end of the wait
  uint64_t touches;  // of the database when it looked
};

struct catchup_client_conn {
  struct catchup_server *server;
  struct catchup_client_conn *next;
  struct catchup_link *link; // NULL: gone
  struct catchup_job job;
  struct loop_task done; // the job is
  bool working, copying, waiting;
  bool told; // that it was refused
  int64_t deadline_ms; // of a pull that waits
  uint64_t moved;      // bytes, when last looked at,
  int64_t moved_ms;    // and when that changed
  uint64_t number;     // the other server
  uint32_t feature_level; // that it knows
  char remote[NET_ADDRESS_TEXT_MAX];
  struct link_row row;
};

struct catchup_server {
  struct loop *loop;
  struct catchup_server_options options;
  struct catchup_link_setup setup;
  struct net_listener *listener;
  struct loop_timer *tick;
  struct catchup_client_conn *clients;
  struct refusals refusals;
  unsigned client_count, orphans; // orphans: gone, but their jobs are under way
  int64_t swept_ms;
  struct loop_task touch;

  struct mutex lock;     // all below
  struct condition idle; // the work thread is between two jobs
  bool working;
  struct catchup_database *databases;
  struct catchup_held *held;
  unsigned held_count;
  uint64_t held_ids;
  struct catchup_job *first, *last; // queue
  bool touch_posted, closed;
  unsigned waiting; // clients that wait for a commit: without any, a touch wakes nobody
  unsigned leaving; // tasks that are posted while it is closed: the last one releases it
  struct catchup_server_stats stats;
};

/// With the lock held.
struct catchup_database *catchup_find(struct catchup_server *s, const uint8_t uuid[16]);
struct catchup_held *catchup_find_held(struct catchup_server *s, uint64_t id);
/// Takes those of a database out (NULL: that have expired and nobody uses); without the lock, catchup_give_back them.
struct catchup_held *catchup_take_held(struct catchup_server *s, const struct catchup_database *database);
void catchup_give_back(struct catchup_held *list);
