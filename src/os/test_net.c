#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/net.h"
#include "os/net_queue.h"
#include "os/test_socket.h"

// An echo server in a few lines: what comes is sent back, "finish" ends the connection, "pause" stops reading.
struct echo {
  struct loop *loop;
  struct net_listener *listener;
  struct net_conn *conn;
  struct net_conn_limits limits;
  _Atomic int closed, drained;
  _Atomic bool paused;
  _Atomic int socket;
  size_t pending; // as of look_at_pending
};

static void echo_received(void *context, const void *bytes, size_t len) {
  struct echo *s = context;
  struct str text = {bytes, len};
  if (str_starts(text, STR("finish"))) {
    assert_ok(net_conn_write(s->conn, "bye", 3));
    net_conn_finish(s->conn, 5000);
  } else if (str_starts(text, STR("pause"))) {
    net_conn_pause(s->conn);
    s->paused = true;
  } else if (str_starts(text, STR("much"))) {
    struct buf b = BUF_INIT;
    assert_ok(buf_reserve(&b, 32 << 20));
    memset(b.data, 'x', b.len = 32 << 20);
    assert_ok(net_conn_write_buf(s->conn, &b));
    assert_int_equal(b.len, 0);
    buf_done(&b);
  } else {
    assert_ok(net_conn_write(s->conn, bytes, len));
  }
}

static void echo_drained(void *context) {
  ((struct echo *) context)->drained++;
}

static void echo_closed(void *context, enum err why UNUSED) {
  struct echo *s = context;
  net_conn_free(s->conn);
  s->conn = NULL;
  s->closed++;
}

static void echo_accepted(void *context, int socket, const char *peer UNUSED, const char *local UNUSED) {
  struct echo *s = context;
  static const struct net_conn_events events = {echo_received, echo_drained, echo_closed};
  s->socket = socket;
  assert_ok(net_conn_new(s->loop, socket, &s->limits, &events, s, &s->conn, NULL));
}

static void echo_listen(void *argument) {
  struct echo *s = argument;
  static const struct net_listener_events events = {echo_accepted};
  assert_ok(net_listen(s->loop, STR("127.0.0.1:0"), 0, &events, s, &s->listener, NULL));
}

static void echo_unlisten(void *argument) {
  struct echo *s = argument;
  net_listener_free(s->listener);
  net_conn_free(s->conn);
}

static int echo_start(struct echo *s) {
  *s = (struct echo){.limits = {512 << 10, 128 << 10}};
  assert_ok(loop_start("echo", &s->loop, NULL));
  loop_call(s->loop, echo_listen, s);
  return socket_connected(s->listener);
}

static void echo_stop(struct echo *s, int fd) {
  close(fd);
  loop_call(s->loop, echo_unlisten, s);
  loop_stop(s->loop);
}

static bool becomes(_Atomic int *value, int expected) {
  for (int i = 0; i < 2000 && *value != expected; i++) poll(NULL, 0, 1);
  return *value == expected;
}

TEST(what_is_written_comes_back) {
  struct echo s;
  int fd = echo_start(&s);
  char back[5];
  assert_int_equal(write(fd, "hello", 5), 5);
  assert_int_equal(read(fd, back, 5), 5);
  assert_memory_equal(back, "hello", 5);
  echo_stop(&s, fd);
}

static int tcp_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &size), 0);
  return value;
}

TEST(a_silent_peer_that_owes_no_acknowledgement_is_given_up_within_half_a_minute) {
  struct echo s;
  int fd = echo_start(&s);
  char back[5];
  assert_int_equal(write(fd, "hello", 5), 5);
  assert_int_equal(read(fd, back, 5), 5); // so it was accepted
  int silent_s = tcp_option(s.socket, TCP_KEEPIDLE) + tcp_option(s.socket, TCP_KEEPINTVL) * tcp_option(s.socket, TCP_KEEPCNT);
  assert_in_range(silent_s, 10, 30);
  echo_stop(&s, fd);
}

static void look_at_pending(void *argument) {
  struct echo *s = argument;
  s->pending = s->conn != NULL ? net_conn_pending(s->conn) : 0;
}

