// Linearizable reads at every member: what was acknowledged before is seen, or nothing is answered.
#include <stdatomic.h>

#include "dbms/cluster_int.h"
#include "dbms/test_relay_world.h"
#include "os/loop.h"

#define INCREMENT "MATCH (c:C) SET c.n = c.n + 1"
#define COUNTER "MATCH (c:C) RETURN c.n"

/// A cluster with a client of the leader, and one of a member that does not lead.
struct scene {
  struct trio trio;
  int leads, follows;
  struct client here, there;
};

static void scene_start_with(struct scene *s, const char *key, const char *value) {
  trio_start_with(&s->trio, key, value);
  s->leads = await_leader(&s->trio);
  s->follows = (s->leads + 1) % SERVERS;
  connect_to(&s->trio, s->follows, &s->here);
  connect_to(&s->trio, s->leads, &s->there);
  must(&s->here, tell(&s->here, "CREATE (:C {n: 0})", true));
}

static void scene_start(struct scene *s) {
  scene_start_with(s, "db.transaction.bookmark_ready_timeout", "30s");
}

static void scene_stop(struct scene *s) {
  leave(&s->here);
  leave(&s->there);
  trio_stop(&s->trio);
}

// ---- what is asked ----

static struct dbms_op op_read(const char *consistency) {
  struct dbms_op op = op_run(COUNTER, true);
  op.run.tx.read_only = true;
  op.run.tx.metadata = said(consistency);
  return op;
}

static enum err read_as(struct client *c, const char *consistency) {
  enum err err = ask(c, op_read(consistency));
  return err == ERR_OK ? ask(c, op_pull(c, -1)) : err;
}

static int64_t number_as(struct client *c, const char *consistency) {
  must(c, read_as(c, consistency));
  return c->sum;
}

static int64_t number_awaited(struct client *c) {
  must(c, await(c));
  must(c, ask(c, op_pull(c, -1)));
  return c->sum;
}

TEST(a_read_at_a_follower_that_is_behind_sees_the_last_acknowledged_write) {
  struct scene s;
  scene_start(&s);
  struct thread_host *host = &s.trio.servers[s.follows].host;
  host_hold(host, true);
  must(&s.there, tell(&s.there, INCREMENT, true));
  assert_int_equal(number_as(&s.here, "causal"), 0);
  submit(&s.here, op_read("linearizable"));
  assert_waits(&s.here);
  host_hold(host, false);
  assert_int_equal(number_awaited(&s.here), 1);
  scene_stop(&s);
}

TEST(a_transaction_of_its_own_sees_it_in_either_mode) {
  struct scene s;
  scene_start(&s);
  for (int64_t i = 1; i <= 6; i++) {
    struct dbms_op begin = op_of(DBMS_BEGIN);
    begin.begin.read_only = i % 2 == 0;
    begin.begin.metadata = said("linearizable");
    must(&s.there, tell(&s.there, INCREMENT, true));
    must(&s.here, ask(&s.here, begin));
    must(&s.here, tell(&s.here, COUNTER, false));
    assert_int_equal(s.here.sum, i);
    must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
    assert_int_equal(number_as(&s.there, "linearizable"), i);
  }
  scene_stop(&s);
}

TEST(the_setting_counts_where_the_metadata_say_nothing) {
  struct scene s;
  scene_start_with(&s, "quiver.read.consistency", "linearizable");
  struct thread_host *host = &s.trio.servers[s.follows].host;
  struct dbms_op plain = op_run(COUNTER, true);
  plain.run.tx.read_only = true;
  host_hold(host, true);
  must(&s.there, tell(&s.there, INCREMENT, true));
  assert_int_equal(number_as(&s.here, "Causal"), 0);
  submit(&s.here, plain);
  assert_waits(&s.here);
  host_hold(host, false);
  assert_int_equal(number_awaited(&s.here), 1);
  scene_stop(&s);
}

TEST(another_word_for_it_is_refused_with_those_that_there_are) {
  struct scene s;
  scene_start(&s);
  assert_int_equal(read_as(&s.here, "strong"), ERR_ARGUMENT);
  assert_non_null(strstr(s.here.op.error.message, "'causal'"));
  assert_non_null(strstr(s.here.op.error.message, "'linearizable'"));
  struct dbms_op begin = op_of(DBMS_BEGIN);
  struct value_entry number = {.key = STR("quiver.consistency"), .value = v_int(1)};
  begin.begin.metadata = v_map(&number, 1);
  assert_int_equal(ask(&s.there, begin), ERR_ARGUMENT);
  scene_stop(&s);
}

// ---- a leader that was deposed and does not know it ----

