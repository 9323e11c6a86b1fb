// Hash maps, open addressing with linear probing. One owner; not thread-safe.
//
// `struct map` goes from u64 to u64 (ids, tokens, small structs by index); `struct strmap` from text to u64. Neither owns
// what a key or value points to. Failed inserts leave the map as it was. Any change moves entries: keep no pointer across one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

struct map_entry {
  uint64_t key, value;
};

struct map {
  struct map_entry *entries;
  uint8_t *used; // 0 free, 1 used, 2 deleted
  size_t capacity, len, filled;
};

#define MAP_INIT ((struct map){0})

void map_done(struct map *m);
void map_clear(struct map *m);
/// The value's place, valid until the next change; NULL where the key is not in.
uint64_t *map_get(const struct map *m, uint64_t key);
enum err map_put(struct map *m, uint64_t key, uint64_t value) NODISCARD;
bool map_remove(struct map *m, uint64_t key);
/// Walks in no order: start with `*at` 0; NULL at the end.
struct map_entry *map_next(const struct map *m, size_t *at);

struct strmap_entry {
  struct str key; // ptr NULL: free
  uint64_t hash, value;
};

struct strmap {
  struct strmap_entry *entries;
  size_t capacity, len;
};

#define STRMAP_INIT ((struct strmap){0})

void strmap_done(struct strmap *m);
uint64_t *strmap_get(const struct strmap *m, struct str key);
/// Keeps `key` as it is: its bytes must outlive the map.
enum err strmap_put(struct strmap *m, struct str key, uint64_t value) NODISCARD;
bool strmap_remove(struct strmap *m, struct str key);
struct strmap_entry *strmap_next(const struct strmap *m, size_t *at);
