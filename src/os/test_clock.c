#include <string.h>

#include "base/test.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"

TEST(the_monotonic_clock_never_goes_back) {
  int64_t last = 0;
  for (int i = 0; i < 1000; i++) {
    int64_t now = clock_monotonic_ns(clock_system());
    assert_true(now >= last);
    last = now;
  }
  assert_true(clock_wall_ns(clock_system()) > INT64_C(1577836800) * NS_PER_S);
}

TEST(a_manual_clock_moves_only_when_told) {
  struct clock_manual m;
  clock_manual_init(&m, 5 * NS_PER_S);
  assert_int_equal(clock_wall_ns(&m.clock), 5 * NS_PER_S);
  m.now_ns += NS_PER_MS;
  assert_int_equal(clock_monotonic_ns(&m.clock), NS_PER_MS);
  assert_int_equal(clock_wall_ns(&m.clock), 5 * NS_PER_S + NS_PER_MS);
}

TEST(the_system_gives_different_bytes_each_time_and_a_seed_the_same) {
  uint8_t a[37], b[37];
  assert_ok(random_fill(random_system(), a, sizeof a));
  assert_ok(random_fill(random_system(), b, sizeof b));
  assert_memory_not_equal(a, b, sizeof a);
  struct random_seeded s;
  random_seeded_init(&s, 1);
  assert_ok(random_fill(&s.source, a, sizeof a));
  random_seeded_init(&s, 1);
  assert_ok(random_fill(&s.source, b, sizeof b));
  assert_memory_equal(a, b, sizeof a);
}

struct shared {
  struct mutex mutex;
  struct condition ready;
  int count;
};

static void *add_one(void *argument) {
  struct shared *s = argument;
  mutex_lock(&s->mutex);
  s->count++;
  condition_signal(&s->ready);
  mutex_unlock(&s->mutex);
  return s;
}

TEST(a_thread_wakes_the_one_that_waits) {
  struct shared s = {0};
  mutex_init(&s.mutex);
  condition_init(&s.ready);
  struct thread t;
  struct error e = ERROR_INIT;
  assert_ok(thread_start(&t, "a name that is much too long", add_one, &s, &e));
  mutex_lock(&s.mutex);
  while (s.count == 0) condition_wait(&s.ready, &s.mutex);
  assert_false(condition_wait_for(&s.ready, &s.mutex, NS_PER_MS) && s.count != 1);
  mutex_unlock(&s.mutex);
  assert_ptr_equal(thread_join(&t), &s);
  condition_done(&s.ready);
  mutex_done(&s.mutex);
  assert_true(thread_parallelism() >= 1);
}

TESTS(T(the_monotonic_clock_never_goes_back), T(a_manual_clock_moves_only_when_told),
      T(the_system_gives_different_bytes_each_time_and_a_seed_the_same), T(a_thread_wakes_the_one_that_waits))
