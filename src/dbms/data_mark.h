// Whether the data of a group are those with which this server took part in it last (contract 20): put back from an older copy, they
// have forgotten what was promised since. Bytes: docs/formats/catalogue.md, "Which data took part last".
//
// Each time that a group is joined its data get a mark, a number that nobody else has (`incarnation` of store/log.h), and beside the
// folders of the databases it is kept which one that is, and which one comes next:
//
//   the data take the next mark -> the file beside them says so -> the group is joined
//
// Power may go anywhere: before the group is joined nothing is promised by the new mark, so data that have the present one or the
// next one are the latest. The functions wait for the disk. Thread: one at a time for each database.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "os/disk.h"

/// A value.
struct data_mark {
  uint32_t life;      // of the group's member, whose data these are; 0: nothing is known
  uint64_t now, next; // marks, not 0
  uint64_t renewal;   // of this server's data as a whole, which these data have followed (cluster/starts.h); 0: none
};

/// Of the database in `folder` (that of the file) by its uuid as text; what another server has left there is as nothing. ERR_CORRUPT:
/// the file is damaged; ERR_UNSUPPORTED: it is of a newer server; ERR_IO.
enum err data_mark_read(struct disk *d, const char *folder, const char *uuid, uint32_t server, struct data_mark *ret,
                        struct error *e) NODISCARD;
/// Returns when it is durable.
enum err data_mark_save(struct disk *d, const char *folder, const char *uuid, uint32_t server, const struct data_mark *m,
                        struct error *e) NODISCARD;
/// There need be none.
void data_mark_forget(struct disk *d, const char *folder, const char *uuid);

/// Whether data of that life and mark are older than those that took part last. Pure.
bool data_mark_is_older(const struct data_mark *m, uint32_t life, uint64_t mark);
