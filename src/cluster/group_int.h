// Inside the group's host: entries in memory, writes under way, appends that wait for the network.
#pragma once

#include <stdatomic.h>

#include "base/mutant.h"
#include "cluster/group.h"

#define GROUP_RETRY_MS 10u     // after the network or the application had no room
#define GROUP_STALLED_MS 3000u // a leader whose disk takes nothing for so long leaves that to another:
#define GROUP_STALLED_TIMES 4u // or for so many times what writes took lately: a slow disk does not stand still
#define GROUP_LATELY_MS 60000u

// An entry in memory: header and texts in one piece. Counted: one reference each of the tail, of a write under way, and of
// whoever is just busy with it.
struct group_body {
  uint32_t refs;
  uint32_t bytes;                          // of memory
  struct consensus_membership *membership; // of a membership entry: decoded
  struct log_entry entry;                  // its texts are behind
};

// The newest entries of consensus's log: `first` to `first + count - 1`, the last of them being the last of the log. Whatever is
// not durable is here; what is below `first` is durable and not about to be voided, so it may be read from the log.
struct group_tail {
  struct group_body **slots; // at index modulo capacity, a power of two
  size_t capacity, count;
  uint64_t first;
  size_t bytes;
};

// A write of consensus that is not durable.
struct group_write {
  uint64_t id, since_ms;
  enum consensus_write_kind kind;
  uint64_t first_index;
  struct group_body **bodies;
  size_t count, bytes;
  bool queued; // in the log's queue
  uint64_t ticket;
  uint64_t snapshot_index, snapshot_term;
  struct consensus_membership *membership;
};

// Entries next..last that consensus wants `member` to get and that the network has not taken yet; and entries sent..next - 1 that
// it has taken, one after the other, and that nobody has said the member lacks.
struct group_peer {
  uint64_t member;
  uint64_t sent;
  uint64_t next, last; // next > last: nothing waits
  uint64_t previous_term, term, commit_index;
  uint64_t retry_ms; // the network had no room; not before
};

// Reads entry after entry from the log.
struct group_reader {
  struct log_cursor *cursor;
  uint64_t next; // that the cursor would read
};

enum { SAVE_NONE, SAVE_WANTED, SAVE_DONE };

// A term or vote on its way to the disk by another thread; the rest of that update of consensus waits for it.
struct group_saving {
  _Atomic int state;
  uint64_t term, vote;
  enum err err; // of it; settled when it is done
  struct error error;
  uint64_t since_ms; // by the owner's clock
  uint64_t lost;     // a member with whom the connection was lost meanwhile; 0: none
};

struct group {
  struct consensus *consensus;
  struct log *log;
  struct group_options options;
  uint64_t member_id;
  uint64_t now_ms, wake_ms;      // time of the group: it stands still while a term or vote is saved by another thread
  uint64_t owner_ms, waited_ms;  // the owner's time; how far that is ahead
  struct group_saving saving;
  enum err failed;
  struct error failure;

  struct group_tail tail;
  struct group_write *writes; // in order, from write_first on
  size_t write_first, write_count, write_capacity;
  size_t queued_bytes;
  uint64_t write_ms, write_before_ms, write_since_ms; // what the slowest write took: since a time, and as long before

  // of the last update
  uint64_t term, leader, commit_index, apply_index;
  uint64_t leader_heard_ms, handed_on_ms; // handed_on: when its disk was found stalled last
  enum consensus_state state;

  uint64_t passed_index;   // entries up to here went to the application, or its state has them
  uint64_t reported_index; // told to consensus as applied
  int64_t last_time_ns;    // highest commit time seen
  struct consensus_membership
      *memberships; // applied ones; the first is the one in force at the snapshot index, if there is a snapshot
  size_t membership_count, membership_capacity;

  struct group_peer peers[CONSENSUS_MEMBERS_MAX];
  uint32_t peer_count;
  uint64_t busy_ms;        // 0: the application takes entries
  uint64_t snapshot_index, snapshot_term; // of the group state on disk, or on the way there (group_forget)
  bool installing;         // so marked in the group state on disk
  uint64_t copy_index;     // a copy of a store that has applied this was asked of the application; 0: none
  struct group_reader sending, applying;
  struct log_entry *outgoing; // of one message
  struct group_body **outgoing_bodies;
  size_t outgoing_count, outgoing_capacity;

  uint64_t appends_sent, entries_sent, entries_read, truncations, installs, saves;
};

// ---- entries in memory (group_tail.c) ----

/// A copy with one reference. A membership is decoded: ERR_CORRUPT if it is none.
enum err group_body_copy(const struct log_entry *entry, struct group_body **ret, struct error *e) NODISCARD;
void group_body_unref(struct group_body *b);
enum consensus_entry_kind group_body_kind(const struct group_body *b);

/// Forgets entries from `first` on.
void group_tail_cut(struct group_tail *t, uint64_t first);
/// Takes a reference to the body; its index is the next one. ERR_NOMEM.
enum err group_tail_push(struct group_tail *t, struct group_body *b) NODISCARD;
/// Forgets entries below `first`.
void group_tail_drop(struct group_tail *t, uint64_t first);
/// NULL if it is not here.
struct group_body *group_tail_get(const struct group_tail *t, uint64_t index);
/// Empty, to go on at `first`.
void group_tail_reset(struct group_tail *t, uint64_t first);

/// The entry from the log, valid until the next call with this reader. ERR_NOTFOUND: pruned. ERR_CORRUPT: consensus has another
/// one.
enum err group_read_entry(struct group *g, struct group_reader *r, uint64_t index, const struct log_entry **ret,
                          struct error *e) NODISCARD;
void group_reader_close(struct group_reader *r);

// ---- carrying out (group_update.c) ----

/// Closes the group; returns the first cause.
enum err group_fail(struct group *g, enum err err, struct error *e);
/// Of an entry that is made now.
int64_t group_commit_time_ns(struct group *g);
/// What the last call of consensus left to do. Closes the group on an error.
enum err group_carry_out(struct group *g, struct error *e) NODISCARD;
/// What waited for group_save.
enum err group_carry_out_saved(struct group *g, struct error *e) NODISCARD;
/// Puts writes into the log's queue as far as it takes them.
enum err group_queue_writes(struct group *g, struct error *e) NODISCARD;
struct group_write *group_first_write(struct group *g);
void group_drop_write(struct group *g);
/// Save the group state with one part of it changed: term and vote, or the place where the log may begin and who was a member
/// there.
enum err group_save_vote(struct group *g, uint64_t term, uint64_t vote, struct error *e) NODISCARD;
enum err group_save_snapshot(struct group *g, const struct consensus_membership *m, uint64_t index, uint64_t term,
                             struct error *e) NODISCARD;
enum err group_save_installing(struct group *g, bool installing, struct error *e) NODISCARD;
/// The place alone, by any thread; a newer one that is there stays.
enum err group_log_save_snapshot(struct log *l, const struct consensus_membership *m, uint64_t index, uint64_t term,
                                 struct error *e) NODISCARD;

// ---- sending (group_send.c) ----

enum err group_send_message(struct group *g, const struct consensus_message *m, struct error *e) NODISCARD;
/// Members to whom everything committed was sent, and nothing else is on its way, are told that it is committed.
void group_send_committed(struct group *g);
/// The member has refused an append: what was sent to it may not have come.
void group_send_refused(struct group *g, uint64_t member);
/// Sends what waits, as far as the network takes it and the step's share allows. `*ret_more`: there is more that it may take at
/// once.
enum err group_send_waiting(struct group *g, bool *ret_more, struct error *e) NODISCARD;

// ---- applying (group_apply.c) ----

enum err group_apply(struct group *g, bool *ret_more, struct error *e) NODISCARD;
/// Of an applied entry, or of a snapshot.
enum err group_note_membership(struct group *g, const struct consensus_membership *m, struct error *e) NODISCARD;
bool group_is_installing(const struct group *g);
enum err group_ask_copy(struct group *g, uint64_t index, uint64_t term, struct error *e) NODISCARD;
/// Lets the log give way to a copied store, if that is what is to be written next: consensus has a new update then.
enum err group_install(struct group *g, bool *ret_done, struct error *e) NODISCARD;

// ---- forgetting (group_forget.c) ----

enum err group_compact(struct group *g, uint64_t index, uint64_t trailing, struct group_forgetting *ret,
                       struct error *e) NODISCARD;

// ---- opening (group_open.c) ----

enum err group_recover(struct group *g, struct error *e) NODISCARD;
