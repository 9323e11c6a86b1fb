// Leaders of databases are spread over the servers, or are those that the settings prefer (balance.h decides). Each server looks
// at the groups that it leads, once a second, and gives one away at most.
//
// Only while all is calm: the same servers are there for a while, the group has had its leader for a while and changes no
// members, and nobody is writing. Of several the one with the least to do goes.
#include "base/checksum.h"
#include "dbms/balance.h"
#include "dbms/cluster_int.h"
#include "dbms/transaction.h"

enum { CALM_MS = 10000, LAG_MAX = 64 };

struct looking {
  struct cluster *cluster;
  struct directory_copy view;
  uint32_t *leads; // by server of the view
  uint32_t own;
  struct consensus_status status;
  struct consensus_membership members;
  struct balance_server others[CLUSTER_SERVERS_MAX];
};

static bool is_of_ours(const struct looking *l, const struct announcement *s) {
  const struct dbms_cluster_options *o = l->cluster->options;
  return s->mode == SERVER_CORE && s->number != o->server && uuid_eq(announcement_cluster(s), uuid_get(o->cluster));
}

static uint32_t count_led(const struct announcement *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->database_count; i++) n += s->databases[i].role == ROLE_LEADER;
  return n;
}

static uint32_t count_own(struct cluster *c) {
  uint32_t n = 0;
  DATABASES_EACH(db, c->dbms) {
    struct cluster_group *g = db->group;
    n += g != NULL && g->leading != 0;
  }
  return n;
}

/// Servers that came or went, or were lost, begin the calm anew.
static bool is_calm(const struct looking *l, uint64_t now_ms) {
  struct cluster *c = l->cluster;
  uint64_t who = 0;
  for (uint32_t i = 0; i < l->view.count; i++) {
    const struct announcement *s = &l->view.servers[i].said;
    if (is_of_ours(l, s)) who += hash_u64(s->number + (cluster_has_lost(c, s->number) ? 1 : 0)) ^ s->epoch;
  }
  if (who != c->balance_who) c->balance_since_ms = now_ms;
  c->balance_who = who;
  return now_ms - c->balance_since_ms >= CALM_MS;
}

static bool has_tag(const struct announcement *s, struct str tag) {
  for (uint32_t i = 0; i < s->tag_count; i++)
    if (str_eq(s->tags[i], tag)) return true;
  return false;
}

static bool keeps_up(const struct looking *l, uint64_t member) {
  const struct consensus_member *m = consensus_membership_find(&l->members, member);
  if (m == NULL || m->role != CONSENSUS_VOTER) return false;
  for (uint32_t i = 0; i < l->status.progress_count; i++)
    if (l->status.progress[i].member_id == member) return l->status.progress[i].match_index + LAG_MAX >= l->status.last_index;
  return false;
}

/// One that is to leave would only have to give it away again.
static bool can_lead(const struct looking *l, const struct announcement *s, const struct database *db) {
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, db->id))
      return s->databases[i].status == DATABASE_ONLINE && keeps_up(l, s->databases[i].member) &&
             !cluster_has_lost(l->cluster, s->number) && !departs_from(l->cluster->dbms, db, s->server, s->number);
  return false;
}

static void look_at_servers(struct looking *l, const struct database *db, struct str wish, struct balance_view *ret) {
  for (uint32_t i = 0; i < l->view.count && ret->count < CLUSTER_SERVERS_MAX; i++) {
    const struct announcement *s = &l->view.servers[i].said;
    bool preferred = wish.len > 0 && has_tag(s, wish);
    if (s->number == l->cluster->options->server) ret->self.preferred = preferred;
    if (is_of_ours(l, s))
      l->others[ret->count++] = (struct balance_server){s->number, l->leads[i], preferred, can_lead(l, s, db)};
  }
}

/// Who is to lead the group that this server leads; 0: nobody else, or not now.
static uint64_t target(struct looking *l, struct cluster_group *g, uint64_t now_ms) {
  const struct config_values *config = l->cluster->dbms->options.config;
  if (g->leading == 0 || now_ms - g->led_since_ms < CALM_MS) return 0;
  group_status(host_group(g->member), &l->status);
  group_membership(host_group(g->member), &l->members);
  if (!l->status.open || l->status.change_under_way || l->status.transferee != 0) return 0;
  struct str wish = balance_wish(config->leadership_priority, g->database->name);
  struct balance_view v = {.self = {.number = l->cluster->options->server, .leads = l->own},
                           .others = l->others,
                           .equal = str_eqz(config->leadership_balancing, "EQUAL_BALANCING"),
                           .has_wishes = wish.len > 0};
  look_at_servers(l, g->database, wish, &v);
  return balance_target(&v);
}

static void give(struct looking *l, struct cluster_group *g, uint64_t server, uint64_t now_ms) {
  (void) target(l, g, now_ms); // its members
  for (uint32_t i = 0; i < l->members.count; i++) {
    uint64_t member = l->members.members[i].id;
    if (member_server(member) != server || !keeps_up(l, member)) continue;
    if (group_transfer(host_group(g->member), now_ms, member, NULL) != ERR_OK) return; // the next look will do
    host_touch(g->member);
    g->led_since_ms = now_ms; // if it does not come to be, it is tried again after a while
    event_raise(l->cluster->dbms->options.events, EVENT_INFO, "cluster.balance", "[%.*s] Leadership goes to %s.",
                STR_ARG(g->database->name), cluster_name_of(l->cluster, server).z);
    return;
  }
}

static int64_t pace_of(struct cluster_group *g) {
  struct cluster_status s;
  cluster_status(g, &s);
  return s.entries_per_second;
}

static void look(struct looking *l, uint64_t now_ms) {
  struct cluster_group *least = NULL;
  uint64_t to = 0;
  l->own = count_own(l->cluster);
  if (l->own == 0 || !is_calm(l, now_ms)) return;
  for (uint32_t i = 0; i < l->view.count; i++) l->leads[i] = count_led(&l->view.servers[i].said);
  DATABASES_EACH(db, l->cluster->dbms) {
    struct cluster_group *g = db->group;
    if (g == NULL || (least != NULL && pace_of(g) >= pace_of(least))) continue;
    uint64_t server = target(l, g, now_ms);
    if (server == 0 || transactions_are_writing(l->cluster->dbms, db)) continue;
    least = g;
    to = server;
  }
  if (least != NULL) give(l, least, to, now_ms);
}

void cluster_balance(void *context) {
  struct cluster *c = context;
  struct arena a;
  arena_init(&a, NULL);
  struct looking *l = ARENA_NEW(&a, struct looking);
  enum err err = l != NULL ? directory_copy(c->options->directory, &a, &l->view, NULL) : ERR_NOMEM;
  if (err == ERR_OK) l->leads = ARENA_ARRAY(&a, uint32_t, l->view.count + 1);
  if (err == ERR_OK && l->leads != NULL) {
    l->cluster = c;
    feature_level_look(c->dbms, &l->view);
    look(l, cluster_now_ms(c));
  } // without memory the next look will do
  arena_done(&a);
}
