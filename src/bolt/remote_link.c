// Connections to other servers: connecting, bytes in and out, time, and those that are kept.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bolt/remote_int.h"

enum {
  ROUTING_PORT = 7688,
  CONNECT_MS = 3000,       // until the version is agreed, or until a link that was kept has answered
  LOGIN_MS = 30 * 1000,    // passwords are checked one after the other
  SILENCE_MS = 120 * 1000, // of a server that does not say how long it is never silent
  IDLE_OF_ONE_USER_MAX = 64,
  IDLE_MAX = 512 // of one loop
};

// ---- lists ----

static void list_add(struct remote_link **list, struct remote_link *l) {
  l->next = *list;
  l->place = list;
  if (l->next != NULL) l->next->place = &l->next;
  *list = l;
}

static void list_remove(struct remote_link *l) {
  *l->place = l->next;
  if (l->next != NULL) l->next->place = l->place;
}

// ---- the end of a link ----

static void link_free(struct remote_link *l) {
  list_remove(l);
  if (l->session == NULL) l->at->idle_count--;
  net_connecting_free(l->connecting);
  net_conn_free(l->net);
  link_table_remove(l->at->remote->options.links, &l->row);
  bolt_client_done(&l->client);
  arena_done(&l->texts);
  mem_free(l);
}

static void finish_operation(struct remote_link *l) {
  struct dbms_op *op = bolt_client_take(&l->client);
  if (op == NULL) return;
  l->interrupted_ms = 0;
  for (struct dbms_op *then; op != NULL; op = then) {
    then = op->then;
    op->done(op); // the last one's may submit, interrupt or free, all of which come here as tasks
  }
}

/// The connection is gone. The link may be gone afterwards.
static void link_end(struct remote_link *l, const char *why) {
  net_connecting_free(l->connecting);
  net_conn_free(l->net);
  link_table_remove(l->at->remote->options.links, &l->row);
  l->connecting = NULL;
  l->net = NULL;
  if (l->kept && bolt_client_is_logging_in(&l->client)) { // nothing but RESET was sent
    struct dbms_remote_session *s = l->session;
    struct dbms_op *op = l->client.op;
    l->client.op = NULL;
    s->link = NULL;
    link_free(l);
    remote_log_in_again(s, op);
    return;
  }
  bolt_client_lose(&l->client, why);
  if (l->session == NULL)
    link_free(l);
  else
    finish_operation(l);
}

// ---- bytes ----

/// Credentials are not left behind.
static enum err send_out(struct remote_link *l) {
  struct buf *out = &l->client.out;
  if (out->len == 0) return ERR_OK;
  if (!bolt_client_is_logging_in(&l->client)) return net_conn_write_buf(l->net, out);
  enum err err = net_conn_write(l->net, out->data, out->len);
  explicit_bzero(out->data, out->len);
  buf_clear(out);
  return err;
}

static void set_reading(struct remote_link *l) {
  if (l->client.full == l->paused) return;
  l->paused = l->client.full;
  if (l->paused)
    net_conn_pause(l->net);
  else
    net_conn_resume(l->net);
}

static void list_when_agreed(struct remote_link *l) {
  const struct bolt_remote_options *o = &l->at->remote->options;
  if (l->net == NULL || l->client.version == NULL || l->row.place != NULL) return;
  link_table_add(o->links, &l->row, "bolt", l->client.version->major, l->peer, false, o->tls != NULL);
}

