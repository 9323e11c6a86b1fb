// Fuzzes what opens a log of several segments. The input is a head and a body of batches as in fuzz_log.c; the head says after
// how many batches a segment ends, and how its header lies. Everything else is put right: places, chain, checksums, what each
// header says about the segments before. What must hold: a log that is refused is refused as damaged and stays refused; one that
// opens checks, opens again as the same log, and goes on.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/fuzz_batches.h"
#include "store/log_int.h"
#include "store/sim_disk.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max); // libFuzzer's own
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Of each segment in the head: how many batches, which lie, and by how much.
enum { SEGMENTS = 4, PLAN_BYTES = 4, HEAD_BYTES = SEGMENTS * PLAN_BYTES, FILE_BYTES = 1 << 16 };

enum lie {
  LIE_NUMBER = 1,
  LIE_NEXT_INDEX,
  LIE_PREVIOUS_TERM,
  LIE_CHAIN,
  LIE_PREVIOUS_END,
  LIE_TIME,
  LIE_NEW_LOG,
  LIE_NO_HEADER,
  LIE_ENTRY_0,
  LIES
};

static const uint8_t uuid[16] = "fuzzed segments";

static void must(bool holds) {
  if (!holds) abort();
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  if (size < HEAD_BYTES || size_max <= HEAD_BYTES) return LLVMFuzzerMutate(data, size, size_max);
  if (rng_chance(&rng, 1, 2))
    return HEAD_BYTES + fuzz_batches_mutate(&rng, data + HEAD_BYTES, size - HEAD_BYTES, size_max - HEAD_BYTES);
  uint8_t *plan = data + PLAN_BYTES * rng_below(&rng, SEGMENTS);
  if (rng_chance(&rng, 1, 2))
    plan[0] = (uint8_t) rng_below(&rng, 5);
  else
    plan[1] = (uint8_t) rng_below(&rng, 2 * LIES); // half of them are none
  plan[2] = (uint8_t) rng_below(&rng, 4);
  return size;
}

// The segments as they come to be: what the next header says about what is before it.
struct maker {
  struct disk *disk;
  const uint8_t *body;
  size_t size, at;
  struct log_segment_header next;
};

/// The next batch of the body behind `to`, put right but for what it says about entries. Its bytes with padding, 0: there is
/// none.
static size_t put_batch(struct maker *m, uint8_t *file, size_t at) {
  static const uint8_t zeros[LOG_SECTOR];
  if (m->size - m->at < LOG_BATCH_HEADER_BYTES) return 0;
  uint32_t bytes = get_u32_le(m->body + m->at + 16) % 8192;
  if (bytes < LOG_BATCH_HEADER_BYTES || bytes > m->size - m->at || log_align(bytes) > FILE_BYTES - at) return 0;
  uint8_t *b = file + at;
  memcpy(b, m->body + m->at, bytes);
  memcpy(b + bytes, zeros, log_align(bytes) - bytes);
  m->at += MIN(log_align(bytes), m->size - m->at);
  struct log_batch_header h = {.count = get_u32_le(b + 12),
                               .bytes = bytes,
                               .sector = (uint32_t) (at / LOG_SECTOR),
                               .generation = 1,
                               .first_index = get_u64_le(b + 48),
                               .commit_index = get_u64_le(b + 56) % 8,
                               .chain = m->next.chain,
                               .previous_term = get_u64_le(b + 72)};
  log_put_batch_header(b, uuid, &h);
  m->next.chain = h.checksum;
  m->next.next_index = h.first_index + h.count;
  struct log_entry entry;
  size_t place = LOG_BATCH_HEADER_BYTES;
  m->next.previous_term = h.previous_term;
  for (uint32_t i = 0; i < h.count && log_get_entry(b, bytes, &place, &entry); i++) m->next.previous_term = entry.term;
  return log_align(bytes);
}

