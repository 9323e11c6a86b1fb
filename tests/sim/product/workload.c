// What clients do, what they note of it, and how it is judged in the end.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/thread.h"
#include "product.h"
#include "versions.h"

#define APPEND "MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v"
#define READ "MATCH (l:List {key: $key}) RETURN l.v"
#define COUNT "MATCH (c:Counter {key: $key}) SET c.n = c.n + 1 RETURN c.n"
#define MERGE "MERGE (u:Unique {key: $key})"

#define WRITE_MUCH                                                                                                               \
  "WITH reduce(s = 'x', i IN range(1, 15) | s + s) AS text UNWIND range(1, 140) AS i CREATE (:Much {batch: $batch, i: i, text: " \
  "text})"

static const char *const batch_words[] = {"refused", "acknowledged", "unknown"};

enum { MUCH_NODES = 140, FINISH_TRIES_MS = 90000, SAME_TRIES = 10, MERGE_KEYS = 200, THINK_WITHIN_MS = 1500, SLICE_MS = 50 };

static bool chance(uint64_t num, uint64_t den) {
  return rng_chance(world_rng(), num, den);
}

static uint32_t below(uint32_t bound) {
  return (uint32_t) rng_below(world_rng(), bound);
}

// ---- bookmarks ----

static const char *some_bookmark(const struct product_client *c) {
  switch (below(4)) {
  case 0: return "";
  case 1: return c->world->bookmark;
  default: return c->bookmark;
  }
}

static void keep_higher(char to[BOOKMARK_MAX], const char *bookmark) {
  if (bookmark_place(bookmark) > bookmark_place(to)) snprintf(to, BOOKMARK_MAX, "%s", bookmark);
}

static void given(struct product_client *c, const char *bookmark) {
  keep_higher(c->bookmark, bookmark);
  keep_higher(c->world->bookmark, bookmark);
}

static void tally(struct product_client *c, enum outcome outcome) {
  struct product_counts *n = &c->world->report->counts;
  n->acknowledged += outcome == OUTCOME_OK;
  n->refused += outcome == OUTCOME_REFUSED;
  n->unknown += outcome == OUTCOME_UNKNOWN;
}

// ---- lists: one to four appends and reads ----

/// As long as the world goes on: at its end nobody waits for who does nothing.
static void rest(const struct product_world *w, int64_t ns) {
  for (int64_t slice; ns > 0 && !w->stop; ns -= slice) {
    slice = MIN(ns, SLICE_MS * NS_PER_MS);
    thread_sleep_ns(slice);
  }
}

/// Somebody thinks between two statements: the leader that the transaction began with may be another one meanwhile, or the same
/// in a later term.
static void think_within(const struct product_world *w) {
  rest(w, (int64_t) rng_below(world_rng(), (w->leads_in_turn ? 2 : 1) * THINK_WITHIN_MS) * NS_PER_MS);
}

/// Who brings no bookmark may find a member that has nothing yet: also one that led until it stood still, and does not know that
/// another one does since. What finds nothing there writes nothing, and is then a read, of which no more is promised.
static bool do_op(struct product_client *c, struct attempt *a, const char *after, struct history_op *op) {
  op->key = below(LISTS);
  if (op->append) op->value = c->world->history.next_value++;
  struct call_parameter parameters[] = {{"key", op->key}, {"value", op->value}};
  if (!attempt_run(a, op->append ? APPEND : READ, parameters, op->append ? 2 : 1)) return false;
  uint32_t rows = c->driver.answer.row_count;
  bool is_missing = rows == 0 && after[0] == '\0';
  if (is_missing) op->append = false;
  if (rows == 1 || is_missing)
    history_saw(op, &c->driver.answer);
  else
    product_fail(c->world, "%u lists of key %u at server %u, bookmark %s", rows, op->key, a->server, after);
  return true;
}

static void note_end(struct product_client *c, uint32_t number, struct attempt *a) {
  struct history_txn *t = &c->world->history.txns[number];
  t->end_ns = world_now_ns();
  t->outcome = a->outcome;
  t->server = a->server;
  if (a->outcome == OUTCOME_OK) t->bookmark = bookmark_place(c->driver.answer.bookmark);
  world_tell("client", "%u: transaction %u at server %u %s, %llu", c->number, number, a->server,
             a->outcome == OUTCOME_OK        ? "acknowledged"
             : a->outcome == OUTCOME_REFUSED ? "refused"
                                             : "UNKNOWN",
             (unsigned long long) t->bookmark);
}

