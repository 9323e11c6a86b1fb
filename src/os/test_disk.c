#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/test.h"
#include "os/disk_int.h"

static char directory[64];
static char path_a[96], path_b[96];

static int make_place(void **state UNUSED) {
  snprintf(directory, sizeof directory, "/tmp/quiver-disk-XXXXXX");
  if (mkdtemp(directory) == NULL) return -1;
  snprintf(path_a, sizeof path_a, "%s/a", directory);
  snprintf(path_b, sizeof path_b, "%s/b", directory);
  return 0;
}

static int remove_place(void **state UNUSED) {
  unlink(path_a);
  unlink(path_b);
  rmdir(directory);
  return 0;
}

TEST(what_is_written_is_read_and_a_read_past_the_end_is_short) {
  struct error e = ERROR_INIT;
  struct disk_file *f = NULL;
  assert_ok(disk_open(disk_system(), path_a, DISK_WRITE | DISK_CREATE, &f, &e));
  assert_ok(disk_write(f, 100, "quiver", 6, &e));
  char got[16];
  assert_ok(disk_read_all(f, 100, got, 6, &e));
  assert_memory_equal(got, "quiver", 6);
  size_t n = 0;
  assert_ok(disk_read_some(f, 103, got, sizeof got, &n, &e));
  assert_int_equal(n, 3);
  assert_int_equal(disk_read_all(f, 103, got, sizeof got, &e), ERR_SHORT);
  assert_ok(disk_sync(f, &e));
  assert_ok(disk_truncate(f, 103, &e));
  uint64_t size = 0;
  assert_ok(disk_allocate(f, 103, 1000, &e));
  assert_ok(disk_size(f, &size, &e));
  assert_int_equal(size, 1103);
  disk_close(f);
}

TEST(errors_name_the_file_and_leave_the_output_alone) {
  struct error e = ERROR_INIT;
  struct disk_file *f = NULL;
  assert_int_equal(disk_open(disk_system(), path_b, DISK_READ_ONLY, &f, &e), ERR_NOTFOUND);
  assert_null(f);
  assert_non_null(strstr(e.message, path_b));
  assert_ok(disk_open(disk_system(), path_a, DISK_WRITE | DISK_CREATE, &f, &e));
  disk_close(f);
  f = NULL;
  assert_int_equal(disk_open(disk_system(), path_a, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f, &e), ERR_EXISTS);
  assert_null(f);
  assert_int_equal(disk_make_directory(disk_system(), directory, &e), ERR_EXISTS);
}

TEST(a_second_lock_names_the_holder_and_the_first_ends_with_its_file) {
  struct error e = ERROR_INIT;
  struct disk_file *first = NULL, *second = NULL;
  assert_ok(disk_lock(disk_system(), path_a, &first, &e));
  assert_int_equal(disk_lock(disk_system(), path_a, &second, &e), ERR_BUSY);
  char pid[32];
  snprintf(pid, sizeof pid, "pid %ld", (long) getpid());
  assert_non_null(strstr(e.message, pid));
  assert_non_null(strstr(e.message, "host "));
  disk_close(first);
  assert_ok(disk_lock(disk_system(), path_a, &second, &e));
  disk_close(second);
}

static enum err count_names(void *argument, const char *name UNUSED, bool is_directory UNUSED) {
  ++*(int *) argument;
  return ERR_OK;
}

TEST(names_come_and_go) {
  struct error e = ERROR_INIT;
  struct disk *d = disk_system();
  struct disk_file *f = NULL;
  assert_ok(disk_open(d, path_a, DISK_WRITE | DISK_CREATE, &f, &e));
  disk_close(f);
  assert_ok(disk_rename(d, path_a, path_b, &e));
  assert_ok(disk_sync_directory(d, directory, &e));
  int names = 0;
  assert_ok(disk_list(d, directory, count_names, &names, &e));
  assert_int_equal(names, 1);
  assert_ok(disk_unlink(d, path_b, &e));
  assert_int_equal(disk_unlink(d, path_b, &e), ERR_NOTFOUND);
  uint64_t bytes = 0;
  assert_ok(disk_free_space(d, directory, &bytes, &e));
  assert_true(bytes > 0);
}

