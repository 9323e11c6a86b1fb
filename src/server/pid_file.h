// run/neo4j.pid: who runs in this home folder. The number is for scripts; that the process lives is told by a lock on the file, which
// ends with it, so that a number left behind by a crash, and given to another process since, fools nobody.
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct pid_file;

/// Writes this process's number. ERR_BUSY names host and process of the holder. Not to be held over fork.
enum err pid_file_take(const char *path, struct pid_file **ret, struct error *e) NODISCARD;

/// Removes the file. NULL is fine.
void pid_file_release(struct pid_file *f);

/// The process that holds the file, or 0.
pid_t pid_file_holder(const char *path);
