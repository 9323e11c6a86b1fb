// RECORD messages to columns: rows gather until there is a batch of them. A row's memory is that of its batch.
#pragma once

#include "base/arena.h"
#include "value/row_sink.h"
#include "wire/packstream.h"

enum { BOLT_CLIENT_BATCH_ROWS = 1024, BOLT_CLIENT_BATCH_BYTES = 64 * 1024 };

struct bolt_client_rows {
  struct arena arena;
  const struct value *rows[BOLT_CLIENT_BATCH_ROWS]; // `width` cells each
  uint32_t count, width;
  size_t bytes; // of the messages
};

void bolt_client_rows_init(struct bolt_client_rows *r, struct mem_budget *budget);
void bolt_client_rows_done(struct bolt_client_rows *r);
void bolt_client_rows_clear(struct bolt_client_rows *r);

/// `message` is a whole RECORD, which is copied. ERR_PROTOCOL: it is none; ERR_TYPE, ERR_ARGUMENT, ERR_NOMEM or the budget's
/// error: the row cannot be had.
enum err bolt_client_rows_add(struct bolt_client_rows *r, const struct packstream_profile *profile, struct str message,
                              struct error *e) NODISCARD;

/// No more fit into the batch.
static inline bool bolt_client_rows_are_full(const struct bolt_client_rows *r) {
  return r->count == BOLT_CLIENT_BATCH_ROWS || r->bytes >= BOLT_CLIENT_BATCH_BYTES;
}

/// Pushes what is there and forgets it, also on an error.
enum err bolt_client_rows_push(struct bolt_client_rows *r, struct row_sink *sink, struct error *e) NODISCARD;
