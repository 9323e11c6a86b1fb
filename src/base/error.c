#include "base/error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name, *neo4j, *gql, *text;
} table[ERR_MAX] = {
#define ERR_ROW(name, neo4j, gql, text) [ERR_##name] = {#name, neo4j, gql, text},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

/// A cut text ends in "..." and never inside a UTF-8 sequence.
static void mark_cut(char *text, size_t size) {
  size_t end = size - 4;
  while (end > 0 && ((unsigned char) text[end] & 0xC0) == 0x80) end--;
  memcpy(text + end, "...", 4);
}

enum err error_setv(struct error *e, enum err code, const char *fmt, va_list args) {
  if (e == NULL) return code;
  e->code = code;
  int n = vsnprintf(e->message, sizeof e->message, fmt, args);
  if (n >= (int) sizeof e->message) mark_cut(e->message, sizeof e->message);
  return code;
}

enum err (error_set)(struct error *e, enum err code, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  error_setv(e, code, fmt, args);
  va_end(args);
  return code;
}

enum err error_prefix(struct error *e, const char *fmt, ...) {
  if (e == NULL) return ERR_INTERNAL;
  char old[sizeof e->message];
  memcpy(old, e->message, sizeof old);
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(e->message, sizeof e->message, fmt, args);
  va_end(args);
  if (n >= 0 && n < (int) sizeof e->message) {
    int more = snprintf(e->message + n, sizeof e->message - (size_t) n, ": %s", old);
    if (n + more >= (int) sizeof e->message) mark_cut(e->message, sizeof e->message);
  }
  return e->code;
}

enum err error_ensure(struct error *e, enum err code) {
  if (e != NULL && (e->code != code || e->message[0] == '\0')) error_set(e, code, "%s", err_text(code));
  return code;
}

const char *err_name(enum err code) {
  assert(code < ERR_MAX);
  return table[code].name;
}

const char *err_neo4j_code(enum err code) {
  assert(code < ERR_MAX);
  return table[code].neo4j[0] != '\0' ? table[code].neo4j : table[ERR_INTERNAL].neo4j;
}

const char *err_gql_status(enum err code) {
  assert(code < ERR_MAX);
  return table[code].gql;
}

const char *err_text(enum err code) {
  assert(code < ERR_MAX);
  return table[code].text;
}

const char *err_classification(enum err code) {
  const char *neo4j = err_neo4j_code(code);
  if (strncmp(neo4j, "Neo.ClientError.", 16) == 0) return "CLIENT_ERROR";
  if (strncmp(neo4j, "Neo.TransientError.", 19) == 0) return "TRANSIENT_ERROR";
  return "DATABASE_ERROR";
}
