#include "base/feature_level.h"

const uint32_t feature_level_highest = 1;
