// What a server decides by what it hears. Each rule is a small function of (own identity, what others say); README.md has the
// argument.
#include "cluster/formation_int.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mutant.h"

// ---- looking at others ----

static const struct announcement *find(const struct step *s, struct uuid server) {
  for (uint32_t i = 0; i < s->view->count; i++)
    if (uuid_eq(s->view->servers[i].said.server, server)) return &s->view->servers[i].said;
  return NULL;
}

static bool is_self(const struct step *s, const struct announcement *a) {
  return uuid_eq(a->server, s->self->server);
}

static struct uuid proposer(const struct founding *f) {
  return f->founders[0].server;
}

/// Does `a` take part in `f` as the server that `f` means?
static bool fits(const struct founding *f, const struct announcement *a) {
  const struct founder *founder = founding_find(f, a->server);
  return founder != NULL && a->mode == SERVER_CORE && founder->number == a->number &&
         str_eq(a->addresses[ADDRESS_RAFT], str_of(founder->raft));
}

/// Whose word on which cluster there is counts: that of a core, and for a replica that of a single server, too. Whom a replica
/// joins must say what databases it has.
static bool may_be_joined(const struct step *s, const struct announcement *a) {
  if (is_self(s, a) || a->state != IDENTITY_BOUND) return false;
  if (s->f->options.mode != SERVER_READ_REPLICA) return a->mode == SERVER_CORE;
  return a->mode != SERVER_READ_REPLICA && a->database_count > 0;
}

/// The founding of the one cluster that others are bound to, NULL if there is none or more than one.
static const struct founding *existing_cluster(const struct step *s, uint32_t *ret_count) {
  const struct founding *found = NULL;
  *ret_count = 0;
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    if (!may_be_joined(s, a)) continue;
    if (found != NULL && same_founding(found, a->founding)) continue;
    found = a->founding;
    ++*ret_count;
  }
  return *ret_count == 1 ? found : NULL;
}

// ---- telling ----

static void tell(const struct step *s, enum event_level level, const char *name, const char *fmt, ...) PRINTF(4, 5);
static void tell(const struct step *s, enum event_level level, const char *name, const char *fmt, ...) {
  char text[1000];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  event_raise(s->f->options.events, level, name, "%s", text);
}

/// Two clusters at the addresses of one: a person must say which one is meant.
static void tell_clusters(const struct step *s, uint32_t count) {
  if (count < 2 || s->f->clusters_told) return;
  s->f->clusters_told = true;
  tell(s, EVENT_ERROR, "cluster.formation.clusters",
       "the servers that this one finds belong to %u clusters; it joins none: let dbms.cluster.discovery.endpoints name servers "
       "of one",
       count);
}

// ---- data of a standalone server ----

/// What an unbound server says of the databases that it brings with it: the first is `system`, with the term that groups may
/// begin in. NULL: it is empty.
static const struct announced_database *brings(const struct announcement *a) {
  return a->state != IDENTITY_BOUND && a->database_count > 0 ? &a->databases[0] : NULL;
}

/// A cluster has data already: those here would be lost, or others'.
static void refuse_to_join(struct step *s) {
  if (s->f->data_told) return;
  s->f->data_told = true;
  tell(s, EVENT_ERROR, "cluster.formation.data",
       "there is a cluster already, and this server has databases of its own (system %s): it does not join. To have it join, "
       "start it with an "
       "empty data folder; to found a cluster with its databases, start it with servers that are empty and belong to none",
       uuid_text(brings(s->own)->uuid).z);
}

static void refuse_two(struct step *s, const struct announcement *a, const struct announcement *b) {
  if (s->f->data_told) return;
  s->f->data_told = true;
  tell(s, EVENT_ERROR, "cluster.formation.data",
       "two servers that are to found a cluster have databases of their own: %.*s (system %s) and %.*s (system %s). A cluster "
       "begins with those "
       "of one: start the other one with an empty data folder",
       STR_ARG(a->addresses[ADDRESS_DISCOVERY]), uuid_text(brings(a)->uuid).z, STR_ARG(b->addresses[ADDRESS_DISCOVERY]),
       uuid_text(brings(b)->uuid).z);
}

