#include "bolt/session.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/session_int.h"

enum { REQUESTS_PER_RUN = 100, ANSWERS_OVER_HIGH_BYTES = 64 * 1024 };
// A byte of a message can make a value of sixteen in memory: messages of nothing but such bytes are refused where they are very
// long.
enum { BYTES_A_MESSAGE_BYTE = 4 };

// ---- life ----

enum err bolt_session_new(const struct bolt_session_setup *setup, struct bolt_session **ret, struct error *e) {
  struct bolt_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory for a session");
  s->setup = *setup;
  s->version = setup->version;
  s->values = setup->version->values;
  s->state = BOLT_NEGOTIATION;
  s->last_result = -1;
  s->text = BOLT_RUN;
  mem_budget_init(&s->budget, NULL, (int64_t) setup->settings->message_bytes * BYTES_A_MESSAGE_BYTE, ERR_TX_MEMORY, NULL);
  arena_init(&s->arena, &s->budget);
  arena_init(&s->hello_filter.arena, NULL);
  arena_init(&s->tx_filter.arena, NULL);
  bolt_records_init(&s->records, &s->values, setup->settings->out_high_bytes / 2);
  *ret = s;
  return ERR_OK;
}

void bolt_session_free(struct bolt_session *s) {
  if (s == NULL) return;
  assert(!s->op_under_way);
  dbms_session_free(s->dbms);
  bolt_queue_clear(&s->queue);
  bolt_request_free(s->request);
  bolt_records_done(&s->records);
  arena_done(&s->arena);
  arena_done(&s->hello_filter.arena);
  arena_done(&s->tx_filter.arena);
  mem_free(s->results);
  buf_done(&s->out);
  mem_free(s);
}

struct buf *bolt_session_out(struct bolt_session *s) {
  return &s->out;
}

enum bolt_state bolt_session_state(const struct bolt_session *s) {
  return s->state;
}

bool bolt_session_is_authenticated(const struct bolt_session *s) {
  return s->logged_in;
}

bool bolt_session_is_busy(const struct bolt_session *s) {
  return s->op_under_way || s->pull_held_back;
}

bool bolt_session_waits(const struct bolt_session *s) {
  return s->op_under_way;
}

bool bolt_session_is_idle(const struct bolt_session *s) {
  bool nothing_open =
      s->state == BOLT_NEGOTIATION || s->state == BOLT_AUTHENTICATION || s->state == BOLT_READY || s->state == BOLT_FAILED;
  return s->state == BOLT_DEFUNCT || (nothing_open && !bolt_session_is_busy(s) && s->queue.count == 0);
}

uint32_t bolt_session_queued(const struct bolt_session *s) {
  return s->queue.count;
}

uint64_t bolt_session_queued_bytes(const struct bolt_session *s) {
  return s->queue.bytes;
}

// ---- arrival ----

static void interrupt(struct bolt_session *s) {
  if (s->op_under_way && s->dbms != NULL) {
    s->interrupted_operation = true;
    dbms_session_interrupt(s->dbms, ERR_TX_TERMINATED);
  }
}

enum err bolt_session_receive(struct bolt_session *s, struct str message) {
  if (s->state == BOLT_DEFUNCT || s->goodbye) return ERR_OK;
  TRY(bolt_queue_push(&s->queue, message));
  bolt_tally_add(&s->setup.tally->messages_received, 1);
  enum bolt_message_kind kind = bolt_message_peek(s->version, message);
  if (kind == BOLT_RESET && s->interrupts++ == 0) interrupt(s);
  if (kind == BOLT_GOODBYE) {
    s->goodbye = true;
    interrupt(s);
  }
  return ERR_OK;
}

/// A commit on its way goes on all the same: to interrupt it again each time that it was woken by that would never end.
bool bolt_session_disconnect(struct bolt_session *s) {
  bolt_queue_clear(&s->queue);
  if (!s->hung_up) interrupt(s);
  s->goodbye = s->hung_up = true;
  if (s->op_under_way) return false;
  s->state = BOLT_DEFUNCT;
  return true;
}

// ---- ends of requests ----

void session_forget_results(struct bolt_session *s) {
  s->result_count = 0;
  s->last_result = -1;
  s->explicit_tx = false;
  s->text = BOLT_RUN;
  s->text_bookmark[0] = '\0';
  s->pull_held_back = false;
  s->tx_filter.filter = (struct bolt_filter){0};
  arena_reset(&s->tx_filter.arena);
}

