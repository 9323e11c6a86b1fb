// What whoever leads `system` sees to there, if nobody has yet: one transaction, on the way of any commit and in its own time.
// Private to dbms.
#pragma once

#include "dbms/serial.h"
#include "dbms/system_tx.h"

struct lead_task {
  struct dbms *dbms;
  struct serial serial;
  system_step *change; // its context is the task; ERR_EXISTS: it is there already
  const char *event;   // that tells of a failure
  struct graph_tx *tx; // NULL: none is under way
  bool committing, entered;
};

void lead_task_init(struct lead_task *t, struct dbms *d, enum work_kind kind, system_step *change, const char *event);
/// This server leads `system` now. Any thread; only takes note.
void lead_task_ready(struct lead_task *t);
/// No more of it begins.
void lead_task_rest(struct lead_task *t);
