// The threads that run the work of `dbms` (dbms/work.h): one queue and a few threads for each kind of work, so that a machine that
// syncs a file never waits behind statements.
#pragma once

#include "base/error.h"
#include "dbms/work.h"

struct pool;

struct pool_options {
  unsigned threads[WORK_KIND_MAX]; // at least 1 each
};

enum err pool_start(const struct pool_options *options, struct pool **ret, struct error *e) NODISCARD;

/// Where to submit; lives as long as the pool. Any thread.
struct work_host *pool_host(struct pool *p);

/// Runs what is queued, ends the threads, frees. Nothing may be submitted any more but by that work. NULL is fine.
void pool_stop(struct pool *p);
