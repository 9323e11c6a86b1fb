#include "bolt/client_say.h"

#include "bolt/chunk.h"
#include "bolt/handshake.h"
#include "bolt/relayed.h"
#include "bolt/reply.h"
#include "wire/packstream.h"

enum {
  TAG_HELLO = 0x01,
  TAG_RESET = 0x0f,
  TAG_RUN = 0x10,
  TAG_BEGIN = 0x11,
  TAG_COMMIT = 0x12,
  TAG_ROLLBACK = 0x13,
  TAG_DISCARD = 0x2f,
  TAG_PULL = 0x3f,
  TAG_LOGON = 0x6a
};

static enum err begin(struct buf *out, uint8_t tag, uint32_t fields, size_t *ret_start) {
  *ret_start = out->len;
  TRY(bolt_chunk_begin(out, ret_start));
  return packstream_write_struct(out, tag, fields);
}

static enum err end(struct buf *out, size_t start, enum err err) {
  if (err == ERR_OK) err = bolt_chunk_end(out, start);
  if (err != ERR_OK) out->len = start;
  return err;
}

static enum err say_nothing_but(struct buf *out, uint8_t tag) {
  size_t start;
  enum err err = begin(out, tag, 0, &start);
  return end(out, start, err);
}

enum err bolt_client_say_versions(struct buf *out) {
  TRY(buf_append(out, bolt_magic, sizeof bolt_magic));
  return buf_append(out,
                    "\0\0\0\6"
                    "\0\0\10\5"
                    "\0\0\0\0"
                    "\0\0\0\0",
                    16);
}

enum err bolt_client_say_hello(struct buf *out, const struct dbms_client *who) {
  size_t start;
  struct dict extra, agent;
  enum err err = begin(out, TAG_HELLO, 1, &start);
  if (err != ERR_OK) return end(out, start, err);
  dict_begin(&extra, out);
  dict_str(&extra, STR("user_agent"), who->user_agent);
  dict_inner(&extra, STR("bolt_agent"), &agent);
  dict_str(&agent, STR("product"), STR("quiver-server"));
  dict_inner_end(&extra, &agent);
  bolt_relayed_write_client(&extra, who);
  return end(out, start, dict_end(&extra));
}

enum err bolt_client_say_logon(struct buf *out, const struct dbms_op *op) {
  size_t start;
  struct dict auth;
  enum err err = begin(out, TAG_LOGON, 1, &start);
  if (err != ERR_OK) return end(out, start, err);
  dict_begin(&auth, out);
  dict_str(&auth, STR("scheme"), op->login.scheme.len > 0 ? op->login.scheme : STR("none"));
  dict_str(&auth, STR("principal"), op->login.principal);
  dict_str(&auth, STR("credentials"), op->login.credentials);
  if (op->login.realm.len > 0) dict_str(&auth, STR("realm"), op->login.realm);
  return end(out, start, dict_end(&auth));
}

enum err bolt_client_say_reset(struct buf *out) {
  return say_nothing_but(out, TAG_RESET);
}

enum err bolt_client_say_commit(struct buf *out) {
  return say_nothing_but(out, TAG_COMMIT);
}

enum err bolt_client_say_rollback(struct buf *out) {
  return say_nothing_but(out, TAG_ROLLBACK);
}

// ---- statements ----

static void write_tx(struct dict *extra, const struct packstream_profile *values, const struct dbms_tx_options *tx) {
  if (tx->database.len > 0) dict_str(extra, STR("db"), tx->database);
  if (tx->impersonated_user.len > 0) dict_str(extra, STR("imp_user"), tx->impersonated_user);
  if (tx->bookmark_count > 0) dict_strs(extra, STR("bookmarks"), tx->bookmarks, tx->bookmark_count);
  if (tx->timeout_ms >= 0) dict_int(extra, STR("tx_timeout"), tx->timeout_ms);
  if (tx->read_only) dict_str(extra, STR("mode"), STR("r"));
  if (!v_is_null(tx->metadata)) dict_value(extra, STR("tx_metadata"), values, tx->metadata);
  bolt_relayed_write_origin(extra, tx->origin);
  bolt_relayed_write_database(extra, tx);
  bolt_relayed_write_linearizable(extra, tx);
}

static void write_filter(struct dict *extra, const struct dbms_op *op) {
  static const char *const names[] = {
      [DBMS_SEVERITY_OFF] = "OFF", [DBMS_SEVERITY_WARNING] = "WARNING", [DBMS_SEVERITY_INFORMATION] = "INFORMATION"};
  if (op->run.min_severity != DBMS_SEVERITY_DEFAULT)
    dict_str(extra, STR("notifications_minimum_severity"), str_of(names[op->run.min_severity]));
  if (op->run.disabled_category_count > 0)
    dict_strs(extra, STR("notifications_disabled_categories"), op->run.disabled_categories, op->run.disabled_category_count);
}

/// The code of what went wrong, with a text.
static enum err told(enum err err, struct error *e) {
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

enum err bolt_client_say_begin(struct buf *out, const struct packstream_profile *values, const struct dbms_tx_options *tx,
                               struct error *e) {
  size_t start;
  struct dict extra;
  enum err err = begin(out, TAG_BEGIN, 1, &start);
  if (err == ERR_OK) {
    dict_begin(&extra, out);
    write_tx(&extra, values, tx);
    bolt_relayed_write_question(&extra, tx);
    err = dict_end(&extra);
  }
  return told(end(out, start, err), e);
}

static enum err write_run(struct buf *out, const struct packstream_profile *values, const struct dbms_op *op, struct error *e) {
  struct dict extra;
  struct value none = v_map(NULL, 0);
  TRY(packstream_write_str(out, op->run.query));
  TRY(packstream_write_value(out, values, v_is_null(op->run.parameters) ? none : op->run.parameters, e));
  dict_begin(&extra, out);
  if (op->run.auto_commit) write_tx(&extra, values, &op->run.tx);
  write_filter(&extra, op);
  return dict_end(&extra);
}

enum err bolt_client_say_run(struct buf *out, const struct packstream_profile *values, const struct dbms_op *op,
                             struct error *e) {
  size_t start;
  enum err err = begin(out, TAG_RUN, 3, &start);
  if (err == ERR_OK) err = write_run(out, values, op, e);
  return told(end(out, start, err), e);
}

enum err bolt_client_say_pull(struct buf *out, bool discard, int64_t rows, int64_t result) {
  size_t start;
  struct dict extra;
  enum err err = begin(out, discard ? TAG_DISCARD : TAG_PULL, 1, &start);
  if (err != ERR_OK) return end(out, start, err);
  dict_begin(&extra, out);
  dict_int(&extra, STR("n"), rows < 0 ? -1 : rows);
  if (result >= 0) dict_int(&extra, STR("qid"), result);
  return end(out, start, dict_end(&extra));
}
