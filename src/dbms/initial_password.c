#include "dbms/initial_password.h"

#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = USERS_HASH_BYTES + 16 };

#define FILE_NAME "initial_password"

enum err initial_password_write(struct disk *d, struct str folder, const struct initial_password *p, struct error *e) {
  char text[FILE_BYTES_MAX], directory[DISK_PATH_MAX];
  snprintf(directory, sizeof directory, "%.*s", STR_ARG(folder));
  int len = snprintf(text, sizeof text, "%s\n%s\n", p->hash, p->change_required ? "change" : "keep");
  TRY(disk_make_directories(d, directory, e));
  return disk_replace_file(d, directory, FILE_NAME, text, (size_t) len, e);
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
  char path[DISK_PATH_MAX], text[FILE_BYTES_MAX];
  struct disk_file *f;
  size_t bytes = 0;
  snprintf(path, sizeof path, "%.*s/" FILE_NAME, STR_ARG(folder));
  TRY(disk_open(d, path, DISK_READ_ONLY, &f, e));
  enum err err = disk_read_some(f, 0, text, sizeof text, &bytes, e);
  disk_close(f);
  TRY(err);
  if (parse((struct str){text, bytes}, ret)) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "The file '%s' is damaged: run `quiver admin dbms set-initial-password` again.", path);
}