/// The groups of a server hear nothing and say nothing, while its clients are served as ever.
struct deafness {
  struct cluster *cluster;
  struct mutex mutex;
  struct condition changed;
  bool deaf, over;
  struct thread thread;
};

static void hear_nothing(void *argument) {
  struct deafness *d = argument;
  mutex_lock(&d->mutex);
  d->deaf = true;
  condition_signal(&d->changed);
  while (!d->over) condition_wait(&d->changed, &d->mutex);
  mutex_unlock(&d->mutex);
}

static void *occupy_loop(void *argument) {
  struct deafness *d = argument;
  loop_call(d->cluster->loop, hear_nothing, d);
  return NULL;
}

static void deafen(struct trio *t, int server, struct deafness *d) {
  *d = (struct deafness){.cluster = t->servers[server].dbms->cluster};
  mutex_init(&d->mutex);
  condition_init(&d->changed);
  assert_ok(thread_start(&d->thread, "deaf", occupy_loop, d, NULL));
  mutex_lock(&d->mutex);
  while (!d->deaf) condition_wait(&d->changed, &d->mutex);
  mutex_unlock(&d->mutex);
}

static void let_hear(struct deafness *d) {
  mutex_lock(&d->mutex);
  d->over = true;
  condition_signal(&d->changed);
  mutex_unlock(&d->mutex);
  thread_join(&d->thread);
  condition_done(&d->changed);
  mutex_done(&d->mutex);
}

static int await_other_leader(struct trio *t, int than) {
  for (int waited = 0; waited < PATIENCE_MS; waited += STRIDE_MS) {
    for (int i = 0; i < SERVERS; i++)
      if (i != than && graph_leading_term(dbms_home(t->servers[i].dbms)->graph) != 0) return i;
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
  fail_msg("no other leader within %d ms", PATIENCE_MS);
  return -1;
}

TEST(a_deposed_leader_that_does_not_know_it_answers_nothing_old) {
  struct scene s;
  struct deafness deafness;
  struct client successor;
  scene_start(&s);
  must(&s.there, tell(&s.there, COUNTER, true)); // names known
  deafen(&s.trio, s.leads, &deafness);
  connect_to(&s.trio, await_other_leader(&s.trio, s.leads), &successor);
  must(&successor, tell(&successor, INCREMENT, true));
  assert_int_not_equal(graph_leading_term(dbms_home(s.trio.servers[s.leads].dbms)->graph), 0); // it does not know
  assert_int_equal(number_as(&s.there, "causal"), 0);
  submit(&s.there, op_read("linearizable"));
  assert_waits(&s.there);
  let_hear(&deafness);
  assert_int_equal(number_awaited(&s.there), 1);
  leave(&successor);
  scene_stop(&s);
}

TEST(who_waits_for_a_majority_in_vain_is_told_to_try_again) {
  struct scene s;
  struct deafness deafness;
  scene_start_with(&s, "db.transaction.bookmark_ready_timeout", "400ms");
  deafen(&s.trio, s.leads, &deafness);
  int64_t begin_ns = clock_monotonic_ns(clock_system());
  assert_int_equal(read_as(&s.there, "linearizable"), ERR_DATABASE_UNAVAILABLE);
  assert_in_range(clock_monotonic_ns(clock_system()) - begin_ns, 400 * NS_PER_MS, 3000 * NS_PER_MS);
  assert_non_null(strstr(s.there.op.error.message, "db.transaction.bookmark_ready_timeout"));
  let_hear(&deafness);
  leave(&s.there);
  stop(&s.trio, s.leads);
  stop(&s.trio, 3 - s.leads - s.follows);
  assert_int_equal(read_as(&s.here, "linearizable"), ERR_DATABASE_UNAVAILABLE);
  must(&s.here, read_as(&s.here, "causal"));
  start(&s.trio, s.leads);
  connect_to(&s.trio, s.leads, &s.there);
  await_leader(&s.trio);
  while (read_as(&s.here, "linearizable") != ERR_OK) must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  scene_stop(&s);
}

TEST(who_is_not_reached_in_time_is_told_as_for_a_bookmark) {
  struct scene s;
  scene_start_with(&s, "db.transaction.bookmark_ready_timeout", "400ms");
  struct thread_host *host = &s.trio.servers[s.follows].host;
  host_hold(host, true);
  must(&s.there, tell(&s.there, INCREMENT, true));
  assert_int_equal(read_as(&s.here, "linearizable"), ERR_BOOKMARK_TIMEOUT);
  host_hold(host, false);
  scene_stop(&s);
}

TEST(a_reset_ends_the_waiting) {
  struct scene s;
  struct deafness deafness;
  scene_start(&s);
  deafen(&s.trio, s.leads, &deafness);
  submit(&s.there, op_read("linearizable"));
  assert_waits(&s.there);
  dbms_session_interrupt(s.there.session, ERR_TX_TERMINATED);
  assert_int_equal(await(&s.there), ERR_TX_TERMINATED);
  must(&s.there, ask(&s.there, op_of(DBMS_RESET)));
  let_hear(&deafness);
  assert_int_equal(number_as(&s.there, "linearizable"), 0);
  scene_stop(&s);
}

TEST(questions_and_answers_that_are_lost_are_asked_again) {
  static const enum loss losses[] = {LOSS_REQUEST, LOSS_ANSWER};
  static const enum dbms_op_kind kinds[] = {DBMS_LOGIN, DBMS_BEGIN, DBMS_ROLLBACK};
  struct scene s;
  int64_t expected = 0;
  scene_start(&s);
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      struct client fresh;
      connect_to(&s.trio, s.follows, &fresh);
      must(&s.there, tell(&s.there, INCREMENT, true));
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      assert_int_equal(number_as(&fresh, "linearizable"), ++expected);
      leave(&fresh);
    }
  scene_stop(&s);
}

