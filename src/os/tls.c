#include "os/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

struct tls_context {
  SSL_CTX *ssl; // counts its own references: each session holds one
};

struct tls_session {
  SSL *ssl;
  BIO *in, *out;    // memory; owned by `ssl`
  struct buf early; // to be sent once the handshake is complete
  bool broken;
};

static const char *ssl_reason(void) {
  unsigned long code = ERR_peek_error(); // the first is the cause
  const char *text = code == 0 ? NULL : ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
  ERR_clear_error();
  return text != NULL ? text : "the file cannot be read";
}

static int give_password(char *to, int size, int writing UNUSED, void *argument) {
  const char *password = argument;
  if (password == NULL) return -1; // never ask on a terminal
  size_t len = strlen(password);
  if (len > (size_t) size) return -1;
  memcpy(to, password, len);
  return (int) len;
}

static enum err load_key(SSL_CTX *ssl, const struct tls_settings *s, struct error *e) {
  SSL_CTX_set_default_passwd_cb(ssl, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, (void *) s->key_password);
  bool ok = SSL_CTX_use_PrivateKey_file(ssl, s->key_path, SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
  if (!ok) return error_set(e, ERR_INVALID, "private key '%s': %s", s->key_path, ssl_reason());
  if (SSL_CTX_check_private_key(ssl) != 1)
    return error_set(e, ERR_INVALID, "private key '%s' does not belong to certificate '%s'", s->key_path, s->certificate_path);
  return ERR_OK;
}

static enum err load_trusted_file(SSL_CTX *ssl, const char *path, struct error *e) {
  if (SSL_CTX_load_verify_locations(ssl, path, NULL) == 1) return ERR_OK;
  return error_set(e, ERR_INVALID, "trusted certificates '%s': %s", path, ssl_reason());
}

/// Hidden files are not meant: editors and Kubernetes leave some.
static enum err load_trusted_folder(SSL_CTX *ssl, const char *path, DIR *folder, struct error *e) {
  char file[PATH_MAX];
  unsigned n = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    struct stat s;
    if (entry->d_name[0] == '.' || (size_t) snprintf(file, sizeof file, "%s/%s", path, entry->d_name) >= sizeof file) continue;
    if (stat(file, &s) != 0 || !S_ISREG(s.st_mode)) continue;
    TRY(load_trusted_file(ssl, file, e));
    n++;
  }
  return n > 0 ? ERR_OK : error_set(e, ERR_INVALID, "there are no trusted certificates in '%s'", path);
}

static enum err load_trusted(SSL_CTX *ssl, const char *path, struct error *e) {
  DIR *folder = opendir(path);
  if (folder == NULL) return load_trusted_file(ssl, path, e);
  enum err err = load_trusted_folder(ssl, path, folder, e);
  closedir(folder);
  return err;
}

