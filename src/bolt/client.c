#include "bolt/client.h"

#include <assert.h>
#include <string.h>

#include "bolt/client_hear.h"
#include "bolt/client_say.h"
#include "bolt/extra.h"

enum {
  PORTION_ROWS = 1024,          // asked for at once
  MESSAGE_BYTES_MAX = 300 << 20 // more than what any server here sends (wire/packstream.h)
};
#define MEMORY_BYTES_MAX (INT64_C(2) << 30)

// ---- life ----

void bolt_client_init(struct bolt_client *c, const struct dbms_client *who) {
  memset(c, 0, sizeof *c);
  c->who = who;
  mem_budget_init(&c->budget, NULL, MEMORY_BYTES_MAX, ERR_TX_MEMORY, NULL);
  arena_init(&c->outputs, &c->budget);
  bolt_client_rows_init(&c->rows, &c->budget);
}

void bolt_client_done(struct bolt_client *c) {
  assert(c->op == NULL || c->finished);
  bolt_client_rows_done(&c->rows);
  arena_done(&c->outputs);
  bolt_chunk_reader_done(&c->chunks);
  buf_done(&c->rest);
  buf_done(&c->out);
}

// ---- the end of an operation ----

static bool under_way(const struct bolt_client *c) {
  return c->op != NULL && !c->finished;
}

struct dbms_op *bolt_client_take(struct bolt_client *c) {
  if (c->op == NULL || !c->finished) return NULL;
  c->finished = false;
  return TAKE_PTR(c->op);
}

/// No answer that is still due is waited for any more.
static void abandon_answers(struct bolt_client *c) {
  for (uint32_t i = 0; i < c->due_count; i++)
    if (c->due[i] == BOLT_DUE_OPERATION) c->due[i] = BOLT_DUE_NOBODY;
}

/// What was said behind it is not carried out.
static void fail_those_behind(struct bolt_client *c) {
  if (c->op->then != NULL && !c->full) abandon_answers(c);
  for (struct dbms_op *o = c->op->then; o != NULL; o = o->then) {
    o->err = c->op->err;
    o->error = c->op->error;
  }
}

static void finish(struct bolt_client *c, enum err err) {
  assert(under_way(c));
  struct dbms_op *op = c->op;
  op->err = err;
  if (err == ERR_OK && op->then != NULL) {
    c->op = op->then;
    op->done(op);
    return;
  }
  if (err != ERR_OK) {
    error_ensure(&op->error, err);
    fail_those_behind(c);
    c->dead_tx = c->in_tx;
  }
  c->interrupted = ERR_OK;
  c->finished = true;
}

static void fail(struct bolt_client *c, const struct error *why) {
  c->op->error = *why;
  finish(c, why->code);
}

// ---- saying ----

static enum err await(struct bolt_client *c, enum bolt_client_due due, enum err said) {
  assert(c->due_count < BOLT_CLIENT_DUE_MAX); // what nobody waits for, its RESET, an operation, its RESET, and another one
  if (said == ERR_OK) c->due[c->due_count++] = due;
  return said;
}

static enum err say_reset(struct bolt_client *c) {
  return await(c, BOLT_DUE_RESET, bolt_client_say_reset(&c->out));
}

/// RESET, unless one is on its way behind everything else. Without memory for that the connection ends, which is the same to the
/// server.
static void stop_server(struct bolt_client *c) {
  bool on_its_way = c->due_count > 0 && c->due[c->due_count - 1] == BOLT_DUE_RESET;
  if (!on_its_way && say_reset(c) != ERR_OK) c->spent = true;
}

/// Without a number it is of the last RUN, which may not be answered yet.
static enum err say_portion(struct bolt_client *c) {
  struct bolt_client_pull *p = &c->pull;
  int64_t rows = p->discard ? p->left : p->left < 0 ? PORTION_ROWS : MIN(p->left, (int64_t) PORTION_ROWS);
  c->portion_left = p->discard ? 0 : (uint32_t) rows;
  p->asked = true;
  return await(c, BOLT_DUE_OPERATION, bolt_client_say_pull(&c->out, p->discard, rows, c->in_tx ? p->result : -1));
}

