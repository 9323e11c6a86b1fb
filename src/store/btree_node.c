#include <string.h>

#include "store/btree_int.h"

int bytes_compare(struct bytes a, struct bytes b) {
  size_t n = MIN(a.len, b.len);
  int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

size_t bytes_shared(struct bytes a, struct bytes b) {
  const uint8_t *x = a.ptr, *y = b.ptr;
  size_t n = MIN(a.len, b.len), i = 0;
  while (i < n && x[i] == y[i]) i++;
  return i;
}

// The first four bytes behind the shared ones as a number: most comparisons end here, without looking at the cell.
static uint32_t head_of(struct bytes key, size_t shared) {
  const uint8_t *k = key.ptr;
  uint8_t four[4] = {0};
  if (key.len > shared) memcpy(four, k + shared, MIN(key.len - shared, sizeof four));
  return get_u32_be(four);
}

static uint8_t *slot_at(const uint8_t *n, unsigned i) {
  return (uint8_t *) n + NODE_HEADER + i * NODE_SLOT;
}

void node_init(uint8_t *n, unsigned level) {
  memset(n, 0, PAGE_BYTES);
  n[0] = NODE_MAGIC;
  n[1] = (uint8_t) level;
  put_u16_le(n + 4, PAGE_BYTES);
}

bool node_is_sane(const uint8_t *n) {
  return n[0] == NODE_MAGIC && n[1] < BTREE_DEPTH_MAX && node_low(n) <= PAGE_BYTES && NODE_HEADER + node_count(n) * NODE_SLOT <= node_low(n);
}

bool node_cell(const uint8_t *n, unsigned i, struct cell *ret) {
  const uint8_t *slot = slot_at(n, i);
  size_t at = get_u16_le(slot + 4), key = get_u16_le(slot + 6), end = at + key;
  if (at < NODE_HEADER || end + 2 > PAGE_BYTES) return false;
  size_t value = node_level(n) > 0 ? 8 : get_u16_le(n + end), start = node_level(n) > 0 ? end : end + 2;
  if (start + value > PAGE_BYTES) return false;
  *ret = (struct cell){{n + at, key}, {n + start, value}};
  return true;
}

page_id cell_child(const struct cell *c) {
  return get_u64_le(c->value.ptr);
}

// Looks among slots [low, count) for the first key not below (with `above`: the first key above) `key`.
static bool search(const uint8_t *n, struct bytes key, unsigned low, bool above, unsigned *ret) {
  unsigned high = node_count(n), shared = node_shared(n);
  struct cell c;
  if (low < high && shared > 0) {
    if (!node_cell(n, low, &c) || c.key.len < shared) return false;
    int order = bytes_compare((struct bytes){key.ptr, MIN(key.len, shared)}, (struct bytes){c.key.ptr, shared});
    if (order != 0) {
      *ret = order < 0 ? low : high;
      return true;
    }
  }
  uint32_t head = head_of(key, shared);
  while (low < high) {
    unsigned middle = (low + high) / 2;
    uint32_t there = get_u32_le(slot_at(n, middle));
    int order = there < head ? -1 : there > head;
    if (order == 0) {
      if (!node_cell(n, middle, &c)) return false;
      order = bytes_compare(c.key, key);
    }
    if (order < 0 || (above && order == 0))
      low = middle + 1;
    else
      high = middle;
  }
  *ret = low;
  return true;
}

bool node_find(const uint8_t *n, struct bytes key, unsigned *ret, bool *ret_exact) {
  struct cell c;
  if (!search(n, key, 0, false, ret)) return false;
  *ret_exact = false;
  if (*ret == node_count(n)) return true;
  if (!node_cell(n, *ret, &c)) return false;
  *ret_exact = bytes_compare(c.key, key) == 0;
  return true;
}

bool node_find_child(const uint8_t *n, struct bytes key, unsigned *ret) {
  if (node_count(n) == 0 || !search(n, key, 1, true, ret)) return false;
  --*ret;
  return true;
}

size_t cell_bytes(unsigned level, const struct cell *c) {
  return NODE_SLOT + c->key.len + (level > 0 ? 8 : 2 + c->value.len);
}

size_t node_used(const uint8_t *n) {
  return node_count(n) * NODE_SLOT + (PAGE_BYTES - node_low(n)) - node_dead(n);
}

// Keys of an inner node that count for the shared bytes begin at the second.
static unsigned first_key(const uint8_t *n) {
  return node_level(n) > 0 ? 1 : 0;
}

static void set_heads(uint8_t *n, size_t shared) {
  put_u16_le(n + 8, (uint16_t) shared);
  struct cell c;
  for (unsigned i = first_key(n); i < node_count(n); i++)
    if (node_cell(n, i, &c)) put_u32_le(slot_at(n, i), head_of(c.key, shared));
}

static void put_cell(uint8_t *n, unsigned i, const struct cell *c) {
  unsigned level = node_level(n);
  size_t at = node_low(n) - (cell_bytes(level, c) - NODE_SLOT);
  if (c->key.len > 0) memcpy(n + at, c->key.ptr, c->key.len);
  size_t value = at + c->key.len;
  if (level == 0) put_u16_le(n + value, (uint16_t) c->value.len);
  if (c->value.len > 0) memcpy(n + value + (level == 0 ? 2 : 0), c->value.ptr, c->value.len);
  put_u16_le(n + 4, (uint16_t) at);
  put_u32_le(slot_at(n, i), head_of(c->key, node_shared(n)));
  put_u16_le(slot_at(n, i) + 4, (uint16_t) at);
  put_u16_le(slot_at(n, i) + 6, (uint16_t) c->key.len);
}

bool node_cells(const uint8_t *n, struct cell *ret) {
  if (node_count(n) > NODE_CELLS_MAX) return false;
  for (unsigned i = 0; i < node_count(n); i++)
    if (!node_cell(n, i, &ret[i])) return false;
  return true;
}

void node_build(uint8_t *n, unsigned level, const struct cell *cells, unsigned count) {
  node_init(n, level);
  put_u16_le(n + 2, (uint16_t) count);
  for (unsigned i = 0; i < count; i++) put_cell(n, i, &cells[i]);
  unsigned first = first_key(n);
  set_heads(n, count > first + 1 ? bytes_shared(cells[first].key, cells[count - 1].key) : 0);
}

static bool compact(uint8_t *n) {
  uint8_t copy[PAGE_BYTES];
  struct cell cells[NODE_CELLS_MAX];
  memcpy(copy, n, PAGE_BYTES);
  if (!node_cells(copy, cells)) return false;
  node_build(n, node_level(copy), cells, node_count(copy));
  return true;
}

bool node_insert(uint8_t *n, unsigned i, const struct cell *c) {
  unsigned count = node_count(n);
  size_t needed = cell_bytes(node_level(n), c);
  if (node_used(n) + needed > NODE_ROOM) return false;
  if (NODE_HEADER + count * NODE_SLOT + needed > node_low(n) && !compact(n)) return false;
  if (NODE_HEADER + count * NODE_SLOT + needed > node_low(n)) return false;
  memmove(slot_at(n, i + 1), slot_at(n, i), (count - i) * NODE_SLOT);
  put_u16_le(n + 2, (uint16_t) (count + 1));
  put_cell(n, i, c);
  struct cell other;
  unsigned neighbour = i > first_key(n) ? i - 1 : i + 1;
  if (i < first_key(n) || neighbour >= count + 1 || !node_cell(n, neighbour, &other)) {
    if (node_shared(n) > 0 && i >= first_key(n)) set_heads(n, 0);
    return true;
  }
  size_t shared = bytes_shared(c->key, other.key);
  if (shared < node_shared(n)) set_heads(n, shared);
  return true;
}

bool node_remove(uint8_t *n, unsigned i) {
  struct cell c;
  if (!node_cell(n, i, &c)) return false;
  size_t freed = cell_bytes(node_level(n), &c) - NODE_SLOT;
  memmove(slot_at(n, i), slot_at(n, i + 1), (node_count(n) - i - 1) * NODE_SLOT);
  put_u16_le(n + 2, (uint16_t) (node_count(n) - 1));
  put_u16_le(n + 6, (uint16_t) (node_dead(n) + freed));
  return true;
}