static enum outcome append_and_read(struct product_client *c) {
  struct history *h = &c->world->history;
  uint32_t number = h->txn_count, count = 1 + below(OPS_MAX);
  bool appends[OPS_MAX], writes = false;
  for (uint32_t i = 0; i < count; i++) writes |= appends[i] = chance(1, 2);
  char after[BOOKMARK_MAX];
  snprintf(after, sizeof after, "%s", some_bookmark(c));
  struct history_txn *t = history_add(h);
  *t = (struct history_txn){.begin_ns = world_now_ns(),
                            .client = c->number,
                            .after = bookmark_place(after),
                            .outcome = OUTCOME_REFUSED,
                            .end_ns = INT64_MAX};
  struct attempt a;
  attempt_begin(&a, &c->driver, writes || chance(1, 3), 0);
  bool good = attempt_open(&a, writes, after), thinks = chance(1, c->world->leads_in_turn ? 8 : 40);
  for (uint32_t i = 0; i < count && good; i++) {
    if (thinks) think_within(c->world);
    struct history_op op = {.append = appends[i]};
    good = do_op(c, &a, after, &op);
    h->txns[number].ops[h->txns[number].op_count++] = op; // others may have moved it
  }
  if (thinks) think_within(c->world);
  if (good && chance(1, 20))
    attempt_roll_back(&a);
  else if (good && attempt_commit(&a))
    given(c, c->driver.answer.bookmark);
  note_end(c, number, &a);
  return a.outcome;
}

// ---- single statements ----

/// An auto-commit or an explicit transaction, which must come to the same.
static bool run_one(struct product_client *c, struct attempt *a, const char *after, const char *query,
                    const struct call_parameter *parameters, uint32_t count, uint32_t *ret_rows) {
  bool alone = chance(1, 2);
  bool good = alone ? attempt_auto(a, true, after, query, parameters, count)
                    : attempt_open(a, true, after) && attempt_run(a, query, parameters, count);
  *ret_rows = good ? c->driver.answer.row_count : 0;
  return good && (alone || attempt_commit(a));
}

/// What changes something that it looks for (`finds`) returns a row for it; without a bookmark it may find nothing, as in do_op.
static enum outcome write_one(struct product_client *c, bool finds, const char *query, const struct call_parameter *parameters,
                              uint32_t count) {
  struct attempt a;
  attempt_begin(&a, &c->driver, true, 0);
  char after[BOOKMARK_MAX];
  uint32_t rows;
  snprintf(after, sizeof after, "%s", some_bookmark(c));
  bool good = run_one(c, &a, after, query, parameters, count, &rows);
  if (good) given(c, c->driver.answer.bookmark);
  if (good && finds && rows == 0) {
    if (after[0] != '\0') product_fail(c->world, "server %u finds nothing with bookmark %s: %s", a.server, after, query);
    a.outcome = OUTCOME_REFUSED;
  }
  world_tell("client", "%u: at server %u %s %s", c->number, a.server,
             a.outcome == OUTCOME_OK        ? "done"
             : a.outcome == OUTCOME_REFUSED ? "refused"
                                            : "UNKNOWN",
             query);
  return a.outcome;
}

static enum outcome count(struct product_client *c) {
  struct history *h = &c->world->history;
  uint32_t key = below(COUNTERS);
  enum outcome o = write_one(c, true, COUNT, &(struct call_parameter){"key", key}, 1);
  h->counter_acknowledged[key] += o == OUTCOME_OK;
  h->counter_unknown[key] += o == OUTCOME_UNKNOWN;
  return o;
}

static enum outcome merge(struct product_client *c) {
  uint32_t key = below(MERGE_KEYS);
  enum outcome o = write_one(c, false, MERGE, &(struct call_parameter){"key", key}, 1);
  history_merged(&c->world->history, key, o == OUTCOME_OK);
  return o;
}

