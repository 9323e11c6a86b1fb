// A question to whoever leads, between a transaction that begins here and its snapshot: what must be applied here, so that it
// sees all that was acknowledged before? The leader begins a transaction of its own under the same promise (linearizable.h),
// whose place is the answer.
#include "dbms/linearizable.h"
#include "dbms/relay_int.h"

enum err relay_state_index(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->op.begin = (struct dbms_tx_options){.database = r->name,
                                           .database_id = relay_database_id(r),
                                           .timeout_ms = 0,
                                           .read_only = true,
                                           .metadata = V_NULL,
                                           .linearizable = true};
    return relay_ask(r, DBMS_BEGIN);
  }
  r->asked = false;
  enum err err = r->op.err;
  r->fence = err == ERR_OK ? r->op.begun.place : (struct dbms_place){0};
  if (r->fence.term != 0) return relay_go(r, RELAY_UNFENCE);
  r->peer.failed = true;
  bool gone = err == ERR_OK || err == ERR_CLOSED || err == ERR_UNREACHABLE; // OK without a place: it knows nothing of this
  if (gone) relay_hang_up(r);
  if (gone || relay_is_refused(err) || relay_is_late(r)) return relay_find(r, RELAY_INDEX);
  *e = op->error = r->op.error;
  return err;
}

bool relay_asks_index(const struct relay *r) {
  return r != NULL && r->kind == RELAY_QUESTION;
}

uint64_t relay_take_index(struct relay *r) {
  relay_end(r);
  return r->fence.last;
}
