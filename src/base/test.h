// What every unit test includes: cmocka and its prelude, and the walk through allocation failures.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"

#define TEST(name) static void name(void **state UNUSED)
/// All of them, or those that the first argument names: `test_x 'who_*'`.
#define TESTS(...)                                            \
  int main(int argc, char **argv) {                           \
    if (argc > 1) cmocka_set_test_filter(argv[1]);            \
    cmocka_set_message_output(CM_OUTPUT_TAP);                 \
    const struct CMUnitTest tests_[] = {__VA_ARGS__};         \
    return cmocka_run_group_tests(tests_, NULL, NULL);        \
  }
#define T(name) cmocka_unit_test(name)

#define assert_ok(expr) assert_int_equal((expr), ERR_OK)
#define assert_str(actual, expected)                                            \
  do {                                                                          \
    struct str actual_ = (actual);                                              \
    assert_int_equal(actual_.len, strlen(expected));                            \
    assert_memory_equal(actual_.ptr != NULL ? actual_.ptr : "", (expected), actual_.len); \
  } while (0)

/// Runs the block again and again, failing allocation 0, 1, 2, ... until it gets through without a failure:
/// `EACH_ALLOC_FAILS(n) { enum err err = f(); assert_true(err == ERR_OK || err == ERR_NOMEM); }`
#define EACH_ALLOC_FAILS(n)                                                                      \
  for (int64_t n = 0, more_ = 1; more_ && (fault_arm(&fault_alloc, n, 1), 1);                    \
       more_ = fault_fired(&fault_alloc), fault_disarm(&fault_alloc), n++)
