#include "server/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct pid_file {
  int fd;
  char path[];
};

static struct flock whole_file(void) {
  return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

pid_t pid_file_holder(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock = whole_file();
  pid_t holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
  close(fd);
  return holder;
}

static enum err refuse(const char *path, struct error *e) {
  char host[256] = "this machine";
  gethostname(host, sizeof host - 1);
  return error_set(e, ERR_BUSY, "This home folder is in use by another server: process %ld on %s holds %s. Stop it first (`quiver stop`), or use another --home.",
                   (long) pid_file_holder(path), host, path);
}

static enum err write_number(int fd, const char *path, struct error *e) {
  char text[32];
  int len = snprintf(text, sizeof text, "%ld\n", (long) getpid());
  if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t) len, 0) == len) return ERR_OK;
  return error_set(e, ERR_IO, "Cannot write %s: %s", path, strerror(errno));
}

enum err pid_file_take(const char *path, struct pid_file **ret, struct error *e) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return error_set(e, ERR_IO, "Cannot write %s: %s", path, strerror(errno));
  struct flock lock = whole_file();
  enum err err = ERR_OK;
  if (fcntl(fd, F_SETLK, &lock) != 0) {
    err = errno == EACCES || errno == EAGAIN ? refuse(path, e) : error_set(e, ERR_IO, "Cannot lock %s: %s", path, strerror(errno));
  }
  if (err == ERR_OK) err = write_number(fd, path, e);
  struct pid_file *f = err == ERR_OK ? mem_alloc(sizeof *f + strlen(path) + 1) : NULL;
  if (err == ERR_OK && f == NULL) err = error_set(e, ERR_NOMEM, "no memory for the pid file");
  if (err != ERR_OK) {
    close(fd);
    return err;
  }
  f->fd = fd;
  memcpy(f->path, path, strlen(path) + 1);
  *ret = f;
  return ERR_OK;
}

void pid_file_release(struct pid_file *f) {
  if (f == NULL) return;
  unlink(f->path);
  close(f->fd);
  mem_free(f);
}
