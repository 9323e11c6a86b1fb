// A disk in memory that can lose power, for tests: what was not synced survives sector by sector, at random.
//
// Every write is remembered in 512-byte sectors until a sync of its file. At a power cut each remembered sector write
// survives or not, independently, so an older write may outlive a newer one; size changes likewise; of names, a random prefix
// of what happened since the last sync of the directory. A sync that is made to fail behaves as Linux does: part of the data
// is lost for good, reads go on showing it, and a later sync succeeds.
//
// One thread. Repeatable from the seed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "os/disk.h"

enum sim_op { SIM_READ, SIM_WRITE, SIM_SYNC, SIM_ALLOCATE, SIM_OTHER, SIM_OP_MAX };

struct sim_fault {
  int64_t countdown; // operations of the kind that still succeed; negative: off
  enum err err;      // ERR_IO or ERR_NOSPC
};

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *d);
struct disk *sim_disk_table(struct sim_disk *d);

/// Fails the operation after `countdown` further ones of its kind, once. A failing write writes a random part.
void sim_disk_fail(struct sim_disk *d, enum sim_op op, int64_t countdown, enum err err);
/// True if the fault armed last has struck.
bool sim_disk_failed(const struct sim_disk *d);

/// Cuts the power within the operation after `countdown` further changes (writes, syncs, names); negative: never.
void sim_disk_cut_after(struct sim_disk *d, int64_t countdown);
/// Cuts it now. From then on everything fails with ERR_IO, and closing still works.
void sim_disk_cut(struct sim_disk *d);
bool sim_disk_is_off(const struct sim_disk *d);
/// What survived is there again; all files must be closed.
void sim_disk_power_on(struct sim_disk *d);

/// Changes one byte on the disk itself, synced or not. False if the file has no such byte.
bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask);
uint64_t sim_disk_file_size(struct sim_disk *d, const char *path);
/// Changes since the disk was made: to choose a countdown below it.
uint64_t sim_disk_changes(const struct sim_disk *d);
