// What a client asks of this server and only the leader can do: a session here has it done by a session there, as if it were done
// here. Private to dbms. The whole way, and what becomes of a commit whose server is lost: docs/adr/0012-*.md.
//
//   relay_takes -> { relay_step <-> relay_await } for each operation until relay_has is false
//
// One for each session of a member of a cluster that can reach the others; its session's, but for relay_interrupt. Nothing here
// blocks: what is waited for is the other server's answer, a leader, or the applier, and the session sleeps meanwhile.
#pragma once

#include "dbms/remote.h"
#include "dbms/session_int.h"

struct relay;

/// `*ret` NULL, where no other server is reached. ERR_NOMEM.
enum err relay_new(struct dbms_session *s, struct relay **ret, struct error *e) NODISCARD;
/// No operation is under way. NULL is fine.
void relay_free(struct relay *r);

/// Whether what only the leader can do is done there; otherwise it is refused. NULL is fine.
bool relay_hands_on(const struct relay *r);

/// Who has logged in, as whom it logs in there. ERR_NOMEM. Without a relay nothing.
enum err relay_login(struct relay *r, const struct dbms_op *op, struct error *e) NODISCARD;
void relay_logoff(struct relay *r);

/// Looks at a BEGIN or an auto-commit RUN on `db`, before anything is begun here: true, and it is the relay's from now on, where
/// another server leads and the client wants to write, or may. RUN: the statement is compiled here to see what it does; one with
/// a mistake is not taken. ERR_WAIT with `*ret_to_worker`: ask again there.
bool relay_takes(struct relay *r, struct database *db, struct dbms_op *op);
/// A transaction is with another server, or on its way there: operations that belong to it go to relay_step.
bool relay_has(const struct relay *r);

/// An auto-commit RUN is about to be carried out here: it is kept, in case that this server ceases to lead before it is
/// committed.
void relay_keep(struct relay *r, struct database *db, const struct dbms_op *op, const struct plan *p);
/// No transaction is open: what was kept is not needed any more.
void relay_forget(struct relay *r);
/// It was: the statement was not committed, and nothing of its result was delivered. True: it is the relay's now.
bool relay_takes_over(struct relay *r);

/// The operation, which begins a linearizable transaction here, is with relay_step next: it asks whoever leads what that must see
/// (relay_index.c), until then.
void relay_ask_index(struct relay *r, struct database *db, int64_t until_ns);
/// It is. NULL is fine.
bool relay_asks_index(const struct relay *r);
/// The answer, when relay_step has succeeded; then the operation goes on here.
uint64_t relay_take_index(struct relay *r);

/// Carries the operation on. ERR_WAIT: relay_await says for what, or, with `*ret_to_worker`, the next step is for a worker.
/// `interrupted`: it is to end soon, for that reason.
enum err relay_step(struct relay *r, struct dbms_op *op, enum err interrupted, bool *ret_to_worker) NODISCARD;
/// The session sleeps from now on and is woken by session_woken, maybe before this returns. ERR_WAIT: it will be; ERR_NOMEM:
/// nobody will do it but the ticker; otherwise there is nothing to wait for.
enum err relay_await(struct relay *r);
/// Only the other server's answer ends this sleep.
bool relay_awaits_answer(const struct relay *r);
/// Of one that does: asks for the answer where the time is over in which something could be begun. Under the dbms mutex.
void relay_hurry(struct relay *r, int64_t now_ns);
/// As dbms_session_interrupt, whose mutex is held.
void relay_interrupt(struct relay *r, enum err reason);
