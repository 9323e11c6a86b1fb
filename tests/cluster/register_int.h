// What the parts of the replicated register share. All on the loop's thread but the log's writer.
#pragma once

#include "base/map.h"
#include "cluster/host.h"
#include "os/thread.h"
#include "register_state.h"

struct client;
struct idle_group;

// Somebody waits for an entry (its fate is known when its index is applied) or for a read.
struct waiting {
  struct waiting *next;
  uint64_t client; // number; it may be gone
  uint64_t tag;
  uint64_t index, term; // of an entry; of a read the index that it needs, 0 until it is known
  uint32_t key;         // of a read
  bool is_read;
};

struct register_server {
  // as told
  uint64_t server;
  const char *directory, *listen, *client_listen;
  struct consensus_membership first;
  bool join;
  struct consensus_options timing;
  uint64_t checkpoint_entries, trailing;
  uint32_t idle_count;
  struct event_sink *events;

  struct loop *loop;
  struct net_resolver *resolver;
  struct host *host;
  struct host_group *group;
  struct log *log;
  struct group_application application;
  struct register_state *state;
  uint64_t checkpoint_index;
  uint64_t member;
  struct idle_group *idle; // register_idle.c

  struct net_listener *client_listener;
  struct map clients; // by number: struct client *
  uint64_t client_numbers, read_numbers;
  struct map entries;    // by index: struct waiting *
  struct map reads;      // by number: struct waiting *, that consensus is asked about
  struct waiting *ready; // reads that wait for their index to be applied

  // an install under way (register_copy.c)
  uint64_t wanted_index;
  uint32_t wanted_from; // which member is asked next
  struct net_connecting *connecting;
  struct net_conn *source;
  struct buf copy;
  struct loop_timer *copy_retry;

  struct thread writer;
  struct mutex lock;
  struct condition wake;
  bool write_ready, stopping; // lock
};

uint64_t register_now_ms(void);

// ---- clients (register_client.c) ----

enum err clients_open(struct register_server *s, struct error *e) NODISCARD;
/// An entry was applied: whoever waits for it is answered.
void clients_applied(struct register_server *s, uint64_t index, uint64_t term);
/// Everything up to `index` came by a copy: the fate of those entries is not known here.
void clients_installed(struct register_server *s, uint64_t index);
void clients_read(struct register_server *s, uint64_t read_id, uint64_t index, bool failed);

// ---- groups that do nothing (register_idle.c) ----

/// Opens `idle_count` of them with the members of the register's beginning.
enum err idle_open(struct register_server *s, struct error *e) NODISCARD;
/// Of how many the leader is known, and of how many it is here.
void idle_count_led(const struct register_server *s, uint32_t *led, uint32_t *here);

// ---- copies (register_copy.c) ----

/// Gets a copy of a state that has applied at least `index` from another member's client port, and goes on until it has one.
void copy_begin(struct register_server *s, uint64_t index);
/// The timer `copy_retry`.
void copy_ask(void *server);
/// Makes the state durable and lets the log forget.
enum err checkpoint(struct register_server *s, struct error *e) NODISCARD;

/// Ends the process: the register's way of closing a group.
void die(const char *what, const struct error *e) NORETURN;
