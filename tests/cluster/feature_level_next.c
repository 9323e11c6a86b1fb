// For the binary of the next version (feature_levels.py): it knows one level more than this build, in the place of
// src/base/feature_level.c.
#include "base/feature_level.h"

const uint32_t feature_level_highest = 2;
