#include "cluster/host.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "os/thread.h"

struct host_group {
  struct host *host;
  struct group *group;
  struct log *log;
  struct group_application *application; // the caller's
  struct group_application tap;          // in front of it, to see memberships
  uint8_t uuid[MESSAGE_GROUP_BYTES];
  uint64_t lost_leader; // its connection was closed, and the group does not know yet; 0: no
  bool told_failure;
  uint64_t durable_ticket; // of the log, when it was last looked at
  bool saving;             // the same of term and vote
  _Atomic bool dirty; // is to be stepped
};

struct host {
  struct loop *loop;
  struct host_options options;
  struct network *network;
  struct group_network sender;
  struct loop_timer *timer;
  int64_t timer_at_ms; // 0: not set
  struct loop_task step_task;
  _Atomic bool step_posted;
  bool stepping, closed;
  int64_t batch_began_ns; // 0: no message has come since the last answers
  _Atomic uint64_t batches, batches_ns, batch_ns;

  struct mutex round_lock; // held by the writer during a round, and by the loop while it changes what follows
  struct host_group **groups;
  size_t group_count, group_capacity;
  struct log **logs; // the writer's, with room for all groups
};

static void release(struct host *h) {
  mutex_done(&h->round_lock);
  mem_free(h->groups);
  mem_free(h->logs);
  mem_free(h);
}

static uint64_t now_ms(struct host *h) {
  return (uint64_t) (clock_monotonic_ns(h->options.clock) / NS_PER_MS);
}

// ---- who is where ----

static bool is_member_server(struct host *h, uint64_t server, char address[CONSENSUS_ADDRESS_BYTES]) {
  struct consensus_membership m;
  for (size_t i = 0; i < h->group_count; i++) {
    group_membership(h->groups[i]->group, &m);
    for (uint32_t k = 0; k < m.count; k++) {
      if (member_server(m.members[k].id) != server) continue;
      memcpy(address, m.members[k].address, CONSENSUS_ADDRESS_BYTES);
      return true;
    }
  }
  return false;
}

/// Every other server of a membership is a peer. Those that are in none any more stay until the group goes: they must still be
/// told.
static void meet_members(struct host *h, const struct consensus_membership *m) {
  for (uint32_t i = 0; i < m->count; i++) {
    uint64_t server = member_server(m->members[i].id);
    struct error e = ERROR_INIT;
    if (server == 0 || server == h->options.network.server) continue;
    if (network_peer_set(h->network, server, m->members[i].address, &e) != ERR_OK)
      event_raise(h->options.network.events, EVENT_ERROR, "cluster.member.address", "member %llu: %s",
                  (unsigned long long) m->members[i].id, e.message);
  }
}

static bool on_met(void *context UNUSED, uint64_t server UNUSED, const char *address UNUSED) {
  return true; // of our cluster (hello checks that): a member that joins knows us before we know it
}

static bool on_elsewhere(void *context, uint64_t server, const char *address) {
  struct host *h = context;
  return h->options.server_elsewhere != NULL && h->options.server_elsewhere(h->options.context, server, address);
}

static void on_start_met(void *context) {
  struct host *h = context;
  h->options.start_met(h->options.context);
}

static void on_start_moved(void *context) {
  struct host *h = context;
  h->options.start_moved(h->options.context);
}

static void on_older(void *context, uint64_t server, struct start known) {
  struct host *h = context;
  h->options.older(h->options.context, server, known);
}

// ---- lost leaders ----

static uint64_t leader_of(const struct host_group *g) {
  struct group_stats stats;
  group_stats(g->group, &stats);
  return stats.leader;
}

/// Tells one group; the next one hears of it a tick later. An election costs each member a sync, for which all groups of its
/// server wait: too many at once, and leaders that are well are taken for silent.
static void tell_lost(struct host *h) {
  for (size_t i = 0; i < h->group_count; i++) {
    struct host_group *g = h->groups[i];
    uint64_t lost = g->lost_leader;
    g->lost_leader = 0;
    if (lost == 0 || lost != leader_of(g)) continue;
    enum err err = group_lost(g->group, now_ms(h), lost, NULL);
    (void) err; // a closed group says so when it is stepped
    g->dirty = true;
    return;
  }
}

