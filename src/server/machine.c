#include "server/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/compiler.h"
#include "base/str.h"
#include "os/thread.h"

enum { PATH_BYTES = 4096, TEXT_BYTES = 8192, MIB = 1 << 20 };

/// The file's first bytes as text; empty if it cannot be read.
static struct str read_text(const char *path, char *to) {
  FILE *f = fopen(path, "re");
  if (f == NULL) return STR_NONE;
  size_t n = fread(to, 1, TEXT_BYTES - 1, f);
  fclose(f);
  to[n] = '\0';
  return (struct str){to, n};
}

/// "MemTotal:  16384 kB" of /proc/meminfo.
static int64_t total_bytes(const char *root) {
  char path[PATH_BYTES], text[TEXT_BYTES];
  snprintf(path, sizeof path, "%s/proc/meminfo", root);
  struct str rest = read_text(path, text);
  while (rest.ptr != NULL) {
    struct str line = str_cut(&rest, '\n');
    if (!str_starts(line, STR("MemTotal:"))) continue;
    struct str number = str_trim((struct str){line.ptr + 9, line.len - 9});
    int64_t kib;
    if (str_to_i64(str_cut(&number, ' '), &kib)) return kib * 1024;
  }
  return INT64_MAX;
}

/// The path of this process's group: line "0::/path" (version 2) or "5:memory:/path" (version 1).
static struct str group_path(const char *root, struct str controller, char *text) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  struct str rest = read_text(path, text);
  while (rest.ptr != NULL) {
    struct str line = str_cut(&rest, '\n');
    str_cut(&line, ':');
    struct str controllers = str_cut(&line, ':');
    if (line.ptr == NULL) continue;
    if (controllers.len == 0 && controller.len == 0) return line;
    while (controllers.ptr != NULL && controller.len > 0)
      if (str_eq(str_cut(&controllers, ','), controller)) return line;
  }
  return STR_NONE;
}

/// Calls `limit` with the file of each group from `group` up to the root.
static void each_group(const char *root, const char *mount, struct str group, const char *file, void (*limit)(struct str text, void *context),
                       void *context) {
  char path[PATH_BYTES], text[TEXT_BYTES];
  while (true) {
    while (group.len > 0 && group.ptr[group.len - 1] == '/') group.len--;
    snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%.*s/%s", root, mount, STR_ARG(group), file);
    struct str found = read_text(path, text);
    if (found.ptr != NULL) limit(str_trim(found), context);
    if (group.len == 0) return;
    while (group.len > 0 && group.ptr[group.len - 1] != '/') group.len--;
  }
}

static void limit_bytes(struct str text, void *context) {
  int64_t bytes, *least = context;
  if (str_to_i64(text, &bytes) && bytes > 0) *least = MIN(*least, bytes);
}

int64_t machine_memory_bytes(const char *root) {
  char text[TEXT_BYTES];
  int64_t least = total_bytes(root);
  each_group(root, "", group_path(root, STR(""), text), "memory.max", limit_bytes, &least);
  each_group(root, "/memory", group_path(root, STR("memory"), text), "memory.limit_in_bytes", limit_bytes, &least);
  return least;
}

/// "200000 100000": so many microseconds of each period; "max 100000": no quota.
static void limit_processors(struct str text, void *context) {
  int64_t quota, period, *least = context;
  struct str first = str_cut(&text, ' ');
  if (str_to_i64(first, &quota) && str_to_i64(text, &period) && quota > 0 && period > 0) *least = MIN(*least, MAX(1, (quota + period - 1) / period));
}

unsigned machine_processors(const char *root) {
  char text[TEXT_BYTES];
  int64_t least = thread_parallelism();
  each_group(root, "", group_path(root, STR(""), text), "cpu.max", limit_processors, &least);
  return (unsigned) least;
}

uint64_t machine_raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  struct rlimit raised = {limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

uint64_t machine_files_kept(uint64_t open_files) {
  return MIN(open_files / 2, UINT64_C(1000));
}

void machine_share_files(uint64_t open_files, uint32_t *wanted, unsigned count) {
  uint64_t left = open_files - machine_files_kept(open_files), sum = 0;
  for (unsigned i = 0; i < count; i++) sum += wanted[i];
  if (sum <= left) return;
  for (unsigned i = 0; i < count; i++) wanted[i] = (uint32_t) MAX(wanted[i] * left / sum, UINT64_C(1));
}

/// Half of what 256 MiB for the rest of the server leave; where there is less than 512 MiB, a quarter.
static int64_t plan_page_cache(int64_t memory_bytes) {
  return MAX(MAX((memory_bytes - 256 * MIB) / 2, MIN(memory_bytes, 512 * MIB) / 4), 4 * MIB);
}

struct machine_memory_plan machine_plan_memory(int64_t memory_bytes, int64_t page_cache_bytes, int64_t heap_bytes,
                                               int64_t query_bytes) {
  struct machine_memory_plan plan = {page_cache_bytes, query_bytes};
  if (plan.page_cache_bytes == 0) plan.page_cache_bytes = plan_page_cache(memory_bytes);
  if (plan.query_bytes == 0) plan.query_bytes = heap_bytes > 0 ? heap_bytes / 10 * 7 : MAX(4 * MIB, memory_bytes / 4);
  return plan;
}
