#include "cli/connection.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "os/net.h"
#include "wire/packstream.h"

enum { BOLT_PORT = 7687, MESSAGE_BYTES_MAX = 1 << 30, CHUNK_BYTES_MAX = 65535 };

struct connection {
  int socket;
  SSL_CTX *tls_context;
  SSL *tls; // NULL: plain
  struct buf out, message;
  uint8_t major, minor;
  char address[300];
  char server[128];
  volatile sig_atomic_t *interrupted; // may be NULL
  unsigned resets;                    // sent by interruptions, not answered yet
};

// ---- bytes ----

static enum err lost(struct connection *c, struct error *e) {
  return error_set(e, ERR_IO, "The connection to %s was lost.", c->address);
}

static enum err send_all(struct connection *c, const char *at, size_t len, struct error *e) {
  while (len > 0) {
    ssize_t n = c->tls != NULL ? SSL_write(c->tls, at, (int) MIN(len, 1 << 20)) : write(c->socket, at, len);
    if (n < 0 && c->tls == NULL && errno == EINTR) continue;
    if (n <= 0) return lost(c, e);
    at += n;
    len -= (size_t) n;
  }
  return ERR_OK;
}

static enum err obey_interruption(struct connection *c, struct error *e) {
  static const char reset[] = {0, 2, (char) 0xB0, MESSAGE_RESET, 0, 0};
  if (c->interrupted == NULL || !*c->interrupted) return ERR_OK;
  *c->interrupted = 0;
  c->resets++;
  return send_all(c, reset, sizeof reset, e);
}

/// Bytes that have come; 0: a signal came instead; negative: the end.
static ssize_t receive_some(struct connection *c, char *to, size_t len) {
  errno = 0;
  ssize_t n = c->tls != NULL ? SSL_read(c->tls, to, (int) MIN(len, 1 << 20)) : read(c->socket, to, len);
  if (n > 0) return n;
  if (c->tls != NULL && SSL_get_error(c->tls, (int) n) == SSL_ERROR_WANT_READ) return 0;
  return n < 0 && errno == EINTR ? 0 : -1;
}

static enum err receive_all(struct connection *c, void *to, size_t len, struct error *e) {
  char *at = to;
  while (len > 0) {
    ssize_t n = receive_some(c, at, len);
    if (n == 0) {
      TRY(obey_interruption(c, e));
      continue;
    }
    if (n < 0) return lost(c, e);
    at += n;
    len -= (size_t) n;
  }
  return ERR_OK;
}

static enum err flush(struct connection *c, struct error *e) {
  enum err err = send_all(c, c->out.data, c->out.len, e);
  buf_clear(&c->out);
  return err;
}

// ---- connecting ----

static enum err connect_socket(struct connection *c, struct str host, uint16_t port, struct error *e) {
  char name[256], service[8];
  snprintf(name, sizeof name, "%.*s", STR_ARG(host));
  snprintf(service, sizeof service, "%u", port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  bool here = host.len == 0 || str_eq_nocase(host, STR("localhost")); // without asking anyone: RFC 6761, 6.3
  int failed = getaddrinfo(here ? NULL : name, service, &hints, &found);
  if (failed != 0) return error_set(e, ERR_IO, "Cannot look up %s: %s", name, gai_strerror(failed));
  int why = ECONNREFUSED;
  for (struct addrinfo *at = found; at != NULL && c->socket < 0; at = at->ai_next) {
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
      c->socket = fd;
      break;
    }
    why = errno;
    if (fd >= 0) close(fd);
  }
  freeaddrinfo(found);
  if (c->socket >= 0) return ERR_OK;
  return error_set(e, ERR_IO, "Unable to connect to %s, ensure the database is running and that there is a working network connection to it: %s", c->address,
                   strerror(why));
}

static enum err start_tls(struct connection *c, struct str host, bool verify, struct error *e) {
  char name[256];
  snprintf(name, sizeof name, "%.*s", STR_ARG(host));
  c->tls_context = SSL_CTX_new(TLS_client_method());
  c->tls = c->tls_context != NULL ? SSL_new(c->tls_context) : NULL;
  if (c->tls == NULL) return error_set(e, ERR_NOMEM, "no memory for TLS");
  SSL_set_tlsext_host_name(c->tls, name);
  if (verify) {
    SSL_CTX_set_default_verify_paths(c->tls_context);
    SSL_set1_host(c->tls, name);
    SSL_set_verify(c->tls, SSL_VERIFY_PEER, NULL);
  }
  SSL_set_fd(c->tls, c->socket);
  if (SSL_connect(c->tls) == 1) return ERR_OK;
  long verified = SSL_get_verify_result(c->tls);
  bool is_answered = SSL_get0_peer_certificate(c->tls) != NULL;
  return error_set(e, ERR_IO, "TLS with %s failed: %s%s", c->address,
                   verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                         : ERR_reason_error_string(ERR_peek_last_error()),
                   is_answered ? "" : ". If the server has no TLS, use bolt:// or neo4j://");
}

