// A disk of a process: the disk that loses power (store/sim_disk.h), taking virtual time. It outlives the lives of its process.
#pragma once

#include "store/sim_disk.h"
#include "world.h"

struct world_disk;

/// How long things take; each at most so long, at random.
struct world_disk_pace {
  int64_t read_ns, write_ns, sync_ns;
};

/// `lost(context)` is called when the power goes within an operation (world_disk_cut_within): it must kill the process.
struct world_disk *world_disk_new(uint64_t seed, void (*lost)(void *context), void *context);
void world_disk_free(struct world_disk *d);
struct disk *world_disk_table(struct world_disk *d);
void world_disk_set_pace(struct world_disk *d, struct world_disk_pace pace);
/// For faults: failing operations, no room.
struct sim_disk *world_disk_sim(struct world_disk *d);

/// The power goes within one of the next `changes` changes, unless the process ends before.
void world_disk_cut_within(struct world_disk *d, uint64_t changes);
/// No operation is to fail any more, and no power to go.
void world_disk_calm(struct world_disk *d);
/// The process is dead: its files are closed; with the power gone, what was not synced is lost in part.
void world_disk_abandon(struct world_disk *d, enum world_end end);
/// A directory is gone with all that was in it, while no process has a file open.
void world_disk_remove(struct world_disk *d, const char *path);
/// `to` becomes a copy of the directory `from` with all that is in it, durable; the same.
void world_disk_copy(struct world_disk *d, const char *from, const char *to);
