// The request to the Kubernetes API and what its response says: HTTP/1.1 (RFC 9112) as far as one GET needs it, and a
// ServiceList.
#include <string.h>

#include "cluster/kubernetes.h"
#include "wire/json.h"

enum { NAMESPACE_BYTES_MAX = 63, TOKEN_BYTES_MAX = 16384, NAME_BYTES_MAX = 253 };

// ---- request ----

/// A DNS label (RFC 1123): what namespaces and services are called.
static bool is_label(struct str s, size_t max) {
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

static enum err put_escaped(struct buf *to, struct str s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] != '\0' && is_unreserved(s.ptr[i]))
      TRY(buf_append_byte(to, (uint8_t) s.ptr[i]));
    else
      TRY(buf_printf(to, "%%%02X", (uint8_t) s.ptr[i]));
  }
  return ERR_OK;
}

enum err kubernetes_request(struct buf *to, const struct kubernetes_options *options, struct str namespace, struct str token,
                            struct error *e) {
  if (!is_label(namespace, NAMESPACE_BYTES_MAX))
    return error_set(e, ERR_INVALID, "'%.*s' (from %.*s, see dbms.kubernetes.namespace) is no name of a Kubernetes namespace",
                     STR_ARG(namespace), STR_ARG(options->namespace_path));
  if (!is_token(token))
    return error_set(e, ERR_INVALID, "what is in %.*s (see dbms.kubernetes.token) is no token", STR_ARG(options->token_path));
  enum err err = buf_printf(to, "GET /api/v1/namespaces/%.*s/services?labelSelector=", STR_ARG(namespace));
  if (err == ERR_OK) err = put_escaped(to, options->label_selector);
  if (err == ERR_OK)
    err = buf_printf(
        to, " HTTP/1.1\r\nHost: %.*s\r\nAuthorization: Bearer %.*s\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
        STR_ARG(options->address), STR_ARG(token));
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

// ---- response: HTTP ----

static enum err bad(struct error *e, const char *what) {
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
  if (!take_line(rest, &line) || !str_starts(line, STR("HTTP/1.")) || line.len < 12) return bad(e, "it does not speak HTTP/1");
  if (!str_to_i64((struct str){line.ptr + 9, 3}, &h.status)) return bad(e, "it gives no status");
  for (;;) {
    if (!take_line(rest, &line)) return bad(e, "its head is cut off");
    if (line.len == 0) break;
    if (!take_field(line, &h)) return bad(e, "its length is none");
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
    if (!take_line(&rest, &line) || !take_hex(line, &chunk)) return bad(e, "a chunk of it is cut off");
    if (chunk == 0) break;
    if (rest.len < chunk + 2 || rest.ptr[chunk] != '\r' || rest.ptr[chunk + 1] != '\n') return bad(e, "a chunk of it is cut off");
    memcpy(to + len, rest.ptr, chunk);
    len += chunk;
    rest = (struct str){rest.ptr + chunk + 2, rest.len - chunk - 2};
  }
  *ret = (struct str){to, len};
  return ERR_OK;
}

static enum err take_body(struct str rest, const struct head *h, struct arena *arena, struct str *ret, struct error *e) {
  if (h->chunked) return take_chunks(rest, arena, ret, e);
  if (h->length > (int64_t) rest.len) return bad(e, "it is cut off");
  *ret = (struct str){rest.ptr, h->length >= 0 ? (size_t) h->length : rest.len};
  return ERR_OK;
}

static enum err judge_status(int64_t status, const struct kubernetes_options *o, struct str namespace, struct error *e) {
  switch (status) {
  case 200: return ERR_OK;
  case 401:
    return error_set(
        e, ERR_IO,
        "the Kubernetes API does not know the token in %.*s (see dbms.kubernetes.token): has the pod a service account?",
        STR_ARG(o->token_path));
  case 403:
    return error_set(
        e, ERR_IO,
        "the Kubernetes API does not let this pod list services of namespace '%.*s': bind its service account to a Role that "
        "allows get, list and watch on services",
        STR_ARG(namespace));
  default: return error_set(e, ERR_IO, "the Kubernetes API answers with status %lld", (long long) status);
  }
}

// ---- response: services ----

static const struct value *field(const struct value *map, const char *key, enum value_type type) {
  const struct value *found = map != NULL && map->type == VALUE_MAP ? value_map_get(*map, str_of(key)) : NULL;
  return found != NULL && found->type == type ? found : NULL;
}

/// The number of the port of that name, 0 if it has none.
static int64_t port_of(const struct value *service, struct str port_name) {
  const struct value *ports = field(field(service, "spec", VALUE_MAP), "ports", VALUE_LIST);
  for (uint32_t i = 0; ports != NULL && i < ports->len; i++) {
    const struct value *name = field(&ports->items[i], "name", VALUE_STRING), *port = field(&ports->items[i], "port", VALUE_INT);
    if (name != NULL && port != NULL && str_eq(v_text(*name), port_name) && port->i > 0 && port->i <= UINT16_MAX) return port->i;
  }
  return 0;
}

static enum err take_service(const struct value *service, const struct kubernetes_options *o, struct str namespace,
                             struct arena *arena, struct str *to, size_t *count, struct error *e) {
  const struct value *name = field(field(service, "metadata", VALUE_MAP), "name", VALUE_STRING);
  int64_t port = port_of(service, o->service_port_name);
  if (name == NULL || !is_label(v_text(*name), NAME_BYTES_MAX) || port == 0 || *count == KUBERNETES_SERVICES_MAX) return ERR_OK;
  struct str address = arena_printf(arena, "%.*s.%.*s.svc.%.*s:%lld", STR_ARG(v_text(*name)), STR_ARG(namespace),
                                    STR_ARG(o->cluster_domain), (long long) port);
  if (address.ptr == NULL) return arena_err(arena, e);
  to[(*count)++] = address;
  return ERR_OK;
}

static enum err take_services(struct str body, const struct kubernetes_options *o, struct str namespace, struct arena *arena,
                              const struct str **ret, size_t *ret_count, struct error *e) {
  struct value list;
  size_t count = 0;
  enum err err = json_read(arena, body, &list, NULL);
  if (err == ERR_NOMEM) return error_ensure(e, err);
  const struct value *items = err == ERR_OK ? field(&list, "items", VALUE_LIST) : NULL;
  if (items == NULL) return bad(e, "it lists no services");
  struct str *addresses = arena_array(arena, KUBERNETES_SERVICES_MAX, sizeof *addresses);
  if (addresses == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < items->len; i++) TRY(take_service(&items->items[i], o, namespace, arena, addresses, &count, e));
  if (count == 0)
    return error_set(
        e, ERR_IO,
        "of %u services in namespace '%.*s' with label '%.*s' (dbms.kubernetes.label_selector) none has a port called '%.*s' "
        "(dbms.kubernetes.service_port_name)",
        items->len, STR_ARG(namespace), STR_ARG(o->label_selector), STR_ARG(o->service_port_name));
  *ret = addresses;
  *ret_count = count;
  return ERR_OK;
}

enum err kubernetes_response(struct str response, const struct kubernetes_options *options, struct str namespace,
                             struct arena *arena, const struct str **ret_addresses, size_t *ret_count, struct error *e) {
  struct head h;
  struct str body;
  TRY(take_head(&response, &h, e));
  TRY(judge_status(h.status, options, namespace, e));
  TRY(take_body(response, &h, arena, &body, e));
  return take_services(body, options, namespace, arena, ret_addresses, ret_count, e);
}
