// Which start of each other server of its cluster this one has met last (cluster/starts.h), kept over its own restarts: a server
// that comes with an older copy of its data folder is told so. Bytes: docs/formats/members.md, "Known starts".
//
// Any thread; known_starts_save waits for the disk, and is called by one thread at a time.
#pragma once

#include "cluster/starts.h"

#define KNOWN_STARTS_FILE "known_starts"

enum { KNOWN_STARTS_MAX = 1024 }; // one server more, and the one whose start was met longest ago is forgotten

struct known_starts;

/// Reads the file in `folder`; what it says of another cluster is as nothing. ERR_CORRUPT, ERR_UNSUPPORTED: the
/// message names the file and the way out; ERR_IO, ERR_NOMEM.
enum err known_starts_open(struct disk *d, const char *folder, struct uuid cluster, struct known_starts **ret, struct error *e) NODISCARD;
/// NULL is fine.
void known_starts_close(struct known_starts *k);

/// Number 0: none was met.
struct start known_starts_find(struct known_starts *k, uint64_t server);
/// Whether `theirs` is one from before the start that is known, or another one with its number.
bool known_starts_contradict(struct known_starts *k, uint64_t server, struct start theirs);
/// That server was met in `theirs`. True: that is news, to be saved soon.
bool known_starts_note(struct known_starts *k, uint64_t server, struct start theirs);
/// Makes what was noted durable. After an error it is still to be saved.
enum err known_starts_save(struct known_starts *k, struct error *e) NODISCARD;
