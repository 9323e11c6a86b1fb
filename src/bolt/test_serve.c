// A server over the scripted database, for the driver suite: test_bolt_serve [--port N] [--auth] [--threads] [--tls CERT KEY]
// Prints "listening on ADDRESS" and ends when its input ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bolt/server.h"
#include "bolt/test_dbms.h"
#include "os/tls.h"

static void print_event(struct event_sink *sink UNUSED, enum event_level level, const char *name, struct str text) {
  if (level > EVENT_DEBUG) fprintf(stderr, "%s %.*s\n", name, STR_ARG(text));
}

int main(int argc, char **argv) {
  struct dbms dbms;
  struct event_sink events = {print_event};
  struct error e = ERROR_INIT;
  char address[64] = "127.0.0.1:0";
  struct bolt_settings settings = bolt_settings_default();
  struct tls_settings tls = {0};
  test_dbms_init(&dbms);
  settings.threads = 2;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--auth") == 0) dbms.auth_enabled = true;
    if (strcmp(argv[i], "--threads") == 0) dbms.on_thread = true;
    if (strcmp(argv[i], "--port") == 0 && i + 1 < argc) snprintf(address, sizeof address, "127.0.0.1:%s", argv[++i]);
    if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
      tls.certificate_path = argv[++i];
      tls.key_path = argv[++i];
      settings.tls_level = BOLT_TLS_OPTIONAL;
    }
  }
  struct str addresses[] = {str_of(address)};
  settings.listen_addresses = addresses;
  settings.listen_address_count = 1;
  struct bolt_server *server;
  enum err err = settings.tls_level != BOLT_TLS_DISABLED ? tls_context_new(&tls, &settings.tls, &e) : ERR_OK;
  if (err == ERR_OK) err = bolt_server_start(&settings, &dbms, &events, &server, &e);
  if (err != ERR_OK) {
    fprintf(stderr, "%s\n", e.message);
    return 1;
  }
  snprintf(dbms.address, sizeof dbms.address, "%s", bolt_server_address(server, 0));
  printf("listening on %s\n", dbms.address);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  bolt_server_stop(server);
  tls_context_free(settings.tls);
  test_dbms_done(&dbms);
  return 0;
}
