// The rows of a statement that another server carries out. The first of them come together with the answer to RUN, before the
// client asks for them, and are held back: those of an auto-commit until it is committed, so that none is lost with that server;
// those of an explicit transaction until they are pulled. So a transaction whose first statement was not answered was not seen.
#include "dbms/relay_int.h"

static int64_t rows_left(const struct dbms_op *op) {
  return op->pull.rows < 0 ? -1 : op->pull.rows - op->pulled.rows;
}

void relay_empty_rows(struct relay *r, uint32_t width) {
  row_store_done(&r->rows);
  row_store_init(&r->rows, width, &r->session->dbms->budget);
}

/// How wide they are is known with the first one, as the answer to RUN is not looked at yet.
static enum err take_row(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                         struct error *e) {
  struct relay *r = CONTAINER_OF(sink, struct relay, held_back);
  if (r->rows.rows == 0) r->rows.width = width;
  TRY(r->rows.sink.push(&r->rows.sink, columns, width, sel, rows, e));
  r->rows_full = arena_bytes(&r->rows.arena) > RELAY_ROWS_BYTES;
  return ERR_OK;
}

static void hold_back(struct relay *r, struct dbms_op *to) {
  r->rows_full = false;
  r->held_back.push = take_row;
  to->pull.sink = &r->held_back;
  to->pull.sink_full = &r->rows_full;
}

void relay_fill_ahead(struct relay *r, struct dbms_op *to) {
  relay_empty_rows(r, 0);
  r->has_summary = false;
  to->pull = (typeof(to->pull)){.result = -1, .rows = RELAY_ROWS_MAX};
  hold_back(r, to);
}

/// What the client asks for is the result whose rows are ahead.
static bool is_ahead(const struct relay *r, const struct dbms_op *op) {
  if (r->kind != RELAY_EXPLICIT) return true;
  return r->ahead && (op->pull.result < 0 ? r->newest : op->pull.result) == r->ahead_of;
}

// ---- pulling ----

static bool holds_back(const struct relay *r, const struct dbms_op *op) {
  return r->kind != RELAY_EXPLICIT && !r->delivered && !op->pull.discard;
}

static enum err ask_for_rows(struct relay *r, const struct dbms_op *op) {
  int64_t left = rows_left(op);
  bool holds = holds_back(r, op);
  r->op.pull = op->pull;
  if (r->kind != RELAY_EXPLICIT || op->pull.result < 0) r->op.pull.result = r->newest;
  r->op.pull.result -= r->offset;
  r->op.pull.rows = holds && (left < 0 || left > RELAY_ROWS_MAX) ? RELAY_ROWS_MAX : left;
  if (holds) hold_back(r, &r->op);
  r->at_risk |= r->kind == RELAY_PLAIN && !r->reads;
  return relay_ask(r, DBMS_PULL);
}

/// What is here already, a commit, or another portion.
static enum err choose(struct relay *r, const struct dbms_op *op) {
  int64_t left = rows_left(op);
  if (!is_ahead(r, op)) return ask_for_rows(r, op);
  bool wants_all = left < 0 || (uint64_t) left >= r->rows.rows;
  if (r->kind == RELAY_AUTO && r->has_summary && !r->committed && wants_all) return relay_go(r, RELAY_COMMIT);
  if (r->committed || r->has_summary || r->rows.rows > 0) return relay_go(r, RELAY_DELIVER);
  r->rows_end_within = r->ahead = false; // the rest of the portion comes with the answer
  return ask_for_rows(r, op);
}

/// The rows of a RUN, which the client is told now.
static enum err came_with_run(struct relay *r) {
  r->untouched = false;
  r->rows_end_within = r->op.pulled.has_more && r->op.pulled.paused;
  r->ahead = r->kind == RELAY_EXPLICIT;
  r->ahead_of = r->newest;
  return relay_go(r, RELAY_REST);
}

