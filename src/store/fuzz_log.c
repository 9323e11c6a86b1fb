// Fuzzes what opens and reads a log: the input is a segment behind its header. Checksums, uuid and places are put right wherever
// a batch could begin, so that the fuzzer gets at what stands behind them; some batches keep what they have. Segments are changed
// batch by batch (fuzz_batches.h).
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/fuzz_batches.h"
#include "store/log_int.h"
#include "store/sim_disk.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  return fuzz_batches_mutate(&rng, data, size, size_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t uuid[16] = "a fuzzed log";

static void put_right(uint8_t *segment, size_t size) {
  uint64_t chain = 0;
  for (size_t at = LOG_SECTOR; at + LOG_BATCH_HEADER_BYTES <= size;) {
    uint8_t *b = segment + at;
    uint32_t bytes = get_u32_le(b + 16) % 8192;
    if (b[23] % 8 == 7 || bytes < LOG_BATCH_HEADER_BYTES || bytes > size - at) {
      at += LOG_SECTOR;
      continue;
    }
    struct log_batch_header h = {.count = get_u32_le(b + 12),
                                 .bytes = bytes,
                                 .sector = (uint32_t) (at / LOG_SECTOR),
                                 .generation = 1,
                                 .first_index = get_u64_le(b + 48),
                                 .commit_index = get_u64_le(b + 56),
                                 .chain = chain,
                                 .previous_term = get_u64_le(b + 72)};
    log_put_batch_header(b, uuid, &h);
    chain = h.checksum;
    at += log_align(bytes);
  }
}

static void write_file(struct disk *d, const char *path, const void *bytes, size_t size) {
  struct disk_file *f = NULL;
  if (disk_open(d, path, DISK_WRITE | DISK_CREATE, &f, NULL) != ERR_OK || disk_truncate(f, 0, NULL) != ERR_OK ||
      disk_write(f, 0, bytes, size, NULL) != ERR_OK)
    abort();
  disk_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t segment[1 << 16];
  struct sim_disk *disk = sim_disk_new(1);
  struct disk *d = sim_disk_table(disk);
  struct clock_manual clock;
  struct log_options options = {.clustered = true, .segment_bytes = 16384};
  struct log *l = NULL;
  clock_manual_init(&clock, 1);
  if (log_open(d, "db", uuid, true, &options, &clock.clock, NULL, &l, NULL) != ERR_OK) abort();
  log_close(l);
  l = NULL;
  size = MIN(size, sizeof segment - LOG_SECTOR);
  struct log_segment_header h = {.number = 1, .next_index = 1};
  log_put_segment_header(segment, uuid, &h);
  memcpy(segment + LOG_SECTOR, data, size);
  put_right(segment, LOG_SECTOR + size);
  write_file(d, "db/store.log.00000001", segment, LOG_SECTOR + size);
  if (log_open(d, "db", uuid, false, &options, &clock.clock, NULL, &l, NULL) == ERR_OK) {
    struct error e = ERROR_INIT;
    enum err err = log_check(l, &e);
    if (err != ERR_OK && err != ERR_CORRUPT) abort();
    log_close(l);
  }
  sim_disk_free(disk);
  return 0;
}
