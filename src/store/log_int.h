// Inside the log: segments, where batches are, the queue. See docs/formats/log.md for the bytes.
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "os/thread.h"
#include "store/log.h"
#include "base/mutant.h"

#define LOG_SECTOR 512u
#define LOG_FORMAT_VERSION 1u
#define LOG_COMMAND_VERSION 1u
#define LOG_SEGMENT_HEADER_BYTES 80u
#define LOG_BATCH_HEADER_BYTES 88u
#define LOG_ENTRY_HEADER_BYTES 72u
#define LOG_BATCH_BYTES_LIMIT (64u << 20) // of a batch that is read; larger ones are damage
#define LOG_GROUP_SLOT_BYTES 16384u
#define LOG_PINS_MAX 64u
#define LOG_NAME_MAX 32u

// A file of the log. Refs: one of the log while it is in the list, one of each cursor that reads it.
struct log_segment {
  uint64_t number;
  struct disk_file *file;
  uint64_t end;        // behind the last good batch
  uint64_t allocated;  // bytes reserved
  uint64_t written;    // bytes that were written since it was opened, with zeros or with batches
  uint64_t forgotten;  // the system's page cache need not keep what is before: the writer's own
  uint64_t next_index; // of the header: entries before it are in earlier segments
  uint32_t last_bytes; // of the last batch that opening found
  _Atomic uint32_t refs;
};

// Where some batches are that follow each other in a segment, so that many small ones take little memory; whoever wants one looks
// through them. In the list first indexes rise strictly: what a later batch voided is out, or has its count cut.
#define LOG_SPAN_BYTES (64u << 10) // a batch joins those before it up to this size
struct log_batch_ref {
  uint64_t first_index;
  struct log_segment *segment;
  uint64_t offset;
  uint32_t bytes; // with padding
  uint32_t count; // entries that still count
  bool closed;    // a part was voided: what is appended does not continue it
};

// Entries from `first_index` on have this term, up to the next run.
struct log_term_run {
  uint64_t first_index, term;
};

struct log_queued {
  bool truncate;
  struct log_entry entry; // of a truncation only `index`: the last one that stays
  size_t bytes;
};

struct log_pin_slot {
  uint32_t id; // 0: free
  uint64_t index;
  int64_t expires_ns;
};

struct log_list {
  void *data;
  size_t count, capacity;
};

struct log {
  struct disk *disk;
  struct clock *clock;
  struct event_sink *events;
  struct log_options options;
  char directory[DISK_PATH_MAX - LOG_NAME_MAX];
  uint8_t uuid[16];

  struct mutex mutex; // everything below but what says otherwise
  struct log_segment **segments;
  size_t segment_count, segment_capacity;
  struct log_batch_ref *batches;
  size_t batch_count, batch_capacity;
  struct log_term_run *runs;
  size_t run_count, run_capacity;
  struct log_queued *queue;
  size_t queue_count, queue_capacity, queue_bytes;
  uint64_t start_index;   // durable entries are [start_index, durable_index]
  uint64_t start_term;    // term of the entry before it
  uint64_t durable_index, durable_term;
  uint64_t last_index, last_term; // with the queue
  uint64_t commit_index;
  int64_t last_time_ns, durable_time_ns;
  uint64_t rounds, entries, appended_bytes;
  uint64_t ticket, durable_ticket; // things ever queued, and those of them that a round has made durable
  _Atomic uint64_t voids; // times that durable entries were voided: cursors look again where they are
  struct log_pin_slot pins[LOG_PINS_MAX];
  uint32_t pin_ids;

  struct mutex prune_mutex; // pruning and beginning anew; taken before `mutex`
  uint64_t left_number;     // a segment out of the list whose name may still be there; 0: none
  enum err failed;
  struct error failure;

  // the writer's own
  struct buf out;
  uint64_t chain; // checksum of the last durable batch
  bool lacks_room;
  struct log_round {
    bool open;
    size_t items;        // of the queue
    uint32_t count;      // entries
    uint32_t terms;      // runs of equal term among them
    uint64_t first_index, last_index, checksum, offset;
    uint32_t bytes;
  } round;

  struct mutex group_mutex; // saving; taken before `mutex`
  struct disk_file *group_file;
  struct log_group_state group;
  uint64_t group_sequence;

  struct log_recovery recovery;
};

// ---- bytes (log_format.c): pure ----

struct log_segment_header {
  uint64_t number, next_index, previous_term, chain, previous_end;
  int64_t previous_time_ns;
};

