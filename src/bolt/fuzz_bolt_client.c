// Fuzzes what a client hears from a server that may say anything: the input is a list of steps, each an operation or an
// interruption, or several operations that are given together, and some bytes of the server, as they are or as one message.
// The first byte says how the sink behaves, and whether the login has gone well already. Every operation is finished once, and what is pushed can be sent on.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "bolt/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool b) {
  if (!b) abort();
}

struct fuzz {
  struct bolt_client client;
  struct dbms_op op, behind[2];
  uint32_t told; // of them
  struct row_sink sink;
  bool full, fills, refuses, under_way;
};

static enum err push(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                     struct error *e) {
  struct fuzz *f = CONTAINER_OF(sink, struct fuzz, sink);
  static const struct packstream_row_frame frame = {0};
  struct packstream_profile profile = f->client.values;
  struct buf out = BUF_INIT;
  size_t ends[BOLT_CLIENT_BATCH_ROWS];
  must(f->under_way && rows > 0 && rows <= BOLT_CLIENT_BATCH_ROWS);
  enum err err = packstream_write_rows(&out, &profile, &frame, columns, width, sel, rows, ends, e);
  must(err == ERR_OK || err == ERR_LIMIT);
  buf_done(&out);
  f->full = f->fills;
  return f->refuses ? error_set(e, ERR_TYPE, "no") : ERR_OK;
}

/// Reads all that an operation has told, so that memory that is not there is seen.
static size_t read_outputs(const struct dbms_op *op) {
  size_t sum = strlen(op->error.message);
  if (op->err != ERR_OK) return sum;
  if (op->kind == DBMS_RUN)
    for (uint32_t i = 0; i < op->ran.column_count; i++)
      for (size_t k = 0; k < op->ran.columns[i].len; k++) sum += (uint8_t) op->ran.columns[i].ptr[k];
  if (op->kind != DBMS_PULL || op->pulled.has_more) return sum;
  for (uint32_t i = 0; i < op->pulled.summary.notification_count; i++)
    for (size_t k = 0; k < op->pulled.summary.notifications[i].title.len; k++)
      sum += (uint8_t) op->pulled.summary.notifications[i].title.ptr[k];
  return sum + op->pulled.summary.bookmark.len;
}

/// As the owner of the connection does after each call. False: the connection is closed.
static bool obey(struct fuzz *f) {
  buf_clear(&f->client.out);
  if (f->client.spent) bolt_client_lose(&f->client, "closed");
  if (f->client.finished) {
    static volatile size_t read;
    must(f->under_way);
    f->under_way = false;
    for (struct dbms_op *op = bolt_client_take(&f->client); op != NULL; op = op->then) op->done(op);
    must(f->told == (f->op.then != NULL ? 3 : 1));
    for (struct dbms_op *op = &f->op; op != NULL; op = op->then) read = read_outputs(op);
    (void) read;
  }
  return !f->client.spent;
}

static void on_told(struct dbms_op *op) {
  struct fuzz *f = op->context;
  must(op == (f->told == 0 ? &f->op : &f->behind[f->told - 1]));
  f->told++;
}

/// BEGIN with a statement and its first rows behind it, or one after BEGIN.
static void put_together(struct fuzz *f) {
  f->op.then = &f->behind[0];
  f->behind[0] = (struct dbms_op){.kind = DBMS_RUN, .then = &f->behind[1]};
  f->behind[1] = (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = -1, .rows = 2, .sink = &f->sink, .sink_full = &f->full}};
  for (int i = 0; i < 2; i++) f->behind[i].done = on_told, f->behind[i].context = f;
}

static bool start(struct fuzz *f, uint8_t what) {
  static const enum dbms_op_kind kinds[] = {DBMS_BEGIN, DBMS_RUN,    DBMS_RUN,      DBMS_PULL,
                                            DBMS_PULL,  DBMS_COMMIT, DBMS_ROLLBACK, DBMS_RESET};
  if (f->under_way) return true;
  f->op = (struct dbms_op){.kind = f->client.logged_in ? kinds[what & 7] : DBMS_LOGIN};
  f->full = false;
  f->told = 0;
  f->op.done = on_told;
  f->op.context = f;
  if (f->op.kind == DBMS_BEGIN && (what & 8)) put_together(f);
  if (f->op.kind == DBMS_RUN) f->op.run.auto_commit = !f->client.in_tx;
  if (f->op.kind == DBMS_PULL) {
    f->op.pull.rows = what & 8 ? 2 : -1;
    f->op.pull.discard = what & 16;
    f->op.pull.sink = &f->sink;
    f->op.pull.sink_full = &f->full;
  }
  f->under_way = true;
  bolt_client_start(&f->client, &f->op);
  return obey(f);
}

static bool hear(struct fuzz *f, const uint8_t *bytes, size_t len) {
  struct error e = ERROR_INIT;
  if (f->client.full || (f->client.version == NULL && !f->under_way)) return true; // the owner does not read, or is not connected
  if (bolt_client_receive(&f->client, bytes, len, &e) != ERR_OK) bolt_client_lose(&f->client, e.message);
  return obey(f);
}

static bool hear_message(struct fuzz *f, const uint8_t *bytes, size_t len) {
  uint8_t framed[2 + UINT8_MAX + 2] = {0};
  put_u16_be(framed, (uint16_t) len);
  memcpy(framed + 2, bytes, len);
  return hear(f, framed, len + 4);
}

static bool step(struct fuzz *f, const uint8_t **at, const uint8_t *end) {
  uint8_t what = (*at)[0], len = (uint8_t) MIN((ptrdiff_t) (*at)[1], end - *at - 2);
  const uint8_t *bytes = *at + 2;
  *at += 2 + len;
  if ((what & 0xc0) == 0xc0 && !bolt_client_interrupt(&f->client, ERR_TX_TERMINATED)) bolt_client_lose(&f->client, "interrupted");
  if ((what & 0xc0) == 0xc0 && !obey(f)) return false;
  if ((what & 0xc0) == 0x80 && !f->under_way) bolt_client_give_up(&f->client);
  if ((what & 0xc0) == 0x80 && !obey(f)) return false;
  if ((what & 0xc0) == 0x40 && !start(f, what)) return false;
  return what & 0x20 ? hear(f, bytes, len) : len == 0 || hear_message(f, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t version[] = {0, 0, 0, 6}, success[] = {0xb1, 0x70, 0xa0};
  static const struct dbms_client who = {.neo4j_major = 5};
  if (size == 0) return 0;
  struct fuzz *f = mem_zalloc(sizeof *f);
  must(f != NULL);
  bolt_client_init(&f->client, &who);
  f->sink.push = push;
  f->fills = data[0] & 1;
  f->refuses = data[0] & 2;
  bool open = true;
  if (data[0] & 4)
    open = start(f, 0) && hear(f, version, sizeof version) && hear_message(f, success, sizeof success) &&
           hear_message(f, success, sizeof success);
  const uint8_t *at = data + 1, *end = data + size;
  while (open && end - at >= 2) open = step(f, &at, end);
  must(f->client.budget.peak_bytes <= (int64_t) (size * 400 + (1 << 20)));
  bolt_client_lose(&f->client, "the end");
  obey(f);
  must(!f->under_way);
  bolt_client_done(&f->client);
  mem_free(f);
  return 0;
}
