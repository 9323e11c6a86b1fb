// One statement: RUN, PULL in parts, the rows, the summary.
#include <inttypes.h>
#include <string.h>

#include "cli/render.h"
#include "cli/shell_int.h"
#include "wire/packstream.h"

enum { PULL_ROWS = 1000 };

static enum err write_text(struct buf *b, const char *key, struct str value) {
  TRY(packstream_write_str(b, str_of(key)));
  return packstream_write_str(b, value);
}

/// What BEGIN and an auto-commit RUN say beside the statement.
static enum err write_extra(struct buf *b, const struct shell *s, struct str database) {
  bool bookmark = s->bookmark.len > 0;
  TRY(packstream_write_map(b, (database.len > 0) + s->read_access + bookmark + (s->impersonate.len > 0)));
  if (database.len > 0) TRY(write_text(b, "db", database));
  if (s->read_access) TRY(write_text(b, "mode", STR("r")));
  if (s->impersonate.len > 0) TRY(write_text(b, "imp_user", s->impersonate));
  if (!bookmark) return ERR_OK;
  TRY(packstream_write_str(b, STR("bookmarks")));
  TRY(packstream_write_list(b, 1));
  return packstream_write_str(b, s->bookmark);
}

static enum err write_params(struct buf *b, const struct shell_param *params) {
  uint32_t count = 0;
  for (const struct shell_param *p = params; p != NULL; p = p->next) count++;
  TRY(packstream_write_map(b, count));
  for (const struct shell_param *p = params; p != NULL; p = p->next) {
    TRY(packstream_write_str(b, p->name));
    TRY(buf_append_str(b, p->bytes));
  }
  return ERR_OK;
}

static enum err send_run(struct shell *s, struct str database, struct str text, const struct shell_param *params, struct error *e) {
  CLEANUP(buf_done) struct buf fields = BUF_INIT;
  TRY(packstream_write_str(&fields, text));
  TRY(write_params(&fields, params));
  if (s->in_transaction) {
    TRY(packstream_write_map(&fields, 0));
  } else {
    TRY(write_extra(&fields, s, database));
  }
  return connection_send(s->connection, MESSAGE_RUN, 3, buf_str(&fields), e);
}

static enum err send_pull(struct shell *s, struct error *e) {
  CLEANUP(buf_done) struct buf fields = BUF_INIT;
  TRY(packstream_write_map(&fields, 1));
  TRY(packstream_write_str(&fields, STR("n")));
  TRY(packstream_write_int(&fields, PULL_ROWS));
  return connection_send(s->connection, MESSAGE_PULL, 1, buf_str(&fields), e);
}

/// The server's failure as an error, and a connection that can go on. The transaction, if there was one, is gone.
static enum err fail(struct shell *s, struct arena *a, const struct packed *failure, struct error *e) {
  enum err err = connection_failure(a, failure, NULL, e);
  s->in_transaction = false;
  struct error lost = ERROR_INIT;
  enum err reset = connection_reset(s->connection, &lost);
  if (reset == ERR_OK) return err;
  *e = lost;
  return reset;
}

static enum err expect_success(struct shell *s, struct arena *a, struct packed *ret, struct error *e) {
  uint8_t tag;
  TRY(connection_receive(s->connection, a, &tag, ret, e));
  return tag == MESSAGE_SUCCESS ? ERR_OK : fail(s, a, ret, e);
}

// ---- the summary ----

static void print_counters(const struct packed *stats) {
  static const struct {
    const char *key, *text;
  } all[] = {
      {"nodes-created", "Added %" PRId64 " nodes"},
      {"nodes-deleted", "Deleted %" PRId64 " nodes"},
      {"relationships-created", "Created %" PRId64 " relationships"},
      {"relationships-deleted", "Deleted %" PRId64 " relationships"},
      {"properties-set", "Set %" PRId64 " properties"},
      {"labels-added", "Added %" PRId64 " labels"},
      {"labels-removed", "Removed %" PRId64 " labels"},
      {"indexes-added", "Added %" PRId64 " indexes"},
      {"indexes-removed", "Removed %" PRId64 " indexes"},
      {"constraints-added", "Added %" PRId64 " constraints"},
      {"constraints-removed", "Removed %" PRId64 " constraints"},
  };
  bool any = false;
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    int64_t n = packed_get_int(stats, all[i].key, 0);
    if (n == 0) continue;
    if (any) printf(", ");
    printf(all[i].text, n); // of the table above
    any = true;
  }
  if (any) printf("\n");
}

static void print_plan(const struct packed *summary) {
  const struct packed *plan = packed_get(summary, "profile");
  if (plan == NULL) plan = packed_get(summary, "plan");
  struct str text = packed_get_str(packed_get(plan, "args"), "string-representation");
  if (text.len > 0) printf("\n%.*s\n", STR_ARG(text));
}

static void print_notifications(const struct packed *summary) {
  const struct packed *all = packed_get(summary, "notifications");
  for (uint32_t i = 0; all != NULL && all->kind == PACKED_LIST && i < all->len; i++) {
    struct str severity = packed_get_str(&all->items[i], "severity"), text = packed_get_str(&all->items[i], "description");
    printf("%s: %.*s\n", str_eqz(severity, "WARNING") ? "warn" : "info", STR_ARG(text));
  }
}

