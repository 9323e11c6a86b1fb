#include "os/rooted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/disk.h"

struct rooted_file {
  int fd;
};

enum { NAME_BYTES_MAX = 255 };

static enum err refuse(int number, struct error *e) {
  if (number == ENOENT) return error_set(e, ERR_NOTFOUND, "there is no such file");
  if (number == ELOOP || number == ENOTDIR)
    return error_set(e, ERR_INVALID, "a part of the path is a symbolic link or no folder");
  return error_set(e, ERR_IO, "it cannot be opened: %s", strerror(number));
}

/// The next part of the path, without slashes; false where it is none that may be opened.
static bool take_part(struct str *path, char *ret) {
  size_t n = 0;
  while (n < path->len && path->ptr[n] != '/') n++;
  bool odd = n == 0 || n > NAME_BYTES_MAX || memchr(path->ptr, '\0', n) != NULL || (n == 1 && path->ptr[0] == '.') ||
             (n == 2 && path->ptr[0] == '.' && path->ptr[1] == '.');
  if (odd) return false;
  memcpy(ret, path->ptr, n);
  ret[n] = '\0';
  while (n < path->len && path->ptr[n] == '/') n++;
  *path = (struct str){path->ptr + n, path->len - n};
  return true;
}

/// One step down from `*fd`, which is closed.
static enum err step_down(int *fd, const char *name, bool last, struct error *e) {
  int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK | O_NOCTTY : O_DIRECTORY);
  int next = openat(*fd, name, flags);
  int number = errno;
  close(*fd);
  *fd = next;
  return next >= 0 ? ERR_OK : refuse(number, e);
}

static enum err check_regular(int fd, struct error *e) {
  struct stat s;
  if (fstat(fd, &s) != 0) return refuse(errno, e);
  return S_ISREG(s.st_mode) ? ERR_OK : error_set(e, ERR_INVALID, "it is no regular file");
}

/// Walks down; `*ret_fd` is open only after ERR_OK.
static enum err walk(struct str folder, struct str path, int *ret_fd, struct error *e) {
  char name[NAME_BYTES_MAX + 1], root[DISK_PATH_MAX];
  if (folder.len >= sizeof root) return error_set(e, ERR_INVALID, "the folder's path is too long");
  memcpy(root, folder.ptr, folder.len);
  root[folder.len] = '\0';
  while (path.len > 0 && path.ptr[0] == '/') path = (struct str){path.ptr + 1, path.len - 1};
  int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return error_set(e, ERR_NOTFOUND, "the folder for such files is not there");
  if (fd < 0) return refuse(errno, e);
  do {
    if (!take_part(&path, name)) {
      close(fd);
      return error_set(e, ERR_INVALID, "the path leads out of the folder or is empty");
    }
    TRY(step_down(&fd, name, path.len == 0, e));
  } while (path.len > 0);
  enum err err = check_regular(fd, e);
  if (err == ERR_OK) {
    *ret_fd = fd;
  } else {
    close(fd);
  }
  return err;
}

enum err rooted_file_open(struct str folder, struct str path, struct rooted_file **ret, struct error *e) {
  struct rooted_file *f = mem_zalloc(sizeof *f);
  if (f == NULL) return error_set(e, ERR_NOMEM, "no memory for a file");
  enum err err = walk(folder, path, &f->fd, e);
  if (err != ERR_OK) {
    mem_free(f);
    return err;
  }
  *ret = f;
  return ERR_OK;
}

enum err rooted_file_read(struct rooted_file *f, void *ret, size_t cap, size_t *ret_bytes, struct error *e) {
  for (;;) {
    ssize_t n = read(f->fd, ret, cap);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_set(e, ERR_IO, "it cannot be read: %s", strerror(errno));
    *ret_bytes = (size_t) n;
    return ERR_OK;
  }
}

void rooted_file_close(struct rooted_file *f) {
  if (f == NULL) return;
  close(f->fd);
  mem_free(f);
}