TEST(directories_are_made_with_those_above_them) {
  struct error e = ERROR_INIT;
  char path[DISK_PATH_MAX], deep[DISK_PATH_MAX + 8];
  snprintf(path, sizeof path, "%s/x", directory);
  snprintf(deep, sizeof deep, "%s/y/z", path);
  for (int i = 0; i < 2; i++) assert_ok(disk_make_directories(disk_system(), deep, &e));
  assert_int_equal(disk_make_directory(disk_system(), deep, &e), ERR_EXISTS);
  assert_int_equal(disk_make_directories(disk_system(), "/proc/none/x", &e), ERR_NOTFOUND);
  assert_ok(disk_remove_directory(disk_system(), deep, &e));
  *strrchr(deep, '/') = '\0';
  assert_ok(disk_remove_directory(disk_system(), deep, &e));
  assert_ok(disk_remove_directory(disk_system(), path, &e));
}

TEST(a_small_file_is_replaced_whole_whatever_a_crash_left) {
  struct error e = ERROR_INIT;
  char fresh[128], text[4];
  struct disk_file *f;
  snprintf(fresh, sizeof fresh, "%s.new", path_a);
  assert_ok(disk_open(disk_system(), fresh, DISK_WRITE | DISK_CREATE, &f, &e)); // left by a crash
  disk_close(f);
  assert_ok(disk_replace_file(disk_system(), directory, "a", "one", 3, &e));
  assert_ok(disk_replace_file(disk_system(), directory, "a", "two", 3, &e));
  assert_ok(disk_open(disk_system(), path_a, DISK_READ_ONLY, &f, &e));
  assert_ok(disk_read_all(f, 0, text, 3, &e));
  disk_close(f);
  assert_memory_equal(text, "two", 3);
  assert_int_equal(disk_unlink(disk_system(), fresh, &e), ERR_NOTFOUND);
  assert_int_equal(disk_replace_file(disk_system(), "/proc/none", "a", "one", 3, &e), ERR_NOTFOUND);
}

TEST(a_tree_is_removed_with_all_that_is_in_it_once_or_again) {
  struct error e = ERROR_INIT;
  char path[DISK_PATH_MAX], inside[DISK_PATH_MAX + 8];
  snprintf(path, sizeof path, "%s/tree", directory);
  snprintf(inside, sizeof inside, "%s/y/z", path);
  assert_ok(disk_make_directories(disk_system(), inside, &e));
  for (int i = 0; i < 3; i++) {
    struct disk_file *f;
    snprintf(inside, sizeof inside, "%s/y/%d", path, i);
    assert_ok(disk_open(disk_system(), inside, DISK_WRITE | DISK_CREATE, &f, &e));
    disk_close(f);
  }
  for (int i = 0; i < 2; i++) assert_ok(disk_remove_tree(disk_system(), path, &e));
  assert_ok(disk_make_directory(disk_system(), path, &e)); // it is gone
  assert_ok(disk_remove_tree(disk_system(), path, &e));
}

static unsigned forgotten;

static void note_forget(struct disk_file *f UNUSED, uint64_t offset UNUSED, uint64_t bytes UNUSED) {
  forgotten++;
}

TEST(to_forget_nothing_is_not_to_forget_all_that_follows) {
  static const struct disk_ops ops = {.forget = note_forget};
  struct disk d = {.ops = &ops};
  struct disk_file f = {.disk = &d};
  disk_forget(&f, 0, 0);
  assert_int_equal(forgotten, 0);
  disk_forget(&f, 4096, 1);
  assert_int_equal(forgotten, 1);
}

enum { PLACES = 300, PLACE_BYTES = 512 };

/// Three rounds of reads, more than the queue is deep; the last place of each is behind the end of the file.
static void read_everywhere(struct disk_queue *q, struct disk_file *f) {
  static uint8_t to[PLACES + 1][PLACE_BYTES];
  static struct disk_read reads[PLACES + 1], *order[PLACES + 1], *done[PLACES + 1];
  struct error e = ERROR_INIT;
  for (int round = 0; round < 3; round++) {
    memset(to, 0, sizeof to);
    for (size_t i = 0; i <= PLACES; i++) {
      size_t place = (i * 5 + (size_t) round) % (PLACES + 1); // 301 places, the last one does not exist
      reads[i] = (struct disk_read){
          .file = f, .offset = place * PLACE_BYTES, .to = to[place], .bytes = PLACE_BYTES, .result = ERR_INTERNAL};
      order[i] = &reads[i];
    }
    assert_ok(disk_queue_submit(q, order, 100, &e));
    assert_ok(disk_queue_submit(q, order + 100, PLACES - 99, &e));
    size_t got = 0;
    for (size_t n; (n = disk_queue_reap(q, true, done, 50)) > 0; got += n)
      for (size_t i = 0; i < n; i++)
        assert_int_equal(done[i]->result, done[i]->offset < PLACES * PLACE_BYTES ? ERR_OK : ERR_SHORT);
    assert_int_equal(got, PLACES + 1);
    for (size_t i = 0; i < PLACES; i++) assert_int_equal(to[i][i % PLACE_BYTES], i % 251);
  }
}

