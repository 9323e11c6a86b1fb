// The disk's part of a copy that comes in: what arrived waits here for the work thread (cluster/catchup_client.h). Inside.
#pragma once

#include "os/loop.h"
#include "os/thread.h"
#include "store/copy.h"

struct catchup_copying;

enum catchup_step { CATCHUP_STEP_LOOK, CATCHUP_STEP_HEAD, CATCHUP_STEP_PIECE, CATCHUP_STEP_END };

/// How far it is; the loop's view.
struct catchup_progress {
  bool known;                  // that there is a part of a copy, of which:
  uint64_t identity, position; // where the next piece is
  uint64_t pages, pages_all;
  bool has_store; // where the copy is to go
  bool finished;  // the copy is whole
  uint64_t restarts;
  enum err err; // of a step: nothing more is done before catchup_copying_clear
};

/// `changed` is called on the loop when a step has been made; it may free the copying.
enum err catchup_copying_new(struct loop *loop, struct disk *disk, const uint8_t database[16], void (*changed)(void *context),
                             void *context, struct catchup_copying **ret, struct error *e) NODISCARD;
/// Waits for the step under way. NULL is fine.
void catchup_copying_free(struct catchup_copying *c);

/// Another directory: closes what was open. No step may wait.
void catchup_copying_begin(struct catchup_copying *c, const char *directory);
/// Queues a step with its bytes, those of a piece 4096-aligned. The memory that they are in is taken over, also on ERR_NOMEM.
enum err catchup_copying_put(struct catchup_copying *c, enum catchup_step step, void *memory, const uint8_t *bytes,
                             size_t size) NODISCARD;
/// What was asked for when the next head came: where its checkpoint is that one, pieces follow from there, otherwise from the
/// first.
void catchup_copying_expect(struct catchup_copying *c, uint64_t identity, uint64_t position);
/// Drops what waits (but a first look), and forgets the error.
void catchup_copying_clear(struct catchup_copying *c);
bool catchup_copying_is_busy(struct catchup_copying *c);
bool catchup_copying_is_full(struct catchup_copying *c);
void catchup_copying_progress(struct catchup_copying *c, struct catchup_progress *ret, struct error *e);
/// The finished copy, the caller's.
struct store_copy *catchup_copying_take(struct catchup_copying *c);

/// The work thread: one step.
void catchup_copying_work(struct catchup_copying *c, bool *ret_worked);
