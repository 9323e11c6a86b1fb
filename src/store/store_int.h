// Inside a store: what store.c and the checkpoint share.
#pragma once

#include "store/checkpoint.h"
#include "store/pages_int.h"
#include "store/store.h"
#include "store/superblock_int.h"

// Moves only forward; a checkpoint that is given up goes back to idle.
enum checkpoint_phase {
  CHECKPOINT_IDLE,
  CHECKPOINT_PAGES,       // data pages
  CHECKPOINT_MAP,         // page map, level by level
  CHECKPOINT_PLAN,        // places for bitmap pages and their map
  CHECKPOINT_CHUNKS,      // bitmap pages
  CHECKPOINT_SPACE,       // space map, level by level
  CHECKPOINT_SYNC,
  CHECKPOINT_SUPERBLOCK,
  CHECKPOINT_SYNC_SUPERBLOCK,
  CHECKPOINT_SHRINK, // durable; the file's free end is given back
};

#define CHECKPOINT_PAGES_AT_ONCE 64u

struct checkpoint {
  _Atomic enum checkpoint_phase phase; // set last in each step: hands the rest over to whoever does the next
  struct page_snapshot pin;
  struct superblock next;
  struct id_list pages;  // to write, from `at` on
  uint64_t move_from;    // physical pages from here on get another place
  struct id_list chunks; // bitmap pages that have their place
  size_t at;
  unsigned level;
  _Atomic uint64_t written; // looked at by anybody
  void *allocation;
  uint8_t *buffer; // CHECKPOINT_PAGES_AT_ONCE pages
};

struct store {
  struct store_options options;
  char directory[DISK_PATH_MAX];
  struct disk_file *lock, *file;
  struct page_space *space;
  struct log *log;

  struct mutex mutex; // roots, metadata, applied, failure
  struct superblock durable;
  uint8_t uuid[16]; // from the opening on as it is; that of the superblock is written anew with each checkpoint
  struct store_applied applied;
  uint32_t root_count, staged_count;
  struct store_root roots[STORE_ROOTS_MAX], staged[STORE_ROOTS_MAX];
  uint8_t meta[STORE_META_BYTES], staged_meta[STORE_META_BYTES];
  enum err failed;
  struct error failure;

  struct checkpoint checkpoint;
};

enum err store_poison(struct store *s, enum err err, const struct error *cause, struct error *e);
void checkpoint_done(struct store *s);
/// Drops pins that have expired; the space's mutex is held.
void checkpoint_pins_expire(struct store *s);