static void print_summary(const struct shell *s, const struct packed *ran, const struct packed *summary, uint32_t rows) {
  print_plan(summary);
  if (s->format == TABLE_VERBOSE) {
    printf("\n%u row%s\n", rows, rows == 1 ? "" : "s");
    printf("ready to start consuming query after %" PRId64 " ms, results consumed after another %" PRId64 " ms\n", packed_get_int(ran, "t_first", 0),
           packed_get_int(summary, "t_last", 0));
    print_counters(packed_get(summary, "stats"));
  }
  if (s->options->notifications) print_notifications(summary);
  fflush(stdout);
}

// ---- the rows ----

static enum err keep_first(struct shell_rows *rows, const struct packed *row, struct error *e) {
  if (rows->has_first) return ERR_OK;
  struct str bytes = arena_str(rows->arena, row->bytes);
  if (bytes.ptr == NULL) return arena_err(rows->arena, e);
  rows->has_first = true;
  return packed_read(rows->arena, &bytes, &rows->first, e);
}

static enum err take_row(struct table *t, struct shell_rows *rows, const struct packed *row, struct error *e) {
  if (rows != NULL) return keep_first(rows, row, e);
  enum err err = table_add(t, row);
  return err == ERR_PROTOCOL ? error_set(e, err, "The server sent a row of another width than it had said.") : err == ERR_NOMEM ? error_set(e, err, "no memory for the rows") : err;
}

/// Rows until the SUCCESS behind them, again and again while there are more. An error of our own leaves rows on their way.
static enum err take_rows(struct shell *s, struct arena *a, struct table *t, struct shell_rows *rows, struct packed *ret_summary, struct error *e) {
  for (;;) {
    uint8_t tag;
    struct packed message;
    struct arena_mark mark = arena_mark(a);
    TRY(connection_receive(s->connection, a, &tag, &message, e));
    if (tag == MESSAGE_RECORD) {
      TRY(take_row(t, rows, &message, e));
      arena_rewind(a, mark);
      continue;
    }
    if (tag != MESSAGE_SUCCESS) return fail(s, a, &message, e);
    const struct packed *more = packed_get(&message, "has_more");
    if (more == NULL || more->kind != PACKED_BOOL || !more->b) return *ret_summary = message, ERR_OK;
    TRY(send_pull(s, e));
  }
}

static enum err keep_columns(struct shell_rows *rows, const struct packed *columns, struct error *e) {
  struct str bytes = arena_str(rows->arena, columns->bytes);
  return bytes.ptr != NULL ? packed_read(rows->arena, &bytes, &rows->columns, e) : arena_err(rows->arena, e);
}

static enum err take_result(struct shell *s, struct arena *a, struct table *t, struct shell_rows *rows, struct error *e) {
  struct packed ran, summary;
  TRY(expect_success(s, a, &ran, e));
  const struct packed *columns = packed_get(&ran, "fields");
  if (columns == NULL || columns->kind != PACKED_LIST) return error_set(e, ERR_PROTOCOL, "The server did not say which columns there are.");
  if (rows != NULL) {
    TRY(keep_columns(rows, columns, e));
  } else if (table_begin(t, columns) != ERR_OK) {
    return error_set(e, ERR_NOMEM, "no memory for the columns");
  }
  TRY(take_rows(s, a, t, rows, &summary, e));
  if (rows == NULL) {
    if (table_end(t) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for the rows");
    print_summary(s, &ran, &summary, t->rows);
  }
  struct str bookmark = packed_get_str(&summary, "bookmark");
  if (bookmark.len > 0) s->bookmark = arena_str(&s->arena, bookmark);
  return connection_settle(s->connection, e);
}

enum err shell_run_on(struct shell *s, struct str database, struct str text, const struct shell_param *params, struct shell_rows *rows, struct error *e) {
  struct table t = {.to = stdout, .format = s->format, .sample_rows = s->options->sample_rows, .wrap = s->options->wrap};
  struct arena a;
  arena_init(&a, NULL);
  enum err err = send_run(s, database, text, params, e);
  if (err == ERR_OK) err = send_pull(s, e);
  if (err == ERR_OK) err = take_result(s, &a, &t, rows, e);
  table_done(&t);
  arena_done(&a);
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

enum err shell_run_statement(struct shell *s, struct str text, struct shell_rows *rows, struct error *e) {
  return shell_run_on(s, s->database, text, s->params, rows, e);
}

enum err shell_transaction(struct shell *s, uint8_t message, struct error *e) {
  CLEANUP(buf_done) struct buf fields = BUF_INIT;
  if (message == MESSAGE_BEGIN) TRY(write_extra(&fields, s, s->database));
  TRY(connection_send(s->connection, message, message == MESSAGE_BEGIN, buf_str(&fields), e));
  struct arena a;
  arena_init(&a, NULL);
  struct packed answer;
  enum err err = expect_success(s, &a, &answer, e);
  if (err == ERR_OK) {
    s->in_transaction = message == MESSAGE_BEGIN;
    struct str bookmark = packed_get_str(&answer, "bookmark");
    if (bookmark.len > 0) s->bookmark = arena_str(&s->arena, bookmark);
  }
  arena_done(&a);
  return err;
}