TEST(a_slow_reader_gets_all_and_the_writer_learns_that_the_queue_has_drained) {
  struct echo s;
  int fd = echo_start(&s);
  assert_int_equal(write(fd, "much", 4), 4);
  for (int i = 0; i < 2000 && s.pending == 0; i++) loop_call(s.loop, look_at_pending, &s); // the system took what it could
  assert_true(s.pending > s.limits.high_bytes);
  assert_int_equal(s.drained, 0);
  assert_int_equal(read_to_end(fd, 32 << 20), 32 << 20);
  assert_true(becomes(&s.drained, 1));
  echo_stop(&s, fd);
}

TEST(the_last_answer_arrives_although_input_was_left_unread) {
  struct echo s;
  int fd = echo_start(&s);
  assert_int_equal(write(fd, "finish", 6), 6);
  char rest[3000] = {0};
  assert_int_equal(write(fd, rest, sizeof rest), (ssize_t) sizeof rest);
  poll(NULL, 0, 20);
  assert_int_equal(read_to_end(fd, 100), 3);
  assert_int_equal(s.closed, 0); // lingers until we hang up
  shutdown(fd, SHUT_WR);
  assert_true(becomes(&s.closed, 1));
  echo_stop(&s, fd);
}

TEST(a_peer_that_hangs_up_is_noticed_even_while_reading_is_paused) {
  for (int reset = 0; reset < 2; reset++) {
    struct echo s;
    int fd = echo_start(&s);
    assert_int_equal(write(fd, "pause", 5), 5);
    for (int i = 0; i < 2000 && !s.paused; i++) poll(NULL, 0, 1);
    assert_int_equal(write(fd, "unread", 6), 6);
    struct linger hard = {1, 0};
    if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    assert_true(becomes(&s.closed, 1));
    echo_stop(&s, -1);
  }
}

static void resume_now(void *argument) {
  net_conn_resume(((struct echo *) argument)->conn);
}

TEST(after_a_pause_nothing_is_lost) {
  struct echo s;
  int fd = echo_start(&s);
  assert_int_equal(write(fd, "pause", 5), 5);
  for (int i = 0; i < 2000 && !s.paused; i++) poll(NULL, 0, 1);
  assert_int_equal(write(fd, "abc", 3), 3);
  struct pollfd p = {fd, POLLIN, 0};
  assert_int_equal(poll(&p, 1, 20), 0);
  loop_call(s.loop, resume_now, &s);
  assert_int_equal(read_to_end(fd, 3), 3);
  echo_stop(&s, fd);
}

static void count_fired(void *argument) {
  ++*(_Atomic int *) argument;
}

struct timers {
  struct loop *loop;
  struct loop_timer *once, *often, *never;
  _Atomic int fired_once, fired_often, fired_never;
};

static void timers_set(void *argument) {
  struct timers *t = argument;
  assert_ok(loop_timer_new(t->loop, count_fired, &t->fired_once, &t->once, NULL));
  assert_ok(loop_timer_new(t->loop, count_fired, &t->fired_often, &t->often, NULL));
  assert_ok(loop_timer_new(t->loop, count_fired, &t->fired_never, &t->never, NULL));
  loop_timer_set(t->once, 1, false);
  loop_timer_set(t->often, 2, true);
  loop_timer_set(t->never, 1, false);
  loop_timer_cancel(t->never);
}

static void timers_free(void *argument) {
  struct timers *t = argument;
  loop_timer_free(t->once);
  loop_timer_free(t->often);
  loop_timer_free(t->never);
}

TEST(timers_fire_once_often_or_never) {
  struct timers t = {0};
  assert_ok(loop_start("timers", &t.loop, NULL));
  loop_call(t.loop, timers_set, &t);
  for (int i = 0; i < 2000 && t.fired_often < 3; i++) poll(NULL, 0, 1);
  assert_true(t.fired_often >= 3);
  assert_int_equal(t.fired_once, 1);
  assert_int_equal(t.fired_never, 0);
  loop_call(t.loop, timers_free, &t);
  loop_stop(t.loop);
}

