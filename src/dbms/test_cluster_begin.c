// The first members of a group, as the catalogue keeps them, and whose stores they are.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "dbms/cluster_int.h"
#include "dbms/data_mark.h"
#include "dbms/test_relay_world.h"
#include "store/store.h"

static enum err parse(const char *text, struct consensus_membership *ret) {
  struct error e = ERROR_INIT;
  return cluster_members_parse(str_of(text), ret, &e);
}

TEST(voters_are_written_down_and_are_the_first_lives_of_their_servers_again) {
  struct consensus_membership m = {.index = 9, .count = 3}, first;
  struct arena a;
  struct str text;
  arena_init(&a, NULL);
  m.members[0] = (struct consensus_member){.id = member_of(7, 1), .role = CONSENSUS_VOTER, .address = "[::1]:7000"};
  m.members[1] = (struct consensus_member){.id = member_of(8, 2), .role = CONSENSUS_LEARNER, .address = "b:7000"};
  m.members[2] = (struct consensus_member){.id = member_of(9, 5), .role = CONSENSUS_VOTER, .address = "c:7000"};
  assert_ok(cluster_members_text(&m, &a, &text, NULL));
  assert_str(text, "7@[::1]:7000,9@c:7000");
  assert_ok(cluster_members_parse(text, &first, NULL));
  assert_int_equal(first.index, 1);
  assert_int_equal(first.count, 2);
  assert_int_equal(first.members[0].id, member_of(7, 1));
  assert_int_equal(first.members[1].id, member_of(9, 1));
  assert_int_equal(first.members[1].role, CONSENSUS_VOTER);
  assert_string_equal(first.members[0].address, "[::1]:7000");
  arena_done(&a);
}

TEST(members_are_in_order_whoever_wrote_them) {
  struct consensus_membership m;
  assert_ok(parse("30@c:1,4@a:1,5@b:1", &m));
  assert_int_equal(m.members[0].id, member_of(4, 1));
  assert_int_equal(m.members[2].id, member_of(30, 1));
}

TEST(a_database_that_names_none_begins_with_nobody) {
  struct consensus_membership m;
  assert_ok(parse("", &m));
  assert_int_equal(m.count, 0);
}

TEST(what_cannot_be_members_is_refused) {
  struct consensus_membership m;
  static const char *const bad[] = {"a",           "@a:1",         "0@a:1", "-1@a:1",        "1@",
                                    "1@a:1,1@b:1", "1@a:1,,2@b:1", "x@a:1", "4294967296@a:1"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) assert_int_equal(parse(bad[i], &m), ERR_CORRUPT);
  char long_one[CONSENSUS_ADDRESS_BYTES + 8], many[8192];
  memset(long_one, 'a', sizeof long_one);
  memcpy(long_one, "1@", 2);
  long_one[sizeof long_one - 1] = '\0';
  assert_int_equal(parse(long_one, &m), ERR_CORRUPT);
  size_t len = 0;
  for (uint32_t i = 1; i <= CONSENSUS_MEMBERS_MAX + 1; i++)
    len += (size_t) snprintf(many + len, sizeof many - len, "%s%u@a:1", i > 1 ? "," : "", i);
  assert_int_equal(parse(many, &m), ERR_CORRUPT);
}

TEST(the_store_of_another_member_is_not_begun_with) {
  struct trio t;
  trio_start(&t);
  await_leader(&t);
  stop(&t, 0);
  uint64_t self = t.servers[0].cluster.server;
  t.servers[0].cluster.server = 9;
  assert_int_equal(try_start(&t, 0), ERR_INVALID);
  assert_non_null(strstr(t.e.message, "belongs to server 1 of a cluster, and this one is server 9"));
  t.servers[0].cluster.server = self;
  start(&t, 0);
  trio_stop(&t);
}

// ---- which data they are ----

static struct log_group_state group_state(struct trio *t, int i) {
  struct log_group_state state;
  log_group_state(store_log(graph_store(t->servers[i].dbms->system->graph)), &state);
  return state;
}

static void groups_folder(const struct trio *t, int i, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%s/data/groups", t->servers[i].home);
}

/// What is beside the data is of a later start: it is as if they had been put back from a copy. Or, `marked`, power went before
/// their mark could be noted there. Returns that mark.
static uint64_t make_older(struct trio *t, int i, const char *uuid, bool marked) {
  char folder[DISK_PATH_MAX];
  struct data_mark m;
  uint32_t server = (uint32_t) t->servers[i].cluster.server;
  groups_folder(t, i, folder);
  assert_ok(data_mark_read(disk_system(), folder, uuid, server, &m, &t->e));
  assert_int_equal(m.life, 1);
  uint64_t mark = m.now;
  m.next = marked ? m.now : m.next + 1;
  m.now++;
  assert_ok(data_mark_save(disk_system(), folder, uuid, server, &m, &t->e));
  return mark;
}

