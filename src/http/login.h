// Who asks: the credentials of a request (RFC 7617, Basic) checked by the database server, which takes its time on a thread of
// its own. Once a password was right, checking it again takes microseconds.
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "os/loop.h"

struct dbms;
struct http_forward;
struct http_login;

/// A connection as the check of its logins sees it.
struct http_caller {
  struct loop *loop;
  void (*ready)(struct http_caller *c); // on the loop: what was waited for is known, ask again
  struct http_login *login;             // under way or finished; NULL: none
  struct http_forward *forward;         // the same of a question to members (http/forward.h)
};

/// For the request that is being answered; again after `ready`, with the same text. ERR_WAIT: later; ERR_UNAUTHORIZED (also
/// without credentials, or with malformed ones), ERR_AUTH_RATE_LIMIT, ERR_CREDENTIALS_EXPIRED, ERR_NOMEM. `authorization` is the
/// header's value.
enum err http_login_check(struct http_caller *c, struct dbms *dbms, struct str authorization) NODISCARD;

/// The connection is gone. What is under way ends by itself, later, on the loop.
void http_login_forget(struct http_caller *c);

/// Logins under way, of all connections of the process: a loop may stop when there are none.
unsigned http_logins_under_way(void);

/// "Basic dXNlcjpwYXNz" to "user" and "pass", which point into `to`. False: it is none.
bool http_basic_read(struct str authorization, struct buf *to, struct str *ret_user, struct str *ret_password);
