// A store is copied from one disk to another: under writes, piece by damaged piece, and into the place of another one.
#include "store/test_copy_place.h"

TEST(an_empty_directory_gets_the_store_and_its_log_begins_behind_it) {
  struct world w;
  struct store *s = NULL;
  world_init(&w);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  assert_is_the_copy(&w, s);
  struct log_group_state g;
  log_group_state(store_log(s), &g);
  assert_false(g.installing);
  assert_int_equal(g.snapshot_index, w.pin.identity.applied.index);
  assert_int_equal(log_first_index(store_log(s)), w.pin.identity.applied.index + 1);
  assert_int_equal(log_last_index(store_log(s)), w.pin.identity.applied.index);
  struct log_entry next = {
      .index = w.pin.identity.applied.index + 1, .term = 1, .kind = LOG_NOOP, .parts = LOG_END, .commit_time_ns = 9000};
  bool worked = false;
  join_group(s);
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  assert_ok(log_writer_step(store_log(s), &worked, NULL));
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL));
  assert_int_equal(log_last_index(store_log(s)), next.index);
  store_close(s);
  world_done(&w);
}

static void write_next(struct store *s) {
  struct log_entry next = {
      .index = log_last_index(store_log(s)) + 1, .term = 1, .kind = LOG_NOOP, .parts = LOG_END, .commit_time_ns = 9000};
  bool worked = false;
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  log_commit_mark(store_log(s), next.index);
  assert_ok(log_writer_step(store_log(s), &worked, NULL));
}

TEST(a_replica_keeps_what_it_pulled_until_another_copy_comes_and_nobody_takes_it_for_a_servers_own) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  uint64_t copied = w.pin.identity.applied.index;
  log_group_state(store_log(s), &g);
  g.follows = true;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  write_next(s);
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL)); // and once more
  assert_int_equal(log_commit_index(store_log(s)), copied + 1);
  store_close(s);
  w.options.log.clustered = false;
  assert_int_equal(open_copy(&w, &s, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "belongs to a read replica"));
  w.options.log.clustered = true;
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  assert_true(g.follows && !g.installing);
  assert_int_equal(log_last_index(store_log(s)), copied);
  write_next(s);
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL));
  store_close(s);
  world_done(&w);
}

TEST(a_store_on_its_own_goes_on_in_a_new_term_with_the_copy) {
  struct world w;
  struct store *s = NULL;
  world_init(&w);
  make_old(&w, false);
  assert_ok(copy_all(&w, NULL));
  w.options.log.clustered = false;
  assert_ok(open_copy(&w, &s, NULL));
  assert_is_the_copy(&w, s);
  struct log_entry next = {.kind = LOG_NOOP, .parts = LOG_END};
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  assert_int_equal(next.index, w.pin.identity.applied.index + 1);
  assert_true(next.term > w.pin.identity.applied.term);
  assert_true(next.commit_time_ns >= w.pin.identity.applied.commit_time_ns);
  store_close(s);
  world_done(&w);
}

TEST(a_pinned_checkpoint_is_copied_as_it_was_while_pages_change_and_checkpoints_come) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  uint64_t digest = digest_of(&w.pin);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  for (uint64_t seed = 2000; store_copy_position(c) != CHECKPOINT_END; seed += 1000) {
    assert_ok(copy_piece(&w, c, NULL));
    write_all(&w.from, seed);
    place_checkpoint(&w.from);
  }
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_true(digest_of(&w.pin) == digest);
  assert_copied(&w);
  place_check(&w.from);
  world_done(&w);
}

