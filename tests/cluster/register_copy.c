// Copies of the state: made durable at a checkpoint, fetched from another member when the log cannot bring this one up to date.
#include <stdio.h>
#include <string.h>

#include "register_int.h"

enum { RETRY_MS = 100, CONNECT_TIMEOUT_MS = 1000, CLIENT_PORT_ABOVE = 1000 };

enum err checkpoint(struct register_server *s, struct error *e) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  TRY(register_encode(s->state, &bytes));
  TRY(register_save(s->directory, &bytes, e));
  s->checkpoint_index = s->state->applied.index;
  enum err err = group_checkpointed(host_group(s->group), register_now_ms(), s->checkpoint_index, s->trailing, e);
  return err == ERR_BUSY ? ERR_OK : err;
}

static void retry(struct register_server *s) {
  loop_timer_set(s->copy_retry, RETRY_MS, false);
}

/// Whether a copy is wanted still: the log may have brought what was lacking.
static bool is_wanted(struct register_server *s) {
  if (s->state->applied.index >= s->wanted_index) s->wanted_index = 0;
  return s->wanted_index != 0;
}

/// The copy is whole. False: it is of no use.
static bool take_copy(struct register_server *s) {
  struct error e = ERROR_INIT;
  if (!is_wanted(s)) return true;
  struct register_state *fresh = register_state_new();
  if (fresh == NULL) die("no memory", NULL);
  bool good = register_decode(fresh, s->copy.data, s->copy.len, &e) == ERR_OK && fresh->applied.index >= s->wanted_index;
  if (good) {
    if (register_save(s->directory, &s->copy, &e) != ERR_OK) die("saving a copy", &e);
    struct register_state *old = s->state;
    s->state = fresh;
    fresh = old;
    s->wanted_index = 0;
    s->checkpoint_index = s->state->applied.index;
    fprintf(stderr, "copied the state up to %llu\n", (unsigned long long) s->checkpoint_index);
    clients_installed(s, s->checkpoint_index);
    host_touch(s->group);
  }
  register_state_free(fresh);
  return good;
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct register_server *s = context;
  if (buf_append(&s->copy, bytes, len) != ERR_OK) die("no memory", NULL);
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why UNUSED) {
  struct register_server *s = context;
  net_conn_free(s->source);
  s->source = NULL;
  if (!take_copy(s)) retry(s);
}

static void on_connected(void *context, int socket, const char *peer UNUSED) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {1 << 20, 1 << 16};
  struct register_server *s = context;
  s->connecting = NULL;
  buf_clear(&s->copy);
  if (net_conn_new(s->loop, socket, &limits, &events, s, &s->source, NULL) != ERR_OK ||
      net_conn_write(s->source, "0 copy\n", 7) != ERR_OK)
    die("no memory", NULL);
  net_conn_flush(s->source);
}

static void on_failed(void *context, const struct error *why UNUSED) {
  struct register_server *s = context;
  s->connecting = NULL;
  retry(s);
}

/// By the test's convention a member's client port is 1000 above that of its group.
static bool client_address(const char *address, char to[NET_ADDRESS_TEXT_MAX]) {
  struct str host;
  uint16_t port;
  if (net_address_split(str_of(address), 0, &host, &port, NULL) != ERR_OK) return false;
  return snprintf(to, NET_ADDRESS_TEXT_MAX, "%.*s:%u", STR_ARG(host), port + CLIENT_PORT_ABOVE) > 0;
}

void copy_ask(void *context) {
  static const struct net_connect_events events = {on_connected, on_failed};
  struct register_server *s = context;
  struct consensus_membership m;
  char address[NET_ADDRESS_TEXT_MAX];
  if (!is_wanted(s) || s->connecting != NULL || s->source != NULL) return;
  group_membership(host_group(s->group), &m);
  if (m.count == 0) m = s->first; // a member that joins knows of nobody else yet
  const struct consensus_member *from = m.count > 0 ? &m.members[s->wanted_from++ % m.count] : NULL;
  bool asked =
      from != NULL && from->id != s->member && client_address(from->address, address) &&
      net_connect(s->loop, s->resolver, str_of(address), 0, CONNECT_TIMEOUT_MS, &events, s, &s->connecting, NULL) == ERR_OK;
  if (!asked) retry(s);
}

void copy_begin(struct register_server *s, uint64_t index) {
  bool begun = s->wanted_index != 0;
  s->wanted_index = index;
  if (!begun) retry(s); // not from within the group
}
