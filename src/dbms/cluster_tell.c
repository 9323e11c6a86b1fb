// What people read of a group's elections, in the words that they know from the logs of Neo4j.
#include <stdio.h>

#include "dbms/cluster_int.h"

struct cluster_name cluster_name_of(const struct cluster *c, uint64_t server) {
  struct cluster_name name;
  struct arena a;
  struct directory_copy view = {0};
  snprintf(name.z, sizeof name.z, "MemberId{number %llu}", (unsigned long long) server);
  arena_init(&a, NULL);
  bool seen = c->options->directory != NULL && directory_copy(c->options->directory, &a, &view, NULL) == ERR_OK;
  for (uint32_t i = 0; i < view.count && seen; i++)
    if (view.servers[i].said.number == server)
      snprintf(name.z, sizeof name.z, "MemberId{%s}", uuid_short(view.servers[i].said.server).z);
  arena_done(&a);
  return name;
}

static struct cluster_name own_name(const struct cluster_group *g) {
  return cluster_name_of(g->cluster, g->cluster->options->server);
}

static void tell_election(struct cluster_group *g) {
  struct consensus_status s;
  uint64_t last_term = 0;
  char text[160];
  group_status(host_group(g->member), &s);
  if (group_term_at(host_group(g->member), s.last_index, &last_term, NULL) != ERR_OK) last_term = 0; // it begins behind a copy
  snprintf(text, sizeof text, "Moving to CANDIDATE state, {term=%llu, candidate=%s, lastAppended=%llu, lastLogTerm=%llu}",
           (unsigned long long) s.term, own_name(g).z, (unsigned long long) s.last_index, (unsigned long long) last_term);
  cluster_raise(g, EVENT_INFO, "cluster.election", text);
}

static void tell_state(struct cluster_group *g, const struct group_stats *s) {
  enum consensus_state before = g->told_state;
  char text[96];
  g->told_state = s->state;
  if (s->state == before) return;
  if (s->state == CONSENSUS_CANDIDATE) {
    tell_election(g);
    return;
  }
  if (s->state == CONSENSUS_LEADER)
    snprintf(text, sizeof text, "Moving to LEADER state at term %llu (I am %s).", (unsigned long long) s->term, own_name(g).z);
  else
    snprintf(text, sizeof text, "Moving to FOLLOWER state at term %llu.", (unsigned long long) s->term);
  cluster_raise(g, EVENT_INFO, "cluster.role", text);
}

/// That there is none for a moment is told by what follows.
static void tell_leader(struct cluster_group *g, const struct group_stats *s) {
  uint64_t before = g->told_leader, leader = member_server(s->leader);
  char text[128];
  if (leader == 0 || leader == before) return;
  g->told_leader = leader;
  if (before == 0)
    snprintf(text, sizeof text, "First leader elected: %s", cluster_name_of(g->cluster, leader).z);
  else
    snprintf(text, sizeof text, "Leader changed from %s to %s", cluster_name_of(g->cluster, before).z,
             cluster_name_of(g->cluster, leader).z);
  cluster_raise(g, EVENT_INFO, "cluster.leader", text);
}

void cluster_tell(struct cluster_group *g, const struct group_stats *s) {
  tell_state(g, s);
  tell_leader(g, s);
}
