// Whether the members of a group and its read replicas hold the same: whoever leads asks for one range after the other, every
// server says what it found with what it says of its databases, and compares. One that differs from most of those who vote stops
// serving the database, hands leadership on, and gets a copy of the store from one of those that agree (docs/adr/0014). The
// groups' loop; of a replica, the bulk loop.
#include <stdio.h>

#include "dbms/cluster_int.h"
#include "dbms/digest_judge.h"
#include "dbms/reconcile.h"
#include "dbms/transaction.h"
#include "graph/digest.h"
#include "graph/replica.h"
#include "store/checkpoint.h"

enum {
  INTERVAL_MS = 5000,      // between two ranges
  LOOKS = 5,               // meanwhile
  LOOKS_TO_HEAR = 2,       // the last answer
  PATIENCE_INTERVALS = 12, // for servers that are heard of and have not said anything
};

static uint64_t interval_ms(const struct cluster *c) {
  return c->options->digest_interval_ms > 0 ? (uint64_t) c->options->digest_interval_ms : INTERVAL_MS;
}

int64_t cluster_digest_look_ms(const struct cluster *c) {
  return (int64_t) interval_ms(c) / LOOKS + 1;
}

// ---- what the others say ----

struct answers {
  uint32_t count;
  struct digest_said of[CLUSTER_SERVERS_MAX];
};

/// The group's database as the server says it has it; NULL: it is none of this cluster, or does not have it.
static const struct announced_database *announced(const struct cluster_group *g, const struct announcement *s) {
  if (!uuid_eq(announcement_cluster(s), uuid_get(g->cluster->options->cluster))) return NULL;
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, g->database->id)) return &s->databases[i];
  return NULL;
}

static struct digest_said said(uint64_t server, const struct announced_database *d) {
  bool serves = d->status == DATABASE_ONLINE || d->status == DATABASE_QUARANTINED;
  return (struct digest_said){server, serves, d->digest_index, d->digest};
}

static struct digest_said hear(const struct cluster_group *g, const struct directory_copy *view, uint64_t server) {
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = s->number == server ? announced(g, s) : NULL;
    if (d != NULL) return said(server, d);
  }
  return (struct digest_said){.server = server};
}

/// This server itself as `here` says, whatever it has told the others so far.
static void find_voters(struct cluster_group *g, const struct directory_copy *view, const struct digest_said *here,
                        struct answers *ret) {
  struct cluster_members members;
  cluster_members(g, &members);
  ret->count = 0;
  for (uint32_t i = 0; i < members.count; i++)
    if (members.of[i].votes)
      ret->of[ret->count++] = members.of[i].server == here->server ? *here : hear(g, view, members.of[i].server);
}

/// A replica knows of a group only who says that it is a member, and how many vote: `voting`, 0: it does not know. A member
/// without a vote counts as if it had one (docs/adr/0014, "What is not covered"); those that are not heard of have said nothing.
static void find_members(const struct cluster_group *g, const struct directory_copy *view, uint32_t voting, struct answers *ret) {
  *ret = (struct answers){.count = 0};
  if (voting == 0) return;
  for (uint32_t i = 0; i < view->count && ret->count < CLUSTER_SERVERS_MAX; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = announced(g, s);
    if (d != NULL && d->member != 0) ret->of[ret->count++] = said(s->number, d);
  }
  ret->count = MIN(MAX(ret->count, voting), (uint32_t) CLUSTER_SERVERS_MAX);
}

/// Those that serve.
static void find_replicas(const struct cluster_group *g, const struct directory_copy *view, struct answers *ret) {
  ret->count = 0;
  for (uint32_t i = 0; i < view->count && ret->count < CLUSTER_SERVERS_MAX; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = announced(g, s);
    if (d != NULL && d->role == ROLE_LEARNER && d->status == DATABASE_ONLINE) ret->of[ret->count++] = said(s->number, d);
  }
}

// ---- one that differs ----

static void name_range(const struct digest_result *r, char text[96]) {
  if (r->range.of == DIGEST_NAMES)
    snprintf(text, 96, "the names and the schema");
  else
    snprintf(text, 96, "%s %llu to %llu", digest_of_text(r->range.of), (unsigned long long) r->range.from,
             (unsigned long long) r->range.to);
}

static void tell_differs(struct cluster_group *g, const struct digest_result *r, uint32_t others, uint64_t majority) {
  char range[96];
  name_range(r, range);
  event_raise(
      g->cluster->dbms->options.events, EVENT_ERROR, "cluster.digest",
      "[%.*s] What this server has of %s as of transaction %llu differs from what %u others have: digest %016llx here, %016llx "
      "there. The database is not served here until a copy of theirs is in its place. Look for errors of the disk, and keep "
      "the log file: it should not happen.",
      STR_ARG(g->database->name), range, (unsigned long long) r->index, others, (unsigned long long) r->digest,
      (unsigned long long) majority);
}

/// One that is in quarantine already, perhaps since the last life of this server, learns who is sound now.
static void quarantine(struct cluster_group *g, const struct digest_result *r, const struct answers *voters, uint64_t majority) {
  struct database *db = g->database;
  struct quarantine q = {.on = true, .index = graph_applied(db->graph).index};
  bool is_new = !database_is_quarantined(db, NULL);
  for (uint32_t i = 0; i < voters->count; i++)
    if (voters->of[i].index == r->index && voters->of[i].digest == majority) q.sound[q.sound_count++] = voters->of[i].server;
  if (is_new) tell_differs(g, r, q.sound_count, majority);
  database_quarantine(db, &q);
  q.index = graph_applied(db->graph).index; // nobody reads any more: a copy is not older than what was read
  database_quarantine(db, &q);
  reconcile_soon(g->cluster->dbms);
  if (!is_new) return;
  transactions_part(g->cluster->dbms, db);
  cluster_tell_others(g->cluster);
}