/// A step, and a look for it with the bookmark that was given, on a server at random. Now and then with names that nobody used
/// before.
static enum outcome walk(struct product_client *c) {
  char query[TEXT_MAX];
  unsigned part = (unsigned) (c->steps / 8);
  struct call_parameter parameters[] = {{"i", ++c->steps}, {"key", c->number}};
  snprintf(query, sizeof query, "MATCH (w:Walker {key: $key}) CREATE (w)-[:STEP {i: $i}]->(:Step:Part%u {i: $i, key%u: $i}) RETURN 1",
           part, part);
  enum outcome o = write_one(c, true, query, parameters, 2);
  if (o != OUTCOME_OK) return o;
  struct attempt a;
  attempt_begin(&a, &c->driver, false, 1 + below(c->world->server_count));
  bool good = attempt_auto(&a, false, c->bookmark, "MATCH (:Walker {key: $key})-[:STEP]->(s:Step {i: $i}) RETURN count(s)",
                           parameters, 2);
  if (good && c->driver.answer.numbers[0] != 1)
    product_fail(c->world, "step %lld of client %u is %lld times on server %u with bookmark %s", (long long) c->steps, c->number,
                 (long long) c->driver.answer.numbers[0], a.server, c->bookmark);
  return a.outcome == OUTCOME_UNKNOWN ? OUTCOME_REFUSED : a.outcome;
}

/// Longer than an entry of the log may be: it travels in parts, and is there whole or not at all.
static enum outcome write_much(struct product_client *c) {
  struct history *h = &c->world->history;
  int64_t batch = h->batch_count;
  if (batch == BATCHES_MAX) return OUTCOME_REFUSED;
  h->batches[h->batch_count++] = BATCH_UNKNOWN; // what becomes of it when the world ends before the answer
  enum outcome o = write_one(c, false, WRITE_MUCH, &(struct call_parameter){"batch", batch}, 1);
  h->batches[batch] = o == OUTCOME_OK ? BATCH_THERE : o == OUTCOME_REFUSED ? BATCH_NOT_THERE : BATCH_UNKNOWN;
  return o;
}

static enum outcome change_schema(struct product_client *c) {
  static const char *const commands[] = {"CREATE INDEX steps IF NOT EXISTS FOR (s:Step) ON (s.i)", "DROP INDEX steps IF EXISTS",
                                         "CREATE INDEX lists IF NOT EXISTS FOR (l:List) ON (l.key)",
                                         "CREATE CONSTRAINT counters IF NOT EXISTS FOR (c:Counter) REQUIRE c.key IS UNIQUE",
                                         "DROP CONSTRAINT counters IF EXISTS"};
  struct attempt a;
  attempt_begin(&a, &c->driver, true, 0);
  if (attempt_auto(&a, true, "", commands[below(ARRAY_SIZE(commands))], NULL, 0)) given(c, c->driver.answer.bookmark);
  return a.outcome;
}

/// Databases come and go; what is written into one that others drop is not looked for.
static enum outcome change_databases(struct product_client *c) {
  static const char *const commands[] = {"CREATE DATABASE extra IF NOT EXISTS", "CREATE DATABASE extra IF NOT EXISTS",
                                         "DROP DATABASE extra IF EXISTS", "STOP DATABASE extra", "START DATABASE extra"};
  struct attempt a;
  bool write = chance(1, 2);
  attempt_begin(&a, write ? &c->extra : &c->system, true, 0);
  const char *query = write ? "CREATE (:Extra {of: 1})" : commands[below(ARRAY_SIZE(commands))];
  (void) attempt_auto(&a, true, "", query, NULL, 0);
  world_tell("client", "%u: at server %u %s %s", c->number, a.server, a.outcome == OUTCOME_OK ? "done" : "not done", query);
  return a.outcome == OUTCOME_UNKNOWN ? OUTCOME_REFUSED : a.outcome;
}

static enum outcome once(struct product_client *c) {
  uint32_t dice = below(100);
  if (c->world->makes_databases && below(12) == 0) return change_databases(c);
  if (dice < 50) return append_and_read(c);
  if (dice < 68) return count(c);
  if (dice < 82) return merge(c);
  if (dice < 96) return walk(c);
  if (dice < 97) return c->world->writes_much ? write_much(c) : walk(c);
  return change_schema(c);
}

void *product_client_run(void *argument) {
  struct product_client *c = argument;
  uint32_t trouble = 0;
  while (!c->world->stop) {
    enum outcome o = once(c);
    tally(c, o);
    trouble = o == OUTCOME_OK ? 0 : MIN(trouble + 1, 5u);
    const char *wrong = c->driver.wrong != NULL ? c->driver.wrong : c->system.wrong != NULL ? c->system.wrong : c->extra.wrong;
    if (wrong != NULL) product_fail(c->world, "%s", wrong);
    rest(c->world, (int64_t) rng_below(world_rng(), MIN((uint64_t) c->world->think_ns << trouble, (uint64_t) NS_PER_S)));
  }
  driver_close(&c->driver);
  driver_close(&c->system);
  driver_close(&c->extra);
  c->ended = true;
  return NULL;
}

