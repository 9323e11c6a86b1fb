// What the servers of a cluster say of themselves, as the outcome of a command.
#include "base/test.h"
#include "dbms/command_outcome.h"

static const struct uuid system_id = {{1}}, films = {{2}}, other = {{3}};

struct saying {
  struct announced_database databases[3];
  struct announcement said;
};

/// A server that has applied `applied` of `system`, and has another database beside films.
static struct announcement *say(struct saying *s, uint64_t applied, bool has_films, enum database_status films_status) {
  s->databases[0] = (struct announced_database){.uuid = system_id, .applied_index = applied, .status = DATABASE_ONLINE};
  s->databases[1] = (struct announced_database){.uuid = other, .status = DATABASE_FAILED};
  s->databases[2] = (struct announced_database){.uuid = films, .status = films_status};
  s->said = (struct announcement){.database_count = has_films ? 3 : 2, .databases = s->databases};
  return &s->said;
}

static enum command_state state_of(uint64_t applied, bool has_films, enum database_status status, enum catalogue_request wanted) {
  struct saying s;
  struct command_aim aim = {system_id, films, wanted, 7};
  return command_state_elsewhere(say(&s, applied, has_films, status), &aim);
}

TEST(a_server_that_has_not_applied_the_command_has_done_nothing_whatever_it_says) {
  assert_int_equal(state_of(6, true, DATABASE_ONLINE, CATALOGUE_ONLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(6, true, DATABASE_FAILED, CATALOGUE_ONLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(6, true, DATABASE_OFFLINE, CATALOGUE_OFFLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(6, false, DATABASE_OFFLINE, CATALOGUE_DROPPED), COMMAND_INCOMPLETE);
}

TEST(a_database_that_was_made_or_started_is_online_or_could_not_be_opened) {
  assert_int_equal(state_of(7, true, DATABASE_ONLINE, CATALOGUE_ONLINE), COMMAND_CAUGHT_UP);
  assert_int_equal(state_of(7, true, DATABASE_FAILED, CATALOGUE_ONLINE), COMMAND_FAILED);
  assert_int_equal(state_of(7, true, DATABASE_STARTING, CATALOGUE_ONLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(7, true, DATABASE_COPYING, CATALOGUE_ONLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(7, false, DATABASE_OFFLINE, CATALOGUE_ONLINE), COMMAND_INCOMPLETE);
}

TEST(a_database_that_was_stopped_is_offline_and_one_that_was_dropped_is_not_spoken_of) {
  assert_int_equal(state_of(8, true, DATABASE_OFFLINE, CATALOGUE_OFFLINE), COMMAND_CAUGHT_UP);
  assert_int_equal(state_of(8, true, DATABASE_ONLINE, CATALOGUE_OFFLINE), COMMAND_INCOMPLETE);
  assert_int_equal(state_of(8, false, DATABASE_OFFLINE, CATALOGUE_DROPPED), COMMAND_CAUGHT_UP);
  assert_int_equal(state_of(8, true, DATABASE_OFFLINE, CATALOGUE_DROPPED), COMMAND_INCOMPLETE);
}

TESTS(T(a_server_that_has_not_applied_the_command_has_done_nothing_whatever_it_says),
      T(a_database_that_was_made_or_started_is_online_or_could_not_be_opened),
      T(a_database_that_was_stopped_is_offline_and_one_that_was_dropped_is_not_spoken_of))
