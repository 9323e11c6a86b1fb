// Sets of small numbers (slots, predicates) that grow; words live in an arena. A zeroed struct is the empty set.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct bits {
  uint64_t *words;
  uint32_t count; // of words
};

static inline bool bits_has(const struct bits *b, uint32_t i) {
  return i / 64 < b->count && (b->words[i / 64] >> (i % 64) & 1);
}

/// All that allocate return false when the arena has no memory; the set is then as it was.
bool bits_add(struct arena *a, struct bits *b, uint32_t i) NODISCARD;
bool bits_add_all(struct arena *a, struct bits *b, const struct bits *from) NODISCARD;
bool bits_copy(struct arena *a, const struct bits *from, struct bits *ret) NODISCARD;
void bits_remove(struct bits *b, uint32_t i);
void bits_remove_all(struct bits *b, const struct bits *what);
void bits_keep(struct bits *b, const struct bits *what);
bool bits_within(const struct bits *b, const struct bits *of);
bool bits_meet(const struct bits *a, const struct bits *b);
bool bits_empty(const struct bits *b);
uint32_t bits_size(const struct bits *b);

/// Walks ascending: `for (uint32_t i = 0; bits_next(&b, &i); i++)`.
bool bits_next(const struct bits *b, uint32_t *i);
