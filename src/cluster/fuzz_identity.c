// Fuzzes what reads the identity of a server: the input is the file up to its checksum. Magic, version and checksum are put right
// unless the first byte says otherwise. What is refused stays as it is and says why; what is taken is saved with the next sequence,
// and is otherwise the same when it is read again.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/identity.h"
#include "store/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_BYTES = 4096, CHECKED_BYTES = FILE_BYTES - 8 };

static void must(bool holds) {
  if (!holds) abort();
}

static void write_file(struct disk *d, const uint8_t *bytes, size_t size) {
  struct disk_file *f = NULL;
  must(disk_open(d, "data/" IDENTITY_FILE, DISK_WRITE | DISK_CREATE, &f, NULL) == ERR_OK && disk_truncate(f, 0, NULL) == ERR_OK &&
       disk_write(f, 0, bytes, size, NULL) == ERR_OK);
  disk_close(f);
}

static void check_founding(const struct founding *f) {
  static uint8_t bytes[FOUNDING_BYTES_MAX];
  struct founding again;
  size_t len;
  if (f->count == 0) return;
  must(f->count <= FOUNDERS_MAX);
  founding_put(bytes, f);
  must(founding_get(bytes, founding_bytes(f), &again, &len, NULL) == ERR_OK && len == founding_bytes(f));
  must(uuid_eq(again.cluster, f->cluster) && again.count == f->count && again.seed == f->seed);
  for (uint32_t i = 0; i < f->count; i++) must(founding_find(f, f->founders[i].server) == &f->founders[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t file[FILE_BYTES];
  struct random_seeded random;
  struct identity first, second;
  struct error e = ERROR_INIT;
  if (size == 0) return 0;
  struct sim_disk *disk = sim_disk_new(1);
  struct disk *d = sim_disk_table(disk);
  random_seeded_init(&random, 1);
  must(disk_make_directories(d, "data", NULL) == ERR_OK);
  memset(file, 0, sizeof file);
  memcpy(file, data + 1, MIN(size - 1, (size_t) CHECKED_BYTES));
  if (!(data[0] & 1)) memcpy(file, "QVSI", 4);
  if (!(data[0] & 2)) put_u16_le(file + 4, 1);
  if (!(data[0] & 4)) put_u64_le(file + CHECKED_BYTES, hash64(file, CHECKED_BYTES, 0));
  write_file(d, file, data[0] & 8 ? size : sizeof file);
  if (identity_open(d, "data", &random.source, &first, &e) == ERR_OK) {
    must(first.epoch == first.sequence && first.sequence == get_u64_le(file + 32) + 1);
    check_founding(&first.founding);
    must(identity_open(d, "data", &random.source, &second, NULL) == ERR_OK || first.sequence >= UINT64_MAX / 2);
    if (first.sequence < UINT64_MAX / 2)
      must(uuid_eq(first.server, second.server) && first.number == second.number && first.state == second.state &&
           first.begun == second.begun && second.epoch == first.epoch + 1);
  } else {
    must(e.code == ERR_CORRUPT || e.code == ERR_UNSUPPORTED);
    must(strstr(e.message, IDENTITY_FILE) != NULL);
    must(identity_open(d, "data", &random.source, &first, NULL) == e.code);
  }
  sim_disk_free(disk);
  return 0;
}
