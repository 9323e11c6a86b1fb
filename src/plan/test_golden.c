#include "plan/test_world.h"
TEST(x) { }
TESTS(T(x))
