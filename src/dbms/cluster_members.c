// Who belongs to a group: every core of the cluster that is there. The leader takes in who is new, first without a vote, until it
// keeps up; it takes out the former self of a server that came back without its data (contract 20), and servers that were asked
// to leave (departure.h).
//
// A server that is merely away stays a member: its vote belongs to its data, and the set never shrinks by itself. Where a server
// is to leave, so many stay that vote as the settings say: else it waits, and the log says for what.
#include "dbms/cluster_int.h"
#include "store/store.h"

struct looking {
  struct cluster_group *group;
  struct consensus_membership now;
  struct consensus_status status;
  struct directory_copy view;
  struct uuid cluster, database;
};

static const struct announced_database *announced(const struct looking *l, const struct announcement *s) {
  if (s->mode != SERVER_CORE || !uuid_eq(announcement_cluster(s), l->cluster)) return NULL;
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, l->database) && s->databases[i].member != 0) return &s->databases[i];
  return NULL;
}

/// The member that the server says it is now; 0: it is not there, or does not say.
static uint64_t member_now(const struct looking *l, uint64_t server) {
  for (uint32_t i = 0; i < l->view.count; i++) {
    const struct announcement *s = &l->view.servers[i].said;
    const struct announced_database *d = s->number == server ? announced(l, s) : NULL;
    if (d != NULL) return d->member;
  }
  return 0;
}

/// Of the server of that member; none: it is not there.
static struct uuid server_uuid(const struct looking *l, uint64_t member) {
  for (uint32_t i = 0; i < l->view.count; i++)
    if (l->view.servers[i].said.number == member_server(member)) return l->view.servers[i].said.server;
  return (struct uuid){{0}};
}

static void propose(struct looking *l, const struct consensus_membership *to, const char *what, uint64_t member) {
  struct cluster_group *g = l->group;
  struct error e = ERROR_INIT;
  enum err err = group_change(host_group(g->member), cluster_now_ms(g->cluster), to, &e);
  host_touch(g->member);
  if (err == ERR_BUSY || err == ERR_NOT_LEADER) return; // the next look will do
  event_raise(g->cluster->dbms->options.events, err == ERR_OK ? EVENT_INFO : EVENT_WARN, "cluster.member.change",
              "[%.*s] %s %s%s%s", STR_ARG(g->database->name), cluster_name_of(g->cluster, member_server(member)).z, what,
              err == ERR_OK ? "." : ": ", err == ERR_OK ? "" : e.message);
}

/// Keeps the order by id.
static bool insert(struct consensus_membership *m, uint64_t id, struct str address) {
  if (m->count == CONSENSUS_MEMBERS_MAX || address.len >= CONSENSUS_ADDRESS_BYTES) return false;
  uint32_t at = m->count++;
  for (; at > 0 && m->members[at - 1].id > id; at--) m->members[at] = m->members[at - 1];
  m->members[at] = (struct consensus_member){.id = id, .role = CONSENSUS_LEARNER};
  memcpy(m->members[at].address, address.ptr, address.len);
  return true;
}

static bool departs(const struct looking *l, struct uuid server, uint64_t number) {
  return departs_from(l->group->cluster->dbms, l->group->database, server, number);
}

static bool is_new(const struct looking *l, const struct announcement *s) {
  const struct announced_database *d = announced(l, s);
  return d != NULL && member_server(d->member) == s->number && consensus_membership_find(&l->now, d->member) == NULL &&
         !departs(l, s->server, s->number) && feature_level_is_known_to(l->group->cluster->dbms, s);
}

static bool take_in_new(struct looking *l) {
  for (uint32_t i = 0; i < l->view.count; i++) {
    const struct announcement *s = &l->view.servers[i].said;
    const struct announced_database *d = announced(l, s);
    if (!is_new(l, s)) continue;
    struct consensus_membership to = l->now;
    if (!insert(&to, d->member, s->addresses[ADDRESS_RAFT])) continue;
    propose(l, &to, "joins and is brought up to date", d->member);
    return true;
  }
  return false;
}

static bool catch_up(struct looking *l, uint64_t id, enum consensus_catch_up_state state) {
  struct cluster_group *g = l->group;
  if (state == CONSENSUS_CATCH_UP_RUNNING) return false;
  if (state != CONSENSUS_CATCH_UP_FINISHED) {
    enum err err = group_catch_up(host_group(g->member), cluster_now_ms(g->cluster), id, NULL);
    host_touch(g->member);
    return err == ERR_OK; // else the next look will do
  }
  struct consensus_membership to = l->now;
  for (uint32_t i = 0; i < to.count; i++)
    if (to.members[i].id == id) to.members[i].role = CONSENSUS_VOTER;
  propose(l, &to, "has caught up and votes from now on", id);
  return true;
}

static bool promote_learners(struct looking *l) {
  for (uint32_t i = 0; i < l->status.progress_count; i++) {
    const struct consensus_progress *p = &l->status.progress[i];
    const struct consensus_member *m = consensus_membership_find(&l->now, p->member_id);
    bool there = m != NULL && member_now(l, member_server(m->id)) == m->id;
    if (there && m->role == CONSENSUS_LEARNER && !departs(l, server_uuid(l, m->id), member_server(m->id)) &&
        catch_up(l, m->id, p->catch_up))
      return true;
  }
  return false;
}

/// Its server says that it is another member now. That goes before the other one is taken in: a vote that nobody can give any
/// more would keep every promotion waiting.
static bool is_replaced(const struct looking *l, const struct consensus_member *m) {
  uint64_t now = member_now(l, member_server(m->id));
  return now != 0 && now != m->id;
}

