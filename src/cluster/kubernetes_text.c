// Requests to the Kubernetes API and their responses: HTTP/1.1 (RFC 9112) as far as one GET needs it.
#include <string.h>

#include "cluster/kubernetes_int.h"
#include "wire/json.h"

enum { NAMESPACE_BYTES_MAX = 63, TOKEN_BYTES_MAX = 16384 };

// ---- request ----

bool kubernetes_is_name(struct str s, size_t max) {
  if (s.len == 0 || s.len > max) return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

static bool is_token(struct str s) {
  if (s.len == 0 || s.len > TOKEN_BYTES_MAX) return false;
  for (size_t i = 0; i < s.len; i++)
    if (s.ptr[i] <= ' ' || s.ptr[i] > '~') return false;
  return true;
}

static bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

enum err kubernetes_put_escaped(struct buf *to, struct str s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] != '\0' && is_unreserved(s.ptr[i]))
      TRY(buf_append_byte(to, (uint8_t) s.ptr[i]));
    else
      TRY(buf_printf(to, "%%%02X", (uint8_t) s.ptr[i]));
  }
  return ERR_OK;
}

enum err kubernetes_put_path(struct buf *to, const struct kubernetes_options *options, const char *api, struct str namespace,
                             struct error *e) {
  if (!kubernetes_is_name(namespace, NAMESPACE_BYTES_MAX))
    return error_set(e, ERR_INVALID, "'%.*s' (from %.*s, see dbms.kubernetes.namespace) is no name of a Kubernetes namespace",
                     STR_ARG(namespace), STR_ARG(options->namespace_path));
  enum err err = buf_printf(to, "GET %s/namespaces/%.*s/", api, STR_ARG(namespace));
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

enum err kubernetes_put_head(struct buf *to, const struct kubernetes_options *options, struct str token, struct error *e) {
  if (!is_token(token))
    return error_set(e, ERR_INVALID, "what is in %.*s (see dbms.kubernetes.token) is no token", STR_ARG(options->token_path));
  enum err err = buf_printf(
      to, " HTTP/1.1\r\nHost: %.*s\r\nAuthorization: Bearer %.*s\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
      STR_ARG(options->address), STR_ARG(token));
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

// ---- response: HTTP ----

enum err kubernetes_bad(struct error *e, const char *what) {
  return error_set(e, ERR_IO, "what answers is not the Kubernetes API: %s", what);
}

/// The next line without its end; false if there is none.
static bool take_line(struct str *rest, struct str *ret) {
  int64_t end = str_find(*rest, STR("\r\n"));
  if (end < 0) return false;
  *ret = (struct str){rest->ptr, (size_t) end};
  *rest = (struct str){rest->ptr + end + 2, rest->len - (size_t) end - 2};
  return true;
}

struct head {
  int64_t status;
  int64_t length; // -1: until the end
  bool chunked;
};

static bool take_field(struct str line, struct head *h) {
  struct str value = line, name = str_cut(&value, ':');
  value = str_trim(value);
  if (str_eq_nocase(name, STR("content-length"))) return str_to_i64(value, &h->length) && h->length >= 0;
  if (str_eq_nocase(name, STR("transfer-encoding"))) h->chunked = str_eq_nocase(value, STR("chunked"));
  return true;
}

static enum err take_head(struct str *rest, struct head *ret, struct error *e) {
  struct head h = {.length = -1};
  struct str line;
  if (!take_line(rest, &line) || !str_starts(line, STR("HTTP/1.")) || line.len < 12)
    return kubernetes_bad(e, "it does not speak HTTP/1");
  if (!str_to_i64((struct str){line.ptr + 9, 3}, &h.status)) return kubernetes_bad(e, "it gives no status");
  for (;;) {
    if (!take_line(rest, &line)) return kubernetes_bad(e, "its head is cut off");
    if (line.len == 0) break;
    if (!take_field(line, &h)) return kubernetes_bad(e, "its length is none");
  }
  *ret = h;
  return ERR_OK;
}

static bool take_hex(struct str line, size_t *ret) {
  size_t n = 0, digits = 0;
  for (; digits < line.len && line.ptr[digits] != ';' && line.ptr[digits] != ' '; digits++) {
    char c = line.ptr[digits] | 0x20;
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || digits == 7) return false;
    n = n * 16 + (size_t) (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  *ret = n;
  return digits > 0;
}

/// RFC 9112, 7.1: length in hexadecimal, bytes, and a chunk of nothing at the end.
static enum err take_chunks(struct str rest, struct arena *arena, struct str *ret, struct error *e) {
  char *to = arena_alloc(arena, rest.len);
  struct str line;
  size_t len = 0, chunk;
  if (to == NULL) return arena_err(arena, e);
  for (;;) {
    if (!take_line(&rest, &line) || !take_hex(line, &chunk)) return kubernetes_bad(e, "a chunk of it is cut off");
    if (chunk == 0) break;
    if (rest.len < chunk + 2 || rest.ptr[chunk] != '\r' || rest.ptr[chunk + 1] != '\n')
      return kubernetes_bad(e, "a chunk of it is cut off");
    memcpy(to + len, rest.ptr, chunk);
    len += chunk;
    rest = (struct str){rest.ptr + chunk + 2, rest.len - chunk - 2};
  }
  *ret = (struct str){to, len};
  return ERR_OK;
}

static enum err take_body(struct str rest, const struct head *h, struct arena *arena, struct str *ret, struct error *e) {
  if (h->chunked) return take_chunks(rest, arena, ret, e);
  if (h->length > (int64_t) rest.len) return kubernetes_bad(e, "it is cut off");
  *ret = (struct str){rest.ptr, h->length >= 0 ? (size_t) h->length : rest.len};
  return ERR_OK;
}

static enum err judge_status(int64_t status, const struct kubernetes_matter *m, struct error *e) {
  switch (status) {
  case 200: return ERR_OK;
  case 401:
    return error_set(
        e, ERR_IO,
        "the Kubernetes API does not know the token in %.*s (see dbms.kubernetes.token): has the pod a service account?",
        STR_ARG(m->options->token_path));
  case 403:
    return error_set(
        e, ERR_IO,
        "the Kubernetes API does not let this pod %s of namespace '%.*s': bind its service account to a Role that allows %s",
        m->action, STR_ARG(m->namespace), m->rule);
  default: return error_set(e, ERR_IO, "the Kubernetes API answers with status %lld", (long long) status);
  }
}

enum err kubernetes_take_json(struct str response, const struct kubernetes_matter *m, struct arena *arena, struct value *ret,
                              struct error *e) {
  struct head h;
  struct str body;
  TRY(take_head(&response, &h, e));
  TRY(judge_status(h.status, m, e));
  TRY(take_body(response, &h, arena, &body, e));
  enum err err = json_read(arena, body, ret, NULL);
  if (err == ERR_NOMEM) return error_ensure(e, err);
  if (err != ERR_OK) *ret = V_NULL;
  return ERR_OK;
}

const struct value *kubernetes_field(const struct value *map, const char *key, enum value_type type) {
  const struct value *found = map != NULL && map->type == VALUE_MAP ? value_map_get(*map, str_of(key)) : NULL;
  return found != NULL && found->type == type ? found : NULL;
}
