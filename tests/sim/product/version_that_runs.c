// In the place of src/base/feature_level.c: the highest level of the version that runs, which differs from process to process here.
// Without its header, which calls it a constant, as it is within a process.
#include <stdint.h>

extern uint32_t feature_level_highest;
uint32_t feature_level_highest = 1;
