// Inside the simulated disk: what a file holds, what names there are, and of both what a power cut leaves.
#pragma once

#include <stddef.h>

#include "os/thread.h"
#include "store/sim_disk.h"

#define SIM_SECTOR 512u
#define SIM_PATH_MAX 256u

#define SIM_PAGE 4096u

// Shared between what is seen, what is on the disk and what lies between; written only by who has it alone.
struct sim_page {
  uint32_t refs;
  uint8_t data[SIM_PAGE];
};

struct sim_image {
  struct sim_page **pages; // NULL: zeros, as are the bytes of a page behind the size
  size_t page_room;
  uint64_t size;
};

// What a sync would make durable: sectors of one page, or a new size.
struct sim_pending {
  bool is_size;
  uint64_t write;   // number of the call: a disk may take a request as a whole
  uint64_t at, end; // first sector and the one behind the last; `at` may be the size
  uint64_t size;    // of the file when it was written: the last sector may end there
  struct sim_page *page;
};

struct sim_inode {
  bool is_directory;
  struct sim_image now, stable;
  struct sim_pending *pending;
  size_t pending_count, pending_capacity;
  uint64_t writes;
  unsigned opens;
  bool locked;
  bool gone; // without a name for good, and empty
};

struct sim_name {
  char path[SIM_PATH_MAX];
  struct sim_inode *inode; // in a list of changes NULL: the name goes
};

struct sim_names {
  struct sim_name *list;
  size_t count, capacity;
};

struct sim_fault {
  enum err err;      // ERR_IO or ERR_NOSPC
  struct sim_aim at; // countdown: negative is off
};

struct sim_disk {
  struct disk disk;
  struct mutex mutex; // all that follows, but the files' own structs
  struct rng rng;
  struct sim_names now, stable;
  struct sim_names changes; // in order, since the last sync of the directory they are in
  struct sim_inode **inodes;
  size_t inode_count, inode_capacity;
  struct sim_fault faults[SIM_OP_MAX];
  struct sim_aim cut;
  uint64_t room_bytes; // by which files may grow
  uint64_t mutations;
  bool off, failed;
  void (*on_cut)(struct sim_disk *d, void *context);
  void *on_cut_context;
};

/// The simulator's own allocations do not fail: the failures that a test arms are for the code under test.
void *sim_realloc(void *p, size_t bytes);
void *sim_zalloc(size_t bytes);
/// Room for `needed` elements of `size` bytes.
void *sim_grow(void *p, size_t *capacity, size_t needed, size_t size);

// ---- a file (sim_inode.c) ----

void sim_image_resize(struct sim_image *i, uint64_t size);
/// Within the size.
void sim_image_read(const struct sim_image *i, uint64_t offset, void *to, size_t bytes);
/// Grows it where it has to.
void sim_image_write(struct sim_image *i, uint64_t offset, const void *from, size_t bytes);
/// Writes as the system does: seen at once, durable after a sync.
void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *from, size_t bytes);
void sim_inode_resize(struct sim_inode *n, uint64_t size);
/// A sync: everything that is pending is on the disk.
void sim_inode_settle(struct sim_inode *n);
/// Of what is pending some is on the disk, the rest is lost; what is seen stays as it is.
void sim_inode_lose_some(struct sim_inode *n, struct rng *rng);
/// What is seen is what is on the disk.
void sim_inode_reread(struct sim_inode *n);
/// It holds nothing.
void sim_inode_empty(struct sim_inode *n);
void sim_inode_free(struct sim_inode *n);

// ---- names (sim_names.c) ----

struct sim_name *sim_names_find(struct sim_names *names, const char *path);
void sim_names_set(struct sim_names *names, const char *path, struct sim_inode *inode);
/// A name comes (`inode`) or goes (NULL): seen at once, durable after a sync of its directory.
void sim_change_name(struct sim_disk *d, const char *path, struct sim_inode *inode);
/// Changes in that directory are durable.
void sim_names_settle(struct sim_disk *d, const char *directory);
/// Of the changes in each directory a random prefix is on the disk; the rest is lost, and what lies in a directory that was lost.
void sim_names_lose_some(struct sim_disk *d);
/// The names on the disk are those that are seen.
void sim_names_reread(struct sim_disk *d);
/// True if `path` lies in `directory`, not deeper; `*ret_name` (may be NULL) is the part behind it.
bool sim_is_in(const char *path, const char *directory, const char **ret_name);
struct sim_inode *sim_new_inode(struct sim_disk *d);
/// Gives back what files hold that have no name and are not open.
void sim_empty_unnamed(struct sim_disk *d);
/// Frees what has no name and is not open.
void sim_drop_unnamed(struct sim_disk *d);
