// Well-sealed lies: a log in which one field is changed and everything that vouches for it (checksums, chains) is made right
// again. No checksum notices; what the parts of the log say about each other must. Each lie is refused, with the segment that
// tells it.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "base/test.h"
#include "store/log_int.h"
#include "store/sim_disk.h"

enum { SEGMENTS = 3, BATCHES = 3, ENTRIES = 2, SEGMENT_BYTES = 2048, ENTRY_BYTES = LOG_ENTRY_HEADER_BYTES + 16 };

static const uint8_t uuid[16] = "a forged log";
static struct log_options options = {.segment_bytes = SEGMENT_BYTES, .clustered = true};

static enum err open_log(struct sim_disk *disk, bool create, struct log **ret, struct error *e) {
  static struct clock_manual clock;
  clock_manual_init(&clock, 1000);
  return log_open(sim_disk_table(disk), "db", uuid, create, &options, &clock.clock, NULL, ret, e);
}

// ---- a true log: three segments of three batches of two entries each; each segment has its own term, and all but the last batch
// is committed when the next one is written ----

static void write_batch(struct log *l, uint64_t n) {
  struct log_entry entries[ENTRIES];
  bool worked = false;
  for (uint64_t i = 0; i < ENTRIES; i++) {
    uint64_t index = n * ENTRIES + i + 1;
    entries[i] = (struct log_entry){.index = index,
                                    .term = 2 + n / BATCHES,
                                    .kind = LOG_TRANSACTION,
                                    .parts = LOG_END,
                                    .commit_time_ns = 1000 + (int64_t) index,
                                    .metadata = STR("who"),
                                    .sections = STR("was"),
                                    .payload = STR("a payload.")};
  }
  assert_ok(log_append(l, entries, ENTRIES, NULL));
  assert_ok(log_writer_step(l, &worked, NULL));
  log_commit_mark(l, n > 0 ? n * ENTRIES : 0);
}

static struct sim_disk *true_log(void) {
  struct sim_disk *disk = sim_disk_new(1);
  struct log *l = NULL;
  assert_ok(open_log(disk, true, &l, NULL));
  for (uint64_t n = 0; n < SEGMENTS * BATCHES; n++) write_batch(l, n);
  assert_int_equal(l->segment_count, SEGMENTS);
  log_close(l);
  return disk;
}

struct image {
  uint8_t bytes[SEGMENTS][SEGMENT_BYTES];
};

static struct disk_file *segment_file(struct sim_disk *disk, unsigned segment) {
  char path[64];
  struct disk_file *f = NULL;
  snprintf(path, sizeof path, "db/store.log.%08u", segment + 1);
  assert_ok(disk_open(sim_disk_table(disk), path, DISK_WRITE, &f, NULL));
  return f;
}

static void read_image(struct sim_disk *disk, struct image *to) {
  for (unsigned s = 0; s < SEGMENTS; s++) {
    struct disk_file *f = segment_file(disk, s);
    assert_ok(disk_read_all(f, 0, to->bytes[s], SEGMENT_BYTES, NULL));
    disk_close(f);
  }
}

static void write_image(struct sim_disk *disk, const struct image *from) {
  for (unsigned s = 0; s < SEGMENTS; s++) {
    struct disk_file *f = segment_file(disk, s);
    assert_ok(disk_write(f, 0, from->bytes[s], SEGMENT_BYTES, NULL));
    assert_ok(disk_sync(f, NULL));
    disk_close(f);
  }
}

// ---- a lie: one field of the log, told by where it stands ----

enum part { SEGMENT, BATCH, ENTRY };

struct lie {
  const char *about;
  enum part part;
  unsigned segment, batch, entry; // from 0
  unsigned offset, width;         // of the field, as docs/formats/log.md has it
  int64_t by;                     // added to the field
  enum err err;
  unsigned accused; // segment, from 1
  const char *why;
};

static uint8_t *batch_bytes(struct image *image, unsigned segment, unsigned batch) {
  return image->bytes[segment] + LOG_SECTOR * (1 + batch);
}

static uint8_t *lie_place(struct image *image, const struct lie *lie) {
  if (lie->part == SEGMENT) return image->bytes[lie->segment] + lie->offset;
  uint8_t *batch = batch_bytes(image, lie->segment, lie->batch);
  return lie->part == BATCH ? batch + lie->offset : batch + LOG_BATCH_HEADER_BYTES + lie->entry * ENTRY_BYTES + lie->offset;
}