// ---- all of it at once ----

enum { READERS = 6, READ_MS = 1500 };

struct crowd {
  struct trio *trio;
  _Atomic int64_t acknowledged;
  _Atomic bool over;
};

struct reader {
  struct crowd *crowd;
  int server;
  struct thread thread;
  unsigned reads, again;
  int64_t least, seen; // of the first read that was wrong
  bool wrong;
};

static void *read_on(void *argument) {
  struct reader *r = argument;
  struct client c;
  connect_to(r->crowd->trio, r->server, &c);
  while (!atomic_load(&r->crowd->over) && !r->wrong) {
    int64_t least = atomic_load(&r->crowd->acknowledged);
    if (read_as(&c, "linearizable") != ERR_OK) {
      ask(&c, op_of(DBMS_RESET));
      r->again++;
      continue;
    }
    r->reads++;
    r->wrong = c.sum < least;
    r->least = least;
    r->seen = c.sum;
  }
  leave(&c);
  return NULL;
}

static void *count_on(void *argument) {
  struct crowd *crowd = argument;
  struct client c;
  connect_to(crowd->trio, 0, &c);
  while (!atomic_load(&crowd->over)) {
    if (tell(&c, INCREMENT " RETURN c.n", true) == ERR_OK)
      atomic_store(&crowd->acknowledged, c.sum);
    else
      ask(&c, op_of(DBMS_RESET));
  }
  leave(&c);
  return NULL;
}

TEST(no_reader_anywhere_misses_an_acknowledged_write_while_leaders_change) {
  struct scene s;
  struct reader readers[READERS] = {0};
  struct thread writer;
  scene_start(&s);
  struct crowd crowd = {.trio = &s.trio};
  assert_ok(thread_start(&writer, "writer", count_on, &crowd, NULL));
  for (int i = 0; i < READERS; i++) {
    readers[i] = (struct reader){.crowd = &crowd, .server = i % SERVERS};
    assert_ok(thread_start(&readers[i].thread, "reader", read_on, &readers[i], NULL));
  }
  for (int i = 0; i < 4; i++) {
    thread_sleep_ns(READ_MS / 4 * NS_PER_MS);
    move_leader(&s.trio);
  }
  atomic_store(&crowd.over, true);
  thread_join(&writer);
  for (int i = 0; i < READERS; i++) {
    thread_join(&readers[i].thread);
    print_message("# server %d: %u reads, %u again\n", readers[i].server, readers[i].reads, readers[i].again);
    assert_true(readers[i].reads > 0);
  }
  for (int i = 0; i < READERS; i++)
    if (readers[i].wrong)
      fail_msg("reader %d: saw %lld after %lld was acknowledged", i, (long long) readers[i].seen, (long long) readers[i].least);
  assert_true(crowd.acknowledged > 0);
  scene_stop(&s);
}

TESTS(T(a_read_at_a_follower_that_is_behind_sees_the_last_acknowledged_write), T(a_transaction_of_its_own_sees_it_in_either_mode),
      T(the_setting_counts_where_the_metadata_say_nothing), T(another_word_for_it_is_refused_with_those_that_there_are),
      T(a_deposed_leader_that_does_not_know_it_answers_nothing_old), T(who_waits_for_a_majority_in_vain_is_told_to_try_again),
      T(who_is_not_reached_in_time_is_told_as_for_a_bookmark), T(a_reset_ends_the_waiting),
      T(questions_and_answers_that_are_lost_are_asked_again),
      T(no_reader_anywhere_misses_an_acknowledged_write_while_leaders_change))
