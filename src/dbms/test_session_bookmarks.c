// Bookmarks at members that are behind: whoever has seen a database made, dropped or made anew sees that everywhere.
#include "dbms/bookmark.h"
#include "dbms/test_relay_world.h"

/// A cluster, a member that leads nothing, and a client of it; the other client is one of another member.
struct scene {
  struct trio trio;
  int behind;
  struct client here, there;
  char bookmarks[2][BOOKMARK_BYTES_MAX];
  struct str seen[2];
};

static bool leads_system(struct trio *t, int i) {
  return graph_leading_term(t->servers[i].dbms->system->graph) != 0;
}

/// Of three servers two at most lead one of the two databases.
static int follower_of_all(struct trio *t) {
  for (int waited = 0; waited < PATIENCE_MS; waited += STRIDE_MS) {
    int one = leader(t), other = 0;
    while (other < SERVERS && !leads_system(t, other)) other++;
    for (int i = 0; i < SERVERS && one >= 0 && other < SERVERS; i++)
      if (i != one && i != other) return i;
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
  fail_msg("no leaders within %d ms", PATIENCE_MS);
  return -1;
}

static void scene_start_with(struct scene *s, const char *key, const char *value) {
  trio_start_with(&s->trio, key, value);
  s->behind = follower_of_all(&s->trio);
  connect_to(&s->trio, s->behind, &s->here);
  connect_to(&s->trio, (s->behind + 1) % SERVERS, &s->there);
}

static void scene_start(struct scene *s) {
  scene_start_with(s, "db.transaction.bookmark_ready_timeout", "30s");
}

static void scene_stop(struct scene *s) {
  leave(&s->here);
  leave(&s->there);
  trio_stop(&s->trio);
}

/// The member writes and applies nothing, and follows nothing, until it goes on.
static void stand_still(struct scene *s, bool still) {
  host_hold(&s->trio.servers[s->behind].host, still);
}

static struct dbms_op on(const char *database, const char *query) {
  struct dbms_op op = op_run(query, true);
  op.run.tx.database = str_of(database);
  return op;
}

static enum err attempt(struct client *c, const char *database, const char *query) {
  enum err err = ask(c, on(database, query));
  return err == ERR_OK ? ask(c, op_pull(c, -1)) : err;
}

/// A database that was just made has no leader yet, here and there.
static void put(struct client *c, const char *database, const char *query) {
  enum err err;
  while ((err = attempt(c, database, query)) == ERR_DATABASE_UNAVAILABLE) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  must(c, err);
}

/// Of a member that was told nothing.
static void until(struct client *c, const char *database, bool there) {
  while ((attempt(c, database, "RETURN 1") == ERR_OK) != there) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
}

/// What the other client has been told last is what this one knows.
static void remember(struct scene *s, int i) {
  snprintf(s->bookmarks[i], sizeof s->bookmarks[i], "%.*s", STR_ARG(s->there.op.pulled.summary.bookmark));
  s->seen[i] = str_of(s->bookmarks[i]);
}

static void change(struct scene *s, const char *command) {
  must(&s->there, attempt(&s->there, "system", command));
  remember(s, 0);
}

static struct dbms_op reading(const char *database, const struct str *seen, uint32_t count) {
  struct dbms_op op = on(database, "MATCH (n) RETURN count(n)");
  op.run.tx.read_only = true;
  op.run.tx.bookmarks = seen;
  op.run.tx.bookmark_count = count;
  return op;
}

static int64_t count_awaited(struct client *c) {
  must(c, await(c));
  must(c, ask(c, op_pull(c, -1)));
  return c->sum;
}

TEST(a_database_that_was_made_is_found_at_a_member_that_is_behind) {
  struct scene s;
  scene_start(&s);
  stand_still(&s, true);
  change(&s, "CREATE DATABASE films");
  put(&s.there, "films", "CREATE (:F), (:F)");
  remember(&s, 1);
  submit(&s.here, reading("films", s.seen, 2));
  assert_waits(&s.here);
  stand_still(&s, false);
  enum err err = await(&s.here);
  for (; err == ERR_DATABASE_UNAVAILABLE; err = ask(&s.here, reading("films", s.seen, 2))) continue; // it is being opened
  must(&s.here, err);
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(s.here.sum, 2);
  scene_stop(&s);
}

TEST(the_way_to_a_database_that_was_made_is_told_by_a_member_that_is_behind) {
  struct scene s;
  scene_start(&s);
  stand_still(&s, true);
  change(&s, "CREATE DATABASE films");
  struct dbms_op op = {.kind = DBMS_ROUTE, .route = {.database = STR("films"), .bookmarks = s.seen, .bookmark_count = 1}};
  submit(&s.here, op);
  assert_waits(&s.here);
  stand_still(&s, false);
  must(&s.here, await(&s.here));
  assert_str(s.here.op.routed.database, "films");
  scene_stop(&s);
}

TEST(a_database_that_was_made_anew_is_not_taken_for_the_former_one) {
  struct scene s;
  scene_start(&s);
  change(&s, "CREATE DATABASE films");
  put(&s.there, "films", "CREATE (:F), (:F)");
  until(&s.here, "films", true);
  stand_still(&s, true);
  change(&s, "CREATE OR REPLACE DATABASE films");
  submit(&s.here, reading("films", s.seen, 1));
  assert_waits(&s.here);
  stand_still(&s, false);
  enum err err = await(&s.here);
  for (; err == ERR_DATABASE_UNAVAILABLE; err = ask(&s.here, reading("films", s.seen, 1))) continue;
  must(&s.here, err);
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(s.here.sum, 0);
  scene_stop(&s);
}

TEST(a_bookmark_of_a_database_that_a_member_has_not_heard_of_is_waited_for) {
  struct scene s;
  scene_start(&s);
  stand_still(&s, true);
  change(&s, "CREATE DATABASE films");
  put(&s.there, "films", "CREATE (:F)");
  remember(&s, 1);
  submit(&s.here, reading("neo4j", &s.seen[1], 1));
  assert_waits(&s.here);
  stand_still(&s, false);
  assert_int_equal(count_awaited(&s.here), 0);
  scene_stop(&s);
}

/// Whoever keeps bookmarks of all databases keeps that one, too.
TEST(bookmarks_of_a_dropped_database_are_passed_by_by_members_that_never_had_it) {
  struct scene s;
  scene_start(&s);
  change(&s, "CREATE DATABASE films");
  put(&s.there, "films", "CREATE (:F)");
  remember(&s, 1);
  until(&s.here, "films", true);
  change(&s, "DROP DATABASE films");
  until(&s.here, "films", false);
  leave(&s.here);
  stop(&s.trio, s.behind);
  start(&s.trio, s.behind);
  connect_to(&s.trio, s.behind, &s.here);
  enum err err;
  while ((err = ask(&s.here, reading("neo4j", s.seen, 2))) == ERR_DATABASE_UNAVAILABLE) continue;
  must(&s.here, err);
  scene_stop(&s);
}

TEST(a_bookmark_of_another_cluster_is_waited_for_no_longer_than_the_setting_says) {
  struct scene s;
  struct str foreign = STR("Q1:12345678-1234-4234-8234-123456789abc:7");
  scene_start_with(&s, "db.transaction.bookmark_ready_timeout", "1s");
  assert_int_equal(ask(&s.here, reading("neo4j", &foreign, 1)), ERR_BOOKMARK_TIMEOUT);
  assert_non_null(strstr(s.here.op.error.message, "another cluster"));
  submit(&s.here, reading("neo4j", &foreign, 1));
  dbms_session_interrupt(s.here.session, ERR_TX_TERMINATED);
  assert_int_equal(await(&s.here), ERR_TX_TERMINATED);
  scene_stop(&s);
}

TESTS(T(a_database_that_was_made_is_found_at_a_member_that_is_behind),
      T(the_way_to_a_database_that_was_made_is_told_by_a_member_that_is_behind),
      T(a_database_that_was_made_anew_is_not_taken_for_the_former_one),
      T(a_bookmark_of_a_database_that_a_member_has_not_heard_of_is_waited_for),
      T(bookmarks_of_a_dropped_database_are_passed_by_by_members_that_never_had_it),
      T(a_bookmark_of_another_cluster_is_waited_for_no_longer_than_the_setting_says))