static void tell(struct image *image, const struct lie *lie) {
  uint8_t *at = lie_place(image, lie);
  switch (lie->width) {
  case 1: *at = (uint8_t) (*at + lie->by); break;
  case 2: put_u16_le(at, (uint16_t) (get_u16_le(at) + lie->by)); break;
  case 4: put_u32_le(at, (uint32_t) (get_u32_le(at) + lie->by)); break;
  default: put_u64_le(at, get_u64_le(at) + (uint64_t) lie->by); break;
  }
}

static void put_chain(uint8_t *to, uint64_t chain, const uint8_t *lied) {
  if (to != lied) put_u64_le(to, chain);
}

/// Makes every checksum and chain right again, but for a chain that is itself the lie.
static void seal(struct image *image, const struct lie *lie) {
  const uint8_t *lied = lie_place(image, lie);
  uint64_t chain = get_u64_le(image->bytes[0] + 48);
  for (unsigned s = 0; s < SEGMENTS; s++) {
    uint8_t *header = image->bytes[s];
    put_chain(header + 48, chain, lied);
    put_u64_le(header + 72, hash64(header, 72, 0));
    for (unsigned b = 0; b < BATCHES; b++) {
      uint8_t *batch = batch_bytes(image, s, b);
      put_chain(batch + 64, chain, lied);
      uint32_t bytes = MIN(MAX(get_u32_le(batch + 16), LOG_BATCH_HEADER_BYTES), SEGMENT_BYTES - LOG_SECTOR * (1 + b));
      chain = log_batch_checksum(batch, bytes);
      put_u64_le(batch + 80, chain);
    }
  }
}

static void assert_refused(struct sim_disk *disk, const struct lie *lie) {
  char place[32];
  struct error e = ERROR_INIT;
  struct log *l = NULL;
  enum err err = open_log(disk, false, &l, &e);
  snprintf(place, sizeof place, "egment %08u", lie->accused);
  if (err == ERR_OK) log_close(l);
  if (err != lie->err || strstr(e.message, lie->why) == NULL || strstr(e.message, place) == NULL)
    fail_msg("%s: expected %s about segment %u and '%s', got %s: %s", lie->about, err_name(lie->err), lie->accused, lie->why,
             err_name(err), e.message);
}

static void tell_each(const struct lie *lies, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct sim_disk *disk = true_log();
    struct image image;
    read_image(disk, &image);
    tell(&image, &lies[i]);
    seal(&image, &lies[i]);
    write_image(disk, &image);
    assert_refused(disk, &lies[i]);
    assert_refused(disk, &lies[i]); // refusing has changed nothing
    sim_disk_free(disk);
  }
}

TEST(sealing_again_what_nobody_changed_is_the_same_log) {
  const struct lie none = {.part = SEGMENT, .offset = 80};
  struct sim_disk *disk = true_log();
  struct image before, after;
  struct log *l = NULL;
  read_image(disk, &before);
  after = before;
  seal(&after, &none);
  assert_memory_equal(&before, &after, sizeof before);
  assert_ok(open_log(disk, false, &l, NULL));
  assert_ok(log_check(l, NULL));
  log_close(l);
  sim_disk_free(disk);
}

