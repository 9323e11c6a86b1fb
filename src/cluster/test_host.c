// Three servers in one process, each with a loop, a thread that writes logs, one that saves terms and votes, sockets on loopback
// and logs on the machine's disk.
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "cluster/host.h"
#include "os/thread.h"

enum { SERVERS = 3, GROUPS_MAX = 8, ENTRIES_MAX = 4096 };

static struct net_resolver *resolver;
static char directory[] = "/tmp/quiver-host-XXXXXX";

struct server;

// The application: adds up what it applies, and remembers which terms the entries had.
struct adder {
  struct group_application application;
  struct server *server;
  struct host_group *group;
  struct log *log;
  _Atomic uint64_t index, term, sum;
  int64_t commit_time_ns;
  _Atomic uint64_t terms[ENTRIES_MAX]; // by index
  _Atomic uint64_t read_done, read_index;
};

struct server {
  uint64_t number;
  struct loop *loop;
  struct host *host;
  struct thread writer, saver;
  struct mutex lock;
  struct condition wake, wake_saver;
  bool ready, stopping;                 // lock
  struct host_group *saves[GROUPS_MAX]; // lock: of groups with a term or vote to be saved
  size_t save_count;
  size_t group_count;
  struct adder adders[GROUPS_MAX];
  uint64_t epoch;
  char address[NET_ADDRESS_TEXT_MAX];
  bool up;
  _Atomic int promised; // times
};

static struct server servers[SERVERS];
static uint32_t election_timeout_ms = 150; // of groups that are opened next

// ---- the application ----

static enum err apply(struct group_application *a, const struct log_entry *entry, struct error *e UNUSED) {
  struct adder *x = CONTAINER_OF(a, struct adder, application);
  if (entry->kind == LOG_TRANSACTION) x->sum += (uint64_t) entry->payload.len;
  assert_true(entry->index < ENTRIES_MAX);
  x->terms[entry->index] = entry->term;
  x->term = entry->term;
  x->commit_time_ns = entry->commit_time_ns;
  x->index = entry->index;
  return ERR_OK;
}

static struct group_applied applied(struct group_application *a) {
  const struct adder *x = CONTAINER_OF(a, struct adder, application);
  return (struct group_applied){x->index, x->term, x->commit_time_ns};
}

static void install(struct group_application *a UNUSED, uint64_t index UNUSED, uint64_t term UNUSED) {
  fail_msg("nothing was pruned");
}

static void membership(struct group_application *a UNUSED, const struct consensus_membership *m UNUSED) {
}

static void read_done(struct group_application *a, uint64_t read_id, uint64_t index, bool failed) {
  struct adder *x = CONTAINER_OF(a, struct adder, application);
  x->read_index = failed ? 0 : index;
  x->read_done = read_id;
}

// ---- a server ----

static void *writer_main(void *argument) {
  struct server *s = argument;
  for (;;) {
    mutex_lock(&s->lock);
    while (!s->ready && !s->stopping) condition_wait(&s->wake, &s->lock);
    bool stopping = s->stopping;
    s->ready = false;
    mutex_unlock(&s->lock);
    if (stopping) return NULL;
    for (bool worked = true; worked;) assert_ok(host_write_round(s->host, &worked, NULL));
  }
}

static void write_ready(void *context) {
  struct server *s = context;
  mutex_lock(&s->lock);
  s->ready = true;
  condition_signal(&s->wake);
  mutex_unlock(&s->lock);
}

/// NULL: the server stops.
static struct host_group *next_save(struct server *s) {
  mutex_lock(&s->lock);
  while (s->save_count == 0 && !s->stopping) condition_wait(&s->wake_saver, &s->lock);
  struct host_group *g = s->stopping ? NULL : s->saves[--s->save_count];
  mutex_unlock(&s->lock);
  return g;
}

static void *saver_main(void *argument) {
  struct server *s = argument;
  for (struct host_group *g = next_save(s); g != NULL; g = next_save(s)) {
    group_save(host_group(g));
    host_touch(g);
  }
  return NULL;
}

static void save_ready(void *context, struct host_group *g) {
  struct server *s = context;
  mutex_lock(&s->lock);
  size_t i = 0;
  while (i < s->save_count && s->saves[i] != g) i++;
  if (i == s->save_count) s->saves[s->save_count++] = g;
  condition_signal(&s->wake_saver);
  mutex_unlock(&s->lock);
}

static _Atomic bool ends; // the next group that is stepped, by what is asked of it then
static _Atomic int told_ends;

static void group_stepped(void *context UNUSED, struct host_group *g) {
  struct error why = ERROR_INIT;
  if (!atomic_exchange(&ends, false)) return;
  error_set(&why, ERR_NOMEM, "A proposal found no memory.");
  group_end(host_group(g), &why);
}