// ---- becoming ----

static void become_unbound(struct step *s) {
  s->next.state = IDENTITY_UNBOUND;
  s->next.founding = (struct founding){0};
}

static void become_prepared(struct step *s, const struct founding *f) {
  s->next.state = IDENTITY_PREPARED;
  s->next.founding = *f;
}

static void become_bound(struct step *s, const struct founding *f) {
  s->next.state = IDENTITY_BOUND;
  s->next.founding = *f;
  tell(s, EVENT_INFO, "cluster.formation.bound", "Bound to cluster: %s", uuid_text(f->cluster).z);
}

/// What `system` is called it learns from whoever is there: that one names it first.
static void become_follower_of(struct step *s, const struct founding *f) {
  become_bound(s, f);
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    if (may_be_joined(s, a) && same_founding(a->founding, f)) s->next.founding.system = a->databases[0].uuid;
  }
}

// ---- unbound ----

/// A core that has promised nothing and says where it is to be reached.
static bool is_candidate(const struct announcement *a) {
  size_t len = a->addresses[ADDRESS_RAFT].len;
  return a->mode == SERVER_CORE && a->state == IDENTITY_UNBOUND && len > 0 && len < FOUNDER_ADDRESS_BYTES;
}

struct crowd {
  uint32_t count;                                 // of candidates, this server among them
  uint64_t hash;                                  // of who they are
  const struct announcement *first[FOUNDERS_MAX]; // those with the lowest uuids, ascending
};

static void crowd_add(struct crowd *c, const struct announcement *a) {
  uint64_t part;
  memcpy(&part, a->server.bytes, sizeof part);
  c->hash += hash_u64(part);
  uint32_t at = MIN(c->count, FOUNDERS_MAX);
  for (; at > 0 && uuid_cmp(c->first[at - 1]->server, a->server) > 0; at--)
    if (at < FOUNDERS_MAX) c->first[at] = c->first[at - 1];
  if (at < FOUNDERS_MAX) c->first[at] = a;
  c->count++;
}

static struct crowd gather(const struct step *s) {
  struct crowd c = {0};
  for (uint32_t i = 0; i < s->view->count; i++)
    if (is_candidate(&s->view->servers[i].said)) crowd_add(&c, &s->view->servers[i].said);
  return c;
}

/// Numbers are drawn by lot. Of two servers with one number the one that can take another does, and of two that can the second.
static bool number_is_taken(const struct step *s) {
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    if (is_self(s, a) || a->number != s->self->number) continue;
    if (a->state != IDENTITY_UNBOUND || uuid_cmp(a->server, s->self->server) < 0) return true;
  }
  return false;
}

/// What another server proposes, in its own words, and this one is in. Of several the one with the lowest proposer. One of fewer
/// servers than this one's settings want is none: elsewhere there may be as many, who name each other.
static const struct founding *proposal(const struct step *s) {
  const struct founding *best = NULL;
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    bool proposes = a->mode == SERVER_CORE && a->state == IDENTITY_PREPARED && uuid_eq(proposer(a->founding), a->server);
    if (proposes && brings(s->own) != NULL && a->founding->seed != s->self->number) continue; // its data would be lost
    if (!proposes || is_self(s, a) || !fits(a->founding, s->own) || a->founding->count < s->needed) continue;
    if (best == NULL || uuid_cmp(proposer(a->founding), proposer(best)) < 0) best = a->founding;
  }
  return best;
}

/// Somebody has promised himself to a founding whose fate is open.
static bool is_founding_open(const struct step *s) {
  for (uint32_t i = 0; i < s->view->count; i++)
    if (s->view->servers[i].said.state == IDENTITY_PREPARED) return true;
  return false;
}