static enum err copy_strs(struct arena *arena, const struct str *from, uint32_t count, const struct str **ret) {
  struct str *copies = ARENA_ARRAY(arena, struct str, count);
  if (copies == NULL) return ERR_NOMEM;
  for (uint32_t i = 0; i < count; i++) {
    copies[i] = arena_str(arena, from[i]);
    if (copies[i].ptr == NULL) return ERR_NOMEM;
  }
  *ret = copies;
  return ERR_OK;
}

enum err session_keep_filter(struct bolt_kept_filter *kept, const struct bolt_filter *filter) {
  struct bolt_filter copy = *filter;
  arena_reset(&kept->arena);
  kept->filter = (struct bolt_filter){0};
  TRY(copy_strs(&kept->arena, filter->categories, filter->category_count, &copy.categories));
  kept->filter = copy;
  return ERR_OK;
}

bool session_lost(struct bolt_session *s, enum err err) {
  if (err == ERR_OK) return false;
  s->broken = true;
  s->state = BOLT_DEFUNCT;
  return true;
}

static void end_request(struct bolt_session *s) {
  bolt_request_free(s->request);
  s->request = NULL;
}

/// BEGIN, COMMIT and ROLLBACK as texts of Bolt 1 and 2 move as the messages that they stand for.
static enum bolt_message_kind moving_kind(const struct bolt_session *s) {
  return s->message.kind == BOLT_RUN ? s->message.run.text : s->message.kind;
}

void session_move(struct bolt_session *s, enum bolt_outcome outcome) {
  if (s->state != BOLT_DEFUNCT) s->state = bolt_state_after(s->version, s->state, moving_kind(s), outcome, s->logged_in);
  end_request(s);
}

void session_succeed(struct bolt_session *s, enum bolt_outcome outcome, enum err err) {
  bolt_tally_add(&s->setup.tally->messages_done, 1);
  session_lost(s, err);
  session_move(s, outcome);
}

static void rolled_back(struct bolt_session *s) {
  (void) s; // RESET never fails; the FAILURE that led here is in the output already
}

/// FAILURE for the request at hand; the state moves on.
static void answer_failure(struct bolt_session *s, const struct error *error, const char *cause_status,
                           const char *cause_message) {
  bolt_tally_add(&s->setup.tally->messages_failed, 1);
  struct error shown = *error;
  error_ensure(&shown, shown.code);
  session_lost(s, bolt_reply_failure(&s->out, s->version, &shown, cause_status, cause_message));
  session_move(s, BOLT_FAILURE);
}

/// A transaction that failed here, not in the database server, is dead all the same: its locks and snapshot go at once.
static void roll_back_what_is_open(struct bolt_session *s, bool open) {
  session_forget_results(s);
  if (!open || s->dbms == NULL) return;
  session_prepare(s, DBMS_RESET);
  session_submit(s, rolled_back);
}

void session_fail(struct bolt_session *s, const struct error *error) {
  bool open = s->state == BOLT_STREAMING || s->state == BOLT_TX_READY || s->state == BOLT_TX_STREAMING;
  answer_failure(s, error, NULL, NULL);
  roll_back_what_is_open(s, open);
}

void session_fail_operation(struct bolt_session *s) {
  s->op.error.code = s->op.err;
  answer_failure(s, &s->op.error, NULL, NULL);
  session_forget_results(s);
}

// ---- operations ----

// The records' buffer is the operation's and stays where it is until that is finished, while `out` comes and goes.
enum err session_reserve_answer(struct bolt_session *s, struct error *e) {
  enum err err = buf_reserve(&s->records.out, BOLT_HELD_BYTES + BOLT_ANSWER_BYTES);
  return err == ERR_OK ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for an answer");
}

/// What was answered before and is not sent yet is so short that it fits in front of an operation's rows.
static bool output_is_short(const struct bolt_session *s) {
  return s->out.len <= BOLT_HELD_BYTES;
}

enum err session_take_output(struct bolt_session *s) {
  struct buf *rows = &s->records.out, before = s->out;
  if (!output_is_short(s) || rows->capacity - rows->len < before.len) {
    if (rows->len > 0) TRY(buf_append(&s->out, rows->data, rows->len));
    buf_clear(rows);
    return ERR_OK;
  }
  if (rows->len == 0 && before.len == 0 && before.capacity >= rows->capacity) return ERR_OK;
  if (before.len > 0) {
    memmove(rows->data + before.len, rows->data, rows->len);
    memcpy(rows->data, before.data, before.len);
    rows->len += before.len;
  }
  s->out = *rows;
  *rows = before;
  buf_clear(rows);
  return ERR_OK;
}

