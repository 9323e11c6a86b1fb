// What the log says of those who are refused again and again.
#include <stdio.h>
#include <string.h>

#include "base/refusals.h"
#include "base/test.h"

static struct refusals r;
static char more[120];

static bool tells(int64_t now_ms, const char *remote, const char *why) {
  return refusals_tell(&r, now_ms, remote, why, more, sizeof more);
}

static int start(void **state UNUSED) {
  r = (struct refusals){0};
  return 0;
}

TEST(the_same_reason_of_one_host_is_told_once_a_minute_with_how_often_it_was) {
  assert_true(tells(1000, "10.0.0.1:4000", "no hello"));
  assert_string_equal(more, "");
  for (int i = 0; i < 500; i++) assert_false(tells(1001 + i, "10.0.0.1:5000", "no hello"));
  assert_true(tells(61000, "10.0.0.1:6000", "no hello"));
  assert_string_equal(more, " (500 times more since this was told)");
}

TEST(another_host_and_another_reason_are_told_at_once) {
  assert_true(tells(1000, "10.0.0.1:4000", "no hello"));
  assert_true(tells(1000, "10.0.0.2:4000", "no hello"));
  assert_true(tells(1000, "10.0.0.1:4000", "another cluster"));
  assert_true(tells(1000, "[::1]:4000", "no hello"));
  assert_false(tells(1000, "[::1]:4001", "no hello"));
}

TEST(somebody_who_makes_up_reasons_does_not_fill_the_log) {
  char why[32];
  int told = 0;
  for (int i = 0; i < 60000; i++) { // a minute, one each millisecond
    snprintf(why, sizeof why, "reason %d", i);
    told += tells(i, "10.0.0.1:4000", why);
  }
  assert_true(told >= REFUSALS_KEPT && told <= 7 * REFUSALS_KEPT);
  assert_true(tells(90000, "10.0.0.1:4000", "the last"));
  assert_non_null(strstr(more, "other refusals were not told"));
}

TEST(counts_of_a_reason_that_is_forgotten_are_not_lost) {
  char why[32];
  assert_true(tells(0, "10.0.0.1:1", "first"));
  assert_false(tells(1, "10.0.0.1:1", "first"));
  for (int i = 1; i < REFUSALS_KEPT; i++) {
    snprintf(why, sizeof why, "reason %d", i);
    assert_true(tells(i, "10.0.0.1:1", why));
  }
  assert_true(tells(20000, "10.0.0.1:1", "instead of the first"));
  assert_string_equal(more, " (1 other refusals were not told)");
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_same_reason_of_one_host_is_told_once_a_minute_with_how_often_it_was, start),
      cmocka_unit_test_setup(another_host_and_another_reason_are_told_at_once, start),
      cmocka_unit_test_setup(somebody_who_makes_up_reasons_does_not_fill_the_log, start),
      cmocka_unit_test_setup(counts_of_a_reason_that_is_forgotten_are_not_lost, start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
