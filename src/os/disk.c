#include "os/disk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/disk_int.h"

enum { TREE_DEPTH_MAX = 4 };

enum err disk_read_all(struct disk_file *f, uint64_t offset, void *to, size_t bytes, struct error *e) {
  size_t got = 0;
  TRY(disk_read_some(f, offset, to, bytes, &got, e));
  if (got == bytes) return ERR_OK;
  return error_set(e, ERR_SHORT, "The file ends after %zu of the %zu bytes at offset %llu.", got, bytes,
                   (unsigned long long) offset);
}

/// "/a/b" -> "/a", "/a" -> "/", "a" -> "."
static void cut_last_name(char *path) {
  char *slash = strrchr(path, '/');
  if (slash == NULL)
    memcpy(path, ".", 2);
  else
    slash[slash == path ? 1 : 0] = '\0';
}

static enum err sync_name(struct disk *d, const char *path, struct error *e) {
  char directory[DISK_PATH_MAX];
  snprintf(directory, sizeof directory, "%s", path);
  cut_last_name(directory);
  return disk_sync_directory(d, directory, e);
}

static enum err make_directory(struct disk *d, const char *path, struct error *e) {
  enum err err = disk_make_directory(d, path, e);
  if (err != ERR_OK && err != ERR_EXISTS) return err;
  enum err synced = sync_name(d, path, e);
  return err == ERR_EXISTS && synced == ERR_DENIED ? ERR_OK : synced;
}

enum err disk_make_directories(struct disk *d, const char *path, struct error *e) {
  char part[DISK_PATH_MAX];
  if ((size_t) snprintf(part, sizeof part, "%s", path) >= sizeof part)
    return error_set(e, ERR_INVALID, "The path '%.100s...' is too long.", path);
  for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    TRY(make_directory(d, part, e));
    *slash = '/';
  }
  return make_directory(d, part, e);
}

// A file that a crash left under this name may be the one in use, under a second name: it is not written into.
static enum err write_fresh(struct disk *d, const char *path, const void *bytes, size_t count, struct error *e) {
  struct disk_file *f;
  enum err err = disk_unlink(d, path, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  TRY(disk_open(d, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f, e));
  err = disk_write(f, 0, bytes, count, e);
  if (err == ERR_OK) err = disk_sync(f, e);
  disk_close(f);
  return err;
}

enum err disk_replace_file(struct disk *d, const char *directory, const char *name, const void *bytes, size_t count,
                           struct error *e) {
  char path[DISK_PATH_MAX], fresh[DISK_PATH_MAX];
  if ((size_t) snprintf(path, sizeof path, "%s/%s", directory, name) + 4 >= sizeof path)
    return error_set(e, ERR_INVALID, "The path '%.100s...' is too long.", path);
  snprintf(fresh, sizeof fresh, "%.*s.new", DISK_PATH_MAX - 5, path);
  TRY(write_fresh(d, fresh, bytes, count, e));
  TRY(disk_rename(d, fresh, path, e));
  return disk_sync_directory(d, directory, e);
}

enum err disk_read_file(struct disk *d, const char *path, void *to, size_t max, size_t *ret_bytes, struct error *e) {
  struct disk_file *f;
  uint64_t size = 0;
  TRY(disk_open(d, path, DISK_READ_ONLY, &f, e));
  enum err err = disk_size(f, &size, e);
  if (err == ERR_OK && size <= max) err = disk_read_all(f, 0, to, size, e);
  disk_close(f);
  *ret_bytes = size;
  return err;
}

struct first_name {
  char name[DISK_PATH_MAX];
  bool is_directory;
};

/// An error ends the walk: ERR_EXISTS says that there was one.
static enum err take_first(void *argument, const char *name, bool is_directory) {
  struct first_name *first = argument;
  snprintf(first->name, sizeof first->name, "%s", name);
  first->is_directory = is_directory;
  return ERR_EXISTS;
}

/// One name at a time: a directory that changes is not walked.
static enum err empty_directory(struct disk *d, const char *path, int depth, struct error *e) {
  struct first_name first;
  char inside[DISK_PATH_MAX];
  enum err err;
  if (depth > TREE_DEPTH_MAX) return error_set(e, ERR_LIMIT, "'%s' is deeper than %d levels.", path, TREE_DEPTH_MAX);
  while ((err = disk_list(d, path, take_first, &first, e)) == ERR_EXISTS) {
    if ((size_t) snprintf(inside, sizeof inside, "%s/%s", path, first.name) >= sizeof inside)
      return error_set(e, ERR_INVALID, "A path in '%.100s...' is too long.", path);
    if (first.is_directory) TRY(empty_directory(d, inside, depth + 1, e));
    TRY(first.is_directory ? disk_remove_directory(d, inside, e) : disk_unlink(d, inside, e));
  }
  return err;
}

enum err disk_remove_tree(struct disk *d, const char *path, struct error *e) {
  enum err err = empty_directory(d, path, 0, e);
  if (err == ERR_OK) err = disk_remove_directory(d, path, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  return sync_name(d, path, e);
}

void disk_sync_all(struct disk_sync *syncs, size_t count) {
  if (count > 1 && syncs[0].file->disk->ops->sync_all != NULL) {
    syncs[0].file->disk->ops->sync_all(syncs, count);
    return;
  }
  for (size_t i = 0; i < count; i++) syncs[i].result = disk_sync(syncs[i].file, &syncs[i].error);
}

enum err disk_read_list_reserve(struct disk_read_list *l, size_t extra) {
  if (l->count + extra <= l->capacity) return ERR_OK;
  size_t larger = MAX(l->count + extra, l->capacity * 2);
  struct disk_read **grown = mem_alloc(larger * sizeof *grown);
  if (grown == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < l->count; i++) grown[i] = l->reads[(l->first + i) % l->capacity];
  mem_free(l->reads);
  l->reads = grown;
  l->first = 0;
  l->capacity = larger;
  return ERR_OK;
}

void disk_read_list_done(struct disk_read_list *l) {
  mem_free(l->reads);
  *l = (struct disk_read_list){0};
}
