// Three servers, and perhaps a read replica, of which one comes to hold something else than the others, though its log is theirs:
// it finds out, serves nobody any more, and is mended from one of the others.
#include <string.h>
#include <unistd.h>

#include "cluster/directory.h"
#include "graph/test_damage.h"
#include "graph/view.h"
#include "server/test_trio.h"

enum { INTERVAL_MS = 200, THINGS = 100, WRONG = 100000, REPLICA = SERVERS, REPLICAS_NUMBER = 9 };

/// What a server has said of its digests and copies.
struct listening {
  struct event_sink sink;
  _Atomic uint32_t differs, copied;
  char text[1000]; // of the first that differs
};

/// The servers, and who is there for each of them. What a directory learns goes from one to the other when the test says so.
struct town {
  struct trio trio;
  struct founding founding;
  struct listening listening[PLACES];
  struct directory *directories[PLACES];
  struct directory_link *links[PLACES][PLACES];
  char copies[PLACES][32];     // where stores are copied from
  bool gives;                  // and whether that is told
  bool parted[PLACES][PLACES]; // what the first says the second does not hear
  int64_t now_ms;
};

static void on_event(struct event_sink *sink, enum event_level level, const char *name, struct str text) {
  struct listening *l = CONTAINER_OF(sink, struct listening, sink);
  if (level == EVENT_ERROR && strcmp(name, "cluster.digest") == 0 && atomic_load(&l->differs) == 0) {
    snprintf(l->text, sizeof l->text, "%.*s", STR_ARG(text));
    l->differs++;
  }
  if (level == EVENT_INFO && strcmp(name, "cluster.copy") == 0 && str_find(text, STR("is the copy now")) >= 0) l->copied++;
}

// ---- who is there ----

static struct uuid uuid_at(int i) {
  return (struct uuid){{(uint8_t) (0x10 + i)}};
}

static struct announcement announcement_of(struct town *w, int i) {
  const struct one *s = &w->trio.servers[i];
  return (struct announcement){
      .server = uuid_at(i),
      .epoch = 1,
      .sequence = 1,
      .number = (uint32_t) s->cluster.server,
      .mode = s->cluster.replica ? SERVER_READ_REPLICA : SERVER_CORE,
      .state = IDENTITY_BOUND,
      .founding = &w->founding,
      .addresses = {[ADDRESS_RAFT] = str_of(s->listen), [ADDRESS_TRANSACTION] = w->gives ? str_of(w->copies[i]) : STR_NONE}};
}

static void found(struct town *w) {
  w->founding = (struct founding){
      .cluster = uuid_get(w->trio.servers[0].cluster.cluster), .system = {{1}}, .first_term = 1, .sequence = 1, .count = SERVERS};
  for (int i = 0; i < SERVERS; i++) {
    struct founder *f = &w->founding.founders[i];
    *f = (struct founder){.server = uuid_at(i), .number = (uint32_t) number_of(i)};
    snprintf(f->raft, sizeof f->raft, "%s", w->trio.servers[i].listen);
  }
}

static void meet(struct town *w, int i) {
  struct announcement self = announcement_of(w, i);
  assert_ok(directory_new(&(struct directory_options){0}, &self, w->now_ms, &w->directories[i], &w->trio.e));
  for (int k = 0; k < PLACES; k++)
    if (k != i) assert_ok(directory_link_new(w->directories[i], &w->links[i][k], &w->trio.e));
}

static bool runs(const struct town *w, int i) {
  return w->trio.servers[i].engine != NULL;
}

static void say(struct town *w, int i) {
  struct announced_database databases[8];
  struct announcement self = announcement_of(w, i);
  bool ignored;
  self.database_count = dbms_describe_databases(engine_dbms(w->trio.servers[i].engine), databases, ARRAY_SIZE(databases));
  self.databases = databases;
  assert_ok(directory_say(w->directories[i], &self, &ignored, &w->trio.e));
  directory_tick(w->directories[i], w->now_ms);
}

static void pass_on(struct town *w, int from, int to) {
  struct buf frame = BUF_INIT;
  assert_ok(directory_write(w->links[from][to], w->now_ms, DIRECTORY_ALL, &frame));
  enum err err =
      frame.len > 0 ? directory_hear(w->links[to][from], w->now_ms, (uint8_t *) frame.data, frame.len, &w->trio.e) : ERR_OK;
  if (err != ERR_OK) print_message("# %s\n", w->trio.e.message);
  assert_ok(err);
  buf_done(&frame);
}

