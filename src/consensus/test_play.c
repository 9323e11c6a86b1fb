#include "consensus/test_play.h"

#include <string.h>

#include "consensus/test_world.h"

#define SELF 1u
#define LOG_MAX (WORLD_LOG - 60u)

struct player {
  struct world *w;
  const uint8_t *at, *end;
};

/// 0 to `below` - 1; 0 when the script is over.
static uint64_t take(struct player *p, uint64_t below) {
  return p->at == p->end ? 0 : *p->at++ % below;
}

/// About `center`, mostly exactly.
static uint64_t near_to(struct player *p, uint64_t center) {
  uint64_t way = take(p, 16), shifted = center + take(p, 8);
  if (way < 10) return center;
  if (way < 14) return shifted - MIN(shifted, 4u);
  return take(p, center + 2);
}

static struct world_member *self(struct player *p) {
  return &p->w->members[SELF];
}

static uint64_t term_at(struct player *p, uint64_t index) {
  uint64_t term = 0;
  return consensus_term_at(self(p)->group, index, &term, NULL) == ERR_OK ? term : 0;
}

/// The membership in force with something changed.
static struct consensus_membership some_membership(struct player *p) {
  struct consensus_membership m;
  consensus_membership(self(p)->group, &m);
  uint64_t id = 1 + take(p, WORLD_MEMBERS - 1);
  const struct consensus_member *there = consensus_membership_find(&m, id);
  uint8_t role = (uint8_t) take(p, 3);
  if (there == NULL && role == 0) role = CONSENSUS_LEARNER;
  return world_membership(p->w, SELF, id, role);
}

static bool usable(const struct consensus_membership *m) {
  return m->count > 0 && consensus_membership_voters(m) > 0;
}

// ---- messages ----

static void make_append(struct player *p, struct consensus_message *m, struct consensus_entry entries[8],
                        struct consensus_membership memberships[8]) {
  struct consensus_status s = world_status(p->w, SELF);
  m->append.previous_index = take(p, 3) == 0 ? near_to(p, s.commit_index) : near_to(p, s.last_index);
  uint64_t known = term_at(p, m->append.previous_index);
  m->append.previous_term = take(p, 12) == 0 ? take(p, m->term + 2) : known;
  m->append.commit_index = near_to(p, s.commit_index + take(p, 6));
  m->append.count = (uint32_t) take(p, 9);
  uint64_t term = m->append.previous_term;
  for (uint32_t i = 0; i < m->append.count; i++) {
    if (take(p, 4) == 0) term = MIN(m->term, term + take(p, 3));
    term = MAX(term, 1u);
    entries[i] = (struct consensus_entry){.index = m->append.previous_index + 1 + i, .term = term, .kind = CONSENSUS_DATA};
    // What an entry is follows from its place and term, as it does in a cluster.
    if ((entries[i].index * 31 + term * 7) % 11 < 2) {
      memberships[i] = some_membership(p);
      memberships[i].index = entries[i].index;
      entries[i].kind = CONSENSUS_MEMBERSHIP;
      entries[i].membership = &memberships[i];
    }
  }
  m->append.entries = entries;
}

static void make_install(struct player *p, struct consensus_message *m, struct consensus_membership *membership) {
  struct consensus_status s = world_status(p->w, SELF);
  *membership = some_membership(p);
  m->install.last_index = near_to(p, s.last_index + take(p, 12));
  uint64_t known = term_at(p, m->install.last_index);
  m->install.last_term = known != 0 && take(p, 4) != 0 ? known : near_to(p, m->term);
  membership->index = MAX(1u, MIN(m->install.last_index, take(p, 64)));
  m->install.membership = membership;
  m->install.copied_index = take(p, 3) != 0 ? m->install.last_index : s.applied_index + take(p, 12);
  m->install.copied_term = m->install.last_term;
}

static void make_vote(struct player *p, struct consensus_message *m) {
  struct consensus_status s = world_status(p->w, SELF);
  m->vote.last_index = near_to(p, s.last_index);
  m->vote.last_term = MIN(m->term, near_to(p, term_at(p, s.last_index)));
  m->vote.pre_vote = take(p, 3) == 0;
  m->vote.disrupt_leader = take(p, 2);
}

/// The leader of this term says what is true; of others it may be anything.
static void make_acknowledged(struct player *p, struct consensus_message *m) {
  struct consensus_status s = world_status(p->w, SELF);
  if (take(p, 2)) m->peer = s.leader;
  bool is_true = m->peer == s.leader && m->term == s.term;
  m->acknowledged.last_index = is_true ? take(p, s.durable_index + 1) : near_to(p, s.last_index);
  m->acknowledged.last_term = take(p, 4) == 0 ? 0 : term_at(p, m->acknowledged.last_index);
}

