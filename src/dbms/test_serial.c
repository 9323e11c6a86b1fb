// Work in turns: what is at rest stays at rest, whoever had something for it at that moment.
#include "base/test.h"
#include "dbms/serial.h"
#include "os/clock.h"
#include "os/thread.h"

enum { ROUNDS = 50000, CALLERS = 2 };

/// A host that does the work on the spot, and those who always have something to do.
struct place {
  struct work_host host;
  struct serial serial;
  _Atomic bool end;
  _Atomic uint64_t runs;
};

static void submit(struct work_host *host UNUSED, enum work_kind kind UNUSED, struct work *w) {
  w->run(w);
}

static void run(struct work *w) {
  struct place *p = CONTAINER_OF(w, struct place, serial.work);
  serial_begin(&p->serial);
  atomic_fetch_add(&p->runs, 1);
  serial_give(&p->serial, false);
}

static void *call(void *argument) {
  struct place *p = argument;
  while (!atomic_load(&p->end)) serial_ready(&p->serial);
  return NULL;
}

static void *claim(void *argument) {
  struct place *p = argument;
  while (!atomic_load(&p->end))
    if (serial_claim(&p->serial)) run(&p->serial.work);
  return NULL;
}

static void assert_rests(struct place *p) {
  uint64_t before = atomic_load(&p->runs);
  for (int i = 0; i < 100; i++) assert_int_equal(atomic_load(&p->runs), before);
}

static void rest_again_and_again(void *(*caller)(void *) ) {
  struct place p = {.host.submit = submit};
  struct thread threads[CALLERS];
  serial_init(&p.serial, &p.host, WORK_MACHINE, run);
  for (int i = 0; i < CALLERS; i++) assert_ok(thread_start(&threads[i], "caller", caller, &p, NULL));
  for (int i = 0; i < ROUNDS; i++) {
    serial_wake(&p.serial);
    while (atomic_load(&p.runs) <= (uint64_t) i) thread_sleep_ns(1);
    serial_rest(&p.serial);
    assert_rests(&p);
  }
  atomic_store(&p.end, true);
  for (int i = 0; i < CALLERS; i++) thread_join(&threads[i]);
}

TEST(what_rests_is_not_started_by_those_who_have_work_for_it) {
  rest_again_and_again(call);
}

TEST(what_rests_is_not_claimed) {
  rest_again_and_again(claim);
}

TESTS(T(what_rests_is_not_started_by_those_who_have_work_for_it), T(what_rests_is_not_claimed))