/// What a server does by its clock; a second passes for the directories.
static void talk(struct town *w) {
  w->now_ms += 1000;
  for (int i = 0; i < PLACES; i++) {
    if (!runs(w, i)) continue;
    dbms_tick(engine_dbms(w->trio.servers[i].engine));
    say(w, i);
  }
  for (int i = 0; i < PLACES; i++)
    for (int k = 0; k < PLACES; k++)
      if (i != k && runs(w, i) && runs(w, k) && !w->parted[i][k]) pass_on(w, i, k);
}

// ---- life ----

static void move_in(struct town *w, int i) {
  struct one *s = &w->trio.servers[i];
  w->listening[i].sink.raise = on_event;
  snprintf(w->copies[i], sizeof w->copies[i], "127.0.0.1:%u", free_port());
  s->events = &w->listening[i].sink;
  s->cluster.listen_transaction = str_of(w->copies[i]);
  s->cluster.digest_interval_ms = INTERVAL_MS;
  meet(w, i);
  s->cluster.directory = w->directories[i];
  start(&w->trio, i);
}

static void town_start(struct town *w) {
  *w = (struct town){.now_ms = 1};
  trio_make(&w->trio);
  found(w);
  for (int i = 0; i < SERVERS; i++) move_in(w, i);
}

static void town_stop(struct town *w) {
  for (int i = 0; i < PLACES; i++) stop(&w->trio, i);
  for (int i = 0; i < PLACES; i++) {
    for (int k = 0; k < PLACES; k++) directory_link_free(w->links[i][k]);
    directory_free(w->directories[i]);
  }
  trio_stop(&w->trio);
}

/// While the server is stopped its disk comes to hold another number. Its log knows nothing of it.
static void damage(struct town *w, int i) {
  struct page_pool_options po = {.limit_bytes = 8 << 20};
  struct page_pool *pool;
  struct graph *g;
  graph_token number;
  char path[DISK_PATH_MAX];
  assert_ok(page_pool_open(&po, &pool, &w->trio.e));
  struct graph_options o = {.disk = disk_system(),
                            .clock = clock_system(),
                            .random = random_system(),
                            .pool = pool,
                            .log.segment_bytes = 1 << 20,
                            .replicated = true};
  snprintf(path, sizeof path, "%s/data/databases/neo4j", w->trio.servers[i].home);
  assert_ok(graph_open(path, &o, &g, &w->trio.e));
  assert_true(graph_token_find(g, GRAPH_KEY, STR("number"), &number));
  damage_property(g, 0, number, WRONG);
  assert_ok(graph_checkpoint(g, &w->trio.e));
  graph_close(g);
  page_pool_close(pool);
}

static enum err sum_on(struct town *w, int i, char bookmark[80], int64_t *ret) {
  return ask(&w->trio, i, "MATCH (n:Thing) RETURN sum(n.number)", bookmark, ret);
}

static enum database_status status_of(struct town *w, int i) {
  struct announced_database databases[8];
  uint32_t n = dbms_describe_databases(engine_dbms(w->trio.servers[i].engine), databases, ARRAY_SIZE(databases));
  return n == 2 ? databases[1].status : DATABASE_OFFLINE; // `system` is the first, and on a replica alone at first
}