TEST(data_are_marked_afresh_whenever_a_group_is_joined_and_left) {
  struct trio t;
  trio_start(&t);
  uint64_t first = group_state(&t, 0).incarnation;
  stop(&t, 0);
  start(&t, 0);
  uint64_t second = group_state(&t, 0).incarnation;
  assert_true(first != 0 && second != 0 && first != second);
  assert_int_equal(group_state(&t, 0).member_id, member_of(1, 1));
  trio_stop(&t);
}

TEST(older_data_are_another_members) {
  struct trio t;
  trio_start(&t);
  await_leader(&t);
  struct log_group_state before = group_state(&t, 0);
  char uuid[UUID_TEXT_BYTES];
  memcpy(uuid, t.servers[0].dbms->system->uuid, sizeof uuid);
  stop(&t, 0);
  make_older(&t, 0, uuid, false);
  start(&t, 0);
  struct log_group_state after = group_state(&t, 0);
  assert_int_equal(member_server(after.member_id), 1);
  assert_true(after.member_id > before.member_id);
  assert_int_equal(after.vote, 0);
  stop(&t, 0);
  start(&t, 0); // which was noticed once
  assert_int_equal(group_state(&t, 0).member_id, after.member_id);
  trio_stop(&t);
}

TEST(data_whose_mark_was_not_yet_noted_when_power_went_are_the_same_members) {
  struct trio t;
  trio_start(&t);
  char uuid[UUID_TEXT_BYTES];
  memcpy(uuid, t.servers[0].dbms->system->uuid, sizeof uuid);
  stop(&t, 0);
  uint64_t mark = make_older(&t, 0, uuid, true);
  start(&t, 0);
  assert_int_equal(group_state(&t, 0).member_id, member_of(1, 1));
  assert_true(group_state(&t, 0).incarnation != mark); // a copy that was made before this start is older from now on
  trio_stop(&t);
}

TEST(a_server_that_begins_anew_is_another_member_once) {
  struct trio t;
  trio_start(&t);
  await_leader(&t);
  stop(&t, 0);
  uint64_t epoch = t.servers[0].cluster.epoch;
  struct starts anew = {.count = 1, .last = {{epoch + 1, 77}}, .renewal = epoch};
  t.servers[0].cluster.starts = &anew;
  start(&t, 0);
  uint64_t member = group_state(&t, 0).member_id;
  assert_int_equal(member_server(member), 1);
  assert_true(member > member_of(1, 1));
  stop(&t, 0);
  anew.last[0].number++;
  start(&t, 0);
  assert_int_equal(group_state(&t, 0).member_id, member);
  trio_stop(&t);
}

TEST(a_server_that_has_stopped_asks_for_no_thread_when_it_meets_another_one) {
  struct trio t;
  trio_start(&t);
  stop(&t, 0);
  struct server *s = &t.servers[0];
  const struct starts own = {.count = 1, .last = {{s->cluster.epoch + 1, 77}}};
  s->cluster.starts = &own;
  start(&t, 0);
  struct dbms *d = s->dbms;
  mutex_lock(&t.ticker_mutex);
  s->dbms = NULL;
  mutex_unlock(&t.ticker_mutex);
  wire_cut(&t.wire, 0);
  assert_ok(dbms_stop(d, &t.e));
  host_stop(&s->host);
  cluster_start_met(d->cluster);
  dbms_close(d);
  trio_stop(&t);
}

TEST(a_server_whose_catalogue_differs_from_the_others_starts_all_the_same) {
  struct trio t;
  trio_start(&t);
  int i = (await_leader(&t) + 1) % SERVERS;
  struct database *db = t.servers[i].dbms->system;
  const struct quarantine q = {.on = true, .index = graph_applied(db->graph).index};
  database_quarantine(db, &q);
  database_keep_quarantine(db);
  stop(&t, i);
  start(&t, i); // and is mended then
  assert_int_equal(database_status(t.servers[i].dbms->system), DATABASE_QUARANTINED);
  trio_stop(&t);
}

TESTS(T(voters_are_written_down_and_are_the_first_lives_of_their_servers_again), T(members_are_in_order_whoever_wrote_them),
      T(a_database_that_names_none_begins_with_nobody), T(what_cannot_be_members_is_refused),
      T(the_store_of_another_member_is_not_begun_with), T(data_are_marked_afresh_whenever_a_group_is_joined_and_left),
      T(older_data_are_another_members), T(a_server_that_begins_anew_is_another_member_once), T(data_whose_mark_was_not_yet_noted_when_power_went_are_the_same_members),
      T(a_server_that_has_stopped_asks_for_no_thread_when_it_meets_another_one),
      T(a_server_whose_catalogue_differs_from_the_others_starts_all_the_same))
