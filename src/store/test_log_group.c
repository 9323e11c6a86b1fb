// The group state: what never goes back, and which of its two slots counts when they are well sealed and yet say something else.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/fault.h"
#include "store/log_int.h"
#include "store/test_log_place.h"

static const char group_path[] = "db/store.group";

/// A member in term 5 that has voted for member 3.
static void member_init(struct place *p) {
  struct log_group_state g;
  place_make(p, (struct log_options){.segment_bytes = 4096, .clustered = true});
  log_group_state(p->log, &g);
  g.generation = 2;
  g.term = 5;
  g.vote = 3;
  g.member_count = 2;
  g.members[0] = (struct log_member){.id = 1, .role = 2, .address = "one:7000"};
  g.members[1] = (struct log_member){.id = 3, .role = 2, .address = "three:7000"};
  assert_ok(log_group_save(p->log, &g, NULL));
}

TEST(term_and_generation_never_go_back_and_members_have_a_limit) {
  static const struct {
    uint64_t generation, term;
    uint32_t members;
    enum err expected;
  } cases[] = {
      {2, 5, 2, ERR_OK},
      {2, 4, 2, ERR_INVALID},
      {1, 5, 2, ERR_INVALID},
      {1, 6, 2, ERR_INVALID},
      {3, 4, 2, ERR_INVALID},
      {2, 5, LOG_MEMBERS_MAX + 1, ERR_INVALID},
      {3, 6, LOG_MEMBERS_MAX, ERR_OK},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct place p;
    struct error e = ERROR_INIT;
    struct log_group_state g, kept;
    member_init(&p);
    log_group_state(p.log, &g);
    g.generation = cases[i].generation;
    g.term = cases[i].term;
    g.member_count = cases[i].members;
    assert_int_equal(log_group_save(p.log, &g, &e), cases[i].expected);
    if (cases[i].members > LOG_MEMBERS_MAX) assert_non_null(strstr(e.message, "65 members"));
    place_close(&p);
    assert_ok(place_open(&p, false, &e));
    log_group_state(p.log, &kept);
    bool saved = cases[i].expected == ERR_OK;
    assert_int_equal(kept.term, saved ? cases[i].term : 5);
    assert_int_equal(kept.generation, saved ? cases[i].generation : 2);
    assert_int_equal(kept.member_count, saved ? cases[i].members : 2);
    place_done(&p);
  }
}

TEST(a_stopped_log_saves_no_group_state) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  member_init(&p);
  log_group_state(p.log, &g);
  g.vote = 1;
  g.term = 6;
  sim_disk_fail(p.disk, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(log_group_save(p.log, &g, &e), ERR_IO);
  assert_int_equal(log_group_save(p.log, &g, &e), ERR_IO);
  assert_non_null(strstr(e.message, "The log stopped"));
  log_group_state(p.log, &g);
  assert_int_equal(g.vote, 3);
  place_done(&p);
}

// ---- forged slots ----

enum { CHECKSUM_AT = LOG_GROUP_SLOT_BYTES - 8, BOTH = 2 };

