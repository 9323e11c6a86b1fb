// For the files about text.
#pragma once

#include <string.h>

#include "value/text.h"