static struct disk_file *file_of_places(void) {
  struct error e = ERROR_INIT;
  struct disk_file *f = NULL;
  assert_ok(disk_open(disk_system(), path_a, DISK_WRITE | DISK_CREATE, &f, &e));
  for (size_t i = 0; i < PLACES; i++) {
    uint8_t place[PLACE_BYTES];
    memset(place, (int) (i % 251), sizeof place);
    assert_ok(disk_write(f, i * PLACE_BYTES, place, sizeof place, &e));
  }
  return f;
}

TEST(a_queue_reads_many_places_together) {
  struct error e = ERROR_INIT;
  struct disk_queue *q = NULL;
  struct disk_file *f = file_of_places();
  assert_ok(disk_queue_open(disk_system(), 16, &q, &e));
  read_everywhere(q, f);
  disk_queue_close(q);
  disk_close(f);
}

TEST(threads_read_where_there_is_no_io_uring) {
  struct error e = ERROR_INIT;
  struct disk_queue *q = NULL, *other = NULL;
  struct disk_file *f = file_of_places();
  for (int life = 0; life < 2; life++) { // the crew goes home and comes again
    assert_ok(disk_crew_open(disk_system(), 16, &q, &e));
    assert_ok(disk_crew_open(disk_system(), 16, &other, &e));
    read_everywhere(q, f);
    disk_queue_close(q);
    read_everywhere(other, f);
    disk_queue_close(other);
  }
  disk_close(f);
}

TEST(io_uring_reads_where_there_is_one) {
  struct disk_queue *q = NULL;
  enum err err = disk_ring_open(disk_system(), 16, &q);
  if (err == ERR_UNSUPPORTED) skip();
  assert_ok(err);
  struct disk_file *f = file_of_places();
  read_everywhere(q, f);
  disk_queue_close(q);
  disk_close(f);
}

TEST(many_files_are_synced_at_once_and_each_is_told_of_its_own) {
  enum { FILES = 20 };
  struct error e = ERROR_INIT;
  struct disk_sync syncs[FILES];
  char path[DISK_PATH_MAX];
  for (int i = 0; i < FILES; i++) {
    snprintf(path, sizeof path, "%s/many%d", directory, i);
    syncs[i] = (struct disk_sync){.result = ERR_INTERNAL};
    assert_ok(disk_open(disk_system(), path, DISK_WRITE | DISK_CREATE, &syncs[i].file, &e));
    assert_ok(disk_write(syncs[i].file, 0, "x", 1, &e));
  }
  disk_sync_all(syncs, FILES);
  for (int i = 0; i < FILES; i++) {
    assert_ok(syncs[i].result);
    disk_close(syncs[i].file);
    snprintf(path, sizeof path, "%s/many%d", directory, i);
    assert_ok(disk_unlink(disk_system(), path, &e));
  }
}

TEST(no_memory_is_an_error_and_leaves_nothing_open) {
  EACH_ALLOC_FAILS(n) {
    struct disk_file *f = NULL, *lock = NULL;
    if (disk_open(disk_system(), path_a, DISK_WRITE | DISK_CREATE, &f, NULL) == ERR_OK) disk_close(f);
    if (disk_lock(disk_system(), path_a, &lock, NULL) == ERR_OK) disk_close(lock);
    struct disk_queue *q = NULL;
    if (disk_queue_open(disk_system(), 4, &q, NULL) == ERR_OK) disk_queue_close(q);
    if (disk_crew_open(disk_system(), 4, &q, NULL) == ERR_OK) disk_queue_close(q);
  }
}

#define P(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
TESTS(T(to_forget_nothing_is_not_to_forget_all_that_follows), P(what_is_written_is_read_and_a_read_past_the_end_is_short),
      P(errors_name_the_file_and_leave_the_output_alone), P(a_second_lock_names_the_holder_and_the_first_ends_with_its_file),
      P(names_come_and_go), P(directories_are_made_with_those_above_them),
      P(a_small_file_is_replaced_whole_whatever_a_crash_left), P(a_tree_is_removed_with_all_that_is_in_it_once_or_again),
      P(a_queue_reads_many_places_together), P(threads_read_where_there_is_no_io_uring), P(io_uring_reads_where_there_is_one),
      P(many_files_are_synced_at_once_and_each_is_told_of_its_own), P(no_memory_is_an_error_and_leaves_nothing_open))