// ---- before and after ----

static bool insist_by(struct product_client *c, struct driver *d, const char *query) {
  for (int i = 0; i < 200 && !c->world->report->failed; i++) {
    struct attempt a;
    attempt_begin(&a, d, true, 0);
    if (attempt_auto(&a, true, "", query, NULL, 0)) return true;
    thread_sleep_ns(200 * NS_PER_MS);
  }
  return false;
}

static bool insist(struct product_client *c, const char *query) {
  bool good = insist_by(c, &c->driver, query);
  if (good) given(c, c->driver.answer.bookmark);
  return good;
}

void *product_prepare(void *argument) {
  static const char *const statements[] = {
      "CREATE CONSTRAINT uniques IF NOT EXISTS FOR (u:Unique) REQUIRE u.key IS UNIQUE",
      "UNWIND range(0, 4) AS i MERGE (l:List {key: i}) ON CREATE SET l.v = []",
      "UNWIND range(0, 2) AS i MERGE (c:Counter {key: i}) ON CREATE SET c.n = 0",
      "UNWIND range(0, 16) AS i MERGE (w:Walker {key: i})",
  };
  struct product_world *w = argument;
  for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
    if (!insist(&w->clients[0], statements[i])) return NULL;
  for (uint32_t i = 0; i < w->client_count; i++) snprintf(w->clients[i].bookmark, BOOKMARK_MAX, "%s", w->bookmark);
  w->clients[0].driver.wrong = NULL; // who is not founded yet may say what it likes
  w->prepared = true;
  return NULL;
}

/// Until the server answers, with all that was committed.
static bool read_at(struct product_client *c, uint32_t server, const char *query, const struct call_parameter *parameters,
                    uint32_t count_) {
  int64_t until_ns = world_now_ns() + FINISH_TRIES_MS * NS_PER_MS;
  while (world_now_ns() < until_ns) {
    struct attempt a;
    attempt_begin(&a, &c->driver, false, server);
    if (attempt_auto(&a, false, c->world->bookmark, query, parameters, count_)) return true;
    thread_sleep_ns(100 * NS_PER_MS);
  }
  product_fail(c->world, "server %u does not answer after all is healed: %s", server, c->driver.last_error);
  return false;
}

static bool read_end(struct product_client *c, uint32_t server, struct history_end *end) {
  for (uint32_t key = 0; key < LISTS; key++) {
    struct call_parameter parameter = {"key", key};
    if (!read_at(c, server, READ, &parameter, 1)) return false;
    const struct answer *a = &c->driver.answer;
    end->lengths[key] = a->number_count;
    end->lists[key] = mem_alloc(MAX(a->number_count, 1u) * sizeof(int64_t));
    memcpy(end->lists[key], a->numbers, a->number_count * sizeof(int64_t));
  }
  if (!read_at(c, server, "MATCH (c:Counter) RETURN c.n ORDER BY c.key", NULL, 0)) return false;
  for (uint32_t i = 0; i < COUNTERS && i < c->driver.answer.number_count; i++) end->counters[i] = c->driver.answer.numbers[i];
  return true;
}

static bool check_merged(struct product_client *c, uint32_t server) {
  const struct history *h = &c->world->history;
  if (!read_at(c, server, "MATCH (u:Unique) RETURN u.key", NULL, 0)) return false;
  uint8_t times[MERGE_KEYS] = {0};
  for (uint32_t i = 0; i < c->driver.answer.number_count; i++) times[c->driver.answer.numbers[i]]++;
  for (uint32_t key = 0; key < MERGE_KEYS; key++) {
    uint8_t known = key < h->merged_room ? h->merged[key] : 0;
    if (times[key] > 1) product_fail(c->world, "the unique key %u is %u times on server %u", key, times[key], server);
    if (times[key] == 0 && (known & 2)) product_fail(c->world, "the key %u was merged and is not there on server %u", key, server);
    if (times[key] > 0 && known == 0) product_fail(c->world, "the key %u is there and nobody merged it, on server %u", key, server);
  }
  return true;
}

