// For the tests of catching up: upstreams with stores that are written to, a line between that breaks or lies, and somebody who
// catches up. Real sockets on loopback, disks in memory.
#pragma once

#include "cluster/catchup_client.h"
#include "cluster/catchup_store.h"
#include "os/thread.h"
#include "store/test_place.h"

// ---- upstreams ----

struct upstream {
  struct place place;
  struct catchup_store source;
  uint64_t pages;
  page_id *ids;  // of them
  unsigned pins; // as last asked
  struct loop *loop;
  struct catchup_server *server;
  struct catchup_server_options options;
  struct thread worker, writer;
  struct mutex lock;
  struct condition ready;
  bool work, stop;
  _Atomic bool writing;
  int64_t pause_ns; // of the writer's thread between entries: a disk in memory has one lock, and whoever wants it more gets it
  _Atomic int64_t slowest_ns; // entry of the writer's thread
  struct upstream_liar {      // a source that changes what it reads
    struct catchup_source source;
    _Atomic bool lies;
  } liar;
  char address[NET_ADDRESS_TEXT_MAX];
};

/// A store of so many pages, of which some change with each entry (upstream_write). Two with the same `uuid_seed` have the same
/// database. Serves it as server `number` of the cluster of all these tests, with the options that stand in `u`.
void upstream_open(struct upstream *u, uint64_t number, uint64_t pages, uint64_t uuid_seed);
/// The same over files in the directory "db", which is there.
void upstream_open_at(struct upstream *u, struct disk *disk, uint64_t number, uint64_t pages);
void upstream_close(struct upstream *u);
/// Stops and starts the serving part.
void upstream_serve(struct upstream *u);
void upstream_stop(struct upstream *u);
void upstream_write(struct upstream *u, unsigned entries);
/// A thread that writes, and makes a checkpoint now and then, until it is told to stop.
void upstream_start_writing(struct upstream *u);
void upstream_stop_writing(struct upstream *u);
unsigned upstream_pins(struct upstream *u);

/// Whether the store holds what this upstream's did when it had applied as much.
void assert_store_is_right(struct store *s, struct page_access *a, const struct upstream *like);

// ---- a line that breaks ----

struct line {
  char address[NET_ADDRESS_TEXT_MAX], to[NET_ADDRESS_TEXT_MAX];
  int listener;
  struct thread thread;
  _Atomic bool stop;
  _Atomic int connections;
  const uint64_t
      *cuts; // after so many bytes towards the client the first, the second ... connection is cut; behind the last: never
  size_t cut_count;
  const uint64_t *flips; // the byte at this place of the first, the second ... connection is another one
  size_t flip_count;
};

void line_open(struct line *l, const char *to);
void line_close(struct line *l);
/// A socket that leads to "127.0.0.1:port"; negative: nobody is there.
int line_dial(const char *to);

// ---- somebody who catches up ----

struct learner {
  struct sim_disk *sim;
  struct disk *disk;
  const char *directory;
  struct loop *loop;
  struct catchup_client *client;
  struct catchup_client_options options;
  struct event_sink sink;
  struct thread worker;
  struct mutex lock;
  struct condition ready, over;
  bool work, stop, done, still;
  // what came of the last request
  struct store_copy *copy;
  struct catchup_status status;
  enum catchup_refusal refusal;
  enum err failed;
  char why[400];
  uint32_t count;
  uint64_t commit_index, first_index, last_index, last_term, from;
  char log[20000]; // events, one a line
  size_t log_len;
};

/// With the options, and on the disk, that stand in `l`; a disk in memory if there is none.
void learner_open(struct learner *l, const uint8_t database[16]);
void learner_close(struct learner *l);
void learner_knows(struct learner *l, const char *const *addresses, size_t count);
void learner_asks_copy(struct learner *l, uint64_t least_index);
void learner_asks_pull(struct learner *l, struct catchup_pull pull);
void learner_asks_status(struct learner *l);
/// Its disk takes nothing more until told otherwise.
void learner_stands_still(struct learner *l, bool still);
/// True if the request ended in time, well or not.
bool learner_is_answered(struct learner *l);
bool learner_has_logged(struct learner *l, const char *text);
/// Puts the copy in place, opens it and compares it; gives what it has applied.
struct store_applied learner_installs(struct learner *l, struct upstream *like);