static void take_out(struct looking *l, uint32_t i, const char *why) {
  struct consensus_membership to = l->now;
  uint64_t id = to.members[i].id;
  memmove(&to.members[i], &to.members[i + 1], (to.count - i - 1) * sizeof to.members[0]);
  to.count--;
  propose(l, &to, why, id);
}

static bool take_out_former(struct looking *l) {
  for (uint32_t i = 0; i < l->now.count; i++) {
    uint64_t id = l->now.members[i].id;
    if (id == l->status.member_id || !is_replaced(l, &l->now.members[i])) continue;
    take_out(l, i, "has come back without its data: its former self is voted out");
    return true;
  }
  return false;
}

// ---- who is to leave ----

static void tell_unsafe(struct looking *l, uint64_t id, uint32_t voters) {
  struct cluster_group *g = l->group;
  if (g->unsafe_told == id) return;
  g->unsafe_told = id;
  event_raise(g->cluster->dbms->options.events, EVENT_WARN, "cluster.member.unsafe",
              "[%.*s] Not safe to remove member [%s] because it would reduce the number of voting members below the expected "
              "cluster size of %lld: %u would be left. It stays until there are more.",
              STR_ARG(g->database->name), cluster_name_of(g->cluster, member_server(id)).z,
              (long long) g->cluster->dbms->options.config->runtime_minimum, voters);
}

/// Whether enough go on to vote without it.
static bool may_leave(struct looking *l, const struct consensus_member *leaving) {
  uint32_t voters = 0, learners = 0;
  if (leaving->role != CONSENSUS_VOTER) return true;
  for (uint32_t i = 0; i < l->now.count; i++) {
    const struct consensus_member *m = &l->now.members[i];
    if (m->id == leaving->id) continue;
    if (m->role == CONSENSUS_VOTER) voters++;
    learners += m->role == CONSENSUS_LEARNER && member_now(l, member_server(m->id)) == m->id;
  }
  for (uint32_t i = 0; i < l->view.count; i++) learners += is_new(l, &l->view.servers[i].said);
  uint32_t minimum = (uint32_t) l->group->cluster->dbms->options.config->runtime_minimum;
  uint64_t server = member_server(leaving->id);
  bool is_there = member_now(l, server) == leaving->id && !cluster_has_lost(l->group->cluster, server);
  bool safe = departure_is_safe(voters, learners, is_there, minimum);
  if (!safe) tell_unsafe(l, leaving->id, voters);
  return safe;
}

/// A leader does not take its own vote: one that stays leads first, who is most up to date.
static void hand_on(struct looking *l) {
  struct cluster_group *g = l->group;
  uint64_t best = 0, best_index = 0;
  for (uint32_t i = 0; i < l->status.progress_count; i++) {
    const struct consensus_progress *p = &l->status.progress[i];
    const struct consensus_member *m = consensus_membership_find(&l->now, p->member_id);
    bool fits = m != NULL && m->role == CONSENSUS_VOTER && m->id != l->status.member_id &&
                !departs(l, server_uuid(l, m->id), member_server(m->id)) && member_now(l, member_server(m->id)) == m->id;
    if (!fits || p->match_index < best_index) continue;
    best = m->id;
    best_index = p->match_index;
  }
  if (best == 0) return;
  enum err err = group_transfer(host_group(g->member), cluster_now_ms(g->cluster), best, NULL);
  if (err == ERR_OK) host_touch(g->member); // else the next look will do
}

static bool take_out_leaving(struct looking *l) {
  for (uint32_t i = 0; i < l->now.count; i++) {
    const struct consensus_member *m = &l->now.members[i];
    if (!departs(l, server_uuid(l, m->id), member_server(m->id)) || !may_leave(l, m)) continue;
    if (m->id == l->status.member_id)
      hand_on(l);
    else
      take_out(l, i, "is taken out of the group, as it was asked for");
    return true;
  }
  return false;
}

/// Members are reached where they say they are, wherever the group's log says they were.
static void follow_addresses(struct looking *l) {
  struct host *host = l->group->cluster->host;
  for (uint32_t i = 0; i < l->view.count; i++) {
    const struct announcement *s = &l->view.servers[i].said;
    char address[HELLO_ADDRESS_BYTES];
    struct str at = s->addresses[ADDRESS_RAFT];
    if (announced(l, s) == NULL || at.len == 0 || at.len >= sizeof address) continue;
    memcpy(address, at.ptr, at.len);
    address[at.len] = '\0';
    host_peer_move(host, s->number, address);
  }
}

static void look(struct looking *l) {
  struct cluster_group *g = l->group;
  follow_addresses(l);
  group_membership(host_group(g->member), &l->now);
  if (g->database->is_system) scale_down_look(g->cluster->dbms, g->leading != 0, &l->now, &l->view);
  if (g->leading == 0) return;
  group_status(host_group(g->member), &l->status);
  if (!l->status.open || l->status.change_under_way) return;
  if (!take_out_former(l) && !take_out_leaving(l) && !promote_learners(l)) take_in_new(l);
}

void cluster_look_round(void *context) {
  struct cluster_group *g = context;
  struct directory *directory = g->cluster->options->directory;
  if (directory == NULL || group_failure(host_group(g->member), NULL) != ERR_OK) return;
  struct arena a;
  arena_init(&a, NULL);
  struct looking *l = ARENA_NEW(&a, struct looking);
  if (l != NULL && directory_copy(directory, &a, &l->view, NULL) == ERR_OK) {
    l->group = g;
    l->cluster = uuid_get(g->cluster->options->cluster);
    l->database = g->database->id;
    look(l);
  } // without memory the next look will do
  arena_done(&a);
}
