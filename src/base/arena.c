#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// The first chunk is one of the sizes that malloc keeps at hand for each thread.
enum { FIRST_CHUNK_BYTES = 960, LARGEST_CHUNK_BYTES = 1 << 20, KEPT_CHUNK_BYTES = 64 << 10 };

struct arena_chunk {
  struct arena_chunk *older;
  size_t bytes; // with this header
  _Alignas(16) char data[];
};

struct arena_cleanup {
  struct arena_cleanup *older;
  void (*function)(void *);
  void *argument;
};

void arena_init(struct arena *a, struct mem_budget *budget) {
  *a = (struct arena){.budget = budget, .chunk_bytes = FIRST_CHUNK_BYTES};
}

static void free_chunk(struct arena *a, struct arena_chunk *chunk) {
  if (chunk == a->lent) return;
  if (a->budget != NULL) mem_budget_release(a->budget, chunk->bytes);
  mem_free(chunk);
}

static void use_chunk(struct arena *a, struct arena_chunk *chunk, char *at) {
  a->head = chunk;
  a->at = at;
  a->end = chunk != NULL ? (char *) chunk + chunk->bytes : NULL;
}

static void use_lent(struct arena *a) {
  if (a->lent != NULL) a->lent->older = NULL;
  use_chunk(a, a->lent, a->lent != NULL ? a->lent->data : NULL);
}

void arena_init_with(struct arena *a, struct mem_budget *budget, void *memory, size_t bytes) {
  assert((uintptr_t) memory % 16 == 0 && bytes > sizeof *a->lent);
  arena_init(a, budget);
  a->lent = memory;
  a->lent->bytes = bytes;
  use_lent(a);
}

static void run_cleanups(struct arena *a) {
  while (a->cleanups != NULL) {
    struct arena_cleanup *c = a->cleanups;
    a->cleanups = c->older;
    c->function(c->argument);
  }
}

void arena_done(struct arena *a) {
  run_cleanups(a);
  while (a->head != NULL) {
    struct arena_chunk *older = a->head->older;
    free_chunk(a, a->head);
    a->head = older;
  }
  use_lent(a);
  a->chunk_bytes = FIRST_CHUNK_BYTES;
}

void arena_reset(struct arena *a) {
  run_cleanups(a);
  struct arena_chunk *kept = NULL;
  while (a->head != NULL) {
    struct arena_chunk *chunk = a->head;
    a->head = chunk->older;
    if (chunk->bytes <= KEPT_CHUNK_BYTES && (kept == NULL || chunk->bytes > kept->bytes)) {
      if (kept != NULL) free_chunk(a, kept);
      kept = chunk;
    } else {
      free_chunk(a, chunk);
    }
  }
  if (kept == NULL || kept == a->lent) {
    use_lent(a);
  } else {
    kept->older = NULL;
    use_chunk(a, kept, kept->data);
  }
  a->chunk_bytes = FIRST_CHUNK_BYTES;
}

static bool add_chunk(struct arena *a, size_t data_bytes) {
  size_t bytes = sizeof(struct arena_chunk) + MAX(data_bytes + 16, a->chunk_bytes);
  if (a->budget != NULL) {
    a->failed = mem_budget_charge(a->budget, bytes, NULL);
    if (a->failed != ERR_OK) return false;
  }
  struct arena_chunk *chunk = mem_alloc(bytes);
  if (chunk == NULL) {
    if (a->budget != NULL) mem_budget_release(a->budget, bytes);
    a->failed = ERR_NOMEM;
    return false;
  }
  chunk->older = a->head;
  chunk->bytes = bytes;
  use_chunk(a, chunk, chunk->data);
  if (a->chunk_bytes < LARGEST_CHUNK_BYTES) a->chunk_bytes *= 2;
  return true;
}

