// The simulated disk as a file of the machine: what survived a power cut, for the process that starts next.
//
// A host's own numbers, one after the other: for each name its path (SIM_PATH_MAX bytes), whether it is a directory, its size,
// its bytes.
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "store/sim_disk_int.h"

struct saved_name {
  char path[SIM_PATH_MAX];
  uint64_t is_directory, size;
};

static bool save_image(FILE *f, const struct sim_image *i) {
  uint8_t bytes[SIM_PAGE];
  for (uint64_t at = 0; at < i->size; at += SIM_PAGE) {
    size_t n = MIN((uint64_t) SIM_PAGE, i->size - at);
    sim_image_read(i, at, bytes, n);
    if (fwrite(bytes, n, 1, f) != 1) return false;
  }
  return true;
}

static bool load_image(FILE *f, struct sim_image *i, uint64_t size) {
  uint8_t bytes[SIM_PAGE];
  for (uint64_t at = 0; at < size; at += SIM_PAGE) {
    size_t n = MIN((uint64_t) SIM_PAGE, size - at);
    if (fread(bytes, n, 1, f) != 1) return false;
    sim_image_write(i, at, bytes, n);
  }
  return true;
}

static bool save_name(FILE *f, const struct sim_name *n) {
  struct saved_name s = {.is_directory = n->inode->is_directory, .size = n->inode->stable.size};
  memcpy(s.path, n->path, sizeof s.path);
  return fwrite(&s, sizeof s, 1, f) == 1 && save_image(f, &n->inode->stable);
}

bool sim_disk_save(struct sim_disk *d, const char *path) {
  FILE *f = fopen(path, "wbe");
  if (f == NULL) return false;
  bool good = true;
  for (size_t i = 0; i < d->stable.count && good; i++) good = save_name(f, &d->stable.list[i]);
  return fclose(f) == 0 && good;
}

static bool load_name(FILE *f, struct sim_disk *d, const struct saved_name *s) {
  struct sim_inode *n = sim_new_inode(d);
  n->is_directory = s->is_directory != 0;
  if (!load_image(f, &n->stable, s->size)) return false;
  sim_inode_reread(n);
  sim_names_set(&d->stable, s->path, n);
  sim_names_set(&d->now, s->path, n);
  return true;
}

bool sim_disk_load(struct sim_disk *d, const char *path) {
  FILE *f = fopen(path, "rbe");
  if (f == NULL) return false;
  struct saved_name s;
  bool good = true;
  while (good && fread(&s, sizeof s, 1, f) == 1) good = memchr(s.path, 0, sizeof s.path) != NULL && load_name(f, d, &s);
  good = good && feof(f) != 0;
  fclose(f);
  return good;
}