TEST(pins_are_bounded_expire_and_can_be_renewed) {
  struct world w;
  struct checkpoint_pin pins[CHECKPOINT_PINS_MAX];
  uint64_t position = CHECKPOINT_FIRST;
  size_t bytes = 0;
  struct error e = ERROR_INIT;
  world_init(&w);
  checkpoint_unpin(&w.pin);
  for (size_t i = 0; i < CHECKPOINT_PINS_MAX; i++) assert_ok(checkpoint_pin(w.from.store, 100 + (int64_t) i, &pins[i], NULL));
  assert_int_equal(checkpoint_pin(w.from.store, 100, &w.pin, &e), ERR_LIMIT);
  w.from.clock.now_ns = 120;
  assert_ok(checkpoint_pin(w.from.store, 1000, &w.pin, NULL));
  assert_int_equal(checkpoint_pin_renew(&pins[0], 1000, &e), ERR_NOTFOUND);
  assert_ok(checkpoint_pin_renew(&pins[30], 1000, &e));
  w.from.clock.now_ns = 500;
  for (int i = 0; i < 3; i++) { // what only expired pins held is used again
    write_all(&w.from, 5000);
    place_checkpoint(&w.from);
  }
  assert_ok(checkpoint_read(&pins[30], &position, w.piece, &bytes, &e));
  checkpoint_unpin(&pins[30]);
  checkpoint_unpin(&w.pin);
  for (int i = 0; i < 3; i++) {
    write_all(&w.from, 6000);
    place_checkpoint(&w.from);
  }
  position = CHECKPOINT_FIRST;
  assert_int_equal(checkpoint_read(&pins[1], &position, w.piece, &bytes, &e), ERR_NOTFOUND);
  assert_int_equal(position, CHECKPOINT_FIRST);
  for (size_t i = 0; i < CHECKPOINT_PINS_MAX; i++) checkpoint_unpin(&pins[i]);
  world_done(&w);
}

TEST(a_damaged_piece_is_refused_wherever_it_is_damaged_and_taken_when_it_comes_again) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  while (store_copy_position(c) != CHECKPOINT_END) {
    uint64_t position = store_copy_position(c), next = position;
    size_t bytes = 0;
    assert_ok(checkpoint_read(&w.pin, &next, w.piece, &bytes, NULL));
    for (size_t at = 5; at < bytes; at += PAGE_BYTES + 17) {
      w.piece[at] ^= 0x10;
      assert_int_equal(store_copy_add(c, w.piece, bytes, NULL), ERR_CORRUPT);
      w.piece[at] ^= 0x10;
    }
    for (size_t less = PAGE_BYTES; less < bytes; less += PAGE_BYTES)
      assert_int_equal(store_copy_add(c, w.piece, bytes - less, NULL), ERR_CORRUPT);
    assert_int_equal(store_copy_add(c, w.piece, bytes + PAGE_BYTES, NULL), ERR_CORRUPT);
    assert_int_equal(store_copy_position(c), position);
    assert_ok(store_copy_add(c, w.piece, bytes, NULL));
  }
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_damaged_head_is_refused_and_a_copy_is_not_installed_before_it_is_whole) {
  struct world w;
  struct store_copy *c = NULL;
  struct error e = ERROR_INIT;
  world_init(&w);
  for (size_t at = 0; at < CHECKPOINT_HEAD_BYTES; at += 7) {
    w.head[at] ^= 1;
    assert_int_equal(store_copy_open(w.options.disk, "to", w.head, &c, &e), ERR_CORRUPT);
    w.head[at] ^= 1;
  }
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  assert_int_equal(store_copy_finish(c, &e), ERR_INVALID);
  store_copy_close(c);
  world_done(&w);
}

TEST(damage_on_the_disk_of_the_source_is_found_before_it_is_sent) {
  struct world w;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t size = sim_disk_file_size(w.from.disk, "db/store.pages"), position = CHECKPOINT_FIRST;
  for (uint64_t at = 2 * PAGE_BYTES; at < size; at += PAGE_BYTES) sim_disk_flip(w.from.disk, "db/store.pages", at + 3000, 4);
  size_t bytes = 0;
  assert_int_equal(checkpoint_read(&w.pin, &position, w.piece, &bytes, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "physical page"));
  world_done(&w);
}