// ---- stepping ----

static void step_dirty(struct host *h);

static uint64_t wake_ms(const struct host_group *g) {
  return g->lost_leader != 0 ? now_ms(g->host) + 1 : group_wake_ms(g->group);
}

static void set_timer(struct host *h) {
  uint64_t wake = UINT64_MAX;
  for (size_t i = 0; i < h->group_count; i++)
    if (group_failure(h->groups[i]->group, NULL) == ERR_OK) wake = MIN(wake, wake_ms(h->groups[i]));
  if (wake == UINT64_MAX) return;
  int64_t at = (int64_t) ((wake + HOST_TICK_MS - 1) / HOST_TICK_MS * HOST_TICK_MS);
  if (at == h->timer_at_ms) return;
  h->timer_at_ms = at;
  loop_timer_set(h->timer, at - (int64_t) now_ms(h), false);
}

static void on_timer(void *context) {
  struct host *h = context;
  uint64_t now = now_ms(h);
  h->timer_at_ms = 0;
  for (size_t i = 0; i < h->group_count; i++)
    if (group_wake_ms(h->groups[i]->group) <= now) h->groups[i]->dirty = true;
  tell_lost(h);
  step_dirty(h);
}

/// What an older copy would not know of.
static bool has_promised(struct host_group *g) {
  uint64_t ticket = log_durable_ticket(g->log);
  bool saving = group_wants_save(g->group);
  bool has = ticket != g->durable_ticket || (g->saving && !saving);
  g->durable_ticket = ticket;
  g->saving = saving;
  return has;
}

/// True if it has more to do at once.
static bool step(struct host_group *g) {
  bool more = false;
  struct error e = ERROR_INIT;
  if (group_step(g->group, now_ms(g->host), &more, &e) == ERR_OK) {
    if (group_wants_save(g->group)) g->host->options.save_ready(g->host->options.context, g);
    if (g->host->options.group_stepped != NULL) g->host->options.group_stepped(g->host->options.context, g);
    return more || group_failure(g->group, NULL) != ERR_OK; // by what was asked of it: the next step tells
  }
  if (!g->told_failure) {
    g->told_failure = true;
    g->host->options.group_failed(g->host->options.context, g);
  }
  return false;
}

static void post_step(struct host *h) {
  if (!atomic_exchange(&h->step_posted, true)) loop_post(h->loop, &h->step_task);
}

static void step_dirty(struct host *h) {
  bool again = false, queued = false, promised = false;
  if (h->stepping) return; // from within a group: the outer call comes round
  h->stepping = true;
  for (size_t i = 0; i < h->group_count; i++) {
    struct host_group *g = h->groups[i];
    if (!atomic_exchange(&g->dirty, false)) continue;
    if (step(g)) g->dirty = again = true;
    queued = queued || log_last_ticket(g->log) != log_durable_ticket(g->log);
    promised = has_promised(g) || promised;
  }
  h->stepping = false;
  network_flush(h->network);
  if (queued) h->options.write_ready(h->options.context);
  if (promised && h->options.promised != NULL) h->options.promised(h->options.context);
  if (again) post_step(h);
  set_timer(h);
}

static void on_step(struct loop_task *task) {
  struct host *h = CONTAINER_OF(task, struct host, step_task);
  h->step_posted = false;
  if (h->closed)
    release(h);
  else
    step_dirty(h);
}

void host_touch(struct host_group *g) {
  g->dirty = true;
  post_step(g->host);
}

// ---- messages ----

static bool on_send(struct group_network *sender, const struct message *m) {
  struct host *h = CONTAINER_OF(sender, struct host, sender);
  return network_queue(h->network, member_server(m->to), m);
}

static struct host_group *group_of(struct host *h, const uint8_t uuid[MESSAGE_GROUP_BYTES]) {
  for (size_t i = 0; i < h->group_count; i++)
    if (memcmp(h->groups[i]->uuid, uuid, MESSAGE_GROUP_BYTES) == 0) return h->groups[i];
  return NULL;
}