struct log_batch_header {
  uint32_t feature_level, count, bytes, sector;
  uint64_t generation, first_index, commit_index, chain, previous_term, checksum;
};

void log_put_segment_header(uint8_t to[LOG_SECTOR], const uint8_t uuid[16], const struct log_segment_header *h);
/// ERR_CORRUPT without a message if it is no header; a known reason (uuid, version) with one.
enum err log_get_segment_header(const uint8_t from[LOG_SECTOR], const uint8_t uuid[16], struct log_segment_header *ret, struct error *e);

/// Fills in header and checksum of a batch whose entries stand behind the header; `whole` is all of it.
void log_put_batch_header(uint8_t *whole, const uint8_t uuid[16], struct log_batch_header *h);
/// False if these bytes cannot be a header of this log at `offset`; the checksum is not looked at.
bool log_get_batch_header(const uint8_t from[LOG_BATCH_HEADER_BYTES], const uint8_t uuid[16], uint64_t offset, struct log_batch_header *ret);
/// How long the batch that begins here says it is, whoever's it is; 0 if none begins here.
uint32_t log_batch_bytes(const uint8_t from[LOG_BATCH_HEADER_BYTES]);
/// ERR_UNSUPPORTED: another version's; ERR_INVALID: another database's.
enum err log_check_batch_owner(const uint8_t from[LOG_BATCH_HEADER_BYTES], const uint8_t uuid[16], struct error *e);
uint64_t log_batch_checksum(const uint8_t *whole, size_t bytes);

// ---- reading a file through a window (log_window.c) ----

struct log_window {
  struct disk_file *file;
  uint64_t start, size; // of what is in `data`; size of the file
  size_t len;
  struct buf data;
};

void log_window_init(struct log_window *w, struct disk_file *file, uint64_t size);
void log_window_done(struct log_window *w);
/// `bytes` bytes at `offset`, valid until the next call; `*ret` NULL if the file is shorter.
enum err log_window_get(struct log_window *w, uint64_t offset, size_t bytes, const uint8_t **ret, struct error *e);
/// The whole batch at `offset` if it is one of this log with a right checksum; `*ret` NULL otherwise.
enum err log_window_batch(struct log_window *w, const uint8_t uuid[16], uint64_t offset, struct log_batch_header *h, const uint8_t **ret,
                          struct error *e);

// ---- segments (log_segment.c) ----

void log_segment_path(const struct log *l, uint64_t number, char to[DISK_PATH_MAX]);
/// Whole, or not there at all; after ERR_IO nobody knows, so the log must not go on.
enum err log_segment_create(struct log *l, uint64_t number, uint64_t previous_end, uint64_t chain, struct log_segment **ret, struct error *e);
enum err log_segment_open(struct log *l, uint64_t number, struct log_segment **ret, struct error *e);
/// Reserves space up to `end`.
enum err log_segment_reserve(struct log *l, struct log_segment *s, uint64_t end, struct error *e);
void log_segment_unref(struct log_segment *s);
/// Its name, durably. One that is gone already is fine.
enum err log_segment_remove(struct log *l, uint64_t number, struct error *e);
enum err log_segment_push(struct log *l, struct log_segment *s);
/// Under the mutex, unless nobody else knows the log yet: pruning moves the list.
static inline struct log_segment *log_segment_last(const struct log *l) {
  return l->segments[l->segment_count - 1];
}
static inline uint64_t log_align(uint64_t bytes) {
  return (bytes + LOG_SECTOR - 1) / LOG_SECTOR * LOG_SECTOR;
}

// ---- the index in memory (log_index.c); the mutex is held ----

/// Room for one more batch, one more segment and `runs` more runs of terms.
enum err log_index_reserve(struct log *l, size_t runs);
/// Enters a durable batch, for which room was reserved: what it voids goes.
void log_index_add(struct log *l, struct log_segment *s, uint64_t offset, const struct log_batch_header *h);
/// Then the terms of its entries, in order.
void log_index_term(struct log *l, uint64_t index, uint64_t term);
/// Place in `batches` of the span that holds `index`; batch_count if none does.
size_t log_index_find(const struct log *l, uint64_t index);
uint64_t log_index_term_of(const struct log *l, uint64_t index);
/// Forgets so many batches from the front.
void log_index_cut_front(struct log *l, size_t batches);
void log_index_clear(struct log *l);

enum err log_recover_segments(struct log *l, struct error *e);
enum err log_group_open(struct log *l, bool create, struct error *e);

/// Poisons: the first cause counts. Returns its code.
enum err log_poison(struct log *l, enum err err, const struct error *cause, struct error *e);
