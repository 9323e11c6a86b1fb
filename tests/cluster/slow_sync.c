// Loaded before the program's own libraries (LD_PRELOAD): every fsync and fdatasync takes longer, in the thread that called it,
// by the nanoseconds in the file that SLOW_SYNC names, eight bytes that a test changes while the program runs. (The program's
// io_uring reads alone, so nothing is made durable behind this.)
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REPLACES __attribute__((visibility("default"))) // hidden it would replace nothing

enum { NS_PER_S = 1000000000 };

static const volatile int64_t *delay_ns;
static int (*machine_fsync)(int), (*machine_fdatasync)(int);

__attribute__((constructor)) static void find(void) {
  const char *path = getenv("SLOW_SYNC");
  int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *shared = fd >= 0 ? mmap(NULL, sizeof *delay_ns, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (shared == MAP_FAILED) abort(); // a test that slows nothing down proves nothing
  close(fd);
  delay_ns = shared;
  *(void **) &machine_fsync = dlsym(RTLD_NEXT, "fsync");
  *(void **) &machine_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

static void wait_for_disk(void) {
  struct timespec left = {(time_t) (*delay_ns / NS_PER_S), (long) (*delay_ns % NS_PER_S)};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) continue;
}

REPLACES int fsync(int fd) {
  wait_for_disk();
  return machine_fsync(fd);
}

REPLACES int fdatasync(int fd) {
  wait_for_disk();
  return machine_fdatasync(fd);
}
