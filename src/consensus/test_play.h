// One member against a script of bytes: events and messages that make some sense, in any order, and some that make none. Whatever
// comes, the group stays open and keeps what test_world.h checks of a single member. For the fuzzer and for random tests.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Fails the running test, or ends the process, where a rule is broken.
void play(const uint8_t *script, size_t bytes);