static void put_header(const struct log_segment_header *right, unsigned lie, uint64_t by, uint8_t *file) {
  struct log_segment_header h = *right;
  switch (lie) {
  case LIE_NUMBER: h.number += by; break;
  case LIE_NEXT_INDEX: h.next_index -= by; break;
  case LIE_PREVIOUS_TERM: h.previous_term += by; break;
  case LIE_CHAIN: h.chain += by; break;
  case LIE_PREVIOUS_END: h.previous_end += by * LOG_SECTOR; break;
  case LIE_TIME: h.previous_time_ns = INT64_MAX - (int64_t) by; break;
  case LIE_NEW_LOG: h.chain = h.previous_end = 0; break;
  case LIE_ENTRY_0: h.next_index = by - 1; break;
  default: break;
  }
  log_put_segment_header(file, uuid, &h);
  if (lie == LIE_NO_HEADER) file[by]++;
}

static void write_segment(struct maker *m, const uint8_t *plan) {
  static uint8_t file[FILE_BYTES];
  char path[64];
  struct log place = {.directory = "db"};
  struct disk_file *f = NULL;
  size_t end = LOG_SECTOR;
  put_header(&m->next, plan[1], plan[2], file);
  if (plan[1] == LIE_NEW_LOG) m->next.chain = 0; // of the first batch
  for (unsigned i = plan[0] % 8; i > 0; i--) {
    size_t bytes = put_batch(m, file, end);
    if (bytes == 0) break;
    end += bytes;
  }
  log_segment_path(&place, m->next.number, path);
  must(disk_open(m->disk, path, DISK_WRITE | DISK_CREATE, &f, NULL) == ERR_OK && disk_truncate(f, 0, NULL) == ERR_OK);
  must(disk_write(f, 0, file, end, NULL) == ERR_OK);
  disk_close(f);
  m->next.number++;
  m->next.previous_end = end;
}

static enum err open_log(struct disk *d, bool create, struct log **ret, struct error *e) {
  static struct clock_manual clock;
  static const struct log_options options = {.clustered = true, .segment_bytes = 16384};
  clock_manual_init(&clock, 1);
  return log_open(d, "db", uuid, create, &options, &clock.clock, NULL, ret, e);
}

static void must_go_on(struct disk *d, const struct log_recovery *found) {
  struct log *l = NULL;
  struct log_recovery again;
  bool worked = false;
  must(open_log(d, false, &l, NULL) == ERR_OK);
  log_recovery(l, &again);
  must(again.first_index == found->first_index && again.last_index == found->last_index && again.last_term == found->last_term &&
       again.commit_index == found->commit_index && again.last_time_ns == found->last_time_ns && again.cut_segment == 0);
  struct log_entry entry = {.index = found->last_index + 1, .term = found->last_term, .kind = LOG_NOOP, .parts = LOG_END};
  if (entry.index < UINT64_MAX)
    must(log_append(l, &entry, 1, NULL) == ERR_OK && log_writer_step(l, &worked, NULL) == ERR_OK && worked);
  log_close(l);
  must(open_log(d, false, &l, NULL) == ERR_OK);
  must(log_durable_index(l) == found->last_index + worked);
  log_close(l);
}

static void must_stay_refused(struct disk *d, enum err err, const struct error *e) {
  struct log *l = NULL;
  must((err == ERR_CORRUPT || err == ERR_INVALID || err == ERR_UNSUPPORTED) && e->message[0] != '\0');
  must(open_log(d, false, &l, NULL) == err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < HEAD_BYTES) return 0;
  struct sim_disk *disk = sim_disk_new(1);
  struct disk *d = sim_disk_table(disk);
  struct log *l = NULL;
  must(open_log(d, true, &l, NULL) == ERR_OK);
  log_close(l);
  struct maker m = {.disk = d, .body = data + HEAD_BYTES, .size = size - HEAD_BYTES, .next = {.number = 1, .next_index = 1}};
  for (unsigned i = 0; i < SEGMENTS && (i == 0 || data[i * PLAN_BYTES] > 0); i++) write_segment(&m, data + i * PLAN_BYTES);
  struct error e = ERROR_INIT;
  struct log_recovery found;
  enum err err = open_log(d, false, &l, &e);
  if (err == ERR_OK) {
    enum err checked = log_check(l, &e);
    must(checked == ERR_OK || (checked == ERR_CORRUPT && strstr(e.message, "commit time") != NULL));
    log_recovery(l, &found);
    log_close(l);
    must_go_on(d, &found);
  } else {
    must_stay_refused(d, err, &e);
  }
  sim_disk_free(disk);
  return 0;
}