static void receive(struct player *p) {
  struct consensus_entry entries[8] = {0};
  struct consensus_membership memberships[8];
  struct consensus_status s = world_status(p->w, SELF);
  struct consensus_message m = {.type = (enum consensus_message_type) take(p, CONSENSUS_MESSAGE_TYPE_MAX + 3)};
  if (m.type >= CONSENSUS_MESSAGE_TYPE_MAX) m.type = CONSENSUS_APPEND;
  m.peer = take(p, 20) == 0 ? take(p, WORLD_MEMBERS) : 2 + take(p, 2);
  m.term = near_to(p, s.term + (take(p, 8) == 0));
  switch (m.type) {
  case CONSENSUS_APPEND: make_append(p, &m, entries, memberships); break;
  case CONSENSUS_APPEND_RESULT:
    if (take(p, 3) == 0) m.append_result.rejected = near_to(p, s.last_index);
    m.append_result.last_index = take(p, 2) ? near_to(p, s.last_index) : take(p, s.last_index + 2);
    break;
  case CONSENSUS_VOTE: make_vote(p, &m); break;
  case CONSENSUS_VOTE_RESULT:
    m.vote_result.granted = take(p, 4) != 0;
    m.vote_result.pre_vote = take(p, 2);
    if (m.vote_result.pre_vote) m.term = near_to(p, s.term + 1);
    break;
  case CONSENSUS_INSTALL: make_install(p, &m, &memberships[0]); break;
  case CONSENSUS_TIMEOUT_NOW:
    m.timeout_now.last_index = near_to(p, s.last_index);
    m.timeout_now.last_term = term_at(p, m.timeout_now.last_index);
    if (take(p, 2)) m.peer = s.leader;
    break;
  case CONSENSUS_ACKNOWLEDGED: make_acknowledged(p, &m); break;
  case CONSENSUS_READ_PROBE: m.read_probe.nonce = take(p, 9); break;
  case CONSENSUS_READ_PROBE_RESULT:
    m.read_probe_result.nonce = take(p, 9);
    m.read_probe_result.confirmed = take(p, 4) != 0;
    break;
  default: break;
  }
  world_receive(p->w, SELF, &m);
}

// ---- the member's own events ----

/// Loses what is not durable. What was committed and not applied here is known to nobody in this world of one.
static void crash(struct player *p) {
  struct world_member *x = self(p);
  world_persist(p->w, SELF, take(p, x->write_count + 1));
  x->durable_applied = MAX(x->durable_applied, x->applied);
  for (uint64_t i = x->durable_applied + 1; i < WORLD_LOG; i++) p->w->committed[i] = (struct world_entry){0};
  world_crash(p->w, SELF);
  world_start(p->w, SELF);
}

static void change(struct player *p) {
  struct consensus_membership to = some_membership(p);
  if (usable(&to)) (void) world_change(p->w, SELF, &to);
}

static void compact(struct player *p) {
  struct consensus_status s = world_status(p->w, SELF);
  uint64_t index = near_to(p, s.applied_index);
  if (index <= s.applied_index && index >= s.first_index) (void) world_compact(p->w, SELF, index, take(p, 40));
}

static void event(struct player *p) {
  struct world_member *x = self(p);
  switch (take(p, 24)) {
  case 0: world_timeout(p->w, SELF); break;
  case 1: world_timeout(p->w, SELF); break;
  case 2: p->w->now_ms += 30 * take(p, 50); break;
  case 3: world_persist(p->w, SELF, x->write_count); break;
  case 4: world_persist(p->w, SELF, take(p, x->write_count + 1)); break;
  case 5: world_apply(p->w, SELF); break;
  case 6: x->slow_apply = !x->slow_apply; break;
  case 7: crash(p); break;
  case 8: (void) world_propose(p->w, SELF, 1 + take(p, 200)); break;
  case 9: change(p); break;
  case 10: (void) world_catch_up(p->w, SELF, 2 + take(p, 6)); break;
  case 11: (void) world_transfer(p->w, SELF, take(p, 5)); break;
  case 12: (void) world_read(p->w, SELF, take(p, 100)); break;
  case 13: compact(p); break;
  case 14: world_lose_connection(p->w, SELF, take(p, 5)); break;
  default: receive(p); break;
  }
  world_lose_all(p->w);
}

void play(const uint8_t *script, size_t bytes) {
  struct player p = {.w = world_new(3, 0), .at = script, .end = script + bytes};
  p.w->quiet = true;
  p.w->members[SELF].slow_disk = true;
  if (take(&p, 4) == 0) world_write_disk(p.w, SELF, 4, (const uint64_t[]){1, 2, 2, 4, 4, 0});
  world_start(p.w, SELF);
  for (int i = 0; i < 400 && p.at != p.end && self(&p)->memory.last < LOG_MAX; i++) event(&p);
  world_free(p.w);
}