void *arena_alloc(struct arena *a, size_t bytes) {
  if (UNLIKELY(bytes > SIZE_MAX / 2)) {
    a->failed = ERR_NOMEM;
    return NULL;
  }
  uintptr_t align = bytes >= 16 ? 16 : 8;
  char *at = (char *) (((uintptr_t) a->at + align - 1) & ~(align - 1));
  if (UNLIKELY(a->head == NULL || at > a->end || (size_t) (a->end - at) < bytes)) {
    if (!add_chunk(a, bytes)) return NULL;
    at = (char *) (((uintptr_t) a->at + align - 1) & ~(align - 1));
  }
  a->at = at + bytes;
  return at;
}

void *arena_zalloc(struct arena *a, size_t bytes) {
  void *p = arena_alloc(a, bytes);
  if (p != NULL) memset(p, 0, bytes);
  return p;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    a->failed = ERR_NOMEM;
    return NULL;
  }
  return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *p, size_t old_bytes, size_t new_bytes) {
  if (p != NULL && (char *) p + old_bytes == a->at && new_bytes <= (size_t) (a->end - (char *) p)) {
    a->at = (char *) p + new_bytes;
    return p;
  }
  void *grown = arena_alloc(a, new_bytes);
  if (grown != NULL && p != NULL) memcpy(grown, p, MIN(old_bytes, new_bytes));
  return grown;
}

void *arena_copy(struct arena *a, const void *from, size_t bytes) {
  void *p = arena_alloc(a, bytes);
  if (p != NULL && bytes > 0) memcpy(p, from, bytes);
  return p;
}

struct str arena_str(struct arena *a, struct str from) {
  char *p = arena_alloc(a, from.len + 1);
  if (p == NULL) return (struct str){NULL, 0};
  if (from.len > 0) memcpy(p, from.ptr, from.len);
  p[from.len] = '\0';
  return (struct str){p, from.len};
}

struct str arena_printf(struct arena *a, const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  char *p = n < 0 ? NULL : arena_alloc(a, (size_t) n + 1);
  if (p != NULL) vsnprintf(p, (size_t) n + 1, fmt, again);
  va_end(again);
  return p != NULL ? (struct str){p, (size_t) n} : (struct str){NULL, 0};
}

enum err arena_err(const struct arena *a, struct error *e) {
  enum err code = a->failed != ERR_OK ? a->failed : ERR_NOMEM;
  const struct mem_budget *b = a->budget;
  while (b != NULL && (b->over != code || b->limit_bytes == 0)) b = b->parent;
  if (b == NULL) return error_set(e, code, "%s", err_text(code));
  return error_set(e, code, "The allocation would use more than the limit of %lld bytes.%s%s%s", (long long) b->limit_bytes,
                   b->setting != NULL ? " It is set by " : "", b->setting != NULL ? b->setting : "",
                   b->setting != NULL ? "." : "");
}

struct arena_mark arena_mark(const struct arena *a) {
  return (struct arena_mark){a->head, a->at};
}

void arena_rewind(struct arena *a, struct arena_mark mark) {
  while (a->head != mark.head) {
    struct arena_chunk *older = a->head->older;
    free_chunk(a, a->head);
    a->head = older;
    if (a->chunk_bytes > FIRST_CHUNK_BYTES) a->chunk_bytes /= 2; // else going back and forth would double it for ever
  }
  use_chunk(a, mark.head, mark.at);
}

enum err arena_on_done(struct arena *a, void (*function)(void *), void *argument) {
  struct arena_cleanup *c = arena_alloc(a, sizeof *c);
  if (c == NULL) return a->failed;
  *c = (struct arena_cleanup){a->cleanups, function, argument};
  a->cleanups = c;
  return ERR_OK;
}

size_t arena_bytes(const struct arena *a) {
  size_t bytes = 0;
  for (const struct arena_chunk *c = a->head; c != NULL; c = c->older) bytes += c != a->lent ? c->bytes : 0;
  return bytes;
}