static void on_received(void *context, uint64_t server, const struct message *m) {
  struct host *h = context;
  struct host_group *g = group_of(h, m->group);
  if (g == NULL || member_server(m->from) != server) return; // a group that is not here (yet), or somebody who speaks for another
  int64_t now_ns = clock_monotonic_ns(h->options.clock);
  if (h->batch_began_ns == 0) h->batch_began_ns = now_ns;
  enum err err = group_receive(g->group, (uint64_t) (now_ns / NS_PER_MS), m, NULL);
  (void) err; // a closed group says so when it is stepped
  g->dirty = true;
}

/// The loop's alone; others read.
static void note_batch(struct host *h) {
  if (h->batch_began_ns == 0) return;
  uint64_t ns = (uint64_t) (clock_monotonic_ns(h->options.clock) - h->batch_began_ns);
  h->batch_began_ns = 0;
  atomic_store_explicit(&h->batches, h->batches + 1, memory_order_relaxed);
  atomic_store_explicit(&h->batches_ns, h->batches_ns + ns, memory_order_relaxed);
  atomic_store_explicit(&h->batch_ns, ns, memory_order_relaxed);
}

void host_processing(struct host *h, struct host_processing *ret) {
  *ret = (struct host_processing){atomic_load_explicit(&h->batches, memory_order_relaxed),
                                  atomic_load_explicit(&h->batches_ns, memory_order_relaxed),
                                  atomic_load_explicit(&h->batch_ns, memory_order_relaxed)};
}

static void on_settled(void *context) {
  step_dirty(context);
  note_batch(context);
}

static void on_changed(void *context, uint64_t server, bool up) {
  struct host *h = context;
  for (size_t i = 0; i < h->group_count; i++) {
    struct host_group *g = h->groups[i];
    uint64_t leader = leader_of(g);
    if (member_server(leader) == server) g->lost_leader = up ? 0 : leader;
    g->dirty = true; // appends may wait for it
  }
  if (!up) tell_lost(h);
  if (h->group_count > 0) post_step(h);
  if (h->options.server_changed != NULL) h->options.server_changed(h->options.context, server, up);
}

// ---- the application, with an ear for memberships ----

static struct group_application *behind(struct group_application *tap) {
  return CONTAINER_OF(tap, struct host_group, tap)->application;
}

static enum err tap_apply(struct group_application *tap, const struct log_entry *entry, struct error *e) {
  return behind(tap)->apply(behind(tap), entry, e);
}

static struct group_applied tap_applied(struct group_application *tap) {
  return behind(tap)->applied(behind(tap));
}

static void tap_install(struct group_application *tap, uint64_t index, uint64_t term) {
  behind(tap)->install(behind(tap), index, term);
}

static void tap_membership(struct group_application *tap, const struct consensus_membership *m) {
  meet_members(CONTAINER_OF(tap, struct host_group, tap)->host, m);
  behind(tap)->membership(behind(tap), m);
}

static void tap_read(struct group_application *tap, uint64_t read_id, uint64_t index, bool failed) {
  behind(tap)->read(behind(tap), read_id, index, failed);
}

// ---- groups ----

static enum err list_reserve(struct host *h, struct error *e) {
  if (h->group_count < h->group_capacity) return ERR_OK;
  size_t capacity = h->group_capacity * 2 + 8;
  struct log **logs = mem_realloc(h->logs, capacity * sizeof(struct log *));
  if (logs == NULL) return error_ensure(e, ERR_NOMEM);
  h->logs = logs;
  struct host_group **groups = mem_realloc(h->groups, capacity * sizeof(struct host_group *));
  if (groups == NULL) return error_ensure(e, ERR_NOMEM);
  h->groups = groups;
  h->group_capacity = capacity;
  return ERR_OK;
}

static enum err list_add(struct host *h, struct host_group *g, struct error *e) {
  mutex_lock(&h->round_lock);
  enum err err = list_reserve(h, e);
  if (err == ERR_OK) h->groups[h->group_count++] = g;
  mutex_unlock(&h->round_lock);
  return err;
}

static void list_remove(struct host *h, struct host_group *g) {
  mutex_lock(&h->round_lock);
  for (size_t i = 0; i < h->group_count; i++)
    if (h->groups[i] == g) h->groups[i] = h->groups[--h->group_count];
  mutex_unlock(&h->round_lock);
}

