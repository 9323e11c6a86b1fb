#include "os/tls_test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static X509 *certificate_new(EVP_PKEY *key) {
  X509 *x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
  X509_set_pubkey(x, key);
  X509_NAME *name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) "localhost", -1, -1, 0);
  X509_set_issuer_name(x, name);
  X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_add_ext(x, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(x, key, EVP_sha256());
  return x;
}

static FILE *file_open(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return fopen(path, "we");
}

bool tls_test_make_certificate(const char *directory) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *x = certificate_new(key);
  FILE *certificate_file = file_open(directory, "cert.pem"), *key_file = file_open(directory, "key.pem");
  bool ok = certificate_file != NULL && key_file != NULL && PEM_write_X509(certificate_file, x) == 1 &&
            PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) == 1;
  if (certificate_file != NULL) ok = fclose(certificate_file) == 0 && ok;
  if (key_file != NULL) ok = fclose(key_file) == 0 && ok;
  X509_free(x);
  EVP_PKEY_free(key);
  return ok;
}