// ---- rows ----

static bool sink_is_full(const struct dbms_op *op) {
  return op->pull.sink_full != NULL && *op->pull.sink_full;
}

/// The rest is not wanted; what the server does for it shall end.
static void drop_rows(struct bolt_client *c) {
  bolt_client_rows_clear(&c->rows);
  if (c->interrupted == ERR_OK) stop_server(c);
}

static void push_rows(struct bolt_client *c) {
  struct bolt_client_pull *p = &c->pull;
  uint32_t count = c->rows.count;
  if (count == 0) return;
  if (bolt_client_rows_push(&c->rows, c->op->pull.sink, &p->failed) == ERR_OK) {
    p->taken += count;
    if (p->left > 0) p->left -= count;
    return;
  }
  error_ensure(&p->failed, p->failed.code);
  drop_rows(c);
}

static void end_pull(struct bolt_client *c, bool has_more) {
  c->op->pulled.rows = c->pull.taken;
  c->op->pulled.has_more = has_more;
  c->op->pulled.paused = has_more && sink_is_full(c->op) && c->pull.left != 0;
  finish(c, ERR_OK);
}

/// In the middle of a portion: the rest of it is for the next PULL.
static void suspend(struct bolt_client *c) {
  c->full = true;
  end_pull(c, true);
}

/// Before the PULL of several operations is what they have come to, none are due.
static bool is_row_due(const struct bolt_client *c) {
  if (c->due_count == 0 || c->portion_left == 0) return false;
  return c->due[0] == BOLT_DUE_NOBODY || (c->due[0] == BOLT_DUE_OPERATION && c->op->kind == DBMS_PULL);
}

static bool wants_row(const struct bolt_client *c) {
  return c->due[0] == BOLT_DUE_OPERATION && !c->pull.discard && c->pull.failed.code == ERR_OK && c->interrupted == ERR_OK;
}

static void take_row(struct bolt_client *c, struct str message, enum err *ret_lost, struct error *e) {
  struct bolt_client_pull *p = &c->pull;
  enum err err = bolt_client_rows_add(&c->rows, &c->values, message, e);
  if (err == ERR_PROTOCOL) {
    *ret_lost = err;
    return;
  }
  if (err != ERR_OK) {
    p->failed = *e;
    drop_rows(c);
    return;
  }
  bool enough = p->left > 0 && (int64_t) c->rows.count == p->left;
  if (!enough && !bolt_client_rows_are_full(&c->rows)) return;
  push_rows(c);
  if (p->failed.code == ERR_OK && c->portion_left > 0 && (enough || sink_is_full(c->op))) suspend(c);
}

static enum err hear_row(struct bolt_client *c, struct str message, struct error *e) {
  enum err lost = ERR_OK;
  if (!is_row_due(c)) return error_set(e, ERR_PROTOCOL, "a row came that nobody has asked for");
  c->portion_left--;
  if (wants_row(c)) {
    take_row(c, message, &lost, e);
  } else if (c->due[0] == BOLT_DUE_OPERATION && c->pull.discard) {
    c->pull.taken++;
    if (c->pull.left > 0 && --c->pull.left == 0 && c->portion_left > 0) suspend(c);
  }
  return lost;
}

// ---- answers ----

/// The dictionary of an answer, in memory that lives as long as the operation's outputs.
static enum err read_meta(struct bolt_client *c, struct str message, struct value *ret, struct error *e) {
  struct packstream_reader r;
  uint8_t tag;
  uint32_t fields;
  struct str copy = arena_str(&c->outputs, message);
  if (copy.ptr == NULL) return arena_err(&c->outputs, e);
  packstream_reader_init(&r, c->values, (struct packstream_limits){0}, copy.ptr, copy.len, &c->outputs);
  TRY(packstream_read_message(&r, &tag, &fields, e));
  if (tag == BOLT_ANSWER_IGNORED) return packstream_read_end(&r, e);
  if (fields != 1) return error_set(e, ERR_PROTOCOL, "an answer has %u fields", fields);
  TRY(packstream_read_value(&r, ret, e));
  if (ret->type != VALUE_MAP) return error_set(e, ERR_PROTOCOL, "an answer is no Dictionary");
  return packstream_read_end(&r, e);
}