/// Does what the client asks for. The link may be gone afterwards.
static void link_obey(struct remote_link *l) {
  if (l->client.spent) {
    link_end(l, "the connection is of no use any more");
    return;
  }
  if (l->net != NULL) {
    if (send_out(l) != ERR_OK) {
      link_end(l, "what is to be sent could not be sent");
      return;
    }
    set_reading(l);
    net_conn_flush(l->net);
    list_when_agreed(l);
  }
  finish_operation(l);
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct remote_link *l = context;
  struct error e = ERROR_INIT;
  l->heard_ms = loop_now_ms(l->at->loop);
  if (bolt_client_receive(&l->client, bytes, len, &e) != ERR_OK) {
    char why[sizeof e.message + sizeof l->address];
    snprintf(why, sizeof why, "%s: %s", l->address, e.message);
    link_end(l, why);
    return;
  }
  link_obey(l);
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why UNUSED) {
  struct remote_link *l = context;
  char text[NET_ADDRESS_TEXT_MAX + 200];
  const char *more = net_conn_why(l->net);
  snprintf(text, sizeof text, "the connection to %s was lost%s%s", l->address, more != NULL ? ": " : "",
           more != NULL ? more : "");
  link_end(l, text);
}

// ---- connecting ----

static enum err begin_tls(struct remote_link *l, struct error *e) {
  const struct bolt_remote_options *o = &l->at->remote->options;
  struct str host;
  uint16_t port;
  char name[NET_ADDRESS_TEXT_MAX];
  if (o->tls == NULL) return ERR_OK;
  TRY(net_address_split(str_of(l->address), ROUTING_PORT, &host, &port, e));
  snprintf(name, sizeof name, "%.*s", STR_ARG(host));
  return net_conn_connect_tls(l->net, o->tls, o->tls_verify_names ? name : NULL, e);
}

static void on_connected(void *context, int socket, const char *peer) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {SIZE_MAX, SIZE_MAX};
  struct remote_link *l = context;
  struct error e = ERROR_INIT;
  l->connecting = NULL;
  snprintf(l->peer, sizeof l->peer, "%s", peer);
  enum err err = net_conn_new(l->at->loop, socket, &limits, &events, l, &l->net, &e);
  if (err == ERR_OK) err = begin_tls(l, &e);
  if (err != ERR_OK)
    link_end(l, e.message);
  else
    link_obey(l);
}

static void on_connect_failed(void *context, const struct error *why) {
  struct remote_link *l = context;
  l->connecting = NULL;
  link_end(l, why->message);
}

static enum err copy_who(struct remote_link *l, const struct dbms_client *who, struct error *e) {
  l->who = (struct dbms_client){.user_agent = arena_str(&l->texts, who->user_agent),
                                .gateway = who->gateway.len > 0 ? arena_str(&l->texts, who->gateway) : STR(""),
                                .legacy_bookmarks = who->legacy_bookmarks,
                                .neo4j_major = who->neo4j_major};
  return l->who.user_agent.ptr != NULL && l->who.gateway.ptr != NULL ? ERR_OK : arena_err(&l->texts, e);
}

static enum err begin_connecting(struct remote_link *l, const struct dbms_client *who, struct error *e) {
  static const struct net_connect_events events = {on_connected, on_connect_failed};
  TRY(copy_who(l, who, e));
  return net_connect(l->at->loop, l->at->remote->resolver, str_of(l->address), ROUTING_PORT, CONNECT_MS, &events, l,
                     &l->connecting, e);
}

static enum err link_new(struct dbms_remote_session *s, const uint8_t key[REMOTE_KEY_BYTES], struct error *e) {
  struct remote_link *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_set(e, ERR_NOMEM, "no memory for a connection");
  l->at = s->at;
  l->session = s;
  snprintf(l->address, sizeof l->address, "%.*s", STR_ARG(s->address));
  memcpy(l->key, key, REMOTE_KEY_BYTES);
  arena_init(&l->texts, NULL);
  bolt_client_init(&l->client, &l->who);
  list_add(&s->at->busy, l);
  enum err err = begin_connecting(l, &s->who, e);
  if (err != ERR_OK) {
    link_free(l);
    return err;
  }
  s->link = l;
  return ERR_OK;
}

// ---- what is kept ----

static struct remote_link *find_kept(struct remote_loop *at, const uint8_t key[REMOTE_KEY_BYTES]) {
  for (struct remote_link *l = at->idle; l != NULL; l = l->next)
    if (memcmp(l->key, key, REMOTE_KEY_BYTES) == 0) return l;
  return NULL;
}