static void group_failed(void *context UNUSED, struct host_group *g) {
  struct error e = ERROR_INIT;
  if (group_failure(host_group(g), &e) == ERR_NOMEM)
    told_ends++;
  else
    fail_msg("%s", e.message);
}

static void promised(void *context) {
  ((struct server *) context)->promised++;
}

static void open_host(void *argument) {
  struct server *s = argument;
  struct error e = ERROR_INIT;
  struct host_options options = {.clock = clock_system(),
                                 .write_ready = write_ready,
                                 .save_ready = save_ready,
                                 .group_stepped = group_stepped,
                                 .group_failed = group_failed,
                                 .promised = promised,
                                 .context = s};
  options.network = (struct network_options){.server = s->number,
                                             .epoch = ++s->epoch,
                                             .listen = s->address[0] != '\0' ? str_of(s->address) : STR("127.0.0.1:0"),
                                             .resolver = resolver,
                                             .retry_min_ms = 5,
                                             .retry_max_ms = 50};
  if (host_open(s->loop, &options, &s->host, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(s->address, sizeof s->address, "%s", host_address(s->host));
}

static struct consensus_membership first_membership(void) {
  struct consensus_membership m = {.index = 1, .count = SERVERS};
  for (int i = 0; i < SERVERS; i++) {
    m.members[i] = (struct consensus_member){.id = member_of(servers[i].number, 1), .role = CONSENSUS_VOTER};
    snprintf(m.members[i].address, sizeof m.members[i].address, "%.100s", servers[i].address);
  }
  return m;
}

static void open_group(struct server *s, size_t number) {
  struct adder *x = &s->adders[number];
  struct error e = ERROR_INIT;
  struct log_options log_options = {.clustered = true};
  struct group_options options = {.application = &x->application, .clock = clock_system(), .seed = s->number * 77 + number};
  options.consensus = (struct consensus_options){.election_timeout_ms = election_timeout_ms, .heartbeat_ms = 40};
  char path[200];
  *x = (struct adder){.application = {apply, applied, install, membership, read_done}, .server = s};
  memset(options.uuid, 'a' + (int) number, sizeof options.uuid);
  snprintf(path, sizeof path, "%s/%llu.%zu", directory, (unsigned long long) s->number, number);
  bool create = disk_make_directory(disk_system(), path, NULL) == ERR_OK;
  if (log_open(disk_system(), path, options.uuid, create, &log_options, clock_system(), NULL, &x->log, &e) != ERR_OK)
    fail_msg("%s", e.message);
  struct consensus_membership m = first_membership();
  if (create) assert_ok(group_begin(x->log, member_of(s->number, 1), &m, &e));
  if (host_group_add(s->host, x->log, &options, &x->group, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void open_groups(void *argument) {
  struct server *s = argument;
  for (size_t i = 0; i < s->group_count; i++) open_group(s, i);
}

static void start(struct server *s, size_t group_count) {
  s->group_count = group_count;
  s->ready = s->stopping = false;
  s->save_count = 0;
  loop_call(s->loop, open_host, s);
  assert_ok(thread_start(&s->writer, "writer", writer_main, s, NULL));
  assert_ok(thread_start(&s->saver, "saver", saver_main, s, NULL));
  s->up = true;
}

static void close_all(void *argument) {
  struct server *s = argument;
  for (size_t i = 0; i < s->group_count; i++) host_group_remove(s->adders[i].group);
  host_close(s->host);
  for (size_t i = 0; i < s->group_count; i++) log_close(s->adders[i].log);
}

static void stop(struct server *s) {
  mutex_lock(&s->lock);
  s->stopping = true;
  condition_signal(&s->wake);
  condition_signal(&s->wake_saver);
  mutex_unlock(&s->lock);
  thread_join(&s->writer);
  thread_join(&s->saver);
  loop_call(s->loop, close_all, s);
  s->up = false;
}

static void start_all(size_t group_count) {
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  snprintf(directory, sizeof directory, "/tmp/quiver-host-XXXXXX");
  assert_non_null(mkdtemp(directory));
  for (uint64_t i = 0; i < SERVERS; i++) {
    servers[i] = (struct server){.number = i + 1};
    mutex_init(&servers[i].lock);
    condition_init(&servers[i].wake);
    condition_init(&servers[i].wake_saver);
    assert_ok(loop_start("server", &servers[i].loop, NULL));
    start(&servers[i], group_count);
  }
  for (int i = 0; i < SERVERS; i++) loop_call(servers[i].loop, open_groups, &servers[i]);
}

static void remove_tree(const char *path) {
  pid_t pid = fork();
  if (pid == 0) {
    execlp("rm", "rm", "-rf", path, (char *) NULL);
    _exit(1);
  }
  waitpid(pid, NULL, 0);
}

static void stop_all(void) {
  for (int i = 0; i < SERVERS; i++) {
    if (servers[i].up) stop(&servers[i]);
    loop_stop(servers[i].loop);
    mutex_done(&servers[i].lock);
    condition_done(&servers[i].wake);
    condition_done(&servers[i].wake_saver);
  }
  remove_tree(directory);
}

// ---- asking ----

struct ask {
  struct server *server;
  size_t group;
  size_t bytes; // of the payload; 0: only look
  bool leads, taken;
  uint64_t term, index, read_id;
};

static char payload[1 << 20];

static void ask_now(void *argument) {
  struct ask *a = argument;
  struct adder *x = &a->server->adders[a->group];
  struct group *g = host_group(x->group);
  struct consensus_status status;
  group_status(g, &status);
  a->leads = status.open;
  a->term = status.term;
  if (!status.open) return;
  if (a->bytes > 0) {
    struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, a->bytes}};
    a->taken =
        group_propose(g, (uint64_t) (clock_monotonic_ns(clock_system()) / NS_PER_MS), status.term, &entry, 1, NULL) == ERR_OK;
    a->index = entry.index;
  }
  if (a->read_id > 0)
    a->taken = group_read(g, (uint64_t) (clock_monotonic_ns(clock_system()) / NS_PER_MS), a->read_id, NULL) == ERR_OK;
  host_touch(x->group);
}

static struct server *leader_of(size_t group) {
  for (int tries = 0; tries < 10000; tries++) {
    for (int i = 0; i < SERVERS; i++) {
      if (!servers[i].up) continue;
      struct ask a = {.server = &servers[i], .group = group};
      loop_call(servers[i].loop, ask_now, &a);
      if (a.leads) return &servers[i];
    }
    poll(NULL, 0, 1);
  }
  fail_msg("nobody leads");
  return NULL;
}

// What was proposed to a group. A proposal that was taken is committed if its index was applied with its term, and only then.
struct ledger {
  size_t group, count;
  struct ask asked[ENTRIES_MAX];
};

static struct ledger ledgers[GROUPS_MAX];

static const struct ask *propose(struct server *s, size_t group, size_t bytes) {
  struct ledger *l = &ledgers[group];
  struct ask *a = &l->asked[l->count];
  *a = (struct ask){.server = s, .group = group, .bytes = bytes};
  loop_call(s->loop, ask_now, a);
  if (!a->taken) return NULL;
  l->count++;
  return a;
}

static bool is_applied(const struct server *s, size_t group, uint64_t index) {
  for (int tries = 0; tries < 3000 && s->adders[group].index < index; tries++) poll(NULL, 0, 1);
  return s->adders[group].index >= index;
}

static bool is_committed(const struct server *s, const struct ask *a) {
  return s->adders[a->group].terms[a->index] == a->term;
}

/// Proposes until something is committed: then the fate of all that came before is known. Returns it.
static const struct ask *settle(size_t group) {
  for (int tries = 0; tries < 100; tries++) {
    struct server *leader = leader_of(group);
    const struct ask *a = propose(leader, group, 1);
    if (a != NULL && is_applied(leader, group, a->index) && is_committed(leader, a)) return a;
  }
  fail_msg("nothing can be committed");
  return NULL;
}

/// All servers have applied the same, and what it adds up to is what was committed.
static void assert_agreement(size_t group) {
  const struct ask *last = settle(group);
  uint64_t sum = 0;
  for (size_t i = 0; i < ledgers[group].count; i++)
    if (is_committed(last->server, &ledgers[group].asked[i])) sum += ledgers[group].asked[i].bytes;
  for (int i = 0; i < SERVERS; i++) {
    if (!servers[i].up) continue;
    assert_true(is_applied(&servers[i], group, last->index));
    assert_int_equal(servers[i].adders[group].sum, sum);
  }
}

static void forget_all(void) {
  for (size_t i = 0; i < GROUPS_MAX; i++) ledgers[i].count = 0;
}

TEST(what_the_leader_is_given_is_applied_everywhere) {
  forget_all();
  start_all(1);
  for (size_t i = 1; i <= 500; i++) (void) propose(leader_of(0), 0, i);
  assert_agreement(0);
  stop_all();
}

TEST(a_stopped_leader_is_replaced_and_catches_up_when_it_is_back) {
  forget_all();
  start_all(1);
  for (int round = 0; round < 3; round++) {
    assert_agreement(0);
    struct server *stopped = leader_of(0);
    stop(stopped);
    for (int i = 0; i < 20; i++) (void) propose(leader_of(0), 0, 64 << 10);
    assert_agreement(0);
    start(stopped, 1);
    loop_call(stopped->loop, open_groups, stopped);
    assert_agreement(0);
  }
  stop_all();
}

static void assert_all_agree(size_t groups) {
  for (size_t group = 0; group < groups; group++) assert_agreement(group);
}

TEST(a_server_that_ends_is_missed_long_before_the_election_timeout) {
  enum { GROUPS = 4 };
  forget_all();
  election_timeout_ms = 1000; // long enough for no leader to give up before the others would notice
  start_all(GROUPS);
  assert_all_agree(GROUPS);
  election_timeout_ms = 60000;
  for (int i = 0; i < SERVERS; i++) { // when the last one ends nobody has another timeout
    stop(&servers[i]);
    assert_all_agree(GROUPS);
    start(&servers[i], GROUPS);
    loop_call(servers[i].loop, open_groups, &servers[i]);
    assert_all_agree(GROUPS);
  }
  election_timeout_ms = 150;
  stop_all();
}

/// Without any for longer than a leader takes for some heartbeats.
static bool becomes_quiet(void) {
  enum { HEARTBEATS_MS = 200 };
  for (int tries = 0; tries < 100; tries++) {
    int before = servers[0].promised + servers[1].promised + servers[2].promised;
    poll(NULL, 0, HEARTBEATS_MS);
    if (servers[0].promised + servers[1].promised + servers[2].promised == before) return true;
  }
  return false;
}

static bool promises_more_than(const struct server *s, int before) {
  for (int tries = 0; tries < 3000 && s->promised <= before; tries++) poll(NULL, 0, 1);
  return s->promised > before;
}

TEST(what_becomes_durable_is_promised_and_heartbeats_are_not) {
  forget_all();
  election_timeout_ms = 1000;
  start_all(1);
  assert_agreement(0);
  for (int i = 0; i < SERVERS; i++) assert_true(promises_more_than(&servers[i], 0));
  assert_true(becomes_quiet());
  int before[SERVERS];
  for (int i = 0; i < SERVERS; i++) before[i] = servers[i].promised;
  assert_agreement(0);
  for (int i = 0; i < SERVERS; i++) assert_true(promises_more_than(&servers[i], before[i]));
  election_timeout_ms = 150;
  stop_all();
}

TEST(a_linearizable_read_waits_for_what_was_acknowledged_before) {
  forget_all();
  start_all(1);
  for (int tries = 0;; tries++) {
    const struct ask *committed = settle(0);
    struct server *leader = committed->server;
    struct ask a = {.server = leader, .read_id = 7};
    loop_call(leader->loop, ask_now, &a);
    for (int i = 0; i < 3000 && a.taken && leader->adders[0].read_done != 7; i++) poll(NULL, 0, 1);
    if (leader->adders[0].read_done == 7 && leader->adders[0].read_index != 0) {
      assert_true(leader->adders[0].read_index >= committed->index);
      break;
    }
    assert_true(tries < 20); // leadership may change on a busy machine
  }
  stop_all();
}

TEST(many_groups_share_connections_and_rounds) {
  forget_all();
  start_all(GROUPS_MAX);
  for (int i = 0; i < 100; i++)
    for (size_t group = 0; group < GROUPS_MAX; group++) (void) propose(leader_of(group), group, 100 + group);
  for (size_t group = 0; group < GROUPS_MAX; group++) assert_agreement(group);
  stop_all();
}

static void touch(void *argument) {
  struct server *s = argument;
  ends = true;
  host_touch(s->adders[0].group);
}

/// Clients wait to be told, and nothing else happens here for long.
TEST(a_group_that_fails_by_what_is_asked_of_it_when_it_was_stepped_is_told_of_at_once) {
  forget_all();
  election_timeout_ms = 60000;
  start_all(1);
  assert_true(becomes_quiet());
  loop_call(servers[0].loop, touch, &servers[0]);
  for (int tries = 0; tries < 2000 && told_ends == 0; tries++) poll(NULL, 0, 1);
  assert_int_equal(told_ends, 1);
  election_timeout_ms = 150;
  stop_all();
}

TEST(zz_the_resolver_ends) {
  net_resolver_free(resolver);
  resolver = NULL;
}

TESTS(T(what_the_leader_is_given_is_applied_everywhere), T(a_stopped_leader_is_replaced_and_catches_up_when_it_is_back),
      T(a_server_that_ends_is_missed_long_before_the_election_timeout),
      T(what_becomes_durable_is_promised_and_heartbeats_are_not), T(a_linearizable_read_waits_for_what_was_acknowledged_before),
      T(many_groups_share_connections_and_rounds),
      T(a_group_that_fails_by_what_is_asked_of_it_when_it_was_stepped_is_told_of_at_once), T(zz_the_resolver_ends))
