// What the implementations of os/disk.h on the machine's files share.
#pragma once

#include "os/disk.h"

struct posix_file {
  struct disk_file file;
  int fd;
  char path[];
};

static inline int posix_fd(const struct disk_file *f) {
  return ((const struct posix_file *) f)->fd;
}

static inline const char *posix_path(const struct disk_file *f) {
  return ((const struct posix_file *) f)->path;
}

/// disk_sync_all for files that threads may sync at the same time; `count` > 0.
void disk_sync_parallel(struct disk_sync *syncs, size_t count);