/// Takes "scheme://" off the front. What it says of encryption: +s with, +ssc without looking at the certificate.
static enum err take_scheme(struct str *address, bool *ret_encrypted, bool *ret_verify, struct error *e) {
  static const struct {
    const char *name;
    bool encrypted, verify;
  } schemes[] = {{"bolt", false, false}, {"neo4j", false, false}, {"bolt+s", true, true}, {"neo4j+s", true, true}, {"bolt+ssc", true, false}, {"neo4j+ssc", true, false}};
  *ret_encrypted = *ret_verify = false;
  int64_t at = str_find(*address, STR("://"));
  if (at < 0) return ERR_OK;
  struct str scheme = {address->ptr, (size_t) at};
  *address = (struct str){address->ptr + at + 3, address->len - (size_t) at - 3};
  for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
    if (!str_eqz(scheme, schemes[i].name)) continue;
    *ret_encrypted = schemes[i].encrypted;
    *ret_verify = schemes[i].verify;
    return ERR_OK;
  }
  return error_set(e, ERR_INVALID, "'%.*s' is not one of bolt, neo4j, bolt+s, neo4j+s, bolt+ssc, neo4j+ssc.", STR_ARG(scheme));
}

static enum err shake_hands(struct connection *c, struct error *e) {
  static const uint8_t offer[20] = {0x60, 0x60, 0xB0, 0x17, 0, 3, 4, 5, 0, 0, 4, 4};
  uint8_t answer[4];
  TRY(send_all(c, (const char *) offer, sizeof offer, e));
  if (receive_all(c, answer, sizeof answer, e) != ERR_OK)
    return error_set(e, ERR_IO,
                     "%s closed the connection instead of answering: is it the address of a Bolt port, and is TLS wanted there "
                     "(bolt+s://)?",
                     c->address);
  if (answer[3] == 0) return error_set(e, ERR_PROTOCOL, "%s does not speak a version of Bolt that this shell knows (4.4, 5.1 to 5.4).", c->address);
  if (answer[3] == 'P') return error_set(e, ERR_PROTOCOL, "%s speaks HTTP: give the address of its Bolt port.", c->address);
  c->major = answer[3];
  c->minor = answer[2];
  return ERR_OK;
}

// ---- messages ----

enum err connection_send(struct connection *c, uint8_t tag, uint32_t count, struct str fields, struct error *e) {
  uint8_t head[2] = {(uint8_t) (0xB0 | count), tag};
  size_t total = sizeof head + fields.len;
  for (size_t done = 0; done < total;) {
    size_t part = MIN(total - done, CHUNK_BYTES_MAX);
    uint8_t size[2];
    put_u16_be(size, (uint16_t) part);
    TRY(buf_append(&c->out, size, 2));
    size_t of_head = done < sizeof head ? sizeof head - done : 0;
    TRY(buf_append(&c->out, head + sizeof head - of_head, of_head));
    TRY(buf_append(&c->out, fields.ptr + (done + of_head - sizeof head), part - of_head));
    done += part;
  }
  return buf_append(&c->out, "\0\0", 2);
}

enum err connection_receive(struct connection *c, struct arena *a, uint8_t *ret_tag, struct packed *ret, struct error *e) {
  TRY(flush(c, e));
  buf_clear(&c->message);
  for (;;) {
    uint8_t head[2];
    TRY(receive_all(c, head, 2, e));
    uint16_t size = get_u16_be(head);
    if (size == 0 && c->message.len == 0) continue; // a NOOP
    if (size == 0) break;
    if (c->message.len + size > MESSAGE_BYTES_MAX) return error_set(e, ERR_PROTOCOL, "The server sent a message of more than %d bytes.", MESSAGE_BYTES_MAX);
    TRY(buf_reserve(&c->message, size));
    TRY(receive_all(c, c->message.data + c->message.len, size, e));
    c->message.len += size;
  }
  struct str rest = arena_str(a, buf_str(&c->message));
  if (rest.ptr == NULL) return arena_err(a, e);
  struct packed message;
  TRY(packed_read(a, &rest, &message, e));
  if (message.kind != PACKED_STRUCT) return error_set(e, ERR_PROTOCOL, "The server sent something that is no message.");
  *ret_tag = message.tag;
  *ret = message.len > 0 ? message.items[0] : (struct packed){0};
  return ERR_OK;
}

enum err connection_failure(struct arena *a, const struct packed *failure, struct str *ret_code, struct error *e) {
  struct str code = packed_get_str(failure, "code"), message = packed_get_str(failure, "message");
  struct str copy = arena_str(a, code);
  if (ret_code != NULL && copy.ptr != NULL) *ret_code = copy;
  bool login = str_eqz(code, "Neo.ClientError.Security.Unauthorized");
  return error_set(e, login ? ERR_UNAUTHORIZED : ERR_EXECUTION, "%.*s", STR_ARG(message));
}

void connection_watch(struct connection *c, volatile sig_atomic_t *interrupted) {
  c->interrupted = interrupted;
}

