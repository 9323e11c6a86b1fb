// What the files of the network part of `os` share; libevent is seen nowhere else.
#pragma once

#include <event2/event.h>

#include "os/loop.h"

enum { LOOP_SCRATCH_BYTES = 64 * 1024 };

struct event_base *loop_base(struct loop *loop);

/// LOOP_SCRATCH_BYTES of memory for one read at a time, so that an idle connection holds no buffer.
char *loop_scratch(struct loop *loop);
