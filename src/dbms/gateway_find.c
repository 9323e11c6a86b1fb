// With whom a gateway has something done: of the servers of its cluster that may do it, each is tried once, whoever looks best
// first; then it looks round again with the next tick. Whether it was right, whoever was asked says.
#include "base/checksum.h"
#include "dbms/relay_int.h"

enum { LOST_MS = 2000, SILENT_MS = 3000 }; // not reached so recently, not heard of for so long: only if nobody else is there

struct looking {
  struct relay *relay;
  uint64_t leader; // a guess; 0: none
  uint64_t turn;
  int64_t now_ns;
};

// ---- what is known ----

static uint64_t guess_leader(struct gateway *g, struct str database) {
  uint64_t name = hash64(database.ptr, database.len, 0);
  return g->leaders[name % GATEWAY_LEADERS].name == name ? g->leaders[name % GATEWAY_LEADERS].server : 0;
}

/// In the place of whoever was lost first.
static void note_lost(struct gateway *g, uint64_t server, int64_t now_ns) {
  struct gateway_lost *at = &g->lost[0];
  for (int i = 0; i < GATEWAY_LOST_MAX; i++) {
    struct gateway_lost *l = &g->lost[i];
    if (l->server == server) at = l;
    if (at->server != server && l->until_ns < at->until_ns) at = l;
  }
  *at = (struct gateway_lost){server, now_ns + LOST_MS * NS_PER_MS};
}

static bool is_lost(const struct gateway *g, uint64_t server, int64_t now_ns) {
  for (int i = 0; i < GATEWAY_LOST_MAX; i++)
    if (g->lost[i].server == server && now_ns < g->lost[i].until_ns) return true;
  return false;
}

static bool was_tried(const struct gateway_tried *t, uint64_t server) {
  for (uint32_t i = 0; i < t->count; i++)
    if (t->of[i] == server) return true;
  return false;
}

// ---- who may ----

static bool may_be_asked(const struct relay *r, const struct announcement *s) {
  struct uuid cluster = uuid_get(r->session->dbms->options.cluster->cluster);
  if (!uuid_eq(announcement_cluster(s), cluster) || s->addresses[ADDRESS_ROUTING].len == 0) return false;
  return s->mode == SERVER_CORE || (s->mode == SERVER_READ_REPLICA && !relay_wants_leader(r));
}

static uint32_t count_led(const struct announcement *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->database_count; i++) n += s->databases[i].role == ROLE_LEADER;
  return n;
}

/// The lower the better. Readers are chosen by lot, anew each time, and leave the leader alone.
static uint64_t rank(const struct looking *l, const struct directory_server *s) {
  const struct relay *r = l->relay;
  const struct announcement *said = &s->said;
  bool absent = is_lost(r->session->dbms->gateway, said->number, l->now_ns) || l->now_ns / NS_PER_MS - s->heard_ms > SILENT_MS;
  uint64_t lot = hash64(said->server.bytes, sizeof said->server.bytes, l->turn) >> 40, guess = said->number == l->leader;
  uint64_t order = !relay_wants_leader(r) ? guess : guess ? 0 : 2048 - MIN(count_led(said), 1024u);
  return (uint64_t) absent << 40 | order << 24 | lot;
}

static const struct announcement *choose(const struct looking *l, const struct directory_copy *view) {
  const struct announcement *best = NULL;
  uint64_t best_rank = 0;
  for (uint32_t i = 1; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    if (!may_be_asked(l->relay, s) || was_tried(&l->relay->tried, s->number)) continue;
    uint64_t its = rank(l, &view->servers[i]);
    if (best != NULL && its >= best_rank) continue;
    best = s;
    best_rank = its;
  }
  return best;
}

// ---- meeting ----

/// What came of the last one is still in the relay.
static void learn(struct relay *r, int64_t now_ns) {
  struct gateway *g = r->session->dbms->gateway;
  if (r->tried.count == 0) return;
  uint64_t last = r->tried.of[r->tried.count - 1];
  bool lost = r->op.err == ERR_UNREACHABLE || r->op.err == ERR_CLOSED;
  if (lost) note_lost(g, last, now_ns);
}

static const struct announcement *look_round(struct relay *r, const struct directory_copy *view) {
  struct gateway *g = r->session->dbms->gateway;
  struct looking l = {.relay = r, .now_ns = clock_monotonic_ns(r->session->dbms->options.clock)};
  mutex_lock(&g->mutex);
  learn(r, l.now_ns);
  l.leader = guess_leader(g, r->name);
  l.turn = g->turn++;
  const struct announcement *s = choose(&l, view);
  mutex_unlock(&g->mutex);
  return s;
}

enum err gateway_meet(struct relay *r, struct error *e) {
  struct dbms *d = r->session->dbms;
  CLEANUP(arena_done) struct arena a;
  struct directory_copy view;
  arena_init(&a, NULL);
  TRY(directory_copy(d->options.cluster->directory, &a, &view, e));
  const struct announcement *s = look_round(r, &view);
  if (s == NULL || r->tried.count == GATEWAY_TRIED_MAX) {
    r->tried.count = 0;
    return ERR_AGAIN;
  }
  r->tried.of[r->tried.count++] = s->number;
  if (r->peer.session != NULL && r->peer.server == s->number) return ERR_OK;
  relay_hang_up(r);
  return relay_open_session(r, d->options.remote, s->number, s->addresses[ADDRESS_ROUTING], e);
}