/// Those that are listed are there and nobody else, or nobody new came for a while.
static bool is_settled(struct step *s, const struct crowd *c) {
  struct formation *f = s->f;
  if (f->crowd != c->hash) f->crowd_since_ms = s->now_ms;
  f->crowd = c->hash;
  bool complete = s->listed > 0 && c->count == s->listed; // more are there than the settings name: there may be others
  return complete || s->now_ms - f->crowd_since_ms >= f->options.settle_ms;
}

static enum err name_founding(struct step *s, struct founding *f, struct error *e) {
  enum err err = identity_random_uuid(s->f->options.random, &f->cluster);
  if (err == ERR_OK) err = identity_random_uuid(s->f->options.random, &f->system);
  return err == ERR_OK ? ERR_OK : error_set(e, err, "the system has no randomness for the name of a cluster");
}

/// Of those who found it, the one that brings data, or NULL. False: there are two.
static bool find_seed(struct step *s, const struct crowd *c, const struct announcement **ret) {
  *ret = NULL;
  for (uint32_t i = 0; i < MIN(c->count, FOUNDERS_MAX); i++) {
    if (brings(c->first[i]) == NULL) continue;
    if (*ret != NULL) return refuse_two(s, *ret, c->first[i]), false;
    *ret = c->first[i];
  }
  return true;
}

static enum err propose(struct step *s, const struct crowd *c, const struct announcement *seed, struct error *e) {
  struct founding f = {.first_term = 1, .sequence = s->self->sequence + 1, .count = MIN(c->count, FOUNDERS_MAX)};
  TRY(name_founding(s, &f, e));
  if (seed != NULL) {
    f.seed = seed->number;
    f.system = brings(seed)->uuid;
    f.first_term = brings(seed)->term;
  }
  for (uint32_t i = 0; i < f.count; i++) {
    f.founders[i] = (struct founder){.server = c->first[i]->server, .number = c->first[i]->number};
    snprintf(f.founders[i].raft, FOUNDER_ADDRESS_BYTES, "%.*s", STR_ARG(c->first[i]->addresses[ADDRESS_RAFT]));
  }
  s->f->proposed_ms = s->now_ms;
  tell(s, EVENT_INFO, "cluster.formation.proposed", "%u servers are there: this one proposes to found cluster %s%s%.*s", c->count,
       uuid_text(f.cluster).z, seed != NULL ? " with the databases of " : "",
       STR_ARG(seed != NULL ? seed->addresses[ADDRESS_DISCOVERY] : STR_NONE));
  become_prepared(s, &f);
  return ERR_OK;
}

static void tell_waiting(struct step *s, const struct crowd *c) {
  struct formation *f = s->f;
  char names[700] = "", listed[160] = "";
  if (f->told_crowd == c->hash && s->now_ms - f->told_ms < f->options.progress_ms) return;
  f->told_crowd = c->hash;
  f->told_ms = s->now_ms;
  for (uint32_t i = 0; i < MIN(c->count, FOUNDERS_MAX); i++) {
    size_t len = strlen(names);
    snprintf(names + len, sizeof names - len, "%s%.*s (%s)", i > 0 ? ", " : "",
             STR_ARG(c->first[i]->addresses[ADDRESS_DISCOVERY]), uuid_short(c->first[i]->server).z);
  }
  if (s->needed > f->options.minimum)
    snprintf(listed, sizeof listed,
             " (more than half of the %u that the settings name, so that the halves of a cut network found one cluster)",
             s->listed);
  tell(s, EVENT_INFO, "cluster.formation.waiting", "Waiting for %u members%s. Currently discovered %u members: %s", s->needed,
       listed, c->count, names);
}