enum err host_group_add(struct host *h, struct log *log, const struct group_options *options, struct host_group **ret,
                        struct error *e) {
  struct host_group *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_ensure(e, ERR_NOMEM);
  *g = (struct host_group){
      .host = h, .log = log, .application = options->application, .durable_ticket = log_durable_ticket(log), .dirty = true};
  g->tap = (struct group_application){tap_apply, tap_applied, tap_install, tap_membership, tap_read};
  memcpy(g->uuid, options->uuid, sizeof g->uuid);
  struct group_options own = *options;
  own.network = &h->sender;
  own.application = &g->tap;
  own.saves_elsewhere = h->options.save_ready != NULL;
  enum err err = group_open(log, &own, now_ms(h), &g->group, e);
  if (err == ERR_OK) err = list_add(h, g, e);
  if (err != ERR_OK) {
    group_close(g->group);
    mem_free(g);
    return err;
  }
  struct consensus_membership m;
  group_membership(g->group, &m);
  meet_members(h, &m);
  post_step(h);
  *ret = g;
  return ERR_OK;
}

void host_group_remove(struct host_group *g) {
  struct host *h = g->host;
  char address[CONSENSUS_ADDRESS_BYTES];
  struct consensus_membership m;
  group_membership(g->group, &m);
  list_remove(h, g);
  for (uint32_t i = 0; i < m.count; i++)
    if (!is_member_server(h, member_server(m.members[i].id), address))
      network_peer_remove(h->network, member_server(m.members[i].id));
  group_close(g->group);
  mem_free(g);
}

struct group *host_group(struct host_group *g) {
  return g->group;
}

struct group_application *host_group_application(struct host_group *g) {
  return g->application;
}

// ---- the writer ----

enum err host_write_round(struct host *h, bool *ret_worked, struct error *e) {
  size_t worked = 0;
  mutex_lock(&h->round_lock);
  for (size_t i = 0; i < h->group_count; i++) h->logs[i] = h->groups[i]->log;
  enum err err = log_round_all(h->logs, h->group_count, &worked, e);
  for (size_t i = 0; i < h->group_count && worked > 0; i++) h->groups[i]->dirty = true;
  if (worked > 0) post_step(h);
  mutex_unlock(&h->round_lock);
  *ret_worked = worked > 0;
  return err;
}

// ---- life ----

enum err host_open(struct loop *loop, const struct host_options *options, struct host **ret, struct error *e) {
  static const struct network_events events = {on_received,  on_settled,   on_changed,     on_met,
                                               on_elsewhere, on_start_met, on_start_moved, on_older};
  struct host *h = mem_zalloc(sizeof *h);
  if (h == NULL) return error_ensure(e, ERR_NOMEM);
  *h = (struct host){.loop = loop, .options = *options, .sender.send = on_send, .step_task.run = on_step};
  mutex_init(&h->round_lock);
  enum err err = loop_timer_new(loop, on_timer, h, &h->timer, e);
  if (err == ERR_OK) err = network_open(loop, &options->network, &events, h, &h->network, e);
  if (err != ERR_OK) {
    host_close(h);
    return err;
  }
  *ret = h;
  return ERR_OK;
}

void host_close(struct host *h) {
  if (h == NULL) return;
  network_close(h->network);
  loop_timer_free(h->timer);
  h->closed = true;
  if (!h->step_posted) release(h); // else the step that is on its way does
}

const char *host_address(const struct host *h) {
  return network_address(h->network);
}

void host_peer_move(struct host *h, uint64_t server, const char *address) {
  struct network_peer_status s;
  struct error e = ERROR_INIT;
  if (!network_peer_status(h->network, server, &s) || strcmp(s.address, address) == 0) return;
  if (network_peer_set(h->network, server, address, &e) != ERR_OK)
    event_raise(h->options.network.events, EVENT_ERROR, "cluster.member.address", "server %llu: %s", (unsigned long long) server, e.message);
}

void host_moved(struct host *h) {
  network_flush(h->network);
}

void host_hush(struct host *h) {
  network_hush(h->network);
}

void host_judge_levels(struct host *h) {
  network_judge_levels(h->network);
}

bool host_peer_status(struct host *h, uint64_t server, struct network_peer_status *ret) {
  return network_peer_status(h->network, server, ret);
}
