// Fuzzes what reads which data of a database took part in its group last: the first byte says what is put right (magic, version,
// checksum) and whether the file has its length, the rest is the file. What is refused stays as it is and names the file; what is
// taken is saved again as the same bytes, and its own marks are never those of older data.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "dbms/data_mark.h"
#include "store/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FOLDER "data/groups"
#define UUID "0a000000-0000-4000-8000-000000000001"

enum { FILE_BYTES = 48, CHECKED_BYTES = FILE_BYTES - 8, FILE_BYTES_MAX = 64 };

static void must(bool holds) {
  if (!holds) abort();
}

static void put_right(uint8_t what, uint8_t *file) {
  if (!(what & 1)) memcpy(file, "QVDM", 4);
  if (!(what & 2)) put_u32_le(file + 4, 1);
  if (!(what & 4)) put_u64_le(file + CHECKED_BYTES, hash64(file, CHECKED_BYTES, 0));
}

static void check_refused(struct disk *d, uint32_t server, const struct error *e) {
  struct data_mark m;
  must(e->code == ERR_CORRUPT || e->code == ERR_UNSUPPORTED);
  must(strstr(e->message, UUID ".data") != NULL);
  must(data_mark_read(d, FOLDER, UUID, server, &m, NULL) == e->code);
}

static void check_judgement(const struct data_mark *m) {
  must(!data_mark_is_older(m, m->life, m->now) && !data_mark_is_older(m, m->life, m->next));
  must(m->life == 0 || data_mark_is_older(m, m->life - 1, m->now));
  must(m->life == 0 || data_mark_is_older(m, m->life, 0)); // data without a mark
  must(m->life == UINT32_MAX || !data_mark_is_older(m, m->life + 1, 0));
}

static void check_taken(struct disk *d, uint32_t server, const struct data_mark *m, const uint8_t *file) {
  uint8_t again[FILE_BYTES];
  size_t bytes;
  struct data_mark other;
  check_judgement(m);
  must(data_mark_read(d, FOLDER, UUID, server + 1, &other, NULL) == ERR_OK && other.life == 0 && other.renewal == 0);
  must(data_mark_save(d, FOLDER, UUID, server, m, NULL) == ERR_OK);
  must(disk_read_file(d, FOLDER "/" UUID ".data", again, sizeof again, &bytes, NULL) == ERR_OK && bytes == sizeof again);
  must(get_u16_le(file + 6) != 0 || memcmp(again, file, sizeof again) == 0); // nobody looks at those
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t file[FILE_BYTES_MAX] = {0};
  struct data_mark m;
  struct error e = ERROR_INIT;
  if (size == 0) return 0;
  struct sim_disk *disk = sim_disk_new(1);
  struct disk *d = sim_disk_table(disk);
  memcpy(file, data + 1, MIN(size - 1, sizeof file));
  put_right(data[0], file);
  uint32_t server = get_u32_le(file + 8);
  must(disk_make_directories(d, FOLDER, NULL) == ERR_OK);
  must(disk_replace_file(d, FOLDER, UUID ".data", file, data[0] & 8 ? MIN(size - 1, sizeof file) : FILE_BYTES, NULL) == ERR_OK);
  if (data_mark_read(d, FOLDER, UUID, server, &m, &e) == ERR_OK)
    check_taken(d, server, &m, file);
  else
    check_refused(d, server, &e);
  sim_disk_free(disk);
  return 0;
}