/// A read replica or a gateway founds nothing: it waits for somebody that belongs to a cluster.
static void tell_alone(struct step *s) {
  struct formation *f = s->f;
  if (f->told_ms != 0 && s->now_ms - f->told_ms < f->options.progress_ms) return;
  f->told_ms = s->now_ms;
  tell(
      s, EVENT_INFO, "cluster.formation.alone",
      "Waiting for a server to follow. Currently discovered %u other servers, none of which tells of a cluster and its databases",
      s->view->count - 1);
}

static enum err found_or_wait(struct step *s, struct error *e) {
  struct crowd c = gather(s);
  const struct announcement *seed;
  bool settled = is_settled(s, &c);
  bool enough = c.count >= s->needed || MUTANT(formation_enough);
  if (!enough) tell_waiting(s, &c);
  if (!enough || !settled || is_founding_open(s)) return ERR_OK;
  if (c.count == 0 || !uuid_eq(c.first[0]->server, s->self->server)) return ERR_OK; // another one proposes
  for (uint32_t i = 0; i < MIN(c.count, FOUNDERS_MAX); i++)
    for (uint32_t j = 0; j < i; j++)
      if (c.first[i]->number == c.first[j]->number) return ERR_OK; // one of them takes another number
  return find_seed(s, &c, &seed) ? propose(s, &c, seed, e) : ERR_OK;
}

/// A server that has no others founds a cluster of its own for its replicas, if it says where they get their copies.
static enum err found_alone(struct step *s, struct error *e) {
  struct str address = s->own->addresses[ADDRESS_TRANSACTION];
  struct founding f = {.first_term = 1, .sequence = s->self->sequence + 1, .count = 1, .seed = s->self->number};
  if (address.len == 0 || address.len >= FOUNDER_ADDRESS_BYTES) return ERR_OK;
  TRY(name_founding(s, &f, e));
  f.founders[0] = (struct founder){.server = s->self->server, .number = s->self->number};
  snprintf(f.founders[0].raft, FOUNDER_ADDRESS_BYTES, "%.*s", STR_ARG(address));
  become_bound(s, &f);
  return ERR_OK;
}

static enum err step_unbound(struct step *s, struct error *e) {
  uint32_t clusters;
  if (number_is_taken(s)) return identity_renumber(&s->next, s->f->options.random);
  if (s->f->options.mode == SERVER_SINGLE) return found_alone(s, e);
  const struct founding *cluster = existing_cluster(s, &clusters);
  bool follows = s->f->options.mode == SERVER_READ_REPLICA;
  tell_clusters(s, clusters);
  if (cluster != NULL && follows) become_follower_of(s, cluster);
  if (cluster != NULL && !follows && brings(s->own) != NULL) return refuse_to_join(s), ERR_OK;
  if (cluster != NULL && !follows) become_bound(s, cluster);
  bool founds = s->f->options.mode == SERVER_CORE;
  if (clusters == 0 && !founds) tell_alone(s);
  if (clusters > 0 || !founds) return ERR_OK;
  const struct founding *f = proposal(s);
  if (f == NULL) return found_or_wait(s, e);
  become_prepared(s, f);
  return ERR_OK;
}

// ---- prepared ----

/// Somebody is bound to it already: its proposer has confirmed it.
static bool is_confirmed(const struct step *s, const struct founding *f) {
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    if (a->state == IDENTITY_BOUND && same_founding(a->founding, f)) return true;
  }
  return false;
}

static void step_follower(struct step *s) {
  const struct founding *f = &s->self->founding;
  const struct announcement *a = find(s, proposer(f));
  bool stands_by_it = a != NULL && a->state != IDENTITY_UNBOUND && same_founding(a->founding, f);
  // Only what it said after it had proposed: it may be news to this server that was said long ago.
  bool is_later = a != NULL && (a->sequence > f->sequence || MUTANT(formation_void_stale));
  if (!stands_by_it && (is_later || MUTANT(formation_void_absent))) {
    tell(s, EVENT_INFO, "cluster.formation.void", "the proposed founding of cluster %s is given up", uuid_text(f->cluster).z);
    become_unbound(s);
  } else if (a == NULL && !uuid_eq(s->f->waits_told, f->cluster)) {
    s->f->waits_told = f->cluster;
    tell(s, EVENT_WARN, "cluster.formation.proposer",
         "waits for the server at %s, which has proposed to found cluster %s and is not there: start it, with its data. If its "
         "data is lost "
         "for good: stop all servers of that founding that wait like this one, and start them with empty data folders",
         f->founders[0].raft, uuid_text(f->cluster).z);
  }
}

