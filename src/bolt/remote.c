#include "bolt/remote.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "bolt/remote_int.h"

enum { IDLE_MS = 30 * 1000, INTERRUPT_MS = 5000 };

// ---- who ----

static enum err append_text(struct buf *to, struct str text) {
  uint8_t len[8];
  put_u64_be(len, text.len);
  TRY(buf_append(to, len, sizeof len));
  return buf_append_str(to, text);
}

static enum err append_identity(struct buf *to, const struct dbms_remote_session *s, const struct dbms_op *op) {
  const struct str texts[] = {s->address,      op->login.scheme,  op->login.principal, op->login.credentials,
                              op->login.realm, s->who.user_agent, s->who.gateway};
  const uint8_t rest[] = {(uint8_t) s->who.neo4j_major, s->who.legacy_bookmarks};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) TRY(append_text(to, texts[i]));
  return buf_append(to, rest, sizeof rest);
}

/// Links with the same key are the same to the server: HMAC-SHA-256 with a secret of this process.
static enum err make_key(const struct dbms_remote_session *s, const struct dbms_op *op, uint8_t ret[REMOTE_KEY_BYTES],
                         struct error *e) {
  const struct remote *r = s->at->remote;
  struct buf identity = BUF_INIT;
  unsigned len = 0;
  enum err err = append_identity(&identity, s, op);
  bool hashed = err == ERR_OK &&
                HMAC(EVP_sha256(), r->secret, sizeof r->secret, (const uint8_t *) identity.data, identity.len, ret, &len) != NULL;
  if (identity.data != NULL) explicit_bzero(identity.data, identity.capacity);
  buf_done(&identity);
  return hashed ? ERR_OK : error_set(e, ERR_NOMEM, "no memory to log in on another server");
}

// ---- operations, on the loop ----

/// With those behind it. The last one's `done` may free them all.
static void finish_here(struct dbms_op *op, enum err err, const char *why) {
  for (struct dbms_op *then; op != NULL; op = then) {
    then = op->then;
    op->error = ERROR_INIT;
    op->err = err;
    if (err != ERR_OK) error_set(&op->error, err, "%s", why);
    op->done(op);
  }
}

static void log_in(struct dbms_remote_session *s, struct dbms_op *op) {
  uint8_t key[REMOTE_KEY_BYTES];
  struct error e = ERROR_INIT;
  enum err err = make_key(s, op, key, &e);
  if (err == ERR_OK) err = remote_link_take(s, key, op->login.afresh, &e);
  if (err == ERR_OK)
    remote_link_start(s->link, op);
  else
    finish_here(op, err == ERR_NOMEM ? ERR_NOMEM : ERR_UNREACHABLE, e.message);
}

void remote_log_in_again(struct dbms_remote_session *s, struct dbms_op *op) {
  log_in(s, op);
}

static void let_go(struct dbms_remote_session *s) {
  if (s->link != NULL) remote_link_leave(s->link);
}

static void start(struct dbms_remote_session *s, struct dbms_op *op) {
  if (s->link != NULL && s->link->client.spent) let_go(s);
  if (op->kind == DBMS_LOGIN || op->kind == DBMS_LOGOFF) let_go(s);
  if (op->kind == DBMS_LOGIN)
    log_in(s, op);
  else if (op->kind == DBMS_ROUTE)
    finish_here(op, ERR_UNSUPPORTED, "Routing tables are made here, not by another server.");
  else if (s->link != NULL)
    remote_link_start(s->link, op);
  else if (op->kind == DBMS_LOGOFF || op->kind == DBMS_RESET)
    finish_here(op, ERR_OK, NULL); // nothing is open
  else
    finish_here(op, ERR_UNREACHABLE, "There is no connection to the other server, or it was lost.");
}

static void stop_if_asked(struct dbms_remote_session *s) {
  if (s->interrupted == s->started && s->link != NULL && s->link->client.op != NULL)
    remote_link_interrupt(s->link, s->interrupt_reason);
}

static void on_submit(struct loop_task *task) {
  struct dbms_remote_session *s = CONTAINER_OF(task, struct dbms_remote_session, submit_task);
  s->started++;
  start(s, s->op);
  stop_if_asked(s);
}

static void on_interrupt(struct loop_task *task) {
  struct dbms_remote_session *s = CONTAINER_OF(task, struct dbms_remote_session, interrupt_task);
  s->interrupt_posted = false;
  s->interrupted = s->interrupt_goal;
  stop_if_asked(s);
}

static void on_free(struct loop_task *task) {
  struct dbms_remote_session *s = CONTAINER_OF(task, struct dbms_remote_session, free_task);
  let_go(s);
  arena_done(&s->texts);
  mem_free(s);
}

// ---- from any thread ----

static void submit(struct dbms_remote_session *s, struct dbms_op *op) {
  s->op = op;
  s->submitted++;
  loop_post(s->at->loop, &s->submit_task);
}

static void interrupt(struct dbms_remote_session *s, enum err reason) {
  s->interrupt_reason = reason;
  s->interrupt_goal = s->submitted;
  if (!atomic_exchange(&s->interrupt_posted, true)) loop_post(s->at->loop, &s->interrupt_task);
}