static enum err logged_on(struct bolt_client *c, struct value meta, struct error *e) {
  TRY(bolt_extra_bool(meta, STR("credentials_expired"), &c->credentials_expired, e));
  c->logged_in = true;
  c->op->logged_in.credentials_expired = c->credentials_expired;
  finish(c, ERR_OK);
  return ERR_OK;
}

static void note_database(struct bolt_client *c, struct str name) {
  c->tainted = c->tainted || str_eqz(name, "system");
}

static enum err pulled(struct bolt_client *c, struct value meta, struct error *e) {
  struct bolt_client_pull *p = &c->pull;
  bool has_more = false;
  TRY(bolt_extra_bool(meta, STR("has_more"), &has_more, e));
  push_rows(c);
  c->portion_left = 0;
  if (p->failed.code != ERR_OK && !has_more && !c->in_tx) {
    error_set(&p->failed, ERR_CLOSED, "the statement was carried out, but its rows could not be taken");
    fail(c, &p->failed);
  } else if (p->failed.code != ERR_OK) {
    fail(c, &p->failed);
  } else if (!has_more) {
    TRY(bolt_client_hear_summary(meta, &c->outputs, &c->op->pulled.summary, e));
    end_pull(c, false);
  } else if (c->interrupted != ERR_OK) {
    finish(c, c->interrupted);
  } else if (p->discard && p->asked) {
    p->taken += MAX(p->left, INT64_C(0)); // exactly so many, as there are more
    p->left = 0;
    end_pull(c, true);
  } else if (p->left == 0 || p->ahead || sink_is_full(c->op)) {
    end_pull(c, true);
  } else {
    arena_reset(&c->outputs);
    return say_portion(c);
  }
  return ERR_OK;
}

/// What was rolled back behind it by an interruption has not succeeded.
static void succeed_unless_interrupted(struct bolt_client *c) {
  finish(c, c->interrupted);
}

static enum err operation_succeeded(struct bolt_client *c, struct value meta, struct error *e) {
  struct dbms_op *op = c->op;
  switch (op->kind) {
  case DBMS_BEGIN:
    TRY(bolt_client_hear_begun(meta, op, e));
    note_database(c, op->begun.database);
    c->in_tx = true;
    succeed_unless_interrupted(c);
    return ERR_OK;
  case DBMS_RUN:
    TRY(bolt_client_hear_ran(meta, c->in_tx, &c->outputs, op, e));
    note_database(c, op->ran.database);
    if (op->then != NULL) c->pull.result = op->ran.result;
    succeed_unless_interrupted(c);
    return ERR_OK;
  case DBMS_PULL: return pulled(c, meta, e);
  case DBMS_COMMIT:
    op->committed.bookmark = STR("");
    TRY(bolt_extra_str(meta, STR("bookmark"), &op->committed.bookmark, e));
    c->in_tx = false;
    finish(c, ERR_OK);
    return ERR_OK;
  default:
    c->in_tx = false;
    finish(c, ERR_OK);
    return ERR_OK;
  }
}

static void operation_failed(struct bolt_client *c, struct value meta) {
  struct error why;
  bolt_client_hear_failure(meta, &why);
  bolt_client_rows_clear(&c->rows);
  c->portion_left = 0;
  c->server_failed = true;
  if (c->interrupted != ERR_OK && why.code == ERR_TX_TERMINATED) why.code = c->interrupted;
  if (c->op->kind == DBMS_PULL && c->pull.failed.code != ERR_OK) why = c->pull.failed;
  fail(c, &why);
}

/// By a RESET that was sent behind it, or after a failure of what nobody has waited for.
static enum err operation_ignored(struct bolt_client *c, struct error *e) {
  bolt_client_rows_clear(&c->rows);
  c->portion_left = 0;
  if (c->interrupted != ERR_OK)
    finish(c, c->interrupted);
  else if (c->failure.code != ERR_OK)
    fail(c, &c->failure);
  else
    return error_set(e, ERR_PROTOCOL, "an operation was ignored without a reason");
  return ERR_OK;
}

