// For tests: a certificate of our own making, signed by itself, for "localhost" and 127.0.0.1.
#pragma once

#include <stdbool.h>

/// Writes certificate and key as PEM into `directory`/cert.pem and /key.pem. False if that failed.
bool tls_test_make_certificate(const char *directory);
