// A copy of another server's store on its way into a directory: piece by piece beside the store there, then in its place.
// Formats, and what a crash leaves: docs/formats/copy.md.
//
//   store_copy_open -> { store_copy_add }* until store_copy_position is CHECKPOINT_END -> store_copy_finish -> store_copy_install
//   -> store_copy_close -> store_open
//
// The store that is there may be open and in use until store_copy_install. store_copy_close at any time leaves what has come: a
// later store_copy_open with the same head goes on there, with another head begins from the start.
//
// Whoever calls waits for the disk. One thread at a time. After an error other than ERR_CORRUPT and ERR_INVALID nothing more can
// be added: close the copy and open it again.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "os/clock.h"
#include "os/disk.h"
#include "store/checkpoint.h"

struct store_copy;

/// Begins the copy of the checkpoint that `head` is of, or goes on with it. `directory` must exist; room for the whole file is
/// reserved. ERR_NOSPC; ERR_CORRUPT, ERR_UNSUPPORTED of the head.
enum err store_copy_open(struct disk *d, const char *directory, const uint8_t head[CHECKPOINT_HEAD_BYTES],
                         struct store_copy **ret, struct error *e) NODISCARD;
/// What a copy that was broken off there is of, and how far it has come: whoever has that checkpoint can go on. ERR_NOTFOUND:
/// there is none.
enum err store_copy_look(struct disk *d, const char *directory, const uint8_t database[16], uint64_t *ret_identity,
                         uint64_t *ret_position, struct error *e) NODISCARD;
/// What is not made durable by then may have to come again. NULL is fine.
void store_copy_close(struct store_copy *c);

/// Of the piece that is wanted next.
uint64_t store_copy_position(const struct store_copy *c);
/// Pages that have come, and the identity: its `pages` says about how many there will be.
uint64_t store_copy_pages(const struct store_copy *c);
const struct checkpoint_identity *store_copy_identity(const struct store_copy *c);

/// Takes the piece (4096-aligned) at store_copy_position and makes what has come durable now and then. ERR_CORRUPT: these bytes
/// are not that piece; nothing has happened, it may come again. ERR_NOSPC, ERR_IO.
enum err store_copy_add(struct store_copy *c, const uint8_t *piece, size_t bytes, struct error *e) NODISCARD;

/// Makes all that has come durable: before a pause.
enum err store_copy_sync(struct store_copy *c, struct error *e) NODISCARD;

/// All pieces are there: makes the file a whole page file. ERR_INVALID if some are missing.
enum err store_copy_finish(struct store_copy *c, struct error *e) NODISCARD;

/// Puts the finished copy in the place of the store in its directory, which must not be open (ERR_BUSY), or makes it the first
/// one there. Log and group state stay; they are marked until the log has been begun anew. ERR_INVALID: the store there is
/// another database's, or of a newer generation, or its log goes on only behind the end of the copy. A crash within leaves the old
/// store or the new one.
enum err store_copy_install(struct store_copy *c, struct clock *clock, struct error *e) NODISCARD;

/// Removes what there is of a copy that nobody has open. None is fine.
enum err store_copy_discard(struct disk *d, const char *directory, struct error *e) NODISCARD;
