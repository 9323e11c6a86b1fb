#include "ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TEXT_BYTES = 16384 };

struct text {
  char z[TEXT_BYTES];
  size_t len;
};

static uint64_t field(const char *line, const char *name) {
  char key[64];
  snprintf(key, sizeof key, " %s=", name);
  const char *at = strstr(line, key), *end = strchr(line, '\n');
  return at != NULL && (end == NULL || at < end) ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/// The oldest line does not say that it begins with the first world.
static uint64_t begin_of(const char *line) {
  return MAX(field(line, "from"), UINT64_C(1));
}

static const char *next_line(const char *line) {
  const char *end = strchr(line, '\n');
  return end != NULL ? end + 1 : line + strlen(line);
}

/// "": there is none.
static const char *find(const struct text *t, uint64_t from) {
  const char *line = t->z;
  while (*line != '\0' && begin_of(line) != from) line = next_line(line);
  return line;
}

static void read_all(int fd, struct text *ret) {
  ssize_t n = pread(fd, ret->z, sizeof ret->z - 1, 0);
  ret->len = n > 0 ? (size_t) n : 0;
  ret->z[ret->len] = '\0';
}

uint64_t ledger_next(const char *path, uint64_t from) {
  struct text t;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return from;
  read_all(fd, &t);
  close(fd);
  return MAX(field(find(&t, from), "next"), from);
}

static void put(struct text *t, const char *from, size_t len) {
  if (len >= sizeof t->z - t->len) abort(); // hundreds of lines
  memcpy(t->z + t->len, from, len);
  t->len += len;
  t->z[t->len] = '\0';
}

static void put_line(struct text *t, const char *old, uint64_t from, uint64_t next, uint64_t failed, const struct product_counts *n) {
  char line[1000];
  int at = snprintf(line, sizeof line, "product from=%" PRIu64 " next=%" PRIu64 " failures=%" PRIu64, from, next, field(old, "failures") + failed);
#define X(counter) at += snprintf(line + at, sizeof line - (size_t) at, " %s=%" PRIu64, #counter, field(old, #counter) + n->counter);
  PRODUCT_COUNTERS(X)
#undef X
  line[at++] = '\n';
  put(t, line, (size_t) at);
}

static void replace_line(const struct text *was, struct text *ret, uint64_t from, uint64_t next, uint64_t failed,
                         const struct product_counts *n) {
  const char *old = find(was, from), *behind = next_line(old);
  ret->len = 0;
  put(ret, was->z, (size_t) (old - was->z));
  put_line(ret, old, from, next, failed, n);
  put(ret, behind, strlen(behind));
}

/// In place, under a lock: another process adds to its own line.
void ledger_add(const char *path, uint64_t from, uint64_t next, uint64_t failed, const struct product_counts *n) {
  struct text was, is;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX) == 0) {
    read_all(fd, &was);
    replace_line(&was, &is, from, next, failed, n);
    if (pwrite(fd, is.z, is.len, 0) < 0 || ftruncate(fd, (off_t) is.len) != 0) perror(path);
  }
  close(fd);
}
