// Requests that wait for their turn: messages as bytes, in order of arrival. Counts messages and bytes, so that reading can
// pause.
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

struct bolt_request {
  struct bolt_request *next;
  struct str bytes; // behind this struct
};

struct bolt_queue {
  struct bolt_request *first, *last;
  uint32_t count;
  uint64_t bytes;
};

/// Copies the message behind the others. ERR_NOMEM.
enum err bolt_queue_push(struct bolt_queue *q, struct str message) NODISCARD;

/// The first request, which the caller frees with bolt_request_free; NULL when there is none.
struct bolt_request *bolt_queue_pop(struct bolt_queue *q);
void bolt_request_free(struct bolt_request *r);
void bolt_queue_clear(struct bolt_queue *q);