TEST(a_segments_header_that_lies_is_refused) {
  static const struct lie lies[] = {
      {"an unknown version, first", SEGMENT, 0, 0, 0, 4, 2, 1, ERR_UNSUPPORTED, 1, "format version 2"},
      {"an unknown version, last", SEGMENT, 2, 0, 0, 4, 2, 6, ERR_UNSUPPORTED, 3, "format version 7"},
      {"another database", SEGMENT, 0, 0, 0, 16, 8, 1, ERR_INVALID, 1, "another database"},
      {"another database, last", SEGMENT, 2, 0, 0, 24, 8, 1, ERR_INVALID, 3, "another database"},
      {"the number of the one before", SEGMENT, 1, 0, 0, 8, 8, -1, ERR_CORRUPT, 2, "another segment's"},
      {"the number of the next one", SEGMENT, 0, 0, 0, 8, 8, 1, ERR_CORRUPT, 1, "another segment's"},
      {"entry 0 is next", SEGMENT, 0, 0, 0, 32, 8, -1, ERR_CORRUPT, 1, "no entry 0"},
      {"entry 0 is next, last", SEGMENT, 2, 0, 0, 32, 8, -13, ERR_CORRUPT, 3, "no entry 0"},
      {"the log begins later", SEGMENT, 0, 0, 0, 32, 8, 1, ERR_CORRUPT, 1, "before the log's beginning"},
      {"an entry is left out", SEGMENT, 1, 0, 0, 32, 8, 1, ERR_CORRUPT, 2, "does not continue"},
      {"an entry is there twice", SEGMENT, 1, 0, 0, 32, 8, -1, ERR_CORRUPT, 2, "does not continue"},
      {"a term before the first", SEGMENT, 0, 0, 0, 40, 8, 1, ERR_CORRUPT, 1, "does not continue"},
      {"a higher term before", SEGMENT, 1, 0, 0, 40, 8, 1, ERR_CORRUPT, 2, "does not continue"},
      {"a lower term before", SEGMENT, 2, 0, 0, 40, 8, -1, ERR_CORRUPT, 3, "does not continue"},
      {"a chain from elsewhere", SEGMENT, 1, 0, 0, 48, 8, 1, ERR_CORRUPT, 1, "another segment follows"},
      {"the first of a log, with a chain", SEGMENT, 0, 0, 0, 48, 8, 1, ERR_CORRUPT, 1, "nothing is before it"},
      {"the one before ends earlier", SEGMENT, 1, 0, 0, 56, 8, -512, ERR_CORRUPT, 1, "another segment follows"},
      {"the one before ends later", SEGMENT, 2, 0, 0, 56, 8, 512, ERR_CORRUPT, 2, "another segment follows"},
  };
  tell_each(lies, ARRAY_SIZE(lies));
}

// In front of others, a batch that is none ends its segment early; the next segment knows better.
TEST(a_batchs_header_that_lies_is_refused) {
  static const struct lie lies[] = {
      {"an unknown version", BATCH, 1, 1, 0, 4, 2, 1, ERR_CORRUPT, 2, "another segment follows"},
      {"another database", BATCH, 0, 0, 0, 24, 8, 1, ERR_CORRUPT, 1, "another segment follows"},
      {"fewer entries", BATCH, 1, 1, 0, 12, 4, -1, ERR_CORRUPT, 2, "longer than its entries"},
      {"no entries", BATCH, 1, 1, 0, 12, 4, -2, ERR_CORRUPT, 2, "longer than its entries"},
      {"more entries than have room", BATCH, 1, 1, 0, 12, 4, 1, ERR_CORRUPT, 2, "another segment follows"},
      {"less bytes than its entries", BATCH, 1, 1, 0, 16, 4, -8, ERR_CORRUPT, 2, "entry does not fit"},
      {"more bytes than its entries", BATCH, 1, 1, 0, 16, 4, 8, ERR_CORRUPT, 2, "longer than its entries"},
      {"less bytes than a header", BATCH, 1, 1, 0, 16, 4, -200, ERR_CORRUPT, 2, "another segment follows"},
      {"another place", BATCH, 1, 1, 0, 20, 4, 1, ERR_CORRUPT, 2, "another segment follows"},
      {"an entry is left out", BATCH, 1, 1, 0, 48, 8, 1, ERR_CORRUPT, 2, "does not continue"},
      {"one that is not committed is voided", BATCH, 1, 1, 0, 48, 8, -1, ERR_CORRUPT, 2, "entry does not fit"},
      {"one that is committed is voided", BATCH, 1, 1, 0, 48, 8, -5, ERR_CORRUPT, 2, "voids what is committed"},
      {"entry 0", BATCH, 0, 0, 0, 48, 8, -1, ERR_CORRUPT, 1, "another segment follows"},
      {"indexes that wrap", BATCH, 0, 0, 0, 48, 8, -2, ERR_CORRUPT, 1, "out of range"},
      {"what comes later is committed", BATCH, 1, 1, 0, 56, 8, 5, ERR_CORRUPT, 2, "calls committed what is not there"},
      {"a chain from elsewhere", BATCH, 1, 1, 0, 64, 8, 1, ERR_CORRUPT, 2, "another segment follows"},
      {"a higher term before", BATCH, 1, 1, 0, 72, 8, 1, ERR_CORRUPT, 2, "does not continue"},
      {"a lower term before", BATCH, 2, 0, 0, 72, 8, -1, ERR_CORRUPT, 3, "does not continue"},
  };
  tell_each(lies, ARRAY_SIZE(lies));
}

