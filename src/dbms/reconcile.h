// What is open here follows the catalogue of `system`: whenever `system` has applied something, databases that should be open are
// opened, those that should not are closed, and the files of dropped ones are removed. Private to dbms.
//
// One piece of work does it, in steps that never wait: a database that somebody is still in is looked at again with the next
// tick. Every step may be cut short by a crash: the next start reads the catalogue and goes on from what it finds on the disk.
//
//   catalogue      on the disk           ->  what is done
//   online         a folder or none          opened; its files are made where there are none
//   offline        a folder or none          left alone
//   dropped        a folder                  removed; whatever of it is left, too
//   nothing        a folder                  left alone: only a recorded drop removes files
#pragma once

#include <stdatomic.h>

#include "base/error.h"
#include "base/uuid.h"
#include "dbms/lead_task.h"
#include "os/thread.h"

struct dbms;

struct reconciler {
  struct dbms *dbms;
  struct serial serial;
  _Atomic uint64_t seen; // transaction of `system` that the last look was at
  _Atomic uint64_t known; // every database that the catalogue names as of this one is known here, open or not
  _Atomic uint64_t done; // up to this one all is as the catalogue wants it
  _Atomic bool again;    // with the next tick
  _Atomic int64_t retry_at_ns; // monotonic: a database that could not be opened is tried again then; 0: there is none
  _Atomic bool current;  // since the start of this server it has once followed all that there was
  uint64_t known_below;  // entries with lower nodes have been followed before, or were swept at the start; of whoever runs it
  struct lead_task default_entry;
  struct mutex mutex;   // what follows
  struct uuid *dropped; // databases that were gone before this server heard of them, in this life: names in bookmarks, no more
  size_t dropped_count;
};

/// For dbms_open: brings the default database into the catalogue and opens what should be open, on this thread, before any
/// machine runs. A database that cannot be opened does not keep the others from it, but for the default one: its error is
/// returned.
enum err reconcile_open(struct dbms *d, struct error *e) NODISCARD;
/// From now on it may run.
void reconcile_wake(struct dbms *d);
/// `system` has applied something. Any thread; only takes note.
void reconcile_notice(struct dbms *d);
void reconcile_tick(struct dbms *d);
/// Everything is as the catalogue here wants it. Any thread.
bool reconcile_is_done(struct dbms *d);
/// This server leads `system` now: the default database comes into the catalogue. Any thread; only takes note.
void reconcile_lead(struct dbms *d);
/// Something other than the catalogue is to be looked at: a copy of a store has come. Any thread.
void reconcile_soon(struct dbms *d);
/// False: this member of a cluster has just started, and what it does not know there may be all the same. Any thread.
bool reconcile_is_current(struct dbms *d);
/// There was a database of that id, which this server has not had in this life. Any thread.
bool reconcile_was_dropped(struct dbms *d, struct uuid id);
/// Waits until it does not run; it runs no more.
void reconcile_rest(struct dbms *d);
/// For dbms_close.
void reconcile_close(struct dbms *d);