static enum err load_client_policy(SSL_CTX *ssl, const struct tls_settings *s, struct error *e) {
  if (s->client_auth == TLS_CLIENT_NONE) return ERR_OK;
  if (s->trusted_path == NULL) return error_set(e, ERR_INVALID, "client certificates are asked for, but no authority is trusted");
  TRY(load_trusted(ssl, s->trusted_path, e));
  int mode = SSL_VERIFY_PEER | (s->client_auth == TLS_CLIENT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_CTX_set_verify(ssl, mode, NULL);
  return ERR_OK;
}

static void set_policy(SSL_CTX *ssl) {
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static enum err context_fill(SSL_CTX *ssl, const struct tls_settings *s, struct error *e) {
  SSL_CTX_set_session_id_context(ssl, (const unsigned char *) "quiver", 6);
  if (SSL_CTX_use_certificate_chain_file(ssl, s->certificate_path) != 1)
    return error_set(e, ERR_INVALID, "certificate '%s': %s", s->certificate_path, ssl_reason());
  TRY(load_key(ssl, s, e));
  if (s->ciphers != NULL && SSL_CTX_set_cipher_list(ssl, s->ciphers) != 1)
    return error_set(e, ERR_INVALID, "no usable cipher in '%s'", s->ciphers);
  return load_client_policy(ssl, s, e);
}

/// One that has neither certificate nor authorities yet.
static enum err context_new(struct tls_context **ret, struct error *e) {
  struct tls_context *tls = mem_zalloc(sizeof *tls);
  if (tls != NULL) tls->ssl = SSL_CTX_new(TLS_method());
  if (tls == NULL || tls->ssl == NULL) {
    mem_free(tls);
    return error_set(e, ERR_NOMEM, "no memory for TLS");
  }
  set_policy(tls->ssl);
  *ret = tls;
  return ERR_OK;
}

enum err tls_context_new(const struct tls_settings *settings, struct tls_context **ret, struct error *e) {
  struct tls_context *tls;
  if (settings->certificate_path == NULL || settings->key_path == NULL)
    return error_set(e, ERR_INVALID, "TLS needs a certificate and a private key");
  TRY(context_new(&tls, e));
  enum err err = context_fill(tls->ssl, settings, e);
  if (err == ERR_OK)
    *ret = tls;
  else
    tls_context_free(tls);
  return err;
}

enum err tls_context_new_trusting(const char *trusted_path, struct tls_context **ret, struct error *e) {
  struct tls_context *tls;
  TRY(context_new(&tls, e));
  enum err err = load_trusted(tls->ssl, trusted_path, e);
  if (err == ERR_OK)
    *ret = tls;
  else
    tls_context_free(tls);
  return err;
}

void tls_context_free(struct tls_context *tls) {
  if (tls == NULL) return;
  SSL_CTX_free(tls->ssl);
  mem_free(tls);
}

static bool session_open(struct tls_session *s, struct tls_context *tls) {
  s->ssl = SSL_new(tls->ssl);
  s->in = BIO_new(BIO_s_mem());
  s->out = BIO_new(BIO_s_mem());
  if (s->ssl == NULL || s->in == NULL || s->out == NULL) {
    BIO_free(s->in);
    BIO_free(s->out);
    return false;
  }
  BIO_set_mem_eof_return(s->in, -1);
  SSL_set_bio(s->ssl, s->in, s->out);
  return true;
}

static bool expect_name(SSL *ssl, const char *name) {
  unsigned char address[sizeof(struct in6_addr)];
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
  return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static enum err session_new(struct tls_context *tls, struct tls_session **ret, struct error *e) {
  struct tls_session *s = mem_zalloc(sizeof *s);
  if (s == NULL || !session_open(s, tls)) {
    tls_session_free(s);
    return error_set(e, ERR_NOMEM, "no memory for TLS");
  }
  *ret = s;
  return ERR_OK;
}

enum err tls_session_new(struct tls_context *tls, struct tls_session **ret, struct error *e) {
  struct tls_session *s = NULL;
  TRY(session_new(tls, &s, e));
  SSL_set_accept_state(s->ssl);
  *ret = s;
  return ERR_OK;
}

enum err tls_session_connect(struct tls_context *tls, const char *name, struct tls_session **ret, struct error *e) {
  struct tls_session *s = NULL;
  TRY(session_new(tls, &s, e));
  SSL_set_connect_state(s->ssl);
  SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
  if (name != NULL && !expect_name(s->ssl, name)) {
    tls_session_free(s);
    return error_set(e, ERR_INVALID, "TLS: '%s' is neither a name nor an address", name);
  }
  *ret = s;
  return ERR_OK;
}

void tls_session_free(struct tls_session *s) {
  if (s == NULL) return;
  SSL_free(s->ssl); // with both BIOs
  buf_done(&s->early);
  mem_free(s);
}

bool tls_session_is_established(const struct tls_session *s) {
  return SSL_is_init_finished(s->ssl);
}

/// What the engine wants to send.
static enum err take_output(struct tls_session *s, struct buf *encrypted) {
  char *data;
  long len = BIO_get_mem_data(s->out, &data);
  if (len <= 0) return ERR_OK;
  TRY(buf_append(encrypted, data, (size_t) len));
  (void) BIO_reset(s->out);
  return ERR_OK;
}

static enum err session_broken(struct tls_session *s, struct error *e) {
  s->broken = true;
  long verified = SSL_get_verify_result(s->ssl);
  const char *reason = ssl_reason(); // clears the engine's list either way
  if (verified != X509_V_OK)
    return error_set(e, ERR_IO,
                     "TLS: the other end's certificate is not taken: %s. It needs one that an authority trusted here has signed, valid "
                     "today, for the name that it is reached by",
                     X509_verify_cert_error_string(verified));
  const char *alert = strstr(reason, "alert ");
  if (alert != NULL)
    return error_set(e, ERR_IO, "TLS: the other end breaks off: %s. See its log; each end must trust the authority of the other one's certificate",
                     alert + strlen("alert "));
  bool plain = strstr(reason, "wrong version number") != NULL || strstr(reason, "http request") != NULL;
  return error_set(e, ERR_IO, "TLS: %s%s", reason, plain ? ": the other end does not speak TLS here, switch it on for both or for none" : "");
}

/// Decrypts all that is complete; ERR_OK where more bytes are needed.
static enum err take_plain(struct tls_session *s, struct buf *plain, struct error *e) {
  for (;;) {
    if (buf_reserve(plain, SSL3_RT_MAX_PLAIN_LENGTH) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for TLS");
    int got = SSL_read(s->ssl, plain->data + plain->len, SSL3_RT_MAX_PLAIN_LENGTH);
    if (got > 0) {
      plain->len += (size_t) got;
      continue;
    }
    switch (SSL_get_error(s->ssl, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return ERR_OK;
    case SSL_ERROR_ZERO_RETURN: return error_set(e, ERR_CLOSED, "the peer ended TLS");
    default: return session_broken(s, e);
    }
  }
}

static enum err write_plain(struct tls_session *s, const char *bytes, size_t len, struct error *e) {
  while (len > 0) {
    int part = (int) MIN(len, (size_t) INT_MAX);
    int put = SSL_write(s->ssl, bytes, part);
    if (put <= 0) return session_broken(s, e); // a memory BIO never makes it wait
    bytes += put;
    len -= (size_t) put;
  }
  return ERR_OK;
}

static enum err send_early(struct tls_session *s, struct error *e) {
  if (s->early.len == 0 || !tls_session_is_established(s)) return ERR_OK;
  TRY(write_plain(s, s->early.data, s->early.len, e));
  buf_done(&s->early);
  return ERR_OK;
}

enum err tls_session_receive(struct tls_session *s, const void *bytes, size_t len, struct buf *plain, struct buf *encrypted,
                             struct error *e) {
  if (s->broken) return error_set(e, ERR_IO, "TLS: the session failed before");
  ERR_clear_error();
  if (len > INT_MAX || (len > 0 && BIO_write(s->in, bytes, (int) len) != (int) len))
    return error_set(e, ERR_NOMEM, "no memory for TLS");
  enum err err = take_plain(s, plain, e);
  if (err == ERR_OK) err = send_early(s, e);
  enum err sending = take_output(s, encrypted);
  return err != ERR_OK ? err : sending;
}

enum err tls_session_send(struct tls_session *s, const void *bytes, size_t len, struct buf *encrypted, struct error *e) {
  if (s->broken) return error_set(e, ERR_IO, "TLS: the session failed before");
  if (!tls_session_is_established(s)) return buf_append(&s->early, bytes, len);
  ERR_clear_error();
  TRY(write_plain(s, bytes, len, e));
  return take_output(s, encrypted);
}

void tls_session_end(struct tls_session *s, struct buf *encrypted) {
  if (s->broken || !tls_session_is_established(s)) return;
  SSL_shutdown(s->ssl);
  if (take_output(s, encrypted) != ERR_OK) s->broken = true; // without the alert the peer sees a cut: allowed
  ERR_clear_error();
}
