// What this server knows of starts (cluster/starts.h): of its own how far each has moved, and of each other server of its cluster
// the last one that it has met, and how far that has moved. Kept over its restarts: a server that comes with an older copy of its
// data folder is told so. Bytes: docs/formats/members.md, "Known starts" and "Moves".
//
// A start moves so that a copy which was made while it lasts is noticed as well:
//
//   something is promised (known_starts_promised) -> the move is made durable (known_starts_move) -> the others are told, and
//   note it
//
// Nobody knows of a move that is not on the mover's disk.
//
// Any thread; known_starts_save and known_starts_move wait for the disk, and are called by one thread at a time.
#pragma once

#include "cluster/starts.h"

#define KNOWN_STARTS_FILE "known_starts"
#define MOVES_FILE "server_moves"

enum { KNOWN_STARTS_MAX = 1024 }; // one server more, and the one whose start was met longest ago is forgotten

struct known_starts;

/// Reads the files in `folder`; what they say of another cluster is as nothing. `own`: the starts of this one, `server`, as
/// starts_begin has found them; copied. ERR_CORRUPT, ERR_UNSUPPORTED: the message names the file and the way out; ERR_IO,
/// ERR_NOMEM.
enum err known_starts_open(struct disk *d, const char *folder, struct uuid cluster, uint64_t server, const struct starts *own,
                           struct known_starts **ret, struct error *e) NODISCARD;
/// NULL is fine.
void known_starts_close(struct known_starts *k);

// ---- of this server ----

/// The start of this process, moved as far as its disk knows.
struct start known_starts_now(struct known_starts *k);
/// Whether another server knows what these data have not had (starts_are_older).
bool known_starts_are_older(struct known_starts *k, struct start known);
/// Something was promised that an older copy would not know of: the next known_starts_move moves this start.
void known_starts_promised(struct known_starts *k);

// ---- of the others ----

/// Number 0: none was met.
struct start known_starts_find(struct known_starts *k, uint64_t server);
/// Whether `theirs` is one from before the start that is known, or another one with its number. That it has moved less may be
/// said by an earlier word than what is known: of that the other server alone can judge.
bool known_starts_contradict(struct known_starts *k, uint64_t server, struct start theirs);

enum known_news { KNOWN_BEFORE, KNOWN_MOVE, KNOWN_START };
/// That server was met in `theirs`. KNOWN_START: known_starts_save soon. KNOWN_MOVE, and a start that has moved:
/// known_starts_move within a while.
enum known_news known_starts_note(struct known_starts *k, uint64_t server, struct start theirs);

// ---- to the disk: after an error what was to be saved still is ----

/// Makes the starts durable that were noted.
enum err known_starts_save(struct known_starts *k, struct error *e) NODISCARD;
/// Moves this start if something was promised, and makes that and the moves of others durable, in one write; none where there is
/// nothing new.
/// `*ret_moved`: the others are to be told.
enum err known_starts_move(struct known_starts *k, bool *ret_moved, struct error *e) NODISCARD;