TEST(a_copy_goes_on_where_it_was_and_begins_anew_for_another_checkpoint) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  uint64_t position = store_copy_position(c), pages = store_copy_pages(c);
  assert_int_equal(pages, PAGES + 1);
  store_copy_close(c);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_int_equal(store_copy_position(c), position);
  assert_int_equal(store_copy_pages(c), pages);
  store_copy_close(c);
  checkpoint_unpin(&w.pin);
  write_all(&w.from, 4000);
  place_checkpoint(&w.from);
  pin(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_int_equal(store_copy_position(c), CHECKPOINT_FIRST);
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_store_that_is_open_or_another_databases_is_not_replaced) {
  struct world w;
  struct store_copy *c = NULL;
  struct store *s = NULL;
  struct error e = ERROR_INIT;
  world_init(&w);
  random_seeded_init(&w.random, 8);
  w.options.create = true;
  assert_ok(store_open("to", &w.options, &s, NULL));
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  while (store_copy_position(c) != CHECKPOINT_END) assert_ok(copy_piece(&w, c, NULL));
  assert_ok(store_copy_finish(c, NULL));
  assert_int_equal(store_copy_install(c, w.options.clock, &e), ERR_BUSY);
  store_close(s);
  assert_int_equal(store_copy_install(c, w.options.clock, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "another database"));
  store_copy_close(c);
  assert_ok(store_copy_discard(w.options.disk, "to", NULL));
  assert_ok(store_copy_discard(w.options.disk, "to", NULL));
  assert_ok(open_copy(&w, &s, NULL));
  store_close(s);
  world_done(&w);
}

TEST(a_members_log_stays_until_its_leader_says_where_it_begins_and_only_then_may_pages_be_ahead) {
  struct world w;
  struct store *s = NULL;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  world_init(&w);
  make_old(&w, true);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  assert_true(g.installing && g.member_id == 3);
  assert_is_the_copy(&w, s);
  assert_int_equal(log_last_index(store_log(s)), 3);
  assert_true(log_commit_index(store_log(s)) <= 3);
  g.installing = false;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_int_equal(open_copy(&w, &s, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "a part of the log is missing"));
  world_done(&w);
}

TEST(a_copy_of_a_newer_generation_brings_it_along) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  world_init(&w);
  make_old(&w, false);
  checkpoint_unpin(&w.pin);
  log_group_state(store_log(w.from.store), &g);
  g.generation = 5;
  assert_ok(log_group_save(store_log(w.from.store), &g, NULL));
  pin(&w);
  assert_int_equal(w.pin.identity.generation, 5);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  assert_int_equal(log_generation(store_log(s)), 5);
  store_close(s);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_copy_of_an_older_generation_is_refused) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t old = make_old(&w, true);
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  g.generation = 5;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_int_equal(copy_all(&w, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "generation"));
  assert_ok(open_copy(&w, &s, NULL));
  assert_true(digest_of_store(s) == old);
  store_close(s);
  world_done(&w);
}

// Meanwhile the member has caught up by its log and has forgotten what the copy would need.
TEST(a_copy_that_ends_before_the_log_begins_is_refused) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t old = make_old(&w, true);
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  g.snapshot_index = w.pin.identity.applied.index;
  g.snapshot_term = 1;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  struct log_group_state further = g;
  further.snapshot_index++;
  assert_ok(log_group_save(store_log(s), &further, NULL));
  store_close(s);
  assert_int_equal(copy_all(&w, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "has forgotten"));
  assert_ok(open_copy(&w, &s, NULL));
  assert_true(digest_of_store(s) == old);
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_ok(copy_all(&w, NULL));
  assert_copied(&w);
  world_done(&w);
}

TESTS(T(an_empty_directory_gets_the_store_and_its_log_begins_behind_it),
      T(a_replica_keeps_what_it_pulled_until_another_copy_comes_and_nobody_takes_it_for_a_servers_own),
      T(a_store_on_its_own_goes_on_in_a_new_term_with_the_copy),
      T(a_pinned_checkpoint_is_copied_as_it_was_while_pages_change_and_checkpoints_come),
      T(pins_are_bounded_expire_and_can_be_renewed),
      T(a_damaged_piece_is_refused_wherever_it_is_damaged_and_taken_when_it_comes_again),
      T(a_damaged_head_is_refused_and_a_copy_is_not_installed_before_it_is_whole),
      T(damage_on_the_disk_of_the_source_is_found_before_it_is_sent),
      T(a_copy_goes_on_where_it_was_and_begins_anew_for_another_checkpoint),
      T(a_store_that_is_open_or_another_databases_is_not_replaced),
      T(a_members_log_stays_until_its_leader_says_where_it_begins_and_only_then_may_pages_be_ahead),
      T(a_copy_of_a_newer_generation_brings_it_along), T(a_copy_of_an_older_generation_is_refused),
      T(a_copy_that_ends_before_the_log_begins_is_refused))
