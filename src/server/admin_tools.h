// The administrator's small tools. Each returns the exit code.
#pragma once

#include "config/config.h"
#include "server/arguments.h"

int admin_set_initial_password(const struct config *c, const struct arguments *a);

/// Settings have been read when this is called: prints their warnings.
int admin_validate_config(const struct config *c);

int admin_memory_recommendation(void);

/// Takes the data of a member out of its cluster (dbms/offline.h). The server is stopped.
int admin_unbind(const struct config *c, const struct arguments *a);

/// Says how the stores of a member stand whose cluster has lost most of its servers; with `accept_loss` takes them out of it. The server is
/// stopped.
int admin_recover(const struct config *c, const struct arguments *a);
