// The one log of a database: committed transactions in order, and in a cluster the tail that may still be cut.
//
// Segments of preallocated files hold batches; a batch is a header with a chained checksum, then entries. One batch is one
// round of durability: written, synced, and only then reported. The bytes: docs/formats/log.md.
//
// Roles: anyone queues entries (`log_append`, thread-safe); the log writer's thread steps `log_writer_step`, which makes all
// that is queued durable in one round and moves `log_durable_index`; readers open cursors (any thread, one owner each) that
// read from disk. Nothing of an entry stays in memory after it is durable but a few bytes for every 64 KB of log.
//
// A failed write or sync poisons the log: nothing is tried again, every later append returns the cause (ERR_IO or ERR_NOSPC).
// Running out of space *before* a round has written anything is not fatal: the round's entries stay queued, the step returns
// ERR_NOSPC and may be tried again when there is space; or they are taken back, and nothing has happened.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/event.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/disk.h"

#define LOG_ENTRY_BYTES_MAX (4u << 20) // payload, metadata and sections of one entry together
#define LOG_MEMBERS_MAX 64u
#define LOG_COPIES_MAX 8u

struct log;

/// What an entry is. Numbers are on disk.
enum log_kind {
  LOG_NOOP = 1,          // a new leader's first
  LOG_TRANSACTION = 2,   // logical commands of `graph`
  LOG_MEMBERSHIP = 3,
  LOG_TOKEN = 4,
  LOG_SCHEMA = 5,
  LOG_SCHEMA_VERDICT = 6,
  LOG_STATE_DIGEST = 7,
  LOG_KIND_MAX
};

enum log_part {
  LOG_PART = 1 << 0, // more of this transaction follows in the next entry
  LOG_END = 1 << 1,  // its last entry, whose index is the transaction's id
};

/// An entry in memory. When appending, what it points to must stay until the entry is durable (or dropped): the log keeps
/// no copy. When reading, it is the cursor's until the next step. `index` and, standalone, `term` and `commit_time_ns` are
/// given by log_append.
struct log_entry {
  uint64_t index;
  uint64_t term;
  enum log_kind kind;
  unsigned parts;          // LOG_PART or LOG_END
  int64_t commit_time_ns;  // wall clock of the leader; never less than the entry's before: clustered, the leader sees to that
  uint64_t origin_member;  // the member that took the request, and its number there: the outcome of a commit can be found
  uint64_t origin_sequence; // after its leader died
  struct str metadata;     // of the transaction (tx metadata, user); may be empty
  struct str sections;     // optional sections (before-images), self-describing; may be empty
  struct str payload;
};

struct log_options {
  uint64_t segment_bytes;      // 0: 64 MB. A segment may be longer by one batch
  uint64_t batch_bytes_max;    // 0: 8 MB. At most 64 MB. One round takes no more than this (but always one entry)
  uint64_t queue_bytes_max;    // 0: 64 MB. Above it log_append says ERR_LIMIT
  const _Atomic uint32_t *feature_level; // of the cluster, into each batch header. Outlives the log; NULL: in none, 0
  bool clustered;              // terms and commit index come from consensus; otherwise the log is its own truth
};

/// One member in the group state.
struct log_member {
  uint64_t id;
  uint8_t role;      // 0 spare, 1 learner, 2 voter
  char address[111]; // NUL-terminated
};

/// What a member must never forget (contract 20: a vote belongs to its data). Value type.
struct log_group_state {
  uint64_t generation;     // of the store: new at restore, seeding, forced recovery
  uint64_t incarnation;    // of a member's data: a mark of their own since they last took part
  uint64_t member_id;
  uint64_t term;
  uint64_t vote;           // member id, 0 none
  uint64_t snapshot_index; // the log may begin above it
  uint64_t snapshot_term;
  uint64_t membership_index;
  bool installing;         // a copied store takes the place of the one here: it may be ahead of the log, which may be begun anew
  bool follows;            // a read replica's: what was pulled of the group's log, all of it committed; nobody's promise
  uint64_t installing_copies[LOG_COPIES_MAX]; // identities (store/checkpoint.h) of those that may be it; 0: none
  uint32_t member_count;
  struct log_member members[LOG_MEMBERS_MAX];
};

