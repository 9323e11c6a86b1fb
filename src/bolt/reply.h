// What the server answers, as chunked messages at the end of a buffer. Pure. A reply is there whole or not at all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "bolt/version.h"
#include "value/value.h"

/// A dictionary that is being written: entries are counted on the way. Errors stick: they are seen at the end.
/// At most 15 entries, so that its head is one byte.
struct dict {
  struct buf *out;
  size_t head; // where its first byte is
  uint32_t count;
  enum err err;
};

void dict_begin(struct dict *d, struct buf *out);
/// Writes the head's byte. Returns the first error.
enum err dict_end(struct dict *d) NODISCARD;

void dict_int(struct dict *d, struct str key, int64_t value);
void dict_bool(struct dict *d, struct str key, bool value);
void dict_str(struct dict *d, struct str key, struct str value);
void dict_strs(struct dict *d, struct str key, const struct str *values, uint32_t count);
void dict_value(struct dict *d, struct str key, const struct packstream_profile *profile, struct value v);
/// For a value that the caller writes behind it with packstream_write_list or dict_inner.
void dict_list(struct dict *d, struct str key, uint32_t items);
/// A dictionary as an entry's value; ends with dict_inner_end.
void dict_inner(struct dict *d, struct str key, struct dict *inner);
/// A dictionary as an item of a list that was begun with dict_list.
void dict_item(struct dict *d, struct dict *inner);
void dict_inner_end(struct dict *d, struct dict *inner);

/// A SUCCESS whose dictionary the caller fills.
struct bolt_success {
  struct dict meta;
  size_t start;
};

void bolt_success_begin(struct bolt_success *s, struct buf *out);
/// On an error (ERR_NOMEM, or of a value) nothing of it stays in the buffer.
enum err bolt_success_end(struct bolt_success *s) NODISCARD;

/// SUCCESS {}.
enum err bolt_reply_success(struct buf *out) NODISCARD;
enum err bolt_reply_ignored(struct buf *out) NODISCARD;

/// FAILURE in the version's shape: {code, message}, or from 5.7 on the GQL shape. `cause_status` (may be NULL) adds a cause.
enum err bolt_reply_failure(struct buf *out, const struct bolt_version *v, const struct error *error, const char *cause_status,
                            const char *cause_message) NODISCARD;