static enum err pulled_last(struct relay *r, struct dbms_op *op, struct error *e) {
  struct dbms_summary summary;
  TRY(relay_copy_summary(&r->answers, &r->op.pulled.summary, &summary, e));
  if (r->kind == RELAY_EXPLICIT && op->kind == DBMS_PULL) {
    op->pulled.has_more = op->pulled.paused = false;
    op->pulled.summary = summary;
    return relay_go(r, RELAY_REST);
  }
  r->summary = summary;
  r->has_summary = true;
  if (op->kind == DBMS_RUN) return came_with_run(r);
  return r->kind == RELAY_AUTO ? relay_go(r, RELAY_PULL) : relay_note_commit(r, r->op.pulled.summary.bookmark);
}

enum err relay_state_pull(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) return choose(r, op);
  r->asked = false;
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  bool held = r->op.pull.sink == &r->held_back;
  if (!held) op->pulled.rows += r->op.pulled.rows;
  if (!r->op.pulled.has_more) return pulled_last(r, op, e);
  if (op->kind == DBMS_RUN) return came_with_run(r);
  r->delivered = true; // there are too many to hold back
  if (held) return relay_go(r, RELAY_DELIVER);
  op->pulled.has_more = true;
  op->pulled.paused = r->op.pulled.paused;
  return relay_go(r, RELAY_REST);
}

/// The other end takes nothing else before a portion is over.
enum err relay_state_spill(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->op.pull = (typeof(r->op.pull)){.result = r->ahead_of - r->offset, .rows = RELAY_ROWS_MAX - (int64_t) r->rows.rows};
    hold_back(r, &r->op);
    r->op.pull.sink_full = NULL;
    return relay_ask(r, DBMS_PULL);
  }
  r->asked = r->rows_end_within = false;
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  if (!r->op.pulled.has_more) {
    TRY(relay_copy_summary(&r->answers, &r->op.pulled.summary, &r->summary, e));
    r->has_summary = true;
  }
  return relay_go(r, RELAY_RUN);
}

// ---- delivering ----

static enum err deliver_end(struct relay *r, struct dbms_op *op) {
  op->pulled.summary = r->summary;
  r->ahead = r->has_summary = false;
  if (r->kind == RELAY_EXPLICIT) return relay_go(r, RELAY_REST);
  op->pulled.summary.bookmark = str_of(r->session->bookmark_text);
  relay_end(r);
  return relay_go(r, RELAY_REST);
}

/// What is committed is not for its client to do again, though it cannot take the rows.
static enum err undelivered(const struct relay *r, enum err err, struct error *e) {
  struct error why = *e;
  if (!r->committed) return err;
  return error_set(e, ERR_COMMIT_UNKNOWN, "The statement was committed, but its rows could not be delivered: %s", why.message);
}

/// What was held back; then, where there is more, from there; then the end.
enum err relay_state_deliver(struct relay *r, struct dbms_op *op, struct error *e) {
  int64_t left = rows_left(op);
  uint64_t gone = 0;
  bool keeps = !op->pull.discard;
  enum err err = row_store_give(&r->rows, left < 0 ? UINT64_MAX : (uint64_t) left, keeps ? op->pull.sink : NULL,
                                keeps ? op->pull.sink_full : NULL, &gone, e);
  if (err != ERR_OK) return undelivered(r, err, e);
  op->pulled.rows += (int64_t) gone;
  r->delivered |= gone > 0;
  bool full = keeps && op->pull.sink_full != NULL && *op->pull.sink_full;
  bool over = r->kind == RELAY_EXPLICIT ? r->has_summary : r->committed;
  bool more = r->rows.rows > 0 || !over;
  op->pulled.has_more = more;
  op->pulled.paused = more && full && rows_left(op) != 0;
  if (!more) return deliver_end(r, op);
  return relay_go(r, !full && rows_left(op) != 0 ? RELAY_PULL : RELAY_REST);
}