/// What opening found.
struct log_recovery {
  uint64_t first_index;   // of the retained log; last_index + 1 if it is empty
  uint64_t last_index;
  uint64_t last_term;
  uint64_t commit_index;  // the mark: replay to here. Standalone: last_index
  int64_t last_time_ns;   // the highest commit time of any entry, voided ones included
  uint64_t cut_segment, cut_offset; // where a torn tail was cut; 0 0 if none was
};

// `store_open` opens and closes the log; these are for it and for tools.
enum err log_open(struct disk *d, const char *directory, const uint8_t uuid[16], bool create, const struct log_options *options,
                  struct clock *clock, struct event_sink *events, struct log **ret, struct error *e) NODISCARD;
void log_close(struct log *l);
void log_recovery(const struct log *l, struct log_recovery *ret);

// ---- group state ----

void log_group_state(struct log *l, struct log_group_state *ret);
uint64_t log_generation(struct log *l);
/// Returns when it is durable. Term and generation never go back (ERR_INVALID).
enum err log_group_save(struct log *l, const struct log_group_state *state, struct error *e) NODISCARD;
/// The same for whoever changes a part of it, while others may change other parts: no change is lost. `change` gets what is
/// there, must not wait, and returns false where nothing is to be saved. Any thread.
enum err log_group_change(struct log *l, bool (*change)(struct log_group_state *state, const void *context), const void *context,
                          struct error *e) NODISCARD;

/// Of a log that nobody has open. ERR_NOTFOUND: there is no group state; ERR_CORRUPT; ERR_INVALID: it is another database's.
enum err log_group_look(struct disk *d, const char *directory, const uint8_t uuid[16], struct log_group_state *ret,
                        struct error *e) NODISCARD;
/// Marks it as `installing` this copy, and `only` this one: otherwise one that was named before may be in place as well. Returns
/// when that is durable. The same errors, and ERR_BUSY: LOG_COPIES_MAX are named, and opening the store will tell which one it
/// is.
enum err log_group_mark_installing(struct disk *d, const char *directory, const uint8_t uuid[16], uint64_t copy, bool only,
                                   struct error *e) NODISCARD;

// ---- appending ----

/// Queues entries that follow each other; all or none. Standalone: indexes, terms and commit times are filled in. Clustered:
/// index and term are the caller's; the first index may be at or below the last one, which voids what was there from it on
/// (never at or below the commit index, nor with a term below that of the entry before: ERR_INVALID). ERR_LIMIT: queue full. Poisoned:
/// the cause.
enum err log_append(struct log *l, struct log_entry *entries, size_t count, struct error *e) NODISCARD;

/// Voids all entries above `last_index`, in order with appends. Clustered only.
enum err log_truncate(struct log *l, uint64_t last_index, struct error *e) NODISCARD;

/// Tells the log what is committed; goes into later batch headers. Clustered only; never goes back.
void log_commit_mark(struct log *l, uint64_t index);

/// Commit times that the log gives are not below `time_ns`: that of an entry which the store has applied and the log may not
/// have.
void log_time_mark(struct log *l, int64_t time_ns);

/// The log writer: takes what is queued, writes one batch, syncs. `*ret_worked` false if there was nothing to do. One thread.
/// Several databases share a round of syncs by `log_writer_write` on each, the syncs in parallel, `log_writer_finish` on each.
enum err log_writer_step(struct log *l, bool *ret_worked, struct error *e) NODISCARD;
/// Writes the round but does not sync: `*ret_file` is what to sync (NULL: nothing to do).
enum err log_writer_write(struct log *l, struct disk_file **ret_file, struct error *e) NODISCARD;
/// Reports the result of that sync: entries become durable, or the log is poisoned.
enum err log_writer_finish(struct log *l, enum err synced, struct error *e) NODISCARD;

/// One round for many logs (contract 22): each that has something queued writes one batch, their files are synced together, each is told. A log
/// that fails is poisoned or keeps its entries as in log_writer_step, and the others go on: log_failure tells. `*ret_worked`: how many
/// took part. The one writer's thread of all these logs. ERR_NOMEM: nothing was done.
enum err log_round_all(struct log **logs, size_t count, size_t *ret_worked, struct error *e) NODISCARD;

