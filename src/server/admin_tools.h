// The administrator's small tools. Each returns the exit code.
#pragma once

#include "config/config.h"
#include "server/arguments.h"

int admin_set_initial_password(const struct config *c, const struct arguments *a);

/// Settings have been read when this is called: prints their warnings.
int admin_validate_config(const struct config *c);

int admin_memory_recommendation(void);
