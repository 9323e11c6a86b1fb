// Machines that are gone, and slow readers that are not, on real sockets. A filter on the peer's socket has its system drop
// whatever comes without a word, as one without power does. Time runs PACE times as fast here: the timers of a connection, and
// how long ago the system has heard of the peer. The system's own times stay as they are: it asks whether a window is still zero
// for the first time after a fifth of a second, and then ever more rarely.
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/clock.h"
#include "os/test_socket.h"

enum { PACE = 30, MUCH_BYTES = 32 << 20 };

static _Atomic int looks;
static _Atomic bool shrunk; // the peer's window, to nothing, as far as the system tells: Linux does not do it on request

int __real_getsockopt(int socket, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int socket, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int socket, int level, int option, void *value, socklen_t *size) {
  int result = __real_getsockopt(socket, level, option, value, size);
  if (level != IPPROTO_TCP || option != TCP_INFO || result != 0) return result;
  looks++;
  struct tcp_info *info = value;
  info->tcpi_last_ack_recv *= PACE;
  if (shrunk) info->tcpi_snd_wnd = 0;
  return result;
}

void __real_loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat);
void __wrap_loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat);
void __wrap_loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat) {
  __real_loop_timer_set(timer, delay_ms / PACE, repeat);
}

// ---- a server of one connection, and its peer, which is a plain socket ----

struct talk {
  struct loop *loop;
  struct net_listener *listener;
  struct net_conn *conn;
  int peer;
  enum err why;
  char text[80]; // why, for people
  _Atomic bool accepted, closed;
};

static void on_received(void *context, const void *bytes, size_t len) {
  struct talk *t = context;
  assert_ok(net_conn_write(t->conn, bytes, len));
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why) {
  struct talk *t = context;
  const char *text = net_conn_why(t->conn);
  t->why = why;
  snprintf(t->text, sizeof t->text, "%s", text != NULL ? text : "");
  net_conn_free(t->conn);
  t->conn = NULL;
  t->closed = true;
}

static void on_accepted(void *context, int socket, const char *peer UNUSED, const char *local UNUSED) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {512 << 10, 128 << 10};
  struct talk *t = context;
  assert_ok(net_conn_new(t->loop, socket, &limits, &events, t, &t->conn, NULL));
  t->accepted = true;
}

static void listen_now(void *argument) {
  static const struct net_listener_events events = {on_accepted};
  struct talk *t = argument;
  assert_ok(net_listen(t->loop, STR("127.0.0.1:0"), 0, &events, t, &t->listener, NULL));
}

static bool is_set(_Atomic bool *flag, int timeout_ms) {
  for (int ms = 0; ms < timeout_ms && !*flag; ms++) poll(NULL, 0, 1);
  return *flag;
}

static void talk_start(struct talk *t) {
  *t = (struct talk){0};
  assert_ok(loop_start("talk", &t->loop, NULL));
  loop_call(t->loop, listen_now, t);
  t->peer = socket_connected(t->listener);
  assert_true(is_set(&t->accepted, 2000));
}

static void stop_now(void *argument) {
  struct talk *t = argument;
  net_listener_free(t->listener);
  net_conn_free(t->conn);
}

static void talk_stop(struct talk *t) {
  close(t->peer);
  loop_call(t->loop, stop_now, t);
  loop_stop(t->loop);
}

/// The peer's power goes.
static void cut(const struct talk *t) {
  struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &nothing};
  assert_int_equal(setsockopt(t->peer, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

static void say_a_word(void *argument) {
  struct talk *t = argument;
  if (t->conn == NULL) return;
  assert_ok(net_conn_write(t->conn, "w", 1));
  net_conn_flush(t->conn);
}

static void say_much(void *argument) {
  struct talk *t = argument;
  CLEANUP(buf_done) struct buf b = BUF_INIT;
  assert_ok(buf_reserve(&b, MUCH_BYTES));
  memset(b.data, 'm', b.len = MUCH_BYTES);
  assert_ok(net_conn_write_buf(t->conn, &b));
  net_conn_flush(t->conn);
}

static int64_t now_ms(void) {
  return clock_monotonic_ns(clock_system()) / NS_PER_MS;
}

// ---- what is told of them ----

TEST(a_peer_that_acknowledges_nothing_is_gone_after_half_a_minute) {
  struct talk t;
  talk_start(&t);
  cut(&t);
  int64_t begin_ms = now_ms();
  loop_call(t.loop, say_a_word, &t);
  assert_true(is_set(&t.closed, 5000));
  assert_in_range((now_ms() - begin_ms) * PACE / 1000, NET_ALIVE_INTERVAL_S * NET_ALIVE_TRIES, 2 * NET_ALIVE_SILENCE_S);
  assert_int_equal(t.why, ERR_CLOSED);
  assert_string_equal(t.text, "it acknowledged nothing for 30 s");
  talk_stop(&t);
}

TEST(a_peer_that_is_back_in_time_is_not) {
  struct talk t;
  talk_start(&t);
  cut(&t);
  loop_call(t.loop, say_a_word, &t);
  poll(NULL, 0, 8 * 1000 / PACE); // a quarter of a second, by which it was sent again in vain
  int detach = 0;
  assert_int_equal(setsockopt(t.peer, SOL_SOCKET, SO_DETACH_FILTER, &detach, sizeof detach), 0);
  assert_int_equal(read_to_end(t.peer, 1), 1);
  poll(NULL, 0, 40 * 1000 / PACE);
  assert_false(t.closed);
  talk_stop(&t);
}

TEST(a_slow_reader_is_served_to_the_end) {
  struct talk t;
  talk_start(&t);
  loop_call(t.loop, say_much, &t);
  poll(NULL, 0, 75 * 1000 / PACE); // its window is zero
  assert_false(t.closed);
  assert_int_equal(read_to_end(t.peer, MUCH_BYTES), MUCH_BYTES);
  talk_stop(&t);
}

TEST(a_slow_reader_that_dies_is_gone_when_it_was_asked_often_enough) {
  struct talk t;
  talk_start(&t);
  loop_call(t.loop, say_much, &t);
  poll(NULL, 0, 100);
  assert_false(t.closed);
  cut(&t);
  assert_true(is_set(&t.closed, 20000));
  assert_string_equal(t.text, "it acknowledged nothing for 30 s");
  talk_stop(&t);
}

TEST(a_window_that_was_shrunk_before_what_is_in_flight_is_left_to_the_system) {
  struct talk t;
  talk_start(&t);
  cut(&t);
  shrunk = true;
  loop_call(t.loop, say_a_word, &t);
  poll(NULL, 0, 75 * 1000 / PACE);
  assert_false(t.closed);
  shrunk = false;
  assert_true(is_set(&t.closed, 5000));
  talk_stop(&t);
}

TEST(nobody_looks_at_a_connection_of_which_all_is_acknowledged) {
  struct talk t;
  talk_start(&t);
  loop_call(t.loop, say_a_word, &t);
  looks = 0;
  poll(NULL, 0, 20 * 1000 / PACE);
  assert_int_equal(looks, 1);
  talk_stop(&t);
}

TESTS(T(a_peer_that_acknowledges_nothing_is_gone_after_half_a_minute), T(a_peer_that_is_back_in_time_is_not),
      T(a_slow_reader_is_served_to_the_end), T(a_slow_reader_that_dies_is_gone_when_it_was_asked_often_enough),
      T(a_window_that_was_shrunk_before_what_is_in_flight_is_left_to_the_system),
      T(nobody_looks_at_a_connection_of_which_all_is_acknowledged))
