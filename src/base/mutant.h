// Safety rules that can be switched off one at a time, to show that the tests and simulators catch it. docs/develop/mutants.md
// says how; each row names a rule and what happens without it.
//
// In the server MUTANT(x) is the constant false. Code that is compiled with QUIVER_MUTANTS asks at run time: the rule that the
// environment's QUIVER_MUTANT names is off for the whole process.
#pragma once

// clang-format off
#define MUTANT_TABLE(X) \
  /* store: caught by the crash simulator */ \
  X(log_checksum,      "a batch counts though its checksum is wrong") \
  X(log_sync,          "entries are reported durable without a sync") \
  X(log_sync_retry,    "a failed sync is forgotten") \
  X(log_torn_tail,     "a torn batch is left where it is and written behind") \
  X(page_checksum,     "pages are not checked when they are read") \
  X(page_sync,         "no sync before the superblock") \
  X(superblock_sync,   "no sync after the superblock, before pages are freed") \
  X(superblock_slot,   "the one durable superblock is overwritten in place") \
  X(page_reuse_flip,   "superseded pages are free before the flip") \
  X(page_reuse_reader, "versions are dropped though a snapshot sees them") \
  X(page_reuse_pin,    "pinned pages are free") \
  X(page_reuse_access, "frames are reused while somebody is inside") \
  X(checkpoint_epoch,  "the newest version is written instead of the pinned epoch's") \
  X(replay_from,       "replay begins one entry late") \
  X(shrink_used,       "the file's end is cut by what the map names, not by what anybody needs") \
  X(copy_sync,         "a copied store counts as durable without a sync") \
  X(copy_mark,         "a copied store takes a place that was not marked for it") \
  /* consensus: caught by its directed tests; G1 to G20 are the guards of src/consensus/README.md */ \
  X(raft_stale_append,      "G1: a leader of an older term is answered by the engine") \
  X(raft_split_change,      "G2: a membership entry stands anywhere in its message") \
  X(raft_change_before,     "G2: an earlier membership entry is not taken for committed when the next one comes") \
  X(raft_change_unmatched,  "G2: ... even where the log is not the leader's up to there") \
  X(raft_own_noop,          "G3: a leader has no entry of its own") \
  X(raft_sole_voter_term,   "G4: a sole voter leads the same term again") \
  X(raft_anchor,            "G5: an append is anchored below the log") \
  X(raft_trailing,          "G5: no entries are kept for late appends") \
  X(raft_change_procedure,  "G6: any change at any time") \
  X(raft_two_changes,       "G6: a second change while the first is not committed") \
  X(raft_stale_rejection,   "G7: a rejection is taken though what it rejects was acknowledged since") \
  X(raft_pre_vote_term,     "G8: a denied pre-vote hides the term") \
  X(raft_rejection_hint,    "G9: back one entry a round trip") \
  X(raft_commit_falls,      "G10: the commit index is the engine's") \
  X(raft_apply_undurable,   "G10: what is committed is applied before it is durable") \
  X(raft_apply_installing,  "G10: entries are applied while the store is being replaced") \
  X(raft_persisted_aba,     "G11: a write counts though a queued one voids it") \
  X(raft_engine_check,      "G12: the engine is believed") \
  X(raft_conflict,          "G12: a message that contradicts a committed entry is taken") \
  X(raft_compact_unapplied, "G13: what is not applied or not durable is forgotten") \
  X(raft_install_early,     "G13: an install is reported before the copy is there") \
  X(raft_silent_leader,     "G14: votes are denied until the own election timeout, not the shortest") \
  X(raft_leader_heard,      "G14: votes are given though a leader is heard") \
  X(raft_lost_leader,       "G15: a closed connection to the leader is no news") \
  X(raft_lost_turn,         "G15: all who lost the leader stand together") \
  X(raft_lost_heard,        "G15: a leader that was lost and is heard again is still lost") \
  X(raft_lost_durable,      "G15: a member stands while entries wait for its disk") \
  X(raft_lost_granted,      "G15: who gave its vote stands against it") \
  X(raft_shorter_log,       "G16: who refuses a shorter log waits for its own timeout") \
  X(raft_split_vote,        "G17: who was denied a vote waits for its timeout") \
  X(raft_install_uncopied,  "G18: a log is let go before the copy of the store is there") \
  X(raft_install_overtaken, "G18: a copy is of no use if its leader has forgotten more since") \
  X(raft_install_again,     "G18: a log that has the copy's last entry is begun there again and again") \
  X(raft_learner_vote,      "G19: who does not know yet that it was promoted gives no vote") \
  X(raft_lost,              "G20: a member goes on without what it has acknowledged") \
  X(raft_lost_term,         "G20: ... is judged by what it has acknowledged in an earlier term") \
  X(raft_lost_later,        "G20: ... though its log begins with a copy of a later leader's") \
  X(raft_commit_old_term,   "an entry of an older term is committed by counting") \
  X(raft_commit_uncapped,   "a follower commits beyond what the message matched") \
  X(raft_hard_state,        "term and vote are not made durable") \
  X(raft_vote_twice,        "two votes in one term") \
  X(raft_vote_up_to_date,   "a vote for a candidate with an older log") \
  X(raft_ack_undurable,     "what is not durable is acknowledged and counted") \
  X(raft_ack_own_last,      "a follower acknowledges its own last entry instead of the message's") \
  X(raft_rollback,          "a membership that is cut stays in force") \
  X(raft_propose_term,      "a proposal of an earlier term is taken") \
  X(raft_propose_early,     "a proposal is taken before the leader's own no-op is applied") \
  X(raft_read_own_noop,     "a read is answered before the leader's own no-op is committed") \
  X(raft_read_majority,     "a read is answered without asking") \
  X(raft_read_round,        "a read rests on answers to an earlier question") \
  X(raft_read_term,         "a probe of another term is confirmed") \
  /* cluster: caught by the cluster simulator */ \
  X(group_hard_state,        "term and vote are not saved") \
  X(group_messages_first,    "messages leave before term and vote are saved") \
  X(group_failed_save,       "a save that failed is taken for done") \
  X(group_persist_early,     "a write is reported durable when it is queued") \
  X(group_persist_index,     "a write is reported durable when something with its last index is") \
  X(group_commit_time,       "commit times follow the clock back") \
  X(group_apply_undurable,   "what is committed is applied before it is durable here") \
  X(group_apply_again,       "what a copied store has already is applied again") \
  X(group_read_place,        "a reader goes on where it is, not where it is asked to") \
  X(group_tail_trim,         "entries leave memory though they are not durable") \
  X(group_cut_previous,      "the second part of an append follows the first part's predecessor") \
  X(group_sent_refused,      "what was sent counts as on its way though the member has refused what follows it") \
  X(group_stalled,           "a leader whose disk takes nothing leads on") \
  X(group_newest_membership, "a snapshot has the newest membership, not the one in force there") \
  X(group_save_time,         "time goes on for a group whose term or vote is being saved") \
  X(group_save_alone,        "a group goes on while its term or vote is being saved") \
  X(group_save_again,        "whoever looks for a term or vote to save saves the last one, though none waits") \
  X(group_save_lost,         "a connection that is lost while a term or vote is being saved is not told of") \
  X(group_slow_disk,         "a disk that is slow counts as one that takes nothing") \
  X(group_prune_first,       "the log is pruned without a word of where it begins") \
  X(group_settle_early,      "a log that is merely as long as a copied store passes for having caught up") \
  X(group_settle_waiting,    "the mark that a copied store may be there goes while the copy is on its way") \
  X(group_reset_first,       "the log is begun anew without a word of where it begins") \
  X(group_trust_applied,     "a copied store says what of an older log is committed") \
  X(frame_checksum,          "a damaged frame is read") \
  /* catching up: caught by its directed tests */ \
  X(pulled_committed,        "a replica takes entries that are not committed") \
  X(pulled_order,            "a replica takes entries that do not follow its own") \
  X(pull_generation,         "the log goes on for a store of another generation") \
  X(pull_diverged,           "the log goes on for a store that has another entry there") \
  /* graph in a group: caught by its directed tests */ \
  X(replica_term,      "a transaction goes on writing in another term than it began to write in") \
  X(replica_own_noop,  "a leader writes before its first entry is applied") \
  X(replica_overtaken, "what another leader's entries have overtaken is waited for") \
  X(replica_parts,     "an unfinished run of parts stays though something else follows") \
  X(replica_names,     "names go on behind those given in an earlier term, whatever was applied since") \
  X(replica_verdict,   "a follower gives verdicts on indexes") \
  X(replica_failed,    "what a group may have is told as not committed when it fails") \
  X(schema_hold,       "a transaction that is given up lets go of the schema while its change is on its way") \
  X(origin_written,    "a transaction's entries do not say who asked for it") \
  X(digest_batch,      "a digest is of a state that has later entries, too") \
  X(origin_term,       "a transaction that was begun for one term writes in a later one") \
  /* dbms in a cluster: caught by test_relay, test_linearizable and, digests, by test_digest_judge */ \
  X(digest_ignored,    "a member whose digest differs serves on") \
  X(origin_earlier,    "whoever asks what became of a transaction is answered while it may still commit") \
  X(origin_on_its_way, "whoever asks what became of a change of the schema is answered while it may still come") \
  X(origin_sound,      "a leader that has failed goes on telling what became of commits") \
  X(origin_database,   "what is handed on for a database is done in another one that has its name since") \
  X(relay_again,       "a statement is done again though its rows were delivered") \
  X(schema_outlasts,   "a server that ceases to lead ends whoever waits for a change of the schema that is on its way") \
  X(relay_earlier,     "who led before whoever has carried a transaction out is asked what became of it") \
  X(linearizable_round, "a leader takes itself for one without asking the others") \
  X(linearizable_reach, "a linearizable read does not wait until what it must see is applied here") \
  X(relay_reach,       "the log here is asked before it has what the leader had") \
  /* which data a vote belongs to: caught by test_data_mark, test_starts and test_network */ \
  X(data_mark,      "a member whose data were put back from an older copy votes on as who it was") \
  X(data_mark_next, "data that were marked when power went pass for older ones") \
  X(start_older,    "a server that is told of a start that its data have not had goes on") \
  X(start_mark,     "a start of the same number passes for the same start") \
  X(start_moves,    "a server that is told of a later move of a start than its data know goes on") \
  X(network_reminder, "a server is told in words that its version does not know") \
  X(start_known,    "which starts of others were met is forgotten with the process") \
  /* a server as a member: caught by the simulator of the product */ \
  X(product_uncommitted,      "an entry that is durable here counts as committed after a restart") \
  X(product_former_self,   "a server that lost its databases votes on as the member that it was") \
  X(product_bookmark,     "a bookmark that is not reached is not waited for") \
  X(product_term,             "whoever wrote in a term that is over goes on, and commits in the next one") \
  /* formation of clusters: caught by its simulator */ \
  X(identity_sync,           "what a server promises is said before it is on the disk") \
  X(formation_enough,        "fewer servers than are needed found a cluster") \
  X(formation_majority,      "half of the servers that the settings name found a cluster") \
  X(formation_all,           "a founding is confirmed when most of its servers are prepared") \
  X(formation_once,          "a server that is prepared for a founding prepares for another one") \
  X(formation_proposer,      "somebody else than its proposer confirms or gives up a founding") \
  X(formation_void_stale,    "a founding is given up by what its proposer said before it") \
  X(formation_void_absent,   "a founding is given up because its proposer is not there")
// clang-format on

#ifdef QUIVER_MUTANTS
enum mutant {
  MUTANT_none,
#define MUTANT_ENUM(name, without) MUTANT_##name,
  MUTANT_TABLE(MUTANT_ENUM)
#undef MUTANT_ENUM
};
extern enum mutant mutant_off;
#define MUTANT(name) (mutant_off == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif
