// A folder that users name files in, and the ways out of it that must be shut.
#include "base/test.h"
#include "os/rooted_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folders {
  char root[64], inside[128];
};

static void write_file(const char *folder, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void make_link(const char *folder, const char *name, const char *target) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(symlink(target, path), 0);
}

static void make_folders(struct folders *f) {
  snprintf(f->root, sizeof f->root, "/tmp/rooted-XXXXXX");
  assert_non_null(mkdtemp(f->root));
  snprintf(f->inside, sizeof f->inside, "%s/import", f->root);
  assert_int_equal(mkdir(f->inside, 0700), 0);
  char sub[160];
  snprintf(sub, sizeof sub, "%s/sub", f->inside);
  assert_int_equal(mkdir(sub, 0700), 0);
  write_file(f->root, "secret.csv", "secret");
  write_file(f->inside, "a.csv", "one");
  write_file(sub, "b.csv", "two");
}

static void remove_folders(const struct folders *f) {
  char command[200];
  static const char *const names[] = {"import/sub/b.csv", "import/sub",  "import/a.csv", "import/out",
                                      "import/up",        "import/fifo", "import",       "secret.csv"};
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    snprintf(command, sizeof command, "%s/%s", f->root, names[i]);
    remove(command);
  }
  assert_int_equal(rmdir(f->root), 0);
}

static void assert_reads(const struct folders *f, const char *path, const char *text) {
  struct error e = ERROR_INIT;
  struct rooted_file *file;
  char bytes[16] = "";
  size_t n, total = 0;
  assert_ok(rooted_file_open(str_of(f->inside), str_of(path), &file, &e));
  do {
    assert_ok(rooted_file_read(file, bytes + total, 2, &n, &e));
    total += n;
  } while (n > 0);
  assert_string_equal(bytes, text);
  rooted_file_close(file);
}

static void assert_refused(const struct folders *f, struct str path, enum err expected) {
  struct error e = ERROR_INIT;
  struct rooted_file *file = NULL;
  assert_int_equal(rooted_file_open(str_of(f->inside), path, &file, &e), expected);
  assert_null(strstr(e.message, f->root)); // what the client hears does not tell where the folder is
}

TEST(files_below_the_folder_are_read) {
  struct folders f;
  make_folders(&f);
  assert_reads(&f, "a.csv", "one");
  assert_reads(&f, "///a.csv", "one");
  assert_reads(&f, "/sub//b.csv", "two");
  remove_folders(&f);
}

TEST(no_way_leads_out_of_it) {
  struct folders f;
  make_folders(&f);
  make_link(f.inside, "out", "../secret.csv");
  make_link(f.inside, "up", "..");
  assert_refused(&f, STR("../secret.csv"), ERR_INVALID);
  assert_refused(&f, STR("sub/../../secret.csv"), ERR_INVALID);
  assert_refused(&f, STR("./a.csv"), ERR_INVALID);
  assert_refused(&f, STR("out"), ERR_INVALID);
  assert_refused(&f, STR("up/secret.csv"), ERR_INVALID);
  assert_refused(&f, STR(""), ERR_INVALID);
  assert_refused(&f, STR("/"), ERR_INVALID);
  assert_refused(&f, (struct str){"a.csv\0/x", 8}, ERR_INVALID);
  remove_folders(&f);
}

TEST(only_regular_files_are_files) {
  struct folders f;
  make_folders(&f);
  char fifo[160];
  snprintf(fifo, sizeof fifo, "%s/fifo", f.inside);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  assert_refused(&f, STR("fifo"), ERR_INVALID); // and nobody waits for its other end
  assert_refused(&f, STR("sub"), ERR_INVALID);
  assert_refused(&f, STR("a.csv/x"), ERR_INVALID);
  assert_refused(&f, STR("nothing.csv"), ERR_NOTFOUND);
  remove_folders(&f);
}

TEST(a_folder_that_is_not_there_is_told_from_a_file_that_is_not) {
  struct error e = ERROR_INIT;
  struct rooted_file *file = NULL;
  assert_int_equal(rooted_file_open(STR("/nowhere/import"), STR("a.csv"), &file, &e), ERR_NOTFOUND);
  assert_string_equal(e.message, "the folder for such files is not there");
}

TESTS(T(files_below_the_folder_are_read), T(no_way_leads_out_of_it), T(only_regular_files_are_files),
      T(a_folder_that_is_not_there_is_told_from_a_file_that_is_not))
