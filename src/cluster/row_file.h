// A small file that says something of one cluster in rows of three words, read and replaced as a whole. Bytes:
// docs/formats/members.md, "Known starts" and "Moves". The functions wait for the disk. Thread: one at a time for each file.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "os/disk.h"

enum { ROW_WORDS = 3 };

/// Which one. A constant of whoever knows what the rows mean.
struct row_file {
  const char *name;    // in its folder
  const char *what;    // "the known starts": how people are told of it
  const char *way_out; // what its loss comes to, and what to do where it is damaged
  uint32_t magic, rows_max;
};

/// Reads it into `ret`, which has room for `rows_max`. `*ret_count` 0: there is none, or it is of another cluster. ERR_CORRUPT,
/// ERR_UNSUPPORTED: the message names the file and the way out; ERR_IO, ERR_NOMEM.
enum err row_file_read(struct disk *d, const char *folder, const struct row_file *f, struct uuid cluster,
                       uint64_t (*ret)[ROW_WORDS], uint32_t *ret_count, struct error *e) NODISCARD;
/// Its rows were read, and say what cannot be: ERR_CORRUPT, as above.
enum err row_file_refuse(const char *folder, const struct row_file *f, struct error *e) NODISCARD;
/// At most `rows_max` rows. Returns when it is durable. ERR_IO, ERR_NOSPC, ERR_NOMEM.
enum err row_file_save(struct disk *d, const char *folder, const struct row_file *f, struct uuid cluster,
                       uint64_t (*rows)[ROW_WORDS], uint32_t count, struct error *e) NODISCARD;