// The last batch of all has nothing behind it, and still is no torn end.
TEST(a_last_batch_that_lies_is_refused_and_not_cut) {
  static const struct lie lies[] = {
      {"an unknown version", BATCH, 2, 2, 0, 4, 2, 1, ERR_UNSUPPORTED, 3, "format version 2"},
      {"unknown commands", BATCH, 2, 2, 0, 6, 2, 1, ERR_UNSUPPORTED, 3, "commands of version 2"},
      {"unknown commands, with others behind", BATCH, 2, 0, 0, 6, 2, 1, ERR_UNSUPPORTED, 3, "commands of version 2"},
      {"another database", BATCH, 2, 2, 0, 24, 8, 1, ERR_INVALID, 3, "another database"},
      {"another database, second half", BATCH, 2, 2, 0, 32, 8, 1, ERR_INVALID, 3, "another database"},
      {"more entries than have room", BATCH, 2, 2, 0, 12, 4, 1, ERR_CORRUPT, 3, "does not fit its place"},
      {"another place", BATCH, 2, 2, 0, 20, 4, -1, ERR_CORRUPT, 3, "does not fit its place"},
      {"a chain from elsewhere", BATCH, 2, 2, 0, 64, 8, 1, ERR_CORRUPT, 3, "does not fit its place"},
      {"entry 0", BATCH, 2, 2, 0, 48, 8, -17, ERR_CORRUPT, 3, "does not fit its place"},
  };
  tell_each(lies, ARRAY_SIZE(lies));
}

// Were it opened, the entries that are written next would void what it calls committed: the log would go on, and the opening
// after that would refuse all of it.
TEST(a_log_whose_end_calls_committed_what_it_does_not_hold_is_refused_before_it_goes_on) {
  static const struct lie lies[] = {
      {"one entry behind the last", BATCH, 2, 2, 0, 56, 8, 19 - 14, ERR_CORRUPT, 3, "calls committed what is not there"},
      {"all entries there can be", BATCH, 2, 2, 0, 56, 8, -15, ERR_CORRUPT, 3, "calls committed what is not there"},
  };
  tell_each(lies, ARRAY_SIZE(lies));
}

TEST(a_log_whose_last_batch_is_called_committed_by_itself_opens_and_goes_on) {
  const struct lie whole = {.part = BATCH, .segment = 2, .batch = 2, .offset = 56, .width = 8, .by = 18 - 14};
  struct sim_disk *disk = true_log();
  struct image image;
  struct log *l = NULL;
  read_image(disk, &image);
  tell(&image, &whole);
  seal(&image, &whole);
  write_image(disk, &image);
  assert_ok(open_log(disk, false, &l, NULL));
  assert_int_equal(log_commit_index(l), 18);
  write_batch(l, SEGMENTS * BATCHES);
  log_close(l);
  assert_ok(open_log(disk, false, &l, NULL));
  assert_int_equal(log_durable_index(l), 20);
  log_close(l);
  sim_disk_free(disk);
}

TEST(an_entry_that_does_not_fit_its_batch_is_refused) {
  static const struct lie lies[] = {
      {"longer than its parts", ENTRY, 1, 1, 0, 0, 4, 8, ERR_CORRUPT, 2, "entry does not fit"},
      {"shorter than its parts", ENTRY, 1, 1, 1, 0, 4, -8, ERR_CORRUPT, 2, "entry does not fit"},
      {"no kind", ENTRY, 1, 1, 0, 4, 1, -2, ERR_CORRUPT, 2, "entry does not fit"},
      {"an unknown kind", ENTRY, 1, 1, 0, 4, 1, 6, ERR_CORRUPT, 2, "entry does not fit"},
      {"neither part nor end", ENTRY, 1, 1, 1, 5, 1, -2, ERR_CORRUPT, 2, "entry does not fit"},
      {"part and end", ENTRY, 1, 1, 1, 5, 1, 1, ERR_CORRUPT, 2, "entry does not fit"},
      {"a short header", ENTRY, 1, 1, 0, 6, 2, -1, ERR_CORRUPT, 2, "entry does not fit"},
      {"a header longer than the entry", ENTRY, 1, 1, 0, 6, 2, 100, ERR_CORRUPT, 2, "entry does not fit"},
      {"the index of the next one", ENTRY, 1, 1, 0, 8, 8, 1, ERR_CORRUPT, 2, "entry does not fit"},
      {"the index of the one before", ENTRY, 1, 1, 1, 8, 8, -1, ERR_CORRUPT, 2, "entry does not fit"},
      {"more metadata", ENTRY, 2, 2, 1, 48, 4, 1, ERR_CORRUPT, 3, "entry does not fit"},
      {"more sections", ENTRY, 2, 2, 1, 52, 4, 1, ERR_CORRUPT, 3, "entry does not fit"},
      {"a payload that fills 4 GB", ENTRY, 2, 2, 1, 56, 4, -11, ERR_CORRUPT, 3, "entry does not fit"},
      {"a term that goes back", ENTRY, 2, 0, 0, 16, 8, -2, ERR_CORRUPT, 3, "a term goes back"},
      {"a term that goes back within a batch", ENTRY, 1, 1, 1, 16, 8, -1, ERR_CORRUPT, 2, "a term goes back"},
      {"a term that the next batch does not know", ENTRY, 1, 1, 1, 16, 8, 1, ERR_CORRUPT, 2, "does not continue"},
      {"a term that the next segment does not know", ENTRY, 1, 2, 1, 16, 8, 7, ERR_CORRUPT, 3, "does not continue"},
  };
  tell_each(lies, ARRAY_SIZE(lies));
}

