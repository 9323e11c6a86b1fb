// The machine's files. Queues of reads: disk_ring.c (io_uring) or disk_crew.c (threads).
#include "os/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/disk_int.h"

static enum err code_of(int number) {
  switch (number) {
  case ENOENT: return ERR_NOTFOUND;
  case EEXIST:
  case ENOTEMPTY: return ERR_EXISTS;
  case ENOSPC:
  case EDQUOT:
  case EFBIG: return ERR_NOSPC;
  case ENOMEM: return ERR_NOMEM;
  default: return ERR_IO;
  }
}

static enum err fail(struct error *e, int number, const char *what, const char *path) {
  return error_set(e, code_of(number), "Cannot %s '%s': %s.", what, path, strerror(number));
}

static enum err new_file(struct disk *d, int fd, const char *path, struct disk_file **ret, struct error *e) {
  size_t length = strlen(path);
  struct posix_file *f = mem_alloc(sizeof *f + length + 1);
  if (f == NULL) {
    close(fd);
    return error_ensure(e, ERR_NOMEM);
  }
  f->file.disk = d;
  f->fd = fd;
  memcpy(f->path, path, length + 1);
  *ret = &f->file;
  return ERR_OK;
}

static int open_flags(unsigned flags) {
  int to = O_CLOEXEC | ((flags & DISK_WRITE) ? O_RDWR : O_RDONLY);
  if (flags & DISK_CREATE) to |= O_CREAT;
  if (flags & DISK_EXCLUSIVE) to |= O_EXCL;
  if (flags & DISK_DIRECT) to |= O_DIRECT;
  return to;
}

static enum err posix_open(struct disk *d, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  int fd = open(path, open_flags(flags), 0640);
  if (fd < 0 && errno == EINVAL && (flags & DISK_DIRECT)) fd = open(path, open_flags(flags & ~(unsigned) DISK_DIRECT), 0640);
  if (fd < 0) return fail(e, errno, "open", path);
  return new_file(d, fd, path, ret, e);
}

static void posix_close(struct disk_file *file) {
  close(posix_fd(file));
  mem_free(file);
}

static enum err posix_read(struct disk_file *file, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes, struct error *e) {
  size_t got = 0;
  while (got < bytes) {
    ssize_t n = pread(posix_fd(file), (char *) to + got, bytes - got, (off_t) (offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(e, errno, "read", posix_path(file));
    if (n == 0) break;
    got += (size_t) n;
  }
  *ret_bytes = got;
  return ERR_OK;
}

static enum err posix_write(struct disk_file *file, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  for (size_t put = 0; put < bytes;) {
    ssize_t n = pwrite(posix_fd(file), (const char *) from + put, bytes - put, (off_t) (offset + put));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(e, n == 0 ? ENOSPC : errno, "write", posix_path(file));
    put += (size_t) n;
  }
  return ERR_OK;
}

// EINTR after fdatasync leaves open whether anything was lost, so it is an error like any other.
static enum err posix_sync(struct disk_file *file, struct error *e) {
  return fdatasync(posix_fd(file)) == 0 ? ERR_OK : fail(e, errno, "sync", posix_path(file));
}

static enum err posix_size(struct disk_file *file, uint64_t *ret, struct error *e) {
  struct stat st;
  if (fstat(posix_fd(file), &st) != 0) return fail(e, errno, "find the size of", posix_path(file));
  *ret = (uint64_t) st.st_size;
  return ERR_OK;
}

static enum err posix_truncate(struct disk_file *file, uint64_t size, struct error *e) {
  return ftruncate(posix_fd(file), (off_t) size) == 0 ? ERR_OK : fail(e, errno, "cut", posix_path(file));
}

static enum err posix_allocate(struct disk_file *file, uint64_t offset, uint64_t bytes, struct error *e) {
  int result;
  do result = posix_fallocate(posix_fd(file), (off_t) offset, (off_t) bytes);
  while (result == EINTR);
  return result == 0 ? ERR_OK : fail(e, result, "reserve space for", posix_path(file));
}

static void posix_forget(struct disk_file *file, uint64_t offset, uint64_t bytes) {
  (void) posix_fadvise(posix_fd(file), (off_t) offset, (off_t) bytes, POSIX_FADV_DONTNEED);
}

static enum err held_by_other(int fd, const char *path, struct error *e) {
  char holder[300] = "";
  ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
  holder[MAX(n, 0)] = '\0';
  holder[strcspn(holder, "\n")] = '\0';
  return error_set(e, ERR_BUSY, "'%s' is locked by another server%s%s. Stop it first: two servers on one store would destroy it.",
                   path, holder[0] ? ": " : "", holder);
}

static enum err write_holder(int fd, const char *path, struct error *e) {
  char host[256] = "unknown", text[300];
  gethostname(host, sizeof host - 1);
  int n = snprintf(text, sizeof text, "host %s pid %ld\n", host, (long) getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t) n, 0) != n) return fail(e, errno, "write", path);
  return ERR_OK;
}