static void session_free(struct dbms_remote_session *s) {
  if (s != NULL) loop_post(s->at->loop, &s->free_task);
}

static enum err open_session(struct dbms_remote *table, struct str address, const struct dbms_client *who,
                             struct dbms_remote_session **ret, struct error *e) {
  struct remote *r = CONTAINER_OF(table, struct remote, table);
  if (address.len >= NET_ADDRESS_TEXT_MAX) return error_set(e, ERR_LIMIT, "the address of a server has %zu bytes", address.len);
  struct dbms_remote_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory for a session on another server");
  s->at = &r->loops[r->next_loop++ % r->loop_count];
  s->submit_task.run = on_submit;
  s->interrupt_task.run = on_interrupt;
  s->free_task.run = on_free;
  arena_init(&s->texts, NULL);
  s->address = arena_str(&s->texts, address);
  s->who = (struct dbms_client){.user_agent = arena_str(&s->texts, who->user_agent),
                                .gateway = who->gateway.len > 0 ? arena_str(&s->texts, who->gateway) : STR(""),
                                .legacy_bookmarks = who->legacy_bookmarks,
                                .neo4j_major = who->neo4j_major};
  if (s->address.ptr == NULL || s->who.user_agent.ptr == NULL || s->who.gateway.ptr == NULL) {
    enum err err = arena_err(&s->texts, e);
    arena_done(&s->texts);
    mem_free(s);
    return err;
  }
  *ret = s;
  return ERR_OK;
}

// ---- life ----

static void on_tick(void *context) {
  remote_links_tick(context);
}

struct opening {
  struct remote_loop *at;
  struct error *error;
  enum err err;
};

static void open_on_loop(void *argument) {
  struct opening *o = argument;
  o->err = loop_timer_new(o->at->loop, on_tick, o->at, &o->at->tick, o->error);
  if (o->err == ERR_OK) loop_timer_set(o->at->tick, REMOTE_TICK_MS, true);
}

static void close_on_loop(void *argument) {
  struct remote_loop *at = argument;
  remote_links_close(at);
  loop_timer_free(at->tick);
}

static enum err start_loop(struct remote *r, struct error *e) {
  char name[16];
  struct remote_loop *at = &r->loops[r->loop_count];
  snprintf(name, sizeof name, "remote-%u", r->loop_count);
  TRY(loop_start(name, &at->loop, e));
  at->remote = r;
  r->loop_count++;
  struct opening o = {.at = at, .error = e};
  loop_call(at->loop, open_on_loop, &o);
  return o.err;
}

static enum err start_all(struct remote *r, struct error *e) {
  TRY(random_fill(r->options.random, r->secret, sizeof r->secret));
  TRY(net_resolver_new(&r->resolver, e));
  uint32_t threads = MIN(MAX(r->options.threads, 1u), (uint32_t) REMOTE_LOOPS_MAX);
  for (uint32_t i = 0; i < threads; i++) TRY(start_loop(r, e));
  return ERR_OK;
}

enum err bolt_remote_new(const struct bolt_remote_options *options, struct dbms_remote **ret, struct error *e) {
  struct remote *r = mem_zalloc(sizeof *r);
  if (r == NULL) return error_set(e, ERR_NOMEM, "no memory for sessions on other servers");
  r->options = *options;
  if (r->options.idle_ms == 0) r->options.idle_ms = IDLE_MS;
  if (r->options.interrupt_ms == 0) r->options.interrupt_ms = INTERRUPT_MS;
  r->table = (struct dbms_remote){.open = open_session, .submit = submit, .interrupt = interrupt, .free = session_free};
  enum err err = start_all(r, e);
  if (err != ERR_OK) {
    bolt_remote_free(&r->table);
    return error_ensure(e, err);
  }
  *ret = &r->table;
  return ERR_OK;
}

void bolt_remote_free(struct dbms_remote *table) {
  if (table == NULL) return;
  struct remote *r = CONTAINER_OF(table, struct remote, table);
  for (uint32_t i = 0; i < r->loop_count; i++) loop_call(r->loops[i].loop, close_on_loop, &r->loops[i]);
  net_resolver_free(r->resolver); // before the loops that look-ups come back to
  for (uint32_t i = 0; i < r->loop_count; i++) loop_stop(r->loops[i].loop);
  explicit_bzero(r->secret, sizeof r->secret);
  mem_free(r);
}

struct counting {
  struct remote_loop *at;
  uint32_t count;
};

static void count_on_loop(void *argument) {
  struct counting *c = argument;
  c->count += c->at->idle_count;
}

uint32_t bolt_remote_idle(struct dbms_remote *table) {
  struct remote *r = CONTAINER_OF(table, struct remote, table);
  struct counting c = {0};
  for (uint32_t i = 0; i < r->loop_count; i++) {
    c.at = &r->loops[i];
    loop_call(c.at->loop, count_on_loop, &c);
  }
  return c.count;
}
