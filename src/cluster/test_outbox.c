#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "cluster/outbox.h"

static char payload[200 << 10];

// A message of group 'a', 'b', ...: with `bytes` > 0 an append with one entry of that size, else a heartbeat; `index` tells them
// apart.
static struct message message_of(char group, uint64_t index, size_t bytes, struct log_entry *entry) {
  struct message m = {.from = 1, .to = 2, .body = {.type = CONSENSUS_APPEND, .term = 3}};
  memset(m.group, group, sizeof m.group);
  m.body.append.previous_index = index;
  m.body.append.previous_term = 3;
  if (bytes == 0) return m;
  *entry =
      (struct log_entry){.index = index + 1, .term = 3, .kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, bytes}};
  m.body.append.count = 1;
  m.entries = entry;
  return m;
}

static bool put(struct outbox *o, char group, uint64_t index, size_t bytes) {
  struct log_entry entry;
  struct message m = message_of(group, index, bytes, &entry);
  return outbox_put(o, &m);
}

/// What goes over the line, in order: "a1 b7 ..." for group and index.
static void drain(struct outbox *o, char *to, size_t size, size_t *ret_frames) {
  struct arena a;
  size_t at = 0;
  arena_init(&a, NULL);
  to[0] = '\0';
  *ret_frames = 0;
  for (struct buf frame = BUF_INIT; outbox_take(o, 1, 2, 9, &frame); buf_done(&frame), ++*ret_frames) {
    struct frame_reader r;
    struct message m;
    assert_ok(frame_open((const uint8_t *) frame.data, frame.len, &r, NULL));
    assert_int_equal(r.header.epoch, 9);
    for (bool any = true;;) {
      assert_ok(frame_next(&r, &a, &m, &any, NULL));
      if (!any) break;
      at += (size_t) snprintf(to + at, size - at, "%s%c%llu", at > 0 ? " " : "", m.group[0],
                              (unsigned long long) m.body.append.previous_index);
    }
    arena_reset(&a);
  }
  arena_done(&a);
}

static void assert_sends(struct outbox *o, const char *expected, size_t frames) {
  char got[400];
  size_t count;
  drain(o, got, sizeof got, &count);
  assert_string_equal(got, expected);
  assert_int_equal(count, frames);
  assert_true(outbox_is_empty(o));
}

TEST(heartbeats_of_many_groups_are_one_frame) {
  struct outbox o;
  outbox_init(&o, 1 << 20, 1 << 20);
  for (char group = 'a'; group <= 'e'; group++) assert_true(put(&o, group, 1, 0));
  assert_sends(&o, "a1 b1 c1 d1 e1", 1);
}

TEST(a_heartbeat_overtakes_the_bulk_of_other_groups_and_never_its_own) {
  struct outbox o;
  outbox_init(&o, 1 << 20, 1 << 20);
  assert_true(put(&o, 'a', 1, 1000));
  assert_true(put(&o, 'b', 7, 0));
  assert_true(put(&o, 'a', 2, 0));
  assert_true(put(&o, 'a', 3, 1000));
  assert_sends(&o, "b7 a1 a2 a3", 2);
  assert_true(put(&o, 'a', 4, 0)); // nothing of its own in front of it any more
  assert_true(put(&o, 'c', 1, 10));
  assert_true(put(&o, 'a', 5, 10));
  assert_sends(&o, "a4 c1 a5", 3);
}

TEST(bulk_is_cut_into_frames_of_moderate_size) {
  struct outbox o;
  outbox_init(&o, 1 << 20, 4 << 20);
  for (uint64_t i = 1; i <= 6; i++) assert_true(put(&o, 'a', i, 100 << 10));
  assert_sends(&o, "a1 a2 a3 a4 a5 a6", 3);
}

TEST(what_does_not_fit_is_dropped_and_counted) {
  struct outbox o;
  outbox_init(&o, 300, 500 << 10);
  assert_true(put(&o, 'a', 1, 200 << 10));
  assert_true(put(&o, 'a', 2, 200 << 10));
  assert_false(put(&o, 'a', 3, 200 << 10));
  assert_true(put(&o, 'b', 1, 0));
  for (uint64_t i = 2; i < 20; i++) (void) put(&o, 'b', i, 0);
  assert_true(o.dropped > 10);
  assert_true(o.urgent.bytes <= 300);
  outbox_clear(&o);
  assert_true(outbox_is_empty(&o));
  assert_true(put(&o, 'a', 3, sizeof payload)); // one message always fits into an empty queue
  outbox_clear(&o);
}

TEST(no_memory_drops_a_message_and_nothing_else) {
  EACH_ALLOC_FAILS(n) {
    struct outbox o;
    outbox_init(&o, 1 << 20, 1 << 20);
    size_t taken = 0;
    for (uint64_t i = 0; i < 3; i++) taken += put(&o, 'a', i, 0) + put(&o, 'b', i, 2000);
    assert_int_equal(taken + o.dropped, 6);
    outbox_clear(&o);
  }
}

TESTS(T(heartbeats_of_many_groups_are_one_frame), T(a_heartbeat_overtakes_the_bulk_of_other_groups_and_never_its_own),
      T(bulk_is_cut_into_frames_of_moderate_size), T(what_does_not_fit_is_dropped_and_counted),
      T(no_memory_drops_a_message_and_nothing_else))
