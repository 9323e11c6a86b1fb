#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "os/tls.h"
#include "os/tls_test.h"

static char directory[] = "/tmp/quiver-tls-XXXXXX";
static char cert_path[64], key_path[64];

static struct tls_settings own_certificate(void) {
  if (cert_path[0] == '\0') {
    assert_non_null(mkdtemp(directory));
    assert_true(tls_test_make_certificate(directory));
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", directory);
    snprintf(key_path, sizeof key_path, "%s/key.pem", directory);
  }
  return (struct tls_settings){.certificate_path = cert_path, .key_path = key_path};
}

struct client {
  SSL_CTX *context;
  SSL *ssl;
  BIO *in, *out;
};

static void client_open(struct client *c) {
  c->context = SSL_CTX_new(TLS_client_method());
  c->ssl = SSL_new(c->context);
  c->in = BIO_new(BIO_s_mem());
  c->out = BIO_new(BIO_s_mem());
  SSL_set_bio(c->ssl, c->in, c->out);
  SSL_set_connect_state(c->ssl);
}

static void client_close(struct client *c) {
  SSL_free(c->ssl);
  SSL_CTX_free(c->context);
}

/// Moves bytes both ways, `step` bytes at a time towards the server, until nothing moves any more.
static void exchange(struct client *c, struct tls_session *s, struct buf *plain, size_t step) {
  for (int quiet = 0; quiet < 2;) {
    char bytes[16384];
    SSL_do_handshake(c->ssl);
    int got = BIO_read(c->out, bytes, (int) MIN(step, sizeof bytes));
    CLEANUP(buf_done) struct buf answer = BUF_INIT;
    if (got > 0) assert_ok(tls_session_receive(s, bytes, (size_t) got, plain, &answer, NULL));
    if (answer.len > 0) BIO_write(c->in, answer.data, (int) answer.len);
    quiet = got > 0 || answer.len > 0 ? 0 : quiet + 1;
  }
}

static void talk(size_t step) {
  struct tls_settings settings = own_certificate();
  struct tls_context *tls;
  struct error e = ERROR_INIT;
  assert_ok(tls_context_new(&settings, &tls, &e));
  struct tls_session *s;
  assert_ok(tls_session_new(tls, &s, &e));
  struct client c;
  client_open(&c);
  CLEANUP(buf_done) struct buf plain = BUF_INIT, encrypted = BUF_INIT;
  assert_ok(tls_session_send(s, "early", 5, &encrypted, &e));
  exchange(&c, s, &plain, step);
  assert_true(tls_session_is_established(s));
  char got[16];
  assert_int_equal(SSL_read(c.ssl, got, sizeof got), 5);
  assert_memory_equal(got, "early", 5);
  assert_int_equal(SSL_write(c.ssl, "question", 8), 8);
  exchange(&c, s, &plain, step);
  assert_str(buf_str(&plain), "question");
  assert_ok(tls_session_send(s, "answer", 6, &encrypted, &e));
  tls_session_end(s, &encrypted);
  BIO_write(c.in, encrypted.data, (int) encrypted.len);
  assert_int_equal(SSL_read(c.ssl, got, sizeof got), 6);
  assert_int_equal(SSL_read(c.ssl, got, sizeof got), 0);
  assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN);
  client_close(&c);
  tls_session_free(s);
  tls_context_free(tls);
}

TEST(a_client_and_a_session_talk_however_the_bytes_are_cut) {
  talk(1);
  talk(7);
  talk(16384);
}

TEST(bytes_that_are_no_tls_end_the_session_with_an_alert) {
  struct tls_settings settings = own_certificate();
  struct tls_context *tls;
  assert_ok(tls_context_new(&settings, &tls, NULL));
  struct tls_session *s;
  assert_ok(tls_session_new(tls, &s, NULL));
  tls_context_free(tls); // the session holds what it needs
  CLEANUP(buf_done) struct buf plain = BUF_INIT, encrypted = BUF_INIT;
  struct error e = ERROR_INIT;
  assert_int_equal(tls_session_receive(s, "\x16\x03\x01\x00\x05hello", 10, &plain, &encrypted, &e), ERR_IO);
  assert_true(encrypted.len > 0);
  assert_int_equal(plain.len, 0);
  assert_int_equal(tls_session_receive(s, "x", 1, &plain, &encrypted, &e), ERR_IO);
  tls_session_free(s);
}

TEST(a_context_says_which_file_is_wrong) {
  struct tls_settings settings = own_certificate();
  settings.key_path = "/nonexistent/key.pem";
  struct tls_context *tls;
  struct error e = ERROR_INIT;
  assert_int_equal(tls_context_new(&settings, &tls, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "/nonexistent/key.pem"));
  settings.key_path = settings.certificate_path;
  assert_int_equal(tls_context_new(&settings, &tls, &e), ERR_INVALID);
  assert_int_equal(tls_context_new(&(struct tls_settings){0}, &tls, &e), ERR_INVALID);
  settings = own_certificate();
  settings.client_auth = TLS_CLIENT_REQUIRED;
  assert_int_equal(tls_context_new(&settings, &tls, &e), ERR_INVALID);
}

TEST(zz_the_files_are_removed) {
  remove(cert_path);
  remove(key_path);
  remove(directory);
}

TESTS(T(a_client_and_a_session_talk_however_the_bytes_are_cut), T(bytes_that_are_no_tls_end_the_session_with_an_alert),
      T(a_context_says_which_file_is_wrong), T(zz_the_files_are_removed))
