// TLS over OpenSSL 3, for both ends. The context (certificate, key, policy) is immutable and may be shared by all threads; a
// session is a filter without I/O: encrypted bytes in, plain bytes out, and the other way round, so tests need no sockets.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"

enum tls_client_auth { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRED };

struct tls_settings {
  const char *certificate_path; // PEM, the server's certificate first, then its chain
  const char *key_path;         // PEM
  const char *key_password;     // NULL: the key is not encrypted
  const char *trusted_path;     // PEM certificates of authorities for the other end's: a file, or a folder of files; NULL: none
  enum tls_client_auth client_auth;
  const char *ciphers; // OpenSSL's list for TLS 1.2; NULL: its default
};

struct tls_context;
struct tls_session;

/// Loads and checks the files; TLS 1.2 and 1.3. ERR_INVALID names the file and what is wrong with it.
enum err tls_context_new(const struct tls_settings *settings, struct tls_context **ret, struct error *e) NODISCARD;

/// For the end that says hello and shows no certificate: whoever is connected to must have one that an authority in the file
/// `trusted_path` (PEM) has signed. ERR_INVALID names the file; ERR_NOMEM.
enum err tls_context_new_trusting(const char *trusted_path, struct tls_context **ret, struct error *e) NODISCARD;

/// Gives up this reference; sessions hold their own. NULL is fine.
void tls_context_free(struct tls_context *tls);

/// The end that waits for a hello.
enum err tls_session_new(struct tls_context *tls, struct tls_session **ret, struct error *e) NODISCARD;

/// The end that says hello: tls_session_receive with no bytes begins. The peer must show a certificate that an authority of
/// `trusted_path` has signed, for `name` (DNS name or IP address) unless that is NULL.
enum err tls_session_connect(struct tls_context *tls, const char *name, struct tls_session **ret, struct error *e) NODISCARD;
void tls_session_free(struct tls_session *s);

/// Takes bytes from the peer; appends what they decrypt to `plain` and what must be answered to `encrypted`.
/// ERR_CLOSED when the peer ended TLS orderly; ERR_IO when the bytes are not valid TLS (send `encrypted` all the same: it holds
/// the alert); ERR_NOMEM.
enum err tls_session_receive(struct tls_session *s, const void *bytes, size_t len, struct buf *plain, struct buf *encrypted,
                             struct error *e) NODISCARD;

/// Encrypts `len` bytes into `encrypted`. Before the handshake is complete they are kept and go out behind it.
enum err tls_session_send(struct tls_session *s, const void *bytes, size_t len, struct buf *encrypted, struct error *e) NODISCARD;

/// Appends the closing alert.
void tls_session_end(struct tls_session *s, struct buf *encrypted);

bool tls_session_is_established(const struct tls_session *s);
