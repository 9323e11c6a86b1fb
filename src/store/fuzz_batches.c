#include "store/fuzz_batches.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/log_int.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max); // libFuzzer's own

enum { BATCHES_MAX = 64, INDEXES_MAX = 256, ENTRIES_MAX = 3 };

static void must(enum err err) {
  if (err != ERR_OK) abort();
}

// ---- a body as batches ----

/// Where each batch begins; what is none belongs to the one before it. `terms` of the entries that count at the end.
struct body {
  const uint8_t *bytes;
  size_t starts[BATCHES_MAX + 1];
  size_t count;
  uint64_t next_index;
  uint64_t terms[INDEXES_MAX + 1];
};

static void note_entries(struct body *b, const uint8_t *batch, size_t bytes) {
  size_t at = LOG_BATCH_HEADER_BYTES;
  uint64_t index = get_u64_le(batch + 48);
  uint32_t count = get_u32_le(batch + 12);
  if (index == 0 || index > b->next_index) return;
  struct log_entry entry;
  for (uint32_t i = 0; i < count && index < INDEXES_MAX && log_get_entry(batch, bytes, &at, &entry); i++)
    b->terms[index++] = entry.term;
  b->next_index = index;
}

static struct body split(const uint8_t *bytes, size_t size) {
  struct body b = {.bytes = bytes, .next_index = 1};
  size_t at = 0;
  while (at + LOG_BATCH_HEADER_BYTES <= size && b.count < BATCHES_MAX) {
    b.starts[b.count++] = at;
    uint32_t batch = get_u32_le(bytes + at + 16);
    if (batch < LOG_BATCH_HEADER_BYTES || batch > size - at) break;
    note_entries(&b, bytes + at, batch);
    at += log_align(batch);
  }
  b.starts[b.count] = size;
  return b;
}

static void put_part(struct buf *to, const struct body *b, size_t from, size_t until) {
  size_t start = b->count == 0 ? 0 : b->starts[from], end = b->count == 0 ? 0 : b->starts[until];
  if (end > start) must(buf_append(to, b->bytes + start, end - start));
}

// ---- valid batches ----

static void put_entry(struct rng *rng, struct buf *to, uint64_t index, uint64_t term) {
  static const char content[64];
  struct log_entry entry = {
      .index = index,
      .term = term,
      .kind = (enum log_kind)(1 + rng_below(rng, LOG_KIND_MAX - 1)),
      .parts = rng_chance(rng, 1, 4) ? LOG_PART : LOG_END,
      .commit_time_ns = (int64_t) index,
      .metadata = {content, rng_below(rng, 4)},
      .payload = {content, rng_below(rng, sizeof content)},
  };
  must(log_put_entry(to, &entry));
}

/// One that goes on where the body ends, or now and then voids a few entries.
static void put_batch(struct rng *rng, const struct body *b, struct buf *to) {
  CLEANUP(buf_done) struct buf batch = BUF_INIT;
  uint64_t first = b->next_index;
  if (first > 1 && rng_chance(rng, 1, 3)) first -= 1 + rng_below(rng, MIN(first - 1, 3u));
  uint64_t previous_term = b->terms[MIN(first - 1, (uint64_t) INDEXES_MAX)];
  uint64_t term = MAX(previous_term, 1u) + rng_chance(rng, 1, 4);
  uint32_t count = (uint32_t) rng_below(rng, ENTRIES_MAX + 1);
  uint8_t header[LOG_BATCH_HEADER_BYTES] = {0};
  must(buf_append(&batch, header, sizeof header));
  for (uint32_t i = 0; i < count; i++) put_entry(rng, &batch, first + i, term);
  struct log_batch_header h = {
      .count = count, .bytes = (uint32_t) batch.len, .generation = 1, .first_index = first, .previous_term = previous_term};
  static const uint8_t no_uuid[16];
  log_put_batch_header((uint8_t *) batch.data, no_uuid, &h);
  must(buf_append_str(to, buf_str(&batch)));
  static const uint8_t zeros[LOG_SECTOR];
  must(buf_append(to, zeros, log_align(batch.len) - batch.len));
}

// ---- changes ----

enum change { APPEND, APPEND_TOO, INSERT, REMOVE, REPEAT, MUTATE, CHANGES };

static void put_mutated(struct buf *to, const struct body *b, size_t i) {
  size_t start = to->len;
  put_part(to, b, i, i + 1);
  size_t size = to->len - start;
  if (size > 0) (void) LLVMFuzzerMutate((uint8_t *) to->data + start, size, size); // the next batch stays where it is
}

static void change(struct rng *rng, const struct body *b, struct buf *to) {
  enum change what = b->count == 0 ? APPEND : (enum change) rng_below(rng, CHANGES);
  size_t i = what <= APPEND_TOO ? b->count : rng_below(rng, b->count);
  put_part(to, b, 0, i);
  switch (what) {
  case APPEND:
  case APPEND_TOO:
  case INSERT: put_batch(rng, b, to); break;
  case REPEAT: put_part(to, b, i, i + 1); break;
  case MUTATE: put_mutated(to, b, i++); break;
  case REMOVE: i++; break;
  case CHANGES: break;
  }
  put_part(to, b, i, b->count);
}

size_t fuzz_batches_mutate(struct rng *rng, uint8_t *body, size_t size, size_t size_max) {
  if (rng_chance(rng, 1, 8)) return LLVMFuzzerMutate(body, size, size_max);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct body b = split(body, size);
  change(rng, &b, &out);
  size_t changed = MIN(out.len, size_max);
  if (changed > 0) memcpy(body, out.data, changed);
  return changed;
}
