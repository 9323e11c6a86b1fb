// Fuzzes what reads the group state: the input is the beginning of two slots. Magic, version, uuid and checksum are put right
// unless the input says otherwise, so that the fuzzer gets at what stands behind them. What must hold: the state is that of the
// whole slot with the higher sequence, it fits its limits, and it is the same when it is read again; anything else is refused,
// and stays refused.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "store/log_int.h"
#include "store/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 4, SLOTS = 2, CHECKSUM_AT = LOG_GROUP_SLOT_BYTES - 8 };

#define SEQUENCE_MAX (UINT64_MAX / 2)

// What the input leaves wrong of a slot.
enum wrong { WRONG_MAGIC = 1 << 0, WRONG_VERSION = 1 << 1, WRONG_UUID = 1 << 2, WRONG_CHECKSUM = 1 << 3 };

static const uint8_t uuid[16] = "a fuzzed group";

static void must(bool holds) {
  if (!holds) abort();
}

static void put_right(uint8_t *slot, unsigned wrong) {
  if (!(wrong & WRONG_MAGIC)) put_u32_le(slot, 0x53475651u);
  if (!(wrong & WRONG_VERSION)) put_u16_le(slot + 4, LOG_FORMAT_VERSION);
  if (!(wrong & WRONG_UUID)) memcpy(slot + 16, uuid, 16);
  if (!(wrong & WRONG_CHECKSUM)) put_u64_le(slot + CHECKSUM_AT, hash64(slot, CHECKSUM_AT, 0));
}

/// Four bits of what is wrong for each slot, how much of the input is the first slot, and how long the file is (0: whole).
static size_t make_file(const uint8_t *data, size_t size, uint8_t file[SLOTS * LOG_GROUP_SLOT_BYTES]) {
  memset(file, 0, SLOTS * LOG_GROUP_SLOT_BYTES);
  if (size < HEAD_BYTES) return SLOTS * LOG_GROUP_SLOT_BYTES;
  size_t first = MIN(get_u16_le(data + 1), size - HEAD_BYTES), second = size - HEAD_BYTES - first;
  memcpy(file, data + HEAD_BYTES, MIN(first, (size_t) CHECKSUM_AT));
  memcpy(file + LOG_GROUP_SLOT_BYTES, data + HEAD_BYTES + first, MIN(second, (size_t) CHECKSUM_AT));
  put_right(file, data[0] & 15u);
  put_right(file + LOG_GROUP_SLOT_BYTES, data[0] >> 4);
  return data[3] == 0 ? SLOTS * LOG_GROUP_SLOT_BYTES : data[3] * 128u;
}

static void write_file(struct disk *d, const uint8_t *bytes, size_t size) {
  struct disk_file *f = NULL;
  must(disk_open(d, "db/store.group", DISK_WRITE, &f, NULL) == ERR_OK && disk_truncate(f, 0, NULL) == ERR_OK &&
       disk_write(f, 0, bytes, size, NULL) == ERR_OK);
  disk_close(f);
}

static bool is_whole(const uint8_t *slot) {
  return get_u32_le(slot) == 0x53475651u && get_u64_le(slot + CHECKSUM_AT) == hash64(slot, CHECKSUM_AT, 0);
}

/// The slot that counts; NULL if there is none, or one that is whole and cannot be used.
static const uint8_t *slot_that_counts(const uint8_t *file) {
  const uint8_t *best = NULL;
  for (unsigned i = 0; i < SLOTS; i++) {
    const uint8_t *slot = file + i * LOG_GROUP_SLOT_BYTES;
    if (!is_whole(slot)) continue;
    uint64_t sequence = get_u64_le(slot + 8);
    if (get_u16_le(slot + 4) != LOG_FORMAT_VERSION || memcmp(slot + 16, uuid, 16) != 0 || sequence > SEQUENCE_MAX) return NULL;
    if (get_u32_le(slot + 96) > LOG_MEMBERS_MAX) return NULL;
    if (sequence > 0 && (best == NULL || sequence > get_u64_le(best + 8))) best = slot;
  }
  return best;
}

static void check_state(const struct log_group_state *g, const uint8_t *slot) {
  const uint64_t words[] = {g->generation, g->incarnation,    g->member_id,     g->term,
                            g->vote,       g->snapshot_index, g->snapshot_term, g->membership_index};
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) must(words[i] == get_u64_le(slot + 32 + 8 * i));
  uint32_t flags = get_u32_le(slot + 100);
  must(g->member_count == get_u32_le(slot + 96) && g->installing == ((flags & 1) != 0) && g->follows == ((flags & 2) != 0));
  for (uint32_t i = 0; i < LOG_COPIES_MAX; i++)
    must(g->installing_copies[i] == get_u64_le(slot + 104 + 120 * LOG_MEMBERS_MAX + 8 * i));
  for (uint32_t i = 0; i < g->member_count; i++) {
    must(g->members[i].id == get_u64_le(slot + 104 + 120 * i));
    must(memchr(g->members[i].address, 0, sizeof g->members[i].address) != NULL);
  }
}

static enum err open_log(struct disk *d, bool create, struct log **ret, struct error *e) {
  static struct clock_manual clock;
  static const struct log_options options = {.clustered = true, .segment_bytes = 16384};
  clock_manual_init(&clock, 1);
  return log_open(d, "db", uuid, create, &options, &clock.clock, NULL, ret, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t file[SLOTS * LOG_GROUP_SLOT_BYTES];
  static struct log_group_state state;
  struct sim_disk *disk = sim_disk_new(1);
  struct log *l = NULL;
  must(open_log(sim_disk_table(disk), true, &l, NULL) == ERR_OK);
  log_close(l);
  size_t bytes = make_file(data, size, file);
  write_file(sim_disk_table(disk), file, bytes);
  memset(file + bytes, 0, sizeof file - bytes);
  const uint8_t *slot = slot_that_counts(file);
  int lives = slot != NULL && get_u64_le(slot + 8) == SEQUENCE_MAX ? 1 : 2; // each opening saves it once
  for (int life = 0; life < lives; life++) {
    struct error e = ERROR_INIT;
    enum err err = open_log(sim_disk_table(disk), false, &l, &e);
    must((err == ERR_OK) == (slot != NULL));
    if (err != ERR_OK) {
      must((err == ERR_CORRUPT || err == ERR_INVALID || err == ERR_UNSUPPORTED) && e.message[0] != '\0');
      continue;
    }
    log_group_state(l, &state);
    check_state(&state, slot);
    log_close(l);
  }
  sim_disk_free(disk);
  return 0;
}
