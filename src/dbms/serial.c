#include "dbms/serial.h"

#include "os/clock.h"
#include "os/thread.h"

enum serial_state { SERIAL_IDLE, SERIAL_QUEUED, SERIAL_RUNNING, SERIAL_AGAIN };

void serial_init(struct serial *s, struct work_host *host, enum work_kind kind, void (*run)(struct work *w)) {
  *s = (struct serial){.work.run = run, .host = host, .kind = kind};
  atomic_store(&s->resting, true);
}

void serial_wake(struct serial *s) {
  atomic_store(&s->resting, false);
}

static void submit(struct serial *s) {
  s->host->submit(s->host, s->kind, &s->work);
}

/// Whoever took it from idle looks again: serial_rest may have seen it idle just before, and not waited.
static bool may_start(struct serial *s) {
  if (!atomic_load(&s->resting)) return true;
  atomic_store(&s->state, SERIAL_IDLE);
  return false;
}

void serial_ready(struct serial *s) {
  if (atomic_load(&s->resting)) return;
  int state = atomic_load(&s->state);
  for (;;) {
    int next = state == SERIAL_IDLE ? SERIAL_QUEUED : state == SERIAL_RUNNING ? SERIAL_AGAIN : state;
    if (next == state) return;
    if (!atomic_compare_exchange_weak(&s->state, &state, next)) continue;
    if (next == SERIAL_QUEUED && may_start(s)) submit(s);
    return;
  }
}

bool serial_try_rest(struct serial *s) {
  atomic_store(&s->resting, true);
  return atomic_load(&s->state) == SERIAL_IDLE;
}

void serial_rest(struct serial *s) {
  while (!serial_try_rest(s)) thread_sleep_ns(NS_PER_MS);
}

bool serial_claim(struct serial *s) {
  int idle = SERIAL_IDLE;
  return !atomic_load(&s->resting) && atomic_compare_exchange_strong(&s->state, &idle, SERIAL_RUNNING) && may_start(s);
}

void serial_begin(struct serial *s) {
  atomic_store(&s->state, SERIAL_RUNNING);
}

bool serial_again(const struct serial *s) {
  return atomic_load(&s->state) == SERIAL_AGAIN;
}

void serial_give(struct serial *s, bool more) {
  int running = SERIAL_RUNNING;
  if (!more && atomic_compare_exchange_strong(&s->state, &running, SERIAL_IDLE)) return;
  bool rests = atomic_load(&s->resting);
  atomic_store(&s->state, rests ? SERIAL_IDLE : SERIAL_QUEUED);
  if (!rests) submit(s);
}