// Nothing else in the log speaks of these; whoever reads the entries finds the one that can be found.
TEST(a_commit_time_that_goes_back_is_found_by_the_check) {
  const struct lie lie = {.part = ENTRY, .segment = 1, .batch = 1, .offset = 24, .width = 8, .by = -500};
  struct sim_disk *disk = true_log();
  struct image image;
  struct log *l = NULL;
  struct error e = ERROR_INIT;
  read_image(disk, &image);
  tell(&image, &lie);
  seal(&image, &lie);
  write_image(disk, &image);
  assert_ok(open_log(disk, false, &l, &e));
  assert_int_equal(log_check(l, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "commit time goes back"));
  log_close(l);
  sim_disk_free(disk);
}

// ---- lies told while the log is open ----

/// What a reader finds when a segment is exchanged for a forged one under it.
static enum err read_under(const struct lie *lie, uint64_t from, struct error *e) {
  struct sim_disk *disk = true_log();
  struct image image;
  struct log *l = NULL;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  assert_ok(open_log(disk, false, &l, e));
  read_image(disk, &image);
  tell(&image, lie);
  seal(&image, lie);
  write_image(disk, &image);
  assert_ok(log_cursor_open(l, from, &c, e));
  enum err err;
  while ((err = log_cursor_next(c, &entry, e)) == ERR_OK && entry != NULL) {
  }
  log_cursor_close(c);
  log_close(l);
  sim_disk_free(disk);
  return err;
}

TEST(a_reader_notices_what_is_forged_after_the_log_was_opened) {
  static const struct lie lies[] = {
      {"another database", BATCH, 1, 1, 0, 24, 8, 1, ERR_CORRUPT, 2, "egment 00000002"},
      {"a batch that begins later", BATCH, 1, 1, 0, 48, 8, 2, ERR_CORRUPT, 2, "egment 00000002"},
      {"a batch without entries", BATCH, 1, 1, 0, 12, 4, -2, ERR_CORRUPT, 2, "egment 00000002"},
      {"an entry with another index", ENTRY, 1, 1, 1, 8, 8, 1, ERR_CORRUPT, 2, "Log entry 10 does not fit"},
      {"an entry of no kind", ENTRY, 1, 1, 1, 4, 1, -2, ERR_CORRUPT, 2, "Log entry 10 does not fit"},
      {"an entry in front that cannot be skipped", ENTRY, 1, 1, 0, 4, 1, -2, ERR_CORRUPT, 2, "egment 00000002"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
    struct error e = ERROR_INIT;
    assert_int_equal(read_under(&lies[i], 10, &e), ERR_CORRUPT);
    if (strstr(e.message, lies[i].why) == NULL) fail_msg("%s: %s", lies[i].about, e.message);
  }
}

TESTS(T(sealing_again_what_nobody_changed_is_the_same_log), T(a_segments_header_that_lies_is_refused),
      T(a_batchs_header_that_lies_is_refused), T(a_last_batch_that_lies_is_refused_and_not_cut),
      T(a_log_whose_end_calls_committed_what_it_does_not_hold_is_refused_before_it_goes_on),
      T(a_log_whose_last_batch_is_called_committed_by_itself_opens_and_goes_on),
      T(an_entry_that_does_not_fit_its_batch_is_refused), T(a_commit_time_that_goes_back_is_found_by_the_check),
      T(a_reader_notices_what_is_forged_after_the_log_was_opened))