static uint32_t count_kept(struct remote_loop *at, const uint8_t key[REMOTE_KEY_BYTES]) {
  uint32_t count = 0;
  for (struct remote_link *l = at->idle; l != NULL; l = l->next) count += memcmp(l->key, key, REMOTE_KEY_BYTES) == 0;
  return count;
}

static bool is_worth_keeping(struct remote_link *l) {
  return l->client.logged_in && !l->client.tainted && !l->client.spent && l->net != NULL && l->at->idle_count < IDLE_MAX &&
         count_kept(l->at, l->key) < IDLE_OF_ONE_USER_MAX;
}

void remote_link_leave(struct remote_link *l) {
  l->session->link = NULL;
  list_remove(l);
  bool keep = is_worth_keeping(l);
  l->session = NULL;
  l->kept = true;
  l->idle_since_ms = l->heard_ms = loop_now_ms(l->at->loop);
  list_add(&l->at->idle, l);
  l->at->idle_count++;
  if (!keep) {
    link_free(l);
    return;
  }
  bolt_client_give_up(&l->client);
  link_obey(l);
}

enum err remote_link_take(struct dbms_remote_session *s, const uint8_t key[REMOTE_KEY_BYTES], bool afresh, struct error *e) {
  struct remote_link *l = afresh ? NULL : find_kept(s->at, key);
  if (l == NULL) return link_new(s, key, e);
  list_remove(l);
  l->at->idle_count--;
  l->session = s;
  list_add(&l->at->busy, l);
  s->link = l;
  return ERR_OK;
}

// ---- operations ----

void remote_link_start(struct remote_link *l, struct dbms_op *op) {
  l->heard_ms = l->began_ms = loop_now_ms(l->at->loop);
  bolt_client_start(&l->client, op);
  link_obey(l);
}

void remote_link_interrupt(struct remote_link *l, enum err reason) {
  if (!bolt_client_interrupt(&l->client, reason)) {
    l->kept = false; // the login ends here
    link_end(l, "the operation was interrupted");
    return;
  }
  if (l->client.interrupted != ERR_OK && l->interrupted_ms == 0) l->interrupted_ms = loop_now_ms(l->at->loop);
  link_obey(l);
}

// ---- time ----

static const char *overdue(const struct remote_link *l, int64_t now_ms) {
  const struct bolt_client *c = &l->client;
  const struct bolt_remote_options *o = &l->at->remote->options;
  int64_t silence_ms = c->receive_timeout_ms > 0 ? c->receive_timeout_ms : SILENCE_MS;
  if (l->session == NULL && now_ms - l->idle_since_ms > o->idle_ms) return "it was kept long enough";
  if (l->interrupted_ms != 0 && now_ms - l->interrupted_ms > o->interrupt_ms)
    return "the server does not let itself be interrupted";
  if (bolt_client_is_logging_in(c)) {
    bool answered = c->version != NULL && !l->kept;
    if (now_ms - l->began_ms > (answered ? LOGIN_MS : CONNECT_MS)) return "the server does not answer";
    return NULL;
  }
  return bolt_client_waits(c) && now_ms - l->heard_ms > silence_ms ? "the server says nothing any more" : NULL;
}

static void tick_list(struct remote_link *list, int64_t now_ms) {
  for (struct remote_link *l = list, *next; l != NULL; l = next) {
    next = l->next;
    const char *why = overdue(l, now_ms);
    if (why == NULL || l->client.spent) continue;
    char text[NET_ADDRESS_TEXT_MAX + 100];
    snprintf(text, sizeof text, "%s: %s", l->address, why);
    link_end(l, text);
  }
}

void remote_links_tick(struct remote_loop *at) {
  int64_t now_ms = loop_now_ms(at->loop);
  tick_list(at->busy, now_ms);
  tick_list(at->idle, now_ms);
}

void remote_links_close(struct remote_loop *at) {
  while (at->busy != NULL) link_free(at->busy);
  while (at->idle != NULL) link_free(at->idle);
}
