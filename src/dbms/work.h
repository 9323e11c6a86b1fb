// Where work runs. `dbms` starts no threads: it hands pieces of work to a host, which is a pool of threads in `server` and a
// plain queue in tests.
#pragma once

/// A piece of work, embedded in its owner's struct, so that submitting neither allocates nor fails. It may be submitted again once it
/// has begun to run; it may free itself.
struct work {
  struct work *next; // the host's, while queued
  void (*run)(struct work *w);
};

enum work_kind {
  WORK_STATEMENT, // runs queries; may hold a thread for long
  WORK_MACHINE,   // steps of log writers, appliers, checkpointers: may sync a file, must never wait for statements
  WORK_PASSWORD,  // hashes passwords: tens of milliseconds and tens of megabytes each, so few at a time
  WORK_KIND_MAX,
};

struct work_host {
  /// From any thread. Work of one kind starts in the order in which it was submitted.
  void (*submit)(struct work_host *host, enum work_kind kind, struct work *w);
};
