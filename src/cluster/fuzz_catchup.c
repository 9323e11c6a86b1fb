// Fuzzes what reads requests and answers of catch-up, and what a copy makes of them: the first byte says which. A message's
// magic, version, length, number and checksum are put right, so that the fuzzer gets at what is behind; what decodes is written
// again and must be the same bytes. A head and pieces go to a copy on a disk in memory, with checksums of pages put right from
// the root down.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/catchup_message.h"
#include "store/copy.h"
#include "store/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static void read_message(const uint8_t *data, size_t size) {
  static uint8_t message[1 << 16];
  struct catchup_message m;
  size_t bytes = 0;
  if (catchup_message_peek(data, size, &bytes, NULL) == ERR_OK && bytes == size)
    (void) !catchup_message_get(data, size, 1, &m, NULL);
  if (size < CATCHUP_HEADER_BYTES || size > sizeof message) return;
  memcpy(message, data, size);
  memcpy(message, "QVCU\1\0", 6);
  message[7] = 0;
  put_u32_le(message + 8, (uint32_t) (size - CATCHUP_HEADER_BYTES));
  put_u32_le(message + 12, 1);
  put_u64_le(message + 16, hash64(message + CATCHUP_HEADER_BYTES, size - CATCHUP_HEADER_BYTES, hash64(message, 16, 0)));
  if (catchup_message_get(message, size, 1, &m, NULL) != ERR_OK) return;
  struct buf again = BUF_INIT;
  must(catchup_message_put(&again, 1, &m) == ERR_OK);
  must(again.len == size && memcmp(again.data, message, size) == 0);
  if (m.type == CATCHUP_ENTRIES) {
    struct log_entry entry;
    size_t at = 0;
    for (uint32_t i = 0; i < m.entries.count && log_get_entry(m.entries.bytes, m.entries.size, &at, &entry); i++)
      must(at <= m.entries.size);
  }
  buf_done(&again);
}

// ---- copies ----

static uint32_t page_hash(const uint8_t *page) {
  return checksum32(page, PAGE_BYTES, 0);
}

// The pages of a piece, as few bytes as possible from the input: a map page is its header and some entries.
static void make_map_page(uint8_t *page, unsigned kind, unsigned level, const uint8_t *from, size_t size) {
  memset(page, 0, PAGE_BYTES);
  put_u32_le(page, 0x504D5651u);
  page[4] = (uint8_t) kind;
  page[5] = (uint8_t) level;
  for (size_t i = 0; i + 3 <= size; i += 3) {
    uint8_t *entry = page + 16 + from[i] % 40 * 10;
    put_u16_le(entry, get_u16_le(from + i + 1) % 80);
  }
}

// Names the page `below` in the first entry that names anything.
static void link_page(uint8_t *page, const uint8_t *below) {
  for (size_t i = 0; i < 408; i++) {
    uint8_t *entry = page + 16 + i * 10;
    if (get_u32_le(entry) == 0) continue;
    put_u32_le(entry + 6, page_hash(below));
    return;
  }
}

static void copy_piece(const uint8_t *data, size_t size) {
  static _Alignas(PAGE_BYTES) uint8_t piece[CHECKPOINT_PIECE_BYTES_MAX];
  static uint8_t head[CHECKPOINT_HEAD_BYTES];
  struct sim_disk *disk = sim_disk_new(1);
  struct store_copy *c = NULL;
  size_t part = size / 5;
  for (unsigned i = 0; i < 4; i++) make_map_page(piece + i * PAGE_BYTES, 1, 3 - i, data + i * part, part);
  size_t pages = 4;
  for (size_t i = 0; i < 408; i++) {
    uint8_t *entry = piece + 3 * PAGE_BYTES + 16 + i * 10, *page = piece + pages * PAGE_BYTES;
    if (get_u32_le(entry) == 0) continue;
    memset(page, (int) i, PAGE_BYTES);
    put_u32_le(entry + 6, page_hash(page));
    pages++;
  }
  for (unsigned i = 3; i-- > 0;) link_page(piece + i * PAGE_BYTES, piece + (i + 1) * PAGE_BYTES);
  memset(head, 0, sizeof head);
  memcpy(head, data + 4 * part, MIN(size - 4 * part, sizeof head));
  memcpy(head, "QVPS\1\0\0\20", 8);
  put_u64_le(head + 56, 2);
  put_u32_le(head + 64, page_hash(piece));
  put_u64_le(head + 72, 0);
  put_u64_le(head + 88, 64);
  put_u32_le(head + 112, get_u32_le(head + 112) % 40);
  put_u64_le(head + 4088, hash64(head, 4088, 0));
  if (store_copy_open(sim_disk_table(disk), "to", head, &c, NULL) == ERR_OK) {
    uint64_t before = store_copy_position(c);
    enum err err = store_copy_add(c, piece, pages * PAGE_BYTES, NULL);
    must(err == ERR_OK || err == ERR_CORRUPT);
    must((err == ERR_OK) == (store_copy_position(c) != before));
    if (store_copy_position(c) == CHECKPOINT_END) must(store_copy_finish(c, NULL) == ERR_OK);
    store_copy_close(c);
  }
  sim_disk_free(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] % 2 == 0)
    read_message(data + 1, size - 1);
  else
    copy_piece(data + 1, size - 1);
  return 0;
}
