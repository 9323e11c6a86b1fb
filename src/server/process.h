// start, stop and status: the server as a process in the background.
#pragma once

#include "config/config.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_NOT_RUNNING = 3, EXIT_USAGE = 64 };

/// Runs in the foreground until a signal. Returns the exit code.
int process_console(const struct config *c, bool debug);

/// Starts in the background and returns when the server answers, has failed, or takes long.
int process_start(const struct config *c, bool debug);

/// Asks the server to stop and waits for its end, at most NEO4J_SHUTDOWN_TIMEOUT seconds (`timeout_s`).
int process_stop(const struct config *c, int64_t timeout_s);

int process_status(const struct config *c);
