// The client port: lines of text, each with a tag that its answer carries; answers come in any order.
//
//   TAG w KEY VALUE     TAG ok | TAG lost (certainly not done) | TAG no SERVER (not the leader; that one may be, 0: nobody known)
//   TAG r KEY           TAG = VALUE | TAG no SERVER | TAG failed (ask again)
//   TAG s               TAG server S state X term T leader L commit C applied A first F open O members ID:ROLE:MATCH,...
//   TAG groups          TAG groups N led L here H (idle groups; those of which the leader is known, and is here)
//   TAG add SERVER ADDRESS | promote SERVER | demote SERVER | remove SERVER | transfer SERVER | checkpoint
//                       TAG ok | TAG no SERVER | TAG busy REASON | TAG bad REASON
//   TAG copy            the bytes of the state, then the end of the connection
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "register_int.h"

enum { LINE_BYTES_MAX = REGISTER_VALUE_BYTES_MAX + 64 };

struct client {
  struct register_server *server;
  uint64_t number;
  struct net_conn *conn;
  struct buf in;
};

static void say(struct register_server *s, uint64_t client, const char *text, size_t len) {
  uint64_t *at = map_get(&s->clients, client);
  if (at == NULL) return;
  struct client *c = (struct client *) (uintptr_t) *at;
  if (net_conn_write(c->conn, text, len) == ERR_OK) net_conn_flush(c->conn);
}

#define SAY(s, client, ...)                                      \
  do {                                                           \
    char line_[512];                                             \
    int len_ = snprintf(line_, sizeof line_, __VA_ARGS__);       \
    say((s), (client), line_, MIN((size_t) len_, sizeof line_)); \
  } while (0)

// ---- writes ----

static struct waiting *waiting_new(struct client *c, uint64_t tag) {
  struct waiting *w = mem_zalloc(sizeof *w);
  if (w == NULL) die("no memory", NULL);
  w->client = c->number;
  w->tag = tag;
  return w;
}

static void put_waiting(struct map *m, uint64_t key, struct waiting *w) {
  if (map_put(m, key, (uintptr_t) w) != ERR_OK) die("no memory", NULL);
}

static struct waiting *take_waiting(struct map *m, uint64_t key) {
  uint64_t *at = map_get(m, key);
  struct waiting *w = at != NULL ? (struct waiting *) (uintptr_t) *at : NULL;
  if (w != NULL) map_remove(m, key);
  return w;
}

static void answer_refused(struct client *c, uint64_t tag, enum err err, const struct error *e) {
  struct group_stats stats;
  group_stats(host_group(c->server->group), &stats);
  if (err == ERR_NOT_LEADER)
    SAY(c->server, c->number, "%" PRIu64 " no %" PRIu64 "\n", tag,
        stats.leader == c->server->member ? 0 : member_server(stats.leader));
  else
    SAY(c->server, c->number, "%" PRIu64 " %s %s\n", tag, err == ERR_BUSY || err == ERR_LIMIT ? "busy" : "bad", e->message);
}

static void do_write(struct client *c, uint64_t tag, uint32_t key, struct str value) {
  struct register_server *s = c->server;
  struct error e = ERROR_INIT;
  uint8_t command[4 + REGISTER_VALUE_BYTES_MAX];
  size_t len = register_put_command(command, key, value);
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {(char *) command, len}};
  struct group_stats stats;
  group_stats(host_group(s->group), &stats);
  enum err err = group_propose(host_group(s->group), register_now_ms(), stats.term, &entry, 1, &e);
  if (err != ERR_OK) {
    answer_refused(c, tag, err, &e);
    return;
  }
  struct waiting *w = waiting_new(c, tag), *older = take_waiting(&s->entries, entry.index);
  w->index = entry.index;
  w->term = entry.term;
  put_waiting(&s->entries, entry.index, w);
  if (older == NULL) return;
  SAY(s, older->client, "%" PRIu64 " unknown\n",
      older->tag); // of an earlier leadership of ours; another entry may have come by it
  mem_free(older);
}

void clients_applied(struct register_server *s, uint64_t index, uint64_t term) {
  struct waiting *w = take_waiting(&s->entries, index);
  if (w != NULL) {
    SAY(s, w->client, "%" PRIu64 " %s\n", w->tag, w->term == term ? "ok" : "lost");
    mem_free(w);
  }
  for (struct waiting **at = &s->ready; (w = *at) != NULL;) {
    if (w->index > index) {
      at = &w->next;
      continue;
    }
    *at = w->next;
    const struct buf *value = &s->state->values[w->key];
    char line[REGISTER_VALUE_BYTES_MAX + 64];
    int len =
        snprintf(line, sizeof line, "%" PRIu64 " = %.*s\n", w->tag, (int) value->len, value->data != NULL ? value->data : "");
    say(s, w->client, line, (size_t) len);
    mem_free(w);
  }
}