/// Until `what` holds, and the servers hear of each other meanwhile.
#define until(w, what)                                                                 \
  do {                                                                                 \
    for (int waited_ = 0; !(what); waited_ += STRIDE_MS) {                             \
      if (waited_ > PATIENCE_MS) fail_msg("not within %d ms: %s", PATIENCE_MS, #what); \
      talk(w);                                                                         \
      thread_sleep_ns(STRIDE_MS *NS_PER_MS);                                           \
    }                                                                                  \
  } while (0)

static void go_on(struct town *w, int64_t ms) {
  for (int64_t waited = 0; waited < ms; waited += STRIDE_MS) {
    talk(w);
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
}

static void nobody_else_differs(struct town *w, int odd) {
  for (int i = 0; i < PLACES; i++) assert_int_equal(w->listening[i].differs, i == odd);
}

static void refuses(struct town *w, int odd) {
  int64_t sum = 0;
  assert_int_equal(sum_on(w, odd, NULL, &sum), ERR_DATABASE_UNAVAILABLE);
  assert_non_null(strstr(w->trio.e.message, "it differs here from what the other servers have"));
  assert_int_equal(status_of(w, odd), DATABASE_QUARANTINED);
}

static bool is_noted(struct town *w, int odd) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/data/databases/neo4j/quarantine", w->trio.servers[odd].home);
  return access(path, F_OK) == 0;
}

/// And refuses to serve as long as nobody gives it a copy, though it is started anew.
static void finds_out(struct town *w, int odd) {
  until(w, w->listening[odd].differs == 1);
  assert_non_null(strstr(w->listening[odd].text, "[neo4j] What this server has of nodes 0 to "));
  assert_non_null(strstr(w->listening[odd].text, "differs from what "));
  refuses(w, odd);
  until(w, is_noted(w, odd));
  stop(&w->trio, odd);
  start(&w->trio, odd);
  refuses(w, odd);
}

/// It is as the others are.
static void is_mended(struct town *w, int odd, char bookmark[80]) {
  int64_t sum = 0, right = 0;
  until(w, w->listening[odd].copied > 0 && status_of(w, odd) == DATABASE_ONLINE);
  write_somewhere(&w->trio, "CREATE (:Thing {number: 0})", bookmark);
  for (int i = 0; i < PLACES; i++) {
    char seen[80];
    if (!runs(w, i)) continue;
    snprintf(seen, sizeof seen, "%s", bookmark);
    assert_ok(sum_on(w, i, seen, &sum));
    if (i == 0) right = sum;
    assert_int_equal(sum, right);
  }
  assert_true(right < WRONG);
  assert_false(is_noted(w, odd));
  nobody_else_differs(w, odd);
}

static void finds_out_and_is_mended(struct town *w, int odd, char bookmark[80]) {
  finds_out(w, odd);
  assert_non_null(strstr(w->listening[odd].text, "differs from what 2 others have"));
  w->gives = true;
  is_mended(w, odd, bookmark);
}

static int some_things(struct town *w, char bookmark[80]) {
  char query[80];
  snprintf(query, sizeof query, "UNWIND range(1, %d) AS i CREATE (:Thing {number: i})", THINGS);
  int leader = write_somewhere(&w->trio, query, bookmark);
  for (int i = 0; i < SERVERS; i++) {
    char seen[80];
    int64_t sum;
    snprintf(seen, sizeof seen, "%s", bookmark);
    assert_ok(sum_on(w, i, seen, &sum));
    assert_int_equal(sum, THINGS * (THINGS + 1) / 2);
  }
  return leader;
}

TEST(servers_that_hold_the_same_find_nothing) {
  struct town w;
  char bookmark[80] = "";
  town_start(&w);
  some_things(&w, bookmark);
  struct announced_database said[8] = {{.digest_index = 0}};
  until(&w,
        dbms_describe_databases(engine_dbms(w.trio.servers[0].engine), said, ARRAY_SIZE(said)) == 2 && said[1].digest_index > 0);
  go_on(&w, 1000);
  nobody_else_differs(&w, -1);
  town_stop(&w);
}

TEST(a_follower_whose_disk_holds_something_else_finds_out_and_is_mended) {
  struct town w;
  char bookmark[80] = "";
  int64_t sum;
  town_start(&w);
  int leader = some_things(&w, bookmark), odd = (leader + 1) % SERVERS;
  stop(&w.trio, odd);
  damage(&w, odd);
  start(&w.trio, odd);
  write_somewhere(&w.trio, "CREATE (:Thing {number: 0})", bookmark);
  assert_ok(sum_on(&w, odd, bookmark, &sum));
  assert_true(sum >= WRONG); // nobody has noticed
  finds_out_and_is_mended(&w, odd, bookmark);
  town_stop(&w);
}

/// Whoever else leads is stopped until that one does.
static void make_leader(struct town *w, int wanted, char bookmark[80]) {
  for (int tries = 0; tries < 30; tries++) {
    int leader = write_somewhere(&w->trio, "CREATE (:Thing {number: 0})", bookmark);
    if (leader == wanted) return;
    stop(&w->trio, leader);
    write_somewhere(&w->trio, "CREATE (:Thing {number: 0})", bookmark);
    start(&w->trio, leader);
  }
  fail_msg("it never came to lead");
}

TEST(a_leader_whose_disk_holds_something_else_hands_over_and_is_mended) {
  struct town w;
  char bookmark[80] = "";
  town_start(&w);
  int odd = some_things(&w, bookmark);
  stop(&w.trio, odd);
  damage(&w, odd);
  start(&w.trio, odd);
  make_leader(&w, odd, bookmark);
  finds_out_and_is_mended(&w, odd, bookmark);
  town_stop(&w);
}

// ---- a read replica ----

static void replica_joins(struct town *w) {
  struct announced_database databases[8];
  struct one *s = &w->trio.servers[REPLICA];
  dbms_describe_databases(engine_dbms(w->trio.servers[0].engine), databases, ARRAY_SIZE(databases));
  furnish(&w->trio, REPLICA);
  s->cluster = w->trio.servers[0].cluster;
  s->cluster.server = REPLICAS_NUMBER;
  s->cluster.epoch = 0;
  s->cluster.replica = true;
  s->cluster.system = databases[0].uuid;
  w->gives = true;
  move_in(w, REPLICA);
  until(w, status_of(w, REPLICA) == DATABASE_ONLINE);
}

static struct announced_database said_of(struct town *w, int i) {
  struct announced_database databases[8] = {{.digest_index = 0}};
  (void) dbms_describe_databases(engine_dbms(w->trio.servers[i].engine), databases, ARRAY_SIZE(databases));
  return databases[1];
}

static bool have_digested_the_same_range(struct town *w, int i, int k) {
  struct announced_database here = said_of(w, i), there = said_of(w, k);
  return here.digest_index > 0 && here.digest_index == there.digest_index;
}

static bool differ(struct town *w, int i, int k) {
  return have_digested_the_same_range(w, i, k) && said_of(w, i).digest != said_of(w, k).digest;
}

/// The servers compare anew.
static void something_changes(struct town *w, char bookmark[80]) {
  write_somewhere(&w->trio, "CREATE (:Thing {number: 0})", bookmark);
}

/// Until `what` holds, which lasts no longer than one range is compared and may be missed: then in the next round.
#define in_some_round(w, bookmark, what)                                               \
  do {                                                                                 \
    for (int waited_ = 0; !(what); waited_ += STRIDE_MS) {                             \
      if (waited_ > PATIENCE_MS) fail_msg("not within %d ms: %s", PATIENCE_MS, #what); \
      if (waited_ % (10 * INTERVAL_MS) == 0) something_changes(w, bookmark);           \
      go_on(w, STRIDE_MS);                                                             \
    }                                                                                  \
  } while (0)

TEST(a_read_replica_is_compared_when_it_is_new_though_nobody_writes) {
  struct town w;
  char bookmark[80] = "";
  town_start(&w);
  some_things(&w, bookmark);
  replica_joins(&w);
  until(&w, have_digested_the_same_range(&w, 0, REPLICA)); // though nobody writes: it is new
  assert_false(differ(&w, 0, REPLICA));
  nobody_else_differs(&w, -1);
  town_stop(&w);
}

TEST(a_read_replica_whose_disk_holds_something_else_finds_out_and_is_mended) {
  struct town w;
  char bookmark[80] = "";
  int64_t sum;
  town_start(&w);
  some_things(&w, bookmark);
  replica_joins(&w);
  for (int i = 0; i < SERVERS; i++) w.parted[REPLICA][i] = true; // nobody knows that it needs a copy
  stop(&w.trio, REPLICA);
  damage(&w, REPLICA);
  start(&w.trio, REPLICA);
  something_changes(&w, bookmark);
  assert_ok(sum_on(&w, REPLICA, bookmark, &sum));
  assert_true(sum >= WRONG); // nobody has noticed
  in_some_round(&w, bookmark, w.listening[REPLICA].differs == 1);
  finds_out(&w, REPLICA);
  for (int i = 0; i < 3; i++) { // it goes on with the log, and hears who is sound
    something_changes(&w, bookmark);
    uint64_t latest = said_of(&w, 0).applied_index;
    until(&w, said_of(&w, REPLICA).applied_index >= latest);
  }
  refuses(&w, REPLICA);
  for (int i = 0; i < SERVERS; i++) w.parted[REPLICA][i] = false;
  is_mended(&w, REPLICA, bookmark);
  town_stop(&w);
}

TEST(a_read_replica_that_hears_of_few_members_does_not_believe_them) {
  struct town w;
  char bookmark[80] = "";
  town_start(&w);
  int leader = some_things(&w, bookmark), odd = (leader + 1) % SERVERS;
  for (int i = 0; i < PLACES; i++) w.parted[i][odd] = true; // which does not find out itself, then
  for (int i = 0; i < SERVERS; i++) w.parted[i][REPLICA] = i != odd;
  replica_joins(&w);
  stop(&w.trio, odd);
  damage(&w, odd);
  start(&w.trio, odd);
  in_some_round(&w, bookmark, differ(&w, odd, REPLICA));
  go_on(&w, 2 * INTERVAL_MS);
  nobody_else_differs(&w, -1);
  assert_int_equal(status_of(&w, REPLICA), DATABASE_ONLINE);
  town_stop(&w);
}

TESTS(T(servers_that_hold_the_same_find_nothing), T(a_follower_whose_disk_holds_something_else_finds_out_and_is_mended),
      T(a_leader_whose_disk_holds_something_else_hands_over_and_is_mended),
      T(a_read_replica_is_compared_when_it_is_new_though_nobody_writes),
      T(a_read_replica_whose_disk_holds_something_else_finds_out_and_is_mended),
      T(a_read_replica_that_hears_of_few_members_does_not_believe_them))