static void change_slot(struct place *p, unsigned slot, unsigned offset, unsigned width, uint64_t value) {
  uint8_t bytes[LOG_GROUP_SLOT_BYTES];
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(p->disk), group_path, DISK_WRITE, &f, NULL));
  assert_ok(disk_read_all(f, slot * LOG_GROUP_SLOT_BYTES, bytes, sizeof bytes, NULL));
  for (unsigned i = 0; i < width; i++) bytes[offset + i] = (uint8_t) (value >> (8 * i));
  put_u64_le(bytes + CHECKSUM_AT, hash64(bytes, CHECKSUM_AT, 0));
  assert_ok(disk_write(f, slot * LOG_GROUP_SLOT_BYTES, bytes, sizeof bytes, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

// Who goes on with the other slot may have forgotten a vote.
TEST(a_whole_slot_that_cannot_be_read_is_refused_though_the_other_could_be) {
  static const struct {
    unsigned offset, width;
    uint64_t value;
    enum err err;
    const char *why;
  } lies[] = {
      {4, 2, 2, ERR_UNSUPPORTED, "format version 2"},
      {16, 1, 'A', ERR_INVALID, "another database"},
      {8, 8, UINT64_MAX, ERR_CORRUPT, "18446744073709551615 times"},
      {96, 4, LOG_MEMBERS_MAX + 1, ERR_CORRUPT, "65 members"},
      {96, 4, UINT32_MAX, ERR_CORRUPT, "4294967295 members"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
    for (unsigned slot = 0; slot <= BOTH; slot++) {
      struct place p;
      struct error e = ERROR_INIT;
      member_init(&p);
      place_close(&p);
      for (unsigned s = 0; s < 2; s++)
        if (slot == s || slot == BOTH) change_slot(&p, s, lies[i].offset, lies[i].width, lies[i].value);
      assert_int_equal(place_open(&p, false, &e), lies[i].err);
      assert_non_null(strstr(e.message, lies[i].why));
      place_done(&p);
    }
}

TEST(of_two_whole_slots_the_one_saved_later_counts) {
  for (unsigned later = 0; later < 2; later++) {
    struct place p;
    struct error e = ERROR_INIT;
    struct log_group_state g;
    member_init(&p);
    place_close(&p);
    change_slot(&p, later, 8, 8, 99);
    change_slot(&p, later, 64, 8, 1); // the vote
    assert_ok(place_open(&p, false, &e));
    log_group_state(p.log, &g);
    assert_int_equal(g.vote, 1);
    place_close(&p);
    assert_true(sim_disk_flip(p.disk, group_path, later * LOG_GROUP_SLOT_BYTES + 20, 1)); // it was written to both
    assert_ok(place_open(&p, false, &e));
    log_group_state(p.log, &g);
    assert_int_equal(g.vote, 1);
    place_done(&p);
  }
}

TEST(slots_that_were_never_saved_are_none) {
  struct place p;
  struct error e = ERROR_INIT;
  member_init(&p);
  place_close(&p);
  change_slot(&p, 0, 8, 8, 0);
  change_slot(&p, 1, 8, 8, 0);
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "Both copies"));
  place_done(&p);
}

TEST(a_new_log_is_not_made_over_a_group_state_that_cannot_be_removed) {
  struct place p;
  struct error e = ERROR_INIT;
  member_init(&p);
  place_close(&p);
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.group", 0}, ERR_IO);
  assert_int_equal(place_open(&p, true, &e), ERR_IO);
  assert_null(p.log);
  place_done(&p);
}

TEST(an_address_without_an_end_is_cut_to_its_place) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  member_init(&p);
  place_close(&p);
  for (unsigned slot = 0; slot < 2; slot++)
    for (unsigned i = 0; i < 111; i++) change_slot(&p, slot, 104 + 9 + i, 1, 'a');
  assert_ok(place_open(&p, false, &e));
  log_group_state(p.log, &g);
  assert_int_equal(strlen(g.members[0].address), 110);
  assert_string_equal(g.members[1].address, "three:7000");
  place_done(&p);
}

// ---- a log that nobody has open ----

static enum err mark_installing(struct place *p, uint64_t copy, bool only, struct error *e) {
  return log_group_mark_installing(sim_disk_table(p->disk), "db", place_uuid, copy, only, e);
}

TEST(so_many_copies_may_be_the_store_and_no_more_until_it_is_opened) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  member_init(&p);
  place_close(&p);
  for (uint64_t copy = 1; copy <= LOG_COPIES_MAX; copy++) assert_ok(mark_installing(&p, copy, false, &e));
  assert_ok(mark_installing(&p, 3, false, &e)); // is named already
  assert_int_equal(mark_installing(&p, 99, false, &e), ERR_BUSY);
  assert_non_null(strstr(e.message, "open it"));
  assert_ok(log_group_look(sim_disk_table(p.disk), "db", place_uuid, &g, &e));
  assert_true(g.installing);
  for (uint64_t i = 0; i < LOG_COPIES_MAX; i++) assert_int_equal(g.installing_copies[i], i + 1); // nobody was forgotten
  assert_ok(mark_installing(&p, 99, true, &e));
  assert_ok(log_group_look(sim_disk_table(p.disk), "db", place_uuid, &g, &e));
  assert_int_equal(g.installing_copies[0], 99);
  assert_int_equal(g.installing_copies[1], 0);
  assert_int_equal(g.vote, 3); // what else was there is
  place_done(&p);
}

TEST(who_looks_without_memory_or_by_too_long_a_path_is_told_so) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  char path[DISK_PATH_MAX + 8];
  member_init(&p);
  place_close(&p);
  memset(path, 'a', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  assert_int_equal(log_group_look(sim_disk_table(p.disk), path, place_uuid, &g, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "too long"));
  enum err err = ERR_NOMEM;
  for (int64_t n = 0; err == ERR_NOMEM; n++) {
    fault_arm(&fault_alloc, n, 1);
    err = log_group_look(sim_disk_table(p.disk), "db", place_uuid, &g, &e);
    fault_disarm(&fault_alloc);
  }
  assert_ok(err);
  assert_int_equal(g.vote, 3);
  place_done(&p);
}

TESTS(T(term_and_generation_never_go_back_and_members_have_a_limit), T(a_stopped_log_saves_no_group_state),
      T(a_whole_slot_that_cannot_be_read_is_refused_though_the_other_could_be), T(of_two_whole_slots_the_one_saved_later_counts),
      T(slots_that_were_never_saved_are_none), T(a_new_log_is_not_made_over_a_group_state_that_cannot_be_removed),
      T(an_address_without_an_end_is_cut_to_its_place), T(so_many_copies_may_be_the_store_and_no_more_until_it_is_opened),
      T(who_looks_without_memory_or_by_too_long_a_path_is_told_so))
