// What a server's answers say, into the outputs of operations. Pure. `meta` is the dictionary of a SUCCESS or FAILURE; what the
// outputs point to is the memory of `meta`, or in the arena. ERR_PROTOCOL where the dictionary is not as it must be; ERR_NOMEM.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "dbms/session.h"

enum bolt_answer {
  BOLT_ANSWER_SUCCESS = 0x70,
  BOLT_ANSWER_RECORD = 0x71,
  BOLT_ANSWER_IGNORED = 0x7e,
  BOLT_ANSWER_FAILURE = 0x7f
};

/// Milliseconds after which a silent server that works must be gone; 0 where it does not say.
enum err bolt_client_hear_hello(struct value meta, int64_t *ret_receive_timeout_ms, struct error *e) NODISCARD;
enum err bolt_client_hear_begun(struct value meta, struct dbms_op *op, struct error *e) NODISCARD;
/// `in_tx`: the result has a number there.
enum err bolt_client_hear_ran(struct value meta, bool in_tx, struct arena *arena, struct dbms_op *op, struct error *e) NODISCARD;
enum err bolt_client_hear_summary(struct value meta, struct arena *arena, struct dbms_summary *ret, struct error *e) NODISCARD;

/// The server's failure as an error: its code, its text, its place in the statement. What cannot be understood is ERR_INTERNAL
/// with the text.
void bolt_client_hear_failure(struct value meta, struct error *ret);