static enum err was_reset(struct bolt_client *c, uint8_t tag, struct error *e) {
  if (tag != BOLT_ANSWER_SUCCESS) return error_set(e, ERR_PROTOCOL, "RESET was refused");
  c->server_failed = false;
  c->failure.code = ERR_OK;
  if (c->due_count > 0 || !under_way(c)) return ERR_OK;
  if (c->op->kind == DBMS_LOGIN) c->op->logged_in.credentials_expired = c->credentials_expired;
  if (c->op->kind == DBMS_LOGIN || c->op->kind == DBMS_RESET) finish(c, ERR_OK);
  return ERR_OK;
}

static void login_failed(struct bolt_client *c, struct value meta) {
  struct error why;
  bolt_client_hear_failure(meta, &why);
  c->spent = true; // the server hangs up
  fail(c, &why);
}

static enum bolt_client_due take_due(struct bolt_client *c) {
  enum bolt_client_due due = c->due[0];
  c->due_count--;
  memmove(c->due, c->due + 1, c->due_count * sizeof c->due[0]);
  return due;
}

static enum err hear_nobodys(struct bolt_client *c, uint8_t tag, struct value meta) {
  if (tag != BOLT_ANSWER_FAILURE) return ERR_OK;
  bolt_client_hear_failure(meta, &c->failure);
  c->server_failed = true;
  return ERR_OK;
}

static enum err hear_login(struct bolt_client *c, enum bolt_client_due due, uint8_t tag, struct value meta, struct error *e) {
  if (tag == BOLT_ANSWER_IGNORED) return error_set(e, ERR_PROTOCOL, "the login was ignored");
  if (tag == BOLT_ANSWER_FAILURE) {
    login_failed(c, meta);
    return ERR_OK;
  }
  return due == BOLT_DUE_HELLO ? bolt_client_hear_hello(meta, &c->receive_timeout_ms, e) : logged_on(c, meta, e);
}

static enum err hear_operation(struct bolt_client *c, uint8_t tag, struct value meta, struct error *e) {
  if (tag == BOLT_ANSWER_SUCCESS) return operation_succeeded(c, meta, e);
  if (tag == BOLT_ANSWER_IGNORED) return operation_ignored(c, e);
  operation_failed(c, meta);
  return ERR_OK;
}

static enum err hear_answer(struct bolt_client *c, uint8_t tag, struct str message, struct error *e) {
  struct value meta = v_map(NULL, 0);
  if (c->due_count == 0) return error_set(e, ERR_PROTOCOL, "an answer came that nobody waits for");
  TRY(read_meta(c, message, &meta, e));
  enum bolt_client_due due = take_due(c);
  switch (due) {
  case BOLT_DUE_RESET: return was_reset(c, tag, e);
  case BOLT_DUE_OPERATION: return hear_operation(c, tag, meta, e);
  case BOLT_DUE_NOBODY: return hear_nobodys(c, tag, meta);
  default: return hear_login(c, due, tag, meta, e);
  }
}

static enum err hear(struct bolt_client *c, struct str message, struct error *e) {
  uint8_t tag = message.len >= 2 ? (uint8_t) message.ptr[1] : 0;
  switch (tag) {
  case BOLT_ANSWER_RECORD: return hear_row(c, message, e);
  case BOLT_ANSWER_SUCCESS:
  case BOLT_ANSWER_IGNORED:
  case BOLT_ANSWER_FAILURE: return hear_answer(c, tag, message, e);
  default: return error_set(e, ERR_PROTOCOL, "a message came that no server sends");
  }
}

// ---- bytes ----

