// Whether the members of a group hold the same: whoever leads asks for one range after the other, every member says what it found
// with what it says of its databases, and compares. One that differs from most of those who vote stops serving the database,
// hands leadership on, and gets a copy of the store from one of those that agree (docs/adr/0014). The groups' loop.
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
  PATIENCE_INTERVALS = 12, // for members that are heard of and have not said anything
};

uint64_t cluster_digest_interval_ms(const struct cluster *c) {
  return c->options->digest_interval_ms > 0 ? (uint64_t) c->options->digest_interval_ms : INTERVAL_MS;
}

// ---- what the voters say ----

struct voters {
  uint32_t count;
  struct digest_said of[CLUSTER_SERVERS_MAX];
};

static void hear(const struct directory_copy *view, struct uuid cluster, struct uuid database, struct digest_said *voter) {
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    if (s->number != voter->server || !uuid_eq(announcement_cluster(s), cluster)) continue;
    for (uint32_t k = 0; k < s->database_count; k++) {
      const struct announced_database *d = &s->databases[k];
      bool serves = d->status == DATABASE_ONLINE || d->status == DATABASE_QUARANTINED;
      if (uuid_eq(d->uuid, database)) *voter = (struct digest_said){voter->server, serves, d->digest_index, d->digest};
    }
  }
}

/// This server itself as `here` says, whatever it has told the others so far.
static void find_voters(struct cluster_group *g, const struct directory_copy *view, const struct digest_said *here,
                        struct voters *ret) {
  struct uuid cluster = uuid_get(g->cluster->options->cluster);
  struct cluster_members members;
  cluster_members(g, &members);
  ret->count = 0;
  for (uint32_t i = 0; i < members.count; i++) {
    if (!members.of[i].votes) continue;
    struct digest_said *voter = &ret->of[ret->count++];
    *voter = (struct digest_said){.server = members.of[i].server};
    if (voter->server == here->server)
      *voter = *here;
    else
      hear(view, cluster, g->database->id, voter);
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
static void quarantine(struct cluster_group *g, const struct digest_result *r, const struct voters *voters, uint64_t majority) {
  struct database *db = g->database;
  struct quarantine q = {.on = true, .index = graph_applied(db->graph).index};
  bool is_new = !database_is_quarantined(db, NULL);
  for (uint32_t i = 0; i < voters->count; i++)
    if (voters->of[i].index == r->index && voters->of[i].digest == majority) q.sound[q.sound_count++] = voters->of[i].server;
  if (is_new) tell_differs(g, r, q.sound_count, majority);
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
                  const struct voters *voters) {
  uint64_t majority = 0;
  if (r->index == g->digest_judged) return;
  switch (digest_judge(here, voters->of, voters->count, &majority)) {
  case DIGEST_OPEN: return;
  case DIGEST_AGREES: break;
  case DIGEST_DIFFERS: quarantine(g, r, voters, majority); break;
  case DIGEST_DISUNITE: tell_disunited(g, r); break;
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
  struct uuid cluster = uuid_get(g->cluster->options->cluster);
  struct graph *graph = g->database->graph;
  struct checkpoint_status durable;
  uint64_t wanted = 0;
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    if (s->number == g->cluster->options->server || !uuid_eq(announcement_cluster(s), cluster)) continue;
    for (uint32_t k = 0; k < s->database_count; k++)
      if (uuid_eq(s->databases[k].uuid, g->database->id) && s->databases[k].status == DATABASE_QUARANTINED)
        wanted = MAX(wanted, s->databases[k].digest_index);
  }
  checkpoint_status(graph_store(graph), &durable);
  if (wanted > durable.durable_index && wanted <= graph_applied(graph).index && !checkpoint_active(graph_store(graph)))
    graph_checkpoint_soon(graph);
}

// ---- asking ----

static void ask(struct cluster_group *g, uint64_t index, const struct voters *voters) {
  uint64_t interval_ms = cluster_digest_interval_ms(g->cluster), past_ms = cluster_now_ms(g->cluster) - g->digest_asked_ms;
  if (digest_is_new_to(voters->of, voters->count)) graph_digest_again(g->database->graph);
  bool patient = past_ms < interval_ms * PATIENCE_INTERVALS && !digest_is_answered(index, voters->of, voters->count);
  if (past_ms < interval_ms || patient || !graph_digest_is_due(g->database->graph)) return;
  g->digest_asked_ms = cluster_now_ms(g->cluster);
  struct error e = ERROR_INIT;
  enum err err = graph_digest_ask(g->database->graph, voters->count, &e);
  if (err != ERR_OK && err != ERR_BUSY && err != ERR_NOT_LEADER) cluster_raise(g, EVENT_WARN, "cluster.digest", e.message);
}

static void look(struct cluster_group *g, const struct directory_copy *view) {
  struct digest_result r;
  struct voters voters;
  graph_digest_last(g->database->graph, &r);
  struct digest_said here = {g->cluster->options->server, true, r.index, r.digest};
  find_voters(g, view, &here, &voters);
  judge(g, &r, &here, &voters);
  mend(g);
  help(g, view);
  ask(g, r.index, &voters);
}

void cluster_digest(void *context) {
  struct cluster_group *g = context;
  struct directory *directory = g->cluster->options->directory;
  struct directory_copy view;
  struct arena a;
  if (directory == NULL || group_failure(host_group(g->member), NULL) != ERR_OK) return;
  arena_init(&a, NULL);
  if (directory_copy(directory, &a, &view, NULL) == ERR_OK) look(g, &view); // without memory the next look will do
  arena_done(&a);
}
