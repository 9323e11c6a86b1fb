// Safety rules that a build can switch off one at a time (-Dmutant=NAME), to show that the simulator catches it.
// Normal builds have none: MUTANT(x) is then the constant false. docs/develop/mutants.md lists them.
#pragma once

#ifdef STORE_MUTANT
enum store_mutant {
  MUTANT_log_checksum = 1, // a batch counts though its checksum is wrong
  MUTANT_log_sync,         // entries are reported durable without a sync
  MUTANT_log_sync_retry,   // a failed sync is forgotten
  MUTANT_log_torn_tail,    // a torn batch is left where it is and written behind
  MUTANT_page_checksum,    // pages are not checked when they are read
  MUTANT_page_sync,        // no sync before the superblock
  MUTANT_superblock_sync,  // no sync after the superblock, before pages are freed
  MUTANT_superblock_slot,  // the one durable superblock is overwritten in place
  MUTANT_page_reuse_flip,  // superseded pages are free before the flip
  MUTANT_page_reuse_reader, // versions are dropped though a snapshot sees them
  MUTANT_page_reuse_pin,   // pinned pages are free
  MUTANT_page_reuse_access, // frames are reused while somebody is inside
  MUTANT_checkpoint_epoch, // the newest version is written instead of the pinned epoch's
  MUTANT_replay_from,      // replay begins one entry late
};
#define MUTANT(name) (STORE_MUTANT == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif
