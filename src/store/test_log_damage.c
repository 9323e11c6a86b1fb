// Every byte of the log cut and flipped in turn: what opening does must be what docs/formats/log.md says, and whatever it returns
// must be a prefix of what was written, never anything else.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "store/log.h"
#include "store/sim_disk.h"

enum {
  SEGMENTS = 3,
  BATCHES_PER_SEGMENT = 3,
  BATCHES = SEGMENTS * BATCHES_PER_SEGMENT,
  SEGMENT_BYTES = 2048,
  FILES = SEGMENTS + 1
};
enum { HEADER_BYTES = 80, SECTOR = 512 };

static const uint8_t uuid[16] = "a damaged log..";

struct image {
  char path[64];
  uint8_t *bytes;
  size_t size;
};

// A log of three segments with three batches each, one entry a batch.
struct original {
  struct image files[FILES]; // the segments, then the group state
  size_t payload_bytes[BATCHES];
};

static size_t payload_of(size_t batch, char to[128]) {
  size_t len = (size_t) snprintf(to, 128, "entry %zu", batch + 1);
  memset(to + len, 'a' + (int) batch, 20 + batch);
  return len + 20 + batch;
}

static struct log_options options = {.segment_bytes = SEGMENT_BYTES, .clustered = true};

static enum err open_log(struct sim_disk *disk, bool create, struct log **ret, struct error *e) {
  static struct clock_manual clock;
  clock_manual_init(&clock, 1000);
  return log_open(sim_disk_table(disk), "db", uuid, create, &options, &clock.clock, NULL, ret, e);
}

static void write_entry(struct log *l, size_t batch) {
  char text[128];
  struct log_entry entry = {.index = batch + 1, .term = 1 + batch / 4, .kind = LOG_TRANSACTION, .parts = LOG_END};
  entry.payload = (struct str){text, payload_of(batch, text)};
  assert_ok(log_append(l, &entry, 1, NULL));
  bool worked = false;
  assert_ok(log_writer_step(l, &worked, NULL));
  assert_true(worked);
}

static void read_image(struct sim_disk *disk, struct image *to) {
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(disk), to->path, DISK_READ_ONLY, &f, NULL));
  uint64_t size = 0;
  assert_ok(disk_size(f, &size, NULL));
  to->size = size;
  to->bytes = mem_alloc(size);
  assert_non_null(to->bytes);
  assert_ok(disk_read_all(f, 0, to->bytes, size, NULL));
  disk_close(f);
}

static void original_make(struct original *o) {
  struct sim_disk *disk = sim_disk_new(1);
  struct log *l = NULL;
  struct error e = ERROR_INIT;
  assert_ok(open_log(disk, true, &l, &e));
  for (size_t i = 0; i < BATCHES; i++) write_entry(l, i);
  log_close(l);
  for (size_t i = 0; i < SEGMENTS; i++) snprintf(o->files[i].path, sizeof o->files[i].path, "db/store.log.%08zu", i + 1);
  snprintf(o->files[SEGMENTS].path, sizeof o->files[SEGMENTS].path, "db/store.group");
  for (size_t i = 0; i < FILES; i++) read_image(disk, &o->files[i]);
  sim_disk_free(disk);
}

static void original_done(struct original *o) {
  for (size_t i = 0; i < FILES; i++) mem_free(o->files[i].bytes);
}

static struct sim_disk *disk_from(const struct original *o) {
  struct sim_disk *disk = sim_disk_new(2);
  struct disk *d = sim_disk_table(disk);
  for (size_t i = 0; i < FILES; i++) {
    struct disk_file *f = NULL;
    assert_ok(disk_open(d, o->files[i].path, DISK_WRITE | DISK_CREATE, &f, NULL));
    assert_ok(disk_write(f, 0, o->files[i].bytes, o->files[i].size, NULL));
    assert_ok(disk_sync(f, NULL));
    disk_close(f);
  }
  assert_ok(disk_sync_directory(d, "db", NULL));
  return disk;
}

/// How many entries the log holds, all of them as written; ERR_CORRUPT from reading counts as refusing.
static enum err entries_of(struct log *l, size_t *ret, struct error *e) {
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(l, 1, &c, e));
  enum err err = ERR_OK;
  for (*ret = 0; (err = log_cursor_next(c, &entry, e)) == ERR_OK && entry != NULL; ++*ret) {
    char text[128];
    size_t len = payload_of(*ret, text);
    assert_int_equal(entry->index, *ret + 1);
    assert_int_equal(entry->term, 1 + *ret / 4);
    assert_int_equal(entry->payload.len, len);
    assert_memory_equal(entry->payload.ptr, text, len);
  }
  log_cursor_close(c);
  return err;
}

#define REFUSED SIZE_MAX

/// Opens the damaged log and checks what it says: `expected` entries, or REFUSED with the place.
static void assert_outcome(struct sim_disk *disk, size_t expected, size_t segment, uint64_t at) {
  struct log *l = NULL;
  struct error e = ERROR_INIT;
  size_t found = 0;
  char place[32];
  snprintf(place, sizeof place, "%08zu", segment + 1);
  enum err err = open_log(disk, false, &l, &e);
  if (err == ERR_OK) err = entries_of(l, &found, &e);
  log_close(l);
  if (err != ERR_OK) found = REFUSED;
  if (found != expected)
    fail_msg("byte %llu of segment %zu: %zd entries, expected %zd (%s)", (unsigned long long) at, segment + 1, (ssize_t) found,
             (ssize_t) expected, e.message);
  if (err == ERR_OK) return;
  assert_int_equal(err, ERR_CORRUPT);
  assert_non_null(strstr(e.message, "segment"));
}

/// Where batch `n` of a segment begins and what of it carries meaning.
static void batch_place(const struct original *o, size_t segment, size_t n, uint64_t *ret_offset, uint64_t *ret_end) {
  uint64_t offset = SECTOR;
  for (;; n--) {
    uint32_t bytes;
    memcpy(&bytes, o->files[segment].bytes + offset + 16, sizeof bytes);
    *ret_offset = offset;
    *ret_end = offset + bytes;
    if (n == 0) return;
    offset = (*ret_end + SECTOR - 1) / SECTOR * SECTOR;
  }
}

/// The batch of a segment that byte `at` is part of; BATCHES_PER_SEGMENT if it is header, padding or empty room.
static size_t batch_at(const struct original *o, size_t segment, uint64_t at) {
  size_t n = 0;
  for (; n < BATCHES_PER_SEGMENT; n++) {
    uint64_t offset, end;
    batch_place(o, segment, n, &offset, &end);
    if (at >= offset && at < end) break;
  }
  return n;
}

static size_t whole_batches_below(const struct original *o, size_t segment, uint64_t size) {
  size_t n = 0;
  for (; n < BATCHES_PER_SEGMENT; n++) {
    uint64_t offset, end;
    batch_place(o, segment, n, &offset, &end);
    if (end > size) break;
  }
  return n;
}

static void cut(struct sim_disk *disk, const char *path, uint64_t size) {
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(disk), path, DISK_WRITE, &f, NULL));
  assert_ok(disk_truncate(f, size, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

TEST(a_last_segment_cut_at_any_byte_keeps_its_whole_batches) {
  struct original o;
  original_make(&o);
  const size_t last = SEGMENTS - 1, before = last * BATCHES_PER_SEGMENT;
  for (uint64_t size = 0; size < o.files[last].size; size++) {
    struct sim_disk *disk = disk_from(&o);
    cut(disk, o.files[last].path, size);
    assert_outcome(disk, before + whole_batches_below(&o, last, size), last, size);
    sim_disk_free(disk);
  }
  original_done(&o);
}

TEST(an_inner_segment_cut_inside_of_a_batch_is_refused) {
  struct original o;
  original_make(&o);
  for (uint64_t size = 0; size < o.files[1].size; size++) {
    struct sim_disk *disk = disk_from(&o);
    cut(disk, o.files[1].path, size);
    bool whole = size >= SECTOR && whole_batches_below(&o, 1, size) == BATCHES_PER_SEGMENT;
    assert_outcome(disk, whole ? (size_t) BATCHES : REFUSED, 1, size);
    sim_disk_free(disk);
  }
  original_done(&o);
}

/// What a flipped byte must lead to.
static size_t expected_of_flip(const struct original *o, size_t segment, uint64_t at) {
  if (at < HEADER_BYTES) return REFUSED;
  size_t batch = batch_at(o, segment, at);
  if (batch == BATCHES_PER_SEGMENT) return BATCHES; // padding
  bool very_last = segment == SEGMENTS - 1 && batch == BATCHES_PER_SEGMENT - 1;
  return very_last ? BATCHES - 1 : REFUSED;
}

static void flip_all_of(size_t segment) {
  static const uint8_t masks[] = {0x01, 0x80};
  struct original o;
  original_make(&o);
  for (uint64_t at = 0; at < o.files[segment].size; at++)
    for (size_t m = 0; m < ARRAY_SIZE(masks); m++) {
      struct sim_disk *disk = disk_from(&o);
      assert_true(sim_disk_flip(disk, o.files[segment].path, at, masks[m]));
      assert_outcome(disk, expected_of_flip(&o, segment, at), segment, at);
      sim_disk_free(disk);
    }
  original_done(&o);
}

TEST(a_flipped_byte_of_the_last_segment_costs_its_last_batch_or_is_refused) {
  flip_all_of(SEGMENTS - 1);
}

TEST(a_flipped_byte_of_an_inner_segment_is_refused) {
  flip_all_of(1);
}

TEST(a_flipped_byte_of_the_group_state_costs_nothing) {
  struct original o;
  original_make(&o);
  const struct image *group = &o.files[SEGMENTS];
  for (uint64_t at = 0; at < group->size; at += at % 16384 < 512 ? 1 : 101) {
    struct sim_disk *disk = disk_from(&o);
    assert_true(sim_disk_flip(disk, group->path, at, 0x04));
    assert_outcome(disk, BATCHES, SEGMENTS, at);
    sim_disk_free(disk);
  }
  original_done(&o);
}

TESTS(T(a_last_segment_cut_at_any_byte_keeps_its_whole_batches), T(an_inner_segment_cut_inside_of_a_batch_is_refused),
      T(a_flipped_byte_of_the_last_segment_costs_its_last_batch_or_is_refused), T(a_flipped_byte_of_an_inner_segment_is_refused),
      T(a_flipped_byte_of_the_group_state_costs_nothing))
