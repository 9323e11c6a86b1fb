#include "bolt/reply.h"

#include <assert.h>
#include <stdio.h>

#include "bolt/chunk.h"
#include "wire/packstream.h"

enum { TAG_SUCCESS = 0x70, TAG_IGNORED = 0x7e, TAG_FAILURE = 0x7f, TINY_DICT = 0xa0, TINY_DICT_MAX = 15 };

// ---- dictionaries ----

static void note(struct dict *d, enum err err) {
  if (d->err == ERR_OK) d->err = err;
}

static bool key(struct dict *d, struct str name) {
  d->count++;
  if (d->err == ERR_OK) note(d, packstream_write_str(d->out, name));
  return d->err == ERR_OK;
}

void dict_begin(struct dict *d, struct buf *out) {
  *d = (struct dict){.out = out, .head = out->len};
  note(d, buf_append_byte(out, TINY_DICT));
}

enum err dict_end(struct dict *d) {
  assert(d->count <= TINY_DICT_MAX);
  if (d->err == ERR_OK) d->out->data[d->head] = (char) (TINY_DICT | d->count);
  return d->err;
}

void dict_int(struct dict *d, struct str name, int64_t value) {
  if (key(d, name)) note(d, packstream_write_int(d->out, value));
}

void dict_bool(struct dict *d, struct str name, bool value) {
  if (key(d, name)) note(d, packstream_write_bool(d->out, value));
}

void dict_str(struct dict *d, struct str name, struct str value) {
  if (key(d, name)) note(d, packstream_write_str(d->out, value));
}

void dict_strs(struct dict *d, struct str name, const struct str *values, uint32_t count) {
  dict_list(d, name, count);
  for (uint32_t i = 0; i < count && d->err == ERR_OK; i++) note(d, packstream_write_str(d->out, values[i]));
}

void dict_value(struct dict *d, struct str name, const struct packstream_profile *profile, struct value v) {
  if (key(d, name)) note(d, packstream_write_value(d->out, profile, v, NULL));
}

void dict_list(struct dict *d, struct str name, uint32_t items) {
  if (key(d, name)) note(d, packstream_write_list(d->out, items));
}

void dict_inner(struct dict *d, struct str name, struct dict *inner) {
  key(d, name);
  dict_item(d, inner);
}

void dict_item(struct dict *d, struct dict *inner) {
  *inner = (struct dict){.out = d->out, .head = d->out->len, .err = d->err};
  if (d->err == ERR_OK) note(inner, buf_append_byte(d->out, TINY_DICT));
}

void dict_inner_end(struct dict *d, struct dict *inner) {
  note(d, dict_end(inner));
}

// ---- messages ----

static enum err message_begin(struct buf *out, uint8_t tag, uint32_t fields, size_t *ret_start) {
  TRY(bolt_chunk_begin(out, ret_start));
  return packstream_write_struct(out, tag, fields);
}

static enum err message_end(struct buf *out, size_t start, enum err err) {
  if (err == ERR_OK) err = bolt_chunk_end(out, start);
  if (err != ERR_OK) out->len = start;
  return err;
}

void bolt_success_begin(struct bolt_success *s, struct buf *out) {
  s->start = out->len;
  enum err err = message_begin(out, TAG_SUCCESS, 1, &s->start);
  if (err == ERR_OK)
    dict_begin(&s->meta, out);
  else
    s->meta = (struct dict){.out = out, .err = err};
}

enum err bolt_success_end(struct bolt_success *s) {
  return message_end(s->meta.out, s->start, dict_end(&s->meta));
}

enum err bolt_reply_success(struct buf *out) {
  struct bolt_success s;
  bolt_success_begin(&s, out);
  return bolt_success_end(&s);
}

enum err bolt_reply_ignored(struct buf *out) {
  size_t start = out->len;
  return message_end(out, start, message_begin(out, TAG_IGNORED, 0, &start));
}

static void write_position(struct dict *record, const struct error *error) {
  if (error->offset == ERROR_NO_POSITION) return;
  struct dict position;
  dict_inner(record, STR("_position"), &position);
  dict_int(&position, STR("offset"), error->offset);
  dict_int(&position, STR("line"), error->line);
  dict_int(&position, STR("column"), error->column);
  dict_inner_end(record, &position);
}

static void write_diagnostic_record(struct dict *meta, const struct error *error) {
  struct dict record;
  dict_inner(meta, STR("diagnostic_record"), &record);
  dict_str(&record, STR("OPERATION"), STR(""));
  dict_str(&record, STR("OPERATION_CODE"), STR("0"));
  dict_str(&record, STR("CURRENT_SCHEMA"), STR("/"));
  dict_str(&record, STR("_classification"), str_of(err_classification(error->code)));
  write_position(&record, error);
  dict_inner_end(meta, &record);
}

static void write_description(struct dict *meta, const char *text) {
  char description[200];
  snprintf(description, sizeof description, "error: %s", text);
  dict_str(meta, STR("description"), str_of(description));
}

static void write_gql(struct dict *meta, const struct error *error, const char *cause_status, const char *cause_message) {
  dict_str(meta, STR("neo4j_code"), str_of(err_neo4j_code(error->code)));
  dict_str(meta, STR("message"), str_of(error->message));
  dict_str(meta, STR("gql_status"), str_of(err_gql_status(error->code)));
  write_description(meta, err_text(error->code));
  write_diagnostic_record(meta, error);
  if (cause_status == NULL) return;
  struct dict cause;
  dict_inner(meta, STR("cause"), &cause);
  dict_str(&cause, STR("message"), str_of(cause_message));
  dict_str(&cause, STR("gql_status"), str_of(cause_status));
  write_description(&cause, cause_message);
  dict_inner_end(meta, &cause);
}

enum err bolt_reply_failure(struct buf *out, const struct bolt_version *v, const struct error *error, const char *cause_status,
                            const char *cause_message) {
  size_t start = out->len;
  struct dict meta;
  enum err err = message_begin(out, TAG_FAILURE, 1, &start);
  if (err == ERR_OK) {
    dict_begin(&meta, out);
    if (v->gql_failures) {
      write_gql(&meta, error, cause_status, cause_message);
    } else {
      dict_str(&meta, STR("code"), str_of(err_neo4j_code(error->code)));
      dict_str(&meta, STR("message"), str_of(error->message));
    }
    err = dict_end(&meta);
  }
  return message_end(out, start, err);
}