static bool check_much(struct product_client *c, uint32_t server) {
  const struct history *h = &c->world->history;
  for (uint32_t i = 0; i < h->batch_count; i++) {
    if (!read_at(c, server, "MATCH (m:Much {batch: $batch}) RETURN count(m)", &(struct call_parameter){"batch", i}, 1))
      return false;
    int64_t n = c->driver.answer.numbers[0];
    bool right = (n == 0 && h->batches[i] != BATCH_THERE) || (n == MUCH_NODES && h->batches[i] != BATCH_NOT_THERE);
    if (!right)
      product_fail(c->world, "of the large transaction %u (%s) %lld of %d nodes are there on server %u", i,
                   batch_words[h->batches[i]], (long long) n, MUCH_NODES, server);
  }
  return true;
}

/// All that is in the database, as one number.
static bool digest(struct product_client *c, uint32_t server, uint64_t *ret) {
  if (!read_at(c, server, "MATCH (n) RETURN n", NULL, 0)) return false;
  uint64_t nodes = c->driver.answer.hash;
  if (!read_at(c, server, "MATCH ()-[r]->() RETURN r", NULL, 0)) return false;
  *ret = nodes * 31 + c->driver.answer.hash;
  return true;
}

/// What a client has given up while its server stood still may come between a look at server 1 and one at another: then both are
/// looked at again.
static bool check_same(struct product_client *c, uint32_t server, uint64_t *first) {
  uint64_t found;
  for (int tries = 0; tries < SAME_TRIES; tries++) {
    if (tries > 0 && !digest(c, 1, first)) return false;
    if (!digest(c, server, &found)) return false;
    if (server == 1) *first = found;
    if (found == *first) return true;
    thread_sleep_ns(100 * NS_PER_MS);
  }
  product_fail(c->world, "server %u has not what server 1 has", server);
  return false;
}

/// The database is there, or comes into being, on every server, and holds the same.
static bool check_extra(struct product_client *c) {
  struct product_world *w = c->world;
  char bookmark[BOOKMARK_MAX];
  uint64_t first = 0;
  if (!w->makes_databases) return true;
  bool good = insist_by(c, &c->system, "CREATE DATABASE extra IF NOT EXISTS") &&
              insist_by(c, &c->system, "START DATABASE extra") && insist_by(c, &c->extra, "CREATE (:Extra {of: 2})");
  if (!good) product_fail(w, "no database is made after all is healed: %s; %s", c->system.last_error, c->extra.last_error);
  snprintf(bookmark, sizeof bookmark, "%s", c->extra.answer.bookmark);
  for (uint32_t s = 1; s <= w->server_count && good; s++) {
    int64_t until_ns = world_now_ns() + FINISH_TRIES_MS * NS_PER_MS;
    for (good = false; !good && world_now_ns() < until_ns; thread_sleep_ns(100 * NS_PER_MS)) {
      struct attempt a;
      attempt_begin(&a, &c->extra, false, s);
      good = attempt_auto(&a, false, bookmark, "MATCH (n) RETURN n", NULL, 0);
    }
    if (!good) product_fail(w, "the database extra does not come to server %u: %s", s, c->extra.last_error);
    if (s == 1) first = c->extra.answer.hash;
    if (good && c->extra.answer.hash != first) product_fail(w, "the database extra is not on server %u what it is on server 1", s);
  }
  return good;
}

void *product_finish(void *argument) {
  struct product_world *w = argument;
  struct product_client *c = &w->clients[0];
  struct history_end end = {0};
  char why[WHY_MAX - 100];
  uint64_t first = 0;
  int64_t since_ns = world_now_ns();
  bool good = insist(c, "MATCH (w:Walker {key: 16}) SET w.done = true");
  if (!good) product_fail(w, "nobody takes a transaction after all is healed: %s", c->driver.last_error);
  if (good) w->report->counts.recovery_ms_max = (uint64_t) ((world_now_ns() - since_ns) / NS_PER_MS);
  for (uint32_t s = 1; s <= w->server_count && good; s++) good = check_same(c, s, &first) && check_merged(c, s) && check_much(c, s);
  good = good && check_extra(c) && product_versions_finish(w);
  if (good && read_end(c, 1 + below(w->server_count), &end) && !history_check(&w->history, &end, why, sizeof why))
    product_fail(w, "%s", why);
  w->finished = true;
  return NULL;
}
