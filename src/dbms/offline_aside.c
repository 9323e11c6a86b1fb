#include <stdio.h>

#include "dbms/offline_int.h"

static enum err pass_by(void *argument UNUSED, const char *name UNUSED, bool is_directory UNUSED) {
  return ERR_OK;
}

/// What was kept before goes only when there is something to put in its place: databases that are gone already are those.
static enum err keep_databases(const char *data, struct disk *disk, struct error *e) {
  char from[DISK_PATH_MAX], to[DISK_PATH_MAX];
  snprintf(from, sizeof from, "%s/databases", data);
  snprintf(to, sizeof to, "%s/databases.dropped", data);
  enum err err = disk_list(disk, from, pass_by, NULL, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  TRY(err);
  TRY(disk_remove_tree(disk, to, e));
  TRY(disk_rename(disk, from, to, e));
  return disk_sync_directory(disk, data, e);
}

enum err offline_set_aside(const char *data, struct disk *disk, struct error *e) {
  TRY(keep_databases(data, disk, e));
  return offline_forget_server(data, disk, e);
}