enum err connection_settle(struct connection *c, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  enum err err = ERR_OK;
  while (err == ERR_OK && c->resets > 0) {
    uint8_t tag;
    struct packed ignored;
    err = connection_receive(c, &a, &tag, &ignored, e);
    c->resets -= err == ERR_OK && tag == MESSAGE_SUCCESS;
    arena_reset(&a);
  }
  arena_done(&a);
  return err;
}

enum err connection_reset(struct connection *c, struct error *e) {
  TRY(connection_send(c, MESSAGE_RESET, 0, STR(""), e));
  c->resets++;
  return connection_settle(c, e);
}

// ---- logging in ----

static enum err write_text(struct buf *b, const char *key, struct str value) {
  TRY(packstream_write_str(b, str_of(key)));
  return packstream_write_str(b, value);
}

static enum err write_auth(struct buf *b, const struct connection_settings *s) {
  TRY(write_text(b, "scheme", s->user.len > 0 ? STR("basic") : STR("none")));
  TRY(write_text(b, "principal", s->user));
  return write_text(b, "credentials", s->password);
}

static enum err write_agent(struct buf *b, struct connection *c, bool with_auth) {
  bool has_agent = c->major == 5 && c->minor >= 3;
  TRY(packstream_write_map(b, 1u + (with_auth ? 3u : 0u) + (has_agent ? 1u : 0u)));
  TRY(write_text(b, "user_agent", STR("quiver-shell/" QUIVER_VERSION)));
  if (!has_agent) return ERR_OK;
  TRY(packstream_write_str(b, STR("bolt_agent")));
  TRY(packstream_write_map(b, 1));
  return write_text(b, "product", STR("quiver-shell/" QUIVER_VERSION));
}

static enum err expect_success(struct connection *c, struct arena *a, struct packed *ret, struct error *e) {
  uint8_t tag;
  TRY(connection_receive(c, a, &tag, ret, e));
  return tag == MESSAGE_SUCCESS ? ERR_OK : connection_failure(a, ret, NULL, e);
}

static enum err log_in(struct connection *c, const struct connection_settings *s, struct arena *a, bool *ret_expired, struct error *e) {
  CLEANUP(buf_done) struct buf fields = BUF_INIT;
  bool logon = c->major == 5;
  struct packed answer;
  TRY(write_agent(&fields, c, !logon));
  if (!logon) TRY(write_auth(&fields, s));
  TRY(connection_send(c, 0x01, 1, buf_str(&fields), e));
  TRY(expect_success(c, a, &answer, e));
  snprintf(c->server, sizeof c->server, "%.*s", STR_ARG(packed_get_str(&answer, "server")));
  if (logon) {
    buf_clear(&fields);
    TRY(packstream_write_map(&fields, 3));
    TRY(write_auth(&fields, s));
    TRY(connection_send(c, 0x6A, 1, buf_str(&fields), e));
    TRY(expect_success(c, a, &answer, e));
  }
  const struct packed *expired = packed_get(&answer, "credentials_expired");
  *ret_expired = expired != NULL && expired->kind == PACKED_BOOL && expired->b;
  return ERR_OK;
}

static enum err open_all(struct connection *c, const struct connection_settings *s, bool *ret_expired, struct error *e) {
  struct str address = s->address, host;
  bool encrypted, verify;
  uint16_t port;
  TRY(take_scheme(&address, &encrypted, &verify, e));
  if (s->encryption != CONNECTION_BY_SCHEME && encrypted != (s->encryption == CONNECTION_ENCRYPTED)) {
    encrypted = s->encryption == CONNECTION_ENCRYPTED;
    verify = encrypted;
  }
  TRY(net_address_split(address, BOLT_PORT, &host, &port, e));
  snprintf(c->address, sizeof c->address, "%.*s:%u", STR_ARG(host), port);
  TRY(connect_socket(c, host, port, e));
  if (encrypted) TRY(start_tls(c, host, verify, e));
  TRY(shake_hands(c, e));
  struct arena a;
  arena_init(&a, NULL);
  enum err err = log_in(c, s, &a, ret_expired, e);
  arena_done(&a);
  return err;
}

enum err connection_open(const struct connection_settings *settings, struct connection **ret, bool *ret_expired, struct error *e) {
  struct connection *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for a connection");
  c->socket = -1;
  enum err err = open_all(c, settings, ret_expired, e);
  if (err != ERR_OK) {
    connection_close(c);
    return error_ensure(e, err);
  }
  *ret = c;
  return ERR_OK;
}

void connection_close(struct connection *c) {
  if (c == NULL) return;
  if (c->tls != NULL) SSL_shutdown(c->tls);
  SSL_free(c->tls);
  SSL_CTX_free(c->tls_context);
  if (c->socket >= 0) close(c->socket);
  buf_done(&c->out);
  buf_done(&c->message);
  mem_free(c);
}

struct str connection_address(const struct connection *c) {
  return str_of(c->address);
}

struct str connection_server(const struct connection *c) {
  return str_of(c->server);
}
