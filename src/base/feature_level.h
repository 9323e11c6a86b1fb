// Feature levels: what the members of a cluster may rely on in each other while they are of different versions (docs/adr/0015).
//
// A build knows all levels up to its highest. A cluster has a level of its own, kept in `system`; nothing that came with a higher
// one is written or said before all members know that level and an operator has raised the cluster to it. Until then every member
// may go back to the version that it came from.
//
// | level | what came with it |
// |---|---|
// | 1 | everything there was when levels began |
#pragma once

#include <stdint.h>

#define FEATURE_LEVEL_FIRST 1u
#define FEATURE_LEVEL_MAX 255u // has a byte in announcements

/// The highest level that this build knows. Alone in its object file, so that a test's binary may bring another one.
extern const uint32_t feature_level_highest;

/// As others say it: those of before there were levels say 0.
static inline uint32_t feature_level_of(uint32_t said) {
  return said > FEATURE_LEVEL_FIRST ? said : FEATURE_LEVEL_FIRST;
}