static void operation_finished(struct dbms_op *op) {
  struct bolt_session *s = op->context;
  s->setup.owner->wake(s->setup.owner);
}

static void operation_ready(struct dbms_op *op) {
  struct bolt_session *s = op->context;
  s->op_resumes = true;
  s->setup.owner->wake(s->setup.owner);
}

/// The error's long text need not be cleared.
void session_prepare(struct bolt_session *s, enum dbms_op_kind kind) {
  struct dbms_op *op = &s->op;
  const size_t outputs = offsetof(struct dbms_op, error) + sizeof op->error;
  memset(op, 0, offsetof(struct dbms_op, error));
  memset((char *) op + outputs, 0, sizeof *op - outputs);
  op->kind = kind;
  op->error.code = ERR_OK;
  op->error.offset = ERROR_NO_POSITION;
  op->error.line = op->error.column = 0;
  op->error.message[0] = '\0';
}

void session_submit(struct bolt_session *s, void (*finish)(struct bolt_session *)) {
  struct bolt_session_owner *owner = s->setup.owner;
  s->op.done = operation_finished;
  s->op.ready = operation_ready;
  s->op.context = s;
  s->op.alone = output_is_short(s) && owner->is_alone != NULL && owner->is_alone(owner);
  s->op_finish = finish;
  s->op_under_way = true;
  if (!dbms_session_submit(s->dbms, &s->op)) return;
  s->op_under_way = false;
  finish(s);
}

void bolt_session_operation_done(struct bolt_session *s) {
  assert(s->op_under_way);
  bool resumes = s->op_resumes;
  s->op_resumes = false;
  if (resumes && !dbms_session_resume(s->dbms)) return;
  s->op_under_way = false;
  s->op_finish(s);
}

bool bolt_session_commits(const struct bolt_session *s) {
  return s->op_under_way && s->op.commits && output_is_short(s);
}

// ---- the queue ----

static void refuse(struct bolt_session *s) {
  struct error error = ERROR_INIT;
  bool open = s->state == BOLT_STREAMING || s->state == BOLT_TX_READY || s->state == BOLT_TX_STREAMING;
  error_set(&error, ERR_PROTOCOL, "Message '%s' cannot be handled by a session in the %s state.",
            bolt_message_name(s->message.kind), bolt_state_name(s->state));
  event_raise(s->setup.events, EVENT_INFO, "bolt.protocol.error", "connection=%.*s state=%s message=%s",
              STR_ARG(s->setup.connection_id), bolt_state_name(s->state), bolt_message_name(s->message.kind));
  bolt_tally_add(&s->setup.tally->messages_failed, 1);
  const char *cause = s->version->gql_failures ? "08N10" : NULL;
  session_lost(s, bolt_reply_failure(&s->out, s->version, &error, cause, error.message));
  s->state = BOLT_DEFUNCT;
  end_request(s);
  roll_back_what_is_open(s, open);
}

static void ignore(struct bolt_session *s) {
  session_lost(s, bolt_reply_ignored(&s->out));
  end_request(s);
}

static void handle(struct bolt_session *s) {
  switch (s->message.kind) {
  case BOLT_HELLO: session_hello(s); break;
  case BOLT_LOGON: session_logon(s); break;
  case BOLT_LOGOFF: session_logoff(s); break;
  case BOLT_RUN: session_run_query(s); break;
  case BOLT_PULL:
  case BOLT_DISCARD: session_pull(s); break;
  case BOLT_BEGIN: session_begin(s); break;
  case BOLT_COMMIT: session_commit(s); break;
  case BOLT_ROLLBACK: session_rollback(s); break;
  case BOLT_ROUTE: session_route(s); break;
  case BOLT_TELEMETRY: session_telemetry(s); break;
  case BOLT_RESET:
  case BOLT_ACK_FAILURE: session_reset(s); break;
  case BOLT_GOODBYE:
  case BOLT_MESSAGE_KINDS: session_move(s, BOLT_DONE); break;
  }
}

static struct packstream_limits limits_now(const struct bolt_session *s) {
  const struct bolt_settings *set = s->setup.settings;
  if (s->logged_in) return (struct packstream_limits){.depth_max = set->depth};
  // The message itself is the first level; the decoder counts within its fields.
  return (struct packstream_limits){MAX(set->unauthenticated_depth, 2u) - 1, set->unauthenticated_elements};
}

