// For whom Kubernetes is asked: pods of this server's set that have been away for long, as whoever leads `system` sees it.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cluster/host.h"
#include "dbms/dbms_int.h"

enum { ABSENCE_MS = 60000, SELF = 1, LAST = 5 };

static struct clock_manual the_clock;
static struct dbms_cluster_options cluster = {
    .server = SELF, .advertised = "core-0.graphs:7000", .absence_ms = ABSENCE_MS, .pod = {{"core", 4}, 0}};
static struct dbms d;
static struct consensus_membership members;
static struct directory_server seen[LAST];
static struct directory_copy view = {.servers = seen};

static int begin(void **state UNUSED) {
  static char there; // a cluster that nothing is asked of
  clock_manual_init(&the_clock, 0);
  d = (struct dbms){.options = {.cluster = &cluster, .clock = &the_clock.clock}, .cluster = (struct cluster *) &there};
  departures_init(&d);
  scale_down_init(&d);
  scale_down_rest(&d); // what is written is not the matter here
  members = (struct consensus_membership){0};
  view.count = 0;
  return 0;
}

static int end(void **state UNUSED) {
  scale_down_done(&d);
  departures_done(&d);
  return 0;
}

static void add_member(uint64_t server, const char *address) {
  struct consensus_member *m = &members.members[members.count++];
  *m = (struct consensus_member){.id = member_of(server, 1), .role = CONSENSUS_VOTER};
  snprintf(m->address, sizeof m->address, "%s", address);
}

static void see(uint64_t server) {
  seen[view.count++] = (struct directory_server){.said = {.number = (uint32_t) server, .mode = SERVER_CORE}};
}

static void pass(int64_t ms, bool leads) {
  the_clock.now_ns += ms * NS_PER_MS;
  scale_down_look(&d, leads, &members, &view);
}

static void lose_a_pod(void) {
  add_member(SELF, "core-0.graphs:7000");
  add_member(2, "core-4.graphs:7000");
  see(SELF);
}

TEST(a_pod_is_asked_about_when_it_has_been_away_for_long) {
  lose_a_pod();
  pass(0, true);
  pass(ABSENCE_MS - 1, true);
  assert_false(dbms_asks_for_set(&d));
  pass(1, true);
  assert_true(dbms_asks_for_set(&d));
}

TEST(one_that_comes_back_meanwhile_begins_its_absence_anew) {
  lose_a_pod();
  pass(0, true);
  see(2);
  pass(ABSENCE_MS, true);
  assert_false(dbms_asks_for_set(&d));
  view.count--;
  pass(1, true);
  pass(ABSENCE_MS - 1, true);
  assert_false(dbms_asks_for_set(&d));
}

TEST(who_ceases_to_lead_forgets_who_was_away) {
  lose_a_pod();
  pass(0, true);
  pass(ABSENCE_MS, true);
  pass(1, false);
  assert_false(dbms_asks_for_set(&d));
  pass(1, true);
  assert_false(dbms_asks_for_set(&d));
}

TEST(members_that_are_no_pods_of_the_set_are_nobodys_business) {
  add_member(SELF, "core-0.graphs:7000");
  add_member(2, "core-4.others:7000");
  add_member(3, "reader-4.graphs:7000");
  add_member(4, "10.0.0.4:7000");
  see(SELF);
  pass(0, true);
  pass(2 * ABSENCE_MS, true);
  assert_false(dbms_asks_for_set(&d));
}

TEST(one_whose_departure_is_written_is_not_asked_about_again) {
  lose_a_pod();
  d.departures.list = (struct departures){.count = 1, .of = {{.number = 2, .kind = DEPARTS}}};
  pass(0, true);
  pass(ABSENCE_MS, true);
  assert_false(dbms_asks_for_set(&d));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      STORY(a_pod_is_asked_about_when_it_has_been_away_for_long), STORY(one_that_comes_back_meanwhile_begins_its_absence_anew),
      STORY(who_ceases_to_lead_forgets_who_was_away), STORY(members_that_are_no_pods_of_the_set_are_nobodys_business),
      STORY(one_whose_departure_is_written_is_not_asked_about_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
