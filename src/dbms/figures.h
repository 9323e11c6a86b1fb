// What is counted and measured here, as of now: what metrics are made of. Read when somebody asks; nothing is kept for it that is not
// counted anyway.
#pragma once

#include "base/arena.h"
#include "base/error.h"

struct dbms;

struct dbms_figures {
  uint64_t pages, pages_used;                     // of the page cache, in pages
  uint64_t page_faults, page_evictions, page_flushes; // read from disk; taken back; written early
  uint64_t transactions_active;
  int64_t transaction_bytes, transaction_bytes_peak; // memory
  uint64_t databases_hosted, databases_failed, databases_wanted; // wanted: that are to be online
  bool is_member;                                 // of a cluster: what follows
  uint64_t servers, servers_unreachable;          // heard of, this one among them; of those, who is not reached
  uint64_t pull_requests;                         // for the log, of others
  uint64_t message_batches;                       // of Raft messages that came in at once
  double message_total_s, message_last_ms;        // dealing with them
};

/// Any thread; nothing is waited for but mutexes around short sections.
void dbms_figures(struct dbms *d, struct dbms_figures *ret);

struct dbms_database_figures {
  struct str name;
  bool is_home; // the default database
  uint64_t tx_started, tx_peak, tx_active_reading, tx_active_writing;
  uint64_t tx_committed_reading, tx_committed_writing, tx_rolled_back_reading, tx_rolled_back_writing, tx_terminated_reading,
      tx_terminated_writing;
  uint64_t last_committed, last_applied; // entries of the log
  double nodes, relationships;
  uint64_t labels, types, keys;
  uint64_t log_appended_bytes, log_flushes, log_bytes, log_segments;
  bool in_group, is_replica; // of a cluster: what follows
  bool leads;
  uint64_t append_index, commit_index, applied_index, prune_index, term;
  int64_t leader_silent_ms; // -1: none was ever heard; 0: this member leads
  uint64_t memory_bytes, memory_bytes_max, memory_entries; // of recent entries
  uint64_t sent_from_memory, sent_from_disk;               // entries
  uint64_t proposed, attempts, committed, uncertain, refused, retries, led;
  uint64_t pulls, pull_requested, pull_received; // a replica's
};

/// Of the databases that are open, by name, in `a`. ERR_NOMEM. Any thread.
enum err dbms_database_figures(struct dbms *d, struct arena *a, struct dbms_database_figures **ret, uint32_t *ret_n,
                               struct error *e) NODISCARD;
