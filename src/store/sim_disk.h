// A disk in memory that can lose power, for tests: what was not synced survives sector by sector, at random.
//
// Every write is remembered in 512-byte sectors until a sync of its file. At a power cut each remembered sector write
// survives or not, independently, so an older write may outlive a newer one (of some files, whole writes do); size changes
// likewise; of the names in a directory, a random prefix of what happened since the last sync of that directory, and what lies in
// a directory whose own name is lost is lost with it. A sync that is made to fail behaves as Linux does: part of the data is lost
// for good, reads go on showing it, and a later sync succeeds.
//
// The disk is thread-safe; what the test does with it, below, is for one thread, but cutting the power and arming faults. Repeatable from
// the seed as far as the order of calls is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "os/disk.h"

enum sim_op { SIM_READ, SIM_WRITE, SIM_SYNC, SIM_ALLOCATE, SIM_OTHER, SIM_OP_MAX };

/// Which operation is meant: the one after `countdown` further ones of its kind, counting only files whose path contains `name`.
struct sim_aim {
  enum sim_op op;    // SIM_OP_MAX: whatever changes the disk (writes, syncs, sizes, names)
  const char *name;  // NULL: any
  int64_t countdown; // negative: none
};

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *d);
struct disk *sim_disk_table(struct sim_disk *d);

/// Fails the operation after `countdown` further ones of its kind, once. A failing write writes a random part.
void sim_disk_fail(struct sim_disk *d, enum sim_op op, int64_t countdown, enum err err);
/// The same with an aim at files; `at.name` must stay.
void sim_disk_fail_at(struct sim_disk *d, struct sim_aim at, enum err err);
/// True if the fault armed last has struck.
bool sim_disk_failed(const struct sim_disk *d);
/// Files may grow by so many bytes together; what would need more fails with ERR_NOSPC and changes nothing. UINT64_MAX: no limit.
void sim_disk_set_room(struct sim_disk *d, uint64_t bytes);

/// Cuts the power within the operation after `countdown` further changes (writes, syncs, names); negative: never.
void sim_disk_cut_after(struct sim_disk *d, int64_t countdown);
/// The same with an aim; `at.name` must stay.
void sim_disk_cut_at(struct sim_disk *d, struct sim_aim at);
/// Cuts it now. From then on everything fails with ERR_IO, and closing still works.
void sim_disk_cut(struct sim_disk *d);
bool sim_disk_is_off(const struct sim_disk *d);
/// What survived is there again; all files must be closed.
void sim_disk_power_on(struct sim_disk *d);

/// Called within the operation that the power cut strikes, when it is settled what survives; nobody else gets at the disk
/// meanwhile. It need not return: a process that is meant to die with its disk saves it and ends.
void sim_disk_on_cut(struct sim_disk *d, void (*on_cut)(struct sim_disk *d, void *context), void *context);
/// What survived as a file of the machine, and back into a disk that is empty. False: that file cannot be written or read.
bool sim_disk_save(struct sim_disk *d, const char *path);
bool sim_disk_load(struct sim_disk *d, const char *path);

/// Changes one byte on the disk itself, synced or not. False if the file has no such byte.
bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask);
uint64_t sim_disk_file_size(struct sim_disk *d, const char *path);
/// Changes since the disk was made: to choose a countdown below it.
uint64_t sim_disk_changes(const struct sim_disk *d);