/// A message that cannot be decoded is answered in its place; before login it ends the connection.
static void fail_undecoded(struct bolt_session *s, enum bolt_message_kind kind, struct error *error) {
  bool open = s->state == BOLT_STREAMING || s->state == BOLT_TX_READY || s->state == BOLT_TX_STREAMING;
  s->message = (struct bolt_message){.kind = kind};
  bolt_tally_add(&s->setup.tally->messages_failed, 1);
  error_ensure(error, error->code);
  session_lost(s, bolt_reply_failure(&s->out, s->version, error, NULL, NULL));
  bool survives = s->logged_in && kind != BOLT_RESET && s->state != BOLT_DEFUNCT;
  s->state = survives ? BOLT_FAILED : BOLT_DEFUNCT;
  end_request(s);
  roll_back_what_is_open(s, open);
}

static void work_on(struct bolt_session *s, struct bolt_request *request) {
  s->request = request;
  arena_reset(&s->arena);
  bolt_tally_add(&s->setup.tally->messages_started, 1);
  enum bolt_message_kind kind = bolt_message_peek(s->version, request->bytes);
  s->message = (struct bolt_message){.kind = kind};
  if (kind == BOLT_GOODBYE) {
    session_move(s, BOLT_DONE);
    return;
  }
  enum bolt_verdict verdict = bolt_state_judge(s->state, s->interrupts > 0, kind);
  if (verdict == BOLT_IGNORE) {
    ignore(s);
    return;
  }
  if (verdict == BOLT_REFUSE) {
    refuse(s);
    return;
  }
  struct error error = ERROR_INIT;
  enum err err = bolt_message_decode(s->version, &s->values, limits_now(s), request->bytes, &s->arena, &s->message, &error);
  if (err != ERR_OK)
    fail_undecoded(s, kind, &error);
  else if (bolt_state_judge(s->state, false, moving_kind(s)) != BOLT_HANDLE)
    refuse(s); // COMMIT as a text outside a transaction
  else
    handle(s);
}

/// Full until it has fallen to the low mark. A RESET breaks the stall: its answers are short, but bounded too.
static bool output_is_full(struct bolt_session *s) {
  const struct bolt_settings *set = s->setup.settings;
  size_t bytes = s->unsent_bytes + s->out.len;
  if (bytes > set->out_high_bytes) s->stalled = true;
  if (bytes <= set->out_low_bytes) s->stalled = false;
  if (s->interrupts > 0 || s->goodbye) return bytes > (size_t) set->out_high_bytes + ANSWERS_OVER_HIGH_BYTES;
  return s->stalled;
}

static void drop_held_back(struct bolt_session *s) {
  struct error error = ERROR_INIT;
  error_set(&error, ERR_TX_TERMINATED, "The transaction was terminated by RESET.");
  s->pull_held_back = false;
  session_fail(s, &error);
}

/// One step. False when there is nothing to do now.
static bool step(struct bolt_session *s) {
  if (s->op_under_way || s->state == BOLT_DEFUNCT || output_is_full(s)) return false;
  if (s->pull_held_back) {
    if (s->interrupts > 0 || s->goodbye)
      drop_held_back(s);
    else
      session_pull_on(s);
    return true;
  }
  struct bolt_request *request = bolt_queue_pop(&s->queue);
  if (request == NULL) return false;
  work_on(s, request);
  return true;
}

bool bolt_session_run(struct bolt_session *s, size_t unsent_bytes) {
  s->unsent_bytes = unsent_bytes;
  for (int i = 0; i < REQUESTS_PER_RUN; i++)
    if (!step(s)) return false;
  assert(bolt_session_invariant(s));
  return true;
}

bool bolt_session_invariant(const struct bolt_session *s) {
  bool in_tx = s->state == BOLT_TX_READY || s->state == BOLT_TX_STREAMING;
  bool streaming = s->state == BOLT_STREAMING || s->state == BOLT_TX_STREAMING;
  bool settled = !s->op_under_way && s->request == NULL;
  if (s->state == BOLT_READY && settled && (s->result_count > 0 || s->explicit_tx)) return false;
  if (settled && in_tx && !s->explicit_tx) return false;
  if (settled && streaming && s->result_count == 0 && s->text == BOLT_RUN) return false;
  if (settled && s->state == BOLT_TX_READY && s->result_count > 0) return false;
  if (s->pull_held_back && (!streaming || s->request == NULL)) return false;
  if ((s->state == BOLT_READY || in_tx || streaming) && s->dbms == NULL) return false;
  return (s->queue.count == 0) == (s->queue.first == NULL);
}
