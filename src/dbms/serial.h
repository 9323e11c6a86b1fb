// Work that at most one thread does at a time, in turns, and that comes round again when something came while it ran. Private to
// dbms.
//
//   serial_ready (any thread) -> the host runs `run` -> { serial_begin, a step, serial_again }* -> serial_give
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "dbms/work.h"

struct serial {
  struct work work;
  struct work_host *host;
  enum work_kind kind;
  _Atomic bool resting;
  _Atomic int state; // enum serial_state in serial.c
};

/// At rest until serial_wake. `run` finds the serial around the work and ends with serial_give.
void serial_init(struct serial *s, struct work_host *host, enum work_kind kind, void (*run)(struct work *w));
/// From now on it may run.
void serial_wake(struct serial *s);
/// There is something to do: queues it, or has it go on if it runs just now. Any thread.
void serial_ready(struct serial *s);
/// Waits until it does not run; it starts no more.
void serial_rest(struct serial *s);
/// It starts no more; true: it does not run either.
bool serial_try_rest(struct serial *s);

/// Makes an idle one the calling thread's, which must give it back.
bool serial_claim(struct serial *s);
/// Before a step: what came before is seen by this step.
void serial_begin(struct serial *s);
/// Something has come since.
bool serial_again(const struct serial *s);
/// Back: idle, or to the host if there is `more` to do or something has come.
void serial_give(struct serial *s, bool more);