void clients_installed(struct register_server *s, uint64_t index) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&s->entries, &at)) != NULL;) {
    if (entry->key > index) continue;
    struct waiting *w = take_waiting(&s->entries, entry->key);
    SAY(s, w->client, "%" PRIu64 " unknown\n", w->tag);
    mem_free(w);
    at = 0; // the map has changed
  }
  clients_applied(s, index, 0);
}

// ---- reads ----

static void do_read(struct client *c, uint64_t tag, uint32_t key) {
  struct register_server *s = c->server;
  struct error e = ERROR_INIT;
  uint64_t number = ++s->read_numbers;
  enum err err = group_read(host_group(s->group), register_now_ms(), number, &e);
  if (err != ERR_OK) {
    answer_refused(c, tag, err, &e);
    return;
  }
  struct waiting *w = waiting_new(c, tag);
  w->key = key;
  w->is_read = true;
  put_waiting(&s->reads, number, w);
}

void clients_read(struct register_server *s, uint64_t read_id, uint64_t index, bool failed) {
  struct waiting *w = take_waiting(&s->reads, read_id);
  if (w == NULL) return;
  if (failed) {
    SAY(s, w->client, "%" PRIu64 " failed\n", w->tag);
    mem_free(w);
    return;
  }
  w->index = index;
  w->next = s->ready;
  s->ready = w;
  clients_applied(s, s->state->applied.index, 0); // it may be there already
}

// ---- status and membership ----

static void do_status(struct client *c, uint64_t tag) {
  static const char *const states[] = {"follower", "candidate", "leader"};
  struct register_server *s = c->server;
  struct consensus_status st;
  struct consensus_membership m;
  struct group_stats stats;
  char members[256] = "";
  size_t at = 0;
  group_status(host_group(s->group), &st);
  group_membership(host_group(s->group), &m);
  group_stats(host_group(s->group), &stats);
  for (uint32_t i = 0; i < m.count; i++) {
    uint64_t match = 0;
    for (uint32_t k = 0; k < st.progress_count; k++)
      if (st.progress[k].member_id == m.members[i].id) match = st.progress[k].match_index;
    at += (size_t) snprintf(members + at, sizeof members - at, "%s%" PRIu64 ":%s:%" PRIu64, i > 0 ? "," : "",
                            member_server(m.members[i].id), m.members[i].role == CONSENSUS_VOTER ? "voter" : "learner", match);
    at = MIN(at, sizeof members - 1);
  }
  SAY(s, c->number,
      "%" PRIu64 " server %" PRIu64 " state %s term %" PRIu64 " leader %" PRIu64 " commit %" PRIu64 " applied %" PRIu64
      " first %" PRIu64 " open %d members %s\n",
      tag, s->server, states[st.state], st.term, member_server(st.leader), st.commit_index, s->state->applied.index,
      st.first_index, st.open, members);
}

static uint64_t member_on(const struct consensus_membership *m, uint64_t server) {
  for (uint32_t i = 0; i < m->count; i++)
    if (member_server(m->members[i].id) == server) return m->members[i].id;
  return 0;
}

static void add_member(struct consensus_membership *m, uint64_t server, struct str address) {
  struct consensus_member new = {.id = member_of(server, 1), .role = CONSENSUS_LEARNER};
  uint32_t i = m->count;
  snprintf(new.address, sizeof new.address, "%.*s", STR_ARG(address));
  for (; i > 0 && m->members[i - 1].id > new.id; i--) m->members[i] = m->members[i - 1];
  m->members[i] = new;
  m->count++;
}

static void remove_member(struct consensus_membership *m, uint64_t id) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < m->count; i++)
    if (m->members[i].id != id) m->members[kept++] = m->members[i];
  m->count = kept;
}

static void set_role(struct consensus_membership *m, uint64_t id, enum consensus_role role) {
  for (uint32_t i = 0; i < m->count; i++)
    if (m->members[i].id == id) m->members[i].role = (uint8_t) role;
}

/// A learner is promoted when it has caught up; until then the answer is "busy" and the measuring goes on.
static enum err promote(struct register_server *s, struct consensus_membership *m, uint64_t id, struct error *e) {
  struct group *g = host_group(s->group);
  struct consensus_status st;
  group_status(g, &st);
  for (uint32_t i = 0; i < st.progress_count; i++) {
    if (st.progress[i].member_id != id || st.progress[i].catch_up == CONSENSUS_CATCH_UP_FINISHED) continue;
    if (st.progress[i].catch_up != CONSENSUS_CATCH_UP_RUNNING) TRY(group_catch_up(g, register_now_ms(), id, e));
    return error_set(e, ERR_BUSY, "it is catching up");
  }
  set_role(m, id, CONSENSUS_VOTER);
  return group_change(g, register_now_ms(), m, e);
}

