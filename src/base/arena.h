// Arenas: memory with one lifetime (session, transaction, query, batch), freed at once.
//
// Not thread-safe: one owner at a time. `arena_alloc` returns NULL when the system has no memory or the budget refuses;
// the reason is kept in the arena (`arena_err`), so that callers write `if (p == NULL) return arena_err(a, e);`.
// Cleanup callbacks, for what is not memory, run in reverse order at reset and done.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

struct arena_chunk;
struct arena_cleanup;

struct arena {
  struct arena_chunk *head; // newest chunk; older ones behind it
  char *at, *end;           // free part of the newest chunk
  struct arena_cleanup *cleanups;
  struct arena_chunk *lent;  // the caller's memory; NULL: none
  struct mem_budget *budget; // may be NULL; outlives the arena
  size_t chunk_bytes;        // size of the next chunk, doubling up to 1 MiB
  enum err failed;           // why the last allocation returned NULL
};

/// A position to go back to; see arena_mark.
struct arena_mark {
  struct arena_chunk *head;
  char *at;
};

void arena_init(struct arena *a, struct mem_budget *budget);
/// Begins with memory of the caller, which stays the caller's and must outlive the arena: small lives then allocate nothing. It
/// is not charged. At least 64 bytes, aligned to 16.
void arena_init_with(struct arena *a, struct mem_budget *budget, void *memory, size_t bytes);
void arena_done(struct arena *a);

/// Forgets everything but keeps one chunk (of at most 64 KiB) for the next round.
void arena_reset(struct arena *a);

/// `bytes` bytes aligned to 8 (16 from 16 bytes on), not zeroed. NULL on failure; `bytes` of 0 gives a valid pointer.
void *arena_alloc(struct arena *a, size_t bytes) NODISCARD;
void *arena_zalloc(struct arena *a, size_t bytes) NODISCARD;

/// `count * size` with the overflow checked.
void *arena_array(struct arena *a, size_t count, size_t size) NODISCARD;

/// Grows in place if `p` is the newest allocation and there is room, else copies.
void *arena_grow(struct arena *a, void *p, size_t old_bytes, size_t new_bytes) NODISCARD;

void *arena_copy(struct arena *a, const void *from, size_t bytes) NODISCARD;

/// Copies the text; the copy is followed by a NUL that is not counted. `ptr` is NULL on failure.
struct str arena_str(struct arena *a, struct str from) NODISCARD;
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

/// Fills `e` for the allocation that has just returned NULL and returns its code.
enum err arena_err(const struct arena *a, struct error *e);

/// `arena_rewind(a, arena_mark(a))` frees what was allocated in between. No cleanup may have been added in between.
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

enum err arena_on_done(struct arena *a, void (*function)(void *), void *argument) NODISCARD;

/// Bytes taken from the system.
size_t arena_bytes(const struct arena *a);

#define ARENA_NEW(arena, type) ((type *) arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *) arena_array((arena), (count), sizeof(type)))