static enum err hear_version(struct bolt_client *c, const uint8_t **bytes, size_t *len, struct error *e) {
  while (c->answer_len<sizeof c->answer && * len> 0) {
    c->answer[c->answer_len++] = **bytes;
    ++*bytes;
    --*len;
  }
  if (c->answer_len < sizeof c->answer) return ERR_OK;
  bool known = c->answer[0] == 0 && c->answer[1] == 0 && (c->answer[3] == 6 || (c->answer[3] == 5 && c->answer[2] == 8));
  c->version = known ? bolt_version_find(c->answer[3], c->answer[2]) : NULL;
  if (c->version == NULL) return error_set(e, ERR_PROTOCOL, "it does not speak a version of Bolt that is spoken between servers");
  c->values = c->version->values;
  c->values.from_server = true;
  TRY(await(c, BOLT_DUE_HELLO, bolt_client_say_hello(&c->out, c->who)));
  return await(c, BOLT_DUE_LOGON, bolt_client_say_logon(&c->out, c->op));
}

static enum err receive(struct bolt_client *c, const uint8_t *bytes, size_t len, struct error *e) {
  if (c->version == NULL && !c->spent) TRY(hear_version(c, &bytes, &len, e));
  while (len > 0 && !c->full && !c->spent) {
    struct str message;
    enum err err = bolt_chunk_read(&c->chunks, &bytes, &len, MESSAGE_BYTES_MAX, &message);
    if (err == ERR_SHORT) return ERR_OK;
    if (err != ERR_OK) return error_set(e, err, "a message is too long");
    TRY(hear(c, message, e));
  }
  return c->full ? buf_append(&c->rest, bytes, len) : ERR_OK;
}

