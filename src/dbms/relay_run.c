// A transaction is begun at the other server, and its statements are run there.
#include "dbms/relay_int.h"

/// This server's number, and one that never comes again. A gateway's is of this life alone.
static struct dbms_origin next_origin(struct dbms *d) {
  if (d->gateway != NULL) return (struct dbms_origin){d->gateway->number, 1 + atomic_fetch_add(&d->next_origin, 1)};
  const struct dbms_cluster_options *o = d->options.cluster;
  return (struct dbms_origin){o->server, o->epoch << 40 | (1 + atomic_fetch_add(&d->next_origin, 1))};
}

static void fill_options(struct relay *r, struct dbms_tx_options *to, const struct dbms_tx_options *from) {
  *to = *from;
  to->database = r->name;
  to->database_id = relay_database_id(r);
  to->origin = r->origin;
  to->linearizable = r->session->linearizable;
}

// ---- BEGIN ----

/// What an operation of the client begins with, where the transaction is begun there.
static enum relay_state first_step(const struct dbms_op *op) {
  return op->kind == DBMS_RUN ? RELAY_RUN : op->kind == DBMS_COMMIT ? RELAY_COMMIT : RELAY_PULL;
}

/// A change of the schema is committed by itself: where it lies is known before it is sent.
static enum err ask_to_begin(struct relay *r, const struct dbms_op *op) {
  bool alone = op->kind == DBMS_BEGIN || op->kind == DBMS_COMMIT || r->schema;
  return alone ? relay_ask(r, DBMS_BEGIN) : relay_ask_together(r, op, DBMS_BEGIN);
}

enum err relay_state_begin(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->origin = r->reads ? (struct dbms_origin){0} : next_origin(r->session->dbms);
    fill_options(r, &r->op.begin, op->kind == DBMS_BEGIN ? &op->begin : &r->kept.op.run.tx);
    return ask_to_begin(r, op);
  }
  r->asked = false;
  bool late = r->op.err != ERR_OK && relay_is_late(r);
  if (relay_is_refused(r->op.err) || r->op.err == ERR_CLOSED || late) {
    if (relay_is_gone(r->op.err)) relay_hang_up(r);
    r->peer.failed = true;
    return relay_find(r, RELAY_BEGIN); // nothing was done in it yet
  }
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  r->place = r->op.begun.place;
  if (r->database == NULL) TRY(gateway_note_begun(r, r->op.begun.database, e));
  if (relay_next_answer(r)) return relay_go(r, RELAY_RUN);
  if (r->kind != RELAY_EXPLICIT) return relay_go(r, RELAY_RUN);
  if (r->stands) return relay_tell_what_stands(r, op);
  if (op->kind != DBMS_BEGIN) return relay_go(r, first_step(op));
  op->begun = (typeof(op->begun)){.database = r->name};
  return relay_go(r, RELAY_REST);
}

// ---- RUN ----

void relay_fill_run(struct relay *r, const struct dbms_op *op, struct dbms_op *to) {
  to->run = r->kind == RELAY_EXPLICIT ? op->run : r->kept.op.run;
  to->run.auto_commit = r->kind == RELAY_PLAIN;
  if (r->kind != RELAY_PLAIN) return;
  r->origin = r->reads ? (struct dbms_origin){0} : next_origin(r->session->dbms);
  fill_options(r, &to->run.tx, &r->kept.op.run.tx);
}

/// The columns are the other session's until it is asked something else, which this session's client is before.
static void tell_ran(struct relay *r, struct dbms_op *op) {
  op->ran = r->op.ran;
  op->ran.result += r->offset;
  op->ran.database = r->name;
  op->ran.place = (struct dbms_place){0};
}

/// Its rows, as far as they are few, come with the answer to RUN. One result at a time.
static enum err ask_to_run(struct relay *r, const struct dbms_op *op) {
  r->at_risk |= r->schema; // an entry of its own
  r->schema_sent |= r->schema;
  return r->kind != RELAY_PLAIN && !r->ahead ? relay_ask_together(r, op, DBMS_RUN) : relay_ask(r, DBMS_RUN);
}

/// ERR_AGAIN: a worker parses it.
static enum err note_schema(struct relay *r, struct str text) {
  struct relay_statement statement = {0};
  bool may = relay_may_change_schema(text);
  if (may && !r->session->on_worker && text.len > RELAY_INLINE_TEXT_BYTES) return ERR_AGAIN;
  if (may) relay_look_at(r->session, text, &statement);
  r->schema = statement.schema;
  return ERR_OK;
}

enum err relay_state_run(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    if (r->kind == RELAY_EXPLICIT) TRY(note_schema(r, op->run.query));
    if (r->rows_end_within) return relay_go(r, RELAY_SPILL);
    relay_fill_run(r, op, &r->op);
    return ask_to_run(r, op);
  }
  r->asked = false;
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  if (r->kind == RELAY_PLAIN) r->place = r->op.ran.place;
  if (r->kind == RELAY_PLAIN && r->database == NULL) TRY(gateway_note_begun(r, r->op.ran.database, e));
  if (r->kind == RELAY_PLAIN) relay_empty_rows(r, r->op.ran.column_count);
  if (op->kind == DBMS_RUN) tell_ran(r, op);
  r->newest = r->op.ran.result + r->offset;
  if (relay_next_answer(r)) {
    r->rows.width = op->kind == DBMS_RUN ? op->ran.column_count : r->rows.width;
    return relay_go(r, RELAY_PULL);
  }
  r->untouched = false;
  return relay_go(r, op->kind == DBMS_RUN ? RELAY_REST : RELAY_PULL);
}