static enum err administer(struct register_server *s, struct str verb, uint64_t server, struct str address, struct error *e) {
  struct group *g = host_group(s->group);
  struct consensus_membership m;
  group_membership(g, &m);
  uint64_t id = member_on(&m, server);
  if (str_eqz(verb, "checkpoint")) return checkpoint(s, e);
  if (str_eqz(verb, "transfer")) return group_transfer(g, register_now_ms(), id, e);
  if (str_eqz(verb, "promote")) return promote(s, &m, id, e);
  if (str_eqz(verb, "add") && id == 0 && m.count < CONSENSUS_MEMBERS_MAX)
    add_member(&m, server, address);
  else if (str_eqz(verb, "demote"))
    set_role(&m, id, CONSENSUS_LEARNER);
  else if (str_eqz(verb, "remove"))
    remove_member(&m, id);
  else
    return error_set(e, ERR_INVALID, "no such command");
  return group_change(g, register_now_ms(), &m, e);
}

static void send_copy(struct client *c) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  if (register_encode(c->server->state, &bytes) != ERR_OK || net_conn_write_buf(c->conn, &bytes) != ERR_OK) return;
  net_conn_finish(c->conn, 5000);
}

// ---- lines ----

static void take_line(struct client *c, struct str line) {
  int64_t tag = 0, number = 0;
  struct error e = ERROR_INIT;
  struct str rest = line, word = str_cut(&rest, ' ');
  if (!str_to_i64(word, &tag)) return;
  struct str verb = str_cut(&rest, ' ');
  if (str_eqz(verb, "s")) {
    do_status(c, (uint64_t) tag);
  } else if (str_eqz(verb, "groups")) {
    uint32_t led = 0, here = 0;
    idle_count_led(c->server, &led, &here);
    SAY(c->server, c->number, "%" PRId64 " groups %" PRIu32 " led %" PRIu32 " here %" PRIu32 "\n", tag, c->server->idle_count,
        led, here);
  } else if (str_eqz(verb, "copy")) {
    send_copy(c);
  } else {
    bool has_number = str_to_i64(str_cut(&rest, ' '), &number) && number >= 0;
    if (str_eqz(verb, "w") && has_number && number < REGISTER_KEYS) {
      do_write(c, (uint64_t) tag, (uint32_t) number, rest);
    } else if (str_eqz(verb, "r") && has_number && number < REGISTER_KEYS) {
      do_read(c, (uint64_t) tag, (uint32_t) number);
    } else {
      enum err err = administer(c->server, verb, (uint64_t) number, rest, &e);
      if (err == ERR_OK)
        SAY(c->server, c->number, "%" PRId64 " ok\n", tag);
      else
        answer_refused(c, (uint64_t) tag, err, &e);
    }
  }
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct client *c = context;
  if (buf_append(&c->in, bytes, len) != ERR_OK) die("no memory", NULL);
  size_t at = 0;
  for (const char *end; (end = memchr(c->in.data + at, '\n', c->in.len - at)) != NULL;) {
    struct str line = {c->in.data + at, (size_t) (end - c->in.data) - at};
    at += line.len + 1;
    take_line(c, line);
  }
  buf_consume(&c->in, at);
  host_touch(c->server->group);
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why UNUSED) {
  struct client *c = context;
  map_remove(&c->server->clients, c->number);
  net_conn_free(c->conn);
  buf_done(&c->in);
  mem_free(c);
}

static void on_accepted(void *context, int socket, const char *peer UNUSED, const char *local UNUSED) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {64 << 20, 1 << 20};
  struct register_server *s = context;
  struct client *c = mem_zalloc(sizeof *c);
  if (c == NULL) die("no memory", NULL);
  c->server = s;
  c->number = ++s->client_numbers;
  if (net_conn_new(s->loop, socket, &limits, &events, c, &c->conn, NULL) != ERR_OK) {
    mem_free(c);
    return;
  }
  if (map_put(&s->clients, c->number, (uintptr_t) c) != ERR_OK) die("no memory", NULL);
}

enum err clients_open(struct register_server *s, struct error *e) {
  static const struct net_listener_events events = {on_accepted};
  return net_listen(s->loop, str_of(s->client_listen), 0, &events, s, &s->client_listener, e);
}