/// Takes back what is queued above `last_index`, none of which is on disk; these indexes are given again. The writer's thread, between
/// rounds. Standalone only.
void log_writer_withdraw(struct log *l, uint64_t last_index);
/// ERR_OK if a small round would find room: reserves it. ERR_NOSPC, or the log is poisoned. The writer's thread, between rounds.
enum err log_writer_make_room(struct log *l, struct error *e) NODISCARD;

/// What log_append and log_truncate queue is numbered, from 1 in each life of the log: the ticket of the last thing queued, and of the
/// last one that is durable. Unlike an index, a ticket says *which* of several entries with one index is durable.
uint64_t log_last_ticket(struct log *l);
uint64_t log_durable_ticket(struct log *l);

/// Everything up to here is on disk. It falls only by truncation.
uint64_t log_durable_index(struct log *l);
/// Also counts what is queued.
uint64_t log_last_index(struct log *l);
uint64_t log_last_term(struct log *l);
uint64_t log_first_index(struct log *l);
uint64_t log_commit_index(struct log *l);
/// ERR_NOTFOUND if the index is not in the durable log (pruned or beyond).
enum err log_term_at(struct log *l, uint64_t index, uint64_t *ret, struct error *e) NODISCARD;
/// ERR_OK or why the log is poisoned.
enum err log_failure(struct log *l, struct error *e);

struct log_stats {
  uint64_t segments, bytes, queued_entries, queued_bytes, rounds, entries;
  uint64_t appended_bytes; // since the log was opened, with what opening found
  uint64_t index_bytes;    // memory for where everything is
};
void log_stats(struct log *l, struct log_stats *ret);

// ---- entries as bytes: docs/formats/log.md, also what members send each other ----

size_t log_entry_bytes(const struct log_entry *entry); // with padding
/// Appends the entry, padded. ERR_NOMEM.
enum err log_put_entry(struct buf *to, const struct log_entry *entry) NODISCARD;
/// Reads the entry at `*at` of `bytes` and moves `*at` behind it; its texts point into `from`. False if it does not fit.
bool log_get_entry(const uint8_t *from, size_t bytes, size_t *at, struct log_entry *ret);

// ---- reading ----

struct log_cursor;

/// Reads durable entries from `index` on. ERR_NOTFOUND below the first index: pruned.
enum err log_cursor_open(struct log *l, uint64_t index, struct log_cursor **ret, struct error *e) NODISCARD;
/// The next entry, `*ret` NULL at the end of the durable log (try again later). ERR_NOTFOUND when it was pruned or voided
/// under the cursor, ERR_CORRUPT with segment and offset.
enum err log_cursor_next(struct log_cursor *c, const struct log_entry **ret, struct error *e) NODISCARD;
void log_cursor_close(struct log_cursor *c);

// ---- pruning ----

/// Keeps entries from `index` on until unpinned or until the clock passes `expires_ns` (monotonic). ERR_LIMIT above 64.
enum err log_pin(struct log *l, uint64_t index, int64_t expires_ns, uint32_t *ret_pin, struct error *e) NODISCARD;
/// Moves a pin up and renews it. ERR_NOTFOUND if it has expired.
enum err log_pin_move(struct log *l, uint32_t pin, uint64_t index, int64_t expires_ns, struct error *e) NODISCARD;
void log_unpin(struct log *l, uint32_t pin);

/// Removes segments all of whose entries are below `index` and below every live pin; at most `segments_max`. Never the last one.
/// May be tried again after an error.
enum err log_prune(struct log *l, uint64_t index, unsigned segments_max, unsigned *ret_removed, struct error *e) NODISCARD;

/// Throws the whole log away and starts an empty one above (index, term): after a store copy. ERR_BUSY: something is queued. ERR_NOSPC,
/// ERR_NOMEM: nothing has happened. Another error: the log is poisoned, or is the new one and old segments go with the next pruning.
enum err log_reset(struct log *l, uint64_t index, uint64_t term, struct error *e) NODISCARD;

/// Reads every segment and checks every batch; what is in memory must agree.
enum err log_check(struct log *l, struct error *e) NODISCARD;