// Byte-range locks of the open-file-description kind: they hold between processes and within one, and NFS passes them on.
static enum err posix_lock(struct disk *d, const char *path, struct disk_file **ret, struct error *e) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return fail(e, errno, "open", path);
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  enum err err = ERR_OK;
  if (fcntl(fd, F_OFD_SETLK, &range) != 0)
    err = errno == EAGAIN || errno == EACCES ? held_by_other(fd, path, e) : fail(e, errno, "lock", path);
  else
    err = write_holder(fd, path, e);
  if (err != ERR_OK) {
    close(fd);
    return err;
  }
  return new_file(d, fd, path, ret, e);
}

static enum err posix_rename(struct disk *d UNUSED, const char *from, const char *to, struct error *e) {
  return rename(from, to) == 0 ? ERR_OK : fail(e, errno, "rename", from);
}

static enum err posix_unlink(struct disk *d UNUSED, const char *path, struct error *e) {
  return unlink(path) == 0 ? ERR_OK : fail(e, errno, "remove", path);
}

static enum err posix_make_directory(struct disk *d UNUSED, const char *path, struct error *e) {
  return mkdir(path, 0750) == 0 ? ERR_OK : fail(e, errno, "make the directory", path);
}

static enum err posix_remove_directory(struct disk *d UNUSED, const char *path, struct error *e) {
  return rmdir(path) == 0 ? ERR_OK : fail(e, errno, "remove the directory", path);
}

static bool is_directory(DIR *dir, const struct dirent *entry) {
  if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
  struct stat st;
  return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static enum err posix_list(struct disk *d UNUSED, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  DIR *dir = opendir(path);
  if (dir == NULL) return fail(e, errno, "list", path);
  enum err err = ERR_OK;
  for (struct dirent *entry; err == ERR_OK && (entry = readdir(dir)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      err = fn(argument, entry->d_name, is_directory(dir, entry));
  closedir(dir);
  return err;
}

/// Not every directory may be read, and not every file system takes syncs of directories.
static enum err fail_directory(struct error *e, int number, const char *what, const char *path) {
  bool denied = number == EACCES || number == EINVAL || number == EROFS;
  return error_set(e, denied ? ERR_DENIED : code_of(number), "Cannot %s '%s': %s.", what, path, strerror(number));
}

static enum err posix_sync_directory(struct disk *d UNUSED, const char *path, struct error *e) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_directory(e, errno, "open", path);
  enum err err = fsync(fd) == 0 ? ERR_OK : fail_directory(e, errno, "sync", path);
  close(fd);
  return err;
}

static enum err posix_free_space(struct disk *d UNUSED, const char *path, uint64_t *ret_bytes, struct error *e) {
  struct statvfs st;
  if (statvfs(path, &st) != 0) return fail(e, errno, "find the free space at", path);
  *ret_bytes = (uint64_t) st.f_bavail * st.f_frsize;
  return ERR_OK;
}

// The best queue that this machine has: containers often refuse io_uring.
static enum err posix_queue_open(struct disk *d, unsigned depth, struct disk_queue **ret, struct error *e) {
  if (disk_ring_open(d, depth, ret) == ERR_OK) return ERR_OK;
  return disk_crew_open(d, depth, ret, e);
}

static void posix_queue_close(struct disk_queue *queue) {
  CONTAINER_OF(queue, struct posix_queue, queue)->ops->close(queue);
}

static enum err posix_queue_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  return CONTAINER_OF(queue, struct posix_queue, queue)->ops->submit(queue, reads, count, e);
}

static size_t posix_queue_reap(struct disk_queue *queue, bool wait, struct disk_read **done, size_t max) {
  return CONTAINER_OF(queue, struct posix_queue, queue)->ops->reap(queue, wait, done, max);
}

struct disk *disk_system(void) {
  static const struct disk_ops ops = {
      .open = posix_open,
      .close = posix_close,
      .read = posix_read,
      .write = posix_write,
      .sync = posix_sync,
      .sync_all = disk_sync_parallel,
      .size = posix_size,
      .truncate = posix_truncate,
      .allocate = posix_allocate,
      .forget = posix_forget,
      .lock = posix_lock,
      .rename = posix_rename,
      .unlink = posix_unlink,
      .make_directory = posix_make_directory,
      .remove_directory = posix_remove_directory,
      .list = posix_list,
      .sync_directory = posix_sync_directory,
      .free_space = posix_free_space,
      .queue_open = posix_queue_open,
      .queue_close = posix_queue_close,
      .queue_submit = posix_queue_submit,
      .queue_reap = posix_queue_reap,
  };
  static struct disk system = {&ops};
  return &system;
}
