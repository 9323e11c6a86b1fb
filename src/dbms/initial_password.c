#include "dbms/initial_password.h"

#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = USERS_HASH_BYTES + 16 };

static void paths(struct str folder, char path[DISK_PATH_MAX], char fresh[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%.*s/initial_password", STR_ARG(folder));
  snprintf(fresh, DISK_PATH_MAX, "%.*s/initial_password.new", STR_ARG(folder));
}

static enum err write_fresh(struct disk *d, const char *fresh, const char *text, size_t len, struct error *e) {
  struct disk_file *f;
  enum err err = disk_unlink(d, fresh, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  TRY(disk_open(d, fresh, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f, e));
  err = disk_write(f, 0, text, len, e);
  if (err == ERR_OK) err = disk_sync(f, e);
  disk_close(f);
  return err;
}

enum err initial_password_write(struct disk *d, struct str folder, const struct initial_password *p, struct error *e) {
  char path[DISK_PATH_MAX], fresh[DISK_PATH_MAX], text[FILE_BYTES_MAX], directory[DISK_PATH_MAX];
  snprintf(directory, sizeof directory, "%.*s", STR_ARG(folder));
  int len = snprintf(text, sizeof text, "%s\n%s\n", p->hash, p->change_required ? "change" : "keep");
  paths(folder, path, fresh);
  TRY(disk_make_directories(d, directory, e));
  TRY(write_fresh(d, fresh, text, (size_t) len, e));
  TRY(disk_rename(d, fresh, path, e));
  return disk_sync_directory(d, directory, e);
}

static bool parse(struct str text, struct initial_password *ret) {
  struct str rest = text, hash = str_cut(&rest, '\n'), word = str_cut(&rest, '\n');
  ret->change_required = str_eqz(word, "change");
  if (hash.len == 0 || hash.len >= USERS_HASH_BYTES || rest.len > 0) return false;
  memcpy(ret->hash, hash.ptr, hash.len);
  ret->hash[hash.len] = '\0';
  return ret->change_required || str_eqz(word, "keep");
}

enum err initial_password_read(struct disk *d, struct str folder, struct initial_password *ret, struct error *e) {
  char path[DISK_PATH_MAX], fresh[DISK_PATH_MAX], text[FILE_BYTES_MAX];
  struct disk_file *f;
  size_t bytes = 0;
  paths(folder, path, fresh);
  TRY(disk_open(d, path, DISK_READ_ONLY, &f, e));
  enum err err = disk_read_some(f, 0, text, sizeof text, &bytes, e);
  disk_close(f);
  TRY(err);
  if (parse((struct str){text, bytes}, ret)) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "The file '%s' is damaged: run `quiver admin dbms set-initial-password` again.", path);
}
