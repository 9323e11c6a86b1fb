// Names on the simulated disk. A directory is a name too; a path whose directory nobody made lies in one that was always there.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sim_disk_int.h"

struct sim_name *sim_names_find(struct sim_names *names, const char *path) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->list[i].path, path) == 0) return &names->list[i];
  return NULL;
}

static struct sim_name *add(struct sim_names *names, const char *path) {
  names->list = sim_grow(names->list, &names->capacity, names->count + 1, sizeof *names->list);
  struct sim_name *added = &names->list[names->count++];
  snprintf(added->path, sizeof added->path, "%s", path);
  return added;
}

void sim_names_set(struct sim_names *names, const char *path, struct sim_inode *inode) {
  struct sim_name *found = sim_names_find(names, path);
  if (inode == NULL) {
    if (found != NULL) *found = names->list[--names->count];
    return;
  }
  if (found == NULL) found = add(names, path);
  found->inode = inode;
}

void sim_change_name(struct sim_disk *d, const char *path, struct sim_inode *inode) {
  sim_names_set(&d->now, path, inode);
  add(&d->changes, path)->inode = inode;
}

bool sim_is_in(const char *path, const char *directory, const char **ret_name) {
  size_t length = strcmp(directory, "/") == 0 ? 0 : strlen(directory);
  if (strcmp(directory, ".") == 0 && strchr(path, '/') == NULL) {
    if (ret_name != NULL) *ret_name = path;
    return true;
  }
  bool in = strncmp(path, directory, length) == 0 && path[length] == '/' && strchr(path + length + 1, '/') == NULL;
  if (in && ret_name != NULL) *ret_name = path + length + 1;
  return in;
}

static bool same_directory(const char *a, const char *b) {
  const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
  size_t length = x != NULL ? (size_t) (x - a) : 0;
  return (x == NULL) == (y == NULL) && (y == NULL || (size_t) (y - b) == length) && memcmp(a, b, length) == 0;
}

static void keep_from(struct sim_names *changes, bool (*goes)(const struct sim_name *change, const void *argument),
                      const void *argument) {
  size_t kept = 0;
  for (size_t i = 0; i < changes->count; i++)
    if (!goes(&changes->list[i], argument)) changes->list[kept++] = changes->list[i];
  changes->count = kept;
}

static bool lies_in(const struct sim_name *change, const void *directory) {
  return sim_is_in(change->path, directory, NULL);
}

static bool is_below(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && path[length] == '/';
}

// A directory that goes takes along what the disk has in it; another one of its name begins empty.
static void lose_below(struct sim_disk *d, const char *directory, size_t changes_before) {
  for (size_t i = d->stable.count; i > 0; i--)
    if (is_below(d->stable.list[i - 1].path, directory)) d->stable.list[i - 1] = d->stable.list[--d->stable.count];
  for (size_t i = 0; i < changes_before; i++)
    if (is_below(d->changes.list[i].path, directory)) d->changes.list[i].inode = NULL;
}

static void make_durable(struct sim_disk *d, size_t change) {
  char path[SIM_PATH_MAX];
  memcpy(path, d->changes.list[change].path, sizeof path);
  if (d->changes.list[change].inode == NULL) lose_below(d, path, change);
  sim_names_set(&d->stable, path, d->changes.list[change].inode);
}

void sim_names_settle(struct sim_disk *d, const char *directory) {
  for (size_t i = 0; i < d->changes.count; i++)
    if (sim_is_in(d->changes.list[i].path, directory, NULL)) make_durable(d, i);
  size_t before = d->changes.count;
  keep_from(&d->changes, lies_in, directory);
  if (d->changes.count < before) sim_empty_unnamed(d);
}

static bool lies_beside(const struct sim_name *change, const void *path) {
  return same_directory(change->path, path);
}

// The directory of `path` was made at some time and is not there.
static bool is_astray(struct sim_disk *d, const char *path) {
  char directory[SIM_PATH_MAX];
  memcpy(directory, path, sizeof directory);
  for (char *slash; (slash = strrchr(directory, '/')) != NULL && slash != directory;) {
    *slash = '\0';
    if (sim_names_find(&d->now, directory) != NULL && sim_names_find(&d->stable, directory) == NULL) return true;
  }
  return false;
}

// A name on the disk is of no use where its directory is not.
static void drop_astray(struct sim_disk *d) {
  for (size_t i = d->stable.count; i > 0; i--)
    if (is_astray(d, d->stable.list[i - 1].path)) d->stable.list[i - 1] = d->stable.list[--d->stable.count];
}

void sim_names_lose_some(struct sim_disk *d) {
  while (d->changes.count > 0) {
    char first[SIM_PATH_MAX];
    memcpy(first, d->changes.list[0].path, sizeof first);
    size_t beside = 0;
    for (size_t i = 0; i < d->changes.count; i++) beside += same_directory(d->changes.list[i].path, first);
    size_t survive = rng_below(&d->rng, beside + 1);
    for (size_t i = 0; survive > 0; i++) {
      if (!same_directory(d->changes.list[i].path, first)) continue;
      make_durable(d, i);
      survive--;
    }
    keep_from(&d->changes, lies_beside, first);
  }
  drop_astray(d);
}

void sim_names_reread(struct sim_disk *d) {
  d->now.count = 0;
  for (size_t i = 0; i < d->stable.count; i++) add(&d->now, d->stable.list[i].path)->inode = d->stable.list[i].inode;
}

// ---- inodes ----

struct sim_inode *sim_new_inode(struct sim_disk *d) {
  d->inodes = sim_grow(d->inodes, &d->inode_capacity, d->inode_count + 1, sizeof(struct sim_inode *));
  return d->inodes[d->inode_count++] = sim_zalloc(sizeof(struct sim_inode));
}

static bool is_named(const struct sim_names *names, const struct sim_inode *n) {
  for (size_t i = 0; i < names->count; i++)
    if (names->list[i].inode == n) return true;
  return false;
}

static bool is_wanted(const struct sim_disk *d, const struct sim_inode *n) {
  return n->opens > 0 || is_named(&d->now, n) || is_named(&d->stable, n) || is_named(&d->changes, n);
}

void sim_empty_unnamed(struct sim_disk *d) {
  for (size_t i = 0; i < d->inode_count; i++) {
    struct sim_inode *n = d->inodes[i];
    if (n->gone || is_wanted(d, n)) continue;
    sim_inode_empty(n);
    n->gone = true;
  }
}

void sim_drop_unnamed(struct sim_disk *d) {
  size_t kept = 0;
  for (size_t i = 0; i < d->inode_count; i++) {
    struct sim_inode *n = d->inodes[i];
    if (is_wanted(d, n))
      d->inodes[kept++] = n;
    else
      sim_inode_free(n);
  }
  d->inode_count = kept;
}
