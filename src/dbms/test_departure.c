// Servers that leave: what `system` says of them, and when a vote may go.
#include <string.h>

#include "dbms/dbms_int.h"
#include "dbms/departure.h"
#include "dbms/system_tx.h"
#include "dbms/test_session_world.h"

static struct uuid named(uint8_t n) {
  struct uuid u = {{0xab, n}};
  return u;
}

static enum err read_step(struct graph_tx *tx, void *context, struct error *e) {
  return departures_read(tx, context, e);
}

static enum err add_step(struct graph_tx *tx, void *context, struct error *e) {
  TRY(departures_lock(tx, e));
  return departures_add(tx, context, e);
}

static enum err drop_step(struct graph_tx *tx, void *context, struct error *e) {
  return departures_drop(tx, context, e);
}

static enum err cancel_step(struct graph_tx *tx, void *context, struct error *e) {
  return departures_cancel(tx, context, e);
}

static void change(struct world *w, system_step *how, const struct departure *d) {
  struct departure copy = *d;
  if (system_change_alone(w->dbms, how, &copy, &w->e) != ERR_OK) fail_msg("%s", w->e.message);
  settle(w);
}

static void look(struct world *w, struct departures *ret) {
  assert_ok(system_read(w->dbms, read_step, ret, &w->e));
}

TEST(what_was_said_of_a_server_is_there_after_a_restart) {
  struct world w;
  static struct departures l;
  world_start(&w);
  look(&w, &l);
  assert_int_equal(l.count, 0);
  change(&w, add_step, &(struct departure){.server = named(1), .number = 11, .kind = DEPARTS_FROM_DATABASES});
  change(&w, add_step, &(struct departure){.number = 12, .kind = DEPARTS});
  look(&w, &l);
  assert_int_equal(l.count, 2);
  change(&w, drop_step, departures_find(&l, named(1), 0));
  world_lose_power(&w);
  look(&w, &l);
  assert_int_equal(departures_find(&l, named(1), 99)->kind, DEPARTS);
  assert_int_equal(departures_find(&l, named(2), 12)->kind, DEPARTS); // whose uuid nobody knew
  assert_null(departures_find(&l, named(2), 11));                     // another server with the number of the first
  world_stop(&w);
}

TEST(a_server_that_stays_after_all_is_on_no_list) {
  struct world w;
  static struct departures l;
  world_start(&w);
  change(&w, add_step, &(struct departure){.server = named(1), .number = 11, .kind = DEPARTS_FROM_DATABASES});
  look(&w, &l);
  change(&w, cancel_step, departures_find(&l, named(1), 11));
  look(&w, &l);
  assert_int_equal(l.count, 0);
  world_stop(&w);
}

TEST(a_vote_goes_only_if_enough_stay) {
  assert_false(departure_is_safe(2, 0, true, 3));
  assert_true(departure_is_safe(3, 0, true, 3));
  assert_false(departure_is_safe(2, 1, true, 3)); // the newcomer votes first
  assert_true(departure_is_safe(2, 1, false, 3)); // it waits for that of the lost one to be gone
  assert_false(departure_is_safe(1, 1, false, 3));
  assert_true(departure_keeps_majority(4, 3));
  assert_false(departure_keeps_majority(4, 2)); // half of them decide nothing
  assert_true(departure_keeps_majority(3, 2));
  assert_false(departure_keeps_majority(0, 0));
}

TEST(a_standalone_server_has_no_servers_to_drop) {
  static const char *const commands[] = {"DROP SERVER 'a'", "DEALLOCATE DATABASES FROM SERVERS 'a', 'b'", "ENABLE SERVER 'a'"};
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
    struct dbms_op op = op_run(commands[i], true);
    op.run.tx.database = STR("system");
    if (!submit(&c, op)) settle(&w);
    if (c.op.err == ERR_OK) {
      if (!submit(&c, op_pull(&c, -1, -1))) settle(&w);
    }
    assert_int_equal(c.op.err, ERR_UNSUPPORTED_ADMIN);
    assert_non_null(strstr(c.op.error.message, "this server is in no cluster"));
    dbms_session_free(c.session);
    connect(&w, &c);
  }
  dbms_session_free(c.session);
  world_stop(&w);
}

TESTS(T(what_was_said_of_a_server_is_there_after_a_restart), T(a_server_that_stays_after_all_is_on_no_list),
      T(a_vote_goes_only_if_enough_stay), T(a_standalone_server_has_no_servers_to_drop))
