#include "plan/bits.h"

#include <string.h>

static bool grow(struct arena *a, struct bits *b, uint32_t count) {
  if (count <= b->count) return true;
  uint32_t room = MAX(count, b->count + b->count / 2);
  uint64_t *words = arena_grow(a, b->words, b->count * sizeof *words, room * sizeof *words);
  if (words == NULL) return false;
  memset(words + b->count, 0, (room - b->count) * sizeof *words);
  b->words = words;
  b->count = room;
  return true;
}

bool bits_add(struct arena *a, struct bits *b, uint32_t i) {
  if (!grow(a, b, i / 64 + 1)) return false;
  b->words[i / 64] |= UINT64_C(1) << (i % 64);
  return true;
}

bool bits_add_all(struct arena *a, struct bits *b, const struct bits *from) {
  if (!grow(a, b, from->count)) return false;
  for (uint32_t w = 0; w < from->count; w++) b->words[w] |= from->words[w];
  return true;
}

bool bits_copy(struct arena *a, const struct bits *from, struct bits *ret) {
  struct bits copy = {0};
  if (!bits_add_all(a, &copy, from)) return false;
  *ret = copy;
  return true;
}

void bits_remove(struct bits *b, uint32_t i) {
  if (i / 64 < b->count) b->words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void bits_remove_all(struct bits *b, const struct bits *what) {
  for (uint32_t w = 0; w < MIN(b->count, what->count); w++) b->words[w] &= ~what->words[w];
}

void bits_keep(struct bits *b, const struct bits *what) {
  for (uint32_t w = 0; w < b->count; w++) b->words[w] &= w < what->count ? what->words[w] : 0;
}

bool bits_within(const struct bits *b, const struct bits *of) {
  for (uint32_t w = 0; w < b->count; w++)
    if (b->words[w] & ~(w < of->count ? of->words[w] : 0)) return false;
  return true;
}

bool bits_meet(const struct bits *a, const struct bits *b) {
  for (uint32_t w = 0; w < MIN(a->count, b->count); w++)
    if (a->words[w] & b->words[w]) return true;
  return false;
}

bool bits_empty(const struct bits *b) {
  for (uint32_t w = 0; w < b->count; w++)
    if (b->words[w]) return false;
  return true;
}

uint32_t bits_size(const struct bits *b) {
  uint32_t n = 0;
  for (uint32_t w = 0; w < b->count; w++) n += (uint32_t) __builtin_popcountll(b->words[w]);
  return n;
}

bool bits_next(const struct bits *b, uint32_t *i) {
  for (uint32_t w = *i / 64; w < b->count; w++) {
    uint64_t word = w == *i / 64 ? b->words[w] >> (*i % 64) << (*i % 64) : b->words[w];
    if (word == 0) continue;
    *i = w * 64 + (uint32_t) __builtin_ctzll(word);
    return true;
  }
  return false;
}