static void tell_disunited(struct cluster_group *g, const struct digest_result *r) {
  char range[96];
  name_range(r, range);
  event_raise(g->cluster->dbms->options.events, EVENT_ERROR, "cluster.digest",
              "[%.*s] The servers do not agree about %s as of transaction %llu, and no majority has the same: digest %016llx "
              "here. Nobody "
              "can say whose is right: compare the data, and drop the server whose is wrong.",
              STR_ARG(g->database->name), range, (unsigned long long) r->index, (unsigned long long) r->digest);
}

static void judge(struct cluster_group *g, const struct digest_result *r, const struct digest_said *here,
                  const struct answers *voters) {
  uint64_t majority = 0;
  if (r->index == g->digest_judged) return;
  switch (digest_judge(here, voters->of, voters->count, &majority)) {
  case DIGEST_OPEN: return;
  case DIGEST_AGREES: break;
  case DIGEST_DIFFERS: quarantine(g, r, voters, majority); break;
  case DIGEST_DISUNITE:
    if (g->member != NULL) tell_disunited(g, r); // of a replica that is nothing new: the members say it themselves
    break;
  }
  g->digest_judged = r->index;
}

/// Again and again until the copy is in its place, with which this group ends and another one begins.
static void mend(struct cluster_group *g) {
  uint64_t index;
  if (!database_is_quarantined(g->database, &index)) return;
  uint64_t now_ms = cluster_now_ms(g->cluster);
  if (g->leading != 0 && group_transfer(host_group(g->member), now_ms, 0, NULL) == ERR_OK) host_touch(g->member);
  cluster_fetch(g->cluster, g->database, index);
}

/// Copies are made of checkpoints: whoever is in quarantine waits for one that is new enough.
static void help(struct cluster_group *g, const struct directory_copy *view) {
  struct graph *graph = g->database->graph;
  struct checkpoint_status durable;
  uint64_t wanted = 0;
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = s->number != g->cluster->options->server ? announced(g, s) : NULL;
    if (d != NULL && d->status == DATABASE_QUARANTINED) wanted = MAX(wanted, d->digest_index);
  }
  checkpoint_status(graph_store(graph), &durable);
  if (wanted > durable.durable_index && wanted <= graph_applied(graph).index && !checkpoint_active(graph_store(graph)))
    graph_checkpoint_soon(graph);
}

// ---- asking ----

/// Not before all have answered, and have had the time to hear each other: what is said of the next range takes the place of what
/// was said of this one.
static void ask(struct cluster_group *g, uint64_t index, const struct answers *voters, const struct answers *replicas) {
  uint64_t between_ms = interval_ms(g->cluster), now_ms = cluster_now_ms(g->cluster), past_ms = now_ms - g->digest_asked_ms;
  bool news = digest_is_new_to(voters->of, voters->count) || digest_is_new_to(replicas->of, replicas->count);
  bool answered =
      digest_is_answered(index, voters->of, voters->count) && digest_is_answered(index, replicas->of, replicas->count);
  if (news) graph_digest_again(g->database->graph);
  if (!answered) g->digest_lacked_ms = now_ms;
  bool heard = now_ms - g->digest_lacked_ms > LOOKS_TO_HEAR * (uint64_t) cluster_digest_look_ms(g->cluster);
  bool patient = past_ms < between_ms * PATIENCE_INTERVALS && !heard;
  if (past_ms < between_ms || patient || !graph_digest_is_due(g->database->graph)) return;
  g->digest_asked_ms = now_ms;
  struct error e = ERROR_INIT;
  enum err err = graph_digest_ask(g->database->graph, voters->count, &e);
  if (err != ERR_OK && err != ERR_BUSY && err != ERR_NOT_LEADER) cluster_raise(g, EVENT_WARN, "cluster.digest", e.message);
}

static void look(struct cluster_group *g, const struct directory_copy *view) {
  struct digest_result r;
  struct answers voters, replicas;
  bool follows = g->member == NULL;
  graph_digest_last(g->database->graph, &r);
  struct digest_said here = {g->cluster->options->server, true, r.index, r.digest};
  if (follows)
    find_members(g, view, r.voters, &voters);
  else
    find_voters(g, view, &here, &voters);
  judge(g, &r, &here, &voters);
  mend(g);
  if (follows) return;
  find_replicas(g, view, &replicas);
  help(g, view);
  ask(g, r.index, &voters, &replicas);
}

static bool has_failed(struct cluster_group *g) {
  struct cluster_status s;
  if (g->member != NULL) return group_failure(host_group(g->member), NULL) != ERR_OK;
  cluster_status(g, &s);
  return s.role == CLUSTER_FAILED;
}

void cluster_digest(void *context) {
  struct cluster_group *g = context;
  struct directory *directory = g->cluster->options->directory;
  struct directory_copy view;
  struct arena a;
  if (directory == NULL || has_failed(g)) return;
  arena_init(&a, NULL);
  if (directory_copy(directory, &a, &view, NULL) == ERR_OK) look(g, &view); // without memory the next look will do
  arena_done(&a);
}
