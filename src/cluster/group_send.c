// Outgoing messages: appends get their entries here, in pieces of bounded size, as fast as the network takes them.
#include <string.h>

#include "base/mem.h"
#include "cluster/group_int.h"

static bool send(struct group *g, const struct consensus_message *body, const struct log_entry *entries) {
  struct message m = {.from = g->member_id, .to = body->peer, .body = *body, .entries = entries};
  memcpy(m.group, g->options.uuid, sizeof m.group);
  return g->options.network->send(g->options.network, &m);
}

// ---- the entries of one message ----

static void clear_outgoing(struct group *g) {
  for (size_t i = 0; i < g->outgoing_count; i++) group_body_unref(g->outgoing_bodies[i]);
  g->outgoing_count = 0;
}

static enum err reserve_outgoing(struct group *g, struct error *e) {
  if (g->outgoing_count < g->outgoing_capacity) return ERR_OK;
  size_t larger = g->outgoing_capacity * 2 + 16;
  struct log_entry *entries = mem_realloc(g->outgoing, larger * sizeof *entries);
  if (entries != NULL) g->outgoing = entries;
  struct group_body **bodies = mem_realloc(g->outgoing_bodies, larger * sizeof *bodies);
  if (bodies != NULL) g->outgoing_bodies = bodies;
  if (entries == NULL || bodies == NULL) return error_ensure(e, ERR_NOMEM);
  g->outgoing_capacity = larger;
  return ERR_OK;
}

// A reference to the entry: from memory, or, if it is older than what is there, a copy from the log.
static enum err get_body(struct group *g, uint64_t index, struct group_body **ret, struct error *e) {
  struct group_body *b = group_tail_get(&g->tail, index);
  if (b != NULL) {
    b->refs++;
    *ret = b;
    return ERR_OK;
  }
  const struct log_entry *entry = NULL;
  TRY(group_read_entry(g, &g->sending, index, &entry, e));
  g->entries_read++;
  return group_body_copy(entry, ret, e);
}

static enum err gather(struct group *g, const struct group_peer *p, struct error *e) {
  size_t bytes = 0;
  clear_outgoing(g);
  for (uint64_t index = p->next; index <= p->last && g->outgoing_count < MESSAGE_ENTRIES_MAX; index++) {
    struct group_body *b = NULL;
    TRY(reserve_outgoing(g, e));
    TRY(get_body(g, index, &b, e));
    bytes += log_entry_bytes(&b->entry);
    if (g->outgoing_count > 0 && bytes > g->options.message_bytes_max) {
      group_body_unref(b);
      break;
    }
    g->outgoing[g->outgoing_count] = b->entry;
    g->outgoing_bodies[g->outgoing_count++] = b;
  }
  return ERR_OK;
}

// ---- what waits for one member ----

static struct group_peer *find_peer(struct group *g, uint64_t member) {
  for (uint32_t i = 0; i < g->peer_count; i++)
    if (g->peers[i].member == member) return &g->peers[i];
  return NULL;
}

static bool is_idle(const struct group_peer *p) {
  return p->next > p->last;
}

// A slot for the member; one of somebody for whom nothing waits is taken over when all are in use.
static struct group_peer *peer_of(struct group *g, uint64_t member) {
  struct group_peer *p = find_peer(g, member);
  for (uint32_t i = 0; p == NULL && i < g->peer_count; i++)
    if (g->peer_count == CONSENSUS_MEMBERS_MAX && is_idle(&g->peers[i])) p = &g->peers[i];
  if (p == NULL && g->peer_count < CONSENSUS_MEMBERS_MAX) p = &g->peers[g->peer_count++];
  if (p != NULL && p->member != member) *p = (struct group_peer){.member = member, .sent = 1, .next = 1};
  return p;
}

static void forget_waiting(struct group_peer *p) {
  p->sent = p->next = 1;
  p->last = 0;
}

static struct consensus_message append_of(const struct group_peer *p, uint32_t count) {
  return (struct consensus_message){
      .type = CONSENSUS_APPEND,
      .peer = p->member,
      .term = p->term,
      .append = {
          .previous_index = p->next - 1, .previous_term = p->previous_term, .commit_index = p->commit_index, .count = count}};
}

static void advance(struct group *g, struct group_peer *p) {
  if (!MUTANT(group_cut_previous)) p->previous_term = g->outgoing[g->outgoing_count - 1].term;
  p->next += g->outgoing_count;
  g->appends_sent++;
  g->entries_sent += g->outgoing_count;
}

static size_t outgoing_bytes(const struct group *g) {
  size_t bytes = 0;
  for (size_t i = 0; i < g->outgoing_count; i++) bytes += log_entry_bytes(&g->outgoing[i]);
  return bytes;
}