/// Why the founding that this server proposed, and has not confirmed, comes to nothing; NULL while it may still be.
static const char *why_void(const struct step *s) {
  const struct founding *f = &s->self->founding;
  bool has_looked_around = s->now_ms - s->f->first_step_ms >= s->f->options.patience_ms;
  bool was_heard = has_looked_around && s->now_ms - s->f->proposed_ms >= s->f->options.patience_ms;
  for (uint32_t i = 0; i < f->count; i++) {
    const struct announcement *a = find(s, f->founders[i].server);
    if (a != NULL && a->state == IDENTITY_UNBOUND && was_heard)
      return "a server of it takes no part: its settings may want more of them";
    if (a == NULL && has_looked_around) return "a server of it is gone";
    if (a != NULL && !fits(f, a)) return "a server of it has moved";
  }
  for (uint32_t i = 0; i < s->view->count; i++) {
    const struct announcement *a = &s->view->servers[i].said;
    if (a->state != IDENTITY_PREPARED || same_founding(a->founding, f)) continue;
    if (uuid_cmp(proposer(a->founding), s->self->server) < 0) return "another server proposes one and goes first";
    if (founding_find(f, a->server) != NULL && find(s, proposer(a->founding)) == NULL)
      return has_looked_around ? "a server of it is promised to another one, whose proposer is gone" : NULL;
  }
  return NULL;
}

static bool all_are_prepared(const struct step *s) {
  const struct founding *f = &s->self->founding;
  uint32_t prepared = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const struct announcement *a = find(s, f->founders[i].server);
    prepared += a != NULL && a->state == IDENTITY_PREPARED && same_founding(a->founding, f);
  }
  return MUTANT(formation_all) ? prepared > f->count / 2 : prepared == f->count;
}

static void step_proposer(struct step *s) {
  uint32_t clusters;
  const char *why = why_void(s);
  const struct founding *cluster = existing_cluster(s, &clusters);
  tell_clusters(s, clusters);
  if (clusters > 0) why = "there is a cluster already";
  if (cluster != NULL && brings(s->own) == NULL) {
    become_bound(s, cluster);
  } else if (all_are_prepared(s)) {
    become_bound(s, &s->self->founding);
  } else if (why != NULL) {
    tell(s, EVENT_INFO, "cluster.formation.void", "gives up the founding of cluster %s: %s",
         uuid_text(s->self->founding.cluster).z, why);
    become_unbound(s);
  }
}

static void step_prepared(struct step *s) {
  const struct founding *f = &s->self->founding;
  const struct founding *other = MUTANT(formation_once) ? proposal(s) : NULL;
  if (is_confirmed(s, f)) {
    become_bound(s, f);
  } else if (uuid_eq(proposer(f), s->self->server) || (MUTANT(formation_proposer) && all_are_prepared(s))) {
    step_proposer(s);
  } else if (other != NULL && !same_founding(other, f)) {
    become_prepared(s, other);
  } else {
    step_follower(s);
  }
}

// ---- a step ----

enum err formation_decide(struct step *s, struct error *e) {
  if (s->self->state >= IDENTITY_BOUND) return ERR_OK;
  if (s->own->sequence != s->self->sequence) return ERR_OK; // the others have not heard yet what it is now
  if (s->self->state == IDENTITY_UNBOUND) return step_unbound(s, e);
  step_prepared(s);
  return ERR_OK;
}