enum err bolt_client_receive(struct bolt_client *c, const uint8_t *bytes, size_t len, struct error *e) {
  if (c->full) return buf_append(&c->rest, bytes, len);
  enum err err = receive(c, bytes, len, e);
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

/// Goes on with the bytes that were set aside.
static enum err go_on(struct bolt_client *c, struct error *e) {
  CLEANUP(buf_done) struct buf rest = c->rest;
  c->rest = BUF_INIT;
  c->full = false;
  enum err err = receive(c, (const uint8_t *) rest.data, rest.len, e);
  c->spent = c->spent || err != ERR_OK;
  return err;
}

// ---- operations ----

static void say_or_fail(struct bolt_client *c, enum err err, struct error *e) {
  if (err != ERR_OK) error_ensure(e, err);
  if (err != ERR_OK && c->in_tx) stop_server(c); // after an error the transaction is rolled back
  if (c->spent)
    bolt_client_lose(c, err != ERR_OK ? e->message : "no memory to go on");
  else if (err != ERR_OK)
    fail(c, e);
}

/// What is left of a portion, and its answer, are for nobody.
static enum err abandon_portion(struct bolt_client *c, struct error *e) {
  if (!c->full) return ERR_OK;
  assert(c->due[0] == BOLT_DUE_OPERATION);
  c->due[0] = BOLT_DUE_NOBODY;
  bolt_client_rows_clear(&c->rows);
  return go_on(c, e);
}

static enum err start_login(struct bolt_client *c) {
  return c->logged_in ? say_reset(c) : bolt_client_say_versions(&c->out);
}

static enum err start_pull(struct bolt_client *c, struct error *e) {
  bool goes_on = c->full && c->pull.result == c->op->pull.result;
  if (c->full && !goes_on) return error_set(e, ERR_PROTOCOL, "the rows of another result are under way");
  c->pull = (struct bolt_client_pull){
      .result = c->op->pull.result, .left = c->op->pull.rows, .discard = c->op->pull.discard, .failed = ERROR_INIT};
  return goes_on ? go_on(c, e) : say_portion(c);
}

static enum err start_run(struct bolt_client *c, struct error *e) {
  if (c->full) return error_set(e, ERR_PROTOCOL, "the rows of another result are under way");
  return await(c, BOLT_DUE_OPERATION, bolt_client_say_run(&c->out, &c->values, c->op, e));
}

static enum err start_end(struct bolt_client *c, struct error *e) {
  TRY(abandon_portion(c, e));
  return await(c, BOLT_DUE_OPERATION,
               c->op->kind == DBMS_COMMIT ? bolt_client_say_commit(&c->out) : bolt_client_say_rollback(&c->out));
}

static enum err start_reset(struct bolt_client *c, struct error *e) {
  c->in_tx = c->dead_tx = false;
  TRY(abandon_portion(c, e));
  return say_reset(c);
}

/// Behind another one, whose answer is not there yet.
static enum err say_behind(struct bolt_client *c, struct dbms_op *op, struct error *e) {
  if (op->kind == DBMS_RUN) return await(c, BOLT_DUE_OPERATION, bolt_client_say_run(&c->out, &c->values, op, e));
  if (op->kind != DBMS_PULL) return error_set(e, ERR_UNSUPPORTED, "another server is not asked for that behind something else");
  c->pull = (struct bolt_client_pull){.result = -1, .left = op->pull.rows, .ahead = true, .failed = ERROR_INIT};
  return say_portion(c);
}

/// What cannot be said takes back what was said before it.
static enum err say_those_behind(struct bolt_client *c, struct error *e) {
  enum err err = ERR_OK;
  for (struct dbms_op *o = c->op->then; o != NULL && err == ERR_OK; o = o->then) err = say_behind(c, o, e);
  if (err != ERR_OK) {
    abandon_answers(c);
    stop_server(c);
  }
  return err;
}

static enum err start(struct bolt_client *c, struct error *e) {
  struct dbms_op *op = c->op;
  if (op->kind == DBMS_LOGIN) return start_login(c);
  if (op->kind == DBMS_RESET) return start_reset(c, e);
  if (c->dead_tx) return error_set(e, ERR_TX_TERMINATED, "The transaction has failed and is rolled back.");
  if (c->full && op->then != NULL) return error_set(e, ERR_PROTOCOL, "the rows of another result are under way");
  if (c->server_failed) stop_server(c);
  switch (op->kind) {
  case DBMS_BEGIN: return await(c, BOLT_DUE_OPERATION, bolt_client_say_begin(&c->out, &c->values, &op->begin, e));
  case DBMS_RUN: return start_run(c, e);
  case DBMS_PULL: return start_pull(c, e);
  case DBMS_COMMIT:
  case DBMS_ROLLBACK: return start_end(c, e);
  default: return error_set(e, ERR_UNSUPPORTED, "another server is not asked for that");
  }
}

static void clear_answer(struct dbms_op *op) {
  op->err = ERR_OK;
  op->error.code = ERR_OK;
  op->error.offset = ERROR_NO_POSITION;
  op->error.message[0] = '\0';
}

void bolt_client_start(struct bolt_client *c, struct dbms_op *op) {
  struct error e = ERROR_INIT;
  assert(!under_way(c));
  for (struct dbms_op *o = op; o != NULL; o = o->then) clear_answer(o);
  c->op = op;
  c->finished = false;
  c->interrupted = ERR_OK;
  arena_reset(&c->outputs);
  enum err err = start(c, &e);
  if (err == ERR_OK && op->then != NULL) err = say_those_behind(c, &e);
  say_or_fail(c, err, &e);
}

bool bolt_client_is_logging_in(const struct bolt_client *c) {
  return under_way(c) && c->op->kind == DBMS_LOGIN;
}

bool bolt_client_interrupt(struct bolt_client *c, enum err reason) {
  if (!under_way(c) || c->op->kind == DBMS_RESET || c->interrupted != ERR_OK) return true;
  c->interrupted = reason;
  if (c->op->kind == DBMS_LOGIN) return false;
  stop_server(c);
  return !c->spent;
}

void bolt_client_lose(struct bolt_client *c, const char *why) {
  c->spent = true;
  c->full = false;
  if (!under_way(c)) return;
  struct error e = ERROR_INIT;
  enum err undone = c->interrupted != ERR_OK ? c->interrupted : ERR_UNREACHABLE;
  error_set(&e, bolt_client_is_logging_in(c) ? undone : ERR_CLOSED, "%s", why);
  fail(c, &e);
}

void bolt_client_give_up(struct bolt_client *c) {
  struct error e = ERROR_INIT;
  bool open = c->in_tx || c->full || c->server_failed || c->due_count > 0;
  c->in_tx = c->dead_tx = false;
  if (abandon_portion(c, &e) != ERR_OK) c->spent = true;
  if (open && !c->spent) stop_server(c);
}
