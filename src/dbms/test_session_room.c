// Sessions over a disk that has no room for the log, or fails to write it.
#include <stdio.h>
#include <string.h>

#include "dbms/test_session_world.h"

/// Commits until the log has no room; returns how many nodes were acknowledged.
static int64_t fill_log(struct world *w, struct client *c) {
  int64_t acknowledged = 0;
  sim_disk_set_room(w->disk, 2 << 20);
  for (int i = 0; i < 200; i++) {
    finish(w, c,
           op_run("UNWIND range(1, 500) AS i CREATE (:N {text: 'some text that takes room, and some more of it: ' + i})", true));
    bool at_once = submit(c, op_pull(c, -1, -1));
    settle(w);
    assert_true(at_once || c->done == 1);
    if (c->op.err != ERR_OK) break;
    acknowledged += 500;
  }
  assert_int_equal(c->op.err, ERR_TX_LOG);
  return acknowledged;
}

/// A statement that changes something and cannot while there is no room.
static void assert_refused(struct world *w, struct client *c, const char *query) {
  bool at_once = submit(c, op_run(query, true));
  settle(w);
  if (c->op.err == ERR_OK) at_once = submit(c, op_pull(c, -1, -1));
  settle(w);
  assert_true(at_once || c->done == 1);
  assert_int_equal(c->op.err, ERR_TX_LOG);
}

TEST(without_room_on_the_disk_commits_are_refused_and_reads_and_later_commits_go_on) {
  struct world w;
  struct client c, other;
  start_with(&w, &c);
  connect(&w, &other);
  int64_t acknowledged = fill_log(&w, &c);
  assert_int_equal(w.troubles, 1);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(ask(&w, &c, "MATCH (n:N) RETURN count(n)"), acknowledged);
    assert_refused(&w, &c, "CREATE (:N)");
    assert_refused(&w, &c, "CREATE (:NewLabel {newKey: 1})-[:NEW_TYPE]->()");
    assert_refused(&w, &c, "CREATE INDEX FOR (n:N) ON (n.text)");
    assert_refused(&w, &c, "CREATE CONSTRAINT FOR (n:N) REQUIRE n.text IS UNIQUE");
    pass_time(&w, 1000);
    settle(&w);
  }
  assert_int_equal(w.recoveries, 0);
  assert_int_equal(w.troubles, 1);
  sim_disk_set_room(w.disk, UINT64_MAX);
  pass_time(&w, 1000);
  settle(&w);
  assert_int_equal(w.recoveries, 1);
  ask(&w, &c, "CREATE (:NewLabel {newKey: 1})-[:NEW_TYPE]->()");
  ask(&w, &c, "CREATE INDEX FOR (n:N) ON (n.text)");
  ask(&w, &c, "CREATE CONSTRAINT FOR (n:NewLabel) REQUIRE n.newKey IS UNIQUE");
  ask(&w, &other, "CREATE (:N)");
  dbms_session_free(c.session);
  dbms_session_free(other.session);
  world_lose_power(&w);
  connect(&w, &c);
  assert_int_equal(ask(&w, &c, "MATCH (n:N) RETURN count(n)"), acknowledged + 1);
  assert_int_equal(ask(&w, &c, "MATCH (n:NewLabel) RETURN sum(n.newKey)"), 1);
  leave(&w, &c);
}

enum { WISHES = 4 };

/// Statements with names that are new in each round.
static void wish(int round, char wishes[WISHES][100]) {
  snprintf(wishes[0], 100, "CREATE (:N {one: 1})");
  snprintf(wishes[1], 100, "CREATE (:Other%d)-[:T%d]->(:N)", round, round);
  snprintf(wishes[2], 100, "CREATE (:N {one: 2, two%d: 2})", round);
  snprintf(wishes[3], 100, "CREATE INDEX i%d FOR (n:M) ON (n.key%d)", round, round);
}

/// All of them at once, step by step; true if the log refused one.
static bool wish_together(struct world *w, struct client c[WISHES], char wishes[WISHES][100]) {
  bool at_once[WISHES], refused = false;
  for (int i = 0; i < WISHES; i++) at_once[i] = submit(&c[i], op_run(wishes[i], true));
  settle(w);
  for (int i = 0; i < WISHES; i++) assert_true(at_once[i] || c[i].done == 1);
  for (int i = 0; i < WISHES; i++)
    if (c[i].op.err == ERR_OK) at_once[i] = submit(&c[i], op_pull(&c[i], -1, -1));
  settle(w);
  for (int i = 0; i < WISHES; i++) {
    assert_true(at_once[i] || c[i].done == 1);
    assert_true(c[i].op.err == ERR_OK || c[i].op.err == ERR_TX_LOG);
    refused |= c[i].op.err == ERR_TX_LOG;
  }
  return refused;
}

TEST(all_that_wait_for_a_log_without_room_are_told_and_what_they_wanted_can_be_done_later) {
  struct world w;
  struct client c[WISHES];
  char wishes[WISHES][100];
  int round = 0;
  world_start(&w);
  for (int i = 0; i < WISHES; i++) connect(&w, &c[i]);
  ask(&w, &c[0], "CREATE (:M)");
  for (int times = 0; times < 2; times++) {
    sim_disk_set_room(w.disk, 0);
    do wish(++round, wishes);
    while (!wish_together(&w, c, wishes));
    sim_disk_set_room(w.disk, UINT64_MAX);
    pass_time(&w, 1000);
    settle(&w);
    wish(++round, wishes);
    assert_false(wish_together(&w, c, wishes));
  }
  for (int i = 0; i < WISHES; i++) dbms_session_free(c[i].session);
  world_lose_power(&w);
  connect(&w, &c[0]);
  wish(round, wishes);
  char question[100];
  snprintf(question, sizeof question, "MATCH (:Other%d)-[:T%d]->(), (n:N) WHERE n.two%d = 2 RETURN count(n)", round, round,
           round);
  assert_int_equal(ask(&w, &c[0], question), 1);
  dbms_session_free(c[0].session);
  world_stop(&w);
}

TEST(a_commit_whose_write_to_the_log_failed_is_told_so) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  finish(&w, &c, op_run("CREATE (:C {n: 1})", true));
  sim_disk_fail(w.disk, SIM_WRITE, 0, ERR_NOSPC);
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_failed(&c, ERR_TX_LOG);
  dbms_session_free(c.session);
  settle(&w);
  assert_int_not_equal(dbms_stop(w.dbms, &w.e), ERR_OK); // it will be replayed from the log
  dbms_close(w.dbms);
  config_free(w.config);
  sim_disk_free(w.disk);
}

TESTS(T(without_room_on_the_disk_commits_are_refused_and_reads_and_later_commits_go_on),
      T(all_that_wait_for_a_log_without_room_are_told_and_what_they_wanted_can_be_done_later),
      T(a_commit_whose_write_to_the_log_failed_is_told_so))