struct posted {
  struct loop_task task;
  struct loop *loop;
  _Atomic int runs;
};

static void post_again(struct loop_task *task) {
  struct posted *p = CONTAINER_OF(task, struct posted, task);
  assert_true(loop_is_current(p->loop));
  if (++p->runs < 1000) loop_post(p->loop, task);
}

TEST(tasks_run_in_order_on_the_loops_own_thread) {
  struct posted p = {.task.run = post_again};
  assert_ok(loop_start("tasks", &p.loop, NULL));
  assert_false(loop_is_current(p.loop));
  loop_post(p.loop, &p.task);
  for (int i = 0; i < 2000 && p.runs < 1000; i++) poll(NULL, 0, 1);
  loop_stop(p.loop);
  assert_int_equal(p.runs, 1000);
}

TEST(addresses_are_split_into_host_and_port) {
  static const struct {
    const char *text, *host;
    int port;
  } cases[] = {
      {"localhost:7687", "localhost", 7687},
      {"[::1]:1", "::1", 1},
      {"[::]", "::", 9},
      {":5", "", 5},
      {"example.org", "example.org", 9},
      {"", NULL, 0},
      {"::1", NULL, 0},
      {"a:b", NULL, 0},
      {"a:65536", NULL, 0},
      {"[]:1", NULL, 0},
      {"[::1:2", NULL, 0},
      {"[::1]2", NULL, 0},
      {"a:-1", NULL, 0},
      {"a:", NULL, 0},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct str host;
    uint16_t port;
    enum err err = net_address_split(str_of(cases[i].text), 9, &host, &port, NULL);
    assert_int_equal(err, cases[i].host == NULL ? ERR_INVALID : ERR_OK);
    if (err != ERR_OK) continue;
    assert_str(host, cases[i].host);
    assert_int_equal(port, cases[i].port);
  }
}

static void listen_badly(void *argument) {
  struct echo *s = argument;
  static const struct net_listener_events events = {echo_accepted};
  struct error e = ERROR_INIT;
  struct net_listener *second;
  struct str taken = str_of(net_listener_address(s->listener));
  assert_int_equal(net_listen(s->loop, taken, 0, &events, s, &second, &e), ERR_IO);
  assert_non_null(strstr(e.message, "in use"));
}

TEST(a_port_in_use_is_reported_with_its_address) {
  struct echo s;
  int fd = echo_start(&s);
  loop_call(s.loop, listen_badly, &s);
  echo_stop(&s, fd);
}

TEST(a_queue_survives_each_failing_allocation) {
  EACH_ALLOC_FAILS(n) {
    struct net_queue q = {0};
    struct buf b = BUF_INIT;
    size_t bytes = 0;
    if (net_queue_put(&q, "abc", 3) == ERR_OK) bytes += 3;
    if (buf_reserve(&b, 5000) == ERR_OK) {
      memset(b.data, 'y', b.len = 5000);
      if (net_queue_put_buf(&q, &b, 0) == ERR_OK) bytes += 5000;
    }
    assert_int_equal(q.bytes, bytes);
    struct iovec slices[4];
    size_t seen = 0;
    for (int i = 0, count = net_queue_peek(&q, slices, 4); i < count; i++) seen += slices[i].iov_len;
    assert_int_equal(seen, bytes);
    if (bytes > 2) net_queue_drop(&q, 2);
    net_queue_done(&q);
    buf_done(&b);
  }
}

TESTS(T(what_is_written_comes_back), T(a_silent_peer_that_owes_no_acknowledgement_is_given_up_within_half_a_minute),
      T(a_slow_reader_gets_all_and_the_writer_learns_that_the_queue_has_drained),
      T(the_last_answer_arrives_although_input_was_left_unread), T(a_peer_that_hangs_up_is_noticed_even_while_reading_is_paused),
      T(after_a_pause_nothing_is_lost), T(timers_fire_once_often_or_never), T(tasks_run_in_order_on_the_loops_own_thread),
      T(addresses_are_split_into_host_and_port), T(a_port_in_use_is_reported_with_its_address),
      T(a_queue_survives_each_failing_allocation))
