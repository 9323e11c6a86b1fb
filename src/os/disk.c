#include "os/disk.h"

enum err disk_read_all(struct disk_file *f, uint64_t offset, void *to, size_t bytes, struct error *e) {
  size_t got = 0;
  TRY(disk_read_some(f, offset, to, bytes, &got, e));
  if (got == bytes) return ERR_OK;
  return error_set(e, ERR_SHORT, "The file ends after %zu of the %zu bytes at offset %llu.", got, bytes, (unsigned long long) offset);
}