// Sends what waits for one member. The network has no room: again later, at `retry_ms`. An entry that was pruned meanwhile is no
// failure: consensus finds out that the member lacks it and installs.
static enum err send_to(struct group *g, struct group_peer *p, bool *ret_more, struct error *e) {
  size_t bytes = 0;
  enum err err = ERR_OK;
  while (err == ERR_OK && !is_idle(p)) {
    if (g->state != CONSENSUS_LEADER || p->term != g->term) {
      forget_waiting(p);
      break;
    }
    if (bytes >= g->options.send_bytes_step_max) {
      *ret_more = true;
      break;
    }
    err = gather(g, p, e);
    if (err == ERR_NOTFOUND) forget_waiting(p);
    if (err != ERR_OK) break;
    struct consensus_message m = append_of(p, (uint32_t) g->outgoing_count);
    if (!send(g, &m, g->outgoing)) {
      p->retry_ms = g->now_ms + GROUP_RETRY_MS;
      break;
    }
    bytes += outgoing_bytes(g);
    advance(g, p);
  }
  clear_outgoing(g);
  return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err group_send_waiting(struct group *g, bool *ret_more, struct error *e) {
  for (uint32_t i = 0; i < g->peer_count; i++)
    if (!is_idle(&g->peers[i]) && g->peers[i].retry_ms <= g->now_ms) TRY(send_to(g, &g->peers[i], ret_more, e));
  return ERR_OK;
}

// ---- one message ----

static void send_anchored(struct group *g, const struct group_peer *p) {
  struct consensus_message m = append_of(p, 0);
  send(g, &m, NULL);
}

// Does the append begin among entries that are on their way to the member, or just behind them?
static bool continues(const struct group_peer *p, const struct consensus_message *m) {
  uint64_t first = m->append.previous_index + 1;
  return p->term == m->term && p->sent <= first && first <= p->next;
}

// Consensus pipelines: what it sends next continues what waits. It goes back only to probe, and that again with each heartbeat
// until there is an answer: megabytes, each time, over a wire that has not brought the first ones there yet. A connection keeps
// the order and loses nothing but all of it; so what is on its way is not sent again, but the member is asked whether it has it,
// by an append without entries behind the last one. If not, it refuses that, and the next probe goes out in full.
static enum err send_append(struct group *g, const struct consensus_message *m, struct error *e) {
  struct group_peer *p = peer_of(g, m->peer);
  if (p == NULL) return ERR_OK; // lost, as messages may be
  if (!continues(p, m)) {
    p->sent = p->next = m->append.previous_index + 1;
    p->previous_term = m->append.previous_term;
    p->term = m->term;
    p->last = m->append.previous_index;
  }
  p->last = MAX(p->last, m->append.previous_index + m->append.count);
  p->commit_index = m->append.commit_index;
  if (is_idle(p)) {
    send_anchored(g, p);
    return ERR_OK;
  }
  bool more = false;
  return send_to(g, p, &more, e);
}

// Entries carry the news that earlier ones are committed. When nothing follows, whoever has them would hear of it with the next
// heartbeat only, and readers there who wait for a bookmark with him.
void group_send_committed(struct group *g) {
  for (uint32_t i = 0; i < g->peer_count; i++) {
    struct group_peer *p = &g->peers[i];
    bool is_last = is_idle(p) && p->term == g->term && p->next == g->commit_index + 1;
    if (!is_last || p->commit_index >= g->commit_index) continue;
    p->commit_index = g->commit_index;
    send_anchored(g, p);
  }
}

void group_send_refused(struct group *g, uint64_t member) {
  struct group_peer *p = find_peer(g, member);
  if (p != NULL && !MUTANT(group_sent_refused)) p->sent = p->next;
}

// One that would overtake entries that wait is sent from where they are: it says that the leader lives.
static enum err send_heartbeat(struct group *g, const struct consensus_message *m) {
  struct group_peer *p = find_peer(g, m->peer);
  if (p != NULL && !is_idle(p) && p->term == m->term && m->append.previous_index >= p->next) {
    p->commit_index = m->append.commit_index;
    send_anchored(g, p);
    return ERR_OK;
  }
  if (p != NULL && m->append.previous_index + 1 < p->next) forget_waiting(p);
  send(g, m, NULL);
  return ERR_OK;
}

enum err group_send_message(struct group *g, const struct consensus_message *m, struct error *e) {
  if (m->type != CONSENSUS_APPEND) {
    send(g, m, NULL);
    return ERR_OK;
  }
  return m->append.count > 0 ? send_append(g, m, e) : send_heartbeat(g, m);
}
