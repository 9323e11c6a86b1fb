// The inside of sessions on other servers: remote.c has the sessions, remote_link.c their connections.
#pragma once

#include "base/arena.h"
#include "bolt/client.h"
#include "bolt/remote.h"
#include "os/loop.h"
#include "os/net.h"

enum { REMOTE_KEY_BYTES = 32, REMOTE_LOOPS_MAX = 8 };

struct remote;
struct remote_link;

/// Everything below belongs to one loop.
struct remote_loop {
  struct remote *remote;
  struct loop *loop;
  struct loop_timer *tick;
  struct remote_link *busy, *idle; // lists; the one that was idle last is first
  uint32_t idle_count;
};

struct remote {
  struct dbms_remote table;
  struct bolt_remote_options options;
  struct net_resolver *resolver;
  uint8_t secret[REMOTE_KEY_BYTES];
  struct remote_loop loops[REMOTE_LOOPS_MAX];
  uint32_t loop_count;
  _Atomic uint32_t next_loop;
};

/// The loop's, but for what submit and interrupt write.
struct dbms_remote_session {
  struct remote_loop *at;
  struct arena texts;
  struct str address;
  struct dbms_client who;
  struct loop_task submit_task, interrupt_task, free_task;
  struct dbms_op *op;              // handed over by submit
  _Atomic uint32_t submitted;      // how many
  _Atomic uint32_t interrupt_goal; // which of them is to stop
  _Atomic enum err interrupt_reason;
  _Atomic bool interrupt_posted;
  uint32_t started, interrupted; // the last one that was started; that is to stop
  struct remote_link *link;      // NULL: nobody is logged in
};

/// One whose connection is gone (`client.spent`) stays with its session until that lets it go, because of the outputs in it.
struct remote_link {
  struct remote_link *next, **place; // in a list of the loop
  struct remote_loop *at;
  struct dbms_remote_session *session; // NULL: idle
  uint8_t key[REMOTE_KEY_BYTES];       // of address, user and credentials
  char address[NET_ADDRESS_TEXT_MAX], peer[NET_ADDRESS_TEXT_MAX]; // as it was named; as it was reached
  struct arena texts; // of `who`
  struct dbms_client who;
  struct net_connecting *connecting;
  struct net_conn *net; // NULL: not connected yet
  struct link_row row; // once the version is agreed
  struct bolt_client client;
  bool kept; // it was idle before
  bool paused;
  int64_t began_ms;       // to connect, or to log in
  int64_t heard_ms;       // a word of the server, or a question to it
  int64_t interrupted_ms; // 0: not
  int64_t idle_since_ms;
};

// ---- remote_link.c ----

/// A link for the session: one that was kept, unless it is to be `afresh`, or a new one, which connects. The session must have
/// none.
enum err remote_link_take(struct dbms_remote_session *s, const uint8_t key[REMOTE_KEY_BYTES], bool afresh,
                          struct error *e) NODISCARD;

/// Carries the operation out; its `done` is called, maybe at once.
void remote_link_start(struct remote_link *l, struct dbms_op *op);
void remote_link_interrupt(struct remote_link *l, enum err reason);

/// The session is done with it: kept for another one, or closed.
void remote_link_leave(struct remote_link *l);

/// Looks after time; once in REMOTE_TICK_MS.
enum { REMOTE_TICK_MS = 250 };
void remote_links_tick(struct remote_loop *at);
void remote_links_close(struct remote_loop *at);

// ---- remote.c ----

/// A login over a link that was kept found it dead: another link, or a new one.
void remote_log_in_again(struct dbms_remote_session *s, struct dbms_op *op);
