#include "bolt/state.h"

#include <assert.h>

// For each state and message that may be handled in it: where success leads when nothing is left open, when results are, and
// where failure leads. A row without `allowed` is a protocol error.
struct move {
  bool allowed;
  enum bolt_state done, more, failed;
};

#define TO(done, more) \
  { true, BOLT_##done, BOLT_##more, BOLT_FAILED }
#define OR_CLOSE(done) \
  { true, BOLT_##done, BOLT_##done, BOLT_DEFUNCT }

static const struct move moves[BOLT_STATES][BOLT_MESSAGE_KINDS] = {
    [BOLT_NEGOTIATION] =
        {
            [BOLT_HELLO] = OR_CLOSE(AUTHENTICATION), // READY where HELLO logs in: see bolt_state_after
        },
    [BOLT_AUTHENTICATION] =
        {
            [BOLT_LOGON] = OR_CLOSE(READY),
            [BOLT_RESET] = OR_CLOSE(AUTHENTICATION),
        },
    [BOLT_READY] =
        {
            [BOLT_LOGOFF] = OR_CLOSE(AUTHENTICATION),
            [BOLT_RUN] = TO(STREAMING, STREAMING),
            [BOLT_BEGIN] = TO(TX_READY, TX_READY),
            [BOLT_ROUTE] = TO(READY, READY),
            [BOLT_TELEMETRY] = TO(READY, READY),
            [BOLT_RESET] = OR_CLOSE(READY),
        },
    [BOLT_STREAMING] =
        {
            [BOLT_PULL] = TO(READY, STREAMING),
            [BOLT_DISCARD] = TO(READY, STREAMING),
            [BOLT_RESET] = OR_CLOSE(READY),
        },
    [BOLT_TX_READY] =
        {
            [BOLT_RUN] = TO(TX_STREAMING, TX_STREAMING),
            [BOLT_COMMIT] = TO(READY, READY),
            [BOLT_ROLLBACK] = TO(READY, READY),
            [BOLT_RESET] = OR_CLOSE(READY),
        },
    [BOLT_TX_STREAMING] =
        {
            [BOLT_RUN] = TO(TX_STREAMING, TX_STREAMING),
            [BOLT_PULL] = TO(TX_READY, TX_STREAMING),
            [BOLT_DISCARD] = TO(TX_READY, TX_STREAMING),
            [BOLT_COMMIT] = TO(READY, READY), // open results are closed
            [BOLT_ROLLBACK] = TO(READY, READY),
            [BOLT_RESET] = OR_CLOSE(READY),
        },
    [BOLT_FAILED] =
        {
            [BOLT_ACK_FAILURE] = TO(READY, READY),
            [BOLT_RESET] = OR_CLOSE(READY),
        },
};

const char *bolt_state_name(enum bolt_state state) {
  static const char *const names[BOLT_STATES] = {"NEGOTIATION", "AUTHENTICATION", "READY",  "STREAMING",
                                                 "TX_READY",    "TX_STREAMING",   "FAILED", "DEFUNCT"};
  return names[state];
}

enum bolt_verdict bolt_state_judge(enum bolt_state state, bool interrupted, enum bolt_message_kind kind) {
  if (kind == BOLT_GOODBYE) return BOLT_HANDLE;
  if (interrupted && kind != BOLT_RESET) return BOLT_IGNORE;
  if (state == BOLT_FAILED && (kind == BOLT_MESSAGE_KINDS || !moves[state][kind].allowed)) return BOLT_IGNORE;
  if (kind == BOLT_MESSAGE_KINDS) return BOLT_HANDLE; // decoding it tells what is wrong
  return moves[state][kind].allowed ? BOLT_HANDLE : BOLT_REFUSE;
}

enum bolt_state bolt_state_after(const struct bolt_version *v, enum bolt_state state, enum bolt_message_kind kind,
                                 enum bolt_outcome outcome, bool logged_in) {
  if (kind == BOLT_GOODBYE) return BOLT_DEFUNCT;
  if (kind == BOLT_MESSAGE_KINDS) return BOLT_FAILED;
  const struct move *m = &moves[state][kind];
  assert(m->allowed);
  if (outcome == BOLT_FAILURE) return m->failed;
  if (kind == BOLT_HELLO && !v->logon) return BOLT_READY;
  if (kind == BOLT_RESET && !logged_in) return BOLT_AUTHENTICATION;
  return outcome == BOLT_MORE ? m->more : m->done;
}
