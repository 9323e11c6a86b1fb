// The sink of result rows: encodes columns as RECORD messages, chunked, into a buffer of its own. It runs on whichever thread
// executes the query; with the operation, the buffer changes hands: the sink's while the operation runs, the session's before and
// after. Behind the last row there is always room for the answer: what pushed it may commit.
#pragma once

#include <stdbool.h>

// Enough for the SUCCESS behind the rows, but for plans and notifications; and for short answers that go out in front of them.
#define BOLT_ANSWER_BYTES 1024u
#define BOLT_HELD_BYTES 512u

#include "base/buf.h"
#include "value/row_sink.h"
#include "wire/packstream.h"

struct bolt_records {
  struct row_sink sink; // give &records->sink to the operation
  const struct packstream_profile *profile;
  uint32_t width; // fields of each record, as RUN announced them
  size_t full_bytes;
  bool full; // `out` has reached full_bytes: the operation should pause
  struct buf out;
};

void bolt_records_init(struct bolt_records *r, const struct packstream_profile *profile, size_t full_bytes);
void bolt_records_done(struct bolt_records *r);
