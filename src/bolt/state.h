// The states of a session and the moves between them, as one table (Bolt documentation, "Server state"). Pure.
#pragma once

#include <stdbool.h>

#include "bolt/message.h"

enum bolt_state {
  BOLT_NEGOTIATION,    // version agreed, no HELLO yet
  BOLT_AUTHENTICATION, // 5.1 on: HELLO done, no LOGON yet
  BOLT_READY,
  BOLT_STREAMING, // result of an auto-commit RUN
  BOLT_TX_READY,
  BOLT_TX_STREAMING, // explicit transaction with open results
  BOLT_FAILED,
  BOLT_DEFUNCT, // closed, or to be closed
  BOLT_STATES,
};

enum bolt_verdict {
  BOLT_HANDLE,
  BOLT_IGNORE, // answer IGNORED
  BOLT_REFUSE, // answer FAILURE, close
};

/// How a request ended.
enum bolt_outcome {
  BOLT_DONE, // nothing is left open
  BOLT_MORE, // results are left open
  BOLT_FAILURE,
};

const char *bolt_state_name(enum bolt_state state);

/// What to do with a message of that kind (BOLT_MESSAGE_KINDS: none of the version's). `interrupted`: a RESET has arrived, but
/// its turn has not come.
enum bolt_verdict bolt_state_judge(enum bolt_state state, bool interrupted, enum bolt_message_kind kind);

/// The state after a message that was handled. `logged_in`: before the message; RESET goes back to where that leads.
enum bolt_state bolt_state_after(const struct bolt_version *v, enum bolt_state state, enum bolt_message_kind kind,
                                 enum bolt_outcome outcome, bool logged_in);
