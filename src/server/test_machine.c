#include "server/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/test.h"

static char root[] = "/tmp/quiver-machine-XXXXXX";

static void put(const char *path, const char *text) {
  char full[512];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *slash = full + 1; *slash != '\0'; slash++) {
    if (*slash != '/') continue;
    *slash = '\0';
    mkdir(full, 0755);
    *slash = '/';
  }
  FILE *f = fopen(full, "we");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void take_away(const char *path) {
  char full[512];
  snprintf(full, sizeof full, "%s%s", root, path);
  unlink(full);
}

TEST(a_plain_machine_has_what_meminfo_says) {
  put("/proc/meminfo", "MemTotal:       16384 kB\nMemFree:         1 kB\n");
  assert_int_equal(machine_memory_bytes(root), 16384 * 1024);
}

TEST(a_container_of_version_2_has_the_least_of_all_groups_above_it) {
  put("/proc/self/cgroup", "0::/pods/quiver\n");
  put("/sys/fs/cgroup/pods/memory.max", "1000000\n");
  put("/sys/fs/cgroup/pods/quiver/memory.max", "max\n");
  assert_int_equal(machine_memory_bytes(root), 1000000);
  put("/sys/fs/cgroup/pods/quiver/memory.max", "4096\n");
  assert_int_equal(machine_memory_bytes(root), 4096);
  put("/sys/fs/cgroup/pods/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/pods/quiver/cpu.max", "50000 100000\n");
  assert_int_equal(machine_processors(root), 1);
}

TEST(a_container_of_version_1_has_its_memory_group) {
  take_away("/sys/fs/cgroup/pods/memory.max");
  take_away("/sys/fs/cgroup/pods/quiver/memory.max");
  put("/proc/self/cgroup", "5:cpu,memory:/docker/x\n4:devices:/y\n");
  put("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "2000000\n");
  assert_int_equal(machine_memory_bytes(root), 2000000);
}

TEST(settings_win_over_what_is_worked_out) {
  const int64_t mib = 1 << 20;
  struct machine_memory_plan p = machine_plan_memory(4352 * mib, 0, 0, 0);
  assert_int_equal(p.page_cache_bytes, 2048 * mib);
  assert_int_equal(p.query_bytes, 1088 * mib);
  p = machine_plan_memory(64 * mib, 0, 0, 0);
  assert_int_equal(p.page_cache_bytes, 16 * mib); // a quarter each: the rest is for the server itself
  assert_int_equal(p.query_bytes, 16 * mib);
  p = machine_plan_memory(4096 * mib, 100 * mib, 1000 * mib, 0);
  assert_int_equal(p.page_cache_bytes, 100 * mib);
  assert_int_equal(p.query_bytes, 700 * mib);
  assert_int_equal(machine_plan_memory(4096 * mib, 0, 1000 * mib, 5 * mib).query_bytes, 5 * mib);
}

TEST(few_open_files_are_shared_out_and_stores_and_members_keep_theirs) {
  uint32_t plenty[] = {10000, 1000, 10000}, few[] = {10000, 1000, 10000}, none[] = {10000, 1};
  machine_share_files(100000, plenty, 3);
  assert_int_equal(plenty[0], 10000);
  assert_int_equal(plenty[1], 1000);
  machine_share_files(1024, few, 3);
  assert_int_equal(machine_files_kept(1024), 512);
  assert_true(few[0] + few[1] + few[2] <= 1024 - 512);
  assert_int_equal(few[0], few[2]);
  assert_true(few[0] > 9 * few[1]);
  machine_share_files(8, none, 2);
  assert_true(none[0] >= 1 && none[1] == 1);
}

static int make_root(void **state UNUSED) {
  return mkdtemp(root) == NULL;
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(a_plain_machine_has_what_meminfo_says), T(a_container_of_version_2_has_the_least_of_all_groups_above_it),
                                     T(a_container_of_version_1_has_its_memory_group), T(settings_win_over_what_is_worked_out),
                                     T(few_open_files_are_shared_out_and_stores_and_members_keep_theirs)};
  return cmocka_run_group_tests(tests, make_root, NULL);
}
