// Safety rules that a build can switch off one at a time (-Dmutant=NAME), to show that the tests and simulators catch it.
// Normal builds have none: MUTANT(x) is then the constant false. docs/develop/mutants.md lists them.
#pragma once

#ifdef QUIVER_MUTANT
enum mutant {
  // store: caught by the crash simulator
  MUTANT_log_checksum = 1,  // a batch counts though its checksum is wrong
  MUTANT_log_sync,          // entries are reported durable without a sync
  MUTANT_log_sync_retry,    // a failed sync is forgotten
  MUTANT_log_torn_tail,     // a torn batch is left where it is and written behind
  MUTANT_page_checksum,     // pages are not checked when they are read
  MUTANT_page_sync,         // no sync before the superblock
  MUTANT_superblock_sync,   // no sync after the superblock, before pages are freed
  MUTANT_superblock_slot,   // the one durable superblock is overwritten in place
  MUTANT_page_reuse_flip,   // superseded pages are free before the flip
  MUTANT_page_reuse_reader, // versions are dropped though a snapshot sees them
  MUTANT_page_reuse_pin,    // pinned pages are free
  MUTANT_page_reuse_access, // frames are reused while somebody is inside
  MUTANT_checkpoint_epoch,  // the newest version is written instead of the pinned epoch's
  MUTANT_replay_from,       // replay begins one entry late

  // consensus: caught by its directed tests or the cluster simulator. The guards of src/consensus/README.md:
  MUTANT_raft_stale_append,       // G1: a leader of an older term is answered by the engine
  MUTANT_raft_split_change,       // G2: a membership entry stands anywhere in its message
  MUTANT_raft_own_noop,           // G3: a leader has no entry of its own
  MUTANT_raft_single_voter_term,  // G4: a sole voter leads the same term again
  MUTANT_raft_anchor,             // G5: an append is anchored below the log
  MUTANT_raft_trailing,           // G5: no entries are kept for late appends
  MUTANT_raft_change_procedure,   // G6: any change at any time
  MUTANT_raft_stale_rejection,    // G7: a rejection is taken though what it rejects was acknowledged since
  MUTANT_raft_pre_vote_term,      // G8: a denied pre-vote hides the term
  MUTANT_raft_rejection_hint,     // G9: back one entry a round trip
  MUTANT_raft_commit_falls,       // G10: the commit index is the engine's
  MUTANT_raft_apply_undurable,    // G10: what is committed is applied before it is durable
  MUTANT_raft_persisted_aba,      // G11: a write counts though a later one voids it
  MUTANT_raft_compact_undurable,  // G13: what is not applied or not durable is forgotten
  MUTANT_raft_read_own_noop,      // a read is answered before the leader's own no-op is committed
  MUTANT_raft_read_majority,      // a read is answered without asking
  MUTANT_raft_read_term,          // a probe of another term is confirmed
};
#define MUTANT(name) (QUIVER_MUTANT == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif
